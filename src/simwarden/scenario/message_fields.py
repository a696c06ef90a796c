"""The fields of each message, by the tables of the wire families: what an expectation may ask of it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from simwarden.model.interfaces import spoken_on
from simwarden.model.values import OCTETS
from simwarden.scenario.messages import spoken_names
from simwarden.trace.dissect import MALFORMED
from simwarden.wire.family import with_carried
from simwarden.wire.mqtt.family import MQTT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.model.values import Values
    from simwarden.wire.family import Family, MessageInfo


def message_infos(protocol: str, name: str) -> tuple[MessageInfo, ...]:
    """Return what a protocol's tables say of a message: of a name that RRC and NAS share, what both say."""
    found = (_info(family, name) for family in with_carried(protocol))
    return tuple(each for each in found if each is not None)


def _info(family: Family, name: str) -> MessageInfo | None:
    """Return what a family says of a message; what events hold, which elements declare, is no business of MQTT's."""
    info = family.read().info(name)
    if info is None or family is not MQTT:
        return info
    from simwarden.operations.event_kinds import MESSAGE  # noqa: PLC0415 - events are declared when somebody asks for them

    fields = (each._replace(may_be=MESSAGE.get(each.name, each.may_be)) for each in info.fields)
    return info._replace(fields=tuple(fields))


def infos_on(interface: str, name: str) -> tuple[MessageInfo, ...]:
    """Return what is said of a message of a reference point, whatever it is carried by."""
    return tuple(info for each in spoken_on(interface) for info in message_infos(each.protocol, name))


@cache
def names_on(interface: str) -> frozenset[str]:
    """Return the names of the messages that an interface carries, with those inside of them; empty: any name."""
    return frozenset(name for name in spoken_names(interface) if carries(interface, name))


def carries(interface: str, name: str) -> bool:
    """Tell whether a message of that name goes over an interface.

    Of a family with several applications only the interface's own do, and those that all have.
    """
    return name in spoken_names(interface) and all(
        not info.interfaces or interface in info.interfaces for info in infos_on(interface, name)
    )


@cache
def expected_fields(interface: str, name: str) -> Mapping[str, Values] | None:
    """Return the fields that a message may have, with what they may be; None where there is no telling.

    One that the message need not have may be none.
    """
    if name == MALFORMED:
        return {"octets": OCTETS}
    infos = infos_on(interface, name)
    fields: dict[str, Values] = {}
    always = {one.name for each in infos for one in each.fields if one.required}
    for each in infos:
        for one in (*each.fields, *each.others):
            may_be = one.may_be if one.name in always else one.may_be.or_none()
            fields[one.name] = fields[one.name] | may_be if one.name in fields else may_be
    return fields if infos else None
