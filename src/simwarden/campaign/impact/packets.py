"""From a change to the last user packet that got out, or got in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.campaign.impact.measures import MeaninglessError, Meter, rounded
from simwarden.trace.events import StateChange

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from simwarden.campaign.impact.measures import Figure
    from simwarden.trace.events import Event

#: what a terminal tells of its address, and of packets that came to it
_ADDRESS, _RECEIVED = "address", "received"


class PacketsMeter(Meter):
    """Counts packets of a few terminals at the far end, and at the terminals those from there."""

    def __init__(self, terminals: Collection[str], arrived: tuple[str, str]) -> None:
        self._terminals, self._arrived = frozenset(terminals), arrived
        self._addresses: set[str] = set()
        self._changed: float | None = None
        self._before = self._out = self._in = 0
        self._last_out: float | None = None
        self._last_in: float | None = None

    def mark(self, word: str, time: float) -> None:
        """See Meter."""
        if word == "change":
            self._changed = time

    def take(self, event: Event) -> None:
        """See Meter."""
        if not isinstance(event, StateChange) or event.value is None:
            return
        if event.element in self._terminals and event.observable == _ADDRESS:
            self._addresses.add(event.value)
        elif event.element in self._terminals and event.observable == _RECEIVED:
            if self._changed is not None:
                self._in, self._last_in = self._in + 1, event.time
        elif (event.element, event.observable) == self._arrived and event.value["source"] in self._addresses:
            if self._changed is None:
                self._before += 1
            else:
                self._out, self._last_out = self._out + 1, event.time

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        if self._changed is None or not self._before:
            raise MeaninglessError("no packet got out before the change")
        changed = self._changed

        def after(time: float | None) -> Figure:
            return None if time is None else rounded(time - changed)

        return {
            "last_out": after(self._last_out),
            "packets_out": self._out,
            "last_in": after(self._last_in),
            "packets_in": self._in,
            "watched": after(end),
        }
