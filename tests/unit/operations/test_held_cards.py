"""Cards in memory: found by IMSI and by their number in any spelling, also once they have another one."""

from __future__ import annotations

from typing import NamedTuple

from simwarden.operations.held_cards import HeldCards


class Card(NamedTuple):
    imsi: str
    msisdn: str


METER, CAMERA = Card("001010000000001", "+1 440 000 0001"), Card("001010000000002", "")


def held(*cards: Card) -> HeldCards[Card]:
    found = HeldCards[Card]()
    for each in cards:
        found.take(each)
    return found


def test_cards_are_told_by_imsi() -> None:
    cards = held(CAMERA, METER)
    assert list(cards.cards()) == [METER, CAMERA]
    assert (cards.card(METER.imsi), cards.card("001010000000003")) == (METER, None)


def test_a_number_is_found_in_any_spelling_and_none_is_nobodys() -> None:
    cards = held(METER, CAMERA)
    assert cards.numbered("14400000001", 1) == cards.numbered("+14400000001") == METER
    assert cards.numbered("") is cards.numbered(" ") is cards.numbered("+14400000002") is None


def test_a_number_that_was_changed_is_the_next_cards() -> None:
    cards = held(METER, METER._replace(msisdn="+14400000009"), CAMERA._replace(msisdn=METER.msisdn))
    found = {number: cards.numbered(number) for number in ("+14400000009", METER.msisdn)}
    assert [each and each.imsi for each in found.values()] == [METER.imsi, CAMERA.imsi]
