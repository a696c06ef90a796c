"""Authentication (TS 24.301 5.4.2) with vectors from the HSS (TS 29.272 5.2.3.1)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from simulators.mme.causes import Rejection
from simulators.mme.clients import nas_channel
from simulators.mme.clients.home import vector_of
from simulators.mme.controls import EMERGENCY, REGISTER, Occasion
from simulators.mme.demands import NOT_AUTHENTICATED
from simulators.mme.procedures.identification import ask_identity
from simulators.mme.procedures.location import refusal_of
from simwarden.wire.nas.enums import NO_KEY, EmmCause, IdentityType, MessageType
from simwarden.wire.nas.message import Message

if TYPE_CHECKING:
    from simulators.mme.clients.home import Vector
    from simulators.mme.contexts import Connection, UeContext
    from simulators.mme.core import Core
    from simwarden.policy.decision import Decision

_ANSWERS = MessageType.AUTHENTICATION_RESPONSE, MessageType.AUTHENTICATION_FAILURE
_ATTEMPTS = 3


class Keys:
    """What an authentication gives: KASME and its key set identifier. Never shown."""

    __slots__ = ("kasme", "ksi")

    def __init__(self, kasme: bytes, ksi: int) -> None:
        self.kasme, self.ksi = kasme, ksi


async def authenticate(core: Core, conn: Connection, ue: UeContext, *, by_guti: bool) -> Keys | Rejection:
    """Let a card prove who it is. Raises NoAnswer.

    `by_guti` says that the IMSI was taken from a GUTI: where the proof fails the device is asked for its IMSI, and the
    other card that it may be is authenticated instead (5.4.2.5, 5.4.2.7 d). An SQN out of range is resynchronised once.
    """
    resynchronisation = b""
    for _ in range(_ATTEMPTS):
        answer = await core.home.authentication_information(ue.imsi, resynchronisation)
        rejection = refusal_of(core, ue, answer, Occasion.VECTORS)
        if rejection is not None:
            return rejection
        vector = vector_of(answer) if answer is not None else None
        if vector is None:
            reason = "the HSS gave no authentication vector"
            core.site.decide(REGISTER, ue.imsi, on=Occasion.VECTORS, reachable=False, reason=reason)
            return core.temporary(reason)
        ksi = _next_ksi(core, conn, ue)
        response = await _challenge(core, conn, vector, ksi)
        if response.type is MessageType.AUTHENTICATION_RESPONSE:
            if hmac.compare_digest(response["res"], vector.xres):
                return Keys(vector.kasme, ksi)
        elif response["emm_cause"] == EmmCause.SYNCH_FAILURE:
            parameter = response.get("authentication_failure_parameter")
            if parameter is None or resynchronisation:
                break
            resynchronisation = vector.rand + parameter
            continue
        if not by_guti or not await _is_another(core, conn, ue):
            break
        by_guti = False
    if ue.emergency and serves_unproven(core, ue).admitted:
        return Rejection(EmmCause.ILLEGAL_UE, "authentication failed")  # the call goes on without (5.4.2.5)
    message, clause = NOT_AUTHENTICATED.message, NOT_AUTHENTICATED.clause
    core.site.reject(message, None, "authentication failed", subject=ue.imsi, clause=clause)
    nas_channel.send(conn, Message(MessageType.AUTHENTICATION_REJECT))
    return Rejection(EmmCause.ILLEGAL_UE, "authentication failed", told=True)


def serves_unproven(core: Core, ue: UeContext) -> Decision:
    """Decide whether an emergency call goes on of a card that has not proven itself, or of none."""
    facts = {"allowed": core.config.emergency.allowed, "proven": False}
    return core.site.decide(EMERGENCY, ue.imsi, on=Occasion.UNPROVEN, **facts)


async def _challenge(core: Core, conn: Connection, vector: Vector, ksi: int) -> Message:
    request = Message(
        MessageType.AUTHENTICATION_REQUEST, nas_key_set_identifier=ksi, rand=vector.rand, autn=vector.autn
    )
    return await nas_channel.ask(core, conn, request, "t3460", *_ANSWERS)


async def _is_another(core: Core, conn: Connection, ue: UeContext) -> bool:
    """Ask for the IMSI; whether it is another one than the GUTI stood for. The context becomes that card's."""
    imsi = await ask_identity(core, conn, IdentityType.IMSI)
    if not imsi or imsi == ue.imsi:
        return False
    ue.imsi = imsi
    return True


def _next_ksi(core: Core, conn: Connection, ue: UeContext) -> int:
    """Return a key set identifier that names no keys of the device's (4.4.2.1)."""
    known = core.by_imsi.get(ue.imsi)
    used = {context.ksi for context in (ue.security, known.security if known else None, conn.pending) if context}
    last = max(used, default=NO_KEY - 1)
    return (last + 1) % NO_KEY
