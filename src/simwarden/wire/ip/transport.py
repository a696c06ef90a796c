"""UDP (RFC 768) and the TCP header (RFC 9293 3.1)."""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.checksum import checksum
from simwarden.wire.ip.packet import Packet, Protocol, pseudo_header

_UDP = struct.Struct(">HHHH")
_TCP = struct.Struct(">HHIIHHHH")
#: kinds of options (RFC 9293 3.1)
_END, _NOTHING, _MSS = 0, 1, 2


class Udp(NamedTuple):
    """A datagram."""

    source_port: int
    destination_port: int
    payload: bytes


class TcpFlag(IntFlag):
    """Control bits of a segment."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10
    URG = 0x20
    ECE = 0x40
    CWR = 0x80


class Tcp(NamedTuple):
    """A segment; options as octets, padded to a multiple of four when sent."""

    source_port: int
    destination_port: int
    sequence: int
    acknowledgement: int
    flags: TcpFlag
    window: int
    payload: bytes = b""
    options: bytes = b""

    @property
    def length(self) -> int:
        """What it takes of the sequence: its octets, and one for SYN and FIN each (RFC 9293 3.4)."""
        return len(self.payload) + bool(self.flags & TcpFlag.SYN) + bool(self.flags & TcpFlag.FIN)


def _sum(packet: Packet, data: bytes) -> int:
    return checksum(pseudo_header(packet.source, packet.destination, packet.protocol, len(data)) + data)


def encode_udp(udp: Udp, source: str, destination: str) -> Packet:
    """Return the packet of a datagram; a checksum of 0 is sent as all ones."""
    length = 8 + len(udp.payload)
    data = _UDP.pack(udp.source_port, udp.destination_port, length, 0) + udp.payload
    packet = Packet(source, destination, Protocol.UDP, data)
    total = _sum(packet, data) or 0xFFFF
    return packet._replace(payload=data[:6] + total.to_bytes(2) + data[8:])


def decode_udp(packet: Packet) -> Udp:
    """Return the datagram in a packet. Raises PeerError; IPv4 allows to send no checksum.

    By IPv6 a length of 0 is that of a jumbogram (RFC 2675 4): receivers take all octets that there are, however few.
    """
    data = packet.payload
    if len(data) < 8:
        raise PeerError(f"UDP datagram of {len(data)} octets")
    near, far, length, total = _UDP.unpack_from(data)
    length = len(data) if packet.version == 6 and not length else length
    if not 8 <= length <= len(data):
        raise PeerError(f"UDP datagram of {len(data)} octets says {length}")
    if (total or packet.version == 6) and _sum(packet, data[:length]):
        raise PeerError("UDP datagram with a wrong checksum")
    return Udp(near, far, data[8:length])


def encode_tcp(tcp: Tcp, source: str, destination: str) -> Packet:
    """Return the packet of a segment."""
    options = tcp.options + bytes(-len(tcp.options) % 4)
    head = (5 + len(options) // 4) << 12 | tcp.flags
    numbers = tcp.source_port, tcp.destination_port, tcp.sequence, tcp.acknowledgement
    data = _TCP.pack(*numbers, head, tcp.window, 0, 0) + options + tcp.payload
    packet = Packet(source, destination, Protocol.TCP, data)
    return packet._replace(payload=data[:16] + _sum(packet, data).to_bytes(2) + data[18:])


def decode_tcp(packet: Packet) -> Tcp:
    """Return the segment in a packet. Raises PeerError."""
    data = packet.payload
    if len(data) < 20:
        raise PeerError(f"TCP segment of {len(data)} octets")
    near, far, sequence, acknowledgement, head, window, _, _ = _TCP.unpack_from(data)
    start = 4 * (head >> 12)
    if not 20 <= start <= len(data):
        raise PeerError(f"TCP segment of {len(data)} octets, {start} of them its header")
    if _sum(packet, data):
        raise PeerError("TCP segment with a wrong checksum")
    flags = TcpFlag(head & 0xFF)
    return Tcp(near, far, sequence, acknowledgement, flags, window, data[start:], data[20:start])


def mss_option(mss: int) -> bytes:
    """Return the option by which a SYN says the longest segment that its sender takes (RFC 9293 3.7.1)."""
    return bytes((_MSS, 4)) + mss.to_bytes(2)


def mss_of(options: bytes) -> int | None:
    """Return the MSS that the options of a SYN say, None if they do not. Raises PeerError where they end early."""
    at = 0
    while at < len(options) and options[at] != _END:
        if options[at] == _NOTHING:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            raise PeerError(f"TCP option {options[at]} with a wrong length")
        if options[at] == _MSS and size == 4:
            return int.from_bytes(options[at + 2 : at + 4])
        at += size
    return None
