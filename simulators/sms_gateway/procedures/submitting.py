"""A platform submits a message: it is judged, kept, acknowledged, and goes to the SMSC; what ends it, a receipt tells.

The parts of a long message are judged as one: they are held until all are there, and one that is refused ends all.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from simulators.sms_gateway import contents
from simulators.sms_gateway.causes import Limit
from simulators.sms_gateway.controls import FORWARD, SUBMIT
from simulators.sms_gateway.messages import Group, Kind, Message, State
from simulators.sms_gateway.procedures import handing, revoking
from simulators.sms_gateway.procedures.handing import enqueue
from simulators.sms_gateway.procedures.judging import (
    NO_CARD,
    NOBODY,
    find_card,
    judge_content,
    judge_list,
    judge_rate,
    judge_route,
    read_code,
)
from simwarden.policy.numbers import PartyKind, party
from simwarden.wire.smpp import RECEIPT_ALWAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.sms_gateway.causes import Why
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Card, Customer, Request
    from simwarden.policy.numbers import Party
    from simwarden.wire.sms import Concatenation

    Told = Callable[[Message | Why], None]
    Key = tuple[str, str, str, int, bool]


class Long(NamedTuple):
    """Which long message something is a part of, and which part."""

    key: Key
    part: Concatenation


#: states of SMPP receipts (5.2.28) by what became of a message
WORDS = {
    State.DELIVERED: "DELIVRD",
    State.REJECTED: "REJECTD",
    State.UNDELIVERABLE: "UNDELIV",
    State.EXPIRED: "EXPIRED",
    State.OTHER: "UNKNOWN",
}


def submit(core: Core, customer: Customer, request: Request, told: Told) -> None:
    """Take a message, or say why not: `told` hears the message once it is kept, or what refuses it."""
    code, card = _source(core, customer, request), find_card(core, *request.destination)
    subject = card.imsi
    refused: Why | None = (
        judge_rate(core, customer, subject)
        or judge_list(core, subject, SUBMIT)
        or judge_route(core, customer.name, code, card, SUBMIT)
    )
    if refused:
        told(refused)
        return
    part = contents.concatenation(request)
    long = Long((customer.name, str(code), card.imsi, part.reference, part.wide), part) if part else None
    refused = _refused_content(core, code, card, request, long) or _limit(core, customer, request, long)
    if refused:
        told(refused)
        return
    _keep(core, customer, _message(core, customer, str(code), card, request), told, long)


def _source(core: Core, customer: Customer, request: Request) -> Party:
    """Return the code that a message is from; the customer's only code if the message has none.

    The number of a fixed line stays one, although a code has its digits: recipients would see that number.
    """
    number, ton = request.source
    if not number.strip():
        own = [each for each, held in core.codes.items() if held.account == customer.name]
        return own[0] if len(own) == 1 else NOBODY
    who = party(number, ton)
    return who if who.kind is PartyKind.FIXED_LINE else read_code(core, number, ton)


def _refused_content(core: Core, code: Party, card: Card, request: Request, long: Long | None) -> str:
    group = core.groups.get(long.key) if long else None
    beyond = contents.beyond_text(request) or ("a part of a refused message" if group and group.refused else "")
    refused = judge_content(core, code, card.imsi, beyond)
    if refused and long:
        _poison(core, long)
    return refused


def _limit(core: Core, customer: Customer, request: Request, long: Long | None) -> Limit | None:
    if not contents.fits(request):
        return Limit.LENGTH
    queue = core.config.customers.queue
    if customer.waiting >= queue or (request.registered and len(customer.queued) >= queue):
        return Limit.QUEUE  # also of receipts that nobody fetches
    if long is None:
        return None
    group = core.groups.get(long.key, Group(long.part.total))
    return Limit.TWICE if long.part.number in group.parts or long.part.total != group.total else None


def _message(core: Core, customer: Customer, code: str, card: Card, request: Request) -> Message:
    now = core.now()
    latest = max(now, request.scheduled) + core.config.validity
    return Message(
        core.next_id(),
        Kind.TO_CARD,
        customer.name,
        code,
        card.imsi,
        card.msisdn,
        now,
        min(request.until or latest, latest),
        request.octets,
        request.data_coding,
        request.protocol_id,
        request.udhi,
        request.priority,
        request.registered,
        scheduled=request.scheduled,
    )


def _keep(core: Core, customer: Customer, message: Message, told: Told, long: Long | None) -> None:
    customer.waiting += 1
    done, lost = partial(_kept, core, message, told), partial(_lost, customer, told)
    if long is not None:
        message.state = State.HELD
        group = _group(core, long)
        group.parts[long.part.number] = message
        done, lost = partial(_kept_part, core, long, group, told), partial(_lost_part, group, long.part.number, lost)
    core.batch.add(message, done, lost)


def _group(core: Core, long: Long) -> Group:
    """Return the parts of a long message that are there, which wait for the others for so long."""
    group = core.groups.get(long.key)
    if group is None:
        group = core.groups[long.key] = Group(long.part.total)
        core.site.clock.call_later(core.config.hold, partial(_give_up, core, long.key, group))
    return group


def _lost(customer: Customer, told: Told) -> None:
    customer.waiting -= 1
    told(Limit.STORE)


def _lost_part(group: Group, number: int, lost: Callable[[], None]) -> None:
    """Let a part that could not be kept come again."""
    del group.parts[number]
    lost()


def _kept(core: Core, message: Message, told: Told) -> None:
    core.take_up(message)
    core.show(message)
    told(message)
    core.waiting.append(message)
    core.wake()


def _kept_part(core: Core, long: Long, group: Group, told: Told) -> None:
    """Take up a part; with the last one all go on, in their order."""
    message = group.parts[long.part.number]
    core.take_up(message)
    told(message)
    group.kept.add(long.part.number)
    if group.refused:
        end(core, message, State.REJECTED)
        return
    core.show(message)
    if len(group.kept) < group.total:
        return
    del core.groups[long.key]
    for each in (group.parts[number] for number in sorted(group.parts)):
        each.state = State.WAITING
        core.batch.change(each)
        core.show(each)
        core.waiting.append(each)
    core.wake()


def _poison(core: Core, long: Long) -> None:
    """End the held parts of a long message of which one was refused; those that still come are refused as well."""
    if long.key not in core.groups and len(core.groups) >= core.config.customers.queue:
        return  # without this part the others never become whole
    group = _group(core, long)
    group.refused = True
    for number in sorted(group.kept):
        end(core, group.parts[number], State.REJECTED)
    group.kept.clear()


def _give_up(core: Core, key: Key, group: Group) -> None:
    """End the parts of a long message of which others never came."""
    if core.groups.get(key) is not group:
        return
    del core.groups[key]
    for number in sorted(group.kept):
        end(core, group.parts[number], State.EXPIRED)


def resume(core: Core, messages: Iterable[Message]) -> None:
    """Go on with what was kept when the gateway ended; parts wait for the others anew."""
    for message in messages:
        customer = core.customers.get(message.account)
        if message.kind is Kind.CANCEL:
            revoking.take_up(core, message)
            continue
        core.take_up(message)
        if message.kind is not Kind.TO_CARD:
            enqueue(core, message)
        elif message.state is State.WAITING:
            core.waiting.append(message)
        elif message.state is State.HELD:
            _hold_again(core, message)
        if customer is not None and message.kind is Kind.TO_CARD and message.state is not State.FORWARDED:
            customer.waiting += 1


def _hold_again(core: Core, message: Message) -> None:
    part = contents.part_of(message.octets)
    assert part is not None  # noqa: S101 - else it was not held
    long = Long((message.account, message.code, message.card, part.reference, part.wide), part)
    group = _group(core, long)
    group.parts[part.number] = message
    group.kept.add(part.number)


# -- on the way to the SMSC


def next_to_forward(core: Core) -> Message | None:
    """Return what goes to the SMSC next: what it is to take back, then messages, judged again.

    None where there is nothing, or the list is too old for now.
    """
    revoked = revoking.next_to_revoke(core)
    if revoked is not None:
        return revoked
    while core.waiting and core.list_age <= core.config.list_age:
        message = core.waiting.popleft()
        if message.id in core.messages and _is_valid(core, message) and _still_right(core, message):
            core.flying[message.id] = core.reviews
            return message
    return None


def review(core: Core, concerns: Callable[[Message], bool]) -> None:
    """Judge anew what waits and is concerned by a change, so that it ends at once where it must."""
    core.reviews += 1
    handing.review(core, concerns)
    for message in [each for each in core.messages.values() if each.kind is Kind.TO_CARD and concerns(each)]:
        if message.state is State.FORWARDED:
            _take_back(core, message)
        elif message.id not in core.flying:
            _still_right(core, message)


def _take_back(core: Core, message: Message) -> None:
    """Have the SMSC end a message that is no longer right; its receipt says what became of it."""
    if judge_route(core, message.account, party(message.code), core.cards.get(message.card, NO_CARD), FORWARD):
        revoking.revoke(core, message.code, message.card, message.number)


def _is_valid(core: Core, message: Message) -> bool:
    """Return True if the validity of a message has not ended; else end it."""
    if message.until <= core.now():
        end(core, message, State.EXPIRED)
        return False
    return True


def _still_right(core: Core, message: Message) -> bool:
    """Judge anew what waits; its number may be another card's by now, which was not judged when it was submitted."""
    card = core.cards.get(message.card, NO_CARD)
    card = card if card.msisdn == message.number else replace(card, account="")
    if judge_route(core, message.account, party(message.code), card, FORWARD):
        end(core, message, State.REJECTED)
        return False
    return True


