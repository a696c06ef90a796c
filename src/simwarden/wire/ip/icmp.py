"""ICMP (RFC 792) and ICMPv6 (RFC 4443), and how a device learns its prefix (RFC 4861, TS 29.061 11.2.1.3.2)."""

from __future__ import annotations

import ipaddress
import struct
from enum import IntEnum
from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.checksum import checksum
from simwarden.wire.ip.packet import Flow, Packet, Protocol, decode, flow_of, pseudo_header

_HEAD = struct.Struct(">BBHI")
_ADVERTISEMENT = struct.Struct(">BBHBBHII")
_PREFIX = struct.Struct(">BBBBIII16s")
_PREFIX_INFORMATION, _MTU = 3, 5
#: messages of error: destination unreachable, time exceeded, parameter problem (RFC 792); of ICMPv6 all below 128
_ERRORS: Final = frozenset({3, 11, 12})
_V6_ERRORS: Final = range(1, 128)
ALL_NODES: Final = "ff02::1"
ALL_ROUTERS: Final = "ff02::2"


class IcmpType(IntEnum):
    """Messages of ICMP."""

    ECHO_REPLY = 0
    DESTINATION_UNREACHABLE = 3
    ECHO = 8
    TIME_EXCEEDED = 11


class Icmpv6Type(IntEnum):
    """Messages of ICMPv6."""

    DESTINATION_UNREACHABLE = 1
    PACKET_TOO_BIG = 2
    TIME_EXCEEDED = 3
    ECHO_REQUEST = 128
    ECHO_REPLY = 129
    ROUTER_SOLICITATION = 133
    ROUTER_ADVERTISEMENT = 134
    NEIGHBOR_SOLICITATION = 135
    NEIGHBOR_ADVERTISEMENT = 136


class Icmp(NamedTuple):
    """A message of either: `rest` are the four octets of its header after the checksum (identifier and number, MTU)."""

    type: int
    code: int = 0
    rest: int = 0
    payload: bytes = b""


class RouterAdvertisement(NamedTuple):
    """What a PGW tells of a session's prefix; it is on the link alone and never ends while the session lasts."""

    prefix: str
    prefix_length: int = 64
    mtu: int = 0
    router_lifetime: int = 9000


def _protocol(source: str) -> Protocol:
    return Protocol.ICMPV6 if ":" in source else Protocol.ICMP


def _over(packet: Packet) -> bytes:
    """Return what the checksum covers before the message: ICMP has none, ICMPv6 the pseudo-header."""
    if packet.protocol == Protocol.ICMP:
        return b""
    return pseudo_header(packet.source, packet.destination, packet.protocol, len(packet.payload))


def _packet(data: bytes, source: str, destination: str, hop_limit: int = 64) -> Packet:
    packet = Packet(source, destination, _protocol(source), data, hop_limit)
    total = checksum(_over(packet) + data)
    return packet._replace(payload=data[:2] + total.to_bytes(2) + data[4:])


def encode_icmp(message: Icmp, source: str, destination: str) -> Packet:
    """Return the packet of a message, ICMPv6 between addresses of IPv6."""
    return _packet(_HEAD.pack(message.type, message.code, 0, message.rest) + message.payload, source, destination)


def decode_icmp(packet: Packet) -> Icmp:
    """Return the message in a packet. Raises PeerError."""
    if len(packet.payload) < 8:
        raise PeerError(f"ICMP message of {len(packet.payload)} octets")
    if checksum(_over(packet) + packet.payload):
        raise PeerError("ICMP message with a wrong checksum")
    kind, code, _, rest = _HEAD.unpack_from(packet.payload)
    return Icmp(kind, code, rest, packet.payload[8:])


def error_about(data: bytes) -> Flow | None:
    """Return the flow of the packet that a message of error is about (RFC 792, RFC 4443 2.1); None for all others."""
    try:
        packet = decode(data)
        if packet.protocol not in (Protocol.ICMP, Protocol.ICMPV6) or packet.offset or packet.more:
            return None
        message = decode_icmp(packet)
        errors = _ERRORS if packet.version == 4 else _V6_ERRORS
        return flow_of(message.payload) if message.type in errors else None
    except PeerError:
        return None  # what cannot be read is about nothing


def router_solicitation(source: str) -> Packet:
    """Return what a device asks for its prefix with (RFC 4861 4.1)."""
    return _packet(_HEAD.pack(Icmpv6Type.ROUTER_SOLICITATION, 0, 0, 0), source, ALL_ROUTERS, 255)


def encode_router_advertisement(told: RouterAdvertisement, source: str) -> Packet:
    """Return a router advertisement: prefix for autonomous configuration, not on-link, without end (29.061)."""
    prefix = ipaddress.IPv6Address(told.prefix).packed
    forever = 0xFFFFFFFF
    data = _ADVERTISEMENT.pack(Icmpv6Type.ROUTER_ADVERTISEMENT, 0, 0, 64, 0, told.router_lifetime, 0, 0)
    data += _PREFIX.pack(_PREFIX_INFORMATION, 4, told.prefix_length, 0x40, forever, forever, 0, prefix)
    if told.mtu:
        data += struct.pack(">BBHI", _MTU, 1, 0, told.mtu)
    return _packet(data, source, ALL_NODES, 255)


def decode_router_advertisement(packet: Packet) -> RouterAdvertisement:
    """Return what a router advertisement says. Raises PeerError; one from farther than the link is none (6.1.2)."""
    if decode_icmp(packet).type != Icmpv6Type.ROUTER_ADVERTISEMENT or packet.hop_limit != 255:
        raise PeerError("no router advertisement of this link")
    data = packet.payload
    if len(data) < 16:
        raise PeerError(f"router advertisement of {len(data)} octets")
    lifetime = int.from_bytes(data[6:8])
    found, mtu, at = None, 0, 16
    while at + 2 <= len(data):
        size = 8 * data[at + 1]
        if not size or at + size > len(data):
            raise PeerError("router advertisement ends in an option")
        if data[at] == _PREFIX_INFORMATION and size == 32 and found is None:
            found = str(ipaddress.IPv6Address(data[at + 16 : at + 32])), data[at + 2]
        elif data[at] == _MTU and size == 8:
            mtu = int.from_bytes(data[at + 4 : at + 8])
        at += size
    if found is None:
        raise PeerError("router advertisement without a prefix")
    return RouterAdvertisement(*found, mtu, lifetime)
