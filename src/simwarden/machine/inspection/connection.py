"""A connection of TCP: the octets of its ends are put in their order, and read.

A connection begins with SYN and its answer (RFC 9293 3.5). A SYN amid one begins none, unless it is answered, nor does
an answer where nobody has called: octets behind such, or of a connection whose beginning nobody saw, are those of
somebody who would have us lose the thread. So are octets in a SYN (RFC 7413): nobody knows whether the server takes
them, nor from where on it reads then. Who sends such goes on by a SYN without (4.1.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from simwarden.errors import PeerError
from simwarden.machine.inspection.packets import segment_in, transport_at
from simwarden.machine.inspection.stream import Stream
from simwarden.wire import ip
from simwarden.wire.shown import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.wire.shown import Shown

#: where flags and length are, behind ports and numbers (RFC 9293 3.1)
_OFFSET, _FLAGS = 12, 13
_SYN: Final = int(ip.TcpFlag.SYN)
_ACK: Final = int(ip.TcpFlag.ACK)
_FIN: Final = int(ip.TcpFlag.FIN)
_RST: Final = int(ip.TcpFlag.RST)
_CLOSES: Final = _FIN | _RST


class Reader(Protocol):
    """Who reads what the ends of one connection say."""

    #: octets next of the client which need not be looked at
    skip: int

    @property
    def unread(self) -> int:
        """The number of octets at the end of the last ones that were not read: they are skipped, or taken again."""
        ...

    @property
    def hears(self) -> bool:
        """Whether the server's octets are read as well."""
        ...

    @property
    def ends(self) -> bool:
        """Whether nothing is shown any more."""
        ...

    @property
    def waits(self) -> bool:
        """Whether something may show a name that has begun, or is the first."""
        ...

    @property
    def in_hello(self) -> bool:
        """True if a ClientHello has begun and is not whole."""
        ...

    def take(self, octets: bytes) -> list[Shown]:
        """Return what the client's next octets show. Raises PeerError."""
        ...

    def end(self) -> list[Shown]:
        """Return what the client's octets show if none follow. Raises PeerError."""
        ...

    def hear(self, octets: bytes, now: float) -> None:
        """Have the server's next octets. Raises PeerError."""
        ...


def _unheard(said: list[tuple[int, list[Shown]]], stream: Stream) -> list[tuple[int, list[Shown]]]:
    """Return of what was shown what the server has not acknowledged: it may yet come there, if sent again."""
    return [each for each in said if each[0] > stream.acknowledged]


