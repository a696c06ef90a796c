"""MAP (TS 29.002): what HLR, VLR, GMSC and EIR say of subscribers and their calls."""

# mypy: implicit-reexport
# ruff: noqa: F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.map.arguments import *
    from simwarden.wire.map.enums import *
    from simwarden.wire.map.failures import *
    from simwarden.wire.map.operations import *

__getattr__ = offer(__name__, "arguments", "enums", "failures", "operations")
