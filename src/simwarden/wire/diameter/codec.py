"""Bytes to messages and back (RFC 6733 3 and 4): the hot path of every Diameter interface."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from struct import Struct
from struct import error as struct_error
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import InternalError, PeerError
from simwarden.wire.diameter.codes import ResultCode
from simwarden.wire.diameter.dictionary import AVPS, BY_CODE, KEYS, SHARED, AvpType, Kind
from simwarden.wire.diameter.message import Avps, DiameterError, Message, RawAvp, SharedGroup, Undecoded
from simwarden.wire.tbcd import decode_digits, encode_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HEADER_LENGTH: Final = 20
MAXIMUM_LENGTH: Final = 1 << 18
"""Longest message taken, in octets. RFC 6733 allows 16 MiB; no message of an application here comes near this."""
MAXIMUM_DEPTH: Final = 16
"""Deepest nesting of groups taken; the deepest of TS 29.272 is 5."""

_HEADER: Final = Struct(">IIIII")
_HEAD2: Final = Struct(">II")
_HEAD3: Final = Struct(">III")
_U32: Final = Struct(">I")
_I32: Final = Struct(">i")
_I64: Final = Struct(">q")
_U64: Final = Struct(">Q")
_PAD: Final = (b"", b"\0\0\0", b"\0\0", b"\0")
_IDENTITY: Final = re.compile(rb"[!-~]{0,255}")
_NTP_EPOCH: Final = 2208988800
_UNPACK_HEAD2, _UNPACK_U32, _UNPACK_I32 = _HEAD2.unpack_from, _U32.unpack_from, _I32.unpack_from
_PACK_HEAD2, _PACK_U32 = _HEAD2.pack, _U32.pack
_NO_VENDOR: Final = BY_CODE[0]
_LONGEST_SHARED: Final = 4096
"""Octets of the longest group that is kept for messages to come."""
_NO_AVPS: Final[dict[int, AvpType]] = {}
_GROUPED: Final = int(Kind.GROUPED)


# -- values of the rarer formats ---------------------------------------------------------------------------------------


def _decode_tbcd(data: bytes) -> str:
    digits = decode_digits(data)
    if not digits.isdigit() and digits:
        raise ValueError(f"TBCD octets {data.hex()} are no digits")
    return digits


def _encode_tbcd(digits: str) -> bytes:
    if not (digits.isdigit() and digits.isascii()) and digits:
        raise ValueError(f"{digits!r} is no string of digits")
    return encode_digits(digits)


@lru_cache(maxsize=1024)
def _decode_address(data: bytes) -> str:
    """Address (RFC 6733 4.3.1): two octets of address family (IANA), then the address."""
    family, value = data[:2], data[2:]
    if (family, len(value)) in ((b"\0\1", 4), (b"\0\2", 16)):
        return str(ipaddress.ip_address(value))
    if family == b"\0\x08" and value.isdigit():
        return value.decode("ascii")
    raise ValueError(f"address family {family.hex()} with {len(value)} octets")


@lru_cache(maxsize=1024)
def _encode_address(text: str) -> bytes:
    if text.isdigit():
        return b"\0\x08" + text.encode()
    address = ipaddress.ip_address(text)
    return (b"\0\1" if address.version == 4 else b"\0\2") + address.packed


def _decode_time(data: bytes) -> int:
    """Time (RFC 6733 4.3.1): NTP seconds, of which those without the top bit are after 2036-02-07 (RFC 5905)."""
    seconds = int.from_bytes(data, "big")
    return seconds - _NTP_EPOCH + (0 if seconds & 0x80000000 else 1 << 32)


def _encode_time(seconds: int) -> bytes:
    return _PACK_U32(seconds + _NTP_EPOCH & 0xFFFFFFFF)


@lru_cache(maxsize=1024)  # of few nodes
def _decode_identity(data: bytes) -> str:
    """DiameterIdentity (RFC 6733 4.3.1): a name of DNS, in ASCII and of 255 octets at most (RFC 1035 2.3.4)."""
    if not _IDENTITY.fullmatch(data):
        raise ValueError(f"{len(data)} octets that are no name of a node or realm")
    return data.decode("ascii")


def _decode_filter(data: bytes) -> str:
    """IPFilterRule (RFC 6733 4.3.1): ASCII; each octet is read, as one that is none is no reason to lose the others."""
    return data.decode("latin-1")


def _encode_filter(text: str) -> bytes:
    return text.encode("latin-1")


_DECODERS: Final[dict[int, Callable[[bytes], Any]]] = {
    int(Kind.INTEGER64): lambda data: int.from_bytes(data, "big", signed=True),
    int(Kind.UNSIGNED64): lambda data: int.from_bytes(data, "big"),
    int(Kind.TBCD): _decode_tbcd,
    int(Kind.ADDRESS): _decode_address,
    int(Kind.TIME): _decode_time,
    int(Kind.IDENTITY): _decode_identity,
    int(Kind.FILTER): _decode_filter,
}
#: of numbers, whose AVP's header is the same whatever they are
_PACKERS: Final[dict[int, Callable[[Any], bytes]]] = {
    int(Kind.UNSIGNED32): _U32.pack,
    int(Kind.INTEGER32): _I32.pack,
    int(Kind.UNSIGNED64): _U64.pack,
    int(Kind.INTEGER64): _I64.pack,
}
_ENCODERS: Final[dict[int, Callable[[Any], bytes]]] = {
    int(Kind.TEXT): str.encode,
    int(Kind.OCTETS): bytes,
    int(Kind.TBCD): _encode_tbcd,
    int(Kind.ADDRESS): _encode_address,
    int(Kind.TIME): _encode_time,
    int(Kind.IDENTITY): str.encode,
    int(Kind.FILTER): _encode_filter,
}


# -- decoding ----------------------------------------------------------------------------------------------------------


def decode(data: bytes) -> Message:
    """Decode one whole message. Raises DiameterError (a PeerError) with the Result-Code that answers the fault."""
    header = decode_header(data)
    decode_avps_into(header, data)
    return header


def decode_header(data: bytes) -> Message:
    """Decode the header alone, so that a request with broken AVPs can still be answered.

    Raises DiameterError: 5011 for another version than 1, 5015 for a length that is not the data's.
    """
    if len(data) < HEADER_LENGTH:
        raise DiameterError(ResultCode.DIAMETER_INVALID_MESSAGE_LENGTH, f"{len(data)} octets are no Diameter message")
    first, second, application, hop_by_hop, end_to_end = _HEADER.unpack_from(data)
    if first >> 24 != 1:
        raise DiameterError(ResultCode.DIAMETER_UNSUPPORTED_VERSION, f"Diameter version {first >> 24}")
    if first & 0xFFFFFF != len(data) or len(data) & 3:
        reason = f"message length {first & 0xFFFFFF} in a message of {len(data)} octets"
        raise DiameterError(ResultCode.DIAMETER_INVALID_MESSAGE_LENGTH, reason)
    return Message(second & 0xFFFFFF, application, second >> 24, hop_by_hop, end_to_end)


def decode_avps_into(header: Message, data: bytes) -> None:
    """Decode the AVPs of a message whose header was decoded from the same data. Raises DiameterError."""
    header.avps = _decode_avps(data, HEADER_LENGTH, len(data), header.unsupported, MAXIMUM_DEPTH)


def _decode_avps(data: bytes, pos: int, end: int, unsupported: list[RawAvp], depth: int) -> Avps:  # noqa: C901, PLR0912 - one flat loop: calls per AVP would double its cost
    if not depth:
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, f"groups nested deeper than {MAXIMUM_DEPTH}")
    avps: Avps = []
    append = avps.append
    start = pos
    try:
        while pos < end:
            code, word = _UNPACK_HEAD2(data, pos)
            stop = pos + (word & 0xFFFFFF)
            if word & 0x80000000:
                start = pos + 12
                avp = BY_CODE.get(_UNPACK_U32(data, pos + 8)[0], _NO_AVPS).get(code)
            else:
                start = pos + 8
                avp = _NO_VENDOR.get(code)
            if stop > end or start > stop or word & 0x1F000000:
                raise _bad_header(data, pos, end)
            if avp is None:
                append(_unknown(data, pos, start, stop, unsupported))
            elif (kind := avp[1]) == 0:  # _TEXT
                append((avp[0], data[start:stop].decode()))
            elif avp[2] and stop - start != avp[2]:
                raise _bad_length(data, pos, start, stop, avp)
            elif kind == 1:  # _UNSIGNED32
                append((avp[0], _UNPACK_U32(data, start)[0]))
            elif kind == 2:  # _GROUPED
                group = _APART.get(avp[0], _decode_avps)
                append((avp[0], group(data, start, stop, unsupported, depth - 1)))
            elif kind == 3:  # _OCTETS
                append((avp[0], data[start:stop]))
            elif kind == 4:  # _INTEGER32
                append((avp[0], _UNPACK_I32(data, start)[0]))
            else:
                append((avp[0], _DECODERS[kind](data[start:stop])))
            pos = stop + 3 & ~3
    except struct_error:
        raise _bad_header(data, pos, end) from None
    except ValueError as wrong:  # UnicodeDecodeError is one
        raise _bad_value(data, pos, start, stop, wrong) from None
    return avps


def _raw(data: bytes, pos: int, start: int, stop: int) -> RawAvp:
    """Return the AVP at `pos`, whose data are those from `start` to `stop`, as it came."""
    code, word = _UNPACK_HEAD2(data, pos)
    vendor = _UNPACK_U32(data, pos + 8)[0] if word & 0x80000000 else 0
    return RawAvp(code, vendor, word >> 24, data[start:stop])


def _unknown(data: bytes, pos: int, start: int, stop: int, unsupported: list[RawAvp]) -> tuple[str, RawAvp]:
    """Keep an AVP that no dictionary has; one with the M bit makes a request unsupported."""
    raw = _raw(data, pos, start, stop)
    if raw.mandatory:
        unsupported.append(raw)
    return raw.name, raw


def _bad_value(data: bytes, pos: int, start: int, stop: int, wrong: ValueError) -> DiameterError:
    raw = _raw(data, pos, start, stop)
    known = BY_CODE.get(raw.vendor, _NO_AVPS).get(raw.code)
    reason = f"{known.name if known else raw.name}: {wrong}"
    return DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, reason, [(raw.name, raw)])


def _decode_failed(data: bytes, pos: int, end: int, unsupported: list[RawAvp], depth: int) -> Avps:
    """Decode a Failed-AVP: what is in it may be wrong, being what a peer complains of, and is then kept as it came.

    Each AVP is judged by itself. From the first header that cannot be true on nothing can be told apart.
    """
    del unsupported  # what the peer did not support is no fault of this message
    avps: Avps = []
    while pos < end:
        _, word, _ = _HEAD3.unpack(data[pos : min(pos + 12, end)].ljust(12, b"\0"))
        start = pos + (12 if word & 0x80000000 else 8)
        stop = pos + (word & 0xFFFFFF)
        if not start <= stop <= end:
            avps.append((Undecoded.name, Undecoded(data[pos:end])))
            break
        avps.append(_failed(data, pos, start, stop, depth))
        pos = stop + 3 & ~3
    return avps


def _failed(data: bytes, pos: int, start: int, stop: int, depth: int) -> tuple[str, Any]:
    """Decode one AVP of a Failed-AVP, or keep it as it came where its value would not give the same octets again."""
    raw = _raw(data, pos, start, stop)
    try:
        decoded = _decode_avps(data, pos, stop, [], depth)
    except DiameterError:
        return raw.name, raw
    return decoded[0] if encode_avps(decoded) == _encode_raw(raw) else (raw.name, raw)


def _decode_shared(data: bytes, pos: int, end: int, unsupported: list[RawAvp], depth: int) -> Avps:
    """Decode a group that many messages have alike: once, as long as it is not forgotten."""
    if end - pos > _LONGEST_SHARED:
        return _decode_avps(data, pos, end, unsupported, depth)
    try:
        group, unknown = _shared_group(data[pos:end], depth)
    except DiameterError:
        return _decode_avps(data, pos, end, unsupported, depth)  # which says at which octet of the message
    unsupported += unknown
    return group


@lru_cache(maxsize=4096)
def _shared_group(octets: bytes, depth: int) -> tuple[SharedGroup, tuple[RawAvp, ...]]:
    unsupported: list[RawAvp] = []
    group = SharedGroup(_decode_avps(octets, 0, len(octets), unsupported, depth))
    return group, tuple(unsupported)


#: groups that are decoded otherwise than others
_APART: Final[Mapping[str, Callable[[bytes, int, int, list[RawAvp], int], Avps]]] = {
    **dict.fromkeys(SHARED, _decode_shared),
    "Failed-AVP": _decode_failed,
}


def _bad_header(data: bytes, pos: int, end: int) -> DiameterError:
    """Say what is wrong with an AVP's header, with the header and the least data allowed as Failed-AVP (7.1.5)."""
    head = data[pos : min(end, pos + 12)].ljust(12, b"\0")
    code, word, vendor = _HEAD3.unpack(head)
    vendor = vendor if word & 0x80000000 else 0
    known = BY_CODE.get(vendor, {}).get(code)
    raw = RawAvp(code, vendor, word >> 24 & 0xE0, bytes(known.size) if known else b"")
    name = known.name if known else raw.name
    if word & 0x1F000000 and pos + 8 <= end:
        reason = f"{name} has reserved flag bits {word >> 24:#04x}"
        return DiameterError(ResultCode.DIAMETER_INVALID_AVP_BITS, reason, [(raw.name, raw)])
    reason = f"{name} at octet {pos} has length {word & 0xFFFFFF}, {end - pos} octets are left"
    return DiameterError(ResultCode.DIAMETER_INVALID_AVP_LENGTH, reason, [(raw.name, raw)])


