"""The ring of asyncio around Diameter connections: a node that listens, connects, asks and answers through its Site.

    node = DiameterNode(site, LocalNode(host, realm), {"update-location-request": self.update_location})
    await node.listen("S6a")                       # or: await node.connect("S6a", "hss")
    answer = await node.ask("hss", node.make("Update-Location-Request", avps, realm=...))

A handler is `async def handler(message, peer) -> Message`. Many requests may be outstanding in both directions.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError, SimwardenError
from simwarden.machine.diameter_peer import DiameterPeer
from simwarden.machine.diameter_shared import (
    AnswerBroken,
    AnswerReceived,
    Answers,
    Closed,
    Duplicate,
    Event,
    Faulted,
    Identifiers,
    LocalNode,
    Opened,
    RequestReceived,
    Shared,
    Suspected,
    Timer,
    Timers,
)
from simwarden.machine.diameter_table import State
from simwarden.wire.diameter import (
    Application,
    DiameterError,
    Message,
    ResultCode,
    answer_to,
    application_id,
    request,
)
from simwarden.wire.diameter.codes import DisconnectCause
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from simwarden.runtime.clock import Timer as ClockTimer
    from simwarden.runtime.element import Site
    from simwarden.runtime.link import Link

__all__ = ["DiameterNode", "LocalNode", "Peer", "Timers", "Unreachable"]

APPLICATIONS = {"S6a": int(Application.S6A), "S13": int(Application.S13)}
"""The application of each Diameter reference point."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between attempts to connect, doubled from the first to the longest (RFC 6733 2.1: Tc, mostly 30 s)."""


class Unreachable(SimwardenError):  # noqa: N818 - says what the peer is; callers read `except Unreachable`
    """A peer could not be asked: it is down, gave no answer in time, or gave one that cannot be read."""


class _LostError(Unreachable):
    """The connection went down before the answer came."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the far end: the element's name (or host:port), its DiameterIdentity and realm, and the interface."""

    name: str
    host: str
    realm: str
    interface: str


def _admit_all(_host: str, _realm: str, _name: str) -> bool:
    return True


