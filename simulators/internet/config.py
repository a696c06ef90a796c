"""Settings of the internet. `profile.yaml` explains each with an example."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, field_validator

from simwarden.runtime.declare import ElementConfig, Model


class HostConfig(Model):
    """A host: at which addresses it is, and what it answers."""

    addresses: tuple[str, ...] = Field(min_length=1)
    """Its IP addresses, of both versions."""
    answers: tuple[Literal["udp", "icmp"], ...] = ("udp", "icmp")
    """What it sends back: datagrams to any port, and echo requests. Nothing: it only watches."""

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_address(each)) for each in value)


class InternetConfig(ElementConfig):
    """Settings of the internet."""

    hosts: dict[str, HostConfig] = Field(
        default_factory=lambda: {
            "server": HostConfig(addresses=("198.51.100.80", "2001:db8:80::80")),
            "elsewhere": HostConfig(addresses=("203.0.113.66", "2001:db8:66::66")),
        }
    )
    """Its hosts by name. What comes to an address of nobody is noted as well, and answered by nothing."""
