"""GTP-C in the event loop: an element's endpoint, the paths to its peers, and what waits for answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.errors import SimwardenError
from simwarden.machine.gtp_path import (
    PORT,
    AnswerReceived,
    Duplicate,
    Event,
    Failed,
    Faulted,
    GtpPath,
    IndicationReceived,
    PathSettings,
    RequestFailed,
    RequestReceived,
    Restarted,
)
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.runtime.pending import Pending
from simwarden.wire.gtpv2 import Cause, CauseIe, GtpError, Message, Role, answer_to, failure_of, refusal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Coroutine, Mapping

    from simwarden.runtime.site import Site
    from simwarden.runtime.transport.addresses import Address

#: peers that are remembered; of more an unlisted peer with which no request is pending is forgotten first
_MOST_PATHS = 4096


class NoAnswerError(SimwardenError):
    """A peer gave no answer, or none that can be read; `answer` has what could be read of a malformed one."""

    def __init__(self, reason: str, answer: Message | None = None) -> None:
        super().__init__(reason)
        self.answer = answer


class Peer(NamedTuple):
    """Who asks: the element's name (or address) and its IP address."""

    name: str
    host: str


class Piggybacked(NamedTuple):
    """An answer that carries a request of this node's (TS 29.274 5.5.1); `then` takes what will have its outcome."""

    answer: Message
    request: Message
    then: Callable[[asyncio.Future[Message]], object]


class _PathTo:
    """The path to one peer, and the requests that are pending on it."""

    def __init__(self, node: GtpNode, host: str) -> None:
        self.node, self.host = node, host
        self.machine = GtpPath(node.settings, node.counter, node.site.rng.randrange(1 << 24), node.sender_teid)
        self.pending: Pending[int, Message] = Pending()
        self.heard = False
        self._external = node.site.is_external(node.site.behind(host))
        internal = bool(node.site.behind(host)) and not self._external
        self._timer = MachineTimer(node.site.clock, self.machine.on_timer, self.flush, internal=internal)

    @property
    def peer(self) -> Peer:
        """Who is at the far end."""
        return Peer(self.node.site.behind(self.host) or self.host, self.host)

    def hear(self) -> None:
        """Hear for the first time that the peer is there."""
        if self._external and not self.heard:
            self.node.site.tell_reach(self.node.interface_of(self.host), self.peer.name, "")
        self.heard = True

    def flush(self) -> None:
        """Send what the machine has to say, act on what happened, and arm its timer."""
        self._send()
        for event in self.machine.events():
            self._handle(event)
        self._send()
        self._timer.arm(self.machine.next_timer())

    def _send(self) -> None:
        for octets, port in self.machine.data_to_send():
            self.node.send(octets, (self.host, port))

    def _handle(self, event: Event) -> None:
        node = self.node
        match event:
            case RequestReceived():
                node.site.spawn(self._serve(event), event.message.name)
            case AnswerReceived(sequence, message):
                self.pending.settle(sequence, message)
            case RequestFailed(sequence, reason, answer):
                if self._external and not self.heard:
                    node.site.tell_reach(node.interface_of(self.host), self.peer.name, reason)
                self.pending.settle(sequence, NoAnswerError(f"{self.peer.name}: {reason}", answer))
            case IndicationReceived(message):
                node.hear(message, self.peer)
            case Faulted(reason, data):
                node.site.peer_fault(node.endpoint.path((self.host, PORT), node.interface_of(self.host)), reason, data)
            case Duplicate(name, replayed):
                how = "its answer is repeated" if replayed else "still at work"
                node.site.note(f"{name} of {self.peer.name} is a duplicate, {how}")
            case Restarted():
                node.site.note(f"{self.peer.name} has restarted")
                node.on_restart(self.peer)
            case Failed():
                node.site.note(f"the path to {self.peer.name} has failed")
                node.on_failure(self.peer)

    async def _serve(self, request: RequestReceived) -> None:
        """Answer a request; what its procedure finds wrong in it becomes the answer's cause."""
        answer: Message | Piggybacked | None
        try:
            answer = await self.node.serve(request.message, self.peer)
        except GtpError as error:
            answer = refused = answer_to(error)
            if refused is not None:
                refused.teid = refused.teid or self.node.sender_teid(request.message.teid)
            self.node.site.note(f"{request.message.name} of {self.peer.name} is refused: {error.reason}")
        now = self.node.site.clock.now()
        if isinstance(answer, Piggybacked):
            self.machine.respond(request, answer.answer, now, answer.request)
            answer.then(self.pending.expect(answer.request.sequence))
        elif answer is not None:
            self.machine.respond(request, answer, now)
        self.flush()

    def rest(self) -> None:
        """Ring no more."""
        self._timer.arm(None)


def _ignore(_peer: Peer) -> None:
    """Hear of a peer's restart or failure for an owner who does not care."""


