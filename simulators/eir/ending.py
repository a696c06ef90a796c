"""What cards have in terminals outside their changed pools, ended by the HSS; kept until it has heard of it.

S13 has no way to take a verdict back that an MME keeps: the HSS cancels the location (TS 29.272 5.2.1.2), and the
device is asked about anew when it attaches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import ManagementError
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from simulators.eir.config import EirConfig
    from simulators.eir.store import Store
    from simwarden.runtime.site import Site


class Ending:
    """Tells the HSS whose use is over, again until it has answered."""

    def __init__(self, site: Site, config: EirConfig, store: Store) -> None:
        self._site, self._config, self._store = site, config, store
        #: cards of which the HSS has still to hear, and how often that was ordered
        self._pending: dict[str, int] = {}
        self._waiting = False
        for imsi in store.pending() if self.works else ():
            self._pending[imsi] = 1
            self._later()

    @property
    def works(self) -> bool:
        """Whether there is an HSS to be told."""
        return self._config.hss != "off"

    async def end(self, imsi: str) -> None:
        """End what a card has, which the store keeps as pending; it goes on until the HSS can be told."""
        if self.works:
            self._pending[imsi] = self._pending.get(imsi, 0) + 1
            await self._tell(imsi)

    async def _tell(self, imsi: str) -> None:
        order = self._pending[imsi]
        try:
            await self._site.manage(self._config.hss, "DELETE", f"/cards/{imsi}/location")
        except ManagementError as error:
            if error.status != 404:  # who has no such card has nothing of it to end
                self._site.note(f"what the card has goes on until the HSS can be told: {error}", imsi=imsi)
                self._later()
                return
        if self._pending.get(imsi) != order:
            return  # ordered anew meanwhile, and told anew
        try:
            self._store.told(imsi)
        except StoreError:
            self._later()
            raise
        del self._pending[imsi]

    def _later(self) -> None:
        if not self._waiting:
            self._waiting = True
            self._site.spawn(self._tell_again(), "pending notifications")

    async def _tell_again(self) -> None:
        try:
            await self._site.clock.sleep(self._config.retry)
        finally:
            self._waiting = False
        for imsi in list(self._pending):
            if imsi in self._pending:  # it may have been told meanwhile
                await self._tell(imsi)
