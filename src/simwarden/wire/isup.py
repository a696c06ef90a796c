"""Numbers as ISUP has them (Q.763 3.9, 3.10, 3.24, 3.26): CAP carries them as octets."""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError

_DIGITS: Final = "0123456789abcdef"
INTERNATIONAL: Final = 4
NATIONAL: Final = 3


class Number(NamedTuple):
    """A called, calling, redirecting, original called or location number.

    `nature` is the nature of address, `plan` the numbering plan (1: E.164), `flag` the first bit of the second octet:
    of a called party or a location that the number may not be routed to inside (INN), of a calling party that it is not
    complete (NI). Presentation and screening are a calling party's, and of a redirecting one presentation alone.
    Digits are decimal, or b and c for codes 11 and 12, f for ST.
    """

    digits: str
    nature: int = INTERNATIONAL
    plan: int = 1
    flag: bool = False
    presentation: int = 0
    screening: int = 0

    def __str__(self) -> str:
        return f"+{self.digits}" if self.nature == INTERNATIONAL else self.digits


class GenericNumber(NamedTuple):
    """A number beside the others, with what it is (6: additional calling party, Q.763 3.26)."""

    qualifier: int
    number: Number

    def __str__(self) -> str:
        return f"{self.number} ({self.qualifier})"


def pack(digits: str) -> bytes:
    """Return digits in semi-octets, an odd one with 0 behind it. Raises ValueError for what is none."""
    values = [_DIGITS.index(each) for each in digits] + [0] * (len(digits) % 2)
    return bytes([low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True)])


def unpack(octets: bytes, *, odd: bool) -> str:
    """Return digits of semi-octets. Raises PeerError."""
    digits = "".join([_DIGITS[half] for each in octets for half in (each & 15, each >> 4)])
    if odd and not digits:
        raise PeerError("an odd number of digits, and none there")
    return digits[:-1] if odd else digits


def encode_number(number: Number) -> bytes:
    """Return the octets of a number."""
    head = number.nature | len(number.digits) % 2 << 7
    second = number.flag << 7 | number.plan << 4 | number.presentation << 2 | number.screening
    return bytes((head, second)) + pack(number.digits)


def decode_number(octets: bytes) -> Number:
    """Read a number. Raises PeerError."""
    if len(octets) < 2:
        raise PeerError(f"a number of {len(octets)} octets")
    head, second = octets[0], octets[1]
    digits = unpack(octets[2:], odd=bool(head & 0x80))
    return Number(digits, head & 0x7F, second >> 4 & 7, bool(second & 0x80), second >> 2 & 3, second & 3)


def encode_generic(number: GenericNumber) -> bytes:
    """Return the octets of a generic number."""
    return bytes((number.qualifier,)) + encode_number(number.number)


def decode_generic(octets: bytes) -> GenericNumber:
    """Read a generic number. Raises PeerError."""
    if not octets:
        raise PeerError("a generic number of no octets")
    return GenericNumber(octets[0], decode_number(octets[1:]))


#: encoding schemes of generic digits (Q.763 3.24)
_BCD_EVEN, _BCD_ODD, _IA5 = 0, 1, 2


def encode_digits(digits: str) -> bytes:
    """Return generic digits in BCD, as a subscriber has dialled them. b and c are * and #."""
    scheme = _BCD_ODD if len(digits) % 2 else _BCD_EVEN
    return bytes((scheme << 5,)) + pack(digits.replace("*", "b").replace("#", "c"))


def decode_digits(octets: bytes) -> str:
    """Read generic digits, in BCD or as characters. Raises PeerError."""
    scheme = octets[0] >> 5 if octets else 7
    if scheme == _IA5 and octets.isascii():
        return octets[1:].decode()
    if scheme not in (_BCD_EVEN, _BCD_ODD):
        raise PeerError(f"digits by encoding scheme {scheme}")
    return unpack(octets[1:], odd=scheme == _BCD_ODD).replace("b", "*").replace("c", "#")
