"""Gy (TS 32.299 6.3.4 to 6.3.6, TS 32.251 5.3): the octets of sessions whose APN has an OCS are granted there.

It fails closed: a session begins when octets are granted, and ends when no group has any more, or when its OCS does not
answer or does not know it. Whom the OCS denies it is told so in words that last, all else by causes after which the
device may ask again.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from simulators.pgw import qos
from simulators.pgw.clients import facts
from simulators.pgw.controls import CREATE_SESSION, CREDIT, QUOTA
from simulators.pgw.credit import NO_GRANT, Credit, Grant
from simulators.pgw.session import FREE
from simwarden.machine.credit_control import State
from simwarden.model.identity import Plmn
from simwarden.runtime.diameter.session import CreditClient, CreditSettings, Ended, Granted, Uncharged
from simwarden.wire.diameter import ResultCode, first
from simwarden.wire.diameter.apps.credit import CcRequestType
from simwarden.wire.diameter.apps.gy import ReportingReason, ServiceContext, TriggerType
from simwarden.wire.gtpv2 import Cause, PdnType

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simulators.pgw.core import Core
    from simulators.pgw.credit import Used
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
#: octets of both directions together, from the device, to it (RFC 8506 8.23 to 8.25)
_OCTETS: Final = ("CC-Total-Octets", "CC-Input-Octets", "CC-Output-Octets")
#: PS-Append-Free-Format-Data (TS 32.299 7.2): Append; any other has the data replaced
_APPEND: Final = 0
#: octets of free-format data that a record has at most
_MOST_FURNISHED: Final = 4096
#: 3GPP-PDP-Type (TS 29.061 16.4.7.2)
_PDP_TYPES: Final = {PdnType.IPV4: 0, PdnType.IPV6: 2, PdnType.IPV4V6: 3}


class Ocs:
    """All sessions of a PGW that OCSs grant octets.

    `end_session` ends one, by a cause that the MME is told; `report_places` orders reports of the device's place.
    """

    def __init__(
        self,
        core: Core,
        node: DiameterNode,
        realm: str,
        end_session: Callable[[Session, Cause], Coroutine[None, None, None]],
        *,
        report_places: Callable[[Session], Coroutine[None, None, None]],
    ) -> None:
        self._core, self._end_session, self._report_places = core, end_session, report_places
        settings = CreditSettings(tx=core.config.answer_time)
        self._client = CreditClient(node, "Gy", "", realm, settings=settings, re_auth=self._re_auth)
        #: by whether an APN obeys CONTINUE, and 4011
        self._settings = {
            obeyed: replace(settings, obeys_continue=obeyed[0], obeys_not_applicable=obeyed[1])
            for obeyed in product((False, True), repeat=2)
        }
        self._of: dict[int, GySession] = {}
        self._by_id: dict[str, Session] = {}

    async def begin(self, session: Session, *, told: bool) -> Cause | None:
        """Ask for octets for a session that begins; return why it must not, None if it may.

        `told`: its MME knows the cause of a refusal by an OCS (UNACCSI, TS 29.274 8.12).
        """
        config = session.addresses.config
        settings = self._settings[config.without_ocs == "continue", config.not_applicable == "pass"]
        gy = self._client.open(
            lambda ask: self._fill(session, ask), lambda event: self._hear(session, event), config.gy, settings
        )
        credit = session.credit = Credit(self, session, self._core.site.clock)
        self._of[session.charging_id], self._by_id[gy.id] = gy, session
        groups = self._groups(session)
        if not groups and _has_free(session):
            return None  # the OCS is asked when a rule comes that it counts
        credit.begin(groups or [config.rating_group])
        event = await gy.begin()
        answer = event.answer if isinstance(event, (Granted, Ended)) else None
        if isinstance(event, Uncharged) and event.exempt:
            credit.go_on(event.reason, CREATE_SESSION, exempt=True)
        elif answer is None:
            credit.drop()  # the CCR-T reports what was used, nothing: or what was given would count as used
            self._forget(session)
            return Cause.REMOTE_PEER_NOT_RESPONDING
        else:
            otherwise = NO_GRANT if answer.success else _grant([], answer.result_code)
            self._take(session, answer, CREATE_SESSION, otherwise)
        if not credit.over or _has_free(session):
            return None
        denied = credit.denied
        self.close(session)
        if not denied:
            return Cause.REMOTE_PEER_NOT_RESPONDING
        return Cause.UE_NOT_AUTHORISED_BY_OCS_OR_EXTERNAL_AAA_SERVER if told else Cause.USER_AUTHENTICATION_FAILED

    def _groups(self, session: Session) -> list[int]:
        """Return the rating groups of the rules by which packets pass and that the OCS counts."""
        named = map(session.group_of, session.rules.charged)
        default = session.addresses.config.rating_group
        return list(dict.fromkeys(default if each is None else each for each in named if each != FREE))

    def ask(self, session: Session) -> None:
        """Send what is due: an update, or the first request of a session that needed no credit until now."""
        gy = self._of.get(session.charging_id)
        if gy is None:
            return
        if gy.machine.state is State.IDLE:
            self._core.site.spawn(self._begin_late(session, gy), "CCR-I")
        else:
            gy.update("credit")

    async def _begin_late(self, session: Session, gy: GySession) -> None:
        if gy.machine.state is State.IDLE:
            self._hear(session, await gy.begin())

    def _forget(self, session: Session) -> GySession | None:
        gy = self._of.pop(session.charging_id, None)
        if gy is not None:
            self._by_id.pop(gy.id, None)
        return gy

    def close(self, session: Session) -> None:
        """Report the last octets of a session that is over; what waits is dropped."""
        gy = self._forget(session)
        if session.credit is not None:
            session.credit.drop()
        if gy is not None:
            self._core.site.spawn(gy.end(), "CCR-T")

    async def _re_auth(self, gy: GySession, asked: Message) -> Message:
        """Answer an RAR (RFC 8506 5.5): about one rating group, if it names one, or about all of the session.

        A group that the session does not have is not reported, and nothing else is in its place.
        """
        session, group = self._by_id.get(gy.id), asked.get("Rating-Group")
        if session is None or session.credit is None:
            return self._client.node.answer(asked, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
        if group is None:
            follows = gy.ask_again()
        elif session.credit.want(group):
            follows = True
        else:
            reason = f"the session has no rating group {group}"
            return self._client.node.answer(asked, ResultCode.DIAMETER_UNABLE_TO_COMPLY, reason=reason)
        result = ResultCode.DIAMETER_LIMITED_SUCCESS if follows else ResultCode.DIAMETER_SUCCESS
        return self._client.node.answer(asked, result)

    def changed(self, session: Session, before: Access) -> None:
        """Have a session reported whose OCS wants to hear of what has changed of its access (TS 32.299 7.2.234)."""
        gy, now = self._of.get(session.charging_id), session.access
        what = frozenset(each for each, old, new in zip(_TRIGGERS, before, now, strict=False) if old != new)
        if gy is not None and session.credit is not None and session.credit.changed(what):
            gy.update(ReportingReason.RATING_CONDITION_CHANGE.name)

    def judge(self, session: Session, on: str, grant: Grant) -> Decision:
        """Ask the control of granted octets about what the OCS said of a group."""
        return self._core.site.decide(QUOTA, session.imsi, on=on, units=grant.units, why=grant.why, free=grant.free)

    def end_exhausted(self, session: Session) -> None:
        """End a session of which no group has octets any more, if it has begun and no rule passes packets without."""
        if self._stands(session) and not _has_free(session):
            denied = session.credit is not None and session.credit.denied
            cause = Cause.PDN_RECONNECTION_TO_THIS_APN_DISALLOWED if denied else Cause.REACTIVATION_REQUESTED
            self._core.site.spawn(self._end_session(session, cause), "session without octets")

    def _take(self, session: Session, answer: Message, on: str = CREDIT, otherwise: Grant = NO_GRANT) -> None:
        """Take an answer: what it grants, and what it adds to the records of the session."""
        if session.credit is None:
            return
        config = session.addresses.config
        obeys = config.not_applicable == "pass" and not session.credit.granted
        session.credit.heard(_grants(answer, config.rating_group, obeys=obeys), on, otherwise)
        follows = session.credit.follows(TriggerType.CHANGE_IN_LOCATION)
        if follows and session.reportable and not session.reported and self._stands(session):
            self._core.site.spawn(self._report_places(session), "reports of places")
        furnished: Any = answer.find("Service-Information", "PS-Information", "PS-Furnish-Charging-Information") or ()
        if (data := first(furnished, "PS-Free-Format-Data")) is not None:
            appended = first(furnished, "PS-Append-Free-Format-Data") == _APPEND
            session.furnished = (session.furnished + data if appended else data)[:_MOST_FURNISHED]
        if self._core.pcrf is not None:
            self._core.pcrf.credit_changed(session)

    def _stands(self, session: Session) -> bool:
        return self._core.by_teid.get(session.teid) is session

    def _hear(self, session: Session, event: Event) -> None:
        if session.credit is None or not self._stands(session):
            return
        if isinstance(event, Granted):
            self._take(session, event.answer)
        elif isinstance(event, Uncharged) and event.exempt and session.credit.granted:
            self._end(session, Cause.REACTIVATION_REQUESTED, f"4011 of a session that it has counted: {event.reason}")
        elif isinstance(event, Uncharged) and event.exempt:
            session.credit.go_on(event.reason, exempt=True)
        elif isinstance(event, Uncharged):
            self._core.site.note(f"its OCS is not there, and wants it to go on: {event.reason}", imsi=session.imsi)
            session.credit.go_on(event.reason)
        elif isinstance(event, Ended):
            denied = event.answer is not None and event.answer.result_code in _DENIED
            cause = Cause.PDN_RECONNECTION_TO_THIS_APN_DISALLOWED if denied else Cause.REACTIVATION_REQUESTED
            self._end(session, cause, event.reason)

    def _end(self, session: Session, cause: Cause, reason: str) -> None:
        self._core.site.note(f"its OCS grants a session nothing more: {reason}", imsi=session.imsi)
        if session.credit is not None:
            session.credit.drop()
        self._core.site.spawn(self._end_session(session, cause), "session without an OCS")

    # -- what is told

    def _fill(self, session: Session, ask: Ask) -> Avps:
        stamp = ("Event-Timestamp", int(self._core.site.clock.wall().timestamp()))
        avps: Avps = [("Service-Context-Id", str(ServiceContext.DATA)), stamp, *facts.subscription(session)]
        credit, initial = session.credit, ask.kind is CcRequestType.INITIAL_REQUEST
        if initial:
            avps += [("Multiple-Services-Indicator", 1), *facts.equipment(session)]
        elif credit is not None and ask.reason in _ASKED_FOR:
            credit.want_all(_ASKED_FOR[ask.reason])
        groups = _groups(credit, ask, credit.take_changes()) if credit is not None else []
        if credit is not None and (gy := self._of.get(session.charging_id)) is not None:
            gy.partly = credit.partly_asked
            if self._core.pcrf is not None:
                self._core.pcrf.credit_changed(session)
        facts_of = [*_information(session), *(self._setting(session) if initial else ())]
        return [*avps, *groups, ("Service-Information", [("PS-Information", facts_of)])]

    def _setting(self, session: Session) -> Avps:
        """Build what does not change of a session, for the first request (TS 32.251 6.3.1.2)."""
        home = Plmn.parse(self._core.config.plmn)
        subscriber = session.imsi[: 3 + len(home.mnc)]
        return [
            ("3GPP-PDP-Type", _PDP_TYPES[session.paa.pdn_type]),
            *(("PDP-Address", each) for each in (session.paa.ipv4, session.paa.ipv6) if each),
            qos.charged(session.ambr, session.qos),
            ("SGSN-Address", session.sgw.address),
            ("GGSN-Address", self._core.node.address),
            *([("3GPP-IMSI-MCC-MNC", subscriber)] if subscriber else []),
            ("3GPP-GGSN-MCC-MNC", home.mcc + home.mnc),
            ("3GPP-NSAPI", f"{session.ebi:X}".encode()),
            ("3GPP-Selection-Mode", str(int(session.selection_mode))),
            *(
                [("3GPP-Charging-Characteristics", session.charging_characteristics.hex())]
                if session.charging_characteristics
                else []
            ),
        ]


#: why all groups are reported at once: the OCS wants that, or the time of what it has granted is over
_ASKED_FOR: Final = {
    each.name: each for each in (ReportingReason.FORCED_REAUTHORISATION, ReportingReason.VALIDITY_TIME)
}


def _groups(credit: Credit[Session], ask: Ask, changes: frozenset[int]) -> Avps:
    """Say what was used of each group, and which are to get more."""
    last = ask.kind is CcRequestType.TERMINATION_REQUEST
    told: Avps = []
    for number, group in credit.groups.items():
        if not (group.asked or last or group.unreported) or group.exempt:
            continue  # of one that goes on what is left of its grant would be lost
        wants, used = group.asked, credit.report(group)
        reason = ReportingReason.FINAL if last else group.reason
        said = ("Reporting-Reason", int(reason))
        avps: Avps = [("Requested-Service-Unit", [])] if wants else []
        if ask.kind is not CcRequestType.INITIAL_REQUEST:
            units = _units(used)
            avps.append(("Used-Service-Unit", [said, *units] if reason in _OF_UNITS else units))
        avps.append(("Rating-Group", number))
        if ask.kind is not CcRequestType.INITIAL_REQUEST and reason not in _OF_UNITS:
            avps.append(said)
        if reason is ReportingReason.RATING_CONDITION_CHANGE:
            avps.append(("Trigger", [("Trigger-Type", each) for each in sorted(group.triggers & changes)]))
        told.append((_GROUPS, avps))
    return told


def _units(used: Used) -> Avps:
    """Build the units of a Used-Service-Unit: octets, those of each direction and seconds where the grant has them."""
    timed: Avps = [] if used.seconds is None else [("CC-Time", used.seconds)]
    units: Avps = [*timed, ("CC-Total-Octets", used.uplink + used.downlink)]
    if used.directed:
        units += [("CC-Input-Octets", used.uplink), ("CC-Output-Octets", used.downlink)]
    return units


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


def _has_free(session: Session) -> bool:
    """Return True if some rule passes packets that the OCS does not count (Online 0)."""
    return any(session.group_of(each) == FREE for each in session.rules.charged)


def _grants(answer: Message, only: int, *, obeys: bool) -> dict[int, Grant]:
    """Return what an answer says of each rating group; one without a number is the APN's own.

    Of two groups with one number a denial counts, wherever it stands, and of two grants the smaller one: the second may
    be about another service. `obeys`: 4011 opens the group.
    """
    grants: dict[int, Grant] = {}
    for group in answer.all(_GROUPS) if answer.success else ():
        number = first(group, "Rating-Group", only)
        result = first(group, "Result-Code", ResultCode.DIAMETER_SUCCESS)
        grant = _grant(group, result)
        if obeys and result == ResultCode.DIAMETER_CREDIT_CONTROL_NOT_APPLICABLE:
            grant = Grant(why=f"result {result}", free=True, exempt=True)
        before = grants.get(number)
        grants[number] = grant if before is None else min(before, grant, key=_openness)
    return grants


def _openness(grant: Grant) -> tuple[bool, float]:
    """Order grants from the one that opens least: denied, nothing, few units, many, exempt."""
    return not grant.denied, math.inf if grant.free else grant.units


def _grant(avps: Avps, result: int | None) -> Grant:
    success = result == ResultCode.DIAMETER_SUCCESS
    units: Any = first(avps, "Granted-Service-Unit", ()) if success else ()
    total, uplink, downlink = (first(units, name) for name in _OCTETS)
    octets = total if total is not None else (uplink or 0) + (downlink or 0)
    seconds = first(units, "CC-Time", 0)
    if not octets and any(each is not None for each in (total, uplink, downlink)):
        seconds = 0  # time without octets where octets are counted
    why = NO_GRANT.why if success else f"result {result}"
    threshold, final = first(avps, "Volume-Quota-Threshold", 0), first(avps, "Final-Unit-Indication") is not None
    holding, armed = first(avps, "Quota-Holding-Time", 0), first(avps, "Trigger")
    triggers = None if armed is None else frozenset(each for name, each in armed if name == "Trigger-Type")
    return Grant(
        octets,
        threshold,
        final,
        why,
        denied=result in _DENIED or (final and not (octets or seconds)),
        holding=holding,
        triggers=triggers,
        total=total,
        uplink=uplink if total is not None or uplink is not None or downlink is None else 0,
        downlink=downlink if total is not None or downlink is not None or uplink is None else 0,
        seconds=seconds,
    )
