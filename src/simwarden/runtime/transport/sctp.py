"""Links of message interfaces on SCTP (RFC 4960, RFC 6458); stream interfaces of the run use TCP.

The association is the kernel's where that has SCTP (`modprobe sctp`), else libusrsctp's in user space, over UDP; where
there is neither, the message says so and names the alternative.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError
from simwarden.model.interfaces import Service
from simwarden.runtime.link import Link
from simwarden.runtime.transport.memory import Happening, announce
from simwarden.runtime.transport.sctp_socket import KernelSocket
from simwarden.runtime.transport.tcp import SETUP_TIME, TcpTransport
from simwarden.runtime.transport.usrsctp import UserSocket

if TYPE_CHECKING:
    import ssl

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.base import Accept, Address, Wiring
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


class SctpLink(Link):
    """One end of an association."""

    __slots__ = ("_loop", "_parts", "_pending", "_wiring", "far", "gone", "sock", "unread")

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(interface, local, remote, wiring.trace, number, client=client)
        self._wiring = wiring
        self._loop = asyncio.get_running_loop()
        self.sock: SctpSocket | None = None
        self.far: SctpLink | None = None
        self.unread: list[tuple[bytes, int]] = []
        self.gone = False
        self._parts = bytearray()
        self._pending: list[tuple[bytes, int]] = []

    def take_socket(self, sock: SctpSocket) -> None:
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
        if self.far is not None:
            self._wiring.switchboard.post(_Sent(self.far))
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


class _Connecting:
    """An association within this process that is being set up."""

    __slots__ = ("_accept", "_established", "_near", "failed", "far")

    def __init__(self, near: SctpLink, accept: Accept, established: asyncio.Future[Link]) -> None:
        self._near, self._accept, self._established = near, accept, established
        self.far: SctpLink | None = None
        self.failed = False

    def join(self, far: SctpLink) -> None:
        """Make these two the ends of one association."""
        self.far, self._near.far, far.far = far, far, self._near

    def arrived(self) -> bool:
        """See Delivery."""
        return self.failed or self._near.gone or (self.far is not None and self._near.sock is not None)

    def deliver(self) -> None:
        """See Delivery."""
        if self.far is not None:
            announce(self._accept, self.far, self._near, self._established)
        elif not self._established.done():  # nobody listens any more
            self._established.set_exception(ConnectionResetError(f"{self._near.remote} has closed its listener"))

    def describe(self) -> str:
        """See Delivery."""
        return f"{self._near!r} (connecting)"


class SctpTransport(TcpTransport):
    """SCTP for interfaces whose service is messages."""

    def __init__(self, wiring: Wiring, worker: int = 0) -> None:
        super().__init__(wiring, worker)
        sock = open_socket()  # say at once that there is no SCTP
        self._user_space = isinstance(sock, UserSocket)
        sock.close()
        self._listening: dict[tuple[str, str], tuple[SctpSocket, Accept]] = {}
        self._awaited: dict[Address, tuple[SctpLink, _Connecting]] = {}

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Open a listening socket."""
        if interface.service is not Service.MESSAGES:
            await super().listen(interface, owner, accept, address)
            return
        sock = open_socket()
        sock.bind(address or (self._host_of(owner), 0))
        sock.listen()
        self._listening[owner, interface.name] = sock, accept
        receive = partial(self.wiring.reception().receive, accept=accept)
        asyncio.get_running_loop().add_reader(sock, self._acceptable, sock, interface, owner, receive)

    def address_of(self, owner: str, interface: str) -> Address:
        """Return where an element listens."""
        listening = self._listening.get((owner, interface))
        return listening[0].address() if listening else super().address_of(owner, interface)

    def _host_of(self, owner: str) -> str:
        # libusrsctp binds only to addresses of an interface, of which 127.0.0.1 is one and 127.77.1.1 is not
        return "127.0.0.1" if self._user_space else super()._host_of(owner)

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
        pending = _Connecting(near, listening[1], established)
        name = sock.address()
        self._awaited[name] = near, pending
        self.wiring.switchboard.post(pending)
        try:
            await sock.connect(listening[0].address())
        except BaseException:  # given up as well: what stays in flight would be waited for
            established.cancel()
            pending.failed = True
            self._awaited.pop(name, None)
            sock.close()
            raise
        near.take_socket(sock)
        return await established

    async def connect_outside(
        self, interface: Interface, owner: str, target: str, address: Address, tls: ssl.SSLContext | None = None
    ) -> Link:
        """Set up an association with a peer outside."""
        if interface.service is not Service.MESSAGES:
            return await super().connect_outside(interface, owner, target, address, tls)
        link = SctpLink(self.wiring, interface, owner, target, self.wiring.next_number(), client=True)
        link.internal = False
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

    def _acceptable(self, listening: SctpSocket, interface: Interface, owner: str, receive: Accept) -> None:
        with contextlib.suppress(BlockingIOError):
            sock, peer = listening.accept()
            near, pending = self._awaited.pop(peer, (None, None))
            remote = near.local if near else f"{peer[0]}:{peer[1]}"
            number = near.number if near else self.wiring.next_number()
            link = SctpLink(self.wiring, interface, owner, remote, number, client=False)
            link.take_socket(sock)
            if pending is not None:
                pending.join(link)
            else:
                link.internal = False
                receive(link)
