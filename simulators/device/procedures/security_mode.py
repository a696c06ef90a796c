"""Security mode control (TS 24.301 5.4.3): the network's choice of algorithms and keys, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.state import Timer
from simulators.device.terminal import CAPABILITY
from simwarden.errors import PeerError
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.wire import nas
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from simulators.device.contexts import Emm


def on_command(emm: Emm, pdu: bytes, message: nas.Message) -> None:
    """Take the context into use, and complete under it (5.4.3.3), or reject (5.4.3.5). Raises PeerError."""
    if message.type is not nas.MessageType.SECURITY_MODE_COMMAND:
        raise PeerError(f"{message.type.name} with a new security context")
    chosen: nas.NasAlgorithms = message["selected_nas_security_algorithms"]
    if not _acceptable(emm, chosen) or message["replayed_ue_security_capabilities"] != _replayed(message):
        _reject(emm, nas.EmmCause.UE_SECURITY_CAPABILITIES_MISMATCH)
        return
    context = _context(emm, message["nas_key_set_identifier"] & 7, chosen)
    try:
        if context is not None:
            context.unprotect(pdu)
    except PeerError as error:
        emm.radio.fault(error.reason, pdu)
        context = None
    if context is None:
        _reject(emm, nas.EmmCause.SECURITY_MODE_REJECTED_UNSPECIFIED)
        return
    emm.security, emm.candidate, emm.secure = context, None, True
    emm.stop(Timer.T3416)
    complete = nas.Message(nas.MessageType.SECURITY_MODE_COMPLETE)
    if message.get("imeisv_request") == 1 and emm.terminal.gives_imeisv:
        complete.fields["imeisv"] = nas.MobileIdentity(nas.IdentityType.IMEISV, emm.terminal.network.imeisv)
    plain = nas.encode(complete)
    kind = nas.SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED_NEW_CONTEXT
    emm.transmit(context.protect(plain, kind), plain, EstablishmentCause.MO_SIGNALLING)


def _acceptable(emm: Emm, chosen: nas.NasAlgorithms) -> bool:
    if chosen.eia == 0:
        # 4.4.4.1: the null integrity algorithm is for emergency calls that cannot be authenticated, only.
        return emm.attach_type == nas.AttachType.EPS_EMERGENCY_ATTACH and chosen.eea == 0
    return CAPABILITY.supports(chosen.eea, chosen.eia)


def _replayed(message: nas.Message) -> nas.UeSecurityCapability:
    """Return what must have been repeated: nothing about GSM and UMTS was said, so that zeros there are no lie."""
    expected = nas.UeSecurityCapability.replay(CAPABILITY)
    repeated: nas.UeSecurityCapability = message["replayed_ue_security_capabilities"]
    return expected if any(repeated.rest) else expected._replace(rest=repeated.rest)


def _context(emm: Emm, ksi: int, chosen: nas.NasAlgorithms) -> NasSecurityContext | None:
    candidate, current = emm.candidate, emm.security
    counts = {}
    if chosen.eia == 0:
        key = bytes(32)  # nobody was authenticated (TS 33.401 15.2.2.2)
    elif candidate is not None and candidate.kasme and candidate.ksi == ksi:
        key = candidate.kasme
    elif current is not None and current.ksi == ksi:
        # The same key under other algorithms: the COUNTs go on (4.4.3.1).
        key, counts = current.kasme, {"ul_count": current.ul_count, "dl_count": current.dl_count}
    else:
        return None
    return NasSecurityContext(key, ksi=ksi, eia=chosen.eia, eea=chosen.eea, is_network=False, **counts)


def _reject(emm: Emm, cause: nas.EmmCause) -> None:
    emm.send(nas.Message(nas.MessageType.SECURITY_MODE_REJECT, emm_cause=cause))
