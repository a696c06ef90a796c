"""What comes up from devices: security first (TS 24.301 4.4.4.3), then the procedure that the message belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.mme import demands
from simulators.mme.clients import nas_channel
from simulators.mme.contexts import EmmState
from simulators.mme.demands import demanded
from simulators.mme.procedures import (
    attach,
    bearer_resources,
    detach,
    pdn_connectivity,
    service_request,
    short_message,
    tracking_area_update,
)
from simulators.mme.procedures.enforcement import enforce
from simulators.mme.procedures.release import release, run
from simwarden.errors import PeerError
from simwarden.wire.nas.enums import EmmCause, IdentityType, MessageType, ServiceType
from simwarden.wire.nas.message import Message, decode
from simwarden.wire.nas.security_header import SecurityHeaderType, header_type, split
from simwarden.wire.s1ap import CauseNas

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simulators.mme.contexts import Connection, UeContext
    from simulators.mme.core import Core
    from simwarden.runtime.declare import Demand
    from simwarden.wire.s1ap.values import STmsi

_T = MessageType
#: processed although nothing protects them, or their protection fails, until the exchange is secure (4.4.4.3)
_UNPROTECTED = frozenset(
    {
        _T.ATTACH_REQUEST,
        _T.IDENTITY_RESPONSE,
        _T.AUTHENTICATION_RESPONSE,
        _T.AUTHENTICATION_FAILURE,
        _T.SECURITY_MODE_REJECT,
        _T.DETACH_REQUEST,
        _T.DETACH_ACCEPT,
        _T.TRACKING_AREA_UPDATE_REQUEST,
        _T.EXTENDED_SERVICE_REQUEST,
    }
)
_NEW_CONTEXT = (
    SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT,
    SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT,
)


class Opened(NamedTuple):
    """A message taken out of its protection: `verified` by the keys of `known`, whom an initial message names."""

    message: Message
    plain: bytes
    verified: bool
    known: UeContext | None


def receive(core: Core, conn: Connection, pdu: bytes, s_tmsi: STmsi | None = None) -> None:
    """Take a NAS message from a device. Whatever its octets are, this returns; faults are in the trace."""
    if conn.releasing:
        return
    try:
        if header_type(pdu) is SecurityHeaderType.SERVICE_REQUEST:
            _take_service_request(core, conn, pdu, s_tmsi)
            return
        opened = _open(core, conn, pdu, s_tmsi)
    except PeerError as error:
        core.site.peer_fault(conn.enb.link, error.reason, pdu)
        _answer_fault(core, conn, pdu, error)
        return
    _dispatch(core, conn, opened)


# -- security


def _open(core: Core, conn: Connection, pdu: bytes, s_tmsi: STmsi | None) -> Opened:
    kind = header_type(pdu)
    if kind is SecurityHeaderType.PLAIN:
        if conn.security is not None:
            raise PeerError("plain NAS message although messages are exchanged securely: discarded")
        message = decode(pdu, uplink=True)
        _check_unprotected(conn, message)
        return Opened(message, pdu, verified=False, known=_named(core, conn, message, s_tmsi))
    if kind in _NEW_CONTEXT:
        if conn.pending is None:
            raise PeerError("NAS message under a new security context that was not offered")
        plain = conn.pending.unprotect(pdu)
        return Opened(decode(plain, uplink=True), plain, verified=True, known=conn.ue)
    if conn.security is not None:
        plain = conn.security.unprotect(pdu)
        message = decode(plain, uplink=True)
        _check_not_new(message)
        return Opened(message, plain, verified=True, known=conn.ue)
    return _open_first(core, conn, pdu, s_tmsi)


def _open_first(core: Core, conn: Connection, pdu: bytes, s_tmsi: STmsi | None) -> Opened:
    """Open a protected message before the exchange is secure: with the keys of the context that it names, if any.

    Such a message is not ciphered (4.4.5). If its protection cannot be verified it counts as unprotected.
    """
    plain = split(pdu).payload
    message = decode(plain, uplink=True)
    _check_not_new(message)
    known = _named(core, conn, message, s_tmsi)
    security = known.security if known is not None else None
    if security is not None and message.get("nas_key_set_identifier", security.ksi) & 7 == security.ksi:
        try:
            security.unprotect(pdu)
        except PeerError as error:
            core.site.peer_fault(conn.enb.link, error.reason, pdu)
        else:
            conn.security, conn.ue, conn.kenb = security, known, security.kenb()
            return Opened(message, plain, verified=True, known=known)
    _check_unprotected(conn, message)
    return Opened(message, plain, verified=False, known=known)


def _named(core: Core, conn: Connection, message: Message, s_tmsi: STmsi | None) -> UeContext | None:
    """Return the context whose device a message claims to be from."""
    if message.type is _T.TRACKING_AREA_UPDATE_REQUEST:
        return core.find(message["old_guti"])
    if message.type is _T.EXTENDED_SERVICE_REQUEST:
        return _by_s_tmsi(core, s_tmsi)
    if message.type in (_T.ATTACH_REQUEST, _T.DETACH_REQUEST):
        identity = message["eps_mobile_identity"]
        if identity.guti is not None:
            return core.find(identity.guti)
        return core.by_imsi.get(identity.digits) if message.type is _T.DETACH_REQUEST else None
    return conn.ue


def _by_s_tmsi(core: Core, s_tmsi: STmsi | None) -> UeContext | None:
    if s_tmsi is None or s_tmsi.mmec != core.config.mme_code:
        return None
    return core.by_m_tmsi.get(s_tmsi.m_tmsi)


def _check_unprotected(conn: Connection, message: Message) -> None:
    """Raise PeerError for a message that must be protected."""
    if message.type not in _UNPROTECTED:
        raise PeerError(f"{message.type.name} without protection: discarded")
    if message.type is _T.IDENTITY_RESPONSE and conn.identity_asked is not IdentityType.IMSI:
        raise PeerError("an identity other than the IMSI without protection: discarded")


def _check_not_new(message: Message) -> None:
    """Raise PeerError for a SECURITY MODE COMPLETE under other keys than those it is to complete (5.4.3.3)."""
    if message.type is _T.SECURITY_MODE_COMPLETE:
        raise PeerError("SECURITY_MODE_COMPLETE that is not under the new security context: discarded")


def _answer_fault(core: Core, conn: Connection, pdu: bytes, error: PeerError) -> None:
    """Answer faulty octets (TS 24.301 7): a reject for a request that is one, an EMM STATUS where a cause is known."""
    if error.code is not None and conn.security is None and conn.procedure is None:
        plain = pdu if header_type(pdu) is SecurityHeaderType.PLAIN else pdu[6:]
        cause = EmmCause(error.code)
        if plain[1:2] == bytes([_T.ATTACH_REQUEST]):
            attach.reject(core, conn, replace(demanded(demands.ATTACH_FAULTY, error.reason), emm_cause=cause), None)
            return
        if plain[1:2] == bytes([_T.TRACKING_AREA_UPDATE_REQUEST]):
            rejection = replace(demanded(demands.UPDATE_FAULTY, error.reason), emm_cause=cause)
            tracking_area_update.reject(core, conn, None, rejection)
            return
    if error.code is not None:
        nas_channel.send(conn, Message(_T.EMM_STATUS, emm_cause=EmmCause(error.code)))
    if conn.ue is None and conn.procedure is None:
        release(core, conn, CauseNas.UNSPECIFIED)


# -- procedures


def _dispatch(core: Core, conn: Connection, opened: Opened) -> None:
    message = opened.message
    if nas_channel.deliver(conn, message):
        return
    if message.type is _T.ATTACH_REQUEST:
        _attach(core, conn, opened)
    elif message.type is _T.TRACKING_AREA_UPDATE_REQUEST:
        work = tracking_area_update.update(core, conn, message, opened.known, verified=opened.verified)
        _run(core, conn, work, "tracking area update", beside_sessions=True)  # its bearers are not begun anew
    elif message.type is _T.DETACH_REQUEST:
        work = detach.detach_by_device(core, conn, message, opened.known, verified=opened.verified)
        _run(core, conn, work, "detach")
    elif message.type is _T.EXTENDED_SERVICE_REQUEST:
        _extended_service_request(core, conn, opened)
    else:
        _without_procedure(core, conn, opened)


def _run(
    core: Core, conn: Connection, work: Coroutine[Any, Any, None], what: str, *, beside_sessions: bool = False
) -> None:
    """Run a procedure; the cell that its device moved to meanwhile is asked about after it."""

    async def then_judge() -> None:
        await work
        moved, conn.moved = conn.moved, None
        if conn.ue is not None:
            if moved is not None:
                enforce(core, conn.ue, moved)
            short_message.reached(core, conn.ue)

    run(core, conn, then_judge(), what, beside_sessions=beside_sessions)


def _attach(core: Core, conn: Connection, opened: Opened) -> None:
    """Start an attach; one that is under way goes on if this is a repetition, else ends (5.5.1.2.7 d and e)."""
    if opened.plain == conn.attach_request:
        if conn.repeat_accept is not None:
            conn.repeat_accept()
        return
    known, verified = opened.known, opened.verified
    if known is not None and not known.proven:
        # an emergency call without authentication vouches for nobody: its keys are known to everybody
        known, verified, conn.security = None, False, None
    work = attach.attach(core, conn, opened.message, known, verified=verified)
    _run(core, conn, work, "attach")
    conn.attach_request = opened.plain


def _take_service_request(core: Core, conn: Connection, pdu: bytes, s_tmsi: STmsi | None) -> None:
    """SERVICE REQUEST: its short MAC must verify, else #9 and nothing changes (4.4.4.3)."""
    if conn.security is not None:
        raise PeerError("service request on a connection that is established")
    ue = _by_s_tmsi(core, s_tmsi)
    if ue is None:
        _refuse_service(core, conn, demands.SERVICE_WITHOUT_CONTEXT, "no context has this S-TMSI")
        return
    try:
        message = decode(pdu, uplink=True)
        if message["nas_key_set_identifier"] != ue.keys.ksi:
            raise PeerError("service request under a key set that is not in use")  # noqa: TRY301 - same answer as below
        ue.keys.verify_service_request(pdu)
    except PeerError as error:
        core.site.peer_fault(conn.enb.link, error.reason, pdu)
        _refuse_service(core, conn, demands.SERVICE_WITHOUT_CONTEXT, error.reason)
        return
    _serve(core, conn, ue)


