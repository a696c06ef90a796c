"""The management routes of areas: what the operator changes, with an approval record, and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.mme import controls
from simulators.mme.answers import CardAreaTold
from simulators.mme.config import AreaChange, MmeArea
from simulators.mme.controls import Occasion
from simulators.mme.events import CHANGE, OUTSIDE
from simulators.mme.procedures import area, enforcement
from simwarden.errors import ManagementError
from simwarden.model.values import CELL, GIVEN, IMSI, NUMBER, STATION, TAI, TEXT, instance_of, members, one_of
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditPage, AuditTold, CardProvision
from simwarden.policy.risk_scenes import SCENES
from simwarden.runtime.declare import HISTORY, Observable

if TYPE_CHECKING:
    from simulators.mme.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


_PLACE = CELL | TAI | STATION


class Areas:
    """The areas of cards, and where a card may leave its own unseen."""

    observables = (
        Observable(
            "area",
            "where a card may be served, and its base stations (key: IMSI)",
            fields={
                "imsi": IMSI,
                "cells": CELL | STATION,
                "stations": NUMBER,
                "province": GIVEN.or_none(),
                "used": STATION,
            },
            passing=("used",),
            kept=True,
        ),
        Observable(
            "risk",
            "a card was refused outside its area: what, where, when (key: IMSI)",
            fields={
                "imsi": IMSI,
                "scene": one_of(*SCENES),
                "control": one_of(*(each.id for each in controls.CONTROLS)),
                "expected": _PLACE | GIVEN,
                "seen": _PLACE | GIVEN | one_of("no province"),
                "tai": TAI,
                "cell": CELL | STATION,
                "occasion": members(Occasion),
            },
            passing=HISTORY,
            evidence="record",
            kept=True,
        ),
        Observable(
            "location_reports",
            "an eNB gives no location reports (key: its name)",
            fields={
                "imsi": IMSI,
                "enb": instance_of("enb") | GIVEN,
                "enb_id": NUMBER,
                "state": one_of("failed", "silent"),
                "cause": TEXT.or_none(),
            },
            passing=HISTORY,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=CardAreaTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Take a card's area; a card without one is served anywhere. One that is held is not changed this way (409)."""
        wanted: CardProvision = call.given
        entry, held = wanted.entry("area", MmeArea), self.core.areas.get(wanted.imsi)
        changed = held is not None and (entry is None or not held.same(entry))
        if held is not None:
            self.core.area_changes.stays(wanted.imsi, By.of(call), changed=changed)
        if entry is not None and (held is None or changed):
            self._put(wanted.imsi, entry, By.of(call), "provision", Occasion.PROVISION)
        return self._tell_area(wanted.imsi)

    @route("PUT", "/cards/{imsi}/area", roles=_BOTH, takes=AreaChange, gives=CardAreaTold, errors=(429,))
    async def change_area(self, call: Call) -> dict[str, Any]:
        """Give a card an area, or another one; a device that is outside is detached at once. By the operator."""
        imsi, by = call.path["imsi"], By.of(call)
        held = self._may_change(imsi, by, "change the area")
        self._put(imsi, call.given, by, CHANGE if held else "area", Occasion.CHANGE)
        return self._tell_area(imsi)

    @route("DELETE", "/cards/{imsi}/area", roles=_BOTH, takes=Approval, gives=CardAreaTold, errors=(429,))
    async def end_area(self, call: Call) -> dict[str, Any]:
        """Let a card be served anywhere. By the operator, with an approval record."""
        imsi, by = call.path["imsi"], By.of(call)
        if self._may_change(imsi, by, "end the area"):
            self.core.areas.remove(imsi, self._record(CHANGE, imsi, by, {"after": None}))
            self.core.show_area(imsi)
            for ue in self.core.contexts(imsi):
                enforcement.follow(self.core, ue)
        return self._tell_area(imsi)

    @route("DELETE", "/cards/{imsi}/area/used", roles=_BOTH, takes=Approval, gives=CardAreaTold, errors=(404, 429))
    async def forget_stations(self, call: Call) -> dict[str, Any]:
        """Begin to count a card's base stations anew: its device has been moved by right. By the operator."""
        imsi, by = call.path["imsi"], By.of(call)
        self._may_change(imsi, by, "count base stations anew")
        held = self.core.areas.get(imsi)
        if held is None:
            raise ManagementError(404, f"{imsi} has no area here")
        record = self._record(CHANGE, imsi, by, {"after": {**held.tell(), "used": []}})
        self.core.areas.forget_stations(imsi, held, record)
        self.core.show_area(imsi)
        return self._tell_area(imsi)

    @route("GET", "/cards/{imsi}/area", gives=CardAreaTold)
    async def query_area(self, call: Call) -> dict[str, Any]:
        """Tell where a card may be served, which base stations count, and whether it was found outside last."""
        return self._tell_area(call.path["imsi"])

    # -- what is kept

    @route("GET", "/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit(self, call: Call) -> list[dict[str, Any]]:
        """Tell audit records, the oldest first: changes of areas, who was refused one, cards outside their area."""
        return self.core.areas.audited(after=call.query.after, most=call.query.limit)

    @route("GET", "/cards/{imsi}/audit", query=AuditPage, gives=tuple[AuditTold, ...])
    async def audit_of(self, call: Call) -> list[dict[str, Any]]:
        """Tell a card's audit records."""
        return self.core.areas.audited(call.path["imsi"], after=call.query.after, most=call.query.limit)

    @route("GET", "/risks", query=AuditPage, gives=tuple[AuditTold, ...])
    async def risks(self, call: Call) -> list[dict[str, Any]]:
        """Tell records of cards outside their area (risk scene 013), the oldest first."""
        return self.core.areas.audited(action=OUTSIDE, after=call.query.after, most=call.query.limit)

    # -- helpers

    def _may_change(self, imsi: str, by: By, action: str) -> bool:
        """Ask the controls; return whether the card has an area. Raises ManagementError (403, 429)."""
        core = self.core
        core.area_changes.approve(imsi, by, action)
        held = core.areas.get(imsi) is not None
        if held:
            core.area_changes.once_more(imsi, by, action)
        return held

    def _put(self, imsi: str, wanted: MmeArea, by: By, action: str, occasion: Occasion) -> None:
        core = self.core
        decision = area.judge_extent(core, imsi, wanted, occasion)
        if not decision.admitted:
            raise ManagementError(403, decision.reason)
        after = {"cells": list(wanted.cells), "stations": wanted.stations, "province": wanted.province}
        core.areas.put(imsi, wanted, self._record(action, imsi, by, {"after": after}))
        core.show_area(imsi)
        for ue in core.contexts(imsi):
            enforcement.enforce(core, ue, Occasion.CHANGE)
            enforcement.follow(core, ue)

    def _record(self, action: str, imsi: str, by: By, details: dict[str, Any]) -> dict[str, Any]:
        held = self.core.areas.get(imsi)
        before = held.tell() if held is not None else None
        return self.core.area_changes.record(action, imsi, by, {"before": before, **details})

    def _tell_area(self, imsi: str) -> dict[str, Any]:
        held = self.core.areas.get(imsi)
        area = held.tell() if held is not None else None
        return {"imsi": imsi, "area": area, "outside": imsi in self.core.absent}
