"""What of a packet a receiver takes: nothing that is broken, and nothing of a fragment."""

from __future__ import annotations

from simwarden.errors import PeerError
from simwarden.wire import ip


def transport_at(packet: bytes) -> int:
    """Return where the header of TCP or UDP is in a packet that has one; its end, if none can be found."""
    try:
        return ip.carried_at(packet)
    except PeerError:
        return len(packet)


def segment_in(packet: bytes) -> ip.Tcp | None:
    """Return the segment in a packet, None if no receiver takes it."""
    try:
        whole = ip.decode(packet)
        return None if whole.offset or whole.more else ip.decode_tcp(whole)
    except PeerError:
        return None


def datagram_in(packet: bytes) -> bytes | None:
    """Return what a packet of UDP carries, None if no receiver takes it."""
    try:
        whole = ip.decode(packet)
        return None if whole.offset or whole.more else ip.decode_udp(whole).payload
    except PeerError:
        return None
