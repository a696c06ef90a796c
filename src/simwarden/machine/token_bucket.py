"""A token bucket: how many octets may pass in one direction (TS 23.401 4.7.3)."""

from __future__ import annotations


class Bucket:
    """A rate; it holds a second's octets, or two packets. `over`: why what is above it is dropped."""

    __slots__ = ("_filled", "_least", "_octets", "_rate", "_size", "over")

    def __init__(self, kbits: float, mtu: int, now: float, over: str) -> None:
        """`kbits` per second; `mtu` and all else that is counted in octets."""
        self.over = over
        self._rate, self._least = kbits * 125.0, 2.0 * mtu
        self._size = max(self._rate, self._least)
        self._octets, self._filled = self._size, now

    def change(self, kbits: float, now: float) -> None:
        """Let so many kbit/s pass from now on; what is left is kept as far as the new rate holds it."""
        self._fill(now)
        self._rate = kbits * 125.0
        self._size = max(self._rate, self._least)
        self._octets = min(self._octets, self._size)

    def take(self, octets: int, now: float) -> bool:
        """Whether so many octets may pass now."""
        if now > self._filled:
            self._fill(now)
        if octets > self._octets:
            return False
        self._octets -= octets
        return True

    def _fill(self, now: float) -> None:
        if now > self._filled:
            self._octets = min(self._size, self._octets + (now - self._filled) * self._rate)
            self._filled = now
