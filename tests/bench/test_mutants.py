"""A sample of mutants of the rules and of what enforces them; the same sample each time, so that its verdict is too."""

from __future__ import annotations

import ast
import collections
import os
import re
import runpy
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

MUTANTS = Path(__file__).with_name("mutants.py")
#: two to four minutes on two processors, of which the half is what everything reaches
SAMPLE = 24
#: mutants of each operator that are compiled
OF_EACH = 40


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    told = subprocess.run([sys.executable, str(MUTANTS), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    sys.stderr.write(told.stdout)
    return told


def _instead(name: str, known: dict[str, str]) -> str:
    """Return the present mutants of a function for a stale entry of the list."""
    function, operator = name.split(": ")[:2]
    if not any(other.startswith(f"{function}: ") for other in known):
        return "no such function, or no mutant of it"
    alike = [f"\n  {other}\n    {known[other]}" for other in known if other.startswith(f"{function}: {operator}: ")]
    return "".join(alike) or "the function has no mutant of this operator"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """The names of the script, which is in no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(MUTANTS.parent)
        return runpy.run_path(str(MUTANTS), run_name="mutants")


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
def test_the_list_is_the_gate(script: dict[str, Any], kind: str, *, listed: bool, red: list[str], code: int) -> None:
    name, killers = "a:f: never: _ -> False", {"scenarios": "a.yaml", "unit tests": "test_a.py::test", "survived": ""}
    tried = {} if kind == "not made" else {name: killers[kind]}
    found, text = script["gate"](
        tried, {name: "equivalent: it is the same"} if listed else {}, red, {name: "a.py:1: x"}
    )
    assert found == code
    assert ("SURVIVES" in text) == (code == 1)
    assert ("though listed" in text) == (listed and kind == "scenarios")
    assert ("RED" in text) == bool(red)


def test_red_is_what_fails_or_does_not_end_and_not_what_a_clock_saw_no_time_of(script: dict[str, Any]) -> None:
    items = {"fast": lambda: False, "fails": lambda: True, "late": lambda: os._exit(1), "after it": lambda: False}
    campaign = script["Campaign"]([], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "process_time", lambda: 0.0)
        seconds, _ = campaign._measure(set(), items)
    assert campaign.red == ["fails", "late", "after it"]
    assert seconds["fast"] == 0.0


def test_rules_that_only_advise_are_counted_and_told_apart(script: dict[str, Any]) -> None:
    advice = script["ADVICE"][0]
    assert {*script["ADVICE"]} <= {f"{script['module_of'](file)}:" for file in script["FILES"]}
    killers = {"a:f: 1": "a.yaml::case", "a:f: 2": "tests/a.py::test", "a:f: 3": "", "a:f: 4": ""}
    killers |= {f"{advice}f: {number}": "tests/b.py::test" for number in range(3)}
    listed = {"a:f: 3": "equivalent: the same", "a:f: 4": "redundant: so"}
    _, text = script["gate"](killers, listed, [], dict.fromkeys(listed, "a.py:1: x"))
    assert text.splitlines()[-2:] == [
        "7 mutants tried, of those not equivalent 16.7% killed by scenarios alone, 83.3% in all",
        (
            "4 of them without rules that only advise, "
            "of those not equivalent 33.3% killed by scenarios alone, 66.7% in all"
        ),
    ]


def test_each_survivor_on_the_list_has_its_reason_and_is_a_mutant(script: dict[str, Any]) -> None:
    listed = tomllib.loads(MUTANTS.with_suffix(".toml").read_text("utf-8")).get("survivor", [])
    trees = {file: script["parsed"](file) for file in script["FILES"]}
    known = {each.name: each.shown for file, tree in trees.items() for each in script["mutants"](file, tree)}
    names = [each["mutant"] for each in listed]
    stale = [name for name in names if name not in known]
    assert not stale, "\n".join(f"{name}: {_instead(name, known)}" for name in stale)
    assert len(names) == len(set(names))
    kinds = ("equivalent: ", "redundant: ", "elsewhere: ", "not enforcement: ", "open: ")
    assert [each["mutant"] for each in listed if not each["reason"].startswith(kinds)] == []


def _of(script: dict[str, Any], source: str) -> dict[str, str]:
    return {each.name: each.shown for each in script["mutants"]("simulators/a.py", ast.parse(source))}


def test_renames_and_other_lines_leave_the_names_of_mutants(script: dict[str, Any]) -> None:
    before = _of(script, "def f(card):\n    if card.old and not g(card, 'a'):\n        raise KeyError\n")
    after = _of(script, "x = 1\ndef f(it):\n    y = it\n    if y.new and not h(\n        y, 'b'): raise ValueError\n")
    assert [*before] == [*after]
    assert "simulators.a:f: never: _._ and (not _(_, '_')) -> False" in before
    assert "simulators.a:f: operand dropped: _._ and (not _(_, '_')) -> _._" in before


def test_a_stale_entry_is_reported_with_the_present_mutants(script: dict[str, Any]) -> None:
    one, two = "simulators.a:f: dropped: _() -> pass", "simulators.a:f: dropped: _() -> pass (1 of 2)"
    known = _of(script, "def f():\n    g()\n    h()\n")
    assert one not in known  # the number is missing
    assert two in _instead(one, known)
    assert known[two] in _instead(one, known)
    assert _instead(one.replace("dropped", "never"), known) == "the function has no mutant of this operator"
    assert _instead(one.replace(":f:", ":gone:"), known) == "no such function, or no mutant of it"


def test_each_mutant_can_be_made(script: dict[str, Any]) -> None:
    """One that cannot be compiled would be left out without a word; of each operator some are compiled."""
    made = collections.Counter[str]()
    for file in script["FILES"]:
        tree = script["parsed"](file)
        for mutant in script["mutants"](file, tree):
            operator = mutant.name.split(": ")[1]
            if made[operator] < OF_EACH:
                compile(ast.fix_missing_locations(tree), file, "exec")
                made[operator] += 1
    assert len(made) == 12


def test_the_script_is_short() -> None:
    assert len(MUTANTS.read_text("utf-8").splitlines()) <= 300
