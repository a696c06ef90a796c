"""Messages that go out: attempts by the schedule, each judged anew, until they end, and what their sender hears.

A message is over when its end is kept: what was acknowledged is delivered, or ended with a status. It comes twice only
where the answer that it came was lost with the process, with the same time stamp.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulators.smsc import controls
from simulators.smsc.causes import STATES
from simulators.smsc.clients.routing import mt_forward, report_delivery_status, send_routing_info
from simulators.smsc.message import Direction, End, ShortMessage
from simulators.smsc.procedures import charging, credit
from simulators.smsc.procedures.coding import number_of, shown
from simwarden.wire import smpp
from simwarden.wire.smpp import RECEIPT, RECEIPT_ON_FAILURE, UDHI, Parameter, Receipt, Status, Tag
from simwarden.wire.sms import Deliver, StatusReport, UserData, encode, split_header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulators.smsc.card import CardList
    from simulators.smsc.core import Core

#: answers to deliver_sm after which it is tried again
_AGAIN = frozenset({Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL, Status.ESME_RX_T_APPN, Status.ESME_RSYSERR})


def begin(core: Core, message: ShortMessage, delay: float = 0.0) -> None:
    """Plan the next attempt after a pause, not before the scheduled time of the message."""
    planned = core.planned.pop(message.id, None)
    if planned is not None:
        planned.cancel()
    if core.stopping:
        return
    delay = max(delay, message.scheduled - core.now())
    core.planned[message.id] = core.clock.call_later(delay, lambda: _due(core, message))


def _due(core: Core, message: ShortMessage) -> None:
    core.planned.pop(message.id, None)
    core.site.spawn(_attempt(core, message), "a short message")


def hurry(core: Core, *, imsi: str | None = "", gateway: str = "") -> None:
    """Try at once what waits for a card that is back (None: for any, as an MME is), or for a gateway that has bound."""
    messages = core.store.messages_of(imsi) if imsi else core.store.messages
    for message in messages:
        to_gateway = message.direction in (Direction.TO_GATEWAY, Direction.RECEIPT)
        due = message.gateway == gateway if to_gateway else imsi in (None, message.imsi)
        if due and message.id in core.planned:
            begin(core, message)


def take_back(core: Core, message: ShortMessage) -> bool:
    """End a message that waits for its next attempt; false for one that is under way."""
    planned = core.planned.pop(message.id, None)
    if planned is None:
        return False
    planned.cancel()
    _end(core, message, End.DELETED, "its gateway took it back")
    return True


async def _attempt(core: Core, message: ShortMessage) -> None:
    """Try a message, those of one card or gateway one after the other."""
    to_gateway = message.direction in (Direction.TO_GATEWAY, Direction.RECEIPT)
    turn = core.turns.setdefault(f"gateway {message.gateway}" if to_gateway else message.imsi, asyncio.Lock())
    async with turn:
        await _try(core, message, _to_gateway if to_gateway else _to_card)


async def _try(core: Core, message: ShortMessage, way: Callable[[Core, ShortMessage], Awaitable[None]]) -> None:
    if core.now() >= message.expires:
        _end(core, message, End.EXPIRED, "its validity has ended")
    elif not await _allowed(core, message):
        _end(core, message, End.FORBIDDEN, "a rule refuses it")
    else:
        message.attempts += 1
        core.show(message, "trying")
        await way(core, message)


async def _allowed(core: Core, message: ShortMessage) -> bool:
    """Ask the rules anew about a message that was kept; what tells of another message is none."""
    if message.direction in (Direction.REPORT, Direction.RECEIPT):
        return True
    card = _card(core, message)
    if not core.judge_list(card, message.number, message.ton, controls.ATTEMPT).admitted:
        return False
    covered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    credit.check(core, message, covered.set_result)
    return await covered


def _card(core: Core, message: ShortMessage) -> CardList:
    card = core.store.card(message.imsi)
    assert card is not None  # noqa: S101 - none is ever forgotten
    return card


def _again(core: Core, message: ShortMessage, reason: str) -> None:
    """Plan the next attempt, at the latest when the validity ends."""
    core.batch.change(message)
    pauses = core.config.retry
    pause = pauses[min(message.attempts, len(pauses)) - 1]
    core.site.note(f"message {message.id} waits {pause:g} s: {reason}", imsi=message.imsi)
    core.show(message, "waiting")
    begin(core, message, min(pause, max(message.expires - core.now(), 0.0)))


# -- to a card


async def _to_card(core: Core, message: ShortMessage) -> None:
    card = _card(core, message)
    route = await send_routing_info(core, card)
    if not route.mme:
        if route.final:
            _end(core, message, End.UNDELIVERABLE, route.reason)
        else:
            _again(core, message, route.reason)
        return
    if route.imsi != message.imsi:
        _again(core, message, f"the HSS has another card by the number {card.msisdn}")
        return
    delivery = await mt_forward(core, route, encode(_tpdu(core, message)))
    if delivery.delivered:
        _end(core, message, End.DELIVERED, "the device has taken it")
    elif delivery.final:
        _end(core, message, End.UNDELIVERABLE, delivery.reason)
    else:
        _again(core, message, delivery.reason)
    if delivery.cause is not None and (route.waiting or not delivery.delivered):
        await report_delivery_status(core, card, delivery.cause)


def _tpdu(core: Core, message: ShortMessage) -> Deliver | StatusReport:
    taken = core.clock.local(message.taken)
    if message.direction == Direction.REPORT:
        _, status = STATES[End(message.about)]
        return StatusReport(
            reference=message.reference,
            recipient=message.far_end,
            time_stamp=taken,
            discharge_time=core.clock.local(),
            status=int(status),
        )
    header = split_header(message.header)[0] if message.header else ()
    return Deliver(
        originator=message.far_end,
        time_stamp=taken,
        protocol_identifier=message.protocol_identifier,
        data_coding_scheme=message.data_coding,
        user_data=UserData(message.octets, header),
    )


# -- to a gateway


async def _to_gateway(core: Core, message: ShortMessage) -> None:
    link = core.gateways.get(message.gateway)
    if not message.gateway:
        _end(core, message, End.UNDELIVERABLE, "no gateway has the code")
        return
    if link is None:
        _again(core, message, f"{message.gateway} is not bound")
        return
    body, parameters = _deliver_sm(message, _card(core, message))
    answer = await link.deliver(body, *parameters)
    if answer is None or answer.status in _AGAIN:
        _again(core, message, "the gateway did not take it")
    elif answer.status:
        _end(core, message, End.UNDELIVERABLE, f"the gateway refused it with {answer.status:#010x}")
    else:
        _end(core, message, End.DELIVERED, "the gateway has taken it")


def _deliver_sm(message: ShortMessage, card: CardList) -> tuple[smpp.ShortMessage, list[Parameter]]:
    """Make deliver_sm (4.6.1), of a receipt with the parameters that say of what it is (5.3.2.12, 5.3.2.35)."""
    source = number_of(card.msisdn) if card.msisdn else smpp.Address()
    destination = smpp.Address(message.number, message.ton, message.npi)
    esm_class = (UDHI if message.header else 0) | (RECEIPT if message.direction == Direction.RECEIPT else 0)
    body = smpp.ShortMessage(
        source=source,
        destination=destination,
        esm_class=esm_class,
        protocol_id=message.protocol_identifier,
        data_coding=message.data_coding,
        short_message=message.header + message.octets,
    )
    if message.direction != Direction.RECEIPT:
        return body, []
    told, _, end = message.about.partition("/")
    state, _ = STATES[End(end)]
    about = [Parameter(Tag.RECEIPTED_MESSAGE_ID, told.encode() + b"\0"), Parameter(Tag.MESSAGE_STATE, bytes((state,)))]
    if message.reference:
        about.append(Parameter(Tag.USER_MESSAGE_REFERENCE, message.reference.to_bytes(2)))
    return body, about


# -- the end


def _end(core: Core, message: ShortMessage, end: End, reason: str) -> None:
    """Let a message be over; who wants to know is told by a message of its own, kept in the same transaction."""
    told = _told(core, message, end)
    core.batch.drop(message)
    credit.settle(core, message, end)
    if message.direction == Direction.TO_CARD:
        charging.for_card(core, message, end)
    if told is not None:
        core.batch.add(told, lambda: begin(core, told))
    core.site.note(f"message {message.id} is {end}: {reason}", imsi=message.imsi)
    core.show(message, end)


def _told(core: Core, message: ShortMessage, end: End) -> ShortMessage | None:
    if not message.receipt or (message.receipt == RECEIPT_ON_FAILURE and end is End.DELIVERED):
        return None  # nor is there anything to tell of what tells of another one
    of_card = message.direction == Direction.TO_GATEWAY
    text = "" if of_card else str(_receipt(core, message, end))
    return ShortMessage(
        id=core.store.next_id(),
        direction=Direction.REPORT if of_card else Direction.RECEIPT,
        imsi=message.imsi,
        number=message.number,
        ton=message.ton,
        npi=message.npi,
        gateway=message.gateway,
        protocol_identifier=0,
        data_coding=0,
        header=b"",
        octets=text.encode("ascii", "replace"),
        taken=message.taken,
        expires=core.now() + core.config.validity,
        reference=message.reference,
        about=end if of_card else f"{message.id}/{end}",
    )


def _receipt(core: Core, message: ShortMessage, end: End) -> Receipt:
    taken = core.clock.local(message.taken)
    state, _ = STATES[end]
    delivered = end is End.DELIVERED
    text = shown(message.data_coding, message.octets)
    return Receipt(str(message.id), taken, core.clock.local(), state, "000" if delivered else "001", text, delivered)
