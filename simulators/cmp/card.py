"""A card as the platform holds it, and what is to become of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from simwarden.policy.card_states import CardState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

#: a change of a held binding, which the limit counts
REBIND = "rebind"


@dataclass(slots=True, weakref_slot=True)
class Card:
    """One card. `mode` says how it is bound: `given`, `learned`, or not at all; `bound` is empty before a first use.

    IMEIs have 14 digits. `terminal` is the one that the network saw it in last, `first` the first one ever. `operated`
    is when somebody last did something to it, in seconds since 1970, 0 for never. `owner_since` is the number of the
    last audit record before it came to its account. `strayed`: it was served in another terminal since it was bound.
    `handed_over`: it came to its account, and was not served since. `pending` is what the HSS has still to
    be told: `suspend`, `resume`, `close`, `evict` (end what it has; it may attach again), `reopen` (both this and
    resume) or nothing.
    """

    imsi: str
    iccid: str = ""
    msisdn: str = ""
    name: str = ""
    form: str = ""
    account: str = ""
    batch: str = ""
    state: CardState = CardState.TO_ACTIVATE
    mode: str = ""
    bound: str = ""
    terminal: str = ""
    first: str = ""
    mismatches: int = 0
    operated: float = 0.0
    owner_since: int = 0
    strayed: bool = False
    handed_over: bool = False
    pending: str = ""

    @property
    def own_terminal(self) -> str:
        """The terminal that it was seen in last while it was its account's; where it was before is nobody's else."""
        return "" if self.handed_over else self.terminal


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens to a card, for those who want to be told: `terminal-changed`, `mismatch` or `presence`.

    Or `reassigned`: it is another account's, or has another number.
    """

    kind: str
    card: Card
    at: dt.datetime
    details: Mapping[str, Any] = field(default_factory=dict)


class Notice(Protocol):
    """What somebody is to be told of a change: kept in the change's own transaction, and sent after it."""

    def keep(self, connection: Connection) -> None:
        """Keep it in the transaction of the change. It must not touch the database by any other connection."""

    def kept(self) -> None:
        """Hear that the transaction is over: now it may be told."""


@dataclass(slots=True)
class Change:
    """What is to become of a card, kept as one or not at all: new values of its fields, and the records of it.

    `first_use` is the IMEI that binds the card if nothing else has bound it meanwhile. What others are to be told of
    its `happenings` is kept with it. What is in `shown` is called when all is kept, in order.
    """

    card: Card
    values: dict[str, Any] = field(default_factory=dict)
    audit: list[dict[str, Any]] = field(default_factory=list)
    risks: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    first_use: str = ""
    shown: list[Callable[[], None]] = field(default_factory=list)

    def becomes(self, name: str) -> Any:
        """Return what a field of the card will be."""
        return self.values.get(name, getattr(self.card, name))
