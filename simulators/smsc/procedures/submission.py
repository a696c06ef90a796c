"""Messages that come in: MO forward short message (TS 29.338 6.2.1), and submit_sm of gateways (SMPP 3.4 4.4).

What is acknowledged is kept before. A refusal is told in each layer's own cause (`causes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.smsc import causes, controls
from simulators.smsc.message import Direction, ShortMessage
from simulators.smsc.procedures.coding import address_of, content_of
from simulators.smsc.procedures.delivery import begin
from simwarden.errors import PeerError
from simwarden.policy.numbers import party
from simwarden.policy.short_messages import same_party
from simwarden.runtime.store import StoreError
from simwarden.wire.diameter import Message, ResultCode, first
from simwarden.wire.smpp import RECEIPT_ALWAYS, RECEIPT_ON_FAILURE, Status, Tag, parse_time
from simwarden.wire.sms import (
    Submit,
    SubmitReport,
    UserData,
    concatenation_of,
    decode,
    encode,
    encode_header,
    encode_user_data,
)

if TYPE_CHECKING:
    import datetime as dt

    from simulators.smsc.causes import Refusal
    from simulators.smsc.clients.gateway import GatewayLink
    from simulators.smsc.core import Core
    from simulators.smsc.store import CardList
    from simwarden.runtime.diameter import Peer
    from simwarden.wire import smpp
    from simwarden.wire.diameter import Avps
    from simwarden.wire.smpp import Pdu


# -- of cards


async def mo_forward(core: Core, asked: Message, _peer: Peer) -> Message:
    """Take a card's message for one of its platforms, or say why not."""
    number = first(asked.get("User-Identifier", ()), "MSISDN", "")
    card = core.store.numbered(number)
    try:
        tpdu = decode(asked.get("SM-RP-UI"), from_mobile=True)
    except PeerError as error:
        core.site.note(f"a TPDU that cannot be read: {error.reason}", imsi=card.imsi if card else "")
        return _refuse(core, asked, causes.UNREADABLE)
    if not isinstance(tpdu, Submit):
        return _refuse(core, asked, causes.UNREADABLE)
    if not same_party(f"+{asked.get('SC-Address')}", 0, (core.config.number,)):
        return _refuse(core, asked, causes.OTHER_CENTRE)
    refusal = _judge_mo(core, card, number, tpdu)
    if refusal is not None or card is None:
        return _refuse(core, asked, refusal or causes.NO_CARD)
    gateway = core.gateway_of(tpdu.destination.number, tpdu.destination.ton)
    message = _of_card(core, card, tpdu, gateway)
    try:
        core.store.add(message, month=core.month, parts=1)
    except StoreError as error:
        core.site.note(f"the message could not be kept: {error}", imsi=card.imsi)
        return _refuse(core, asked, causes.BUSY)
    begin(core, message)
    report: Avps = [("SM-RP-UI", encode(SubmitReport(time_stamp=core.clock.wall())))]
    return core.node.answer(asked, ResultCode.DIAMETER_SUCCESS, report)


def _judge_mo(core: Core, card: CardList | None, number: str, tpdu: Submit) -> Refusal | None:
    """Ask the rules about a card's message; parts of a long one are judged as the first was."""
    imsi = card.imsi if card is not None else ""
    if not core.site.decide(controls.NUMBER, imsi, on=controls.MO, number=number, ranges=core.ranges).admitted:
        return causes.NO_CARD
    to = tpdu.destination
    if not core.judge_list(card, to.number, to.ton, controls.MO).admitted:
        return causes.OFF if card is None or card.sms is None else causes.NOT_LISTED
    return _judge_parts(core, card, to.number, tpdu.user_data, controls.MO) if card is not None else causes.OFF


def _judge_parts(core: Core, card: CardList, number: str, data: UserData, on: str) -> Refusal | None:
    """Let the quota decide about a message, of a long one about all of its parts with the first that comes."""
    part = concatenation_of(data.header)
    if part is None:
        return None if core.judge_quota(card, 1, on).admitted else causes.USED_UP
    key = (card.imsi, f"{on}/{number}", part.reference, part.total)
    admitted = core.long.get(key)
    if admitted is None:
        admitted = core.judge_quota(card, part.total, on).admitted
        core.remember(key, admitted=admitted)
    return None if admitted else causes.USED_UP


