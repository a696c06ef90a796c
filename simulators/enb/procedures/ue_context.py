"""UE contexts: set-up with AS security and bearers, modification, further bearers, release (TS 36.413 8.2, 8.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb.context import Phase, SecurityKeys, UeContext
from simulators.enb.procedures import connection
from simwarden.wire import uu
from simwarden.wire.s1ap import CauseNas, CauseRadioNetwork
from simwarden.wire.s1ap.values import (
    ErabItem,
    ErabTunnel,
    UeS1apIdPair,
    UserLocationInformation,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.enb.context import Mme, RadioLink
    from simulators.enb.station import Station
    from simwarden.wire.s1ap import Message
    from simwarden.wire.s1ap.values import ErabToBeModified, ErabToBeSetup, UeSecurityCapabilities

#: of a bearer that is not admitted
NO_ROOM = CauseRadioNetwork.RADIO_RESOURCES_NOT_AVAILABLE
_ALGORITHMS_UNSUPPORTED = CauseRadioNetwork.ENCRYPTION_AND_OR_INTEGRITY_PROTECTION_ALGORITHMS_NOT_SUPPORTED


def initial_context_setup(station: Station, mme: Mme, message: Message) -> None:
    """Turn AS security on, then set the bearers up (TS 36.413 8.3.1)."""
    ue = connection.ue_of(station, mme, message)
    station.take_ambr(ue, message["ue_aggregate_maximum_bitrate"])
    ue.capabilities = message["ue_security_capabilities"]
    ue.key = SecurityKeys(message["security_key"], 0)
    items = message["e_rab_to_be_setup_list_ctxt_su_req"]
    connection.check_length(*(item.nas_pdu or b"" for item in items))
    if len({item.e_rab_id for item in items}) != len(items):
        _context_failure(station, ue, CauseRadioNetwork.MULTIPLE_E_RAB_ID_INSTANCES)
        return
    if not ue.connected or ue.radio is None:
        _context_failure(station, ue, CauseRadioNetwork.RADIO_CONNECTION_WITH_UE_LOST)
        return
    algorithms = choose_algorithms(station, ue.capabilities)
    if algorithms is None:
        _context_failure(station, ue, _ALGORITHMS_UNSUPPORTED)
        return
    ue.on_failure = lambda: _context_failure(station, ue, CauseRadioNetwork.FAILURE_IN_RADIO_INTERFACE_PROCEDURE)
    ue.on_secured = lambda: _set_up(station, ue, items)
    station.watch(ue, station.config.radio_timeout, lambda: connection.inactive(station, ue))
    ue.radio.send(uu.SecurityModeCommand(*algorithms))


def choose_algorithms(station: Station, capabilities: UeSecurityCapabilities) -> tuple[int, int] | None:
    """Return the first ciphering and integrity algorithm by preference that the device has (TS 33.401 7.2.4.1).

    A device without integrity algorithms is an unauthenticated emergency call: null algorithms.
    """
    if not capabilities.integrity_protection_algorithms and not capabilities.encryption_algorithms:
        return 0, 0
    config = station.config
    ciphering = (n for n in config.ciphering if not n or capabilities.encryption_algorithms >> 16 - n & 1)
    integrity = (n for n in config.integrity if capabilities.integrity_protection_algorithms >> 16 - n & 1)
    chosen = next(ciphering, None), next(integrity, None)
    return None if chosen[0] is None or chosen[1] is None else (chosen[0], chosen[1])


def security_mode_complete(_station: Station, radio: RadioLink, _message: uu.SecurityModeComplete) -> None:
    """AS security is on (TS 36.331 5.3.4)."""
    ue = radio.ue
    if ue is not None and ue.on_secured is not None:
        secured, ue.on_secured = ue.on_secured, None
        secured()


def security_mode_failure(station: Station, radio: RadioLink, _message: uu.SecurityModeFailure) -> None:
    """The device cannot: the set-up of its context fails (TS 36.331 5.3.4)."""
    ue = radio.ue
    if ue is not None and ue.on_secured is not None:
        ue.on_secured = None
        connection.request_release(station, ue, CauseRadioNetwork.FAILURE_IN_RADIO_INTERFACE_PROCEDURE)


def _context_failure(station: Station, ue: UeContext, cause: CauseRadioNetwork) -> None:
    ue.on_secured = None
    station.ue_to_mme(ue, "initial-context-setup-failure", cause=cause)


def _set_up(station: Station, ue: UeContext, items: Sequence[ErabToBeSetup]) -> None:
    def complete() -> None:
        ue.on_failure = None
        ue.phase = Phase.ACTIVE
        station.watch(ue, station.config.inactivity, lambda: connection.inactive(station, ue))
        station.ue_to_mme(
            ue,
            "initial-context-setup-response",
            e_rab_setup_list_ctxt_su_res=tunnels,
            e_rab_failed_to_setup_list_ctxt_su_res=failed or None,
        )

    good = [item for item in items if station.has_room(item.qos)]
    failed = tuple(ErabItem(item.e_rab_id, NO_ROOM) for item in items if item not in good)
    if not good:  # at least one is needed (8.3.1.3)
        _context_failure(station, ue, NO_ROOM)
        return
    tunnels = add_bearers(station, ue, good)
    _reconfigure(ue, complete, _order_of(good))


def add_bearers(station: Station, ue: UeContext, items: Sequence[ErabToBeSetup]) -> tuple[ErabTunnel, ...]:
    """Note bearers, and return our ends of their tunnels."""
    made = [
        station.add_bearer(ue, each.e_rab_id, each.qos, each.transport_layer_address, each.gtp_teid) for each in items
    ]
    return tuple(ErabTunnel(each.e_rab_id, station.s1u_address, each.own_teid) for each in made)


def _order_of(items: Sequence[ErabToBeSetup]) -> uu.RrcConnectionReconfiguration:
    pdus = tuple(item.nas_pdu for item in items if item.nas_pdu is not None)
    return uu.RrcConnectionReconfiguration(tuple(item.e_rab_id for item in items), (), pdus)


def _reconfigure(ue: UeContext, complete: Callable[[], None], order: uu.RrcConnectionReconfiguration | None) -> None:
    """Order a device to reconfigure its radio and complete after it; at once without an order or without a radio."""
    if order is None or ue.radio is None:
        complete()
        return
    ue.awaited.append(complete)
    ue.radio.send(order)


def reconfiguration_complete(station: Station, ue: UeContext) -> None:
    """The device has done what the oldest reconfiguration asked for (TS 36.331 5.3.5)."""
    ue.last_active = station.site.clock.now()
    if ue.awaited:
        ue.awaited.pop(0)()


def ue_context_modification(station: Station, mme: Mme, message: Message) -> None:
    """Take a new key, new bit rates, or a fallback to 2G (TS 36.413 8.3.4)."""
    ue = connection.ue_of(station, mme, message)
    if (key := message.get("security_key")) is not None:
        ue.key = SecurityKeys(key, 0)
    station.take_ambr(ue, message.get("ue_aggregate_maximum_bitrate"))
    ue.capabilities = message.get("ue_security_capabilities") or ue.capabilities
    station.ue_to_mme(ue, "ue-context-modification-response")
    if message.get("cs_fallback_indicator") is not None:
        connection.request_release(station, ue, CauseRadioNetwork.CS_FALLBACK_TRIGGERED)


def e_rab_setup(station: Station, mme: Mme, message: Message) -> None:
    """Set further bearers up (TS 36.413 8.2.1)."""
    ue = connection.ue_of(station, mme, message)
    items = message["e_rab_to_be_setup_list_bearer_su_req"]
    station.take_ambr(ue, message.get("ue_aggregate_maximum_bitrate"))
    connection.check_length(*(item.nas_pdu or b"" for item in items))
    good, failed = _sort(station, ue, items)
    tunnels = add_bearers(station, ue, good)

    def complete() -> None:
        station.ue_to_mme(
            ue,
            "e-rab-setup-response",
            e_rab_setup_list_bearer_su_res=tunnels or None,
            e_rab_failed_to_setup_list_bearer_su_res=tuple(failed) or None,
        )

    _reconfigure(ue, complete, _order_of(good) if good else None)


def _sort(
    station: Station, ue: UeContext, items: Sequence[ErabToBeSetup]
) -> tuple[list[ErabToBeSetup], list[ErabItem]]:
    """Part the bearers that can be set up from those that cannot."""
    if ue.phase != Phase.ACTIVE or ue.radio is None:
        return [], [ErabItem(item.e_rab_id, CauseRadioNetwork.INTERACTION_WITH_OTHER_PROCEDURE) for item in items]
    good: dict[int, ErabToBeSetup] = {}
    failed = []
    for item in items:
        if item.e_rab_id in ue.bearers or item.e_rab_id in good:
            failed.append(ErabItem(item.e_rab_id, CauseRadioNetwork.MULTIPLE_E_RAB_ID_INSTANCES))
        elif not station.has_room(item.qos):
            failed.append(ErabItem(item.e_rab_id, NO_ROOM))
        else:
            good[item.e_rab_id] = item
    return list(good.values()), failed


def e_rab_modify(station: Station, mme: Mme, message: Message) -> None:
    """Change the quality of bearers (TS 36.413 8.2.2)."""
    ue = connection.ue_of(station, mme, message)
    items: Sequence[ErabToBeModified] = message["e_rab_to_be_modified_list_bearer_mod_req"]
    connection.check_length(*(item.nas_pdu for item in items))
    done, failed = [], []
    for item in items:
        cause = _hindrance(station, ue, item)
        if cause is None:
            ue.bearers[item.e_rab_id] = ue.bearers[item.e_rab_id]._replace(qos=item.qos)
            done.append(item)
        else:
            failed.append(ErabItem(item.e_rab_id, cause))
    if done:
        station.take_ambr(ue, message.get("ue_aggregate_maximum_bitrate"))

    def complete() -> None:
        station.ue_to_mme(
            ue,
            "e-rab-modify-response",
            e_rab_modify_list_bearer_mod_res=tuple(item.e_rab_id for item in done) or None,
            e_rab_failed_to_modify_list=tuple(failed) or None,
        )

    pdus = tuple(item.nas_pdu for item in done)
    _reconfigure(ue, complete, uu.RrcConnectionReconfiguration((), (), pdus) if done else None)


def _hindrance(station: Station, ue: UeContext, item: ErabToBeModified) -> CauseRadioNetwork | None:
    """Return why a bearer is not changed."""
    if item.e_rab_id not in ue.bearers:
        return CauseRadioNetwork.UNKNOWN_E_RAB_ID
    if ue.phase != Phase.ACTIVE or ue.radio is None:
        return CauseRadioNetwork.INTERACTION_WITH_OTHER_PROCEDURE
    return None if station.has_room(item.qos) else NO_ROOM


def e_rab_release(station: Station, mme: Mme, message: Message) -> None:
    """Release bearers (TS 36.413 8.2.3)."""
    ue = connection.ue_of(station, mme, message)
    named = [item.e_rab_id for item in message["e_rab_to_be_released_list"]]
    released = tuple(number for number in named if station.remove_bearer(ue, number))
    failed = tuple(ErabItem(n, CauseRadioNetwork.UNKNOWN_E_RAB_ID) for n in named if n not in released)
    pdu = message.get("nas_pdu")
    connection.check_length(pdu or b"")
    station.take_ambr(ue, message.get("ue_aggregate_maximum_bitrate"))

    def complete() -> None:
        station.ue_to_mme(
            ue,
            "e-rab-release-response",
            e_rab_release_list_bearer_rel_comp=released or None,
            e_rab_failed_to_release_list=failed or None,
        )

    _reconfigure(ue, complete, uu.RrcConnectionReconfiguration((), released, () if pdu is None else (pdu,)))


def ue_context_release(station: Station, mme: Mme, message: Message) -> None:
    """Let a device go (TS 36.413 8.3.3). One that has left by handover is not told."""
    ue = _released_ue(station, mme, message)
    cause = message.get("cause")
    station.ue_to_mme(
        ue,
        "ue-context-release-complete",
        user_location_information=UserLocationInformation(ue.cell.ecgi, ue.cell.tai),
    )
    if ue.phase == Phase.LEFT and cause == CauseRadioNetwork.SUCCESSFUL_HANDOVER:
        station.forget(ue)
        return
    release = uu.RrcConnectionRelease()
    if cause == CauseRadioNetwork.LOAD_BALANCING_TAU_REQUIRED:
        release.release_cause = uu.ReleaseCause.LOAD_BALANCING_TAU_REQUIRED
    elif cause == CauseNas.UNSPECIFIED and mme.overload is not None:
        release.extended_wait_time = 300
    connection.release_radio(station, ue, release)


def _released_ue(station: Station, mme: Mme, message: Message) -> UeContext:
    ids = message["ue_s1ap_ids"]
    if isinstance(ids, UeS1apIdPair):
        return connection.ue_with(station, mme, message, ids.mme_ue_s1ap_id, ids.enb_ue_s1ap_id)
    for ue in station.ues.values():
        if ue.mme is mme and ue.mme_ue_id == ids:
            return ue
    raise connection.UnknownUeError(f"release of unknown MME UE S1AP ID {ids}", message)
