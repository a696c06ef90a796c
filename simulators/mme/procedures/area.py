"""Where a card may be served (guideline 2.2.1): asked at each contact, at each handover, and when the area changes.

Cells, base stations and province are the MME's own data of a card, zone codes come with the subscription. Emergency
calls are exempt, and leave no trace in what counts. What is refused is kept as a risk: scene 013 in the audit, once for
each event. A device that is refused tries again by itself; as long as it does so at the same place, and is served
nowhere, that is one event.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.mme.causes import Rejection
from simulators.mme.controls import AREA_DATA, CELL, COUNT, EXTENT, PROVINCE, ZONES, Occasion
from simulators.mme.events import OUTSIDE
from simwarden.model.identity import station_of
from simwarden.policy.risk_scenes import OUTSIDE_AREA, SCENES
from simwarden.runtime.store import StoreError
from simwarden.wire.nas.enums import EmmCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.mme.config import MmeArea
    from simulators.mme.contexts import UeContext
    from simulators.mme.core import Core
    from simulators.mme.store import CardArea
    from simwarden.model.identity import Ecgi, Tai
    from simwarden.policy.decision import Decision


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card is, or is to go: tracking area, cell, base station. The cell is None while only the eNB is known."""

    tai: Tai
    cell: Ecgi | None
    station: str

    def __str__(self) -> str:
        return str(self.cell) if self.cell is not None else self.station


def place_of(ue: UeContext) -> Place:
    """Return where a device was seen last."""
    return Place(ue.tai, ue.cell, ue.cell.station)


def check_place(core: Core, ue: UeContext, occasion: Occasion) -> Rejection | None:
    """Check the cell of a contact by what the MME holds of the card; before the HSS is asked, which it might teach."""
    try:
        decision = _judge_place(core, ue.imsi, place_of(ue), occasion)
    except StoreError as error:
        return _without_data(core, ue.imsi, error)
    return _rejection(core, ue, decision, occasion) if decision is not None else None


def check_zones(core: Core, ue: UeContext, occasion: Occasion) -> Rejection | None:
    """Check the tracking area of a contact by the subscription, as it is after the HSS was asked."""
    decision = _judge_zones(core, ue, ue.tai, occasion)
    return _rejection(core, ue, decision, occasion) if decision is not None else None


def refuses(core: Core, ue: UeContext, place: Place, occasion: Occasion) -> Decision | None:
    """Ask whether a card may go somewhere, or stay there while its area changes; return the refusal.

    A changed area is not asked about its zones, which come by the subscription, nor these about the rest of the area.
    """
    if ue.emergency:
        return None
    decision = None
    try:
        if occasion is not Occasion.INSERT:
            decision = _judge_place(core, ue.imsi, place, occasion)
        if decision is None and occasion is not Occasion.CHANGE:
            decision = _judge_zones(core, ue, place.tai, occasion)
    except StoreError as error:
        return _judge_silence(core, ue.imsi, error)
    if decision is not None:
        stays = occasion is not Occasion.PREPARATION
        record_outside(core, ue.imsi, decision, place, occasion.value, stays_there=stays)
    return decision


def take_up(core: Core, ue: UeContext, occasion: Occasion) -> Rejection | None:
    """Let the base station count at which a card is served from now on; its answer leaves after that is stored.

    Refuses if another MME, with which the data is shared, has counted the last one in the same moment.
    """
    if ue.emergency:
        return None  # whoever calls, the card is no more within its area than it was
    core.outside.pop(ue.imsi, None)
    if ue.imsi in core.absent:
        core.absent.discard(ue.imsi)
        core.presence.tell(ue.imsi, inside=True, cell=str(ue.cell))
    station = ue.cell.station
    try:
        area = core.areas.recent(ue.imsi)
        if area is None or not area.stations or station in area.used:
            return None
        counted = core.areas.count(ue.imsi, area, station)
    except StoreError as error:
        return _without_data(core, ue.imsi, error)
    core.observe_area(ue.imsi, area)
    return None if counted else check_place(core, ue, occasion)


def is_restricted(core: Core, ue: UeContext) -> bool:
    """Whether it matters where a card is; as long as its area cannot be read it does."""
    if ue.emergency:
        return False
    try:
        held = core.areas.get(ue.imsi)
    except StoreError:
        return True
    return held is not None or bool(ue.zones)


def tai_list(core: Core, ue: UeContext, tai: Tai) -> list[Tai]:
    """Return the tracking areas in which a device may move without telling: none where its card may not be.

    Zone codes stand for tracking areas. Cells, base stations and provinces do not: such a card tells of each.
    """
    listed = core.config.tai_list(tai)
    if not is_restricted(core, ue):
        return listed
    if core.areas.recent(ue.imsi) is not None:
        return [tai]
    allowed = {code for zone in ue.zones for code in core.config.zones.get(zone, ())}
    return [each for each in listed if each == tai or each.tac in allowed]


