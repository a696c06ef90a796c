"""What a machine without I/O hands to its owner: what to send, and what happened."""

from __future__ import annotations

from typing import Generic, TypeVar

Out = TypeVar("Out")
Event = TypeVar("Event")


class Outputs(Generic[Out, Event]):
    """The base of machines: two of their five calls."""

    def __init__(self) -> None:
        self._out: list[Out] = []
        self._events: list[Event] = []

    def data_to_send(self) -> list[Out]:
        """Return what to send, and clear it."""
        out, self._out = self._out, []
        return out

    def events(self) -> list[Event]:
        """Return the events since the last call, and clear them."""
        events, self._events = self._events, []
        return events
