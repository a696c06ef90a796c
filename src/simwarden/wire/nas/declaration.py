"""How the messages of TS 24.301 clause 8 are declared: tables of information elements, made ready for the codec.

The formats are those of TS 24.007 11.2.1.1: V, LV, LV-E for mandatory elements, T, TV, TLV, TLV-E for optional ones.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from simwarden.model.values import NUMBER, Values
from simwarden.wire.nas.elements import OCTETS, Codec

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T", bound=IntEnum)


class Format(Enum):
    """The format of an information element."""

    HALVES = 0
    V = 1
    LV = 2
    LV_E = 3
    TV_HALF = 4
    TV = 5
    TLV = 6
    TLV_E = 7


class Mandatory(NamedTuple):
    """A mandatory element: for HALVES `name` is in bits 1 to 4 and `high` in bits 5 to 8, empty where spare."""

    format: Format
    name: str
    high: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    shortest: int
    longest: int
    values: Values


class Optional(NamedTuple):
    """An optional element; `order` is its place in the table, which its sender keeps."""

    format: Format
    name: str
    iei: int
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    shortest: int
    longest: int
    order: int
    values: Values


class Declaration(NamedTuple, Generic[T]):
    """A message: its mandatory elements in their order, and its optional ones by IEI."""

    type: T
    clause: str
    mandatory: tuple[Mandatory, ...]
    optional: tuple[Optional, ...]
    by_iei: dict[int, Optional]
    names: frozenset[str]


def halves(low: str, high: str = "") -> Mandatory:
    """Declare two half octets (type 1), numbers 0 to 15."""
    return Mandatory(Format.HALVES, low, high, OCTETS.read, OCTETS.write, 1, 1, NUMBER)


def v(name: str, codec: Codec = OCTETS, length: int = 1) -> Mandatory:
    """Declare a value of fixed length (type 3)."""
    return Mandatory(Format.V, name, "", codec.read, codec.write, length, length, codec.values)


def lv(name: str, codec: Codec = OCTETS, shortest: int = 0, longest: int = 255) -> Mandatory:
    """Declare length and value (type 4); lengths are those of the value part."""
    return Mandatory(Format.LV, name, "", codec.read, codec.write, shortest, longest, codec.values)


def lv_e(name: str, shortest: int = 0) -> Mandatory:
    """Declare a two-octet length and octets (type 6)."""
    return Mandatory(Format.LV_E, name, "", OCTETS.read, OCTETS.write, shortest, 65535, OCTETS.values)


def tv_half(iei: int, name: str) -> Optional:
    """Declare a half octet behind a half-octet IEI (type 1); `iei` is the nibble."""
    return Optional(Format.TV_HALF, name, iei << 4, OCTETS.read, OCTETS.write, 1, 1, 0, NUMBER)


def tv(iei: int, name: str, codec: Codec = OCTETS, length: int = 1) -> Optional:
    """Declare IEI and a value of fixed length (type 3)."""
    return Optional(Format.TV, name, iei, codec.read, codec.write, length, length, 0, codec.values)


def tlv(iei: int, name: str, codec: Codec = OCTETS, shortest: int = 0, longest: int = 255) -> Optional:
    """Declare IEI, length and value (type 4); lengths are those of the value part."""
    return Optional(Format.TLV, name, iei, codec.read, codec.write, shortest, longest, 0, codec.values)


def tlv_e(iei: int, name: str, shortest: int = 0, longest: int = 65535) -> Optional:
    """Declare IEI, two-octet length and octets (type 6)."""
    return Optional(Format.TLV_E, name, iei, OCTETS.read, OCTETS.write, shortest, longest, 0, OCTETS.values)


def declare(kind: T, clause: str, *elements: Mandatory | Optional) -> Declaration[T]:
    """Make a declaration of the elements in the order of the spec's table."""
    mandatory = tuple(element for element in elements if isinstance(element, Mandatory))
    found = [element for element in elements if isinstance(element, Optional)]
    optional = tuple(element._replace(order=place) for place, element in enumerate(found, 1))
    names = {element.name for element in elements} | {element.high for element in mandatory}
    by_iei = {element.iei: element for element in optional}
    return Declaration(kind, clause, mandatory, optional, by_iei, frozenset(names - {""}))
