"""A NAS message, and the codec that reads and writes it by its declaration.

What a receiver must do with faulty octets is TS 24.301 clause 7: a `PeerError` carries cause 96 (a mandatory element
is missing or wrong, or an unknown element must be understood) or 97 (unknown message type), or no cause where the
message is to be ignored. Optional elements that are faulty, repeated or out of sequence count as absent (7.6, 7.7);
they are listed in `Message.ignored`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.wire.nas.declaration import Declaration, Format, Mandatory, Optional
from simwarden.wire.nas.emm import DETACH_REQUEST_FROM_NETWORK, DETACH_REQUEST_FROM_UE, EMM_MESSAGES
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.nas.esm import ESM_MESSAGES
from simwarden.wire.nas.security_header import (
    EMM_DISCRIMINATOR,
    ESM_DISCRIMINATOR,
    SecurityHeaderType,
    header_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

DECLARATIONS: dict[MessageType, Declaration[MessageType]] = {
    entry.type: entry for entry in (*EMM_MESSAGES, *ESM_MESSAGES)
}
"""All messages but the two that are not found by their type alone: DETACH REQUEST and SERVICE REQUEST."""

_EMM = {int(entry.type): entry for entry in EMM_MESSAGES}
_ESM = {int(entry.type): entry for entry in ESM_MESSAGES}
_ESM_HEADER = frozenset(("eps_bearer_identity", "procedure_transaction_identity"))
SERVICE_REQUEST_FIELDS = frozenset(("nas_key_set_identifier", "sequence_number", "short_mac"))

_HALVES, _V, _LV = Format.HALVES, Format.V, Format.LV
_TV_HALF, _TV, _TLV = Format.TV_HALF, Format.TV, Format.TLV


class Elements:
    """Fields by the specification's names in snake case, which the elements of a message are read into.

    `message["emm_cause"]` raises KeyError for an absent field, `message.get("t3346")` returns None. `unknown` are
    elements that were not understood, (IEI, value) as they came; `ignored` says what was dropped and why.
    """

    __slots__ = ("fields", "ignored", "unknown")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.unknown: list[tuple[int, bytes]] = []
        self.ignored: list[str] = []

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or the default where it is absent."""
        return self.fields.get(name, default)


class Message(Elements):
    """A NAS message: its type, and its fields."""

    __slots__ = ("type",)

    def __init__(self, kind: MessageType, **fields: Any) -> None:
        super().__init__(fields)
        self.type = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.type == other.type and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]  # fields may be changed

    def __repr__(self) -> str:
        return f"Message({self.type.name}, {', '.join(f'{name}={value!r}' for name, value in self.fields.items())})"


def declaration_of(message: Message) -> Declaration[MessageType]:
    """Return the declaration that a message follows. Raises KeyError for SERVICE REQUEST, which has none."""
    if message.type is MessageType.DETACH_REQUEST:
        return DETACH_REQUEST_FROM_UE if "eps_mobile_identity" in message.fields else DETACH_REQUEST_FROM_NETWORK
    return DECLARATIONS[message.type]


def encode(message: Message) -> bytes:
    """Return the octets of a message. Raises ValueError if a field is missing, unknown or does not fit."""
    fields = message.fields
    if message.type is MessageType.SERVICE_REQUEST:
        return _encode_service_request(fields)
    declaration = declaration_of(message)
    if message.type.is_esm:
        head = fields.get("eps_bearer_identity", 0) << 4 | ESM_DISCRIMINATOR
        parts = [bytes((head, fields.get("procedure_transaction_identity", 0), message.type))]
        known = len(fields) - len(_ESM_HEADER & fields.keys())
    else:
        parts = [bytes((EMM_DISCRIMINATOR, message.type))]
        known = len(fields)
    return b"".join((*parts, write_elements(declaration, fields, known, _ESM_HEADER)))


