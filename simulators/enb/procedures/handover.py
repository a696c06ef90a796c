"""Handover: from one cell to another of this eNB, and by S1 (TS 36.413 8.4). By X2: see `x2`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb import forwarding
from simulators.enb.context import Phase, SecurityKeys, Tunnel, UeContext, host_of
from simulators.enb.procedures import x2
from simulators.enb.procedures.connection import cause_in, connected, inactive, radio_lost, request_release, ue_of
from simulators.enb.procedures.location_reporting import cell_changed
from simulators.enb.procedures.mobility import command_for, expect_arrival, history, leave, order, order_in, stay
from simulators.enb.procedures.ue_context import NO_ROOM, choose_algorithms, reconfiguration_complete
from simwarden.errors import PeerError
from simwarden.wire import uu
from simwarden.wire.rrc import HANDOVER_PREPARATION_INFORMATION
from simwarden.wire.s1ap import CauseRadioNetwork, HandoverType
from simwarden.wire.s1ap.enums import DlForwarding
from simwarden.wire.s1ap.ies import SOURCE_ENB_TO_TARGET_ENB_CONTAINER, TARGET_ENB_TO_SOURCE_ENB_CONTAINER
from simwarden.wire.s1ap.values import (
    BearerSubjectToStatusTransfer,
    CountValue,
    EnbStatusTransferContainer,
    ErabAdmitted,
    ErabInformation,
    ErabItem,
    GlobalEnbId,
    MacroEnbId,
    SourceEnbToTargetEnbContainer,
    TargetEnbId,
    TargetEnbToSourceEnbContainer,
)

if TYPE_CHECKING:
    from simulators.enb.context import Bearer, Cell, Mme, RadioLink
    from simulators.enb.station import Station
    from simwarden.wire.s1ap import Message


def measurement_report(station: Station, radio: RadioLink, message: uu.MeasurementReport) -> None:
    """Hand the device over to the best cell that it reports (TS 36.331 5.5.5), by X2 where there is one, else by S1."""
    ue = connected(radio, Phase.ACTIVE, Phase.PREPARING)
    if not message.cells:
        raise PeerError("measurement report without a cell")
    best = message.cells[0]
    if ue.phase == Phase.PREPARING or best.cell == ue.cell.ecgi:
        return
    neighbour = x2.neighbour_of(station, best.cell)
    if best.cell.enb_id == station.enb_id:
        within(station, ue, radio, best)
    elif neighbour is not None:
        x2.handover_preparation(station, ue, neighbour, best.cell)
    else:
        handover_preparation(station, ue, best)


def within(station: Station, ue: UeContext, radio: RadioLink, best: uu.MeasuredCell) -> None:
    """Send a device to another cell of ours: nobody else needs to know (TS 36.331 5.3.5.4)."""
    cell = station.cells.get(best.cell.cell_identity)
    if cell is None:
        raise PeerError(f"cell {best.cell} is not of this eNB")
    ue.target, ue.phase = cell, Phase.PREPARING
    expect_arrival(station, ue)
    radio.send(order(cell.ecgi, ue.c_rnti, ue.key.ncc))
    station.watch(ue, station.config.radio_timeout, lambda: radio_lost(station, ue))


def rrc_connection_reconfiguration_complete(
    station: Station, radio: RadioLink, message: uu.RrcConnectionReconfigurationComplete
) -> None:
    """A device has done as told, or has arrived here (TS 36.331 5.3.5)."""
    if message.c_rnti is None:
        reconfiguration_complete(station, connected(radio))
        return
    ue = station.arriving.get(message.c_rnti)
    if ue is None:
        # Random access, which would get no answer until T304 ran out (TS 36.331 5.3.5.6), is not emulated: it is told.
        radio.send(uu.RrcConnectionRelease())
        raise PeerError(f"nobody with C-RNTI {message.c_rnti:04x} is expected")
    moved = ue.phase == Phase.PREPARING and ue.radio is radio and ue.target is not None
    if ue.target is not None and moved:
        station.move(ue, ue.target)
        if radio.camp is not None:
            radio.listen_in(ue.target, radio.index)
    elif ue.phase == Phase.ARRIVING and radio.ue is None:
        station.join(ue, radio)
        _tell_core(station, ue)
    else:
        raise PeerError(f"C-RNTI {message.c_rnti:04x} belongs to another device")
    del station.arriving[message.c_rnti]
    ue.target, ue.phase = None, Phase.ACTIVE
    forwarding.arrived(station, ue)
    if ue.handover_timer is not None:
        ue.handover_timer.cancel()
        ue.handover_timer = None
    station.watch(ue, station.config.inactivity, lambda: inactive(station, ue))
    if moved:
        cell_changed(station, ue)


def _tell_core(station: Station, ue: UeContext) -> None:
    if ue.peer is not None:
        x2.path_switch_request(station, ue)
    else:
        station.ue_to_mme(ue, "handover-notify", eutran_cgi=ue.cell.ecgi, tai=ue.cell.tai)


# -- by S1, at the source


def handover_preparation(station: Station, ue: UeContext, best: uu.MeasuredCell) -> None:
    """Ask the MME to have the device taken over (8.4.1.2). Its tracking area is ours if the device did not read it."""
    ue.phase, ue.goal = Phase.PREPARING, best.cell
    container = SourceEnbToTargetEnbContainer(
        HANDOVER_PREPARATION_INFORMATION,
        tuple(ErabInformation(number, DlForwarding.DL_FORWARDING_PROPOSED) for number in ue.bearers) or None,
        best.cell,
        None,
        (history(station, ue),),
    )
    enb = GlobalEnbId(best.cell.plmn, MacroEnbId(best.cell.enb_id))
    station.ue_to_mme(
        ue,
        "handover-required",
        handover_type=HandoverType.INTRALTE,
        cause=CauseRadioNetwork.HANDOVER_DESIRABLE_FOR_RADIO_REASON,
        target_id=TargetEnbId(enb, best.tai or ue.cell.tai),
        source_to_target_transparent_container=SOURCE_ENB_TO_TARGET_ENB_CONTAINER.to_octets(container),
    )
    cancel = CauseRadioNetwork.TS1RELOCPREP_EXPIRY
    ue.handover_timer = station.site.clock.call_later(
        station.config.handover_preparation, lambda: handover_cancellation(station, ue, cancel)
    )


def handover_cancellation(station: Station, ue: UeContext, cause: CauseRadioNetwork) -> None:
    """Call a handover off; the device stays (8.4.5)."""
    stay(ue)
    station.ue_to_mme(ue, "handover-cancel", cause=cause)


def handover_preparation_failure(station: Station, mme: Mme, message: Message) -> None:
    """The device stays (8.4.1.3)."""
    ue = ue_of(station, mme, message)
    stay(ue)
    station.site.note(f"Handover refused: {cause_in(message)}")


def handover_command(station: Station, mme: Mme, message: Message) -> None:
    """Send the device away as the target eNB wants it (8.4.1.2), and its counters after it (8.4.6)."""
    ue = ue_of(station, mme, message)
    if ue.phase != Phase.PREPARING or ue.radio is None:
        raise PeerError("handover command, but no handover is being prepared")
    container = message["target_to_source_transparent_container"]
    try:
        command = order_in(TARGET_ENB_TO_SOURCE_ENB_CONTAINER.from_octets(container).rrc_container, ue.goal)
    except PeerError:
        handover_cancellation(station, ue, CauseRadioNetwork.HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM)
        raise
    forwards = {
        item.e_rab_id: Tunnel(item.dl_gtp_teid, host_of(item.dl_transport_layer_address), "S1-U")
        for item in message.get("e_rab_subject_to_data_forwarding_list") or ()
        if item.dl_gtp_teid is not None and item.dl_transport_layer_address and item.e_rab_id in ue.bearers
    }
    leave(ue, command, forwards)
    if ue.bearers:
        station.ue_to_mme(ue, "enb-status-transfer", enb_status_transfer_transparent_container=counters(ue))
    expired = CauseRadioNetwork.TS1RELOCOVERALL_EXPIRY
    ue.handover_timer = station.site.clock.call_later(
        station.config.handover_completion, lambda: request_release(station, ue, expired)
    )


def counters(ue: UeContext) -> EnbStatusTransferContainer:
    """Return the PDCP counters of a device's bearers: all at their start, since this radio counts no packets."""
    zero = CountValue(0, 0)
    return EnbStatusTransferContainer(tuple(BearerSubjectToStatusTransfer(n, zero, zero) for n in ue.bearers))


