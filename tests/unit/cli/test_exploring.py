"""`explore` as a user meets it: findings, exit codes, JSON, the page, and scenarios that `run` takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app

if TYPE_CHECKING:
    from typer.testing import Result

SHIPPED = Path(__file__).parents[3] / "scenarios" / "explore"
SOME = ("detach", "--change", "barring", "-j", "1")


def cli(*arguments: str, command: str = "explore") -> Result:
    return CliRunner().invoke(app, [command, *arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped stories without what was reviewed of them."""
    shutil.copytree(SHIPPED, tmp_path / "explore")
    (tmp_path / "explore" / "reviewed.yaml").unlink()
    return tmp_path / "explore"


def test_a_part_of_what_is_shipped_is_as_reviewed() -> None:
    result = cli(*SOME)
    assert result.exit_code == 0, result.output
    assert "findings: 0 new, 0 open" in result.stdout


@pytest.mark.slow
def test_a_finding_is_told_written_and_repeated(folder: Path, tmp_path: Path) -> None:
    result = cli(
        "attach", "--change", "prohibited", "-j", "2", "--folder", str(folder), "--report", str(tmp_path / "r")
    )
    assert result.exit_code == 1
    assert "prohibited in attach, before " in result.stdout
    assert "enforced mme.session" in result.stdout
    assert "  alone: simwarden explore attach --change prohibited" in result.stdout
    page = (tmp_path / "r" / "explore.html").read_text()
    assert 'id="prohibited.attach"' in page
    assert "Identity check answer" in page.replace("ME identity", "Identity")
    assert json.loads((tmp_path / "r" / "explore.json").read_text())["findings"]
    subject = "mme.session"  # of packets a scenario has no word, as the file of that finding says
    kept = sorted((tmp_path / "r" / "explore").glob("*.yaml"))
    scenario = next(each for each in kept if f"# enforced: {subject}\n" in each.read_text())
    again = cli(str(scenario), "--report", str(tmp_path / "again"), command="run")
    assert again.exit_code == 1, again.output
    assert subject in again.output


@pytest.mark.slow
def test_what_is_accepted_passes_afterwards(folder: Path) -> None:
    arguments = ("attach", "--change", "prohibited", "-j", "2", "--folder", str(folder))
    accepted = cli(*arguments, "--accept", "S13 has no push")
    assert accepted.exit_code == 0, accepted.output
    assert "written: " in accepted.stderr
    result = cli(*arguments, "--json")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    groups = [each for each in data["cases"] if "want" in each]
    assert {(each["outcome"], each["why"]) for each in groups} == {("meant", "S13 has no push")}
    assert data["findings"] == []


def test_a_change_that_is_made_at_an_element_outside_is_said_to_be_none_that_can_be_judged(tmp_path: Path) -> None:
    (tmp_path / "network.yaml").write_text('eir: {external: "127.0.0.1:9"}\n', encoding="utf-8")
    result = cli("attach", "--change", "prohibited", "-j", "1", "--network", str(tmp_path / "network.yaml"))
    assert result.exit_code == 4
    assert "nothing was chosen: attach with prohibited: the change is made at eir, which is external" in result.stderr


@pytest.mark.slow
def test_open_findings_are_told_and_fail_nothing(folder: Path) -> None:
    (folder / "reviewed.yaml").write_text(
        "- {outcome: open, what: prohibited, why: not mended yet}\n", encoding="utf-8"
    )
    result = cli("attach", "--change", "prohibited", "-j", "2", "--folder", str(folder))
    assert result.exit_code == 0, result.output
    told = next(line for line in result.stdout.splitlines() if line.startswith("open: "))
    assert told.startswith("open: prohibited in attach: ")
    assert "enforced mme.session" in told
    assert told.endswith(": not mended yet")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("atach",), "no story is called 'atach' (did you mean 'attach'?)"),
        (("--change", "baring"), "no change is called 'baring' (did you mean 'barring'?)"),
        (("--fault", "abbort"), "no fault is called 'abbort' (did you mean 'abort'?)"),
        (("--budget", "soon"), "--budget: 'soon' is no duration"),
        (("--folder", "nowhere"), "nothing to explore is here"),
    ],
)
def test_bad_options_are_told(arguments: tuple[str, ...], said: str) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_nothing_chosen_is_told() -> None:
    assert cli("attach", "--change", "zone-ahead-taken-away").exit_code == 4


def test_a_story_that_does_not_come_to_its_end_is_told_with_what_ended_it(folder: Path) -> None:
    stories = folder / "stories.yaml"
    begins = "    - {power_on: meter, name: attach}\n"
    fails = '    - manage: {element: hss, get: "/cards/001019999999999"}\n'
    stories.write_text(stories.read_text("utf-8").replace(begins, begins + fails, 1), "utf-8")
    for what in (("--fault", "delay"), ("--change", "barring")):
        result = cli("attach", *what, "--folder", str(folder), "-j", "1")
        assert result.exit_code == 1, result.exception
        assert "attach with " in result.output
        assert "GET /cards/001019999999999: 404 Not Found" in result.output
