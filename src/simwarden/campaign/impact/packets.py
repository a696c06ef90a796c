"""From a change to the last user packet, short message or call that got out or got in."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from simwarden.campaign.impact.measures import MeaninglessError, Meter, rounded
from simwarden.trace.events import StateChange

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from simwarden.campaign.record import Figure
    from simwarden.trace.events import Event

#: what a terminal tells of its address, of packets and messages that came to it, and of its call
_ADDRESS, _RECEIVED, _MESSAGE, _CALL = "address", "received", "sms", "call"


class ThroughMeter(Meter):
    """Counts what a few terminals send where it arrives, and at the terminals what comes from there."""

    #: the word for what is counted
    what = "packets"

    def __init__(self, terminals: Collection[str], arrived: tuple[str, str]) -> None:
        self.terminals, self.arrived = frozenset(terminals), arrived
        self.changed: float | None = None
        self._before = 0
        self._times: dict[str, list[float]] = {"out": [], "in": []}

    @abstractmethod
    def way(self, event: StateChange) -> str:
        """Return which way something came by what an event tells: `out`, `in`, or empty for none."""

    def on_step(self, name: str, time: float) -> None:
        """See Meter."""
        if name == "change":
            self.changed = time

    def take(self, event: Event) -> None:
        """See Meter."""
        way = self.way(event) if isinstance(event, StateChange) and event.value is not None else ""
        if way and self.changed is not None:
            self._times[way].append(event.time)
        elif way == "out":
            self._before += 1

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        if self.changed is None or not self._before:
            raise MeaninglessError(f"no {self.what.removesuffix('s')} got out before the change")
        found: dict[str, Figure] = {}
        for way, times in self._times.items():
            found[f"last_{way}"] = rounded(times[-1] - self.changed) if times else None
            found[f"{self.what}_{way}"] = len(times)
        return found | {"watched": rounded(end - self.changed)}


class PacketsMeter(ThroughMeter):
    """Counts packets: at the far end by the addresses that the terminals have."""

    def __init__(self, terminals: Collection[str], arrived: tuple[str, str]) -> None:
        super().__init__(terminals, arrived)
        self._addresses: set[str] = set()

    def way(self, event: StateChange) -> str:
        """See ThroughMeter."""
        if event.element in self.terminals:
            if event.observable == _ADDRESS:
                self._addresses.add(event.value)
            return "in" if event.observable == _RECEIVED else ""
        there = (event.element, event.observable) == self.arrived
        return "out" if there and event.value["source"] in self._addresses else ""


class MessagesMeter(ThroughMeter):
    """Counts short messages: whatever comes to the platform, and to the terminals."""

    what = "messages"

    def way(self, event: StateChange) -> str:
        """See ThroughMeter."""
        if event.element in self.terminals and event.observable == _MESSAGE:
            return "in"
        return "out" if (event.element, event.observable) == self.arrived else ""


class CallsMeter(ThroughMeter):
    """Counts calls where they ring, at the far end and at the terminals; and sees the one in progress end."""

    what = "calls"

    def __init__(self, terminals: Collection[str], arrived: tuple[str, str]) -> None:
        super().__init__(terminals, arrived)
        self._talks = False
        self._ended: float | None = None

    def take(self, event: Event) -> None:
        """See Meter."""
        super().take(event)
        if isinstance(event, StateChange) and event.element in self.terminals and event.observable == _CALL:
            if self._talks and self.changed is not None and self._ended is None:
                self._ended = rounded(event.time - self.changed)
            self._talks = event.value == "connected" and self.changed is None

    def way(self, event: StateChange) -> str:
        """See ThroughMeter."""
        if event.element in self.terminals and event.observable == _CALL:
            return "in" if event.value == "ringing" else ""
        return "out" if (event.element, event.observable) == self.arrived else ""

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        return {**super().figures(end), "ended": self._ended}
