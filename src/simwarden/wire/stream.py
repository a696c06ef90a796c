"""Messages that begin with their length, in a stream of octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
