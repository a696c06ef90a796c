"""Bits and lengths of aligned PER (X.691 11): where octets start, and how long what follows is."""

from __future__ import annotations

from simwarden.errors import PeerError

_FRAGMENT = 0x4000  # X.691 11.9.3.8: longer contents travel in pieces of 16K


class Writer:
    """Collects bits from the left; octet strings start on an octet."""

    __slots__ = ("count", "octets", "pending")

    def __init__(self) -> None:
        self.octets = bytearray()
        self.pending = 0
        self.count = 0

    def bits(self, value: int, width: int) -> None:
        """Append a bit-field."""
        pending = self.pending << width | value
        count = self.count + width
        if count >= 8:
            left = count & 7
            self.octets += (pending >> left).to_bytes(count >> 3, "big")
            pending &= (1 << left) - 1
            count = left
        self.pending, self.count = pending, count

    def align(self) -> None:
        """Fill up with zero bits to the next octet."""
        if self.count:
            self.octets.append(self.pending << 8 - self.count)
            self.pending = self.count = 0

    def aligned(self, octets: bytes) -> None:
        """Append octets, aligned; no octets ask for no padding."""
        if octets:
            self.align()
            self.octets += octets

    def finish(self) -> bytes:
        """Return the complete encoding: at least one octet (X.691 11.1)."""
        self.align()
        return bytes(self.octets) or b"\0"


class Reader:
    """A cursor over bits."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.end = len(data) * 8

    def bits(self, width: int) -> int:
        """Return a bit-field."""
        start = self.position
        stop = start + width
        if stop > self.end:
            raise PeerError("PER encoding ends early")
        self.position = stop
        last = stop + 7 >> 3
        return int.from_bytes(self.data[start >> 3 : last], "big") >> (last << 3) - stop & (1 << width) - 1

    def aligned(self, length: int) -> bytes:
        """Return octets, aligned; no octets ask for no padding."""
        if not length:
            return b""
        start = self.position + 7 >> 3
        stop = start + length
        if stop << 3 > self.end:
            raise PeerError("PER encoding ends early")
        self.position = stop << 3
        return self.data[start:stop]


def with_length(octets: bytes) -> bytes:
    """Put the length in front (X.691 11.9, unconstrained): an open type, or an octet string without bounds."""
    length = len(octets)
    if length < 0x80:
        return bytes((length,)) + octets
    if length < _FRAGMENT:
        return (length | 0x8000).to_bytes(2, "big") + octets
    pieces = min(length // _FRAGMENT, 4)
    return bytes((0xC0 | pieces,)) + octets[: pieces * _FRAGMENT] + with_length(octets[pieces * _FRAGMENT :])


def split_length(data: bytes, offset: int) -> tuple[bytes, int]:
    """Return what `with_length` made, read at `offset`, and where it ends. Raises PeerError."""
    gathered = b""
    while offset < len(data):
        first = data[offset]
        offset += 1
        more = first >= 0xC0
        if first < 0x80:
            length = first
        elif not more and offset < len(data):
            length = (first & 0x3F) << 8 | data[offset]
            offset += 1
        elif more and 1 <= first & 0x3F <= 4:
            length = (first & 0x3F) * _FRAGMENT
        else:
            break
        end = offset + length
        if end > len(data):
            break
        if not more and not gathered:
            return data[offset:end], end
        gathered += data[offset:end]
        offset = end
        if not more:
            return gathered, offset
    raise PeerError("length beyond the end of a PER encoding")


def read_open(reader: Reader) -> bytes:
    """Read an open type or unbounded octet string."""
    octets, stop = split_length(reader.data, reader.position + 7 >> 3)
    reader.position = stop << 3
    return octets
