"""CP and RP messages in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.ppsms.codec import Rp, decode_cp, decode_rp
from simwarden.wire.ppsms.enums import CpCause, CpType, RpCause, RpType
from simwarden.wire.sms.reading import MALFORMED, named

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import IntEnum

_MALFORMED: Final = "malformed-rp"
_CP: Final = {"transaction_identifier": v.NUMBER, "answering": v.SWITCH}
_RP: Final = {"rp_message_reference": v.NUMBER, "from_mobile": v.SWITCH}
_FIELDS: Final[dict[str, dict[str, v.Values]]] = {
    "cp-data": _CP,
    "cp-ack": _CP,
    "cp-error": {**_CP, "cp_cause": v.members(CpCause) | v.NUMBER},
    "rp-data": {**_RP, "originator": v.MSISDN, "destination": v.MSISDN},
    "rp-ack": _RP,
    "rp-error": {**_RP, "rp_cause": v.members(RpCause) | v.NUMBER, "diagnostic": v.OCTETS},
    "rp-smma": _RP,
    _MALFORMED: {"octets": v.OCTETS},
    "malformed-cp": {"octets": v.OCTETS},
}
_OPTIONAL: Final = frozenset({"originator", "destination", "diagnostic"})
_CAUSES: Final[dict[str, type[IntEnum]]] = {"cp_cause": CpCause, "rp_cause": RpCause}


def dissect(data: bytes, known: Known) -> Dissection:
    """Show a CP message with the RP message in it, and the TPDU in that. Raises PeerError."""
    message = decode_cp(data)
    name = message.type.name.lower().replace("_", "-")
    fields: dict[str, Any] = {"transaction_identifier": message.transaction, "answering": message.answering}
    if message.type is CpType.CP_ERROR:
        cause = named(CpCause, message.cause)
        text = _words("CP cause", cause)
        return Dissection(name, f"CP-ERROR, {text}", {**fields, "cp_cause": cause}, text)
    inner = (_inside(message.user_data, known),) if message.type is CpType.CP_DATA else ()
    summary = ", ".join([message.type.name.replace("_", "-"), *(each.summary for each in inner)])
    return Dissection(name, summary, fields, next((each.cause for each in inner), ""), inner)


def _inside(data: bytes, known: Known) -> Dissection:
    try:
        return _dissect_rp(decode_rp(data), known)
    except PeerError as error:
        return Dissection(_MALFORMED, f"malformed RP: {error.reason}", {"octets": data})


def _dissect_rp(message: Rp, known: Known) -> Dissection:
    fields: dict[str, Any] = {"rp_message_reference": message.reference, "from_mobile": message.from_mobile}
    for name, address in (("originator", message.originator), ("destination", message.destination)):
        if address is not None:
            fields[name] = address.number
    cause = ""
    if message.type is RpType.RP_ERROR:
        fields["rp_cause"] = named(RpCause, message.cause)
        cause = _words("RP cause", fields["rp_cause"])
        fields |= {"diagnostic": message.diagnostic} if message.diagnostic else {}
    inner = _tpdu(message, known)
    title = message.type.name.replace("_", "-")
    summary = ", ".join(filter(None, [title, cause, *(each.summary for each in inner)]))
    name = message.type.name.lower().replace("_", "-")
    return Dissection(name, summary, fields, cause or next((each.cause for each in inner), ""), inner)


def _tpdu(message: Rp, known: Known) -> tuple[Dissection, ...]:
    if message.user_data is None or known.inner is None:
        return ()
    try:
        return (known.inner("tpdu", message.user_data, from_client=message.from_mobile),)
    except PeerError as error:
        return (Dissection(MALFORMED, f"malformed TPDU: {error.reason}", {"octets": message.user_data}),)


def _words(label: str, cause: int) -> str:
    return f"{label} {int(cause)} {getattr(cause, 'name', '').lower().replace('_', ' ')}".strip()


class Ppsms(Reading):
    """How CP and RP are read."""

    dissector = "gsm_a_dtap"

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, known)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return _FIELDS

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        found = _FIELDS.get(name)
        if found is None:
            return None
        fields = tuple(
            MessageField(part, part not in _OPTIONAL, values, _CAUSES.get(part)) for part, values in found.items()
        )
        return MessageInfo("message of CP or RP (TS 24.011 7)", fields)
