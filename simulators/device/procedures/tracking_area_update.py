"""Tracking area update, normal and periodic (TS 24.301 5.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.procedures.attach import hindrance, repeated, take_registration, take_sms_registration
from simulators.device.procedures.refusal import refused
from simulators.device.state import ATTEMPTS, EmmState, Procedure, Timer, UpdateStatus
from simulators.device.terminal import CAPABILITY, EXTENDED_TIMERS
from simwarden.wire.nas import AdditionalUpdateType, Message, MessageType, UpdateType

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


def start(emm: Emm) -> None:
    """Begin an update of type `emm.update_type`, or say why not (5.5.3.2.2), and wait on for what it waits for."""
    emm.begin(Procedure.TRACKING_AREA_UPDATE, failed)
    word = hindrance(emm) or ("" if emm.guti is not None and emm.state.registered else "not-registered")
    if word:
        emm.finish(word)
        return
    emm.stop(Timer.T3411, Timer.T3402, Timer.T3412)
    if emm.config.sms and emm.update_type == UpdateType.TA_UPDATING:
        emm.update_type = UpdateType.COMBINED_TA_LA_UPDATING
    request = Message(
        MessageType.TRACKING_AREA_UPDATE_REQUEST,
        eps_update_type=emm.update_type,
        nas_key_set_identifier=emm.ksi,
        old_guti=emm.guti,
        eps_bearer_context_status=emm.identities,
        ms_network_feature_support=EXTENDED_TIMERS,
    )
    if emm.update_type != UpdateType.PERIODIC_UPDATING:
        request.fields["ue_network_capability"] = CAPABILITY
    if emm.update_type == UpdateType.COMBINED_TA_LA_UPDATING:
        request.fields["additional_update_type"] = int(AdditionalUpdateType.SMS_ONLY)
    if emm.last_tai is not None:
        request.fields["last_visited_registered_tai"] = emm.last_tai
    emm.observe("emm_cause", None)
    emm.enter(EmmState.TRACKING_AREA_UPDATING_INITIATED)
    emm.start(Timer.T3430)
    emm.send(request)


def on_accept(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Take up what the network says, and complete if it gave a new GUTI (5.5.3.2.4)."""
    if not repeated(emm, message) and not emm.expects(Procedure.TRACKING_AREA_UPDATE, failed):
        emm.site.note("TRACKING AREA UPDATE ACCEPT without an update")
        return
    emm.stop(Timer.T3430)
    emm.tau_attempts = 0
    take_registration(emm, message)
    if emm.update_type == UpdateType.COMBINED_TA_LA_UPDATING:
        take_sms_registration(emm, message)
    kept = message.get("eps_bearer_context_status")
    if kept is not None:
        emm.drop_without(kept)
    emm.enter(EmmState.REGISTERED)
    if "guti" in message:
        emm.send(Message(MessageType.TRACKING_AREA_UPDATE_COMPLETE))
    emm.store_location()
    emm.store_context()
    emm.finish("accepted")


def on_reject(emm: Emm, message: Message, protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Act on the cause (5.5.3.2.5)."""
    if emm.procedure is not Procedure.TRACKING_AREA_UPDATE:
        emm.site.note("TRACKING AREA UPDATE REJECT without an update")
        return
    emm.stop(Timer.T3430)
    refused(emm, Procedure.TRACKING_AREA_UPDATE, message, protected=protected)


def failed(emm: Emm, word: str, *, at_once: bool = False) -> None:
    """Count an abnormal end, as the loss of the connection is, and pause before the next attempt (5.5.3.2.6)."""
    emm.stop(Timer.T3430)
    emm.tau_attempts = ATTEMPTS if at_once else min(emm.tau_attempts + 1, ATTEMPTS)
    unchanged = (
        emm.update_status is UpdateStatus.EU1_UPDATED
        and emm.cell is not None
        and emm.cell.tai in emm.tai_list
        and emm.tau_attempts < ATTEMPTS
    )
    if not unchanged:
        emm.update_status = UpdateStatus.EU2_NOT_UPDATED
    emm.enter(EmmState.REGISTERED if unchanged else EmmState.ATTEMPTING_TO_UPDATE)
    if emm.tau_attempts < ATTEMPTS or not emm.honours_rejects:
        emm.start(Timer.T3411)
    else:
        emm.store_location()
        emm.start(Timer.T3402, emm.t3402)
    emm.finish(word)


def on_t3412(emm: Emm) -> None:
    """It is time for the periodic update (5.3.5)."""
    if emm.procedure is None and emm.state.registered:
        emm.update_type = UpdateType.PERIODIC_UPDATING
        start(emm)