class DiameterNode:
    """All Diameter connections of one element.

    `admit(host, realm, name)` says whether a peer that connects may (else 3010); `opened` and `closed` hear of
    connections. `timeout` is how long `ask` waits for an answer, in seconds, where the caller does not say.
    """

    def __init__(
        self,
        site: Site,
        local: LocalNode,
        handlers: Mapping[str, Callable[[Message, Peer], Awaitable[Message]]],
        *,
        admit: Callable[[str, str, str], bool] = _admit_all,
        opened: Callable[[Peer], None] | None = None,
        closed: Callable[[Peer], None] | None = None,
        timers: Timers | None = None,
        timeout: float = 6.0,
    ) -> None:
        self.site = site
        self.local = local
        self.handlers = handlers
        self.admit = admit
        self.opened = opened or (lambda _peer: None)
        self.closed = closed or (lambda _peer: None)
        self.timers = timers or Timers()
        self.timeout = timeout
        self.stopping = False
        seconds = int(site.clock.wall().timestamp())
        start = site.rng.getrandbits(20)
        self.identifiers = Identifiers(seconds, start)
        self.answers = Answers()
        self._sessions = seconds << 32 | start << 12  # a restart within the same second repeats no Session-Id
        self._connections: list[_Connection] = []
        self._dialled: dict[tuple[str, str], _Dialled] = {}

    # -- set-up and goodbye

    async def listen(self, interface: str) -> None:
        """Accept peers on a reference point (`S6a`)."""
        await self.site.listen(interface, self._accept)

    async def connect(self, interface: str, target: str) -> bool:
        """Connect to an element and stay connected, with growing pauses between attempts; return whether it is open.

        Returns after the first attempt; if that fails, attempts go on in the background.
        """
        dialled = self._dialled.setdefault((interface, target), _Dialled(interface, target))
        return await self._dial(dialled)

    async def stop(self) -> None:
        """Say goodbye to all peers (DPR, rebooting), wait for their answers and close the connections."""
        self.stopping = True
        connections = list(self._connections)
        for connection in connections:
            connection.disconnect()
        for connection in connections:
            await connection.gone

    def drop(self) -> None:
        """Lose all connections without a word, as when the power goes."""
        self.stopping = True
        for connection in list(self._connections):
            connection.link.close("connection lost")
            connection.hear_close("power lost")

    # -- asking

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The peers with which requests can be exchanged now."""
        return tuple(c.peer for c in self._connections if c.machine.state == State.OPEN)

    def session_id(self) -> str:
        """Return a new Session-Id (RFC 6733 8.8)."""
        self._sessions += 1
        return f"{self.local.host};{self._sessions >> 32};{self._sessions & 0xFFFFFFFF}"

    def make(self, name: str, avps: Iterable[tuple[str, Any]], *, realm: str, host: str = "") -> Message:
        """Make a request of S6a or S13 with what all begin with: session, application, state, origin, destination.

        `host` is the Destination-Host, left out where it is empty.
        """
        message = request(name, ())
        message.avps = [
            ("Session-Id", self.session_id()),
            application_id(message.application),
            ("Auth-Session-State", 1),
            ("Origin-Host", self.local.host),
            ("Origin-Realm", self.local.realm),
        ]
        if host:
            message.avps.append(("Destination-Host", host))
        message.avps.append(("Destination-Realm", realm))
        message.avps.extend(avps)
        return message

    async def ask(self, peer: str, message: Message, *, timeout: float | None = None) -> Message:  # noqa: ASYNC109 - of the run's clock
        """Send a request to a peer, by element name or DiameterIdentity, and return its answer.

        If the connection is lost meanwhile and a new one to the peer can be made at once, the request goes out again
        (RFC 6733 5.5.4). A message that was sent before has the T flag, so that a peer that has answered it repeats its
        answer. Raises Unreachable; an answer with an error result is an answer.
        """
        deadline = self.site.clock.now() + (self.timeout if timeout is None else timeout)
        try:
            return await self._ask_once(peer, message, deadline)
        except _LostError as lost:
            if not self._dialled or self.stopping:
                raise
            self.site.note(f"{message.name} goes out again: {lost}")
        return await self._ask_once(peer, message, deadline)

    async def _ask_once(self, peer: str, message: Message, deadline: float) -> Message:
        connection = self._find(peer, message.application) or await self._redial(peer, message.application, deadline)
        if connection is None:
            raise Unreachable(f"{peer} is not connected")
        if message.end_to_end:
            message.flags |= FLAG_RETRANSMITTED
        return await connection.ask(message, deadline)

    def answer(
        self, asked: Message, result: ResultCode | int, avps: Iterable[tuple[str, Any]] = (), **more: Any
    ) -> Message:
        """Make the answer of this node to a request; `more` goes to `simwarden.wire.diameter.answer_to`."""
        return answer_to(asked, result, self.local.origin, avps, **more)

    # -- connections

    def _find(self, peer: str, application: int) -> _Connection | None:
        for connection in self._connections:
            known = connection.peer
            if (
                connection.machine.state == State.OPEN
                and peer in (known.host, known.name)
                and application in connection.machine.applications
            ):
                return connection
        return None

    async def _redial(self, peer: str, application: int, deadline: float) -> _Connection | None:
        """Try at once, rather than at the end of a pause, when somebody wants to ask a peer that we connect to."""
        for dialled in self._dialled.values():
            if peer in (dialled.target, dialled.host) and APPLICATIONS[dialled.interface] == application:
                attempt = self.site.spawn(self._dial_quietly(dialled), f"connect to {dialled.target}")
                await _wait_until(attempt, self.site, deadline)
        return self._find(peer, application)

    async def _dial(self, dialled: _Dialled) -> bool:
        """Make one attempt, or join the one that is under way."""
        if self.stopping or dialled.unwanted:
            return False
        if dialled.attempt is not None:
            return await asyncio.shield(dialled.attempt)
        dialled.attempt = asyncio.get_running_loop().create_future()
        done = False
        try:
            done = await self._attempt(dialled)
        finally:
            attempt, dialled.attempt = dialled.attempt, None
            attempt.set_result(done)
        if not done:
            self._plan(dialled)
        return done

    async def _attempt(self, dialled: _Dialled) -> bool:
        try:
            link = await self.site.connect(dialled.interface, dialled.target)
        except (ConnectionError, OSError):
            return False
        connection = self._begin(link, dialled)
        return await connection.ready

    def _plan(self, dialled: _Dialled) -> None:
        """Plan the next attempt, unless one is planned."""
        if self.stopping or dialled.unwanted or dialled.planned is not None:
            return
        pause = dialled.pause
        dialled.pause = min(LONGEST_PAUSE, pause * 2)

        def again() -> None:
            dialled.planned = None
            if not self.stopping and dialled.attempt is None and not dialled.is_open:
                self.site.spawn(self._dial_quietly(dialled), f"connect to {dialled.target}")

        dialled.planned = self.site.clock.call_later(pause, again)

    async def _dial_quietly(self, dialled: _Dialled) -> None:
        await self._dial(dialled)

    def _accept(self, link: Link) -> None:
        self._begin(link, None)

    def _begin(self, link: Link, dialled: _Dialled | None) -> _Connection:
        connection = _Connection(self, link, dialled)
        self._connections.append(connection)
        connection.begin()
        return connection

    def judge(self, connection: _Connection, host: str, realm: str) -> ResultCode:
        """Say whether the peer that sent a CER may connect; an open connection to it stays the only one (for it)."""
        wanted = (host, connection.link.interface.name)
        others = (other for other in self._connections if other is not connection)
        if any(
            other.machine.state == State.OPEN and (other.peer.host, other.peer.interface) == wanted for other in others
        ):
            return ResultCode.ELECTION_LOST
        allowed = self.admit(host, realm, connection.link.remote)
        return ResultCode.DIAMETER_SUCCESS if allowed else ResultCode.DIAMETER_UNKNOWN_PEER

    def forget(self, connection: _Connection, closed: Closed) -> None:
        """Take note that a connection is over (called by it)."""
        self._connections.remove(connection)
        if connection.was_open:
            self.site.note(f"{connection.peer.interface} to {connection.peer.name} is down: {closed.reason}")
            self.closed(connection.peer)
        dialled = connection.dialled
        if dialled is not None:
            dialled.is_open = False
            if closed.cause in (DisconnectCause.BUSY, DisconnectCause.DO_NOT_WANT_TO_TALK_TO_YOU):
                dialled.unwanted = not self.stopping
            self._plan(dialled)

    async def serve(self, connection: _Connection, message: Message) -> None:
        """Carry out a request's handler and send its answer, whatever happens (called by a connection)."""
        handler = self.handlers.get(message.name, self._unserved)
        try:
            answer = await handler(message, connection.peer)
        except DiameterError as wrong:
            self.site.peer_fault(connection.link, wrong.reason)
            answer = self.answer(message, wrong.result, failed=wrong.failed, reason=wrong.reason)
        except PeerError as wrong:
            self.site.peer_fault(connection.link, wrong.reason)
            answer = self.answer(message, ResultCode.DIAMETER_UNABLE_TO_COMPLY, reason=wrong.reason)
        except Exception as error:  # noqa: BLE001 - a bug in a handler: recorded as a Fault, and the peer gets its answer
            self.site.guard(message.name, error)
            answer = self.answer(message, ResultCode.DIAMETER_UNABLE_TO_COMPLY)
        connection.machine.send_answer(message, answer)
        connection.flush()

    async def _unserved(self, message: Message, _peer: Peer) -> Message:
        raise DiameterError(ResultCode.DIAMETER_COMMAND_UNSUPPORTED, f"{message.name} is not served here")


