"""Which IP address each element of a run has, and which element is behind an address.

An element's own address is what its messages say (in an F-TEID), the same on every carrier and under any `-j`; its
sockets may be bound to another, and the carriers know both. Where an element outside is to reach ours they are one.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Address = tuple[str, int]
"""Host and port. A multi-homed endpoint of SCTP has several hosts, with commas between them."""
#: elements of one run that have an address of their own on the loopback
_MOST = 250 * 250
#: networks of the loopback for runs that nobody outside takes part in: which of them, and how many; those below are
#: for the workers of runs that somebody does
_FIRST, _NETWORKS = 32, 217


def hosts_of(address: Address) -> tuple[str, ...]:
    """Return the hosts of an address."""
    return tuple(address[0].split(","))


class Addresses:
    """The addresses of one run: 127.W.E.1 by element E, and by worker W or process, unless a file says another."""

    def __init__(
        self,
        worker: int = 0,
        *,
        given: Mapping[str, str] | None = None,
        external: Mapping[str, Mapping[str, Address]] | None = None,
        open_to_outside: bool = False,
    ) -> None:
        """`given` are addresses by element; `external` those of elements outside, by element and interface.

        `open_to_outside`: datagrams go to addresses at which none of the run's elements is.
        """
        self._given, self._external = given or {}, external or {}
        # Ports of GTP are fixed: runs of several processes are apart by address, wherever nobody outside is to know it.
        self._worker = worker if open_to_outside else _FIRST + os.getpid() % _NETWORKS
        self.open_to_outside = open_to_outside
        self._behind = {
            host: name
            for name, each in self._external.items()
            for address in each.values()
            for host in hosts_of(address)
        }
        self._own: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def of(self, element: str) -> str:
        """Return the address of an element of this process, as its messages say it; the first call numbers it."""
        host = self._own.get(element)
        if host is None:
            shown = self._worker if self.open_to_outside else 0
            host = self._given.get(element) or _loopback(shown, len(self._own))
            self._own[element], self._numbers[element] = host, len(self._numbers)
            self._behind[host] = element
        return host

    def bound(self, element: str) -> str:
        """Return the address that the sockets of an element are bound to."""
        own = self.of(element)
        if element in self._given:
            return own
        wide = sys.platform == "linux" and self._worker < 250 and len(self._own) < _MOST
        return _loopback(self._worker, self._numbers[element]) if wide else "127.0.0.1"

    def outside(self, element: str, interface: str) -> Address | None:
        """Return where an element outside is on an interface; None if it is not outside, or not there."""
        found = self._external.get(element, {})
        return found.get(interface) or found.get("")

    def is_outside(self, element: str, interface: str) -> bool:
        """Whether a file says that an element outside is on an interface."""
        return interface in self._external.get(element, {})

    def is_inside(self, host: str) -> bool:
        """Whether an address is that of an element of this process, be it there or not."""
        return self._behind.get(host, "") in self._own

    def behind(self, host: str) -> str:
        """Return the element at an address, of this process or outside; empty if nobody known is."""
        return self._behind.get(host, "")


def _loopback(worker: int, element: int) -> str:
    high, low = divmod(element % _MOST, 250)
    return f"127.{worker + 1}.{low + 1}.{high + 1}"
