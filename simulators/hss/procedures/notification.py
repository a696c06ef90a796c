"""Notification (TS 29.272 5.2.5.1): an MME reports, among other things, that a card is in another terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.hss.controls import Occasion
from simulators.hss.procedures.location import cancel_location, register, withdraw
from simulators.hss.procedures.short_message import alert
from simulators.hss.subscriber import Due
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode
from simwarden.wire.diameter.codes import NorFlags
from simwarden.wire.diameter.terminal import terminal_of

if TYPE_CHECKING:
    from simulators.hss.core import Core
    from simwarden.runtime.diameter import Peer


async def notify(core: Core, message: Message, _peer: Peer) -> Message:
    """Answer a NOR (5.2.5.1.3).

    The procedure has no refusal for a terminal: it is answered with success, and a terminal that the card is not
    bound to is ended by a Cancel-Location-Request which follows.
    """
    subscriber = core.find(message, Occasion.NOTIFICATION)
    if isinstance(subscriber, Message):
        return subscriber
    if subscriber.mme != message.get("Origin-Host"):
        return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_UNKNOWN_SERVING_NODE)
    seen = terminal_of(message)
    if seen:
        decision = register(core, subscriber, message, seen, subscriber.plmn, occasion=Occasion.NOTIFICATION)
        if decision is not None and not decision.admitted:
            mismatch = core.mismatch(subscriber, decision, "notify-request")
            notices = withdraw(core, (subscriber,), (mismatch,), due=Due.WITHDRAWAL)
            core.site.spawn(cancel_location(core, *notices), "cancel location")
    if message.get("NOR-Flags", 0) & NorFlags.REMOVAL_OF_MME_REGISTRATION_FOR_SMS:
        core.store.change(subscriber, sms_number="")
    if message.get("NOR-Flags", 0) & NorFlags.READY_FOR_SM_FROM_MME:
        core.site.spawn(alert(core, subscriber), "alert service centres")
    return core.node.answer(message, ResultCode.DIAMETER_SUCCESS)
