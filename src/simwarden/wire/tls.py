"""The server name that a ClientHello says in the clear (RFC 6066 3).

Where the client encrypts its ClientHello (ECH, draft-ietf-tls-esni), that is the name of the outer one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.shown import host_text

#: octets of the longest ClientHello that is read: as much as a record holds (RFC 8446 5.1)
LONGEST: Final = 1 << 14
HANDSHAKE, APPLICATION_DATA = 22, 23
#: types of records, and the first octet of all versions of them (RFC 8446 5.1)
RECORDS: Final = range(20, 25)
MAJOR: Final = 3
#: octets before what a record holds
HEADER: Final = 5
#: records that servers leave out between two ClientHellos: changes of cipher, alerts (RFC 8446 D.4, 6.1), heartbeats
#: (RFC 6520 4)
_LEFT_OUT: Final = frozenset({20, 21, 24})
_CLIENT_HELLO, _HOST_NAME = 1, 0
#: extensions (RFC 6066 3, RFC 8446 4.2.10)
_SERVER_NAME, _EARLY_DATA = 0, 42


class Hello(NamedTuple):
    """What a ClientHello says: the host name, "" if none, and whether octets under an earlier key may follow it."""

    name: str
    early_data: bool


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
    if len(data) < HEADER:
        return None
    length = int.from_bytes(data[3:HEADER])
    if not 0 < length <= LONGEST:
        raise PeerError(f"TLS record of {length} octets")
    return HEADER + length


def left_out(data: bytes | bytearray, *, early_data: bool) -> int:
    """Return how long the record is that octets begin with if a server that waits for a ClientHello leaves it out.

    0: it does not. Early data is left out by who asks for another hello (RFC 8446 4.2.10), and OpenSSL leaves out an
    empty record. Since 3.5 it compares the version of none of these.
    """
    length = int.from_bytes(data[3:HEADER])
    kind = data[0]
    leaves = kind in _LEFT_OUT or (kind == HANDSHAKE and not length) or (kind == APPLICATION_DATA and early_data)
    return HEADER + length if leaves else 0


def begins_hello(record: bytes | bytearray) -> bool:
    """Whether a record begins a ClientHello."""
    return record[0] == HANDSHAKE and record[HEADER] == _CLIENT_HELLO


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


def read_hello(message: bytes) -> Hello:
    """Return what a whole ClientHello says (RFC 8446 4.1.2). Raises PeerError.

    A name that is said twice is read in two ways by two servers.
    """
    if hello_length(message) != len(message):
        raise PeerError("ClientHello with a wrong length")
    rest = _vector(message[38:], 1).rest  # behind type, length, version and random: the session
    rest = _vector(rest, 2).rest  # cipher suites
    rest = _vector(rest, 1).rest  # compression methods
    rest = _vector(rest, 2).octets if rest else b""
    found: list[str] = []
    kinds: set[int] = set()
    while rest:
        if len(rest) < 4:
            raise PeerError("ClientHello that ends early")
        kind, (content, rest) = int.from_bytes(rest[:2]), _vector(rest[2:], 2)
        kinds.add(kind)
        if kind == _SERVER_NAME:
            found += _host_names(_vector(content, 2).octets)
    if len(found) > 1:
        raise PeerError("ClientHello with several server names")
    return Hello(found[0] if found else "", _EARLY_DATA in kinds)


def _host_names(names: bytes) -> list[str]:
    found = []
    while names:
        kind, (name, names) = names[0], _vector(names[1:], 2)
        if kind == _HOST_NAME:
            found.append(host_text(name))
    return found