def write_elements(
    declaration: Declaration[Any], fields: Mapping[str, Any], known: int, header: frozenset[str] = frozenset()
) -> bytes:
    """Return the elements of a message, of which `known` fields are to be; those of its header are none of them.

    Raises ValueError if one is missing, unknown or does not fit.
    """
    used, parts = 0, []
    try:
        for element in declaration.mandatory:
            parts.append(_write_mandatory(element, fields))
            used += 2 if element.high else 1
    except KeyError as error:
        raise ValueError(f"{declaration.type.name} lacks {error.args[0]}") from None
    if used != known:
        for option in declaration.optional:
            if option.name in fields:
                parts.append(_write_optional(option, fields[option.name]))
                used += 1
    if used != known:
        strange = fields.keys() - declaration.names - header
        raise ValueError(f"{declaration.type.name} has no {', '.join(sorted(strange)) or 'such fields'}")
    return b"".join(parts)


def decode(data: bytes, *, uplink: bool | None = None) -> Message:
    """Read a plain NAS message.

    `uplink` says which way it went; it matters for DETACH REQUEST alone, where the content decides if it is not given.
    Raises PeerError, with `code` 96 or 97 where the spec has a cause for it; a security protected message is one too.
    """
    kind = header_type(data)
    if kind is SecurityHeaderType.SERVICE_REQUEST:
        return _decode_service_request(data)
    if kind is not SecurityHeaderType.PLAIN:
        raise PeerError("a security protected NAS message where a plain one is expected")
    start = 3 if data[0] & 0x0F == ESM_DISCRIMINATOR else 2
    if len(data) < start:
        raise PeerError(f"NAS message of {len(data)} octets is too short to contain a message type")
    declaration = _find(data, start, uplink)
    fields: dict[str, Any] = {}
    if start == 3:
        fields["eps_bearer_identity"], fields["procedure_transaction_identity"] = data[0] >> 4, data[1]
    message = Message(declaration.type)
    message.fields = fields
    read_elements(message, declaration, data, start)
    return message


def read_elements(message: Elements, declaration: Declaration[Any], data: bytes, position: int) -> None:
    """Read the elements of a message, which begin at a position. Raises PeerError, with code 96."""
    for element in declaration.mandatory:
        position = _read_mandatory(element, data, position, message.fields, declaration)
    if position < len(data):
        _read_optional(message, declaration, data, position)


def _find(data: bytes, start: int, uplink: bool | None) -> Declaration[MessageType]:  # noqa: FBT001
    number = data[start - 1]
    if start == 2 and number == MessageType.DETACH_REQUEST:
        if uplink is None:
            # The mobile identity's length is never 0x53, the IEI of the cause.
            uplink = len(data) > 3 and data[3] != 0x53
        return DETACH_REQUEST_FROM_UE if uplink else DETACH_REQUEST_FROM_NETWORK
    declaration = (_ESM if start == 3 else _EMM).get(number)
    if declaration is None:
        raise PeerError(
            f"NAS message type {number:#04x} is not known", code=EmmCause.MESSAGE_TYPE_NON_EXISTENT_OR_NOT_IMPLEMENTED
        )
    return declaration


def _invalid(declaration: Declaration[Any], name: str, why: str) -> PeerError:
    return PeerError(f"{declaration.type.name}: {name} {why}", code=EmmCause.INVALID_MANDATORY_INFORMATION)


def _read_mandatory(
    element: Mandatory, data: bytes, position: int, fields: dict[str, Any], declaration: Declaration[Any]
) -> int:
    kind, name, high, read, _, shortest, longest, _ = element
    try:
        if kind is _HALVES:
            octet = data[position]
            if name:
                fields[name] = octet & 0x0F
            if high:
                fields[high] = octet >> 4
            return position + 1
        if kind is _V:
            length = shortest
        elif kind is _LV:
            length = data[position]
            position += 1
        else:
            length = data[position] << 8 | data[position + 1]
            position += 2
        value = data[position : position + length]
        if len(value) != length or not shortest <= length <= longest:
            raise ValueError(f"has {length} octets")  # noqa: TRY301 - becomes the same error as a bad value
        fields[name] = read(value)
    except IndexError:
        raise _invalid(declaration, name, "is missing or cut off") from None
    except ValueError as error:
        raise _invalid(declaration, name, f"is wrong: {error}") from None
    return position + length


