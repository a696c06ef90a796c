"""Short messages between a device and its MME: CP and RP of TS 24.011."""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.ppsms.codec import Cp, Rp, decode_cp, decode_rp, encode_cp, encode_rp
    from simwarden.wire.ppsms.enums import CpCause, CpType, RpCause, RpType
    from simwarden.wire.ppsms.reading import dissect

__getattr__ = offer(__name__, "codec", "enums", "reading")
