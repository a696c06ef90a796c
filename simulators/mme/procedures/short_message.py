"""Short messages in the MME (TS 23.272 C.5, TS 29.338 6.2): CP and RP of devices end here, SGd leads on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.mme.clients import nas_channel
from simulators.mme.clients.service_centre import forward
from simulators.mme.contexts import EmmState, SmsState
from simulators.mme.controls import SMS_CENTRE, SMS_REGISTERED, Occasion
from simulators.mme.procedures.paging import page
from simwarden.errors import PeerError
from simwarden.machine.ppsms import Answered, acknowledge, refuse
from simwarden.runtime.ppsms import ShortMessageLink
from simwarden.wire.diameter import ExperimentalResult, ResultCode
from simwarden.wire.diameter.apps.sgd import DeliveryFailureCause
from simwarden.wire.diameter.codes import AlertReason
from simwarden.wire.nas.enums import MessageType
from simwarden.wire.nas.message import Message
from simwarden.wire.ppsms import Rp, RpCause, RpType
from simwarden.wire.sms import Address, Ton

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from simulators.mme.contexts import Connection, UeContext
    from simulators.mme.core import Core
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Avps
    from simwarden.wire.diameter import Message as Diameter

#: Absent-User-Diagnostic-SM (TS 23.040 3.3.2, table 1a): no paging response via the MSC, whose place the MME has, and
#: IMSI detached
_NO_PAGING_RESPONSE, _DETACHED = 0, 1


# -- what devices send


def uplink(core: Core, _conn: Connection, ue: UeContext, message: Message) -> None:
    """UPLINK NAS TRANSPORT (TS 24.301 5.6.3.3)."""
    link(core, ue).receive(message["nas_message_container"])


def link(core: Core, ue: UeContext) -> ShortMessageLink:
    """Return CP and RP of a device, which begin when they are needed."""
    if ue.short_messages is None:
        ue.short_messages = ShortMessageLink(
            core.clock,
            mobile=False,
            send=lambda octets: _send(ue, octets),
            take=lambda transaction, message: _take(core, ue, transaction, message),
            fault=lambda reason, octets: _fault(core, ue, reason, octets),
            timers=core.config.sms.timers,
        )
    return ue.short_messages


def _send(ue: UeContext, octets: bytes) -> None:
    if ue.connection is not None:
        nas_channel.send(ue.connection, Message(MessageType.DOWNLINK_NAS_TRANSPORT, nas_message_container=octets))


def _fault(core: Core, ue: UeContext, reason: str, octets: bytes) -> None:
    assert ue.connection is not None  # noqa: S101 - they have just come by it
    core.site.peer_fault(ue.connection.enb.link, reason, octets)


def _take(core: Core, ue: UeContext, transaction: int, message: Rp) -> None:
    core.site.spawn(_serve(core, ue, transaction, message), "short message")


async def _serve(core: Core, ue: UeContext, transaction: int, message: Rp) -> None:
    if message.type is RpType.RP_SMMA:
        answer = await _memory_available(core, ue, message)
    else:
        answer = await _mobile_originated(core, ue, message)
    try:
        link(core, ue).answer(transaction, answer)
    except ValueError as error:  # the centre's report is longer than RP can carry
        core.site.note(f"the report of the centre is left out: {error}", imsi=ue.imsi)
        link(core, ue).answer(transaction, replace(answer, user_data=None))


async def _mobile_originated(core: Core, ue: UeContext, message: Rp) -> Rp:
    """Pass a device's message on to the dedicated centre, or say by the RP cause why not (TS 24.011 Annex E-2)."""
    registered = ue.sms is SmsState.REGISTERED
    if not core.site.decide(SMS_REGISTERED, ue.imsi, on=Occasion.MO_SMS, opened=registered).admitted:
        return refuse(message, RpCause.REQUESTED_FACILITY_NOT_SUBSCRIBED)
    centre, tpdu = message.destination, message.user_data
    assert centre is not None  # noqa: S101 - RP-DATA is read with both
    assert tpdu is not None  # noqa: S101 - as above
    facts = {"address": str(centre), "centres": core.home.centres}
    if not core.site.decide(SMS_CENTRE, ue.imsi, on=Occasion.MO_SMS, **facts).admitted:
        return refuse(message, RpCause.CALL_BARRED)
    outcome = await forward(core.home, core.config, ue, centre, tpdu)
    if outcome.cause is None:
        return acknowledge(message, outcome.report)
    core.site.note(f"the message was not taken: {outcome.reason}", imsi=ue.imsi)
    return refuse(message, outcome.cause, outcome.report)


async def _memory_available(core: Core, ue: UeContext, message: Rp) -> Rp:
    """RP-SMMA (TS 24.011 6.3.2): the HSS alerts the centres that wait for room in the device."""
    if await core.home.ready_for_messages(ue.imsi, AlertReason.UE_MEMORY_AVAILABLE):
        return acknowledge(message)
    return refuse(message, RpCause.NETWORK_OUT_OF_ORDER)


