"""What PGWs ask: sessions begin, report and end (TS 29.212 4.5.1, 4.5.3, 4.5.7).

A CCR that comes again, by its Session-Id and CC-Request-Number, gets the answer that is kept, and counts once.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.pcrf import controls
from simulators.pcrf.card import GxSession
from simulators.pcrf.procedures.orders import failures, orders, tell_lacking
from simulators.pcrf.procedures.re_auth import re_auth
from simulators.pcrf.qos import UNKNOWN_QOS, authorized_qos, is_slowed, requested_qos
from simulators.pcrf.rules import leaves_open
from simwarden.errors import PeerError
from simwarden.wire.diameter import DiameterError, ExperimentalResult, ResultCode, encode, first
from simwarden.wire.diameter.apps.credit import CcRequestType, SubscriptionIdType
from simwarden.wire.diameter.apps.gx import EventTrigger
from simwarden.wire.diameter.codec import HEADER_LENGTH
from simwarden.wire.diameter.codes import GxFeature
from simwarden.wire.diameter.credit import repeat_answer
from simwarden.wire.diameter.features import features_of, supported_features
from simwarden.wire.diameter.location import decode_location

if TYPE_CHECKING:
    from simulators.pcrf.config import PcrfConfig
    from simulators.pcrf.core import Core
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Avps, Message

#: what this node can do, of which a PGW gets what it can as well
_FEATURES: Final = GxFeature.REL8 | GxFeature.REL9 | GxFeature.REL10 | GxFeature.ADC
#: the key of what a session uses, of all its rules together (TS 29.212 5.3.59, 5.3.61)
_SESSION_KEY: Final = b"session"
_SESSION_LEVEL: Final = 0
#: what every PGW reports without being asked (TS 29.212 5.3.7): another QoS in the subscription
_QOS_TRIGGERS: Final = frozenset({EventTrigger.QOS_CHANGE, EventTrigger.DEFAULT_EPS_BEARER_QOS_CHANGE})
#: octets by direction, for a PGW that reports no total
_WAYS: Final = ("CC-Input-Octets", "CC-Output-Octets")
#: octets of one report that are counted: nobody uses more, and no counter holds many of what an Unsigned64 may say
_MOST_USED: Final = 1 << 40


async def credit_control(core: Core, message: Message, peer: Peer) -> Message:
    """Answer a CCR."""
    identity, number = message.get("Session-Id"), message.get("CC-Request-Number")
    kept, kind = core.store.answered(identity), message.get("CC-Request-Type")
    session = core.store.session(identity)
    theirs = session is None or session.host == message.get("Origin-Host")
    if kept is not None and kept == number and theirs:
        return repeat_answer(core.store.answer(identity), message)
    if kind == CcRequestType.INITIAL_REQUEST and kept is None:
        return _initial(core, message, peer)
    if session is None or not theirs:
        answer = core.node.answer(message, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
        over_before = kept is None and kind == CcRequestType.TERMINATION_REQUEST
        if over_before:  # its first CCR may still come
            core.store.end(identity, (number, encode(answer)), core.now())
        return answer
    late = kept is not None and number < kept
    if late or kind not in (CcRequestType.UPDATE_REQUEST, CcRequestType.TERMINATION_REQUEST):
        failed = [("CC-Request-Number", number) if late else ("CC-Request-Type", kind)]
        return core.node.answer(message, ResultCode.DIAMETER_INVALID_AVP_VALUE, failed=failed)
    return _update(core, session, message) if kind == CcRequestType.UPDATE_REQUEST else _end(core, session, message)


def _state_id(message: Message, peer: Peer) -> int:
    """Return the PGW's Origin-State-Id (RFC 6733 8.16): of the request, else of the CER of a PGW that is the peer."""
    state: int = message.get("Origin-State-Id", 0)
    return state or (peer.state_id if peer.host == message.get("Origin-Host") else 0)


def _initial(core: Core, message: Message, peer: Peer) -> Message:
    """Answer the first CCR of a session by its rules (4.5.1): those of a card that is provisioned."""
    imsi = _imsi(message)
    if not imsi:
        return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_INITIAL_PARAMETERS, reason="no IMSI")
    known = core.store.card(imsi) is not None
    if not core.site.decide(controls.SUBSCRIBER, imsi, on=controls.INITIAL, known=known).admitted:
        return core.node.answer(message, ResultCode.DIAMETER_USER_UNKNOWN)
    features = features_of(message, GxFeature) & _FEATURES
    session = GxSession(
        message.get("Session-Id"),
        imsi,
        intern(message.get("Called-Station-Id", "").lower()),  # APNs compare without case (TS 23.003 9.1)
        intern(message.get("Origin-Host")),
        intern(message.get("Origin-Realm")),
        GxFeature.ADC in features,
        state_id=_state_id(message, peer),
        qos=requested_qos(message, UNKNOWN_QOS),
    )
    rules = core.rules(session, controls.INITIAL)
    agreed = [supported_features(features)] if message.get("Supported-Features") is not None else []
    used = core.used(imsi)
    avps = [*agreed, *_reports(core, used), *orders(rules), *authorized_qos(core.config, session.qos, used)]
    answer = core.node.answer(message, ResultCode.DIAMETER_SUCCESS, avps)
    session = _with_report(session, message, rules=rules.names, lacking=rules.lacking)
    _keep(core, session, message, answer)
    tell_lacking(core, session)
    return answer


