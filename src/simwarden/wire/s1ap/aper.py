"""The types of ASN.1 in aligned PER (X.691), as many as S1AP uses, as objects.

A type writes a value (`write`) and reads it back (`read`). What an IE's open type holds is `to_octets` and
`from_octets`. A value that its type cannot hold raises ValueError when written; octets that are no value of the type
raise PeerError when read. Extension additions and iE-Extensions of a newer release are stepped over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.wire.s1ap.bits import Reader, Writer, read_open, split_length, with_length

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import IntEnum


class NotComprehendedError(PeerError):
    """A value that is well formed but of a newer release or not supported: handled by the IE's criticality."""


class Type:
    """Base of all types."""

    __slots__ = ()

    def write(self, writer: Writer, value: Any) -> None:
        """Append the value's encoding. Raises ValueError."""
        raise NotImplementedError

    def read(self, reader: Reader) -> Any:
        """Return the value that starts here. Raises PeerError."""
        raise NotImplementedError

    def to_octets(self, value: Any) -> bytes:
        """Return a complete encoding."""
        writer = Writer()
        self.write(writer, value)
        return writer.finish()

    def from_octets(self, octets: bytes) -> Any:
        """Return the value of a complete encoding; padding after it is ignored."""
        return self.read(Reader(octets))


