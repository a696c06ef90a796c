"""Location reporting (TS 36.413 8.11): telling the MME in which cell a device is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb.context import Phase
from simulators.enb.procedures.connection import ue_of
from simwarden.wire.s1ap import CauseRadioNetwork
from simwarden.wire.s1ap.enums import EventType, ReportArea
from simwarden.wire.s1ap.values import RequestType

if TYPE_CHECKING:
    from simulators.enb.context import Mme, UeContext
    from simulators.enb.station import Station
    from simwarden.wire.s1ap import Message
    from simwarden.wire.s1ap.values import Cause

_Radio = CauseRadioNetwork


def location_reporting_control(station: Station, mme: Mme, message: Message) -> None:
    """Report at once, from now on at each change of the cell, or no longer (8.11.1); or say that it fails (8.11.2)."""
    ue, event = ue_of(station, mme, message), message["request_type"].event_type
    if station.config.location_reports == "none":
        return
    leaving = ue.phase == Phase.LEFT or (ue.phase == Phase.PREPARING and ue.target is None)
    if station.config.location_reports == "refused":
        _fail(station, ue, _Radio.UNSPECIFIED)
    elif leaving:
        _fail(station, ue, _Radio.X2_HANDOVER_TRIGGERED if ue.peer else _Radio.S1_INTRA_SYSTEM_HANDOVER_TRIGGERED)
    elif event == EventType.DIRECT:
        _report(station, ue, EventType.DIRECT)
    else:
        ue.reports_changes = event == EventType.CHANGE_OF_SERVE_CELL


def cell_changed(station: Station, ue: UeContext) -> None:
    """Tell the MME, if it wants to know, that a device is in another cell of ours (8.11.3)."""
    if ue.reports_changes:
        _report(station, ue, EventType.CHANGE_OF_SERVE_CELL)


def _report(station: Station, ue: UeContext, event: EventType) -> None:
    kind = RequestType(event, ReportArea.ECGI)
    station.ue_to_mme(ue, "location-report", eutran_cgi=ue.cell.ecgi, tai=ue.cell.tai, request_type=kind)


def _fail(station: Station, ue: UeContext, cause: Cause) -> None:
    station.ue_to_mme(ue, "location-report-failure-indication", cause=cause)
