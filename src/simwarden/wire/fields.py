"""What the fields of messages may be, from what a family's codecs are made of: named tuples, records, enumerations."""

from __future__ import annotations

import types
import typing
from enum import Enum, IntEnum, IntFlag
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from simwarden.model import values as v
from simwarden.model.identity import Ecgi, Guti, Plmn, Tai

if TYPE_CHECKING:
    from collections.abc import Hashable

SECRETS = frozenset({"security_key", "next_hop_parameter", "key_enodeb_star"})
"""Fields of S1AP and X2AP that hold keys."""
SECRET = v.one_of("***", about="a key, which is never shown")
"""What stands in place of keys."""

_PLAIN: dict[type | None, v.Values] = {
    **dict.fromkeys((None, type(None)), v.Values("nothing", optional=True)),
    bool: v.SWITCH,
    int: v.NUMBER,
    float: v.NUMBER,
    str: v.TEXT,
    bytes: v.OCTETS,
    Plmn: v.PLMN,
    Tai: v.TAI,
    Ecgi: v.CELL,
    Guti: v.GUTI,
}


@cache
def values_of(annotation: Any) -> v.Values:
    """Return what a value of an annotated type may be, as dissections show it."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:  # by what it may be
        return next(each for each in arguments if isinstance(each, v.Values))
    if origin in (typing.Union, types.UnionType):  # beside an enumeration: a number that nobody has assigned
        named = any(isinstance(each, type) and issubclass(each, IntEnum) for each in arguments)
        return _any_of(tuple(each for each in arguments if not (named and each is int)))
    if origin in (tuple, list):
        return _any_of(tuple(each for each in arguments if each is not ...))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enumerated(annotation)
    return v.mapping(lambda: fields_of(annotation))


def _enumerated(enumeration: type[Enum]) -> v.Values:
    """Return the values of an enumeration; flags are shown as a list of names, some by words that they say."""
    said = getattr(enumeration, "shown", None)
    if said is not None:
        return v.one_of(*said())
    return v.one_of(*enumeration.__members__) if issubclass(enumeration, IntFlag) else v.members(enumeration)


def _any_of(annotations: tuple[Any, ...]) -> v.Values:
    return reduce(or_, map(values_of, annotations))


@cache
def fields_of(record: Hashable) -> dict[str, v.Values]:
    """Return the fields of a named tuple or of a record of `coded` fields, with what they may be."""
    known = {each.__name__: each for each in _PLAIN if each is not None}
    hints = typing.get_type_hints(record, localns=known, include_extras=True)
    names = getattr(record, "_fields", None) or list(getattr(record, "__dataclass_fields__", hints))
    return {name: SECRET if name in SECRETS else values_of(hints[name]) for name in names}
