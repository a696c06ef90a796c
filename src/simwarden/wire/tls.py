"""The server name that a ClientHello says in the clear (RFC 6066 3).

Where the client encrypts its ClientHello (ECH, draft-ietf-tls-esni), that is the name of the outer one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.shown import host_text

#: octets of the longest ClientHello that is read: as much as a record holds (RFC 8446 5.1)
LONGEST: Final = 1 << 14
CHANGE_CIPHER_SPEC, HANDSHAKE = 20, 22
#: types of records, and the first octet of all versions of them (RFC 8446 5.1)
RECORDS: Final = range(20, 24)
MAJOR: Final = 3
CHANGE_CIPHER_SPEC_LENGTH: Final = 6
#: octets by which a record is seen to begin a ClientHello
BEGINNING: Final = 6
_CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 1, 0, 0


class _Vector(NamedTuple):
    """Octets of a variable length behind their length (RFC 8446 3.4), and what follows."""

    octets: bytes
    rest: bytes


def _vector(data: bytes, size: int) -> _Vector:
    end = size + int.from_bytes(data[:size])
    if len(data) < size or len(data) < end:
        raise PeerError("ClientHello that ends early")
    return _Vector(data[size:end], data[end:])


def may_begin(octets: bytes | bytearray) -> bool:
    """Whether a handshake may begin so: all versions have 3 as the first octet of theirs (RFC 8446 5.1)."""
    return octets[:1] in (b"", b"\x16") and octets[1:2] in (b"", b"\3")


def record_length(data: bytes | bytearray) -> int | None:
    """Return how many octets the first record of a handshake has, None if its header is not there. Raises PeerError.

    An empty record is refused, as RFC 8446 5.1 has it.
    """
    if not may_begin(data):
        raise PeerError("no record of a TLS handshake")
    if len(data) < 5:
        return None
    length = int.from_bytes(data[3:5])
    if not 0 < length <= LONGEST:
        raise PeerError(f"TLS record of {length} octets")
    return 5 + length


def begins_hello(record: bytes | bytearray) -> bool:
    """Whether a record begins a ClientHello."""
    return record[0] == HANDSHAKE and record[BEGINNING - 1] == _CLIENT_HELLO


def hello_length(message: bytes | bytearray) -> int | None:
    """Return how many octets a ClientHello has, by its beginning; None if that is not there. Raises PeerError."""
    if message[:1] not in (b"", bytes((_CLIENT_HELLO,))):
        raise PeerError("no ClientHello")
    if len(message) < 4:
        return None
    length = 4 + int.from_bytes(message[1:4])
    if length > LONGEST:
        raise PeerError(f"ClientHello of {length} octets")
    return length


def server_name(message: bytes) -> str:
    """Return the host name in a whole ClientHello (RFC 8446 4.1.2), "" if it says none. Raises PeerError.

    A name that is said twice is read in two ways by two servers.
    """
    if hello_length(message) != len(message):
        raise PeerError("ClientHello with a wrong length")
    rest = _vector(message[38:], 1).rest  # behind type, length, version and random: the session
    rest = _vector(rest, 2).rest  # cipher suites
    rest = _vector(rest, 1).rest  # compression methods
    rest = _vector(rest, 2).octets if rest else b""
    found: list[str] = []
    while rest:
        if len(rest) < 4:
            raise PeerError("ClientHello that ends early")
        kind, (content, rest) = int.from_bytes(rest[:2]), _vector(rest[2:], 2)
        if kind == _SERVER_NAME:
            found += _host_names(_vector(content, 2).octets)
    if len(found) > 1:
        raise PeerError("ClientHello with several server names")
    return found[0] if found else ""


def _host_names(names: bytes) -> list[str]:
    found = []
    while names:
        kind, (name, names) = names[0], _vector(names[1:], 2)
        if kind == _HOST_NAME:
            found.append(host_text(name))
    return found
