"""The fields of each message, by the tables of the wire families: what an expectation may ask of it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.scenario.messages import message_names
from simwarden.trace.dissect import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping
    from enum import IntEnum

    from simwarden.model.interfaces import Interface
    from simwarden.model.values import Values
    from simwarden.wire.s1ap.messages import Spec


class MessageField(NamedTuple):
    """A field: its name in expectations, whether the message always has it, and what it may be.

    `values` is the enumeration of its values, where it has one.
    """

    name: str
    required: bool
    may_be: Values
    values: type[IntEnum] | None = None


class MessageInfo(NamedTuple):
    """What a message is by its specification, and its fields.

    `interface` is the only one that carries it, empty if any of its protocol may. `others` are fields that it may have
    beside these: of its header, or any that its protocol has.
    """

    about: str
    fields: tuple[MessageField, ...] = ()
    interface: str = ""
    others: tuple[MessageField, ...] = ()


def message_infos(protocol: str, name: str) -> tuple[MessageInfo, ...]:
    """Return what a protocol's tables say of a message: of a name that RRC and NAS share, what both say."""
    found = (tell(name) for tell in _FAMILIES.get(protocol, ()))
    return tuple(each for each in found if each is not None)


@cache
def names_on(interface: Interface) -> frozenset[str]:
    """Return the names of the messages that an interface carries, with those inside of them; empty: any name."""
    return frozenset(
        name
        for name in message_names(interface.protocol)
        if all(info.interface in ("", interface.name.upper()) for info in message_infos(interface.protocol, name))
    )


@cache
def expected_fields(protocol: str, name: str) -> Mapping[str, Values] | None:
    """Return the fields that a message may have, with what they may be; None where there is no telling."""
    if name == MALFORMED:
        return _only_octets()
    infos = message_infos(protocol, name)
    fields: dict[str, Values] = {}
    for each in infos:
        for one in (*each.fields, *each.others):
            fields[one.name] = fields[one.name] | one.may_be if one.name in fields else one.may_be
    return fields if infos else None


def _only_octets() -> Mapping[str, Values]:
    from simwarden.model.values import OCTETS  # noqa: PLC0415 - as a family, when asked for

    return {"octets": OCTETS}


def _fields(found: Mapping[str, Values], required: Container[str] = ()) -> tuple[MessageField, ...]:
    return tuple(MessageField(name, name in required, values) for name, values in found.items())


def _diameter(name: str) -> MessageInfo | None:
    from simwarden.wire.diameter.codes import ENUMERATIONS, Application  # noqa: PLC0415 - a family loads when asked for
    from simwarden.wire.diameter.dictionary import AVPS, COMMANDS  # noqa: PLC0415 - as above
    from simwarden.wire.diameter.dissect import field_name, field_values  # noqa: PLC0415 - as above

    command = next((each for each in COMMANDS.values() if each.name == name), None)
    if command is None:
        return None
    required = command.grammar.required
    fields = [
        MessageField(field_name(avp), avp in required, field_values(avp), ENUMERATIONS.get(_enumerated(avp)))
        for avp in command.grammar.rules
    ]
    application = Application(command.application)
    interface = "" if application is Application.BASE else application.name
    kind = "request" if command.request else "answer"
    about = f"Diameter {kind}, command {command.code} ({command.grammar.name})"
    others = {field_name(avp): field_values(avp) for avp in (AVPS if command.grammar.extensible else ())}
    return MessageInfo(about, tuple(fields), interface, _fields(others))


def _enumerated(avp: str) -> str:
    return "Experimental-Result-Code" if avp == "Experimental-Result" else avp


def _s1ap(name: str) -> MessageInfo | None:
    from simwarden.wire.s1ap.messages import SPECS, Procedure  # noqa: PLC0415 - as above

    spec = SPECS.get(name)
    return None if spec is None else _of_spec(spec, "S1AP", Procedure(spec.procedure), "TS 36.413")


def _x2(name: str) -> MessageInfo | None:
    from simwarden.wire.x2.messages import SPECS, Procedure  # noqa: PLC0415 - as above

    spec = SPECS.get(name)
    return None if spec is None else _of_spec(spec, "X2AP", Procedure(spec.procedure), "TS 36.423")


