"""Authentication (TS 24.301 5.4.2): the card decides, the terminal carries the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.clients.card import CardGoneError
from simulators.device.contexts import Candidate
from simulators.device.procedures.refusal import apply
from simulators.device.rejects import REACTIONS
from simulators.device.state import Procedure, Timer
from simwarden.errors import PeerError
from simwarden.machine.eps_keys import kasme
from simwarden.wire.apdu.status import StatusWord, explain
from simwarden.wire.nas import EmmCause, Message, MessageType

if TYPE_CHECKING:
    from simulators.device.contexts import Emm
    from simwarden.wire.apdu.authenticate import AuthenticateResponse

_NOT_GENUINE_AFTER = 3
"""Consecutive failures after which the network is held not to be genuine (5.4.2.7 f)."""


def on_request(emm: Emm, message: Message, _protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Have the card answer the challenge (5.4.2.3)."""
    rand, autn = message["rand"], message["autn"]
    known = emm.candidate
    if known is not None and known.res and known.rand == rand:
        # The network repeats a challenge that was answered: the answer is repeated without the card (T3416).
        emm.send(Message(MessageType.AUTHENTICATION_RESPONSE, res=known.res))
        return
    emm.candidate = Candidate(message["nas_key_set_identifier"] & 7, rand, autn)
    if not autn[6] & 0x80:
        # 5.4.2.6 d: the AMF's separation bit says that the vector is not one for EPS.
        _failure(emm, EmmCause.NON_EPS_AUTHENTICATION_UNACCEPTABLE, Timer.T3418)
        return
    emm.site.spawn(_ask_card(emm, rand, autn), "authentication by the card")


async def _ask_card(emm: Emm, rand: bytes, autn: bytes) -> None:
    session = emm.session
    if session is None:
        return
    try:
        answer = await session.authenticate(rand, autn)
    except CardGoneError as error:
        emm.site.note(f"the card cannot answer: {error}")
    except PeerError as error:
        emm.site.peer_fault(session.link, error.reason)
    else:
        on_card_answer(emm, rand, answer)


def on_card_answer(emm: Emm, rand: bytes, answer: AuthenticateResponse | int) -> None:
    """Go on with what the card said: an answer, or the status word with which it refused."""
    candidate = emm.candidate
    if candidate is None or candidate.rand != rand or not emm.wired or emm.cell is None:
        return
    if isinstance(answer, int):
        _refused_by_card(emm, answer)
    elif answer.auts:
        _failure(emm, EmmCause.SYNCH_FAILURE, Timer.T3420, answer.auts)
    else:
        emm.stop(Timer.T3418, Timer.T3420)
        emm.authentication_failures = 0
        candidate.res = answer.res
        candidate.kasme = kasme(answer.ck, answer.ik, emm.cell.tai.plmn, candidate.autn[:6])
        emm.start(Timer.T3416)
        emm.send(Message(MessageType.AUTHENTICATION_RESPONSE, res=answer.res))


def _refused_by_card(emm: Emm, status_word: int) -> None:
    if status_word == StatusWord.AUTHENTICATION_ERROR_MAC:
        _failure(emm, EmmCause.MAC_FAILURE, Timer.T3418)
        return
    # The specification has no cause for a card that will not: a terminal can only say that the check failed.
    emm.site.note(f"the card refuses to authenticate: {explain(status_word)}", status_word=status_word)
    _failure(emm, EmmCause.MAC_FAILURE, Timer.T3418)
    if emm.calls_for_help:
        return  # the network may go on without authentication (5.4.2.7)
    emm.fail("card-refused")


def _failure(emm: Emm, cause: EmmCause, timer: Timer, auts: bytes = b"") -> None:
    emm.candidate = None
    emm.authentication_failures += 1
    message = Message(MessageType.AUTHENTICATION_FAILURE, emm_cause=cause)
    if auts:
        message.fields["authentication_failure_parameter"] = auts
    emm.send(message)
    if emm.authentication_failures >= _NOT_GENUINE_AFTER:
        on_not_genuine(emm)
    else:
        emm.start(timer)


def on_not_genuine(emm: Emm) -> None:
    """Leave a network that does not prove itself (5.4.2.7, and T3418 and T3420 running out), but in an emergency."""
    emm.authentication_failures = 0
    emm.stop(Timer.T3418, Timer.T3420)
    if emm.calls_for_help:
        return
    emm.site.note("the network has not proved itself, the connection is dropped")
    emm.drop_connection()


def on_reject(emm: Emm, _message: Message, protected: bool) -> None:  # noqa: FBT001 - the signature of a handler
    """Hold the card invalid (5.4.2.5); without integrity protection T3247 gives it back."""
    emm.stop(Timer.T3410, Timer.T3416, Timer.T3417, Timer.T3418, Timer.T3420, Timer.T3421, Timer.T3430)
    emm.site.note("AUTHENTICATION REJECT")
    if emm.honours_rejects:
        illegal = EmmCause.ILLEGAL_UE  # what the reject amounts to
        apply(emm, REACTIONS[Procedure.ATTACH][illegal], illegal, protected=protected)
        emm.finish("rejected")
    else:
        emm.fail("rejected")
    if emm.wired:
        emm.start(Timer.T3440)


def on_t3416(emm: Emm) -> None:
    """Forget the answered challenge."""
    if emm.candidate is not None:
        emm.candidate.res = b""
