"""Where a card may be served (guideline 2.2.1): asked at each contact, at each handover, and when the area changes.

Cells, base stations and province are the MME's own data of a card, zone codes come with the subscription. Emergency
calls are exempt, and leave no trace in what counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection
from simulators.mme.contexts import EmmState
from simulators.mme.controls import CELL, COUNT, EXTENT, PROVINCE, ZONES
from simwarden.model.identity import Ecgi
from simwarden.wire.nas.enums import EmmCause, NetworkDetachType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.mme.config import MmeArea
    from simulators.mme.contexts import UeContext
    from simulators.mme.core import Core
    from simulators.mme.store import CardArea
    from simwarden.model.identity import Tai
    from simwarden.policy.decision import Decision


def check_place(core: Core, ue: UeContext, *, registered: bool) -> Rejection | None:
    """Check the cell of a contact by what the MME holds of the card; before the HSS is asked, which it might teach."""
    decision = None
    if ue.cell is not None and not ue.emergency:
        decision = _judge_place(core, ue.imsi, ue.cell, ue.cell.station)
    return _rejection(core, decision, registered=registered) if decision is not None else None


def check_zones(core: Core, ue: UeContext, *, registered: bool) -> Rejection | None:
    """Check the tracking area of a contact by the subscription, as it is after the HSS was asked."""
    decision = _judge_zones(core, ue, ue.tai) if not ue.emergency else None
    return _rejection(core, decision, registered=registered) if decision is not None else None


def refuses(core: Core, ue: UeContext, tai: Tai | None, cell: Ecgi | None, station: str) -> Decision | None:
    """Ask whether a card may go somewhere; return the refusal. The cell is None while only its eNB is known."""
    if ue.emergency:
        return None
    return _judge_place(core, ue.imsi, cell, station) or _judge_zones(core, ue, tai)


def take_up(core: Core, ue: UeContext) -> None:
    """Let the base station count at which a card is served from now on; its answer leaves after that is stored."""
    area = core.areas.get(ue.imsi)
    if area is None or not area.stations or ue.emergency or ue.cell is None or ue.cell.station in area.used:
        return
    core.areas.count(ue.imsi, area, ue.cell.station)
    core.show_area(ue.imsi)


def enforce(core: Core, ue: UeContext) -> None:
    """Detach a registered device that is where its card may not be: its area has changed, or it has moved."""
    from simulators.mme.procedures.detach import detach_by_network  # noqa: PLC0415 - they need each other

    if ue.state is not EmmState.REGISTERED or ue.cell is None:
        return
    decision = refuses(core, ue, ue.tai, ue.cell, ue.cell.station)
    if decision is None:
        take_up(core, ue)
        return
    cause = _cause(core, decision)
    if cause is EmmCause.ESM_FAILURE:  # no cause of a detach: the device learns it when it attaches again
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
    else:
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_NOT_REQUIRED, cause)


def judge_extent(core: Core, imsi: str, wanted: MmeArea) -> Decision:
    """Ask whether an area that is to be provisioned is within one province."""
    config = core.config
    homes = {cell: config.homes(Ecgi.parse(cell).station) for cell in wanted.cells}
    return core.site.decide(EXTENT, imsi, province=wanted.province, homes=homes, known=list(config.provinces))


def _judge_place(core: Core, imsi: str, cell: Ecgi | None, station: str) -> Decision | None:
    area = core.areas.get(imsi)
    if area is None:
        return None
    for decision in _place_decisions(core, imsi, area, cell, station):
        if not decision.admitted:
            return decision
    return None


def _place_decisions(core: Core, imsi: str, area: CardArea, cell: Ecgi | None, station: str) -> Iterator[Decision]:
    if area.cells:
        yield core.site.decide(CELL, imsi, cells=area.cells, seen=cell, station=station)
    if area.province:
        yield core.site.decide(PROVINCE, imsi, province=area.province, homes=core.config.homes(station), seen=station)
    if area.stations:
        yield core.site.decide(COUNT, imsi, limit=area.stations, used=area.used, seen=station)


def _judge_zones(core: Core, ue: UeContext, tai: Tai | None) -> Decision | None:
    zones = ue.subscription.zones if ue.subscription is not None else ()
    if not zones or tai is None:
        return None
    decision = core.site.decide(ZONES, ue.imsi, zones=zones, areas=core.config.zones, seen=tai)
    return None if decision.admitted else decision


def _cause(core: Core, decision: Decision) -> EmmCause:
    causes = core.config.causes
    by_control = {CELL.id: causes.outside_cells, COUNT.id: causes.too_many_stations}
    return by_control.get(decision.control.id, causes.outside_range)


def _rejection(core: Core, decision: Decision, *, registered: bool) -> Rejection:
    """Turn a refusal into what the device is told. Only an attach has room for an ESM cause: others lead to one."""
    cause = _cause(core, decision)
    if cause is not EmmCause.ESM_FAILURE:
        return Rejection(cause, decision.reason)
    if registered:
        return Rejection(EmmCause.IMPLICITLY_DETACHED, decision.reason)
    return Rejection(cause, decision.reason, core.config.causes.outside_esm)
