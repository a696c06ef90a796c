"""The state of one gateway while it runs: customers, cards, codes, and the messages that are not over."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.sms_gateway.controls import LIST_CHANGES
from simulators.sms_gateway.messages import Customer, Kind, State
from simulators.sms_gateway.passwords import with_hash
from simwarden.operations.approval import Audit
from simwarden.operations.guessing import Tries
from simwarden.operations.restriction import Restriction
from simwarden.policy.numbers import Party, party
from simwarden.runtime.batch import Batch

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from simulators.sms_gateway.config import Account, SmsGatewayConfig
    from simulators.sms_gateway.messages import Card, Group, Message
    from simulators.sms_gateway.store import Store
    from simwarden.operations.access_codes import AllocatedCode
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.site import Site

#: how long a receipt may be late, in seconds, before a message counts as one of which nothing is known
_GRACE = 3600.0


class Core:
    """What one gateway knows. It calls what its owner sets.

    `wake` when a message waits for the SMSC, `expire` when one's time is over, and `review` with what tells the
    messages that a change concerns.
    """

    def __init__(self, site: Site, config: SmsGatewayConfig, store: Store) -> None:
        self.site, self.config, self.store = site, config, store
        self.audit = Audit(site, store.audit, count=store.count_changes)
        self.list_changes = Restriction(self.audit, LIST_CHANGES, config.list_changes, ("list-changed",))
        self.batch = Batch(store, asyncio.get_running_loop().call_soon, partial(site.clock.call_later, config.retry))
        self.customers: dict[str, Customer] = {}
        self.tries = Tries(config.guessing.period)
        self.cards: dict[str, Card] = {}
        self.by_number: dict[Party, Card] = {}
        self.codes: dict[Party, AllocatedCode] = {}
        self.messages: dict[int, Message] = {}
        self.by_centre_id: dict[str, Message] = {}
        #: messages that wait for the SMSC, in order, and parts that wait for others
        self.waiting: deque[Message] = deque()
        self.groups: dict[tuple[str, str, str, int, bool], Group] = {}
        #: what the SMSC is to take back, and the codes and numbers of what of that was not sent yet
        self.cancels: deque[Message] = deque()
        self.unsent: set[tuple[str, str]] = set()
        #: messages that were sent to the SMSC, whose answers are to come, and how often was reviewed what waits by then
        self.flying: dict[int, int] = {}
        self.reviews = 0
        self.wake: Callable[[], None] = lambda: None
        self.expire: Callable[[Message], None] = lambda _: None
        self.review: Callable[[Callable[[Message], bool]], None] = lambda _: None
        self._due: list[tuple[float, int]] = []
        self._timer: Timer | None = None
        self._load()

    def _load(self) -> None:
        site, config, store = self.site, self.config, self.store
        accounts = store.accounts()
        for name, (held, stamp) in accounts.items():
            if held is not None:
                self.customers[name] = Customer(name, held, stamp)
        for name, account in config.accounts.items():
            if name not in accounts:
                self.put_account(name, with_hash(account, site.rng.randbytes(16)))
        for card in store.cards():
            self.take_card(card)
        self.version = int(store.number("version"))
        self.confirmed = store.number("confirmed")
        codes = store.codes() if config.keeper else dict(config.codes)
        self.codes = {party(code): each for code, each in codes.items()}
        self._next = int(store.number("next", 1))

    # -- time and numbers

    def now(self) -> float:
        """The time of the calendar (POSIX)."""
        return self.site.clock.wall().timestamp()

    def date(self, when: float) -> dt.datetime:
        """Return a time (POSIX) as the operator's date."""
        return self.site.clock.local(when)

    def next_id(self) -> int:
        """Return the number of a new message, which is kept with it: none that was acknowledged is given twice."""
        self._next += 1
        return self._next - 1

    @property
    def list_age(self) -> float:
        """Seconds since the list of codes was confirmed; 0 where nobody else keeps it."""
        return max(0.0, self.now() - self.confirmed) if self.config.keeper else 0.0

    # -- customers

    def put_account(self, name: str, account: Account, audit: dict[str, Any] | None = None) -> None:
        """Take a customer, or what has changed of one, with the hash of its password."""
        held = self.customers.get(name)
        self.store.put_account(name, account, held.stamp if held else None, audit)
        if held is None:
            self.customers[name] = Customer(name, account)
        else:
            held.account = account

    def customer_by(self, field: str, value: str) -> Customer | None:
        """Return the customer whose `system_id` or `source_addr` is a value."""
        return next((each for each in self.customers.values() if value and getattr(each.account, field) == value), None)

    # -- cards and codes

    def take_card(self, card: Card) -> None:
        """Know a card, or what has changed of one."""
        held = self.cards.get(card.imsi)
        if held is not None and held.msisdn:
            self.by_number.pop(party(held.msisdn), None)
        self.cards[card.imsi] = card
        if card.msisdn:
            self.by_number[party(card.msisdn)] = card

    def owner_of(self, number: Party) -> str:
        """Return whose a code is; empty for nobody's."""
        found = self.codes.get(number)
        return found.account if found is not None else ""

    # -- messages

    def take_up(self, message: Message) -> None:
        """Hold a message that is not over."""
        self.messages[message.id] = message
        if message.centre_id:
            self.by_centre_id[message.centre_id] = message
        if message.kind is Kind.TO_CARD:
            self._arm(_over_at(message), message.id)

    def forget(self, message: Message) -> None:
        """Let go of a message that is over."""
        self.messages.pop(message.id, None)
        self.by_centre_id.pop(message.centre_id, None)
        self.batch.drop(message)

    def show(self, message: Message) -> None:
        """Tell of a message as it is now."""
        kinds = {Kind.TO_CARD: "to-card", Kind.FROM_CARD: "from-card", Kind.RECEIPT: "receipt"}
        shown: dict[str, Any] = {
            "id": message.text_id,
            "direction": kinds[message.kind],
            "account": message.account,
            "code": message.code,
            "imsi": message.card,
            "state": message.state.value,
            "repeated": message.repeated,
        }
        self.site.observe("message", shown, key=message.text_id)

    # -- what is over by time

    def _arm(self, when: float, message: int) -> None:
        heapq.heappush(self._due, (when, message))
        if self._due[0] == (when, message):
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.site.clock.call_later(max(0.0, self._due[0][0] - self.now()), self._ring)

    def _ring(self) -> None:
        now = self.now()
        while self._due and self._due[0][0] <= now:
            message = self.messages.get(heapq.heappop(self._due)[1])
            if message is not None and _over_at(message) <= now:
                self.expire(message)
        if self._due:
            self._set_timer()

    def close(self) -> None:
        """Write nothing more, and wake no more."""
        self.batch.over = True
        self.wake, self.expire = lambda: None, lambda _: None
        if self._timer is not None:
            self._timer.cancel()


def _over_at(message: Message) -> float:
    return message.until + (_GRACE if message.state is State.FORWARDED else 0)
