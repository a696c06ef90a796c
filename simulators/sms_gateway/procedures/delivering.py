"""What the SMSC hands to the gateway: messages of cards, by their code to its owner, and receipts, to who submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.sms_gateway.causes import CAUSES, Limit
from simulators.sms_gateway.contents import fits
from simulators.sms_gateway.controls import DELIVER
from simulators.sms_gateway.messages import Kind, Message, Request, State
from simulators.sms_gateway.procedures.handing import enqueue
from simulators.sms_gateway.procedures.judging import find_card, judge_list, judge_route, read_code
from simulators.sms_gateway.procedures.submitting import end
from simwarden.errors import PeerError
from simwarden.wire.smpp import (
    MESSAGE_TYPE,
    RECEIPT,
    UDHI,
    MessageState,
    Pdu,
    ShortMessage,
    Status,
    Tag,
    parse_receipt,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.sms_gateway.causes import Why
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Card

    Answer = Callable[[Status], None]

_ENDS = {
    MessageState.DELIVERED: State.DELIVERED,
    MessageState.EXPIRED: State.EXPIRED,
    MessageState.DELETED: State.REJECTED,
    MessageState.UNDELIVERABLE: State.UNDELIVERABLE,
    MessageState.UNKNOWN: State.OTHER,
    MessageState.REJECTED: State.REJECTED,
}


def deliver(core: Core, pdu: Pdu, answer: Answer) -> None:
    """Take what a deliver_sm brings (SMPP 3.4 4.6); `answer` when it is kept, or refused."""
    body = pdu.body
    if not isinstance(body, ShortMessage):
        answer(Status.ESME_RINVCMDID)
    elif body.esm_class & MESSAGE_TYPE == RECEIPT:
        _receive_receipt(core, pdu, body, answer)
    elif body.esm_class & MESSAGE_TYPE:
        answer(Status.ESME_RINVESMCLASS)
    else:
        _receive_message(core, body, answer)


def _receive_receipt(core: Core, pdu: Pdu, body: ShortMessage, answer: Answer) -> None:
    """End the message that a receipt is about; of one that nobody waits for any more no more is said."""
    try:
        receipt = parse_receipt(body.short_message.decode("latin-1"))
    except PeerError as error:
        core.site.note(f"a receipt of the SMSC cannot be read: {error.reason}")
        answer(Status.ESME_RX_P_APPN)
        return
    told = (pdu.parameter(Tag.RECEIPTED_MESSAGE_ID) or b"").partition(b"\0")[0].decode("latin-1")
    message = core.by_centre_id.get(told or receipt.message_id) or _unanswered(core, pdu)
    state = _ENDS.get(receipt.state)
    if message is None:
        core.site.note("a receipt of the SMSC is about no message of ours", message_id=told or receipt.message_id)
    if message is None or state is None:  # on its way yet: the next one tells more
        answer(Status.ESME_ROK)
        return
    code = receipt.error[:3].rjust(3, "0") if receipt.error.isalnum() else "000"
    end(core, message, state, code, lambda: answer(Status.ESME_ROK))


def _unanswered(core: Core, pdu: Pdu) -> Message | None:
    """Return the message that a receipt means by its reference: one whose submission was never answered."""
    told = pdu.parameter(Tag.USER_MESSAGE_REFERENCE)
    if told is None:
        return None
    waits = (each for each in core.messages.values() if each.kind is Kind.TO_CARD and each.state is State.WAITING)
    return next((each for each in waits if each.reference == int.from_bytes(told)), None)


def _receive_message(core: Core, body: ShortMessage, answer: Answer) -> None:
    """Judge a card's message, and keep it for the owner of the code that it is for."""
    code = read_code(core, body.destination.number, body.destination.ton)
    card = find_card(core, body.source.number, body.source.ton)
    refused: Why = judge_list(core, card.imsi, DELIVER) or judge_route(core, "", code, card, DELIVER)
    customer = core.customers.get(core.owner_of(code))
    udhi = bool(body.esm_class & UDHI)
    if not refused and not fits(Request(("", 0), ("", 0), body.short_message, body.data_coding, udhi=udhi)):
        refused = Limit.LENGTH
    if not refused and (customer is None or len(customer.queued) >= core.config.customers.queue):
        refused = Limit.QUEUE
        core.site.note("a card's message finds no room", code=str(code), account=core.owner_of(code))
    if refused:
        answer(CAUSES[refused].centre)
        return
    assert customer is not None  # noqa: S101 - else there was no room
    message = _message(core, customer.name, str(code), card, body)

    def kept() -> None:
        core.take_up(message)
        core.show(message)
        answer(Status.ESME_ROK)
        enqueue(core, message)

    core.batch.add(message, kept, lambda: answer(CAUSES[Limit.STORE].centre))


def _message(core: Core, account: str, code: str, card: Card, body: ShortMessage) -> Message:
    return Message(
        core.next_id(),
        Kind.FROM_CARD,
        account,
        code,
        card.imsi,
        card.msisdn,
        core.now(),
        core.now(),
        body.short_message,
        body.data_coding,
        body.protocol_id,
        bool(body.esm_class & UDHI),
        body.priority_flag,
    )
