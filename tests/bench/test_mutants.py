"""A sample of mutants of the rules and of what enforces them; the same sample each time, so that its verdict is too."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

MUTANTS = Path(__file__).with_name("mutants")
#: about a minute on two processors
SAMPLE = 48


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    told = subprocess.run([sys.executable, str(MUTANTS), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    sys.stderr.write(told.stdout)
    return told


def _gate(*given: Any) -> tuple[int, str]:
    """Ask the gate of the script, whose modules are no package."""
    sys.path.insert(0, str(MUTANTS))
    try:
        return runpy.run_path(str(MUTANTS / "__main__.py"), run_name="mutants")["gate"](*given)  # type: ignore[no-any-return]
    finally:
        sys.path.remove(str(MUTANTS))


def test_no_mutant_of_the_sample_survives_unlisted() -> None:
    told = _run("--sample", str(SAMPLE), "--seed", "1", "-j", "2")
    assert told.returncode == 0, told.stdout + told.stderr[-2000:]
    tried = re.search(r"^(\d+) mutants tried", told.stdout, re.MULTILINE)
    assert tried is not None
    assert int(tried[1]) > SAMPLE * 0.9


def test_a_run_that_tries_no_mutant_fails() -> None:
    told = _run("--only", "no such file")
    assert (told.returncode, told.stdout.splitlines()[-1]) == (2, "0 mutants tried")


@pytest.mark.parametrize(
    ("kind", "listed", "red", "code"),
    [
        ("scenarios", False, [], 0),
        ("scenarios", True, [], 0),  # killed, though listed: told, and no failure
        ("survived", True, [], 0),
        ("survived", False, [], 1),
        ("not made", False, [], 2),
        ("unit tests", False, ["a-scenario"], 2),
    ],
)
def test_the_list_is_the_gate(kind: str, *, listed: bool, red: list[str], code: int) -> None:
    name, killer = "a.py f: negated: x", SimpleNamespace(name="somebody", scenario=kind == "scenarios")
    tried = {} if kind == "not made" else {name: None if kind == "survived" else killer}
    found, text = _gate(tried, {name: "equivalent: it is the same"} if listed else {}, red)
    assert found == code
    assert ("SURVIVES" in text) == (code == 1)
    assert ("though listed" in text) == (listed and kind == "scenarios")
    assert ("RED" in text) == bool(red)


def test_each_survivor_on_the_list_has_its_reason_and_is_a_mutant() -> None:
    listed = tomllib.loads((MUTANTS / "survivors.toml").read_text("utf-8")).get("survivor", [])
    known = set(_run("--list").stdout.splitlines())
    names = [each["mutant"] for each in listed]
    assert [name for name in names if name not in known] == []
    assert len(names) == len(set(names))
    kinds = ("equivalent: ", "redundant: ", "elsewhere: ", "not enforcement: ", "open: ")
    assert [each["mutant"] for each in listed if not each["reason"].startswith(kinds)] == []
