"""Messages of CMPP in the field's words, and without what authenticates."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.cmpp.codec import BODIES, LENGTHS, decode, decode_report
from simwarden.wire.cmpp.enums import Command, ConnectStatus, Format, Result
from simwarden.wire.cmpp.messages import Connect, Connected, Deliver, Submit
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import MessageField, MessageInfo, Reading
from simwarden.wire.fields import SECRET
from simwarden.wire.sms.coding import UserData
from simwarden.wire.sms.header import split_header
from simwarden.wire.sms.reading import USER_DATA, named, shown_user_data

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import IntEnum

    from simwarden.wire.cmpp.messages import Body

#: what proves to know the shared secret, and so says what it may be to who tries; and where it begins
_PROOFS: Final = {Connect: ("authenticator_source", 18), Connected: ("authenticator_ismg", 13)}
_NAMED: Final[dict[str, type[IntEnum]]] = {"status": ConnectStatus, "result": Result, "msg_fmt": Format}
_TEXTS: Final = {Format.UCS2: "utf-16-be", Format.GB: "gb18030", Format.ASCII: "latin-1"}


def name_of(command: Command) -> str:
    """Return a command's name as in `cmpp-submit-resp`."""
    return "cmpp-" + command.name.lower().replace("_", "-")


def content_text(octets: bytes, msg_fmt: int) -> str:
    """Return the text of a content behind its header; empty for a binary one."""
    coding = _TEXTS.get(named(Format, msg_fmt))  # type: ignore[call-overload]  # a number has none
    return octets.decode(coding, "replace") if coding else ""


def dissect(data: bytes) -> Dissection:
    """Show one message. Raises PeerError."""
    message = decode(data)
    body = message.body
    fields: dict[str, Any] = {"sequence_id": message.sequence}
    for each in dataclasses.fields(body) if body is not None else ():
        value = getattr(body, each.name)
        if each.name in _NAMED:
            value = named(_NAMED[each.name], value)
        fields[each.name] = list(value) if isinstance(value, tuple) else value
    fields |= {name: "***" for name, _ in _PROOFS.values() if name in fields}
    fields |= _content(body)
    code = fields.get("result", fields.get("status", 0))
    cause = f"{int(code)} {getattr(code, 'name', '').lower().replace('_', ' ')}".strip() if code else ""
    title = "CMPP_" + message.command.name
    return Dissection(name_of(message.command), ", ".join(filter(None, [title, _about(body), cause])), fields, cause)


def _about(body: Body | None) -> str:
    match body:
        case Connect(source_addr=source):
            return source
        case Submit(src_id=source, dest_terminal_id=numbers):
            return f"{source} > {numbers[0] if len(numbers) == 1 else f'{len(numbers)} numbers'}"
        case Deliver(src_terminal_id=source, dest_id=to, registered_delivery=report):
            return f"{source} > {to}" + (", report" if report else "")
    return ""


def _content(body: Body | None) -> dict[str, Any]:
    """Return what a content says: a report, or a message with its header."""
    if not isinstance(body, (Submit, Deliver)):
        return {}
    try:
        if isinstance(body, Deliver) and body.registered_delivery:
            return {"report": dataclasses.asdict(decode_report(body.msg_content))}
        header, octets = split_header(body.msg_content) if body.tp_udhi else ((), body.msg_content)
    except PeerError as error:
        return {"malformed_content": error.reason}
    return shown_user_data(UserData(octets, header), content_text(octets, body.msg_fmt))


def mask(data: bytes) -> bytes:
    """Return the octets with what authenticates zeroed, their length unchanged."""
    try:
        message = decode(data)
    except PeerError:
        return data
    found = _PROOFS.get(type(message.body))
    if found is None:
        return data
    at = found[1]
    return data[:at] + bytes(16) + data[at + 16 :]


_NUMBERS: Final = frozenset({"src_id", "dest_id", "src_terminal_id", "dest_terminal_id", "fee_terminal_id"})


def _values(name: str, kind: str) -> v.Values:
    if name in {proof for proof, _ in _PROOFS.values()}:
        return SECRET
    if name in _NAMED:
        return v.members(_NAMED[name]) | v.NUMBER
    if name == "msg_content":
        return v.OCTETS
    if name in _NUMBERS:
        return (v.PARTY | v.GIVEN).or_none()
    return v.TEXT if kind == "str" else v.NUMBER


_REPORT: Final = {
    **dict.fromkeys(("msg_id", "smsc_sequence"), v.NUMBER),
    **dict.fromkeys(("stat", "submit_time", "done_time"), v.TEXT),
    "dest_terminal_id": v.PARTY | v.GIVEN,
}


class Cmpp(Reading):
    """How CMPP is read."""

    read = staticmethod(dissect)
    length_of = staticmethod(LENGTHS.length_of)
    mask = staticmethod(mask)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return map(name_of, Command)

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        command = next((each for each in Command if name_of(each) == name), None)
        if command is None:
            return None
        body = BODIES.get(command)
        own = dataclasses.fields(body) if body is not None else ()
        fields = [MessageField("sequence_id", True, v.NUMBER)]
        fields += [MessageField(x.name, True, _values(x.name, str(x.type)), _NAMED.get(x.name)) for x in own]
        if body in (Submit, Deliver):
            fields += [MessageField(part, False, values) for part, values in USER_DATA.items()]
            fields += [MessageField("malformed_content", False, v.TEXT)]
            fields += [MessageField("report", False, v.mapping(lambda: _REPORT))] if body is Deliver else []
        return MessageInfo(f"message of CMPP 2.0, Command_Id {command:#010x}", tuple(fields))
