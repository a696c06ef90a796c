"""What a terminal hears: each NAS message, timer and event of its radio goes to its procedure (TS 24.301 4.4, 5)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulators.device.procedures import (
    attach,
    authentication,
    cell_selection,
    dedicated_bearers,
    detach,
    esm,
    guti_reallocation,
    identification,
    security_mode,
    service_request,
    short_message,
    tracking_area_update,
    transactions,
)
from simulators.device.rejects import Next
from simulators.device.state import EmmState, Procedure, Timer
from simwarden.errors import PeerError
from simwarden.wire import nas

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.device.contexts import Emm
    from simwarden.model.identity import Guti
    from simwarden.wire.uu import CellInformation

_NOT_IMPLEMENTED = nas.EmmCause.MESSAGE_TYPE_NON_EXISTENT_OR_NOT_IMPLEMENTED

_HANDLERS: dict[nas.MessageType, Callable[[Emm, nas.Message, bool], None]] = {
    nas.MessageType.ATTACH_ACCEPT: attach.on_accept,
    nas.MessageType.ATTACH_REJECT: attach.on_reject,
    nas.MessageType.DETACH_REQUEST: detach.on_request,
    nas.MessageType.DETACH_ACCEPT: detach.on_accept,
    nas.MessageType.TRACKING_AREA_UPDATE_ACCEPT: tracking_area_update.on_accept,
    nas.MessageType.TRACKING_AREA_UPDATE_REJECT: tracking_area_update.on_reject,
    nas.MessageType.SERVICE_REJECT: service_request.on_reject,
    nas.MessageType.GUTI_REALLOCATION_COMMAND: guti_reallocation.on_command,
    nas.MessageType.AUTHENTICATION_REQUEST: authentication.on_request,
    nas.MessageType.AUTHENTICATION_REJECT: authentication.on_reject,
    nas.MessageType.IDENTITY_REQUEST: identification.on_request,
    nas.MessageType.EMM_STATUS: cell_selection.on_information,
    nas.MessageType.EMM_INFORMATION: cell_selection.on_information,
    nas.MessageType.DOWNLINK_NAS_TRANSPORT: short_message.on_transport,
    nas.MessageType.CS_SERVICE_NOTIFICATION: cell_selection.on_information,
    nas.MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST: esm.on_activate,
    nas.MessageType.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST: dedicated_bearers.on_activate,
    nas.MessageType.MODIFY_EPS_BEARER_CONTEXT_REQUEST: dedicated_bearers.on_modify,
    nas.MessageType.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST: esm.on_deactivate,
    nas.MessageType.ESM_INFORMATION_REQUEST: esm.on_information_request,
    nas.MessageType.ESM_STATUS: esm.on_status,
    nas.MessageType.PDN_CONNECTIVITY_REJECT: esm.on_pdn_reject,
    nas.MessageType.PDN_DISCONNECT_REJECT: transactions.on_reject,
    nas.MessageType.BEARER_RESOURCE_ALLOCATION_REJECT: transactions.on_reject,
    nas.MessageType.BEARER_RESOURCE_MODIFICATION_REJECT: transactions.on_reject,
}
"""What a UE does with a message; SECURITY MODE COMMAND is not here, since it brings its own security."""


def _unanswered(emm: Emm) -> None:
    """The request was not answered: leave the connection (5.5.1.2.6 c, 5.5.3.2.6 c, 5.6.1.6 c)."""
    emm.hang_up()
    emm.fail("no-answer")


_TIMEOUTS: dict[Timer, Callable[[Emm], None]] = {
    Timer.T3402: cell_selection.on_t3402,
    Timer.T3410: _unanswered,
    Timer.T3411: cell_selection.try_again,
    Timer.T3412: tracking_area_update.on_t3412,
    Timer.T3416: authentication.on_t3416,
    Timer.T3417: _unanswered,
    Timer.T3418: authentication.on_not_genuine,
    Timer.T3420: authentication.on_not_genuine,
    Timer.T3421: detach.on_t3421,
    Timer.T3430: _unanswered,
    Timer.T3440: lambda emm: emm.drop_connection(),  # the network has not released it: the UE does (5.3.1.2)
    Timer.T3245: cell_selection.on_t3245,
    Timer.T3247: cell_selection.on_t3247,
    Timer.T3346: cell_selection.try_again,
    Timer.T3396: cell_selection.on_t3396,
    Timer.T3480: transactions.on_unanswered,
    Timer.T3481: transactions.on_unanswered,
    Timer.T3482: transactions.on_unanswered,
    Timer.T3492: transactions.on_unanswered,
    Timer.PLMN_42: cell_selection.on_plmn_rested,
    Timer.FORBIDDEN_AREAS: cell_selection.on_areas_forgotten,
}

_STARTS: dict[Procedure, Callable[[Emm], None]] = {
    Procedure.ATTACH: attach.start,
    Procedure.DETACH: detach.start,
    Procedure.TRACKING_AREA_UPDATE: tracking_area_update.start,
    Procedure.SERVICE_REQUEST: service_request.start,
}


class Dispatch:
    """Listens to the radio and to the timers of one terminal."""

    def __init__(self, emm: Emm) -> None:
        self.emm = emm
        emm.on_expiry, emm.on_released = self.on_expiry, self._released

    # -- NAS

    def on_nas(self, pdu: bytes) -> None:
        """Process a NAS message from the network; what may not be processed is dropped with a note or a fault."""
        emm = self.emm
        emm.tell("answered")
        try:
            opened = self._open(pdu)
            if opened is None:
                return
            message, protected = opened
            handler = _HANDLERS.get(message.type)
            if handler is None:
                raise PeerError(f"{message.type.name} makes no sense to a UE", code=_NOT_IMPLEMENTED)  # noqa: TRY301
            handler(emm, message, protected)
        except PeerError as error:
            emm.radio.fault(error.reason, pdu)
            if error.code is not None and emm.secure:
                emm.send(nas.Message(nas.MessageType.EMM_STATUS, emm_cause=error.code))

    def _open(self, pdu: bytes) -> tuple[nas.Message, bool] | None:
        emm, kind = self.emm, nas.header_type(pdu)
        if kind is nas.SecurityHeaderType.PLAIN:
            message = nas.decode(pdu, uplink=False)
            if emm.secure or not nas.ue_may_process(message):
                raise PeerError(f"{message.type.name} without integrity protection is not processed (4.4.4.2)")
            return message, False
        if kind is nas.SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT:
            security_mode.on_command(emm, pdu, nas.decode(nas.split(pdu).payload, uplink=False))
            return None
        if emm.security is None:
            raise PeerError("protected NAS message without a security context")
        message = nas.decode(emm.security.unprotect(pdu), uplink=False)
        emm.secure = True
        return message, True

    # -- timers

    def on_expiry(self, timer: Timer) -> None:
        """Do what follows when a timer has run out."""
        emm = self.emm
        emm.timers.pop(timer, None)
        emm.site.note(f"{timer.name} expired")
        if timer is Timer.T300:
            emm.radio.on_t300()
        elif timer is Timer.T302:
            self._resume()  # the eNB may be asked again
        else:
            _TIMEOUTS[timer](emm)

    # -- the connection: see Listener

    def on_connecting(self) -> None:
        """See Listener."""
        self.emm.start(Timer.T300)

    def on_connected(self) -> None:
        """See Listener."""
        self.emm.stop(Timer.T300, Timer.T3412)
        self.emm.wired, self.emm.secure = True, False

    def on_released(self) -> None:
        """See Listener."""
        emm = self.emm
        emm.tell("released")
        emm.cell = emm.radio.cell
        if emm.config.keeps_keys == "always":
            emm.store_context()
        self._released()

    def _released(self) -> None:
        """Let what ran come to its end, and do what was put off until the connection is gone."""
        emm = self.emm
        emm.wired = emm.secure = False
        emm.end_messages()
        emm.candidate = None
        emm.stop(Timer.T300, Timer.T3440, Timer.T3418, Timer.T3420, Timer.T3416)
        emm.fail("no-answer")
        transactions.give_up(emm, "no-answer")
        if emm.state.registered and emm.procedure is None and 0 < emm.t3412 < math.inf:
            emm.start(Timer.T3412, emm.t3412)
        self._resume()

    def _resume(self) -> None:
        emm = self.emm
        searching, emm.searching = emm.searching, None
        pending, emm.pending = emm.pending, None
        if pending is not None and emm.procedure is None:
            emm.follows = True
            _STARTS[pending](emm)
            emm.follows = False
        elif searching is not None:
            other_plmn = searching is Next.OTHER_PLMN
            emm.site.spawn(cell_selection.search(emm, other_plmn=other_plmn), "search for a cell")

    def on_connection_failure(self) -> None:
        """See Listener: the connection is recovered by an update, unless something else is under way (5.5.3.2.2)."""
        emm = self.emm
        if emm.procedure is None and emm.state is EmmState.REGISTERED:
            emm.update_type = nas.UpdateType.TA_UPDATING
            tracking_area_update.start(emm)

    def on_access_refused(self, seconds: float) -> None:
        """The eNB rejected the connection request: what was to be done is done after T302."""
        emm, procedure = self.emm, self.emm.procedure
        emm.stop(Timer.T300, Timer.T3410, Timer.T3417, Timer.T3430, Timer.T3421)
        emm.enter(EmmState.REGISTERED if emm.state.registered else EmmState.ATTEMPTING_TO_ATTACH)
        emm.finish("barred")
        emm.pending = procedure
        emm.start(Timer.T302, seconds)

    def on_bearers_up(self, identities: tuple[int, ...]) -> None:
        """See Listener."""
        service_request.on_bearers_up(self.emm, identities)

    # -- the cell

    def on_packet(self, identity: int, packet: bytes) -> None:
        """Take a user packet."""
        self.emm.packets.take(identity, packet)

    def on_camped(self, cell: CellInformation) -> None:
        """See Listener."""
        self.emm.tell("moved")
        cell_selection.on_camped(self.emm, cell)

    def on_coverage_lost(self) -> None:
        """See Listener."""
        cell_selection.on_coverage_lost(self.emm)

    def on_paged(self, *, with_imsi: bool) -> None:
        """See Listener."""
        (service_request.on_imsi_paging if with_imsi else service_request.on_paging)(self.emm)

    def identity(self) -> tuple[Guti | None, str]:
        """See Listener."""
        return self.emm.guti, self.emm.card.imsi if self.emm.card is not None else ""
