"""The generator of an element: small, since there is one for each card and terminal of a fleet, and repeatable."""

from __future__ import annotations

from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
_FRACTION_BITS: Final = 53


class Dice:
    """A generator of numbers that follow from its seed alone: SHA-256 over the seed and a count.

    It has the calls of `random.Random` that elements need, whose state alone would take 2.5 kB. The numbers are of the
    same quality under any seed, and the same on any machine.
    """

    __slots__ = ("_count", "_key")

    def __init__(self, seed: str) -> None:
        self._key = sha256(seed.encode()).digest()
        self._count = 0

    def randbytes(self, length: int) -> bytes:
        """Return so many octets."""
        octets = b""
        while len(octets) < length:
            self._count += 1
            octets += sha256(self._key + self._count.to_bytes(8)).digest()
        return octets[:length]

    def getrandbits(self, bits: int) -> int:
        """Return a number of so many bits."""
        length = (bits + 7) // 8
        return int.from_bytes(self.randbytes(length)) >> length * 8 - bits

    def randrange(self, limit: int) -> int:
        """Return a number from 0 to below `limit`; the bias is less than 2^-64."""
        return self.getrandbits(limit.bit_length() + 64) % limit

    def random(self) -> float:
        """Return a number from 0.0 to below 1.0."""
        return self.getrandbits(_FRACTION_BITS) / (1 << _FRACTION_BITS)

    def uniform(self, low: float, high: float) -> float:
        """Return a number between two."""
        return low + (high - low) * self.random()

    def choices(self, items: Sequence[T], weights: Sequence[float] | None = None) -> list[T]:
        """Return a list of one of the items, each as likely as its weight; without weights all the same."""
        if weights is None:
            return [items[self.randrange(len(items))]]
        bounds = list(accumulate(weights))
        drawn = self.random() * bounds[-1]
        return [next((item for item, bound in zip(items, bounds, strict=True) if drawn < bound), items[-1])]
