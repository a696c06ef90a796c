"""Tells a platform which cards leave their area and which are back.

Stands in for the reporting of a change of presence (TS 23.401 5.9.2.2), which goes by the gateways to a PCRF.
What is told is what the area's own controls decided. Reports keep their order and are told again while the platform is
away; they are in memory only, so that an MME which restarts tells again at the next contact outside.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from simwarden.errors import ManagementError
from simwarden.machine.fairness import oldest_of_busiest

if TYPE_CHECKING:
    from simwarden.runtime.site import Site

#: reports that wait at most; of more the oldest of the card with the most reports is dropped
_MOST = 10_000
#: seconds until a platform that is away is told again
_RETRY = 30.0


class Presence:
    """The reports of one MME; `platform` is the element that is told, `off` none."""

    def __init__(self, site: Site, platform: str) -> None:
        self._site, self._platform = site, platform
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._telling = False

    def tell(self, imsi: str, *, inside: bool, cell: str) -> None:
        """Tell that a card was found outside its area, or is served inside it again."""
        if self._platform == "off":
            return
        self._waiting.append((imsi, {"inside": inside, "cell": cell}))
        if len(self._waiting) > _MOST:
            self._waiting.remove(oldest_of_busiest(self._waiting, lambda report: report[0]))
        if not self._telling:
            self._telling = True
            self._site.spawn(self._tell_all(), "reports of presence")

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                report = self._waiting[0]
                if not await self._tell_one(*report):
                    await self._site.clock.sleep(_RETRY)
                elif self._waiting and self._waiting[0] is report:  # else it was dropped meanwhile
                    self._waiting.popleft()
        finally:
            self._telling = False

    async def _tell_one(self, imsi: str, body: dict[str, Any]) -> bool:
        """Tell one report; True if there is nothing more to do about it."""
        try:
            await self._site.manage(self._platform, "POST", f"/cards/{imsi}/presence", body)
        except ManagementError as error:
            self._site.note(f"{self._platform} was not told where a card is: {error}", imsi=imsi)
            return error.status < 500
        return True
