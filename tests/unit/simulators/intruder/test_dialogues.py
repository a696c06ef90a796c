"""Dialogues of CAP between two intruders: what cannot be read there, and what cannot be said."""

from __future__ import annotations

import pytest

from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.result import ScenarioResult, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import Note

STORY = """\
scenario: An intruder answers another
network:
  scf:
    {type: intruder,
    signalling: {point_code: 146, number: 8613800000146, nodes: {rogue: {number: 8613800000028, point_code: 28}}}}
  rogue:
    {type: intruder,
    signalling: {point_code: 28, number: 8613800000028, routes: {scf: {routing_context: 28, point_codes: [146]}}}}
steps:
- answer_dialogues: {by: scf, answers: [[%s]]}
- begin_dialogue: {by: rogue, say: [{initial-dp: {service_key: 1}}]}
  expect: told
"""


def play(answer: str) -> ScenarioResult:
    return run_scenario(Loader().load("story.yaml", STORY % answer), "story", RunOptions())


def test_an_argument_that_cannot_be_read_is_noted() -> None:
    result = play('{connect: "3000"}')
    assert result.verdict is Verdict.PASSED, result.failure
    notes = [each.text for each in result.events if isinstance(each, Note) and each.element == "rogue"]
    assert any(each.startswith("CAP: a parameter that cannot be read") for each in notes), notes


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("5", "an operation with its argument, or one of begin, continue, end, abort, nothing is expected, not '5'"),
        ("{result: connect}", "result: the operation that it is `of` is expected, not 'connect'"),
        ("{reject: {}}", "reject: the operation that it is `of` is expected"),
        ("{error: {of: connect}}", "error: its code is expected, a number, not ''"),
        ("{error: {of: connect, code: x}}", "error: its code is expected, a number, not 'x'"),
    ],
)
def test_what_cannot_be_said_has_its_place(answer: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        play(answer)
    assert str(caught.value).startswith("story.yaml:10:")
    assert said in str(caught.value)


def test_an_answer_is_of_an_operation_of_cap() -> None:
    result = play("{reject: {of: conect}}")
    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert "no operation of CAP is called conect" in result.failure.summary
