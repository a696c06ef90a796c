"""The basic call state models: what a call may meet, by any sequence of what happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.ssp.bcsm import O_BCSM, T_BCSM, Happening, Model, Pic, failure
from simwarden.wire.cap import EventType

ORIGINATING = {2, 3, 4, 5, 6, 7, 9, 10}
TERMINATING = {12, 13, 14, 15, 17, 18}


@pytest.mark.parametrize(("model", "points"), [(O_BCSM, ORIGINATING), (T_BCSM, TERMINATING)])
def test_detection_points_are_those_of_camel(model: Model, points: set[int]) -> None:
    met = {each.dp for each in model.transitions.values() if each.dp is not None}
    assert {int(each) for each in met} == points
    assert set(model.events) <= met


@given(model=st.sampled_from([O_BCSM, T_BCSM]), story=st.lists(st.sampled_from(list(Happening)), max_size=30))
def test_a_call_is_answered_once_and_ends_once_in_any_order_of_things(model: Model, story: list[Happening]) -> None:
    pic, answered, ended = model.start, 0, 0
    for each in story:
        transition = model.next(pic, each)
        if transition is None:
            continue
        if each in (Happening.SET_UP, Happening.REROUTED):
            answered = ended = 0
        dp = transition.dp
        answered += dp in (EventType.O_ANSWER, EventType.T_ANSWER)
        if dp in (EventType.O_DISCONNECT, EventType.T_DISCONNECT):
            assert pic is model.active
            ended += 1
        if dp in (EventType.O_ABANDON, EventType.T_ABANDON):
            assert pic is not model.active
        pic = transition.to
        assert answered <= 1
        assert ended <= answered
    assert isinstance(pic, Pic)


@pytest.mark.parametrize(
    ("cause", "what"),
    [
        (17, Happening.BUSY),
        (20, Happening.BUSY),
        (18, Happening.NO_ANSWER),
        (19, Happening.NO_ANSWER),
        (1, Happening.ROUTE_FAILED),
        (41, Happening.ROUTE_FAILED),
    ],
)
def test_causes_are_what_they_mean(cause: int, what: Happening) -> None:
    assert failure(cause) is what
