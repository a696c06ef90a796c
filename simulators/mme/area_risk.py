"""What the operator is told of cards outside their area: risk scene 013 in the audit, once for each event.

A device that is refused tries again by itself; as long as it does so at the same place, and is served nowhere, that is
one event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simwarden.policy.risk_scenes import OUTSIDE_AREA, SCENES
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from simulators.mme.core import Core
    from simwarden.model.identity import Ecgi, Tai
    from simwarden.policy.decision import Decision

#: the action of these audit records
OUTSIDE = "outside-area"
#: the action of the record that an eNB gives no location reports
UNREPORTED = "no-location-reports"
#: the action of a changed area that a card had, which the limit counts
CHANGE = "area-change"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card is, or is to go: tracking area, cell, base station. The cell is None while only the eNB is known."""

    tai: Tai | None
    cell: Ecgi | None
    station: str

    def __str__(self) -> str:
        return str(self.cell) if self.cell is not None else self.station


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
    inside_before, core.outside[imsi] = imsi not in core.outside, seen
    if inside_before and stays_there:
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
        "tai": str(place.tai) if place.tai is not None else "",
        "cell": str(place),
        "occasion": occasion,
    }
