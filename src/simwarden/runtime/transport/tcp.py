"""Links on TCP sockets: loopback within a process, real addresses to and from peers outside it."""

from __future__ import annotations

import asyncio
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

from simwarden.errors import PeerError
from simwarden.model.interfaces import Service
from simwarden.runtime.link import Link
from simwarden.runtime.reach import why_refused
from simwarden.runtime.transport.base import Accept, Address, Transport, Wiring
from simwarden.runtime.transport.framing import Deframer, enclose
from simwarden.runtime.transport.memory import Happening, announce
from simwarden.trace.events import PeerFault

if TYPE_CHECKING:
    import ssl

    from simwarden.model.interfaces import Interface

#: seconds for a connection to a peer outside to be made
SETUP_TIME = 5.0
#: octets that are read at a turn of the loop from a peer outside: one that sends much does not hold up others
_MOST_READ = 1 << 14
#: octets waiting in the kernel and in asyncio for a peer that does not read, after which its link is cut
_MOST_UNREAD = 64 << 20
#: connections that may wait to be accepted: many within a run; few at an address, for asyncio accepts all of them
#: before the first is looked at
_BACKLOG, _BACKLOG_OUTSIDE = 1024, 64


class _Sent:
    """Octets written on a link of ours: delivered when they have all been read."""

    __slots__ = ("_size", "_to")

    def __init__(self, to: TcpLink, size: int) -> None:
        self._to, self._size = to, size

    def arrived(self) -> bool:
        """See Delivery."""
        return self._to.gone or len(self._to.unread) >= self._size

    def deliver(self) -> None:
        """See Delivery."""
        self._to.take(self._size)

    def describe(self) -> str:
        """See Delivery."""
        return repr(self._to)


class _Connecting:
    """A connection within this process that is being established."""

    def __init__(self, near: TcpLink, accept: Accept, established: asyncio.Future[Link]) -> None:
        self.near, self._accept, self._established = near, accept, established
        self.far: TcpLink | None = None
        self.failed = False

    def arrived(self) -> bool:
        """See Delivery."""
        return self.failed or self.near.gone or (self.far is not None and self.near.transport is not None)

    def deliver(self) -> None:
        """See Delivery."""
        if self.far is not None:
            announce(self._accept, self.far, self.near, self._established)
        elif not self._established.done():  # nobody listens any more
            self._established.set_exception(ConnectionResetError(f"{self.near.remote} has closed its listener"))

    def describe(self) -> str:
        """See Delivery."""
        return f"{self.near!r} (connecting)"


