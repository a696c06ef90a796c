"""submit_sm that SMPP 3.4 does not allow or that is not offered, each with its command_status.

SMSC and SMS gateway are both asked; `NOT_ALLOWED` has the fields and parameters that differ from a submit_sm that is
taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.wire.smpp import Command, Parameter, Status, Tag

if TYPE_CHECKING:
    from simulators.platform.element import Platform
    from simwarden.testing import Bench
    from simwarden.wire.smpp import Pdu, ShortMessage

Fields = dict[str, Any]
REFERENCE, TOTAL = Parameter(Tag.SAR_MSG_REF_NUM, b"\1\7"), Parameter(Tag.SAR_TOTAL_SEGMENTS, b"\2")


def number(value: int) -> Parameter:
    """Return the parameter of a segment's number."""
    return Parameter(Tag.SAR_SEGMENT_SEQNUM, bytes((value,)))


NOT_ALLOWED: Final[dict[str, tuple[Fields, tuple[Parameter, ...], Status]]] = {
    "scheduled at no time": ({"schedule_delivery_time": "260302"}, (), Status.ESME_RINVSCHED),
    "scheduled at 25:00": ({"schedule_delivery_time": "260302250000032+"}, (), Status.ESME_RINVSCHED),
    "scheduled too far ahead": ({"schedule_delivery_time": "000008000000000R"}, (), Status.ESME_RINVSCHED),
    "scheduled after its validity": (
        {"schedule_delivery_time": "000000020000000R", "validity_period": "000000010000000R"},
        (),
        Status.ESME_RINVSCHED,
    ),
    "valid until no time": ({"validity_period": "tomorrow"}, (), Status.ESME_RINVEXPIRY),
    "payload and text": ({}, (Parameter(Tag.MESSAGE_PAYLOAD, b"pay"),), Status.ESME_ROPTPARNOTALLWD),
    "header and segment": (
        {"esm_class": 0x40, "short_message": b"\5\0\3\1\2\1x"},
        (REFERENCE, TOTAL, number(1)),
        Status.ESME_ROPTPARNOTALLWD,
    ),
    "segment 3 of 2": ({}, (REFERENCE, TOTAL, number(3)), Status.ESME_RINVOPTPARAMVAL),
    "segment 0 of 2": ({}, (REFERENCE, TOTAL, number(0)), Status.ESME_RINVOPTPARAMVAL),
    "reference of one octet": (
        {},
        (Parameter(Tag.SAR_MSG_REF_NUM, b"\7"), TOTAL, number(1)),
        Status.ESME_RINVPARLEN,
    ),
    "port of one octet": ({}, (Parameter(Tag.DESTINATION_PORT, b"\7"),), Status.ESME_RINVPARLEN),
    "port of a customer": ({}, (Parameter(Tag.DESTINATION_PORT, b"\x0b\x84"),), Status.ESME_RSUBMITFAIL),
    "subunit of the card": ({}, (Parameter(Tag.DEST_ADDR_SUBUNIT, b"\3"),), Status.ESME_ROPTPARNOTALLWD),
    "telematics": ({}, (Parameter(Tag.DEST_TELEMATICS_ID, b"\0\1"),), Status.ESME_ROPTPARNOTALLWD),
    "USSD": ({}, (Parameter(Tag.USSD_SERVICE_OP, b"\2"),), Status.ESME_ROPTPARNOTALLWD),
    "replace_if_present_flag 2": ({"replace_if_present_flag": 2}, (), Status.ESME_RINVREPFLAG),
    "priority_flag 4": ({"priority_flag": 4}, (), Status.ESME_RINVPRTFLG),
    "registered_delivery 3": ({"registered_delivery": 3}, (), Status.ESME_RINVREGDLVFLG),
    "registered_delivery 0x20": ({"registered_delivery": 0x20}, (), Status.ESME_RINVREGDLVFLG),
    "a message of the SMSC's own": ({"sm_default_msg_id": 5, "short_message": b""}, (), Status.ESME_RINVDFTMSGID),
    "a receipt": ({"esm_class": 0x04}, (), Status.ESME_RINVESMCLASS),
    "a delivery acknowledgement": ({"esm_class": 0x08}, (), Status.ESME_RINVESMCLASS),
    "a damaged header": ({"esm_class": 0x40, "short_message": b"\5\0\3"}, (), Status.ESME_RINVESMCLASS),
    "class 2": ({"data_coding": 0x12}, (), Status.ESME_RSUBMITFAIL),
    "161 septets": ({"short_message": b"x" * 161}, (), Status.ESME_RINVMSGLEN),
    "142 octets of UCS2, class 0": ({"data_coding": 0x18, "short_message": b"\0x" * 71}, (), Status.ESME_RINVMSGLEN),
    "Latin 1 that needs 200 octets of UCS2": (
        {"data_coding": 3, "short_message": b"\xe3" * 100},
        (),
        Status.ESME_RINVMSGLEN,
    ),
    "Latin 1 of 162 septets": ({"data_coding": 3, "short_message": b"{" * 81}, (), Status.ESME_RINVMSGLEN),
}

TEXTS: Final[dict[str, tuple[Fields, tuple[Parameter, ...], bytes]]] = {
    "payload": ({"short_message": b""}, (Parameter(Tag.MESSAGE_PAYLOAD, b"pay"),), b"pay"),
    "reference alone, which is ignored": ({}, (REFERENCE,), b"x"),
    "text of class 0": ({"data_coding": 0x10}, (), b"x"),
    "text of class 1": ({"data_coding": 0x11}, (), b"x"),
    "UCS2 of class 0": ({"data_coding": 0x18, "short_message": b"\0x" * 70}, (), b"\0x" * 70),
    "UCS2 of class 1": ({"data_coding": 0x19, "short_message": b"\0x"}, (), b"\0x"),
    "160 septets of class 0": ({"data_coding": 0x10, "short_message": b"x" * 160}, (), b"x" * 160),
}
"""Valid submit_sm, and the user data that are forwarded."""


async def ask(bench: Bench, platform: Platform, body: ShortMessage, *parameters: Parameter) -> Pdu:
    """Send a submit_sm as it is; return its answer."""
    gateway: Any = platform._gateway
    heard: list[Pdu] = []
    answered, gateway._answered = gateway._answered, lambda _sequence, answer: heard.append(answer)
    gateway._session.ask(Command.SUBMIT_SM, body, bench.clock.now(), *parameters)
    gateway._driven.settle()
    await bench.settle()
    gateway._answered = answered
    (answer,) = heard
    return answer
