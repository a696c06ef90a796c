"""Diameter messages of foreign programs, octet for octet as they were captured (tests/vectors/diameter)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from simwarden.wire.diameter import Message, decode
from simwarden.wire.diameter.codec import HEADER_LENGTH

FOLDER: Final = Path(__file__).parents[1] / "vectors" / "diameter"


def recorded(file: str) -> dict[str, bytes]:
    """Return the messages of a file by their names."""
    lines = (FOLDER / f"{file}.txt").read_text().splitlines()
    return {name: bytes.fromhex(octets) for name, octets in (line.split() for line in lines if line[0] != "#")}


def body_of(octets: bytes, session: str) -> bytes:
    """Return the AVPs of a message with another Session-Id, which is its first AVP (RFC 6733 8.8)."""
    assert octets[HEADER_LENGTH:][:5] == bytes.fromhex("0000010740")
    length = int.from_bytes(octets[HEADER_LENGTH + 5 : HEADER_LENGTH + 8])
    new = session.encode()
    head = octets[HEADER_LENGTH : HEADER_LENGTH + 5] + (8 + len(new)).to_bytes(3)
    return head + new + bytes(-len(new) % 4) + octets[HEADER_LENGTH + length + -length % 4 :]


def request_of(octets: bytes, session: str = "") -> Message:
    """Return a request with these AVPs; the node that sends it sets its identifiers."""
    message = decode(octets)
    assert message.unsupported == []
    message.body = body_of(octets, session or message.get("Session-Id"))
    message.hop_by_hop = message.end_to_end = 0
    return message
