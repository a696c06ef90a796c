"""Identities by TS 23.003: parsed once, then values that can be compared, hashed and printed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self


def luhn_digit(digits: str) -> str:
    """Return the check digit of a string of digits (TS 23.003 Annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _digits(text: str, lengths: tuple[int, ...], what: str) -> str:
    if not (text.isascii() and text.isdigit()) or len(text) not in lengths:
        wanted = f"{lengths[0]} to {lengths[-1]}" if len(lengths) > 3 else " or ".join(str(n) for n in lengths)
        raise ValueError(f"{what} must be {wanted} digits, not {text!r}")
    return text


def imei_key(text: str) -> str:
    """Return what two IMEIs are compared by: TAC and serial number, 14 digits.

    Takes an IMEI of 14 or 15 digits or an IMEISV of 16 (TS 23.003 6.2). Raises ValueError for anything else; a wrong
    check digit is no error here, since networks transmit it as 0 or leave it out.
    """
    return _digits(text, (14, 15, 16), "IMEI")[:14]


def is_assigned(text: str) -> bool:
    """Whether an IMEI can be a terminal's: no TAC is all zeros, and no terminal has the same digit throughout.

    What a terminal with an erased memory says is one that many terminals have.
    """
    key = imei_key(text)
    return key[:8] != "00000000" and len(set(key)) > 1


def bindable_imei(text: str) -> str:
    """Return the key of an IMEI that a card may be bound to. Raises ValueError for one that is no single terminal's."""
    key = imei_key(text)
    if not is_assigned(key):
        raise ValueError(f"IMEI {text} is no terminal's")
    return key


@dataclass(frozen=True, slots=True, order=True)
class Imei:
    """The identity of a terminal: 14 digits (TAC and serial number), and the two of its software version."""

    key: str
    software_version: str = "00"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse 14, 15 (with its check digit, verified) or 16 digits (IMEISV). Raises ValueError."""
        key = imei_key(text)
        if len(text) == 15 and text[14] != luhn_digit(key):
            raise ValueError(f"IMEI {text!r} has check digit {text[14]}, expected {luhn_digit(key)}")
        return cls(key, text[14:] if len(text) == 16 else "00")

    @property
    def tac(self) -> str:
        """Type Allocation Code: the first 8 digits, that is the model of the terminal."""
        return self.key[:8]

    @property
    def imei(self) -> str:
        """15 digits with the check digit."""
        return self.key + luhn_digit(self.key)

    @property
    def imeisv(self) -> str:
        """16 digits with the software version."""
        return self.key + self.software_version

    def __str__(self) -> str:
        return self.imei


@dataclass(frozen=True, slots=True, order=True)
class Plmn:
    """A network: mobile country code and mobile network code (2 or 3 digits). Read twice, it is one object."""

    mcc: str
    mnc: str

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> Plmn:
        """Parse '001-01', '001/01' or '00101' (5 or 6 digits). Raises ValueError."""
        digits = text.replace("-", "").replace("/", "")
        _digits(digits, (5, 6), "PLMN")
        return Plmn(digits[:3], digits[3:])

    @staticmethod
    @lru_cache(maxsize=1024)
    def from_bytes(octets: bytes) -> Plmn:
        """Decode the three octets of TS 24.008 10.5.1.13. Raises ValueError on a nibble that is no digit."""
        nibbles = octets.hex()
        if len(octets) != 3:
            raise ValueError(f"a PLMN has 3 octets, not {len(octets)}")
        mnc = nibbles[5] + nibbles[4] + ("" if nibbles[2] == "f" else nibbles[2])
        return Plmn(_digits(nibbles[1] + nibbles[0] + nibbles[3], (3,), "MCC"), _digits(mnc, (2, 3), "MNC"))

    def to_bytes(self) -> bytes:
        """Encode as the three octets of TS 24.008 10.5.1.13."""
        third = self.mnc[2] if len(self.mnc) == 3 else "f"
        return bytes.fromhex(self.mcc[1] + self.mcc[0] + third + self.mcc[2] + self.mnc[1] + self.mnc[0])

    @property
    def realm(self) -> str:
        """The home network's Diameter realm (TS 23.003 19.2)."""
        return f"epc.mnc{self.mnc:0>3}.mcc{self.mcc}.3gppnetwork.org"

    @property
    def operator_identifier(self) -> str:
        """What an APN of this network ends in after its network identifier (TS 23.003 9.1.2)."""
        return f"mnc{self.mnc:0>3}.mcc{self.mcc}.gprs"

    def __str__(self) -> str:
        return f"{self.mcc}-{self.mnc}"


@dataclass(frozen=True, slots=True, order=True)
class Tai:
    """A tracking area: network and 16-bit code (TS 23.003 19.4.2.3)."""

    plmn: Plmn
    tac: int

    def __str__(self) -> str:
        return f"{self.plmn}-{self.tac:04x}"


#: hexadecimal digits of a macro eNB identity: the first 20 bits of a cell identity
_STATION_DIGITS = 5


@dataclass(frozen=True, slots=True, order=True)
class Ecgi:
    """A cell: network and 28-bit E-UTRAN cell identity, of which the first 20 bits name the eNB (TS 23.003 19.6)."""

    plmn: Plmn
    cell_identity: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse what `str()` gives: the network, and 7 hexadecimal digits (`001-01-0000101`). Raises ValueError."""
        network, _, identity = text.rpartition("-")
        if len(identity) != 7 or not set(identity) <= set("0123456789abcdefABCDEF"):
            raise ValueError(f"a cell is an E-CGI such as 001-01-0000101 (network, 7 hexadecimal digits), not {text!r}")
        return cls(Plmn.parse(network), int(identity, 16))

    @property
    def enb_id(self) -> int:
        """The macro eNB identity: the leftmost 20 bits."""
        return self.cell_identity >> 8

    @property
    def station(self) -> str:
        """The base station: network and macro eNB identity, 5 hexadecimal digits (`001-01-00001`)."""
        return f"{self.plmn}-{self.enb_id:05x}"

    def __str__(self) -> str:
        return f"{self.plmn}-{self.cell_identity:07x}"


def parse_place(text: str) -> str:
    """Read a cell (`001-01-0000101`) or a base station (`001-01-00001`), and return it as `str()` and `station` do."""
    identity = text.rpartition("-")[2]
    return Ecgi.parse(text + "00").station if len(identity) == _STATION_DIGITS else str(Ecgi.parse(text))


def station_of(place: str) -> str:
    """Return the base station of a place that `parse_place` gave."""
    network, _, identity = place.rpartition("-")
    return f"{network}-{identity[:_STATION_DIGITS]}"


@dataclass(frozen=True, slots=True, order=True)
class Guti:
    """A temporary identity: the MME that gave it and the M-TMSI (TS 23.003 2.8)."""

    plmn: Plmn
    mme_group_id: int
    mme_code: int
    m_tmsi: int

    def __str__(self) -> str:
        return f"{self.plmn}-{self.mme_group_id:04x}-{self.mme_code:02x}-{self.m_tmsi:08x}"


def check_imsi(text: str) -> str:
    """Return the IMSI if it is 6 to 15 digits (TS 23.003 2.2), else raise ValueError."""
    return _digits(text, tuple(range(6, 16)), "IMSI")


def check_msisdn(text: str) -> str:
    """Return an MSISDN (TS 23.003 3.3) without its plus, or nothing for none. Raises ValueError for what is none."""
    digits = text.removeprefix("+")
    return _digits(digits, tuple(range(1, 16)), "MSISDN") if text else ""


def check_iccid(text: str) -> str:
    """Return an ICCID (ITU-T E.118), or nothing for none. Raises ValueError for what is none."""
    return _digits(text, tuple(range(1, 21)), "ICCID") if text else ""
