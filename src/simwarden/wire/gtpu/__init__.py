"""GTP-U, which carries user packets in tunnels: S1-U, S5-U and X2-U (TS 29.281)."""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.gtpu.codec import (
        Extension,
        ExtensionType,
        GtpuError,
        Message,
        MessageType,
        decode,
        encode,
        error_indication,
        g_pdu,
        is_g_pdu,
        supported_extensions,
        unwrap,
    )
    from simwarden.wire.gtpu.reading import dissect

__getattr__ = offer(__name__, "codec", "reading")
