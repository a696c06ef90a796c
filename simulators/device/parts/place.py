"""Where the terminal stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.clients.radio import Rrc
from simulators.device.config import CellName, split_cell
from simulators.device.procedures import attach, service_request, tracking_area_update
from simulators.device.state import Procedure
from simulators.device.verbs import ENDED, DevicePart, OfDevice
from simwarden.model.values import CELL, TAI
from simwarden.runtime.declare import Observable, verb

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simwarden.wire.uu import CellInformation

_PATIENCE = 20.0
"""Seconds to wait for a handover."""


class Goto(OfDevice):
    """Take a terminal to another cell."""

    cell: CellName
    """The cell by its name (enb2/1)."""


#: how a terminal may come to another cell
_CAMPED = ("camped", "handed-over", "no-cell", "refused", *ENDED)


class Place(DevicePart):
    """From cell to cell."""

    observables = (
        Observable("cell", "E-CGI of the cell that it is in", values=CELL),
        Observable("tai", "TAI of the cell that it is in", values=TAI),
    )

    @verb(*_CAMPED)
    async def goto(self, arguments: Goto) -> str:
        """Go to another cell: `camped`, how a tracking area update ends, `handed-over`, or `no-cell`."""
        return await self._go(self.powered, arguments.cell)

    @verb(*_CAMPED)
    async def handover(self, arguments: Goto) -> str:
        """Go to another cell while connected (a service request comes first if need be): as `goto`."""
        if not self.powered.wired:
            word = await self.emm.run(Procedure.SERVICE_REQUEST, service_request.start)
            if word != "accepted":
                return word
        return await self._go(self.emm, arguments.cell)

    async def _go(self, emm: Emm, name: str) -> str:
        cell = await emm.radio.find(name)
        if cell is None:
            return "no-cell"
        if emm.radio.state is Rrc.CONNECTED:
            return await self._hand_over(cell)
        update = emm.ending(Procedure.TRACKING_AREA_UPDATE)
        emm.radio.camp(split_cell(name)[0], cell)
        if emm.procedure is Procedure.TRACKING_AREA_UPDATE or update.done():
            return await update
        if emm.procedure is Procedure.ATTACH:
            return await emm.run(Procedure.ATTACH, attach.start)
        emm.answer(Procedure.TRACKING_AREA_UPDATE, "camped")  # nobody waits for it
        return "camped"

    async def _hand_over(self, cell: CellInformation) -> str:
        emm = self.emm
        emm.radio.report(cell)
        if not await emm.heard("moved", within=_PATIENCE):
            return "refused"
        if emm.procedure is Procedure.TRACKING_AREA_UPDATE:
            await emm.run(Procedure.TRACKING_AREA_UPDATE, tracking_area_update.start)
        return "handed-over" if emm.cell is not None and emm.cell.cell == cell.cell else "refused"
