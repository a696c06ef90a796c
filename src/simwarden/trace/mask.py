"""Octets of frames with the keys in them zeroed, their length unchanged.

KASME, KeNB, next hops, CK, IK, PINs and files of keys are on real wires too, so the trace has them; no view shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.family import family_of

if TYPE_CHECKING:
    from simwarden.trace.events import Frame


def masked(frame: Frame) -> bytes:
    """Return a frame's octets without keys. Malformed octets stay as they are: no element took a key from them."""
    return masked_octets(frame.data, frame.protocol)


def masked_octets(data: bytes, protocol: str) -> bytes:
    """Return octets of a wire family without keys, as `masked` does."""
    return family_of(protocol).read().mask(data)
