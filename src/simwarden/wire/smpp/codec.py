"""Octets to PDUs and back (SMPP 3.4 3.2 and chapter 4)."""

from __future__ import annotations

import dataclasses
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.smpp.enums import Command, Status
from simwarden.wire.smpp.pdus import (
    BODIES,
    RESPONSE,
    Address,
    Body,
    Parameter,
    Pdu,
    ShortMessage,
    Unsuccessful,
)
from simwarden.wire.stream import Lengths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADER: Final = Struct(">IIII")
_TLV: Final = Struct(">HH")
LONGEST: Final = 1 << 17
"""Longest PDU taken, in octets: a message_payload has 64 K at most (5.3.2.32)."""
LENGTHS: Final = Lengths("command_length", 16, LONGEST, Status.ESME_RINVCMDLEN)
_COMMANDS: Final[dict[int, Command]] = {int(each): each for each in Command}
#: sizes of C-octet strings with their NUL, and what to answer where one is too long
_NUMBER_SIZE, _MESSAGE_ID_SIZE = 21, 65
_ALERT_SIZE: Final = 65
#: octets of short_message (5.2.22)
_LONGEST_MESSAGE: Final = 254
_LIST: Final = 2


class Header(NamedTuple):
    """The header of a PDU: enough to answer one that cannot be read."""

    command: int
    status: int
    sequence: int


# -- kinds of fields: each takes a value at a place and tells where it ends, and writes one


class _Kind(NamedTuple):
    take: Callable[[bytes, int], tuple[Any, int]]
    put: Callable[[Any], bytes]


def _bad(reason: str, status: Status) -> PeerError:
    return PeerError(reason, code=status)


def _take_text(data: bytes, at: int, size: int, status: Status) -> tuple[str, int]:
    end = data.find(b"\0", at, at + size)
    if end < 0:
        raise _bad(f"a text of more than {size - 1} octets, or without an end", status)
    return data[at:end].decode("latin-1"), end + 1


def _put_text(text: str, size: int) -> bytes:
    octets = text.encode("latin-1")
    if len(octets) >= size or b"\0" in octets:
        raise ValueError(f"{text!r} is no text of {size - 1} octets at most")
    return octets + b"\0"


def _text(size: int, status: Status) -> _Kind:
    return _Kind(lambda data, at: _take_text(data, at, size, status), lambda text: _put_text(text, size))


