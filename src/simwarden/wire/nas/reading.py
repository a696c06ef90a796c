"""NAS messages as people and expectations see them."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum, IntFlag
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.model.identity import Ecgi, Guti, Plmn, Tai
from simwarden.wire.dissection import Dissection, dissect_carried
from simwarden.wire.family import Export, Known, MessageField, MessageInfo, Reading
from simwarden.wire.nas import enums as e
from simwarden.wire.nas.elements import Lai, MobileIdentity
from simwarden.wire.nas.emm import DETACH_REQUEST_FROM_NETWORK, DETACH_REQUEST_FROM_UE
from simwarden.wire.nas.message import DECLARATIONS, SERVICE_REQUEST_FIELDS, Message, decode
from simwarden.wire.nas.security_header import EMM_DISCRIMINATOR, SecurityHeaderType, header_type, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simwarden.wire.family import Inner
    from simwarden.wire.nas.declaration import Declaration

_WORDS = frozenset(("EPS", "NAS", "PDN", "ESM", "EMM", "GUTI", "IMSI", "IMEI", "HSS", "UE", "PLMN", "MSC", "CS", "CSG"))
_WORDS |= {"ME", "APN", "MAC", "IE", "GW", "TFT", "QCI", "PTI", "RAT"}

_CIPHERED = "ciphered-nas"
_EEA0 = 0

_NAMED: dict[str, type[IntEnum]] = {
    "additional_update_result": e.AdditionalUpdateResult,
    "additional_update_type": e.AdditionalUpdateType,
    "eps_attach_type": e.AttachType,
    "eps_attach_result": e.AttachResult,
    "eps_update_result": e.UpdateResult,
    "identity_type": e.IdentityType,
    "pdn_type": e.PdnType,
    "request_type": e.RequestType,
    "service_type": e.ServiceType,
}


def _sentence(name: str) -> str:
    text = " ".join([word if word in _WORDS else word.lower() for word in name.split("_")])
    return text[0].upper() + text[1:]


def name_of(kind: e.MessageType) -> str:
    """Return a message's name as in `attach-reject`."""
    return kind.name.lower().replace("_", "-")


def title_of(kind: e.MessageType) -> str:
    """Return a message's name as the spec writes it, as in `PDN connectivity reject`."""
    return _sentence(kind.name)


def cause_text(cause: int) -> str:
    """Return a cause as in `6 Illegal ME`; a number without a name alone."""
    if not isinstance(cause, IntEnum):
        return str(cause)
    return f"{int(cause)} {_sentence(cause.name)}"


def dissect(data: bytes, plain: bytes | None = None, inner: Inner | None = None) -> Dissection:
    """Dissect a NAS message, plain or security protected.

    A message that is protected for integrity only shows what it carries; one that is ciphered shows that if `plain`
    is given, its deciphered payload, and else only its header. `inner` reads the short message that a
    transport message carries. Raises PeerError.
    """
    kind = header_type(data)
    if kind in (SecurityHeaderType.PLAIN, SecurityHeaderType.SERVICE_REQUEST):
        return _dissect_plain(decode(data), inner)
    secured = split(data)
    header = {"security_header_type": kind, "sequence_number": secured.sequence_number}
    if kind.ciphered and plain is None:
        return Dissection(_CIPHERED, f"Ciphered NAS message {secured.sequence_number}", header)
    found = _dissect_plain(decode(secured.payload if plain is None else plain), inner)
    return Dissection(found.name, found.summary, found.fields | header, found.cause, found.inner)


def _dissect_plain(message: Message, carried: Inner | None = None) -> Dissection:
    fields = {name: _shown(message, name, value) for name, value in message.fields.items()}
    if message.unknown:
        fields["unknown_elements"] = [{"iei": iei, "value": value} for iei, value in message.unknown]
    if message.ignored:
        fields["ignored_elements"] = list(message.ignored)
    inner = (*_inner(message), *_short_message(message, carried))
    causes = [f"{label} cause {cause_text(message[key])}" for key, label in _CAUSES if key in message]
    causes += [part.cause for part in inner if part.cause]
    cause = ", ".join(causes)
    extra = [_about(message), cause, *(part.summary for part in inner if not part.cause)]
    return Dissection(
        name_of(message.type), ", ".join([title_of(message.type), *filter(None, extra)]), fields, cause, inner
    )


_CAUSES = (("emm_cause", "EMM"), ("esm_cause", "ESM"))


def _about(message: Message) -> str:
    # What tells two messages of a type apart on the line of a ladder.
    for name in ("eps_mobile_identity", "mobile_identity", "imeisv", "access_point_name"):
        if name in message:
            return str(message[name])
    asked = message.get("identity_type")
    return "" if asked is None else next((kind.name for kind in e.IdentityType if kind == asked), str(asked))


def _inner(message: Message) -> list[Dissection]:
    found = []
    for name in _INNER:
        if name in message:
            try:
                found.append(_dissect_plain(decode(message[name])))
            except PeerError as error:
                found.append(Dissection("malformed-nas", f"malformed NAS message: {error.reason}"))
    return found


def _short_message(message: Message, carried: Inner | None) -> list[Dissection]:
    """Read the CP message in a NAS message container (9.9.3.22)."""
    if carried is None or _CONTAINER not in message:
        return []
    return [dissect_carried(partial(carried, "ppsms"), message[_CONTAINER], "cp", "CP message")]


