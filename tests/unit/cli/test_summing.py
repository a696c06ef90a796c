"""What a run says at its end: which misuse was stopped, by whom, how it was told, and what comes next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simwarden.cli.main import app
from simwarden.cli.summing import by_clause, misuses, rejected_with, stopped_by, twins_not_run
from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions
from simwarden.trace.events import Decided

SCENARIOS = Path(__file__).parents[3] / "scenarios"
MOVED = (
    "HSS rejects a first-use-bound meter card in a phone: stopped by hss (bind.hss.learned, clause 2.1.3(1) one),"
    " told #8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED in attach reject; the device holds the card invalid until it is"
    " switched off or the card is taken out; forgets GUTI, TAI list and keys"
)


def play(*paths: str) -> list[ScenarioResult]:
    loader = Loader()
    jobs = suite.find([str(SCENARIOS / path) for path in paths])
    return list(suite.run_all([(job, loader.load(job.reference)) for job in jobs], RunOptions(), "", 1))


def test_a_misuse_is_told_in_a_sentence() -> None:
    moved, back = play("demo/moved-card.yaml", "demo/card-back-in-its-meter.yaml")
    assert list(misuses([moved, back])) == ["1 misuse stopped:", f"  {MOVED}"]
    assert (rejected_with(moved), rejected_with(back)) == ("rejected with #8 (hss)", "")
    assert [each.event for each in moved.stopped] == [
        each.number for each in moved.events if isinstance(each, Decided) and not each.decision.admitted
    ]


def test_it_says_that_the_twin_of_a_refusal_was_not_run() -> None:
    moved, back = play("demo/moved-card.yaml", "demo/card-back-in-its-meter.yaml")
    told = "moved-card: its twin, which shows what is not refused, was not run: simwarden run "
    assert list(twins_not_run([moved])) == [f"{told}demo/moved-card.yaml demo/card-back-in-its-meter.yaml"]
    assert list(twins_not_run([moved, back])) == list(twins_not_run([back])) == []
    moved.verdict = Verdict.FAILED
    assert list(twins_not_run([moved])) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("binding/eir/unlisted-peer.yaml::eir", "refused with Result-Code 3010"),
        ("binding/operator/read-by-customer.yaml::card", "refused with HTTP 403 Forbidden (card)"),
        ("binding/form/soldered-card.yaml::moved", "stopped (card)"),
    ],
)
def test_what_is_refused_otherwise_is_told_as_it_was(path: str, line: str) -> None:
    assert rejected_with(play(path)[0]).startswith(line)


def test_of_packets_that_go_no_further_it_tells_that() -> None:
    played = play("area/pgw-location/x2-handover.yaml")
    told = ": stopped by pgw (area.cell, clause 2.2.1) with the card's packets dropped"
    assert list(misuses(played))[1].endswith(told)


def test_a_misuse_that_was_not_stopped_is_none() -> None:
    moved = play("demo/moved-card.yaml")[0]
    leaked = suite._told(Loader().load(SCENARIOS / "demo/moved-card.yaml"), moved)
    leaked.verdict = Verdict.FAILED
    assert suite._told(Loader().load(SCENARIOS / "demo/moved-card.yaml"), leaked).stopped == ()


def test_what_met_an_expectation_is_kept() -> None:
    met = play("demo/moved-card.yaml")[0].met
    cause = next(each for each in met if each.subject == "phone.emm_cause")
    assert (cause.want, cause.got) == (
        "EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED",
        "EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED (8)",
    )
    binding = next(each for each in met if each.subject == "hss.binding")
    assert binding.event
    assert binding.want == binding.got
    assert next(each for each in met if each.subject == "mme.session").got == "never"


def test_many_stories_are_summed_up_by_clause_and_by_what_stopped_them() -> None:
    results = play("demo", "binding/form")
    head, *rows = by_clause(results)
    assert head.split() == ["clause", "stories", "not", "passed", "misuses", "stopped"]
    assert any(row.startswith("2.1.3(1) one") and row.endswith("1") for row in rows)
    lines = list(stopped_by(results))
    assert lines[0] == "misuses stopped, with one of each kind (-v lists all):"
    assert f"   1 × {MOVED}" in lines
    assert sum(int(line.partition("×")[0]) for line in lines[1:]) == sum(len(each.stopped) for each in results)


def test_of_many_stories_a_line_is_printed_only_for_what_did_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    story = (SCENARIOS / "demo/first-story.yaml").read_text("utf-8")
    for number in range(21):
        (tmp_path / f"s{number:02}.yaml").write_text(
            story if number != 7 else story.replace("imei: meter.imei", "imei: phone.imei"), "utf-8"
        )
    said = CliRunner().invoke(app, ["run", ".", "--trace", "off"]).stdout
    assert "failed" in said
    assert not [line for line in said.splitlines() if line.startswith("passed")]
    said = CliRunner().invoke(app, ["run", ".", "--trace", "off", "-v"]).stdout
    assert len([line for line in said.splitlines() if line.startswith("passed")]) == 20


def test_the_page_tells_the_time_that_the_terminal_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["run", "moved-card", "card-back-in-its-meter"]).stdout
    page = (tmp_path / "report/index.html").read_text("utf-8")
    seconds = re.search(r'"seconds":([\d.]+),"version"', page)
    assert seconds
    assert f"2 scenarios: 2 passed in {float(seconds[1]):.2f} s; report" in said


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("binding/hss/reported-terminal.yaml::given", "one) with s6a.cancel-location-request to intruder"),
        ("binding/form/soldered-card.yaml::moved", "2.1.2) with move: refused"),
    ],
)
def test_without_a_cause_it_tells_what_was_done(path: str, told: str) -> None:
    assert list(misuses(play(path)))[1].endswith(told)