def judge_extent(core: Core, imsi: str, wanted: MmeArea, occasion: Occasion) -> Decision:
    """Ask whether an area that is to be provisioned is within one province."""
    config = core.config
    homes = {cell: config.homes(station_of(cell)) for cell in wanted.cells}
    known = list(config.provinces)
    return core.site.decide(EXTENT, imsi, on=occasion, province=wanted.province, homes=homes, known=known)


def _judge_place(core: Core, imsi: str, place: Place, occasion: Occasion) -> Decision | None:
    area = core.areas.get(imsi)
    if area is None:
        return None
    for decision in _place_decisions(core, imsi, area, place, occasion):
        if not decision.admitted:
            return decision
    return None


def _place_decisions(core: Core, imsi: str, area: CardArea, place: Place, occasion: Occasion) -> Iterator[Decision]:
    station, decide = place.station, partial(core.site.decide, on=occasion)
    if area.cells:
        yield decide(CELL, imsi, cells=area.cells, seen=place.cell, station=station)
    if area.province:
        yield decide(PROVINCE, imsi, province=area.province, homes=core.config.homes(station), seen=station)
    if area.stations:
        yield decide(COUNT, imsi, limit=area.stations, used=area.used, seen=station)


def _judge_zones(core: Core, ue: UeContext, tai: Tai, occasion: Occasion) -> Decision | None:
    if not ue.zones:
        return None
    decision = core.site.decide(ZONES, ue.imsi, on=occasion, zones=ue.zones, areas=core.config.zones, seen=tai)
    return None if decision.admitted else decision


def _judge_silence(core: Core, imsi: str, error: StoreError) -> Decision | None:
    """Let nobody go on whose area cannot be read; for a time, as when the HSS is silent."""
    reason = f"areas cannot be read: {error}"
    decision = core.site.decide(AREA_DATA, imsi, on=Occasion.AREA_DATA, reachable=False, reason=reason)
    return None if decision.admitted else decision


def _without_data(core: Core, imsi: str, error: StoreError) -> Rejection | None:
    decision = _judge_silence(core, imsi, error)
    return core.temporary(decision.reason) if decision is not None else None


def cause_of(core: Core, decision: Decision) -> EmmCause:
    """Return what a device is told that an area control refused."""
    causes = core.config.causes
    by_control = {CELL.id: causes.outside_cells, COUNT.id: causes.too_many_stations}
    return by_control.get(decision.control.id, causes.outside_range)


def _rejection(core: Core, ue: UeContext, decision: Decision, occasion: Occasion) -> Rejection:
    """Turn a refusal into what the device is told. Only an attach has room for an ESM cause: others lead to one."""
    record_outside(core, ue.imsi, decision, place_of(ue), occasion.value)
    cause = cause_of(core, decision)
    if cause is not EmmCause.ESM_FAILURE:
        return Rejection(cause, decision.reason)
    if occasion is not Occasion.ATTACH:
        return Rejection(EmmCause.IMPLICITLY_DETACHED, decision.reason)
    return Rejection(cause, decision.reason, core.config.causes.outside_esm)


def record_outside(
    core: Core, imsi: str, decision: Decision, place: Place, occasion: str, *, stays_there: bool = True
) -> None:
    """Keep that an area control refused a card at a place; it may be one that it does not get to."""
    seen = (decision.control.id, str(place.tai), str(place))
    if core.outside.get(imsi) == seen:
        return
    record = core.audit.record(OUTSIDE, imsi, _details(decision, place, occasion))
    try:
        core.areas.audit(record)
    except StoreError as error:  # the refusal stands all the same
        core.site.note(f"the risk was not kept: {error}", imsi=imsi)
        return
    core.outside[imsi] = seen
    if stays_there and imsi not in core.absent:
        core.absent.add(imsi)
        core.presence.tell(imsi, inside=False, cell=str(place))
    shown = ("scene", "control", "expected", "seen", "tai", "cell", "occasion")
    core.site.observe("risk", {"imsi": imsi, **{name: record["details"][name] for name in shown}}, key=imsi)


def _details(decision: Decision, place: Place, occasion: str) -> dict[str, Any]:
    return {
        "scene": OUTSIDE_AREA,
        "meaning": SCENES[OUTSIDE_AREA],
        "control": decision.control.id,
        "reason": decision.reason,
        "expected": decision.details.get("expected", ""),
        "seen": decision.details.get("seen", ""),
        "tai": str(place.tai),
        "cell": str(place),
        "occasion": occasion,
    }