# -- by S1, at the target


def handover_resource_allocation(station: Station, mme: Mme, message: Message) -> None:
    """Expect a device that another eNB sends (8.4.2)."""
    mme_ue_id = message["mme_ue_s1ap_id"]
    source = SOURCE_ENB_TO_TARGET_ENB_CONTAINER.from_octets(message["source_to_target_transparent_container"])
    cell = station.cells.get(source.target_cell.cell_identity)
    cause = None
    if cell is None:
        cause = CauseRadioNetwork.CELL_NOT_AVAILABLE
    elif not any(station.has_room(item.qos) for item in message["e_rab_to_be_setup_list_ho_req"]):
        cause = CauseRadioNetwork.NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL
    elif choose_algorithms(station, message["ue_security_capabilities"]) is None:
        cause = CauseRadioNetwork.ENCRYPTION_AND_OR_INTEGRITY_PROTECTION_ALGORITHMS_NOT_SUPPORTED
    if cell is None or cause is not None:
        station.to_mme(mme, "handover-failure", 1, mme_ue_s1ap_id=mme_ue_id, cause=cause)
        return
    ue = _take_over(station, mme, message, cell)
    command = command_for(station, ue, cell)
    proposed = {each.e_rab_id for each in source.e_rab_information or () if each.dl_forwarding is not None}
    station.ue_to_mme(
        ue,
        "handover-request-acknowledge",
        e_rab_admitted_list=tuple(_admitted(station, ue, each, proposed) for each in ue.bearers.values()),
        e_rab_failed_to_setup_list_ho_req_ack=tuple(
            ErabItem(item.e_rab_id, NO_ROOM)
            for item in message["e_rab_to_be_setup_list_ho_req"]
            if item.e_rab_id not in ue.bearers
        )
        or None,
        target_to_source_transparent_container=TARGET_ENB_TO_SOURCE_ENB_CONTAINER.to_octets(
            TargetEnbToSourceEnbContainer(command)
        ),
    )


