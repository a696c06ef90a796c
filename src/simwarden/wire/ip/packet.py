"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, and what a packet is counted by."""

from __future__ import annotations

import ipaddress
import struct
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.checksum import checksum

_V4 = struct.Struct(">BBHHHBBH4s4s")
_V6 = struct.Struct(">IHBB16s16s")
_FRAGMENT = struct.Struct(">BBHI")
_PORTS = struct.Struct(">HH")
#: headers of IPv6 that stand before what is carried (RFC 8200 4), all but that of fragments with a length in their
#: second octet
_HOP_BY_HOP, _ROUTING, _FRAGMENTED, _DESTINATION = 0, 43, 44, 60
_EXTENSIONS: Final = frozenset({_HOP_BY_HOP, _ROUTING, _FRAGMENTED, _DESTINATION})
#: the first octet of an IPv4 packet without options; options (RFC 791 3.1), of which two are source routes
_PLAIN_V4: Final = 0x45
_END_OF_OPTIONS, _NO_OPERATION = 0, 1
_SOURCE_ROUTES: Final = frozenset({131, 137})


class Protocol(IntEnum):
    """Protocols in IP (IANA)."""

    ICMP = 1
    TCP = 6
    UDP = 17
    ESP = 50
    AH = 51
    ICMPV6 = 58


#: where the security parameter index stands in what IP carries (RFC 4303 2, RFC 4302 2)
_SPI_AT: Final = {int(Protocol.ESP): 0, int(Protocol.AH): 4}


class Packet(NamedTuple):
    """A packet without its header; extension headers of IPv6 other than that of fragments are left out.

    `offset` is that of a fragment, in octets; `more`: it is not the last.
    """

    source: str
    destination: str
    protocol: int
    payload: bytes
    hop_limit: int = 64
    traffic_class: int = 0
    identification: int = 0
    offset: int = 0
    more: bool = False

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.source else 4


class Flow(NamedTuple):
    """What a packet belongs to: protocol, and the ends' addresses as octets, with ports where the protocol has some."""

    protocol: int
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int

    def back(self) -> Flow:
        """Return the flow of the packets in the other direction."""
        return Flow(self.protocol, self.destination, self.destination_port, self.source, self.source_port)


class Marks(NamedTuple):
    """What a packet is told by beside its flow: traffic class (or type of service), flow label, and IPsec's SPI.

    A label is None in IPv4, an SPI where there is none, or the packet is no first fragment.
    """

    traffic_class: int
    flow_label: int | None
    spi: int | None


def pseudo_header(source: str, destination: str, protocol: int, length: int) -> bytes:
    """Return what transport protocols sum up with their own octets (RFC 9293 3.1, RFC 8200 8.1)."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return ends + struct.pack(
        ">II" if len(ends) == 32 else ">HH", *((length, protocol) if len(ends) == 32 else (protocol, length))
    )


def encode(packet: Packet) -> bytes:
    """Return a packet's octets. Raises ValueError on a value that cannot be."""
    ends = [ipaddress.ip_address(each).packed for each in (packet.source, packet.destination)]
    if len(ends[0]) != len(ends[1]) or packet.offset % 8:
        raise ValueError(f"{packet.source} and {packet.destination} are of two versions of IP, or the offset is odd")
    try:
        return _encode_v4(packet, *ends) if len(ends[0]) == 4 else _encode_v6(packet, *ends)
    except struct.error as error:
        raise ValueError(str(error)) from None


def _encode_v4(packet: Packet, source: bytes, destination: bytes) -> bytes:
    fragment = packet.offset // 8 | (0x2000 if packet.more else 0)
    head = _V4.pack(
        *(0x45, packet.traffic_class, 20 + len(packet.payload), packet.identification, fragment),
        *(packet.hop_limit, packet.protocol, 0, source, destination),
    )
    return head[:10] + checksum(head).to_bytes(2) + head[12:] + packet.payload


def _encode_v6(packet: Packet, source: bytes, destination: bytes) -> bytes:
    payload, following = packet.payload, packet.protocol
    if packet.offset or packet.more:
        payload = _FRAGMENT.pack(following, 0, packet.offset | packet.more, packet.identification) + payload
        following = _FRAGMENTED
    first = 6 << 28 | packet.traffic_class << 20
    return _V6.pack(first, len(payload), following, packet.hop_limit, source, destination) + payload


