"""What connections of platforms have in common, whichever protocol they speak."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from simulators.sms_gateway.procedures import binding, handing
from simwarden.operations.guessing import address_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Customer, Message
    from simwarden.runtime.driven import Driven
    from simwarden.runtime.link import Link


class Connection(ABC):
    """One connection of a platform's; `over` is told when there is nothing more to do with it."""

    _driven: Driven[Any]

    def __init__(self, core: Core, link: Link, over: Callable[[Connection], None]) -> None:
        self._core, self._link, self._over = core, link, over
        self._customer: Customer | None = None
        #: what was handed over, whose answers are to come
        self._flying: dict[int, Message] = {}

    @property
    @abstractmethod
    def room(self) -> int:
        """See Bind."""

    @abstractmethod
    def hand(self, message: Message) -> None:
        """See Bind."""

    @abstractmethod
    def end(self) -> None:
        """See Bind."""

    def drop(self, reason: str) -> None:
        """Be gone without a word."""
        self._driven.drop(reason)

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

    def _closed(self, reason: str) -> None:
        self._over(self)
        if self._customer is not None:
            self._customer.binds.remove(self)
            binding.show(self._core, self._customer)
        self._core.site.note(f"a connection of a platform is over: {reason}")

    def _settled(self, sequence: int, code: int | None, temporary: frozenset[int]) -> None:
        """Take note of the answer to what was handed over: 0 it is taken, others are codes; None: there was none."""
        message, customer = self._flying.pop(sequence), self._customer
        assert customer is not None  # noqa: S101 - what flies was handed to a customer's bind
        if code is None or code in temporary:
            handing.not_handed(self._core, message, unanswered=code is None)
        elif code:
            handing.refused(self._core, message)
        else:
            handing.handed(self._core, message)
        handing.hand_over(customer)
