"""SCCP management (Q.713 chapter 5): messages in unitdata between subsystems 1."""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.sccp.address import LAST_POINT_CODE
from simwarden.wire.sccp.enums import ManagementType

_TYPES: Final = {int(each): each for each in ManagementType}


class Management(NamedTuple):
    """What is said of a subsystem; `congestion_level` by SUBSYSTEM_CONGESTED alone."""

    type: ManagementType
    affected_ssn: int
    affected_point_code: int
    subsystem_multiplicity: int = 0
    congestion_level: int = 0


def encode_management(message: Management) -> bytes:
    """Return the octets of a message."""
    out = bytes((message.type, message.affected_ssn)) + message.affected_point_code.to_bytes(2, "little")
    out += bytes((message.subsystem_multiplicity,))
    return out + bytes((message.congestion_level,)) if message.type is ManagementType.SUBSYSTEM_CONGESTED else out


def decode_management(data: bytes) -> Management:
    """Read a message. Raises PeerError."""
    kind = _TYPES.get(data[0]) if data else None
    if kind is None:
        raise PeerError(f"no message of SCCP management: {data[:1].hex() or 'nothing'}")
    size = 6 if kind is ManagementType.SUBSYSTEM_CONGESTED else 5
    if len(data) != size:
        raise PeerError(f"{kind.name} of {len(data)} octets")
    point_code = int.from_bytes(data[2:4], "little") & LAST_POINT_CODE
    return Management(kind, data[1], point_code, data[4] & 3, data[5] & 15 if size == 6 else 0)
