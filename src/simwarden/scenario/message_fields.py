"""The fields of each message, by the tables of the wire families: what an expectation may ask of it."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import IntEnum


class MessageField(NamedTuple):
    """A field: its name in expectations, whether the message always has it, and the enumeration of its values."""

    name: str
    required: bool
    values: type[IntEnum] | None = None


class MessageInfo(NamedTuple):
    """What a message is by its specification, and its fields.

    `interface` is the only one that carries it, empty if any of its protocol may. `others` are names of fields that
    it may have beside these; None: there is no telling.
    """

    about: str
    fields: tuple[MessageField, ...] = ()
    interface: str = ""
    others: frozenset[str] | None = frozenset()


def message_infos(protocol: str, name: str) -> tuple[MessageInfo, ...]:
    """Return what a protocol's tables say of a message: of a name that RRC and NAS share, what both say."""
    found = (tell(name) for tell in _FAMILIES.get(protocol, ()))
    return tuple(each for each in found if each is not None)


@cache
def expected_fields(protocol: str, name: str) -> frozenset[str]:
    """Return the names of the fields that a message may have; empty where there is no telling."""
    names: set[str] = set()
    for each in message_infos(protocol, name):
        if each.others is None:
            return frozenset()
        names |= {field.name for field in each.fields} | each.others
    return frozenset(names)


def _diameter(name: str) -> MessageInfo | None:
    from simwarden.wire.diameter.codes import ENUMERATIONS, Application  # noqa: PLC0415 - a family loads when asked for
    from simwarden.wire.diameter.dictionary import AVPS, COMMANDS  # noqa: PLC0415 - as above
    from simwarden.wire.diameter.dissect import field_name  # noqa: PLC0415 - as above

    command = next((each for each in COMMANDS.values() if each.name == name), None)
    if command is None:
        return None
    required = command.grammar.required
    fields = [
        MessageField(field_name(avp), avp in required, ENUMERATIONS.get(_enumerated(avp)))
        for avp in command.grammar.rules
    ]
    application = Application(command.application)
    interface = "" if application is Application.BASE else application.name
    kind = "request" if command.request else "answer"
    about = f"Diameter {kind}, command {command.code} ({command.grammar.name})"
    others = map(field_name, AVPS) if command.grammar.extensible else ()
    return MessageInfo(about, tuple(fields), interface, frozenset(others))


def _enumerated(avp: str) -> str:
    return "Experimental-Result-Code" if avp == "Experimental-Result" else avp


def _s1ap(name: str) -> MessageInfo | None:
    from simwarden.wire.s1ap.messages import SPECS, Procedure  # noqa: PLC0415 - as above

    spec = SPECS.get(name)
    if spec is None:
        return None
    fields = tuple(MessageField(rule.ie.name, rule.mandatory) for rule in spec.rules)
    return MessageInfo(
        f"S1AP message of the procedure {_words(Procedure(spec.procedure).name)} (TS 36.413 9.1)", fields
    )


def _x2(name: str) -> MessageInfo | None:
    from simwarden.wire.x2.messages import SPECS, Procedure  # noqa: PLC0415 - as above

    spec = SPECS.get(name)
    if spec is None:
        return None
    fields = tuple(MessageField(rule.ie.name, rule.mandatory) for rule in spec.rules)
    return MessageInfo(
        f"X2AP message of the procedure {_words(Procedure(spec.procedure).name)} (TS 36.423 9.1)", fields
    )


def _uu(name: str) -> MessageInfo | None:
    from simwarden.wire.uu import MESSAGES  # noqa: PLC0415 - as above

    for message in MESSAGES.values():
        if message.name == name:
            declared: Any = message  # each is made a dataclass by its decorator
            fields = [MessageField(each.name, _must(each)) for each in dataclasses.fields(declared)]
            return MessageInfo(f"radio message. {(message.__doc__ or '').strip()}", tuple(fields))
    return None


def _must(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _nas(name: str) -> MessageInfo | None:
    from simwarden.wire.nas import enums  # noqa: PLC0415 - as above
    from simwarden.wire.nas.dissect import name_of  # noqa: PLC0415 - as above
    from simwarden.wire.nas.emm import DETACH_REQUEST_FROM_NETWORK, DETACH_REQUEST_FROM_UE  # noqa: PLC0415 - as above
    from simwarden.wire.nas.message import DECLARATIONS, SERVICE_REQUEST_FIELDS  # noqa: PLC0415 - as above

    if name == name_of(enums.MessageType.SERVICE_REQUEST):
        parts = tuple(MessageField(part, required=True) for part in sorted(SERVICE_REQUEST_FIELDS))
        return MessageInfo("NAS message (TS 24.301 8.2.25)", parts)
    causes: Mapping[str, type[IntEnum]] = {"emm_cause": enums.EmmCause, "esm_cause": enums.EsmCause}
    found: dict[str, MessageField] = {}
    clauses = []
    for each in (*DECLARATIONS.values(), DETACH_REQUEST_FROM_UE, DETACH_REQUEST_FROM_NETWORK):
        if name_of(each.type) == name:
            clauses.append(each.clause)
            must = [part for element in each.mandatory for part in (element.name, element.high) if part]
            for part in (*must, *(element.name for element in each.optional)):
                found.setdefault(part, MessageField(part, part in must, causes.get(part)))
    if not clauses:
        return None
    about = f"NAS message (TS 24.301 {', '.join(dict.fromkeys(clauses))})"
    return MessageInfo(about, tuple(found.values()), others=_NAS_HEADER)


def _apdu(name: str) -> MessageInfo | None:
    from simwarden.wire.apdu.command import Ins  # noqa: PLC0415 - as above

    commands = {each.name.lower().replace("_", "-"): each for each in Ins}
    if name in commands:
        header = tuple(MessageField(part, required=True) for part in ("cla", "ins", "p1", "p2"))
        about = f"command to the card, INS {int(commands[name]):02X}; its data give further fields"
        return MessageInfo(about, header, others=None)
    if name.removesuffix("-response") in commands:
        fields = (MessageField("sw", required=True), MessageField("status", required=True))
        about = "response of the card: its status word, and it in words; its data give further fields"
        return MessageInfo(about, fields, others=None)
    return None


#: fields of NAS headers, and of what a decoder did not take (see `wire.nas.dissect`)
_NAS_HEADER = frozenset(
    {
        "security_header_type",
        "sequence_number",
        "eps_bearer_identity",
        "procedure_transaction_identity",
        "unknown_elements",
        "ignored_elements",
    }
)


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


_FAMILIES: dict[str, Iterable[Callable[[str], MessageInfo | None]]] = {
    "apdu": (_apdu,),
    "diameter": (_diameter,),
    "s1ap": (_s1ap, _nas),
    "uu": (_uu, _nas),
    "x2": (_x2,),
}
