"""The default bearer (TS 24.301 6.4.1, 6.5.1): a session that the gateways set up, and its radio bearer."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from simulators.mme import demands
from simulators.mme.causes import DECIDED, GTP_CAUSES, Rejection
from simulators.mme.clients import nas_channel, s1
from simulators.mme.config import DEFAULT_T3396
from simulators.mme.contexts import ApnConfiguration, Bearer, Dedicated, Subscription
from simulators.mme.controls import APN, GATEWAY, Occasion
from simulators.mme.demands import demanded
from simwarden.errors import PeerError
from simwarden.machine.eps_keys import nh
from simwarden.runtime.gtp.node import NoAnswerError
from simwarden.wire.diameter.codes import PdnType as SubscribedType
from simwarden.wire.gtpv2 import Ambr, Arp, BearerQos, Cause, Paa, SelectionMode, Uli, cause_text
from simwarden.wire.gtpv2 import PdnType as GtpPdnType
from simwarden.wire.nas.elements import EpsQos, PdnAddress
from simwarden.wire.nas.enums import EmmCause, EsmCause, MessageType, PdnType
from simwarden.wire.nas.message import Message, decode, encode
from simwarden.wire.nas.rates import Ambr as NasAmbr
from simwarden.wire.nas.rates import encode_ambr
from simwarden.wire.s1ap import CauseNas
from simwarden.wire.s1ap.values import ErabItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.mme.contexts import Connection, UeContext
    from simulators.mme.core import Core
    from simwarden.policy.decision import Decision
    from simwarden.wire.gtpv2 import Message as GtpMessage
    from simwarden.wire.s1ap.values import ErabAdmitted, ErabTunnel

#: identities of bearers (TS 24.007 11.2.3.1.5); the attach has the first
BEARERS = range(5, 16)
#: causes on which a device leaves an APN alone for a while, whether or not it is told how long
_RESTING = (
    EsmCause.OPERATOR_DETERMINED_BARRING,
    EsmCause.MISSING_OR_UNKNOWN_APN,
    EsmCause.SERVICE_OPTION_NOT_SUPPORTED,
    EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED,
)
_HELD_BACK = ("access_point_name", "protocol_configuration_options")
#: octets of protocol configuration options (TS 24.008 10.5.6.3)
_MOST_OPTIONS = 251
#: bit/s of who has no subscription: an emergency call
_UNSAID = 1_000_000
_KINDS = {PdnType.IPV4: GtpPdnType.IPV4, PdnType.IPV6: GtpPdnType.IPV6, PdnType.IPV4V6: GtpPdnType.IPV4V6}
_TOLD = {told: kind for kind, told in _KINDS.items()}
_SUBSCRIBED = {
    SubscribedType.IPV4: (PdnType.IPV4,),
    SubscribedType.IPV6: (PdnType.IPV6,),
    SubscribedType.IPV4V6: (PdnType.IPV4, PdnType.IPV6),
    SubscribedType.IPV4_OR_IPV6: (PdnType.IPV4, PdnType.IPV6),
}
_ONLY = {
    PdnType.IPV4: EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED,
    PdnType.IPV6: EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED,
}
#: what an APN may look like (TS 23.003 9.1, 9.1.1): labels of letters, digits and hyphens within, 63 octets with their
#: lengths, and no operator identifier
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,62}}$)(?!.*\.gprs$){_LABEL}(\.{_LABEL})*", re.IGNORECASE | re.ASCII)


def free_identity(conn: Connection, ue: UeContext) -> int | None:
    """Return the identity of another bearer; not free is one whose end the device has yet to accept."""
    taken = {*ue.all_bearers, *conn.asked, *conn.waits}
    return next((identity for identity in BEARERS if identity not in taken), None)


def read_request(container: bytes) -> Message | Rejection:
    """Read the PDN CONNECTIVITY REQUEST of an attach request."""
    try:
        request = decode(container, uplink=True)
    except PeerError as error:
        return demanded(demands.NO_PDN_REQUEST, error.reason)
    if request.type is not MessageType.PDN_CONNECTIVITY_REQUEST:
        return demanded(demands.WRONG_PDN_REQUEST, f"{request.type.name} in an attach request")
    return request


async def requested(core: Core, conn: Connection, request: Message) -> Message:
    """Return what the device wants, with the APN and options that it has held back; asks for these.

    Devices send them only when they are ciphered (6.6.1.2). Raises NoAnswer.
    """
    if not request.get("esm_information_transfer_flag", 0) & 1:
        return request
    ask = Message(
        MessageType.ESM_INFORMATION_REQUEST,
        eps_bearer_identity=0,
        procedure_transaction_identity=request["procedure_transaction_identity"],
    )
    answer = await nas_channel.ask(core, conn, ask, "t3489", MessageType.ESM_INFORMATION_RESPONSE)
    held_back = {name: answer[name] for name in _HELD_BACK if name in answer}
    return Message(request.type, **{**request.fields, **held_back})


def choose_apn(
    core: Core, ue: UeContext, requested: str, occasion: Occasion
) -> tuple[str, ApnConfiguration] | Rejection:
    """Return the name and quality of the default bearer's APN, by the card's subscription."""
    if ue.emergency:
        apn = core.config.emergency.apn
        return apn, ApnConfiguration(apn, qci=5, priority=1, pdn_type=SubscribedType.IPV4V6)
    data = ue.subscription or Subscription()  # which has no APN
    default = data.default_apn
    name = requested or (default.name if default else "")
    if not _NAME.fullmatch(name):
        return demanded(demands.NO_APN, f"{name!r} is no APN" if name else "no APN is known")
    decision = judge(core, ue, data, name, occasion)
    if not decision.admitted:
        return Rejection(EmmCause.ESM_FAILURE, decision.reason, EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED)
    return name, data.find(name) or ApnConfiguration(name)


def judge(core: Core, ue: UeContext, data: Subscription, name: str, occasion: Occasion) -> Decision:
    """Decide whether an APN is subscribed."""
    subscribed = [point.name for point in data.apns.values()]
    return core.site.decide(APN, ue.imsi, on=occasion, requested=name, subscribed=subscribed)


async def set_up(
    core: Core,
    ue: UeContext,
    access: tuple[str, ApnConfiguration],
    request: Message,
    *,
    identity: int,
    occasion: Occasion,
) -> Bearer | Rejection:
    """Have the gateways set a session up (TS 23.401 5.3.2.1 steps 12 to 16, 5.10.2). Raises CancelledError."""
    done = ue.setting_up[identity] = asyncio.Event()
    try:
        return await _set_up(core, ue, access, request, (identity, occasion))
    finally:
        done.set()


async def _set_up(
    core: Core, ue: UeContext, access: tuple[str, ApnConfiguration], request: Message, on: tuple[int, Occasion]
) -> Bearer | Rejection:
    (name, point), (identity, occasion) = access, on
    chosen = _select_gateway(core, ue, name, occasion) or choose_type(request["pdn_type"], point)
    if isinstance(chosen, Rejection):
        return chosen
    kind, esm_cause = chosen
    qos, ambr = quality_of(point), rates_of(ue, point)
    ies = {
        "selection_mode": SelectionMode.SUBSCRIPTION_VERIFIED,
        "pdn_type": kind,
        "paa": _asked(kind, point.addresses),
        "maximum_apn_restriction": 0,
        "apn_ambr": ambr,
        "pco": request.get("protocol_configuration_options"),
        "bearer_contexts_to_be_created": ({"ebi": identity, "bearer_qos": qos},),
    }
    try:
        answer = await core.gateways.create(ue, name, ies)
    except NoAnswerError as error:
        return demanded(demands.NO_GATEWAY, str(error))
    if not answer.accepted:
        return refused(core, answer, name, kind)
    end, made = answer.get("sender_f_teid"), answer["bearer_contexts_created"][0]
    if lack := _lack_of(answer, identity):
        core.gateways.undo(ue, end, identity)
        return demanded(demands.NO_GATEWAY, f"the SGW's answer {lack}")
    ue.sgw = end
    bearer = ue.bearers[identity] = Bearer(
        identity,
        name,
        point,
        answer["paa"],
        answer.get("apn_ambr", ambr),
        made.get("bearer_qos", qos),
        made["s1_u_sgw"],
        esm_cause or _restricted(kind, answer),
        _options(core, ue, answer.get("pco")),
        reported=bool(answer.get("change_reporting_action")),
        place=Uli(ue.tai, ue.cell),
    )
    return _lost_meanwhile(core, ue, bearer, occasion) or bearer


def _lack_of(answer: GtpMessage, identity: int) -> str:
    """Say why an answer sets no bearer up though it accepts the session, empty if it does."""
    made, paa = answer["bearer_contexts_created"][0], answer.get("paa")
    if answer.get("sender_f_teid") is None or made.get("s1_u_sgw") is None or paa is None or made["ebi"] != identity:
        return "lacks an end of the tunnels, or the address, or is about another bearer"
    return f"has an address of kind {paa.pdn_type.name}" if paa.pdn_type not in _TOLD else ""


def _options(core: Core, ue: UeContext, options: bytes | None) -> bytes | None:
    """Return what a device hears of its protocol configuration options; what is too long for NAS it does not hear."""
    if options is None or len(options) <= _MOST_OPTIONS:
        return options
    core.site.note("the gateways' protocol configuration options are too long for a device", imsi=ue.imsi)
    return None


def _lost_meanwhile(core: Core, ue: UeContext, bearer: Bearer, occasion: Occasion) -> Rejection | None:
    """End a new session whose APN was taken away while the gateways set it up."""
    if ue.subscription is None or ue.subscription.find(bearer.apn) is not None:
        return None
    again = choose_apn(core, ue, bearer.apn, occasion)
    if not isinstance(again, Rejection):
        return None
    core.gateways.end(ue, bearer)
    return again


def _select_gateway(core: Core, ue: UeContext, name: str, occasion: Occasion) -> Rejection | None:
    """Let an APN lead to a PGW of the dedicated core only (guideline 1); a call for help goes to its own."""
    pgw = core.config.gateways.pgw_of(name)
    facts = {"name": pgw, "host": pgw, "listed": core.config.gateways.dedicated}
    if ue.emergency or (decision := core.site.decide(GATEWAY, ue.imsi, on=occasion, **facts)).admitted:
        return None
    return Rejection(EmmCause.ESM_FAILURE, decision.reason, EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED)


def choose_type(wanted: int, point: ApnConfiguration) -> tuple[GtpPdnType, EsmCause | None] | Rejection:
    """Return which kind of address is asked for, by the subscription, and why it is less than what the device wants."""
    asked = next((each for each in _KINDS if each == wanted), None)
    if asked is None:
        return demanded(demands.UNKNOWN_TYPE, f"PDN type {wanted}")
    has = _SUBSCRIBED[point.pdn_type]
    if asked is not PdnType.IPV4V6:
        if asked in has:
            return _KINDS[asked], None
        return demanded(demands.IPV4_ONLY if asked is PdnType.IPV6 else demands.IPV6_ONLY, "not by the subscription")
    if point.pdn_type is SubscribedType.IPV4_OR_IPV6:
        return GtpPdnType.IPV4, EsmCause.SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED
    if len(has) > 1:
        return GtpPdnType.IPV4V6, None
    return _KINDS[has[0]], _ONLY[has[0]]


def _asked(kind: GtpPdnType, addresses: tuple[str, ...]) -> Paa:
    """Return the addresses that are asked for: the card's static ones, else any."""
    four = next((each for each in addresses if ":" not in each), "0.0.0.0")  # noqa: S104 - nothing is bound to it
    six = next((each for each in addresses if ":" in each), "::")
    return Paa(kind, "" if kind is GtpPdnType.IPV6 else four, "" if kind is GtpPdnType.IPV4 else six)


