"""The MME as an element: what it declares, its start and stop, its management routes and verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from simulators.mme import s1_dispatch
from simulators.mme.area_routes import AreaRoutes
from simulators.mme.config import MmeArea, MmeConfig
from simulators.mme.contexts import EmmState, UeContext
from simulators.mme.controls import CONTROLS, Occasion
from simulators.mme.core import Core
from simulators.mme.demands import DEMANDS
from simulators.mme.events import EVENTS
from simulators.mme.home import Home
from simulators.mme.procedures.detach import detach_by_network
from simulators.mme.procedures.paging import page
from simulators.mme.procedures.subscriber_data import SubscriberData
from simwarden.errors import ManagementError
from simwarden.model.values import (
    ADDRESS,
    APN,
    CELL,
    GIVEN,
    GUTI,
    IMEI,
    IMSI,
    NUMBER,
    STATION,
    SWITCH,
    TAI,
    TEXT,
    instance_of,
    members,
    one_of,
)
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES, Call, route
from simwarden.policy.risk_scenes import SCENES
from simwarden.runtime.declare import HISTORY, Declaration, Observable, VerbModel, verb
from simwarden.wire.nas.enums import EmmCause, EsmCause, NetworkDetachType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simwarden.operations.approval import Audit

_PLACE = CELL | TAI | STATION
_SESSION = {
    "imsi": IMSI.or_none(),
    "imei": IMEI.or_none(),
    "imeisv": IMEI.or_none(),
    "guti": GUTI,
    "cell": CELL,
    "tai": TAI,
    "state": one_of("connected", "idle"),
    "apn": APN.or_none(),
    "address": ADDRESS.or_none(),
    "emergency": SWITCH,
}
_REJECT = {
    "imsi": IMSI,
    "procedure": one_of("attach", "tracking-area-update", "service-request"),
    "emm_cause": members(EmmCause),
    "esm_cause": members(EsmCause).or_none(),
    "reason": TEXT,
}
_RISK = {
    "imsi": IMSI,
    "scene": one_of(*SCENES),
    "control": one_of(*(each.id for each in CONTROLS)),
    "expected": _PLACE | GIVEN,
    "seen": _PLACE | GIVEN | one_of("no province"),
    "tai": TAI,
    "cell": CELL | STATION,
    "occasion": members(Occasion),
}
_AREA = {"imsi": IMSI, "cells": CELL | STATION, "stations": NUMBER, "province": GIVEN.or_none(), "used": STATION}
_S1 = {"enb": instance_of("enb") | GIVEN, "enb_id": NUMBER, "tais": TAI, "state": one_of("up")}
_REPORTS = {
    "imsi": IMSI,
    "enb": instance_of("enb") | GIVEN,
    "enb_id": NUMBER,
    "state": one_of("failed", "silent"),
    "cause": TEXT.or_none(),
}


class Page(VerbModel):
    """Page the device of a card, by its identity (`page: card.imsi`)."""

    shorthand: ClassVar[str] = "imsi"
    imsi: str
    """The card's IMSI."""


