"""Tracking area updating, normal and periodic (TS 24.301 5.5.3)."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel
from simulators.mme.contexts import EmmState, SmsState, UeContext
from simulators.mme.controls import Occasion
from simulators.mme.demands import UPDATE_WHILE_DETACHED, UPDATE_WITHOUT_CONTEXT, demanded
from simulators.mme.procedures import area, dedicated_bearers
from simulators.mme.procedures.authentication import authenticate
from simulators.mme.procedures.default_bearer import initial_context_setup
from simulators.mme.procedures.idle import choose_period
from simulators.mme.procedures.pdn_connectivity import apn_lost
from simulators.mme.procedures.release import bind, release, release_for_good
from simulators.mme.procedures.security_mode import secure
from simulators.mme.procedures.service_request import check
from simwarden.wire.nas.elements import Lai
from simwarden.wire.nas.enums import (
    ACTIVE_FLAG,
    AdditionalUpdateResult,
    AdditionalUpdateType,
    EmmCause,
    MessageType,
    UpdateResult,
    UpdateType,
)
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.s1ap import CauseNas

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Terminal
    from simulators.mme.core import Core

#: the code of a location area that no cell has (TS 23.272 C.4.1); 0 and FFFE would say that there is none
_NO_BROADCAST = 0xFFFD
_COMBINED = (UpdateType.COMBINED_TA_LA_UPDATING, UpdateType.COMBINED_TA_LA_UPDATING_WITH_IMSI_ATTACH)


async def update(core: Core, conn: Connection, request: Message, known: UeContext | None, *, verified: bool) -> None:
    """Carry out a tracking area update. `known` is the context that the GUTI names, `verified` as for attach."""
    if known is None:
        reason = "no context here has this GUTI, and none is fetched from another MME"
        reject(core, conn, None, demanded(UPDATE_WITHOUT_CONTEXT, reason))
        return
    if known.state is not EmmState.REGISTERED:
        reject(core, conn, None, demanded(UPDATE_WHILE_DETACHED, "the device was detached meanwhile"))
        return
    if not verified:
        rejection = await _take_over(core, conn, known, request)
        if rejection is not None:
            reject(core, conn, None, rejection)
            return
    ask_for_messages(core, known, request, combined=request["eps_update_type"] & 7 in _COMBINED)
    in_use = conn.context_set_up
    bind(core, conn, known)
    rejection = _check_bearers(core, known, request) or apn_lost(core, known, Occasion.UPDATE)
    if rejection is None and verified and not known.emergency:
        ask = core.config.equipment.at_tracking_area_update
        rejection = await check(core, conn, known, Occasion.UPDATE, None, ask=ask)
    rejection = rejection or area.take_up(core, known, Occasion.UPDATE)
    if rejection is not None:
        if not rejection.temporary:
            core.end_session(known)
        reject(core, conn, known, rejection)
        return
    await _accept(core, conn, known, request)
    if request["eps_update_type"] & ACTIVE_FLAG and not in_use:
        initial_context_setup(conn, known, None)
        return
    core.gateways.tell_place(known)
    if not in_use:
        release(core, conn, CauseNas.NORMAL_RELEASE)


async def _take_over(core: Core, conn: Connection, known: UeContext, request: Message) -> Rejection | None:
    """Let a device prove and identify itself whose request the context's keys do not protect.

    Only one that is admitted takes the context over: to know a GUTI and to have a copy of the card is not enough to
    throw out who is in service (as in an attach, 5.5.1.2.7 f). Raises NoAnswer.
    """
    claimed = claim(core, conn, known, request)
    try:
        terminal = await prove_claim(core, conn, claimed)
        if isinstance(terminal, Rejection):
            return terminal
        if not known.emergency:
            ask = core.config.equipment.at_tracking_area_update
            rejection = await check(core, conn, claimed, Occasion.UPDATE, terminal, ask=ask)
            if rejection is not None:
                return rejection
    finally:
        core.attempts.pop(claimed, None)
    if known.state is not EmmState.REGISTERED:
        return demanded(UPDATE_WHILE_DETACHED, "the device was detached meanwhile")
    take_over(known, claimed)
    return None


def claim(core: Core, conn: Connection, known: UeContext, request: Message) -> UeContext:
    """Make the context of a device that may be the known one's; what its card loses meanwhile, it loses too."""
    claimed = UeContext(
        known.imsi,
        conn.tai,
        conn.cell,
        request.get("ue_network_capability", known.capability),
        gea=known.gea,
        terminal=known.terminal,
        subscription=copy.deepcopy(known.subscription),
        located=known.located,
        sms=known.sms,
    )
    bind(core, conn, claimed)
    core.attempts[claimed] = None
    return claimed


