"""GTP-U messages to octets and back (TS 29.281 5, 7, 8).

User packets have a lane of their own: `g_pdu` and `unwrap` do no more for one than they must.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from simwarden.errors import PeerError

#: version 1, protocol type GTP
_PLAIN: Final = 0x30
_EXTENDED, _SEQUENCED, _NUMBERED = 0x04, 0x02, 0x01
_HEAD = struct.Struct(">BBHI")
#: elements of type and value (7.2, 8.1): their lengths; what is not listed and below 128 ends what can be read
_RECOVERY, _TEID, _PEER_ADDRESS, _EXTENSION_TYPES = 14, 16, 133, 141
_FIXED: Final = {_RECOVERY: 1, _TEID: 4}


class MessageType(IntEnum):
    """The messages of GTP-U (6.1)."""

    ECHO_REQUEST = 1
    ECHO_RESPONSE = 2
    ERROR_INDICATION = 26
    SUPPORTED_EXTENSION_HEADERS_NOTIFICATION = 31
    END_MARKER = 254
    G_PDU = 255


class ExtensionType(IntEnum):
    """Extension headers (5.2.1); the two highest bits say who must understand one."""

    NO_MORE = 0x00
    SERVICE_CLASS_INDICATOR = 0x20
    UDP_PORT = 0x40
    RAN_CONTAINER = 0x81
    LONG_PDCP_PDU_NUMBER = 0x82
    XW_RAN_CONTAINER = 0x83
    NR_RAN_CONTAINER = 0x84
    PDU_SESSION_CONTAINER = 0x85
    PDCP_PDU_NUMBER = 0xC0


#: those that an end of a tunnel here understands
UNDERSTOOD: Final = frozenset({ExtensionType.UDP_PORT, ExtensionType.PDCP_PDU_NUMBER})


class Extension(NamedTuple):
    """An extension header: its type, and its content without length and next type."""

    type: int
    content: bytes

    @property
    def must_be_understood(self) -> bool:
        """Whether an end of a tunnel that does not know it must not take the packet (5.2.1, bits 8 and 7)."""
        return bool(self.type & 0x80)


class GtpuError(PeerError):
    """A message that breaks the protocol. `unknown` is an extension header that should have been understood."""

    def __init__(self, reason: str, unknown: int | None = None) -> None:
        super().__init__(reason, code=unknown)
        self.unknown = unknown


@dataclass(slots=True)
class Message:
    """A message: TEID, sequence number where it has one, extension headers; and what its type has.

    `payload` is the user packet of a G-PDU; `recovery` of an Echo Response; `peer_teid` and `peer_address` say which
    tunnel end does not exist in an Error Indication; `types` are the extension headers that a node supports.
    """

    type: MessageType
    teid: int = 0
    sequence: int | None = None
    extensions: tuple[Extension, ...] = ()
    payload: bytes = b""
    recovery: int | None = None
    peer_teid: int | None = None
    peer_address: str = ""
    types: tuple[int, ...] = ()


def g_pdu(teid: int, packet: bytes) -> bytes:
    """Return a user packet in its tunnel."""
    return _HEAD.pack(_PLAIN, 0xFF, len(packet), teid) + packet


def is_g_pdu(data: bytes) -> bool:
    """Whether a datagram looks like a user packet."""
    return len(data) > 8 and data[1] == 0xFF and data[0] & 0xF0 == _PLAIN


def unwrap(data: bytes) -> tuple[int, bytes]:
    """Return TEID and user packet of a G-PDU. Raises GtpuError; unknown headers are judged as at a tunnel's end."""
    if data[:2] == b"\x30\xff" and int.from_bytes(data[2:4]) == len(data) - 8:
        return int.from_bytes(data[4:8]), data[8:]
    message = decode(data)
    if message.type is not MessageType.G_PDU:
        raise GtpuError(f"{message.type.name} is no user packet")
    return message.teid, message.payload


def encode(message: Message) -> bytes:
    """Return the message's octets. Raises ValueError on a value that cannot be."""
    body = _options(message) + (message.payload if message.type is MessageType.G_PDU else _elements(message))
    flags = _PLAIN | (_EXTENDED if message.extensions else 0) | (_SEQUENCED if message.sequence is not None else 0)
    if len(body) > 0xFFFF:
        raise ValueError(f"a GTP-U message holds 65535 octets, not {len(body)}")
    return _HEAD.pack(flags, message.type, len(body), message.teid) + body


def _options(message: Message) -> bytes:
    if message.sequence is None and not message.extensions:
        return b""
    out = (message.sequence or 0).to_bytes(2) + b"\0"
    for each in message.extensions:
        size, odd = divmod(len(each.content) + 2, 4)
        if odd or not 1 <= size <= 255:
            raise ValueError(f"an extension header has 4 octets for each unit of its length, not {len(each.content)}")
        out += bytes((each.type, size)) + each.content
    return out + b"\0"


