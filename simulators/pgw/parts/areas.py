"""The cells to which a card's packets are bound: what the operator changes, with an approval record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.pgw.answers import CellsTold
from simulators.pgw.config import AreaChange, PgwArea
from simulators.pgw.events import CHANGED_AREA, GIVEN_AREA
from simwarden.model.values import CELL, IMSI, STATION
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, Role, route
from simwarden.operations.provision import AuditTold, CardProvision
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulators.pgw.core import Core

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Areas:
    """The cells of cards."""

    observables = (
        Observable(
            "area", "where a card's packets pass (key: IMSI)", fields={"imsi": IMSI, "cells": CELL | STATION}, kept=True
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    async def provision(self, call: Call) -> None:
        """Take a card's cells; those held are not changed this way. Raises ManagementError (409)."""
        wanted: CardProvision = call.given
        entry, held = wanted.entry("area", PgwArea), self.core.areas.get(wanted.imsi)
        cells = frozenset(entry.cells) if entry is not None else frozenset()
        if held:
            self.core.area_changes.stays(wanted.imsi, By.of(call), changed=cells != held)
        if cells != held:
            await self._put(wanted.imsi, cells, By.of(call), "provision")

    @route("PUT", "/cards/{imsi}/area", roles=_BOTH, takes=AreaChange, gives=CellsTold, errors=(429,))
    async def change_area(self, call: Call) -> dict[str, Any]:
        """Bind a card's packets to cells, or to other ones; they are dropped at once elsewhere. By the operator."""
        return await self._change(call, "change the area", frozenset(call.given.cells))

    @route("DELETE", "/cards/{imsi}/area", roles=_BOTH, takes=Approval, gives=CellsTold, errors=(429,))
    async def end_area(self, call: Call) -> dict[str, Any]:
        """Let a card's packets pass anywhere. By the operator, with an approval record."""
        return await self._change(call, "end the area", frozenset())

    @route("GET", "/cards/{imsi}/area", gives=CellsTold)
    async def query_area(self, call: Call) -> dict[str, Any]:
        """Tell where a card's packets pass."""
        return self._tell(call.path["imsi"])

    @route("GET", "/cards/{imsi}/audit", gives=tuple[AuditTold, ...])
    async def audit_of(self, call: Call) -> list[dict[str, Any]]:
        """Tell a card's audit records."""
        return self.core.store.audited(call.path["imsi"])

    async def _change(self, call: Call, action: str, cells: frozenset[str]) -> dict[str, Any]:
        imsi, by, held = call.path["imsi"], By.of(call), self.core.areas.get(call.path["imsi"])
        self.core.area_changes.approve(imsi, by, action)
        if held:
            self.core.area_changes.once_more(imsi, by, action)
        if cells or held:
            await self._put(imsi, cells, by, CHANGED_AREA if held else GIVEN_AREA)
        return self._tell(imsi)

    async def _put(self, imsi: str, cells: Collection[str], by: By, action: str) -> None:
        core = self.core
        details = {"before": sorted(core.areas.get(imsi)), "after": sorted(cells)}
        core.areas.put(imsi, cells, core.area_changes.record(action, imsi, by, details))
        core.site.observe("area", {"imsi": imsi, "cells": sorted(cells)} if cells else None, key=imsi)
        for session in [each for each in core.sessions.values() if each.imsi == imsi]:
            await core.follow_area(session)

    def _tell(self, imsi: str) -> dict[str, Any]:
        return {"imsi": imsi, "cells": sorted(self.core.areas.get(imsi))}