def _bad_length(data: bytes, pos: int, start: int, stop: int, avp: AvpType) -> DiameterError:
    raw = RawAvp(avp.code, avp.vendor, data[pos + 4], data[start:stop])
    reason = f"{avp.name} has {stop - start} octets of data, not {avp.size}"
    return DiameterError(ResultCode.DIAMETER_INVALID_AVP_LENGTH, reason, [(raw.name, raw)])


# -- encoding ----------------------------------------------------------------------------------------------------------


def encode(message: Message) -> bytes:
    """Encode a message. Raises InternalError if an AVP's name is unknown or its value does not fit its type."""
    body = encode_avps(message.avps) if message.body is None else message.body
    length = HEADER_LENGTH + len(body)
    return (
        _HEADER.pack(
            1 << 24 | length,
            message.flags << 24 | message.command,
            message.application,
            message.hop_by_hop,
            message.end_to_end,
        )
        + body
    )


def renumber(data: bytes, hop_by_hop: int) -> bytes:
    """Return a whole message with another hop-by-hop id (RFC 6733 3)."""
    return data[:12] + _PACK_U32(hop_by_hop) + data[16:]


def encode_avps(avps: Iterable[tuple[str, Any]]) -> bytes:
    """Encode AVPs in their order, padded. Raises InternalError as `encode` does."""
    parts: list[bytes] = []
    append = parts.append
    name: str = ""
    try:
        for name, value in avps:
            if value.__class__ is RawAvp:
                append(_encode_raw(value))
                continue
            if value.__class__ is Undecoded:
                append(value.data)
                continue
            avp = AVPS[name]
            kind = avp[1]
            if kind in _PACKERS:
                append(avp[9])
                append(_PACKERS[kind](value))
                continue
            if kind == 2:  # _GROUPED
                octets = encode_avps(value) if value.__class__ is not SharedGroup else _encode_shared(value)
            elif kind == 0:  # _TEXT
                octets = value.encode()
            else:
                octets = _ENCODERS[kind](value)
                if avp[2] and len(octets) != avp[2]:
                    raise InternalError(f"{name} takes {avp[2]} octets, not {len(octets)}")
            length = len(octets)
            append(_PACK_HEAD2(avp[3], avp[7] + length) + avp[8])
            append(octets)
            if length & 3:
                append(_PAD[length & 3])
    except (KeyError, TypeError, ValueError, AttributeError, struct_error) as wrong:
        raise InternalError(f"AVP {name} cannot be encoded: {wrong!r}") from wrong
    return b"".join(parts)


