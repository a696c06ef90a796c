"""Whom a failing decider hurts: good devices that ask and are not served, and thieves that are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.campaign.impact.measures import SERVED, MeaninglessError, Meter, rounded
from simwarden.trace.events import StateChange

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from simwarden.campaign.record import Figure
    from simwarden.trace.events import Event

#: values of those observables that are no end of a request
_NO_ENDS = frozenset({None, "started", "detached", "off", "no-card", "emergency", "calling", "ringing", "released"})


class BlastMeter(Meter):
    """Follows how the requests of each device end.

    A device is *hurt* if one of its requests was not served between `failed` and the end of the story. It is *out* from
    the first such request to the next that is served.
    """

    def __init__(self, good: Collection[str], thieves: Collection[str], requests: Collection[str]) -> None:
        self._good, self._thieves, self._requests = frozenset(good), frozenset(thieves), frozenset(requests)
        self._failed: float | None = None
        self._returned: float | None = None
        self._served_before: set[str] = set()
        self._out_since: dict[str, float] = {}
        self._hurt: set[str] = set()
        self._out_at_return: set[str] = set()
        self._back: dict[str, float] = {}
        self._longest = 0.0
        self._in: set[str] = set()
        self._inside: set[str] = set()
        self._in_before: set[str] = set()

    def on_step(self, name: str, time: float) -> None:
        """See Meter."""
        if name == "failed":
            self._failed = time
        elif name == "returned":
            self._returned = time
            self._out_at_return = set(self._out_since)

    def take(self, event: Event) -> None:
        """See Meter."""
        if not isinstance(event, StateChange) or event.observable not in self._requests:
            return
        if event.element in self._good and event.value not in _NO_ENDS:
            self._of_good(event.element, event.time, served=event.value in SERVED)
        elif event.element in self._thieves and event.value not in _NO_ENDS:
            self._of_thief(event.element, served=event.value in SERVED)

    def _of_thief(self, name: str, *, served: bool) -> None:
        (self._inside.add if served else self._inside.discard)(name)
        if served:
            (self._in_before if self._failed is None else self._in).add(name)

    def _of_good(self, name: str, time: float, *, served: bool) -> None:
        if self._failed is None:
            if served:
                self._served_before.add(name)
            return
        if not served:
            self._hurt.add(name)
            self._out_since.setdefault(name, time)
            return
        since = self._out_since.pop(name, None)
        if since is not None:
            self._longest = max(self._longest, time - since)
            if name in self._out_at_return:
                self._back.setdefault(name, time)

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        if self._failed is None or self._returned is None or not self._served_before:
            raise MeaninglessError("no good device was served before the decider failed")
        if self._in_before:
            raise MeaninglessError(f"{len(self._in_before)} thieves were served before the decider failed")
        stay_out = set(self._out_since)
        slowest = max(self._back.values(), default=None)
        return {
            "good": len(self._good),
            "hurt": len(self._hurt),
            "out_at_return": len(self._out_at_return),
            "longest_out": rounded(max(self._longest, *(end - since for since in self._out_since.values()), 0.0)),
            "all_back": None if stay_out else rounded(slowest - self._returned) if slowest is not None else 0.0,
            "stay_out": len(stay_out),
            "thieves": len(self._thieves),
            "thieves_in": len(self._in),
            "thieves_in_at_end": len(self._inside),
        }
