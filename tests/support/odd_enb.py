"""What an eNB sends that leaves out elements of S1AP: only those with criticality ignore go through (10.3.5)."""

from __future__ import annotations

from typing import Any

from simwarden.wire import s1ap


def without(name: str, *left_out: str, **ies: Any) -> bytes:
    """Encode a message as one does that leaves out elements of it (10.3.5)."""
    whole = s1ap.encode(s1ap.Message(name, ies))
    spec = s1ap.Message.specs[name]
    gone = {rule.ie.identity for rule in spec.rules if rule.ie.name in left_out}
    at, kept = (4 if whole[3] < 0x80 else 5) + 3, []
    while at < len(whole):
        head = at + 4 if whole[at + 3] < 0x80 else at + 5
        size = whole[at + 3] if whole[at + 3] < 0x80 else (whole[at + 3] & 0x3F) << 8 | whole[at + 4]
        if int.from_bytes(whole[at : at + 2]) not in gone:
            kept.append(whole[at : head + size])
        at = head + size
    content = b"\0" + len(kept).to_bytes(2) + b"".join(kept)
    assert len(content) < 0x80 or len(content) < 0x4000
    length = bytes([len(content)]) if len(content) < 0x80 else (0x8000 | len(content)).to_bytes(2)
    return whole[:3] + length + content