def _of_spec(spec: Spec, protocol: str, procedure: IntEnum, document: str) -> MessageInfo:
    from simwarden.wire.nas.dissect import any_fields  # noqa: PLC0415 - as above
    from simwarden.wire.s1ap.dissect import field_values  # noqa: PLC0415 - as above

    fields = []
    for rule in spec.rules:
        values = field_values(rule.ie)
        opened = replace(values, inside=any_fields) if rule.ie.name == "nas_pdu" else values
        fields.append(MessageField(rule.ie.name, rule.mandatory, opened))
    return MessageInfo(f"{protocol} message of the procedure {_words(procedure.name)} ({document} 9.1)", tuple(fields))


def _uu(name: str) -> MessageInfo | None:
    from simwarden.wire.fields import fields_of  # noqa: PLC0415 - as above
    from simwarden.wire.nas.dissect import any_fields  # noqa: PLC0415 - as above
    from simwarden.wire.uu import MESSAGES  # noqa: PLC0415 - as above

    for message in MESSAGES.values():
        if message.name == name:
            declared: Any = message  # each is made a dataclass by its decorator
            may_be = fields_of(declared)
            if "dedicated_info_nas" in may_be:
                may_be = {**may_be, "dedicated_info_nas": replace(may_be["dedicated_info_nas"], inside=any_fields)}
            fields = [MessageField(each.name, _must(each), may_be[each.name]) for each in dataclasses.fields(declared)]
            return MessageInfo(f"radio message. {(message.__doc__ or '').strip()}", tuple(fields))
    return None


def _must(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _nas(name: str) -> MessageInfo | None:
    from simwarden.wire.nas import enums  # noqa: PLC0415 - as above
    from simwarden.wire.nas.dissect import HEADER, declarations_of, fields_of  # noqa: PLC0415 - as above

    found = fields_of(name)
    if not found:
        return None
    causes: Mapping[str, type[IntEnum]] = {"emm_cause": enums.EmmCause, "esm_cause": enums.EsmCause}
    declared = declarations_of(name)
    must = {part for each in declared for one in each.mandatory for part in (one.name, one.high) if part}
    must |= found.keys() if not declared else set()  # of a service request, which has no message type
    own = [
        MessageField(part, part in must, values, causes.get(part))
        for part, values in found.items()
        if part not in HEADER
    ]
    clauses = ", ".join(dict.fromkeys(each.clause for each in declared)) or "8.2.25"
    about = f"NAS message (TS 24.301 {clauses})"
    return MessageInfo(about, tuple(own), others=_fields({k: v for k, v in found.items() if k in HEADER}))


def _mqtt(name: str) -> MessageInfo | None:
    from simwarden.runtime.event_kinds import MESSAGE  # noqa: PLC0415 - as above
    from simwarden.wire.mqtt.dissect import FIELDS  # noqa: PLC0415 - as above

    found = FIELDS.get(name)
    if found is None:
        return None
    own = {**found, **MESSAGE} if "data" in found else found
    return MessageInfo("MQTT control packet (MQTT 3.1.1 chapter 3)", _fields(own))


def _apdu(name: str) -> MessageInfo | None:
    from simwarden.wire.apdu.command import Ins  # noqa: PLC0415 - as above
    from simwarden.wire.apdu.dissect import fields_of  # noqa: PLC0415 - as above

    found = fields_of(name)
    if found is None:
        return None
    always = [part for part in ("cla", "ins", "p1", "p2", "sw", "status") if part in found]
    about = "what a terminal does to the contacts of a card"
    if "cla" in found:
        code = next(each for each in Ins if each.name.lower().replace("_", "-") == name)
        about = f"command to the card, INS {int(code):02X}; its data give further fields"
    elif "sw" in found:
        about = "response of the card: its status word, and it in words; its data give further fields"
    fields = _fields({part: found[part] for part in always}, always)
    return MessageInfo(about, fields, others=_fields({k: v for k, v in found.items() if k not in always}))


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


_FAMILIES: dict[str, Iterable[Callable[[str], MessageInfo | None]]] = {
    "apdu": (_apdu,),
    "diameter": (_diameter,),
    "mqtt": (_mqtt,),
    "s1ap": (_s1ap, _nas),
    "uu": (_uu, _nas),
    "x2": (_x2,),
}
