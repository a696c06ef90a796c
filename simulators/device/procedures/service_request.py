"""Service request (TS 24.301 5.6.1) and paging (5.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.procedures import attach
from simulators.device.procedures.refusal import refused
from simulators.device.state import EmmState, Procedure, Timer
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simwarden.wire.nas import Message


def start(emm: Emm) -> None:
    """Ask for the radio bearers, for data of the device's own."""
    _start(emm, EstablishmentCause.MO_DATA)


def start_emergency(emm: Emm) -> None:
    """Ask for the radio bearers, for an emergency call."""
    _start(emm, EstablishmentCause.EMERGENCY)


def on_paging(emm: Emm) -> None:
    """Answer paging with the S-TMSI (5.6.2.2.1)."""
    if emm.procedure is None and not emm.wired and emm.state.registered:
        _start(emm, EstablishmentCause.MT_ACCESS)


def on_imsi_paging(emm: Emm) -> None:
    """Paging with the IMSI: the network has lost the UE; detach locally and attach anew (5.6.2.2.2)."""
    if emm.procedure is not None or emm.wired:
        return
    emm.forget_registration()
    emm.drop_bearers()
    emm.enter(EmmState.DEREGISTERED)
    emm.store_location()
    attach.start(emm)


def _start(emm: Emm, cause: EstablishmentCause) -> None:
    emm.begin(Procedure.SERVICE_REQUEST, failed)
    word = _hindrance(emm, cause)
    if word or emm.security is None:
        emm.finish(word or "no-keys")
        return
    emm.observe("emm_cause", None)
    emm.enter(EmmState.SERVICE_REQUEST_INITIATED)
    emm.stop(Timer.T3412)
    emm.start(Timer.T3417)
    emm.transmit(emm.security.service_request(), None, cause)


def _hindrance(emm: Emm, cause: EstablishmentCause) -> str:
    cell = emm.cell
    if emm.interlocked or not emm.state.registered:
        return "interlocked" if emm.interlocked else "not-registered"
    if emm.wired:
        return "accepted"  # 5.6.1.1: in EMM-CONNECTED the bearers are there
    if cell is None or not emm.suitable(cell):
        return "no-suitable-cell"
    if cause is not EstablishmentCause.MO_DATA:
        return ""
    if emm.running(Timer.T3346) and emm.honours_rejects:
        return "backed-off"
    return "barred" if cell.ac_barring_for_mo_data or emm.running(Timer.T302) else ""


def on_bearers_up(emm: Emm, identities: tuple[int, ...]) -> None:
    """The radio bearers stand: that is how a service request is accepted (5.6.1.4), and NAS is secure with it.

    A bearer that got none has ended at the network while the UE was idle, and ends here.
    """
    if emm.procedure is not Procedure.SERVICE_REQUEST:
        return
    emm.drop_without(identities)
    emm.stop(Timer.T3417)
    emm.secure = True
    emm.enter(EmmState.REGISTERED)
    emm.finish("accepted")


def on_reject(emm: Emm, message: Message, protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Act on the cause (5.6.1.5)."""
    if emm.procedure is not Procedure.SERVICE_REQUEST:
        emm.site.note("SERVICE REJECT without a service request")
        return
    emm.stop(Timer.T3417)
    refused(emm, Procedure.SERVICE_REQUEST, message, protected=protected)


def failed(emm: Emm, word: str, *, at_once: bool = False) -> None:
    """An abnormal end, as the loss of the connection is: the UE stays registered, who asked may try again (5.6.1.6)."""
    del at_once
    emm.stop(Timer.T3417)
    emm.enter(EmmState.REGISTERED)
    emm.finish(word)
