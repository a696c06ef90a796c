"""Radio messages in the field's own words."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire.dissection import Dissection, dissect_carried
from simwarden.wire.family import Known, MessageField, MessageInfo, Reading
from simwarden.wire.fields import fields_of
from simwarden.wire.nas.reading import any_fields
from simwarden.wire.uu.codec import decode
from simwarden.wire.uu.fields import Record
from simwarden.wire.uu.messages import (
    MESSAGES,
    Camp,
    FrameType,
    MeasurementReport,
    MobilityControlInfo,
    RrcConnectionReconfiguration,
    RrcConnectionReject,
    RrcConnectionRequest,
    UserData,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simwarden.wire.uu.messages import Message


#: the first octets of messages on SRB1 and SRB2
_ON_SRB = {
    bytes((each,))
    for each in FrameType
    if each >= FrameType.RRC_CONNECTION_SETUP_COMPLETE and each is not FrameType.USER_DATA
}


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
    inner = [dissect_carried(nas, pdu, "nas", "NAS") for pdu in _nas_of(message)] if nas is not None else []
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


class Uu(Reading):
    """How radio messages are read."""

    def dissect(self, data: bytes, known: Known) -> Dissection:
        """See Reading."""
        return dissect(data, partial(known.inner, "nas") if known.inner is not None else None)

    def acknowledged(self, data: bytes) -> bool:
        """See Reading: all on SRB1 and SRB2 is in RLC's acknowledged mode (TS 36.331 4.2.2, 9.2.1)."""
        return data[:1] in _ON_SRB

    def messages(self) -> Iterable[str]:
        """See Reading."""
        return (message.name for message in MESSAGES.values())

    def info(self, name: str) -> MessageInfo | None:
        """See Reading."""
        for message in MESSAGES.values():
            if message.name == name:
                declared: Any = message  # each is made a dataclass by its decorator
                may_be = fields_of(declared)
                if "dedicated_info_nas" in may_be:
                    may_be = {**may_be, "dedicated_info_nas": replace(may_be["dedicated_info_nas"], inside=any_fields)}
                fields = [
                    MessageField(each.name, each.default is dataclasses.MISSING, may_be[each.name])
                    for each in dataclasses.fields(declared)
                ]
                return MessageInfo(f"radio message. {(message.__doc__ or '').strip()}", tuple(fields))
        return None