def quality_of(point: ApnConfiguration) -> BearerQos:
    """Return the QoS of a default bearer by an APN."""
    # S6a counts the two the other way round: 0 is enabled there (TS 29.212 5.3.46, 5.3.47)
    arp = Arp(point.priority, not point.pre_emption_capability & 1, not point.pre_emption_vulnerability & 1)
    return BearerQos(point.qci, arp)


def rates_of(ue: UeContext, point: ApnConfiguration) -> Ambr:
    """Return the APN-AMBR in kbit/s."""
    data = ue.subscription
    up = point.ambr_ul or (data.ambr_ul if data is not None else _UNSAID)
    down = point.ambr_dl or (data.ambr_dl if data is not None else _UNSAID)
    return Ambr(up // 1000, down // 1000)


def _restricted(kind: GtpPdnType, answer: GtpMessage) -> EsmCause | None:
    """Return why the PGW gave less than both addresses (TS 29.274 8.4 causes 18 and 19, TS 24.301 6.2.2)."""
    if answer.cause == Cause.NEW_PDN_TYPE_DUE_TO_SINGLE_ADDRESS_BEARER_ONLY:
        return EsmCause.SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED
    if answer["paa"].pdn_type is kind:
        return None
    return _ONLY[PdnType.IPV4 if answer["paa"].pdn_type is GtpPdnType.IPV4 else PdnType.IPV6]


def refused(core: Core, answer: GtpMessage, apn: str, kind: GtpPdnType) -> Rejection:
    """Turn a gateway's refusal into the rejection of the device, by the table of causes; who refused decided."""
    rejection = rejection_of(core, answer, apn, "" if answer.cause in DECIDED else demands.REFUSED_BY_GATEWAY.clause)
    if answer.cause == Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED and kind is not GtpPdnType.IPV4V6:
        return replace(rejection, esm_cause=_ONLY[PdnType.IPV6 if kind is GtpPdnType.IPV4 else PdnType.IPV4])
    return rejection


def rejection_of(core: Core, answer: GtpMessage, apn: str, clause: str) -> Rejection:
    """Return the rejection for the answer of a gateway that refuses."""
    cause = answer["cause"]
    by = core.config.gateways.pgw_of(apn) if cause.remote else core.config.gateways.sgw
    esm = GTP_CAUSES.get(cause.value, EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW)
    reason = f"{by} answered {answer.name} with cause {cause_text(cause.value)}"
    return Rejection(EmmCause.ESM_FAILURE, reason, esm, clause=clause, by=by)


def take_tunnels(ue: UeContext, tunnels: Iterable[ErabTunnel | ErabAdmitted]) -> frozenset[int]:
    """Take note of the eNB's ends of the bearers' tunnels; return which these are."""
    taken = set()
    for tunnel in tunnels:
        bearer = ue.all_bearers.get(tunnel.e_rab_id)
        if bearer is not None:
            bearer.enb = s1.enb_end(tunnel.gtp_teid, tunnel.transport_layer_address)
            taken.add(bearer.identity)
            if isinstance(bearer, Dedicated) and not bearer.standing.done():
                bearer.standing.set_result(True)
    return frozenset(taken)


def activation(bearer: Bearer, request: Message) -> bytes:
    """Return the ACTIVATE DEFAULT EPS BEARER CONTEXT REQUEST that answers a PDN CONNECTIVITY REQUEST."""
    fields: dict[str, object] = {}
    fields["apn_ambr"] = encode_ambr(NasAmbr(bearer.ambr.downlink, bearer.ambr.uplink))
    if bearer.esm_cause is not None:
        fields["esm_cause"] = bearer.esm_cause
    if bearer.options:
        fields["protocol_configuration_options"] = bearer.options
    return encode(
        Message(
            MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST,
            eps_bearer_identity=bearer.identity,
            procedure_transaction_identity=request["procedure_transaction_identity"],
            eps_qos=EpsQos(bearer.qos.qci),
            access_point_name=bearer.apn,
            pdn_address=_pdn_address(bearer.paa),
            **fields,
        )
    )


def _pdn_address(paa: Paa) -> PdnAddress:
    """Return an address as NAS has it: of IPv6 the interface identifier (TS 24.301 9.9.4.9)."""
    kind = _TOLD[paa.pdn_type]
    identifier = ipaddress.IPv6Address(paa.ipv6).packed[8:] if kind is not PdnType.IPV4 else b""
    return PdnAddress(kind, paa.ipv4, identifier)


def rejection_container(core: Core, request: Message, cause: EsmCause) -> bytes:
    """Return the PDN CONNECTIVITY REJECT that goes with EMM cause #19."""
    return encode(
        Message(
            MessageType.PDN_CONNECTIVITY_REJECT,
            eps_bearer_identity=0,
            procedure_transaction_identity=request["procedure_transaction_identity"],
            esm_cause=cause,
            **back_off(core, cause),
        )
    )


def back_off(core: Core, cause: EsmCause | None) -> dict[str, float]:
    """Return how long a device is to leave a refused APN alone, where it would not by itself (6.5.1.4.3)."""
    said = core.config.causes.back_off.get(cause) if cause is not None else None
    if said is not None:
        return {"back_off_timer": said}
    seconds = core.config.timers.t3396
    return {"back_off_timer": seconds} if cause in _RESTING and seconds != DEFAULT_T3396 else {}


def initial_context_setup(conn: Connection, ue: UeContext, plain: bytes | None) -> None:
    """Initial context setup (TS 36.413 8.3.1): the keys of the radio and the bearer, with a NAS message inside."""
    security = ue.security
    assert security is not None  # noqa: S101 - what asked for this was protected by it
    pdu = nas_channel.protect(conn, plain) if plain is not None else None  # of an attach, which has one bearer
    items = tuple(s1.to_be_set_up(each, pdu) for each in ue.all_bearers.values())
    ies: dict[str, object] = {
        "ue_aggregate_maximum_bitrate": s1.aggregate_bit_rate(ue),
        "e_rab_to_be_setup_list_ctxt_su_req": items,
        "ue_security_capabilities": s1.security_capabilities(ue),
        "security_key": conn.kenb,
    }
    if ue.radio_capability is not None:
        ies["ue_radio_capability"] = ue.radio_capability
    s1.send(conn, "initial-context-setup-request", clear=plain, **ies)
    ue.next_hop, ue.next_hop_count = nh(security.kasme, conn.kenb), 1
    conn.context_set_up = True


def set_up_radio(conn: Connection, ue: UeContext, bearer: Bearer | Dedicated, plain: bytes) -> None:
    """Have an eNB set a further bearer up, with the NAS message that activates it (TS 36.413 8.2.1)."""
    s1.send(
        conn,
        "e-rab-setup-request",
        clear=plain,
        ue_aggregate_maximum_bitrate=s1.aggregate_bit_rate(ue),
        e_rab_to_be_setup_list_bearer_su_req=(s1.to_be_set_up(bearer, nas_channel.protect(conn, plain)),),
    )


def release_radio(conn: Connection, bearer: Bearer | Dedicated, plain: bytes | None = None) -> None:
    """Have an eNB release a bearer, with the NAS message that deactivates it (TS 36.413 8.2.3).

    Where a PDN connection ends with it, the UE-AMBR is that of the others.
    """
    told: dict[str, object] = {} if plain is None else {"nas_pdu": nas_channel.protect(conn, plain)}
    beside, ue = bearer.dedicated if isinstance(bearer, Bearer) else (), conn.ue
    assert ue is not None  # noqa: S101 - whose bearer it is
    if isinstance(bearer, Bearer) and ue.bearers.keys() - {bearer.identity}:
        told["ue_aggregate_maximum_bitrate"] = s1.aggregate_bit_rate(ue, without=bearer.identity)
    gone = tuple(ErabItem(each, CauseNas.NORMAL_RELEASE) for each in (bearer.identity, *beside))
    s1.send(conn, "e-rab-release-command", clear=plain, e_rab_to_be_released_list=gone, **told)