def forwarded(core: Core, message: Message, centre_id: str) -> None:
    """Take note that the SMSC has a message; without a wish for a receipt nothing more is heard of it."""
    judged = core.flying.pop(message.id, core.reviews)
    if core.messages.get(message.id) is not message:
        return  # its receipt came first
    _no_longer_waits(core, message)
    message.state, message.centre_id = State.FORWARDED, centre_id
    if judged != core.reviews:
        _take_back(core, message)  # what it was judged by may have changed meanwhile
    core.show(message)
    if message.registered:
        core.take_up(message)
        core.batch.change(message)
    else:
        core.forget(message)


def not_forwarded(core: Core, message: Message, *, unanswered: bool) -> None:
    """Have a message tried again later that the SMSC did not take; where no answer came it may come twice."""
    core.flying.pop(message.id, None)
    if core.messages.get(message.id) is not message:
        return
    if unanswered:
        message.repeated += 1
        core.batch.change(message)
        core.show(message)
    if message.until <= core.now():
        expire(core, message)
    else:
        core.site.clock.call_later(core.config.retry, partial(_again, core, message))


def turned_down(core: Core, message: Message, error: str) -> None:
    """End a message that the SMSC will never take."""
    core.flying.pop(message.id, None)
    end(core, message, State.UNDELIVERABLE, error)


