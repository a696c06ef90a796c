"""Networks of IP addresses, by their bits: the rules of each session have dozens, and are read and written often."""

from __future__ import annotations

import re
from ipaddress import IPv6Network, ip_network
from typing import NamedTuple

_PART = r"(0|[1-9][0-9]{0,2})"
_IPV4 = re.compile(rf"{_PART}\.{_PART}\.{_PART}\.{_PART}(?:/(0|[1-9][0-9]?))?")


class Network(NamedTuple):
    """Addresses with a common prefix of so many bits (`length`); `width` is 32 or 128 bits."""

    start: int
    length: int
    width: int

    def within(self, other: Network) -> bool:
        """Whether another network has all of these addresses."""
        rest = other.width - other.length
        return self.width == other.width and self.length >= other.length and self.start >> rest == other.start >> rest

    def has(self, address: bytes) -> bool:
        """Whether an address, as octets, is one of these."""
        rest = self.width - self.length
        return len(address) * 8 == self.width and int.from_bytes(address) >> rest == self.start >> rest

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> Network:
        """Read `192.0.2.0/28` or `2001:db8::/56`, or an address; `strict`: no bits may be set beyond the prefix.

        Raises ValueError.
        """
        plain = _IPV4.fullmatch(text)
        if plain is not None:
            one, two, three, four, length = map(int, plain.groups("32"))
            start, rest = one << 24 | two << 16 | three << 8 | four, 32 - length
            if max(one, two, three, four) < 256 and rest >= 0 and not start & (1 << rest) - 1:
                return cls(start, length, 32)
        found = ip_network(text, strict=strict)
        return cls(int(found.network_address), found.prefixlen, found.max_prefixlen)

    def __str__(self) -> str:
        if self.width != 32:
            return str(IPv6Network((self.start, self.length)))
        start = self.start
        return f"{start >> 24}.{start >> 16 & 255}.{start >> 8 & 255}.{start & 255}/{self.length}"