def _update(core: Core, session: GxSession, message: Message) -> Message:
    """Answer a report of a PGW (4.5.3): the place, use, another QoS, rules that are not active."""
    failed = failures(session.failed, message)
    now = _with_report(session, message, failed=failed, qos=requested_qos(message, session.qos))
    used = _used(core, session, message)
    avps, now = _authorize(core, session, now, used, message)
    if used is not None or _is_revalidated(message):
        avps += _reports(core, used[1] if used is not None else core.used(session.imsi))
    answer = core.node.answer(message, ResultCode.DIAMETER_SUCCESS, avps)
    if failed != session.failed:
        core.site.note(f"rules are not in force: {', '.join(failed) or 'none'}", imsi=session.imsi)
    pending = session.pending + leaves_open(failed, now.rules)
    _keep(core, replace(now, pending=pending), message, answer, used)
    if pending > session.pending:
        core.site.spawn(re_auth(core, session.id), "what is denied was not installed")
    return answer


def _authorize(
    core: Core, before: GxSession, now: GxSession, used: tuple[str, int] | None, message: Message
) -> tuple[Avps, GxSession]:
    """Authorise another QoS that a PGW asks for (4.5.5), with rules of that QoS, and the rate after a use."""
    octets = used[1] if used is not None else core.used(now.imsi)
    slowed = used is not None and is_slowed(core.config, octets)
    asked = bool(_QOS_TRIGGERS & set(message.all("Event-Trigger"))) or _is_revalidated(message)
    avps = authorized_qos(core.config, now.qos, octets) if slowed or asked else []
    if now.qos.default == before.qos.default:
        return avps, now
    rules = core.rules(now, controls.UPDATE)
    removed = [each for each in now.rules if each not in rules.names]
    return [*avps, *orders(rules, removed)], replace(now, rules=rules.names, lacking=rules.lacking)


def _end(core: Core, session: GxSession, message: Message) -> Message:
    """End a session (4.5.7)."""
    answer = core.node.answer(message, ResultCode.DIAMETER_SUCCESS)
    ended = _with_report(session, message)
    core.show(ended)
    kept = message.get("CC-Request-Number"), encode(answer)
    core.store.end(ended.id, kept, core.now(), _used(core, session, message))
    core.show(ended, over=True)
    return answer


def _keep(
    core: Core, session: GxSession, message: Message, answer: Message, used: tuple[str, int] | None = None
) -> None:
    octets = encode(answer)
    answer.body = octets[HEADER_LENGTH:]  # to be sent as it is kept
    core.store.keep(session, (message.get("CC-Request-Number"), octets), used)
    core.show(session)


def _imsi(message: Message) -> str:
    """Return whose session it is; empty: that is not said."""
    for group in message.all("Subscription-Id"):
        if first(group, "Subscription-Id-Type") == SubscriptionIdType.END_USER_IMSI:
            return str(first(group, "Subscription-Id-Data"))
    return ""


def _reported(message: Message) -> int:
    """Return the octets whose use a CCR reports."""
    used = sum(
        octets
        for group in message.all("Usage-Monitoring-Information")
        for name, unit in group
        if name == "Used-Service-Unit"
        for octets in [int(first(unit, "CC-Total-Octets", 0)) or sum(int(first(unit, way, 0)) for way in _WAYS)]
    )
    return min(used, _MOST_USED)


def _used(core: Core, session: GxSession, message: Message) -> tuple[str, int] | None:
    """Return the month and the octets of it that a card has used, with those of a report; None: it reports none."""
    if not message.all("Usage-Monitoring-Information"):
        return None
    return core.month, core.used(session.imsi) + _reported(message)


def _with_report(session: GxSession, message: Message, **changed: Any) -> GxSession:
    """Return a session with the place and the use that a CCR reports, and what else has `changed`."""
    place = _place(message.get("3GPP-User-Location-Info", b""))
    return replace(
        session,
        tai=place.tai or session.tai,
        cell=place.cell or session.cell,
        rat=message.get("RAT-Type", session.rat),
        used=session.used + _reported(message),
        **changed,
    )


class _Place(NamedTuple):
    """Where a device is, in words; empty: that is not told."""

    tai: str
    cell: str


@lru_cache(maxsize=1024)  # of many devices in a cell
def _place(octets: bytes) -> _Place:
    try:
        tai, cell = decode_location(octets)
    except PeerError as error:
        failed = [("3GPP-User-Location-Info", octets)]
        raise DiameterError(ResultCode.DIAMETER_INVALID_AVP_VALUE, error.reason, failed) from None
    return _Place(str(tai) if tai is not None else "", str(cell) if cell is not None else "")


def _is_revalidated(message: Message) -> bool:
    """Return True if a PGW requests rules at the Revalidation-Time."""
    return EventTrigger.REVALIDATION_TIMEOUT in message.all("Event-Trigger")


def _reports(core: Core, used: int) -> Avps:
    """Build the AVPs that order reports of events and usage, and a request at the end of a slower month (5.3.41)."""
    monitored, slowed = _monitoring(core.config, used), is_slowed(core.config, used)
    triggers = [EventTrigger[each] for each in core.config.triggers]
    triggers += [EventTrigger.USAGE_REPORT] if monitored else []
    triggers += [EventTrigger.REVALIDATION_TIMEOUT] if slowed else []
    due = [("Revalidation-Time", core.clock.next_month())] if slowed else []
    return [*(("Event-Trigger", int(each)) for each in triggers), *due, *monitored]


def _monitoring(config: PcrfConfig, used: int) -> Avps:
    """Ask for a report of what a session uses, after so many octets (4.5.16)."""
    slower = config.slower
    left = max(1, slower.after - used) if slower is not None and not is_slowed(config, used) else 0
    octets = min(filter(None, (config.usage_report, left)), default=0)
    if not octets:
        return []
    content: Avps = [
        ("Monitoring-Key", _SESSION_KEY),
        ("Granted-Service-Unit", [("CC-Total-Octets", octets)]),
        ("Usage-Monitoring-Level", _SESSION_LEVEL),
    ]
    return [("Usage-Monitoring-Information", content)]
