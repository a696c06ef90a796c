"""Messages of M3UA in the field's words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.m3ua.codec import decode, length_of
from simwarden.wire.m3ua.enums import ErrorCode, MessageType, ServiceIndicator, Status, TrafficMode
from simwarden.wire.m3ua.message import CONTENTS, Message, ProtocolData, UserCause
from simwarden.wire.sms.reading import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import IntEnum

    from simwarden.wire.family import Inner

_SHORT: Final[Mapping[str, MessageType]] = {
    "err": MessageType.ERROR,
    "ntfy": MessageType.NOTIFY,
    "duna": MessageType.DESTINATION_UNAVAILABLE,
    "dava": MessageType.DESTINATION_AVAILABLE,
    "daud": MessageType.DESTINATION_STATE_AUDIT,
    "scon": MessageType.SIGNALLING_CONGESTION,
    "dupu": MessageType.DESTINATION_USER_PART_UNAVAILABLE,
    "drst": MessageType.DESTINATION_RESTRICTED,
    "aspup": MessageType.ASP_UP,
    "aspdn": MessageType.ASP_DOWN,
    "beat": MessageType.HEARTBEAT,
    "aspac": MessageType.ASP_ACTIVE,
    "aspia": MessageType.ASP_INACTIVE,
}
_NAMED: Final[dict[str, type[IntEnum]]] = {
    "error_code": ErrorCode,
    "traffic_mode_type": TrafficMode,
    "status": Status,
    "service_indicator": ServiceIndicator,
}
_OCTETS: Final = frozenset({"heartbeat_data", "diagnostic_information"})
_LABEL: Final = ProtocolData._fields[:-1]


def name_of(kind: MessageType) -> str:
    """Return a message's name as in `asp-up-ack`."""
    return kind.name.lower().replace("_", "-")


def title_of(kind: MessageType) -> str:
    """Return what a person writes: `ASP Up Ack`."""
    return " ".join("ASP" if word == "ASP" else word.capitalize() for word in kind.name.split("_"))


def dissect(data: bytes, inner: Inner | None = None) -> Dissection:
    """Show one message; `inner` dissects what it carries. Raises PeerError."""
    message = decode(data)
    name = name_of(message.type)
    if message.protocol_data is not None:
        return _dissect_data(name, message, message.protocol_data, inner)
    fields: dict[str, Any] = {}
    for each in dataclasses.fields(message)[1:]:
        value = getattr(message, each.name)
        if value is not None and value != ():
            fields[each.name] = _shown(each.name, value)
    cause = _spoken(fields["error_code"]) if "error_code" in fields else ""
    told = [cause, *(_spoken(fields[part]) for part in ("status",) if part in fields)]
    summary = ", ".join(["M3UA " + title_of(message.type), *filter(None, told)])
    return Dissection(name, summary, fields, cause)


def _dissect_data(name: str, message: Message, data: ProtocolData, inner: Inner | None) -> Dissection:
    fields = {part: _shown(part, getattr(data, part)) for part in _LABEL}
    if message.routing_context:
        fields["routing_context"] = list(message.routing_context)
    if message.network_appearance is not None:
        fields["network_appearance"] = message.network_appearance
    title = f"M3UA {data.originating_point_code} > {data.destination_point_code}"
    if inner is None or data.service_indicator != ServiceIndicator.SCCP:
        return Dissection(name, f"{title}, {len(data.user_data)} octets", {**fields, "user_data": data.user_data})
    try:
        found = inner("sccp", data.user_data)
    except PeerError as error:
        found = Dissection("malformed-sccp", f"malformed SCCP: {error.reason}", {"octets": data.user_data})
    return Dissection(name, found.summary, fields, found.cause, (found,))


def _shown(name: str, value: Any) -> Any:
    if name in _NAMED:
        return named(_NAMED[name], value)
    if name == "affected_point_code":
        return [{"point_code": each.point_code, "mask": each.mask} for each in value]
    if isinstance(value, UserCause):
        return value._asdict()
    return list(value) if isinstance(value, tuple) else value


def _spoken(value: int) -> str:
    return f"{int(value)} {getattr(value, 'name', '').lower().replace('_', ' ')}".strip()


def _values(name: str) -> v.Values:
    if name in _NAMED:
        return v.members(_NAMED[name]) | v.NUMBER
    if name in _OCTETS:
        return v.OCTETS
    if name == "affected_point_code":
        return v.mapping(lambda: {"point_code": v.NUMBER, "mask": v.NUMBER})
    if name == "user_cause":
        return v.mapping(lambda: dict.fromkeys(UserCause._fields, v.NUMBER))
    return v.TEXT if name == "info_string" else v.NUMBER


def _field(name: str, *, required: bool) -> MessageField:
    return MessageField(name, required, _values(name), _NAMED.get(name))


class M3ua(Reading):
    """How M3UA is read."""

    length_of = staticmethod(length_of)

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, known.inner)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return map(name_of, MessageType)

    def short_names(self) -> Mapping[str, str]:
        """See Reading."""
        return {short: name_of(kind) for short, kind in _SHORT.items()}

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        kind = next((each for each in MessageType if name_of(each) == name), None)
        if kind is None:
            return None
        needed, optional = CONTENTS[kind]
        fields = [_field(each, required=True) for each in needed if each != "protocol_data"]
        if kind is MessageType.DATA:
            fields += [_field(each, required=True) for each in _LABEL]
            fields += [MessageField("user_data", False, v.OCTETS)]
        fields += [_field(each, required=False) for each in optional]
        return MessageInfo(f"message of M3UA, class {kind >> 8}, type {kind & 255} (RFC 4666 3)", tuple(fields))
