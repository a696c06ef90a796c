"""The procedures of S5 at a PGW, by the names of TS 29.274 7.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.pgw import addressing, controls, dedicated_bearers, qos, rules
from simulators.pgw.clients.gx_messages import PLACES
from simulators.pgw.session import Session
from simwarden.errors import PeerError
from simwarden.runtime.gtp.node import NoAnswerError
from simwarden.trace.records import CauseForRecClosing
from simwarden.wire import pco
from simwarden.wire.diameter.apps.gy import TriggerType
from simwarden.wire.gtpv2 import (
    Ambr,
    Cause,
    CauseIe,
    ChangeReportingAction,
    Indication,
    Message,
    Paa,
    RatType,
    cause_text,
    network_identifier,
    refusal,
    subject_of,
)
from simwarden.wire.gtpv2.enums import SelectionMode

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simulators.pgw.pools import Addresses
    from simwarden.runtime.gtp.node import Peer, Piggybacked

#: radio accesses of which sessions are taken; NB-IoT and those of 2G and 3G have no way to here
_ACCESSES = (RatType.EUTRAN, RatType.LTE_M)
_ACCEPTED = CauseIe(Cause.REQUEST_ACCEPTED)
#: what an APN's sessions may when nobody says, in kbit/s
_UNSAID = Ambr(50_000, 150_000)


async def create_session(core: Core, message: Message, peer: Peer) -> Message | Piggybacked:
    """Set a session up (7.2.1), if the card's number and the SGW are of the dedicated core."""
    sender, owner, imsi = message["sender_f_teid"], subject_of(message), message.get("imsi", "")
    if not core.knows(peer, imsi, controls.CREATE_SESSION):
        return refusal(message, Cause.INVALID_PEER, sender.teid)
    name, number = network_identifier(message["apn"]), message.get("msisdn", "")
    if name not in core.config.emergency_apns:  # calls for help are exempt
        decision = core.site.decide(
            controls.NUMBER, imsi, on=controls.CREATE_SESSION, number=number, ranges=core.ranges
        )
        if not decision.admitted:
            return refusal(message, Cause.APN_ACCESS_DENIED_NO_SUBSCRIPTION, sender.teid)
    if message["rat_type"] not in _ACCESSES:
        return refusal(message, Cause.DENIED_IN_RAT, sender.teid)
    addresses = core.apn(name)
    if addresses is None:
        return refusal(message, Cause.MISSING_OR_UNKNOWN_APN, sender.teid)
    before = core.sessions.get((owner, message["bearer_contexts_to_be_created"][0]["ebi"]))
    if before is not None:  # the SGW has lost it (7.2.1)
        core.close(before, CauseForRecClosing.ABNORMAL_RELEASE)
    for ended in [each for each in core.ending.values() if (each.owner, each.apn) == (owner, name)]:
        core.release(ended)  # the SGW has it no longer, since it asks for another
    made = await _begin(core, message, owner, name, addresses)
    if isinstance(made, Cause):
        return refusal(message, made, sender.teid)
    session, cause = made
    session.sgw_host = peer.host
    session.pausable = _says(message, Indication.PPSI) and addresses.config.charging_pause
    session.reportable = _says(message, Indication.CRSI)
    session.reported = session.reportable and _wants_place(core, session)
    core.open(session)
    core.place(session, controls.CREATE_SESSION)
    if core.pcrf is not None:
        core.pcrf.begun(session)
    answer = Message(message.spec.answer, _created(core, session, message, cause), sender.teid)
    return dedicated_bearers.provision(core, session, answer, together=_says(message, Indication.PS))


async def _begin(
    core: Core, message: Message, owner: str, apn: str, addresses: Addresses
) -> tuple[Session, Cause] | Cause:
    """Make a session, with the rules of its PCRF and octets of its OCS if its APN has these; or return why not."""
    made = _make(core, message, owner, apn, addresses)
    if isinstance(made, Cause):
        return made
    session, _ = made
    refused = await _ruled(core, session) or await _granted(core, session, told=_says(message, Indication.UNACCSI))
    if refused is not None:
        if core.pcrf is not None:
            core.pcrf.close(session)
        addressing.give_back(addresses, session.paa)
        return refused
    rules.begin(core, session)  # not before: lists may have changed meanwhile
    meanwhile = core.sessions.get(session.key)
    if meanwhile is not None:  # the SGW has asked again, and was answered before
        core.close(meanwhile, CauseForRecClosing.ABNORMAL_RELEASE)
    return made


