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
    """What one device was told, by whom it is believed, and by others."""

    __slots__ = ("_until", "resolvers")

    def __init__(self, resolvers: Collection[bytes] | None = None) -> None:
        """`resolvers`: addresses of those who are believed, as octets; None: all whose answers reach the device."""
        self.resolvers = resolvers
        #: by address, and by name and whether that was told by one who is believed
        self._until: dict[bytes, dict[tuple[str, bool], float]] = {}

    def learn(self, name: str, addresses: Iterable[bytes], lifetime: float, now: float, by: bytes = b"") -> None:
        """Remember the addresses of a name for so many seconds; of too many what ends first is forgotten."""
        until = now + min(max(lifetime, SHORTEST), LONGEST)
        known = name, self.resolvers is None or by in self.resolvers
        for address in addresses:
            names = self._until.setdefault(address, {})
            names[known] = max(until, names.get(known, 0.0))
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
        """Return the names of which an address is one now, by those who are believed."""
        return tuple(name for (name, sure), until in self._until.get(address, {}).items() if sure and until > now)

    def told_of(self, address: bytes, now: float) -> tuple[str, ...]:
        """Return the names of which an address is one now, by whoever told so."""
        return tuple(dict.fromkeys(name for (name, _), until in self._until.get(address, {}).items() if until > now))