def _elements(message: Message) -> bytes:
    out = b"" if message.recovery is None else bytes((_RECOVERY, message.recovery))
    if message.peer_teid is not None:
        out += bytes((_TEID,)) + message.peer_teid.to_bytes(4)
    if message.peer_address:
        address = ipaddress.ip_address(message.peer_address).packed
        out += bytes((_PEER_ADDRESS,)) + len(address).to_bytes(2) + address
    if message.types:
        out += bytes((_EXTENSION_TYPES, len(message.types), *message.types))
    return out


def decode(data: bytes) -> Message:
    """Return the message of a datagram. Raises GtpuError."""
    if len(data) < 8 or data[0] & 0xF0 != _PLAIN:
        raise GtpuError("no GTP-U header of version 1")
    try:
        kind = MessageType(data[1])
    except ValueError:
        raise GtpuError(f"unknown GTP-U message {data[1]}") from None
    if int.from_bytes(data[2:4]) != len(data) - 8:
        raise GtpuError(f"{kind.name} of {len(data)} octets is longer or shorter than it says")
    message = Message(kind, int.from_bytes(data[4:8]))
    body = _read_options(message, data)
    if kind is MessageType.G_PDU:
        message.payload = body
    else:
        _read_elements(message, body)
    return message


def _read_options(message: Message, data: bytes) -> bytes:
    """Read sequence number and extension headers (5.1, 5.2), and return what follows."""
    flags = data[0]
    if not flags & (_EXTENDED | _SEQUENCED | _NUMBERED):
        return data[8:]
    if len(data) < 12:
        raise GtpuError(f"{message.type.name} ends in its header")
    message.sequence = int.from_bytes(data[8:10]) if flags & _SEQUENCED else None
    at, found = 12, []
    kind = data[11] if flags & _EXTENDED else 0
    while kind:
        size = 4 * data[at] if at < len(data) else 0
        if not size or at + size > len(data):
            raise GtpuError(f"{message.type.name} ends in extension header {kind:#04x}")
        found.append(Extension(kind, data[at + 1 : at + size - 1]))
        kind = data[at + size - 1]
        at += size
    message.extensions = tuple(found)
    unknown = next((each.type for each in found if each.must_be_understood and each.type not in UNDERSTOOD), None)
    if unknown is not None:
        raise GtpuError(f"extension header {unknown:#04x} is not understood", unknown)
    return data[at:]


def _read_elements(message: Message, body: bytes) -> None:
    at = 0
    while at < len(body):
        kind = body[at]
        head = 1 if kind in _FIXED else 2 if kind == _EXTENSION_TYPES else 3
        if kind < 0x80 and kind not in _FIXED:
            return
        length = _FIXED.get(kind) or int.from_bytes(body[at + 1 : at + head])
        value = body[at + head : at + head + length]
        at += head + length
        if at > len(body):
            raise GtpuError(f"{message.type.name} ends in element {kind}")
        if kind == _RECOVERY:
            message.recovery = value[0]
        elif kind == _TEID:
            message.peer_teid = int.from_bytes(value)
        elif kind == _PEER_ADDRESS:
            message.peer_address = _address(value)
        elif kind == _EXTENSION_TYPES:
            message.types = tuple(value)
    wanted = message.type is MessageType.ERROR_INDICATION
    if wanted and (message.peer_teid is None or not message.peer_address):
        raise GtpuError("ERROR_INDICATION does not say which tunnel end it is about")


def _address(octets: bytes) -> str:
    if len(octets) not in (4, 16):
        raise GtpuError(f"an address of {len(octets)} octets")
    return str(ipaddress.ip_address(octets))


def error_indication(teid: int, own_address: str, source_port: int | None = None) -> bytes:
    """Return what a G-PDU for a tunnel that does not exist is answered with (7.3.1).

    It tells the TEID and the address that the G-PDU was sent to; and its source port, by which the peer finds the path.
    """
    extensions = () if source_port is None else (Extension(ExtensionType.UDP_PORT, source_port.to_bytes(2)),)
    return encode(Message(MessageType.ERROR_INDICATION, 0, 0, extensions, peer_teid=teid, peer_address=own_address))


def supported_extensions() -> bytes:
    """Return what tells a peer which extension headers are understood (7.2.3)."""
    kind = MessageType.SUPPORTED_EXTENSION_HEADERS_NOTIFICATION
    return encode(Message(kind, 0, 0, types=tuple(sorted(UNDERSTOOD))))
