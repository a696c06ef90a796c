"""PDUs of SMPP in the field's words, and without passwords."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import MessageField, MessageInfo, Reading
from simwarden.wire.fields import SECRET
from simwarden.wire.smpp.codec import LENGTHS, decode
from simwarden.wire.smpp.enums import Command, MessageState, Npi, Status, Tag, Ton
from simwarden.wire.smpp.pdus import BODIES, UDHI, Address, Bind, Body, DataSm, Outbind, Pdu, ShortMessage, SubmitMulti
from simwarden.wire.sms.coding import UserData, coding_of, text_of
from simwarden.wire.sms.enums import Alphabet
from simwarden.wire.sms.header import Header, split_header
from simwarden.wire.sms.reading import USER_DATA, named, shown_user_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PASSWORD: Final = "***"  # noqa: S105 - what stands in its place
#: by what the specification calls the parts of an address (4.4.1)
_ADDRESSES: Final = {"source": "source_addr", "destination": "dest_addr", "esme": "esme_addr"}
_NUMBERS: Final = {"source": "source_addr", "destination": "destination_addr", "esme": "esme_addr"}
_OCTET_CODINGS: Final = frozenset({2, 4})
_LATIN_1, _UCS2 = (0x01, 0x03), 0x08
#: groups of TS 23.038 4 that name a message class, as SMPP has them (5.2.19) and as handsets' flash messages do
CLASS_GROUPS: Final = frozenset({1, 15})


def name_of(command: Command) -> str:
    """Return a command's name as in `submit-sm-resp`."""
    return command.name.lower().replace("_", "-")


def alphabet_of(data_coding: int) -> Alphabet | None:
    """Return the alphabet of a data_coding (5.2.19), None for IA5 and Latin 1.

    The groups 1 and F, of message classes, are schemes of TS 23.038.
    """
    if data_coding in _LATIN_1:
        return None
    if data_coding == _UCS2:
        return Alphabet.UCS2
    if data_coding >> 4 in CLASS_GROUPS:
        return coding_of(data_coding).alphabet
    return Alphabet.OCTETS if data_coding in _OCTET_CODINGS else Alphabet.GSM_7_BIT


def message_text(octets: bytes, data_coding: int) -> str:
    """Return the text of a message behind its header; empty for a binary one."""
    alphabet = alphabet_of(data_coding)
    return octets.decode("latin-1") if alphabet is None else text_of(octets, alphabet)


def dissect(data: bytes) -> Dissection:
    """Show one PDU. Raises PeerError."""
    pdu = decode(data)
    fields: dict[str, Any] = {"command_status": named(Status, pdu.status), "sequence_number": pdu.sequence}
    if pdu.body is not None:
        fields |= _body(pdu.body)
    fields |= _parameters(pdu)
    fields |= _message(pdu)
    cause = f"{int(pdu.status):#x} {getattr(fields['command_status'], 'name', '')}".strip() if pdu.status else ""
    summary = ", ".join(filter(None, [pdu.command.name.lower(), _about(pdu.body), cause]))
    return Dissection(name_of(pdu.command), summary, fields, cause)


def _body(body: Body) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in dataclasses.fields(body):
        value = getattr(body, each.name)
        if isinstance(value, Address):
            found |= _address(each.name, value)
        elif each.name == "password":
            found["password"] = _PASSWORD if value else ""
        elif each.name == "message_state":
            found[each.name] = named(MessageState, value)
        else:
            found[each.name] = _several(value) if isinstance(value, tuple) else value
    return found


def _address(name: str, value: Address) -> dict[str, Any]:
    prefix = _ADDRESSES[name]
    kinds = {f"{prefix}_ton": named(Ton, value.ton), f"{prefix}_npi": named(Npi, value.npi)}
    return {**kinds, _NUMBERS[name]: value.number}


def _several(value: tuple[Any, ...]) -> list[Any]:
    """Show destinations of submit_multi: numbers, and names of lists; and those to which it was not submitted."""
    return [each if isinstance(each, str) else _one(each) for each in value]


def _one(value: Any) -> Any:
    return value.number if isinstance(value, Address) else {"number": value.address.number, "status": value.status}


_NUMBERED: Final = {Tag.MESSAGE_STATE: MessageState}
_TEXTS: Final = frozenset({Tag.RECEIPTED_MESSAGE_ID, Tag.ADDITIONAL_STATUS_INFO_TEXT})
_OCTET_STRINGS: Final = frozenset(
    {
        Tag.MESSAGE_PAYLOAD,
        Tag.NETWORK_ERROR_CODE,
        Tag.CALLBACK_NUM,
        Tag.CALLBACK_NUM_ATAG,
        Tag.SOURCE_SUBADDRESS,
        Tag.DEST_SUBADDRESS,
        Tag.ITS_SESSION_INFO,
    }
)


def _parameters(pdu: Pdu) -> dict[str, Any]:
    found: dict[str, Any] = {}
    unknown = []
    for tag, value in pdu.parameters:
        try:
            known = Tag(tag)
        except ValueError:
            unknown.append({"tag": tag, "value": value})
        else:
            found[known.name.lower()] = _parameter(known, value)
    return found | ({"unknown_parameters": unknown} if unknown else {})


