"""Sessions: an MME sets them up, changes and ends them, and the PGW has its part (TS 29.274 7.2.1 to 7.2.9, 7.3.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.sgw import charging
from simulators.sgw.controls import PEER, PGW
from simulators.sgw.session import Connection
from simwarden.runtime.gtp.node import NoAnswerError
from simwarden.trace.records import CauseForRecClosing
from simwarden.wire.gtpv2 import Cause, CauseIe, FTeid, Indication, InterfaceType, Message, refusal, subject_of

if TYPE_CHECKING:
    from simulators.sgw.core import Core
    from simulators.sgw.session import Device
    from simwarden.runtime.gtp.node import Peer

ACCEPTED: Final = CauseIe(Cause.REQUEST_ACCEPTED)
_S5: Final = "S5-C"
#: elements of a request of the MME that the PGW gets as they are
_PASSED: Final = (
    *("imsi", "msisdn", "mei", "user_location_information", "serving_network", "rat_type", "indication_flags", "apn"),
    *("selection_mode", "pdn_type", "paa", "maximum_apn_restriction", "apn_ambr", "pco", "ue_time_zone"),
    "charging_characteristics",
)
#: elements of the PGW's answer that the MME gets as they are
_RETURNED: Final = (
    *("change_reporting_action", "pgw_s5_f_teid", "paa", "apn_restriction", "apn_ambr", "pco", "pgw_back_off_time"),
    "pdn_connection_charging_id",
)
#: what of a change the PGW must hear (TS 23.401 5.3.4.1)
_TOLD: Final = ("user_location_information", "rat_type", "ue_time_zone", "serving_network")


def some(message: Message, names: tuple[str, ...]) -> dict[str, Any]:
    """Return those of some elements that a message has."""
    return {name: message.ies[name] for name in names if name in message.ies}


async def create_session(core: Core, message: Message, peer: Peer) -> Message:
    """Set a PDN connection up (7.2.1)."""
    mme, pgw = message["sender_f_teid"], message["pgw_s5_address"]
    key, imsi = subject_of(message), message.ies.get("imsi", "")
    if not core.knows(PEER, peer.name, peer.host, core.config.mmes, imsi):
        return refusal(message, Cause.INVALID_PEER, mme.teid)
    name = core.site.behind(pgw.address) or pgw.address
    if not core.knows(PGW, name, pgw.address, core.config.pgws, imsi):
        return refusal(message, Cause.INVALID_PEER, mme.teid)
    bearer = message["bearer_contexts_to_be_created"][0]
    while (before := core.device(key, imsi, mme).connections.get(bearer["ebi"])) is not None:
        core.close(before)  # the MME has lost it (7.2.1); one that is not set up yet ends when the PGW answers
        if before.pgw_user is not None:
            await _delete_at_pgw(core, before)
    device = core.device(key, imsi, mme)
    device.mme_host = peer.host
    device.rat, device.uli = message["rat_type"], message.get("user_location_information")
    connection = Connection(device=device, ebi=bearer["ebi"], apn=message["apn"], qos=bearer["bearer_qos"], pgw=pgw)
    connection.pgw_host = pgw.address
    core.open(connection)
    answer = await _create_at_pgw(core, message, connection)
    if core.by_s5_teid.get(connection.teid) is not connection:
        return refusal(message, Cause.REQUEST_REJECTED, mme.teid)  # another request has taken its place meanwhile
    if not answer.accepted:
        core.close(connection)
        return answer
    core.tell(connection)
    return answer


async def _create_at_pgw(core: Core, message: Message, connection: Connection) -> Message:
    bearer = {
        "ebi": connection.ebi,
        "bearer_qos": connection.qos,
        "s5_u_sgw": core.user_end(InterfaceType.S5_S8_SGW_GTP_U, connection.s5_teid),
    }
    ies = {
        **some(message, _PASSED),
        **_pause_support(core, message),
        "sender_f_teid": core.control_end(InterfaceType.S5_S8_SGW_GTP_C, connection.teid),
        "bearer_contexts_to_be_created": (bearer,),
    }
    teid = connection.device.mme.teid
    try:
        told = await core.node.ask(Message("create-session-request", ies), connection.pgw.address, _S5)
    except NoAnswerError as error:
        core.site.note(str(error), imsi=connection.device.imsi)
        _delete_rejected(core, connection, error.answer)
        return refusal(message, Cause.REMOTE_PEER_NOT_RESPONDING, teid)
    if not told.accepted:
        return refusal(message, told["cause"]._replace(remote=True), teid)
    made = told["bearer_contexts_created"][0]
    if told.get("pgw_s5_f_teid") is None or made.get("s5_u_pgw") is None:
        _delete_rejected(core, connection, told)
        return refusal(message, CauseIe(Cause.INVALID_REPLY_FROM_REMOTE_PEER), teid)
    connection.pgw, connection.pgw_user = told["pgw_s5_f_teid"], made["s5_u_pgw"]
    connection.qos = made.get("bearer_qos") or connection.qos
    connection.take_reporting(told)
    connection.pausable = core.config.charging_pause and Indication.PPON in told.get("indication_flags", Indication(0))
    charging.begin(core, connection, message, told)
    return Message(message.spec.answer, _created(core, told, connection), teid)


def _pause_support(core: Core, message: Message) -> dict[str, Any]:
    """Return the Indication flags for the PGW: those of the MME and PPSI, the support of charging pause (8.12)."""
    flags = message.ies.get("indication_flags", Indication(0)) & ~Indication.PPSI
    return {"indication_flags": flags | Indication.PPSI} if core.config.charging_pause else {}


def pause_charging(core: Core, connection: Connection) -> None:
    """Ask the PGW to pause charging of a PDN connection whose device is not reached (TS 23.401 5.3.6A)."""

    async def work() -> None:
        flags = {"indication_flags": Indication.PPON}
        answer = await core.ask_pgw(connection, Message("modify-bearer-request", flags, connection.pgw.teid))
        if answer is None or not answer.accepted:
            connection.paused = False  # the next packet that is dropped is a reason to ask again

    connection.paused = True
    core.site.spawn(work(), "modify-bearer-request")


def _delete_rejected(core: Core, connection: Connection, answer: Message | None) -> None:
    """Delete the session of which this node rejects the Create Session Response, at the PGW (7.2.1).

    The PGW cannot be addressed if the response lacks its F-TEID; it ends the session when the card asks again.
    """
    control = answer.get("pgw_s5_f_teid") if answer is not None else None
    if control is not None:
        connection.pgw = control
        _spawn_deletion(core, connection)


def _created(core: Core, told: Message, connection: Connection) -> dict[str, Any]:
    made = told["bearer_contexts_created"][0]
    bearer = {
        "ebi": connection.ebi,
        "cause": made["cause"],
        "s1_u_sgw": core.user_end(InterfaceType.S1_U_SGW_GTP_U, connection.s1_teid),
        "s5_u_pgw": connection.pgw_user,
        "bearer_qos": connection.qos,
        "charging_id": made.get("charging_id"),
    }
    return {
        **some(told, _RETURNED),
        "cause": told["cause"],
        "sender_f_teid": core.control_end(InterfaceType.S11_S4_SGW_GTP_C, connection.device.teid),
        "bearer_contexts_created": (bearer,),
    }


async def modify_bearer(core: Core, device: Device, message: Message, peer: Peer) -> Message:
    """Bring packets to an eNB, and tell the PGW of what it must hear (7.2.7)."""
    _close_parts(device, message)
    if (mme := message.get("sender_f_teid")) is not None:
        device.mme, device.mme_host = mme, peer.host
    asked_for = message.ies.get("bearer_contexts_to_be_modified", ())
    told = [_modify(core, device, each) for each in asked_for]
    changed, ordered = some(message, _TOLD), dict[str, Any]()
    if changed or any(each.paused and each.enb is not None for each in device.standing):
        device.rat = message.get("rat_type") or device.rat
        moved(device, message)
        named = {each["ebi"] for each in asked_for}
        for connection in device.standing:
            if named and not named & {each.ebi for each in connection.bearers}:
                continue  # of another PDN connection, for which a request of its own comes (7.2.7)
            ies = changed | _resumption(connection)
            if not ies:
                continue
            asked = Message("modify-bearer-request", ies, connection.pgw.teid)
            answer = await core.ask_pgw(connection, asked)
            if answer is not None and answer.cause == Cause.CONTEXT_NOT_FOUND:
                core.close(connection)
                return refusal(message, answer["cause"]._replace(remote=True), device.mme.teid)
            if answer is not None:
                connection.take_reporting(answer)
                ordered |= some(answer, ("change_reporting_action",))
    for bearer in device.bearers.values():
        core.let_out(bearer)
    partly = any(each["cause"] is not ACCEPTED for each in told)
    wholly = partly and not any(each["cause"] is ACCEPTED for each in told)
    cause = Cause.REQUEST_ACCEPTED_PARTIALLY if partly else Cause.REQUEST_ACCEPTED
    ies = {"cause": CauseIe(Cause.CONTEXT_NOT_FOUND if wholly else cause), "bearer_contexts_modified": tuple(told)}
    return Message(message.spec.answer, ies | ordered, device.mme.teid)


def _resumption(connection: Connection) -> dict[str, Any]:
    """Return the PPOF flag if charging of a PDN connection is to resume since its device is connected (5.3.6A)."""
    if not (connection.paused and connection.enb is not None):
        return {}
    connection.paused = False
    return {"indication_flags": Indication.PPOF}


def moved(device: Device, message: Message) -> None:
    """Count for another place from now on, for all of a device's bearers."""
    device.uli = message.get("user_location_information") or device.uli
    for account in device.accounts:
        account.moved(device.uli)


