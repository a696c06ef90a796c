"""Records of ours and the values of pycrate's ASN.1 objects: each part of a record says what its specification does.

pycrate has the modules of CAP and MAP; what it decodes becomes a record here, or a PeerError, and parts that no record
has are left out. Its objects are global and are changed by use: encoding and decoding are each one synchronous block.
"""

from __future__ import annotations

import dataclasses
import enum
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar, dataclass_transform

from simwarden.errors import PeerError
from simwarden.model import values as v
from simwarden.wire.isup import (
    decode_digits,
    decode_generic,
    decode_number,
    encode_digits,
    encode_generic,
    encode_number,
)
from simwarden.wire.q850 import CauseValue, decode_cause, encode_cause
from simwarden.wire.sms.reading import named
from simwarden.wire.tbcd import decode_address, encode_address, identity, pack

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import IntEnum

R = TypeVar("R", bound="Record")


def _as_it_is(value: Any) -> Any:
    return value


class Kind(NamedTuple):
    """What a part is: how it is read from pycrate's value (PeerError) and written, shown, and what it may be."""

    take: Callable[[Any], Any]
    put: Callable[[Any], Any]
    values: v.Values
    show: Callable[[Any], Any] = _as_it_is
    enum: type[IntEnum] | None = None


class Form(enum.Enum):
    """What a record is: several parts, one of several, or one part that is the whole."""

    SEQUENCE = "sequence"
    CHOICE = "choice"
    VALUE = "value"


@dataclass_transform(frozen_default=True)
class Record:
    """The base of records, which are frozen dataclasses of `part`s."""

    form: ClassVar[Form]

    def __init_subclass__(cls, form: Form = Form.SEQUENCE) -> None:
        cls.form = form
        dataclasses.dataclass(frozen=True)(cls)


class Part(NamedTuple):
    """A part of a record: its own name, the specification's, and what it is."""

    name: str
    spec: str
    kind: Kind
    default: Any


_NEEDED: Final = dataclasses.MISSING


def part(spec: str, kind: Kind, default: Any = None) -> Any:
    """Declare a part that may be absent."""
    return dataclasses.field(default=default, metadata={"part": (spec, kind)})


def needed(spec: str, kind: Kind) -> Any:
    """Declare a part that is always there."""
    return dataclasses.field(metadata={"part": (spec, kind)})


def is_needed(one: Part) -> bool:
    """Whether a part is always there."""
    return one.default is _NEEDED


def parts(record: type[Record]) -> tuple[Part, ...]:
    """Return the parts of a type of records."""
    key: Any = record
    return _parts(key)


@cache
def _parts(record: Any) -> tuple[Part, ...]:
    found = []
    for each in dataclasses.fields(record):
        spec, kind = each.metadata["part"]
        found.append(Part(each.name, spec, kind, each.default))
    return tuple(found)


def to_asn1(record: Record) -> Any:
    """Return pycrate's value of a record. Raises ValueError."""
    out = {}
    for each in parts(type(record)):
        value = getattr(record, each.name)
        if is_needed(each) or value != each.default:
            out[each.spec] = each.kind.put(value)
    if record.form is Form.SEQUENCE:
        return out
    if len(out) != 1:
        raise ValueError(f"{type(record).__name__} is a choice of one, not of {len(out)}")
    return next(iter(out.items() if record.form is Form.CHOICE else out.values()))


def from_asn1(record: type[R], value: Any) -> R:
    """Make a record of pycrate's value. Raises PeerError."""
    if record.form is Form.VALUE:
        return record(*(each.kind.take(value) for each in parts(record)))
    told = dict([value]) if record.form is Form.CHOICE else value
    found = {each.name: each.kind.take(told[each.spec]) for each in parts(record) if each.spec in told}
    for each in parts(record):
        if is_needed(each) and each.name not in found:
            raise PeerError(f"{record.__name__} without {each.spec}")
    if record.form is Form.CHOICE and not found:
        raise PeerError(f"{record.__name__} with {value[0]}, which is not taken here")
    return record(**found)


def shown(record: Record) -> dict[str, Any]:
    """Return the parts that a record has as a dissection shows them."""
    out = {}
    for each in parts(type(record)):
        value = getattr(record, each.name)
        if is_needed(each) or value != each.default:
            out[each.name] = each.kind.show(value)
    return out


# -- kinds