async def prove_claim(core: Core, conn: Connection, claimed: UeContext) -> Terminal | Rejection | None:
    """Authenticate a device whose request its keys do not protect, before it is believed (4.4.4.3).

    The context that it claims stays as it is. Returns the terminal if it gave its IMEISV. Raises NoAnswer.
    """
    keys = await authenticate(core, conn, claimed, by_guti=False)
    return keys if isinstance(keys, Rejection) else await secure(core, conn, claimed, keys)


def take_over(known: UeContext, claimed: UeContext) -> None:
    """Let a context be that of the device that has proven itself to be the one which it claimed to be."""
    known.security, known.capability = claimed.security, claimed.capability
    known.terminal, known.subscription, known.located = claimed.terminal, claimed.subscription, claimed.located
    known.sms = claimed.sms


def _check_bearers(core: Core, ue: UeContext, request: Message) -> Rejection | None:
    """End the sessions whose bearers the device does not hold; one without any was detached (5.5.3.2.5).

    A bearer that it has yet to accept is no such one: its activation and the update have crossed.
    """
    status = request.get("eps_bearer_context_status")
    missing = {each.identity for each in ue.all_bearers.values() if status is not None and each.identity not in status}
    gone = [each for each in ue.bearers.values() if each.identity in missing and each.accepted]
    if ue.bearers.keys() <= missing:
        return demanded(UPDATE_WHILE_DETACHED, "the device holds no bearer")
    core.gateways.end(ue, *gone)
    lost = {each for each in missing & ue.all_bearers.keys() if ue.all_bearers[each].accepted}
    dedicated_bearers.lost_by_radio(core, ue, lost)
    return None


def ask_for_messages(core: Core, ue: UeContext, request: Message, *, combined: bool) -> None:
    """Take note whether a device wants this MME to be registered for its messages: "SMS only" (5.5.1.3.2, 5.5.3.3.2).

    An attach that is not combined ends what was registered.
    """
    wanted = request.get("additional_update_type", 0) & AdditionalUpdateType.SMS_ONLY and core.config.sms.centres
    if combined and wanted:
        if ue.sms is not SmsState.REGISTERED:
            ue.sms = SmsState.ASKED
    elif request.type is MessageType.ATTACH_REQUEST:
        if ue.sms is SmsState.REGISTERED and ue.located:  # known by its keys, so that no ULR would tell the HSS
            core.site.spawn(core.home.ends_messages(ue.imsi), "end of the registration for short messages")
        ue.sms = SmsState.NONE


def combined_result(core: Core, ue: UeContext) -> dict[str, Any]:
    """Make what answers a combined attach or update: "SMS only" with a LAI that no cell broadcasts, else EPS only."""
    if ue.sms is not SmsState.REGISTERED:
        return {"emm_cause": EmmCause.CS_DOMAIN_NOT_AVAILABLE}
    lai = Lai(core.config.plmn, _NO_BROADCAST)
    return {"location_area_identification": lai, "additional_update_result": int(AdditionalUpdateResult.SMS_ONLY)}


async def _accept(core: Core, conn: Connection, ue: UeContext, request: Message) -> None:
    kind = request["eps_update_type"] & 7
    fields = combined_result(core, ue) if kind in _COMBINED else {}
    result = UpdateResult.COMBINED_TA_LA_UPDATED if "additional_update_result" in fields else UpdateResult.TA_UPDATED
    reallocate = core.config.reallocate_guti_at_update and kind != UpdateType.PERIODIC_UPDATING
    if reallocate:
        fields["guti"] = core.allocate_guti(ue)
    ue.tai_list = tuple(area.tai_list(core, ue, conn.tai))
    accept = encode(
        Message(
            MessageType.TRACKING_AREA_UPDATE_ACCEPT,
            eps_update_result=int(result),
            tai_list=list(ue.tai_list),
            eps_bearer_context_status=tuple(ue.all_bearers),
            **choose_period(core, ue, request),
            **fields,
        )
    )
    if reallocate:
        transmit = partial(nas_channel.send_plain, conn, accept)
        await nas_channel.ask(core, conn, transmit, "t3450", MessageType.TRACKING_AREA_UPDATE_COMPLETE)
        core.confirm_guti(ue)
    else:
        nas_channel.send_plain(conn, accept)
    core.show(ue)


def reject(core: Core, conn: Connection, ue: UeContext | None, rejection: Rejection) -> None:
    """TRACKING AREA UPDATE REJECT; the connection ends with it."""
    core.show_reject(ue.imsi if ue else conn.imsi, "tracking-area-update", rejection)
    if not rejection.told:
        fields = {} if rejection.t3346 is None else {"t3346": rejection.t3346}
        nas_channel.send(
            conn, Message(MessageType.TRACKING_AREA_UPDATE_REJECT, emm_cause=rejection.emm_cause, **fields)
        )
    release_for_good(core, conn, ue, CauseNas.NORMAL_RELEASE)
