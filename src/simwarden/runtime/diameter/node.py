"""The ring of asyncio around Diameter connections: a node that listens, connects, asks and answers through its Site.

    node = DiameterNode(site, LocalNode(host, realm), {"S6a": {"update-location-request": handler}})
    await node.listen()                            # or: await node.connect("S6a", "hss")
    answer = await node.ask("hss", node.make("Update-Location-Request", avps, realm=...))

A handler is `async def handler(message, peer) -> Message`; None leaves a request unanswered. Many requests may be
outstanding in both directions.

**One connection to a peer** carries all applications that both have (RFC 6733 2.1): targets at one place are one peer,
and so are targets that say one Origin-Host. A peer that is connected and sends a CER on another connection is refused
there with ELECTION_LOST (4003). If two nodes connect to each other at once, the connection of the node whose identity
sorts first stays (5.6.4: the responder with the greater identity wins, and drops its own).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from simwarden.errors import PeerError
from simwarden.machine.diameter_shared import Answers, Closed, Identifiers, LocalNode, Timers
from simwarden.machine.diameter_table import State
from simwarden.runtime.diameter.connection import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Connection,
    Dialled,
    LostError,
    Peer,
    Unreachable,
)
from simwarden.runtime.diameter.queue import RequestQueue
from simwarden.runtime.store import StoreError
from simwarden.wire.diameter import Application, DiameterError, Message, ResultCode, answer_to, begin, request
from simwarden.wire.diameter.codes import DisconnectCause
from simwarden.wire.diameter.dictionary import BY_POINT, find_request
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site

Handler: TypeAlias = "Callable[[Message, Peer], Awaitable[Message | None]]"

#: seconds after which it is told again that requests are turned away
_TOLD_AGAIN = 10.0


class DiameterNode:
    """All Diameter connections of one element.

    `handlers` are those of each reference point by the request's name, and say by their points which applications the
    element has; a point of which it serves no request has none. `admit(host, realm, name)` says whether a peer that
    connects may (else 3010); `opened` and `closed` hear of connections. A node with a `relay` is an agent: it is given
    all requests (see `Relay`). `timeout` is how long `ask` waits for an answer, in seconds, where the caller does not
    say.
    """

    def __init__(
        self,
        site: Site,
        local: LocalNode,
        handlers: Mapping[str, Mapping[str, Handler]],
        *,
        admit: Callable[[str, str, str], bool] = lambda _host, _realm, _name: True,
        opened: Callable[[Peer], None] | None = None,
        closed: Callable[[Peer], None] | None = None,
        relay: Handler | None = None,
        timers: Timers | None = None,
        timeout: float = 6.0,
    ) -> None:
        self.site = site
        self.points = tuple(handlers)
        self._relay = relay
        spoken = tuple(dict.fromkeys(BY_POINT[point] for point in handlers))
        applications = (int(Application.RELAY),) if relay else spoken
        self.local = replace(local, applications=applications)
        self._handlers: dict[tuple[int, int], Handler] = {}
        for point, each in handlers.items():
            for name, handler in each.items():
                self.handle(point, name, handler)
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
        #: by the name of each element that we connect to; several names may be one node's
        self._dialled: dict[str, Dialled] = {}

    # -- set-up and goodbye

    def handle(self, point: str, name: str, handler: Handler) -> None:
        """Have a request (`update-location-request`) of one of the node's reference points served. Raises KeyError."""
        application = BY_POINT[point]
        self._handlers[application, find_request(name, application).code] = handler

    async def listen(self, *points: str) -> None:
        """Accept peers on all reference points, or on some (`S6a`): on one port of TCP or SCTP at each address."""
        taken: set[object] = set()
        for point in points or self.points:
            address = self.site.listens_at(point)
            place = address, self.site.carrier_of(point)
            if place not in taken:
                await self.site.listen(point, self._accept)
            if address is not None and address[1]:
                taken.add(place)

    async def connect(self, interface: str, target: str) -> bool:
        """Connect to an element and stay connected, with growing pauses between attempts; return whether it is open.

        Returns after the first attempt; if that fails, attempts go on in the background. What stands already to the
        element, or to another at its place, is enough where it carries the application.
        """
        place = self.site.place_of(interface, target)
        known = self._dialled.get(target)
        if known is None:
            known = next((each for each in self._dialled.values() if each.place == place), None)
            self._dialled[target] = known = known or Dialled(interface, target, place)
        if not known.is_open:
            await self._dial(known)
        if not self._dialled[target].is_open:
            return False
        agreed = self._find(target, BY_POINT[interface]) is not None
        if not agreed:
            self.site.note(f"{self._dialled[target].host}, which is connected for {target}, does not speak {interface}")
        return agreed

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
            dialled.rest()

    # -- asking

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The peers with which requests can be exchanged now."""
        return tuple(c.peer for c in self._connections if c.machine.state == State.OPEN)

    def session_id(self) -> str:
        """Return a new Session-Id (RFC 6733 8.8)."""
        self._sessions += 1
        return f"{self.local.host};{self._sessions >> 32};{self._sessions & 0xFFFFFFFF}"

    def make(
        self,
        name: str,
        avps: Iterable[tuple[str, Any]],
        *,
        realm: str,
        host: str = "",
        point: str = "",
        session: str = "",
    ) -> Message:
        """Make a request with what its grammar begins with: session, application, origin, destination.

        `host` is the Destination-Host, left out where it is empty; `point` the reference point, where several have such
        a request; `session` an earlier Session-Id, where it is not a new one's.
        """
        message = request(name, avps, application=BY_POINT[point] if point else None)
        begin(message, session or self.session_id(), self.local.origin, realm, host)
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

        `application` is what the peer must have agreed on, where it is not that of the message.
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
            spoken = self._connected(peer) is not None
            raise Unreachable(f"{peer} does not speak {message.name}" if spoken else f"{peer} is not connected")
        if message.hop_by_hop:  # it was sent before
            message.flags |= FLAG_RETRANSMITTED
        return await connection.ask(message, deadline)

    def answer(
        self, asked: Message, result: ResultCode | int, avps: Iterable[tuple[str, Any]] = (), **more: Any
    ) -> Message:
        """Make the answer of this node to a request; `more` goes to `simwarden.wire.diameter.answer_to`."""
        return answer_to(asked, result, self.local.origin, avps, **more)

    # -- connections

    def peer_of(self, name: str) -> Peer | None:
        """Return the peer that an element's name or a DiameterIdentity stands for, None while it is not connected."""
        connection = self._connected(name)
        return connection.peer if connection is not None else None

    def _connected(self, peer: str) -> Connection | None:
        """Return the open connection to a peer, by element name or DiameterIdentity."""
        dialled = self._dialled.get(peer)
        if dialled is not None and dialled.is_open:
            return dialled.connection
        for connection in self._connections:
            known = connection.peer
            if connection.machine.state == State.OPEN and peer in (known.host, known.name):
                return connection
        return None

    def _find(self, peer: str, application: int) -> Connection | None:
        connection = self._connected(peer)
        if connection is None:
            return None
        agreed = connection.machine.applications
        return connection if application in agreed or Application.RELAY in agreed else None

    async def _redial(self, peer: str, application: int, deadline: float) -> Connection | None:
        """Try at once, rather than at the end of a pause, when somebody wants to ask a peer that we connect to."""
        wanted = [dialled for name, dialled in self._dialled.items() if peer in (name, dialled.host)]
        for dialled in dict.fromkeys(wanted):
            if not dialled.is_open:
                attempt = self.site.spawn(self._dial(dialled), f"connect to {dialled.target}")
                await asyncio.wait({attempt}, timeout=deadline - self.site.clock.now())  # it goes on after it
        return self._find(peer, application)

    async def _dial(self, dialled: Dialled) -> None:
        """Make one attempt, or join the one that is under way."""
        if self.stopping or dialled.unwanted:
            return
        if dialled.attempt is not None:
            await asyncio.shield(dialled.attempt)
            return
        dialled.attempt = asyncio.get_running_loop().create_future()
        done = False
        try:
            done = await self._attempt(dialled)
        finally:
            attempt, dialled.attempt = dialled.attempt, None
            attempt.set_result(done)
        if not done:
            self._plan(dialled)

    async def _attempt(self, dialled: Dialled) -> bool:
        try:
            link = await self.site.connect(dialled.interface, dialled.target)
        except (ConnectionError, OSError):
            return False
        connection = self._begin(link, dialled)
        return await connection.ready

    def _plan(self, dialled: Dialled) -> None:
        """Plan the next attempt, unless one is planned."""
        stands = dialled.connection is not None or dialled not in self._dialled.values()  # for another name
        if self.stopping or dialled.unwanted or dialled.planned is not None or stands:
            return
        pause = dialled.pause
        dialled.pause = min(LONGEST_PAUSE, pause * 2)

        def again() -> None:
            dialled.planned = None
            if not self.stopping and dialled.attempt is None and dialled.connection is None:
                self.site.spawn(self._dial(dialled), f"connect to {dialled.target}")

        dialled.planned = self.site.clock.call_later(pause, again)

    def _accept(self, link: Link) -> None:
        self._begin(link, None)

    def _begin(self, link: Link, dialled: Dialled | None) -> Connection:
        connection = Connection(self, link, dialled)
        self._connections.append(connection)
        connection.begin()
        return connection

    def judge(self, connection: Connection, host: str, realm: str) -> ResultCode:
        """Say whether the peer that sent a CER may connect; an open connection to it stays the only one."""
        other = self._other(connection, host)
        if other is not None:
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
        for dialled in dict.fromkeys(each for each in self._dialled.values() if each.connection is connection):
            dialled.connection = None
            if closed.cause in (DisconnectCause.BUSY, DisconnectCause.DO_NOT_WANT_TO_TALK_TO_YOU):
                dialled.unwanted = not self.stopping
            self._plan(dialled)
        refused = connection.dialled is not None and closed.host
        other = self._other(connection, closed.host) if refused else None
        if connection.dialled is not None and other is not None:
            self._join(connection.dialled, other)

    def take_up(self, connection: Connection) -> bool:
        """Keep a connection that has opened, or the other one that its peer has; return whether this one stays.

        If both were made at once, by us and by the peer, it is the one of the node whose identity sorts first.
        """
        host, dialled = connection.peer.host, connection.dialled
        if dialled is None:  # `judge` has seen to it
            return True
        other = self._other(connection, host)
        if other is not None and (other.dialled is not None or host < self.local.host):
            self._join(dialled, other)
            connection.disconnect()
            return False
        if other is not None:
            other.disconnect()
        dialled.host, dialled.connection, dialled.pause = host, connection, FIRST_PAUSE
        return True

    def _other(self, connection: Connection, host: str) -> Connection | None:
        """Return the open connection to a node, besides this one."""
        for other in self._connections:
            if other is not connection and other.machine.state == State.OPEN and other.peer.host == host:
                return other
        return None

    def _join(self, dialled: Dialled, other: Connection) -> None:
        """Take note that a node that we connect to is one that is connected already."""
        self.site.note(f"{dialled.target} is {other.peer.host}, which is connected from {other.peer.name}")
        first = next((each for each in self._dialled.values() if each.connection is other), None)
        if first is None:
            dialled.host, dialled.connection = other.peer.host, other
            return
        dialled.rest()
        for name, each in self._dialled.items():
            if each is dialled:
                self._dialled[name] = first

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
        fault = self.site.injected_fault
        if fault is not None and fault.after:
            await self.site.clock.sleep(fault.after)
        elif fault is not None:
            if fault.answer:
                connection.machine.send_answer(message, self.answer(message, fault.answer))
                connection.flush()
            return
        handler = self._handlers.get((message.application, message.command), self._relay or self._unserved)
        try:
            answer = await handler(message, connection.peer)
            if answer is None:
                return
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
