"""SMPP 3.4 (issue 1.2, 12 October 1999): all PDUs, optional parameters, delivery receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.smpp.codec import LENGTHS, Header, decode, decode_header, encode
    from simwarden.wire.smpp.enums import Command, MessageState, Npi, Status, Tag, Ton
    from simwarden.wire.smpp.pdus import (
        BINDS,
        MESSAGE_TYPE,
        RECEIPT,
        RECEIPT_ALWAYS,
        RECEIPT_ON_FAILURE,
        REPLY_PATH,
        RESPONSE,
        UDHI,
        VERSION,
        Address,
        Alert,
        Bind,
        Body,
        Bound,
        Cancel,
        DataSm,
        MessageId,
        Outbind,
        Parameter,
        Pdu,
        Queried,
        Query,
        Replace,
        ShortMessage,
        SubmitMulti,
        SubmittedMulti,
        Unsuccessful,
        answer,
    )
    from simwarden.wire.smpp.reading import CLASS_GROUPS, alphabet_of, dissect, mask, message_text
    from simwarden.wire.smpp.receipt import Receipt, format_time, parse_receipt, parse_time
    from simwarden.wire.smpp.submit import read_times, read_user_data

__all__ = [
    "BINDS",
    "CLASS_GROUPS",
    "LENGTHS",
    "MESSAGE_TYPE",
    "RECEIPT",
    "RECEIPT_ALWAYS",
    "RECEIPT_ON_FAILURE",
    "REPLY_PATH",
    "RESPONSE",
    "UDHI",
    "VERSION",
    "Address",
    "Alert",
    "Bind",
    "Body",
    "Bound",
    "Cancel",
    "Command",
    "DataSm",
    "Header",
    "MessageId",
    "MessageState",
    "Npi",
    "Outbind",
    "Parameter",
    "Pdu",
    "Queried",
    "Query",
    "Receipt",
    "Replace",
    "ShortMessage",
    "Status",
    "SubmitMulti",
    "SubmittedMulti",
    "Tag",
    "Ton",
    "Unsuccessful",
    "alphabet_of",
    "answer",
    "decode",
    "decode_header",
    "dissect",
    "encode",
    "format_time",
    "mask",
    "message_text",
    "parse_receipt",
    "parse_time",
    "read_times",
    "read_user_data",
]

__getattr__ = offer(__name__, "pdus", "codec", "enums", "receipt", "reading", "submit")
