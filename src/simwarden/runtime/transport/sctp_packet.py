"""The parts of an SCTP packet (RFC 9260 3) that the user-space transport reads and writes beside the library.

libusrsctp knows nothing of IP addresses here. The addresses of a multi-homed endpoint in INIT and INIT ACK, and the
HEARTBEATs that test them, are therefore added and read outside the library.
"""

from __future__ import annotations

import socket
import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.trace.packets import crc32c

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER: Final = struct.Struct(">HHI4s")
_CHUNK: Final = struct.Struct(">BBH")
#: the fixed part of INIT and INIT ACK ends here: common header, chunk header, tag, window, streams out and in, TSN
_PARAMETERS: Final = 32
_IPV4_ADDRESS, _HEARTBEAT_INFO = 5, 1
_PARAMETER: Final = struct.Struct(">HH")
#: addresses that are read of one peer
MOST_ADDRESSES: Final = 8


class Chunk(IntEnum):
    """Chunk types that are of interest here."""

    DATA = 0
    INIT = 1
    INIT_ACK = 2
    SACK = 3
    HEARTBEAT = 4
    HEARTBEAT_ACK = 5
    ABORT = 6
    SHUTDOWN_ACK = 8
    ERROR = 9
    COOKIE_ECHO = 10
    COOKIE_ACK = 11
    SHUTDOWN_COMPLETE = 14


#: chunks that are not answered
_LAST_WORDS: Final = frozenset(
    {
        Chunk.INIT_ACK,
        Chunk.SACK,
        Chunk.HEARTBEAT_ACK,
        Chunk.ABORT,
        Chunk.ERROR,
        Chunk.COOKIE_ACK,
        Chunk.SHUTDOWN_COMPLETE,
    }
)


class Head(NamedTuple):
    """The common header of a packet, and the type of its first chunk."""

    source: int
    destination: int
    tag: int
    chunk: int


def head_of(packet: bytes) -> Head | None:
    """Return the header of a packet, None if it is too short to have a chunk."""
    if len(packet) < _HEADER.size + _CHUNK.size:
        return None
    source, destination, tag, _ = _HEADER.unpack_from(packet)
    return Head(source, destination, tag, packet[_HEADER.size])


def wants_answer(packet: bytes) -> bool:
    """Return True if the receiver of a packet answers it."""
    at = _HEADER.size
    while at + _CHUNK.size <= len(packet):
        kind, _, length = _CHUNK.unpack_from(packet, at)
        if kind not in _LAST_WORDS:
            return True
        at += max(length + -length % 4, _CHUNK.size)
    return False


def initiate_tag(packet: bytes) -> int:
    """Return the Initiate Tag of an INIT or INIT ACK, 0 if it is cut off."""
    return int.from_bytes(packet[16:20])


def cumulative_tsn(packet: bytes) -> int:
    """Return the Cumulative TSN Ack of a packet whose first chunk is a SACK."""
    return int.from_bytes(packet[16:20])


def addresses_in(packet: bytes) -> tuple[str, ...]:
    """Return the IPv4 addresses that an INIT or INIT ACK lists (RFC 9260 3.3.2.1.1)."""
    found: list[str] = []
    at = _PARAMETERS
    while at + _PARAMETER.size <= len(packet) and len(found) < MOST_ADDRESSES:
        kind, length = _PARAMETER.unpack_from(packet, at)
        if length < _PARAMETER.size:
            break
        if kind == _IPV4_ADDRESS and length == 8 and at + 8 <= len(packet):
            found.append(socket.inet_ntoa(packet[at + 4 : at + 8]))
        at += length + -length % 4
    return tuple(dict.fromkeys(found))


def with_addresses(packet: bytes, hosts: Sequence[str]) -> bytes:
    """Return an INIT or INIT ACK that lists the addresses of its sender."""
    parameters = b"".join(_PARAMETER.pack(_IPV4_ADDRESS, 8) + socket.inet_aton(host) for host in hosts)
    kind, flags, length = _CHUNK.unpack_from(packet, _HEADER.size)
    chunk = _CHUNK.pack(kind, flags, length + len(parameters))
    fixed = packet[_HEADER.size + _CHUNK.size : _PARAMETERS]
    return _sealed(packet[:8], chunk + fixed + parameters + packet[_PARAMETERS:])


def heartbeat(source: int, destination: int, tag: int, nonce: bytes) -> bytes:
    """Return a HEARTBEAT; `nonce` is what its acknowledgement must bring back."""
    info = _PARAMETER.pack(_HEARTBEAT_INFO, _PARAMETER.size + len(nonce)) + nonce
    chunk = _CHUNK.pack(Chunk.HEARTBEAT, 0, _CHUNK.size + len(info)) + info
    return _sealed(struct.pack(">HHI", source, destination, tag), chunk)


def acknowledged(packet: bytes) -> bytes:
    """Return the nonce in a packet whose first chunk is a HEARTBEAT ACK."""
    _, _, length = _CHUNK.unpack_from(packet, _HEADER.size)
    return packet[_HEADER.size + _CHUNK.size + _PARAMETER.size : _HEADER.size + length]


def _sealed(head: bytes, chunks: bytes) -> bytes:
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunks)) + chunks
