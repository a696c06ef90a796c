"""Credit control: sessions (RFC 8506 5, TS 32.299 6.3.4 to 6.3.6) and events (RFC 8506 6, TS 32.299 6.3.3).

An answer leaves when all that it tells is stored. The same request, known by Session-Id and number, gets its answer
again and counts once, also after a restart. Requests of a session that come at once are served one after the other: a
gateway may report of each rating group by itself, and end a session before it has all answers.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Final

from simulators.ocs import controls
from simulators.ocs.procedures.event import event
from simulators.ocs.procedures.rating import Rating, network_of, results
from simulators.ocs.procedures.units import service_of
from simulators.ocs.service import Service
from simulators.ocs.store import Session
from simwarden.runtime.store import StoreUnavailableError
from simwarden.wire.diameter import DiameterError, ResultCode, encode, first
from simwarden.wire.diameter.apps.credit import CcRequestType, FailureHandling, SubscriptionIdType
from simwarden.wire.diameter.codec import HEADER_LENGTH
from simwarden.wire.diameter.credit import GROUPS, repeat_answer

if TYPE_CHECKING:
    from simulators.ocs.card import QuotaCard
    from simulators.ocs.core import Core
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Avps, Message

_OCCASIONS: Final = {
    CcRequestType.INITIAL_REQUEST: controls.INITIAL,
    CcRequestType.UPDATE_REQUEST: controls.UPDATE,
}
_BEGIN: Final = frozenset({CcRequestType.INITIAL_REQUEST, CcRequestType.EVENT_REQUEST})


async def credit_control(core: Core, asked: Message, _peer: Peer) -> Message:
    """Serve a CCR. Raises DiameterError for one that is out of its place, StoreError where it cannot be kept."""
    async with core.turn(asked.get("Session-Id")):
        return await _in_its_turn(core, asked)


async def _in_its_turn(core: Core, asked: Message) -> Message:
    core.give_up()
    kind, number = CcRequestType(asked.get("CC-Request-Type")), asked.get("CC-Request-Number")
    held = core.store.session(asked.get("Session-Id"))
    known = held if held is not None and held.host == asked.get("Origin-Host") else None  # another node's is none of it
    if known is not None and known.number == number:
        core.site.note(f"request {number} of session {known.session} comes again", imsi=known.imsi)
        return repeat_answer(known.answer, asked)
    if held is not None and kind in _BEGIN:  # whosever: another's is not taken over
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, "the session has begun", _named(asked))
    if kind is CcRequestType.UPDATE_REQUEST if held is None else known is None or known.over:
        return core.node.answer(asked, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
    if known is not None and number < known.number:
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, "a later request came before", _named(asked))
    service, card = _service(asked), _card(core, asked)
    if service is None:
        reason, failed = "no such service is charged here", [("Service-Context-Id", asked.get("Service-Context-Id"))]
        return core.node.answer(asked, ResultCode.DIAMETER_RATING_FAILED, reason=reason, failed=failed)
    if card is None or (known is not None and (known.imsi, known.service) != (card.imsi, service)):
        reason = "no card has these Subscription-Ids" if card is None else "the session is of another card or service"
        named = ", ".join(data for _, data in _subscription(asked)) or "none"
        core.site.note(f"{asked.get('Origin-Host')} gets no units for {named}: {reason}")
        return core.node.answer(asked, ResultCode.DIAMETER_USER_UNKNOWN, reason=reason)
    session = known or _begun(asked, card, service)
    return await _serve(core, asked, kind, Rating(core, card, session, _OCCASIONS.get(kind, controls.EVENT)))


def _named(asked: Message) -> Avps:
    return [("CC-Request-Number", asked.get("CC-Request-Number"))]


def _service(asked: Message) -> Service | None:
    """Return the service that is asked about; one that is charged by events has no session, and the other way round."""
    service = service_of(asked)
    of_event = asked.get("CC-Request-Type") == CcRequestType.EVENT_REQUEST
    return service if of_event is (service is Service.SMS) else None


def _subscription(asked: Message) -> list[tuple[int, str]]:
    """Return the types and data of a request's Subscription-Ids, also of those in Service-Information."""
    inner = [each for name, each in asked.get("Service-Information", ()) if name == "Subscription-Id"]
    return [
        (first(each, "Subscription-Id-Type"), first(each, "Subscription-Id-Data", ""))
        for each in [*asked.all("Subscription-Id"), *inner]
    ]


def _card(core: Core, asked: Message) -> QuotaCard | None:
    """Return whose units are asked for, by IMSI and number (RFC 8506 8.46); of two cards nobody's."""
    found: list[QuotaCard | None] = []
    for kind, data in _subscription(asked):
        if kind == SubscriptionIdType.END_USER_IMSI:
            found.append(core.store.card(data))
        elif kind == SubscriptionIdType.END_USER_E164:
            found.append(core.store.numbered(f"+{data.removeprefix('+')}"))
    card = found[0] if found else None
    return card if card is not None and all(each is card for each in found) else None


def _begun(asked: Message, card: QuotaCard, service: Service) -> Session:
    host, realm = intern(asked.get("Origin-Host")), intern(asked.get("Origin-Realm"))
    return Session(asked.get("Session-Id"), card.imsi, service, host, realm)


async def _serve(core: Core, asked: Message, kind: CcRequestType, rating: Rating) -> Message:
    """Carry out a request, and answer when that is stored. Raises StoreUnavailableError: it was not."""
    session = rating.session
    rating.network = network_of(asked)
    answer = event(rating, asked) if kind is CcRequestType.EVENT_REQUEST else _interrogate(rating, asked, kind)
    session.number = asked.get("CC-Request-Number")
    session.answer, session.over = encode(answer), not _goes_on(answer, kind)
    answer.body = session.answer[HEADER_LENGTH:]  # to be sent as it is kept
    life = core.config.repeats if session.over else 2 * core.config.validity  # Tcc (RFC 8506 13)
    session.ends = core.now() + life
    core.store.hold(session)
    if not await core.keep(session):
        rating.undo()
        core.restore(session)
        raise StoreUnavailableError("what is given could not be kept")
    core.show(rating.card, session.service)
    return answer


def _goes_on(answer: Message, kind: CcRequestType) -> bool:
    return kind is CcRequestType.UPDATE_REQUEST or (kind is CcRequestType.INITIAL_REQUEST and answer.success)


def _interrogate(rating: Rating, asked: Message, kind: CcRequestType) -> Message:
    """Answer an interrogation of a session.

    A first one that all of its groups are refused in opens no session, and says why by itself (TS 32.299 6.5.3). A last
    one that has overtaken the first is kept, so that the first opens none either: nobody would end that.
    """
    core, groups = rating.core, asked.all(GROUPS)
    wanted = FailureHandling[core.config.failure_handling.upper().replace("-", "_")]
    handling = ("Credit-Control-Failure-Handling", int(wanted))
    if kind is CcRequestType.TERMINATION_REQUEST and rating.begins:
        return core.node.answer(asked, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
    if kind is CcRequestType.TERMINATION_REQUEST:
        rating.settle(groups)
        return core.node.answer(asked, ResultCode.DIAMETER_SUCCESS, [handling])
    told = rating.rate(groups)
    codes = results(told)
    refused = kind is CcRequestType.INITIAL_REQUEST and codes and ResultCode.DIAMETER_SUCCESS not in codes
    return core.node.answer(asked, codes[0] if refused else ResultCode.DIAMETER_SUCCESS, [*told, handling])
