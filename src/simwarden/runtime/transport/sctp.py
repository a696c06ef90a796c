"""Links of message interfaces on kernel SCTP sockets (RFC 4960, RFC 6458); stream interfaces of the run use TCP.

Needs a kernel with SCTP (`modprobe sctp`); where there is none, the message says so and names the alternative.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError
from simwarden.model.interfaces import Service
from simwarden.runtime.link import Link
from simwarden.runtime.transport.memory import Happening, announce
from simwarden.runtime.transport.tcp import TcpTransport

if TYPE_CHECKING:
    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.base import Accept, Address, Wiring

IPPROTO_SCTP = 132
_SOL_SCTP = 132
_SCTP_NODELAY = 3
_SCTP_EVENTS = 11
_SCTP_SNDRCV = 1
#: struct sctp_sndrcvinfo (RFC 6458 5.3.2): stream, ssn, flags, ppid (network order), context, ttl, tsn, cumtsn, assoc
_SNDRCV = struct.Struct("=HHHxxIIIIIi")
_LARGEST = 1 << 16


def open_socket() -> socket.socket:
    """Open a one-to-one SCTP socket. Raises ConfigError where the kernel has no SCTP."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP)
    except OSError as error:
        raise ConfigError(
            f"this kernel has no SCTP ({error.strerror})",
            hint="load it with 'modprobe sctp' as root, or use transport tcp",
        ) from error
    sock.setblocking(False)
    sock.setsockopt(_SOL_SCTP, _SCTP_NODELAY, struct.pack("i", 1))
    # ask for sndrcvinfo with each message (first octet of struct sctp_event_subscribe)
    sock.setsockopt(_SOL_SCTP, _SCTP_EVENTS, bytes([1]) + bytes(7))
    return sock


class SctpLink(Link):
    """One end of an association."""

    __slots__ = ("_loop", "_parts", "_pending", "_wiring", "far", "gone", "sock", "unread")

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(interface, local, remote, wiring.trace, number, client=client)
        self._wiring = wiring
        self._loop = asyncio.get_running_loop()
        self.sock: socket.socket | None = None
        self.far: SctpLink | None = None
        self.unread: list[tuple[bytes, int]] = []
        self.gone = False
        self._parts = bytearray()
        self._pending: list[tuple[bytes, int]] = []

    def take_socket(self, sock: socket.socket) -> None:
        """Begin to read from a connected socket."""
        self.sock = sock
        self._wiring.open_sockets.add(self)
        self._loop.add_reader(sock, self._readable)

    def abort(self) -> None:
        """Drop the socket at once."""
        sock, self.sock = self.sock, None
        self.gone = True
        self._wiring.open_sockets.discard(self)
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()

    def _readable(self) -> None:
        if self.sock is None:
            return
        try:
            data, ancillary, flags, _ = self.sock.recvmsg(_LARGEST, socket.CMSG_SPACE(_SNDRCV.size))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lost(error.strerror or "association lost")
            return
        if not data:
            self._lost("closed by peer")
            return
        self._parts += data
        if not flags & socket.MSG_EOR:
            return
        message, self._parts = bytes(self._parts), bytearray()
        self._hear(message, _stream_of(ancillary))

    def _hear(self, message: bytes, stream: int) -> None:
        if self.internal:
            self.unread.append((message, stream))
        elif self.up:
            self.record_received(message, stream)
            self.on_receive(message, stream)

    def _lost(self, reason: str) -> None:
        self.abort()
        if not self.internal:
            self.hear_close(reason)

    def _transmit(self, data: bytes, stream: int) -> None:
        if self.far is not None:
            self._wiring.switchboard.post(_Sent(self.far))
        self._pending.append((data, stream))
        self._flush()

    def _flush(self) -> None:
        while self._pending and self.sock is not None:
            data, stream = self._pending[0]
            info = _SNDRCV.pack(stream, 0, 0, socket.htonl(self.interface.ppid), 0, 0, 0, 0, 0)
            try:
                self.sock.sendmsg([data], [(IPPROTO_SCTP, _SCTP_SNDRCV, info)])
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self.sock, self._flush)
                return
            except OSError as error:
                self._lost(error.strerror or "association lost")
                return
            del self._pending[0]
        if self.sock is not None:
            self._loop.remove_writer(self.sock)

    def _shut(self, reason: str) -> None:
        far, self.far = self.far, None
        if far is not None:
            far.far = None
            self._wiring.switchboard.post(Happening(far, lambda: far.hear_close(reason)))
        self.abort()

    def hear_close(self, reason: str) -> None:
        """Close this end too."""
        super().hear_close(reason)
        self.abort()


