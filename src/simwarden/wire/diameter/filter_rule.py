"""IPFilterRule (RFC 6733 4.3.1) as the Flow-Description of Gx has it (TS 29.212 5.4.2).

    permit out 6 from 192.0.2.10/32 443,8000-8100 to assigned

It permits, and its direction is always out: what follows `from` is the far end, what follows `to` the device, whichever
way a packet goes. Options and addresses that are inverted (`!`) are not taken.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from simwarden.errors import PeerError
from simwarden.model.network import Network

#: the addresses of an end: None is any, `assigned` are those that the device has been given
Host: TypeAlias = "Network | Literal['assigned'] | None"

#: longer than what any ten lists of ports take
_LONGEST: Final = 1024
_RULE: Final = re.compile(
    r"permit out (?P<protocol>ip|[0-9]{1,3})"
    r" from (?P<remote>[0-9A-Fa-f:./]+|any|assigned)(?: (?P<remote_ports>[0-9,-]+))?"
    r" to (?P<local>[0-9A-Fa-f:./]+|any|assigned)(?: (?P<local_ports>[0-9,-]+))?",
    re.ASCII,
)
_PORTS: Final = re.compile(r"(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?", re.ASCII)
_PREFIX: Final = re.compile(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?", re.ASCII)


class FilterRule(NamedTuple):
    """Packets between the device (`local`) and a far end (`remote`); no ports are any."""

    protocol: int | None = None
    remote: Host = None
    remote_ports: tuple[range, ...] = ()
    local: Host = "assigned"
    local_ports: tuple[range, ...] = ()

    @classmethod
    def parse(cls, text: str) -> FilterRule:
        """Read a Flow-Description. Raises PeerError for what is none, or breaks a restriction of TS 29.212 5.4.2."""
        match = _RULE.fullmatch(" ".join(filter(None, text.split(" "))) if len(text) <= _LONGEST else "")
        if match is None:
            raise PeerError(f"{text[:80]!r} is no Flow-Description")
        return cls(
            _protocol(match["protocol"]),
            _host(match["remote"]),
            _ports(match["remote_ports"]),
            _host(match["local"]),
            _ports(match["local_ports"]),
        )

    def __str__(self) -> str:
        protocol = "ip" if self.protocol is None else str(self.protocol)
        remote, local = _end(self.remote, self.remote_ports), _end(self.local, self.local_ports)
        return f"permit out {protocol} from {remote} to {local}"


def _protocol(word: str) -> int | None:
    if word == "ip":
        return None
    if int(word) > 255:
        raise PeerError(f"{word} is no protocol")
    return int(word)


def _host(word: str) -> Host:
    if word == "any":
        return None
    if word == "assigned":
        return "assigned"
    if not _PREFIX.fullmatch(word):  # a mask is written as its number of bits
        raise PeerError(f"{word!r} is neither an address nor a prefix")
    try:
        return Network.parse(word, strict=True)
    except ValueError as error:
        raise PeerError(str(error)) from None


def _ports(words: str | None) -> tuple[range, ...]:
    return tuple(_range(each) for each in words.split(",")) if words else ()


def _range(word: str) -> range:
    match = _PORTS.fullmatch(word)
    first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (1, 0)
    if not first <= last < 1 << 16:
        raise PeerError(f"{word!r} is neither a port nor a range of ports")
    return range(first, last + 1)


def _end(host: Host, ports: tuple[range, ...]) -> str:
    written = "any" if host is None else str(host)
    numbers = ",".join(str(each[0]) if len(each) == 1 else f"{each[0]}-{each[-1]}" for each in ports)
    return f"{written} {numbers}" if numbers else written