def _read_optional(message: Elements, declaration: Declaration[Any], data: bytes, position: int) -> None:
    last = 0
    by_iei, end = declaration.by_iei, len(data)
    while position < end:
        iei = data[position]
        option = by_iei.get(iei & 0xF0 if iei & 0x80 else iei)
        if option is not None and option.format is _TV_HALF:
            value, position = data[position : position + 1], position + 1
        elif option is not None and option.format is _TV:
            value, position = data[position + 1 : position + 1 + option.longest], position + 1 + option.longest
        elif iei & 0x80:
            message.unknown.append((iei, b""))
            position += 1
            continue
        else:
            start = position + (3 if iei >> 3 == 0x0F else 2)
            length = int.from_bytes(data[position + 1 : start])
            value, position = data[start : start + length], start + length
        if position > end:
            message.ignored.append(f"element {iei:#04x} is cut off")
        elif option is None:
            _unknown(message, declaration, iei, value)
        elif option.order <= last:
            message.ignored.append(f"{option.name} is repeated or out of sequence")
        else:
            last = option.order
            _take(message, option, value)


def _unknown(message: Elements, declaration: Declaration[Any], iei: int, value: bytes) -> None:
    if not iei >> 4:
        # TS 24.007 11.2.4: bits 8 to 5 zero mean that the element must be understood (TS 24.301 7.5.1).
        raise PeerError(
            f"{declaration.type.name}: unknown element {iei:#04x} requires comprehension",
            code=EmmCause.INVALID_MANDATORY_INFORMATION,
        )
    message.unknown.append((iei, value))


def _take(message: Elements, option: Optional, value: bytes) -> None:
    try:
        if option.format is _TV_HALF:
            message.fields[option.name] = value[0] & 0x0F
            return
        if not option.shortest <= len(value) <= option.longest:
            raise ValueError(f"has {len(value)} octets")  # noqa: TRY301 - becomes the same error as a bad value
        message.fields[option.name] = option.read(value)
    except (ValueError, IndexError) as error:
        message.ignored.append(f"{option.name} is wrong: {error}")


def _checked(name: str, value: bytes, shortest: int, longest: int) -> bytes:
    if not shortest <= len(value) <= longest:
        raise ValueError(f"{name} has {len(value)} octets, not {shortest} to {longest}")
    return value


def _write_mandatory(element: Mandatory, fields: Mapping[str, Any]) -> bytes:
    kind, name, high, _, write, shortest, longest, _ = element
    if kind is _HALVES:
        return bytes(((fields[high] << 4 if high else 0) | fields[name],))
    value = _checked(name, write(fields[name]), shortest, longest)
    if kind is _V:
        return value
    return len(value).to_bytes(1 if kind is _LV else 2) + value


def _write_optional(option: Optional, field: Any) -> bytes:
    if option.format is _TV_HALF:
        return bytes((option.iei | field,))
    value = _checked(option.name, option.write(field), option.shortest, option.longest)
    if option.format is _TV:
        return bytes((option.iei,)) + value
    if option.format is _TLV:
        return bytes((option.iei, len(value))) + value
    return bytes((option.iei,)) + len(value).to_bytes(2) + value


def _decode_service_request(data: bytes) -> Message:
    if len(data) < 4:
        raise PeerError(f"SERVICE REQUEST of {len(data)} octets", code=EmmCause.INVALID_MANDATORY_INFORMATION)
    return Message(
        MessageType.SERVICE_REQUEST,
        nas_key_set_identifier=data[1] >> 5,
        sequence_number=data[1] & 0x1F,
        short_mac=data[2:4],
    )


def _encode_service_request(fields: dict[str, Any]) -> bytes:
    if fields.keys() != SERVICE_REQUEST_FIELDS:
        raise ValueError(f"SERVICE_REQUEST has the fields {', '.join(sorted(SERVICE_REQUEST_FIELDS))}")
    head = SecurityHeaderType.SERVICE_REQUEST << 4 | EMM_DISCRIMINATOR
    octet = fields["nas_key_set_identifier"] << 5 | fields["sequence_number"]
    return bytes((head, octet)) + _checked("short_mac", fields["short_mac"], 2, 2)
