"""What a session uses, as its PCRF wants it reported (TS 29.212 4.5.16): octets of all that passes, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True, eq=False)
class Usage:
    """A counter by its Monitoring-Key; at `threshold` octets it has `full` called, once for each that it is given."""

    key: bytes
    threshold: int
    full: Callable[[], object]
    used: int = 0

    def count(self, octets: int) -> None:
        """Count a packet that passes."""
        self.used += octets
        if 0 < self.threshold <= self.used:
            self.threshold = 0
            self.full()

    def take(self) -> int:
        """Return what was used since the last report, which is reported now."""
        used, self.used = self.used, 0
        return used
