"""Which addresses a resolver gave a device for which names, as long as it said that they hold (RFC 1035 3.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: how many addresses of a name are remembered at a time, of all names together
MOST: Final = 256
#: seconds that an address holds at least: with a lifetime of 0 it is for the connection that is opened with it
SHORTEST: Final = 5.0
#: and at most, as resolvers keep them (RFC 8767 4)
LONGEST: Final = 7 * 86_400.0


class Bindings:
    """What one device was told."""

    __slots__ = ("_until", "resolvers")

    def __init__(self, resolvers: Collection[bytes] | None = None) -> None:
        """`resolvers`: addresses of those who are believed, as octets; None: all whose answers reach the device."""
        self.resolvers = resolvers
        self._until: dict[bytes, dict[str, float]] = {}

    def believes(self, resolver: bytes) -> bool:
        """Whether answers from that address count."""
        return self.resolvers is None or resolver in self.resolvers

    def learn(self, name: str, addresses: Iterable[bytes], lifetime: float, now: float) -> None:
        """Remember the addresses of a name for so many seconds; of too many what ends first is forgotten."""
        until = now + min(max(lifetime, SHORTEST), LONGEST)
        for address in addresses:
            names = self._until.setdefault(address, {})
            names[name] = max(until, names.get(name, 0.0))
        if sum(map(len, self._until.values())) > MOST:
            self._forget(now)

    def _forget(self, now: float) -> None:
        known = sorted((until, each, name) for each, names in self._until.items() for name, until in names.items())
        for index, (until, address, name) in enumerate(known):
            if until > now and index >= len(known) - MOST:
                break
            del self._until[address][name]
            if not self._until[address]:
                del self._until[address]

    def names_of(self, address: bytes, now: float) -> tuple[str, ...]:
        """Return the names of which an address is one now."""
        return tuple(name for name, until in self._until.get(address, {}).items() if until > now)
