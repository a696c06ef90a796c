"""Messages of SCCP in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.sccp.codec import Message, decode
from simwarden.wire.sccp.enums import ManagementType, MessageType, ReturnCause, Subsystem
from simwarden.wire.sccp.management import Management, decode_management
from simwarden.wire.sms.reading import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import IntEnum

    from simwarden.wire.family import Inner
    from simwarden.wire.sccp.address import Address

_SHORT: Final[Mapping[str, MessageType]] = {
    "udt": MessageType.UNITDATA,
    "udts": MessageType.UNITDATA_SERVICE,
    "xudt": MessageType.EXTENDED_UNITDATA,
    "xudts": MessageType.EXTENDED_UNITDATA_SERVICE,
}
_ADDRESS: Final[Mapping[str, v.Values]] = {
    "ssn": v.members(Subsystem) | v.NUMBER,
    "point_code": v.NUMBER,
    "global_title": v.TEXT,
    "nature": v.NUMBER,
    "translation_type": v.NUMBER,
    "numbering_plan": v.NUMBER,
}
_SEGMENT: Final[Mapping[str, v.Values]] = {
    "first": v.SWITCH,
    "remaining": v.NUMBER,
    "reference": v.NUMBER,
    "in_sequence": v.SWITCH,
}


def name_of(kind: MessageType | ManagementType) -> str:
    """Return a message's name as in `unitdata-service`."""
    return kind.name.lower().replace("_", "-")


def dissect(data: bytes, inner: Inner | None = None) -> Dissection:
    """Show one message; `inner` dissects what it carries. Raises PeerError."""
    message = decode(data)
    fields: dict[str, Any] = {"called": _address(message.called), "calling": _address(message.calling)}
    cause = ""
    if message.is_service:
        fields["return_cause"] = named(ReturnCause, message.return_cause)
        cause = f"SCCP return cause {int(message.return_cause)} {_words(fields['return_cause'])}".strip()
    else:
        fields |= {"protocol_class": message.protocol_class, "return_on_error": message.return_on_error}
    if message.segmentation is not None:
        fields["segmentation"] = message.segmentation._asdict()
    found = _carried(message, inner)
    if found is None:
        fields["user_data"] = message.data
        title = f"SCCP {name_of(message.type)} {message.calling} > {message.called}"
        return Dissection(name_of(message.type), ", ".join(filter(None, [title, cause])), fields, cause)
    summary = f"{cause}: {found.summary}" if cause else found.summary
    return Dissection(name_of(message.type), summary, fields, cause or found.cause, (found,))


def _words(value: int) -> str:
    return str(getattr(value, "name", "")).lower().replace("_", " ")


def _address(address: Address) -> dict[str, Any]:
    title = address.global_title
    shown: dict[str, Any] = {
        "ssn": None if address.ssn is None else named(Subsystem, address.ssn),
        "point_code": address.point_code,
        "global_title": title and title.digits,
    }
    if title is not None:
        shown |= {part: getattr(title, part) for part in ("nature", "translation_type", "numbering_plan")}
    return {part: value for part, value in shown.items() if value is not None}


def _carried(message: Message, inner: Inner | None) -> Dissection | None:
    """Return what it carries: its own management, or a message of TCAP with the subsystem that tells whose it is."""
    ends = {message.called.ssn, message.calling.ssn}
    try:
        if Subsystem.SCCP_MANAGEMENT in ends:
            return _dissect_management(decode_management(message.data))
        if inner is None or message.segmentation is not None:
            return None
        via = Subsystem.CAP if Subsystem.CAP in ends else message.called.ssn or 0
        return inner("tcap", message.data, via=via)
    except PeerError as error:
        return Dissection("malformed-tcap", f"malformed TCAP: {error.reason}", {"octets": message.data})


def _dissect_management(message: Management) -> Dissection:
    fields = message._asdict()
    kind = fields.pop("type")
    fields["affected_ssn"] = named(Subsystem, message.affected_ssn)
    title = f"SCCP {name_of(kind)} SSN {message.affected_ssn} at PC {message.affected_point_code}"
    return Dissection(name_of(kind), title, fields)


_MANAGEMENT: Final = tuple(
    MessageField(name, True, _ADDRESS["ssn"] if name == "affected_ssn" else v.NUMBER) for name in Management._fields[1:]
)


def _fields(kind: MessageType) -> Iterable[MessageField]:
    yield from (MessageField(each, True, v.mapping(lambda: _ADDRESS)) for each in ("called", "calling"))
    if kind in (MessageType.UNITDATA_SERVICE, MessageType.EXTENDED_UNITDATA_SERVICE):
        causes: type[IntEnum] = ReturnCause
        yield MessageField("return_cause", True, v.members(causes) | v.NUMBER, causes)
    else:
        yield MessageField("protocol_class", True, v.NUMBER)
        yield MessageField("return_on_error", True, v.SWITCH)
    if kind >= MessageType.EXTENDED_UNITDATA:
        yield MessageField("segmentation", False, v.mapping(lambda: _SEGMENT))
    yield MessageField("user_data", False, v.OCTETS)


class Sccp(Reading):
    """How SCCP is read."""

    dissector = "sccp"

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, known.inner)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return map(name_of, (*MessageType, *ManagementType))

    def short_names(self) -> Mapping[str, str]:
        """See Reading."""
        return {short: name_of(kind) for short, kind in _SHORT.items()}

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        for kind in MessageType:
            if name_of(kind) == name:
                return MessageInfo(f"message of SCCP, type {kind:#04x} (Q.713 4)", tuple(_fields(kind)))
        for each in ManagementType:
            if name_of(each) == name:
                return MessageInfo(f"message of SCCP management, type {each:#04x} (Q.713 5.3)", _MANAGEMENT)
        return None
