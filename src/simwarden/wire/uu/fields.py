"""The fields that frames are made of: a codec for each kind of value, and records declared from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, ClassVar, TypeVar, dataclass_transform

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai


class Reader:
    """A cursor over a body; reading past its end is the peer's error."""

    __slots__ = ("data", "offset")

    def __init__(self, data: bytes, offset: int) -> None:
        self.data, self.offset = data, offset

    def take(self, length: int) -> bytes:
        """Return the next octets."""
        start = self.offset
        self.offset = start + length
        if self.offset > len(self.data):
            raise PeerError(f"uu frame ends {self.offset - len(self.data)} octets early")
        return self.data[start : self.offset]

    def number(self, length: int) -> int:
        """Return the next octets as a number."""
        return int.from_bytes(self.take(length), "big")


Codec = tuple[Callable[[Any], bytes], Callable[[Reader], Any]]
E = TypeVar("E", bound=IntEnum)


def number(length: int, highest: int | None = None) -> Codec:
    """Make the codec of a number of `length` octets, at most `highest`."""
    top = (1 << 8 * length) - 1 if highest is None else highest

    def write(value: int) -> bytes:
        if not 0 <= value <= top:
            raise ValueError(f"{value} is not within 0..{top}")
        return value.to_bytes(length, "big")

    def read(reader: Reader) -> int:
        value = reader.number(length)
        if value > top:
            raise PeerError(f"value {value} above {top} in a uu frame")
        return value

    return write, read


def enum(kind: type[E]) -> Codec:
    """Make the codec of an enumeration in one octet; a number it lacks is the peer's error."""

    def write(value: int) -> bytes:
        return int(value).to_bytes(1)

    def read(reader: Reader) -> E:
        value = reader.number(1)
        try:
            return kind(value)
        except ValueError:
            raise PeerError(f"{value} is no {kind.__name__}") from None

    return write, read


def optional(codec: Codec) -> Codec:
    """Make the codec of a field that may be absent (None)."""
    write_value, read_value = codec

    def write(value: Any) -> bytes:
        return b"\0" if value is None else b"\1" + write_value(value)

    def read(reader: Reader) -> Any:
        return read_value(reader) if read_bool(reader) else None

    return write, read


def sequence_of(codec: Codec) -> Codec:
    """Make the codec of up to 255 items, a tuple."""
    write_item, read_item = codec

    def write(value: tuple[Any, ...]) -> bytes:
        return bytes((len(value),)) + b"".join([write_item(item) for item in value])

    def read(reader: Reader) -> tuple[Any, ...]:
        return tuple([read_item(reader) for _ in range(reader.number(1))])

    return write, read


def write_bool(value: object) -> bytes:
    """Encode a flag."""
    return b"\1" if value else b"\0"


def read_bool(reader: Reader) -> bool:
    """Decode a flag. Raises PeerError if it is neither 0 nor 1."""
    value = reader.number(1)
    if value > 1:
        raise PeerError(f"flag of value {value} in a uu frame")
    return value == 1


def _write_octets(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _read_octets(reader: Reader) -> bytes:
    return reader.take(reader.number(2))


def _read_plmn(reader: Reader) -> Plmn:
    try:
        return Plmn.from_bytes(reader.take(3))
    except ValueError as error:
        raise PeerError(str(error)) from None


U8, U16, U32 = number(1), number(2), number(4)
CELL = number(4, 0x0FFFFFFF)
FLAG: Codec = (write_bool, read_bool)
OCTETS: Codec = (_write_octets, _read_octets)
REST: Codec = (bytes, lambda reader: reader.take(len(reader.data) - reader.offset))  # to the end of the frame
PLMN: Codec = (Plmn.to_bytes, _read_plmn)
TAI: Codec = (
    lambda tai: tai.plmn.to_bytes() + U16[0](tai.tac),
    lambda reader: Tai(_read_plmn(reader), reader.number(2)),
)
ECGI: Codec = (
    lambda cell: cell.plmn.to_bytes() + CELL[0](cell.cell_identity),
    lambda reader: Ecgi(_read_plmn(reader), CELL[1](reader)),
)


def coded(codec: Codec, **default: Any) -> Any:
    """Declare a field with its codec."""
    return field(metadata={"codec": codec}, **default)


class Record:
    """What is encoded as its fields, one after the other."""

    __slots__ = ()
    codecs: ClassVar[tuple[tuple[str, Callable[[Any], bytes], Callable[[Reader], Any]], ...]] = ()

    def to_body(self) -> bytes:
        """Encode the fields. Raises ValueError on a value that its field cannot hold."""
        return b"".join([write(getattr(self, name)) for name, write, _ in self.codecs])

    @classmethod
    def from_reader(cls, reader: Reader) -> Any:
        """Decode the fields. Raises PeerError."""
        return cls(*[read(reader) for _, _, read in cls.codecs])


R = TypeVar("R", bound=Record)


@dataclass_transform(frozen_default=True, field_specifiers=(coded,))
def declared(cls: type[R], *, frozen: bool = True) -> type[R]:
    """Make a dataclass of a class with `coded` fields, and collect their codecs."""
    made = dataclass(slots=True, frozen=frozen)(cls)
    made.codecs = tuple((f.name, *f.metadata["codec"]) for f in fields(made))  # type: ignore[arg-type]  # a dataclass
    return made


def record(cls: type[R]) -> Codec:
    """Make the codec of a record inside another."""
    return cls.to_body, cls.from_reader


def _write_imsi(value: str) -> bytes:
    return U8[0](len(value)) + value.encode("ascii")


def _read_imsi(reader: Reader) -> str:
    digits = reader.take(reader.number(1))
    if not (6 <= len(digits) <= 15 and digits.isdigit()):
        raise PeerError("an IMSI has 6 to 15 digits")
    return digits.decode("ascii")


IMSI: Codec = (_write_imsi, _read_imsi)


def choice(first: type[R], second: Codec) -> Codec:
    """One of two: octet 0 and a record, or octet 1 and the other."""
    write_other, read_other = second

    def write(value: Any) -> bytes:
        return b"\0" + value.to_body() if isinstance(value, first) else b"\1" + write_other(value)

    def read(reader: Reader) -> Any:
        return read_other(reader) if read_bool(reader) else first.from_reader(reader)

    return write, read
