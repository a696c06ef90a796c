"""A flash: length of the rest, type, and a text (request) or a cause (answer); a request may carry a password."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simwarden.errors import PeerError


class FlashCause(IntEnum):
    """How a station answers."""

    SEEN = 0
    SHUTTER_CLOSED = 4


class Flash(NamedTuple):
    """A request with its text and password, or an answer with its cause."""

    text: str = ""
    password: str = ""
    cause: FlashCause | None = None


def encode(flash: Flash) -> bytes:
    """Return the octets of a flash."""
    if flash.cause is not None:
        return bytes((2, 2, flash.cause))
    body = bytes((1, len(flash.password))) + flash.password.encode() + flash.text.encode()
    return bytes((len(body),)) + body


def decode(data: bytes) -> Flash:
    """Return the flash of exactly these octets. Raises PeerError."""
    try:
        if data[0] == len(data) - 1 and data[1] == 2:
            return Flash(cause=FlashCause(data[2]))
        if data[0] == len(data) - 1 and data[1] == 1 and 3 + data[2] <= len(data):
            return Flash(data[3 + data[2] :].decode(), data[3 : 3 + data[2]].decode())
    except (IndexError, ValueError) as error:
        raise PeerError(f"no flash: {error}") from None
    raise PeerError("no flash")
