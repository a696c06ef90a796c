"""Which message carries a decision: the one that the element sends upon it, else the one that made it decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.trace.events import Decided, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.trace.events import Event

#: seconds within which what an element sends counts as said because of its decision
WINDOW: Final = 0.05


def frames_of_decisions(events: Sequence[Event]) -> Iterator[tuple[Decided, Frame]]:
    """Yield each decision with its message, in the order of decisions.

    An element that decides and stays silent (a terminal that gives the card up) is shown on what it heard before. A
    decision of an element that had no message at all is left out.
    """
    for position, event in enumerate(events):
        if isinstance(event, Decided):
            frame = _answer(events, position, event) or _question(events, position, event)
            if frame is not None:
                yield event, frame


def _answer(events: Sequence[Event], position: int, decided: Decided) -> Frame | None:
    for place in range(position + 1, len(events)):  # a copy of the rest for each decision is what a fleet waits for
        event = events[place]
        if event.time > decided.time + WINDOW:
            return None
        if isinstance(event, Frame):
            if event.source == decided.element:
                return event
            if event.target == decided.element:
                return None
    return None


def _question(events: Sequence[Event], position: int, decided: Decided) -> Frame | None:
    for place in range(position - 1, -1, -1):
        event = events[place]
        if isinstance(event, Frame) and event.target == decided.element:
            return event
    return None
