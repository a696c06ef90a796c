"""Messages of DTAP in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.model import values as v
from simwarden.wire.dissection import Dissection
from simwarden.wire.dtap.codec import Message, decode
from simwarden.wire.dtap.elements import CallingNumber
from simwarden.wire.dtap.enums import CmServiceType, Discriminator, LocationUpdatingType, MessageType, MmCause
from simwarden.wire.dtap.messages import DECLARATIONS
from simwarden.wire.family import Export, Known, MessageField, MessageInfo, Reading
from simwarden.wire.nas.elements import Lai, MobileIdentity
from simwarden.wire.nas.enums import IdentityType
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import IntEnum

_NAMED: Final[Mapping[str, type[IntEnum]]] = {
    "identity_type": IdentityType,
    "cm_service_type": CmServiceType,
    "location_updating_type": LocationUpdatingType,
}
_HEADER: Final = {"transaction_identifier": v.NUMBER, "answering": v.SWITCH}
_DAMAGE: Final = {
    "unknown_elements": v.mapping(lambda: {"iei": v.NUMBER, "value": v.OCTETS}),
    "ignored_elements": v.TEXT,
}
_WORDS: Final = frozenset({"CM", "MM", "IMSI", "DTMF"})


def name_of(kind: MessageType) -> str:
    """Return a message's name as in `location-updating-reject`."""
    return kind.name.lower().replace("_", "-")


def dissect(data: bytes) -> Dissection:
    """Show a message. Raises PeerError."""
    message = decode(data)
    fields = {name: _shown(name, value) for name, value in message.fields.items()}
    if message.type.discriminator is Discriminator.CC:
        fields |= {"transaction_identifier": message.transaction, "answering": message.answering}
    if message.unknown:
        fields["unknown_elements"] = [{"iei": iei, "value": value} for iei, value in message.unknown]
    if message.ignored:
        fields["ignored_elements"] = list(message.ignored)
    cause = _cause(message)
    summary = ", ".join(filter(None, [title_of(message.type), _about(message), cause]))
    return Dissection(name_of(message.type), summary, fields, cause)


def title_of(kind: MessageType) -> str:
    """Return a message's name as people write it, as in `Location updating reject`."""
    text = " ".join(word if word in _WORDS else word.lower() for word in kind.name.split("_"))
    return text[0].upper() + text[1:]


def _shown(name: str, value: Any) -> Any:
    if name in _NAMED:
        return _NAMED[name](value) if value in {*_NAMED[name]} else value
    match value:
        case MobileIdentity(kind, digits):
            return {"type": kind, "value": digits}
        case Cause(number):
            return number
        case Lai() | AddressString() | CallingNumber():
            return str(value)
    return value


def _about(message: Message) -> str:
    for name in ("called_party_bcd_number", "mobile_identity", "calling_party_bcd_number", "keypad_facility"):
        if name in message:
            return str(message[name])
    asked = message.get("identity_type")
    return "" if asked is None else next((each.name for each in IdentityType if each == asked), str(asked))


def _cause(message: Message) -> str:
    if "mm_cause" in message:
        return _words("MM", message["mm_cause"])
    return _words("CC", message["cc_cause"].value) if "cc_cause" in message else ""


def _words(label: str, cause: int) -> str:
    return f"{label} cause {int(cause)} {getattr(cause, 'name', '').lower().replace('_', ' ')}".strip()


class Dtap(Reading):
    """How DTAP is read."""

    read = staticmethod(dissect)

    def export(self, data: bytes, known: Known) -> Export:
        """See Reading."""
        del known
        return Export("gsm_a_dtap", data, named=False)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return map(name_of, MessageType)

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        kind = next((each for each in MessageType if name_of(each) == name), None)
        if kind is None:
            return None
        declared = DECLARATIONS[kind]
        causes: Mapping[str, type[IntEnum]] = {"mm_cause": MmCause, "cc_cause": CauseValue}
        own = [
            MessageField(part, True, _values(part, each.values), causes.get(part))
            for each in declared.mandatory
            for part in (each.name, each.high)
            if part
        ]
        own += [MessageField(each.name, False, each.values, causes.get(each.name)) for each in declared.optional]
        header = _HEADER if kind.discriminator is Discriminator.CC else {}
        others = tuple(MessageField(part, False, values) for part, values in {**header, **_DAMAGE}.items())
        clause = declared.clause if declared.clause.startswith("TS") else f"TS 24.008 {declared.clause}"
        return MessageInfo(f"message of {kind.discriminator.name} ({clause})", tuple(own), others=others)


def _values(name: str, element: v.Values) -> v.Values:
    return v.members(_NAMED[name]) if name in _NAMED else element
