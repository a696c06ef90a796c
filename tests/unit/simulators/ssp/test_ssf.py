"""The gsmSSF: what may be ordered when, under any sequence of orders and events."""

from __future__ import annotations

from typing import Any

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
