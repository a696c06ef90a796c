"""Settings of a PGW. `profile.yaml` explains each with an example."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import Field, field_validator

from simwarden.model.identity import parse_place
from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.runtime.declare import CellText, IpNetworkText, IpText, Model
from simwarden.runtime.gtp.charging import RecordLimits
from simwarden.runtime.gtp.config import GtpConfig


class ApnConfig(Model):
    """What sessions of an access point name get."""

    ipv4: IpNetworkText = "10.64.0.0/16"
    """Network of dynamic IPv4 addresses; empty: no IPv4 here."""
    ipv6: IpNetworkText = "2001:db8:64::/48"
    """Network of dynamic /64 prefixes; empty: no IPv6 here."""
    static: tuple[IpNetworkText, ...] = ()
    """Networks of addresses and prefixes that subscriptions may have for good."""
    dns: tuple[IpText, ...] = ("192.0.2.53", "2001:db8::53")
    """DNS servers that a device is told when it asks, of both versions of IP."""
    mtu: int = Field(default=1358, ge=1280, le=9000)
    """MTU that a device is told when it asks; what GTP leaves of 1500 octets (TS 23.060 annex C)."""
    report_location: bool = False
    """Whether each change of tracking area and cell is asked for, of an MME that can report it (CRSI)."""

    @field_validator("ipv4", "ipv6", "static")
    @classmethod
    def _are_networks(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for each in (value,) if isinstance(value, str) else value:
            if each:
                ipaddress.ip_network(each)
        return value

    @field_validator("ipv4")
    @classmethod
    def _is_v4(cls, value: str) -> str:
        if value and ipaddress.ip_network(value).version != 4:
            raise ValueError(f"{value} is no IPv4 network")
        return value

    @field_validator("ipv6")
    @classmethod
    def _has_prefixes(cls, value: str) -> str:
        if value and (ipaddress.ip_network(value).version != 6 or ipaddress.ip_network(value).prefixlen > 64):
            raise ValueError(f"{value} is no IPv6 network of /64 prefixes")
        return value

    @field_validator("dns")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_address(each)) for each in value)


class PgwArea(Model):
    """The cells to which a card's packets are bound, by the location that the MME reports (TS 23.401 5.9.2.2)."""

    by: Literal["pgw"] = "pgw"
    """Who checks."""
    cells: Annotated[tuple[CellText, ...], Field(min_length=1)]
    """Its cells, as E-CGI (`001-01-0000101`) or by name (`enb/1`). Network and eNB identity (`001-01-00001`, `enb/*`)
    stand for all cells of a base station."""

    @field_validator("cells")
    @classmethod
    def _are_cells(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(parse_place(each) for each in value)


class AreaChange(Approval, PgwArea):
    """Body of `PUT /cards/{imsi}/area`."""


class PgwConfig(GtpConfig):
    """Settings of a PGW."""

    sgws: tuple[str, ...] = ("sgw",)
    """Elements, or IP addresses, whose requests it takes; others get cause 109."""
    apns: dict[str, ApnConfig] = Field(default_factory=lambda: {"*": ApnConfig()}, min_length=1)
    """Access point names that it serves, in small letters; `*`: any other. Others get cause 78."""
    emergency_apns: tuple[str, ...] = ("sos",)
    """Access point names of calls for help, which are for cards of any number and for terminals without one."""
    partial_records: RecordLimits = RecordLimits()
    """When a CDR is closed though its session goes on, in another one."""
    area_changes: ChangeLimit = ChangeLimit()
    """How often the cells to which a card's packets are bound may be changed or taken away."""
    ranges: str = ""
    """File of number ranges in place of those that come with simwarden."""
    internet: str = "internet"
    """The element on SGi, to which packets go; empty, or not there: there is no way out, and they are dropped."""
