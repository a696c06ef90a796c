"""`check`: all parts in one budget with one page and one exit code, and what all parts have in common."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from simwarden.cli.main import app

SCENARIOS = Path(__file__).parents[3] / "scenarios"
PARTS = ("prove", "coverage", "matrix", "impact", "explore")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def cli(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.slow
def test_all_parts_in_one_budget_with_one_page() -> None:
    shutil.copytree(SCENARIOS / "demo", "mine")
    shutil.copytree(SCENARIOS / "matrix", "mine/matrix")
    cli("run", "mine", "--report", "r")
    result = cli("check", "--folder", "mine", "--budget", "6 s", "-j", "1", "--report", "r", "--html", "alone.html")
    lines = result.stdout.splitlines()
    sums = {line.split()[1]: line for line in lines if re.match(r"(passed|failed|untried|error) ", line)}
    assert list(sums) == ["coverage", "matrix", "prove"]
    assert re.search(r"^(passed |untried)  coverage  .*; \d+\.\d s$", sums["coverage"])
    assert re.search(
        r"^(passed |untried)  matrix    .*; all as reviewed; \d+ cells left out for lack of time; ", sums["matrix"]
    )
    page = Path("r/check.html").read_text("utf-8")
    for name in sums:
        assert f'<a href="{name}.html">{name}</a>' in page
        assert '<a href="check.html">check</a>' in Path(f"r/{name}.html").read_text("utf-8")
        assert json.loads(Path(f"r/{name}.json").read_text("utf-8"))
    assert '<a href="index.html#moved-card">moved-card</a>' in Path("r/coverage.html").read_text("utf-8")
    assert "<nav" not in Path("alone.html").read_text("utf-8")
    assert "<script" not in page
    words = [line.split()[0] for line in sums.values()]
    assert result.exit_code == next(
        code for word, code in (("failed", 1), ("untried", 4), ("passed", 0)) if word in words
    )


@pytest.mark.slow
def test_what_is_wrong_stands_below_its_part_and_in_the_data() -> None:
    Path("mine").mkdir()
    cli("init", "mine/first.yaml")
    result = cli("check", "--folder", "mine", "--budget", "0", "-j", "1")
    assert result.exit_code == 1
    assert re.search(r"^failed   prove     \d+ of \d+ mutants killed", result.stdout, re.MULTILINE)
    assert re.search(r"^  survivor: ", result.stdout, re.MULTILINE)
    assert re.search(r"^  and \d+ more: `simwarden prove` tells them$", result.stdout, re.MULTILINE)
    assert re.search(r"^1 passed, 1 failed; \d+\.\d s$", result.stdout, re.MULTILINE)
    data = json.loads(cli("check", "--folder", "mine", "--budget", "0", "-j", "1", "--json").stdout)
    assert (data["coverage"]["verdict"], data["prove"]["verdict"]) == ("passed", "failed")
    assert data["prove"]["findings"][0]["lines"][0].startswith("why: ")
    assert " 2 scenarios; " in data["coverage"]["sum"]


def test_nothing_is_tried_in_no_time() -> None:
    assert cli("prove", "demo", "--budget", "0.000001", "-j", "1").exit_code == 4
    result = cli("prove", "demo", "--budget", "soon")
    assert (result.exit_code, "--budget: 'soon' is no duration" in result.output) == (2, True)


def test_a_part_is_the_same_command_by_both_names() -> None:
    story = "--story", "phone/hss-given"
    assert cli("check", "matrix", *story).stdout == cli("matrix", *story).stdout != ""
    result = cli("check", "--budget", "1 s", "prove")
    assert result.exit_code == 2
    assert "--budget stands behind `prove`" in result.output


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_what_all_have(part: str) -> None:
    has = {option for each in get_command(app).commands[part].params for option in each.opts}  # type: ignore[attr-defined]
    assert has >= {"--budget", "--seed", "--json", "--accept", "--html", "--report", "-j"}


def test_coverage_has_nothing_to_accept() -> None:
    result = cli("coverage", "demo", "--accept", "why")
    assert (result.exit_code, "coverage has no reviewed record" in result.output) == (2, True)


@pytest.mark.slow
def test_every_command_is_listed_and_help_imports_nothing_heavy() -> None:
    listed = cli("--help").stdout
    assert all(re.search(rf"^│ {name} ", listed, re.MULTILINE) for name in get_command(app).commands)  # type: ignore[attr-defined]
    assert re.findall(r"^╭─ (\w+) ", listed, re.MULTILINE)[1:] == ["Play", "Write", "Trust", "Connect", "Build"]
    heavy = (
        "jinja2",
        "pydantic",
        "yaml",
        "simwarden.scenario",
        "simwarden.campaign.html_pages",
        "multiprocessing.pool",
    )
    code = "import sys, simwarden.cli.main; print([each for each in sys.modules if each.startswith(%r)])" % (heavy,)  # noqa: UP031
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout.strip() == "[]"