class _Dialled:
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


class _Connection:
    """One link with its machine."""

    def __init__(self, node: DiameterNode, link: Link, dialled: _Dialled | None) -> None:
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
        self._armed: Timer | None = None
        self._timer: ClockTimer | None = None
        link.on_receive = self.receive
        link.on_close = self.hear_close

    def begin(self) -> None:
        self.machine.connected(self._now(), initiator=self.dialled is not None)
        self.flush()

    def receive(self, data: bytes, _stream: int) -> None:
        self.link.record_received(data)
        self.machine.receive(data, self._now())
        self.flush()

    def hear_close(self, reason: str) -> None:
        self.machine.lost(reason, self._now())
        self.flush()

    def disconnect(self) -> None:
        self.machine.disconnect(self._now())
        self.flush()

    async def ask(self, message: Message, deadline: float) -> Message:
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
        self._arm()

    # -- what happened

    def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived(message):
                self.node.site.spawn(self.node.serve(self, message), message.name)
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

    def _opened(self, host: str, realm: str) -> None:
        self.peer = Peer(self.link.remote, host, realm, self.link.interface.name)
        self.was_open = True
        if self.dialled is not None:
            self.dialled.host, self.dialled.is_open, self.dialled.pause = host, True, FIRST_PAUSE
        if not self.ready.done():
            self.ready.set_result(True)
        self.node.opened(self.peer)

    def _closed(self, closed: Closed) -> None:
        self.link.close(closed.reason)
        for hop_by_hop in closed.pending:
            self._settle(hop_by_hop, _LostError(f"connection to {self.peer.name} was lost: {closed.reason}"))
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

    def _arm(self) -> None:
        """Arm the machine's timer; one that is armed for an earlier time stays, and finds then that it is early."""
        wanted, armed = self.machine.next_timer(), self._armed
        if _covers(armed, wanted):
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = wanted
        if wanted is None:
            return
        clock, seconds = self.node.site.clock, max(0.0, wanted.deadline - self._now())
        if wanted.keep_alive:
            self._timer = clock.keep_alive(seconds, self._ring, internal=self.link.internal)
        else:
            self._timer = clock.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._armed = self._timer = None
        self.machine.on_timer(self._now())
        self.flush()


def _covers(armed: Timer | None, wanted: Timer | None) -> bool:
    """Whether the armed timer rings in time for the wanted one."""
    if armed is None or wanted is None:
        return False
    return armed.keep_alive == wanted.keep_alive and armed.deadline <= wanted.deadline


async def _wait_until(attempt: asyncio.Future[None], site: Site, deadline: float) -> None:
    """Wait for an attempt to connect, at most until the deadline; the attempt goes on after it."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(_: object = None) -> None:
        if not ended.done():
            ended.set_result(None)

    attempt.add_done_callback(end)
    timer = site.clock.call_later(max(0.0, deadline - site.clock.now()), end)
    await ended
    timer.cancel()
