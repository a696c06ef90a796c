"""Messages that come in: MO forward short message (TS 29.338 6.2.1), and submit_sm of gateways (SMPP 3.4 4.4).

What is acknowledged is kept before. A refusal is told in each layer's own cause (`causes`).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.smsc import causes, controls
from simulators.smsc.card import CardList
from simulators.smsc.message import Direction, ShortMessage
from simulators.smsc.procedures import charging, credit
from simulators.smsc.procedures.coding import address_of, content_of
from simulators.smsc.procedures.delivery import begin, take_back
from simulators.smsc.procedures.user_identifier import find_card
from simwarden.errors import PeerError
from simwarden.policy.numbers import party
from simwarden.policy.short_messages import is_listed, same_party
from simwarden.wire.diameter import Message, ResultCode, first
from simwarden.wire.smpp import RECEIPT_ALWAYS, RECEIPT_ON_FAILURE, Status, Tag, read_times
from simwarden.wire.sms import (
    Submit,
    SubmitReport,
    beyond_text,
    decode,
    encode,
    encode_header,
    encode_user_data,
)
from simwarden.wire.sms.address import encode_address

#: stands for a number that is no card's: it has no list, so that a rule refuses it
_NOBODY: Final = CardList("", "")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.smsc.causes import Refusal
    from simulators.smsc.clients.gateway import GatewayLink
    from simulators.smsc.core import Core
    from simulators.smsc.procedures.coding import Content
    from simwarden.runtime.diameter import Peer
    from simwarden.wire import smpp
    from simwarden.wire.diameter import Avps
    from simwarden.wire.smpp import Pdu
    from simwarden.wire.sms import Address


def _take(core: Core, message: ShortMessage, told: Callable[[Refusal | None], None]) -> None:
    """Keep a message for which there is credit; `told` hears that it is kept (None), and then it is tried."""

    def kept() -> None:
        told(None)
        begin(core, message)

    def lost() -> None:
        credit.not_kept(core, message)
        core.site.note("the message could not be kept", imsi=message.imsi)
        told(causes.BUSY)

    def answered(refusal: Refusal | None) -> None:
        if refusal is not None:
            told(refusal)
        else:
            core.batch.add(message, kept, lost)

    credit.reserve(core, message, answered)


async def _taken(core: Core, message: ShortMessage) -> Refusal | None:
    """Keep a message; return why not."""
    waits: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()

    def told(refusal: Refusal | None) -> None:
        if not waits.done():  # who asked may be gone
            waits.set_result(refusal)

    _take(core, message, told)
    return await waits


# -- of cards


async def mo_forward(core: Core, asked: Message, _peer: Peer) -> Message:
    """Take a card's message for one of its platforms, or say why not."""
    card, number = find_card(core, asked), first(asked.get("User-Identifier", ()), "MSISDN", "")
    if isinstance(card, Message):
        return card
    tpdu = _read_submit(core, asked, card.imsi if card else "")
    if isinstance(tpdu, causes.Refusal):
        return _refuse(core, asked, tpdu)
    refusal = _judge_mo(core, card or _NOBODY, number, tpdu)
    if card is None:
        return _refuse(core, asked, refusal or causes.NO_CARD)
    gateway = core.gateway_of(tpdu.destination.number, tpdu.destination.ton)
    message = _of_card(core, card, tpdu, gateway)
    refusal = refusal or await _taken(core, message)
    charging.of_card(core, message, refusal)
    if refusal is not None:
        return _refuse(core, asked, refusal)
    report: Avps = [("SM-RP-UI", encode(SubmitReport(time_stamp=core.clock.local())))]
    return core.node.answer(asked, ResultCode.DIAMETER_SUCCESS, report)


def _read_submit(core: Core, asked: Message, imsi: str) -> Submit | Refusal:
    """Read the SMS-SUBMIT of a card; return the refusal of another TPDU, or of one without TP-DA or readable TP-VP."""
    try:
        tpdu = decode(asked.get("SM-RP-UI"), from_mobile=True)
    except PeerError as error:
        core.site.note(f"a TPDU that cannot be read: {error.reason}", imsi=imsi)
        return causes.UNREADABLE
    if not isinstance(tpdu, Submit):
        return causes.UNREADABLE
    if not same_party(f"+{asked.get('SC-Address')}", 0, (core.config.number,)):
        return causes.OTHER_CENTRE
    try:
        _end_of_validity(core, tpdu)
    except PeerError as error:
        core.site.note(f"a validity period that cannot be read: {error.reason}", imsi=imsi)
        return causes.NO_VALIDITY
    return tpdu if tpdu.destination.number.strip() else causes.NO_ADDRESS


