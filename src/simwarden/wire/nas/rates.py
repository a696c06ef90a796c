"""Bit rates of bearers and APNs as NAS codes them (TS 24.301 9.9.4.2, 9.9.4.3): an octet, then extensions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: codes of the first octet, and of its extension, with the kbit/s that a code stands for: (first code, kbit/s, step)
_FIRST: Final = ((1, 1, 1), (64, 64, 8), (128, 576, 64), (255, 0, 0))
_EXTENDED: Final = ((1, 8_700, 100), (75, 17_000, 1_000), (187, 130_000, 2_000), (251, 0, 0))
#: of a bearer's rates above 256 Mbit/s (9.9.4.3); those of an APN count as so many times 256 Mbit/s (9.9.4.2)
_EXTENDED_2: Final = ((1, 260_000, 4_000), (62, 510_000, 10_000), (162, 1_600_000, 100_000), (247, 0, 0))
_HIGHEST, _ZERO = 0xFE, 0xFF
_STEP_OF_AMBR: Final = 256_000
_MOST_OF_AMBR: Final = 254 * _STEP_OF_AMBR + _STEP_OF_AMBR


def _code(kbits: int, table: tuple[tuple[int, int, int], ...]) -> int:
    """Return the highest code that does not stand for more, 0 if there is none."""
    found = 0
    for (first, least, step), (beyond, _, _) in pairwise(table):
        if kbits >= least:
            found = min(first + (kbits - least) // step, beyond - 1)
    return found


def _value(code: int, table: tuple[tuple[int, int, int], ...]) -> int:
    for (first, least, step), (beyond, _, _) in pairwise(table):
        if first <= code < beyond:
            return least + (code - first) * step
    return 0


class Coded(NamedTuple):
    """A rate in its octet and those of the two extensions, 0 where they say nothing."""

    octet: int
    extended: int = 0
    extended_2: int = 0

    @classmethod
    def of(cls, kbits: int) -> Coded:
        """Code a rate of a bearer, rounded down to one that there is."""
        if not kbits:
            return cls(_ZERO)
        extended = _code(kbits, _EXTENDED)
        return cls(_HIGHEST if extended else _code(kbits, _FIRST), extended, _code(kbits, _EXTENDED_2))

    @classmethod
    def of_ambr(cls, kbits: int) -> Coded:
        """Code a rate of an APN, where the second extension counts whole 256 Mbit/s."""
        times, rest = divmod(min(kbits, _MOST_OF_AMBR), _STEP_OF_AMBR)
        if times and rest < _EXTENDED[0][1]:  # the rest needs its own extension
            times, rest = times - 1, _STEP_OF_AMBR
        return cls.of(rest)._replace(extended_2=times)

    @property
    def kbits(self) -> int:
        """The rate of a bearer."""
        return _value(self.extended_2, _EXTENDED_2) or self._first()

    @property
    def kbits_of_ambr(self) -> int:
        """The rate of an APN."""
        return self._first() + self.extended_2 * _STEP_OF_AMBR

    def _first(self) -> int:
        return _value(self.extended, _EXTENDED) or _value(self.octet, _FIRST)


def _join(rates: Iterable[Coded]) -> bytes:
    """Return the octets of all rates, then their extensions up to the last that is not zero."""
    levels = [bytes(level) for level in zip(*rates, strict=True)]
    while len(levels) > 1 and not any(levels[-1]):
        levels.pop()
    return b"".join(levels)


class BitRates(NamedTuple):
    """Rates of a bearer in kbit/s."""

    mbr_uplink: int = 0
    mbr_downlink: int = 0
    gbr_uplink: int = 0
    gbr_downlink: int = 0


def encode_rates(rates: BitRates) -> bytes:
    """Return what follows the QCI in an EPS QoS: nothing for a bearer without guaranteed rate."""
    if not any(rates):
        return b""
    return _join(map(Coded.of, rates))


def decode_rates(octets: bytes) -> BitRates:
    """Return the rates of a bearer. Raises ValueError where octets lack."""
    if len(octets) not in (0, 4, 8, 12):
        raise ValueError(f"bit rates in {len(octets)} octets")
    if not octets:
        return BitRates()
    levels = [octets[at : at + 4] for at in range(0, len(octets), 4)]
    return BitRates(*(Coded(*each).kbits for each in zip(*levels, strict=True)))


class Ambr(NamedTuple):
    """The APN-AMBR in kbit/s; it stands downlink first (9.9.4.2)."""

    downlink: int
    uplink: int


def encode_ambr(rates: Ambr) -> bytes:
    """Return an APN-AMBR."""
    return _join(map(Coded.of_ambr, rates))


def decode_ambr(octets: bytes) -> Ambr:
    """Return an APN-AMBR. Raises ValueError where octets lack."""
    if len(octets) not in (2, 4, 6):
        raise ValueError(f"an APN-AMBR of {len(octets)} octets")
    levels = [octets[at : at + 2] for at in range(0, len(octets), 2)]
    down, up = (Coded(*each).kbits_of_ambr for each in zip(*levels, strict=True))
    return Ambr(down, up)
