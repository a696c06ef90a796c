"""User packets: IPv4 and IPv6, and of what they carry UDP, TCP, ICMP and ICMPv6 as far as a bearer needs them."""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.ip.icmp import (
        Icmp,
        IcmpType,
        Icmpv6Type,
        RouterAdvertisement,
        decode_icmp,
        decode_router_advertisement,
        encode_icmp,
        encode_router_advertisement,
        error_about,
        router_solicitation,
    )
    from simwarden.wire.ip.packet import (
        Flow,
        Packet,
        Protocol,
        address_text,
        addresses_of,
        carried_at,
        decode,
        encode,
        flow_of,
        is_plain,
        is_routed,
        marks_of,
    )
    from simwarden.wire.ip.reading import dissect
    from simwarden.wire.ip.transport import (
        Tcp,
        TcpFlag,
        Udp,
        decode_tcp,
        decode_udp,
        encode_tcp,
        encode_udp,
        mss_of,
        mss_option,
    )

__getattr__ = offer(__name__, "icmp", "packet", "reading", "transport")