async def _ruled(core: Core, session: Session) -> Cause | None:
    """Have the rules of its PCRF given to a session, if its APN has one; return why it gets none."""
    if core.pcrf is None or not session.addresses.config.gx or session.apn in core.config.emergency_apns:
        return None
    return await core.pcrf.begin(session)


async def _granted(core: Core, session: Session, *, told: bool) -> Cause | None:
    """Have octets granted to a session, if its APN has an OCS; return why there are none."""
    if core.ocs is None or not session.addresses.config.gy or session.apn in core.config.emergency_apns:
        return None
    return await core.ocs.begin(session, told=told)


def _make(core: Core, message: Message, owner: str, apn: str, addresses: Addresses) -> tuple[Session, Cause] | Cause:
    asked: Paa = message["paa"]
    has = {"v4": addresses.has(4), "v6": addresses.has(6)}
    kind, cause = addressing.settle_type(asked.pdn_type, dual=_says(message, Indication.DAF), **has)
    if kind is None:
        return cause
    bearer = message["bearer_contexts_to_be_created"][0]
    if bearer.get("s5_u_sgw") is None:
        raise message.incorrect("bearer_contexts_to_be_created", "a bearer without the SGW's end of its tunnel")
    paa = addressing.take(addresses, kind, asked, owner, core.site.rng)
    if isinstance(paa, Cause):
        return paa
    session = Session(
        owner=owner,
        imsi=message.get("imsi", ""),
        msisdn=message.get("msisdn", ""),
        mei=message.get("mei", ""),
        apn=apn,
        ebi=bearer["ebi"],
        paa=paa,
        ambr=message.get("apn_ambr", _UNSAID),
        qos=bearer["bearer_qos"],
        addresses=addresses,
        charging_id=core.next_charging_id(),
        opened=core.site.clock.wall(),
        sgw=message["sender_f_teid"],
        sgw_user=bearer["s5_u_sgw"],
        rat=message["rat_type"],
        uli=message.get("user_location_information"),
        time_zone=message.get("ue_time_zone"),
        serving_network=message.get("serving_network"),
        charging_characteristics=message.get("charging_characteristics", b""),
        selection_mode=message.get("selection_mode", SelectionMode.SUBSCRIPTION_VERIFIED),
    )
    return session, cause


def _created(core: Core, session: Session, message: Message, cause: Cause) -> dict[str, Any]:
    control, user = core.ends(session)
    bearer = {
        "ebi": session.ebi,
        "cause": _ACCEPTED,
        "s5_u_pgw": user,
        "bearer_qos": session.qos,
        "charging_id": session.charging_id,
    }
    told: dict[str, Any] = {
        "cause": CauseIe(cause),
        "pgw_s5_f_teid": control,
        "paa": session.paa,
        "apn_restriction": 0,
        "apn_ambr": session.ambr,
        "pco": _options(core, session, message.get("pco")),
        "bearer_contexts_created": (bearer,),
    }
    if session.pausable:
        told["indication_flags"] = Indication.PPON  # which enables pause here (PPEI, 8.12)
    if session.reported:
        told["change_reporting_action"] = ChangeReportingAction.START_REPORTING_TAI_AND_ECGI
    return told


def _says(message: Message, flag: Indication) -> bool:
    """Whether an MME sets a flag (8.12): both addresses on one bearer, places reported, a request with an answer."""
    return flag in message.get("indication_flags", Indication(0))


def _wants_place(core: Core, session: Session) -> bool:
    ruled = session.gx is not None and bool(PLACES & session.gx.triggers)
    charged = session.credit is not None and session.credit.follows(TriggerType.CHANGE_IN_LOCATION)
    return ruled or charged or session.addresses.config.report_location or bool(core.areas.get(session.imsi))


def _options(core: Core, session: Session, asked: bytes | None) -> bytes | None:
    """Answer what the device asks for; options that cannot be read are as if it had asked for nothing."""
    if not asked:
        return None
    config = session.addresses.config
    try:
        told = pco.answer(pco.decode(asked), config.dns, config.mtu)
    except PeerError as error:
        core.site.note(f"protocol configuration options are not answered: {error.reason}", imsi=session.imsi)
        return None
    return pco.encode(told) if told else None


