"""Octets to CP and RP messages and back (TS 24.011 7.2 and 7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simwarden.errors import PeerError
from simwarden.wire.ppsms.enums import CpCause, CpType, RpCause, RpType
from simwarden.wire.sms.address import Address, decode_rp_address, encode_rp_address

#: protocol discriminator of SMS (TS 24.007 11.2.3.1.1)
DISCRIMINATOR: Final = 0x09
#: octets of CP user data, and of a TPDU in RP-DATA (8.1.4.1, 8.2.5.3) and in its answers
_LONGEST_CP, _LONGEST_TPDU = 248, 233
_USER_DATA: Final = 0x41


@dataclass(frozen=True, slots=True)
class Cp:
    """A CP message; `answering` is the flag of the transaction identifier, set by who did not begin the transaction."""

    type: CpType
    transaction: int
    answering: bool = False
    user_data: bytes = b""
    cause: int = 0


@dataclass(frozen=True, slots=True)
class Rp:
    """An RP message; the addresses are those of service centres, of which RP-DATA has one, by its direction."""

    type: RpType
    reference: int
    from_mobile: bool
    originator: Address | None = None
    destination: Address | None = None
    user_data: bytes | None = None
    cause: int = 0
    diagnostic: bytes = b""


def encode_cp(message: Cp) -> bytes:
    """Return the octets of a CP message. Raises ValueError."""
    if not 0 <= message.transaction < 7:
        raise ValueError(f"a transaction identifier is 0 to 6, not {message.transaction}")
    head = bytes((message.answering << 7 | message.transaction << 4 | DISCRIMINATOR, message.type))
    if message.type is CpType.CP_DATA:
        if not 0 < len(message.user_data) <= _LONGEST_CP:
            raise ValueError(f"CP-DATA holds 1 to {_LONGEST_CP} octets, not {len(message.user_data)}")
        return head + bytes((len(message.user_data),)) + message.user_data
    return head + (bytes((message.cause,)) if message.type is CpType.CP_ERROR else b"")


def decode_cp(data: bytes) -> Cp:
    """Read a CP message. Raises PeerError with the CP cause that answers what is wrong (9.2)."""
    if len(data) < 2 or data[0] & 15 != DISCRIMINATOR:
        raise PeerError(f"{len(data)} octets that are no CP message", code=CpCause.PROTOCOL_ERROR_UNSPECIFIED)
    answering, transaction = bool(data[0] & 0x80), data[0] >> 4 & 7
    if transaction == 7:  # an extended one, which SMS does not use
        raise PeerError("transaction identifier 7", code=CpCause.INVALID_TRANSACTION_IDENTIFIER_VALUE)
    if data[1] not in CpType.__members__.values():
        raise PeerError(f"no CP message has type {data[1]:#04x}", code=CpCause.MESSAGE_TYPE_NON_EXISTENT)
    kind, body = CpType(data[1]), data[2:]
    if kind is CpType.CP_ACK and not body:
        return Cp(kind, transaction, answering)
    if kind is CpType.CP_ERROR and len(body) == 1:
        return Cp(kind, transaction, answering, cause=body[0])
    if kind is CpType.CP_DATA and body and 0 < body[0] == len(body) - 1 <= _LONGEST_CP:
        return Cp(kind, transaction, answering, body[1:])
    raise PeerError(f"{kind.name} with {len(body)} octets", code=CpCause.INVALID_MANDATORY_INFORMATION)


def encode_rp(message: Rp) -> bytes:
    """Return the octets of an RP message. Raises ValueError."""
    head = bytes((message.type | (0 if message.from_mobile else 1), message.reference))
    match message.type:
        case RpType.RP_DATA:
            addresses = encode_rp_address(message.originator) + encode_rp_address(message.destination)
            return head + addresses + _with_length(message.user_data or b"")
        case RpType.RP_ERROR:
            value = bytes((message.cause,)) + message.diagnostic
            return head + bytes((len(value),)) + value + _optional(message.user_data)
        case RpType.RP_ACK:
            return head + _optional(message.user_data)
    return head


def _with_length(tpdu: bytes) -> bytes:
    if len(tpdu) > _LONGEST_TPDU:
        raise ValueError(f"RP holds a TPDU of {_LONGEST_TPDU} octets, not {len(tpdu)}")
    return bytes((len(tpdu),)) + tpdu


def _optional(tpdu: bytes | None) -> bytes:
    return b"" if tpdu is None else bytes((_USER_DATA,)) + _with_length(tpdu)


def decode_rp(data: bytes) -> Rp:
    """Read an RP message, which says itself who sent it. Raises PeerError with the RP cause that answers it (9.3)."""
    if len(data) < 2:
        raise PeerError(f"{len(data)} octets that are no RP message", code=RpCause.PROTOCOL_ERROR_UNSPECIFIED)
    from_mobile, kind, reference = not data[0] & 1, RpType(data[0] & 6), data[1]
    if data[0] & 0xF8 or (kind is RpType.RP_SMMA and not from_mobile):
        raise PeerError(f"no RP message has type {data[0]:#04x}", code=RpCause.MESSAGE_TYPE_NON_EXISTENT)
    try:
        return _DECODERS[kind](data, reference, from_mobile)
    except PeerError as error:
        raise PeerError(f"{kind.name}: {error.reason}", code=RpCause.INVALID_MANDATORY_INFORMATION) from None


def _value(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the value behind the length at a place, and where it ends. Raises PeerError."""
    end = at + 1 + data[at] if at < len(data) else at + 1
    if end > len(data):
        raise PeerError(f"it ends after {len(data)} octets")
    return data[at + 1 : end], end


