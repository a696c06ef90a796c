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
    following = _following(events)
    heard: dict[str, Frame] = {}
    for event in events:
        if isinstance(event, Frame):
            heard[event.target] = event
        elif isinstance(event, Decided):
            frame = _answer(event, following.pop()) or heard.get(event.element)
            if frame is not None:
                yield event, frame


def _following(events: Sequence[Event]) -> list[Frame | None]:
    """Return of each decision, the last one first, the next message that its element sends or gets."""
    found: list[Frame | None] = []
    near: dict[str, Frame] = {}
    for event in reversed(events):
        if isinstance(event, Frame):
            near[event.source] = near[event.target] = event
        elif isinstance(event, Decided):
            found.append(near.get(event.element))
    return found


def _answer(decided: Decided, frame: Frame | None) -> Frame | None:
    """Return the next message of an element if it is what the element says upon its decision."""
    if frame is None or frame.source != decided.element or frame.time > decided.time + WINDOW:
        return None
    return frame
