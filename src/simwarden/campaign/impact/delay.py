"""From a change to the last leaked message.

An uplink message of a terminal *leaks* if it was sent after the change and served: it belongs to a request that the
network accepted (ATTACH REQUEST, TRACKING AREA UPDATE REQUEST, SERVICE REQUEST, and all that follows up to the accept),
or it was sent later on the connection of such a request. What belongs to a request that was refused or not answered
does not leak, nor does the answer to the network's own detach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.campaign.impact.measures import MeaninglessError, Meter, rounded
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Frame, StateChange
from simwarden.wire.apdu.family import APDU
from simwarden.wire.uu.family import UU

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from simwarden.campaign.record import Figure
    from simwarden.trace.events import Event
    from simwarden.wire.dissection import Dissection

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
    """Counts the leaks of one card in a few terminals."""

    def __init__(self, terminals: Collection[str], held: tuple[str, str], imsi: str) -> None:
        self._terminals, self._held, self._imsi = frozenset(terminals), held, imsi
        self._dissector = Dissector()
        self._changed: float | None = None
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
        if name == "change":
            self._changed = time
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
        if self._changed is None:
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
            self._core += frame.protocol != APDU.name and self._changed is not None
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
            if self._changed is not None and self._told is None:
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
        if self._changed is None or time < self._changed:
            return False
        self._messages += 1
        self._last = time
        return True

    def _forget(self, terminal: str) -> None:
        self._open.pop(terminal, None)
        self._served.discard(terminal)

    def figures(self, end: float) -> Mapping[str, Figure]:
        """See Meter."""
        if self._changed is None or not self._before:
            raise MeaninglessError("no request was served before the change")

        def after(time: float | None) -> Figure:
            return None if time is None or self._changed is None else rounded(time - self._changed)

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
