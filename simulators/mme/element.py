"""The MME as an element: what it declares, its start and stop."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.mme.clients.gateways import Gateways
from simulators.mme.clients.home import Home
from simulators.mme.clients.presence import Presence
from simulators.mme.config import MmeArea, MmeConfig
from simulators.mme.controls import CONTROLS
from simulators.mme.core import Core
from simulators.mme.demands import DEMANDS
from simulators.mme.dispatch import s1
from simulators.mme.events import EVENTS
from simulators.mme.parts.areas import Areas
from simulators.mme.parts.sessions import Sessions
from simulators.mme.procedures import bearers, short_message
from simulators.mme.procedures.subscriber_data import HANDLERS
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES
from simwarden.runtime.declare import Declaration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simwarden.operations.approval import Audit


class Mme(Element[MmeConfig]):
    """Mobility management entity (TS 23.401 4.4.2)."""

    declaration = Declaration(
        kind="mme",
        title="MME",
        lane=40,
        config=MmeConfig,
        starts_after=("hss", "eir", "sgw", "smsc"),
        listens=("S1-MME", "S11"),
        calls=("S6a", "S13", "S11", "SGd"),
        card={"area": MmeArea},
        controls=(*CONTROLS, ROLES),
        events=EVENTS,
        demands=DEMANDS,
        services={"sms": {"sms": {"centres": {"smsc": "+8613800100500"}}}},
        renamed={
            "mme.register": "mme.hss",
            "mme.access-point": "mme.apn",
            "gateways.access_points": "gateways.apns",
        },
    )
    parts = (Sessions, Areas)

    async def start(self) -> None:
        """Connect to HSS and EIR, then take eNBs."""
        from simulators.mme.store import METADATA, AreaStore  # noqa: PLC0415 - SQLAlchemy is heavy; checking files needs none

        shared = self.config.area_data
        areas = AreaStore(self.site.open_store(METADATA, shared), shared=bool(shared))
        core = self.core = Core(self.site, self.config, areas)
        core.presence = Presence(self.site, self.config.platform)
        of_home, of_centres = (
            {name: partial(each, core) for name, each in handlers.items()}
            for handlers in (HANDLERS, short_message.HANDLERS)
        )
        core.home = Home(self.site, self.config, of_home, of_centres)
        gateways = core.gateways = Gateways(
            self.site, self.config, {name: partial(each, core) for name, each in bearers.HANDLERS.items()}
        )
        gateways.on_lost = partial(bearers.lost, core)
        gateways.on_order = partial(bearers.order_reports, core)
        gateways.node.on_restart = gateways.node.on_failure = partial(bearers.lost_all, core)
        self.fit(core)
        gateways.greet()
        await core.home.start()
        await self.site.listen("S1-MME", lambda link: s1.accept(core, link))

    def census(self) -> Mapping[str, int]:
        """Count connections, attaches not admitted yet, PDN connections, and bearers: all, and those on S1-U."""
        ues = self.core.by_imsi.values()
        bearers = [bearer for ue in ues for bearer in ue.all_bearers.values()]
        return {
            "connections": len(self.core.connections),
            "attempts": len(self.core.attempts),
            "sessions": sum(len(ue.bearers) for ue in ues),
            "EPS bearers": len(bearers),
            "bearers": sum(each.enb is not None for each in bearers),
        }

    def views(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """Tell what eNBs, gateways, HSS and devices hold of its contexts."""
        from simulators.mme.views import views  # noqa: PLC0415 - checking files needs no codec

        return views(self.core)

    def kept(self) -> Audit:
        """Keep refused calls with the changes."""
        return self.core.audit

    async def stop(self) -> None:
        """Leave: eNBs hear that the connection closes, HSS and EIR a DPR."""
        self._let_go(f"{self.site.name} stops")
        await self.core.home.node.stop()

    async def killed(self) -> None:
        """Lose power."""
        self._let_go("connection lost")
        self.core.home.node.drop()

    def _let_go(self, reason: str) -> None:
        """Stop all timers, forget all devices and drop all eNBs: no context outlives a restart (TS 23.007 14).

        The gateways find by the restart counter that their sessions are over.
        """
        core = self.core
        core.gateways.node.close()
        for conn in list(core.connections.values()):
            core.halt(conn)
            if conn.guard is not None:
                conn.guard.cancel()
        for ue in list(core.by_imsi.values()):
            core.stop_timer(ue)
            core.end_session(ue, lost=True)
        for link in list(core.enbs):
            link.close(reason)
