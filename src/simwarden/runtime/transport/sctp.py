"""Links of message interfaces on SCTP (RFC 4960, RFC 6458).

The association is the kernel's where that has SCTP (`modprobe sctp`), else libusrsctp's in user space, over UDP; where
there is neither, the message says so and names the alternative.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError
from simwarden.runtime.transport.sctp_socket import KernelSocket
from simwarden.runtime.transport.sockets import SETUP_TIME, SocketLink, SocketTransport
from simwarden.runtime.transport.usrsctp import UserSocket

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.link import Link
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Wiring
    from simwarden.runtime.transport.sctp_socket import SctpSocket


def open_socket() -> SctpSocket:
    """Open a one-to-one SCTP socket. Raises ConfigError where there is neither a kernel with SCTP nor libusrsctp."""
    try:
        return KernelSocket()
    except OSError as error:
        without = error.strerror
    try:
        return UserSocket()
    except (OSError, AttributeError) as error:  # no such library, or a system without eventfd
        raise ConfigError(
            f"this kernel has no SCTP ({without}), and libusrsctp cannot be used ({error})",
            hint="load it with 'modprobe sctp' as root, install libusrsctp2, or use transport tcp",
        ) from error


class SctpLink(SocketLink):
    """One end of an association."""

    __slots__ = ("_loop", "_parts", "_pending", "sock")

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(wiring, interface, local, remote, number, client=client)
        self._loop = asyncio.get_running_loop()
        self.sock: SctpSocket | None = None
        self.unread: deque[tuple[bytes, int]] = deque()
        self._parts = bytearray()
        self._pending: list[tuple[bytes, int]] = []

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
        if not whole:
            return
        message, self._parts = bytes(self._parts), bytearray()
        self._hear(message, stream)

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
        self._owe(1)
        self._pending.append((data, stream))
        self._flush()

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
            del self._pending[0]
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

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        sock = open_socket()  # say at once that there is no SCTP
        self._user_space = isinstance(sock, UserSocket)
        sock.close()

    def _listening(self, owner: str, address: Address | None) -> tuple[SctpSocket, ...]:
        sock = open_socket()
        sock.bind(address or (self._host_of(owner), 0))
        sock.listen()
        return (sock,)

    def _adopt(self, link: SctpLink, sock: SctpSocket, ready: Callable[[], None]) -> None:
        link.take_socket(sock)
        ready()

    def _host_of(self, owner: str) -> str:
        # libusrsctp binds only to addresses of an interface, of which 127.0.0.1 is one and 127.77.1.1 is not
        host = self.wiring.addresses.bound(owner)
        return "127.0.0.1" if self._user_space and host.startswith("127.") else host

    def _open(self, owner: str) -> tuple[SctpSocket, Address]:
        sock = open_socket()
        sock.bind((self._host_of(owner), 0))
        return sock, sock.getsockname()

    async def _dial(self, link: SctpLink, sock: SctpSocket, address: Address) -> None:
        await sock.connect(address)
        link.take_socket(sock)

    async def connect_outside(
        self, interface: Interface, owner: str, target: str, address: Address, tls: ssl.SSLContext | None = None
    ) -> Link:
        """Set up an association with a peer outside."""
        del tls
        link = self._outside(interface, owner, target, client=True)
        sock = open_socket()
        try:
            await asyncio.wait_for(sock.connect(address), SETUP_TIME)
        except TimeoutError:
            sock.close()
            raise ConnectionError(f"no SCTP association within {SETUP_TIME:g} s") from None
        except OSError:
            sock.close()
            raise
        link.take_socket(sock)
        return link
