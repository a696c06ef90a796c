"""Operations of MAP in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.wire.map.operations import MAP_USER
from simwarden.wire.tcap.user import ComponentReading

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT: Final[Mapping[str, str]] = {
    "isd": "insert-subscriber-data",
    "dsd": "delete-subscriber-data",
    "sri": "send-routing-info",
    "prn": "provide-roaming-number",
}


class Map(ComponentReading):
    """How MAP is read."""

    user = MAP_USER
    specification = "TS 29.002"
    abbreviations = _SHORT