def decode(data: bytes) -> Packet:
    """Return a packet; octets after its end are padding. Raises PeerError."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        return _decode_v4(data)
    if version == 6 and len(data) >= 40:
        return _decode_v6(data)
    raise PeerError(f"no IP header in {len(data)} octets")


def _decode_v4(data: bytes) -> Packet:
    _, tos, length, identification, fragment, ttl, protocol, _, source, destination = _V4.unpack_from(data)
    start = 4 * (data[0] & 15)
    if not 20 <= start <= length <= len(data):
        raise PeerError(f"IPv4 packet of {len(data)} octets says {length}, {start} of them its header")
    if checksum(data[:start]):
        raise PeerError("IPv4 header with a wrong checksum")
    ends = str(ipaddress.IPv4Address(source)), str(ipaddress.IPv4Address(destination))
    offset, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
    return Packet(*ends, protocol, data[start:length], ttl, tos, identification, offset, more)


class _Headers(NamedTuple):
    """What the headers of an IPv6 packet say: what follows them, where, and where the packet ends."""

    protocol: int
    at: int
    end: int
    identification: int = 0
    offset: int = 0
    more: bool = False


def _headers_v6(data: bytes) -> _Headers:
    """Walk to what a packet carries; of a fragment, to what its header says (RFC 8200 4.5). Raises PeerError.

    Headers behind that of a fragment are part of what is cut: offsets of fragments count them.
    """
    end, following = 40 + int.from_bytes(data[4:6]), data[6]
    if end > len(data):
        raise PeerError(f"IPv6 packet of {len(data)} octets says {end - 40}")
    at, identification, offset, more = 40, 0, 0, False
    while following in _EXTENSIONS and not (offset or more):
        if at + 8 > end:
            raise PeerError("IPv6 packet ends in an extension header")
        if following == _FRAGMENTED:
            following, _, place, identification = _FRAGMENT.unpack_from(data, at)
            offset, more, size = place & 0xFFF8, bool(place & 1), 8
        else:
            following, size = data[at], 8 + 8 * data[at + 1]
        at += size
    if at > end:
        raise PeerError("IPv6 packet ends in an extension header")
    return _Headers(following, at, end, identification, offset, more)


def _decode_v6(data: bytes) -> Packet:
    first, _, _, hops, source, destination = _V6.unpack_from(data)
    found = _headers_v6(data)
    ends = str(ipaddress.IPv6Address(source)), str(ipaddress.IPv6Address(destination))
    carried, traffic_class = data[found.at : found.end], first >> 20 & 0xFF
    return Packet(*ends, found.protocol, carried, hops, traffic_class, found.identification, found.offset, found.more)


@lru_cache(maxsize=4096)
def address_text(octets: bytes) -> str:
    """Return an address of 4 or 16 octets as text."""
    return str(ipaddress.ip_address(octets))


def addresses_of(data: bytes) -> tuple[bytes, bytes]:
    """Return source and destination of a packet as octets, by its header alone. Raises PeerError."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        return data[12:16], data[16:20]
    if version == 6 and len(data) >= 40:
        return data[8:24], data[24:40]
    raise PeerError(f"no IP header in {len(data)} octets")


def marks_of(data: bytes) -> Marks:
    """Return what a packet of which `flow_of` has told the flow is told by beside it. Raises PeerError."""
    packet, label = _carried(data), int.from_bytes(data[1:4]) & 0xFFFFF if data[0] >> 4 == 6 else None
    at = _SPI_AT.get(packet.protocol)
    spi = packet.payload[at : at + 4] if at is not None and not packet.offset else b""
    return Marks(packet.traffic_class, label, int.from_bytes(spi) if len(spi) == 4 else None)


def _carried(data: bytes) -> Packet:
    """Return a packet whose header is of no interest otherwise: a checksum that is wrong says nothing of it."""
    if data[0] >> 4 == 6:
        return _decode_v6(data)
    fragment = int.from_bytes(data[6:8])
    return Packet("", "", data[9], data[4 * (data[0] & 15) :], traffic_class=data[1], offset=(fragment & 0x1FFF) * 8)


def carried_at(data: bytes) -> int:
    """Return where what a packet carries begins; octets behind its end are no part of it. Raises PeerError."""
    if data[:1] < b"\x60":
        return 4 * (data[0] & 15) if data else 0
    if len(data) < 40:
        raise PeerError(f"no IP header in {len(data)} octets")
    return 40 if data[6] not in _EXTENSIONS else _headers_v6(data).at


def is_plain(data: bytes) -> bool:
    """Whether a packet has a header without options or extensions, and is no fragment."""
    if data[0] == _PLAIN_V4:
        return not (data[6] & 0x3F or data[7])
    return data[0] >> 4 == 6 and data[6] not in _EXTENSIONS


def is_routed(data: bytes) -> bool:
    """Whether a packet goes to others than its destination first: by a source route (RFC 791 3.1, RFC 8200 4.4).

    Raises PeerError.
    """
    if data[0] >> 4 == 6:
        return _routed_v6(data)
    options, at = data[20 : 4 * (data[0] & 15)], 0
    while at < len(options) and options[at] != _END_OF_OPTIONS:
        if options[at] in _SOURCE_ROUTES:
            return True
        size = 1 if options[at] == _NO_OPERATION else options[at + 1] if at + 1 < len(options) else 0
        if not size or (size == 1 and options[at] != _NO_OPERATION) or at + size > len(options):
            raise PeerError("IPv4 header ends in an option")
        at += size
    return False


def _routed_v6(data: bytes) -> bool:
    _headers_v6(data)  # they end within it
    following, at = data[6], 40
    while following in _EXTENSIONS:
        if following == _ROUTING and data[at + 3]:
            return True
        if following == _FRAGMENTED and int.from_bytes(data[at + 2 : at + 4]) & 0xFFF9:
            return False  # what follows is told when all of it is there
        following, at = data[at], at + (8 if following == _FRAGMENTED else 8 + 8 * data[at + 1])
    return False


def flow_of(data: bytes) -> Flow:
    """Return the flow of a packet; ports are 0 where it has none, or is not the first fragment. Raises PeerError."""
    source, destination = addresses_of(data)
    if len(source) == 4:
        protocol, at, first = data[9], 4 * (data[0] & 15), not int.from_bytes(data[6:8]) & 0x1FFF
    elif data[6] not in _EXTENSIONS:
        protocol, at, first = data[6], 40, True
    else:
        found = _headers_v6(data)
        protocol, at, first = found.protocol, found.at, not found.offset
    if first and protocol in (Protocol.TCP, Protocol.UDP) and at + 4 <= len(data):
        near, far = _PORTS.unpack_from(data, at)
        return Flow(protocol, source, near, destination, far)
    return Flow(protocol, source, 0, destination, 0)
