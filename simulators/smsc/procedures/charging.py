"""Charging records of messages (TS 32.274): of a card's when it is taken or refused, of one for a card at its end."""

from __future__ import annotations

import datetime as dt
import enum
from typing import TYPE_CHECKING, Any

from simulators.smsc.causes import STATES
from simwarden.trace.records import ChargingRecord
from simwarden.wire.sms import concatenation_of, split_header

if TYPE_CHECKING:
    from simulators.smsc.causes import Refusal
    from simulators.smsc.core import Core
    from simulators.smsc.message import End, ShortMessage


class SmMessageType(enum.IntEnum):
    """SMMessageType (TS 32.298 5.2.4.1), those that are recorded here."""

    SUBMISSION = 0
    DELIVERY = 3


def of_card(core: Core, message: ShortMessage, refusal: Refusal | None = None) -> None:
    """Write the record of a card's message (SCSMORecord): `refusal` says why it was not taken."""
    parties = _parties("originator", core, message), {"recipientOtherAddress": str(message.far_end)}
    fields = _fields(core, message, SmMessageType.SUBMISSION, refusal) | {"messageReference": message.reference}
    _write(core, "SCSMORecord", fields | {"originatorInfo": parties[0], "recipientInfo": [parties[1]]})


def for_card(core: Core, message: ShortMessage, end: End | Refusal) -> None:
    """Write the record of a message for a card (SCSMTRecord): how it ended, or why it was not taken."""
    refusal = end if isinstance(end, tuple) else None
    parties = {"originatorOtherAddress": str(message.far_end)}, _parties("recipient", core, message)
    fields = _fields(core, message, SmMessageType.DELIVERY, refusal) | {"submissionTime": _date(message.taken)}
    if not isinstance(end, tuple):
        _, status = STATES[end]
        fields |= {"sMSStatus": status, "sMDischargeTime": core.clock.wall()}
    _write(core, "SCSMTRecord", fields | {"originatorInfo": parties[0], "recipientInfo": parties[1]})


def _write(core: Core, record: str, fields: dict[str, Any]) -> None:
    core.site.record(ChargingRecord(element=core.site.name, record=record, fields=fields))


def _date(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _parties(role: str, core: Core, message: ShortMessage) -> dict[str, str]:
    card = core.store.card(message.imsi)
    number = card.msisdn if card is not None else ""
    return {f"{role}IMSI": message.imsi} | ({f"{role}MSISDN": number} if number else {})


def _fields(core: Core, message: ShortMessage, kind: SmMessageType, refusal: Refusal | None) -> dict[str, Any]:
    core.charged += 1
    part = concatenation_of(split_header(message.header)[0]) if message.header else None
    fields: dict[str, Any] = {
        "sMSNodeAddress": core.config.number,
        "eventtimestamp": core.clock.wall(),
        "messageSize": len(message.octets),
        "sMdeliveryReportRequested": bool(message.receipt),
        "sMDataCodingScheme": message.data_coding,
        "sMMessageType": kind,
        "localSequenceNumber": core.charged,
    }
    if part is not None:
        fields |= {"sMTotalNumber": part.total, "sMSequenceNumber": part.number}
    return fields | ({"sMSResult": refusal.result} if refusal is not None else {})