def _take_octet(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise _bad("a PDU that ends early", Status.ESME_RINVCMDLEN)
    return data[at], at + 1


_OCTET: Final = _Kind(_take_octet, lambda value: bytes((value,)))


_TIME: Final = _text(17, Status.ESME_RINVSCHED)


def _address(status: Status, size: int = _NUMBER_SIZE) -> _Kind:
    def take(data: bytes, at: int) -> tuple[Address, int]:
        if at + 3 > len(data):
            raise _bad("a PDU that ends early", Status.ESME_RINVCMDLEN)
        number, end = _take_text(data, at + 2, size, status)
        return Address(number, data[at], data[at + 1]), end

    return _Kind(take, lambda value: bytes((value.ton, value.npi)) + _put_text(value.number, size))


def _take_message(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = _take_octet(data, at)
    if length > _LONGEST_MESSAGE or at + length > len(data):
        raise _bad(f"sm_length {length} with {len(data) - at} octets behind it", Status.ESME_RINVMSGLEN)
    return data[at : at + length], at + length


def _put_message(octets: bytes) -> bytes:
    if len(octets) > _LONGEST_MESSAGE:
        raise ValueError(f"short_message has {_LONGEST_MESSAGE} octets at most, not {len(octets)}")
    return bytes((len(octets),)) + octets


_MESSAGE: Final = _Kind(_take_message, _put_message)
_SOURCE: Final = _address(Status.ESME_RINVSRCADR)
_DESTINATION: Final = _address(Status.ESME_RINVDSTADR)


def _take_destinations(data: bytes, at: int) -> tuple[tuple[Address | str, ...], int]:
    count, at = _take_octet(data, at)
    found: list[Address | str] = []
    for _ in range(count):
        flag, at = _take_octet(data, at)
        if flag not in (1, _LIST):
            raise _bad(f"dest_flag {flag}", Status.ESME_RINVDESTFLAG)
        one: Address | str
        one, at = (
            _take_text(data, at, _NUMBER_SIZE, Status.ESME_RINVDLNAME) if flag == _LIST else _DESTINATION.take(data, at)
        )
        found.append(one)
    return tuple(found), at


def _put_destinations(value: tuple[Address | str, ...]) -> bytes:
    out = [bytes((len(value),))]
    for each in value:
        is_list = isinstance(each, str)
        out.append(b"\2" + _put_text(each, _NUMBER_SIZE) if is_list else b"\1" + _DESTINATION.put(each))  # type: ignore[arg-type]
    return b"".join(out)


def _take_unsuccessful(data: bytes, at: int) -> tuple[tuple[Unsuccessful, ...], int]:
    count, at = _take_octet(data, at)
    found = []
    for _ in range(count):
        address, at = _DESTINATION.take(data, at)
        if at + 4 > len(data):
            raise _bad("a PDU that ends early", Status.ESME_RINVCMDLEN)
        found.append(Unsuccessful(address, int.from_bytes(data[at : at + 4], "big")))
        at += 4
    return tuple(found), at


def _put_unsuccessful(value: tuple[Unsuccessful, ...]) -> bytes:
    each = [_DESTINATION.put(one.address) + one.status.to_bytes(4, "big") for one in value]
    return bytes((len(value),)) + b"".join(each)


_MESSAGE_ID: Final = _text(_MESSAGE_ID_SIZE, Status.ESME_RINVMSGID)
#: kinds of fields by name, in whichever body they stand
_KINDS: Final[Mapping[str, _Kind]] = {
    "system_id": _text(16, Status.ESME_RINVSYSID),
    "password": _text(9, Status.ESME_RINVPASWD),
    "system_type": _text(13, Status.ESME_RINVSYSTYP),
    "address_range": _text(41, Status.ESME_RBINDFAIL),
    "service_type": _text(6, Status.ESME_RINVSERTYP),
    "message_id": _MESSAGE_ID,
    "source": _SOURCE,
    "destination": _DESTINATION,
    "esme": _address(Status.ESME_RINVSRCADR, _ALERT_SIZE),
    "destinations": _Kind(_take_destinations, _put_destinations),
    "unsuccessful": _Kind(_take_unsuccessful, _put_unsuccessful),
    "schedule_delivery_time": _TIME,
    "validity_period": _text(17, Status.ESME_RINVEXPIRY),
    "final_date": _TIME,
    "short_message": _MESSAGE,
}


def _layout(body: type[Body]) -> tuple[_Kind, ...]:
    kinds = [_KINDS.get(each.name, _OCTET) for each in dataclasses.fields(body)]
    if body.__name__ == "Alert":
        kinds[0] = _KINDS["esme"]  # 65 octets as well (4.12.1)
    return tuple(kinds)


_LAYOUTS: Final[dict[type[Body], tuple[_Kind, ...]]] = {body: _layout(body) for body in set(BODIES.values())}
_NAMES: Final = {body: tuple(each.name for each in dataclasses.fields(body)) for body in _LAYOUTS}


# -- encoding


def encode(pdu: Pdu) -> bytes:
    """Return the octets of a PDU. Raises ValueError for a field that does not fit."""
    body = _encode_body(pdu.body) if pdu.body is not None else b""
    if pdu.parameters:
        body += b"".join([_TLV.pack(tag, len(value)) + value for tag, value in pdu.parameters])
    return HEADER.pack(16 + len(body), pdu.command, pdu.status, pdu.sequence) + body


def _encode_body(body: Body) -> bytes:
    if type(body) is ShortMessage:
        return _encode_short_message(body)
    kind = type(body)
    return b"".join([each.put(getattr(body, name)) for each, name in zip(_LAYOUTS[kind], _NAMES[kind], strict=True)])


def _encode_short_message(body: ShortMessage) -> bytes:
    """Write the message that nearly all are, without a call for each of its octets."""
    source, destination = body.source, body.destination
    return b"".join(
        (
            _put_text(body.service_type, 6),
            bytes((source.ton, source.npi)),
            _put_text(source.number, _NUMBER_SIZE),
            bytes((destination.ton, destination.npi)),
            _put_text(destination.number, _NUMBER_SIZE),
            bytes((body.esm_class, body.protocol_id, body.priority_flag)),
            _put_text(body.schedule_delivery_time, 17),
            _put_text(body.validity_period, 17),
            bytes((body.registered_delivery, body.replace_if_present_flag, body.data_coding, body.sm_default_msg_id)),
            _put_message(body.short_message),
        )
    )


# -- decoding


def decode_header(data: bytes) -> Header:
    """Read a header alone, of which 16 octets are there."""
    _, command, status, sequence = HEADER.unpack_from(data)
    return Header(command, status, sequence)


def decode(data: bytes) -> Pdu:
    """Read one whole PDU. Raises PeerError with the command_status that answers what is wrong."""
    if len(data) < 16 or len(data) > LONGEST:
        raise _bad(f"a PDU of {len(data)} octets", Status.ESME_RINVCMDLEN)
    length, number, status, sequence = HEADER.unpack_from(data)
    if length != len(data):
        raise _bad(f"command_length {length} in a PDU of {len(data)} octets", Status.ESME_RINVCMDLEN)
    command = _COMMANDS.get(number)
    if command is None:
        raise _bad(f"no command has command_id {number:#010x}", Status.ESME_RINVCMDID)
    kind, at = BODIES.get(command), 16
    body: Body | None = None
    if kind is not None and not (status and number & RESPONSE and len(data) == at):
        body, at = _decode_short_message(data) if kind is ShortMessage else _decode_body(kind, data, at)
    return Pdu(command, sequence, status, body, _parameters(data, at) if at < len(data) else ())


def _decode_body(kind: type[Body], data: bytes, at: int) -> tuple[Body, int]:
    values = []
    for each in _LAYOUTS[kind]:
        value, at = each.take(data, at)
        values.append(value)
    return kind(*values), at


def _decode_short_message(data: bytes) -> tuple[ShortMessage, int]:
    """Read the message that nearly all are, without a call for each of its octets."""
    service, at = _take_text(data, 16, 6, Status.ESME_RINVSERTYP)
    try:
        source_ton, source_npi = data[at], data[at + 1]
        source, at = _take_text(data, at + 2, _NUMBER_SIZE, Status.ESME_RINVSRCADR)
        ton, npi = data[at], data[at + 1]
        destination, at = _take_text(data, at + 2, _NUMBER_SIZE, Status.ESME_RINVDSTADR)
        esm_class, protocol, priority = data[at], data[at + 1], data[at + 2]
        schedule, at = _take_text(data, at + 3, 17, Status.ESME_RINVSCHED)
        validity, at = _take_text(data, at, 17, Status.ESME_RINVEXPIRY)
        registered, replace, coding, default = data[at], data[at + 1], data[at + 2], data[at + 3]
    except IndexError:
        raise _bad("a PDU that ends early", Status.ESME_RINVCMDLEN) from None
    message, at = _take_message(data, at + 4)
    return ShortMessage(
        service,
        Address(source, source_ton, source_npi),
        Address(destination, ton, npi),
        esm_class,
        protocol,
        priority,
        schedule,
        validity,
        registered,
        replace,
        coding,
        default,
        message,
    ), at


def _parameters(data: bytes, at: int) -> tuple[Parameter, ...]:
    """Read the optional parameters, also those that nobody knows: they are to be ignored (3.3)."""
    found, end = [], len(data)
    while at < end:
        if at + 4 > end:
            raise _bad("an optional parameter that is cut", Status.ESME_RINVOPTPARSTREAM)
        tag, length = _TLV.unpack_from(data, at)
        stop = at + 4 + length
        if stop > end:
            raise _bad(f"optional parameter {tag:#06x} is longer than its PDU", Status.ESME_RINVPARLEN)
        found.append(Parameter(tag, data[at + 4 : stop]))
        at = stop
    return tuple(found)
