"""Diameter: RFC 6733 with the applications S6a and S13 of TS 29.272, from a dictionary that is data."""

from simwarden.wire.diameter.codec import (
    MAXIMUM_LENGTH,
    Splitter,
    decode,
    decode_avps_into,
    decode_header,
    encode,
    mask_keys,
)
from simwarden.wire.diameter.codes import Application, ExperimentalResult, ResultCode
from simwarden.wire.diameter.dissect import describe, dissect
from simwarden.wire.diameter.grammar import check_avps, check_request
from simwarden.wire.diameter.message import (
    Avps,
    DiameterError,
    Message,
    RawAvp,
    answer_to,
    application_id,
    first,
    request,
)

__all__ = [
    "MAXIMUM_LENGTH",
    "Application",
    "Avps",
    "DiameterError",
    "ExperimentalResult",
    "Message",
    "RawAvp",
    "ResultCode",
    "Splitter",
    "answer_to",
    "application_id",
    "check_avps",
    "check_request",
    "decode",
    "decode_avps_into",
    "decode_header",
    "describe",
    "dissect",
    "encode",
    "first",
    "mask_keys",
    "request",
]
