"""How often somebody may try to prove to be somebody else, where what proves it can be guessed (SMPP 3.4 5.2.2)."""

from __future__ import annotations

from collections import deque

from pydantic import Field

from simwarden.runtime.declare import Model, Seconds


class Guessing(Model):
    """How often somebody may try passwords."""

    tries: int = Field(default=5, ge=1)
    """Failed binds from one address in the time."""
    period: Seconds = 300.0
    """The time in which they are counted."""


class Tries:
    """Binds that failed, by the address from which they came; of those who fail most recently a bounded number."""

    _MOST = 10_000

    def __init__(self, period: float) -> None:
        self._period = period
        self._failed: dict[str, deque[float]] = {}

    def count(self, address: str, now: float) -> int:
        """Return how many failed from there lately."""
        found = self._failed.get(address, deque())
        while found and found[0] <= now - self._period:
            found.popleft()
        return len(found)

    def begin(self, address: str, now: float) -> None:
        """Count one that is being tried: others beside it are counted before it has failed."""
        found = self._failed.pop(address, None) or deque()
        found.append(now)
        self._failed[address] = found
        if len(self._failed) > self._MOST:
            del self._failed[next(iter(self._failed))]

    def succeed(self, address: str) -> None:
        """Take back one that was right."""
        if self._failed.get(address):
            self._failed[address].pop()


def address_of(remote: str, *, internal: bool) -> str:
    """Return from where a connection came: an element, or a host without its port."""
    return remote if internal else remote.rpartition(":")[0].strip("[]")
