"""User packets, in the tunnels of GTP-U and on SGi."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import Family, Interface, Service

IP: Final = Family(
    name="ip",
    title="IP",
    reading="simwarden.wire.ip.reading:Ip",
    place=90,
    interfaces=(
        Interface("SGi", "ip", Service.MESSAGES, 4998, spec="IP (TS 29.061), a packet a message", may_be_idle=True),
    ),
    exported=True,
    layers=frozenset({"ip", "ipv6", "udp", "tcp", "icmp", "icmpv6", "data"}),
)
