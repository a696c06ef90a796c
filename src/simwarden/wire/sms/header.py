"""User data headers (TS 23.040 9.2.3.24): what stands before a text, such as which part of a long message it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Iterable

CONCATENATED_8, SPECIAL_INDICATION = 0x00, 0x01
PORTS_8, PORTS_16 = 0x04, 0x05
CONCATENATED_16: Final = 0x08


class Element(NamedTuple):
    """An information element: its identifier, and its data."""

    identifier: int
    data: bytes


Header = tuple[Element, ...]


class Concatenation(NamedTuple):
    """Which part a message is of a long one (9.2.3.24.1, 9.2.3.24.8)."""

    reference: int
    total: int
    number: int
    wide: bool = False

    @property
    def element(self) -> Element:
        """It as an element."""
        reference = self.reference.to_bytes(2 if self.wide else 1, "big")
        return Element(CONCATENATED_16 if self.wide else CONCATENATED_8, reference + bytes((self.total, self.number)))


class Ports(NamedTuple):
    """Application ports (9.2.3.24.3, 9.2.3.24.4)."""

    destination: int
    source: int
    wide: bool = True

    @property
    def element(self) -> Element:
        """It as an element."""
        size = 2 if self.wide else 1
        data = self.destination.to_bytes(size, "big") + self.source.to_bytes(size, "big")
        return Element(PORTS_16 if self.wide else PORTS_8, data)


def encode_header(elements: Iterable[Element]) -> bytes:
    """Return a header with its length, nothing for no element. Raises ValueError."""
    body = b"".join([bytes((each.identifier, len(each.data))) + each.data for each in elements])
    return bytes((len(body),)) + body if body else b""


def split_header(data: bytes) -> tuple[Header, bytes]:
    """Return the elements of the header that user data begin with, and what follows. Raises PeerError."""
    end = 1 + data[0] if data else 0
    if not data or end > len(data):
        raise PeerError("a user data header that is longer than the user data")
    found, at = [], 1
    while at < end:
        stop = at + 2 + data[at + 1] if at + 1 < end else end + 1
        if stop > end:
            raise PeerError("an information element that is longer than its header")
        found.append(Element(data[at], data[at + 2 : stop]))
        at = stop
    return tuple(found), data[end:]


def concatenation_of(header: Header) -> Concatenation | None:
    """Return which part a message is; None for one that is whole. Of several elements the last counts (9.2.3.24)."""
    for each in reversed(header):
        size = {CONCATENATED_8: 1, CONCATENATED_16: 2}.get(each.identifier)
        if size is not None and len(each.data) == size + 2:
            total, number = each.data[size], each.data[size + 1]
            if 0 < number <= total:  # others shall be ignored (9.2.3.24.1)
                return Concatenation(int.from_bytes(each.data[:size], "big"), total, number, size == 2)
    return None


def ports_of(header: Header) -> Ports | None:
    """Return the application ports; None where there are none. Of several elements the last counts."""
    for each in reversed(header):
        size = {PORTS_8: 1, PORTS_16: 2}.get(each.identifier)
        if size is not None and len(each.data) == 2 * size:
            return Ports(int.from_bytes(each.data[:size], "big"), int.from_bytes(each.data[size:], "big"), size == 2)
    return None
