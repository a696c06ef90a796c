"""An association that this end dials: a link, the process on it, its timers, and the next attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.machine.m3ua_asp import Asp
from simwarden.machine.m3ua_events import AspState, Changed, Closed, Fault, Received, Told
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.wire.m3ua import MessageType
from simwarden.wire.m3ua.family import SIGTRAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.machine.m3ua_events import Event
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site
    from simwarden.wire.m3ua import Message, ProtocolData

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between attempts to connect, doubled from the first to the longest."""


class Association:
    """An application server process of this element at one gateway, or towards one peer (IPSP).

    `take` is given what comes for users of MTP3, `tell` what the peer says of the network.
    """

    def __init__(
        self,
        site: Site,
        target: str,
        routing_context: int | None,
        take: Callable[[ProtocolData], None],
        *,
        tell: Callable[[Message], None] = lambda _message: None,
    ) -> None:
        self.target = target
        self._site, self._context = site, routing_context
        self._take, self._tell = take, tell
        self._asp = Asp(routing_context)
        self._link: Link | None = None
        self._timer: MachineTimer | None = None
        self._planned: Timer | None = None
        self._pause = FIRST_PAUSE
        self._over = False

    @property
    def active(self) -> bool:
        """Whether messages can be sent."""
        return self._asp.state is AspState.ACTIVE

    async def connect(self) -> None:
        """Make the association; where the peer is not there it is tried again, until `leave`."""
        self._planned = None
        try:
            link = await self._site.connect(SIGTRAN, self.target)
        except ConnectionError as error:
            self._site.note(f"no association with {self.target}: {error}")
            self._again()
            return
        if self._over:
            link.close()
            return
        self._link, self._asp = link, Asp(self._context)
        self._timer = MachineTimer(self._site.clock, self._asp.on_timer, self._flush, internal=link.internal)
        link.on_receive, link.on_close = self._receive, self._lost
        self._asp.connected(self._site.clock.now())
        self._flush()

    def send(self, data: ProtocolData) -> None:
        """Send a message of a user; only while `active`."""
        self._asp.send(data)
        self._flush()

    def leave(self, *, kill: bool = False) -> None:
        """Go down, or lose power (`kill`)."""
        self._over = True
        if self._planned is not None:
            self._planned.cancel()
        if self._link is None or kill:
            self._close("gone")
            return
        self._asp.leave(self._site.clock.now())
        self._flush()

    # -- what comes

    def _receive(self, data: bytes, _stream: int) -> None:
        self._asp.receive(data, self._site.clock.now())
        self._flush()

    def _lost(self, _reason: str) -> None:
        self._asp.lost()
        self._flush()

    def _flush(self) -> None:
        link = self._link
        if link is None:
            return
        for octets in self._asp.data_to_send():
            link.send(octets, stream=stream_of(octets))
        for event in self._asp.events():
            self._hear(event, link)
        if self._timer is not None:
            self._timer.arm(self._asp.next_timer())

    def _hear(self, event: Event, link: Link) -> None:
        match event:
            case Received(data):
                self._take(data)
            case Told(message):
                self._tell(message)
            case Changed(AspState.ACTIVE):
                link.know()
                self._pause = FIRST_PAUSE
            case Fault(reason, data):
                self._site.peer_fault(link, reason, data)
            case Closed(reason):
                self._close(reason)
                self._again()

    def _close(self, reason: str) -> None:
        link, self._link = self._link, None
        if self._timer is not None:
            self._timer.arm(None)
        if link is not None:
            link.close(reason)

    def _again(self) -> None:
        if self._over or self._planned is not None:
            return
        self._planned = self._site.clock.call_later(self._pause, self._dial)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _dial(self) -> None:
        self._site.spawn(self.connect(), f"associates with {self.target}")


def stream_of(octets: bytes) -> int:
    """Return the SCTP stream of a message: 1 for DATA, as 0 is for management and state (RFC 4666 1.4.7)."""
    return int(octets[2] << 8 | octets[3] == MessageType.DATA)