def _parameter(tag: Tag, value: bytes) -> Any:
    if tag in _TEXTS:
        return value.partition(b"\0")[0].decode("latin-1")
    if tag in _OCTET_STRINGS or len(value) > 4:
        return value
    number = int.from_bytes(value, "big")
    return named(_NUMBERED[tag], number) if tag in _NUMBERED else number


def _message(pdu: Pdu) -> dict[str, Any]:
    """Return what a message says, by its data coding and its header; it is in one of two places."""
    body = pdu.body
    if not isinstance(body, (ShortMessage, SubmitMulti, DataSm)):
        return {}
    short = b"" if isinstance(body, DataSm) else body.short_message
    octets, header = pdu.parameter(Tag.MESSAGE_PAYLOAD) or short, Header()
    try:
        if body.esm_class & UDHI:
            header, octets = split_header(octets)
    except PeerError as error:
        return {"malformed_header": error.reason}
    text = message_text(octets, body.data_coding)
    return shown_user_data(UserData(octets, header), text)


def _about(body: Body | None) -> str:
    """Return what tells two PDUs of a command apart."""
    if isinstance(body, (Bind, Outbind)):
        return body.system_id
    if isinstance(body, (ShortMessage, SubmitMulti)):
        to = body.destination.number if isinstance(body, ShortMessage) else f"{len(body.destinations)} numbers"
        return f"{body.source.number} > {to}"
    return str(getattr(body, "message_id", ""))


def mask(data: bytes) -> bytes:
    """Return the octets with the password of a bind or outbind zeroed, their length unchanged."""
    try:
        pdu = decode(data)
    except PeerError:
        return data
    if not isinstance(pdu.body, (Bind, Outbind)):
        return data
    at = data.index(b"\0", 16) + 1
    length = len(pdu.body.password)
    return data[:at] + b"*" * length + data[at + length :]  # a text ends at its first zero


_VALUES: Final[dict[str, v.Values]] = {
    **dict.fromkeys(
        ("system_id", "system_type", "address_range", "service_type", "message_id", "destinations"), v.TEXT
    ),
    **dict.fromkeys(("schedule_delivery_time", "validity_period", "final_date"), v.TEXT),
    "password": SECRET.or_none(),
    "message_state": v.members(MessageState) | v.NUMBER,
    "short_message": v.OCTETS,
    "unsuccessful": v.mapping(lambda: {"number": v.PARTY | v.GIVEN, "status": v.NUMBER}),
}
"""What fields that are no numbers may be."""


def _fields(command: Command) -> Iterator[MessageField]:
    body = BODIES.get(command)
    for each in dataclasses.fields(body) if body is not None else ():
        if each.name in _ADDRESSES:
            prefix = _ADDRESSES[each.name]
            yield MessageField(f"{prefix}_ton", True, v.members(Ton) | v.NUMBER, Ton)
            yield MessageField(f"{prefix}_npi", True, v.members(Npi) | v.NUMBER, Npi)
            yield MessageField(_NUMBERS[each.name], True, v.PARTY | v.GIVEN)
        else:
            # an answer with an error may be without its body
            yield MessageField(each.name, not name_of(command).endswith("resp"), _VALUES.get(each.name, v.NUMBER))
    if body is not None and "data_coding" in {each.name for each in dataclasses.fields(body)}:
        yield from (MessageField(name, False, values) for name, values in USER_DATA.items())
        yield MessageField("malformed_header", False, v.TEXT)


@cache
def _optional() -> tuple[MessageField, ...]:
    found = []
    for tag in Tag:
        values = v.OCTETS if tag in _OCTET_STRINGS else v.TEXT if tag in _TEXTS else v.NUMBER | v.OCTETS
        values = v.members(_NUMBERED[tag]) | v.NUMBER if tag in _NUMBERED else values
        found.append(MessageField(tag.name.lower(), False, values))
    unknown = v.mapping(lambda: {"tag": v.NUMBER, "value": v.OCTETS})
    return (*found, MessageField("unknown_parameters", False, unknown))


class Smpp(Reading):
    """How SMPP is read."""

    read = staticmethod(dissect)
    length_of = staticmethod(LENGTHS.length_of)
    mask = staticmethod(mask)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return map(name_of, Command)

    def short_names(self) -> Mapping[str, str]:
        """See Reading; the specification writes names with underscores."""
        return {each.name.lower(): name_of(each) for each in Command}

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        command = next((each for each in Command if name_of(each) == name), None)
        if command is None:
            return None
        header = (
            MessageField("command_status", True, v.members(Status, ("ESME_",)) | v.NUMBER, Status),
            MessageField("sequence_number", True, v.NUMBER),
        )
        about = f"PDU of SMPP 3.4, command_id {command:#010x}"
        return MessageInfo(about, tuple(_fields(command)), (), (*header, *_optional()))
