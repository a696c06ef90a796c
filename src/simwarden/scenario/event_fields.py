"""What may be expected of the answers, CDRs and flow records of an element: their fields, with what these may be."""

from __future__ import annotations

import enum
from functools import cache
from http import HTTPStatus
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from simwarden.model.values import (
    ANYTHING,
    APN,
    IMSI,
    NUMBER,
    SWITCH,
    TEXT,
    TIME,
    USER_ADDRESS,
    Values,
    mapping,
    members,
    one_of,
)
from simwarden.trace.records import fields_of, values_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ANSWER, CDR, FLOW = "answer", "cdr", "flow"
#: what an element may have told in a phase, by the words of files
EVENTS: Final = (ANSWER, CDR, FLOW)
#: the fields whose value `card: NAME` stands for
CARD: Final = {CDR: "servedIMSI", FLOW: "subject"}

_STATUS = Values(
    "an HTTP status",
    tuple(each.phrase for each in HTTPStatus),
    named=frozenset(map(int, HTTPStatus)),
    spoken=tuple(map(str, map(int, HTTPStatus))),
)
#: the body of a call that is not carried out (see ManagementError)
_ERROR = {"status": NUMBER, "code": TEXT, "message": TEXT}

_WAYS: Final = ("uplink", "downlink", "dropped")
FLOW_FIELDS: Final[Mapping[str, Values]] = {
    "subject": IMSI,
    "apn": APN.or_none(),
    "protocol": NUMBER,
    "address": USER_ADDRESS,
    "port": NUMBER,
    "peer": USER_ADDRESS,
    "peer_port": NUMBER,
    "names": TEXT.or_none(),
    **dict.fromkeys((f"{way}_packets" for way in _WAYS), NUMBER),
    **dict.fromkeys((f"{way}_octets" for way in _WAYS), NUMBER),
    "began": TIME,
    "ended": TIME,
    "verdict": one_of("admit", "limit", "refuse"),
    "end_reason": one_of("active-timeout", "end-of-flow", "end-of-session", "idle-timeout", "lack-of-resources"),
    "rule": TEXT.or_none(),
}


def events_of(records: Collection[str]) -> list[str]:
    """Return the words of what an element may tell, by the records that it declares."""
    return [ANSWER, *([CDR] if any(each != FLOW for each in records) else []), *([FLOW] if FLOW in records else [])]


@cache
def cdr_fields(types: tuple[str, ...]) -> Mapping[str, Values]:
    """Return the fields that CDRs of some types may have; what a record need not have may be none."""
    found = {"record": one_of(*types, about="a type of CDR")}
    for name in types:
        known, needed = fields_of(name)
        for each, values in sorted(values_of(known).items()):
            found[each] = values if each in needed else values.or_none()
    return found


def is_declared(gives: Any) -> bool:
    """Whether a route says what it gives: not where it gives a mapping by names of the user's."""
    return gives is not None and get_origin(gives) is not dict


def answer_fields(gives: Collection[Any]) -> Mapping[str, Values]:
    """Return the fields of an answer to a call of routes that give these; of one that declares nothing it is any."""
    body = mapping(lambda: _ERROR) if all(map(is_declared, gives)) else ANYTHING
    for each in gives if all(map(is_declared, gives)) else ():
        body |= _values_of(each)
    return {"status": _STATUS, "body": body.or_none()}


def _values_of(kind: Any) -> Values:
    """Return what a value of a model's field may be, as JSON has it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _values_of(arguments[0])
    if origin is Literal:
        return one_of(*map(str, arguments))
    if origin in (Union, UnionType):
        found = [_values_of(each) for each in arguments if each is not NoneType]
        joined = found[0]
        for each in found[1:]:
            joined |= each
        return joined.or_none() if NoneType in arguments else joined
    if origin in (list, tuple, set, frozenset):
        return _values_of(arguments[0]).or_none()
    if isinstance(kind, type):
        return _values_of_type(kind)
    return ANYTHING


def _values_of_type(kind: type) -> Values:
    if issubclass(kind, BaseModel):
        fields = kind.model_fields.items()
        return mapping(lambda: {each.alias or name: _values_of(each.annotation) for name, each in fields})
    if issubclass(kind, enum.Enum):
        return members(kind)
    if issubclass(kind, bool):
        return SWITCH
    if issubclass(kind, (int, float)):
        return NUMBER
    if issubclass(kind, str):
        return TEXT
    return TEXT.or_none() if kind is NoneType else ANYTHING
