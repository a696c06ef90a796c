"""Plans and their errors, what a run is held against, what is reviewed, and that the seed alone decides."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from simwarden.campaign.explore.bench import Bench, bench, plan_of
from simwarden.campaign.explore.campaign import Explore, read_record
from simwarden.campaign.explore.oracle import Deviation, Oracle
from simwarden.campaign.explore.plan import read_plan
from simwarden.campaign.explore.repeat import scenario_of
from simwarden.campaign.explore.runs import DeviationGroup, ExploredRuns, Outcome, Wanted, explore
from simwarden.campaign.explore.trial import Return
from simwarden.campaign.grid import Order
from simwarden.campaign.record import Record
from simwarden.errors import ConfigError, ScenarioError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

FOLDER = Path(__file__).parents[4] / "scenarios" / "explore"
#: what is quickly carried out: a power-off, and two things that may meet it
SHORT = {"stories": ("detach",), "changes": ("barring", "rebinding"), "faults": ("abort", "killed-mme")}


def wanted(**values: object) -> Wanted:
    return Wanted(str(FOLDER), **values)  # type: ignore[arg-type]


def here(story: str, change: str = "") -> Bench:
    return bench(str(FOLDER), "", 0, story, change)


# -- plans


def plan_with(folder: Path, text: str) -> str:
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioErrors) as caught:
        read_plan(folder, Registry([]))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("storys: {}\n", "own.yaml:1:1: key 'storys' is not known (did you mean 'stories'?)"),
        ("stories: {a: {}}\n", "key 'title' is missing"),
        ("stories: {a: {title: x, stepps: []}}\n", "key 'stepps' is not known"),
        ("stories: [a]\n", "stories: names with what they are are expected"),
        ("changes: {c: {title: x, stories: [nowhere]}}\n", "story 'nowhere' is not known"),
        ("changes: {c: {title: x, but: [nowhere]}}\n", "story 'nowhere' is not known"),
        ("agree: {}\nreturns: 3\n", "returns: a list is expected"),
        ("agree: [{each: mme.session}]\n", "key 'has' is missing"),
        ("stories: {a: {title: x}}\nreturns: [{causes: [], why: y}]\n", "key 'within' is missing"),
        ("3\n", "keys and values are expected"),
    ],
)
def test_what_is_wrong_with_a_plan_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in plan_with(tmp_path, text)


def test_a_story_twice_is_told_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("stories: {a: {title: x}}\n", encoding="utf-8")
    told = plan_with(tmp_path, "stories: {a: {title: y}}\n")
    assert "own.yaml:1:11" in told
    assert "first.yaml:1:11" in told


def test_a_wrong_step_of_a_change_is_told_where_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "stories:\n  a: {title: x, cards: {card: {profile: meter}}, devices: {meter: {}}, steps: [{power_on: meter}]}\n"
        "changes:\n  c:\n    title: y\n    do: [{suspnd: {card: card}}]\n",
        encoding="utf-8",
    )
    with pytest.raises(ScenarioErrors, match=r"own\.yaml:6:11: verb 'suspnd' is not known"):
        explore(Wanted(str(tmp_path), changes=("c",)), Order())


def test_every_element_may_bring_a_plan() -> None:
    plan = plan_of(str(FOLDER))
    brought = {Path(change.spot.source.file).parent.name for change in plan.changes.values()}
    assert brought >= {"hss", "mme", "eir", "cmp"}


def test_the_stories_enter_every_procedure() -> None:
    plan = plan_of(str(FOLDER))
    names = {step.get("name") for story in plan.stories.values() for step in story.spot.value["steps"]}
    assert names >= {
        "attach",
        "first-use",
        "s1-handover",
        "x2-handover",
        "update",
        "service-request",
        "paging",
        "detach",
    }
    assert names >= {"re-attach", "emergency-call", "suspension", "resumption", "release", "attach-by-platform"}


# -- points and runs


def test_points_are_named_as_a_scenario_names_them() -> None:
    points = here("attach").points
    assert [each.number for each in points] == list(range(len(points)))
    named = [str(each) for each in points]
    assert {
        "uu.attach-request",
        "s1-mme.attach-request",
        "s6a.update-location-answer",
        "s13.me-identity-check-request",
    } <= {*named}
    assert len(named) == len({*named}), "the nth of a message tells points apart"


def test_mishaps_are_put_in_where_the_carrier_has_them() -> None:
    story = here("attach")
    protocols = {name: {story.frame(number).protocol for number in story.numbers(name)} for name in story.faults}
    # GTP repeats requests by itself (N3 and T3): a lost or doubled one is what it must cope with
    assert protocols["lose"] == protocols["double"] == {"uu", "gtpv2"}
    assert protocols["repeat"] == {"diameter"}
    assert protocols["stall"] == {"s1ap", "diameter"}
    assert protocols["abort"] == {"uu", "s1ap", "diameter"}
    assert "apdu" in protocols["killed-mme"]
    assert {"silent-hss", "slow-eir", "killed-enb2", "restarted-mme"} <= protocols.keys()
    assert not {"silent-enb", "killed-card", "killed-meter"} & protocols.keys()


def test_a_run_with_nothing_put_in_is_as_it_must_be() -> None:
    story = here("attach")
    assert story.oracle.deviations(story.base, change=False) == []


def test_a_change_that_is_heeded_is_as_if_it_had_been_there_from_the_first() -> None:
    story = here("attach", "rebinding")
    last = story.points[-1].number
    seen = story.run({last: "rebinding"})
    assert story.altered(seen)
    assert story.oracle.deviations(seen, change=True) == []
    assert seen.audits["hss", "rebind"] == 1


def test_a_run_without_the_change_is_not_as_it_must_be() -> None:
    story = here("attach", "rebinding")
    found = {each.name for each in story.oracle.deviations(story.base, change=True)}
    assert found >= {"settled mme.session", "enforced mme.session", "audit hss rebind"}


def test_packets_that_pass_where_they_should_not_are_told() -> None:
    story = here("attach", "packets-cell-taken-away")
    found = {each.name: each for each in story.oracle.deviations(story.base, change=True)}
    assert (found["settled meter.packets"].want, found["settled meter.packets"].got) == ("none", "delivered")
    assert found["settled meter.packets"].value == "timed-out"


def test_what_is_not_there_yet_cannot_be_ended() -> None:
    story = here("attach", "sessions-ended")
    first, last = story.run({0: "sessions-ended"}), story.run({story.points[-1].number: "sessions-ended"})
    assert "404 Not Found" in first.refused
    assert not last.refused
    assert story.altered(last)
    for seen in (first, last):
        assert story.oracle.deviations(seen, change=True) == []


def test_a_change_is_tried_where_it_makes_sense() -> None:
    plan = plan_of(str(FOLDER))
    made = {story.name: {each.name for each in plan.changes_of(story)} for story in plan.stories.values()}
    assert {"barring", "packets-cell-given"} <= made["connections"]
    assert "apn-replaced" not in made["connections"]
    assert "barring" not in made["suspension"]
    assert {each for each in made if "further-apn-removed" in made[each]} == {"connections"}


def test_two_changes_are_held_against_both_from_the_first() -> None:
    story = here("detach", "barring + rebinding")
    first, later = story.points[0].number, story.points[2].number
    assert story.oracle.deviations(story.run({first: "barring", later: "rebinding"}), change=True, alone=False) == []
    found = story.oracle.deviations(story.run({first: "barring"}), change=True, alone=False)
    assert "settled hss.binding" in {each.name for each in found}


@pytest.mark.parametrize(("cause", "late"), [("", True), ("IMPLICITLY_DETACHED", True), ("ESM_FAILURE", False)])
def test_how_late_one_may_be_served_again_depends_on_the_cause(cause: str, late: bool) -> None:  # noqa: FBT001
    story = here("attach")
    seen = story.run({})
    session = next(fact for fact in seen.settled if fact[:2] == ("mme", "session"))
    seen.came[session] = Return(3 * 3600.0, frozenset({cause} - {""}))
    found = story.oracle.deviations(seen, change=False)
    assert [each.name for each in found] == (["late mme.session"] if late else [])


def test_timers_are_not_judged_where_no_night_goes_by(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text('network: {eir: {external: "192.0.2.10:3868"}}\n', encoding="utf-8")
    outside, story = bench(str(FOLDER), str(tmp_path / "lab.yaml"), 0, "attach", ""), here("attach")
    seen = story.run({})
    seen.held["timers", "simulators.mme.anything"] = 1
    found = [each.name for each in story.oracle.deviations(seen, change=False)]
    assert found == ["quiet timers of simulators.mme.anything"]
    assert Oracle(outside.plan, outside.told, story.base).deviations(seen, change=False) == []


# -- campaign runs


def judge(found: ExploredRuns, folder: Path | None = None) -> Explore:
    """Compare runs with the record of a folder, or with none."""
    explored = Explore(found.wanted)
    explored.judge(found, read_record(folder) if folder else Record(Path("none")))
    return explored


def test_of_several_runs_the_shortest_is_kept() -> None:
    found, (one, *_, last) = ExploredRuns(wanted()), here("detach", "barring").points
    deviation = Deviation("quiet", "connections", "1", "2")
    shape: dict[str, Any] = {"story": "detach", "change": "barring", "altered": True, "deviations": (deviation,)}
    for put, point in (((0, "barring"), (2, "barring")), last), (((last.number, "barring"),), last):
        found.take(Outcome(put=put, point=replace(point, message="m"), **shape))
    found.take(Outcome(put=((0, "barring"),), point=replace(one, message="m"), **shape))
    (kept,) = found.findings.values()
    assert (kept.first.put, kept.count) == (((0, "barring"),), 3)


@pytest.mark.slow
def test_a_budget_that_is_left_over_is_spent_on_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simwarden.campaign.explore.runs._PART", 3)
    monkeypatch.setattr("simwarden.campaign.explore.runs._PARTS", 3)
    alone = explore(wanted(stories=("detach",), changes=("barring", "rebinding"), faults=("repeat",)), Order())
    long = Order(until=time.monotonic() + 1e6)
    found = explore(wanted(stories=("detach",), changes=("barring", "rebinding"), faults=("repeat",)), long)
    assert alone.runs < found.runs == found.planned <= alone.runs + 6
    assert found.whole


@pytest.mark.slow
def test_the_seed_alone_decides_what_is_tried() -> None:
    one = judge(explore(wanted(runs=12, pairs=4, seed=3, **SHORT), Order(workers=1)))
    two = judge(explore(wanted(runs=12, pairs=4, seed=3, **SHORT), Order(workers=2)))
    other = judge(explore(wanted(runs=12, pairs=4, seed=4, **SHORT), Order(workers=1)))
    assert one.data() == two.data()
    assert one.explored.runs == one.explored.planned == 16
    assert one.data()["cases"] != other.data()["cases"]


def test_what_is_not_begun_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()  # each look at the clock takes a second
    monkeypatch.setattr("simwarden.campaign.grid.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    found = explore(wanted(**SHORT), Order(until=10))
    assert 0 < found.runs < found.planned
    assert not found.whole
    left = found.planned - found.runs
    assert f"; {left} runs left out for lack of time" in judge(found).line


@pytest.mark.slow
def test_a_change_that_nobody_notices_is_an_error_unless_somebody_says_why() -> None:
    found = explore(wanted(stories=("attach",), changes=("other-apn-removed",)), Order())
    assert judge(found).vacuous == [("attach", "other-apn-removed")]
    reviewed = judge(found, FOLDER)
    assert reviewed.vacuous == []
    assert {each: entry.why for each, entry in reviewed.silent.items()} == {
        ("attach", "other-apn-removed"): "the APN in use stays"
    }


# -- what is reviewed, and what becomes of a finding


def finding(what: str = "barring", differs: str = "mme.session", before: str = "attach-accept") -> DeviationGroup:
    story = here("detach", "barring")
    point = next(iter(story.points))
    deviation = Deviation("enforced", differs, "none", "{apn: iot}", ("mme", "session", "001010000000001"))
    outcome = Outcome("detach", "barring", ((point.number, "barring"),), point, altered=True, deviations=(deviation,))
    return DeviationGroup(what, "detach", before, deviation, outcome, 1)


def outcome_by(folder: Path, *entries: str) -> tuple[str, str]:
    """Return the outcome of the finding by a record of these entries, and the reason."""
    (folder / "reviewed.yaml").write_text("".join(f"- {each}\n" for each in entries), encoding="utf-8")
    found = ExploredRuns(wanted())
    found.findings[finding().key] = finding()
    ((_, entry),) = judge(found, folder).outcomes
    return (str(entry.outcome), entry.why) if entry else ("new", "")


@pytest.mark.parametrize(
    ("entry", "covers"),
    [
        ("why: all", True),
        ("what: barring, into: detach, differs: enforced mme.session, before: attach-accept, why: x", True),
        ("what: [with*, bar*], differs: enforced *, why: x", True),
        ("what: rebinding, why: x", False),
        ("into: attach, why: x", False),
        ("differs: settled *, why: x", False),
        ("before: detach-request, why: x", False),
        ("got: none, why: x", False),
    ],
)
def test_an_entry_covers_what_its_words_fit(tmp_path: Path, entry: str, *, covers: bool) -> None:
    for word in ("meant", "open"):
        assert outcome_by(tmp_path, f"{{outcome: {word}, {entry}}}")[0] == (word if covers else "new")
    assert outcome_by(tmp_path, f"{{outcome: open, {entry}}}", "{outcome: meant, why: y}") == ("meant", "y")


def test_something_silent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="key 'what' is missing"):
        outcome_by(tmp_path, "{outcome: silent, why: x}")


def test_what_is_accepted_is_found_no_more(tmp_path: Path) -> None:
    (tmp_path / "reviewed.yaml").write_text("# By hand.\n- {outcome: open, what: other, why: known}\n", "utf-8")
    found = ExploredRuns(Wanted(str(tmp_path)))
    for group in (finding(), finding(before="detach-request")):
        found.findings[group.key] = group
    explored = judge(found, tmp_path)
    assert len(explored.new) == 2
    with pytest.raises(ConfigError, match="say why"):
        explored.accept("")
    assert explored.accept("so be it") == [tmp_path / "reviewed.yaml"]
    assert (explored.new, len(explored.those("meant"))) == ([], 2)
    text = (tmp_path / "reviewed.yaml").read_text("utf-8")
    assert text.startswith(
        "# By hand.\n- {outcome: open, what: other, why: known}\n- outcome: meant\n  what: barring\n"
    )
    assert [each["why"] for each in yaml.safe_load(text)] == ["known", "so be it"]
    other = finding(before="paging")
    found.findings[other.key] = other
    assert judge(found, tmp_path).new == [other]


@pytest.mark.slow
def test_a_finding_becomes_a_scenario_that_fails_alike() -> None:
    """The one that S13 brings: nobody tells an MME that a terminal was prohibited."""
    found = explore(wanted(stories=("attach",), changes=("prohibited",)), Order())
    first = next(each for each in found.findings.values() if each.deviation.name == "enforced mme.session")
    text = scenario_of(here("attach", "prohibited"), first)
    assert text.startswith("# Found by `simwarden explore`: prohibited, before ")
    steps = yaml.safe_load(text)["steps"]
    assert "during" in steps[1]
    assert {"wait": "15 s"} not in steps
    result = run_scenario(Loader().load("finding.yaml", text), "finding", RunOptions())
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert [each.subject for each in result.failure.mismatches] == ["mme.session"]