def _session(core: Core, message: Message, peer: Peer, on: str) -> Session | Message:
    """Return the session that a request is about, or what refuses the request."""
    session = core.by_teid.get(message.teid) or core.ending.get(message.teid)
    if session is None:
        return refusal(message, Cause.CONTEXT_NOT_FOUND)
    if not core.knows(peer, session.imsi, on):
        return refusal(message, Cause.INVALID_PEER)
    if not core.is_sender(session, message, peer):
        return core.node.refuse_sender(message, peer) or refusal(message, Cause.INVALID_PEER)
    if session.teid in core.ending:  # the SGW has sent it before it has ended the session (TS 23.401 5.4.4.1)
        return Message(message.spec.answer, {"cause": _ACCEPTED}, session.sgw.teid)
    return session


async def modify_bearer(core: Core, message: Message, peer: Peer) -> Message:
    """Take note of where a device is, and of another SGW that has it (7.2.7)."""
    session = _session(core, message, peer, controls.MODIFY_BEARER)
    if isinstance(session, Message):
        return session
    before = session.access
    _close_parts(session, message)
    session.rat = message.get("rat_type", session.rat)
    session.time_zone = message.get("ue_time_zone", session.time_zone)
    session.serving_network = message.get("serving_network", session.serving_network)
    moved = session.moved(message.get("user_location_information"))
    relocated = _relocate(session, message, peer)
    _follow_pause(core, session, message, relocated=relocated)
    told = []
    for bearer in message.get("bearer_contexts_to_be_modified", ()):
        known = session if bearer["ebi"] == session.ebi else session.bearer(bearer["ebi"])
        if known is not None:
            known.sgw_user = bearer.get("s5_u_sgw", known.sgw_user)
        cause = _ACCEPTED if known is not None else CauseIe(Cause.CONTEXT_NOT_FOUND)
        charged = known.charging_id if known is not None and relocated else None
        told.append({"ebi": bearer["ebi"], "cause": cause, "charging_id": charged})
    if moved:
        core.place(session, controls.MODIFY_BEARER)
    core.follow_access(session, before)
    ies: dict[str, Any] = {"cause": _ACCEPTED, "bearer_contexts_modified": tuple(told)}
    if relocated:
        ies["msisdn"] = session.msisdn or None
        ies["indication_flags"] = Indication.PPON if session.pausable else None
    return Message(message.spec.answer, ies, session.sgw.teid)


def _follow_pause(core: Core, session: Session, message: Message, *, relocated: bool) -> None:
    """Pause or resume charging as the SGW asks (TS 23.401 5.3.6A); with another SGW, negotiate it again."""
    if relocated:
        session.pausable = _says(message, Indication.PPSI) and session.addresses.config.charging_pause
    if relocated or _says(message, Indication.PPOF):
        core.pause(session, paused=False)
    elif session.pausable and _says(message, Indication.PPON):
        core.pause(session, paused=True)


def _relocate(session: Session, message: Message, peer: Peer) -> bool:
    """Return True if a session moves to another SGW, which gets MSISDN and charging IDs (tables 7.2.8-1, -2)."""
    sgw = message.get("sender_f_teid", session.sgw)
    relocated: bool = sgw != session.sgw
    if relocated:
        session.sgw, session.sgw_host = sgw, peer.host
    return relocated


def _close_parts(session: Session, message: Message) -> None:
    """Close a record on what makes its fields untrue (TS 32.251 5.2.3.3)."""
    if message.get("sender_f_teid", session.sgw).address != session.sgw.address:
        session.account.part(CauseForRecClosing.SERVING_NODE_CHANGE)
    elif message.get("rat_type", session.rat) != session.rat:
        session.account.part(CauseForRecClosing.RAT_CHANGE)
    elif message.get("ue_time_zone", session.time_zone) != session.time_zone:
        session.account.part(CauseForRecClosing.MS_TIME_ZONE_CHANGE)