def _close_parts(device: Device, message: Message) -> None:
    """Close records on what makes their fields untrue: another MME, another radio access (TS 32.251 5.2.3.4)."""
    mme = message.get("sender_f_teid")
    if mme is not None and mme.address != device.mme.address:
        cause = CauseForRecClosing.SERVING_NODE_CHANGE
    elif message.get("rat_type") not in (None, device.rat):
        cause = CauseForRecClosing.RAT_CHANGE
    else:
        return
    for account in device.accounts:
        account.part(cause)


def _modify(core: Core, device: Device, asked: dict[str, Any]) -> dict[str, Any]:
    bearer = device.bearers.get(asked["ebi"])
    if bearer is None:
        return {"ebi": asked["ebi"], "cause": CauseIe(Cause.CONTEXT_NOT_FOUND)}
    enb: FTeid | None = asked.get("s1_u_enodeb")
    if enb is not None:
        if bearer.enb not in (None, enb):  # a handover: the old eNB forwards until it hears this (TS 23.401 5.5.1)
            assert bearer.enb is not None  # noqa: S101 - said above
            core.plane.end(bearer.enb.teid, bearer.enb.address, "S1-U")
        bearer.enb = enb
        device.end_paging()
        if isinstance(bearer, Connection):
            bearer.dropped = 0
        core.flush(bearer, enb)
    if isinstance(bearer, Connection):
        core.tell(bearer)
    end = core.user_end(InterfaceType.S1_U_SGW_GTP_U, bearer.s1_teid)
    return {"ebi": bearer.ebi, "cause": ACCEPTED, "s1_u_sgw": end}


