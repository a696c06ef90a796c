"""The lists that cards have in an element (numbers, destinations), changed by the operator with an approval record.

An element makes a part of this class: it says how its section of a card is called and read, and has routes of its own,
whose bodies are `_provision` and `_change`.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

from pydantic import AwareDatetime  # noqa: TC002 - a field's type, resolved by pydantic

from simwarden.errors import ManagementError
from simwarden.operations.approval import By, without_approval
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditPage, AuditTold, CardProvision
from simwarden.policy.operator import PROVISION
from simwarden.runtime.declare import Model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import Field

    from simwarden.operations.restriction import Restriction
    from simwarden.runtime.site import Site

#: the audited action of a list that a card has for the first time, and of a changed one, which the limit counts
GIVEN_LIST, CHANGED_LIST = "list", "list-changed"
#: who may call what changes a list: a control decides about the role
BOTH: Final = (Role.OPERATOR, Role.CUSTOMER)


class ListAsked(Model):
    """Which list of a card is told."""

    at: AwareDatetime | None = None
    """The one that it had at this time (RFC 3339); left out: the one that it has."""


class ListHeld(Model):
    """The list of a card."""

    imsi: str
    since: str
    """When it was given; empty: it was given none."""
    list: dict[str, Any] | None
    """As its section of the card says; null: it has none."""
    used: dict[str, int]
    """What it has used of it this month."""


class ListedCard(Protocol):
    """A card as an element holds it: a dataclass, of which a field named as the section is its list (None: none)."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def imsi(self) -> str:
        """Its IMSI."""

    def tell(self) -> dict[str, Any]:
        """Tell of it, its list under the section's name."""


C = TypeVar("C", bound=ListedCard)


class ListStore(Protocol[C]):
    """Where an element keeps them."""

    def card(self, imsi: str, /) -> C | None:
        """Return a card."""

    def put(self, card: C, audit: dict[str, Any], /) -> None:
        """Keep a card with the audit record of the change."""

    def audited(self, imsi: str = "", *, after: int = 0, most: int | None = None) -> list[dict[str, Any]]:
        """Return audit records, the oldest first."""


class ListCore(Protocol[C]):
    """What the part of an element works on."""

    @property
    def site(self) -> Site:
        """Its place in the network."""

    @property
    def store(self) -> ListStore[C]:
        """Its cards."""

    @property
    def lists(self) -> Restriction:
        """The controls of changes."""

    def show_list(self, card: C) -> None:
        """Report the list of a card."""


class CardLists(ABC, Generic[C]):
    """The lists of an element's cards."""

    #: how the section of a card is called that has its list, and what reads it
    section: ClassVar[str]
    model: ClassVar[type[Model]]

    def __init__(self, core: ListCore[C]) -> None:
        self.core = core

    @abstractmethod
    def new(self, wanted: CardProvision, held: C | None) -> C:
        """Make a card of what it is provisioned with, its list aside; `held` is the one that there is."""

    @abstractmethod
    def check(self, card: C, wanted: Any, by: By, action: str) -> None:
        """Let the list of a card be no longer or wider than it may. Raises ManagementError (403)."""

    async def follow(self, card: C) -> None:
        """Have what goes on heed the list that a card has now."""

    def used(self, _card: C) -> dict[str, int]:
        """Return what a card has used this month of what its list lets it, by unit; nothing where nobody counts."""
        return {}

    @route("GET", "/cards/{imsi}/list", query=ListAsked, gives=ListHeld, errors=(404,))
    async def held_list(self, call: Call) -> dict[str, Any]:
        """Tell the list of a card, or the one that it had at a time, with since when, and what is used this month."""
        imsi, at = call.path["imsi"], call.query.at
        records = [each for each in self.core.store.audited(imsi) if self._gives(each)]
        if at is not None:
            records = [each for each in records if dt.datetime.fromisoformat(each["at"]) <= at]
        since, held = (records[-1]["at"], records[-1]["details"]["after"]) if records else ("", None)
        if at is not None:
            return {"imsi": imsi, "since": since, "list": held, "used": {}}
        card = self._card(imsi)
        return {"imsi": imsi, "since": since, "list": card.tell()[self.section], "used": self.used(card)}

    @staticmethod
    def _gives(record: Mapping[str, Any]) -> bool:
        """Whether an audit record is of a list that a card was given: what else is provisioned is no section."""
        given = record["action"] in {"provision", GIVEN_LIST, CHANGED_LIST}
        return given and isinstance(record["details"].get("after"), dict | None)

    @route("GET", "/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit(self, call: Call) -> list[dict[str, Any]]:
        """Tell audit records, the oldest first."""
        return self.core.store.audited(after=call.query.after, most=call.query.limit)

    async def _provision(self, call: Call) -> C:
        """Take a card with its list. One that is held is not changed this way. Raises ManagementError (409, 403)."""
        wanted: CardProvision = call.given
        by, entry, held = By.of(call), wanted.entry(self.section, self.model), self.core.store.card(wanted.imsi)
        if held is not None and self._list(held) is not None:
            self.core.lists.stays(wanted.imsi, by, changed=entry != self._list(held))
        card = replace(self.new(wanted, held), **{self.section: entry})
        if entry is not None:
            self.check(card, entry, by, PROVISION)
        return await self._put(card, by, "provision")

    async def _change(self, call: Call, action: str) -> C:
        """Give a card the list that a call says, or none: by the operator, with an approval record, so many times.

        Raises ManagementError (403, 404, 429).
        """
        imsi, by, given = call.path["imsi"], By.of(call), call.given
        entry = without_approval(self.model, given) if isinstance(given, self.model) else None
        self.core.lists.approve(imsi, by, action)
        card = self._card(imsi)
        held = self._list(card) is not None
        if held:
            self.core.lists.once_more(imsi, by, action)
        if entry is not None:
            self.check(card, entry, by, action)
        return await self._put(replace(card, **{self.section: entry}), by, CHANGED_LIST if held else GIVEN_LIST)

    async def _put(self, card: C, by: By, action: str) -> C:
        before = self.core.store.card(card.imsi)
        told = before.tell()[self.section] if before is not None else None
        details = {"before": told, "after": card.tell()[self.section]}
        self.core.store.put(card, self.core.lists.record(action, card.imsi, by, details))
        self.core.show_list(card)
        await self.follow(card)
        return card

    def _list(self, card: C) -> Any:
        return getattr(card, self.section)

    def _card(self, imsi: str) -> C:
        """Return a card. Raises ManagementError (404)."""
        card = self.core.store.card(imsi)
        if card is None:
            raise ManagementError(404, f"{self.core.site.name} has no card {imsi}")
        return card


def keep_number(wanted: CardProvision, other: Any) -> None:
    """Let the number of a card be that of no `other` one, or what is for this card would go there.

    Raises ManagementError (409).
    """
    if other is not None and other.imsi != wanted.imsi:
        raise ManagementError(409, f"another card has the number {wanted.msisdn}")
