"""One Diameter connection in the event loop: a link, the peer machine on it, its timer and what waits for answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from simwarden.errors import SimwardenError
from simwarden.machine.diameter_peer import DiameterPeer
from simwarden.machine.diameter_shared import (
    AnswerBroken,
    AnswerReceived,
    Closed,
    Duplicate,
    Event,
    Faulted,
    Opened,
    RequestReceived,
    Shared,
    Suspected,
)
from simwarden.machine.diameter_table import State
from simwarden.runtime.diameter.labels import Labels
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.runtime.pending import Pending
from simwarden.wire.diameter import DiameterError, Message, ResultCode

if TYPE_CHECKING:
    from simwarden.runtime.clock import Timer as ClockTimer
    from simwarden.runtime.diameter.node import DiameterNode
    from simwarden.runtime.link import Link

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between attempts to connect, doubled from the first to the longest (RFC 6733 2.1: Tc, mostly 30 s)."""


class Unreachable(SimwardenError):  # noqa: N818 - says what the peer is; callers read `except Unreachable`
    """A peer could not be asked: it is down, gave no answer in time, or gave one that cannot be read."""


class LostError(Unreachable):
    """The connection went down before the answer came."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the far end: the element's name (or host:port), its DiameterIdentity and realm, and the interface.

    The interface is that of the connection: the first of those that it carries. `relay`: it is an agent that relays.
    `state_id` is its Origin-State-Id (RFC 6733 8.16), 0 where it told none.
    """

    name: str
    host: str
    realm: str
    interface: str
    relay: bool = False
    state_id: int = 0


class Dialled:
    """A node that we connect to, at one place, and how its attempts stand."""

    __slots__ = ("attempt", "connection", "host", "interface", "pause", "place", "planned", "target", "unwanted")

    def __init__(self, interface: str, target: str, place: object) -> None:
        self.interface, self.target, self.place = interface, target, place
        self.host = ""
        self.attempt: asyncio.Future[bool] | None = None
        self.planned: ClockTimer | None = None
        self.pause = FIRST_PAUSE
        #: the connection to it that stands, whoever made it
        self.connection: Connection | None = None
        #: the peer said that it does not want us (RFC 6733 5.4.3)
        self.unwanted = False

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent to it now."""
        return self.connection is not None and self.connection.machine.state == State.OPEN

    def rest(self) -> None:
        """Give up the next attempt."""
        if self.planned is not None:
            self.planned.cancel()
            self.planned = None


class Connection:
    """One link with its machine."""

    def __init__(self, node: DiameterNode, link: Link, dialled: Dialled | None) -> None:
        self.node, self.link, self.dialled = node, link, dialled
        self.peer = Peer(link.remote, "", "", link.interface.name)
        self.was_open = False
        # a multi-homed association tells all its addresses (RFC 6733 5.3.5)
        shared = Shared(
            replace(node.local, addresses=link.hosts) if link.hosts else node.local,
            node.identifiers,
            node.site.rng.random,
            partial(node.judge, self),
            node.timers,
            node.answers,
        )
        self.machine = DiameterPeer(shared)
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[bool] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self._pending: Pending[int, Message] = Pending()
        self._timer = MachineTimer(node.site.clock, self.machine.on_timer, self.flush, internal=link.internal)
        self._labels = Labels(link.interface)
        link.on_receive = self.receive
        link.on_close = self.hear_close

    def begin(self) -> None:
        """Start: send the CER, or wait for it."""
        self.machine.connected(self._now(), initiator=self.dialled is not None)
        self.flush()

    def receive(self, data: bytes, _stream: int) -> None:
        """Take octets from the link."""
        self._labels.record(self.link, data)
        self.machine.receive(data, self._now())
        self.flush()

    def hear_close(self, reason: str) -> None:
        """Hear that the link is gone."""
        self.machine.lost(reason, self._now())
        self.flush()

    def disconnect(self) -> None:
        """Say goodbye; `gone` is done when it is over."""
        self.machine.disconnect(self._now())
        self.flush()

    async def ask(self, message: Message, deadline: float) -> Message:
        """Send a request and return its answer. Raises Unreachable, LostError if the connection went down."""
        hop_by_hop = self.machine.send_request(message)
        future = self._pending.expect(hop_by_hop)
        self.flush()
        late = self.node.site.clock.call_later(deadline - self._now(), partial(self._late, hop_by_hop, message))
        try:
            return await future
        finally:
            late.cancel()
            if self._pending.pop(hop_by_hop, None) is not None:
                self.machine.forget(hop_by_hop)

    def _late(self, hop_by_hop: int, message: Message) -> None:
        self.machine.forget(hop_by_hop)
        self._pending.settle(hop_by_hop, Unreachable(f"{self.peer.name} did not answer {message.name} in time"))

    def flush(self) -> None:
        """Send what the machine has to say, act on what happened, and arm its timer."""
        self._send()
        for event in self.machine.events():
            self._handle(event)
        self._send()  # to what was turned away
        self._timer.arm(self.machine.next_timer())

    def _send(self) -> None:
        for data in self.machine.data_to_send():
            self.link.send(data, interface=self._labels.of(data))

    # -- what happened

    def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived(message):
                self._take_up(message)
            case AnswerReceived(message):
                self._pending.settle(message.hop_by_hop, message)
            case AnswerBroken(hop_by_hop, reason):
                self._pending.settle(
                    hop_by_hop, Unreachable(f"{self.peer.name} answered with a malformed message: {reason}")
                )
            case Faulted(reason, _, data):
                self.node.site.peer_fault(self.link, reason, data)
            case Opened():
                self._opened(event)
            case Closed():
                self._closed(event)
            case Duplicate(message, replayed):
                how = "its answer repeated" if replayed else "still at work"
                self.node.site.note(f"{message.name} of {self.peer.name} is a duplicate, {how}")
            case Suspected():
                self.node.site.note(f"{self.peer.name} left a watchdog request unanswered")

    def _take_up(self, message: Message) -> None:
        begin = partial(self._begin_to_serve, message)
        if self.link.internal:  # in the order of the run, which no burst disturbs
            begin()
        elif not self.node.queue.put(begin):
            self.machine.turn_away(message, DiameterError(ResultCode.DIAMETER_TOO_BUSY, "too much waits here"))
            self.node.turned_away(self.peer.name)

    def _begin_to_serve(self, message: Message) -> None:
        self.node.site.spawn(self.node.serve(self, message), message.name)

    def _opened(self, opened: Opened) -> None:
        point = self.link.interface.name
        self.peer = Peer(self.link.remote, opened.host, opened.realm, point, opened.relay, opened.state_id)
        self._labels.carry(opened.applications)
        self.link.know()
        stays = self.node.take_up(self)
        if not self.ready.done():
            self.ready.set_result(True)
        if stays:
            self.was_open = True
            self.node.opened(self.peer)

    def _closed(self, closed: Closed) -> None:
        self.link.close(closed.reason)
        for hop_by_hop in closed.pending:
            self._pending.settle(hop_by_hop, LostError(f"connection to {self.peer.name} was lost: {closed.reason}"))
        if not self.ready.done():
            self.ready.set_result(False)
        if not self.gone.done():
            self.gone.set_result(None)
        self.node.forget(self, closed)

    # -- time

    def _now(self) -> float:
        return self.node.site.clock.now()
