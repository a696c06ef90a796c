"""Where to listen or to connect, as files say it: `host:port`."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
#: what addresses look like, as patterns that Python and ECMA 262 read alike; of IPv6 what may be one
IPV4, IPV6 = rf"({_OCTET}\.){{3}}{_OCTET}", r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*"
PORT = r"(6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[0-5]?\d{1,4})"
#: letters, digits, hyphens; underscores too, which containers have in their names
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?", re.ASCII)
#: what systems read as a part of an IPv4 address (`1.2.3` as 1.2.0.3, `0x7f.1` as 127.0.0.1)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def read_address(text: str, port: int = 0) -> tuple[str, int]:
    """Read a host (IPv4, IPv6 in brackets, or a name) and port; where `port` is given it is the default.

    A host whose last part is a number is an IPv4 address of four parts, and nothing shorter. Raises ValueError.
    """
    host, colon, number = text.rpartition(":")
    if (not colon or number.endswith("]")) and port:
        host, number = text, str(port)
    if not re.fullmatch(r"[0-9]{1,5}", number, re.ASCII) or int(number) > 65535:
        raise ValueError(f"{text!r} is no address; write host:port")
    try:
        if host.startswith("[") and host.endswith("]"):
            return str(ipaddress.IPv6Address(host[1:-1])), int(number)
        if is_number(host):
            return str(ipaddress.IPv4Address(host)), int(number)
    except ValueError as error:
        raise ValueError(f"{host!r} is no IP address") from error
    if not _NAME.fullmatch(host):
        raise ValueError(f"{text!r} is no address; write host:port, and IPv6 in brackets")
    return host, int(number)


def read_addresses(text: str, port: int = 0) -> tuple[str, int]:
    """Read an address as `read_address` does, or several of one port (`192.0.2.7,198.51.100.7:2905`), all of IPv4.

    The hosts of several are returned with commas between them. Raises ValueError.
    """
    hosts, comma, last = text.rpartition(",")
    if not comma:
        return read_address(text, port)
    read = [read_address(each.strip(), port or 1) for each in (*hosts.split(","), last)]
    if not all(is_number(host) for host, _ in read) or any(":" in each for each in hosts.split(",")):
        raise ValueError(
            f"{text!r}: several addresses are IPv4 addresses of one port; write 192.0.2.7,198.51.100.7:port"
        )
    return ",".join(dict.fromkeys(host for host, _ in read)), read_address(last.strip(), port)[1]


def split_port(text: str, default: int) -> tuple[str, int]:
    """Return address and port of `ADDRESS:PORT`, IPv6 in brackets, or of an IP address alone. Raises ValueError."""
    host, colon, port = text, "", ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        colon, port = port[:1], port[1:]
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
    if colon and not (colon == ":" and port.isdecimal() and 0 < int(port) <= 65535):
        raise ValueError(f"{port!r} is no port")
    return str(ipaddress.ip_address(host)), int(port or default)


def is_number(host: str) -> bool:
    """Whether systems read a host as an IPv4 address, in whatever form."""
    return bool(_NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]))


def as_network(text: str) -> str:
    """Return an address or a network (`192.0.2.0/24`) as a network. Raises ValueError."""
    return str(ipaddress.ip_network(text))


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Return True if an IP address is in one of some networks, False also for any other text."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in ipaddress.ip_network(each) for each in networks)
