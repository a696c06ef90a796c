"""What eNBs send: each S1AP message goes to its procedure, faulty ones are answered by TS 36.413 10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.clients import s1
from simulators.mme.contexts import Enb
from simulators.mme.controls import Occasion
from simulators.mme.dispatch import nas
from simulators.mme.procedures import (
    dedicated_bearers,
    handover,
    location_reporting,
    pdn_connectivity,
    release,
    s1_setup,
)
from simulators.mme.procedures.default_bearer import take_tunnels
from simulators.mme.procedures.enforcement import enforce
from simwarden.model.identity import Ecgi
from simwarden.wire.s1ap import CauseProtocol, CauseRadioNetwork, Message, S1apError, decode, ue_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.mme.contexts import Connection, UeContext
    from simulators.mme.core import Core
    from simwarden.runtime.link import Link
    from simwarden.wire.s1ap.values import ErabTunnel


def accept(core: Core, link: Link) -> None:
    """Take a connection from an eNB; it serves nobody before S1 setup."""
    enb = Enb(link, link.remote)
    core.enbs[link] = enb
    link.on_receive = lambda data, stream: receive(core, enb, data, stream)
    link.on_close = lambda reason: lose(core, enb, reason)


def lose(core: Core, enb: Enb, reason: str) -> None:
    """The connection to an eNB is gone: its devices are idle."""
    core.enbs.pop(enb.link, None)
    release.lost_all(core, enb)
    if enb.tais:
        core.site.observe("s1", None, key=enb.name)
        core.site.note(f"S1 to {enb.name} is down: {reason}")


def receive(core: Core, enb: Enb, data: bytes, stream: int) -> None:
    """Take a message from an eNB. Whatever its octets are, this returns; faults are in the trace."""
    enb.link.record_received(data, stream)
    try:
        message = decode(data)
        _dispatch(core, enb, message)
    except S1apError as error:
        core.site.peer_fault(enb.link, error.reason, data)
        if error.cause is not CauseProtocol.UNSPECIFIED:
            s1.error_indication(enb, error)
        return
    if message.notify:
        cause = CauseProtocol.ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY
        s1.error_indication(enb, S1apError("not understood", cause, message.diagnosis(*message.notify), message))


def _dispatch(core: Core, enb: Enb, message: Message) -> None:
    if message.name in _COMMON and (enb.tais or message.name in _BEFORE_SETUP):
        _COMMON[message.name](core, enb, message)
    elif not enb.tais or message.name not in _OF_DEVICE:
        core.site.peer_fault(enb.link, f"{message.name} makes no sense now")
        s1.not_expected(enb, message)
    else:
        conn = _connection(core, enb, message)
        if conn is not None:
            _OF_DEVICE[message.name](core, conn, message)


def _connection(core: Core, enb: Enb, message: Message) -> Connection | None:
    """Return the connection that a message's two numbers name; complain to the eNB if there is none (10.6)."""
    conn = core.connections.get(message.get("mme_ue_s1ap_id"))
    if conn is not None and conn.enb is enb and conn.enb_id == message.get("enb_ue_s1ap_id"):
        return conn
    if message.name == "ue-context-release-complete":
        return None  # the release was given up before, or the numbers are of no use to anybody any more
    known = conn is not None and conn.enb is enb
    core.site.peer_fault(enb.link, f"{message.name} of a connection that is not there")
    cause = CauseRadioNetwork.UNKNOWN_PAIR_UE_S1AP_ID if known else CauseRadioNetwork.UNKNOWN_MME_UE_S1AP_ID
    s1.send_common(enb, "error-indication", cause=cause, **ue_ids(message))
    return None


# -- messages of no connection that stands


def _initial_ue_message(core: Core, enb: Enb, message: Message) -> None:
    """A device's first NAS message (8.6.2.1). An eNB that uses a number again has lost the connection it had."""
    enb_id = message["enb_ue_s1ap_id"]
    stale = enb.connections.get(enb_id)
    if stale is not None:
        release.lost(core, stale)
    tai = message["tai"]
    cell = message.get("eutran_cgi") or Ecgi(tai.plmn, 0)
    conn = core.connect(enb, enb_id, tai, cell)
    if tai not in enb.tais:
        core.site.peer_fault(enb.link, f"initial UE message from {tai}, which the eNB did not announce")
        release.release(core, conn, CauseRadioNetwork.UNSPECIFIED)
        return
    nas.receive(core, conn, message["nas_pdu"], message.get("s_tmsi"))


def _error_indication(core: Core, enb: Enb, message: Message) -> None:
    """The eNB could not use a message of ours (8.7.2): a connection that it does not know is gone."""
    cause = message.get("cause")
    core.site.note(f"error indication from {enb.name}", cause=cause)
    conn = core.connections.get(message.get("mme_ue_s1ap_id"))
    unknown = (
        CauseRadioNetwork.UNKNOWN_MME_UE_S1AP_ID,
        CauseRadioNetwork.UNKNOWN_ENB_UE_S1AP_ID,
        CauseRadioNetwork.UNKNOWN_PAIR_UE_S1AP_ID,
    )
    if conn is not None and conn.enb is enb and cause in unknown:
        release.lost(core, conn)


def _handover_answer(core: Core, enb: Enb, message: Message) -> None:
    if not handover.acknowledged(core, enb, message):
        core.site.peer_fault(enb.link, f"{message.name} that nothing waits for")
        s1.not_expected(enb, message)


