"""The radio between a device and an eNB: the messages of TS 36.331 in a small binary frame of simwarden's own.

RRC is not modelled bit by bit: what its messages say is kept, under the spec's names, their packed encoding is not. All
numbers are big-endian. A frame is

    octet 0     message type, one of `FrameType`
    octets 1-2  length of the body
    octets 3-   body: the fields of the message's class in their order

and in a body: an identity or counter is 1, 2, 4 or 5 octets, an octet string 2 octets of length and its octets, a
list 1 octet of count and its items, an optional field 1 octet (0 absent, 1 present) and its value, a PLMN the three
octets of TS 24.008 10.5.1.13. A body must be used up exactly.

One link joins a device and an eNB. A device looks for cells with cell-search, which the eNB answers with the
system-information of its cells (in the field: broadcast), and says with camp in which cell it listens, and at which
paging occasions (UE_ID of TS 36.304 7.1), so that paging goes to those who would hear it. A link that closes is a
device out of coverage. A device that is handed over to a cell of another eNB has a link to that one too, completes the
reconfiguration there, and camps there at once, to be paged when its connection is released.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire.dissection import Dissection
from simwarden.wire.uu.fields import Reader, Record
from simwarden.wire.uu.messages import (
    MESSAGES,
    Camp,
    CellInformation,
    CellSearch,
    CnDomain,
    DlInformationTransfer,
    EstablishmentCause,
    FrameType,
    MeasuredCell,
    MeasurementReport,
    Message,
    MobilityControlInfo,
    Paging,
    RandomValue,
    RegisteredMme,
    ReleaseCause,
    RrcConnectionReconfiguration,
    RrcConnectionReconfigurationComplete,
    RrcConnectionReject,
    RrcConnectionRelease,
    RrcConnectionRequest,
    RrcConnectionSetup,
    RrcConnectionSetupComplete,
    SecurityModeCommand,
    SecurityModeComplete,
    SecurityModeFailure,
    STmsi,
    SystemInformation,
    UlInformationTransfer,
    UserData,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "HEADER_LENGTH",
    "MESSAGES",
    "Camp",
    "CellInformation",
    "CellSearch",
    "CnDomain",
    "DlInformationTransfer",
    "EstablishmentCause",
    "FrameType",
    "MeasuredCell",
    "MeasurementReport",
    "Message",
    "MobilityControlInfo",
    "Paging",
    "RandomValue",
    "RegisteredMme",
    "ReleaseCause",
    "RrcConnectionReconfiguration",
    "RrcConnectionReconfigurationComplete",
    "RrcConnectionReject",
    "RrcConnectionRelease",
    "RrcConnectionRequest",
    "RrcConnectionSetup",
    "RrcConnectionSetupComplete",
    "STmsi",
    "SecurityModeCommand",
    "SecurityModeComplete",
    "SecurityModeFailure",
    "SystemInformation",
    "UlInformationTransfer",
    "UserData",
    "decode",
    "dissect",
    "encode",
    "frame_length",
]

HEADER_LENGTH = 3
_HEADER = struct.Struct(">BH")


def encode(message: Message) -> bytes:
    """Return the frame of a message. Raises ValueError on a value that its field cannot hold."""
    try:
        body = message.to_body()
    except OverflowError as error:
        raise ValueError(f"{message.name}: {error}") from None
    if len(body) > 0xFFFF:
        raise ValueError(f"a uu frame holds 65535 octets, not {len(body)}")
    return _HEADER.pack(message.type, len(body)) + body


def frame_length(data: bytes) -> int | None:
    """Return how long the frame at the start of a stream is, header included; None if its header is not complete."""
    return HEADER_LENGTH + int.from_bytes(data[1:3], "big") if len(data) >= HEADER_LENGTH else None


def decode(data: bytes) -> Message:
    """Return the message of exactly one frame. Raises PeerError."""
    if frame_length(data) != len(data):
        raise PeerError(f"uu frame of {len(data)} octets has length {frame_length(data)}")
    cls = MESSAGES.get(data[0])
    if cls is None:
        raise PeerError(f"uu frame of unknown type {data[0]:#04x}")
    reader = Reader(data, HEADER_LENGTH)
    message: Message = cls.from_reader(reader)
    if reader.offset != len(data):
        raise PeerError(f"{len(data) - reader.offset} octets too many in {cls.name}")
    return message


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return {name: _plain(getattr(value, name)) for name, _, _ in value.codecs}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, (Plmn, Tai, Ecgi)) else value


def _nas_of(message: Message) -> tuple[bytes, ...]:
    carried = getattr(message, "dedicated_info_nas", ())
    return (carried,) if isinstance(carried, bytes) else carried


def dissect(data: bytes, nas: Callable[[bytes], Dissection] | None = None) -> Dissection:
    """Show a frame by its spec's names; `nas` dissects the NAS messages in it. Raises PeerError on a bad frame."""
    message = decode(data)
    shown = _plain(message)
    inner = []
    for pdu in _nas_of(message) if nas else ():
        try:
            inner.append(nas(pdu))  # type: ignore[misc]  # the loop is empty without nas
        except PeerError as error:
            inner.append(Dissection("malformed-nas", f"malformed NAS: {error.reason}", {"octets": pdu}))
    title = message.name.replace("-", " ").capitalize()
    title = title.replace("Rrc ", "RRC ").replace("Dl ", "DL ").replace("Ul ", "UL ")
    about = _about(message)
    summary = ", ".join([title + (f" ({about})" if about else ""), *(part.summary for part in inner)])
    return Dissection(
        message.name, summary, shown, next((part.cause for part in inner if part.cause), ""), tuple(inner)
    )


def _about(message: Message) -> str:
    """Return what a ladder should say of a message beside its name."""
    about = ""
    match message:
        case RrcConnectionRequest(cell_identity=cell, establishment_cause=cause):
            about = f"cell {cell:07x}, {cause.name.lower().replace('_', '-')}"
        case RrcConnectionReconfiguration(mobility_control_info=MobilityControlInfo(target=target)):
            about = f"handover to {target}"
        case MeasurementReport(cells=(best, *_)):
            about = str(best.cell)
        case RrcConnectionReject(wait_time=seconds):
            about = f"wait {seconds} s"
        case Camp(cell_identity=cell):
            about = f"cell {cell:07x}"
        case UserData(eps_bearer_identity=bearer, packet=packet):
            about = f"bearer {bearer}, {len(packet)} octets"
    return about