def _serve(core: Core, conn: Connection, ue: UeContext) -> None:
    if detach.answer_call(core, conn, ue):
        return
    if ue.state is not EmmState.REGISTERED:
        _refuse_service(core, conn, demands.SERVICE_WHILE_DETACHED, "the device was detached meanwhile")
        return
    conn.ue, conn.security, conn.kenb = ue, ue.keys, ue.keys.kenb()
    _run(core, conn, service_request.serve(core, conn, ue), "service request")


def _refuse_service(core: Core, conn: Connection, demand: Demand, reason: str) -> None:
    service_request.reject(core, conn, None, demanded(demand, reason))


def _extended_service_request(core: Core, conn: Connection, opened: Opened) -> None:
    """Packet services by the extended request are a service request; there are no circuit-switched ones (5.6.1.5)."""
    if opened.known is None or not opened.verified:
        _refuse_service(core, conn, demands.SERVICE_WITHOUT_CONTEXT, "nothing proves the device")
    elif opened.message["service_type"] < ServiceType.PACKET_SERVICES_VIA_S1:
        _refuse_service(core, conn, demands.NO_CIRCUIT_SWITCHING, "no circuit-switched services")
    else:
        _serve(core, conn, opened.known)


_BESIDE: dict[MessageType, Callable[[Core, Connection, UeContext, Message], None]] = {
    _T.UPLINK_NAS_TRANSPORT: short_message.uplink,
    _T.PDN_CONNECTIVITY_REQUEST: pdn_connectivity.connect,
    _T.PDN_DISCONNECT_REQUEST: pdn_connectivity.disconnect,
    _T.BEARER_RESOURCE_ALLOCATION_REQUEST: bearer_resources.request,
    _T.BEARER_RESOURCE_MODIFICATION_REQUEST: bearer_resources.request,
}


def _without_procedure(core: Core, conn: Connection, opened: Opened) -> None:
    """A message that nothing waits for: some have procedures beside it, reports are noted, the rest is wrong."""
    message, ue = opened.message, conn.ue
    if message.type in _BESIDE and ue is not None and ue.state is EmmState.REGISTERED:
        _BESIDE[message.type](core, conn, ue, message)
    elif message.type in (_T.EMM_STATUS, _T.ESM_STATUS):
        cause = message.get("emm_cause", message.get("esm_cause"))
        core.site.note(f"{message.type.name} from the device", imsi=conn.ue.imsi if conn.ue else "", cause=cause)
    else:
        core.site.peer_fault(conn.enb.link, f"{message.type.name} that nothing waits for", opened.plain)
        if opened.verified and not message.type.is_esm:
            cause = EmmCause.MESSAGE_TYPE_NOT_COMPATIBLE_WITH_THE_PROTOCOL_STATE
            nas_channel.send(conn, Message(_T.EMM_STATUS, emm_cause=cause))
        if conn.ue is None and conn.procedure is None:
            release(core, conn, CauseNas.UNSPECIFIED)
