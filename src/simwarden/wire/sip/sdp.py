"""A session that is described, with no media behind it (RFC 8866): one audio stream, PCMA and PCMU."""

from __future__ import annotations

from typing import Final

CONTENT_TYPE: Final = ("Content-Type", "application/sdp")


def describe(host: str, port: int, session: int = 0) -> bytes:
    """Return an offer or answer of audio at an address."""
    family = "IP6" if ":" in host else "IP4"
    lines = (
        "v=0",
        f"o=- {session} {session} IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 8 0",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "",
    )
    return "\r\n".join(lines).encode()
