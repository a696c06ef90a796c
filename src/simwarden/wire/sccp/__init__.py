"""SCCP without connections (Q.711 to Q.714): addresses by point code, subsystem and global title; its management."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.sccp.address import Address, GlobalTitle
    from simwarden.wire.sccp.codec import Message, Segmentation, decode, encode
    from simwarden.wire.sccp.enums import (
        ManagementType,
        MessageType,
        NatureOfAddress,
        NumberingPlan,
        ReturnCause,
        Subsystem,
    )
    from simwarden.wire.sccp.management import Management, decode_management, encode_management
    from simwarden.wire.sccp.reading import dissect

__all__ = [
    "Address",
    "GlobalTitle",
    "Management",
    "ManagementType",
    "Message",
    "MessageType",
    "NatureOfAddress",
    "NumberingPlan",
    "ReturnCause",
    "Segmentation",
    "Subsystem",
    "decode",
    "decode_management",
    "dissect",
    "encode",
    "encode_management",
]

__getattr__ = offer(__name__, "codec", "address", "enums", "management", "reading")
