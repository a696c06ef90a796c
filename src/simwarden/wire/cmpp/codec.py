"""Octets to messages of CMPP 2.0 and back (7.2, 7.3)."""

from __future__ import annotations

import dataclasses
from struct import Struct
from typing import Any, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.cmpp.enums import Command, Result
from simwarden.wire.cmpp.messages import (
    ActiveTested,
    Body,
    Cancel,
    Cancelled,
    Connect,
    Connected,
    Deliver,
    Delivered,
    Message,
    Queried,
    Query,
    Report,
    Submit,
    Submitted,
)
from simwarden.wire.stream import Lengths

HEADER: Final = Struct(">III")
LONGEST: Final = 12 + 8 + 117 + 21 * 255 + 1 + 255 + 8
"""Longest message taken, in octets: a CMPP_SUBMIT to 255 numbers (its text allows fewer than 100)."""
LENGTHS: Final = Lengths("Total_Length", 12, LONGEST, Result.MESSAGE_LENGTH_ERROR)
_COMMANDS: Final[dict[int, Command]] = {int(each): each for each in Command}
_NUMBER: Final = 21
_MOST_NUMBERS: Final = 99
#: octets of Msg_Content: 160 of ASCII, 140 of others (7.4.3.1)
LONGEST_CONTENT: Final = 160

BODIES: Final[dict[Command, type[Body]]] = {
    Command.CONNECT: Connect,
    Command.CONNECT_RESP: Connected,
    Command.SUBMIT: Submit,
    Command.SUBMIT_RESP: Submitted,
    Command.QUERY: Query,
    Command.QUERY_RESP: Queried,
    Command.DELIVER: Deliver,
    Command.DELIVER_RESP: Delivered,
    Command.CANCEL: Cancel,
    Command.CANCEL_RESP: Cancelled,
    Command.ACTIVE_TEST_RESP: ActiveTested,
}
"""The body of each command that has one."""
#: fields that hold octets as they are
_OCTETS: Final = {"authenticator_source": 16, "authenticator_ismg": 16}
_TEXTS: Final = {
    "source_addr": 6,
    "service_id": 10,
    "fee_terminal_id": _NUMBER,
    "msg_src": 6,
    "fee_type": 2,
    "fee_code": 6,
    "valid_time": 17,
    "at_time": 17,
    "src_id": _NUMBER,
    "dest_id": _NUMBER,
    "src_terminal_id": _NUMBER,
    "reserve": 8,
    "time": 8,
    "query_code": 10,
}
_WIDE: Final = {"msg_id": 8, "time_stamp": 4}
_COUNTS: Final = frozenset({"mt_tlmsg", "mt_tlusr", "mt_scs", "mt_wt", "mt_fl", "mo_scs", "mo_wt", "mo_fl"})
_REPORT: Final = Struct(">Q7s10s10s21sI")


class Header(NamedTuple):
    """The header of a message: enough to answer one that cannot be read."""

    command: int
    sequence: int


def _width(name: str) -> int:
    return _WIDE.get(name) or (4 if name in _COUNTS else 1)


# -- encoding


def encode(message: Message) -> bytes:
    """Return the octets of a message. Raises ValueError for a field that does not fit."""
    body = message.body
    octets = b"".join([_put(each.name, getattr(body, each.name)) for each in dataclasses.fields(body)]) if body else b""
    return HEADER.pack(12 + len(octets), message.command, message.sequence) + octets


def _put(name: str, value: Any) -> bytes:
    if name in _TEXTS:
        return _text(value, _TEXTS[name])
    if name in _OCTETS:
        if len(value) != _OCTETS[name]:
            raise ValueError(f"{name} has {_OCTETS[name]} octets, not {len(value)}")
        return bytes(value)
    if name == "dest_terminal_id":
        if len(value) > _MOST_NUMBERS:
            raise ValueError(f"a CMPP_SUBMIT goes to {_MOST_NUMBERS} numbers at most, not {len(value)}")
        return bytes((len(value),)) + b"".join([_text(each, _NUMBER) for each in value])
    if name == "msg_content":
        if len(value) > LONGEST_CONTENT:
            raise ValueError(f"Msg_Content has {LONGEST_CONTENT} octets at most, not {len(value)}")
        return bytes((len(value), *value))
    return int(value).to_bytes(_width(name), "big")


