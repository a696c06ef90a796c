"""The octets of one end of a connection in their order, as the other end gets them, whatever segments they come in.

Whoever looks from between does not know which segments arrive (a hop limit, a checksum, a window may keep one from
it), and so not which of two that differ the other end has. Octets are therefore kept until the other end has
acknowledged them, and a second copy that differs is refused: as long as none does, it does not matter which arrives.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

from simwarden.errors import PeerError

#: octets and pieces that are kept, of those that wait for others before them and those that are not acknowledged
_MOST, _MOST_PIECES, _MOST_KEPT = 1 << 18, 256, 2048
#: how far ahead of the others a piece may be
_AHEAD: Final = 1 << 22
_CYCLE: Final = 1 << 32


def _start_of(piece: tuple[int, bytearray]) -> int:
    return piece[0]


def _end_of(piece: tuple[int, bytearray]) -> int:
    return piece[0] + len(piece[1])


class Stream:
    """Octets from a first sequence number on (RFC 9293 3.4); offsets in it count from there, and do not wrap."""

    __slots__ = ("_highest", "_kept", "_waiting", "acknowledged", "first", "next")

    def __init__(self, first: int = 0) -> None:
        self.first = first
        #: the offset up to which octets are read, or skipped
        self.next = 0
        #: the offset up to which the other end has them
        self.acknowledged = 0
        self._highest = 0
        self._waiting: dict[int, bytes] = {}
        #: what is read, and not acknowledged
        self._kept: list[tuple[int, bytearray]] = []

    @property
    def waits(self) -> bool:
        """Whether octets are there that others have to come before."""
        return bool(self._waiting)

    @property
    def keeps(self) -> bool:
        """Whether there are octets that a second copy is compared with."""
        return bool(self._kept or self._waiting)

    def offset(self, sequence: int) -> int:
        """Return the offset of a sequence number: that which is nearest to what came last."""
        ahead = (sequence - self.first - self._highest) % _CYCLE
        return self._highest + (ahead - _CYCLE if ahead >= _CYCLE // 2 else ahead)

    def is_past(self, sequence: int, length: int) -> bool:
        """Whether octets are of no interest: they are skipped, and there are none that they could differ from."""
        at = self.offset(sequence)
        end = at + length
        if self._kept or self._waiting or at < 0 or end > self.next:
            return False
        self._highest = max(self._highest, end)
        return True

    def add(self, sequence: int, octets: bytes) -> None:
        """Have a segment's octets. Raises PeerError where they differ from what was there, or are too far ahead."""
        self.compare(sequence, octets)
        at = self.offset(sequence)
        end = at + len(octets)
        if end > max(self.next, self._highest) + _AHEAD:
            raise PeerError("segment far ahead of its connection")
        self._highest = max(self._highest, end)
        if end > self.next:
            fresh = max(at, self.next)
            if len(octets) > at + len(self._waiting.get(fresh, b"")) - fresh:
                self._waiting[fresh] = octets[fresh - at :]
        self._bound()

    def compare(self, sequence: int, octets: bytes) -> None:
        """See that a segment's octets are those that were there. Raises PeerError."""
        at = self.offset(sequence)
        if at < -1:  # where the SYN is, a probe may have an octet (RFC 9293 3.8.4)
            raise PeerError("segment of another connection")
        first = max(bisect_right(self._kept, at, key=_start_of) - 1, 0)
        last = bisect_left(self._kept, at + len(octets), key=_start_of)
        for start, known in (*self._kept[first:last], *self._waiting.items()):
            low, high = max(start, at), min(start + len(known), at + len(octets))
            if low < high and known[low - start : high - start] != octets[low - at : high - at]:
                raise PeerError("octets are sent again, and are others")

    def _bound(self) -> None:
        kept = sum(map(len, self._waiting.values())) + sum(len(each) for _, each in self._kept)
        if kept > _MOST or len(self._waiting) > _MOST_PIECES or len(self._kept) > _MOST_KEPT:
            raise PeerError("connection of which too much waits")

    def read(self) -> bytes:
        """Return the octets that are next, empty if they are not there."""
        found = bytearray()
        while self._waiting and (start := min(self._waiting)) <= self.next:
            piece = self._waiting.pop(start)[self.next - start :]
            self._keep(self.next, piece)
            self.next += len(piece)
            found += piece
        return bytes(found)

    def _keep(self, at: int, octets: bytes) -> None:
        if self._kept and self._kept[-1][0] + len(self._kept[-1][1]) == at:
            self._kept[-1][1].extend(octets)
        elif octets:
            self._kept.append((at, bytearray(octets)))

    def take_back(self, count: int) -> None:
        """Move the last `count` octets that were read back to those that wait, so that a skip can leave them out."""
        if not count:
            return
        _, kept = self._kept[-1]
        self.next -= count
        self._waiting[self.next] = bytes(kept[-count:])
        del kept[-count:]
        if not kept:
            del self._kept[-1]

    def skip(self, count: int) -> None:
        """Leave out the octets that are next."""
        self.next += count
        for start in [each for each in self._waiting if each < self.next]:
            rest = self._waiting.pop(start)[self.next - start :]
            if len(rest) > len(self._waiting.get(self.next, b"")):
                self._waiting[self.next] = rest

    def acknowledge(self, sequence: int) -> None:
        """Forget what is before a sequence number, which the other end has acknowledged."""
        at = self.offset(sequence)
        if at > self._highest:
            return  # nobody can have got that
        self.acknowledged = max(self.acknowledged, at)
        past = bisect_right(self._kept, at, key=_end_of)
        del self._kept[:past]
        if self._kept and self._kept[0][0] < at:
            start, octets = self._kept[0]
            self._kept[0] = at, octets[at - start :]