def _of_card(core: Core, card: CardList, tpdu: Submit, gateway: str) -> ShortMessage:
    until = tpdu.validity.until(core.clock.wall()) if tpdu.validity is not None else None
    return ShortMessage(
        id=core.store.next_id(),
        direction=Direction.TO_GATEWAY,
        imsi=card.imsi,
        number=tpdu.destination.number,
        ton=tpdu.destination.ton,
        npi=tpdu.destination.npi,
        gateway=gateway,
        protocol_identifier=tpdu.protocol_identifier,
        data_coding=tpdu.data_coding_scheme,
        header=encode_header(tpdu.user_data.header),
        octets=tpdu.user_data.octets,
        taken=core.now(),
        expires=_until(core, until),
        reference=tpdu.reference,
        receipt=RECEIPT_ALWAYS if tpdu.status_report_request else 0,
    )


def _until(core: Core, wanted: dt.datetime | None) -> float:
    longest = core.now() + core.config.validity
    return min(wanted.timestamp(), longest) if wanted is not None else longest


def _refuse(core: Core, asked: Message, refusal: Refusal) -> Message:
    report = encode(SubmitReport(time_stamp=core.clock.wall(), failure_cause=refusal.tp_cause))
    avps: Avps = [("SM-RP-UI", report)]
    if refusal.failure is not None:
        avps.insert(0, ("SM-Delivery-Failure-Cause", [("SM-Enumerated-Delivery-Failure-Cause", int(refusal.failure))]))
    return core.node.answer(asked, refusal.result, avps)


# -- of platforms


def submit(core: Core, link: GatewayLink, asked: Pdu) -> None:
    """Take a platform's message for a card from its gateway, or say why not by the command_status."""
    body: smpp.ShortMessage = asked.body  # type: ignore[assignment]  # by its command
    made = _read(core, link.system_id, asked, body)
    if isinstance(made, Status):
        link.answer(asked, made)
        return
    try:
        core.store.add(made, month=core.month, parts=1)
    except StoreError as error:
        core.site.note(f"the message could not be kept: {error}", imsi=made.imsi)
        link.answer(asked, causes.BUSY.status)
        return
    link.answer(asked, message_id=str(made.id))
    begin(core, made)


def _read(core: Core, gateway: str, asked: Pdu, body: smpp.ShortMessage) -> ShortMessage | Status:
    """Return the message that a submit_sm asks to deliver, or the status that refuses it."""
    try:
        content = content_of(body, asked.parameter(Tag.MESSAGE_PAYLOAD))
        encode_user_data(content.user_data, content.data_coding)  # it fits into one TPDU
        until = parse_time(body.validity_period, core.clock.wall())
    except PeerError as error:
        core.site.note(f"submit_sm: {error.reason}")
        return Status.ESME_RINVESMCLASS
    except ValueError as error:
        core.site.note(f"submit_sm: {error}")
        return Status.ESME_RINVMSGLEN if "octets" in str(error) else Status.ESME_RSUBMITFAIL
    card = core.store.numbered(body.destination.number, body.destination.ton)
    refusal = _judge_submit(core, gateway, card, body, content.user_data)
    if refusal is not None or card is None:
        return refusal or Status.ESME_RINVDSTADR
    source = address_of(body.source)
    return ShortMessage(
        id=core.store.next_id(),
        direction=Direction.TO_CARD,
        imsi=card.imsi,
        number=source.number,
        ton=source.ton,
        npi=source.npi,
        gateway=gateway,
        protocol_identifier=body.protocol_id,
        data_coding=content.data_coding,
        header=encode_header(content.user_data.header),
        octets=content.user_data.octets,
        taken=core.now(),
        expires=_until(core, until),
        receipt=body.registered_delivery & (RECEIPT_ALWAYS | RECEIPT_ON_FAILURE),
    )


def _judge_submit(
    core: Core, gateway: str, card: CardList | None, body: smpp.ShortMessage, data: UserData
) -> Status | None:
    imsi = card.imsi if card is not None else ""
    source, to = body.source, body.destination
    codes = core.config.gateways[gateway].codes
    facts = {"number": source.number, "ton": source.ton, "codes": codes}
    if not core.site.decide(controls.ORIGINATOR, imsi, on=controls.SUBMIT, **facts).admitted:
        return Status.ESME_RINVSRCADR
    number = party(to.number, to.ton).number if to.number.strip() else ""
    if not core.site.decide(controls.NUMBER, imsi, on=controls.SUBMIT, number=number, ranges=core.ranges).admitted:
        return causes.NO_CARD.status
    if not core.judge_list(card, source.number, source.ton, controls.SUBMIT).admitted:
        return causes.NOT_LISTED.status
    refusal = _judge_parts(core, card, source.number, data, controls.SUBMIT) if card is not None else causes.NO_CARD
    return refusal.status if refusal is not None else None
