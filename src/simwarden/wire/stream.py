"""Messages that begin with their length, in a stream of octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

#: octets in which the length of a message of any family is told
_HEAD: Final = 8


def cut_by(stream: bytes, length_of: Callable[[bytes], int | None]) -> tuple[list[bytes], bytes]:
    """Cut whole messages off a stream, and return the rest.

    `length_of` reads the length from a message's first octets: None if more must come first, 0 if it cannot be, which
    makes all that is left one (bad) message.
    """
    found: list[bytes] = []
    at = 0
    while (length := length_of(stream[at : at + _HEAD])) is not None:
        if not length:
            return [*found, stream[at:]], b""
        if length > len(stream) - at:
            break
        found.append(stream[at : at + length])
        at += length
    return found, stream[at:]


class FramingError(PeerError):
    """Octets that cannot be cut into messages: the connection is of no use any more."""


class Lengths(NamedTuple):
    """The lengths of a protocol's messages, which are their first four octets; `code` answers another one."""

    field: str
    shortest: int
    longest: int
    code: int

    def length_of(self, head: bytes) -> int | None:
        """Read the length of a message from its first octets, as `cut_by` needs it."""
        if len(head) < 4:
            return None
        length = int.from_bytes(head[:4], "big")
        return length if self.shortest <= length <= self.longest else 0


class Splitter:
    """Cuts a stream into the octets of messages."""

    __slots__ = ("_lengths", "_stream")

    def __init__(self, lengths: Lengths) -> None:
        self._lengths, self._stream = lengths, b""

    def feed(self, data: bytes) -> list[bytes]:
        """Add octets; return the messages that are whole. Raises FramingError for a length that cannot be."""
        field, shortest, longest, code = self._lengths
        stream = self._stream + data if self._stream else data
        found, at, end = [], 0, len(stream)
        while end - at >= 4:
            length = int.from_bytes(stream[at : at + 4], "big")
            if not shortest <= length <= longest:
                self._stream = b""
                raise FramingError(f"{field} {length}", code=code)
            if end - at < length:
                break
            found.append(stream[at : at + length])
            at += length
        self._stream = stream[at:]
        return found