def _end_of_validity(core: Core, tpdu: Submit) -> float | None:
    """Return the end of a message's validity (POSIX), None for an unlimited one. Raises PeerError."""
    until = tpdu.validity.until(core.clock.wall()) if tpdu.validity is not None else None
    return until.timestamp() if until is not None else None


def _judge_mo(core: Core, card: CardList, number: str, tpdu: Submit) -> Refusal | None:
    """Ask the rules about a card's message; return what refuses it."""
    to = tpdu.destination
    if not core.site.decide(controls.NUMBER, card.imsi, on=controls.MO, number=number, ranges=core.ranges).admitted:
        return causes.NO_CARD
    if not core.judge_list(card, to.number, to.ton, controls.MO).admitted:
        return causes.OFF if card.sms is None else causes.NOT_LISTED
    return None


def _of_card(core: Core, card: CardList, tpdu: Submit, gateway: str) -> ShortMessage:
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
        expires=_until(core, _end_of_validity(core, tpdu)),
        reference=tpdu.reference,
        receipt=RECEIPT_ALWAYS if tpdu.status_report_request else 0,
    )


def _until(core: Core, wanted: float | None, scheduled: float = 0.0) -> float:
    longest = max(core.now(), scheduled) + core.config.validity
    return min(wanted, longest) if wanted is not None else longest


def _refuse(core: Core, asked: Message, refusal: Refusal) -> Message:
    report = encode(SubmitReport(time_stamp=core.clock.local(), failure_cause=refusal.tp_cause))
    avps: Avps = [("SM-RP-UI", report)]
    if refusal.failure is not None:
        avps.insert(0, ("SM-Delivery-Failure-Cause", [("SM-Enumerated-Delivery-Failure-Cause", int(refusal.failure))]))
    return core.node.answer(asked, refusal.result, avps)


# -- of platforms


def submit(core: Core, link: GatewayLink, asked: Pdu) -> None:
    """Take a platform's message for a card from its gateway, or say why not by the command_status."""
    body: smpp.ShortMessage = asked.body  # type: ignore[assignment]  # by its command
    read = _read(core, asked, body)
    if isinstance(read, Status):
        link.answer(asked, read)
        return
    card = core.store.numbered(body.destination.number, body.destination.ton)
    refusal = _judge_submit(core, link.system_id, card or _NOBODY, body, read.content)
    if card is None:
        link.answer(asked, (refusal or causes.NO_CARD).status)
        return
    made = _of_platform(core, link.system_id, card, asked, read)
    known = core.store.known_again(made.gateway, made.reference)
    if known is not None and _is_again(made, known):
        core.site.note(f"message {known.id} was submitted again", imsi=known.imsi)
        link.answer(asked, 0, str(known.id))
        return

    def told(refusal: Refusal | None) -> None:
        if refusal is not None:
            charging.for_card(core, made, refusal)
        elif body.replace_if_present_flag:
            _replace_waiting(core, made)
        link.answer(asked, refusal.status if refusal is not None else 0, str(made.id))

    if refusal is not None:
        told(refusal)
    else:
        _take(core, made, told)


def _replace_waiting(core: Core, made: ShortMessage) -> None:
    """End what a new message replaces (replace_if_present_flag, 5.2.18): those that wait between the same numbers."""
    for each in core.store.messages_of(made.imsi):
        if (each.direction, each.gateway, each.far_end) == (made.direction, made.gateway, made.far_end):
            take_back(core, each)


def _is_again(made: ShortMessage, known: ShortMessage) -> bool:
    """Whether a message with the reference of another is that one: it says the same, and is good until the same time.

    Some gateways give the same reference to all; a time in the future that they reckon anew for each tells them apart.
    """
    return replace(made, id=known.id, taken=known.taken, attempts=known.attempts) == known


def _meant(core: Core, body: smpp.Cancel) -> Sequence[ShortMessage]:
    """Return the messages that a cancel_sm names, by the identifier of one or by both numbers."""
    if body.message_id:
        known = core.store.message(int(body.message_id)) if body.message_id.isdecimal() else None
        return () if known is None else (known,)
    card = core.store.numbered(body.destination.number, body.destination.ton)
    if card is None or not body.source.number.strip():
        return ()
    held = core.store.messages_of(card.imsi)
    return [each for each in held if is_listed(each.number, each.ton, (body.source.number,))]


