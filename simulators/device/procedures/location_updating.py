"""Registration of a 2G terminal at its MSC (TS 24.008 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.wire.dtap import MessageType, MmCause

if TYPE_CHECKING:
    from simulators.device.clients.card import CardData
    from simulators.device.contexts import Emm

#: after these a SIM is invalid until power-off (4.4.4.7)
INVALID: Final = frozenset({MmCause.IMSI_UNKNOWN_IN_HLR, MmCause.ILLEGAL_MS, MmCause.ILLEGAL_ME})


async def power_on(emm: Emm, card: CardData | None) -> str:
    """Register, if there is a card and the terminal may use it; without one it can call for help only."""
    emm.cs.invalid = False
    if card is None:
        await emm.cs.listen()
        emm.observe("location_update", "no-card")
        return "no-card"
    return await update(emm)


async def update(emm: Emm) -> str:
    """Update the location: `accepted`, `rejected`, `no-answer`, or what holds it back."""
    word = await _update(emm)
    emm.observe("location_update", word)
    return word


async def _update(emm: Emm) -> str:
    if holding_back := _holding_back(emm):
        return holding_back
    if not await emm.cs.listen():
        return "no-cell"
    answer = await emm.cs.update_location()
    if answer is None:
        return "no-answer"
    if answer.type is MessageType.LOCATION_UPDATING_ACCEPT:
        emm.cs.area = answer["location_area_identification"]
        emm.observe("mm_cause", None)
        return "accepted"
    cause = answer["mm_cause"]
    emm.cs.area = None
    emm.cs.invalid = cause in INVALID
    emm.observe("mm_cause", cause)
    return "rejected"


def _holding_back(emm: Emm) -> str:
    if emm.interlocked:
        return "interlocked"
    if emm.card is None:
        return "no-card"
    return "usim-invalid" if emm.cs.invalid and emm.honours_rejects else ""
