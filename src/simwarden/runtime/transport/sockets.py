"""What links on TCP and on SCTP have in common: octets are kept as they are read, and delivered in their turn."""

from __future__ import annotations

import asyncio
import errno
from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from simwarden.runtime.frame_queue import Delivery, Happening
from simwarden.runtime.link import Link
from simwarden.runtime.transport.addresses import hosts_of
from simwarden.runtime.transport.base import Accept, Transport, Wiring, announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Outgoing

#: seconds for a connection to a peer outside to be made
SETUP_TIME = 5.0
#: octets waiting for a peer that does not read, after which its link is cut
MOST_UNREAD = 64 << 20
#: what says that no more sockets can be had, and the seconds after which it is tried again
_NO_MORE, _LATER = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}), 1.0


class SocketLink(Link):
    """One end on a socket.

    `unread` is what the far end in this process has sent and was read: octets of a stream, or messages; `far` is that
    end, and `gone` says that no more will be read.
    """

    __slots__ = ("gone", "unread")
    far: SocketLink | None
    gone: bool
    unread: Any

    def note_hosts(self, address: Address) -> None:
        """Note at which of our addresses the link is, where it has several."""
        hosts = hosts_of(address)
        self.hosts = hosts if len(hosts) > 1 else ()

    @property
    @abstractmethod
    def has_socket(self) -> bool:
        """Whether its socket is connected."""

    @abstractmethod
    def take(self, amount: int) -> None:
        """Deliver so much of the oldest that is unread."""

    @abstractmethod
    def _release(self) -> None:
        """Close the socket."""

    def _owe(self, amount: int, *, batch: bool = False) -> None:
        """Give what is being written its place in the order: a frame, or a batch of user packets."""
        if self.far is not None:
            self.wiring.frame_queue.post(Sent(self.far, amount, batch=batch))

    def _shut(self, reason: str) -> None:
        far, self.far = self.far, None
        if far is not None:
            far.far = None
            self.wiring.frame_queue.post(Happening(far, lambda: far.hear_close(reason)))
        self._release()

    def hear_close(self, reason: str) -> None:
        """Close this end too; nothing more is sent."""
        super().hear_close(reason)
        self._release()


class Sent(Delivery):
    """What was written on a link of ours: delivered when all of it has been read."""

    __slots__ = ("_amount", "_batch")
    to: SocketLink

    def __init__(self, to: SocketLink, amount: int, *, batch: bool) -> None:
        super().__init__(to)
        self._amount, self._batch = amount, batch

    def arrived(self) -> bool:
        """See Delivery."""
        return self.to.gone or len(self.to.unread) >= self._amount

    def deliver(self) -> None:
        """See Delivery."""
        self.to.take(self._amount)

    def receiver(self) -> Link | None:
        """See Delivery."""
        return None if self._batch else self.to


@dataclass(slots=True, eq=False)
class _Connecting(Delivery):
    """A connection within this process that is being established."""

    to: SocketLink
    _accept: Accept
    _established: asyncio.Future[Link]
    far: SocketLink | None = None
    failed: bool = False

    def arrived(self) -> bool:
        """See Delivery."""
        return self.failed or self.to.gone or (self.far is not None and self.far.has_socket and self.to.has_socket)

    def deliver(self) -> None:
        """See Delivery."""
        if self.far is not None:
            announce(self._accept, self.far, self.to, self._established)
        elif not self._established.done():  # nobody listens any more
            self._established.set_exception(ConnectionResetError(f"{self.to.remote} has closed its listener"))

    def describe(self) -> str:
        """See Delivery."""
        return f"{self.to!r} (connecting)"


L = TypeVar("L", bound=SocketLink)


@dataclass(frozen=True, slots=True)
class _Listener:
    """Where an element listens."""

    address: Address
    accept: Accept
    sockets: tuple[Any, ...]


