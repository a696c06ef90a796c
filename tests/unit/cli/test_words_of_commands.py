"""Names of shipped stories, output for programs, annotations, the last failed, and the words that a shell completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from simwarden.cli import completing
from simwarden.cli.main import app
from simwarden.cli.shipped import shipped

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def wrong(name: str = "w.yaml") -> str:
    story = (SCENARIOS / "demo/first-story.yaml").read_text("utf-8")
    Path(name).write_text(story.replace("imei: meter.imei", "imei: phone.imei"), "utf-8")
    return name


@pytest.mark.parametrize("name", ["moved-card", "demo-moved-card", "demo/moved-card.yaml"])
def test_a_shipped_story_runs_by_its_name(name: str) -> None:
    result = cli("run", name)
    assert result.exit_code == 0, result.output
    assert "1 scenario: 1 passed" in result.output


def test_a_folder_of_them_does_too_and_what_is_there_goes_first() -> None:
    assert "3 checked, none wrong" in cli("validate", "demo").output
    Path("demo").mkdir()
    assert cli("validate", "demo").exit_code == 4


def test_a_name_that_nothing_has_is_told() -> None:
    result = cli("run", "moved-crd")
    assert result.exit_code == 2
    assert "no shipped scenario of that name (did you mean 'moved-card'?)" in result.output
    assert cli("run", "../..//nothing").exit_code == 2


def test_a_tag_that_no_story_has_is_told() -> None:
    result = cli("list", "demo", "--tag", "bindin")
    assert result.exit_code == 4
    assert "no scenario has the tag 'bindin' (did you mean 'binding'?)" in result.output


def test_list_validate_and_explain_in_json() -> None:
    (story,) = json.loads(cli("list", "moved-card", "--json").stdout)
    assert story["name"] == "moved-card"
    assert (story["proves"], story["expects_refusal"]) == (["bind.hss.learned"], True)
    Path("bad.yaml").write_text("scenario: s\nsteps: [fly: x]\n", "utf-8")
    result = cli("validate", "bad.yaml", "moved-card", "--json")
    assert result.exit_code == 2
    bad, good = json.loads(result.stdout)
    assert bad["errors"][0]["line"] == 2
    assert "fly" in bad["errors"][0]["reason"]
    assert good["errors"] == []
    told = json.loads(cli("explain", "bind.hss.learned", "--json").stdout)
    assert told["name"] == "bind.hss.learned"
    assert any("clause 2.1.3(1) one" in each for each in told["meanings"])


def test_where_github_runs_it_a_failure_is_an_annotation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "::error" not in cli("run", wrong()).output
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = cli("run", "w.yaml").output
    head = "::error file=w.yaml,line=10,col=45,title=failed%3A HSS binds a card to its meter on first use::"
    assert f"{head}hss.binding: want imei: 990002010000022, got imei: 990001010000016" in said
    Path("bad.yaml").write_text("scenario: s\nsteps: [fly: x]\n", "utf-8")
    for command in ("run", "validate"):
        assert (
            "::error file=bad.yaml,line=2,col=9,title=simwarden::verb 'fly' is not known"
            in cli(command, "bad.yaml").output
        )


def test_what_did_not_pass_runs_again() -> None:
    assert "there is no report of an earlier run" in cli("run", "moved-card", "--last-failed").output
    Path("report").mkdir()
    Path("report/junit.xml").write_text("<testsuites><te", "utf-8")
    assert "report/junit.xml: is no report of JUnit in XML" in cli("run", "--last-failed").output
    cli("run", wrong(), "moved-card")
    result = cli("run", "w.yaml", "moved-card", "--last-failed")
    assert "1 scenario: 1 failed" in result.output
    assert "1 scenario: 1 failed" in cli("run", "--last-failed").output
    assert "run needs scenario files" in cli("run").output
    cli("run", "moved-card")
    result = cli("run", "--last-failed")
    assert (result.exit_code, "junit.xml has no scenario that failed" in result.output) == (4, True)
    assert cli("run", "moved-card", "--last-failed").exit_code == 4
    Path("report/junit.xml").write_text("<nonsense", "utf-8")
    assert cli("run", "moved-card", "--last-failed").exit_code == 2


@pytest.mark.slow
def test_the_list_of_shipped_stories_is_that_of_their_files() -> None:
    whole = cli("list", str(shipped())).output
    assert cli("list").output == whole
    assert (
        cli("list", "--tag", "demo", "--match", "moved").output
        == cli("list", str(shipped()), "--tag", "demo", "--match", "moved").output
    )
    assert "no scenario has the tag 'dema' (did you mean 'demo'?)" in cli("list", "--tag", "dema").output


def test_junit_has_the_order_and_the_times_that_servers_read() -> None:
    story = Path(wrong()).read_text("utf-8").replace("cards:", "tags: [x]\ncards:", 1)
    Path("w.yaml").write_text(story, "utf-8")
    cli("run", "w.yaml", "moved-card")
    suite = ET.parse("report/junit.xml").getroot().find("testsuite")  # noqa: S314 - our own file
    assert suite is not None
    assert str(suite.get("timestamp"))[10] == "T"
    failed = next(case for case in suite if case.get("classname") == "w")
    assert [each.tag for each in failed] == ["properties", "failure"]


@pytest.mark.parametrize(
    ("complete", "begun", "word"),
    [
        (completing.names, "bind.hss.l", "bind.hss.learned"),
        (completing.names, "power_", "power_on"),
        (completing.tags, "bind", "binding"),
        (completing.controls, "hss/bind.hss.l", "hss/bind.hss.learned"),
        (completing.misuses, "ph", "phone"),
        (completing.methods, "hss-g", "hss-given"),
        (completing.uses, "smart-m", "smart-metering"),
    ],
)
def test_words_are_completed(complete: object, begun: str, word: str) -> None:
    assert callable(complete)
    assert word in complete(begun)
    assert complete("zebra") == []


@pytest.mark.slow
def test_a_shell_asks_for_them() -> None:
    asked = {"_SIMWARDEN_COMPLETE": "complete_bash", "COMP_WORDS": "simwarden explain bind.hss.l", "COMP_CWORD": "2"}
    command = [str(Path(sys.executable).parent / "simwarden")]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.split() == ["bind.hss.learned"]
