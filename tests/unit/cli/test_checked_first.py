"""A command that cannot do its work ends with one line and exit code 2, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.errors import SimwardenError
from simwarden.scenario import suite
from simwarden.scenario.load import Loader

STORY = str(Path(__file__).parents[3] / "scenarios" / "demo" / "first-story.yaml")


def line_of(*arguments: str) -> str:
    """Return the one line that a command ends with."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2, result.output
    [line] = result.output.strip().splitlines()
    return line


@pytest.mark.parametrize("taken", ["index.html", "junit.xml", "events.jsonl", "records.jsonl"])
def test_a_report_that_cannot_be_written_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    (tmp_path / "report" / taken).mkdir(parents=True)
    monkeypatch.setattr(suite, "run_all", lambda *_: pytest.fail("it has run"))
    line = line_of("run", STORY, "--report", str(tmp_path / "report"))
    assert line.startswith(f"{tmp_path / 'report' / taken}: the report cannot be written")


def test_a_misspelt_element_comes_before_a_file_that_is_not_there() -> None:
    assert line_of("serve", "hsss", "--config", "x") == "no element type is called 'hsss' (did you mean 'hss'?)"
    assert line_of("serve", "hss", "--config", "x").startswith("x: cannot be read")


@pytest.mark.parametrize(
    ("name", "hint"), [("nosuchthing", ""), ("attch", "attach"), ("bind.hss.learnt", "bind.hss.learned")]
)
def test_explain_suggests_what_is_much_like_a_name_only(name: str, hint: str) -> None:
    assert line_of("explain", name) == f"nothing is called {name!r}" + (f" (did you mean {hint!r}?)" if hint else "")


@pytest.mark.parametrize(
    ("avps", "said"),
    [
        ("RAT-Type: 99999999999", "RAT-Type: 99999999999 does not fit into its AVP"),
        ('Visited-PLMN-Id: "00f1"', "Visited-PLMN-Id: b'\\x00\\xf1' does not fit into its AVP"),
        ("RAT-Type: fast", "RAT-Type: 'fast' is not of its format"),
        ("Usernam: x", "no AVP is called Usernam"),
        ("Terminal-Information: {IMEI: x, Nope: 1}", "Terminal-Information: no AVP is called Nope"),
    ],
)
def test_a_value_that_its_avp_cannot_hold_is_an_error_of_the_file(tmp_path: Path, avps: str, said: str) -> None:
    path = tmp_path / "forge.yaml"
    path.write_text(
        "scenario: A forged request\nnetwork: {intruder: {}}\nsteps:\n"
        f"- forge: {{to: hss, message: update-location-request, avps: {{{avps}}}}}\n  expect: refused\n"
    )
    with pytest.raises(SimwardenError) as error:
        Loader().load(path)
    assert str(error.value).startswith(f"{path}:4:60: avps: {said}")
