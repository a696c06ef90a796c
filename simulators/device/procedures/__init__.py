"""The procedures by the specification's names, one file each, and the tables by which messages and timers find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.device.procedures import (
    attach,
    authentication,
    cell_selection,
    detach,
    esm,
    guti_reallocation,
    identification,
    service_request,
    tracking_area_update,
)
from simulators.device.state import Procedure, Timer
from simwarden.wire.nas import MessageType

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.device.emm import Emm
    from simwarden.wire.nas import Message

HANDLERS: dict[MessageType, Callable[[Emm, Message, bool], None]] = {
    MessageType.ATTACH_ACCEPT: attach.on_accept,
    MessageType.ATTACH_REJECT: attach.on_reject,
    MessageType.DETACH_REQUEST: detach.on_request,
    MessageType.DETACH_ACCEPT: detach.on_accept,
    MessageType.TRACKING_AREA_UPDATE_ACCEPT: tracking_area_update.on_accept,
    MessageType.TRACKING_AREA_UPDATE_REJECT: tracking_area_update.on_reject,
    MessageType.SERVICE_REJECT: service_request.on_reject,
    MessageType.GUTI_REALLOCATION_COMMAND: guti_reallocation.on_command,
    MessageType.AUTHENTICATION_REQUEST: authentication.on_request,
    MessageType.AUTHENTICATION_REJECT: authentication.on_reject,
    MessageType.IDENTITY_REQUEST: identification.on_request,
    MessageType.EMM_STATUS: cell_selection.on_information,
    MessageType.EMM_INFORMATION: cell_selection.on_information,
    MessageType.DOWNLINK_NAS_TRANSPORT: cell_selection.on_information,
    MessageType.CS_SERVICE_NOTIFICATION: cell_selection.on_information,
    MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST: esm.on_activate,
    MessageType.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST: esm.on_deactivate,
    MessageType.ESM_INFORMATION_REQUEST: esm.on_information_request,
    MessageType.ESM_STATUS: esm.on_status,
    MessageType.PDN_CONNECTIVITY_REJECT: esm.on_pdn_reject,
    MessageType.PDN_DISCONNECT_REJECT: esm.on_status,
}
"""What a UE does with a message; SECURITY MODE COMMAND is not here, since it brings its own security."""

TIMEOUTS: dict[Timer, Callable[[Emm], None]] = {
    Timer.T3402: cell_selection.on_t3402,
    Timer.T3410: attach.on_t3410,
    Timer.T3411: cell_selection.try_again,
    Timer.T3412: tracking_area_update.on_t3412,
    Timer.T3416: authentication.on_t3416,
    Timer.T3417: service_request.on_t3417,
    Timer.T3418: authentication.on_not_genuine,
    Timer.T3420: authentication.on_not_genuine,
    Timer.T3421: detach.on_t3421,
    Timer.T3430: tracking_area_update.on_t3430,
    Timer.T3440: cell_selection.on_t3440,
    Timer.T3245: cell_selection.on_t3245,
    Timer.T3247: cell_selection.on_t3247,
    Timer.T3346: cell_selection.try_again,
    Timer.T3396: cell_selection.on_t3396,
    Timer.T3482: esm.on_t3482,
    Timer.T302: cell_selection.on_t302,
    Timer.PLMN_42: cell_selection.on_plmn_rested,
    Timer.FORBIDDEN_AREAS: cell_selection.on_areas_forgotten,
}

STARTS: dict[Procedure, Callable[[Emm], None]] = {
    Procedure.ATTACH: attach.start,
    Procedure.DETACH: detach.start,
    Procedure.TRACKING_AREA_UPDATE: tracking_area_update.start,
    Procedure.SERVICE_REQUEST: service_request.start,
}

LOST: dict[Procedure, Callable[[Emm], None]] = {
    Procedure.ATTACH: attach.on_lost,
    Procedure.DETACH: detach.on_lost,
    Procedure.TRACKING_AREA_UPDATE: tracking_area_update.on_lost,
    Procedure.SERVICE_REQUEST: service_request.on_lost,
}

FAILURES: dict[Procedure, Callable[..., Any]] = {
    Procedure.ATTACH: attach.failed,
    Procedure.DETACH: detach.failed,
    Procedure.TRACKING_AREA_UPDATE: tracking_area_update.failed,
    Procedure.SERVICE_REQUEST: service_request.failed,
}
"""The abnormal cases: called with the word for who asked, and `at_once` where the attempt counter goes to 5."""