def _encode_shared(group: SharedGroup) -> bytes:
    """Encode a group that messages have in common: once."""
    if group.octets is None:
        group.octets = encode_avps(group)
    return group.octets


def _encode_raw(raw: RawAvp) -> bytes:
    head = 12 if raw.flags & 0x80 else 8
    word = raw.flags << 24 | head + len(raw.data)
    vendor = _PACK_U32(raw.vendor) if raw.flags & 0x80 else b""
    return _PACK_HEAD2(raw.code, word) + vendor + raw.data + _PAD[len(raw.data) & 3]


# -- the stream --------------------------------------------------------------------------------------------------------


class Splitter:
    """Cuts a byte stream into messages, whatever pieces it comes in (RFC 6733 3: the header tells the length)."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> tuple[list[bytes], DiameterError | None]:
        """Take a piece of the stream; return the whole messages before a fault, and the fault if there is one.

        A fault is another version or an absurd length, after which nothing can be trusted: close the connection.
        """
        buffer = self._buffer + data if self._buffer else data
        messages: list[bytes] = []
        pos = 0
        fault = None
        while len(buffer) - pos >= 4:
            word = _UNPACK_U32(buffer, pos)[0]
            length = word & 0xFFFFFF
            fault = _framing_fault(word >> 24, length)
            if fault is not None or len(buffer) - pos < length:
                break
            messages.append(buffer[pos : pos + length])
            pos += length
        self._buffer = b"" if fault is not None else buffer[pos:]
        return messages, fault


def _framing_fault(version: int, length: int) -> DiameterError | None:
    if version != 1:
        return DiameterError(ResultCode.DIAMETER_UNSUPPORTED_VERSION, f"Diameter version {version}")
    if length < HEADER_LENGTH or length & 3 or length > MAXIMUM_LENGTH:
        return DiameterError(ResultCode.DIAMETER_INVALID_MESSAGE_LENGTH, f"message length {length}")
    return None


# -- masking -----------------------------------------------------------------------------------------------------------


def mask_keys(data: bytes) -> bytes:
    """Return the message with the data of AVPs that carry keys zeroed, its length unchanged; malformed data as is."""
    masked = bytearray(data)
    try:
        _mask(masked, HEADER_LENGTH, len(masked), MAXIMUM_DEPTH)
    except (PeerError, struct_error):
        return bytes(masked)
    return bytes(masked)


def _mask(data: bytearray, pos: int, end: int, depth: int) -> None:
    while pos < end and depth:
        code, word, vendor = _HEAD3.unpack(bytes(data[pos : pos + 12]).ljust(12, b"\0"))
        vendor = vendor if word & 0x80000000 else 0
        start, stop = pos + (12 if word & 0x80000000 else 8), pos + (word & 0xFFFFFF)
        if not start <= stop <= end:
            return
        avp = BY_CODE.get(vendor, {}).get(code)
        if avp is not None and avp.name in KEYS:
            data[start:stop] = bytes(stop - start)
        elif avp is not None and avp.kind == _GROUPED:
            _mask(data, start, stop, depth - 1)
        pos = stop + 3 & ~3
