"""Addresses for devices: dynamic ones of a pool in order, and static ones, each one device's at a time."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections import deque
from operator import itemgetter
from typing import TYPE_CHECKING

from simulators.pgw.config import INNER
from simwarden.model.network import Network
from simwarden.policy.access_list import leading_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.pgw.config import ApnConfig

#: the length of a device's prefix (TS 23.401 5.3.1.2.2)
PREFIX = 64


class Pool:
    """Dynamic addresses of an IPv4 network, or /64 prefixes of an IPv6 network; those given back are used last."""

    def __init__(self, network: str) -> None:
        whole = ipaddress.ip_network(network)
        self._first = int(whole.network_address)
        self._version = whole.version
        self._step = 1 if whole.version == 4 else 1 << 128 - PREFIX
        #: of IPv4 neither the first nor the last address of the network are a device's
        self._next, self._end = 1, whole.num_addresses // self._step - (whole.version == 4)
        self._returned: deque[str] = deque()

    def take(self, taken: dict[str, object]) -> str:
        """Return an address (the first of its prefix) that is not taken, empty if there is none."""
        while self._next < self._end:
            value = self._first + self._next * self._step
            self._next += 1
            made = str(ipaddress.IPv4Address(value) if self._version == 4 else ipaddress.IPv6Address(value))
            if made not in taken:
                return made
        while self._returned:
            found = self._returned.popleft()
            if found not in taken:
                return found
        return ""

    def give_back(self, address: str) -> None:
        """Take an address back."""
        self._returned.append(address)


def _ranges(width: int, networks: Iterable[Network]) -> list[tuple[int, int]]:
    """Return the first and the last address of each network of so many bits, in order, without those inside others."""
    ranges: list[tuple[int, int]] = []
    for start, length, bits in sorted(networks):
        if bits == width and not (ranges and start <= ranges[-1][1]):
            ranges.append((start, start + (1 << width - length) - 1))
    return ranges


class Addresses:
    """The addresses of an APN's sessions."""

    def __init__(self, config: ApnConfig, taken: dict[str, object], pools: Iterable[str] = ()) -> None:
        """`taken` has all addresses and prefixes that are in use, by any APN; `pools` are the networks of all APNs."""
        self.config, self._taken = config, taken
        inner = INNER if config.inner_networks is None else config.inner_networks
        networks = [Network.parse(each) for each in (*pools, *inner)]
        #: ranges of addresses to which no name leads, with their IPv6 forms
        blocked = [one for each in networks for one in (each, *leading_to(each))]
        self._inner = {bits // 8: _ranges(bits, blocked) for bits in (32, 128)}
        self._pools = {4: Pool(config.ipv4) if config.ipv4 else None, 6: Pool(config.ipv6) if config.ipv6 else None}
        self._static = [ipaddress.ip_network(each) for each in config.static]
        #: those that are of a pool, with it
        self._dynamic: dict[str, Pool] = {}

    def is_inner(self, address: bytes) -> bool:
        """Return True if no name leads to an address, given as octets."""
        value, ranges = int.from_bytes(address), self._inner[len(address)]
        position = bisect_right(ranges, value, key=itemgetter(0))
        return position > 0 and value <= ranges[position - 1][1]

    def has(self, version: int) -> bool:
        """Whether sessions here may have an address of a version: of a pool, or static."""
        return self._pools[version] is not None or any(each.version == version for each in self._static)

    def take(self, version: int, wanted: str, owner: object) -> str:
        """Return an address, the wanted one if one is wanted; empty if it cannot be had."""
        pool, found = self._pools[version], ""
        if wanted:
            value = ipaddress.ip_address(wanted)
            found = wanted if any(value in each for each in self._static) and wanted not in self._taken else ""
        elif pool is not None:
            found = pool.take(self._taken)
            if found:
                self._dynamic[found] = pool
        if found:
            self._taken[found] = owner
        return found

    def give_back(self, address: str) -> None:
        """Let an address be another's."""
        del self._taken[address]
        pool = self._dynamic.pop(address, None)
        if pool is not None:
            pool.give_back(address)

    def is_dynamic(self, address: str) -> bool:
        """Whether an address is of a pool."""
        return address in self._dynamic
