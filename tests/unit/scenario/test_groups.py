"""Names that stand for many, what goes on beside the steps, and elements that fail without going away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Event, Frame, StateChange

HEAD = """\
scenario: A fleet
cards:
  cards: {count: 3, binding: {by: gate, imei: meters.imei}}
devices:
  meters: {count: 3, type: module}
  phone: {type: handset}
"""
Play = Callable[..., ScenarioResult]
Errors = Callable[..., list[str]]


def attaches(result: ScenarioResult) -> list[tuple[str, float]]:
    return [(e.element, e.time) for e in result.events if isinstance(e, StateChange) and e.observable == "attach"]


def test_a_group_is_as_many_instances_with_identities_of_their_own(loader: Loader) -> None:
    scenario = loader.load("f.yaml", HEAD + "steps:\n  - power_on: phone\n")
    assert scenario.groups == {
        "cards": ("cards-1", "cards-2", "cards-3"),
        "meters": ("meters-1", "meters-2", "meters-3"),
    }
    imeis = [scenario.instances[name].identities["imei"] for name in (*scenario.groups["meters"], "phone")]
    assert len(set(imeis)) == 4
    bound = [scenario.cards[name].entries[0].values["imei"] for name in scenario.groups["cards"]]
    assert bound == imeis[:3]


def test_a_verb_is_done_by_all_and_comes_to_one_word(play: Play) -> None:
    steps = "- insert: {card: cards, into: meters}\n- power_on: meters\n  expect: accepted\n"
    result = play(steps, HEAD)
    assert result.verdict is Verdict.PASSED
    assert attaches(result) == [("meters-1", 0.0), ("meters-2", 0.0), ("meters-3", 0.0)]


def test_what_all_do_may_be_spread(play: Play) -> None:
    result = play("- insert: {card: cards, into: meters}\n- power_on: meters\n  over: 9 min\n", HEAD)
    assert attaches(result) == [("meters-1", 0.0), ("meters-2", 180.0), ("meters-3", 360.0)]


def test_one_of_a_group_may_be_named(play: Play) -> None:
    steps = """
    - insert: {card: cards-2, into: meters-2}
    - power_on: meters-2
      expect: accepted
    - insert: {card: cards-1, into: meters-3}
    - power_on: meters-3
    - expect: {meters-3: {attach: rejected, emm_cause: ILLEGAL_ME}}
    """
    assert play(steps, HEAD).verdict is Verdict.PASSED


def test_a_management_call_is_made_for_each(play: Play) -> None:
    call = "manage: {element: gate, put: '/cards/{cards.imsi}/binding', body: {imei: meters.imei}}"
    result = play(f"- {call}\n  expect: 200\n", HEAD)
    assert result.verdict is Verdict.PASSED
    values = [e.value for e in result.events if isinstance(e, StateChange) and e.observable == "binding"]
    assert len({value["imei"] for value in values}) == len({value["imsi"] for value in values}) == 3


def test_a_rhythm_goes_on_beside_the_steps_and_ends(play: Play) -> None:
    steps = "- insert: {card: cards, into: meters}\n- power_on: meters\n  every: 1 min\n  for: 2 min\n- wait: 10 min\n"
    assert [time for _, time in attaches(play(steps, HEAD))] == [20.0, 40.0, 60.0, 80.0, 100.0, 120.0]


def test_a_rhythm_ends_with_the_story_and_may_keep_step(play: Play) -> None:
    steps = "- insert: {card: cards, into: meters}\n- power_on: meters\n  every: 1 min\n  over: 0\n- wait: 90 s\n"
    result = play(steps, HEAD)
    assert [time for _, time in attaches(result)] == [60.0] * 3
    assert result.verdict is Verdict.PASSED


def test_a_beat_that_falls_into_what_still_goes_on_is_left_out(play: Play) -> None:
    head = HEAD + "network:\n  gate: {delay: 100}\n"
    steps = "- insert: {card: cards-1, into: meters-1}\n- power_on: meters-1\n  every: 1 min\n- wait: 6 min\n"
    assert [time for _, time in attaches(play(steps, head))] == [160.0, 280.0]


def test_what_goes_wrong_beside_the_steps_ends_the_run(play: Play) -> None:
    result = play("- power_on: phone\n  every: 1 min\n- wait: 10 min\n", HEAD)  # without a card the toy breaks
    assert result.verdict is Verdict.ERROR
    assert result.failure is not None
    assert "what goes on beside the steps" in result.failure.summary


def test_a_run_that_keeps_no_events_tells_a_sink(loader: Loader) -> None:
    text = HEAD + "steps:\n- wait: 1 min\n"
    seen: list[Event] = []
    result = run_scenario(loader.load("f.yaml", text), "f", RunOptions(keep=False), seen.append)
    assert result.verdict is Verdict.PASSED
    assert result.events == []
    assert any(isinstance(event, StateChange) for event in seen)


@pytest.mark.parametrize(
    ("steps", "head", "said"),
    [
        (
            "- power_on: phone\n",
            HEAD.replace("count: 3, type", "count: none, type"),
            "5:19: count: a number from 1 to 10000",
        ),
        (
            "- power_on: phone\n- expect: {gate: {binding: {card: cards}}}\n",
            HEAD,
            "cards stands for 3: which of them is meant? (as in cards-1)",
        ),
        (
            "- power_on: phone\n- expect: {decision: {by: gate, card: cards}}\n",
            HEAD,
            "cards stands for 3: which of them is meant?",
        ),
        ("- power_on: phone\n", HEAD.replace("count: 3, type", "count: 0, type"), "count: a number from 1 to 10000"),
        (
            "- power_on: phone\n",
            HEAD.replace("count: 3, type", f"count: {'9' * 5000}, type"),
            "count: a number from 1 to 10000",
        ),
        ("- power_on: phone\n", HEAD.replace("phone:", "meters-2:"), "two elements are called 'meters-2'"),
        (
            "- power_on: phone\n",
            HEAD.replace("count: 3, b", "count: 3, imsi: '001010000000001', b"),
            "imsi is one, and 3",
        ),
        ("- power_on: phone\n", HEAD.replace("cards: {count: 3, ", "cards: {"), "meters stands for 3: which of them"),
        (
            "- power_on: phone\n",
            HEAD.replace("cards: {count: 3", "cards: {count: 4"),
            "meters stands for 3: which of them",
        ),
        ("- insert: {card: cards, into: phone}\n  over: soon\n", HEAD, "over: 'soon' is no duration"),
        ("- power_on: phone\n  over: 1 min\n", HEAD, "nothing here is done by several"),
        ("- power_on: phone\n  every: 0\n", HEAD, "every: more than no time"),
        ("- power_on: phone\n  for: 1 min\n", HEAD, "for: how long"),
        ("- expect: {meters: {attach: accepted}}\n", HEAD, "nothing here is called 'meters'"),
        ("- fail: gate\n", HEAD, "gate answers neither Diameter nor MQTT"),
        ("- fail: {element: gat}\n", HEAD, "no element is called 'gat'"),
        ("- mend: gat\n", HEAD, "no element is called 'gat'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(errors: Errors, steps: str, head: str, said: str) -> None:
    assert any(said in each for each in errors(steps, head)), errors(steps, head)


def test_groups_that_go_together_are_as_many(errors: Errors) -> None:
    head = HEAD + "  others: {count: 2, type: module}\n"
    assert any("cards 3, others 2" in each for each in errors("- insert: {card: cards, into: others}\n", head))


REAL = """\
scenario: An HSS that fails
cards:
  cards: {count: 2, profile: meter}
