"""CMPP 2.0 (China Mobile, April 2002): the messages between a platform and a gateway, and delivery reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.cmpp.codec import (
        LENGTHS,
        Header,
        decode,
        decode_header,
        decode_report,
        encode,
        encode_report,
    )
    from simwarden.wire.cmpp.enums import Command, ConnectStatus, Format, Result
    from simwarden.wire.cmpp.messages import (
        VERSION,
        ActiveTested,
        Body,
        Cancel,
        Cancelled,
        Connect,
        Connected,
        Deliver,
        Delivered,
        Message,
        MessageId,
        Queried,
        Query,
        Report,
        Submit,
        Submitted,
        answer,
        authenticator,
        authenticator_of_gateway,
    )
    from simwarden.wire.cmpp.reading import content_text, dissect, mask

__all__ = [
    "LENGTHS",
    "VERSION",
    "ActiveTested",
    "Body",
    "Cancel",
    "Cancelled",
    "Command",
    "Connect",
    "ConnectStatus",
    "Connected",
    "Deliver",
    "Delivered",
    "Format",
    "Header",
    "Message",
    "MessageId",
    "Queried",
    "Query",
    "Report",
    "Result",
    "Submit",
    "Submitted",
    "answer",
    "authenticator",
    "authenticator_of_gateway",
    "content_text",
    "decode",
    "decode_header",
    "decode_report",
    "dissect",
    "encode",
    "encode_report",
    "mask",
]

__getattr__ = offer(__name__, "messages", "codec", "enums", "reading")
