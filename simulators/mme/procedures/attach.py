"""Attach (TS 24.301 5.5.1, TS 23.401 5.3.2.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel
from simulators.mme.config import DEFAULT_T3402
from simulators.mme.contexts import UeContext
from simulators.mme.controls import BARRING, EMERGENCY, Occasion
from simulators.mme.demands import ATTACH_WITHOUT_IMSI, EMERGENCY_WITHOUT_IDENTITY, demanded
from simulators.mme.procedures import area, default_bearer
from simulators.mme.procedures.authentication import authenticate, serves_unproven
from simulators.mme.procedures.identification import ask_identity, ask_terminal
from simulators.mme.procedures.idle import choose_period
from simulators.mme.procedures.location import admit_terminal
from simulators.mme.procedures.release import adopt, bind, release_for_good
from simulators.mme.procedures.security_mode import secure, secure_without_keys
from simulators.mme.procedures.tracking_area_update import ask_for_messages, combined_result, update
from simwarden.wire.nas.enums import AttachResult, AttachType, EmmCause, EpsNetworkFeature, IdentityType, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.s1ap import CauseNas

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Terminal
    from simulators.mme.core import Core

#: a tracking area update shows too that the device has the accept, and is then served (5.5.1.2.7 g)
_COMPLETE = MessageType.ATTACH_COMPLETE, MessageType.TRACKING_AREA_UPDATE_REQUEST


async def attach(core: Core, conn: Connection, request: Message, known: UeContext | None, *, verified: bool) -> None:
    """Attach a device. `known` is the context that its GUTI names; `verified` that its keys protect the request."""
    pdn = default_bearer.read_request(request["esm_message_container"])
    if isinstance(pdn, Rejection):
        reject(core, conn, pdn, None)
        return
    ue = await _context_of(core, conn, request, known if verified else None, known)
    if isinstance(ue, Rejection):
        rejection: Rejection | None = ue
    else:
        rejection = await _attempt(core, conn, ue, request, verified=verified)
        rejection = rejection or await _accept(core, conn, ue, request, pdn)
    if rejection is not None:
        reject(core, conn, rejection, pdn)


async def _context_of(
    core: Core, conn: Connection, request: Message, proven: UeContext | None, known: UeContext | None
) -> UeContext | Rejection:
    """Find out whose device it is, and make the context of this attempt; an unproven one leaves the known one alone."""
    emergency = request["eps_attach_type"] & 7 == AttachType.EPS_EMERGENCY_ATTACH
    if emergency:
        facts = {"allowed": core.config.emergency.allowed, "proven": True}
        decision = core.site.decide(EMERGENCY, _named(request, known), on=Occasion.EMERGENCY, **facts)
        if not decision.admitted:
            return Rejection(EmmCause.IMEI_NOT_ACCEPTED, decision.reason, subject=decision.subject)
    if proven is not None:
        ue = proven
        core.end_session(ue)
    else:
        imsi = known.imsi if known else await _imsi_of(core, conn, request)
        claimed_imei = _imei_of(request)
        if not imsi and not (emergency and claimed_imei):
            demand = EMERGENCY_WITHOUT_IDENTITY if emergency else ATTACH_WITHOUT_IMSI
            return demanded(demand, "the device gives no IMSI")
        ue = UeContext(imsi, conn.tai, conn.cell, request["ue_network_capability"], claimed_imei=claimed_imei)
    ue.emergency = emergency
    ask_for_messages(core, ue, request, combined=request["eps_attach_type"] & 7 == AttachType.COMBINED_EPS_IMSI_ATTACH)
    ue.capability = request["ue_network_capability"]
    ue.gea = _gea(request)
    bind(core, conn, ue)
    return ue


def _gea(request: Message) -> int | None:
    """GEA1 is bit 8 of the first octet, GEA2 to GEA7 bits 7 to 2 of the second (TS 24.008 10.5.5.12)."""
    octets = request.get("ms_network_capability")
    return (octets[0] >> 7) << 6 | octets[1] >> 1 & 0x3F if octets else None


def _named(request: Message, known: UeContext | None) -> str:
    """Return whom an attach request names by itself: an IMSI, or the IMEI of a terminal without a card."""
    return known.imsi if known is not None else str(request["eps_mobile_identity"].digits)


def _imei_of(request: Message) -> str:
    identity = request["eps_mobile_identity"]
    return str(identity.digits) if identity.type is IdentityType.IMEI else ""


async def _imsi_of(core: Core, conn: Connection, request: Message) -> str:
    identity = request["eps_mobile_identity"]
    if identity.type is IdentityType.IMSI:
        return str(identity.digits)
    if identity.type is IdentityType.IMEI:
        return ""
    # a GUTI that no context here has, or of another MME, from which nothing is fetched (5.5.1.2.4)
    return await ask_identity(core, conn, IdentityType.IMSI)


async def _attempt(
    core: Core, conn: Connection, ue: UeContext, request: Message, *, verified: bool
) -> Rejection | None:
    """Let the UE be checked; only one that is admitted ends the session that its card has (5.5.1.2.7 f)."""
    core.attempts[ue] = None
    try:
        rejection = await _admit(core, conn, ue, request, verified=verified)
    finally:
        core.attempts.pop(ue, None)  # a context that its keys verified may have two
    if rejection is None:
        adopt(core, ue)
    return rejection


async def _admit(core: Core, conn: Connection, ue: UeContext, request: Message, *, verified: bool) -> Rejection | None:
    """Let card, terminal and subscription be checked; None if all of them pass."""
    if not ue.imsi:
        return await _without_proof(core, conn, ue, Rejection(EmmCause.ILLEGAL_UE, "there is no card"))
    terminal: Terminal | None = None
    spent = ue.security is not None and ue.security.nearly_spent
    if not verified or spent or core.config.security.authenticate == "every-attach":
        proven = await prove(core, conn, ue, by_guti=request["eps_mobile_identity"].guti is not None)
        if isinstance(proven, Rejection):
            return await _without_proof(core, conn, ue, proven)
        terminal = proven
    if ue.emergency:
        # Exempt from binding and equipment checks (TS 23.401 4.3.12); the HSS hears nothing of it. The terminal was
        # not admitted by that: a normal attach after the call asks the HSS, whatever it knew of the card before.
        ue.terminal, ue.located = terminal, False
        return None
    rejection = area.check_place(core, ue, Occasion.ATTACH)
    if rejection is not None:
        return rejection
    if terminal is None:
        terminal = await ask_terminal(core, conn)
    # a device that names itself by its IMSI has no context that the HSS need not hear of (TS 23.401 5.3.2.1 step 8)
    rejection = await admit_terminal(core, ue, terminal, Occasion.ATTACH, initial=not verified)
    return rejection or check_barring(core, ue) or area.check_zones(core, ue, Occasion.ATTACH)


async def prove(core: Core, conn: Connection, ue: UeContext, *, by_guti: bool) -> Terminal | Rejection | None:
    """Authentication and security mode; return the terminal if it gave its IMEISV. Raises NoAnswer."""
    keys = await authenticate(core, conn, ue, by_guti=by_guti)
    if isinstance(keys, Rejection):
        return keys
    result = await secure(core, conn, ue, keys)
    if not isinstance(result, Rejection):
        _inherit(core, ue)
    return result


def _inherit(core: Core, ue: UeContext) -> None:
    """Let a proven attempt know what the card's context knows of the HSS; the session there stays as it is."""
    known = core.by_imsi.get(ue.key)
    if known is not None:
        ue.located, ue.subscription = known.located, known.subscription


