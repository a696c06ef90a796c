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
from simwarden.runtime.ringing import Ringing
from simwarden.wire.diameter import DiameterError, Message, ResultCode
from simwarden.wire.diameter.codes import APPLICATIONS

if TYPE_CHECKING:
    from simwarden.runtime.clock import Timer as ClockTimer
    from simwarden.runtime.diameter import DiameterNode
    from simwarden.runtime.link import Link

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between attempts to connect, doubled from the first to the longest (RFC 6733 2.1: Tc, mostly 30 s)."""


class Unreachable(SimwardenError):  # noqa: N818 - says what the peer is; callers read `except Unreachable`
    """A peer could not be asked: it is down, gave no answer in time, or gave one that cannot be read."""


class LostError(Unreachable):
    """The connection went down before the answer came."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the far end: the element's name (or host:port), its DiameterIdentity and realm, and the interface."""

    name: str
    host: str
    realm: str
    interface: str


class Dialled:
    """An element that we connect to, and how its attempts stand."""

    __slots__ = ("attempt", "host", "interface", "is_open", "pause", "planned", "target", "unwanted")

    def __init__(self, interface: str, target: str) -> None:
        self.interface, self.target = interface, target
        self.host = ""
        self.attempt: asyncio.Future[bool] | None = None
        self.planned: ClockTimer | None = None
        self.pause = FIRST_PAUSE
        self.is_open = False
        #: the peer said that it does not want us (RFC 6733 5.4.3)
        self.unwanted = False


class Connection:
    """One link with its machine."""

    def __init__(self, node: DiameterNode, link: Link, dialled: Dialled | None) -> None:
        self.node, self.link, self.dialled = node, link, dialled
        self.peer = Peer(link.remote, "", "", link.interface.name)
        self.was_open = False
        local = replace(node.local, applications=(APPLICATIONS[link.interface.name],))
        shared = Shared(
            local,
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
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._ringing = Ringing(node.site.clock, self._ring, internal=link.internal)
        link.on_receive = self.receive
        link.on_close = self.hear_close

    def begin(self) -> None:
        """Start: send the CER, or wait for it."""
        self.machine.connected(self._now(), initiator=self.dialled is not None)
        self.flush()

    def receive(self, data: bytes, _stream: int) -> None:
        """Take octets from the link."""
        self.link.record_received(data)
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
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[hop_by_hop] = future
        self.flush()
        seconds = max(0.0, deadline - self._now())
        timer = self.node.site.clock.call_later(seconds, partial(self._late, hop_by_hop, message.name))
        try:
            return await future
        finally:
            timer.cancel()
            if self._asked.pop(hop_by_hop, None) is not None:
                self.machine.forget(hop_by_hop)

    def flush(self) -> None:
        """Send what the machine has to say, act on what happened, and arm its timer."""
        for data in self.machine.data_to_send():
            self.link.send(data)
        for event in self.machine.events():
            self._handle(event)
        for data in self.machine.data_to_send():  # to what was turned away
            self.link.send(data)
        self._ringing.arm(self.machine.next_timer())

    # -- what happened

    def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived(message):
                self._take_up(message)
            case AnswerReceived(message):
                self._settle(message.hop_by_hop, message)
            case AnswerBroken(hop_by_hop, reason):
                self._settle(hop_by_hop, Unreachable(f"{self.peer.name} answered with a malformed message: {reason}"))
            case Faulted(reason, _, data):
                self.node.site.peer_fault(self.link, reason, data)
            case Opened(host, realm, _):
                self._opened(host, realm)
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

    def _opened(self, host: str, realm: str) -> None:
        self.peer = Peer(self.link.remote, host, realm, self.link.interface.name)
        self.was_open = True
        self.link.know()
        if self.dialled is not None:
            self.dialled.host, self.dialled.is_open, self.dialled.pause = host, True, FIRST_PAUSE
        if not self.ready.done():
            self.ready.set_result(True)
        self.node.opened(self.peer)

    def _closed(self, closed: Closed) -> None:
        self.link.close(closed.reason)
        for hop_by_hop in closed.pending:
            self._settle(hop_by_hop, LostError(f"connection to {self.peer.name} was lost: {closed.reason}"))
        if not self.ready.done():
            self.ready.set_result(False)
        if not self.gone.done():
            self.gone.set_result(None)
        self.node.forget(self, closed)

    def _settle(self, hop_by_hop: int, outcome: Message | Unreachable) -> None:
        future = self._asked.pop(hop_by_hop, None)
        if future is None or future.done():
            return
        if isinstance(outcome, Message):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)

    def _late(self, hop_by_hop: int, name: str) -> None:
        self.machine.forget(hop_by_hop)
        self._settle(hop_by_hop, Unreachable(f"{self.peer.name} did not answer {name} in time"))

    # -- time

    def _now(self) -> float:
        return self.node.site.clock.now()

    def _ring(self) -> None:
        self.machine.on_timer(self._now())
        self.flush()
