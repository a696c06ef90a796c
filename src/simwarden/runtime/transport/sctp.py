"""Links of message interfaces on SCTP (RFC 4960, RFC 6458).

The association is the kernel's where that has SCTP (`modprobe sctp`), else libusrsctp's in user space (see `usrsctp`);
where there is neither, the message says so and names the alternative. `SctpInUdpTransport` is user space in any case.
Diameter, which is a stream by its specification, has each message in one of SCTP's (RFC 6733 2.1).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError
from simwarden.model.interfaces import Service
from simwarden.runtime.transport.framing import LARGEST
from simwarden.runtime.transport.sctp_socket import KernelSocket
from simwarden.runtime.transport.sockets import MOST_UNREAD, SocketLink, SocketTransport
from simwarden.runtime.transport.usrsctp import UserSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Outgoing, Wiring
    from simwarden.runtime.transport.sctp_socket import SctpSocket


def open_socket(*, in_udp: bool = False) -> SctpSocket:
    """Open a one-to-one SCTP socket, of the kernel unless it is to be in UDP.

    Raises ConfigError where there is neither a kernel with SCTP nor libusrsctp.
    """
    without = "SCTP in UDP is in user space"
    if not in_udp:
        try:
            return KernelSocket()
        except OSError as error:
            without = f"this kernel has no SCTP ({error.strerror})"
    try:
        return UserSocket(in_udp=in_udp)
    except (OSError, AttributeError) as error:  # no such library, or a system without eventfd
        raise ConfigError(
            f"{without}, and libusrsctp cannot be used ({error})",
            hint="load it with 'modprobe sctp' as root, install libusrsctp2, or use transport tcp",
        ) from error


class SctpLink(SocketLink):
    """One end of an association."""

    __slots__ = ("_loop", "_parts", "_pending", "_unsent", "sock")
    on_sctp = True

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(wiring, interface, local, remote, number, client=client)
        self._loop = asyncio.get_running_loop()
        self.sock: SctpSocket | None = None
        self.unread, self.gone = deque[tuple[bytes, int]](), False
        self._parts = bytearray()
        self._pending: deque[tuple[bytes, int]] = deque()
        self._unsent = 0

    @property
    def has_socket(self) -> bool:
        """See SocketLink."""
        return self.sock is not None

    def take_socket(self, sock: SctpSocket) -> None:
        """Begin to read from a connected socket."""
        self.sock = sock
        self.wiring.open_sockets.add(self)
        self._loop.add_reader(sock, self._readable)

    def abort(self) -> None:
        """Drop the socket at once."""
        sock, self.sock = self.sock, None
        self.gone = True
        self.wiring.open_sockets.discard(self)
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()

    def _readable(self) -> None:
        if self.sock is None:
            return
        try:
            data, stream, whole = self.sock.receive()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lost(error.strerror or "association lost")
            return
        if not data:
            self._lost("closed by peer")
            return
        self._parts += data
        if len(self._parts) > LARGEST:
            reason = f"a message of more than {LARGEST} octets"
            self.report_fault(reason)
            self._lost(reason)
            return
        if not whole:
            return
        message, self._parts = bytes(self._parts), bytearray()
        self._hear(message, stream)

    def _hear(self, message: bytes, stream: int) -> None:
        if self.internal:
            self.unread.append((message, stream))
        elif self.up:
            if self.interface.service is Service.STREAM:  # its receiver records, as on TCP
                self.first = self.first or message[:5]
            else:
                self.record_received(message, stream)
            self.on_receive(message, stream)

    def _lost(self, reason: str) -> None:
        self.abort()
        if not self.internal:
            self.hear_close(reason)

    def _transmit(self, data: bytes, stream: int) -> None:
        self._owe(1)
        self._pending.append((data, stream))
        self._unsent += len(data)
        self._flush()
        if not self.internal and self._unsent > MOST_UNREAD:
            self._lost("it does not read")

    def send_together(self, messages: Sequence[bytes]) -> None:
        """Send each message as one of SCTP's."""
        for each in messages:
            self.send(each)

    def _flush(self) -> None:
        while self._pending and self.sock is not None:
            data, stream = self._pending[0]
            try:
                self.sock.send(data, stream, self.interface.ppid)
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self.sock, self._flush)
                return
            except OSError as error:
                self._lost(error.strerror or "association lost")
                return
            self._pending.popleft()
            self._unsent -= len(data)
        if self.sock is not None:
            self._loop.remove_writer(self.sock)

    def take(self, amount: int) -> None:
        """Deliver the oldest messages."""
        for _ in range(min(amount, len(self.unread))):
            message = self.unread.popleft()
            if self.up:
                self.on_receive(*message)

    def _release(self) -> None:
        self.abort()


class SctpTransport(SocketTransport[SctpLink]):
    """Messages, each whole and on its stream."""

    link = SctpLink
    awaits = "SCTP association"

    in_udp = False

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        open_socket(in_udp=self.in_udp).close()  # say at once that there is no SCTP

    def _listening(self, owner: str, address: Address | None) -> tuple[SctpSocket, ...]:
        address = address or (self.wiring.addresses.bound(owner), 0)
        sock = open_socket(in_udp=self.in_udp)
        try:
            sock.bind(address)
            sock.listen()
        except OSError as error:
            sock.close()
            raise OSError(error.errno, f"{error.strerror} (address {address!r})") from error
        return (sock,)

    def carried(self, owner: str, interface: str) -> str:
        """See Transport."""
        listener = self._listeners.get((owner, interface))
        said: str = listener.sockets[0].carried() if listener is not None else ""
        return said

    def _adopt(self, link: SctpLink, sock: SctpSocket, ready: Callable[[], None]) -> None:
        link.take_socket(sock)
        ready()

    def _open(self, owner: str) -> tuple[SctpSocket, Address]:
        sock = open_socket(in_udp=self.in_udp)
        sock.bind((self.wiring.addresses.bound(owner), 0))
        return sock, sock.getsockname()

    async def _dial(self, link: SctpLink, sock: SctpSocket, address: Address) -> None:
        await sock.connect(address)
        link.take_socket(sock)

    async def _dial_outside(self, link: SctpLink, to: Outgoing) -> None:
        sock = open_socket(in_udp=self.in_udp)
        try:
            if to.source is not None:
                sock.bind(to.source)
                link.note_hosts(to.source)
            await sock.connect(to.address)
        except BaseException:
            sock.close()
            raise
        link.take_socket(sock)


class SctpInUdpTransport(SctpTransport):
    """SCTP in UDP (RFC 6951) alone, also where the kernel has SCTP or IP protocol 132 may be used."""

    in_udp = True
