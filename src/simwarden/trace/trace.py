"""The trace: one ordered stream of events, handed to its sinks as they happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from simwarden.trace.events import Event

Sink = Callable[[Event], None]
E = TypeVar("E", bound=Event)


class Trace:
    """Numbers events, stamps them with the run's time and hands each to every sink.

    `keep` says whether events stay in memory (`events`): a run that only counts, or a server, turns it off.
    """

    def __init__(self, now: Callable[[], float], *, keep: bool = True) -> None:
        self._now = now
        self._count = 0
        self._sinks: list[Sink] = []
        self.events: list[Event] = []
        #: whether user packets are frames of the trace as well: a sink that wants to see each of them says so
        self.show_packets = False
        if keep:
            self._sinks.append(self.events.append)

    def add_sink(self, sink: Sink) -> None:
        """Have every later event handed to `sink`."""
        self._sinks.append(sink)

    def emit(self, event: Event) -> None:
        """Give the event its number and time, and hand it out."""
        self._count += 1
        event.number = self._count
        event.time = self._now()
        for sink in self._sinks:
            sink(event)

    def replay(self, event: Event) -> None:
        """Hand out an event of an earlier trace, with the number and time that it has."""
        self._count = event.number
        for sink in self._sinks:
            sink(event)

    @property
    def last_number(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._count

    def since(self, number: int, of: type[E]) -> Iterator[E]:
        """Yield the kept events of a type that came after event `number`, in order."""
        start = number if len(self.events) == self._count else 0
        for event in self.events[start:]:
            if event.number > number and isinstance(event, of):
                yield event
