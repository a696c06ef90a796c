"""A call that was let through: what its SSP tells of it (TS 23.078 4.5.7, TS 29.078 11.5, 11.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.scp import causes, controls
from simulators.scp.call import State
from simulators.scp.clients.ssp import answer_error, order, release
from simulators.scp.procedures import apply_charging
from simulators.scp.procedures.admission import refusal_now
from simwarden.wire import cap
from simwarden.wire.cap import EventMode, EventType, MonitorMode

if TYPE_CHECKING:
    from simulators.scp.call import Call, Heard
    from simulators.scp.core import Core
    from simwarden.wire.cap import ApplyChargingReport, EventReportBCSM

_ANSWERS: Final = frozenset({EventType.O_ANSWER, EventType.T_ANSWER})


async def monitor(core: Core, call: Call) -> None:
    """Take what is told of a call until it is over."""
    while (heard := await call.inbox.get()) is not None:
        if heard.operation is cap.APPLY_CHARGING_REPORT:
            await _report(core, call, heard)
        elif heard.operation is cap.EVENT_REPORT_BCSM:
            _event(core, call, heard.argument)
        else:  # an order was not carried out, or something is told that was not asked for
            release(core, call, causes.TEMPORARY)
        if call.ends and call.grant is None:
            order(core, call, end=True)


async def _report(core: Core, call: Call, heard: Heard) -> None:
    """Take the time of a call (ApplyChargingReport), and give it more if it goes on and may."""
    told: ApplyChargingReport = heard.argument
    if not apply_charging.report(core, call, told.result):
        answer_error(core, call, heard.invoke_id, cap.ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE)
        release(core, call, causes.TEMPORARY)
        return
    if call.ends or not told.result.leg_active or told.result.released_at_expiry:
        return
    more = refusal_now(core, call, controls.REPORT) or await apply_charging.give_time(core, call)
    if isinstance(more, causes.Refusal):
        release(core, call, more)
    else:
        order(core, call, more)


def _event(core: Core, call: Call, told: EventReportBCSM) -> None:
    """Take an event: it must be one that was armed, and as it was armed; else nobody knows what the SSP does."""
    event, mode = told.event_type_bcsm, call.armed.get(told.event_type_bcsm)
    waits = told.misc_call_info.mode is EventMode.REQUEST
    if call.ends:
        return
    if mode is None or waits is not (mode is MonitorMode.INTERRUPTED):
        core.site.note(f"{event.name} was not to be told so", imsi=call.card.imsi)
        release(core, call, causes.TEMPORARY)
    elif event in _ANSWERS:
        call.state = State.ANSWERED
        core.show(call)
    else:
        call.state = State.OVER
        if waits:
            order(core, call, (cap.CONTINUE, None), end=call.grant is None)
