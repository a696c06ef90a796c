"""Where a device is, as Gx and Gy say it: 3GPP-User-Location-Info (TS 29.061 16.4.7.2)."""

from __future__ import annotations

from typing import Final

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai

#: Geographic Location Types, with the length of what follows
_TAI, _ECGI, _BOTH = 128, 129, 130
_LENGTHS: Final = {_TAI: 5, _ECGI: 7, _BOTH: 12}


def encode_location(tai: Tai | None, cell: Ecgi | None) -> bytes:
    """Write a tracking area, a cell, or both; empty where neither is known."""
    area = tai.plmn.to_bytes() + tai.tac.to_bytes(2) if tai is not None else b""
    place = cell.plmn.to_bytes() + cell.cell_identity.to_bytes(4) if cell is not None else b""
    kind = _BOTH if area and place else _TAI if area else _ECGI
    return bytes((kind,)) + area + place if area or place else b""


def decode_location(octets: bytes) -> tuple[Tai | None, Ecgi | None]:
    """Read what `encode_location` writes; other kinds of places are none. Raises PeerError."""
    kind = octets[0] if octets else -1
    if kind not in _LENGTHS:
        return None, None
    rest = octets[1:]
    if len(rest) != _LENGTHS[kind]:
        raise PeerError(f"a location of kind {kind} with {len(rest)} octets")
    area, place = (rest[:5], rest[5:]) if kind != _ECGI else (b"", rest)
    try:
        tai = Tai(Plmn.from_bytes(area[:3]), int.from_bytes(area[3:])) if area else None
        cell = Ecgi(Plmn.from_bytes(place[:3]), int.from_bytes(place[3:]) & 0x0FFFFFFF) if place else None
    except ValueError as error:
        raise PeerError(f"a location: {error}") from None
    return tai, cell
