"""The frame that carries SCTP messages over TCP, where the kernel has no SCTP.

Twelve octets before each message, all big-endian: length of the message (4), SCTP stream (2), zero (2), SCTP payload
protocol identifier (4). Both ends must be simwarden's; a real peer of an SCTP interface needs transport `sctp`.
"""

from __future__ import annotations

import struct

from simwarden.errors import PeerError

_HEADER = struct.Struct(">IHHI")
#: octets of the largest message accepted
LARGEST = 1 << 20


def enclose(data: bytes, stream: int, ppid: int) -> bytes:
    """Put the header before a message."""
    return _HEADER.pack(len(data), stream, 0, ppid) + data


class Deframer:
    """Takes a stream in any segmentation and gives whole messages with their SCTP stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[bytes, int]]:
        """Add octets; return the messages that are whole now. Raises PeerError on a header that cannot be one."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= _HEADER.size:
            length, stream, zero, _ppid = _HEADER.unpack_from(self._buffer)
            if zero or length > LARGEST:
                raise PeerError(f"not a frame of ours: length {length}, reserved {zero}")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            messages.append((bytes(self._buffer[_HEADER.size : end]), stream))
            del self._buffer[:end]
        return messages
