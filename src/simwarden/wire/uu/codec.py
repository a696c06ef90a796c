"""Frames of the radio: a type, a length, and the message's fields."""

from __future__ import annotations

import struct

from simwarden.errors import PeerError
from simwarden.wire.uu.fields import Reader
from simwarden.wire.uu.messages import MESSAGES, Message

HEADER_LENGTH = 3
_HEADER = struct.Struct(">BH")


def encode(message: Message) -> bytes:
    """Return the frame of a message. Raises ValueError on a value that its field cannot hold."""
    try:
        body = message.to_body()
    except OverflowError as error:
        raise ValueError(f"{message.name}: {error}") from None
    if len(body) > 0xFFFF:
        raise ValueError(f"a uu frame holds 65535 octets, not {len(body)}")
    return _HEADER.pack(message.type, len(body)) + body


def frame_length(data: bytes) -> int | None:
    """Return how long the frame at the start of a stream is, header included; None if its header is not complete."""
    return HEADER_LENGTH + int.from_bytes(data[1:3], "big") if len(data) >= HEADER_LENGTH else None


def decode(data: bytes) -> Message:
    """Return the message of exactly one frame. Raises PeerError."""
    if frame_length(data) != len(data):
        raise PeerError(f"uu frame of {len(data)} octets has length {frame_length(data)}")
    cls = MESSAGES.get(data[0])
    if cls is None:
        raise PeerError(f"uu frame of unknown type {data[0]:#04x}")
    reader = Reader(data, HEADER_LENGTH)
    message: Message = cls.from_reader(reader)
    if reader.offset != len(data):
        raise PeerError(f"{len(data) - reader.offset} octets too many in {cls.name}")
    return message