def cancel(core: Core, link: GatewayLink, asked: Pdu) -> None:
    """Take messages back that wait (cancel_sm, SMPP 3.4 4.9): the one named, or all from a number to a card."""
    body: smpp.Cancel = asked.body  # type: ignore[assignment]  # by its command
    found = [
        each for each in _meant(core, body) if (each.direction, each.gateway) == (Direction.TO_CARD, link.system_id)
    ]
    waiting = [each for each in found if take_back(core, each)]
    if len(waiting) < len(found):  # one is under way to its device
        link.answer(asked, Status.ESME_RCANCELFAIL)
    else:
        link.answer(asked, 0 if found else Status.ESME_RINVMSGID)


class _Read(NamedTuple):
    """The parts of a submit_sm that are read: source, content and times."""

    source: Address
    content: Content
    #: scheduled delivery time (0 for none) and end of the validity, in seconds since 1970
    scheduled: float
    expires: float


def _read(core: Core, asked: Pdu, body: smpp.ShortMessage) -> _Read | Status:
    """Read a submit_sm, or return the status that says what is wrong with it."""
    try:
        content = content_of(asked, body.data_coding)
        encode_user_data(content.user_data, content.data_coding)  # it fits into one TPDU
        times = body.schedule_delivery_time, body.validity_period
        scheduled, until = read_times(*times, core.clock.wall(), core.config.schedule)
    except PeerError as error:
        core.site.note(f"submit_sm: {error.reason}")
        return Status(error.code or Status.ESME_RINVESMCLASS)
    except ValueError as error:
        core.site.note(f"submit_sm: {error}")
        return Status.ESME_RINVMSGLEN if "octets" in str(error) else Status.ESME_RSUBMITFAIL
    source = address_of(body.source)
    try:
        encode_address(source)
    except ValueError:  # not even a number as a TPDU writes it
        return Status.ESME_RINVSRCADR
    return _Read(source, content, scheduled, _until(core, until, scheduled))


def _of_platform(core: Core, gateway: str, card: CardList, asked: Pdu, read: _Read) -> ShortMessage:
    body: smpp.ShortMessage = asked.body  # type: ignore[assignment]  # by its command
    return ShortMessage(
        id=core.store.next_id(),
        direction=Direction.TO_CARD,
        imsi=card.imsi,
        number=read.source.number,
        ton=read.source.ton,
        npi=read.source.npi,
        gateway=gateway,
        protocol_identifier=body.protocol_id,
        data_coding=read.content.data_coding,
        header=encode_header(read.content.user_data.header),
        octets=read.content.user_data.octets,
        taken=core.now(),
        expires=read.expires,
        scheduled=read.scheduled,
        reference=int.from_bytes(asked.parameter(Tag.USER_MESSAGE_REFERENCE) or b""),
        receipt=body.registered_delivery & (RECEIPT_ALWAYS | RECEIPT_ON_FAILURE),
    )


def _judge_submit(
    core: Core, gateway: str, card: CardList, body: smpp.ShortMessage, content: Content
) -> Refusal | None:
    """Ask the rules about a platform's message; return what refuses it."""
    imsi, source, to = card.imsi, body.source, body.destination
    others = [code for name, each in core.config.gateways.items() if name != gateway for code in each.codes]
    codes = core.config.gateways[gateway].codes
    facts = {"number": source.number, "ton": source.ton, "codes": codes, "others": others}
    if not core.site.decide(controls.ORIGINATOR, imsi, on=controls.SUBMIT, **facts).admitted:
        return causes.NOT_OWN
    number = party(to.number, to.ton).number if to.number.strip() else ""
    if not core.site.decide(controls.NUMBER, imsi, on=controls.SUBMIT, number=number, ranges=core.ranges).admitted:
        return causes.NO_CARD
    if not core.judge_list(card, source.number, source.ton, controls.SUBMIT).admitted:
        return causes.NOT_LISTED
    beyond = beyond_text(body.protocol_id, content.data_coding, content.user_data.header)
    ota = is_listed(source.number, source.ton, core.config.gateways[gateway].ota)
    if not core.site.decide(controls.CONTENT, imsi, on=controls.SUBMIT, beyond_text=beyond, ota=ota).admitted:
        return causes.NOT_A_TEXT
    return None
