"""The OCS as an element: Gy for PGWs, Ro for service centres and SCPs, and its management."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.ocs.config import OcsConfig, OcsQuota
from simulators.ocs.controls import ALL
from simulators.ocs.events import EVENTS
from simulators.ocs.parts.balances import Balances
from simulators.ocs.parts.quotas import Quotas
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES
from simwarden.runtime.declare import Declaration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.ocs.core import Core


class Ocs(Element[OcsConfig]):
    """Online charging system (TS 32.296)."""

    declaration = Declaration(
        kind="ocs",
        title="Online charging system",
        lane=86,
        config=OcsConfig,
        standing=False,
        listens=("Gy", "Ro"),
        card={"quota": OcsQuota},
        controls=(*ALL, ROLES),
        events=EVENTS,
    )
    parts = (Quotas, Balances)
    core: Core

    async def start(self) -> None:
        """Open the store, and listen."""
        from simulators.ocs import dispatch  # noqa: PLC0415 - checking files needs no codec
        from simulators.ocs.core import Core  # noqa: PLC0415
        from simulators.ocs.store import METADATA, Store  # noqa: PLC0415

        core = self.core = Core(self.site, self.config, Store(self.site.open_store(METADATA)))
        self.fit(core)
        core.node = core.peers.serve(dispatch.handlers(core))
        await core.node.listen()

    def census(self) -> Mapping[str, int]:
        """Count sessions that are open."""
        return {"charged_sessions": len(self.core.store.open_sessions())}

    async def stop(self) -> None:
        """Write and answer what came, and say goodbye."""
        self.core.batch.flush()
        await self.core.node.stop()
        self.core.batch.flush()
        self.core.batch.over = True

    async def killed(self) -> None:
        """Lose power."""
        self.core.batch.over = True
        self.core.node.drop()
