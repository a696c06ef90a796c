"""SIP (RFC 3261): calls with the outside world; what Q.850 and SIP say of one another (RFC 3398); SDP without media."""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.sip.causes import cause_of, reason_header, status_of
    from simwarden.wire.sip.codec import decode, encode
    from simwarden.wire.sip.dtmf import KEYS, decode_digit, encode_digit
    from simwarden.wire.sip.enums import Method, Status
    from simwarden.wire.sip.message import Headers, Message, Request, Response
    from simwarden.wire.sip.parts import CSeq, NameAddress, Uri, Via
    from simwarden.wire.sip.reading import dissect
    from simwarden.wire.sip.sdp import describe

__getattr__ = offer(__name__, "codec", "message", "parts", "causes", "enums", "sdp", "dtmf", "reading")
