"""What came of each element's events, by the numbers in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Source:
    """How many events of an element came, came again and never came since the first one; and the last one's number."""

    received: int = 0
    repeated: int = 0
    missing: int = 0
    last: int = 0

    def count(self, number: int) -> bool:
        """Count an event by its number; True if it was not here before."""
        if self.received and number <= self.last:
            self.repeated += 1
            return False
        if self.received:
            self.missing += number - self.last - 1
        self.received, self.last = self.received + 1, number
        return True
