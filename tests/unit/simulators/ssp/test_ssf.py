"""The gsmSSF: what may be ordered when, under any sequence of orders and events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.ssp.bcsm import O_BCSM, T_BCSM, Model
from simulators.ssp.ssf import ALLOWED, Release, Ssf, State
from simwarden.wire import cap
from simwarden.wire.cap import ErrorCode, EventType, MonitorMode, Phase
from simwarden.wire.isup import Number
from simwarden.wire.q850 import Cause

CAUSE = Cause(21, 2)
ORDERS: list[tuple[Any, Any]] = [
    (cap.CONTINUE, None),
    (cap.CONTINUE_WITH_ARGUMENT, cap.ContinueWithArgument()),
    (cap.CONNECT, cap.Connect((Number("861"),))),
    (cap.RELEASE_CALL, cap.ReleaseCall(CAUSE)),
    (cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(10, release_if_duration_exceeded=True))),
    (cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(none=True))),
    (cap.DISCONNECT_FORWARD_CONNECTION, None),
    (cap.PLAY_ANNOUNCEMENT, cap.PlayAnnouncement(cap.Information(tone=cap.Tone(1)))),
    (cap.CANCEL, cap.Cancel(all_requests=True)),
    (cap.CANCEL, cap.Cancel(invoke_id=1)),
    *(
        (cap.REQUEST_REPORT_BCSM_EVENT, cap.RequestReportBCSMEvent((cap.BcsmEvent(event, mode),)))
        for event in EventType
        for mode in MonitorMode
    ),
]
_STEPS = st.one_of(
    st.sampled_from(ORDERS),
    st.tuples(st.sampled_from([*O_BCSM.events, *T_BCSM.events]), st.sampled_from([1, 2])),
    st.just("expire"),
)


@given(model=st.sampled_from([O_BCSM, T_BCSM]), steps=st.lists(_STEPS, max_size=25))
def test_only_what_is_armed_is_reported_and_only_what_is_allowed_is_done(model: Model, steps: list[Any]) -> None:
    ssf = Ssf(model, Phase.FOUR)
    ssf.trigger(EventType.COLLECTED_INFO if model is O_BCSM else EventType.TERM_ATTEMPT_AUTHORIZED)
    for now, step in enumerate(steps):
        before, armed, reports = ssf.state, dict(ssf.armed), len(ssf.reports)
        if step == "expire":
            ssf.expire(CAUSE)
        elif isinstance(step[0], EventType):
            waits = ssf.meet(step[0], step[1], None, float(now))
            events = [each for each in ssf.reports[reports:] if each.operation is cap.EVENT_REPORT_BCSM]
            assert bool(events) is (step in armed)
            assert waits is (armed.get(step) is MonitorMode.INTERRUPTED)
            assert step not in ssf.armed
        else:
            operation, argument = step
            error = ssf.order(operation, argument, 1, float(now))
            if before not in ALLOWED[operation.opcode]:
                assert error is ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
                assert (ssf.state, ssf.armed) == (before, armed)
        assert {each for each, _ in ssf.armed} <= set(model.events)
        if any(isinstance(each, Release) for each in ssf.orders):
            assert not ssf.armed
            return


def test_charging_is_reported_once_and_in_all() -> None:
    ssf = Ssf(O_BCSM, Phase.FOUR)
    ssf.trigger(EventType.COLLECTED_INFO)
    grant = cap.ApplyCharging(cap.TimeCharging(600))
    assert ssf.order(cap.APPLY_CHARGING, grant, 1, 0.0) is None
    assert ssf.order(cap.APPLY_CHARGING, grant, 2, 0.0) is ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
    ssf.order(cap.CONTINUE, None, 3, 0.0)
    assert ssf.deadline() is None
    ssf.meet(EventType.O_ANSWER, 2, None, 5.0)
    assert ssf.deadline() == 65.0
    ssf.expire(CAUSE)
    assert ssf.order(cap.APPLY_CHARGING, grant, 4, 65.0) is None
    assert ssf.deadline() == 125.0
    ssf.over(70.5)
    assert [each.argument.result.time for each in ssf.reports] == [600, 655]
    assert ssf.state is State.IDLE


def asked(phase: Phase = Phase.FOUR) -> Ssf:
    """Return a gsmSSF of an originating half that waits for its first orders."""
    ssf = Ssf(O_BCSM, phase)
    ssf.trigger(EventType.COLLECTED_INFO)
    return ssf


def armed(ssf: Ssf, event: EventType, mode: MonitorMode, **more: Any) -> ErrorCode | None:
    """Arm one event."""
    order = cap.RequestReportBCSMEvent((cap.BcsmEvent(event, mode, **more),))
    return ssf.order(cap.REQUEST_REPORT_BCSM_EVENT, order, 1, 0.0)


@pytest.mark.parametrize(
    ("operation", "argument", "error"),
    [
        (cap.RELEASE_CALL, cap.ReleaseCall(), ErrorCode.MISSING_PARAMETER),
        (cap.CANCEL, cap.Cancel(), ErrorCode.CANCEL_FAILED),
        (cap.ACTIVITY_TEST, None, ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE),
        (cap.INITIAL_DP, cap.InitialDP(1), ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE),
    ],
)
def test_what_is_no_order(operation: Any, argument: Any, error: ErrorCode) -> None:
    for interacts in (False, True):
        ssf = asked()
        if interacts:
            ssf.order(cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(none=True)), 1, 0.0)
        before = list(ssf.orders)
        assert ssf.order(operation, argument, 2, 0.0) is error
        assert ssf.orders == before


@pytest.mark.parametrize(
    ("event", "leg", "legs"),
    [
        (EventType.O_DISCONNECT, None, {1, 2}),
        (EventType.O_DISCONNECT, cap.Leg(sending_side=1), {1}),
        (EventType.O_DISCONNECT, cap.Leg(receiving_side=1), {1, 2}),
        (EventType.O_ABANDON, None, {1}),
        (EventType.O_ANSWER, None, {2}),
    ],
)
def test_whose_events_are_armed(event: EventType, leg: cap.Leg | None, legs: set[int]) -> None:
    ssf = asked()
    assert armed(ssf, event, MonitorMode.NOTIFY_AND_CONTINUE, leg=leg) is None
    assert set(ssf.armed) == {(event, each) for each in legs}


def test_how_long_somebody_rings_is_said_where_it_is_said() -> None:
    ssf = asked()
    for criteria, seconds in ((None, None), (cap.Criteria(), None), (cap.Criteria(12), 12), (cap.Criteria(), 12)):
        assert armed(ssf, EventType.O_NO_ANSWER, MonitorMode.INTERRUPTED, criteria=criteria) is None
        assert ssf.no_answer == seconds


def test_time_is_told_before_the_event_and_counted_from_the_answer_whoever_waits_there() -> None:
    ssf = asked()
    for event in (EventType.O_ANSWER, EventType.O_DISCONNECT):
        armed(ssf, event, MonitorMode.INTERRUPTED)
    ssf.order(cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(100)), 2, 0.0)
    ssf.order(cap.CONTINUE, None, 3, 0.0)
    assert ssf.meet(EventType.O_ANSWER, 2, None, 5.0)
    assert (ssf.state, ssf.deadline(), ssf.controlled) == (State.WAITING_FOR_INSTRUCTIONS, 15.0, True)
    ssf.order(cap.CONTINUE, None, 4, 7.0)
    assert ssf.meet(EventType.O_DISCONNECT, 2, None, 12.34)
    told = [each.operation for each in ssf.reports]
    assert told == [cap.EVENT_REPORT_BCSM, cap.APPLY_CHARGING_REPORT, cap.EVENT_REPORT_BCSM]
    assert ssf.reports[1].argument.result == cap.CallResult(1, 73, leg_active=False)
    assert ssf.deadline() is None
    assert ssf.order(cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(100)), 5, 13.0) is None
    assert ssf.deadline() is None  # whoever is called then has not answered


def test_a_call_is_not_longer_than_its_time() -> None:
    ssf = asked()
    ssf.order(cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(100, release_if_duration_exceeded=True)), 2, 0.0)
    ssf.order(cap.CONTINUE, None, 3, 0.0)
    ssf.meet(EventType.O_ANSWER, 2, None, 5.0)
    ssf.over(60.0)
    ssf.expire(CAUSE)  # it was told of already
    (report,) = ssf.reports
    assert report.argument.result == cap.CallResult(1, 100, leg_active=False)
    assert (ssf.orders[1:], ssf.controlled) == ([], False)


def test_all_that_was_asked_is_forgotten_and_told_whether_the_call_goes_on() -> None:
    for answered in (False, True):
        ssf = asked()
        armed(ssf, EventType.O_DISCONNECT, MonitorMode.INTERRUPTED)
        ssf.order(cap.APPLY_CHARGING, cap.ApplyCharging(cap.TimeCharging(100)), 2, 0.0)
        ssf.order(cap.CONTINUE, None, 3, 0.0)
        if answered:
            ssf.meet(EventType.O_ANSWER, 2, None, 5.0)
        assert ssf.order(cap.CANCEL, cap.Cancel(all_requests=True), 4, 8.0) is None
        assert ssf.reports[0].argument.result == cap.CallResult(1, 30 if answered else 0, leg_active=answered)
        assert (ssf.armed, ssf.controlled, ssf.state) == ({}, False, State.MONITORING)


@pytest.mark.parametrize("told", [True, False])
def test_what_ends_while_orders_are_awaited_is_over_where_that_is_told(*, told: bool) -> None:
    ssf = asked()
    armed(ssf, EventType.O_CALLED_PARTY_BUSY, MonitorMode.INTERRUPTED)
    armed(ssf, EventType.O_ABANDON, MonitorMode.NOTIFY_AND_CONTINUE if told else MonitorMode.TRANSPARENT)
    ssf.order(cap.CONTINUE, None, 3, 0.0)
    ssf.meet(EventType.O_CALLED_PARTY_BUSY, 2, None, 5.0)
    ssf.reports.clear()
    assert not ssf.meet(EventType.O_ABANDON, 1, None, 6.0)
    ssf.over(6.0)
    assert ssf.state is (State.IDLE if told else State.WAITING_FOR_INSTRUCTIONS)
