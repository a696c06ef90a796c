"""DTMF digits in INFO requests, by the body `application/dtmf-relay`: legacy INFO usage (RFC 6086 2, RFC 2976).

No standard and no Info Package defines this body; gateways without a common RTP event send it. A key is written as
itself, or as its event of RFC 4733 (10 to 15), and lines may end with LF.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire.sip.enums import Status

if TYPE_CHECKING:
    from simwarden.wire.sip.message import Request

DTMF_RELAY: Final = "application/dtmf-relay"
KEYS: Final = frozenset("0123456789*#ABCD")
"""Keys of DTMF (TS 23.014 6.2)."""
_EVENTS: Final = {str(event): key for event, key in enumerate("*#ABCD", 10)}
#: length of a tone in ms: ended by the network, whenever the key is released (operator option of TS 23.014 6.2)
_DURATION: Final = 100


def encode_digit(key: str) -> bytes:
    """Return the body of an INFO request for a key."""
    return f"Signal={key}\r\nDuration={_DURATION}\r\n".encode("ascii")


def decode_digit(request: Request) -> str:
    """Return the key in an INFO request, or an empty string if the request has no body.

    Raises PeerError with the status that answers the request: 400, 415, or 469 for an Info Package.
    """
    if request.headers.get("Info-Package") is not None:
        raise PeerError("INFO with an Info Package", code=Status.BAD_INFO_PACKAGE)
    if not request.body:
        return ""
    content_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip()
    if content_type.lower() != DTMF_RELAY:
        raise PeerError(f"INFO with a body of type {content_type[:60]!r}", code=Status.UNSUPPORTED_MEDIA_TYPE)
    lines = [line.partition("=") for line in request.body.decode("ascii", "replace").splitlines() if line.strip()]
    fields = {name.strip().lower(): value.strip() for name, _, value in lines}
    signal, duration = fields.get("signal", "").upper(), fields.get("duration", "0")
    key = _EVENTS.get(signal, signal)
    if len(fields) < len(lines) or key not in KEYS or not (duration.isascii() and duration.isdigit()):
        raise PeerError(f"malformed DTMF digit: {request.body[:60]!r}", code=Status.BAD_REQUEST)
    return key
