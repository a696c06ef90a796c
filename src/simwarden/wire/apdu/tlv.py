"""BER-TLV (ISO/IEC 7816-4 5.2.2) and COMPREHENSION-TLV (TS 101.220 7.1.1), as used by cards."""

from __future__ import annotations

from simwarden.errors import PeerError
from simwarden.wire import ber

tlv = ber.put
"""Encode one object; the tag is given as it stands on the wire (0x62, 0xC6, 0x7F20)."""


def read_length(octets: bytes, at: int) -> tuple[int, int]:
    """Return a length and the position after it. Raises PeerError."""
    if at >= len(octets):
        raise PeerError("TLV ends before its length")
    first = octets[at]
    if first < 0x80:
        return first, at + 1
    more = first & 0x7F
    if not 1 <= more <= 2 or at + 1 + more > len(octets):
        raise PeerError(f"TLV length byte {first:02x} not supported or cut short")
    return int.from_bytes(octets[at + 1 : at + 1 + more], "big"), at + 1 + more


def _read_tag(octets: bytes, at: int) -> tuple[int, int]:
    tag = octets[at]
    at += 1
    if tag & 0x1F == 0x1F:
        if at >= len(octets) or octets[at] & 0x80:
            raise PeerError("TLV tag longer than two bytes, or cut short")
        return tag << 8 | octets[at], at + 1
    return tag, at


def objects(octets: bytes) -> list[tuple[int, bytes]]:
    """Split a string of BER-TLV objects; 00 and FF between objects are padding. Raises PeerError."""
    found: list[tuple[int, bytes]] = []
    at, size = 0, len(octets)
    while at < size:
        if octets[at] in (0x00, 0xFF):
            at += 1
            continue
        tag, at = _read_tag(octets, at)
        count, at = read_length(octets, at)
        if at + count > size:
            raise PeerError(f"TLV {tag:02x} of {count} bytes runs beyond the end")
        found.append((tag, octets[at : at + count]))
        at += count
    return found


def only(octets: bytes, tag: int, what: str) -> bytes:
    """Return the value of the one object that must open `octets`. Raises PeerError."""
    found = objects(octets)
    if not found or found[0][0] != tag:
        raise PeerError(f"{what} must start with tag {tag:02x}")
    return found[0][1]


def comprehension(tag: int, value: bytes, *, required: bool = True) -> bytes:
    """Encode one COMPREHENSION-TLV; `required` sets the flag that a receiver must understand it."""
    return tlv(tag | 0x80 if required else tag, value)


def comprehension_objects(octets: bytes) -> list[tuple[int, bytes]]:
    """Split a string of COMPREHENSION-TLVs into (tag without its flag, value). Raises PeerError."""
    found: list[tuple[int, bytes]] = []
    at, size = 0, len(octets)
    while at < size:
        tag = octets[at]
        if tag in (0x00, 0x80, 0xFF):
            raise PeerError(f"COMPREHENSION-TLV tag {tag:02x} is reserved")
        if tag == 0x7F:  # three-byte tag: 7F, then flag and 15 bits
            if at + 3 > size:
                raise PeerError("COMPREHENSION-TLV tag cut short")
            tag, at = int.from_bytes(octets[at + 1 : at + 3], "big") & 0x7FFF, at + 3
        else:
            tag, at = tag & 0x7F, at + 1
        count, at = read_length(octets, at)
        if at + count > size:
            raise PeerError(f"COMPREHENSION-TLV {tag:02x} of {count} bytes runs beyond the end")
        found.append((tag, octets[at : at + count]))
        at += count
    return found
