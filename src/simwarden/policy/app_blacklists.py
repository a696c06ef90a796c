"""Guideline 2.2.4: which of a blacklist's entries a name or an address is of; the most specific one counts.

An entry closes what an app of people is known by, or keeps open what devices need beside it. Of two that fit alike, the
one of the card's use counts before that of all cards, and then the one that closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simwarden.model.network import Network
from simwarden.policy.access_list import Destination, ipv4_in

if TYPE_CHECKING:
    from collections.abc import Iterable


class Entry(NamedTuple):
    """An entry of a card's blacklist: an app's destination, closed, or one that devices need, which is not.

    `who` is the app, or what is needed, by its name in the lists; `for_use` says that it is of the card's use alone.
    """

    destination: Destination
    denied: bool
    who: str
    for_use: bool = False

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """How specific it is: of entries for one name or address that with the highest counts."""
        host = self.destination.host
        if isinstance(host, Network):
            return host.length, self.for_use, self.denied
        # `a.example` has the dots of `*.example`, and is more specific
        return host.count(".") + (not host.startswith("*")), self.for_use, self.denied


class _Label:
    """A label of names: the entries for the name that ends here, and for all names that go on below."""

    __slots__ = ("alone", "below", "labels")

    def __init__(self) -> None:
        self.labels: dict[str, _Label] = {}
        self.alone: Entry | None = None
        self.below: Entry | None = None


class Blacklist:
    """A blacklist of one use of cards. A look-up of a name takes a step a label, of an address one a prefix length.

    `entries` are in the order in which they count, those of names first: the first that fits a name or address decides.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(sorted(entries, key=_order))
        self._top = _Label()
        self._networks: dict[int, dict[int, dict[int, Entry]]] = {32: {}, 128: {}}  # by width, length and leading bits
        for entry in reversed(self.entries):  # what counts more is put last
            if isinstance(entry.destination.host, Network):
                self._put_network(entry.destination.host, entry)
            else:
                self._put_name(entry.destination.host, entry)

    def _put_name(self, host: str, entry: Entry) -> None:
        at = self._top
        for label in reversed(host.removeprefix("*.").split(".")):
            at = at.labels.setdefault(label, _Label())
        if host.startswith("*"):
            at.below = entry
        else:
            at.alone = entry

    def _put_network(self, network: Network, entry: Entry) -> None:
        by_length = self._networks[network.width]
        by_length.setdefault(network.length, {})[network.start >> network.width - network.length] = entry

    def by_name(self, name: str) -> Entry | None:
        """Return the entry that counts for a name (a DNS name, an HTTP host without its port, a TLS server name).

        Letters are those of the wire: a name of other letters in its A-label form (RFC 5890 2.3.2.1). None: no entry.
        """
        at, found = self._top, None
        for label in reversed(name.lower().rstrip(".").split(".")):
            if at.below is not None:
                found = at.below
            following = at.labels.get(label)
            if following is None:
                return found
            at = following
        return at.alone or found

    def by_address(self, address: bytes) -> Entry | None:
        """Return the entry that counts for an address of 4 or 16 octets; None: no entry.

        An IPv6 address that holds an IPv4 one (mapped, NAT64, 6to4) is also that one: it leads to the same party.
        """
        value, width = int.from_bytes(address), len(address) * 8
        for length, networks in reversed(self._networks[width].items()):  # the longest were put last
            if (found := networks.get(value >> width - length)) is not None:
                return found
        held = ipv4_in(address)
        return self.by_address(held) if held is not None else None


def _order(entry: Entry) -> tuple[bool, int, int, int]:
    specific, for_use, denied = entry.rank
    return isinstance(entry.destination.host, Network), -specific, -for_use, -denied
