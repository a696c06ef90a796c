"""Alert service centre (TS 29.338 5.3.2.5, 6.2.3): a card that was away is back, or has room again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.smsc.procedures.delivery import hurry
from simwarden.wire.diameter import ExperimentalResult, ResultCode, first

if TYPE_CHECKING:
    from simulators.smsc.core import Core
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message


async def alert(core: Core, asked: Message, _peer: Peer) -> Message:
    """Try at once what waits for the card, which is named by its number, or without one by its IMSI."""
    user = asked.get("User-Identifier", ())
    card = core.store.numbered(first(user, "MSISDN", "")) or core.store.card(first(user, "User-Name", ""))
    if card is None:
        return core.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)
    hurry(core, imsi=card.imsi)
    return core.node.answer(asked, ResultCode.DIAMETER_SUCCESS)