class _Sent:
    """A message on its way between two ends in this process."""

    __slots__ = ("_to",)

    def __init__(self, to: SctpLink) -> None:
        self._to = to

    def arrived(self) -> bool:
        """See Delivery."""
        return self._to.gone or bool(self._to.unread)

    def deliver(self) -> None:
        """See Delivery."""
        if self._to.unread:
            data, stream = self._to.unread.pop(0)
            if self._to.up:
                self._to.on_receive(data, stream)

    def describe(self) -> str:
        """See Delivery."""
        return repr(self._to)


def _stream_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Find the stream in what recvmsg gave besides the data."""
    for level, kind, data in ancillary:
        if level == IPPROTO_SCTP and kind == _SCTP_SNDRCV and len(data) >= _SNDRCV.size:
            stream: int = _SNDRCV.unpack_from(data)[0]
            return stream
    return 0


class SctpTransport(TcpTransport):
    """SCTP for interfaces whose service is messages."""

    def __init__(self, wiring: Wiring, worker: int = 0) -> None:
        super().__init__(wiring, worker)
        open_socket().close()  # say at once that the kernel lacks it
        self._listening: dict[tuple[str, str], tuple[socket.socket, Accept]] = {}
        self._awaited: dict[Address, tuple[SctpLink, asyncio.Future[Link]]] = {}

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Open a listening socket."""
        if interface.service is not Service.MESSAGES:
            await super().listen(interface, owner, accept, address)
            return
        sock = open_socket()
        sock.bind(address or (self._host_of(owner), 0))
        sock.listen(128)
        self._listening[owner, interface.name] = sock, accept
        asyncio.get_running_loop().add_reader(sock, self._acceptable, sock, interface, owner, accept)

    async def connect(self, interface: Interface, owner: str, target: str) -> Link:
        """Set up an association between two elements of this process."""
        if interface.service is not Service.MESSAGES:
            return await super().connect(interface, owner, target)
        listening = self._listening.get((target, interface.name))
        if listening is None:
            raise ConnectionRefusedError(f"{target} does not accept {interface.name}")
        loop = asyncio.get_running_loop()
        near = SctpLink(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        sock = open_socket()
        sock.bind((self._host_of(owner), 0))
        established: asyncio.Future[Link] = loop.create_future()
        self._awaited[sock.getsockname()[:2]] = near, established
        await loop.sock_connect(sock, listening[0].getsockname()[:2])
        near.take_socket(sock)
        return await established

    async def connect_outside(self, interface: Interface, owner: str, target: str, address: Address) -> Link:
        """Set up an association with a peer outside."""
        if interface.service is not Service.MESSAGES:
            return await super().connect_outside(interface, owner, target, address)
        link = SctpLink(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        link.internal = False
        sock = open_socket()
        try:
            await asyncio.get_running_loop().sock_connect(sock, address)
        except OSError:
            sock.close()
            raise
        link.take_socket(sock)
        return link

    async def stop_listening(self, owner: str) -> None:
        """Close the listening sockets of an element."""
        await super().stop_listening(owner)
        for key in [key for key in self._listening if key[0] == owner]:
            sock, _ = self._listening.pop(key)
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()

    async def close(self) -> None:
        """Close all sockets."""
        for owner in {key[0] for key in self._listening}:
            await self.stop_listening(owner)
        await super().close()

    def _acceptable(self, listening: socket.socket, interface: Interface, owner: str, accept: Accept) -> None:
        with contextlib.suppress(BlockingIOError):
            sock, peer = listening.accept()
            sock.setblocking(False)
            near, established = self._awaited.pop(peer[:2], (None, None))
            remote = near.local if near else f"{peer[0]}:{peer[1]}"
            number = near.number if near else self.wiring.next_number()
            link = SctpLink(self.wiring, interface, owner, remote, number, client=False)
            link.take_socket(sock)
            if near is not None and established is not None:
                near.far, link.far = link, near
                self.wiring.switchboard.post(Happening(link, lambda: announce(accept, link, near, established)))
            else:
                link.internal = False
                accept(link)
