"""Numbers and identities as MAP has them (TS 29.002 17.7.8): telephony BCD, and address strings."""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError

_DIGITS: Final = "0123456789*#abc"
_SWAPPED: Final = bytes(octet >> 4 | (octet & 15) << 4 for octet in range(256))
INTERNATIONAL: Final = 1


class AddressString(NamedTuple):
    """A number with its type (1: international) and plan (1: E.164)."""

    digits: str
    nature: int = INTERNATIONAL
    plan: int = 1

    def __str__(self) -> str:
        return f"+{self.digits}" if self.nature == INTERNATIONAL else self.digits


def pack(digits: str) -> bytes:
    """Return digits in TBCD, the first in the lower half, an odd one filled with 15. Raises ValueError."""
    values = [_DIGITS.index(each) for each in digits] + [15] * (len(digits) % 2)
    return bytes([low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True)])


def unpack(octets: bytes) -> str:
    """Return the digits of TBCD. Raises PeerError for a filler that is not the last."""
    halves = [half for each in octets for half in (each & 15, each >> 4)]
    if halves and halves[-1] == 15:
        halves.pop()
    if 15 in halves:
        raise PeerError(f"digits with a filler among them: {octets.hex()}")
    return "".join([_DIGITS[each] for each in halves])


def encode_digits(digits: str) -> bytes:
    """Return decimal digits in TBCD, faster than `pack`. Raises ValueError for what is not hexadecimal."""
    return bytes.fromhex(digits + "f" * (len(digits) & 1)).translate(_SWAPPED)


def decode_digits(octets: bytes) -> str:
    """Return the digits of TBCD without the filler. The caller checks that they are decimal."""
    return octets.translate(_SWAPPED).hex().removesuffix("f")


def encode_address(address: AddressString) -> bytes:
    """Return the octets of an address string. Raises ValueError."""
    return bytes((0x80 | address.nature << 4 | address.plan,)) + pack(address.digits)


def decode_address(octets: bytes) -> AddressString:
    """Read an address string. Raises PeerError."""
    if not octets or not octets[0] & 0x80:
        raise PeerError(f"an address of {len(octets)} octets, or with an extension")
    return AddressString(unpack(octets[1:]), octets[0] >> 4 & 7, octets[0] & 15)


def identity(octets: bytes) -> str:
    """Read an IMSI or IMEI: decimal digits only. Raises PeerError."""
    digits = unpack(octets)
    if not digits.isdecimal():
        raise PeerError(f"an identity that is no number: {digits!r}")
    return digits
