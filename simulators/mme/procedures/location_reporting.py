"""Location reporting (TS 36.413 8.11): the eNB tells each cell of its own that a card with an area comes to.

From cell to cell of one eNB a device moves without the core (TS 36.300 10.1.2.1.1): while it is silent, nothing else
shows where it is. An eNB that reports nothing, or refuses to, is told to the operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.mme.clients import s1
from simulators.mme.events import UNREPORTED
from simulators.mme.procedures import area
from simwarden.runtime.store import StoreError
from simwarden.wire.s1ap import CauseRadioNetwork
from simwarden.wire.s1ap.enums import EventType, ReportArea
from simwarden.wire.s1ap.values import RequestType

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Enb
    from simulators.mme.core import Core
    from simwarden.wire.s1ap import Message

#: a handover was quicker than the order, which is given anew after it, and when none can be under way any more
_MEANWHILE = (CauseRadioNetwork.S1_INTRA_SYSTEM_HANDOVER_TRIGGERED, CauseRadioNetwork.X2_HANDOVER_TRIGGERED)


def control(core: Core, conn: Connection | None) -> None:
    """Order reports of changes of the serving cell while a card has an area, and end them when it has none (8.11.1).

    They are ordered too while the PGW wants to hear where the card is (TS 23.401 5.9.2.2).

    The first order that an eNB gets asks for a report at once besides: only so is one found out that gives none.
    """
    ue = conn.served if conn is not None else None
    if conn is None or ue is None or not conn.context_set_up or conn.detaching is not None:
        return
    wanted = area.is_restricted(core, ue) or ue.reported
    if wanted == conn.reports:
        return
    conn.reports = wanted
    _order(conn, EventType.CHANGE_OF_SERVE_CELL if wanted else EventType.STOP_CHANGE_OF_SERVE_CELL)
    if wanted and conn.enb.reports is None:
        conn.enb.reports, imsi = False, ue.imsi
        _order(conn, EventType.DIRECT)
        core.clock.call_later(core.config.timers.location_report, lambda: _judge_silence(core, conn.enb, imsi))


def _order(conn: Connection, event: EventType) -> None:
    s1.send(conn, "location-reporting-control", request_type=RequestType(event, ReportArea.ECGI))


def failed(core: Core, conn: Connection, message: Message) -> None:
    """LOCATION REPORTING FAILURE INDICATION: the eNB does not report (8.11.2)."""
    conn.reports = False
    cause = message.get("cause")
    if cause in _MEANWHILE:
        if conn.enb.reports is False:  # what was asked at once besides was not answered either
            conn.enb.reports = None
        core.clock.call_later(core.config.timers.handover, lambda: control(core, conn))
        return
    conn.enb.reports = True  # it is not silent, and has been told
    _tell(core, conn.enb, conn.imsi, state="failed", cause=cause.text if cause is not None else "")


def _judge_silence(core: Core, enb: Enb, imsi: str) -> None:
    """An eNB has not reported in time where a device is, which it was asked for."""
    if enb.reports is False and enb.link in core.enbs:
        _tell(core, enb, imsi, state="silent", cause="")


def _tell(core: Core, enb: Enb, imsi: str, **facts: Any) -> None:
    """Tell the operator that an eNB gives no reports: there a card may leave its cell unseen while it is silent."""
    details = {"enb": enb.name, "enb_id": enb.identity, **facts}
    core.site.observe("location_reports", {"imsi": imsi, **details}, key=enb.name)
    try:
        core.areas.audit(core.audit.record(UNREPORTED, imsi, details))
    except StoreError as error:
        core.site.note(f"it was not kept that {enb.name} gives no location reports: {error}", imsi=imsi)
