"""Settings of the internet. `profile.yaml` explains each with an example."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from simwarden.runtime.declare import ElementConfig, IpText, Model

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})*", re.ASCII)


class HostConfig(Model):
    """A host: where it is, what it is called, and what it answers."""

    addresses: tuple[IpText, ...] = Field(min_length=1)
    """Its IP addresses, of both versions."""
    names: tuple[str, ...] = ()
    """Its names, which the resolver tells, and which its certificate is for."""
    answers: tuple[Literal["udp", "icmp", "http", "https", "dns"], ...] = ("udp", "icmp", "http", "https")
    """What it answers: datagrams to any port (they are sent back), echo requests, HTTP at port 80, HTTPS at 443, and
    DNS at 53, by the names of all hosts. Other ports of TCP it refuses. Nothing: it only watches."""
    pages: dict[str, Annotated[int, Field(ge=0, le=100_000_000)]] = Field(default_factory=lambda: {"/": 64})
    """Paths that it has for HTTP, with the octets of each; others get 404."""

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_address(each)) for each in value)

    @field_validator("names")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        small = tuple(each.lower().removesuffix(".") for each in value)
        for each in small:
            if len(each) > 253 or not _NAME.fullmatch(each):
                raise ValueError(f"{each!r} is no name of a host (RFC 1123 2.1)")
        return small

    @field_validator("pages")
    @classmethod
    def _are_paths(cls, value: dict[str, int]) -> dict[str, int]:
        for each in value:
            if not each.startswith("/"):
                raise ValueError(f"{each!r} is no path: it begins with /")
        return value


def _hosts() -> dict[str, HostConfig]:
    resolver = HostConfig(
        addresses=("192.0.2.53", "2001:db8::53"), names=("resolver.example",), answers=("icmp", "dns")
    )
    return {
        "server": HostConfig(addresses=("198.51.100.80", "2001:db8:80::80"), names=("server.example",)),
        "elsewhere": HostConfig(addresses=("203.0.113.66", "2001:db8:66::66"), names=("elsewhere.example",)),
        "resolver": resolver,
    }


class InternetConfig(ElementConfig):
    """Settings of the internet."""

    hosts: dict[str, HostConfig] = Field(default_factory=_hosts)
    """Its hosts by name. What comes to an address of nobody is noted as well, and answered by nothing."""
    outside: tuple[IpText, ...] = ("203.0.113.1", "2001:db8:ffff::1")
    """Addresses of programs of this machine in a run with TUN interfaces (`run --tun`)."""

    @field_validator("outside")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_address(each)) for each in value)
