"""Cards that an element holds in memory, by IMSI and by number: the part that its store shares with others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from simwarden.policy.numbers import Party, party

if TYPE_CHECKING:
    from collections.abc import Iterator


class Numbered(Protocol):
    """A card with its own identity, and its number in any spelling; empty: none."""

    @property
    def imsi(self) -> str:
        """Its IMSI."""

    @property
    def msisdn(self) -> str:
        """Its number."""


CardT = TypeVar("CardT", bound=Numbered)


class HeldCards(Generic[CardT]):
    """The cards of one element. A number is that of one card."""

    def __init__(self) -> None:
        self._cards: dict[str, CardT] = {}
        self._imsis: dict[Party, str] = {}

    def cards(self) -> Iterator[CardT]:
        """Yield all cards, by IMSI."""
        return (self._cards[imsi] for imsi in sorted(self._cards))

    def card(self, imsi: str) -> CardT | None:
        """Return a card."""
        return self._cards.get(imsi)

    def numbered(self, number: str, ton: int = 0) -> CardT | None:
        """Return the card that has a number, in whatever spelling; `ton`: its type, as in `policy.numbers.party`."""
        imsi = self._imsis.get(party(number, ton)) if number.strip() else None
        return self._cards[imsi] if imsi is not None else None

    def take(self, card: CardT) -> None:
        """Hold a card, or what it has become."""
        former = self._cards.get(card.imsi)
        if former is not None and former.msisdn.strip():
            self._imsis.pop(party(former.msisdn), None)
        self._cards[card.imsi] = card
        if card.msisdn.strip():
            self._imsis[party(card.msisdn)] = card.imsi
