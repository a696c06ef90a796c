"""Which message carries a decision, and that it is found in one look at each event, however many there are."""

from __future__ import annotations

from collections import UserList
from typing import TYPE_CHECKING, Any

import pytest
from traces import LEARNED, Teller

from simwarden.policy.decision import Verdict
from simwarden.trace.verdicts import WINDOW, frames_of_decisions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.trace.events import Event


def carried(tell: Teller) -> list[tuple[int, int]]:
    """Decisions and their messages by number."""
    return [(decided.number, frame.number) for decided, frame in frames_of_decisions(tell.events)]


def asked(tell: Teller, source: str = "mme", target: str = "hss") -> None:
    tell.frame("S6a", source, target, b"", up=True)


def decided(tell: Teller) -> None:
    tell.decide("hss", LEARNED, Verdict.REFUSE, "")


def test_what_an_element_says_upon_its_decision_carries_it() -> None:
    tell = Teller()
    asked(tell)
    decided(tell)
    asked(tell, "mme", "eir")
    asked(tell, "hss", "mme")
    assert carried(tell) == [(2, 4)]


@pytest.mark.parametrize("later", [True, False], ids=["says it too late", "hears something else first"])
def test_one_that_says_nothing_then_is_shown_on_what_it_heard(later: bool) -> None:  # noqa: FBT001 - a parameter
    tell = Teller()
    asked(tell)
    asked(tell, "mme", "eir")
    decided(tell)
    if later:
        tell.time += 2 * WINDOW
    else:
        asked(tell)
    asked(tell, "hss", "mme")
    assert carried(tell) == [(3, 1)]


def test_one_that_had_no_message_has_none() -> None:
    tell = Teller()
    asked(tell, "mme", "eir")
    decided(tell)
    assert carried(tell) == []


class Counted(UserList["Event"]):
    """Counts how often an event is looked at."""

    looked = 0

    def __iter__(self) -> Iterator[Event]:
        for each in self.data:
            self.looked += 1
            yield each

    def __reversed__(self) -> Iterator[Event]:
        for each in reversed(self.data):
            self.looked += 1
            yield each

    def __getitem__(self, place: Any) -> Any:
        self.looked += 1
        return self.data[place]


def test_the_decisions_of_a_fleet_are_found_in_two_looks_at_each_event() -> None:
    """A network that starts decides for each card, and nobody says anything: the worst case."""
    tell = Teller()
    for _ in range(500):
        decided(tell)
    events = Counted(tell.events)
    assert [*frames_of_decisions(events)] == []
    assert events.looked == 2 * 500