def _text(text: str, size: int) -> bytes:
    octets = text.encode("latin-1")
    if len(octets) > size or b"\0" in octets:
        raise ValueError(f"{text!r} is no text of {size} octets at most")
    return octets.ljust(size, b"\0")


def encode_report(report: Report) -> bytes:
    """Return the content of a report. Raises ValueError."""
    texts = (_text(report.stat, 7), _text(report.submit_time, 10), _text(report.done_time, 10))
    return _REPORT.pack(report.msg_id, *texts, _text(report.dest_terminal_id, _NUMBER), report.smsc_sequence)


# -- decoding


def decode_header(data: bytes) -> Header:
    """Read a header alone, of which 12 octets are there."""
    _, command, sequence = HEADER.unpack_from(data)
    return Header(command, sequence)


def decode(data: bytes) -> Message:
    """Read one whole message. Raises PeerError with the result that answers what is wrong."""
    if not 12 <= len(data) <= LONGEST:
        raise PeerError(f"a message of {len(data)} octets", code=Result.MESSAGE_LENGTH_ERROR)
    length, number, sequence = HEADER.unpack_from(data)
    if length != len(data):
        raise PeerError(f"Total_Length {length} in a message of {len(data)} octets", code=Result.MESSAGE_LENGTH_ERROR)
    command = _COMMANDS.get(number)
    if command is None:
        raise PeerError(f"no command has Command_Id {number:#010x}", code=Result.COMMAND_ERROR)
    kind, at = BODIES.get(command), 12
    values: list[Any] = []
    for each in dataclasses.fields(kind) if kind is not None else ():
        value, at = _take(each.name, data, at)
        values.append(value)
    if at != len(data):
        raise PeerError(f"{command.name} with {len(data) - at} octets too many", code=Result.MESSAGE_STRUCTURE_ERROR)
    return Message(command, sequence, kind(*values) if kind is not None else None)


def _octets(data: bytes, at: int, count: int) -> tuple[bytes, int]:
    if at + count > len(data):
        raise PeerError(f"a message that ends after {len(data)} octets", code=Result.MESSAGE_STRUCTURE_ERROR)
    return data[at : at + count], at + count


def _take(name: str, data: bytes, at: int) -> tuple[Any, int]:
    if name in _TEXTS:
        octets, at = _octets(data, at, _TEXTS[name])
        return _read_text(octets), at
    if name in _OCTETS:
        return _octets(data, at, _OCTETS[name])
    if name == "dest_terminal_id":
        count, at = _take("dest_usr_tl", data, at)
        if count > _MOST_NUMBERS:
            raise PeerError(f"a CMPP_SUBMIT to {count} numbers", code=Result.MESSAGE_STRUCTURE_ERROR)
        octets, at = _octets(data, at, count * _NUMBER)
        return tuple(_read_text(octets[each * _NUMBER : (each + 1) * _NUMBER]) for each in range(count)), at
    if name == "msg_content":
        length, at = _take("msg_length", data, at)
        if length > LONGEST_CONTENT:
            raise PeerError(f"Msg_Length {length}", code=Result.MESSAGE_TOO_LONG)
        return _octets(data, at, length)
    octets, at = _octets(data, at, _width(name))
    return int.from_bytes(octets, "big"), at


def _read_text(octets: bytes) -> str:
    """Read a text that zeros fill up (7.1); what stands behind the first is no part of it."""
    return octets.partition(b"\0")[0].decode("latin-1")


def decode_report(content: bytes) -> Report:
    """Read the content of a report. Raises PeerError."""
    if len(content) != _REPORT.size:
        raise PeerError(f"a report of {len(content)} octets", code=Result.MESSAGE_LENGTH_ERROR)
    number, *texts, sequence = _REPORT.unpack(content)
    stat, submitted, done, destination = map(_read_text, texts)
    return Report(number, stat, submitted, done, destination, sequence)
