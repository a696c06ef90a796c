"""Gy (TS 32.299 6.3.4 to 6.3.6, TS 32.251 5.3): the octets of sessions whose APN has an OCS are granted there.

It fails closed: a session begins when octets are granted, and ends when no group has any more, or when its OCS does not
answer or does not know it. Whom the OCS denies it is told so in words that last, all else by causes after which the
device may ask again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from simulators.pgw.clients import facts
from simulators.pgw.controls import CREATE_SESSION, QUOTA
from simulators.pgw.credit import NO_GRANT, Credit, Grant
from simwarden.runtime.diameter.session import CreditClient, CreditSettings, Ended, Granted, Uncharged
from simwarden.wire.diameter import ResultCode, first
from simwarden.wire.diameter.apps.credit import CcRequestType
from simwarden.wire.diameter.apps.gy import ReportingReason, ServiceContext, TriggerType
from simwarden.wire.gtpv2 import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simulators.pgw.core import Core
    from simulators.pgw.session import Access, Session
    from simwarden.policy.decision import Decision
    from simwarden.runtime.diameter.node import DiameterNode
    from simwarden.runtime.diameter.session import Ask, Event
    from simwarden.runtime.diameter.session import Session as GySession
    from simwarden.wire.diameter import Avps, Message

_GROUPS: Final = "Multiple-Services-Credit-Control"
#: results by which an OCS denies a card octets for now; by all others it has not decided
_DENIED: Final = frozenset({
    ResultCode.DIAMETER_END_USER_SERVICE_DENIED,
    ResultCode.DIAMETER_CREDIT_LIMIT_REACHED,
    ResultCode.DIAMETER_AUTHORIZATION_REJECTED,
    ResultCode.DIAMETER_USER_UNKNOWN,
})  # fmt: skip
#: by which of their changes an OCS may want to hear of RAT, place and time zone
_TRIGGERS: Final = (TriggerType.CHANGE_IN_RAT, TriggerType.CHANGE_IN_LOCATION, TriggerType.CHANGE_IN_UE_TIMEZONE)
#: reasons that are said of the units that were used, not of the group (TS 32.299 7.2.175)
_OF_UNITS: Final = frozenset({ReportingReason.THRESHOLD, ReportingReason.QUOTA_EXHAUSTED})
#: what says in User-Equipment-Info that it is an IMEISV (RFC 8506 8.50)
_IMEISV: Final = 0


class Ocs:
    """All sessions of a PGW that OCSs grant octets. `end_session` ends one, by a cause that the MME is told."""

    def __init__(
        self,
        core: Core,
        node: DiameterNode,
        realm: str,
        end_session: Callable[[Session, Cause], Coroutine[None, None, None]],
    ) -> None:
        self._core, self._end_session = core, end_session
        self._client = CreditClient(node, "Gy", "", realm, settings=CreditSettings(tx=core.config.answer_time))
        self._of: dict[int, GySession] = {}

    async def begin(self, session: Session, *, told: bool) -> Cause | None:
        """Ask for octets for a session that begins; return why it must not, None if it may.

        `told`: its MME knows the cause of a refusal by an OCS (UNACCSI, TS 29.274 8.12).
        """
        config = session.addresses.config
        settings = replace(self._client.settings, obeys_continue=config.without_ocs == "continue")
        gy = self._client.open(
            lambda ask: self._fill(session, ask), lambda event: self._hear(session, event), config.gy, settings
        )
        judge, clock = partial(self._judge, session), self._core.site.clock
        credit = session.credit = Credit(judge, lambda: gy.update("credit"), lambda: self._over(session), clock)
        named = (each.rating_group for each in session.rules.rules if not each.denies)
        groups = [config.rating_group if each is None else each for each in named]
        credit.begin(dict.fromkeys(groups) or [config.rating_group])
        event = await gy.begin()
        answer = event.answer if isinstance(event, (Granted, Ended)) else None
        if answer is None:
            credit.drop()  # the CCR-T reports what was used, nothing: or what was given would count as used
            return Cause.REMOTE_PEER_NOT_RESPONDING
        self._of[session.charging_id] = gy
        otherwise = NO_GRANT if answer.success else _grant([], answer.result_code)
        credit.heard(_grants(answer, config.rating_group), CREATE_SESSION, otherwise)
        if not credit.over:
            return None
        denied = credit.denied
        self.close(session)
        if not denied:
            return Cause.REMOTE_PEER_NOT_RESPONDING
        return Cause.UE_NOT_AUTHORISED_BY_OCS_OR_EXTERNAL_AAA_SERVER if told else Cause.USER_AUTHENTICATION_FAILED

    def close(self, session: Session) -> None:
        """Report the last octets of a session that is over; what waits is dropped."""
        gy = self._of.pop(session.charging_id, None)
        if session.credit is not None:
            session.credit.drop()
        if gy is not None:
            self._core.site.spawn(gy.end(), "CCR-T")

    def changed(self, session: Session, before: Access) -> None:
        """Have a session reported whose OCS wants to hear of what has changed of its access (TS 32.299 7.2.234)."""
        gy, now = self._of.get(session.charging_id), session.access
        what = frozenset(each for each, old, new in zip(_TRIGGERS, before, now, strict=False) if old != new)
        if gy is not None and session.credit is not None and session.credit.changed(what):
            gy.update(ReportingReason.RATING_CONDITION_CHANGE.name)

    def _judge(self, session: Session, on: str, grant: Grant) -> Decision:
        return self._core.site.decide(QUOTA, session.imsi, on=on, units=grant.octets, why=grant.why, free=grant.free)

    def _over(self, session: Session) -> None:
        """End a session of which no group has octets any more, if it has begun."""
        if self._stands(session):
            denied = session.credit is not None and session.credit.denied
            cause = Cause.PDN_RECONNECTION_TO_THIS_APN_DISALLOWED if denied else Cause.REACTIVATION_REQUESTED
            self._core.site.spawn(self._end_session(session, cause), "session without octets")

    def _stands(self, session: Session) -> bool:
        return self._core.by_teid.get(session.teid) is session

    def _hear(self, session: Session, event: Event) -> None:
        if session.credit is None or not self._stands(session):
            return
        if isinstance(event, Granted):
            session.credit.heard(_grants(event.answer, session.addresses.config.rating_group))
        elif isinstance(event, Uncharged):
            self._core.site.note(f"its OCS is not there, and wants it to go on: {event.reason}", imsi=session.imsi)
            session.credit.go_on(event.reason)
        elif isinstance(event, Ended):
            self._core.site.note(f"its OCS grants a session nothing more: {event.reason}", imsi=session.imsi)
            denied = event.answer is not None and event.answer.result_code in _DENIED
            cause = Cause.PDN_RECONNECTION_TO_THIS_APN_DISALLOWED if denied else Cause.REACTIVATION_REQUESTED
            session.credit.drop()
            self._core.site.spawn(self._end_session(session, cause), "session without an OCS")

    # -- what is told

    def _fill(self, session: Session, ask: Ask) -> Avps:
        avps: Avps = [("Service-Context-Id", str(ServiceContext.DATA)), *facts.subscription(session)]
        credit = session.credit
        if ask.kind is CcRequestType.INITIAL_REQUEST:
            avps.append(("Multiple-Services-Indicator", 1))
            if session.mei:
                info = [("User-Equipment-Info-Type", _IMEISV), ("User-Equipment-Info-Value", session.mei.encode())]
                avps.append(("User-Equipment-Info", info))
        elif credit is not None and ask.reason in _ASKED_FOR:
            credit.want_all(_ASKED_FOR[ask.reason])
        groups = _groups(credit, ask, credit.take_changes()) if credit is not None else []
        if credit is not None and (gy := self._of.get(session.charging_id)) is not None:
            gy.partly = credit.partly_asked
        return [*avps, *groups, ("Service-Information", [("PS-Information", _information(session))])]


#: why all groups are reported at once: the OCS wants that, or the time of what it has granted is over
_ASKED_FOR: Final = {
    each.name: each for each in (ReportingReason.FORCED_REAUTHORISATION, ReportingReason.VALIDITY_TIME)
}


def _groups(credit: Credit, ask: Ask, changes: frozenset[int]) -> Avps:
    """Say what was used of each group, and which are to get more."""
    last = ask.kind is CcRequestType.TERMINATION_REQUEST
    told: Avps = []
    for number, group in credit.groups.items():
        if not (group.asked or last or group.unreported):
            continue  # of one that goes on what is left of its grant would be lost
        wants, used = group.asked, credit.report(group)
        reason = ReportingReason.FINAL if last else group.reason
        said = ("Reporting-Reason", int(reason))
        avps: Avps = [("Requested-Service-Unit", [])] if wants else []
        if ask.kind is not CcRequestType.INITIAL_REQUEST:
            units: Avps = [("CC-Total-Octets", used)]
            avps.append(("Used-Service-Unit", [said, *units] if reason in _OF_UNITS else units))
        avps.append(("Rating-Group", number))
        if ask.kind is not CcRequestType.INITIAL_REQUEST and reason not in _OF_UNITS:
            avps.append(said)
        if reason is ReportingReason.RATING_CONDITION_CHANGE:
            avps.append(("Trigger", [("Trigger-Type", each) for each in sorted(group.triggers & changes)]))
        told.append((_GROUPS, avps))
    return told


def _information(session: Session) -> Avps:
    """Say of a session what its octets may be rated by (TS 32.251 6.3.1.2)."""
    rat: Avps = [("3GPP-RAT-Type", bytes((session.rat,)))] if session.rat is not None else []
    return [
        ("3GPP-Charging-Id", session.charging_id.to_bytes(4, "big")),
        ("Called-Station-Id", session.apn),
        *rat,
        *facts.place(session),
    ]


# -- what comes


def _grants(answer: Message, only: int) -> dict[int, Grant]:
    """Return what an answer says of each rating group; one without a number is the APN's own."""
    if not answer.success:
        return {}
    return {
        first(group, "Rating-Group", only): _grant(group, first(group, "Result-Code", ResultCode.DIAMETER_SUCCESS))
        for group in answer.all(_GROUPS)
    }


def _grant(avps: Avps, result: int | None) -> Grant:
    units: Any = first(avps, "Granted-Service-Unit", ())
    octets = first(units, "CC-Total-Octets", 0) if result == ResultCode.DIAMETER_SUCCESS else 0
    why = NO_GRANT.why if result == ResultCode.DIAMETER_SUCCESS else f"result {result}"
    threshold, final = first(avps, "Volume-Quota-Threshold", 0), first(avps, "Final-Unit-Indication") is not None
    holding, armed = first(avps, "Quota-Holding-Time", 0), first(avps, "Trigger")
    triggers = None if armed is None else frozenset(each for name, each in armed if name == "Trigger-Type")
    denied = result in _DENIED or (final and not octets)
    return Grant(octets, threshold, final, why, denied, holding, triggers)
