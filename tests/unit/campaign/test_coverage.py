"""Coverage counts what is claimed and seen, and shows the rest as open."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from simwarden.campaign.coverage import Coverage, Entry, State
from simwarden.campaign.grid import Order
from simwarden.campaign.html_pages import render
from simwarden.campaign.switched_run import NormalRuns
from simwarden.cli.explaining import explain_name
from simwarden.policy.requirements import requirements
from simwarden.scenario import suite
from simwarden.scenario.claims import points_of
from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry

SHIPPED = Path(__file__).parents[3] / "scenarios"


def covered(*paths: Path) -> Coverage:
    loader = Loader()
    jobs = [(job, loader.load(job.reference)) for job in suite.find(map(str, paths))]
    coverage = Coverage(NormalRuns.of(jobs, loader))
    coverage.carry_out(Order())
    return coverage


def entry(coverage: Coverage, name: str) -> Entry:
    return next(each for each in coverage.entries if each.requirement.id == name)


def test_claims_and_what_the_trace_saw() -> None:
    coverage = covered(SHIPPED / "demo")
    learned = entry(coverage, "bind.hss.learned")
    rows = {row.point.name: row for row in learned.rows}
    row = rows["hss/bind.hss.learned"]
    assert (row.refused.claimed, row.refused.seen) == (["moved-card"], [])
    # The twin of a claimed refusal claims the admission.
    assert "card-back-in-its-meter" in row.admitted.claimed
    assert row.state is State.COVERED
    # Seen in every run, claimed by none.
    assert rows["mme/mme.hss"].admitted.seen
    assert not rows["mme/mme.hss"].admitted.claimed
    assert rows["mme/mme.hss"].state is State.OPEN
    assert learned.state is State.PARTLY


def test_what_is_not_built_is_open() -> None:
    coverage = covered(SHIPPED / "demo")
    assert len(coverage.entries) == len(requirements())
    edge = entry(coverage, "dir.data.edge")
    assert (edge.state, edge.missing, edge.rows) == (State.OPEN, ["device", "access_gateway", "security_platform"], [])
    assert all(each.requirement.enforced_by for each in coverage.entries)


def test_a_requirement_is_covered_when_all_who_have_to_act_have_both_outcomes() -> None:
    learned = entry(covered(SHIPPED / "demo"), "bind.hss.learned")
    for row in learned.rows:
        row.admitted.claimed, row.refused.claimed = ["a"], ["b"]
    assert learned.state is State.COVERED
    for row in learned.rows:
        row.refused.claimed = []
        assert learned.state is State.PARTLY
        row.refused.claimed = ["b"]
    for kind in learned.requirement.enforced_by:
        assert Entry(learned.requirement, [row for row in learned.rows if row.point.kind != kind]).state is State.PARTLY


def test_a_claim_counts_for_the_requirements_that_it_names_only() -> None:
    coverage = covered(SHIPPED / "demo")
    separation = entry(coverage, "mon.separation")
    assert (separation.state, separation.missing) == (State.OPEN, ["monitoring"])
    assert {row.point.kind for row in separation.rows} >= {"hss", "cmp", "mme"}
    # Two requirements, one control.
    [named], [other] = (
        [row.refused for row in entry(coverage, name).rows if row.point.name == "hss/bind.hss.learned"]
        for name in ("bind.hss.learned", "mon.separation")
    )
    assert (named.claimed, named.seen, other.claimed, other.seen) == (["moved-card"], [], [], ["moved-card"])
    assert f"of {len(points_of(Registry.installed()))} controls" in coverage.summary()


@pytest.mark.parametrize(("story", "proved"), [("refused-card.yaml", ["refused-card"]), ("without-events.yaml", [])])
def test_a_requirement_that_asks_for_a_record_counts_with_a_record_only(
    tmp_path: Path, story: str, proved: list[str]
) -> None:
    text = (SHIPPED / "events" / "refused-card.yaml").read_text()
    if not proved:
        text = (
            text[: text.rindex("    broker:\n      event:")]
            .replace("broker: {event: {source: hss, ", "hss: {binding: {")
            .replace("topic: binding/learned, card: card, data: {imei: meter.imei}}}", "card: card, imei: meter.imei}}")
        )
    (tmp_path / story).write_text(text.replace("twin: card", f"twin: {SHIPPED}/events/card"))
    coverage = covered(tmp_path / story)
    assert not coverage.runs.broken
    assert requirements()["mon.separation"].record
    for name, claimed in (("mon.separation", proved), ("bind.hss.learned", [Path(story).stem])):
        [row] = [row for row in entry(coverage, name).rows if row.point.name == "hss/bind.hss.learned"]
        assert row.refused.claimed == claimed


def test_who_is_provisioned_is_no_dedicated_element() -> None:
    core = entry(covered(SHIPPED / "demo"), "fn.core")
    assert (core.state, core.missing) == (State.OPEN, ["bss"])
    assert {row.point.kind for row in core.rows} == {"mme", "pgw", "sgw", "smsc"}
    assert not any(row.admitted.claimed or row.refused.claimed for row in core.rows)


@pytest.mark.slow
def test_explain_and_coverage_name_the_same_controls(capsys: pytest.CaptureFixture[str]) -> None:
    commands = {"simwarden classify FILE": "classify", "simwarden numbers FILE": "audit"}  # they act, by no control
    for each in covered(SHIPPED / "demo" / "first-story.yaml").entries:
        explain_name(each.requirement.id)
        said = capsys.readouterr().out.partition("\n\n")[0]
        named = re.findall(r"  enforced by (\w+), control ([\w.-]+)", said)
        assert named == [(row.point.kind, row.point.control.id) for row in each.rows]
        missing = re.search(r"has to be enforced by (.+) too", said)
        told = [commands[name] for name in re.findall(r"  told by `(.+)`, which refuses nobody", said)]
        assert sorted([*told, *(missing[1].split(", ") if missing else [])]) == sorted(each.missing)


def test_a_scenario_that_does_not_pass_covers_nothing(tmp_path: Path) -> None:
    text = (SHIPPED / "demo" / "moved-card.yaml").read_text().replace("5001", "5004")
    (tmp_path / "wrong.yaml").write_text(text.replace("twin: card", f"twin: {SHIPPED}/demo/card"))
    coverage = covered(tmp_path / "wrong.yaml")
    assert coverage.runs.broken == [("wrong", "an expectation was not met")]
    [row] = [row for row in entry(coverage, "bind.hss.learned").rows if row.point.name == "hss/bind.hss.learned"]
    assert not row.refused.claimed


def test_json_and_page_hold_the_same() -> None:
    coverage = covered(SHIPPED / "demo")
    data = json.loads(json.dumps(coverage.data()))
    learned = next(each for each in data["cases"] if each["case"] == "bind.hss.learned")
    assert learned["outcome"] == "partly"
    assert learned["controls"][0]["refused"] == {"claimed": ["moved-card"], "seen": []}
    page = render(coverage)
    assert coverage.summary() in page
    assert "moved-card" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