async def modify_bearer_command(core: Core, message: Message, peer: Peer) -> None:
    """Follow a changed subscription (7.2.14.1, TS 23.401 5.4.2.2) by an order under the command's number; else say why.

    The session's PCRF, if it has one, decides what is ordered (step 4).
    """
    session, asked = core.commanded(message, peer, controls.MODIFY_BEARER_COMMAND), message["bearer_context"]
    if session is None:
        return
    if asked["ebi"] != session.ebi:
        core.fail(message, peer, Cause.CONTEXT_NOT_FOUND)
        return
    wanted = qos.Authorized(message["apn_ambr"], asked.get("bearer_qos", session.qos))
    if core.pcrf is not None:
        authorized = await core.pcrf.authorize(session, wanted)
        if authorized is None:
            core.fail(message, peer, Cause.REQUEST_REJECTED)
            return
        wanted = authorized
        if not qos.is_possible(wanted.qos):
            core.fail(message, peer, Cause.REQUEST_REJECTED)
    done = await qos.enforce(core, session, wanted, commanded=message.sequence)
    if core.pcrf is not None:
        core.pcrf.on_qos_result(session, wanted, done=done)


async def delete_session(core: Core, message: Message, peer: Peer) -> Message:
    """End a session (7.2.9)."""
    session = _session(core, message, peer, controls.DELETE_SESSION)
    if isinstance(session, Message):
        return session
    if message.get("linked_ebi", session.ebi) != session.ebi:
        return refusal(message, Cause.CONTEXT_NOT_FOUND, session.sgw.teid)
    session.moved(message.get("user_location_information"))
    core.close(session, CauseForRecClosing.NORMAL_RELEASE)
    return Message(message.spec.answer, {"cause": _ACCEPTED}, session.sgw.teid)


async def change_notification(core: Core, message: Message, peer: Peer) -> Message:
    """Take note of where a device is (7.3.14)."""
    session = _session(core, message, peer, controls.CHANGE_NOTIFICATION)
    if isinstance(session, Message):
        return session
    before = session.access
    session.rat = message["rat_type"]
    if session.moved(message.get("user_location_information")):
        core.place(session, controls.CHANGE_NOTIFICATION)
    core.follow_access(session, before)
    return Message(message.spec.answer, {"imsi": session.imsi or None, "cause": _ACCEPTED}, session.sgw.teid)


async def follow_area(core: Core, session: Session) -> None:
    """Act on other cells of a card that has a session: on what is known of its place, then on what the MME reports."""
    wanted = _wants_place(core, session)
    if session.reported or not wanted:
        core.place(session, controls.CHANGE)
    else:
        session.closed_by = controls.CELL.id  # until its place is known
        core.tell(session)
    if wanted != session.reported:
        await update_bearer(core, session, start=wanted)


async def update_bearer(core: Core, session: Session, *, start: bool) -> None:
    """Have changes of location reported from now on, or no more (7.2.15); the answer tells the place."""
    action = ChangeReportingAction.START_REPORTING_TAI_AND_ECGI if start else ChangeReportingAction.STOP_REPORTING
    ies = {
        "bearer_contexts": ({"ebi": session.ebi},),
        "apn_ambr": session.ambr,
        "change_reporting_action": action,
    }
    try:
        answer = await core.node.ask(
            Message("update-bearer-request", ies, session.sgw.teid), session.sgw.address, "S5-C"
        )
    except NoAnswerError as error:
        core.site.note(f"an order to report places was not carried out: {error}", imsi=session.imsi)
        answer = None
    if core.by_teid.get(session.teid) is not session:
        return
    session.reported = start and answer is not None and answer.accepted
    if answer is not None and answer.accepted:
        session.moved(answer.get("user_location_information"))
    core.place(session, controls.UPDATE_BEARER)


async def delete_bearer(core: Core, session: Session, cause: Cause = Cause.REACTIVATION_REQUESTED) -> None:
    """End a session because the operator wants that (7.2.9.2); it is over here whatever the SGW answers.

    No packet passes from now on, yet the tunnels stay until the SGW has answered (TS 23.401 5.4.4.1): an Error
    Indication would make it end the session a second time. `cause` tells the MME whether the device may come back.
    """
    core.close(session, CauseForRecClosing.MANAGEMENT_INTERVENTION, confirmed=False)
    ies = {"linked_ebi": session.ebi, "cause": CauseIe(cause)}
    try:
        answer = await core.node.ask(
            Message("delete-bearer-request", ies, session.sgw.teid), session.sgw.address, "S5-C"
        )
    except NoAnswerError as error:
        core.site.note(f"the SGW was not told that a session has ended: {error}", imsi=session.imsi)
    else:
        if not answer.accepted:
            core.site.note(f"the SGW did not end a session: cause {cause_text(answer.cause)}", imsi=session.imsi)
    finally:
        core.release(session)
