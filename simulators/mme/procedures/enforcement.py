"""What a device in service loses when its area changes, or when it comes to a place where its card may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.contexts import EmmState
from simulators.mme.controls import AREA_DATA
from simulators.mme.procedures import area
from simulators.mme.procedures.detach import detach_by_network
from simulators.mme.procedures.location_reporting import control
from simwarden.wire.nas.enums import EmmCause, NetworkDetachType

if TYPE_CHECKING:
    from simulators.mme.contexts import UeContext
    from simulators.mme.controls import Occasion
    from simulators.mme.core import Core
    from simwarden.policy.decision import Decision


def enforce(core: Core, ue: UeContext, occasion: Occasion) -> None:
    """Detach a device that is where its card may not be, or end its attach: its area has changed, or it has moved."""
    if not ue.in_service:
        return
    decision = area.refuses(core, ue, area.place_of(ue), occasion)
    if decision is None and ue.state is EmmState.REGISTERED:  # an attach counts by itself, when it is accepted
        decision = count(core, ue, occasion)
    if decision is not None:
        turn_out(core, ue, decision)


def turn_out(core: Core, ue: UeContext, decision: Decision) -> None:
    """Detach a device by what refused it, or end its attach."""
    cause = area.cause_of(core, decision)
    if decision.control is AREA_DATA or cause is EmmCause.ESM_FAILURE:
        # no cause of a detach: the device learns it when it attaches again
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
    else:
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_NOT_REQUIRED, cause)


def count(core: Core, ue: UeContext, occasion: Occasion) -> Decision | None:
    """Let the base station count at which a registered device is; return the refusal if the race for it is lost."""
    if area.take_up(core, ue, occasion) is None:
        return None
    return area.refuses(core, ue, area.place_of(ue), occasion)


def follow(core: Core, ue: UeContext) -> None:
    """Act on a changed area of a device that stays in service: what its eNB reports, where it moves without telling."""
    if ue.in_service and set(ue.tai_list) - set(area.tai_list(core, ue, ue.tai)):
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
    else:
        control(core, ue.connection)