def _data(data: bytes, reference: int, from_mobile: bool) -> Rp:  # noqa: FBT001 - one of a table
    octets, at = _value(data, 2)
    originator = decode_rp_address(octets)
    octets, at = _value(data, at)
    destination = decode_rp_address(octets)
    tpdu, at = _value(data, at)
    present, absent = (destination, originator) if from_mobile else (originator, destination)
    if present is None or absent is not None or not tpdu or len(tpdu) > _LONGEST_TPDU or at != len(data):
        raise PeerError("addresses or user data that do not fit its direction")
    return Rp(RpType.RP_DATA, reference, from_mobile, originator, destination, tpdu)


def _error(data: bytes, reference: int, from_mobile: bool) -> Rp:  # noqa: FBT001 - as above
    cause, at = _value(data, 2)
    if not 0 < len(cause) <= 2:
        raise PeerError("a cause of one or two octets is missing")
    tpdu = _rest(data, at)
    return Rp(RpType.RP_ERROR, reference, from_mobile, user_data=tpdu, cause=cause[0] & 0x7F, diagnostic=cause[1:])


def _ack(data: bytes, reference: int, from_mobile: bool) -> Rp:  # noqa: FBT001 - as above
    return Rp(RpType.RP_ACK, reference, from_mobile, user_data=_rest(data, 2))


def _smma(data: bytes, reference: int, from_mobile: bool) -> Rp:  # noqa: FBT001 - as above
    if len(data) > 2:
        raise PeerError(f"{len(data) - 2} octets too many")
    return Rp(RpType.RP_SMMA, reference, from_mobile)


def _rest(data: bytes, at: int) -> bytes | None:
    """Return the TPDU that an answer may have."""
    if at == len(data):
        return None
    tpdu, end = _value(data, at + 1)
    if data[at] != _USER_DATA or end != len(data) or len(tpdu) > _LONGEST_TPDU:
        raise PeerError("octets behind it that are no user data")
    return tpdu


_DECODERS: Final = {RpType.RP_DATA: _data, RpType.RP_ACK: _ack, RpType.RP_ERROR: _error, RpType.RP_SMMA: _smma}