@dataclass(slots=True, eq=False)
class Connection:
    """A Watch. It shows what was read last, and all that the server has not acknowledged."""

    #: begins to read a connection
    _new: Callable[[], Reader]
    shown: tuple[Shown, ...] = ()
    pending: bool = True
    begun: int = 0
    over: bool = False
    #: which ends have closed: 1 the client, 2 the server
    _closed: int = 0
    _reader: Reader = field(init=False)
    #: of the client, None if there is nothing to be read
    _up: Stream | None = None
    _down: Stream | None = None
    #: where the client's octets end
    _end: int | None = None
    _answered: bool = False
    #: whether it was seen to begin; what the device would acknowledge of somebody who has called it, if one has
    _known: bool = False
    _called: int | None = None
    #: what was shown, each with the offset up to which it goes
    _said: list[tuple[int, list[Shown]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = self._new()

    @property
    def in_hello(self) -> bool:
        """See Watch."""
        return self._reader.in_hello

    def feed(self, packet: bytes, now: float, *, up: bool) -> bool:
        """See Watch."""
        at = transport_at(packet)
        if len(packet) < at + 20:
            return False
        flags = packet[at + _FLAGS]
        if flags & _SYN:
            return self._begin(packet, up=up)
        if flags & _CLOSES:
            self._note_end(flags, up=up)
        if self._up is None:
            return not self._known and up and self._refuse_unknown(packet)
        near, far = (self._up, self._down) if up else (self._down, self._up)
        heard = False
        if flags & _ACK and far is not None and far.keeps and self._answered:
            heard = self._acknowledge(far, int.from_bytes(packet[at + 8 : at + 12]))
        length = len(packet) - at - (packet[at + _OFFSET] >> 4) * 4
        if near is None or not ((up and flags & _FIN) or self._is_of_interest(near, packet, at, length)):
            return heard
        segment = segment_in(packet)
        return (segment is not None and self._take(segment, now, up=up)) or heard

    def _note_end(self, flags: int, *, up: bool) -> None:
        """Record that an end closes the connection, or resets it (RFC 9293 3.6)."""
        self._closed |= 3 if flags & _RST else 1 if up else 2
        self.over = self._closed == 3

    @staticmethod
    def _is_of_interest(near: Stream, packet: bytes, at: int, length: int) -> bool:
        return length > 0 and not near.is_past(int.from_bytes(packet[at + 4 : at + 8]), length)

    def _refuse_unknown(self, packet: bytes) -> bool:
        """Show that octets of a connection that nobody saw begin are of no name."""
        segment = segment_in(packet)
        if segment is None or not segment.payload:
            return False
        return self._changed([], (UNREADABLE,), pending=False)

    def _acknowledge(self, stream: Stream, sequence: int) -> bool:
        stream.acknowledge(sequence)
        if stream is self._up:
            self._said = [*_unheard(self._said[:-1], stream), *self._said[-1:]]
        return self._changed([], self._all(), pending=self.pending)

    def _all(self) -> tuple[Shown, ...]:
        return tuple(dict.fromkeys(shown for _, found in self._said for shown in found))

    def _begin(self, packet: bytes, *, up: bool) -> bool:
        """Begin anew: the same ports may carry one connection after another."""
        segment = segment_in(packet)
        if segment is None:
            return False
        first = (segment.sequence + 1) % (1 << 32)
        if not up:
            self._answer(segment, first)
            return False
        answers = bool(segment.flags & _ACK)
        if answers and segment.acknowledgement != self._called and not segment.payload:
            return False
        self._known = True
        if answers or segment.payload:  # of who answers the other end is the client, and says the names
            self._up = self._down = None
            return self._changed([], (UNREADABLE,) if segment.payload else (), pending=False)
        if self._up is not None and self._up.first == first and not self._up.acknowledged:
            return False  # it comes twice; once the server has octets behind it, it is of another connection
        self._up, self._down, self._answered, self._reader = Stream(first), None, False, self._new()
        self._said, self._end = [], None
        self.over, self._closed = False, 0
        self.begun += 1
        return self._changed([], (), pending=True)

    def _answer(self, segment: ip.Tcp, first: int) -> None:
        """Have a SYN of the far end, which answers the device's or calls it."""
        if not segment.flags & _ACK:
            self._called = first
        elif self._up is not None and segment.acknowledgement == self._up.first:
            self._answered = True
            self._down = Stream(first) if self._reader.hears else None

    def _take(self, segment: ip.Tcp, now: float, *, up: bool) -> bool:
        """Read a segment with octets; what servers, or we, read otherwise than others, closes the books."""
        found: list[Shown] = []
        try:
            self._see_that_it_counts(segment)
            if up:
                self._say(segment, found)
            else:
                self._hear(segment.sequence, segment.payload, now)
        except PeerError:
            self._up = self._down = None
            return self._changed([], (UNREADABLE,), pending=False)
        reader, stream = self._reader, self._up
        pending = not reader.ends and (reader.waits or (stream is not None and stream.waits))
        if reader.ends and stream is not None and not stream.keeps:
            self._up = None
        return self._changed(found, self._all(), pending=pending)

    def _see_that_it_counts(self, segment: ip.Tcp) -> None:
        if segment.flags & ip.TcpFlag.URG:
            raise PeerError("urgent data, which some take out of the octets (RFC 6093 3)")
        if segment.payload and not self._answered:
            raise PeerError("octets of a connection that is not there")

    def _say(self, segment: ip.Tcp, found: list[Shown]) -> None:
        stream, reader = self._up, self._reader
        if stream is None:
            return
        if reader.ends:
            stream.compare(segment.sequence, segment.payload)
            return
        self._see_where_it_ends(segment, stream)
        stream.add(segment.sequence, segment.payload)
        while more := stream.read():
            shown = reader.take(more)
            stream.take_back(reader.unread)
            self._show(shown, stream, found)
            stream.skip(reader.skip)
            reader.skip = 0
        if self._end is not None and stream.next >= self._end:
            self._show(reader.end(), stream, found)

    def _see_where_it_ends(self, segment: ip.Tcp, stream: Stream) -> None:
        end = stream.offset(segment.sequence) + len(segment.payload)
        if self._end is not None and end > self._end:
            raise PeerError("octets behind the end of their connection")
        if segment.flags & _FIN:
            self._end = end

    def _show(self, shown: list[Shown], stream: Stream, found: list[Shown]) -> None:
        if shown:
            found += shown
            self._said = [*_unheard(self._said, stream), (stream.next, shown)]

    def _hear(self, sequence: int, octets: bytes, now: float) -> None:
        if self._down is not None:
            self._down.add(sequence, octets)
            while more := self._down.read():
                self._reader.hear(more, now)

    def _changed(self, found: list[Shown], shown: tuple[Shown, ...], *, pending: bool) -> bool:
        changed = bool(found) or (shown, pending) != (self.shown, self.pending)
        self.shown, self.pending = shown, pending
        return changed
