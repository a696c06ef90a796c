"""Frames as packets that Wireshark decodes: what stands around the octets of each interface in a capture.

Diameter and MQTT are put into IPv4 and TCP, S1AP and X2AP into IPv4 and SCTP; APDUs and the NAS messages of the radio
are exported PDUs. Radio frames without NAS are simwarden's own: exported PDUs without octets, named in the packet list
only.
Addresses are from the documentation ranges of RFC 5737, one an element.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simwarden.model.interfaces import INTERFACES, Service
from simwarden.trace.dissect import is_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.trace.events import Frame
    from simwarden.wire.dissection import Dissection

LINKTYPE_RAW: Final = 101
LINKTYPE_WIRESHARK_UPPER_PDU: Final = 252

_TCP, _SCTP = 6, 132
_ON_SCTP: Final = frozenset({"s1ap", "x2"})
_ATR_STARTS: Final = (b"\x3b", b"\x3f")
_COMMAND_HEADER: Final = 4
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
        self._commands: dict[int, bytes] = {}
        self._flows: dict[tuple[int, bool], _Flow] = {}
        self._identification = 0

    def of(self, frame: Frame, octets: bytes, found: Dissection, nas: tuple[bytes, ...]) -> Iterator[bytes]:
        """Yield the packets of a frame: `octets` are the frame's as the capture shall have them, `nas` those inside."""
        service = INTERFACES[frame.interface].service if frame.interface in INTERFACES else None
        if frame.protocol == "apdu":
            yield from self._card(frame, octets, found)
        elif service is Service.STREAM:
            for start in range(0, len(octets) or 1, _SEGMENT):
                yield self._tcp(frame, octets[start : start + _SEGMENT])
        elif frame.protocol in _ON_SCTP:
            yield self._sctp(frame, octets[:_SEGMENT])
        elif nas:
            for pdu in nas:
                yield self._exported(frame, *_nas_dissector(pdu))
        else:
            yield self._exported(frame, b"data", b"", found.summary)

    def address(self, element: str) -> bytes:
        """Return the address of an element, the same in all of the capture."""
        address = self._addresses.get(element)
        if address is None:
            number = len(self._addresses)
            network = _NETWORKS[number // 250 % len(_NETWORKS)]
            address = bytes((*map(int, network.split(".")), number % 250 + 1))
            self._addresses[element] = address
        return address

    def _ip(self, frame: Frame, protocol: int, payload: bytes) -> bytes:
        self._identification = self._identification + 1 & 0xFFFF
        source, target = self.address(frame.source), self.address(frame.target)
        length = 20 + len(payload)
        head = (
            struct.pack(">BBHHHBBH", 0x45, 0, length, self._identification, 0x4000, 64, protocol, 0) + source + target
        )
        return head[:10] + checksum(head) + head[12:] + payload

    def _ports(self, frame: Frame) -> tuple[int, int]:
        client = _CLIENT_PORTS + frame.link % 16000
        server = INTERFACES[frame.interface].port
        return (client, server) if frame.from_client else (server, client)

    def _flow(self, frame: Frame, *, back: bool = False) -> _Flow:
        return self._flows.setdefault((frame.link, frame.from_client is not back), _Flow())

    def _tcp(self, frame: Frame, payload: bytes) -> bytes:
        flow, back = self._flow(frame), self._flow(frame, back=True)
        source, target = self._ports(frame)
        sequence, acknowledged = flow.sequence & 0xFFFFFFFF, back.sequence & 0xFFFFFFFF
        segment = struct.pack(">HHIIBBHHH", source, target, sequence, acknowledged, 0x50, 0x18, 0xFFFF, 0, 0) + payload
        flow.sequence += len(payload)
        addresses = self.address(frame.source) + self.address(frame.target)
        pseudo = addresses + struct.pack(">BBH", 0, _TCP, len(segment))
        return self._ip(frame, _TCP, segment[:16] + checksum(pseudo + segment) + segment[18:])

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

    def _card(self, frame: Frame, octets: bytes, found: Dissection) -> Iterator[bytes]:
        """Yield a command and its response as one packet, as T=0 has them: five octets of header, no Le behind data."""
        if is_response(frame):
            command = self._commands.pop(frame.link, b"")
            if command:
                yield self._exported(frame, b"gsm_sim", command + octets)
            elif octets[:1] in _ATR_STARTS:
                yield self._exported(frame, b"iso7816.atr", octets, found.summary)
            else:
                yield self._exported(frame, b"data", b"", found.summary)
        elif len(octets) >= _COMMAND_HEADER:
            self._commands[frame.link] = _t0(octets)
        else:  # power, reset, insertion: no APDU, and what answers it is none
            self._commands.pop(frame.link, None)
            yield self._exported(frame, b"data", b"", found.summary)

    def _exported(self, frame: Frame, dissector: bytes, payload: bytes, info: str = "") -> bytes:
        tags = [(_TAG_DISSECTOR, dissector)]
        tags += [(_TAG_SOURCE, self.address(frame.source)), (_TAG_TARGET, self.address(frame.target))]
        if info:
            tags += [(_TAG_PROTOCOL_COLUMN, frame.interface.encode()), (_TAG_INFO_COLUMN, info[:_INFO].encode())]
        return b"".join(_tag(code, value) for code, value in tags) + bytes(4) + payload


def _t0(command: bytes) -> bytes:
    if len(command) == 4:
        return command + b"\0"
    return command[: 5 + command[4]] if len(command) > 5 else command


def _nas_dissector(pdu: bytes) -> tuple[bytes, bytes]:
    """Return which dissector reads a NAS message, and the message: one in clear has no security header."""
    return (b"nas-eps_plain" if pdu[:1] and (pdu[0] >> 4 == 0 or pdu[0] & 15 != 7) else b"nas-eps"), pdu


def _tag(code: int, value: bytes) -> bytes:
    padded = value + bytes(-len(value) % 4)
    return struct.pack(">HH", code, len(padded)) + padded


def checksum(data: bytes) -> bytes:
    """Return the Internet checksum (RFC 1071), two octets."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)


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
