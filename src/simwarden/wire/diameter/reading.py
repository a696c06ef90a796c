"""Diameter messages in the field's own words, for ladders, expectations and reports."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.model.identity import Plmn
from simwarden.wire.diameter.codec import HEADER_LENGTH, decode, mask_keys
from simwarden.wire.diameter.dictionary import (
    AVPS,
    BY_POINT,
    CARRIES,
    COMMANDS,
    ENUMERATIONS,
    GROUPS,
    KEYS,
    SHORT,
    Grammar,
    Kind,
)
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED, Avps, Message, RawAvp, secret
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.fields import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simwarden.wire.family import Inner

#: the octet of a header that has the flags
_FLAGS = 4


def dissect(data: bytes, inner: Inner | None = None) -> Dissection:
    """Decode one message of any application; `inner` reads what it carries. Raises PeerError.

    Fields are AVPs by name in snake case (`terminal_information`), a repeated one as a list; `result_code` and
    `experimental_result` are bare codes; keys are `***`.
    """
    return describe(decode(data), inner)


def describe(message: Message, inner: Inner | None = None) -> Dissection:
    """Make the dissection of a decoded message; never raises."""
    fields = _fields(message.avps)
    result = _first(fields.get("result_code", fields.get("experimental_result")))
    cause = "" if result is None or 2000 <= int(result) < 3000 else _words(result)
    title = message.name.replace("-", " ").capitalize().replace("Me identity", "ME identity").replace(" ue ", " UE ")
    summary = title
    if cause:
        kind = "result code" if "result_code" in fields else "experimental result"
        summary = f"{title}, {kind} {cause}"
    elif "equipment_status" in fields:
        summary = f"{title}, {_words(_first(fields['equipment_status']))}"
    carried = _carried(message, inner) if inner is not None else ()
    summary = ", ".join([summary, *(each.summary for each in carried)])
    return Dissection(message.name, summary, fields, cause or next((each.cause for each in carried), ""), carried)


def _carried(message: Message, inner: Inner) -> tuple[Dissection, ...]:
    """Read the messages of other families that stand in AVPs."""
    found = []
    for name, value in message.avps:
        if name in CARRIES and isinstance(value, bytes):
            family, from_mobile = CARRIES[name]
            try:
                found.append(inner(family, value, from_client=from_mobile.get(message.name)))
            except PeerError as error:
                found.append(Dissection(f"malformed-{family}", f"malformed: {error.reason}", {"octets": value}))
    return tuple(found)


def _first(value: Any) -> Any:
    """Return the value of an AVP that ought to be there once; the first where a peer repeats it."""
    return value[0] if isinstance(value, list) else value


def _words(code: int) -> str:
    """Return `5001 USER_UNKNOWN` for a named code, the number for others."""
    name = getattr(code, "name", "").removeprefix("DIAMETER_").removeprefix("ERROR_")
    return f"{int(code)} {name}".strip()


def field_name(name: str) -> str:
    """Return an AVP's name in snake case: `Visited-PLMN-Id` is `visited_plmn_id`."""
    return name.lower().replace("-", "_")


def _fields(avps: Avps) -> dict[str, Any]:
    fields: dict[str, list[Any]] = {}
    for name, value in avps:
        fields.setdefault(field_name(name), []).append(_value(name, value))
    return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}


def _value(name: str, value: Any) -> Any:
    if secret(name, value):
        return "***"
    if name == "Experimental-Result":
        code = next((v for n, v in value if n == "Experimental-Result-Code"), 0)
        return _enumerated("Experimental-Result-Code", code)
    if isinstance(value, RawAvp):
        return value.data
    if isinstance(value, list):
        return _fields(value)
    if name == "Visited-PLMN-Id":
        return _plmn(value)
    return _enumerated(name, value) if name in ENUMERATIONS else value


def _enumerated(name: str, value: int) -> int:
    try:
        return ENUMERATIONS[name](value)
    except ValueError:
        return value


def _plmn(octets: bytes) -> str | bytes:
    try:
        return str(Plmn.from_bytes(octets))
    except ValueError:
        return octets


