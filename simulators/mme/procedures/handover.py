"""Handover between eNBs: through the MME (TS 36.413 8.4.1 to 8.4.7), and path switch after one over X2 (8.4.4)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.mme.clients import s1
from simulators.mme.contexts import Arriving, EmmState
from simulators.mme.controls import Occasion
from simulators.mme.procedures import area, dedicated_bearers, enforcement, location_reporting
from simulators.mme.procedures.area import Place
from simulators.mme.procedures.default_bearer import take_tunnels
from simulators.mme.procedures.detach import detach_by_network, request_detach
from simulators.mme.procedures.pdn_connectivity import deactivate
from simulators.mme.procedures.release import release, settle
from simwarden.machine.eps_keys import nh
from simwarden.model.identity import Ecgi
from simwarden.wire.gtpv2 import InterfaceType
from simwarden.wire.nas.enums import EsmCause, NetworkDetachType
from simwarden.wire.s1ap import CauseRadioNetwork, HandoverType
from simwarden.wire.s1ap.values import (
    ErabDataForwarding,
    ErabItem,
    ErabToBeSetupHoReq,
    MacroEnbId,
    transport_layer_address,
)

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Enb, UeContext
    from simulators.mme.core import Core
    from simwarden.policy.decision import Decision
    from simwarden.wire.s1ap import Message
    from simwarden.wire.s1ap.values import Cause, GlobalEnbId, TargetEnbId

_Radio = CauseRadioNetwork
_FORWARDS = InterfaceType.ENODEB_GTP_U_FOR_DL_DATA_FORWARDING


def required(core: Core, source: Connection, message: Message) -> None:
    """HANDOVER REQUIRED: prepare the target eNB."""
    ue, target_id = source.ue, message["target_id"]
    enb = _enb_of(core, target_id)
    if source.releasing:
        return  # HANDOVER REQUIRED crosses the release command, after which the eNB has nobody to hand over
    if message["handover_type"] is not HandoverType.INTRALTE or enb is None:
        _prepare_failed(source, _Radio.UNKNOWN_TARGET_ID)
    elif ue is None or ue.state is not EmmState.REGISTERED or _busy(source):
        _prepare_failed(source, _Radio.INTERACTION_WITH_OTHER_PROCEDURE)
    elif _outside(core, ue, target_id):
        _prepare_failed(source, _Radio.HO_TARGET_NOT_ALLOWED)
    else:
        source.handover = core.site.spawn(_prepare(core, source, ue, enb, message), "handover preparation")


def _busy(source: Connection) -> bool:
    """Whether a handover or a NAS procedure runs; the handover would end the latter, and the checks in it."""
    return source.target is not None or source.procedure is not None or bool(source.transactions)


def _outside(core: Core, ue: UeContext, target: TargetEnbId) -> bool:
    place = Place(target.selected_tai, None, _station(target.global_enb_id))
    return area.refuses(core, ue, place, Occasion.PREPARATION) is not None


def _station(enb: GlobalEnbId) -> str:
    """Return the base station as `Ecgi.station` does; which of its cells the device goes to, only the eNBs know."""
    return Ecgi(enb.plmn, enb.enb_id.value << 8 if isinstance(enb.enb_id, MacroEnbId) else enb.enb_id.value).station


def _enb_of(core: Core, target: TargetEnbId) -> Enb | None:
    for enb in core.enbs.values():
        if enb.global_id == target.global_enb_id and target.selected_tai in enb.tais:
            return enb
    return None


def _prepare_failed(source: Connection, cause: Cause) -> None:
    s1.send(source, "handover-preparation-failure", cause=cause)


async def _prepare(core: Core, source: Connection, ue: UeContext, enb: Enb, message: Message) -> None:
    """Handover resource allocation (8.4.2), then the command to the source eNB."""
    target = core.connect(enb, None, message["target_id"].selected_tai, source.cell)
    source.target, target.ue = target, ue
    target.arriving = Arriving(source, ue)
    target.security = source.security
    _step_next_hop(ue)
    s1.send_request(
        target,
        "handover-request",
        handover_type=HandoverType.INTRALTE,
        cause=message.get("cause", _Radio.UNSPECIFIED),
        ue_aggregate_maximum_bitrate=s1.aggregate_bit_rate(ue),
        e_rab_to_be_setup_list_ho_req=_bearers(ue),
        source_to_target_transparent_container=message["source_to_target_transparent_container"],
        ue_security_capabilities=s1.security_capabilities(ue),
        security_context=s1.next_hop(ue),
    )
    answer = await s1.answer(core, target, core.config.timers.handover)
    if answer is None or answer.name == "handover-failure":
        source.target = None
        if answer is None:
            release(core, target, _Radio.TS1RELOCPREP_EXPIRY)
        else:
            core.drop(target)
        _prepare_failed(source, _Radio.HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM)
        location_reporting.control(core, source)
        return
    target.tunnels = answer.get("e_rab_admitted_list", ())
    forwarded = await _forward(core, ue, target)
    listed: dict[str, Any] = {"e_rab_subject_to_data_forwarding_list": forwarded} if forwarded else {}
    s1.send(
        source,
        "handover-command",
        handover_type=HandoverType.INTRALTE,
        **listed,
        target_to_source_transparent_container=answer["target_to_source_transparent_container"],
    )
    target.guard = core.clock.call_later(core.config.timers.handover, lambda: _not_notified(core, source, target))


async def _forward(core: Core, ue: UeContext, target: Connection) -> tuple[ErabDataForwarding, ...]:
    """Have the SGW forward what the target wants to have forwarded (TS 23.401 5.5.1.2.2 steps 6, 7)."""
    ends = {
        each.e_rab_id: s1.enb_end(each.dl_gtp_teid, each.dl_transport_layer_address)._replace(interface=_FORWARDS)
        for each in target.tunnels
        if each.dl_gtp_teid is not None and each.dl_transport_layer_address and each.e_rab_id in ue.all_bearers
    }
    if ends and ue.forwarding is not None:  # those of the handover before end with these
        ue.forwarding.cancel()
    target.forwards = ue  # from now on: who ends the handover meanwhile ends them too
    made = await core.gateways.forward(ue, ends)
    target.forwards = ue if made else None
    return tuple(
        ErabDataForwarding(identity, transport_layer_address(end.address), end.teid) for identity, end in made.items()
    )


def _end_forwarding(core: Core, target: Connection) -> None:
    """Let the SGW forward no more, after a time in which the last packets pass (TS 23.401 5.5.1.2.2 step 21)."""
    ue, target.forwards = target.forwards, None
    if ue is None:
        return
    end = partial(core.gateways.end_forwarding, ue)
    ue.forwarding = core.clock.call_later(core.config.timers.forwarding, end)


def _bearers(ue: UeContext) -> tuple[ErabToBeSetupHoReq, ...]:
    return tuple(
        ErabToBeSetupHoReq(
            each.identity, transport_layer_address(each.sgw.address), each.sgw.teid, s1.quality(each.qos)
        )
        for each in ue.all_bearers.values()
    )


def _step_next_hop(ue: UeContext) -> None:
    """Advance the next hop key (TS 33.401 7.2.8.4.3)."""
    ue.next_hop = nh(ue.keys.kasme, ue.next_hop)
    ue.next_hop_count = (ue.next_hop_count + 1) % 8


def acknowledged(core: Core, enb: Enb, message: Message) -> bool:
    """HANDOVER REQUEST ACKNOWLEDGE or HANDOVER FAILURE: hand it to the preparation that waits; whether one does."""
    target = core.connections.get(message.get("mme_ue_s1ap_id"))
    if target is None or target.enb is not enb or target.s1_answer is None or target.s1_answer.done():
        return False
    enb_id = message.get("enb_ue_s1ap_id")
    if message.name == "handover-request-acknowledge":
        if enb_id is None:
            return False
        target.enb_id = enb_id
        enb.connections[enb_id] = target
    target.s1_answer.set_result(message)
    return True


def _not_notified(core: Core, source: Connection, target: Connection) -> None:
    """The device never came to the target: it is left there, and stays with the source."""
    core.site.note("handover was not completed", imsi=target.imsi)
    source.target = None
    release(core, target, _Radio.TS1RELOCOVERALL_EXPIRY)


def transfer_status(_core: Core, source: Connection, message: Message) -> None:
    """ENB STATUS TRANSFER of the source goes on to the target as MME STATUS TRANSFER (8.4.6, 8.4.7)."""
    if source.target is not None and source.target.enb_id is not None:
        container = message["enb_status_transfer_transparent_container"]
        s1.send(source.target, "mme-status-transfer", enb_status_transfer_transparent_container=container)


def notify(core: Core, target: Connection, message: Message) -> None:
    """HANDOVER NOTIFY: the device has come; the source is released (8.4.3).

    A detach that began after HANDOVER COMMAND goes on here, since the UE did not hear of it at the source. Any other
    NAS procedure ends without an outcome: the UE has to attach, and is checked anew. So it has where the source eNB
    failed meanwhile, and the UE, which was idle then, lost its session.
    """
    if target.releasing:
        return  # crosses the release command
    if target.arriving is None or target.arriving.ue.connection not in (None, target.arriving.source):
        s1.not_expected(target.enb, message)
        return
    source, ue = target.arriving
    if target.guard is not None:
        target.guard.cancel()
    detaching, interrupted = source.detaching, source.procedure is not None
    source.target = target.arriving = None
    target.context_set_up = True
    core.stop_timer(ue)
    ue.connection = target
    _arrive(core, target, ue, message)
    core.halt(source)
    _bring_packets(core, source, target, ue)
    _end_forwarding(core, target)
    if detaching is not None:
        request_detach(core, target, ue, *detaching)
    elif ue.state is not EmmState.REGISTERED:
        request_detach(core, target, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
    elif interrupted and not ue.emergency:
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
    else:
        enforcement.enforce(core, ue, Occasion.ARRIVAL)
        location_reporting.control(core, target)


def _bring_packets(core: Core, source: Connection, target: Connection, ue: UeContext) -> None:
    """Have packets sent to the target; the source is let go when they are (TS 23.401 5.5.1.2.2 steps 15 to 19)."""
    let_go = partial(release, core, source, _Radio.SUCCESSFUL_HANDOVER)
    taken = take_tunnels(ue, target.tunnels)
    if not core.gateways.modify(ue, taken, lambda _accepted: let_go()):
        let_go()
    _end_others(core, ue, taken)


def _end_others(core: Core, ue: UeContext, taken: frozenset[int]) -> None:
    """End what an eNB did not take: PDN connections, dedicated bearers (TS 23.401 5.5.1.1.2, 5.5.1.2.2)."""
    dedicated_bearers.lost_by_radio(core, ue, ue.all_bearers.keys() - taken)
    for bearer in [each for each in ue.bearers.values() if each.identity not in taken]:
        if len(ue.bearers) > 1:
            deactivate(core, ue, bearer, EsmCause.REACTIVATION_REQUESTED)


def cancel(core: Core, source: Connection, _message: Message) -> None:
    """HANDOVER CANCEL: the target is released (8.4.5)."""
    if source.handover is not None:
        source.handover.cancel()
    target, source.target = source.target, None
    if target is not None:
        if target.guard is not None:
            target.guard.cancel()
        release(core, target, _Radio.HANDOVER_CANCELLED)
    s1.send(source, "handover-cancel-acknowledge")
    location_reporting.control(core, source)


def _arrive(core: Core, conn: Connection, ue: UeContext, message: Message) -> None:
    ue.tai, ue.cell = conn.tai, conn.cell = message.get("tai") or conn.tai, message.get("eutran_cgi") or conn.cell
    core.show(ue)


def path_switch(core: Core, enb: Enb, message: Message) -> None:
    """PATH SWITCH REQUEST: the device came to this eNB over X2 (8.4.4)."""
    conn = core.connections.get(message["source_mme_ue_s1ap_id"])
    ue = conn.served if conn is not None else None
    ids = {"mme_ue_s1ap_id": message["source_mme_ue_s1ap_id"], "enb_ue_s1ap_id": message["enb_ue_s1ap_id"]}
    if conn is None or ue is None:
        s1.send_common(enb, "path-switch-request-failure", **ids, cause=_Radio.UNKNOWN_MME_UE_S1AP_ID)
        return
    switched = [item for item in message["e_rab_to_be_switched_dl_list"] if item.e_rab_id in ue.bearers]
    if not switched or message.get("tai") not in enb.tais:
        # no default bearer can follow, or the device is where it is not served
        s1.send_common(enb, "path-switch-request-failure", **ids, cause=_Radio.HO_TARGET_NOT_ALLOWED)
        return
    place = Place(message["tai"], message.get("eutran_cgi"), _station(enb.global_id))
    if area.refuses(core, ue, place, Occasion.PATH_SWITCH) is not None:
        # the path stays, and the device is detached (TS 23.401 5.5.1.1.2); it learns why at its next contact
        s1.send_common(enb, "path-switch-request-failure", **ids, cause=_Radio.HO_TARGET_NOT_ALLOWED)
        core.end_session(ue)
        release(core, conn, _Radio.HO_TARGET_NOT_ALLOWED)
        settle(core, ue)
        return
    conn.enb.connections.pop(conn.enb_id, None)
    conn.enb, conn.enb_id = enb, message["enb_ue_s1ap_id"]
    enb.connections[message["enb_ue_s1ap_id"]] = conn
    _step_next_hop(ue)
    listed = message["e_rab_to_be_switched_dl_list"]
    taken = take_tunnels(ue, listed)
    _arrive(core, conn, ue, message)
    too_many = enforcement.count(core, ue, Occasion.PATH_SWITCH)

    def acknowledge(switched: bool) -> None:  # noqa: FBT001 - the signature of an answer's taker
        if not switched:
            s1.send(conn, "path-switch-request-failure", cause=_Radio.HO_TARGET_NOT_ALLOWED)
        elif ue.connection is conn and conn.enb is enb:
            _acknowledge(core, conn, ue, message, too_many)
            _end_others(core, ue, taken)

    core.gateways.modify(ue, taken, acknowledge)


def _acknowledge(core: Core, conn: Connection, ue: UeContext, message: Message, too_many: Decision | None) -> None:
    """PATH SWITCH REQUEST ACKNOWLEDGE, when packets come to the eNB (TS 23.401 5.5.1.1.2 step 5)."""
    others = [
        ErabItem(item.e_rab_id, _Radio.UNKNOWN_E_RAB_ID)
        for item in message["e_rab_to_be_switched_dl_list"]
        if item.e_rab_id not in ue.all_bearers
    ]
    s1.send(
        conn,
        "path-switch-request-acknowledge",
        e_rab_to_be_released_list=tuple(others) or None,
        security_context=s1.next_hop(ue),
    )
    if too_many is not None:
        enforcement.turn_out(core, ue, too_many)
    conn.reports = False
    location_reporting.control(core, conn)
