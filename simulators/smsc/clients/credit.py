"""Credit for messages, in the shape of Ro (TS 32.274 5.3.2, TS 32.299 6.3): reserve, check, debit, refund.

An OCS (`Ro`, in `ocs`) is asked by Credit-Control-Requests of the context 32274@3gpp.org, with one unit a message; it
answers when it answers, with a Result-Code. Without one `Counter` answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from simulators.smsc import controls
from simwarden.wire.diameter import ResultCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.smsc.store import Store
    from simwarden.runtime.site import Site


class Request(NamedTuple):
    """What a Credit-Control-Request says (TS 32.299 6.4.2): whose units, how many, and by which date they count."""

    imsi: str
    """Subscription-Id (END_USER_IMSI)."""
    when: float
    """Event-Timestamp, in seconds since 1970."""
    units: int = 1
    """CC-Service-Specific-Units."""
    on: str = controls.MO
    """What it is for, by the occasion of the control that decides."""
    message: int = 0
    """The number of the message, of which there is no other."""


class CreditControl(Protocol):
    """Who grants units for messages. What was reserved is debited or refunded once, when the message is over."""

    def reserve(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        """Reserve units (INITIAL_REQUEST with a Requested-Service-Unit); `told` hears the Result-Code."""

    def check(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        """Ask whether what was reserved is still covered (EVENT_REQUEST, CHECK_BALANCE); nothing is moved."""

    def debit(self, request: Request) -> None:
        """Say that what was reserved was used (TERMINATION_REQUEST with a Used-Service-Unit)."""

    def refund(self, request: Request) -> None:
        """Give back what was reserved (TERMINATION_REQUEST without use, or REFUND_ACCOUNT)."""


class Counter:
    """The centre's own counter: so many messages of a card a calendar month, kept with the messages themselves."""

    def __init__(self, site: Site, store: Store) -> None:
        self._site, self._store = site, store

    def reserve(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        """Count units that the quota allows; see CreditControl."""
        result = self._judge(request, self.used(request))
        if result is ResultCode.DIAMETER_SUCCESS:
            self._store.charge(request.imsi, self._month(request), units=request.units)
        told(result)

    def check(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        """Compare with the quota as it is now, which may be lower than it was; see CreditControl."""
        told(self._judge(request, self.used(request) - request.units))

    def debit(self, request: Request) -> None:
        """Leave it counted: a reservation and a use are the same here."""

    def refund(self, request: Request) -> None:
        """Count so many less in the month in which they were counted."""
        self._store.charge(request.imsi, self._month(request), units=-request.units)

    def used(self, request: Request) -> int:
        """Return how many units are used or reserved in the month of a request."""
        return self._store.used(request.imsi, self._month(request))

    def _month(self, request: Request) -> str:
        return self._site.clock.month(request.when)

    def _judge(self, request: Request, used: int) -> ResultCode:
        card = self._store.card(request.imsi)
        quota = card.sms.quota if card is not None and card.sms is not None else 0
        facts = {"used": used, "parts": request.units, "quota": quota}
        if self._site.decide(controls.QUOTA, request.imsi, on=request.on, **facts).admitted:
            return ResultCode.DIAMETER_SUCCESS
        return ResultCode.DIAMETER_CREDIT_LIMIT_REACHED
