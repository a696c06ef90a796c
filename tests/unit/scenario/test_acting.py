"""What steps do to elements that do not run, and what such elements still show; steps that do nothing; rhythms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simwarden.scenario.failure import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

Play = Callable[..., ScenarioResult]
ON = "- insert: {card: card, into: meter}\n- power_on: meter\n  expect: accepted\n"
REBIND = "- manage: {element: gate, put: '/cards/{card.imsi}/binding', body: {imei: meter.imei}}\n"
EMPTY = """\
scenario: A meter with a card
cards:
  card: {profile: meter, binding: {by: hss, learn: first-use}}
devices:
  meter: {type: module}
"""
ATTACHED = """\
steps:
  - insert: {card: card, into: meter}
    expect: inserted
  - power_on: meter
    expect: accepted
"""


def told(result: ScenarioResult) -> str:
    return text_of(result.failure) if result.failure is not None else ""


def story(steps: str, head: str = EMPTY) -> ScenarioResult:
    return run_scenario(Loader().load("story.yaml", head + ATTACHED + steps), "story", RunOptions())


@pytest.mark.parametrize("how", ["kill", "stop"])
@pytest.mark.parametrize(("expected", "verdict"), [("no-answer", "passed"), ("200", "failed")])
def test_an_element_that_does_not_run_answers_no_call(play: Play, how: str, expected: str, verdict: str) -> None:
    result = play(f"- {how}: gate\n{REBIND}  expect: {expected}\n")
    assert (result.verdict.value, "got   no-answer" in told(result)) == (verdict, verdict == "failed")


def test_a_call_that_nobody_answers_ends_a_story_that_expects_no_word_of_it(play: Play) -> None:
    for more in ("", "  expect: {gate: {binding: none}}\n"):
        result = play(f"- kill: gate\n{REBIND}{more}")
        assert result.verdict is Verdict.FAILED
        assert "gate does not run (status 503)" in told(result)


def test_what_a_dead_element_was_told_is_not_so_when_it_is_back() -> None:
    dead = "  - kill: hss\n  - suspend: {card: card, how: withdrawal}\n    expect: no-answer\n  - start: hss\n"
    assert story(f"{dead}  - expect: {{hss: {{subscription: none}}, meter: {{attach: accepted}}}}\n").failure is None
    assert story(dead.replace("no-answer", "suspended")).verdict is Verdict.FAILED


def test_what_an_element_showed_is_gone_with_it_unless_it_is_kept(play: Play) -> None:
    bound = f"{ON}- expect: {{gate: {{open: yes, binding: {{card: card}}}}}}\n"
    assert not told(play(f"{bound}- kill: gate\n- expect: {{gate: {{open: none, binding: {{card: card}}}}}}\n"))
    assert not told(play(f"{bound}- stop: gate\n- expect: {{gate: {{open: no, binding: {{card: card}}}}}}\n"))
    assert play(f"{bound}- kill: gate\n- expect: {{gate: {{open: yes}}}}\n").verdict is Verdict.FAILED
    assert not told(play(f"{bound}- restart: gate\n- expect: {{gate: {{open: yes, binding: {{card: card}}}}}}\n"))


def test_a_terminal_that_lost_its_power_has_no_connection_of_its_former_life() -> None:
    head = EMPTY.replace("meter, binding", "meter, subscription: {apns: [{name: iot}, {name: alarms}]}, binding")
    again = """\
  - connect: {device: meter, apn: alarms}
    expect: accepted
  - kill: meter
  - move: {card: card, to: meter}
  - power_on: meter
    expect: accepted
  - expect: {pgw: {session: {card: card, apn: iot}}, meter: {connection: %s}}
"""
    assert story(again % "none", head).failure is None
    assert story(again % "{apn: alarms}", head).verdict is Verdict.FAILED


def test_a_terminal_that_somebody_switches_on_again_can_lose_its_power_again() -> None:
    again = "  - kill: meter\n  - move: {card: card, to: meter}\n  - power_on: meter\n    expect: accepted\n"
    assert story(f"{again}  - kill: meter\n  - expect: {{meter: {{attach: off, power: off}}}}\n").failure is None


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("- start: gate\n", "start: gate runs already"),
        ("- mend: gate\n", "mend: gate does not fail"),
        ("- kill: gate\n- kill: gate\n", "kill: gate does not run"),
        ("- stop: gate\n- stop: gate\n", "stop: gate does not run"),
        ("- kill: gate\n- restart: gate\n", "restart: gate does not run"),
    ],
)
def test_a_step_that_does_nothing_is_an_error(play: Play, steps: str, said: str) -> None:
    result = play(steps)
    assert result.verdict is Verdict.FAILED
    assert f"story.yaml:{7 + len(steps.splitlines())}:" in told(result)
    assert said in told(result)


def test_what_fails_is_mended_once() -> None:
    for fails in ("hss", "{element: mme, database: down}"):
        name = "mme" if "mme" in fails else "hss"
        assert (
            story(f"  - fail: {fails}\n  - mend: {name}\n  - expect: {{meter: {{attach: accepted}}}}\n").failure is None
        )
        assert f"mend: {name} does not fail" in told(story(f"  - fail: {fails}\n  - mend: {name}\n  - mend: {name}\n"))


def test_a_call_that_is_refused_in_a_rhythm_fails_the_story() -> None:
    beat = "  - manage: {element: hss, get: '/cards/001019999999999'}\n    every: 10 s\n  - wait: 1 min\n"
    for more in ("", "    expect: {meter: {attach: accepted}}\n"):
        result = story(beat + more)
        assert result.verdict is Verdict.FAILED
        assert "what goes on beside the steps: GET /cards/001019999999999" in told(result)
        assert "404 Not Found" in told(result)


def test_the_outcome_of_a_rhythm_is_none_that_its_step_could_expect(errors: Any) -> None:
    said = errors("- power_on: meter\n  every: 10 s\n  expect: accepted\n")
    hint = "expect what it leads to, in a step of its own"
    assert said == [f"story.yaml:10:11: power_on has no outcome by the end of its step ({hint})"]


def test_the_outcome_of_several_is_what_all_came_to_or_what_each_did() -> None:
    tau = "  - together: [{tau: meter}, {wait: 1 s}]\n    expect: accepted\n"
    assert story(tau).failure is None
    other = tau.replace("{wait: 1 s}", "{manage: {element: hss, get: '/cards/{card.imsi}'}}")
    result = story(other)
    assert result.verdict is Verdict.FAILED
    assert "got   tau of meter accepted, GET /cards/001010000000001 at hss 200 OK" in told(result)
