"""What a section of a card says of it, in the terms by which cards are judged (guideline 3.1.2, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from simwarden.policy.access_list import Destination

_LISTS = ("voice", "sms", "data", "apns")
#: the entry of a list by which the other party is not limited
ANYBODY = "*"


@dataclass(frozen=True, slots=True)
class Held:
    """Words of controls that a section puts in force, and the lists of those whom it lets the card reach."""

    has: frozenset[str] = frozenset()
    voice: tuple[str, ...] = ()
    sms: tuple[str, ...] = ()
    data: tuple[Destination, ...] = ()
    apns: tuple[str, ...] = ()

    def __or__(self, other: Held) -> Held:
        """Return what two sections say together."""
        both = {name: tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name)))) for name in _LISTS}
        return Held(self.has | other.has, **both)


@runtime_checkable
class Holds(Protocol):
    """The model of a section that says it itself: one that puts a control in force by some of its values only."""

    def held(self) -> Held:
        """Return what it says."""
        ...
