"""What concerns a whole S1 interface: Reset and Error Indication (TS 36.413 8.7.1, 8.7.2), and its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb.procedures import s1_setup
from simulators.enb.procedures.connection import cause_in, release_radio
from simwarden.wire.s1ap import ResetAll

if TYPE_CHECKING:
    from simulators.enb.context import Mme, UeContext
    from simulators.enb.station import Station
    from simwarden.wire.s1ap import Message
    from simwarden.wire.s1ap.values import UeAssociatedLogicalS1Connection


def reset(station: Station, mme: Mme, message: Message) -> None:
    """Drop all devices of an MME, or those that it names (8.7.1.2)."""
    which = message["reset_type"]
    if which == ResetAll.RESET_ALL:
        _drop(station, [ue for ue in station.ues.values() if ue.mme is mme])
        station.to_mme(mme, "reset-acknowledge")
        return
    _drop(station, [ue for entry in which if (ue := _named(station, mme, entry)) is not None])
    station.to_mme(mme, "reset-acknowledge", ue_associated_logical_s1_connection_list_res_ack=which)


def _named(station: Station, mme: Mme, entry: UeAssociatedLogicalS1Connection) -> UeContext | None:
    if entry.enb_ue_s1ap_id is not None:
        ue = station.ues.get(entry.enb_ue_s1ap_id)
        return ue if ue is not None and ue.mme is mme else None
    found = (ue for ue in station.ues.values() if ue.mme is mme and ue.mme_ue_id == entry.mme_ue_s1ap_id)
    return next(found, None)


def _drop(station: Station, ues: list[UeContext]) -> None:
    for ue in ues:
        release_radio(station, ue)


def error_indication(station: Station, mme: Mme, message: Message) -> None:
    """Note what an MME did not understand; a device that it does not know is dropped (8.7.2.2, 10.6)."""
    text = cause_in(message)
    station.site.note(f"Error Indication from {mme.name}: {text}")
    enb_ue_id = message.get("enb_ue_s1ap_id")
    ue = station.ues.get(enb_ue_id) if enb_ue_id is not None else None
    if ue is not None and ue.mme is mme and text.startswith("radioNetwork: unknown-"):
        release_radio(station, ue)


def s1_lost(station: Station, mme: Mme) -> None:
    """Drop the devices of an MME whose S1 is gone: their connections went with it (TS 36.412 7)."""
    s1_setup.lost(station, mme)
    _drop(station, [ue for ue in station.ues.values() if ue.mme is mme])
