"""Basic encoding rules (X.690 chapter 8), as an envelope needs them: tags, lengths of either form, numbers, OIDs.

A tag is told as the number of its identifier octets: 0x62, 0x9f8148.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Iterable

INTEGER: Final = 0x02
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
EXTERNAL: Final = 0x28
SEQUENCE: Final = 0x30
_CONSTRUCTED: Final = 0x20
_DEEPEST: Final = 32


class Element(NamedTuple):
    """A tag, its contents, and all octets of both."""

    tag: int
    value: bytes
    octets: bytes


def take(data: bytes, at: int = 0, depth: int = 0) -> Element:
    """Read the element that begins at a place. Raises PeerError."""
    tag, start = _take_tag(data, at)
    if start >= len(data):
        raise PeerError("an element without a length")
    first = data[start]
    start += 1
    if first == 0x80:
        return _take_indefinite(data, at, start, tag, depth)
    length = first
    if first & 0x80:
        count = first & 0x7F
        length, start = int.from_bytes(data[start : start + count]), start + count
    end = start + length
    if end > len(data):
        raise PeerError(f"an element of {length} octets in {max(0, len(data) - start)}")
    return Element(tag, data[start:end], data[at:end])


def _take_tag(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise PeerError("no element where there must be one")
    end = at + 1
    if data[at] & 0x1F == 0x1F:
        while end < len(data) and data[end] & 0x80:
            end += 1
        end += 1
        if end > len(data) or end - at > 4:
            raise PeerError("a tag that is cut, or of more than 4 octets")
    return int.from_bytes(data[at:end]), end


def _take_indefinite(data: bytes, at: int, start: int, tag: int, depth: int) -> Element:
    if not data[at] & _CONSTRUCTED or depth > _DEEPEST:
        raise PeerError("an indefinite length of what is not constructed, or too deep")
    end = start
    while data[end : end + 2] != b"\0\0":
        end += len(take(data, end, depth + 1).octets)
    return Element(tag, data[start:end], data[at : end + 2])


def elements(data: bytes) -> list[Element]:
    """Read the elements that follow one another. Raises PeerError."""
    found, at = [], 0
    while at < len(data):
        found.append(take(data, at))
        at += len(found[-1].octets)
    return found


def only(data: bytes) -> Element:
    """Read octets that are one element. Raises PeerError."""
    found = take(data)
    if len(found.octets) != len(data):
        raise PeerError(f"{len(data) - len(found.octets)} octets behind an element")
    return found


def put(tag: int, value: bytes) -> bytes:
    """Return an element, its length definite and as short as can be."""
    length = len(value)
    size = (length.bit_length() + 7) // 8
    head = bytes((length,)) if length < 0x80 else bytes((0x80 | size,)) + length.to_bytes(size)
    return tag.to_bytes((tag.bit_length() + 7) // 8) + head + value


def take_integer(value: bytes) -> int:
    """Read the contents of an INTEGER of at most 4 octets. Raises PeerError."""
    if not 1 <= len(value) <= 4:
        raise PeerError(f"a number of {len(value)} octets")
    return int.from_bytes(value, signed=True)


def put_integer(number: int, tag: int = INTEGER) -> bytes:
    """Return an INTEGER, or one under another tag."""
    return put(tag, number.to_bytes((number if number >= 0 else ~number).bit_length() // 8 + 1, signed=True))


def take_oid(value: bytes) -> tuple[int, ...]:
    """Read the contents of an OBJECT IDENTIFIER. Raises PeerError."""
    arcs, number = [], 0
    if not value or value[-1] & 0x80 or len(value) > 64:
        raise PeerError("an object identifier that is cut, or too long")
    for octet in value:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def put_oid(arcs: Iterable[int]) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = arcs
    return put(OBJECT_IDENTIFIER, b"".join(map(_base128, (first * 40 + second, *rest))))


def _base128(number: int) -> bytes:
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(number & 0x7F | 0x80)
    return bytes(reversed(out))
