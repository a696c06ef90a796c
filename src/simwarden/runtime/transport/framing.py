"""The frame that carries SCTP messages over TCP, where that is asked for instead of SCTP.

Twelve octets before each message, all big-endian: length of the message (4), SCTP stream (2), kind (2: 0 a message,
1 a user packet), SCTP payload protocol identifier (4). Both ends must be simwarden's; a real peer of an SCTP interface
needs transport `sctp`. Messages that tell their own length (M3UA) are without it, as some peers have them on TCP.
"""

from __future__ import annotations

import struct

from simwarden.errors import PeerError
from simwarden.wire.family import family_of

_HEADER = struct.Struct(">IHHI")
#: octets of the largest message accepted
LARGEST = 1 << 20


def enclose(data: bytes, stream: int, ppid: int, *, user: bool = False) -> bytes:
    """Put the header before a message, or before a user packet."""
    return _HEADER.pack(len(data), stream, user, ppid) + data


class Deframer:
    """Takes a stream in any segmentation and gives whole messages with their SCTP stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[bytes, int] | list[bytes]]:
        """Add octets; return the messages that are whole now, and user packets that stand together as one list.

        Raises PeerError on a header that cannot be one.
        """
        self._buffer += data
        found: list[tuple[bytes, int] | list[bytes]] = []
        while len(self._buffer) >= _HEADER.size:
            length, stream, kind, _ppid = _HEADER.unpack_from(self._buffer)
            if kind > 1 or length > LARGEST:
                raise PeerError(f"not a frame of ours: length {length}, kind {kind}")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            message = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            last = found[-1] if found else None
            if not kind:
                found.append((message, stream))
            elif isinstance(last, list):
                last.append(message)
            else:
                found.append([message])
        return found


class SelfDelimited:
    """Cuts a stream where the messages of a family say that they end. They have no SCTP stream: all come on 0."""

    def __init__(self, family: str) -> None:
        self._cut = family_of(family).read().cut
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[bytes, int] | list[bytes]]:
        """Add octets; return the messages that are whole now. What has a length that cannot be is one bad message."""
        messages, self._rest = self._cut(self._rest + data)
        return [(each, 0) for each in messages]