class Mme(Element[MmeConfig]):
    """Mobility management entity (TS 23.401 4.4.2)."""

    declaration = Declaration(
        kind="mme",
        title="MME",
        lane=40,
        config=MmeConfig,
        starts_after=("hss", "eir"),
        listens=("S1-MME",),
        calls=("S6a", "S13"),
        card={"area": MmeArea},
        observables=(
            Observable(
                "session",
                "a card's device is registered (key: IMSI)",
                fields=_SESSION,
                passing=("guti", "address", "state"),
                serving="imsi",
            ),
            Observable(
                "reject", "the last refusal that a card's device was told (key: IMSI)", fields=_REJECT, passing=HISTORY
            ),
            Observable(
                "area",
                "where a card may be served, and its base stations (key: IMSI)",
                fields=_AREA,
                passing=("used",),
            ),
            Observable(
                "risk",
                "a card was refused outside its area: what, where, when (key: IMSI)",
                fields=_RISK,
                passing=HISTORY,
            ),
            Observable(
                "location_reports",
                "an eNB gives no location reports (key: its name)",
                fields=_REPORTS,
                passing=HISTORY,
            ),
            Observable("s1", "an eNB is in service (key: its name)", fields=_S1),
        ),
        controls=(*CONTROLS, ROLES),
        events=EVENTS,
        demands=DEMANDS,
    )
    parts = (AreaRoutes,)

    async def start(self) -> None:
        """Connect to HSS and EIR, then take eNBs."""
        from simulators.mme.store import METADATA, AreaStore  # noqa: PLC0415 - SQLAlchemy is heavy; checking files needs none

        orders = SubscriberData()
        shared = self.config.area_data
        areas = AreaStore(self.site.open_store(METADATA, shared), shared=bool(shared))
        self.core = Core(self.site, self.config, Home(self.site, self.config, orders.handlers()), areas)
        orders.core = self.core
        self.fit(self.core)
        await self.core.home.start()
        await self.site.listen("S1-MME", lambda link: s1_dispatch.accept(self.core, link))

    def census(self) -> Mapping[str, int]:
        """Count connections, and attaches that are not admitted yet."""
        return {"connections": len(self.core.connections), "attempts": len(self.core.attempts)}

    def kept(self) -> Audit:
        """Keep refused calls with the changes."""
        return self.core.audit

    async def stop(self) -> None:
        """Leave: eNBs hear that the connection closes, HSS and EIR a DPR."""
        self._let_go()
        for link in list(self.core.enbs):
            link.close(f"{self.site.name} stops")
        await self.core.home.node.stop()

    async def killed(self) -> None:
        """Lose power."""
        self._let_go()
        for link in list(self.core.enbs):
            link.close("connection lost")
        self.core.home.node.drop()

    def _let_go(self) -> None:
        """Stop all timers and forget all devices: no context outlives a restart (TS 23.007 14)."""
        core = self.core
        for conn in list(core.connections.values()):
            core.halt(conn)
            if conn.guard is not None:
                conn.guard.cancel()
        for ue in list(core.by_imsi.values()):
            core.stop_timer(ue)
            core.end_session(ue)

    # -- management

    @route("GET", "/sessions")
    async def sessions(self, call: Call) -> list[dict[str, Any]]:
        """List the registered devices."""
        del call
        return [_describe(ue) for ue in self.core.by_imsi.values() if ue.state is EmmState.REGISTERED]

    @route("GET", "/sessions/{imsi}")
    async def session(self, call: Call) -> dict[str, Any]:
        """Show a card's registration."""
        return _describe(self._registered(call.path["imsi"]))

    @route("POST", "/sessions/{imsi}/page")
    async def page_session(self, call: Call) -> dict[str, bool]:
        """Page a card's device; tells whether it answered."""
        return {"answered": await page(self.core, self._registered(call.path["imsi"]))}

    @route("DELETE", "/sessions/{imsi}")
    async def detach_session(self, call: Call) -> dict[str, Any]:
        """Detach a card's device; it must attach again."""
        ue = self._registered(call.path["imsi"])
        detach_by_network(self.core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
        return {"imsi": ue.imsi}

    @verb("answered", "no-answer")
    async def page(self, arguments: Page) -> str:
        """Page a card's device: `answered` or `no-answer`."""
        return "answered" if await page(self.core, self._registered(arguments.imsi)) else "no-answer"

    def _registered(self, imsi: str) -> UeContext:
        ue = self.core.by_imsi.get(imsi)
        if ue is None or ue.state is not EmmState.REGISTERED:
            raise ManagementError(404, f"{imsi} is not registered")
        return ue


def _describe(ue: UeContext) -> dict[str, Any]:
    return {
        "imsi": ue.imsi,
        "imei": ue.terminal.imei.imei if ue.terminal else "",
        "msisdn": ue.subscription.msisdn if ue.subscription else "",
        "guti": str(ue.guti),
        "cell": str(ue.cell),
        "tai": str(ue.tai),
        "state": "connected" if ue.connection is not None else "idle",
        "apn": ue.bearer.apn if ue.bearer else "",
        "address": ue.bearer.address if ue.bearer else "",
    }
