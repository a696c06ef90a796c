"""Connections on the radio (TS 36.331 5.3) and the NAS messages that they carry (TS 36.413 8.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb.context import Phase, RadioLink, UeContext
from simulators.enb.procedures import s1_setup
from simwarden.errors import PeerError
from simwarden.wire import uu
from simwarden.wire.s1ap import (
    CauseProtocol,
    CauseRadioNetwork,
    CauseTransport,
    RrcEstablishmentCause,
    S1apError,
)
from simwarden.wire.s1ap.values import Gummei, STmsi

if TYPE_CHECKING:
    from simulators.enb.context import Cell, Mme
    from simulators.enb.station import Station
    from simwarden.wire.s1ap import Message

_WAIT_TIME = 10  # seconds a refused device waits (T302, 1 to 16)
_LONGEST_SDU = 8188  # octets of a message on the radio (TS 36.323 4.3.1)
_EXTENDED_WAIT_TIME = 300  # seconds a refused delay-tolerant device waits


def cell_search(station: Station, radio: RadioLink, _message: uu.CellSearch) -> None:
    """Be heard by a device that looks for cells (TS 36.304 5.2)."""
    radio.send(uu.SystemInformation(tuple(cell.information for cell in station.cells.values())))


def camp(station: Station, radio: RadioLink, message: uu.Camp) -> None:
    """Note where a device listens for paging (TS 36.304 7)."""
    radio.listen_in(cell_of(station, message.cell_identity), message.ue_identity_index)


def cell_of(station: Station, identity: int) -> Cell:
    """Return a cell of ours. Raises PeerError."""
    try:
        return station.cells[identity]
    except KeyError:
        raise PeerError(f"cell {identity:07x} is not of this eNB") from None


def rrc_connection_request(station: Station, radio: RadioLink, message: uu.RrcConnectionRequest) -> None:
    """Give a connection, or refuse it while no MME could take it (TS 36.331 5.3.3)."""
    cell = cell_of(station, message.cell_identity)
    if radio.ue is not None:
        # the device has forgotten its connection: it was switched off or lost the radio
        radio_lost(station, radio.ue)
    cause = message.establishment_cause
    able = [mme for mme in station.mmes.values() if mme.up and not s1_setup.refused_by_overload(mme, cause)]
    if not able:
        patient = cause == uu.EstablishmentCause.DELAY_TOLERANT_ACCESS
        radio.send(uu.RrcConnectionReject(_WAIT_TIME, _EXTENDED_WAIT_TIME if patient else None))
        return
    ue = station.new_ue(cell)
    ue.c_rnti = station.new_rnti()
    ue.identity, ue.establishment_cause = message.ue_identity, cause
    station.join(ue, radio)
    station.watch(ue, station.config.radio_timeout, lambda: radio_lost(station, ue))
    radio.send(uu.RrcConnectionSetup(ue.c_rnti))


def rrc_connection_setup_complete(station: Station, radio: RadioLink, message: uu.RrcConnectionSetupComplete) -> None:
    """Choose an MME and send it the device's first NAS message (TS 36.413 8.6.2.1)."""
    ue = connected(radio, Phase.REQUESTED)
    if message.registered_mme is not None:
        registered = message.registered_mme
        ue.registered_mme = Gummei(registered.plmn, registered.mmegi, registered.mmec)
    ue.mme = s1_setup.select_mme(station, ue)
    if ue.mme is None:
        release_radio(station, ue)
        return
    ue.phase = Phase.SIGNALLING
    station.watch(ue, station.config.inactivity, lambda: inactive(station, ue))
    identity = ue.identity
    station.to_mme(
        ue.mme,
        "initial-ue-message",
        1,
        enb_ue_s1ap_id=ue.enb_ue_id,
        nas_pdu=message.dedicated_info_nas,
        tai=ue.cell.tai,
        eutran_cgi=ue.cell.ecgi,
        rrc_establishment_cause=RrcEstablishmentCause(ue.establishment_cause),
        s_tmsi=STmsi(identity.mmec, identity.m_tmsi) if isinstance(identity, uu.STmsi) else None,
        gummei=ue.registered_mme,
    )


def connected(radio: RadioLink, *phases: Phase) -> UeContext:
    """Return the connection of a radio link, in one of these phases. Raises PeerError."""
    ue = radio.ue
    if ue is None or (phases and ue.phase not in phases):
        raise PeerError(f"message in phase {ue.phase.name.lower()}" if ue else "message without a connection")
    return ue


def ul_information_transfer(station: Station, radio: RadioLink, message: uu.UlInformationTransfer) -> None:
    """Pass a NAS message on to the MME (TS 36.413 8.6.2.3)."""
    ue = connected(radio, Phase.SIGNALLING, Phase.ACTIVE, Phase.PREPARING)
    ue.last_active = station.site.clock.now()
    if ue.mme_ue_id is not None:
        uplink_nas_transport(station, ue, message.dedicated_info_nas)
    elif ue.peer is not None:
        ue.held.append(message.dedicated_info_nas)
    else:
        raise PeerError("NAS message before the MME has answered the first")


def uplink_nas_transport(station: Station, ue: UeContext, pdu: bytes) -> None:
    """Send a device's NAS message to its MME (TS 36.413 8.6.2.3)."""
    station.ue_to_mme(ue, "uplink-nas-transport", nas_pdu=pdu, eutran_cgi=ue.cell.ecgi, tai=ue.cell.tai)


