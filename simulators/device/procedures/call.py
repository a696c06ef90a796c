"""Calls of a 2G terminal, as its user makes them (TS 24.008 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.device.clients.cs_call import Call
from simulators.device.procedures import location_updating
from simwarden.policy.calls import WORLDWIDE_EMERGENCY
from simwarden.wire.dtap import CmServiceType, MessageType, MmCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.device.contexts import Emm


#: additional emergency numbers of a terminal without a card (TS 22.101 10.1.1)
_WITHOUT_CARD: Final = frozenset({"000", "08", "110", "999", "118", "119"})


async def originate(emm: Emm, number: str, keys: Sequence[str], pause: float) -> str:
    """Call a number; rows of `keys` are dialled, one each time that some seconds have passed since a voice spoke.

    An emergency number that the terminal knows is dialled as an emergency call.
    """
    if number in WORLDWIDE_EMERGENCY or (emm.card is None and number in _WITHOUT_CARD):
        return await originate_emergency(emm)
    if emm.interlocked:
        return "interlocked"
    if emm.cs.area is None:
        return "not-registered"
    call = await _connection(emm, CmServiceType.MOBILE_ORIGINATING_CALL)
    if isinstance(call, str):
        return call
    rows = iter(keys)

    def dial() -> None:
        row = next(rows, "")
        if row and not call.is_settled:
            emm.site.spawn(_press(call, row), "dialling")
            emm.site.clock.call_later(pause, dial)

    call.on_progress = lambda: emm.site.clock.call_later(pause, dial)
    call.set_up(number)
    return await call.settled()


async def originate_emergency(emm: Emm) -> str:
    """Call for help, with a card or without."""
    if not await emm.cs.listen():
        return "no-cell"
    call = await _connection(emm, CmServiceType.EMERGENCY_CALL)
    if isinstance(call, str):
        return call
    call.set_up_emergency()
    return await call.settled()


async def ask_supplementary_service(emm: Emm) -> str:
    """Ask for a connection on which a forwarding would be registered (TS 24.010 3, TS 24.008 4.5.1)."""
    if emm.cs.area is None:
        return "not-registered"
    answer = await emm.cs.ask_service(CmServiceType.SUPPLEMENTARY_SERVICE)
    if answer is None:
        return "no-answer"
    if answer.type is MessageType.CM_SERVICE_REJECT:
        emm.observe("mm_cause", answer["mm_cause"])
        return "not-available"
    return "accepted"


async def _connection(emm: Emm, purpose: CmServiceType) -> Call | str:
    """Ask for a connection; return a call on it, or why there is none."""
    answer = await emm.cs.ask_service(purpose)
    if answer is None:
        return "no-answer"
    if answer.type is MessageType.CM_SERVICE_REJECT:
        cause = answer["mm_cause"]
        emm.observe("mm_cause", cause)
        if cause == MmCause.IMSI_UNKNOWN_IN_VLR:  # it registers anew (4.5.1.1)
            emm.cs.area = None
            emm.site.spawn(_register(emm), "location update")
        return "refused"
    emm.cs.call = Call(emm, emm.cs.send, 0, originating=True)
    return emm.cs.call


async def _register(emm: Emm) -> None:
    await location_updating.update(emm)


async def _press(call: Call, row: str) -> None:
    for key in row:
        if await call.press(key) != "accepted":
            return