class SocketTransport(Transport, Generic[L]):
    """Connects elements of this process through sockets; who connects to whom is known by the address that it has."""

    link: type[L]
    #: what a peer outside does not give in time, in words
    awaits: ClassVar[str]

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._listeners: dict[tuple[str, str], _Listener] = {}
        self._awaited: dict[Address, _Connecting] = {}

    @abstractmethod
    def _listening(self, owner: str, address: Address | None) -> tuple[Any, ...]:
        """Return listening sockets at an address of the outside, or at one of the element's own."""

    @abstractmethod
    def _adopt(self, link: L, sock: Any, ready: Callable[[], None]) -> None:
        """Give an accepted socket to its link, and say when it has it."""

    @abstractmethod
    def _open(self, owner: str) -> tuple[Any, Address]:
        """Return a socket of an element, and its address."""

    @abstractmethod
    async def _dial(self, link: L, sock: Any, address: Address) -> None:
        """Connect a socket, and give it to its link."""

    @abstractmethod
    async def _dial_outside(self, link: L, to: Outgoing) -> None:
        """Connect a link to a peer outside."""

    def address_of(self, owner: str, interface: str) -> Address | None:
        """See Transport."""
        listener = self._listeners.get((owner, interface))
        return listener.address if listener is not None else None

    async def connect(self, interface: Interface, owner: str, target: str) -> Link:
        """Connect two elements of this process; the connection has its place in the order of frames."""
        listener = self._listeners.get((target, interface.name))
        if listener is None:
            return await super().connect(interface, owner, target)
        near = self.link(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        established: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        pending = _Connecting(near, listener.accept, established)
        sock, name = self._open(owner)
        self._awaited[name] = pending
        self.wiring.frame_queue.post(pending)
        try:
            await self._dial(near, sock, listener.address)
        except BaseException:  # given up as well: what stays in flight would be waited for
            established.cancel()
            pending.failed = True
            self._awaited.pop(name, None)
            sock.close()
            raise
        return await established

    async def connect_outside(self, interface: Interface, owner: str, target: str, to: Outgoing) -> Link:
        """Connect to a peer outside this process."""
        link = self._outside(interface, owner, target, client=True)
        try:
            async with asyncio.timeout(SETUP_TIME):
                await self._dial_outside(link, to)
        except TimeoutError:
            raise ConnectionError(f"no {self.awaits} within {SETUP_TIME:g} s") from None
        return link

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Open listening sockets, at once as in memory: who connects in the same instant does so in the same order."""
        sockets = self._listening(owner, address)
        host, port = sockets[0].getsockname()[:2]
        self._listeners[owner, interface.name] = _Listener((host, port), accept, sockets)
        receive = partial(self.wiring.reception(interface.name).receive, accept=accept)
        for sock in sockets:
            self.wiring.when_accepted(partial(self._serve, sock, interface, owner, receive))

    def _serve(self, sock: Any, interface: Interface, owner: str, receive: Accept) -> None:
        if sock.fileno() >= 0:
            asyncio.get_running_loop().add_reader(sock, self._acceptable, sock, interface, owner, receive)

    def _acceptable(self, listening: Any, interface: Interface, owner: str, receive: Accept) -> None:
        try:
            sock, peer = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in _NO_MORE:
                raise
            loop = asyncio.get_running_loop()
            loop.remove_reader(listening)
            loop.call_later(_LATER, self._serve, listening, interface, owner, receive)
            return
        link = self._accepted(peer[:2], interface, owner)
        self._adopt(link, sock, lambda: None if link.internal else receive(link))

    def _accepted(self, peer: Address, interface: Interface, owner: str) -> L:
        """Make the listening side's end of a new connection, from this process or from outside."""
        pending = self._awaited.pop(peer, None)
        if pending is None:
            link = self._outside(interface, owner, f"{peer[0]}:{peer[1]}", client=False)
            if (listener := self._listeners.get((owner, interface.name))) is not None:
                link.note_hosts(listener.address)
            return link
        near = pending.to
        far = self.link(self.wiring, interface, owner, near.local, near.number, client=False)
        near.far, far.far, pending.far = far, near, far
        return far

    def _outside(self, interface: Interface, owner: str, remote: str, *, client: bool) -> L:
        """Make an end of a connection with a peer outside."""
        link = self.link(self.wiring, interface, owner, remote, self.wiring.next_number(), client=client)
        link.internal = False
        return link

    async def stop_listening(self, owner: str = "") -> None:
        """Close the listening sockets of an element, or all."""
        for key in [key for key in self._listeners if owner in ("", key[0])]:
            for sock in self._listeners.pop(key).sockets:
                asyncio.get_running_loop().remove_reader(sock)
                sock.close()