_BEFORE_SETUP = frozenset({"s1-setup-request", "error-indication"})
_COMMON: dict[str, Callable[[Core, Enb, Message], None]] = {
    "s1-setup-request": s1_setup.set_up,
    "reset": s1_setup.reset,
    "error-indication": _error_indication,
    "initial-ue-message": _initial_ue_message,
    "path-switch-request": handover.path_switch,
    "handover-request-acknowledge": _handover_answer,
    "handover-failure": _handover_answer,
}


# -- messages of a device's connection


def _uplink_nas(core: Core, conn: Connection, message: Message) -> None:
    moved = _move(core, conn, message)
    nas.receive(core, conn, message["nas_pdu"])
    if moved is not None:
        _judge_move(core, conn, moved, Occasion.UPLINK)


def _location_report(core: Core, conn: Connection, message: Message) -> None:
    """LOCATION REPORT (8.11.3): judged as a message of the device's from there would be."""
    conn.enb.reports = True
    if (moved := _move(core, conn, message)) is not None:
        _judge_move(core, conn, moved, Occasion.REPORT)


def _judge_move(core: Core, conn: Connection, ue: UeContext, occasion: Occasion) -> None:
    if conn.procedure is None:
        enforce(core, ue, occasion)
    else:
        conn.moved = occasion  # asked about when it ends: it may have asked about the former cell already


def _move(core: Core, conn: Connection, message: Message) -> UeContext | None:
    """Take note of the cell that a connection's device is in; return the device that is in another one by that."""
    tai, cell = message.get("tai"), message.get("eutran_cgi")
    if cell is None or (tai, cell) == (conn.tai, conn.cell):
        return None
    if tai not in conn.enb.tais:
        core.site.peer_fault(conn.enb.link, f"{message.name} from {tai}, which the eNB did not announce")
        return None
    conn.tai, conn.cell = tai, cell
    ue = conn.served
    if ue is not None:
        ue.tai, ue.cell = tai, cell
        core.show(ue)
        core.gateways.tell_place(ue)
    return ue


def _context_set_up(core: Core, conn: Connection, message: Message) -> None:
    _take_tunnels(core, conn, message.get("e_rab_setup_list_ctxt_su_res", ()))
    conn.radio_up.set()
    if conn.served is not None:
        failed = {item.e_rab_id for item in message.get("e_rab_failed_to_setup_list_ctxt_su_res", ())}
        dedicated_bearers.lost_by_radio(core, conn.served, failed)
    location_reporting.control(core, conn)


def _bearer_set_up(core: Core, conn: Connection, message: Message) -> None:
    _take_tunnels(core, conn, message.get("e_rab_setup_list_bearer_su_res", ()))
    for item in message.get("e_rab_failed_to_setup_list_bearer_su_res", ()):
        if not dedicated_bearers.without_radio(core, conn, item.e_rab_id):
            pdn_connectivity.without_radio(core, conn, item.e_rab_id)


def _take_tunnels(core: Core, conn: Connection, tunnels: Iterable[ErabTunnel]) -> None:
    """Let packets come to an eNB, when the device has taken the bearer too (TS 23.401 5.3.2.1 step 23)."""
    ue = conn.served
    if ue is not None:
        core.gateways.modify(ue, take_tunnels(ue, tunnels))


def _context_failed(core: Core, conn: Connection, message: Message) -> None:
    """No radio bearers (8.3.1.3): what asked for them ends."""
    core.site.note("initial context setup failed", imsi=conn.ue.imsi if conn.ue else "", cause=message.get("cause"))
    release.release_unfinished(core, conn)


def _capability(_core: Core, conn: Connection, message: Message) -> None:
    """Keep the radio capability, so that the eNB need not ask for it each time (8.9)."""
    if conn.ue is not None:
        conn.ue.radio_capability = message.get("ue_radio_capability")


def _not_delivered(core: Core, conn: Connection, message: Message) -> None:
    """A NAS message did not reach the device (8.6.2.4); its timer sends it again."""
    core.site.note("NAS message was not delivered", imsi=conn.ue.imsi if conn.ue else "", cause=message.get("cause"))


def _not_modified(core: Core, conn: Connection, message: Message) -> None:
    """UE CONTEXT MODIFICATION FAILURE (8.3.4.3): the eNB goes on by what it had."""
    core.site.note("an eNB has not taken a UE-AMBR", imsi=conn.ue.imsi if conn.ue else "", cause=message.get("cause"))


def _ignore(_core: Core, _conn: Connection, _message: Message) -> None:
    """Nothing follows from E-RAB RELEASE RESPONSE (8.2.3.2) and UE CONTEXT MODIFICATION RESPONSE (8.3.4.2)."""


_OF_DEVICE: dict[str, Callable[[Core, Connection, Message], None]] = {
    "uplink-nas-transport": _uplink_nas,
    "initial-context-setup-response": _context_set_up,
    "initial-context-setup-failure": _context_failed,
    "ue-context-release-request": release.requested,
    "ue-context-release-complete": release.complete,
    "ue-capability-info-indication": _capability,
    "location-report": _location_report,
    "location-report-failure-indication": location_reporting.failed,
    "nas-non-delivery-indication": _not_delivered,
    "handover-required": handover.required,
    "handover-notify": handover.notify,
    "handover-cancel": handover.cancel,
    "enb-status-transfer": handover.transfer_status,
    "e-rab-setup-response": _bearer_set_up,
    "e-rab-modify-response": dedicated_bearers.radio_modified,
    "e-rab-release-indication": dedicated_bearers.released,
    "e-rab-release-response": _ignore,
    "ue-context-modification-response": _ignore,
    "ue-context-modification-failure": _not_modified,
}