_SHAPES = {
    **dict.fromkeys((Kind.TEXT, Kind.IDENTITY, Kind.FILTER), v.TEXT),
    Kind.OCTETS: v.OCTETS,
    Kind.TBCD: v.MSISDN,
    Kind.ADDRESS: v.ADDRESS,
    Kind.TIME: v.NUMBER,
}
_SHAPED = {
    "User-Name": v.IMSI,
    "IMEI": v.IMEI,
    "Visited-PLMN-Id": v.PLMN | v.OCTETS,
    **dict.fromkeys(("Origin-Host", "Destination-Host", "Proxy-Host", "Route-Record", "Error-Reporting-Host"), v.HOST),
    **dict.fromkeys(("Origin-Realm", "Destination-Realm"), v.REALM),
    "Session-Id": v.SESSION,
    "Service-Selection": v.APN,
}


@cache
def field_values(name: str) -> v.Values:
    """Return what an AVP may be, as it is shown: a group by its grammar, an enumeration by its names and numbers."""
    if name in KEYS:
        return SECRET
    if (enumerated := _enumeration_of(name)) in ENUMERATIONS:
        return v.members(ENUMERATIONS[enumerated], ("DIAMETER_", "ERROR_"))
    if name in _SHAPED:
        return _SHAPED[name]
    if name in GROUPS:
        return v.mapping(lambda: fields_of(GROUPS[name]))
    kind = Kind(AVPS[name].kind)
    return v.ANYTHING if kind is Kind.GROUPED else _SHAPES.get(kind, v.NUMBER)


def fields_of(grammar: Grammar) -> dict[str, v.Values]:
    """Return the fields of a command or group by its grammar, with those that may be added to it."""
    added = _addable() if grammar.extensible else ()
    return {field_name(name): field_values(name) for name in dict.fromkeys((*grammar.rules, *added))}


@cache
def _addable() -> tuple[str, ...]:
    """Return the AVPs that an extensible grammar may have besides those that it names (`*[AVP]`).

    AVPs that only groups name are not among them: an expectation of one would be at a wrong level, and never met.
    """
    of_commands = {avp for each in COMMANDS.values() for avp in each.grammar.rules}
    of_groups = {avp for each in GROUPS.values() for avp in each.rules}
    return tuple(avp for avp in AVPS if avp in of_commands or avp not in of_groups)


def _length(head: bytes) -> int | None:
    if len(head) < 4:
        return None
    length = int.from_bytes(head[1:4], "big")
    return length if head[0] == 1 and length >= HEADER_LENGTH else 0


class Diameter(Reading):
    """How Diameter is read."""

    length_of = staticmethod(_length)
    mask = staticmethod(mask_keys)

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, known.inner)

    def again(self, data: bytes) -> bytes:
        """See Reading; such a request has the T flag (RFC 6733 3, 5.5.4)."""
        return data[:_FLAGS] + bytes((data[_FLAGS] | FLAG_RETRANSMITTED,)) + data[_FLAGS + 1 :]

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return (command.name for command in COMMANDS.values())

    def short_names(self) -> Mapping[str, str]:
        """See Reading."""
        return {short: name.lower() for short, name in SHORT.items()}

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        commands = [each for each in COMMANDS.values() if each.name == name]
        if not commands:
            return None
        required = set(commands[0].grammar.required).intersection(*(each.grammar.required for each in commands))
        fields = [
            MessageField(field_name(avp), avp in required, field_values(avp), ENUMERATIONS.get(_enumeration_of(avp)))
            for avp in dict.fromkeys(avp for each in commands for avp in each.grammar.rules)
        ]
        spoken = {each.application for each in commands if each.application}
        points = tuple(point for point, number in BY_POINT.items() if number in spoken)
        kind = "request" if commands[0].request else "answer"
        about = f"Diameter {kind}, command {commands[0].code} ({commands[0].grammar.name})"
        others = _any_avp() if any(each.grammar.extensible for each in commands) else ()
        return MessageInfo(about, tuple(fields), points, others)


@cache
def _any_avp() -> tuple[MessageField, ...]:
    """Return what a message that may be extended may have besides what its grammar names."""
    return tuple(MessageField(field_name(avp), False, field_values(avp)) for avp in _addable())


def _enumeration_of(avp: str) -> str:
    return "Experimental-Result-Code" if avp == "Experimental-Result" else avp
