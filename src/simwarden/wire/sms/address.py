"""Addresses of TPDUs and of service centres (TS 23.040 9.1.2.5, TS 24.011 8.2.5.1)."""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.sms.alphabet import from_septets, pack, to_septets, unpack
from simwarden.wire.sms.enums import Npi, Ton

_DIGITS: Final = "0123456789*#abc"
#: digits of the longest address (9.1.2.5), and of an RP address: 11 octets with the type
_LONGEST: Final = 20


class Address(NamedTuple):
    """A number with its type and plan, or with TON 5 a text."""

    number: str = ""
    ton: int = Ton.UNKNOWN
    npi: int = Npi.ISDN

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `+8613...` (international), digits as they are dialled, or a text."""
        digits = text.strip().removeprefix("+")
        if not digits or not set(digits) <= set(_DIGITS):
            return cls(text.strip(), Ton.ALPHANUMERIC, Npi.UNKNOWN)
        return cls(digits, Ton.INTERNATIONAL if text.strip().startswith("+") else Ton.UNKNOWN)

    @property
    def kind(self) -> int:
        """The octet that says type and plan."""
        return 0x80 | self.ton << 4 | self.npi

    def __str__(self) -> str:
        return f"+{self.number}" if self.ton == Ton.INTERNATIONAL and self.number.isdigit() else self.number


def to_semi_octets(digits: str) -> bytes:
    """Return digits in semi-octets, the first in the lower half. Raises ValueError for what is none."""
    values = [_DIGITS.index(each) for each in digits] + [15] * (len(digits) % 2)
    return bytes([low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True)])


def from_semi_octets(octets: bytes, count: int) -> str:
    """Return so many digits. Raises PeerError."""
    values = [half for each in octets for half in (each & 15, each >> 4)][:count]
    if len(values) < count or 15 in values:
        raise PeerError(f"an address of {count} digits in {octets.hex()}")
    return "".join([_DIGITS[each] for each in values])


def encode_address(address: Address) -> bytes:
    """Return a TP address: its length counts semi-octets, without fill. Raises ValueError."""
    if address.ton == Ton.ALPHANUMERIC:
        septets = to_septets(address.number)
        packed = pack(septets)
        length = (len(septets) * 7 + 3) // 4
    else:
        packed, length = to_semi_octets(address.number), len(address.number)
    if length > _LONGEST:
        raise ValueError(f"{address.number!r} is longer than an address of a TPDU")
    return bytes((length, address.kind)) + packed


def decode_address(data: bytes, at: int) -> tuple[Address, int]:
    """Read a TP address; return it and where it ends. Raises PeerError."""
    if at + 2 > len(data):
        raise PeerError("an address that is cut")
    length, ton, npi = data[at], data[at + 1] >> 4 & 7, data[at + 1] & 15
    end = at + 2 + (length + 1) // 2
    if length > _LONGEST or end > len(data) or not data[at + 1] & 0x80:
        raise PeerError(f"an address of {length} semi-octets, type {data[at + 1]:#04x}")
    octets = data[at + 2 : end]
    if ton == Ton.ALPHANUMERIC:
        return Address(from_septets(unpack(octets, length * 4 // 7)), ton, npi), end
    return Address(from_semi_octets(octets, length), ton, npi), end


def encode_rp_address(address: Address | None) -> bytes:
    """Return an RP address: its length counts octets, and is zero for none. Raises ValueError."""
    if address is None:
        return b"\0"
    digits = to_semi_octets(address.number)
    if len(digits) > _LONGEST // 2:
        raise ValueError(f"{address.number!r} is longer than an address of RP")
    return bytes((1 + len(digits), address.kind)) + digits


def decode_rp_address(octets: bytes) -> Address | None:
    """Return the address in the value of an RP address; None for none. Raises PeerError."""
    if not octets:
        return None
    if len(octets) > 1 + _LONGEST // 2 or not octets[0] & 0x80:
        raise PeerError(f"an RP address of {len(octets)} octets, type {octets[0]:#04x}")
    digits = octets[1:]
    count = len(digits) * 2 - (1 if digits and digits[-1] >> 4 == 15 else 0)
    return Address(from_semi_octets(digits, count), octets[0] >> 4 & 7, octets[0] & 15)
