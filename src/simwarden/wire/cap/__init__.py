"""CAP (TS 29.078): what an SSP and an SCP say of calls, in phases 2, 3 and 4 of CAMEL."""

# mypy: implicit-reexport
# ruff: noqa: F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.cap.arguments import *
    from simwarden.wire.cap.enums import *
    from simwarden.wire.cap.operations import *

__getattr__ = offer(__name__, "arguments", "enums", "operations")
