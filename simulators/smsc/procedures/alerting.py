"""Alert service centre (TS 29.338 5.3.2.5, 6.2.3): a card that was away is back, or has room again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.smsc.procedures.delivery import hurry
from simulators.smsc.procedures.user_identifier import find_card
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode

if TYPE_CHECKING:
    from simulators.smsc.core import Core
    from simwarden.runtime.diameter import Peer


async def alert(core: Core, asked: Message, _peer: Peer) -> Message:
    """Retry what waits for the card, which is named by its number, its IMSI, or both."""
    card = find_card(core, asked)
    if isinstance(card, Message):
        return card
    if card is None:
        return core.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)
    hurry(core, imsi=card.imsi)
    return core.node.answer(asked, ResultCode.DIAMETER_SUCCESS)
