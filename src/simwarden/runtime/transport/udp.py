"""Links of datagram interfaces on UDP sockets; other interfaces of the same run use TCP.

A link is what the owner thinks of as its peer: the connecting side has a socket of its own, the listening side tells
its links apart by their source address. A datagram on loopback is not lost unless a socket's buffer overflows; in
virtual time such a loss ends the run with an error that names the link, since nothing would repeat it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from simwarden.model.interfaces import Service
from simwarden.runtime.link import Link
from simwarden.runtime.transport.memory import Happening, announce
from simwarden.runtime.transport.tcp import TcpTransport

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.base import Accept, Address, SocketLink, Wiring


class UdpLink(Link):
    """One end of an association; `write` puts a datagram on the socket, `shut` releases it."""

    __slots__ = ("_wiring", "far", "shut", "unread", "write")

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(interface, local, remote, wiring.trace, number, client=client)
        self._wiring = wiring
        self.far: UdpLink | None = None
        self.unread: deque[bytes] = deque()
        self.write: Callable[[bytes], None] = lambda _: None
        self.shut: Callable[[], None] = lambda: None

    def hear(self, data: bytes) -> None:
        """Take a datagram from the socket: kept until its turn, or passed on at once if from outside."""
        if self.internal:
            self.unread.append(data)
        elif self.up:
            self.record_received(data)
            self.on_receive(data, 0)

    def _transmit(self, data: bytes, stream: int) -> None:
        del stream
        if self.far is not None:
            self._wiring.switchboard.post(_Datagram(self.far))
        self.write(data)

    def _shut(self, reason: str) -> None:
        far, self.far = self.far, None
        if far is not None:
            far.far = None
            self._wiring.switchboard.post(Happening(far, lambda: far.hear_close(reason)))
        self.shut()

    def abort(self) -> None:
        """Release the socket."""
        self.shut()

    def hear_close(self, reason: str) -> None:
        """Release this end's socket too."""
        super().hear_close(reason)
        self.shut()


class _Datagram:
    """A datagram on its way between two ends in this process."""

    __slots__ = ("_to",)

    def __init__(self, to: UdpLink) -> None:
        self._to = to

    def arrived(self) -> bool:
        """See Delivery."""
        return bool(self._to.unread)

    def deliver(self) -> None:
        """See Delivery."""
        data = self._to.unread.popleft()
        if self._to.up:
            self._to.on_receive(data, 0)

    def describe(self) -> str:
        """See Delivery."""
        return repr(self._to)


class _ClientSocket(asyncio.DatagramProtocol):
    def __init__(self, link: UdpLink, sockets: set[SocketLink]) -> None:
        self._link, self._sockets = link, sockets
        sockets.add(link)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Pass on what the server sent."""
        del addr
        self._link.hear(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the socket as closed."""
        del exc
        self._sockets.discard(self._link)


class _ServerSocket(asyncio.DatagramProtocol):
    """A listening socket: links by source address, made for a new source outside this process."""

    def __init__(self, wiring: Wiring, interface: Interface, owner: str, accept: Accept) -> None:
        self._wiring, self._interface, self.owner, self.accept = wiring, interface, owner, accept
        self._reception = wiring.reception()
        self.links: dict[Address, UdpLink] = {}
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Pass on to the link of the source."""
        link = self.links.get(addr[:2])
        if link is None:
            link = self.end_for(addr[:2], f"{addr[0]}:{addr[1]}", self._wiring.next_number())
            link.internal = False
            self._reception.receive(link, self.accept)
        link.hear(data)

    def end_for(self, source: Address, remote: str, number: int) -> UdpLink:
        """Make the listening side's end for a source address."""
        link = UdpLink(self._wiring, self._interface, self.owner, remote, number, client=False)
        transport = self.transport
        if transport is not None:
            link.write = lambda data: transport.sendto(data, source)
        link.shut = lambda: self._forget(source)
        self.links[source] = link
        return link

    def _forget(self, source: Address) -> None:
        self.links.pop(source, None)


class UdpTransport(TcpTransport):
    """UDP for interfaces whose service is datagrams."""

    def __init__(self, wiring: Wiring, worker: int = 0) -> None:
        super().__init__(wiring, worker)
        self._sockets: dict[tuple[str, str], _ServerSocket] = {}

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Open a socket for all peers of the interface."""
        if interface.service is not Service.DATAGRAMS:
            await super().listen(interface, owner, accept, address)
            return
        server = _ServerSocket(self.wiring, interface, owner, accept)
        server.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: server, local_addr=address or (self._host_of(owner), 0)
        )
        self._sockets[owner, interface.name] = server

    def address_of(self, owner: str, interface: str) -> Address:
        """Return where an element listens."""
        server = self._sockets.get((owner, interface))
        if server is None or server.transport is None:
            return super().address_of(owner, interface)
        host, port = server.transport.get_extra_info("sockname")[:2]
        return host, port

    async def connect(self, interface: Interface, owner: str, target: str) -> Link:
        """Make an association with an element of this process."""
        if interface.service is not Service.DATAGRAMS:
            return await super().connect(interface, owner, target)
        server = self._sockets.get((target, interface.name))
        if server is None or server.transport is None:
            raise ConnectionRefusedError(f"{target} does not accept {interface.name}")
        near = UdpLink(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        source = await self._open(near, self.address_of(target, interface.name), (self._host_of(owner), 0))
        far = server.end_for(source, owner, near.number)
        near.far, far.far = far, near
        established: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self.wiring.switchboard.post(Happening(far, lambda: announce(server.accept, far, near, established)))
        return await established

    async def connect_outside(
        self, interface: Interface, owner: str, target: str, address: Address, tls: ssl.SSLContext | None = None
    ) -> Link:
        """Make an association with a peer outside; that it is there shows only when it answers."""
        if interface.service is not Service.DATAGRAMS:
            return await super().connect_outside(interface, owner, target, address, tls)
        link = UdpLink(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        link.internal = False
        await self._open(link, address, None)
        return link

    async def stop_listening(self, owner: str) -> None:
        """Close the listening sockets of an element."""
        await super().stop_listening(owner)
        for key in [key for key in self._sockets if key[0] == owner]:
            transport = self._sockets.pop(key).transport
            if transport is not None:
                transport.close()

    async def close(self) -> None:
        """Close all listening sockets."""
        for owner in {key[0] for key in self._sockets}:
            await self.stop_listening(owner)
        await super().close()

    async def _open(self, link: UdpLink, address: Address, local: Address | None) -> Address:
        """Open a connected socket for a link; return the local address."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _ClientSocket(link, self.wiring.open_sockets), local_addr=local, remote_addr=address
        )
        link.write = transport.sendto
        link.shut = transport.close
        source: Address = transport.get_extra_info("sockname")[:2]
        return source