async def _delete_at_pgw(core: Core, connection: Connection, message: Message | None = None) -> Message | None:
    names = ("user_location_information", "ue_time_zone", "ran_nas_release_cause", "pco")
    ies = some(message, names) if message is not None else {}
    return await core.ask_pgw(
        connection, Message("delete-session-request", {**ies, "linked_ebi": connection.ebi}, connection.pgw.teid)
    )


async def delete_session(core: Core, device: Device, message: Message, _peer: Peer) -> Message:
    """End a PDN connection, at the PGW too if the MME says so (OI, 7.2.9.1); all if another SGW has them now (SI)."""
    flags = message.ies.get("indication_flags", Indication(0))
    if Indication.SI in flags:
        for each in list(device.connections.values()):
            core.close(each, CauseForRecClosing.SGW_CHANGE)
        return Message(message.spec.answer, {"cause": ACCEPTED}, device.mme.teid)
    connection = device.connections.get(message["linked_ebi"])
    if connection is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND, device.mme.teid)
    mme = message.get("sender_f_teid") or device.mme
    moved(device, message)
    core.close(connection, CauseForRecClosing.NORMAL_RELEASE)  # first: another one may be asked for at once
    told = None
    if Indication.OI in flags:
        told = await _delete_at_pgw(core, connection, message)
    ies = {"cause": ACCEPTED, **(some(told, ("pco",)) if told is not None else {})}
    return Message(message.spec.answer, ies, mme.teid)


async def change_notification(core: Core, device: Device, message: Message, _peer: Peer) -> Message:
    """Tell the PGW where a device is (7.3.14)."""
    ebi = message.get("linked_ebi")
    chosen = [each for each in device.standing if ebi in (None, each.ebi)]
    if not chosen:
        return refusal(message, Cause.CONTEXT_NOT_FOUND, device.mme.teid)
    moved(device, message)
    told = None
    for connection in chosen:
        ies = some(message, ("imsi", "mei", "rat_type", "user_location_information"))
        ies["linked_ebi"] = connection.ebi
        told = await core.ask_pgw(connection, Message("change-notification-request", ies, connection.pgw.teid))
    if told is None:
        return refusal(message, Cause.REMOTE_PEER_NOT_RESPONDING, device.mme.teid)
    ies = {"imsi": device.imsi or None, "cause": told["cause"], **some(told, ("change_reporting_action",))}
    return Message(message.spec.answer, ies, device.mme.teid)


def delete_at_pgw_later(core: Core, connection: Connection) -> None:
    """End a PDN connection of which the MME knows nothing any more; the PGW is told meanwhile."""
    core.close(connection)
    _spawn_deletion(core, connection)


def _spawn_deletion(core: Core, connection: Connection) -> None:
    async def work() -> None:
        await _delete_at_pgw(core, connection)

    core.site.spawn(work(), "delete-session-request")