class TcpLink(Link, asyncio.Protocol):
    """One end on a socket."""

    __slots__ = ("__dict__", "_deframer", "_wiring", "far", "gone", "transport", "unread")

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(interface, local, remote, wiring.trace, number, client=client)
        self._wiring = wiring
        self.transport: asyncio.Transport | None = None
        self.far: TcpLink | None = None
        self.unread = bytearray()
        self.gone = False
        self._deframer = Deframer() if interface.service is Service.MESSAGES else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's types say less than it promises
        self.transport = transport
        self._wiring.open_sockets.add(self)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.internal:
            transport.max_size = _MOST_READ  # type: ignore[attr-defined]  # asyncio's transports have it

    def data_received(self, data: bytes) -> None:
        """Keep octets from this process until their turn; pass on those from outside."""
        if self.internal:
            self.unread += data
        else:
            self._pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the far end is gone; one of ours says so in its turn, one outside does so now."""
        self.gone = True
        self._wiring.open_sockets.discard(self)
        if not self.internal:
            self.hear_close(why_refused(exc) if isinstance(exc, OSError) else "closed by peer")

    def abort(self) -> None:
        """Drop the socket at once."""
        if self.transport is not None:
            self.transport.abort()

    def take(self, size: int) -> None:
        """Deliver the oldest `size` octets."""
        data = bytes(self.unread[:size])
        del self.unread[:size]
        if len(data) == size:
            self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        if not self.up:
            return
        if not self.internal:
            self.first = self.first or data[:5]
        if self._deframer is None:
            self.on_receive(data, 0)
            return
        try:
            messages = self._deframer.feed(data)
        except PeerError as error:
            self.trace.emit(
                PeerFault(
                    element=self.local, peer=self.remote, interface=self.interface.name, reason=error.reason, data=data
                )
            )
            self.close(error.reason)
            self.on_close(error.reason)
            return
        for message, stream in messages:
            self.record_received(message, stream)
            self.on_receive(message, stream)

    def _transmit(self, data: bytes, stream: int) -> None:
        octets = data if self._deframer is None else enclose(data, stream, self.interface.ppid)
        if self.far is not None:
            self._wiring.switchboard.post(_Sent(self.far, len(octets)))
        if self.transport is None:
            return
        self.transport.write(octets)
        if not self.internal and self.transport.get_write_buffer_size() > _MOST_UNREAD:
            self.transport.abort()

    def _shut(self, reason: str) -> None:
        far, self.far = self.far, None
        if far is not None:
            self._wiring.switchboard.post(Happening(far, lambda: far.hear_close(reason)))
            far.far = None
        if self.transport is not None:
            self.transport.close()

    def hear_close(self, reason: str) -> None:
        """Close this end too; nothing more is owed."""
        super().hear_close(reason)
        if self.transport is not None:
            self.transport.close()


class TcpTransport(Transport):
    """Sockets on 127.W.E.1 (worker W, element E) where the system has all of 127/8, else on 127.0.0.1."""

    def __init__(self, wiring: Wiring, worker: int = 0) -> None:
        super().__init__(wiring, worker)
        self._servers: dict[tuple[str, str], asyncio.Server] = {}
        self._accepts: dict[tuple[str, str], Accept] = {}
        self._connecting: dict[Address, _Connecting] = {}
        self._hosts: dict[str, str] = {}

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Open a listening socket."""
        key = owner, interface.name
        host, port = address or (self._host_of(owner), 0)
        loop = asyncio.get_running_loop()
        self._accepts[key] = accept
        reception = self.wiring.reception()
        self._servers[key] = await loop.create_server(
            lambda: _Accepted(self, interface, owner, partial(reception.receive, accept=accept)),
            host,
            port,
            reuse_address=True,
            backlog=_BACKLOG if address is None else _BACKLOG_OUTSIDE,
        )

    def address_of(self, owner: str, interface: str) -> Address:
        """Return where an element listens."""
        host, port = self._servers[owner, interface].sockets[0].getsockname()[:2]
        return host, port

    async def connect(self, interface: Interface, owner: str, target: str) -> Link:
        """Connect two elements of this process; the connection has its place in the order of frames."""
        key = target, interface.name
        if key not in self._servers:
            raise ConnectionRefusedError(f"{target} does not accept {interface.name}")
        loop = asyncio.get_running_loop()
        near = TcpLink(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        established: asyncio.Future[Link] = loop.create_future()
        pending = _Connecting(near, self._accepts[key], established)
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.bind((self._host_of(owner), 0))
        name = sock.getsockname()[:2]
        self._connecting[name] = pending
        self.wiring.switchboard.post(pending)
        try:
            await loop.sock_connect(sock, self.address_of(*key))
            await loop.create_connection(lambda: near, sock=sock)
        except BaseException:  # given up as well: what stays in flight would be waited for
            established.cancel()
            pending.failed = True
            self._connecting.pop(name, None)
            sock.close()
            raise
        return await established

    async def connect_outside(
        self, interface: Interface, owner: str, target: str, address: Address, tls: ssl.SSLContext | None = None
    ) -> Link:
        """Connect to a peer outside this process."""
        loop = asyncio.get_running_loop()
        link = TcpLink(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        link.internal = False
        try:
            async with asyncio.timeout(SETUP_TIME):
                await loop.create_connection(lambda: link, *address, ssl=tls)
        except TimeoutError:
            raise ConnectionError(f"no answer within {SETUP_TIME:g} s") from None
        return link

    async def stop_listening(self, owner: str) -> None:
        """Close the listening sockets of an element."""
        for key in [key for key in self._servers if key[0] == owner]:
            self._servers.pop(key).close()
            del self._accepts[key]

    async def close(self) -> None:
        """Close all sockets."""
        for owner in {key[0] for key in self._servers}:
            await self.stop_listening(owner)
        for link in list(self.wiring.open_sockets):
            link.abort()
        while self.wiring.open_sockets:  # noqa: ASYNC110 - two rounds of the loop, in which asyncio closes them
            await asyncio.sleep(0)

    def accepted(self, peer: Address, interface: Interface, owner: str) -> TcpLink:
        """Make the listening side's end of a new connection, from this process or from outside."""
        pending = self._connecting.pop(peer, None)
        if pending is not None:
            near = pending.near
            far = TcpLink(self.wiring, interface, owner, near.local, near.number, client=False)
            near.far, far.far, pending.far = far, near, far
            return far
        link = TcpLink(self.wiring, interface, owner, f"{peer[0]}:{peer[1]}", self.wiring.next_number(), client=False)
        link.internal = False
        return link

    def _host_of(self, owner: str) -> str:
        if owner not in self._hosts:
            number = len(self._hosts) + 1
            wide = sys.platform == "linux" and number < 250 and self.worker < 250
            self._hosts[owner] = f"127.{self.worker + 1}.{number}.1" if wide else "127.0.0.1"
        return self._hosts[owner]


class _Accepted(asyncio.Protocol):
    """A fresh socket of a server: becomes an end of a link as soon as its peer is known."""

    def __init__(self, owner: TcpTransport, interface: Interface, name: str, receive: Accept) -> None:
        self._transport_owner, self._interface, self._name, self._receive = owner, interface, name, receive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the socket to its link, and the link of a peer outside to whom it called."""
        peer = transport.get_extra_info("peername")[:2]
        link = self._transport_owner.accepted(peer, self._interface, self._name)
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - see TcpLink
        transport.set_protocol(link)
        link.connection_made(transport)
        if not link.internal:
            self._receive(link)
