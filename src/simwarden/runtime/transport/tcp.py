"""Links on TCP sockets: loopback within a process, real addresses to and from peers outside it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from simwarden.errors import PeerError
from simwarden.model.interfaces import Service
from simwarden.runtime.reach import why_refused
from simwarden.runtime.transport.framing import Deframer, SelfDelimited, enclose
from simwarden.runtime.transport.sockets import MOST_UNREAD, SocketLink, SocketTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Outgoing, Wiring

#: octets that are read at a turn of the loop from a peer outside: one that sends much does not hold up others
_MOST_READ = 1 << 14
#: connections that may wait to be accepted: many within a run, few at an address of the outside
_BACKLOG, _BACKLOG_OUTSIDE = 1024, 64


class TcpLink(SocketLink, asyncio.Protocol):
    """One end on a socket."""

    __slots__ = ("__dict__", "_deframer", "transport")

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(wiring, interface, local, remote, number, client=client)
        self.transport: asyncio.Transport | None = None
        self.unread, self.gone = bytearray(), False
        self._deframer: Deframer | SelfDelimited | None = None
        if interface.service is Service.MESSAGES:
            self._deframer = SelfDelimited(interface.protocol) if interface.self_delimiting else Deframer()

    @property
    def has_socket(self) -> bool:
        """See SocketLink."""
        return self.transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's types say less than it promises
        self.transport = transport
        self.wiring.open_sockets.add(self)
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
        self.wiring.open_sockets.discard(self)
        if not self.internal:
            self.hear_close(why_refused(exc) if isinstance(exc, OSError) else "closed by peer")

    def abort(self) -> None:
        """Drop the socket at once."""
        if self.transport is not None:
            self.transport.abort()

    def take(self, amount: int) -> None:
        """Deliver the oldest octets."""
        data = bytes(self.unread[:amount])
        del self.unread[:amount]
        if len(data) == amount:
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
            whole = self._deframer.feed(data)
        except PeerError as error:
            self.report_fault(error.reason, data)
            self.close(error.reason)
            self.on_close(error.reason)
            return
        for each in whole:
            if isinstance(each, list):
                self.hear_packets(each)
            else:
                self.record_received(*each)
                self.on_receive(*each)

    def _transmit(self, data: bytes, stream: int) -> None:
        framed = self._deframer is not None and not self.interface.self_delimiting
        self._write(enclose(data, stream, self.interface.ppid) if framed else data)

    def _transmit_packets(self, packets: Sequence[bytes]) -> None:
        self._write(b"".join(enclose(each, 0, self.interface.ppid, user=True) for each in packets), batch=True)

    def _write(self, octets: bytes, *, batch: bool = False) -> None:
        self._owe(len(octets), batch=batch)
        if self.transport is None:
            return
        self.transport.write(octets)
        if not self.internal and self.transport.get_write_buffer_size() > MOST_UNREAD:
            self.transport.abort()

    def _release(self) -> None:
        if self.transport is not None:
            self.transport.close()


class TcpTransport(SocketTransport[TcpLink]):
    """Streams, and messages in a frame of ours."""

    link = TcpLink
    awaits = "answer"

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._adopting: set[asyncio.Task[None]] = set()

    def _listening(self, owner: str, address: Address | None) -> tuple[socket.socket, ...]:
        host, port = address or (self.wiring.addresses.bound(owner), 0)
        backlog = _BACKLOG if address is None else _BACKLOG_OUTSIDE
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        made: list[socket.socket] = []
        try:
            for family, *_, where in dict.fromkeys(found):
                made.append(socket.create_server(where, family=family, backlog=backlog))
                made[-1].setblocking(False)
        except OSError:
            for sock in made:
                sock.close()
            raise
        return tuple(made)

    def _adopt(self, link: TcpLink, sock: socket.socket, ready: Callable[[], None]) -> None:
        async def adopt() -> None:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: link, sock=sock)
            ready()

        task = asyncio.get_running_loop().create_task(adopt())
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    def _open(self, owner: str) -> tuple[socket.socket, Address]:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.bind((self.wiring.addresses.bound(owner), 0))
        return sock, sock.getsockname()[:2]

    async def _dial(self, link: TcpLink, sock: socket.socket, address: Address) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, address)
        await loop.create_connection(lambda: link, sock=sock)

    async def _dial_outside(self, link: TcpLink, to: Outgoing) -> None:
        loop = asyncio.get_running_loop()
        if to.source is None:
            await loop.create_connection(lambda: link, *to.address, ssl=to.tls)
        else:
            sock = await _connected_from(to.source, to.address)
            name = to.address[0] if to.tls is not None else None
            await loop.create_connection(lambda: link, sock=sock, ssl=to.tls, server_hostname=name)


async def _connected_from(source: Address, address: Address) -> socket.socket:
    """Return a socket that is connected from a local address, whose port may be in TIME-WAIT."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    found = await loop.getaddrinfo(*address, family=family, type=socket.SOCK_STREAM)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(source)
        await loop.sock_connect(sock, found[0][4])
    except BaseException:
        sock.close()
        raise
    return sock