def record_of(record: type[Record]) -> Kind:
    """Return the kind of a record inside another."""

    def values() -> dict[str, v.Values]:
        return {each.name: each.kind.values for each in parts(record)}

    return Kind(partial(from_asn1, record), to_asn1, v.mapping(values), shown)


def list_of(kind: Kind) -> Kind:
    """Return the kind of a row of something."""
    return Kind(
        lambda value: tuple(map(kind.take, value)),
        lambda value: list(map(kind.put, value)),
        kind.values,
        lambda value: list(map(kind.show, value)),
        kind.enum,
    )


def enumerated(enumeration: type[IntEnum]) -> Kind:
    """Return the kind of an enumeration, whose members are named as in the specification (`O_ANSWER` is oAnswer)."""
    names = {each: _camel(each.name) for each in enumeration}
    members = {name: each for each, name in names.items()}

    def take(value: Any) -> int:
        if value not in members:
            raise PeerError(f"{enumeration.__name__} {value}")
        return members[value]

    def put(value: int) -> str:
        return names[enumeration(value)]

    return Kind(take, put, v.members(enumeration), enum=enumeration)


def _camel(name: str) -> str:
    first, *rest = name.lower().split("_")
    return first + "".join(each.capitalize() for each in rest)


def bits(size: int, first: int = 0) -> Kind:
    """Return the kind of a bit string: the numbers of the bits that are set, counted from `first`, of so many."""

    def take(value: Any) -> tuple[int, ...]:
        number, length = value
        return tuple(first + at for at in range(length) if number >> length - 1 - at & 1)

    def put(value: tuple[int, ...]) -> tuple[int, int]:
        length = max(size, *(each - first + 1 for each in value)) if value else size
        return sum(1 << length - 1 - (each - first) for each in value), length

    return Kind(take, put, v.NUMBER, list)


def _equipment(octets: bytes) -> str:
    if len(octets) != 8:
        raise PeerError(f"an IMEI of {len(octets)} octets")
    return identity(octets)


def _one_octet(value: bytes) -> int:
    if len(value) != 1:
        raise PeerError(f"a number of {len(value)} octets")
    return value[0]


_GENERIC: Final = v.shaped("a number and its qualifier, such as +8613800001111 (6)", r"\+?[0-9a-f]* \(\d{1,3}\)")
NUMBER: Final = Kind(_as_it_is, _as_it_is, v.NUMBER)
SWITCH: Final = Kind(_as_it_is, _as_it_is, v.SWITCH)
OCTETS: Final = Kind(_as_it_is, _as_it_is, v.OCTETS)
OCTET: Final = Kind(_one_octet, lambda value: bytes((value,)), v.NUMBER)
"""A number in an octet string of one octet."""
FLAG: Final = Kind(lambda value: value is not None, lambda value: 0 if value else None, v.SWITCH)
"""NULL, which says something by being there; absent is False, the default of its part."""
NUMBER_STRING: Final = Kind(decode_number, encode_number, v.PARTY, str)
GENERIC_NUMBER: Final = Kind(decode_generic, encode_generic, _GENERIC, str)
DIGITS: Final = Kind(decode_digits, encode_digits, v.PARTY)
ADDRESS: Final = Kind(decode_address, encode_address, v.PARTY, str)
IMSI: Final = Kind(identity, pack, v.IMSI)
IMEI: Final = Kind(_equipment, lambda digits: pack(digits.ljust(15, "0")), v.IMEI)
"""An IMEISV of 16 digits, or an IMEI: 14 digits, 0 in the place of the check digit, and a filler (TS 29.002 17.7.8)."""
CAUSE: Final = Kind(
    decode_cause,
    encode_cause,
    v.members(CauseValue) | v.NUMBER,
    lambda cause: named(CauseValue, cause.value),
    CauseValue,
)


# -- elements


def encode(kind: Any, value: Any) -> bytes:
    """Encode a value by pycrate's object of its type. Raises ValueError."""
    try:
        kind.set_val(value)
        octets: bytes = kind.to_ber()
    except Exception as error:
        raise ValueError(f"{value!r} cannot be encoded: {error}") from error
    return octets


def decode(kind: Any, octets: bytes) -> Any:
    """Decode octets by pycrate's object of their type. Raises PeerError."""
    try:
        kind.from_ber(octets)
        return kind.get_val()
    except Exception as error:  # of pycrate's errors some are none of its own
        raise PeerError(f"a parameter that cannot be read: {error}") from error
