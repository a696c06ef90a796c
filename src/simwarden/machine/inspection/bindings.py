"""Which addresses a resolver gave a device for which names, as long as it said that they hold (RFC 1035 3.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: how many addresses of a name are remembered at a time, of all names together
MOST: Final = 256
#: seconds that an address holds at least: with a lifetime of 0 it is for the connection that is opened with it
SHORTEST: Final = 5.0
#: and at most, as resolvers keep them (RFC 8767 4)
LONGEST: Final = 7 * 86_400.0


class Binding(NamedTuple):
    """An address has a name until a time; `since`: when the device was given it, or used it last."""

    until: float
    since: float


#: by address, and by name and True if a resolver that is believed gave it
Known = dict[bytes, dict[tuple[str, bool], Binding]]


def has_names(known: Known, now: float) -> bool:
    """Return True if some address has a name now."""
    return any(each.until > now for names in known.values() for each in names.values())


class Bindings:
    """The addresses of names that one device was given, by resolvers that are believed, and by others."""

    __slots__ = ("_known", "resolvers")

    def __init__(self, resolvers: Collection[bytes] | None = None, known: Known | None = None) -> None:
        """`resolvers`: addresses that are believed, as octets; None: all whose answers reach the device.

        `known`: what the device was given before, which other bindings of the same device may share.
        """
        self.resolvers = resolvers
        self._known: Known = {} if known is None else known

    def believes(self, resolver: bytes) -> bool:
        """Return True if the answers of a resolver are believed."""
        return self.resolvers is None or resolver in self.resolvers

    def learn(self, name: str, addresses: Iterable[bytes], lifetime: float, now: float, by: bytes = b"") -> None:
        """Remember the addresses of a name for `lifetime` seconds; of too many the least recently used is forgotten."""
        until = now + min(max(lifetime, SHORTEST), LONGEST)
        known = name, self.believes(by)
        for address in addresses:
            names = self._known.setdefault(address, {})
            names[known] = Binding(max(until, names[known].until if known in names else 0.0), now)
        self._bound(now)

    def extend(self, address: bytes, names: Iterable[str], now: float, least: float, until: float) -> tuple[str, ...]:
        """Extend names of an address to `until`; return those that would have ended before `least`."""
        known = self._known.setdefault(address, {})
        earlier = tuple(name for name in names if (name, True) not in known or known[name, True].until < least)
        known.update({(name, True): Binding(until, now) for name in earlier})
        if earlier:
            self._bound(now)
        return earlier

    def _bound(self, now: float) -> None:
        """Remove bindings beyond the bound: first those that have ended, or are of resolvers that are not believed."""
        if sum(map(len, self._known.values())) <= MOST:
            return
        known = sorted(
            (sure and until > now, since, address, (name, sure))
            for address, names in self._known.items()
            for (name, sure), (until, since) in names.items()
        )
        for _, _, address, name in known[: len(known) - MOST]:
            del self._known[address][name]
            if not self._known[address]:
                del self._known[address]

    def names_of(self, address: bytes, now: float) -> tuple[str, ...]:
        """Return the names of which an address is one now, by those who are believed."""
        return tuple(name for (name, sure), each in self._known.get(address, {}).items() if sure and each.until > now)

    def told_of(self, address: bytes, now: float) -> tuple[str, ...]:
        """Return the names of which an address is one now, by whoever told so."""
        found = self._known.get(address, {}).items()
        return tuple(dict.fromkeys(name for (name, _), each in found if each.until > now))
