"""IPv4 addresses for devices, given out in order; those given back are used again last."""

from __future__ import annotations

import ipaddress
from collections import deque


class AddressPool:
    """The host addresses of a network."""

    def __init__(self, network: str) -> None:
        self._network = ipaddress.IPv4Network(network)
        self._next = 1
        self._returned: deque[str] = deque()

    def take(self) -> str:
        """Return an address that nobody has, empty if there is none."""
        if self._next < self._network.num_addresses - 1:
            self._next += 1
            return str(self._network.network_address + self._next - 1)
        return self._returned.popleft() if self._returned else ""

    def give_back(self, address: str) -> None:
        """Take an address back."""
        self._returned.append(address)
