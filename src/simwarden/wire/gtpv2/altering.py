"""GTPv2-C messages with other elements than they were sent with, as a faulty or hostile node sends them."""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.model.values import plain
from simwarden.wire.gtpv2.codec import decode, encode, split
from simwarden.wire.gtpv2.reading import CAUSE_FIELDS
from simwarden.wire.gtpv2.values import CauseIe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simwarden.wire.gtpv2.messages import Grammar, Rule

_NOTHING: Final = ("none", "absent")
_SWITCH: Final = {"true": True, "yes": True, "on": True, "1": True} | {"false": False, "no": False, "off": False}
_PARTS: Final = {shown: part for part, shown in CAUSE_FIELDS.items()}


def altered(data: bytes, name: str, fields: Mapping[str, Any]) -> bytes:
    """Return a datagram whose message of that name has other elements, written as dissections show them.

    `none` takes an element away. Of those that may be there several times a mapping alters each one; a list alters one
    after another and leaves as many as it is long. Raises ValueError on what no octets can say, PeerError on what is no
    GTPv2 datagram.
    """
    messages = [decode(each) for each in split(data)]
    try:
        for message in (each for each in messages if each.name == name):
            told = {plain(key): value for key, value in fields.items()}
            message.teid = _scalar(int, told.pop("teid", message.teid))
            message.sequence = _scalar(int, told.pop("sequence_number", message.sequence))
            message.ies = _with(name, message.spec.grammar, message.ies, told)
        return b"".join(encode(each, followed=each is not messages[-1]) for each in messages)
    except (KeyError, OverflowError, struct.error) as error:  # of a word or number that nothing has room for
        raise ValueError(f"{name}: {error}") from error


def _with(name: str, grammar: Grammar, ies: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(ies)
    for key, want in ((plain(key), want) for key, want in fields.items()):
        rule = grammar.by_name.get("cause" if key in _PARTS else key)
        if rule is None:
            raise ValueError(f"{name} has no element {key}")
        if isinstance(want, str) and want.lower() in _NOTHING:
            made.pop(rule.name, None)
        elif key in _PARTS:
            made["cause"] = _tuple(CauseIe, {_PARTS[key]: want}, made.get("cause"))
        else:
            made[rule.name] = _several(rule, want, made.get(rule.name, ())) if rule.many else _one(rule, want, made)
    return made


def _several(rule: Rule, want: Any, present: tuple[Any, ...]) -> tuple[Any, ...]:
    wanted = want if isinstance(want, list) else [want] * max(1, len(present))
    before = (*present, *[None] * len(wanted))
    return tuple(_one(rule, each, {rule.name: was}) for each, was in zip(wanted, before, strict=False))


def _one(rule: Rule, want: Any, made: Mapping[str, Any]) -> Any:
    if rule.grammar is None:
        return _value(rule.ie.annotation, want, made.get(rule.name))
    if not isinstance(want, dict):
        raise ValueError(f"{rule.name}: elements are expected, not {want!r}")  # noqa: TRY004 - a fault of the file's
    return _with(rule.name, rule.grammar, made.get(rule.name) or {}, want)


def _value(kind: Any, want: Any, present: Any) -> Any:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):  # of a value that may lack, or that nobody has assigned a name
        kind = next(each for each in get_args(kind) if each is not NoneType)
        if issubclass(kind, IntEnum) and str(want).isdecimal():
            return int(want) if int(want) not in [*kind] else kind(int(want))
    if kind is CauseIe and not isinstance(want, dict):
        want = {"value": want}
    return _tuple(kind, want, present) if hasattr(kind, "_fields") else _scalar(kind, want)


def _tuple(kind: Any, want: Any, present: Any) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    if not isinstance(want, dict) or not hints.keys() >= want.keys():
        raise ValueError(f"of {', '.join(hints)} some are expected, not {want!r}")
    parts = {key: _value(hints[key], each, getattr(present, key, None)) for key, each in want.items()}
    lacks = [] if present is not None else [each for each in hints if each not in {*parts, *kind._field_defaults}]
    if lacks:
        raise ValueError(f"{', '.join(lacks)} must be said, since there was none")
    return present._replace(**parts) if present is not None else kind(**parts)


def _scalar(kind: Any, want: Any) -> Any:
    if issubclass(kind, IntFlag):
        names = {plain(name): each for name, each in kind.__members__.items()}
        return kind(sum({names[plain(str(each))] for each in (want if isinstance(want, list) else [want])}))
    text = str(want)
    if issubclass(kind, IntEnum):
        found = next((each for name, each in kind.__members__.items() if plain(name) == plain(text)), None)
        return kind(int(text, 0)) if found is None else found
    return _READ[kind](text)


def _tai(text: str) -> Tai:
    network, _, code = text.rpartition("-")
    return Tai(Plmn.parse(network), int(code, 16))


_READ: Final[dict[Any, Callable[[str], Any]]] = {
    bool: lambda text: _SWITCH[text.lower()],
    int: lambda text: int(text, 0),
    float: float,
    str: str,
    bytes: lambda text: bytes.fromhex(text.removeprefix("0x")),
    Plmn: Plmn.parse,
    Tai: _tai,
    Ecgi: Ecgi.parse,
}
