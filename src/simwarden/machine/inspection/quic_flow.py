"""A flow of UDP that may be QUIC: the ClientHello in a client's Initial packets, over as many datagrams as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import PeerError
from simwarden.machine.inspection.packets import datagram_in, transport_at
from simwarden.machine.inspection.stream import Stream
from simwarden.wire import quic, tls
from simwarden.wire.shown import UNREADABLE, By, Shown

if TYPE_CHECKING:
    from simwarden.wire.quic import Initial, Keys

_UDP_HEADER = 8


class QuicFlow:
    """A Watch. One flow may carry one connection after another: each calls the server by another connection ID."""

    __slots__ = ("_called", "_hello", "_keys", "_stream", "pending", "shown")

    def __init__(self) -> None:
        self.shown: tuple[Shown, ...] = ()
        self.pending = True
        #: the connection ID that the keys of Initials come of, empty if there is no connection
        self._called = b""
        self._keys: dict[int, Keys] = {}
        self._stream = Stream()
        self._hello = bytearray()

    def feed(self, packet: bytes, now: float, *, up: bool) -> bool:
        """See Watch."""
        del now
        at = transport_at(packet) + _UDP_HEADER
        if not up or len(packet) <= at:
            return False
        before = self.shown, self.pending
        found: list[Shown] = []
        if quic.is_long(packet[at : at + 1]):
            found = self._read(datagram_in(packet) or b"")
            self.shown = tuple(found) or self.shown
        elif not self.pending:
            if self._keys:
                self._forget()  # other keys are in use, so that the handshake is over
            return False
        self.pending = self.pending and bool(self._keys)
        return bool(found) or before != (self.shown, self.pending)

    def _forget(self) -> None:
        self._called, self._keys, self._stream, self._hello = b"", {}, Stream(), bytearray()

    def _read(self, datagram: bytes) -> list[Shown]:
        found: list[Shown] = []
        try:
            for each in quic.initials_in(datagram):
                found += self._take(each)
        except PeerError:
            self._forget()
            return [UNREADABLE]
        return found

    def _take(self, packet: Initial) -> list[Shown]:
        """Read an Initial packet. Raises PeerError where servers would differ in what they read."""
        frames = self._opened(packet)
        if frames is None:
            return []  # a server leaves it as well
        for offset, octets in quic.crypto_in(frames):
            if offset + len(octets) > tls.LONGEST:
                raise PeerError("ClientHello that is too long")
            self._stream.add(offset, octets)
        self._hello += self._stream.read()
        length = tls.hello_length(self._hello)
        if not self.pending or length is None or len(self._hello) < length:
            return []
        name = tls.server_name(bytes(self._hello[:length]))
        self.pending = False
        return [Shown(name, By.QUIC)] if name else []

    def _opened(self, packet: Initial) -> bytes | None:
        """Return what is in an Initial packet, by the keys of its connection or else of a new one; None: by neither.

        A client that has heard of version 2 changes to it, with keys of the same connection ID (RFC 9369 4.1).
        """
        for called in (self._called, packet.destination) if self._keys else (packet.destination,):
            known = self._keys.get(packet.version) if called == self._called else None
            keys = known or quic.client_keys(packet.version, called)
            try:
                frames = quic.opened(packet, keys)
            except PeerError:
                continue
            if not self._keys or called != self._called:
                self._forget()
                self._called, self.pending, self.shown = called, True, ()
            self._keys[packet.version] = keys
            return frames
        return None
