"""DTAP (TS 24.008): mobility management and call control between a terminal and its MSC."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.dtap.codec import Message, decode, encode
    from simwarden.wire.dtap.elements import CODING_GSM, CallingNumber
    from simwarden.wire.dtap.enums import *

__getattr__ = offer(__name__, "codec", "elements", "enums")