devices:
  meters: {count: 2, type: module}
steps:
  - insert: {card: cards, into: meters}
  - fail: {element: hss%s}
  - power_on: meters
  - expect: {meters-1: {attach: %s}, meters-2: {attach: %s}, decision: {by: mme, control: mme.hss}}
  - mend: hss
  - wait: 1 min
  - expect: {meters-1: {attach: accepted}, meters-2: {attach: accepted}}
"""


@pytest.mark.parametrize("answer", ["", ", answer: 3002", ", answer: 5012", ", answer: 2001"])
def test_a_register_that_fails_refuses_for_a_time_and_serves_again(answer: str) -> None:
    frames: list[Frame] = []

    def sink(event: Any) -> None:
        if isinstance(event, Frame) and event.interface == "S6a" and event.source == "hss":
            frames.append(event)

    loader = Loader(Registry.installed())
    scenario = loader.load("f.yaml", REAL % (answer, "rejected", "rejected"))
    result = run_scenario(scenario, "f", RunOptions(tells=False), sink)  # who decided is not asked here

    story = REAL % (answer, "rejected", "rejected")
    if "5012" in answer:  # what the register itself answers, and no control here decides
        story = story.replace(", decision: {by: mme, control: mme.hss}", "")
    scenario = loader.load("f.yaml", story)
    result = run_scenario(scenario, "f", RunOptions(), sink)
    assert result.verdict is Verdict.PASSED, result.failure
    errors = {dissect(frame).cause for frame in frames} - {""}
    is_error = answer and "2001" not in answer
    assert any(answer[-4:] in cause for cause in errors) if is_error else not errors


@pytest.mark.parametrize("code", ["2002", "9" * 5000, "+5012", "5_012", "5012.0", '" 5012 "'])
def test_the_answer_of_a_failure_is_an_error(code: str) -> None:
    with pytest.raises(Exception, match=r"a Result-Code of an error|a whole number is expected"):
        Loader(Registry.installed()).load("f.yaml", REAL % (f", answer: {code}", "rejected", "rejected"))


@pytest.mark.parametrize(
    ("more", "said"),
    [("soon", "is no duration"), ("2 s, answer: 5012", "answers them by itself")],
)
def test_who_takes_requests_up_late_is_told_by_how_much_and_answers_by_itself(more: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        Loader(Registry.installed()).load("f.yaml", REAL % (f", after: {more}", "rejected", "rejected"))