def _shown(message: Message, name: str, value: Any) -> Any:
    enum = _NAMED.get(name)
    if name == "detach_type":
        enum = e.DetachType if "eps_mobile_identity" in message else e.NetworkDetachType
    if enum is not None:
        try:
            return enum(value)
        except ValueError:
            return value
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, MobileIdentity):
        return {"type": value.type, "value": _plain(value.value)}
    if isinstance(value, (Guti, Tai, Plmn, Lai, Ecgi)):
        return str(value)
    if isinstance(value, IntFlag):
        return [flag.name for flag in value if flag.name]
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: _plain(part) for key, part in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


_CONTAINER = "nas_message_container"
_INNER = ("esm_message_container", "replayed_nas_message_container")
HEADER = {
    "security_header_type": v.members(SecurityHeaderType),
    "sequence_number": v.NUMBER,
    "eps_bearer_identity": v.NUMBER,
    "procedure_transaction_identity": v.NUMBER,
    "unknown_elements": v.mapping(lambda: {"iei": v.NUMBER, "value": v.OCTETS}),
    "ignored_elements": v.TEXT,
}
"""What any message may have beside its elements: of its header, and what the decoder did not take."""
MALFORMED = {"octets": v.OCTETS}
"""The fields of what could not be decoded."""


def field_values(name: str, element: v.Values) -> v.Values:
    """Return what a field of a message may be, by what its element is."""
    if name == "detach_type":
        return v.members(e.DetachType) | v.members(e.NetworkDetachType)
    if name in _INNER:
        return replace(element, inside=any_fields)
    return v.members(_NAMED[name]) if name in _NAMED else element


@cache
def fields_of(name: str) -> Mapping[str, v.Values]:
    """Return all fields that a message of a name may have; none for a name that no message has."""
    if name == "ciphered-nas":
        return {part: HEADER[part] for part in ("security_header_type", "sequence_number")}
    if name == "malformed-nas":
        return MALFORMED
    if name == name_of(e.MessageType.SERVICE_REQUEST):
        numbers = dict.fromkeys(sorted(SERVICE_REQUEST_FIELDS), v.NUMBER)
        return numbers | {"short_mac": v.OCTETS} | HEADER
    elements: dict[str, v.Values] = {}
    declared = declarations_of(name)
    for each in declared:
        found = [(part, one.values) for one in each.mandatory for part in (one.name, one.high) if part]
        found += [(one.name, one.values) for one in each.optional]
        elements |= {part: field_values(part, values) for part, values in found}
    return elements | HEADER if declared else {}


def declarations_of(name: str) -> list[Declaration[e.MessageType]]:
    """Return the declarations of a message by its name: two for one that means another thing from the other side."""
    all_of_them = (*DECLARATIONS.values(), DETACH_REQUEST_FROM_UE, DETACH_REQUEST_FROM_NETWORK)
    return [each for each in all_of_them if name_of(each.type) == name]


@cache
def any_fields() -> Mapping[str, v.Values]:
    """Return the fields of all messages: what may be in octets that are one, `nas_pdu`."""
    every: dict[str, v.Values] = {}
    for kind in e.MessageType:
        for name, values in fields_of(name_of(kind)).items():
            every[name] = every[name] | values if name in every else values
    return every


def _under_eea0(data: bytes, ciphered: Dissection, inner: Inner | None) -> Dissection:
    """Read a message whose header says that it is ciphered where all are under EEA0: it is plain for all that."""
    try:
        return dissect(data, split(data).payload, inner)
    except PeerError:
        return ciphered


class Nas(Reading):
    """How NAS is read."""

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading; it is noted which ciphering algorithms SECURITY MODE COMMANDs have chosen."""
        found = dissect(data, known.clear, known.inner)
        if known.noted is None:
            return found
        if found.name == _CIPHERED and known.noted == {_EEA0}:
            return _under_eea0(data, found, known.inner)
        chosen = found.fields.get("selected_nas_security_algorithms")
        if chosen is not None:
            known.noted.add(chosen["eea"])
        return found

    def clear(self, data: bytes, clear: bytes) -> bytes:
        """See Reading; the six octets of the security header stay."""
        return data[:6] + clear if len(clear) == len(data) - 6 else data

    def export(self, data: bytes, known: Known) -> Export:
        """See Reading; one in clear has no security header."""
        del known
        plain = data[:1] and (data[0] >> 4 == 0 or data[0] & 15 != EMM_DISCRIMINATOR)
        return Export("nas-eps_plain" if plain else "nas-eps", data, named=False)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return (*map(name_of, e.MessageType), _CIPHERED, "malformed-nas")

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        found = fields_of(name)
        if not found:
            return None
        causes: Mapping[str, type[IntEnum]] = {"emm_cause": e.EmmCause, "esm_cause": e.EsmCause}
        declared = declarations_of(name)
        must = {part for each in declared for one in each.mandatory for part in (one.name, one.high) if part}
        must |= found.keys() if not declared else set()  # of a service request, which has no message type
        fields = {
            part: MessageField(part, part in must and part not in HEADER, values, causes.get(part))
            for part, values in found.items()
        }
        clauses = ", ".join(dict.fromkeys(each.clause for each in declared)) or "8.2.25"
        own = tuple(each for part, each in fields.items() if part not in HEADER)
        others = tuple(each for part, each in fields.items() if part in HEADER)
        return MessageInfo(f"NAS message (TS 24.301 {clauses})", own, others=others)
