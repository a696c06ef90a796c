"""What arrives, and the procedure that takes it: tables from the messages' names to the procedures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.enb.context import Phase
from simulators.enb.procedures import (
    connection,
    handover,
    interface,
    location_reporting,
    paging,
    s1_setup,
    ue_context,
    x2,
)
from simulators.enb.station import NOT_HERE
from simwarden.errors import PeerError
from simwarden.wire import s1ap, uu
from simwarden.wire.s1ap import CauseProtocol, S1apError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.enb.context import Mme, RadioLink
    from simulators.enb.station import Station
    from simwarden.runtime.link import Link

RADIO: dict[type[uu.Message], Callable[[Station, RadioLink, Any], None]] = {
    uu.CellSearch: connection.cell_search,
    uu.Camp: connection.camp,
    uu.RrcConnectionRequest: connection.rrc_connection_request,
    uu.RrcConnectionSetupComplete: connection.rrc_connection_setup_complete,
    uu.UlInformationTransfer: connection.ul_information_transfer,
    uu.SecurityModeComplete: ue_context.security_mode_complete,
    uu.SecurityModeFailure: ue_context.security_mode_failure,
    uu.RrcConnectionReconfigurationComplete: handover.rrc_connection_reconfiguration_complete,
    uu.MeasurementReport: handover.measurement_report,
    uu.UserData: connection.user_data,
}

#: nothing follows from the acknowledgement of a cancelled handover, nor from counters: this radio counts no packets
S1: dict[str, Callable[[Station, Mme, s1ap.Message], object]] = {
    "s1-setup-response": s1_setup.response,
    "s1-setup-failure": s1_setup.failure,
    "overload-start": s1_setup.overload_start,
    "overload-stop": s1_setup.overload_stop,
    "downlink-nas-transport": connection.downlink_nas_transport,
    "initial-context-setup-request": ue_context.initial_context_setup,
    "ue-context-modification-request": ue_context.ue_context_modification,
    "ue-context-release-command": ue_context.ue_context_release,
    "e-rab-setup-request": ue_context.e_rab_setup,
    "e-rab-modify-request": ue_context.e_rab_modify,
    "e-rab-release-command": ue_context.e_rab_release,
    "paging": paging.paging,
    "handover-command": handover.handover_command,
    "handover-preparation-failure": handover.handover_preparation_failure,
    "handover-request": handover.handover_resource_allocation,
    "handover-cancel-acknowledge": connection.ue_of,
    "location-reporting-control": location_reporting.location_reporting_control,
    "mme-status-transfer": connection.ue_of,
    "path-switch-request-acknowledge": x2.path_switch_request_acknowledge,
    "path-switch-request-failure": x2.path_switch_request_failure,
    "reset": interface.reset,
    "error-indication": interface.error_indication,
}


def from_radio(station: Station, radio: RadioLink, data: bytes) -> None:
    """Take a frame of a device's; a bad one is noted, and dropped as the radio drops noise."""
    try:
        message = uu.decode(data)
        RADIO.get(type(message), _for_devices)(station, radio, message)
        radio.link.know()
    except PeerError as error:
        station.site.peer_fault(radio.link, error.reason, data)


class RadioEar:
    """Hears one device; smaller, of thousands, than four functions that know which."""

    __slots__ = ("radio", "station")

    def __init__(self, station: Station, radio: RadioLink) -> None:
        self.station, self.radio = station, radio

    def listen(self, link: Link) -> None:
        """Hear what comes by a link."""
        link.on_receive, link.on_packets = self._receive, self._take_packets
        link.on_close, link.on_failure = self._close, self._fail

    def _receive(self, data: bytes, _stream: int) -> None:
        from_radio(self.station, self.radio, data)

    def _take_packets(self, packets: Sequence[bytes]) -> None:
        packets_from_radio(self.station, self.radio, packets)

    def _close(self, _reason: str) -> None:
        radio_closed(self.station, self.radio)

    def _fail(self) -> None:
        radio_failed(self.station, self.radio)


_SENDS = (Phase.ACTIVE, Phase.PREPARING, Phase.LEFT)


def packets_from_radio(station: Station, radio: RadioLink, packets: Sequence[bytes]) -> None:
    """Bring a batch of a device's packets to the core; those that are not of a bearer that it has are dropped."""
    by_bearer: dict[int, list[bytes]] = {}
    for data in packets:
        try:
            message = uu.decode(data)
        except PeerError as error:
            station.site.peer_fault(radio.link, error.reason, data)
            continue
        if isinstance(message, uu.UserData):
            by_bearer.setdefault(message.eps_bearer_identity, []).append(message.packet)
    ue = radio.ue
    for identity, each in by_bearer.items():
        # of one that has left: sent before it went
        if ue is not None and ue.phase in _SENDS and identity in ue.bearers:
            station.uplink(ue, identity, each)
        else:
            station.drop(each, NOT_HERE)


def _for_devices(_station: Station, _radio: RadioLink, message: uu.Message) -> None:
    raise PeerError(f"{message.name} is for devices")


def from_mme(station: Station, mme: Mme, data: bytes) -> None:
    """Take a message of an MME's; what is wrong with it is answered as TS 36.413 10 asks."""
    try:
        message = s1ap.decode(data)
        notification = s1ap.notification_of(message)
        if notification is not None:
            _send(mme, notification)
        _procedure_of(mme, message)(station, mme, message)
    except connection.UnknownUeError as error:
        _fault(station, mme, error.reason, data)
        _send(mme, _unknown_ue(error))
    except S1apError as error:
        _fault(station, mme, error.reason, data)
        answer = s1ap.answer_to(error)
        if answer is not None:
            _send(mme, answer)
    except PeerError as error:
        _fault(station, mme, error.reason, data)
        ies = {"cause": CauseProtocol.SEMANTIC_ERROR}
        _send(mme, s1ap.Message("error-indication", ies))


def _procedure_of(mme: Mme, message: s1ap.Message) -> Callable[[Station, Mme, s1ap.Message], object]:
    procedure = S1.get(message.name)
    if procedure is None or (not mme.up and not message.name.startswith(("s1-setup", "error-indication"))):
        cause = CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE
        raise S1apError(f"{message.name} is not expected", cause, message.diagnosis(), message)
    return procedure


def _unknown_ue(error: connection.UnknownUeError) -> s1ap.Message:
    ids = s1ap.ue_ids(error.message) if error.message is not None else {}
    return s1ap.Message("error-indication", {**ids, "cause": error.radio_cause})


def _fault(station: Station, mme: Mme, reason: str, data: bytes) -> None:
    if mme.link is not None:
        station.site.peer_fault(mme.link, reason, data)


def _send(mme: Mme, message: s1ap.Message) -> None:
    if mme.link is not None:
        mme.link.send(s1ap.encode(message))


def radio_closed(station: Station, radio: RadioLink) -> None:
    """A device is out of reach."""
    radio.listen_in(None)
    station.radio.pop(radio, None)
    radio_failed(station, radio)


def radio_failed(station: Station, radio: RadioLink) -> None:
    """The connection of a device has failed on the radio; it may ask for another one."""
    if radio.ue is not None:
        connection.radio_lost(station, radio.ue)
