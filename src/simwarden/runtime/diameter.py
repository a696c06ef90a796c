"""The ring of asyncio around Diameter connections: a node that listens, connects, asks and answers through its Site.

    node = DiameterNode(site, LocalNode(host, realm), {"update-location-request": self.update_location})
    await node.listen("S6a")                       # or: await node.connect("S6a", "hss")
    answer = await node.ask("hss", node.make("Update-Location-Request", avps, realm=...))

A handler is `async def handler(message, peer) -> Message`. Many requests may be outstanding in both directions.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.machine.diameter_shared import Answers, Closed, Identifiers, LocalNode, Timers
from simwarden.machine.diameter_table import State
from simwarden.runtime.diameter_connection import (
    LONGEST_PAUSE,
    Connection,
    Dialled,
    LostError,
    Peer,
    Unreachable,
)
from simwarden.runtime.diameter_queue import RequestQueue
from simwarden.runtime.store import StoreError
from simwarden.wire.diameter import DiameterError, Message, ResultCode, answer_to, application_id, request
from simwarden.wire.diameter.codes import APPLICATIONS, DisconnectCause
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from simwarden.runtime.element import Site
    from simwarden.runtime.link import Link

__all__ = ["DiameterNode", "LocalNode", "Peer", "Timers", "Unreachable"]


#: seconds after which it is told again that requests are turned away
_TOLD_AGAIN = 10.0


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
        self.queue = RequestQueue()
        self._busy = False
        self._connections: list[Connection] = []
        self._dialled: dict[tuple[str, str], Dialled] = {}

    # -- set-up and goodbye

    async def listen(self, interface: str) -> None:
        """Accept peers on a reference point (`S6a`)."""
        await self.site.listen(interface, self._accept)

    async def connect(self, interface: str, target: str) -> bool:
        """Connect to an element and stay connected, with growing pauses between attempts; return whether it is open.

        Returns after the first attempt; if that fails, attempts go on in the background.
        """
        dialled = self._dialled.setdefault((interface, target), Dialled(interface, target))
        return await self._dial(dialled)

    async def stop(self) -> None:
        """Say goodbye to all peers (DPR, rebooting), wait for their answers and close the connections."""
        self._dial_no_more()
        connections = list(self._connections)
        for connection in connections:
            connection.disconnect()
        for connection in connections:
            await connection.gone

    def drop(self) -> None:
        """Lose all connections without a word, as when the power goes."""
        self._dial_no_more()
        for connection in list(self._connections):
            connection.link.close("connection lost")
            connection.hear_close("power lost")

    def _dial_no_more(self) -> None:
        self.stopping = True
        for dialled in self._dialled.values():
            if dialled.planned is not None:
                dialled.planned.cancel()
                dialled.planned = None

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

    async def ask(
        self,
        peer: str,
        message: Message,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of the run's clock
        application: int | None = None,
    ) -> Message:
        """Send a request to a peer, by element name or DiameterIdentity, and return its answer.

        If the connection is lost meanwhile and a new one to the peer can be made at once, the request goes out again
        (RFC 6733 5.5.4). A message that was sent before has the T flag, so that a peer that has answered it repeats its
        answer. Raises Unreachable; an answer with an error result is an answer.

        `application` says which of the peer's connections is meant, where it is not that of the message's application.
        """
        deadline = self.site.clock.now() + (self.timeout if timeout is None else timeout)
        served = message.application if application is None else application
        try:
            return await self._ask_once(peer, message, served, deadline)
        except LostError as lost:
            if not self._dialled or self.stopping:
                raise
            self.site.note(f"{message.name} goes out again: {lost}")
        return await self._ask_once(peer, message, served, deadline)

    async def _ask_once(self, peer: str, message: Message, application: int, deadline: float) -> Message:
        connection = self._find(peer, application) or await self._redial(peer, application, deadline)
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

    def _find(self, peer: str, application: int) -> Connection | None:
        for connection in self._connections:
            known = connection.peer
            if (
                connection.machine.state == State.OPEN
                and peer in (known.host, known.name)
                and application in connection.machine.applications
            ):
                return connection
        return None

    async def _redial(self, peer: str, application: int, deadline: float) -> Connection | None:
        """Try at once, rather than at the end of a pause, when somebody wants to ask a peer that we connect to."""
        for dialled in self._dialled.values():
            if peer in (dialled.target, dialled.host) and APPLICATIONS[dialled.interface] == application:
                attempt = self.site.spawn(self._dial_quietly(dialled), f"connect to {dialled.target}")
                await _wait_until(attempt, self.site, deadline)
        return self._find(peer, application)

    async def _dial(self, dialled: Dialled) -> bool:
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

    async def _attempt(self, dialled: Dialled) -> bool:
        try:
            link = await self.site.connect(dialled.interface, dialled.target)
        except (ConnectionError, OSError):
            return False
        connection = self._begin(link, dialled)
        return await connection.ready

    def _plan(self, dialled: Dialled) -> None:
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

    async def _dial_quietly(self, dialled: Dialled) -> None:
        await self._dial(dialled)

    def _accept(self, link: Link) -> None:
        self._begin(link, None)

    def _begin(self, link: Link, dialled: Dialled | None) -> Connection:
        connection = Connection(self, link, dialled)
        self._connections.append(connection)
        connection.begin()
        return connection

    def judge(self, connection: Connection, host: str, realm: str) -> ResultCode:
        """Say whether the peer that sent a CER may connect; an open connection to it stays the only one (for it)."""
        wanted = (host, connection.link.interface.name)
        for other in self._connections:
            held = other is not connection and other.machine.state == State.OPEN
            if held and (other.peer.host, other.peer.interface) == wanted:
                self.site.note(
                    f"{connection.link.remote} says that it is {host}, which is connected from {other.peer.name}"
                )
                return ResultCode.ELECTION_LOST
        allowed = self.admit(host, realm, connection.link.remote)
        return ResultCode.DIAMETER_SUCCESS if allowed else ResultCode.DIAMETER_UNKNOWN_PEER

    def forget(self, connection: Connection, closed: Closed) -> None:
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

    def turned_away(self, peer: str) -> None:
        """Tell that requests are turned away, once in a while (called by a connection)."""
        if not self._busy:
            self._busy = True
            self.site.note(f"requests of {peer} are turned away: more wait than can be answered in time")
            self.site.clock.call_later(_TOLD_AGAIN, self._calm)

    def _calm(self) -> None:
        self._busy = False

    async def serve(self, connection: Connection, message: Message) -> None:
        """Carry out a request's handler and send its answer, whatever happens (called by a connection).

        A node that fails for now answers its error, lets the request lie, or takes it up late.
        """
        ailment = self.site.ailment
        if ailment is not None and ailment.after:
            await self.site.clock.sleep(ailment.after)
        elif ailment is not None:
            if ailment.answer:
                connection.machine.send_answer(message, self.answer(message, ailment.answer))
                connection.flush()
            return
        handler = self.handlers.get(message.name, self._unserved)
        try:
            answer = await handler(message, connection.peer)
        except DiameterError as wrong:
            self.site.peer_fault(connection.link, wrong.reason)
            answer = self.answer(message, wrong.result, failed=wrong.failed, reason=wrong.reason)
        except PeerError as wrong:
            self.site.peer_fault(connection.link, wrong.reason)
            answer = self.answer(message, ResultCode.DIAMETER_UNABLE_TO_COMPLY, reason=wrong.reason)
        except StoreError as error:  # nothing is answered that is not stored; the peer may ask again
            self.site.note(f"{message.name} is refused for a time: {error}")
            answer = self.answer(message, ResultCode.DIAMETER_UNABLE_TO_COMPLY)
        except Exception as error:  # noqa: BLE001 - a bug in a handler: recorded as a Fault, and the peer gets its answer
            self.site.guard(message.name, error)
            answer = self.answer(message, ResultCode.DIAMETER_UNABLE_TO_COMPLY)
        connection.machine.send_answer(message, answer)
        connection.flush()

    async def _unserved(self, message: Message, _peer: Peer) -> Message:
        raise DiameterError(ResultCode.DIAMETER_COMMAND_UNSUPPORTED, f"{message.name} is not served here")


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
