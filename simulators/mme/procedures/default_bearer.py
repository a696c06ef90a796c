"""The default bearer (TS 24.301 6.4.1, 6.5.1). There is no gateway yet: addresses and tunnels are a local stub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel, s1
from simulators.mme.contexts import AccessPoint, Bearer
from simulators.mme.controls import ACCESS_POINT, Occasion
from simulators.mme.demands import NO_ACCESS_POINT, NO_ADDRESS, NO_PDN_REQUEST, WRONG_PDN_REQUEST, demanded
from simwarden.errors import PeerError
from simwarden.machine.eps_keys import nh
from simwarden.wire.nas.elements import EpsQos, PdnAddress
from simwarden.wire.nas.enums import EmmCause, EsmCause, MessageType, PdnType
from simwarden.wire.nas.message import Message, decode, encode
from simwarden.wire.s1ap.values import ErabToBeSetup

if TYPE_CHECKING:
    from simulators.mme.contexts import Connection, Subscription, UeContext
    from simulators.mme.core import Core
    from simwarden.policy.decision import Decision

DEFAULT_BEARER = 5
#: what an access point name may look like (TS 23.003 9.1): labels of up to 63 letters, digits and hyphens
_NAME = re.compile(r"(?=.{1,99}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


def read_request(container: bytes) -> Message | Rejection:
    """Read the PDN CONNECTIVITY REQUEST of an attach request."""
    try:
        request = decode(container, uplink=True)
    except PeerError as error:
        return demanded(NO_PDN_REQUEST, error.reason)
    if request.type is not MessageType.PDN_CONNECTIVITY_REQUEST:
        return demanded(WRONG_PDN_REQUEST, f"{request.type.name} in an attach request")
    return request


async def requested_name(core: Core, conn: Connection, request: Message) -> str:
    """Return the access point name that the device wants, empty for the default; asks for it if it was held back.

    Devices send it only when it is ciphered (6.6.1.2). Raises NoAnswer.
    """
    name = request.get("access_point_name", "")
    if not request.get("esm_information_transfer_flag", 0) & 1:
        return str(name)
    ask = Message(
        MessageType.ESM_INFORMATION_REQUEST,
        eps_bearer_identity=0,
        procedure_transaction_identity=request["procedure_transaction_identity"],
    )
    answer = await nas_channel.ask(core, conn, ask, "t3489", MessageType.ESM_INFORMATION_RESPONSE)
    return str(answer.get("access_point_name", ""))


def choose_access_point(core: Core, ue: UeContext, requested: str) -> tuple[str, AccessPoint] | Rejection:
    """Return the name and quality of the default bearer's access point, by the card's subscription."""
    if ue.emergency:
        return core.config.emergency.apn, AccessPoint(core.config.emergency.apn, qci=5, priority=1)
    data = ue.subscription
    default = data.default_apn if data else None
    name = requested or (default.name if default else "")
    if data is None or not _NAME.fullmatch(name):
        return demanded(NO_ACCESS_POINT, "no access point is known")
    decision = _judge(core, ue, data, name, Occasion.ATTACH)
    if not decision.admitted:
        return Rejection(EmmCause.ESM_FAILURE, decision.reason, EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED)
    return name, data.find(name) or AccessPoint(name)


def access_point_lost(core: Core, ue: UeContext, occasion: Occasion) -> Rejection | None:
    """Ask whether the APN in use is still subscribed; a device that loses it has to attach anew (#10)."""
    if ue.bearer is None or ue.emergency or ue.subscription is None:
        return None
    decision = _judge(core, ue, ue.subscription, ue.bearer.apn, occasion)
    return None if decision.admitted else Rejection(EmmCause.IMPLICITLY_DETACHED, decision.reason)


def _judge(core: Core, ue: UeContext, data: Subscription, name: str, occasion: Occasion) -> Decision:
    subscribed = [point.name for point in data.access_points.values()]
    return core.site.decide(ACCESS_POINT, ue.imsi, on=occasion, requested=name, subscribed=subscribed)


def set_up(core: Core, ue: UeContext, name: str, point: AccessPoint) -> Bearer | Rejection:
    """Give the device its default bearer: an address and a tunnel of the local stub."""
    address = core.addresses.take()
    if not address:
        return demanded(NO_ADDRESS, "no address is left")
    ue.bearer = Bearer(DEFAULT_BEARER, name, address, point, core.new_teid())
    core.site.note("default bearer by a local stub, not a gateway", imsi=ue.imsi, apn=name, address=address)
    return ue.bearer


def activation(bearer: Bearer, request: Message) -> bytes:
    """Return the ACTIVATE DEFAULT EPS BEARER CONTEXT REQUEST that answers a PDN CONNECTIVITY REQUEST."""
    fields: dict[str, object] = {}
    if request["pdn_type"] in (PdnType.IPV6, PdnType.IPV4V6):
        fields["esm_cause"] = EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED
    return encode(
        Message(
            MessageType.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST,
            eps_bearer_identity=bearer.identity,
            procedure_transaction_identity=request["procedure_transaction_identity"],
            eps_qos=EpsQos(bearer.point.qci),
            access_point_name=bearer.apn,
            pdn_address=PdnAddress(PdnType.IPV4, bearer.address),
            **fields,
        )
    )


def rejection_container(request: Message, cause: EsmCause) -> bytes:
    """Return the PDN CONNECTIVITY REJECT that goes with EMM cause #19."""
    return encode(
        Message(
            MessageType.PDN_CONNECTIVITY_REJECT,
            eps_bearer_identity=0,
            procedure_transaction_identity=request["procedure_transaction_identity"],
            esm_cause=cause,
        )
    )


def initial_context_setup(core: Core, conn: Connection, ue: UeContext, plain: bytes | None) -> None:
    """Initial context setup (TS 36.413 8.3.1): the keys of the radio and the bearer, with a NAS message inside."""
    bearer, security = ue.bearer, ue.security
    if bearer is None or security is None:
        return
    pdu = nas_channel.protect(conn, plain) if plain is not None else None
    ies: dict[str, object] = {
        "ue_aggregate_maximum_bitrate": s1.aggregate_bit_rate(ue),
        "e_rab_to_be_setup_list_ctxt_su_req": (
            ErabToBeSetup(bearer.identity, s1.quality(bearer), s1.user_plane(core), bearer.uplink_teid, pdu),
        ),
        "ue_security_capabilities": s1.security_capabilities(ue),
        "security_key": conn.kenb,
    }
    if ue.radio_capability is not None:
        ies["ue_radio_capability"] = ue.radio_capability
    s1.send(conn, "initial-context-setup-request", clear=plain, **ies)
    ue.next_hop, ue.next_hop_count = nh(security.kasme, conn.kenb), 1
    conn.context_set_up = True