def _again(core: Core, message: Message) -> None:
    core.waiting.append(message)
    core.wake()


def end(core: Core, message: Message, state: State, error: str = "000", then: Callable[[], None] | None = None) -> None:
    """End a message, and enqueue the receipt that its platform wants; `then` when that is kept."""
    if core.messages.get(message.id) is not message:
        return
    if message.state in (State.WAITING, State.HELD):
        _no_longer_waits(core, message)
    message.state = state
    core.show(message)
    core.forget(message)
    failed = state is not State.DELIVERED
    if message.registered & RECEIPT_ALWAYS or (message.registered and failed):
        _enqueue_receipt(core, message, error, then)
    elif then is not None:
        then()


def _no_longer_waits(core: Core, message: Message) -> None:
    customer = core.customers.get(message.account)
    if customer is not None:
        customer.waiting -= 1


def _enqueue_receipt(core: Core, message: Message, error: str, then: Callable[[], None] | None) -> None:
    now = core.now()
    receipt = Message(
        core.next_id(),
        Kind.RECEIPT,
        message.account,
        message.code,
        message.card,
        message.number,
        message.submitted,
        now,
        b"",
        about=message.id,
        outcome=WORDS[message.state],
        error=error,
    )

    def kept() -> None:
        core.take_up(receipt)
        enqueue(core, receipt)
        if then is not None:
            then()

    core.batch.add(receipt, kept)


def expire(core: Core, message: Message) -> None:
    """End a message whose time is over; of one that the SMSC has, and of which nothing was heard, nothing is known."""
    if message.id in core.flying:
        return  # its answer is to come, which ends it
    end(core, message, State.OTHER if message.state is State.FORWARDED else State.EXPIRED)
