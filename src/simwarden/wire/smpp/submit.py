"""The parameters of a submit_sm, checked against the specification (SMPP 3.4 4.4.1, 5.2, 5.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire.smpp.enums import Status, Tag
from simwarden.wire.smpp.pdus import MESSAGE_TYPE, UDHI, ShortMessage
from simwarden.wire.smpp.receipt import parse_time
from simwarden.wire.sms.header import Concatenation, Element, Ports, encode_header

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from simwarden.wire.smpp.pdus import Pdu

#: parameters that change the kind or the destination of a message, and have no equal in a TPDU
_UNSUPPORTED: Final = frozenset(
    {
        Tag.DEST_ADDR_SUBUNIT,
        Tag.DEST_TELEMATICS_ID,
        Tag.USSD_SERVICE_OP,
        Tag.ITS_REPLY_TYPE,
        Tag.ITS_SESSION_INFO,
    }
)
#: reserved values (5.2.12, 5.2.14, 5.2.17, 5.2.18), and messages stored at the SMSC (5.2.20)
_RESERVED: Final[tuple[tuple[Status, Callable[[ShortMessage], bool]], ...]] = (
    (Status.ESME_RINVESMCLASS, lambda body: bool(body.esm_class & MESSAGE_TYPE)),
    (Status.ESME_RINVPRTFLG, lambda body: body.priority_flag > 3),
    (Status.ESME_RINVREGDLVFLG, lambda body: body.registered_delivery & 3 == 3 or body.registered_delivery > 0x1F),
    (Status.ESME_RINVREPFLAG, lambda body: body.replace_if_present_flag > 1),
    (Status.ESME_RINVDFTMSGID, lambda body: bool(body.sm_default_msg_id)),
)


def read_user_data(pdu: Pdu) -> tuple[bytes, bool]:
    """Return the user data of a submit_sm, and whether they begin with a header.

    sar_* and port parameters become elements of a header (TS 23.040 9.2.3.24). Raises PeerError, whose code is the
    command_status of the answer.
    """
    body = pdu.body
    assert isinstance(body, ShortMessage)  # noqa: S101 - by its command
    for status, is_reserved in _RESERVED:
        if is_reserved(body):
            raise PeerError(f"submit_sm with a value that is reserved or not offered: {status.name}", code=status)
    for each in pdu.parameters:
        if each.tag in _UNSUPPORTED:
            raise PeerError(f"submit_sm with {Tag(each.tag).name.lower()}", code=Status.ESME_ROPTPARNOTALLWD)
    payload = pdu.parameter(Tag.MESSAGE_PAYLOAD)
    if payload and body.short_message:  # 5.3.2.32: one of both
        raise PeerError("short_message and message_payload together", code=Status.ESME_ROPTPARNOTALLWD)
    octets, elements = payload or body.short_message, _read_elements(pdu)
    if elements and body.esm_class & UDHI:
        raise PeerError("a header, and parameters in place of one", code=Status.ESME_ROPTPARNOTALLWD)
    return encode_header(elements) + octets, bool(elements or body.esm_class & UDHI)


def read_times(schedule: str, validity: str, now: dt.datetime, horizon: float) -> tuple[float, float | None]:
    """Return the scheduled delivery time (0 for none) and the end of the validity (None if absent), as POSIX times.

    A message is scheduled at most `horizon` seconds ahead, and within its validity (5.2.15, 5.2.16). CMPP has the same
    form of times. Raises PeerError, whose code is the command_status of the answer.
    """
    try:
        first = parse_time(schedule, now)
    except ValueError as error:
        raise PeerError(str(error), code=Status.ESME_RINVSCHED) from None
    try:
        last = parse_time(validity, now)
    except ValueError as error:
        raise PeerError(str(error), code=Status.ESME_RINVEXPIRY) from None
    scheduled, until = first.timestamp() if first else 0.0, last.timestamp() if last else None
    if scheduled > now.timestamp() + horizon or (until is not None and scheduled >= until > now.timestamp()):
        raise PeerError(f"delivery at {first}, valid until {last}", code=Status.ESME_RINVSCHED)
    return scheduled, until


def _read_elements(pdu: Pdu) -> list[Element]:
    """Return the elements of a header that replace sar_* and port parameters. Raises PeerError."""
    found = []
    reference, total, number = (
        _read_number(pdu, tag, size)
        for tag, size in ((Tag.SAR_MSG_REF_NUM, 2), (Tag.SAR_TOTAL_SEGMENTS, 1), (Tag.SAR_SEGMENT_SEQNUM, 1))
    )
    if reference is not None and total is not None and number is not None:  # else they are ignored (5.3.2.22)
        if not 0 < number <= total:
            raise PeerError(f"segment {number} of {total}", code=Status.ESME_RINVOPTPARAMVAL)
        # of eight bits, so that segments of 153 septets fit
        found.append(Concatenation(reference & 0xFF, total, number).element)
    destination, source = (_read_number(pdu, tag, 2) for tag in (Tag.DESTINATION_PORT, Tag.SOURCE_PORT))
    if destination is not None or source is not None:
        found.append(Ports(destination or 0, source or 0).element)
    return found


def _read_number(pdu: Pdu, tag: Tag, size: int) -> int | None:
    value = pdu.parameter(tag)
    if value is not None and len(value) != size:
        raise PeerError(f"{tag.name.lower()} of {len(value)} octets", code=Status.ESME_RINVPARLEN)
    return None if value is None else int.from_bytes(value)
