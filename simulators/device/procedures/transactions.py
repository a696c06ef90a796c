"""What a UE asks session management for, one thing at a time, and how that ends (TS 24.301 6.3.2, 6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.device.state import ATTEMPTS, Procedure, Timer
from simwarden.wire.nas import Message, MessageType, RequestType
from simwarden.wire.uu import EstablishmentCause

if TYPE_CHECKING:
    from simulators.device.contexts import Emm

#: how long a request awaits its answer
TIMERS: Final = {
    MessageType.PDN_CONNECTIVITY_REQUEST: Timer.T3482,
    MessageType.PDN_DISCONNECT_REQUEST: Timer.T3492,
    MessageType.BEARER_RESOURCE_ALLOCATION_REQUEST: Timer.T3480,
    MessageType.BEARER_RESOURCE_MODIFICATION_REQUEST: Timer.T3481,
}


def start(emm: Emm, kind: MessageType, **fields: Any) -> None:
    """Ask session management for something, by a transaction of its own (6.5)."""
    emm.esm_pti = emm.esm_pti % 254 + 1
    ask(emm, Message(kind, procedure_transaction_identity=emm.esm_pti, **fields))


def ask(emm: Emm, request: Message) -> None:
    """Send a request, under its timer."""
    if emm.asked is not request:
        emm.asked, emm.asked_times = request, 0
    emm.asked_times += 1
    emm.start(TIMERS[request.type])
    emergency = request.get("request_type") == RequestType.EMERGENCY
    emm.send(request, EstablishmentCause.EMERGENCY if emergency else EstablishmentCause.MO_DATA)


def end(emm: Emm, message: Message, word: str) -> None:
    """Take note that a message of the network may answer what was asked for, and how."""
    asked = answered(emm, message)
    if asked is not None:
        tell(emm, asked, word)


def answered(emm: Emm, message: Message) -> Message | None:
    """Return the request that a message of the network answers, which is at its end with it."""
    asked = emm.asked
    if asked is None or message["procedure_transaction_identity"] != asked["procedure_transaction_identity"]:
        return None
    emm.asked = None
    emm.stop(*TIMERS.values())
    return asked


def procedure_of(asked: Message) -> Procedure:
    """Return what a request asks for."""
    if asked.type is not MessageType.PDN_CONNECTIVITY_REQUEST:
        found = asked.type is MessageType.PDN_DISCONNECT_REQUEST
        return Procedure.DISCONNECT if found else Procedure.BEARER_RESOURCES
    return Procedure.EMERGENCY_BEARER if asked["request_type"] is RequestType.EMERGENCY else Procedure.CONNECT


def tell(emm: Emm, asked: Message, word: str) -> None:
    """Say how a request ended."""
    procedure = procedure_of(asked)
    if procedure is Procedure.EMERGENCY_BEARER and word == "accepted":
        emm.observe("emergency_call", word)
    else:  # a call for help that is refused so goes on with an emergency attach
        emm.answer(procedure, word)


def give_up(emm: Emm, word: str) -> None:
    """Await an answer no more."""
    asked, emm.asked = emm.asked, None
    if asked is not None:
        emm.stop(*TIMERS.values())
        tell(emm, asked, word)


def on_unanswered(emm: Emm) -> None:
    """Ask again; the fifth time is the last (6.5.1.6 a, 6.5.2.5 a). A call for help is tried otherwise at once."""
    asked = emm.asked
    if asked is None:
        return
    if asked.get("request_type") is RequestType.EMERGENCY or emm.asked_times >= ATTEMPTS:
        give_up(emm, "no-answer")
    else:
        ask(emm, asked)


def on_reject(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """The network keeps a PDN connection, or has none (6.5.2.4), gives no bearer (6.5.3.4) or no other (6.5.4.4)."""
    emm.observe("esm_cause", message["esm_cause"])
    end(emm, message, "rejected")
