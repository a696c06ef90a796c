"""File control parameters and access rules: TS 102.221 11.1.1.3, 11.1.1.4 and 9.2."""

from __future__ import annotations

from typing import NamedTuple, Self

from simwarden.errors import PeerError
from simwarden.wire.apdu import tlv
from simwarden.wire.apdu.efs import Access, Structure


class PinStatus(NamedTuple):
    """One entry of the PIN status template DO: key reference, and whether it is enabled."""

    reference: int
    enabled: bool


class Fcp(NamedTuple):
    """What SELECT and STATUS say about a file."""

    fid: int | None
    structure: Structure
    size: int | None = None
    record_size: int = 0
    records: int = 0
    sfi: int = 0
    arr: tuple[int, int] | None = None
    aid: bytes = b""
    pins: tuple[PinStatus, ...] = ()

    def to_bytes(self) -> bytes:
        """Encode the FCP template, its objects in the order of TS 102.221 table 11.2 ff."""
        body = tlv.tlv(0x82, self._descriptor())
        if self.fid is not None:
            body += tlv.tlv(0x83, self.fid.to_bytes(2, "big"))
        if self.aid:
            body += tlv.tlv(0x84, self.aid)
        if self.structure is Structure.DIRECTORY:
            # UICC characteristics: clock stop allowed, no preferred level; supply 3 V and 1.8 V
            body += tlv.tlv(0xA5, tlv.tlv(0x80, b"\x71"))
        body += tlv.tlv(0x8A, b"\x05")  # operational, activated
        if self.arr:
            body += tlv.tlv(0x8B, self.arr[0].to_bytes(2, "big") + bytes((self.arr[1],)))
        if self.pins:
            body += tlv.tlv(0xC6, self._pin_template())
        if self.size is not None:
            body += tlv.tlv(0x80, self.size.to_bytes(2, "big"))
        if self.structure is not Structure.DIRECTORY:
            body += tlv.tlv(0x88, bytes((self.sfi << 3,)) if self.sfi else b"")
        return tlv.tlv(0x62, body)

    def _descriptor(self) -> bytes:
        kind = bytes((self.structure, 0x21))
        if self.structure is Structure.LINEAR_FIXED:
            return kind + self.record_size.to_bytes(2, "big") + bytes((self.records,))
        return kind

    def _pin_template(self) -> bytes:
        usage = sum(0x80 >> i for i, pin in enumerate(self.pins) if pin.enabled)
        return tlv.tlv(0x90, bytes((usage,))) + b"".join(tlv.tlv(0x83, bytes((pin.reference,))) for pin in self.pins)

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Decode an FCP template; unknown objects are ignored. Raises PeerError."""
        found = dict(tlv.objects(tlv.only(octets, 0x62, "FCP template")))
        structure, record_size, records = _parse_descriptor(found.get(0x82, b""))
        fid, size, sfi, arr = (found.get(tag) for tag in (0x83, 0x80, 0x88, 0x8B))
        if (fid is not None and len(fid) != 2) or (arr is not None and len(arr) < 3):
            raise PeerError("FCP template: file identifier or access rule reference of wrong length")
        return cls(
            int.from_bytes(fid, "big") if fid else None,
            structure,
            int.from_bytes(size, "big") if size is not None else None,
            record_size,
            records,
            sfi[0] >> 3 if sfi else 0,
            (int.from_bytes(arr[:2], "big"), arr[2]) if arr else None,
            found.get(0x84, b""),
            _parse_pins(found.get(0xC6, b"")),
        )


def _parse_descriptor(octets: bytes) -> tuple[Structure, int, int]:
    if len(octets) not in (2, 5):
        raise PeerError(f"file descriptor {octets.hex() or 'missing'} has {len(octets)} bytes, want 2 or 5")
    try:
        # b7 (shareable) says nothing about the structure
        structure = Structure(octets[0] | 0x40)
    except ValueError as error:
        raise PeerError(f"file descriptor byte {octets[0]:02x} names no structure of a USIM") from error
    if (structure is Structure.LINEAR_FIXED) != (len(octets) == 5):
        raise PeerError("file descriptor: record length without records, or missing")
    return structure, int.from_bytes(octets[2:4], "big"), octets[4] if len(octets) == 5 else 0


def _parse_pins(octets: bytes) -> tuple[PinStatus, ...]:
    usage = b""
    pins: list[PinStatus] = []
    for tag, value in tlv.objects(octets):
        if tag == 0x90:
            usage = value
        elif tag == 0x83 and len(value) == 1:
            place = len(pins)
            enabled = place // 8 < len(usage) and bool(usage[place // 8] & 0x80 >> place % 8)
            pins.append(PinStatus(value[0], enabled))
    return tuple(pins)


READ, UPDATE = 0x01, 0x02
"""Bits of an access mode byte: read or search, update."""


def access_rule(read: Access, update: Access) -> bytes:
    """Encode a record of EFARR: access mode and security condition objects in expanded format (TS 102.221 9.2.4)."""
    if read is update:
        return _am_sc(READ | UPDATE, read)
    return _am_sc(READ, read) + _am_sc(UPDATE, update)


def _am_sc(mode: int, access: Access) -> bytes:
    head = tlv.tlv(0x80, bytes((mode,)))
    if access is Access.ALWAYS:
        return head + tlv.tlv(0x90, b"")
    if access is Access.NEVER:
        return head + tlv.tlv(0x97, b"")
    reference = tlv.tlv(0x83, bytes((access.value,))) + tlv.tlv(0x95, b"\x08")
    return head + tlv.tlv(0xA4, reference)
