"""Endpoints on UDP sockets.

A datagram on the loopback is lost only when the receiver's buffer is full. So no more than fits is ever on its way to
an endpoint of this process; what is sent beyond that waits here, in order, and is written as the receiver reads. From
and to the outside it is UDP: what is lost is lost.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import defaultdict, deque
from itertools import groupby
from typing import TYPE_CHECKING

from simwarden.runtime.frame_queue import Delivery
from simwarden.runtime.reach import why_refused
from simwarden.runtime.transport.endpoint import Datagrams, Endpoint, Path
from simwarden.runtime.transport.reception import NOT_ALLOWED, is_allowed
from simwarden.trace.events import Note, PeerFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.link import Link
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Wiring

#: datagrams that are read at a turn of the loop
_MOST_READ = 256
#: what the kernel counts for a datagram besides its octets, at most
_OVERHEAD = 1024
#: octets of receive buffer asked for; the kernel gives less where less is allowed
_BUFFER = 4 << 20


class _Datagrams(Delivery):
    """Datagrams on their way to an endpoint of this process: a message, or a batch of user packets."""

    __slots__ = ("_batch", "_count", "_unread")
    to: Path

    def __init__(self, to: Path, unread: deque[bytes], count: int, *, batch: bool) -> None:
        super().__init__(to)
        self._unread, self._count, self._batch = unread, count, batch

    def arrived(self) -> bool:
        """See Delivery."""
        return self.to.endpoint.closed or len(self._unread) >= self._count

    def deliver(self) -> None:
        """See Delivery."""
        if self.to.endpoint.closed:
            return
        data = [self._unread.popleft() for _ in range(self._count)]
        if self._batch:
            self.to.hear_packets(data)
        elif self.to.up:
            self.to.on_receive(data[0], 0)

    def receiver(self) -> Link | None:
        """See Delivery."""
        return None if self._batch else self.to


class UdpEndpoint(Endpoint):
    """An endpoint with a socket."""

    def __init__(
        self, sockets: UdpDatagrams, interfaces: Sequence[Interface], owner: str, address: Address, bind: Address
    ) -> None:
        super().__init__(sockets.wiring, sockets.at, interfaces, owner, address)
        self._sockets = sockets
        family = socket.AF_INET6 if ":" in bind[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        try:
            self.sock.bind(bind)
        except OSError as error:
            self.close()
            where = f"error while attempting to bind on address {bind!r}: {why_refused(error)}"
            raise OSError(error.errno, where) from error
        self.bound: Address = self.sock.getsockname()[:2]
        if not address[1]:  # the port is the system's choice
            self._move(self.bound)
        self._room = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        self._under_way = 0
        self._waiting: deque[tuple[UdpEndpoint, bytes]] = deque()
        #: what was read and not delivered, by the sender's own address
        self._unread: defaultdict[Address, deque[bytes]] = defaultdict(deque)
        self._buffer = bytearray(1 << 16)
        self._told: set[Address] = set()
        sockets.by_socket[self.bound] = self.address
        asyncio.get_running_loop().add_reader(self.sock, self._readable)

    # -- to endpoints of this process

    def carry(self, _near: Path, far: Path, data: bytes) -> None:
        """See Endpoint."""
        self._carry(far, (data,), batch=False)

    def carry_packets(self, far: Path, packets: Sequence[bytes]) -> None:
        """See Endpoint."""
        self._carry(far, packets, batch=True)

    def _carry(self, far: Path, datagrams: Sequence[bytes], *, batch: bool) -> None:
        receiver = far.endpoint
        assert isinstance(receiver, UdpEndpoint)  # noqa: S101 - all endpoints of a run are of one kind
        unread = receiver._unread[self.address]  # noqa: SLF001 - one of its kind
        for each in datagrams:
            receiver._take_in(self, each)  # noqa: SLF001 - as above
        self.wiring.frame_queue.post(_Datagrams(far, unread, len(datagrams), batch=batch))

    def _take_in(self, sender: UdpEndpoint, data: bytes) -> None:
        """Have a datagram written to this endpoint's socket, now or when there is room for it."""
        if self._waiting or not self._write(sender, data):
            self._waiting.append((sender, data))

    def _write(self, sender: UdpEndpoint, data: bytes) -> bool:
        size = len(data) + _OVERHEAD
        if self._under_way and self._under_way + size > self._room:
            return False
        if sender.closed:  # its last words, when all that it said before has been read
            if self._under_way:
                return False
            self._unread[sender.address].append(data)
            return True
        try:
            sender.sock.sendto(data, self.bound)
        except BlockingIOError:
            return False
        self._under_way += size
        return True

    # -- from the socket

    def _readable(self) -> None:
        outside: list[tuple[Address, bytes]] = []
        for source, data in self._read():
            known = self._sockets.by_socket.get(source)
            if known is None:
                outside.append((source, data))
            else:
                self._under_way -= len(data) + _OVERHEAD
                self._unread[known].append(data)
        while self._waiting and not self.closed and self._write(*self._waiting[0]):
            self._waiting.popleft()
        for (source, batch), group in groupby(outside, lambda each: (each[0], self.is_packet(each[1]))):
            self._hear_outside(source, [data for _, data in group], batch=batch)

    def _read(self) -> Iterator[tuple[Address, bytes]]:
        for _ in range(_MOST_READ):
            try:
                size, source = self.sock.recvfrom_into(self._buffer)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # what ICMP told of an earlier datagram
                continue
            yield source[:2], bytes(memoryview(self._buffer)[:size])

    def _hear_outside(self, source: Address, datagrams: list[bytes], *, batch: bool) -> None:
        name = next(iter(self.interfaces))  # points that share a socket share what is allowed there
        if not is_allowed(source[0], self.wiring.allowed.get(name, ())):
            remote = f"{source[0]}:{source[1]}"
            self.wiring.trace.emit(PeerFault(element=self.owner, peer=remote, interface=name, reason=NOT_ALLOWED))
            return
        if batch:
            self.path(source, client=False).hear_packets(datagrams)
            return
        for each in datagrams:
            if not self.closed:
                path = self.path(source, client=False)
                path.record_received(each)
                path.on_receive(each, 0)

    def carry_outside(self, near: Path, datagrams: Sequence[bytes]) -> bool:
        """See Endpoint: only where the run has an outside, and not to an element of ours that is not there."""
        addresses = self.wiring.addresses
        if not addresses.open_to_outside or addresses.is_inside(near.address[0]):
            return False
        try:
            for each in datagrams:
                self.sock.sendto(each, near.address)
        except BlockingIOError:  # lost, as in any full queue
            pass
        except OSError as error:
            if near.address not in self._told:
                self._told.add(near.address)
                text = f"no way to {near.remote} at {near.address[0]}:{near.address[1]}: {why_refused(error)}"
                self.wiring.trace.emit(Note(element=self.owner, text=text))
            return False
        return True

    def close(self) -> None:
        """See Endpoint."""
        if not self.closed:
            super().close()
            asyncio.get_running_loop().remove_reader(self.sock)
            self.sock.close()


class UdpDatagrams(Datagrams):
    """Makes endpoints with sockets."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        #: endpoints' own addresses by those of their sockets; those that were closed may still be read from
        self.by_socket: dict[Address, Address] = {}

    def open(self, interfaces: Sequence[Interface], owner: str, address: Address | None = None) -> Endpoint:
        """See Datagrams.

        In a run that nobody outside speaks with, a socket whose port is taken (by another run, or by an element beside
        it where elements have no loopback address each) has one of the system's choice; the address stays.
        """
        if address is not None:
            return UdpEndpoint(self, interfaces, owner, address, address)
        own = self.usual(owner, interfaces[0])
        host = self.wiring.addresses.bound(owner)
        try:
            return UdpEndpoint(self, interfaces, owner, own, (host, own[1]))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or self.wiring.addresses.open_to_outside:
                raise
            return UdpEndpoint(self, interfaces, owner, own, (host, 0))
