"""GTPv2-C messages in the field's words, for expectations, ladders and reports."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from simwarden.model import values as v
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire.dissection import Dissection
from simwarden.wire.family import MessageField, MessageInfo, Reading
from simwarden.wire.fields import values_of
from simwarden.wire.gtpv2.codec import decode, split
from simwarden.wire.gtpv2.enums import Cause, Indication
from simwarden.wire.gtpv2.messages import SPECS, Grammar, Role, Rule
from simwarden.wire.gtpv2.values import CauseIe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simwarden.wire.gtpv2.codec import Message

_WORDS = {"pdn": "PDN", "ue": "UE"}
#: the parts of a cause that are shown beside its value, by the field's name
CAUSE_FIELDS = {
    "remote": "cause_source",
    "bearer_context_error": "bearer_context_error",
    "pdn_connection_error": "pdn_connection_error",
    "offending": "offending_ie",
}


def _plain(value: Any) -> Any:
    if isinstance(value, Indication):
        return [each.name for each in Indication if each in value]
    if isinstance(value, (Plmn, Tai, Ecgi)):
        return str(value)
    if isinstance(value, dict):
        return _shown(value)
    if hasattr(value, "_asdict"):
        parts = value._asdict().items()
        return {name: _plain(part) for name, part in parts if part not in (None, "")}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _shown(ies: Mapping[str, Any]) -> dict[str, Any]:
    """Return elements as plain values; what belongs to a cause stands beside it."""
    shown: dict[str, Any] = {}
    for name, value in ies.items():
        if isinstance(value, CauseIe):
            shown[name] = value.value
            for part, field in CAUSE_FIELDS.items():
                if getattr(value, part):
                    shown[field] = _plain(getattr(value, part))
        else:
            shown[name] = _plain(value)
    return shown


@cache
def title_of(name: str) -> str:
    """Return a message's name as a person writes it: `Create session request`."""
    return " ".join(_WORDS.get(word, word) for word in name.split("-")).capitalize()


def cause_text(cause: Cause | int) -> str:
    """Return a cause as a ladder shows it: `93 APN_ACCESS_DENIED_NO_SUBSCRIPTION`."""
    return f"{int(cause)} {cause.name}" if isinstance(cause, Cause) else str(cause)


def _about(message: Message) -> Iterator[str]:
    if message.get("imsi"):
        yield f"IMSI {message.get('imsi')}"
    if message.get("apn"):
        yield f"APN {message.get('apn')}"
    paa = message.get("paa")
    if paa is not None and message.name.endswith("response"):
        yield from filter(None, (paa.ipv4, paa.ipv6 and f"{paa.ipv6}/{paa.prefix_length}"))
    if message.cause and message.cause != Cause.REQUEST_ACCEPTED:
        yield f"cause {cause_text(message.cause)}"


def dissect(data: bytes) -> Dissection:
    """Show a message by the specification's names; one that it carries is inside it. Raises PeerError."""
    first, *more = split(data)
    message = decode(first)
    fields: dict[str, Any] = {"teid": message.teid} if message.spec.addressed else {}
    fields |= {"sequence_number": message.sequence, **_shown(message.ies)}
    if message.others:
        fields["unknown_ies"] = [_plain(each) for each in message.others]
    about = ", ".join(_about(message))
    summary = f"{title_of(message.name)} ({about})" if about else title_of(message.name)
    inner = tuple(dissect(each) for each in more)
    cause = cause_text(message.cause) if message.cause and not message.accepted else ""
    return Dissection(message.name, ", ".join([summary, *(each.summary for each in inner)]), fields, cause, inner)


# -- what a message may have

_HEADER = (
    MessageField("sequence_number", True, v.NUMBER),
    MessageField("unknown_ies", False, v.MAPPING),
)
_CAUSE_PARTS = {
    "cause_source": v.SWITCH,
    "bearer_context_error": v.SWITCH,
    "pdn_connection_error": v.SWITCH,
    "offending_ie": v.mapping(lambda: {"type": v.NUMBER, "instance": v.NUMBER}),
}


def _values(rule: Rule) -> v.Values:
    grammar = rule.grammar
    if grammar is not None:
        return v.mapping(lambda: {name: values for name, _, values, _ in _fields(grammar)})
    if rule.ie.annotation is CauseIe:
        return values_of(Cause)
    return values_of(rule.ie.annotation)


def _fields(grammar: Grammar, *, rejects: bool = False) -> Iterator[MessageField]:
    """Yield the fields of a grammar; a message that `rejects` may be without all but its cause (7.7.1)."""
    with_cause = any(rule.ie.annotation is CauseIe for rule in grammar.rules)
    for rule in grammar.rules:
        if rule.ie.annotation is CauseIe:
            yield MessageField(rule.name, rule.mandatory, _values(rule), Cause)
            yield from (MessageField(name, False, values) for name, values in _CAUSE_PARTS.items())
        else:
            yield MessageField(rule.name, rule.mandatory and not (rejects and with_cause), _values(rule))


class Gtpv2(Reading):
    """How GTPv2-C is read."""

    read = staticmethod(dissect)

    def altered(self, data: bytes, name: str, fields: Mapping[str, Any]) -> bytes:
        """See Reading."""
        from simwarden.wire.gtpv2.altering import altered  # noqa: PLC0415 - for stories that alter something

        return altered(data, name, fields)

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return SPECS

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        spec = SPECS.get(name)
        if spec is None:
            return None
        header = (MessageField("teid", True, v.NUMBER), *_HEADER) if spec.addressed else _HEADER
        return MessageInfo(
            f"GTPv2-C message (TS 29.274 7.2), type {spec.type}",
            tuple(_fields(spec.grammar, rejects=spec.role is Role.RESPONSE)),
            (),
            header,
        )