async def _without_proof(core: Core, conn: Connection, ue: UeContext, rejection: Rejection) -> Rejection | None:
    """Let an emergency call go on where the card cannot be proven, if the network is set so (TS 23.401 5.3.2.1)."""
    if not ue.emergency:
        return rejection
    decision = serves_unproven(core, ue)
    if not decision.admitted:
        return replace(rejection, reason=decision.reason)
    core.site.note("emergency attach without authentication", imsi=ue.imsi, reason=rejection.reason)
    result = await secure_without_keys(core, conn, ue)
    if isinstance(result, Rejection):
        return result
    ue.terminal, ue.proven = result or await ask_terminal(core, conn), False
    if ue.terminal is None and not ue.claimed_imei:  # the call is known by its IMEI (TS 23.401 5.7.2)
        return demanded(EMERGENCY_WITHOUT_IDENTITY, "the terminal gives no IMEI")
    return None


def check_barring(core: Core, ue: UeContext) -> Rejection | None:
    """Operator determined barring, that is suspension, of all packet services (TS 23.015)."""
    decision = core.site.decide(BARRING, ue.imsi, on=Occasion.ATTACH, barred=ue.barred)
    if decision.admitted:
        return None
    causes = core.config.causes
    esm = causes.barred_esm if causes.barred is EmmCause.ESM_FAILURE else None
    return Rejection(causes.barred, decision.reason, esm)


