"""What a refused fleet costs in signalling, and how it comes back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simwarden.campaign.impact.measures import SERVED, MeaninglessError, Meter, rounded
from simwarden.trace.events import Frame, StateChange
from simwarden.wire.diameter.family import DIAMETER
from simwarden.wire.s1ap.family import S1AP
from simwarden.wire.uu.family import UU

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from simwarden.campaign.record import Figure
    from simwarden.trace.events import Event

_HOUR = 3600.0
#: seconds after which what is seen is how the fleet comes again, and no more how it came
_BEGINNING = 300.0
_ATTEMPT = ("attach", "started")


class LoadMeter(Meter):
    """Counts messages by interface and attempts while the fleet is refused, then who is served."""

    def __init__(self, fleet: Collection[str], core: str, *, at_once: bool = False) -> None:
        self._fleet, self._core, self._at_once = frozenset(fleet), core, at_once
        self._since: dict[str, float] = {}
        self._messages: Counter[str] = Counter()
        self._seconds: Counter[int] = Counter()
        self._attempts = 0
        self._early: set[str] = set()
        self._back: dict[str, float] = {}
        self._revived: set[str] = set()

    def on_step(self, name: str, time: float) -> None:
        """See Meter."""
        self._since[name] = time

    def take(self, event: Event) -> None:
        """See Meter."""
        if "refused" not in self._since:
            return
        if isinstance(event, Frame):
            if "cured" not in self._since:
                self._count(event)
        elif isinstance(event, StateChange) and event.element in self._fleet and event.observable == _ATTEMPT[0]:
            if event.value == _ATTEMPT[1]:
                self._attempts += "cured" not in self._since
            elif event.value in SERVED:
                self._served(event.element, event.time)

    def _count(self, frame: Frame) -> None:
        self._messages[frame.protocol] += 1
        if frame.interface == self._core:
            self._seconds[int(frame.time)] += 1

    def _served(self, name: str, time: float) -> None:
        if "cured" not in self._since:
            if self._at_once:
                self._back.setdefault(name, time)
            else:
                self._early.add(name)
        elif "cycled" not in self._since:
            self._back.setdefault(name, time)
        elif name not in self._back:
            self._revived.add(name)

    def _someone_left_to_cycle(self) -> bool:
        return "cycled" in self._since and len(self._back) < len(self._fleet)

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        del end
        if "cured" not in self._since or not self._attempts:
            raise MeaninglessError("no device of the fleet tried to attach while it was refused")
        if self._early:
            raise MeaninglessError(f"{len(self._early)} devices were served while the fleet was to be refused")
        hours = (self._since["cured"] - self._since["refused"]) / _HOUR
        devices = len(self._fleet)

        def rate(count: float) -> float:
            return round(count / devices / hours, 2)

        later = [count for second, count in self._seconds.items() if second >= self._since["refused"] + _BEGINNING]
        gone = self._since["refused" if self._at_once else "cured"]
        times = [rounded(time - gone) for time in self._back.values()]
        return {
            "fleet": devices,
            "hours": round(hours, 3),
            "attempts": rate(self._attempts),
            "radio": rate(self._messages[UU.name]),
            "s1": rate(self._messages[S1AP.name]),
            "diameter": rate(self._messages[DIAMETER.name]),
            "busiest_second": max(self._seconds.values(), default=0),
            "busiest_later": max(later, default=0),
            "back": len(self._back),
            "first_back": min(times, default=None),
            "last_back": max(times, default=None),
            "back_after_power_cycle": len(self._revived) if self._someone_left_to_cycle() else None,
        }
