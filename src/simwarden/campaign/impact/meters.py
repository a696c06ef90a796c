"""The meters of experiments: they follow the events of a run, and give its figures."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Final

from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Frame, StateChange
from simwarden.wire.apdu.family import APDU
from simwarden.wire.diameter.family import DIAMETER
from simwarden.wire.s1ap.family import S1AP
from simwarden.wire.uu.family import UU

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from simwarden.campaign.record import Figure
    from simwarden.trace.events import Event
    from simwarden.wire.dissection import Dissection

SERVED = frozenset({"accepted", "connected"})
"""The values of these, and of `call`, that say that a request was served."""


class Meter(ABC):
    """Is told of each event of a run as it happens, and gives figures at its end. It keeps counts, no events."""

    def __init__(self) -> None:
        #: when each named step began
        self.since: dict[str, float] = {}

    def on_step(self, name: str, time: float) -> None:
        """Be told that a named step begins."""
        self.since[name] = time

    @abstractmethod
    def take(self, event: Event) -> None:
        """Be told of an event."""

    @abstractmethod
    def figures(self, end: float) -> Mapping[str, Figure]:
        """Return the figures of a story that ended at a time. Raises Meaningless."""


class MeaninglessError(Exception):
    """The figures of a run would say nothing: what was to be ended never began, or the like."""


def rounded(seconds: float) -> float:
    """Return virtual seconds as figures tell them: to the millisecond."""
    return round(seconds, 3)


# -- a decision point fails

#: values of those observables that are no end of a request
_NO_ENDS = frozenset({None, "started", "detached", "off", "no-card", "emergency", "calling", "ringing", "released"})


class BlastMeter(Meter):
    """Follows how the requests of each device end.

    A device is *hurt* if one of its requests was not served between `failed` and the end of the story. It is *out* from
    the first such request to the next that is served.
    """

    def __init__(self, good: Collection[str], thieves: Collection[str], requests: Collection[str]) -> None:
        self._good, self._thieves, self._requests = frozenset(good), frozenset(thieves), frozenset(requests)
        super().__init__()
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
        super().on_step(name, time)
        if name == "returned":
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
            (self._in if "failed" in self.since else self._in_before).add(name)

    def _of_good(self, name: str, time: float, *, served: bool) -> None:
        if "failed" not in self.since:
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
        if not self._served_before or not self.since.keys() >= {"failed", "returned"}:
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
            "all_back": None if stay_out else rounded(slowest - self.since["returned"]) if slowest is not None else 0.0,
            "stay_out": len(stay_out),
            "thieves": len(self._thieves),
            "thieves_in": len(self._in),
            "thieves_in_at_end": len(self._inside),
        }


# -- packets, short messages and calls

#: what a terminal tells of its address, of packets and messages that came to it, and of its call
_ADDRESS, _RECEIVED, _MESSAGE, _CALL = "address", "received", "sms", "call"


class ThroughMeter(Meter):
    """Counts what a few terminals send where it arrives, and at the terminals what comes from there."""

    #: the word for what is counted
    what = "packets"

    def __init__(self, terminals: Collection[str], arrived: tuple[str, str]) -> None:
        super().__init__()
        self.terminals, self.arrived = frozenset(terminals), arrived
        self._before = 0
        self._times: dict[str, list[float]] = {"out": [], "in": []}

    @abstractmethod
    def way(self, event: StateChange) -> str:
        """Return which way something came by what an event tells: `out`, `in`, or empty for none."""

    def take(self, event: Event) -> None:
        """See Meter."""
        way = self.way(event) if isinstance(event, StateChange) and event.value is not None else ""
        if way and "change" in self.since:
            self._times[way].append(event.time)
        elif way == "out":
            self._before += 1

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        if "change" not in self.since or not self._before:
            raise MeaninglessError(f"no {self.what.removesuffix('s')} got out before the change")
        found: dict[str, Figure] = {}
        changed = self.since["change"]
        for way, times in self._times.items():
            found[f"last_{way}"] = rounded(times[-1] - changed) if times else None
            found[f"{self.what}_{way}"] = len(times)
        return found | {"watched": rounded(end - changed)}


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
            if self._talks and "change" in self.since and self._ended is None:
                self._ended = rounded(event.time - self.since["change"])
            self._talks = event.value == "connected" and "change" not in self.since

    def way(self, event: StateChange) -> str:
        """See ThroughMeter."""
        if event.element in self.terminals and event.observable == _CALL:
            return "in" if event.value == "ringing" else ""
        return "out" if (event.element, event.observable) == self.arrived else ""

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        return {**super().figures(end), "ended": self._ended}


# -- a fleet that is refused

_HOUR = 3600.0
#: seconds after which what is seen is how the fleet comes again, and no more how it came
_BEGINNING = 300.0
_ATTEMPT = ("attach", "started")


class LoadMeter(Meter):
    """Counts messages by interface and attempts while the fleet is refused, then who is served."""

    def __init__(self, fleet: Collection[str], core: str, *, at_once: bool = False) -> None:
        self._fleet, self._core, self._at_once = frozenset(fleet), core, at_once
        super().__init__()
        self._messages: Counter[str] = Counter()
        self._seconds: Counter[int] = Counter()
        self._attempts = 0
        self._early: set[str] = set()
        self._back: dict[str, float] = {}
        self._revived: set[str] = set()

    def take(self, event: Event) -> None:
        """See Meter."""
        if "refused" not in self.since:
            return
        if isinstance(event, Frame):
            if "cured" not in self.since:
                self._count(event)
        elif isinstance(event, StateChange) and event.element in self._fleet and event.observable == _ATTEMPT[0]:
            if event.value == _ATTEMPT[1]:
                self._attempts += "cured" not in self.since
            elif event.value in SERVED:
                self._served(event.element, event.time)

    def _count(self, frame: Frame) -> None:
        self._messages[frame.protocol] += 1
        if frame.interface == self._core:
            self._seconds[int(frame.time)] += 1

    def _served(self, name: str, time: float) -> None:
        if "cured" not in self.since:
            if self._at_once:
                self._back.setdefault(name, time)
            else:
                self._early.add(name)
        elif "cycled" not in self.since:
            self._back.setdefault(name, time)
        elif name not in self._back:
            self._revived.add(name)

    def _someone_left_to_cycle(self) -> bool:
        return "cycled" in self.since and len(self._back) < len(self._fleet)

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        del end
        if "cured" not in self.since or not self._attempts:
            raise MeaninglessError("no device of the fleet tried to attach while it was refused")
        if self._early:
            raise MeaninglessError(f"{len(self._early)} devices were served while the fleet was to be refused")
        hours = (self.since["cured"] - self.since["refused"]) / _HOUR
        devices = len(self._fleet)

        def rate(count: float) -> float:
            return round(count / devices / hours, 2)

        later = [count for second, count in self._seconds.items() if second >= self.since["refused"] + _BEGINNING]
        gone = self.since["refused" if self._at_once else "cured"]
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


# -- from a change to the last leaked message

#: what begins a request, and what says that it is served (TS 24.301 8.2); bearers set up answer a service request
_REQUESTS: Final = frozenset({"attach-request", "tracking-area-update-request", "service-request"})
_ACCEPTS: Final = frozenset({"attach-accept", "tracking-area-update-accept"})
_BEARERS: Final = "rrc-connection-reconfiguration"
_SETUP: Final = "rrc-connection-setup"
_RELEASE: Final = "rrc-connection-release"
#: what ends the use of the network: a reject of any kind, and the network's detach
_ENDS: Final = "-reject"
_DETACH: Final = "detach-request"
#: uplink messages that use nothing: the radio's own, and obedience to a detach
_NO_USE: Final = frozenset({"detach-accept", "detach-request"})
_TELLING: Final = frozenset({_BEARERS, _SETUP, _RELEASE, "user-data"})


class DelayMeter(Meter):
    """Counts the leaks of one card in a few terminals.

    An uplink message of a terminal *leaks* if it was sent after the change and served: it belongs to a request that the
    network accepted (ATTACH REQUEST, TRACKING AREA UPDATE REQUEST, SERVICE REQUEST, and all that follows up to the
    accept), or it was sent later on the connection of such a request. What belongs to a request that was refused or not
    answered does not leak, nor does the answer to the network's own detach.
    """

    def __init__(self, terminals: Collection[str], held: tuple[str, str], imsi: str) -> None:
        self._terminals, self._held, self._imsi = frozenset(terminals), held, imsi
        super().__init__()
        self._dissector = Dissector()
        self._open: dict[str, list[float]] = {}
        self._request: dict[str, str] = {}
        self._served: set[str] = set()
        self._before = self._messages = self._requests = self._core = 0
        self._last: float | None = None
        self._told: float | None = None
        self._stands = False
        self._connected: set[str] = set()
        #: when the core held nothing more of the card, and after how many of its messages; then also no connection
        self._ended: tuple[float, int] | None = None
        self._gone: int | None = None

    def on_step(self, name: str, time: float) -> None:
        """See Meter."""
        super().on_step(name, time)
        if name == "change":
            self._look(time)

    def take(self, event: Event) -> None:
        """See Meter."""
        if isinstance(event, Frame):
            self._frame(event)
        elif isinstance(event, StateChange) and (event.element, event.observable) == self._held:
            self._core_holds(event)

    def _core_holds(self, event: StateChange) -> None:
        if event.key == self._imsi:
            self._stands = event.value is not None
            self._look(event.time)

    def _look(self, time: float) -> None:
        """See what is left of the card's use: a session that begins anew takes back that it ended."""
        if "change" not in self.since:
            return
        if self._stands:
            self._ended = self._gone = None
            return
        self._ended = self._ended or (time, self._core)
        if self._gone is None and not self._connected:
            self._gone = self._core

    def _frame(self, frame: Frame) -> None:
        found = self._dissector.dissect(frame)
        if frame.protocol != UU.name:
            self._core += frame.protocol != APDU.name and "change" in self.since
        elif frame.from_client and frame.source in self._terminals:
            for name in _names(found):
                self._uplink(frame.source, name, frame.time)
        elif not frame.from_client and frame.target in self._terminals:
            for name in _names(found):
                self._downlink(frame.target, name, frame.time)

    def _uplink(self, terminal: str, name: str, time: float) -> None:
        if name in _REQUESTS:
            self._open[terminal], self._request[terminal] = [time], name
        elif terminal in self._open:
            self._open[terminal].append(time)
        elif terminal in self._served and name not in _NO_USE:
            self._leak(time)

    def _downlink(self, terminal: str, name: str, time: float) -> None:
        bearers = name == _BEARERS and self._request.get(terminal) == "service-request"
        if name in _ACCEPTS or (bearers and terminal in self._open):
            self._accept(terminal)
        elif name.endswith(_ENDS) or name == _DETACH:
            if "change" in self.since and self._told is None:
                self._told = time
            self._forget(terminal)
        elif name == _SETUP:
            self._connected.add(terminal)
        elif name == _RELEASE:
            self._forget(terminal)
            self._connected.discard(terminal)
            self._look(time)

    def _accept(self, terminal: str) -> None:
        messages = self._open.pop(terminal, [])
        leaked = [time for time in messages if self._leak(time)]
        self._requests += bool(leaked)
        self._before += not leaked and bool(messages)
        self._served.add(terminal)

    def _leak(self, time: float) -> bool:
        if time < self.since.get("change", math.inf):
            return False
        self._messages += 1
        self._last = time
        return True

    def _forget(self, terminal: str) -> None:
        self._open.pop(terminal, None)
        self._served.discard(terminal)

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        if "change" not in self.since or not self._before:
            raise MeaninglessError("no request was served before the change")

        def after(time: float | None) -> Figure:
            return None if time is None else rounded(time - self.since["change"])

        return {
            "last_leak": after(self._last),
            "leaked_requests": self._requests,
            "leaked_messages": self._messages,
            "session_ends": after(self._ended[0]) if self._ended else None,
            "core_messages": self._ended[1] if self._ended else None,
            "core_messages_to_release": self._gone,
            "told": after(self._told),
            "watched": after(end),
        }


def _names(found: Dissection) -> Iterator[str]:
    """Yield what a radio message says: the NAS messages in it, or its own name where that tells something.

    The radio's own uplink messages (requests for a connection, reports) carry no NAS, and are no use of the network.
    """
    for part in found.inner:
        yield part.name
    if found.name in _TELLING and not (found.name == _BEARERS and found.inner):
        yield found.name