# -- what centres send


async def mt_forward(core: Core, asked: Diameter, peer: Peer) -> Diameter:
    """MT forward short message (TS 29.338 6.2.2): to a device that is registered here, by a dedicated centre only.

    An agent says in Route-Record from whom it has the request (RFC 6733 6.1.9); whose name it is in says the asker.
    """
    imsi, host = asked.get("User-Name"), asked.get("Origin-Host")
    facts: dict[str, Any] = {"address": f"+{asked.get('SC-Address')}", "centres": core.home.centres, "host": host}
    facts["way"] = (*asked.all("Route-Record"), peer.host)
    facts["agents"] = core.home.agents_of(host)
    if not core.site.decide(SMS_CENTRE, imsi, on=Occasion.MT_SMS, **facts).admitted:
        return core.home.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED)
    contexts = core.contexts(imsi)
    if not contexts:
        return core.home.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)
    ue = contexts[0]
    if ue.state is not EmmState.REGISTERED:  # or not yet: an alert may come before the attach is over
        return _absent(core, asked, _DETACHED, *contexts)
    if ue.sms is not SmsState.REGISTERED:
        return core.home.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_FACILITY_NOT_SUPPORTED)
    if not await _reach(core, ue):
        return _absent(core, asked, _NO_PAGING_RESPONSE, ue)
    return await _deliver(core, asked, ue)


async def _reach(core: Core, ue: UeContext) -> bool:
    """Have a device's signalling stand: an idle one is paged, and its service request awaited."""
    await page(core, ue)
    if ue.connection is not None and ue.connection.procedure is not None:
        await asyncio.wait({ue.connection.procedure})
    return ue.connection is not None and ue.state is EmmState.REGISTERED


async def _deliver(core: Core, asked: Diameter, ue: UeContext) -> Diameter:
    centre = Address(asked.get("SC-Address"), Ton.INTERNATIONAL)
    tpdu = asked.get("SM-RP-UI")

    def message(reference: int) -> Rp:
        return Rp(RpType.RP_DATA, reference, from_mobile=False, originator=centre, user_data=tpdu)

    try:
        heard = await link(core, ue).ask(message)
    except ValueError as error:  # a TPDU that RP cannot carry
        raise PeerError(str(error)) from None
    return _told(core, asked, ue, heard)


def _told(core: Core, asked: Diameter, ue: UeContext, heard: Answered) -> Diameter:
    """Turn a device's answer, or that there was none, into the answer to the centre."""
    answer = heard.answer
    if answer is not None and answer.type is RpType.RP_ACK:
        report: Avps = [("SM-RP-UI", answer.user_data)] if answer.user_data is not None else []
        return core.home.node.answer(asked, ResultCode.DIAMETER_SUCCESS, report)
    if answer is None and ue.connection is None:
        return _absent(core, asked, _NO_PAGING_RESPONSE, ue)
    full = answer is not None and answer.cause == RpCause.MEMORY_CAPACITY_EXCEEDED
    cause = DeliveryFailureCause.MEMORY_CAPACITY_EXCEEDED if full else DeliveryFailureCause.EQUIPMENT_PROTOCOL_ERROR
    why: Avps = [("SM-Enumerated-Delivery-Failure-Cause", int(cause))]
    if answer is not None and answer.user_data is not None:
        why.append(("SM-Diagnostic-Info", answer.user_data))
    avps: Avps = [("SM-Delivery-Failure-Cause", why)]
    return core.home.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE, avps)


def _absent(core: Core, asked: Diameter, diagnostic: int, *contexts: UeContext) -> Diameter:
    """Say that a device is absent; the HSS hears when it is back (MNRF, TS 23.040 3.2.7)."""
    for each in contexts:
        each.messages_waiting = True
    avps: Avps = [("Absent-User-Diagnostic-SM", diagnostic)]
    return core.home.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_ABSENT_USER, avps)


def reached(core: Core, ue: UeContext) -> None:
    """Tell the HSS that a device is back for which messages wait (NOR, TS 29.272 5.2.5.1)."""
    if ue.messages_waiting and ue.state is EmmState.REGISTERED and ue.sms is SmsState.REGISTERED:
        ue.messages_waiting = False
        core.site.spawn(_tell_ready(core, ue), "ready for short messages")


async def _tell_ready(core: Core, ue: UeContext) -> None:
    if not await core.home.ready_for_messages(ue.imsi, AlertReason.UE_PRESENT):
        ue.messages_waiting = True


HANDLERS: Mapping[str, Callable[[Core, Diameter, Peer], Awaitable[Diameter]]] = {
    "mt-forward-short-message-request": mt_forward
}
"""What centres ask, by name."""
