"""Frames as packets that Wireshark decodes: what stands around the octets of each interface in a capture.

Streams (Diameter, MQTT) are put into IPv4 and TCP, messages (S1AP, X2AP, Diameter on SCTP) into IPv4 and SCTP,
datagrams into IPv4 and UDP. What a family has outside IP (APDUs, the NAS messages of the radio) are exported PDUs; what
Wireshark cannot read, as radio frames without NAS, are exported PDUs without octets, named in the packet list only.
Addresses are from the documentation ranges of RFC 5737, one an element; datagrams have their own, which messages
say.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simwarden.model.interfaces import Service, spoken_on
from simwarden.wire.checksum import checksum
from simwarden.wire.family import Export, Known, family_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.model.interfaces import Interface
    from simwarden.trace.events import Frame
    from simwarden.wire.dissection import Dissection

LINKTYPE_RAW: Final = 101
LINKTYPE_WIRESHARK_UPPER_PDU: Final = 252

_TCP, _UDP, _SCTP = 6, 17, 132
_IPV6: Final = 16
_CLIENT_PORTS: Final = 49152
_SEGMENT: Final = 60000
_FIRST_SEQUENCE: Final = 1
#: options of an exported PDU (Wireshark, epan/exported_pdu.h)
_TAG_DISSECTOR, _TAG_SOURCE, _TAG_TARGET, _TAG_PROTOCOL_COLUMN, _TAG_INFO_COLUMN = 12, 20, 21, 33, 36
_INFO: Final = 200
_NETWORKS: Final = ("192.0.2", "198.51.100", "203.0.113")


@dataclass(slots=True)
class _Flow:
    """One direction of a connection: how many octets or chunks it has carried."""

    sequence: int = _FIRST_SEQUENCE
    stream_sequences: dict[int, int] = field(default_factory=dict)


class Packets:
    """Makes packets of frames in their order, and keeps the state of the connections that they belong to."""

    def __init__(self) -> None:
        self._addresses: dict[str, bytes] = {}
        self._asked: dict[int, bytes] = {}
        self._flows: dict[tuple[int, bool], _Flow] = {}
        self._identification = 0

    def of(
        self, frame: Frame, octets: bytes, found: Dissection, inner: tuple[tuple[str, bytes], ...]
    ) -> Iterator[bytes]:
        """Yield the packets of a frame: `octets` are the frame's as the capture shall have them, `inner` those inside.

        A message that is shown together with its answer gives none before that comes.
        """
        service = service_in_ip(frame)
        if service is Service.STREAM:
            for start in range(0, len(octets) or 1, _SEGMENT):
                yield self._tcp(frame, octets[start : start + _SEGMENT])
        elif service is Service.MESSAGES:
            yield self._sctp(frame, octets[:_SEGMENT])
        elif service is Service.DATAGRAMS:
            yield self._udp(frame, octets)
        else:
            yield from (self._exported(frame, each, found) for each in self._exports(frame, octets, inner))

    def _exports(self, frame: Frame, octets: bytes, inner: tuple[tuple[str, bytes], ...]) -> Iterator[Export]:
        asked = self._asked.pop(frame.link, b"")
        messages = inner or ((frame.protocol, octets),)
        for protocol, each in messages:
            export = family_of(protocol).read().export(each, Known(frame.from_client, asked))
            if export is None:
                self._asked[frame.link] = each
            else:
                yield export

    def address(self, element: str) -> bytes:
        """Return the address of an element, the same in all of the capture."""
        address = self._addresses.get(element)
        if address is None:
            number = len(self._addresses)
            network = _NETWORKS[number // 250 % len(_NETWORKS)]
            address = bytes((*map(int, network.split(".")), number % 250 + 1))
            self._addresses[element] = address
        return address

    def _hosts(self, frame: Frame) -> tuple[bytes, bytes]:
        if frame.ends is None:
            return self.address(frame.source), self.address(frame.target)
        source, target = (ipaddress.ip_address(host).packed for host, _ in frame.ends)
        return source, target

    def _ip(self, frame: Frame, protocol: int, payload: bytes) -> bytes:
        source, target = self._hosts(frame)
        if len(source) == _IPV6:
            return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + source + target + payload
        self._identification = self._identification + 1 & 0xFFFF
        length = 20 + len(payload)
        head = (
            struct.pack(">BBHHHBBH", 0x45, 0, length, self._identification, 0x4000, 64, protocol, 0) + source + target
        )
        return head[:10] + checksum(head).to_bytes(2) + head[12:] + payload

    def _ports(self, frame: Frame) -> tuple[int, int]:
        if frame.ends is not None:
            return frame.ends[0][1], frame.ends[1][1]
        client = _CLIENT_PORTS + frame.link % 16000
        point = _point(frame)
        server = point.port if point is not None else 0
        return (client, server) if frame.from_client else (server, client)

    def _flow(self, frame: Frame, *, back: bool = False) -> _Flow:
        return self._flows.setdefault((frame.link, frame.from_client is not back), _Flow())

    def _tcp(self, frame: Frame, payload: bytes) -> bytes:
        flow, back = self._flow(frame), self._flow(frame, back=True)
        source, target = self._ports(frame)
        sequence, acknowledged = flow.sequence & 0xFFFFFFFF, back.sequence & 0xFFFFFFFF
        segment = struct.pack(">HHIIBBHHH", source, target, sequence, acknowledged, 0x50, 0x18, 0xFFFF, 0, 0) + payload
        flow.sequence += len(payload)
        return self._ip(frame, _TCP, segment[:16] + self._checksum(frame, _TCP, segment) + segment[18:])

    def _udp(self, frame: Frame, payload: bytes) -> bytes:
        datagram = struct.pack(">HHHH", *self._ports(frame), 8 + len(payload), 0) + payload
        found = self._checksum(frame, _UDP, datagram)
        return self._ip(frame, _UDP, datagram[:6] + (found if any(found) else b"\xff\xff") + payload)

    def _checksum(self, frame: Frame, protocol: int, data: bytes) -> bytes:
        """Return the checksum of TCP and UDP (RFC 9293 3.1, RFC 768, RFC 8200 8.1), which is over the addresses too."""
        addresses = b"".join(self._hosts(frame))
        return checksum(addresses + struct.pack(">II", len(data), protocol) + data).to_bytes(2)

    def _sctp(self, frame: Frame, payload: bytes) -> bytes:
        flow = self._flow(frame)
        source, target = self._ports(frame)
        tag = frame.link << 1 | frame.from_client
        order = flow.stream_sequences.get(frame.stream, 0)
        flow.stream_sequences[frame.stream] = order + 1
        length = 16 + len(payload)
        chunk = struct.pack(
            ">BBHIHHI", 0, 3, length, flow.sequence & 0xFFFFFFFF, frame.stream, order & 0xFFFF, frame.ppid
        )
        flow.sequence += 1
        packet = struct.pack(">HHII", source, target, tag, 0) + chunk + payload + bytes(-length % 4)
        return self._ip(frame, _SCTP, packet[:8] + struct.pack("<I", crc32c(packet)) + packet[12:])

    def _exported(self, frame: Frame, export: Export, found: Dissection) -> bytes:
        tags = [(_TAG_DISSECTOR, export.dissector.encode())]
        tags += [(_TAG_SOURCE, self.address(frame.source)), (_TAG_TARGET, self.address(frame.target))]
        if export.named:
            named = found.summary[:_INFO].encode()
            tags += [(_TAG_PROTOCOL_COLUMN, frame.interface.encode()), (_TAG_INFO_COLUMN, named)]
        return b"".join(_tag(code, value) for code, value in tags) + bytes(4) + export.octets


def service_in_ip(frame: Frame) -> Service | None:
    """Return how a frame travels in IP; None if a capture has it outside."""
    point = _point(frame)
    if point is None or family_of(frame.protocol).exported:
        return None
    return Service.MESSAGES if frame.on_sctp else point.service


def _point(frame: Frame) -> Interface | None:
    return next((each for each in spoken_on(frame.interface) if each.protocol == frame.protocol), None)


def _tag(code: int, value: bytes) -> bytes:
    padded = value + bytes(-len(value) % 4)
    return struct.pack(">HH", code, len(padded)) + padded


def _crc_table() -> list[int]:
    table = []
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC: Final = _crc_table()


def crc32c(data: bytes) -> int:
    """Return the CRC32c of SCTP (RFC 9260 appendix A), which goes onto the wire in little-endian order."""
    value = 0xFFFFFFFF
    for octet in data:
        value = _CRC[(value ^ octet) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF
