"""Octets to messages of SCCP and back (Q.713 chapters 1 to 4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.sccp.address import Address, decode_address, encode_address
from simwarden.wire.sccp.enums import MessageType

_EXTENDED: Final = frozenset({MessageType.EXTENDED_UNITDATA, MessageType.EXTENDED_UNITDATA_SERVICE})
_SERVICES: Final = frozenset({MessageType.UNITDATA_SERVICE, MessageType.EXTENDED_UNITDATA_SERVICE})
_TYPES: Final = {int(each): each for each in MessageType}
_RETURN_ON_ERROR: Final = 8
#: parameters behind the others (3.1)
_END, _SEGMENTATION, _IMPORTANCE = 0x00, 0x10, 0x12
LONGEST: Final = 255
"""Octets that fit into a part of variable length, and so of user data."""


class Segmentation(NamedTuple):
    """A piece of a message (3.17): whether it is the first, how many come after it, and the message's reference."""

    first: bool
    remaining: int
    reference: int
    in_sequence: bool = False


class Message(NamedTuple):
    """A message without connection.

    Of unitdata `protocol_class` and `return_on_error`, of a service message (data that came back) `return_cause`; of
    extended ones the hop counter, and what is optional in them.
    """

    type: MessageType
    called: Address
    calling: Address
    data: bytes
    protocol_class: int = 0
    return_on_error: bool = False
    return_cause: int = 0
    hop_counter: int = 15
    segmentation: Segmentation | None = None
    importance: int | None = None

    @property
    def is_service(self) -> bool:
        """Whether it brings back what could not be delivered."""
        return self.type in _SERVICES


def encode(message: Message) -> bytes:
    """Return the octets of a message. Raises ValueError for data that do not fit, or an address that cannot be."""
    kind = message.type
    handling = _RETURN_ON_ERROR << 4 if message.return_on_error else 0
    fixed = [kind, message.return_cause if kind in _SERVICES else message.protocol_class | handling]
    variable = [encode_address(message.called), encode_address(message.calling), message.data]
    if max(map(len, variable)) > LONGEST:
        raise ValueError(f"{len(message.data)} octets do not fit into {kind.name}")
    optional = b""
    if kind in _EXTENDED:
        fixed.append(message.hop_counter)
        optional = _encode_optional(message)
    elif message.segmentation is not None or message.importance is not None:
        raise ValueError(f"{kind.name} has no optional part")
    return bytes(fixed) + _point(variable, optional, extended=kind in _EXTENDED)


def _point(variable: list[bytes], optional: bytes, *, extended: bool) -> bytes:
    """Return pointers and what they point at; a pointer counts from itself, 0 where there is nothing."""
    count = len(variable) + extended
    pointers, at = [], count
    for number, each in enumerate(variable):
        pointers.append(at - number)
        at += 1 + len(each)
    if extended:
        pointers.append(at - len(variable) if optional else 0)
    if max(pointers) > 255:
        raise ValueError("more octets than pointers reach")
    return bytes(pointers) + b"".join(bytes((len(each),)) + each for each in variable) + optional


def _encode_optional(message: Message) -> bytes:
    out = b""
    if message.segmentation is not None:
        first, remaining, reference, in_sequence = message.segmentation
        out += bytes((_SEGMENTATION, 4, first << 7 | in_sequence << 6 | remaining)) + reference.to_bytes(3, "little")
    if message.importance is not None:
        out += bytes((_IMPORTANCE, 1, message.importance))
    return out + bytes((_END,)) if out else b""


def decode(data: bytes) -> Message:
    """Read one message. Raises PeerError."""
    kind = _TYPES.get(data[0]) if data else None
    if kind is None:
        raise PeerError(f"no message of SCCP without connections: {data[:1].hex() or 'nothing'}")
    extended = kind in _EXTENDED
    start = 3 if extended else 2
    called, calling, user = (_variable(data, start + number) for number in range(3))
    word = data[1]
    service = kind in _SERVICES
    optional = _decode_optional(data, start + 3) if extended else (None, None)
    return Message(
        kind,
        decode_address(called),
        decode_address(calling),
        user,
        0 if service else word & 15,
        not service and word >> 4 == _RETURN_ON_ERROR,
        word if service else 0,
        data[2] if extended else 15,
        *optional,
    )


def _variable(data: bytes, pointer: int) -> bytes:
    """Return a mandatory part of variable length, by the place of its pointer."""
    if pointer >= len(data):
        raise PeerError("a message that ends in its pointers")
    at = pointer + data[pointer]
    if at >= len(data) or not data[pointer]:
        raise PeerError("a pointer out of the message")
    end = at + 1 + data[at]
    if end > len(data):
        raise PeerError(f"a part of {data[at]} octets in {len(data) - at - 1}")
    return data[at + 1 : end]


def _decode_optional(data: bytes, pointer: int) -> tuple[Segmentation | None, int | None]:
    """Read what is optional; parameters that nobody knows are passed over (Q.714 1.3)."""
    if pointer >= len(data):
        raise PeerError("a message that ends in its pointers")
    segmentation = importance = None
    at = pointer + data[pointer]
    while data[pointer] and at < len(data) and data[at] != _END:
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise PeerError("an optional parameter that is cut")
        name, value = data[at], data[at + 2 : at + 2 + data[at + 1]]
        if name == _SEGMENTATION:
            segmentation = _decode_segmentation(value)
        elif name == _IMPORTANCE:
            if len(value) != 1:
                raise PeerError(f"an importance of {len(value)} octets")
            importance = value[0]
        at += 2 + len(value)
    return segmentation, importance


def _decode_segmentation(value: bytes) -> Segmentation:
    if len(value) != 4:
        raise PeerError(f"a segmentation of {len(value)} octets")
    first = value[0]
    return Segmentation(bool(first & 0x80), first & 15, int.from_bytes(value[1:], "little"), bool(first & 0x40))
