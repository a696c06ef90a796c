"""The two messages of LTE RRC (TS 36.331 10.2) that eNBs send each other inside S1AP and X2AP, in unaligned PER.

They are real, so that the containers can be read by anybody; of a handover command only what our radio needs is free,
all else has one value. A command of another shape is not taken apart: PeerError.
"""

from __future__ import annotations

from typing import NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.s1ap.bits import Reader, Writer

#: HandoverPreparationInformation (release 8) without capabilities and configuration: all of its 12 bits are zero
HANDOVER_PREPARATION_INFORMATION = b"\0\0"

# (value, width) of each field of a DL-DCCH-Message, between those that are free
_BEFORE_PCI = (
    (0, 1),  # message: c1
    (4, 4),  # rrcConnectionReconfiguration
    (0, 2),  # rrc-TransactionIdentifier
    (0, 1),  # criticalExtensions: c1
    (0, 3),  # rrcConnectionReconfiguration-r8
    (0b010010, 6),  # of its six optional parts mobilityControlInfo and securityConfigHO
    (0, 5),  # mobilityControlInfo: no extension, none of its four optional parts
)
_BEFORE_RNTI = ((5, 3),)  # t304: ms1000
_BEFORE_NCC = (
    (0, 10),  # radioResourceConfigCommon: no extension, none of its nine optional parts
    (0, 1),  # prach-Config: no prach-ConfigInfo
    (0, 10),  # rootSequenceIndex
    (0, 2),  # n-SB: 1
    (0, 1),  # hoppingMode: interSubFrame
    (0, 7),  # pusch-HoppingOffset
    (0, 1),  # enable64QAM
    (0, 1),  # groupHoppingEnabled
    (0, 5),  # groupAssignmentPUSCH
    (0, 1),  # sequenceHoppingEnabled
    (0, 3),  # cyclicShift
    (0, 1),  # ul-CyclicPrefixLength: len1
    (0, 1),  # securityConfigHO: no extension
    (0, 1),  # handoverType: intraLTE
    (0, 1),  # no securityAlgorithmConfig: the algorithms stay
    (0, 1),  # keyChangeIndicator
)
_WRAPPER = ((0, 1), (0, 3), (0, 1))  # criticalExtensions: c1; handoverCommand-r8; no extension


class HandoverCommand(NamedTuple):
    """What the target eNB says: the physical identity of its cell (0 to 503), and what the device is there."""

    target_phys_cell_id: int
    new_ue_identity: int
    next_hop_chaining_count: int


def _write(writer: Writer, fields: tuple[tuple[int, int], ...]) -> None:
    for value, width in fields:
        writer.bits(value, width)


def _expect(reader: Reader, fields: tuple[tuple[int, int], ...]) -> None:
    for value, width in fields:
        if reader.bits(width) != value:
            raise PeerError("a handover command of a shape that is not supported")


def encode_handover_command(command: HandoverCommand) -> bytes:
    """Return the octets of HandoverCommand around its RRCConnectionReconfiguration."""
    inner = Writer()
    _write(inner, _BEFORE_PCI)
    inner.bits(command.target_phys_cell_id, 9)
    _write(inner, _BEFORE_RNTI)
    inner.bits(command.new_ue_identity, 16)
    _write(inner, _BEFORE_NCC)
    inner.bits(command.next_hop_chaining_count, 3)
    message = inner.finish()
    outer = Writer()
    _write(outer, _WRAPPER)
    outer.bits(len(message), 8)
    outer.bits(int.from_bytes(message, "big"), 8 * len(message))
    return outer.finish()


def decode_handover_command(octets: bytes) -> HandoverCommand:
    """Return a handover command. Raises PeerError."""
    outer = Reader(octets)
    _expect(outer, _WRAPPER)
    length = outer.bits(8)
    reader = Reader(outer.bits(8 * length).to_bytes(length, "big"))
    _expect(reader, _BEFORE_PCI)
    cell = reader.bits(9)
    _expect(reader, _BEFORE_RNTI)
    identity = reader.bits(16)
    _expect(reader, _BEFORE_NCC)
    if cell > 503:
        raise PeerError(f"physical cell identity {cell}")
    return HandoverCommand(cell, identity, reader.bits(3))
