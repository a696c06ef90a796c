"""Security mode control (TS 24.301 5.4.3): taking keys into use, and the IMEISV that comes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel, s1
from simulators.mme.demands import ATTACH_WITHOUT_ALGORITHM, demanded
from simulators.mme.procedures.identification import read_terminal
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.wire.nas.elements import NasAlgorithms, UeSecurityCapability
from simwarden.wire.nas.enums import MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.nas.security_header import SecurityHeaderType

if TYPE_CHECKING:
    from simulators.mme.config import Security
    from simulators.mme.contexts import Connection, Terminal, UeContext
    from simulators.mme.core import Core
    from simulators.mme.procedures.authentication import Keys
    from simwarden.wire.nas.elements import UeNetworkCapability

_NEW_CONTEXT = SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT
_ANSWERS = MessageType.SECURITY_MODE_COMPLETE, MessageType.SECURITY_MODE_REJECT


def choose_algorithms(policy: Security, capability: UeNetworkCapability) -> NasAlgorithms | None:
    """Return the first of the network's algorithms that the device has; None if there is no integrity algorithm.

    EIA0 is never chosen here (TS 33.401 5.1.4.1: unauthenticated emergency calls only).
    """
    eia = next((number for number in policy.integrity if capability.eia & 0x80 >> number), None)
    eea = next((number for number in policy.ciphering if capability.eea & 0x80 >> number), None)
    return None if eia is None or eea is None else NasAlgorithms(eea, eia)


async def secure(core: Core, conn: Connection, ue: UeContext, keys: Keys) -> Terminal | Rejection | None:
    """Take new keys into use; return the terminal, if it gave its IMEISV with that. Raises NoAnswer."""
    chosen = choose_algorithms(core.config.security, ue.capability)
    if chosen is None:
        return demanded(ATTACH_WITHOUT_ALGORITHM, "no NAS security algorithm in common")
    context = NasSecurityContext(keys.kasme, ksi=keys.ksi, eia=chosen.eia, eea=chosen.eea, is_network=True)
    return await _command(core, conn, ue, context)


async def secure_without_keys(core: Core, conn: Connection, ue: UeContext) -> Terminal | Rejection | None:
    """Let an emergency call of a device without valid keys go on under EIA0 and EEA0 (5.4.3.2, TS 33.401 15.2.2)."""
    return await _command(core, conn, ue, NasSecurityContext(bytes(32), ksi=0, eia=0, eea=0, is_network=True))


async def _command(
    core: Core, conn: Connection, ue: UeContext, context: NasSecurityContext
) -> Terminal | Rejection | None:
    command = encode(
        Message(
            MessageType.SECURITY_MODE_COMMAND,
            selected_nas_security_algorithms=NasAlgorithms(context.eea, context.eia),
            nas_key_set_identifier=context.ksi,
            replayed_ue_security_capabilities=UeSecurityCapability.replay(ue.capability, ue.gea),
            imeisv_request=1,
        )
    )
    conn.pending = context

    def transmit() -> None:
        pdu = context.protect(command, _NEW_CONTEXT)
        s1.send(conn, "downlink-nas-transport", nas_pdu=pdu, clear=command)

    answer = await nas_channel.ask(core, conn, transmit, "t3460", *_ANSWERS)
    conn.pending = None
    if answer.type is MessageType.SECURITY_MODE_REJECT:
        # 5.4.3.5: the procedure that asked for it ends; the device knows why
        reason = "the device rejected the security mode"
        return Rejection(answer["emm_cause"], reason, told=True, clause="TS 24.301 5.4.3.5")
    ue.security, ue.next_hop, ue.next_hop_count = context, b"", 0
    conn.security = context
    conn.kenb = context.kenb()
    identity = answer.get("imeisv")
    return read_terminal(identity.digits) if identity is not None else None
