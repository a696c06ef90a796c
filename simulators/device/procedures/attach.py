"""Attach (TS 24.301 5.5.1), with the emergency attach of a voice-capable terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.procedures import esm
from simulators.device.procedures.refusal import refused
from simulators.device.rejects import Usim
from simulators.device.state import ATTEMPTS, EmmState, Procedure, Timer, UpdateStatus
from simulators.device.terminal import CAPABILITY, EXTENDED_TIMERS
from simwarden.errors import PeerError
from simwarden.wire import nas
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


def hindrance(emm: Emm) -> str:
    """Return in a word what forbids a normal attach or update now, empty if nothing does."""
    cell = emm.cell
    if emm.card is None or emm.interlocked or cell is None:
        return "no-card" if emm.card is None else "interlocked" if emm.interlocked else "no-cell"
    if emm.honours_rejects and emm.usim is not Usim.KEEP:
        return "usim-invalid"
    if emm.honours_rejects and (emm.running(Timer.T3346) or emm.running(Timer.T3396)):
        return "backed-off"
    if cell.cell_barred or (emm.honours_rejects and not emm.suitable(cell)):
        return "no-suitable-cell"
    return "barred" if cell.ac_barring_for_mo_signalling or emm.running(Timer.T302) else ""


def start(emm: Emm) -> None:
    """Begin an attach, or say why not (5.5.1.2.2)."""
    emm.stop(Timer.T3411, Timer.T3402)
    emm.emergency = False
    emm.begin(Procedure.ATTACH, failed)
    word = hindrance(emm)
    if word:
        if word in ("no-cell", "barred") and emm.state is EmmState.DEREGISTERED:
            emm.enter(EmmState.ATTACH_NEEDED)  # it attaches as soon as it may (5.5.1.2.6 a)
        emm.finish(word)
        return
    emm.attach_type = nas.AttachType.COMBINED_EPS_IMSI_ATTACH if emm.config.sms else nas.AttachType.EPS_ATTACH
    _request(emm, EstablishmentCause.MO_SIGNALLING)


def start_emergency(emm: Emm) -> None:
    """Begin an attach for an emergency call: neither the card's state nor lists, back-off or interlock hold it back."""
    cell = emm.cell
    emm.begin(Procedure.ATTACH, failed)
    if cell is None or cell.ac_barring_for_emergency or not cell.ims_emergency_support:
        emm.finish("barred" if cell is not None else "no-cell")
        return
    emm.attach_type = nas.AttachType.EPS_EMERGENCY_ATTACH
    _request(emm, EstablishmentCause.EMERGENCY)


def identity_of(emm: Emm) -> nas.MobileIdentity:
    """Return whom a request names: the registration, else the card, else the terminal."""
    if emm.guti is not None:
        return nas.MobileIdentity(nas.IdentityType.GUTI, emm.guti)
    if emm.card is not None:
        return nas.MobileIdentity(nas.IdentityType.IMSI, emm.card.imsi)
    return nas.MobileIdentity(nas.IdentityType.IMEI, emm.terminal.network.key + "0")


def _request(emm: Emm, cause: EstablishmentCause) -> None:
    emergency = emm.attach_type == nas.AttachType.EPS_EMERGENCY_ATTACH
    kind = nas.RequestType.EMERGENCY if emergency else nas.RequestType.INITIAL_REQUEST
    request = nas.Message(
        nas.MessageType.ATTACH_REQUEST,
        eps_attach_type=emm.attach_type,
        nas_key_set_identifier=emm.ksi if emm.guti is not None else nas.NO_KEY,
        eps_mobile_identity=identity_of(emm),
        ue_network_capability=CAPABILITY,
        esm_message_container=nas.encode(esm.pdn_connectivity_request(emm, kind)),
        ms_network_feature_support=EXTENDED_TIMERS,
    )
    if emm.attach_type == nas.AttachType.COMBINED_EPS_IMSI_ATTACH:
        request.fields["additional_update_type"] = int(nas.AdditionalUpdateType.SMS_ONLY)
    if emm.last_tai is not None:
        request.fields["last_visited_registered_tai"] = emm.last_tai
    if not emm.follows:
        emm.observe("emm_cause", None)
    if not emergency:
        emm.observe("attach", "started")
    emm.enter(EmmState.REGISTERED_INITIATED)
    emm.start(Timer.T3410)
    emm.send(request, cause)