def downlink_nas_transport(station: Station, mme: Mme, message: Message) -> None:
    """Pass a NAS message on to the device, or say why not (TS 36.413 8.6.2.2, 8.6.2.4)."""
    ue = ue_of(station, mme, message)
    pdu = message["nas_pdu"]
    check_length(pdu)
    if ue.connected and ue.radio is not None:
        ue.last_active = station.site.clock.now()
        ue.radio.send(uu.DlInformationTransfer(pdu))
        return
    if ue.phase in (Phase.LEFT, Phase.ARRIVING):
        by_x2 = ue.peer is not None
        cause = (
            CauseRadioNetwork.X2_HANDOVER_TRIGGERED if by_x2 else CauseRadioNetwork.S1_INTRA_SYSTEM_HANDOVER_TRIGGERED
        )
    else:
        cause = CauseRadioNetwork.RADIO_CONNECTION_WITH_UE_LOST
    station.ue_to_mme(ue, "nas-non-delivery-indication", nas_pdu=pdu, cause=cause)


def check_length(*pdus: bytes) -> None:
    """Raise PeerError if NAS messages do not fit into one message of the radio."""
    if sum(map(len, pdus)) > _LONGEST_SDU:
        raise PeerError(f"NAS messages of {sum(map(len, pdus))} octets, more than the radio carries")


def cause_in(message: Message) -> str:
    """Return the cause that a message has, in words."""
    cause = message.get("cause")
    return cause.text if cause is not None else "no cause"


def ue_of(station: Station, mme: Mme, message: Message) -> UeContext:
    """Return the device that a message of an MME is about, and learn the MME's number for it (TS 36.413 10.6)."""
    return ue_with(station, mme, message, message["mme_ue_s1ap_id"], message["enb_ue_s1ap_id"])


def ue_with(station: Station, mme: Mme, message: Message, mme_ue_id: int, enb_ue_id: int) -> UeContext:
    """Return the device with these numbers. Raises S1apError, whose cause belongs into an Error Indication."""
    ue = station.ues.get(enb_ue_id)
    if ue is None or ue.mme is not mme:
        raise UnknownUeError(f"{message.name} for unknown eNB UE S1AP ID {enb_ue_id}", message, unknown_enb_id=True)
    if ue.mme_ue_id is None:
        ue.mme_ue_id = mme_ue_id
    elif ue.mme_ue_id != mme_ue_id:
        raise UnknownUeError(f"{message.name} with MME UE S1AP ID {mme_ue_id}, not {ue.mme_ue_id}", message)
    return ue


class UnknownUeError(S1apError):
    """A message about a device that we do not have, or with numbers that do not belong together (TS 36.413 10.6)."""

    def __init__(self, reason: str, message: Message, *, unknown_enb_id: bool = False) -> None:
        super().__init__(reason, CauseProtocol.UNSPECIFIED, None, message)
        self.radio_cause = (
            CauseRadioNetwork.UNKNOWN_ENB_UE_S1AP_ID if unknown_enb_id else CauseRadioNetwork.UNKNOWN_PAIR_UE_S1AP_ID
        )


def user_data(station: Station, radio: RadioLink, message: uu.UserData) -> None:
    """Bring a packet of the device's to the core; it keeps the connection up."""
    ue = connected(radio, Phase.ACTIVE, Phase.PREPARING)
    if message.eps_bearer_identity not in ue.bearers:
        raise PeerError(f"packet on bearer {message.eps_bearer_identity}, which is not set up")
    station.uplink(ue, message.eps_bearer_identity, [message.packet])


def tunnel_lost(station: Station, ue: UeContext) -> None:
    """Have a device's connection released: the core has no end of its bearer's tunnel (TS 23.007 22)."""
    if ue.phase == Phase.ACTIVE:
        request_release(station, ue, CauseTransport.TRANSPORT_RESOURCE_UNAVAILABLE)


def inactive(station: Station, ue: UeContext) -> None:
    """Ask for the release of a device that has been quiet (TS 36.413 8.3.2), but not in the middle of a handover."""
    if ue.phase == Phase.PREPARING:
        station.watch(ue, station.config.inactivity, lambda: inactive(station, ue))
        return
    request_release(station, ue, CauseRadioNetwork.USER_INACTIVITY)


def request_release(station: Station, ue: UeContext, cause: CauseRadioNetwork | CauseTransport) -> None:
    """Ask the MME to release a device's connection, or drop it if the MME does not know it yet (TS 36.413 8.3.2)."""
    if ue.mme is None or ue.mme_ue_id is None:
        release_radio(station, ue)
        return
    if ue.on_failure is not None:
        # the MME awaits the outcome of a procedure of its own: this is it, and the MME releases upon it
        failed, ue.on_failure = ue.on_failure, None
        failed()
    else:
        station.ue_to_mme(ue, "ue-context-release-request", cause=cause)
    # the MME's command ends it; should that get lost, the connection is not kept for ever
    station.watch(ue, 3 * station.config.radio_timeout, lambda: release_radio(station, ue))


def release_radio(station: Station, ue: UeContext, message: uu.RrcConnectionRelease | None = None) -> None:
    """Drop a connection and tell the device, if it is still here (TS 36.331 5.3.8)."""
    radio = station.forget(ue)
    if radio is not None:
        radio.send(message or uu.RrcConnectionRelease())
        if radio.camp is not None and radio.camp is not ue.cell:
            radio.listen_in(ue.cell, radio.index)


def radio_lost(station: Station, ue: UeContext) -> None:
    """Tell the MME that a device has gone without a word (radio link failure)."""
    station.part(ue)
    if ue.phase == Phase.LEFT:
        return  # gone as told; whoever awaits it elsewhere has a timer
    request_release(station, ue, CauseRadioNetwork.RADIO_CONNECTION_WITH_UE_LOST)
