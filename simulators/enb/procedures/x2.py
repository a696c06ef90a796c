"""X2 Setup and handover by X2 (TS 36.423 8.2, 8.3.3), and the path switch that ends it (TS 36.413 8.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.enb import forwarding
from simulators.enb.context import Neighbour, Phase, SecurityKeys, Tunnel, UeContext, host_of
from simulators.enb.procedures.connection import cause_in, release_radio, request_release, ue_of, uplink_nas_transport
from simulators.enb.procedures.mobility import command_for, history, leave, order_in, physical_identity, stay
from simulators.enb.procedures.ue_context import choose_algorithms
from simwarden.errors import PeerError
from simwarden.machine.eps_keys import kenb_star
from simwarden.wire import x2
from simwarden.wire.rrc import HANDOVER_PREPARATION_INFORMATION
from simwarden.wire.s1ap import CauseRadioNetwork as S1Cause
from simwarden.wire.s1ap import S1apError
from simwarden.wire.s1ap.enums import DlForwarding
from simwarden.wire.s1ap.values import CountValue, ErabTunnel, Gummei
from simwarden.wire.x2 import CauseProtocol, CauseRadioNetwork
from simwarden.wire.x2.enums import TransmissionBandwidth
from simwarden.wire.x2.ies import (
    AsSecurityInformation,
    ErabAdmitted,
    ErabItem,
    ErabSubjectToStatusTransfer,
    ErabToBeSetup,
    FddInfo,
    GuGroupId,
    ServedCell,
    TunnelEndpoint,
    UeContextInformation,
    X2Gummei,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.enb.context import Cell, Mme
    from simulators.enb.station import Station
    from simwarden.model.identity import Ecgi
    from simwarden.wire.s1ap import Message

#: a carrier of band 3, so that something true stands there; the radio has no frequencies
_FDD = FddInfo(19300, 1300, TransmissionBandwidth.BW50, TransmissionBandwidth.BW50)
_PROPOSED = DlForwarding.DL_FORWARDING_PROPOSED
#: counters of bearers at their start: this radio counts no packets
_ZERO = CountValue(0, 0)
_NO_ROOM = CauseRadioNetwork.NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL


def _send(neighbour: Neighbour, name: str, **ies: Any) -> None:
    message = x2.Message(name, {key: value for key, value in ies.items() if value is not None})
    neighbour.link.send(x2.encode(message))


# -- the interface


def x2_setup(station: Station, neighbour: Neighbour) -> None:
    """Ask a neighbour for X2 (8.3.3)."""
    _send(neighbour, "x2-setup-request", global_enb_id=station.global_id, served_cells=_served_cells(station))


def _served_cells(station: Station) -> tuple[ServedCell, ...]:
    cells = station.cells.values()
    return tuple(
        ServedCell(physical_identity(cell.ecgi), cell.ecgi, cell.tai.tac, (station.plmn,), _FDD) for cell in cells
    )


def x2_setup_request(station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """Take a neighbour's cells, and tell ours."""
    _learn(neighbour, message)
    _send(neighbour, "x2-setup-response", global_enb_id=station.global_id, served_cells=_served_cells(station))


