"""The names that a client says in the clear: of TLS in its ClientHello, of HTTP in its Host field.

Each function is given what has come of a client's octets so far: it returns the name, "" where the client says none,
and None where more octets are needed. Raises PeerError where the octets are something else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError

#: octets after which a name is no longer awaited: a ClientHello is one message of at most 2^14 in a record
LONGEST: Final = 16_384 + 5
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_METHODS: Final = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"TRACE ")


class _Vector(NamedTuple):
    """Octets of a variable length behind their length (RFC 8446 3.4)."""

    octets: bytes
    rest: bytes


def _vector(data: bytes, size: int) -> _Vector:
    end = size + int.from_bytes(data[:size])
    if len(data) < end:
        raise PeerError("ClientHello that ends early")
    return _Vector(data[size:end], data[end:])


def tls_name(data: bytes) -> str | None:
    """Return the server name of a ClientHello (RFC 6066 3), which may be in several records (RFC 8446 5.1)."""
    hello, rest = b"", data
    while rest:
        if rest[0] != _HANDSHAKE or (len(rest) > 1 and rest[1] != 3):
            raise PeerError("no record of a TLS handshake")
        end = 5 + int.from_bytes(rest[3:5])
        if len(rest) < 5 or len(rest) < end:
            return None
        hello += rest[5:end]
        rest = rest[end:]
        if hello[:1] not in (b"", bytes((_CLIENT_HELLO,))):
            raise PeerError("no ClientHello")
        if len(hello) >= 4 and len(hello) >= 4 + int.from_bytes(hello[1:4]):
            return _name_in(hello[4 : 4 + int.from_bytes(hello[1:4])])
    return None


def _name_in(hello: bytes) -> str:
    """Return the host name in the body of a ClientHello (RFC 8446 4.1.2)."""
    rest = _vector(hello[34:], 1).rest  # behind version and random, the session
    rest = _vector(rest, 2).rest  # cipher suites
    rest = _vector(rest, 1).rest  # compression methods
    rest = _vector(rest, 2).octets if rest else b""
    while len(rest) >= 4:
        kind, (content, rest) = int.from_bytes(rest[:2]), _vector(rest[2:], 2)
        if kind == _SERVER_NAME:
            names = _vector(content, 2).octets
            if names[:1] != bytes((_HOST_NAME,)):
                return ""
            return _text(_vector(names[1:], 2).octets)
    return ""


def http_name(data: bytes) -> str | None:
    """Return the host that a request is for, without its port (RFC 9112 3.2)."""
    if not any(data.startswith(each[: len(data)]) for each in _METHODS):
        raise PeerError("no request of HTTP")
    head, whole, _ = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:] if whole else head.split(b"\r\n")[1:-1]:
        name, _, value = line.partition(b":")
        if name.lower() == b"host":
            text = _text(value.strip())
            return text.rpartition(":")[0] if text.rpartition(":")[2].isdecimal() and ":" in text else text
    return "" if whole else None


def _text(octets: bytes) -> str:
    """Return a name as text; what no name has is shown by escapes."""
    return octets[:253].decode("ascii", "backslashreplace").lower()
