"""M3UA (RFC 4666): MTP3's users over SCTP, between application servers and signalling gateways."""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.m3ua.codec import decode, encode, encode_data
    from simwarden.wire.m3ua.enums import ErrorCode, MessageType, ServiceIndicator, Status, TrafficMode
    from simwarden.wire.m3ua.message import Destination, Message, ProtocolData, UserCause

__getattr__ = offer(__name__, "codec", "message", "enums")
