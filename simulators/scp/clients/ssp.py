"""What is ordered of an SSP in the dialogue of a call."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from simulators.scp.call import Call, State
from simwarden.wire import cap
from simwarden.wire.cap import EventType as E
from simwarden.wire.cap import MonitorMode as M
from simwarden.wire.tcap import ReturnError

if TYPE_CHECKING:
    from simulators.scp.causes import Refusal
    from simulators.scp.core import Core
    from simwarden.wire.cap import Phase
    from simwarden.wire.tcap.user import Operation

Order: TypeAlias = "tuple[Operation, Any]"

_EVENTS: Final = {
    True: (
        *((each, cap.LEG_2, M.NOTIFY_AND_CONTINUE) for each in (E.ROUTE_SELECT_FAILURE, E.O_CALLED_PARTY_BUSY)),
        *((each, cap.LEG_2, M.NOTIFY_AND_CONTINUE) for each in (E.O_NO_ANSWER, E.O_ANSWER)),
        *((E.O_DISCONNECT, leg, M.INTERRUPTED) for leg in (cap.LEG_1, cap.LEG_2)),
        (E.O_ABANDON, cap.LEG_1, M.NOTIFY_AND_CONTINUE),
    ),
    False: (
        *((each, cap.LEG_2, M.NOTIFY_AND_CONTINUE) for each in (E.T_BUSY, E.T_NO_ANSWER, E.T_ANSWER)),
        *((E.T_DISCONNECT, leg, M.INTERRUPTED) for leg in (cap.LEG_1, cap.LEG_2)),
        (E.T_ABANDON, cap.LEG_1, M.NOTIFY_AND_CONTINUE),
    ),
}
"""The events of an originating BCSM and of a terminating one: whose each is, and whether the call waits at it."""
_MODES: Final = {outgoing: {event: mode for event, _, mode in events} for outgoing, events in _EVENTS.items()}
_REQUESTS: Final = {
    outgoing: cap.RequestReportBCSMEvent(
        tuple(cap.BcsmEvent(event, mode, cap.Leg(sending_side=leg)) for event, leg, mode in events)
    )
    for outgoing, events in _EVENTS.items()
}


@lru_cache(1 << 12)
def _encoded(operation: Operation, argument: Any, phase: Phase) -> bytes:
    """Return the octets of an argument: most calls are told the same."""
    return cap.encode(operation, argument, phase)


def arm(call: Call) -> Order:
    """Return the order to tell of all that happens to a call: at its end it waits, so that the dialogue lasts as long.

    See TS 29.078 11.23, TS 23.078 4.3.1.
    """
    call.armed = _MODES[call.direction.outgoing]
    return cap.REQUEST_REPORT_BCSM_EVENT, _REQUESTS[call.direction.outgoing]


def alive(core: Core, call: Call) -> bool:
    """Whether the dialogue of a call is still there."""
    return core.user.tc.state(call.dialogue) is not None


def order(core: Core, call: Call, *orders: Order, end: bool = False) -> None:
    """Order something, all in one message; `end` is the last word of the dialogue."""
    if not alive(core, call):
        return
    for operation, argument in orders:
        octets = _encoded(operation, argument, call.phase)
        invoke_id = core.user.tc.invoke(call.dialogue, operation, octets, core.clock.now())
        call.asked[invoke_id] = operation
    (core.user.tc.end if end else core.user.tc.proceed)(call.dialogue)
    core.user.flush()
    if end:
        core.forget(call)


def refuse(core: Core, dialogue: int, refusal: Refusal) -> None:
    """Refuse a call of which nothing is known."""
    octets = _encoded(cap.RELEASE_CALL, cap.ReleaseCall(refusal.cause), cap.Phase.TWO)  # it is the same in all
    core.user.tc.invoke(dialogue, cap.RELEASE_CALL, octets, core.clock.now())
    core.user.tc.end(dialogue)
    core.user.flush()


def release(core: Core, call: Call, refusal: Refusal) -> None:
    """Have a call ended, now. What it has used is told before the dialogue ends, if it was given time."""
    if call.ends:
        return
    call.state = State.RELEASED
    core.show(call)
    order(core, call, (cap.RELEASE_CALL, cap.ReleaseCall(refusal.cause)), end=call.grant is None)


def answer_error(core: Core, call: Call, invoke_id: int, error: cap.ErrorCode) -> None:
    """Answer an operation of the SSP's by an error."""
    if alive(core, call):
        core.user.tc.answer(call.dialogue, ReturnError(invoke_id, error))
        core.user.tc.proceed(call.dialogue)
        core.user.flush()


def give_up(core: Core, call: Call) -> None:
    """Abort the dialogue of a call whose SSP does not answer; who still has the call handles it by default."""
    core.user.tc.abort(call.dialogue)
    core.user.flush()
    core.forget(call)


def test_activity(core: Core, call: Call) -> None:
    """Ask from time to time whether the SSP still has the call (TS 29.078 11.1; it aborts a dialogue it does not)."""

    def due() -> None:
        order(core, call, (cap.ACTIVITY_TEST, None))
        test_activity(core, call)

    call.test = core.clock.keep_alive(core.config.activity_test, due, internal=True)
