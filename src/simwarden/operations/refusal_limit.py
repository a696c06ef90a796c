"""How many refused calls of one caller an HTTP interface answers in a minute (RFC 6585 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import ManagementError

if TYPE_CHECKING:
    from collections.abc import Callable

#: seconds over which refusals are counted, and how many of one caller are answered in them
WINDOW: Final = 60.0
MOST_REFUSALS = 120
_REFUSED: Final = (403, 404)


class RefusalLimit:
    """Counts the refusals of each caller with a token: each is a record of the audit, which a caller must not fill."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        #: by caller, how many refusals there were, and the time at which they are forgotten
        self._refusals: dict[str, tuple[int, float]] = {}

    def check(self, caller: str) -> None:
        """Raise ManagementError (429) for a caller that has to wait."""
        number, until = self._refusals.get(caller, (0, 0.0))
        left = until - self._now()
        if left <= 0:
            self._refusals.pop(caller, None)
        elif number >= MOST_REFUSALS:
            wait = int(left) + 1
            raise ManagementError(
                429, f"too many refused calls: wait for {wait} s", code="TOO_MANY_REQUESTS", wait=wait
            )

    def count(self, caller: str, status: int) -> None:
        """Count an answer, if it is a refusal."""
        if status in _REFUSED:
            number, until = self._refusals.get(caller, (0, self._now() + WINDOW))
            self._refusals[caller] = (number + 1, until)
