"""A terminal that is switched on registers, one that is switched off says goodbye (TS 24.301 5.5.1.1, 5.5.2.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.contexts import Bearer
from simulators.device.procedures import (
    attach,
    cell_selection,
    location_updating,
    service_request,
    tracking_area_update,
    usim,
)
from simulators.device.procedures.detach import say_goodbye
from simulators.device.state import EmmState, Procedure
from simwarden.wire.nas import UpdateType

if TYPE_CHECKING:
    from simulators.device.contexts import Emm

_FIRST_BEARER = 5
"""EPS bearer identity of the bearer that comes with an attach: the lowest there is (TS 24.007 11.2.3.1.5)."""


async def begin(emm: Emm) -> str:
    """From the reset of the card to the end of the attach."""
    data = await usim.read(emm)
    if emm.config.msc:
        return await location_updating.power_on(emm, data)
    await cell_selection.select(emm)
    if data is None:
        emm.enter(EmmState.NO_IMSI)
        emm.observe("attach", "no-card")
        return "no-card"
    if emm.radio.cell is None:
        emm.enter(EmmState.PLMN_SEARCH)
        cell_selection.on_coverage_lost(emm)
    if emm.config.resumes != "no" and emm.guti is not None and emm.security is not None:
        return await _resume(emm)
    return await emm.run(Procedure.ATTACH, attach.start)


async def _resume(emm: Emm) -> str:
    """What a rogue terminal does: go on as if it were the one that registered, with its default bearer.

    An update that tells of no bearer is refused as that of a device which was detached (TS 24.301 5.5.3.2.5).
    """
    emm.bearers[_FIRST_BEARER] = Bearer(emm.config.apn, "")
    if not emm.tai_list and emm.last_tai is not None:
        emm.tai_list = [emm.last_tai]
    emm.enter(EmmState.REGISTERED)
    if emm.config.resumes == "service-request":
        return await emm.run(Procedure.SERVICE_REQUEST, service_request.start)
    emm.update_type = UpdateType.TA_UPDATING
    return await emm.run(Procedure.TRACKING_AREA_UPDATE, tracking_area_update.start)


async def switch_off(emm: Emm) -> None:
    """Detach, and take the power away: from card and radio, too."""
    await say_goodbye(emm, emm.session)
    emm.cs.switch_off()
    emm.reset()
    emm.powered = False
    usim.stop_polling(emm)
    if emm.session is not None:
        emm.session.power_off()
    emm.radio.close()
    go_dark(emm)


def go_dark(emm: Emm) -> None:
    """Nothing runs any more: whoever waits for something hears that it got no answer."""
    emm.card = emm.cell = None
    emm.observe("emm_state", EmmState.NULL.value)
    emm.observe("power", "off")
    emm.observe("attach", "off")
    emm.observe("usim", None)
    emm.answer_all("no-answer")
