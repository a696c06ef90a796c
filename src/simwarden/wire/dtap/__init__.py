"""DTAP (TS 24.008): mobility management and call control between a terminal and its MSC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.dtap.codec import Message, decode, encode
    from simwarden.wire.dtap.elements import CODING_GSM, CallingNumber
    from simwarden.wire.dtap.enums import (
        CallState,
        CmServiceType,
        Discriminator,
        LocationUpdatingType,
        MessageType,
        MmCause,
        RrCause,
    )

__all__ = [
    "CODING_GSM",
    "CallState",
    "CallingNumber",
    "CmServiceType",
    "Discriminator",
    "LocationUpdatingType",
    "Message",
    "MessageType",
    "MmCause",
    "RrCause",
    "decode",
    "encode",
]

__getattr__ = offer(__name__, "codec", "elements", "enums")
