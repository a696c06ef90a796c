"""TPDUs in the field's words."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.sms.address import Address
from simwarden.wire.sms.codec import decode
from simwarden.wire.sms.coding import UserData
from simwarden.wire.sms.enums import CommandType, FailureCause, Npi, Status, Ton, ValidityFormat
from simwarden.wire.sms.header import concatenation_of, ports_of
from simwarden.wire.sms.times import Validity
from simwarden.wire.sms.tpdu import TYPES, StatusReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import IntEnum

    from simwarden.wire.sms.tpdu import Tpdu

_CLAUSES: Final = {
    "sms-deliver": "9.2.2.1",
    "sms-deliver-report": "9.2.2.1a",
    "sms-submit": "9.2.2.2",
    "sms-submit-report": "9.2.2.2a",
    "sms-status-report": "9.2.2.3",
    "sms-command": "9.2.2.4",
}
MALFORMED: Final = "malformed-tpdu"
"""The name of what should be a TPDU, and is none."""
_NAMED: Final[dict[str, type[IntEnum]]] = {
    "failure_cause": FailureCause,
    "status": Status,
    "command_type": CommandType,
}


def dissect(data: bytes, *, from_mobile: bool) -> Dissection:
    """Show a TPDU that a mobile sent, or one that it gets. Raises PeerError."""
    tpdu = decode(data, from_mobile=from_mobile)
    fields: dict[str, Any] = {}
    scheme = getattr(tpdu, "data_coding_scheme", None) or 0
    for each in dataclasses.fields(tpdu):
        value = getattr(tpdu, each.name)
        if value is not None:
            fields |= (
                shown_user_data(value, value.text(scheme))
                if isinstance(value, UserData)
                else {each.name: _plain(each.name, value)}
            )
    cause = _cause(tpdu)
    about = [_about(fields), cause]
    return Dissection(tpdu.name, ", ".join([_title(tpdu.name), *filter(None, about)]), fields, cause)


def shown_user_data(data: UserData, text: str) -> dict[str, Any]:
    """Return user data as fields: the text or the octets, and what the header says."""
    found: dict[str, Any] = {"text": text} if text or not data.octets else {"user_data": data.octets}
    part, ports = concatenation_of(data.header), ports_of(data.header)
    if part is not None:
        found["concatenation"] = {"reference": part.reference, "total": part.total, "number": part.number}
    if ports is not None:
        found["ports"] = {"destination": ports.destination, "source": ports.source}
    if data.header:
        found["header"] = [each.identifier for each in data.header]
    return found


def _plain(name: str, value: Any) -> Any:
    if name in _NAMED:
        return named(_NAMED[name], value)
    if isinstance(value, Address):
        return {"number": value.number, "ton": named(Ton, value.ton), "npi": named(Npi, value.npi)}
    if isinstance(value, Validity):
        return {"format": value.format, "octets": value.octets}
    return value.isoformat() if isinstance(value, dt.datetime) else value


def named(enumeration: type[IntEnum], value: int) -> int:
    """Return the member of a value, or the value where it has none."""
    try:
        return enumeration(value)
    except ValueError:
        return value


def _title(name: str) -> str:
    return "SMS-" + name.removeprefix("sms-").upper()


def _about(fields: Mapping[str, Any]) -> str:
    party = next((fields[name] for name in ("destination", "originator", "recipient") if name in fields), None)
    if party is None:
        return ""
    towards = "from" if "originator" in fields else "to" if "destination" in fields else "for"
    part = fields.get("concatenation")
    return f"{towards} {party['number']}" + (f", part {part['number']} of {part['total']}" if part else "")


def _cause(tpdu: Tpdu) -> str:
    code, enumeration, label = getattr(tpdu, "failure_cause", None), FailureCause, "TP-FCS"
    found: int | None = named(enumeration, code) if code is not None else None
    if isinstance(tpdu, StatusReport) and tpdu.status > Status.REPLACED_BY_THE_SC:
        found, label = named(Status, tpdu.status), "TP-Status"
    if found is None:
        return ""
    words = getattr(found, "name", "").lower().replace("_", " ")
    return f"{label} {int(found):#04x} {words}".strip()


_ADDRESS: Final = v.mapping(
    lambda: {"number": v.PARTY | v.GIVEN, "ton": v.members(Ton) | v.NUMBER, "npi": v.members(Npi) | v.NUMBER}
)
USER_DATA: Final[dict[str, v.Values]] = {
    "text": v.TEXT,
    "user_data": v.OCTETS,
    "concatenation": v.mapping(lambda: dict.fromkeys(("reference", "total", "number"), v.NUMBER)),
    "ports": v.mapping(lambda: dict.fromkeys(("destination", "source"), v.NUMBER)),
    "header": v.NUMBER,
}
"""The fields that `shown_user_data` gives."""
_VALUES: Final[dict[str, v.Values]] = {
    **dict.fromkeys(("originator", "destination", "recipient"), _ADDRESS),
    **dict.fromkeys(("time_stamp", "discharge_time"), v.TIME),
    **dict.fromkeys(
        ("reference", "protocol_identifier", "data_coding_scheme", "message_number"),
        v.NUMBER,
    ),
    **dict.fromkeys(
        ("reject_duplicates", "status_report_request", "status_report_indication", "reply_path"),
        v.SWITCH,
    ),
    **dict.fromkeys(("more_messages", "loop_prevention", "of_command"), v.SWITCH),
    "validity": v.mapping(lambda: {"format": v.members(ValidityFormat), "octets": v.OCTETS}),
    "command_data": v.OCTETS,
    **{name: v.members(each) | v.NUMBER for name, each in _NAMED.items()},
}


class Sms(Reading):
    """How TPDUs are read; who carries one says whether it is the mobile's (`Known.from_client`)."""

    dissector = "gsm_sms"

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, from_mobile=known.from_client)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return (*_CLAUSES, MALFORMED)

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        if name == MALFORMED:
            return MessageInfo("octets that are no TPDU", (MessageField("octets", True, v.OCTETS),))
        kind = next((each for each in TYPES if each.name == name), None)
        if kind is None:
            return None
        fields = []
        for each in dataclasses.fields(kind):
            if each.name == "user_data":
                fields += [MessageField(part, False, values) for part, values in USER_DATA.items()]
            else:
                optional = "None" in str(each.type)
                fields.append(MessageField(each.name, not optional, _VALUES[each.name], _NAMED.get(each.name)))
        return MessageInfo(f"TPDU (TS 23.040 {_CLAUSES[name]})", tuple(fields))
