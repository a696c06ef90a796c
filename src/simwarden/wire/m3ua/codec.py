"""Octets to messages of M3UA and back (RFC 4666 3.1, 3.2)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.m3ua.enums import ErrorCode, MessageType, Tag
from simwarden.wire.m3ua.message import CONTENTS, Destination, Message, ProtocolData, UserCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADER: Final = Struct(">BBHI")
_TLV: Final = Struct(">HH")
_LABEL: Final = Struct(">IIBBBB")
_NUMBER: Final = Struct(">I")
LONGEST: Final = 1 << 16
"""Longest message taken, in octets: a parameter has 65535 at most."""
_TYPES: Final[Mapping[int, MessageType]] = {int(each): each for each in MessageType}
_CLASSES: Final = frozenset(each >> 8 for each in MessageType)


def _bad(reason: str, code: ErrorCode = ErrorCode.PARAMETER_FIELD_ERROR) -> PeerError:
    return PeerError(reason, code=code)


class _Kind(NamedTuple):
    """How a parameter is read and written; reading raises PeerError for a length that cannot be."""

    tag: Tag
    take: Callable[[bytes], Any]
    put: Callable[[Any], bytes]


def _take_number(value: bytes) -> int:
    if len(value) != 4:
        raise _bad(f"a number of {len(value)} octets")
    return int.from_bytes(value)


def _put_number(value: int) -> bytes:
    return _NUMBER.pack(value)


def _number(tag: Tag) -> _Kind:
    return _Kind(tag, _take_number, _put_number)


def _words(value: bytes) -> list[int]:
    if not value or len(value) % 4:
        raise _bad(f"a list of {len(value)} octets")
    return [int.from_bytes(value[at : at + 4]) for at in range(0, len(value), 4)]


def _take_data(value: bytes) -> ProtocolData:
    if len(value) < _LABEL.size:
        raise _bad(f"protocol data of {len(value)} octets")
    label = _LABEL.unpack_from(value)
    return ProtocolData._make((*label, value[_LABEL.size :]))


def _put_data(value: ProtocolData) -> bytes:
    return _LABEL.pack(*value[:-1]) + value.user_data


def _take_destinations(value: bytes) -> tuple[Destination, ...]:
    return tuple(Destination(word & 0xFFFFFF, word >> 24) for word in _words(value))


def _put_destinations(value: tuple[Destination, ...]) -> bytes:
    return b"".join(_NUMBER.pack(each.mask << 24 | each.point_code) for each in value)


def _take_user_cause(value: bytes) -> UserCause:
    word = _take_number(value)
    return UserCause(word >> 16, word & 0xFFFF)


def _put_user_cause(value: UserCause) -> bytes:
    return _NUMBER.pack(value.unavailability_cause << 16 | value.user)


def _take_text(value: bytes) -> str:
    if len(value) > 255:
        raise _bad("an INFO String of more than 255 octets")
    return value.decode("utf-8", "surrogateescape")


_KINDS: Final[Mapping[str, _Kind]] = {
    "network_appearance": _number(Tag.NETWORK_APPEARANCE),
    "routing_context": _Kind(
        Tag.ROUTING_CONTEXT,
        lambda value: tuple(_words(value)),
        lambda value: b"".join(map(_NUMBER.pack, value)),
    ),
    "protocol_data": _Kind(Tag.PROTOCOL_DATA, _take_data, _put_data),
    "correlation_id": _number(Tag.CORRELATION_ID),
    "affected_point_code": _Kind(Tag.AFFECTED_POINT_CODE, _take_destinations, _put_destinations),
    "concerned_destination": _number(Tag.CONCERNED_DESTINATION),
    "congestion_level": _number(Tag.CONGESTION_INDICATIONS),
    "user_cause": _Kind(Tag.USER_CAUSE, _take_user_cause, _put_user_cause),
    "asp_identifier": _number(Tag.ASP_IDENTIFIER),
    "heartbeat_data": _Kind(Tag.HEARTBEAT_DATA, bytes, bytes),
    "traffic_mode_type": _number(Tag.TRAFFIC_MODE_TYPE),
    "error_code": _number(Tag.ERROR_CODE),
    "status": _number(Tag.STATUS),
    "diagnostic_information": _Kind(Tag.DIAGNOSTIC_INFORMATION, bytes, bytes),
    "info_string": _Kind(Tag.INFO_STRING, _take_text, lambda text: text.encode("utf-8", "surrogateescape")),
}
_NAMES: Final[Mapping[int, str]] = {int(each.tag): name for name, each in _KINDS.items()}


def encode(message: Message) -> bytes:
    """Return the octets of a message. Raises ValueError for a parameter that it lacks or that is not its own."""
    needed, optional = CONTENTS[message.type]
    out = []
    for name, kind in _KINDS.items():
        value = getattr(message, name)
        if value is None or value == ():
            if name in needed:
                raise ValueError(f"{message.type.name} needs {name}")
            continue
        if name not in needed and name not in optional:
            raise ValueError(f"{message.type.name} has no {name}")
        out.append(_parameter(kind.tag, kind.put(value)))
    return _enclose(message.type, b"".join(out))


def encode_data(data: ProtocolData, routing_context: int | None = None) -> bytes:
    """Return the octets of a DATA message, as `encode` does: most messages are DATA."""
    context = b"" if routing_context is None else b"\0\6\0\x08" + _NUMBER.pack(routing_context)
    return _enclose(MessageType.DATA, context + _parameter(Tag.PROTOCOL_DATA, _put_data(data)))


def _parameter(tag: Tag, value: bytes) -> bytes:
    return _TLV.pack(tag, 4 + len(value)) + value + bytes(-len(value) % 4)


def _enclose(kind: MessageType, body: bytes) -> bytes:
    return HEADER.pack(1, 0, kind, 8 + len(body)) + body


def length_of(head: bytes) -> int | None:
    """Read the length of a message from its first octets: None if more must come first, 0 if it cannot be."""
    if len(head) < 8:
        return 0 if head and head[0] != 1 else None
    length = int.from_bytes(head[4:8])
    return length if head[0] == 1 and 8 <= length <= LONGEST else 0


def decode(data: bytes) -> Message:
    """Read one whole message. Raises PeerError with the error code that answers what is wrong.

    The last parameter may be without its padding (3.1.4). Parameters that nobody knows are left out.
    """
    if len(data) < 8:
        raise _bad(f"a message of {len(data)} octets", ErrorCode.PROTOCOL_ERROR)
    version, _, number, length = HEADER.unpack_from(data)
    if version != 1:
        raise _bad(f"version {version}", ErrorCode.INVALID_VERSION)
    if length != len(data) or length > LONGEST:
        raise _bad(f"message length {length} in {len(data)} octets", ErrorCode.PROTOCOL_ERROR)
    kind = _TYPES.get(number)
    if kind is None:
        known = number >> 8 in _CLASSES
        code = ErrorCode.UNSUPPORTED_MESSAGE_TYPE if known else ErrorCode.UNSUPPORTED_MESSAGE_CLASS
        raise _bad(f"no message of class {number >> 8}, type {number & 255}", code)
    return Message(kind, **_parameters(data, kind))


def _parameters(data: bytes, kind: MessageType) -> dict[str, Any]:
    needed, optional = CONTENTS[kind]
    found: dict[str, Any] = {}
    at = 8
    while at < len(data):
        tag, value, at = _take_parameter(data, at)
        name = _NAMES.get(tag)
        if name is None:
            continue
        if name in found or (name not in needed and name not in optional):
            raise _bad(f"{name} in {kind.name}", ErrorCode.UNEXPECTED_PARAMETER)
        found[name] = _KINDS[name].take(value)
    for name in needed:
        if name not in found:
            raise _bad(f"{kind.name} without {name}", ErrorCode.MISSING_PARAMETER)
    return found


def _take_parameter(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return tag and value of a parameter, and where the next one begins."""
    if at + 4 > len(data):
        raise _bad("a parameter that is cut")
    tag, length = _TLV.unpack_from(data, at)
    if length < 4 or at + length > len(data):
        raise _bad(f"parameter {tag:#06x} of {length} octets in {len(data) - at}")
    return tag, data[at + 4 : at + length], at + length + -length % 4