def on_accept(emm: Emm, message: nas.Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Take up the registration, and complete it (5.5.1.2.4)."""
    if not repeated(emm, message) and not emm.expects(Procedure.ATTACH, failed):
        emm.site.note("ATTACH ACCEPT without an attach")
        return
    emm.drop_bearers()
    answer = esm.on_default_bearer(emm, nas.decode(message["esm_message_container"], uplink=False))
    if answer is None:
        raise PeerError("ATTACH ACCEPT without a default bearer")
    emm.stop(Timer.T3410)
    emm.attach_attempts = 0
    take_registration(emm, message)
    take_sms_registration(emm, message)
    emm.emergency = emm.attach_type == nas.AttachType.EPS_EMERGENCY_ATTACH
    emm.enter(EmmState.REGISTERED)
    emm.send(nas.Message(nas.MessageType.ATTACH_COMPLETE, esm_message_container=nas.encode(answer)))
    emm.store_location()
    emm.store_context()
    emm.finish("accepted")


def repeated(emm: Emm, accept: nas.Message) -> bool:
    """Whether the network sends an accept once more, since it has not heard that it came (T3450, 10.2)."""
    return emm.procedure is None and emm.state is EmmState.REGISTERED and accept.get("guti") == emm.guti is not None


def take_registration(emm: Emm, message: nas.Message) -> None:
    """Take identities, lists and timers out of an ATTACH ACCEPT or TRACKING AREA UPDATE ACCEPT."""
    emm.update_status = UpdateStatus.EU1_UPDATED
    emm.guti = message.get("guti", emm.guti)
    emm.tai_list = list(message.get("tai_list", emm.tai_list))
    emm.forbidden_areas = emm.forbidden_areas.difference(emm.tai_list)
    emm.t3412 = message.get("t3412_extended", message.get("t3412", emm.t3412))
    emm.t3402 = message.get("t3402", Timer.T3402.seconds)
    if emm.cell is not None:
        emm.last_tai = emm.cell.tai
    if "emm_cause" in message:
        emm.observe("emm_cause", message["emm_cause"])


def take_sms_registration(emm: Emm, message: nas.Message) -> None:
    """Take out of the answer to a combined attach or update whether there is SMS (5.5.1.3.4.3, 5.5.3.3.4.3)."""
    result = message.get("additional_update_result", 0) & 3
    emm.sms_registered = result == nas.AdditionalUpdateResult.SMS_ONLY


def on_reject(emm: Emm, message: nas.Message, protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Act on the cause (5.5.1.2.5)."""
    if emm.procedure is not Procedure.ATTACH:
        emm.site.note("ATTACH REJECT without an attach")
        return
    container = message.get("esm_message_container")
    if container is not None:
        try:
            esm.on_attach_refused(emm, nas.decode(container, uplink=False), protected=protected)
        except PeerError as error:
            emm.radio.fault(error.reason, container)
    emm.stop(Timer.T3410)
    pause = message.get("t3402")
    if pause is not None and protected:  # a value in clear counts for nothing (5.3.6)
        emm.t3402 = pause if pause != nas.DEACTIVATED else Timer.T3402.seconds
    refused(emm, Procedure.ATTACH, message, protected=protected)


def failed(emm: Emm, word: str, *, at_once: bool = False) -> None:
    """Count an abnormal end, as the loss of the connection is, and pause before the next attempt (5.5.1.2.6)."""
    emm.stop(Timer.T3410)
    if emm.attach_type == nas.AttachType.EPS_EMERGENCY_ATTACH:
        emm.enter(EmmState.DEREGISTERED)
        emm.finish(word)
        return
    emm.attach_attempts = ATTEMPTS if at_once else min(emm.attach_attempts + 1, ATTEMPTS)
    emm.enter(EmmState.ATTEMPTING_TO_ATTACH)
    if emm.attach_attempts < ATTEMPTS or not emm.honours_rejects:
        emm.start(Timer.T3411)
    else:
        emm.forget_registration()
        emm.attach_attempts = ATTEMPTS
        emm.update_status = UpdateStatus.EU2_NOT_UPDATED
        emm.store_location()
        emm.start(Timer.T3402, emm.t3402)
    emm.finish(word)
