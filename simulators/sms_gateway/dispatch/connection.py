"""What connections of platforms have in common, whichever protocol they speak."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic

from simulators.sms_gateway.messages import Bind
from simulators.sms_gateway.procedures import binding, handing, submitting
from simwarden.machine.windowed_session import Answered, Asked, B, BindAsked, Closed, Fault, P
from simwarden.operations.guessing import address_of
from simwarden.runtime.driven import Driven

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.sms_gateway.causes import Why
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Customer, Message, Request
    from simwarden.machine.windowed_session import SessionEvent, WindowedSession
    from simwarden.runtime.link import Link


class Connection(Bind, Generic[P, B]):
    """One connection of a platform's; `over` is told when there is nothing more to do with it."""

    #: answers after which a message is sent again later
    temporary: frozenset[int]

    def __init__(
        self, core: Core, link: Link, over: Callable[[Connection[Any, Any]], None], session: WindowedSession[P, B, Any]
    ) -> None:
        self._core, self._link, self._over = core, link, over
        self._customer: Customer | None = None
        #: what was handed over, whose answers are to come
        self._flying: dict[int, Message] = {}
        self._session = session
        self._driven = Driven(core.site, link, session, self._take)

    @abstractmethod
    def _bind(self, pdu: P, bind: B) -> None:
        """Accept or refuse a bind."""

    @abstractmethod
    def _read_request(self, customer: Customer, pdu: P) -> Request | None:
        """Return the message that a request submits; None for a request that was answered."""

    @abstractmethod
    def _acknowledge(self, pdu: P, outcome: Message | Why) -> None:
        """Answer a request that has submitted a message."""

    @abstractmethod
    def _answered(self, sequence: int, answer: P | None) -> None:
        """Handle the answer to a message that was handed over; None: there was none."""

    def end(self) -> None:
        """See Bind."""
        self._session.unbind(self._core.site.clock.now())
        self._driven.settle()

    def drop(self, reason: str) -> None:
        """Be gone without a word."""
        self._driven.drop(reason)

    def _take(self, event: SessionEvent[P, B]) -> None:
        match event:
            case BindAsked(pdu, bind):
                self._bind(pdu, bind)
            case Asked(pdu):
                self._submit(pdu)
            case Answered(asked, answer):
                self._answered(asked.sequence, answer)
            case Fault(reason, data):
                self._core.site.peer_fault(self._link, reason, data)
            case Closed(reason):
                self._closed(reason)
            case _:
                pass

    @property
    def _address(self) -> str:
        return address_of(self._link.remote, internal=self._link.internal)

    def _full(self, customer: Customer) -> bool:
        """Whether a customer has as many binds as it may."""
        return len(customer.binds) >= self._core.config.customers.binds

    def _enter(self, customer: Customer) -> None:
        """Be a customer's bind from now on."""
        self._link.know()
        self._customer = customer
        customer.binds.append(self)
        binding.show(self._core, customer)

    def _submit(self, pdu: P) -> None:
        customer = self._customer
        assert customer is not None  # noqa: S101 - who is not bound is asked for that first
        request = self._read_request(customer, pdu)
        if request is None:
            return

        def told(outcome: Message | Why) -> None:
            self._acknowledge(pdu, outcome)
            self._driven.settle_soon()

        submitting.submit(self._core, customer, request, told)

    def _closed(self, reason: str) -> None:
        self._over(self)
        if self._customer is not None:
            self._customer.binds.remove(self)
            binding.show(self._core, self._customer)
        self._core.site.note(f"a connection of a platform is over: {reason}")

    def _settled(self, sequence: int, code: int | None) -> None:
        """Take note of the answer to what was handed over: 0 it is taken, others are codes; None: there was none."""
        message, customer = self._flying.pop(sequence), self._customer
        assert customer is not None  # noqa: S101 - what flies was handed to a customer's bind
        if code is None or code in self.temporary:
            handing.not_handed(self._core, message, unanswered=code is None)
        elif code:
            handing.refused(self._core, message)
        else:
            handing.handed(self._core, message)
        handing.hand_over(customer)