class Integer(Type):
    """INTEGER (low..high), or with extension marker (low..high, ...) of which only the root is written."""

    __slots__ = ("extensible", "high", "low", "size_width", "width")

    def __init__(self, low: int, high: int, *, extensible: bool = False) -> None:
        self.low, self.high, self.extensible = low, high, extensible
        span = high - low
        self.width = span.bit_length()
        # X.691 11.5.7: up to 255 values a bit-field, up to 64K one or two whole octets, beyond that with a length
        octets = (self.width + 7) // 8
        self.size_width = 0 if span < 0x10000 else (octets - 1).bit_length()

    def write(self, writer: Writer, value: int) -> None:
        """Append the number."""
        if not self.low <= value <= self.high:
            raise ValueError(f"{value} is not within {self.low}..{self.high}")
        offset = value - self.low
        if self.extensible:
            writer.bits(0, 1)
        if self.size_width:
            octets = max(1, (offset.bit_length() + 7) // 8)
            writer.bits(octets - 1, self.size_width)
            writer.aligned(offset.to_bytes(octets, "big"))
        elif self.high - self.low < 255:
            writer.bits(offset, self.width)
        else:
            writer.aligned(offset.to_bytes((self.width + 7) // 8, "big"))

    def read(self, reader: Reader) -> int:
        """Return the number."""
        if self.extensible and reader.bits(1):
            raise NotComprehendedError(f"a value outside of {self.low}..{self.high}")
        if self.size_width:
            offset = int.from_bytes(reader.aligned(reader.bits(self.size_width) + 1), "big")
        elif self.high - self.low < 255:
            offset = reader.bits(self.width)
        else:
            offset = int.from_bytes(reader.aligned((self.width + 7) // 8), "big")
        value = self.low + offset
        if value > self.high:
            raise PeerError(f"{value} is not within {self.low}..{self.high}")
        return value

    def to_octets(self, value: int) -> bytes:
        """Return a complete encoding; that of a number with a length is whole octets."""
        if not self.size_width or not self.low <= value <= self.high:
            return super().to_octets(value)
        offset = value - self.low
        octets = (offset.bit_length() + 7) // 8 or 1
        return bytes((octets - 1 << 8 - self.size_width,)) + offset.to_bytes(octets, "big")


def _write_small(writer: Writer, value: int) -> None:
    """Append a normally small number below 64 (X.691 11.6)."""
    writer.bits(value, 7)


def _read_small(reader: Reader) -> int:
    if reader.bits(1):
        return int.from_bytes(read_open(reader), "big")
    return reader.bits(6)


class Enumerated(Type):
    """ENUMERATED with the first `root` members before its extension marker; without marker if not extensible."""

    __slots__ = ("extensible", "kind", "members", "root", "width")

    def __init__(self, kind: type[IntEnum], root: int | None = None, *, extensible: bool = True) -> None:
        self.kind, self.extensible = kind, extensible
        self.members: tuple[IntEnum, ...] = tuple(kind)
        self.root = len(self.members) if root is None else root
        self.width = (self.root - 1).bit_length()

    def write(self, writer: Writer, value: int) -> None:
        """Append the member's index."""
        if not 0 <= value < len(self.members):
            raise ValueError(f"{value} is no {self.kind.__name__}")
        if value >= self.root:
            writer.bits(1, 1)
            _write_small(writer, value - self.root)
        else:
            writer.bits(value, self.width + self.extensible)

    def read(self, reader: Reader) -> IntEnum:
        """Return the member."""
        extended = self.extensible and reader.bits(1)
        index = self.root + _read_small(reader) if extended else reader.bits(self.width)
        if index >= (len(self.members) if extended else self.root):
            raise NotComprehendedError(f"{index} is no {self.kind.__name__}")
        return self.members[index]


class OctetString(Type):
    """OCTET STRING without bounds, or (SIZE (low..high)); values are bytes."""

    __slots__ = ("high", "length", "low")

    def __init__(self, low: int = 0, high: int | None = None) -> None:
        self.low, self.high = low, high
        self.length = None if high is None else Integer(low, high)

    def write(self, writer: Writer, value: bytes) -> None:
        """Append the octets."""
        if self.length is None:
            writer.align()
            writer.octets += with_length(value)
            return
        if self.low != self.high or len(value) != self.low:
            self.length.write(writer, len(value))
        if self.low == self.high and self.low <= 2:
            writer.bits(int.from_bytes(value, "big"), 8 * self.low)
        else:
            writer.aligned(value)

    def read(self, reader: Reader) -> bytes:
        """Return the octets."""
        if self.length is None:
            return read_open(reader)
        length = self.low if self.low == self.high else self.length.read(reader)
        if self.low == self.high and length <= 2:
            return reader.bits(8 * length).to_bytes(length, "big")
        return reader.aligned(length)

    def to_octets(self, value: bytes) -> bytes:
        """Return a complete encoding."""
        return with_length(value) if self.length is None else super().to_octets(value)

    def from_octets(self, octets: bytes) -> bytes:
        """Return the value of a complete encoding."""
        return split_length(octets, 0)[0] if self.length is None else super().from_octets(octets)


class OctetNumber(Type):
    """OCTET STRING (SIZE (n)) that holds a number: TAC, MME code, TEID, M-TMSI."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def write(self, writer: Writer, value: int) -> None:
        """Append the number."""
        if not 0 <= value < 1 << 8 * self.size:
            raise ValueError(f"{value} does not fit into {self.size} octets")
        if self.size <= 2:
            writer.bits(value, 8 * self.size)
        else:
            writer.aligned(value.to_bytes(self.size, "big"))

    def read(self, reader: Reader) -> int:
        """Return the number."""
        if self.size <= 2:
            return reader.bits(8 * self.size)
        return int.from_bytes(reader.aligned(self.size), "big")


class Bits(Type):
    """BIT STRING (SIZE (n)), or (SIZE (n, ...)) of which only the root is written; values are numbers."""

    __slots__ = ("extensible", "size")

    def __init__(self, size: int, *, extensible: bool = False) -> None:
        self.size, self.extensible = size, extensible

    def write(self, writer: Writer, value: int) -> None:
        """Append the bits."""
        if not 0 <= value < 1 << self.size:
            raise ValueError(f"{value} does not fit into {self.size} bits")
        if self.extensible:
            writer.bits(0, 1)
        if self.size > 16:
            writer.align()
        writer.bits(value, self.size)

    def read(self, reader: Reader) -> int:
        """Return the bits; those that a newer release added behind are cut off."""
        if self.extensible and reader.bits(1):
            length = split_bit_length(reader)
            value = reader.bits(length)
            return value >> length - self.size if length > self.size else value << self.size - length
        if self.size > 16:
            reader.position = reader.position + 7 & ~7
        return reader.bits(self.size)


def split_bit_length(reader: Reader) -> int:
    """Read the unconstrained length of a bit string and align; above 16K is not taken."""
    first = reader.aligned(1)[0]
    if first >= 0xC0:
        raise PeerError("a bit string of 16K bits or more")
    length = first if first < 0x80 else (first & 0x3F) << 8 | reader.aligned(1)[0]
    if length > reader.end - reader.position:
        raise PeerError("length beyond the end of a PER encoding")
    return length


class BitOctets(Type):
    """BIT STRING of whole octets, (SIZE (n)) or (SIZE (low..high, ...)) in bits; values are bytes."""

    __slots__ = ("extensible", "high", "length", "low")

    def __init__(self, low: int, high: int | None = None, *, extensible: bool = False) -> None:
        self.low, self.high, self.extensible = low, low if high is None else high, extensible
        self.length = Integer(self.low, self.high)

    def write(self, writer: Writer, value: bytes) -> None:
        """Append the bits."""
        if self.extensible:
            writer.bits(0, 1)
        if self.low != self.high or len(value) * 8 != self.low:
            self.length.write(writer, len(value) * 8)
        writer.aligned(value)

    def read(self, reader: Reader) -> bytes:
        """Return the octets. Raises PeerError on bits that fill no octet."""
        if self.extensible and reader.bits(1):
            bits = split_bit_length(reader)
        else:
            bits = self.low if self.low == self.high else self.length.read(reader)
        if bits & 7:
            raise PeerError(f"a bit string of {bits} bits where octets are expected")
        return reader.aligned(bits >> 3)


class PrintableString(Type):
    """PrintableString (SIZE (low..high, ...)); values are str."""

    __slots__ = ("length",)
    ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")

    def __init__(self, low: int, high: int) -> None:
        self.length = Integer(low, high)

    def write(self, writer: Writer, value: str) -> None:
        """Append the characters."""
        octets = value.encode("ascii", "replace")
        if not self.ALPHABET.issuperset(octets):
            raise ValueError(f"{value!r} is no PrintableString")
        writer.bits(0, 1)
        self.length.write(writer, len(octets))
        writer.aligned(octets)

    def read(self, reader: Reader) -> str:
        """Return the characters."""
        octets = read_open(reader) if reader.bits(1) else reader.aligned(self.length.read(reader))
        if not self.ALPHABET.issuperset(octets):
            raise PeerError("characters that no PrintableString has")
        return octets.decode("ascii")


class SequenceOf(Type):
    """SEQUENCE (SIZE (low..high)) OF; values are tuples."""

    __slots__ = ("item", "length")

    def __init__(self, item: Type, low: int, high: int) -> None:
        self.item, self.length = item, Integer(low, high)

    def write(self, writer: Writer, value: Sequence[Any]) -> None:
        """Append the items."""
        self.length.write(writer, len(value))
        for item in value:
            self.item.write(writer, item)

    def read(self, reader: Reader) -> tuple[Any, ...]:
        """Return the items."""
        return tuple([self.item.read(reader) for _ in range(self.length.read(reader))])


def _skip_extensions(reader: Reader) -> None:
    """Step over iE-Extensions: a list of identity, criticality, open type (TS 36.413 9.3.6)."""
    for _ in range(int.from_bytes(reader.aligned(2), "big") + 1):
        reader.aligned(3)
        read_open(reader)


def _skip_additions(reader: Reader) -> None:
    """Step over the additions of a newer release: a bitmap, an open type for each bit that is set (X.691 19.8)."""
    if reader.bits(1):
        raise PeerError("more than 64 extension additions")
    present = reader.bits(reader.bits(6) + 1)
    for _ in range(present.bit_count()):
        read_open(reader)


class Struct(Type):
    """SEQUENCE with extension marker, and iE-Extensions as its last optional field.

    `make` is called with the fields in order (None where absent), `parts` gives them back as a tuple.
    """

    __slots__ = ("count", "fields", "make", "parts", "preamble_width")

    def __init__(
        self,
        make: Callable[..., Any],
        *fields: Type | tuple[Type],
        parts: Callable[[Any], tuple[Any, ...]] = tuple,
    ) -> None:
        self.make, self.parts = make, parts
        # an optional field is given as a tuple of its type
        self.fields: tuple[tuple[Type, bool], ...] = tuple(
            (field[0], True) if isinstance(field, tuple) else (field, False) for field in fields
        )
        self.count = sum(optional for _, optional in self.fields)
        self.preamble_width = self.count + 2

    def write(self, writer: Writer, value: Any) -> None:
        """Append the preamble and the fields that are there."""
        values = self.parts(value)
        preamble = 0
        if self.count:
            for (_, optional), part in zip(self.fields, values, strict=True):
                if optional:
                    preamble = preamble << 1 | (part is not None)
        writer.bits(preamble << 1, self.preamble_width)
        for (kind, optional), part in zip(self.fields, values, strict=True):
            if part is not None:
                kind.write(writer, part)
            elif not optional:
                raise ValueError(f"{type(value).__name__} lacks a mandatory field")

    def read(self, reader: Reader) -> Any:
        """Return the value."""
        preamble = reader.bits(self.preamble_width)
        mask = 1 << self.preamble_width - 2
        values = []
        for kind, optional in self.fields:
            if optional:
                values.append(kind.read(reader) if preamble & mask else None)
                mask >>= 1
            else:
                values.append(kind.read(reader))
        if preamble & 1:
            _skip_extensions(reader)
        if preamble >> self.preamble_width - 1:
            _skip_additions(reader)
        return self.make(*values)


class Choice(Type):
    """CHOICE with extension marker: the class of the value tells which alternative it is.

    None is an alternative that is not supported here.
    """

    __slots__ = ("alternatives", "by_class", "width")

    def __init__(self, *alternatives: tuple[type, Type] | None) -> None:
        self.alternatives = alternatives
        self.width = (len(alternatives) - 1).bit_length()
        self.by_class = {entry[0]: (index, entry[1]) for index, entry in enumerate(alternatives) if entry}

    def write(self, writer: Writer, value: Any) -> None:
        """Append the index and the value."""
        if type(value) not in self.by_class:
            raise ValueError(f"{value!r} is none of the alternatives")
        index, kind = self.by_class[type(value)]
        writer.bits(index, self.width + 1)
        kind.write(writer, value)

    def read(self, reader: Reader) -> Any:
        """Return the value. Raises PeerError on an alternative that is not taken."""
        if reader.bits(1):
            raise NotComprehendedError("an alternative of a newer release")
        index = reader.bits(self.width)
        entry = self.alternatives[index] if index < len(self.alternatives) else None
        if entry is None:
            raise NotComprehendedError(f"alternative {index} of a choice is not supported")
        return entry[1].read(reader)


class Mapped(Type):
    """A type whose values have a better form in Python: `to_wire` and `from_wire`, which may raise ValueError."""

    __slots__ = ("from_wire", "kind", "to_wire")

    def __init__(self, kind: Type, to_wire: Callable[[Any], Any], from_wire: Callable[[Any], Any]) -> None:
        self.kind, self.to_wire, self.from_wire = kind, to_wire, from_wire

    def write(self, writer: Writer, value: Any) -> None:
        """Append the value."""
        self.kind.write(writer, self.to_wire(value))

    def read(self, reader: Reader) -> Any:
        """Return the value."""
        try:
            return self.from_wire(self.kind.read(reader))
        except ValueError as error:
            raise PeerError(str(error)) from None


class ItemList(Type):
    """SEQUENCE (SIZE (1..256)) OF ProtocolIE-SingleContainer: items that carry their identity and criticality."""

    __slots__ = ("head", "identity", "item")

    def __init__(self, identity: int, criticality: int, item: Type) -> None:
        self.identity, self.item = identity, item
        self.head = identity.to_bytes(2, "big") + bytes((criticality << 6,))

    def write(self, writer: Writer, value: Sequence[Any]) -> None:
        """Append the items."""
        writer.align()
        writer.octets += self.to_octets(value)

    def read(self, reader: Reader) -> tuple[Any, ...]:
        """Return the items. Raises PeerError on an item of another identity."""
        items = []
        for _ in range(reader.aligned(1)[0] + 1):
            identity = int.from_bytes(reader.aligned(3)[:2], "big")
            octets = read_open(reader)
            if identity != self.identity:
                raise PeerError(f"item {identity} in a list of items {self.identity}")
            items.append(self.item.from_octets(octets))
        return tuple(items)

    def to_octets(self, value: Sequence[Any]) -> bytes:
        """Return a complete encoding."""
        if not 1 <= len(value) <= 256:
            raise ValueError(f"a list of {len(value)} items, not 1..256")
        items = [self.head + with_length(self.item.to_octets(item)) for item in value]
        return bytes((len(value) - 1,)) + b"".join(items)