def x2_setup_response(_station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """Take a neighbour's cells."""
    _learn(neighbour, message)


def x2_setup_failure(station: Station, neighbour: Neighbour, _message: x2.Message) -> None:
    """Do without: handovers to it go by S1."""
    station.site.note(f"X2 Setup refused by {neighbour.name}")


def _learn(neighbour: Neighbour, message: x2.Message) -> None:
    neighbour.link.know()
    neighbour.enb_id = message["global_enb_id"].enb_id.value
    neighbour.cells = {served.cell for served in message["served_cells"]}


def x2_lost(station: Station, neighbour: Neighbour) -> None:
    """Forget a neighbour; what was being prepared with it is off, and devices stay or are lost by timer."""
    if neighbour in station.neighbours:
        station.neighbours.remove(neighbour)
    for ue in list(station.on_x2.values()):
        if ue.peer is neighbour and ue.phase == Phase.PREPARING:
            _give_up(station, ue)


def neighbour_of(station: Station, cell: Ecgi) -> Neighbour | None:
    """Return the neighbour with this cell, if X2 to it is set up."""
    return next((each for each in station.neighbours if cell in each.cells), None)


# -- at the source


def handover_preparation(station: Station, ue: UeContext, neighbour: Neighbour, cell: Ecgi) -> None:
    """Ask a neighbour to take a device over (8.2.1.2)."""
    gummei, key = gummei_of(ue), ue.key
    if gummei is None or ue.capabilities is None or ue.ambr is None or ue.mme_ue_id is None or not ue.bearers:
        raise PeerError("measurement report of a device without a context")
    ue.phase, ue.peer, ue.x2_id = Phase.PREPARING, neighbour, station.new_x2_id()
    ue.goal = cell
    station.on_x2[ue.x2_id] = ue
    _send(
        neighbour,
        "handover-request",
        old_enb_ue_x2ap_id=ue.x2_id,
        cause=CauseRadioNetwork.HANDOVER_DESIRABLE_FOR_RADIO_REASONS,
        target_cell_id=cell,
        gummei_id=X2Gummei(GuGroupId(gummei.plmn, gummei.mme_group_id), gummei.mme_code),
        ue_context_information=UeContextInformation(
            ue.mme_ue_id,
            ue.capabilities,
            AsSecurityInformation(kenb_star(key.value, physical_identity(cell), _FDD.dl_earfcn), key.ncc),
            ue.ambr,
            None,
            tuple(
                ErabToBeSetup(b.e_rab_id, b.qos, _PROPOSED, TunnelEndpoint(b.core_address, b.core_teid))
                for b in ue.bearers.values()
            ),
            HANDOVER_PREPARATION_INFORMATION,
        ),
        ue_history_information=(history(station, ue),),
    )
    ue.handover_timer = station.site.clock.call_later(
        station.config.handover_preparation, lambda: handover_cancel(station, ue, CauseRadioNetwork.TRELOCPREP_EXPIRY)
    )


def gummei_of(ue: UeContext) -> Gummei | None:
    """Return the identity of a device's MME: as the device gave it, else the first that the MME serves."""
    if ue.mme is None or not ue.mme.served:
        return None
    if ue.registered_mme is not None and ue.mme.serves(ue.registered_mme):
        return ue.registered_mme
    served = ue.mme.served[0]
    return Gummei(served.served_plmns[0], served.served_group_ids[0], served.served_mmecs[0])


def handover_cancel(station: Station, ue: UeContext, cause: CauseRadioNetwork) -> None:
    """Call a handover off; the device stays (8.2.3)."""
    if ue.peer is not None:
        _send(ue.peer, "handover-cancel", old_enb_ue_x2ap_id=ue.x2_id, new_enb_ue_x2ap_id=ue.peer_ue_id, cause=cause)
    _give_up(station, ue)


def _give_up(station: Station, ue: UeContext) -> None:
    station.on_x2.pop(ue.x2_id, None)
    ue.peer = ue.peer_ue_id = None
    stay(ue)


def handover_request_acknowledge(station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """Send the device away as the neighbour wants it (8.2.1.2), and its counters after it (8.2.2)."""
    ue = _ours(station, neighbour, message, Phase.PREPARING)
    ue.peer_ue_id = message["new_enb_ue_x2ap_id"]
    try:
        command = order_in(message["target_enb_to_source_enb_transparent_container"], ue.goal)
    except PeerError:
        handover_cancel(station, ue, CauseRadioNetwork.UNSPECIFIED)
        raise
    offered = {each.e_rab_id: each.dl_gtp_tunnel_endpoint for each in message["e_rabs_admitted_list"]}
    forwards = {
        number: Tunnel(end.gtp_teid, host_of(end.transport_layer_address), "X2-U")
        for number, end in offered.items()
        if end is not None and number in ue.bearers
    }
    leave(ue, command, forwards)
    _send(
        neighbour,
        "sn-status-transfer",
        old_enb_ue_x2ap_id=ue.x2_id,
        new_enb_ue_x2ap_id=ue.peer_ue_id,
        e_rabs_subject_to_status_transfer_list=tuple(
            ErabSubjectToStatusTransfer(number, None, _ZERO, _ZERO) for number in ue.bearers
        ),
    )
    expired = S1Cause.TX2RELOCOVERALL_EXPIRY
    ue.handover_timer = station.site.clock.call_later(
        station.config.handover_completion, lambda: request_release(station, ue, expired)
    )


def handover_preparation_failure(station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """The device stays (8.2.1.3)."""
    ue = _ours(station, neighbour, message, Phase.PREPARING)
    cause = message.get("cause")
    station.site.note(f"Handover refused by {neighbour.name}: {cause.spec_name if cause is not None else 'no cause'}")
    _give_up(station, ue)


def ue_context_release(station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """The device has arrived: drop what is left of it here (8.2.4)."""
    ue = _ours(station, neighbour, message, Phase.LEFT)
    station.forget(ue)  # the link of its radio is the device's to close


def _ours(station: Station, neighbour: Neighbour, message: x2.Message, phase: Phase) -> UeContext:
    """Return the device that we handed out, or are about to."""
    ue = station.on_x2.get(message["old_enb_ue_x2ap_id"])
    if ue is None or ue.peer is not neighbour or ue.phase != phase:
        raise PeerError(f"{message.name} for a device that is not being handed over")
    return ue


# -- at the target


def handover_request(station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """Expect a neighbour's device, or say why not (8.2.1)."""
    old_id, context = message["old_enb_ue_x2ap_id"], message["ue_context_information"]
    cell = station.cells.get(message["target_cell_id"].cell_identity)
    group, code = message["gummei_id"]
    gummei = Gummei(group.plmn, group.mme_group_id, code)
    mme = next((each for each in station.mmes.values() if each.up and each.serves(gummei)), None)
    cause = None
    if cell is None:
        cause = CauseRadioNetwork.CELL_NOT_AVAILABLE
    elif mme is None:
        cause = CauseRadioNetwork.INVALID_MME_GROUPID
    elif not any(station.has_room(item.qos) for item in context.e_rabs_to_be_setup):
        cause = _NO_ROOM
    elif choose_algorithms(station, context.ue_security_capabilities) is None:
        cause = CauseRadioNetwork.ENCRYPTION_AND_OR_INTEGRITY_PROTECTION_ALGORITHMS_NOT_SUPPORTED
    if cell is None or mme is None or cause is not None:
        _send(neighbour, "handover-preparation-failure", old_enb_ue_x2ap_id=old_id, cause=cause)
        return
    ue = _take_over(station, neighbour, cell, mme, context)
    ue.registered_mme, ue.peer_ue_id = gummei, old_id
    _send(
        neighbour,
        "handover-request-acknowledge",
        old_enb_ue_x2ap_id=old_id,
        new_enb_ue_x2ap_id=ue.x2_id,
        e_rabs_admitted_list=tuple(
            _admitted(station, ue, each) for each in context.e_rabs_to_be_setup if each.e_rab_id in ue.bearers
        ),
        e_rabs_not_admitted_list=tuple(
            ErabItem(each.e_rab_id, _NO_ROOM) for each in context.e_rabs_to_be_setup if each.e_rab_id not in ue.bearers
        )
        or None,
        target_enb_to_source_enb_transparent_container=command_for(station, ue, cell),
    )


def _take_over(
    station: Station, neighbour: Neighbour, cell: Cell, mme: Mme, context: UeContextInformation
) -> UeContext:
    ue = station.new_ue(cell)
    ue.phase, ue.peer, ue.x2_id = Phase.ARRIVING, neighbour, station.new_x2_id()
    station.on_x2[ue.x2_id] = ue
    ue.mme, ue.mme_ue_id = mme, context.mme_ue_s1ap_id
    ue.capabilities = context.ue_security_capabilities
    station.take_ambr(ue, context.ue_aggregate_maximum_bitrate)
    security = context.as_security_information
    ue.key = SecurityKeys(security.key_enodeb_star, security.next_hop_chaining_count)
    for item in context.e_rabs_to_be_setup:
        if not station.has_room(item.qos):
            continue
        address, teid = item.ul_gtp_tunnel_endpoint
        station.add_bearer(ue, item.e_rab_id, item.qos, address, teid)
    patience = station.config.handover_preparation + station.config.handover_completion
    # nobody but the source knows of this device here: it is forgotten without a word
    ue.handover_timer = station.site.clock.call_later(patience, lambda: release_radio(station, ue))
    return ue


def _admitted(station: Station, ue: UeContext, item: ErabToBeSetup) -> ErabAdmitted:
    """Take a bearer, and its packets that the source wants to forward (8.2.1.2)."""
    if item.dl_forwarding is not _PROPOSED or not station.config.takes_forwarded:
        return ErabAdmitted(item.e_rab_id)
    teid = forwarding.expect(station, ue, item.e_rab_id)
    return ErabAdmitted(item.e_rab_id, None, TunnelEndpoint(station.s1u_address, teid))


def handover_cancelled(station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """Stop expecting a device (8.2.3)."""
    old_id = message["old_enb_ue_x2ap_id"]
    for ue in list(station.on_x2.values()):
        if ue.peer is neighbour and ue.peer_ue_id == old_id and ue.phase == Phase.ARRIVING:
            release_radio(station, ue)


def sn_status_transfer(station: Station, neighbour: Neighbour, message: x2.Message) -> None:
    """Take the counters that the source sent after its device; this radio counts no packets (8.2.2)."""
    ue = station.on_x2.get(message["new_enb_ue_x2ap_id"])
    if ue is None or ue.peer is not neighbour:
        raise PeerError("counters of a device that is not expected")


def path_switch_request(station: Station, ue: UeContext) -> None:
    """Have the core send a device's packets here (TS 36.413 8.4.4.2)."""
    station.to_mme(
        ue.mme,
        "path-switch-request",
        1,
        enb_ue_s1ap_id=ue.enb_ue_id,
        e_rab_to_be_switched_dl_list=tuple(
            ErabTunnel(bearer.e_rab_id, station.s1u_address, bearer.own_teid) for bearer in ue.bearers.values()
        ),
        source_mme_ue_s1ap_id=ue.mme_ue_id,
        eutran_cgi=ue.cell.ecgi,
        tai=ue.cell.tai,
        ue_security_capabilities=ue.capabilities,
        source_mme_gummei=ue.registered_mme,
    )
    ue.mme_ue_id = None  # the MME may give it another number; NAS messages wait for that


def path_switch_request_acknowledge(station: Station, mme: Mme, message: Message) -> None:
    """The core knows: the source may forget the device (TS 36.413 8.4.4.2, TS 36.423 8.2.4)."""
    ue = ue_of(station, mme, message)
    security = message["security_context"]
    ue.key = SecurityKeys(security.next_hop_parameter, security.next_hop_chaining_count)
    for item in message.get("e_rab_to_be_released_list") or ():
        station.remove_bearer(ue, item.e_rab_id)
    if ue.peer is not None and ue.peer_ue_id is not None:
        _send(ue.peer, "ue-context-release", old_enb_ue_x2ap_id=ue.peer_ue_id, new_enb_ue_x2ap_id=ue.x2_id)
    station.on_x2.pop(ue.x2_id, None)
    ue.peer = ue.peer_ue_id = None
    held, ue.held = ue.held, []
    for pdu in held:
        uplink_nas_transport(station, ue, pdu)


def path_switch_request_failure(station: Station, mme: Mme, message: Message) -> None:
    """The core refuses the device here: its connection ends (TS 36.413 8.4.4.3)."""
    ue = ue_of(station, mme, message)
    station.site.note(f"Path switch refused: {cause_in(message)}")
    release_radio(station, ue)


# -- what arrives

_PROCEDURES: dict[str, Callable[[Station, Neighbour, x2.Message], None]] = {
    "x2-setup-request": x2_setup_request,
    "x2-setup-response": x2_setup_response,
    "x2-setup-failure": x2_setup_failure,
    "handover-request": handover_request,
    "handover-request-acknowledge": handover_request_acknowledge,
    "handover-preparation-failure": handover_preparation_failure,
    "handover-cancel": handover_cancelled,
    "sn-status-transfer": sn_status_transfer,
    "ue-context-release": ue_context_release,
    "reset-request": lambda station, neighbour, _message: _reset(station, neighbour),
    "error-indication": lambda station, neighbour, _message: station.site.note(
        f"Error Indication from {neighbour.name}"
    ),
}


def _reset(station: Station, neighbour: Neighbour) -> None:
    """Stop all handovers with a neighbour (8.3.4)."""
    for ue in list(station.on_x2.values()):
        if ue.peer is neighbour and ue.phase == Phase.PREPARING:
            _give_up(station, ue)
        elif ue.peer is neighbour and ue.phase == Phase.ARRIVING:
            release_radio(station, ue)
    _send(neighbour, "reset-response")


def receive(station: Station, neighbour: Neighbour, data: bytes) -> None:
    """Take a message of a neighbour's; what is wrong with it is answered by an Error Indication (8.3.2, 10)."""
    try:
        message = x2.decode(data)
        _PROCEDURES.get(message.name, _unexpected)(station, neighbour, message)
    except PeerError as error:
        station.site.peer_fault(neighbour.link, error.reason, data)
        if isinstance(error, S1apError) and error.message is not None and error.message.name == "error-indication":
            return
        named = error.cause.name if isinstance(error, S1apError) else "MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE"
        _send(neighbour, "error-indication", cause=CauseProtocol[named])


def _unexpected(_station: Station, _neighbour: Neighbour, message: x2.Message) -> None:
    raise PeerError(f"{message.name} is not expected")