class GtpNode:
    """An element's end of GTP-C: asks peers, and serves their requests by handlers named as the messages.

    `on_restart` and `on_failure` are told of peers that have lost what they knew, and that are not there any more.
    """

    def __init__(
        self,
        site: Site,
        interfaces: tuple[str, ...],
        handlers: Mapping[str, Callable[[Message, Peer], Coroutine[Any, Any, Message | Piggybacked | None]]],
        settings: PathSettings,
        sender_teid: Callable[[int], int],
        *,
        listed: Collection[str] = (),
    ) -> None:
        """`sender_teid` returns the peer's TEID for one of this node's, 0 for one that is not.

        `listed`: addresses of peers outside that may ask, which unlisted peers do not displace.
        """
        self.sender_teid = sender_teid
        from simwarden.runtime.gtp.counter import METADATA, next_counter  # noqa: PLC0415 - SQLAlchemy is heavy

        self.site, self.settings = site, settings
        self.counter = next_counter(site.open_store(METADATA))
        self.on_restart: Callable[[Peer], None] = _ignore
        self.on_failure: Callable[[Peer], None] = _ignore
        self._handlers, self._listed = handlers, frozenset(listed)
        self._paths: dict[str, _PathTo] = {}
        self._on: dict[str, str] = {}
        self._asked: set[str] = set()
        self.endpoint = site.endpoint(*interfaces)
        self.endpoint.on_receive = self._receive

    @property
    def address(self) -> str:
        """The IP address that F-TEIDs of this node say."""
        return self.endpoint.address[0]

    def interface_of(self, host: str) -> str:
        """Return the reference point that a peer is on: where it was asked or has spoken, else the usual one."""
        return self._on.get(host) or self.endpoint.known_point((host, PORT))

    def request(self, message: Message, host: str, on: str, commanded: int = 0) -> asyncio.Future[Message]:
        """Send a request to a peer at once; return what will have its answer, or a NoAnswerError.

        A command is answered by the peer's request; `commanded` is the number of one of the peer's.
        """
        path = self._path_on(host, on)
        self._asked.add(host)
        sequence = path.machine.request(message, self.site.clock.now(), commanded)
        future = path.pending.expect(sequence)
        path.flush()
        return future

    async def ask(self, message: Message, host: str, on: str, commanded: int = 0) -> Message:
        """Send a request to a peer and return its answer, as `request` does. Raises NoAnswerError."""
        return await self.request(message, host, on, commanded)

    def greet(self, host: str, on: str) -> None:
        """Have a peer hear of this node's start, and hear whether it is there."""
        path = self._path_on(host, on)
        self._asked.add(host)
        path.machine.greet(self.site.clock.now())
        path.flush()

    def close(self) -> None:
        """Wait for nothing any more: the element stops."""
        for path in self._paths.values():
            path.rest()
        self._paths.clear()

    def tell(self, message: Message, host: str, on: str, commanded: int = 0) -> None:
        """Send a message that nothing answers; `commanded` is the number of a command that failed by it."""
        path = self._path_on(host, on)
        path.machine.tell(message, commanded)
        path.flush()

    def send(self, octets: bytes, to: Address) -> None:
        """Send octets of a path."""
        self.endpoint.send(octets, to, on=self.interface_of(to[0]))

    async def serve(self, message: Message, peer: Peer) -> Message | Piggybacked | None:
        """Have a request's handler answer it; one that this node does not serve is answered so."""
        handler = self._handlers.get(message.name)
        if handler is not None:
            return await handler(message, peer)
        return Message(message.spec.answer, {"cause": CauseIe(Cause.SERVICE_NOT_SUPPORTED)})

    def hear(self, message: Message, peer: Peer) -> None:
        """Have the handler of a command or an indication take it.

        Commands that this node does not carry out fail; indications that it does not know are ignored (7.7.5).
        """
        handler = self._handlers.get(message.name)
        if handler is not None:
            self.site.spawn(handler(message, peer), message.name)
        elif message.spec.role is Role.COMMAND:
            failure = failure_of(message, Cause.SERVICE_NOT_SUPPORTED, self.sender_teid(message.teid))
            self.tell(failure, peer.host, self.interface_of(peer.host), message.sequence)

    def refuse_sender(self, message: Message, peer: Peer) -> Message | None:
        """Refuse a message about a tunnel of another peer (cause 109); return the response that a request gets."""
        self.site.note(f"{message.name} of {peer.name} is about a tunnel of another peer")
        if message.spec.role is Role.COMMAND:
            failure = failure_of(message, Cause.INVALID_PEER)
            self.tell(failure, peer.host, self.interface_of(peer.host), message.sequence)
        return refusal(message, Cause.INVALID_PEER) if message.spec.role is Role.REQUEST else None

    def _path_on(self, host: str, on: str) -> _PathTo:
        self._on[host] = on
        return self._path(host)

    def _path(self, host: str) -> _PathTo:
        path = self._paths.get(host)
        if path is None:
            self._make_room()
            path = self._paths[host] = _PathTo(self, host)
        return path

    def _make_room(self) -> None:
        if len(self._paths) >= _MOST_PATHS:
            idle = [host for host, path in self._paths.items() if not path.pending]
            leaving = next((host for host in idle if not self._is_known(host)), next(iter(idle), None))
            if leaving is not None:
                self._paths.pop(leaving).rest()
                self._on.pop(leaving, None)

    def _is_known(self, host: str) -> bool:
        """Return True if a peer is an element of this network, is listed, or was asked by this node."""
        return host in self._listed or host in self._asked or bool(self.site.behind(host))

    def _receive(self, data: bytes, source: Address) -> None:
        path = self._path(source[0])
        path.hear()
        path.machine.receive(data, source[1], self.site.clock.now())
        path.flush()
