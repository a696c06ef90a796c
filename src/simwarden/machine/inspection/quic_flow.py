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

    __slots__ = ("called", "ended", "hello", "keys", "pending", "stream")

    def __init__(self, called: bytes) -> None:
        self.called = called
        #: by version: a client that has heard of version 2 changes to it, with the same ID (RFC 9369 4.1)
        self.keys: dict[int, Keys] = {}
        self.stream = Stream()
        self.hello = bytearray()
        self.pending = True
        #: whether its handshake is over, so that nothing of it is kept but its keys
        self.ended = False

    def opened(self, packet: Initial) -> bytes | None:
        """Return what is in an Initial packet, None if it is of another connection."""
        if packet.version not in self.keys:
            self.keys[packet.version] = quic.client_keys(packet.version, self.called)
        try:
            return quic.opened(packet, self.keys[packet.version])
        except PeerError:
            return None

    def take(self, frames: bytes) -> list[str]:
        """Return the server names of ClientHellos that are whole now; a second one is that to a HelloRetryRequest.

        Raises PeerError where servers would differ in what they read.
        """
        for offset, octets in quic.crypto_in(frames):
            if offset + len(octets) > tls.LONGEST or self.ended:
                raise PeerError("handshake that is too long, or goes on behind its end")
            self.stream.add(offset, octets)
        self.hello += self.stream.read()
        found = []
        while (length := tls.hello_length(self.hello)) is not None and len(self.hello) >= length:
            found.append(tls.read_hello(bytes(self.hello[:length])).name)
            del self.hello[:length]
        self.pending = (self.pending and not found) or bool(self.hello) or self.stream.waits
        return found

    def end(self) -> None:
        """Keep nothing but its keys."""
        self.ended, self.stream, self.hello = True, Stream(), bytearray()


class QuicFlow:
    """A Watch. Packets behind a handshake do not say of which connection they are: names of all that began count."""

    __slots__ = ("_calls", "_shakes", "begun", "pending", "shown")

    over: Final = False

    def __init__(self) -> None:
        self.shown: tuple[Shown, ...] = ()
        self.pending = True
        self.begun = 0
        self._calls: list[_Call] = []
        #: whether octets of handshakes are kept
        self._shakes = False

    @property
    def in_hello(self) -> bool:
        """See Watch."""
        return any(each.pending and (each.hello or each.stream.waits) for each in self._calls)

    def feed(self, packet: bytes, _now: float, *, up: bool) -> bool:
        """See Watch."""
        at = transport_at(packet) + _UDP_HEADER
        if not up or len(packet) <= at:
            return False
        before = self.shown, self.pending
        if quic.is_long(packet[at : at + 1]):
            self._read(datagram_in(packet) or b"")
        elif not self.pending:
            if self._shakes:  # other keys are in use, so that the handshakes are over
                self._shakes = False
                for each in self._calls:
                    each.end()
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
        """Read an Initial packet. Raises PeerError.

        Of one that no keys open a server may know the connection, or its whole number (RFC 9000 A.3), which depends on
        the packets that have reached it.
        """
        for call in (*self._calls, _Call(packet.destination)):
            frames = call.opened(packet)
            if frames is None:
                continue
            if call not in self._calls:
                self._remember(call)
            self._shakes = True
            for name in filter(None, call.take(frames)):
                self._show(Shown(name, By.QUIC))
            return
        raise PeerError("QUIC packet of no connection that is known")

    def _remember(self, call: _Call) -> None:
        if len(self._calls) == _MOST:
            over = next((each for each in self._calls if each.ended), None)
            if over is None:
                raise PeerError("flow that begins many connections")
            self._calls.remove(over)
        self._calls.append(call)
        self.begun += 1

    def _show(self, shown: Shown) -> None:
        self.shown = tuple(dict.fromkeys((*self.shown, shown)))
        if len(self.shown) > _MOST:
            self.shown = (*self.shown[: _MOST - 1], UNREADABLE)