def _admitted(station: Station, ue: UeContext, bearer: Bearer, proposed: set[int]) -> ErabAdmitted:
    """Take a bearer, and its packets that the source wants to forward (8.4.2.2)."""
    if bearer.e_rab_id not in proposed or not station.config.takes_forwarded:
        return ErabAdmitted(bearer.e_rab_id, station.s1u_address, bearer.own_teid)
    teid = forwarding.expect(station, ue, bearer.e_rab_id)
    return ErabAdmitted(bearer.e_rab_id, station.s1u_address, bearer.own_teid, station.s1u_address, teid)


def _take_over(station: Station, mme: Mme, message: Message, cell: Cell) -> UeContext:
    ue = station.new_ue(cell)
    ue.phase, ue.mme, ue.mme_ue_id = Phase.ARRIVING, mme, message["mme_ue_s1ap_id"]
    station.take_ambr(ue, message["ue_aggregate_maximum_bitrate"])
    ue.capabilities = message["ue_security_capabilities"]
    context = message["security_context"]
    ue.key = SecurityKeys(context.next_hop_parameter, context.next_hop_chaining_count)
    for item in message["e_rab_to_be_setup_list_ho_req"]:
        if not station.has_room(item.qos):
            continue
        station.add_bearer(ue, item.e_rab_id, item.qos, item.transport_layer_address, item.gtp_teid)
    patience = station.config.handover_preparation + station.config.handover_completion
    ue.handover_timer = station.site.clock.call_later(
        patience, lambda: request_release(station, ue, CauseRadioNetwork.TS1RELOCOVERALL_EXPIRY)
    )
    return ue
