"""Messages of SIP in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import MessageField, MessageInfo, Reading
from simwarden.wire.q850 import CauseValue
from simwarden.wire.sip.causes import cause_of
from simwarden.wire.sip.codec import decode
from simwarden.wire.sip.dtmf import decode_digit
from simwarden.wire.sip.enums import Method, Status
from simwarden.wire.sip.message import Message, Request
from simwarden.wire.sip.parts import NameAddress, Uri
from simwarden.wire.sms.reading import named

if TYPE_CHECKING:
    from collections.abc import Iterable

_OTHER: Final = "request"
_COMMON: Final = ("from_number", "to_number", "from", "to", "call_id", "cseq", "asserted_identity", "q850_cause")
_CAUSE: Final = v.members(CauseValue) | v.NUMBER
#: one that RFC 3261 does not know is what somebody sends on purpose
_METHOD: Final = v.one_of(*Method) | v.GIVEN


def name_of(message: Message) -> str:
    """Return a message's name: `invite`, and `invite-response` of what answers it."""
    method = message.method if isinstance(message, Request) else message.cseq.method
    word = method.lower() if method in {*Method} else _OTHER
    return word if isinstance(message, Request) else f"{word}-response"


def dissect(data: bytes) -> Dissection:
    """Show one message. Raises PeerError."""
    message = decode(data)
    fields = _fields(message)
    cause = ""
    if isinstance(message, Request):
        fields |= {"method": message.method, "request_uri": message.uri}
        title = f"{message.method} {_number(message.uri) or message.uri}"
        if message.method == Method.INFO and message.body:
            fields["dtmf_digit"] = _digit(message)
            title += f", DTMF {fields['dtmf_digit']}"
    else:
        fields["status"] = named(Status, message.status)
        phrase = Status(message.status).phrase if message.status in {*Status} else message.phrase
        title = f"{message.status} {phrase} ({message.cseq.method})"
        cause = f"{message.status} {phrase}" if message.status >= 300 else ""
    if "q850_cause" in fields:
        told = fields["q850_cause"]
        cause = ", ".join(filter(None, [cause, f"Q.850 cause {int(told)}"]))
        title += f", Q.850 cause {int(told)} {getattr(told, 'name', '').lower().replace('_', ' ')}".rstrip()
    return Dissection(name_of(message), f"SIP {title}", fields, cause)


def _fields(message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "from": str(message.sender.uri),
        "to": str(message.to.uri),
        "from_number": message.sender.uri.number,
        "to_number": message.to.uri.number,
        "call_id": message.call_id,
        "cseq": message.cseq.number,
    }
    fields = {name: value for name, value in fields.items() if value != ""}
    for each in message.headers.all("P-Asserted-Identity")[:1]:
        try:
            fields["asserted_identity"] = str(NameAddress.parse(each).uri)
        except PeerError as error:
            fields["asserted_identity"] = f"malformed: {error.reason}"
    if message.headers.get("Reason") is not None:
        fields["q850_cause"] = named(CauseValue, cause_of(message))
    if message.body:
        fields["content_type"] = message.headers.get("Content-Type") or ""
    return fields


def _number(uri: str) -> str:
    try:
        return Uri.parse(uri).number
    except PeerError:
        return ""


def _digit(message: Request) -> str:
    try:
        return decode_digit(message)
    except PeerError as error:
        return f"malformed: {error.reason}"


class Sip(Reading):
    """How SIP is read."""

    read = staticmethod(dissect)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        for each in (*(method.lower() for method in Method), _OTHER):
            yield each
            if each != Method.ACK.lower():
                yield f"{each}-response"

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        if name not in {*self.messages()}:
            return None
        optional = ("from_number", "to_number", "asserted_identity", "q850_cause")
        told = {"cseq": v.NUMBER, "q850_cause": _CAUSE, "from_number": v.PARTY, "to_number": v.PARTY}
        fields = [
            MessageField(each, each not in optional, told.get(each, v.TEXT), CauseValue if "q850" in each else None)
            for each in _COMMON
        ]
        if name.endswith("-response"):
            fields.append(MessageField("status", True, v.members(Status) | v.NUMBER, Status))
        else:
            fields += [MessageField("method", True, _METHOD), MessageField("request_uri", True, v.TEXT)]
        fields.append(MessageField("content_type", False, v.TEXT))
        if name == Method.INFO.lower():
            fields.append(MessageField("dtmf_digit", False, v.TEXT))
        what = "response to" if name.endswith("-response") else "request"
        return MessageInfo(f"{what} {name.removesuffix('-response').upper()} (RFC 3261)", tuple(fields))
