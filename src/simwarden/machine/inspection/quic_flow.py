"""A flow of UDP that may be QUIC: the ClientHello in a client's Initial packets, over as many datagrams as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.machine.inspection.packets import datagram_in, transport_at
from simwarden.machine.inspection.stream import Stream
from simwarden.wire import quic, tls
from simwarden.wire.shown import UNREADABLE, By, Shown

if TYPE_CHECKING:
    from simwarden.wire.quic import Initial, Keys

_UDP_HEADER: Final = 8
#: connections that one flow may begin
_MOST: Final = 8


class _Call:
    """A connection that a client begins: it calls the server by a connection ID, of which the keys are made."""

    __slots__ = ("called", "hello", "keys", "pending", "stream")

    def __init__(self, called: bytes) -> None:
        self.called = called
        #: by version: a client that has heard of version 2 changes to it, with the same ID (RFC 9369 4.1)
        self.keys: dict[int, Keys] = {}
        self.stream = Stream()
        self.hello = bytearray()
        self.pending = True

    def opened(self, packet: Initial) -> bytes | None:
        """Return what is in an Initial packet, None if it is of another connection."""
        if packet.version not in self.keys:
            self.keys[packet.version] = quic.client_keys(packet.version, self.called)
        try:
            return quic.opened(packet, self.keys[packet.version])
        except PeerError:
            return None

    def take(self, frames: bytes) -> str | None:
        """Return the server name if it is whole now. Raises PeerError where servers would differ in what they read."""
        for offset, octets in quic.crypto_in(frames):
            if offset + len(octets) > tls.LONGEST:
                raise PeerError("ClientHello that is too long")
            self.stream.add(offset, octets)
        self.hello += self.stream.read()
        length = tls.hello_length(self.hello)
        if not self.pending or length is None or len(self.hello) < length:
            return None
        self.pending = False
        return tls.server_name(bytes(self.hello[:length]))


class QuicFlow:
    """A Watch. Packets behind a handshake do not say of which connection they are: names of all that began count."""

    __slots__ = ("_calls", "begun", "pending", "shown")

    def __init__(self) -> None:
        self.shown: tuple[Shown, ...] = ()
        self.pending = True
        self.begun = 0
        self._calls: list[_Call] = []

    def feed(self, packet: bytes, now: float, *, up: bool) -> bool:
        """See Watch."""
        del now
        at = transport_at(packet) + _UDP_HEADER
        if not up or len(packet) <= at:
            return False
        before = self.shown, self.pending
        if quic.is_long(packet[at : at + 1]):
            self._read(datagram_in(packet) or b"")
        elif not self.pending:
            self._calls = []  # other keys are in use, so that the handshakes are over
            return False
        self.pending = any(each.pending for each in self._calls)
        return before != (self.shown, self.pending)

    def _read(self, datagram: bytes) -> None:
        try:
            for each in quic.initials_in(datagram):
                self._take(each)
        except PeerError:
            self._calls = []
            self._show(UNREADABLE)

    def _take(self, packet: Initial) -> None:
        """Read an Initial packet; one that no keys open is left by a server as well. Raises PeerError."""
        for call in (*self._calls, _Call(packet.destination)):
            frames = call.opened(packet)
            if frames is None:
                continue
            if call not in self._calls:
                self._calls.append(call)
                self.begun += 1
            if len(self._calls) > _MOST:
                raise PeerError("flow that begins many connections")
            name = call.take(frames)
            if name:
                self._show(Shown(name, By.QUIC))
            return

    def _show(self, shown: Shown) -> None:
        self.shown = tuple(dict.fromkeys((*self.shown, shown)))
        if len(self.shown) > _MOST:
            self.shown = (*self.shown[: _MOST - 1], UNREADABLE)