async def _accept(core: Core, conn: Connection, ue: UeContext, request: Message, pdn: Message) -> Rejection | None:
    """ATTACH ACCEPT with the default bearer, until the device completes (5.5.1.2.4)."""
    asked = await default_bearer.requested(core, conn, pdn)
    chosen = default_bearer.choose_apn(core, ue, asked.get("access_point_name", ""), Occasion.ATTACH)
    if isinstance(chosen, Rejection):
        return chosen
    bearer = await default_bearer.set_up(
        core, ue, chosen, asked, identity=default_bearer.BEARERS.start, occasion=Occasion.ATTACH
    )
    if isinstance(bearer, Rejection):
        return bearer
    outside = area.take_up(core, ue, Occasion.ATTACH)
    if outside is not None:
        return outside
    accept = encode(_attach_accept(core, ue, request, default_bearer.activation(bearer, pdn)))

    def repeat() -> None:
        nas_channel.send_plain(conn, accept)

    def transmit() -> None:
        if conn.repeat_accept is not None:
            repeat()
        elif conn.context_set_up:
            default_bearer.release_radio(conn, bearer)  # that of the session before, on a connection that stays
            default_bearer.set_up_radio(conn, ue, bearer, accept)
        else:
            default_bearer.initial_context_setup(conn, ue, accept)
        conn.repeat_accept = repeat

    answer = await nas_channel.ask(core, conn, transmit, "t3450", *_COMPLETE)
    conn.repeat_accept, conn.attach_request = None, b""
    core.confirm_guti(ue)
    core.register(ue)
    bearer.accepted = True
    core.gateways.modify(ue, (bearer.identity,))
    if answer.type is MessageType.TRACKING_AREA_UPDATE_REQUEST:
        await update(core, conn, answer, ue, verified=True)
    return None


def _attach_accept(core: Core, ue: UeContext, request: Message, container: bytes) -> Message:
    combined = request["eps_attach_type"] & 7 == AttachType.COMBINED_EPS_IMSI_ATTACH
    fields = combined_result(core, ue) if combined else {}
    result = AttachResult.COMBINED_EPS_IMSI_ATTACH if "additional_update_result" in fields else AttachResult.EPS_ONLY
    ue.tai_list = tuple(area.tai_list(core, ue, ue.tai))
    return Message(
        MessageType.ATTACH_ACCEPT,
        eps_attach_result=int(result),
        tai_list=list(ue.tai_list),
        esm_message_container=container,
        guti=core.allocate_guti(ue),
        t3402=core.config.timers.t3402,
        eps_network_feature_support=features(core),
        **choose_period(core, ue, request),
        **fields,
    )


def features(core: Core) -> EpsNetworkFeature:
    """What devices are told that the network can do (TS 24.301 9.9.3.12A)."""
    allowed = core.config.emergency.allowed != "nobody"
    return EpsNetworkFeature.EMC_BS if allowed else EpsNetworkFeature(0)


def reject(core: Core, conn: Connection, rejection: Rejection, pdn: Message | None) -> None:
    """ATTACH REJECT, unless the device was told already; its connection and what was begun for it end."""
    ue = conn.ue
    core.show_reject(ue.imsi if ue else "", "attach", rejection)
    if not rejection.told:
        fields: dict[str, object] = {}
        if rejection.esm_cause is not None and pdn is not None:
            fields["esm_message_container"] = default_bearer.rejection_container(core, pdn, rejection.esm_cause)
        if rejection.t3346 is not None:
            fields["t3346"] = rejection.t3346
        if core.config.timers.t3402 != DEFAULT_T3402:  # one that is told none takes that (TS 24.301 5.3.6)
            fields["t3402"] = core.config.timers.t3402
        nas_channel.send(conn, Message(MessageType.ATTACH_REJECT, emm_cause=rejection.emm_cause, **fields))
    release_for_good(core, conn, ue, CauseNas.AUTHENTICATION_FAILURE if rejection.told else CauseNas.NORMAL_RELEASE)
