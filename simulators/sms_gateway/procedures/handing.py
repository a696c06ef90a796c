"""Messages of cards and receipts go to the binds of the customer whose they are; they wait while there is none."""

from __future__ import annotations

from collections import deque
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from simulators.sms_gateway.controls import DELIVER
from simulators.sms_gateway.messages import Kind, State
from simulators.sms_gateway.procedures.judging import NO_CARD, judge_route
from simwarden.policy.numbers import party

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Bind, Customer, Message


def enqueue(core: Core, message: Message) -> None:
    """Hand a message to its customer's platform, or keep it for that; what has no owner any more is over."""
    customer = core.customers.get(message.account)
    if customer is None:
        core.forget(message)
        return
    customer.queued.append(message)
    hand_over(customer)


def hand_over(customer: Customer) -> None:
    """Send what waits, to the binds that have room, in turn."""
    while customer.queued:
        bind = max(customer.binds, key=_room, default=None)
        if bind is None or bind.room <= 0:
            return
        bind.hand(customer.queued.popleft())


def review(core: Core, concerns: Callable[[Message], bool]) -> None:
    """Judge messages of cards anew that wait for their platform and are concerned by a change; receipts stay."""
    for customer in core.customers.values():
        for message in [each for each in customer.queued if concerns(each)]:
            if not _still_right(core, message):
                customer.queued.remove(message)
                refused(core, message)


def _still_right(core: Core, message: Message) -> bool:
    if message.kind is not Kind.FROM_CARD:
        return True
    return not judge_route(core, message.account, party(message.code), core.cards.get(message.card, NO_CARD), DELIVER)


def _room(bind: Bind) -> int:
    return bind.room


def handed(core: Core, message: Message) -> None:
    """Take note that a platform has a message."""
    message.state = State.DELIVERED
    core.show(message)
    core.forget(message)


def not_handed(core: Core, message: Message, *, unanswered: bool) -> None:
    """Keep a message that a platform did not take; where no answer came it goes first, and may come twice."""
    if not unanswered:
        core.site.clock.call_later(core.config.retry, partial(_again, core, message))
        return
    customer = core.customers.get(message.account)
    if customer is None:
        refused(core, message)
        return
    message.repeated += 1
    core.batch.change(message)
    core.show(message)
    customer.queued = deque(sorted((message, *customer.queued), key=attrgetter("id")))


def refused(core: Core, message: Message) -> None:
    """End a message that a platform will never take."""
    message.state = State.REJECTED
    core.show(message)
    core.forget(message)


def _again(core: Core, message: Message) -> None:
    if _still_right(core, message):
        enqueue(core, message)
    else:
        refused(core, message)
