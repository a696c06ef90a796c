"""The service centre as an element: SGd for MMEs, S6c to the HSS, SMPP for gateways, and its management."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.smsc.config import SmscConfig, SmscSms
from simulators.smsc.controls import ALL
from simulators.smsc.events import EVENTS
from simulators.smsc.parts.lists import Lists
from simulators.smsc.parts.messages import Messages
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES
from simwarden.runtime.declare import Declaration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.smsc.core import Core


class Smsc(Element[SmscConfig]):
    """Short message service centre, with SMS-GMSC and SMS-IWMSC (TS 23.040 3.1)."""

    declaration = Declaration(
        kind="smsc",
        title="Short message service centre",
        lane=62,
        config=SmscConfig,
        standing=False,
        starts_after=("hss", "ocs"),
        listens=("SGd", "SMPP"),
        calls=("S6c", "Ro"),
        card={"sms": SmscSms},
        controls=(*ALL, ROLES),
        records=("SCSMORecord", "SCSMTRecord"),
        events=EVENTS,
        services={"sms": {}},
    )
    parts = (Lists, Messages)
    core: Core

    async def start(self) -> None:
        """Open the store, listen, and take up what waits."""
        from simulators.smsc import dispatch  # noqa: PLC0415 - checking files needs no codec
        from simulators.smsc.clients.credit import Counter  # noqa: PLC0415
        from simulators.smsc.clients.ocs import Ro  # noqa: PLC0415
        from simulators.smsc.core import Core  # noqa: PLC0415
        from simulators.smsc.procedures.delivery import begin, hurry  # noqa: PLC0415
        from simulators.smsc.store import METADATA, Store  # noqa: PLC0415

        core = self.core = Core(self.site, self.config, Store(self.site.open_store(METADATA)))
        core.credit = Ro(core) if self.config.ocs else Counter(self.site, core.store)
        self.fit(core)
        core.node = core.peers.serve(dispatch.handlers(core), opened=lambda _peer: hurry(core, imsi=None))
        await core.node.listen("SGd")
        await self.site.listen("SMPP", lambda link: dispatch.accept(core, link))
        await core.node.connect("S6c", self.config.hss)
        if self.config.ocs:
            await core.node.connect("Ro", self.config.ocs)
        for message in core.store.messages:
            begin(core, message)

    def census(self) -> Mapping[str, int]:
        """Count messages that wait."""
        return {"messages": len(self.core.store.messages)}

    async def stop(self) -> None:
        """Write and answer what came, and say goodbye to gateways, MMEs and HSS."""
        self.core.batch.flush()
        self._rest()
        for link in self.core.links:
            link.close()
        await self.core.node.stop()
        self.core.batch.flush()
        self.core.batch.over = True

    async def killed(self) -> None:
        """Lose power."""
        self._rest()
        self.core.batch.over = True
        for link in self.core.links:
            link.link.close("connection lost")
        self.core.node.drop()

    def _rest(self) -> None:
        self.core.stopping = True
        for timer in self.core.planned.values():
            timer.cancel()
        self.core.planned.clear()
