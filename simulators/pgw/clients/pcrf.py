"""Gx (TS 29.212 4.5): the rules of sessions whose APN has a PCRF come from there, and from nowhere else.

It fails closed: a session begins when its PCRF has answered, and ends when its PCRF does not know it any more or does
not answer; with causes after which the device may ask again (cause 100, reactivation requested).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.pgw import qos
from simulators.pgw.clients import gx_messages as messages
from simulators.pgw.clients.gx_rules import NOTHING, Rules
from simulators.pgw.controls import RE_AUTH
from simulators.pgw.rule_rates import rates_of
from simulators.pgw.session import EMPTY
from simulators.pgw.usage import order_usage
from simwarden.model.network import Network
from simwarden.policy.access_list import Destination
from simwarden.policy.flow_rule import UNMATCHED, rules_of
from simwarden.policy.rule_set import RuleSet
from simwarden.runtime.diameter.pcc_rules import Place
from simwarden.runtime.diameter.session import CreditClient, CreditSettings, Ended, Granted, Uncharged
from simwarden.wire.diameter import ExperimentalResult, ResultCode
from simwarden.wire.diameter.apps.credit import CcRequestType, FinalUnitAction
from simwarden.wire.diameter.apps.gx import EventTrigger, RuleFailureCode
from simwarden.wire.gtpv2 import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from simulators.pgw.core import Core
    from simulators.pgw.session import Access, Session
    from simwarden.policy.app_blacklists import Blacklist
    from simwarden.policy.flow_rule import FlowFilter, FlowRule
    from simwarden.runtime.diameter.node import DiameterNode
    from simwarden.runtime.diameter.session import Ask, Event
    from simwarden.runtime.diameter.session import Session as Credit
    from simwarden.wire.diameter import Avps, Message

#: results by which a PCRF has decided that a card gets no session; all others mean that it could not decide
_REFUSED: Final = frozenset({
    ResultCode.DIAMETER_USER_UNKNOWN,
    ResultCode.DIAMETER_AUTHORIZATION_REJECTED,
    ResultCode.DIAMETER_END_USER_SERVICE_DENIED,
})  # fmt: skip
#: results of an update that refuse what a device asks for, and leave the session as it is (TS 29.212 5.5.3)
_NOT_FOR_DEVICE: Final = frozenset({
    ExperimentalResult.DIAMETER_ERROR_BEARER_NOT_AUTHORIZED,
    ExperimentalResult.DIAMETER_ERROR_TRAFFIC_MAPPING_INFO_REJECTED,
})  # fmt: skip
#: seconds until rules are asked for again at least: a time in the past would have them asked for without end
_SHORTEST: Final = 1.0
#: consecutive reports, each caused by the answer to the previous one, that are sent without a delay
_MOST_CHAINED: Final = 3


class Procedures(NamedTuple):
    """The procedures of S5 that a PCRF's orders need.

    `end_session` ends a session whose PCRF is lost, or wants that; `follow_rules` sets up the bearers that rules ask
    for; `report_places` orders reports of the device's place.
    """

    end_session: Callable[[Session], Coroutine[None, None, None]]
    follow_rules: Callable[[Session, Rules], Coroutine[None, None, None]]
    report_places: Callable[[Session], Coroutine[None, None, None]]


class Pcrf:
    """All sessions of a PGW that PCRFs rule."""

    def __init__(self, core: Core, node: DiameterNode, realm: str, procedures: Procedures) -> None:
        self._core, self._end_session, self._follow_rules, self._report_places = core, *procedures
        settings = CreditSettings(tx=core.config.answer_time, harmless=_NOT_FOR_DEVICE)
        self._client = CreditClient(node, "Gx", "", realm, settings=settings, re_auth=self._re_auth)
        self._of: dict[str, Session] = {}
        entries = {name: tuple(map(Destination.parse, each)) for name, each in core.config.applications.items()}
        self._applications = {name: _filters(rules_of(each)) for name, each in entries.items()}
        self._denied = {name: _filters(rules_of((), each)) for name, each in entries.items()}

    async def begin(self, session: Session) -> Cause | None:
        """Ask for the rules of a session that begins; return why it must not, None if it may."""
        place = Place(_own(session), self._applications, self._closed)
        credit = self._client.open(
            lambda ask: self._fill(session, ask), lambda event: self._hear(session, event), session.addresses.config.gx
        )
        rules = session.gx = Rules(place, credit, session.qos)
        self._of[credit.id] = session
        event = await credit.begin()
        if isinstance(event, Granted):
            if event.answer.get("Session-Release-Cause") is not None:
                return Cause.REMOTE_PEER_NOT_RESPONDING  # the caller ends the Gx session
            rules.take(event.answer)
            session.ambr, wanted = qos.authorized(event.answer, _qos_of(session))
            if qos.is_possible(wanted):
                session.qos = wanted
            else:
                rules.report_event(EventTrigger.DEFAULT_EPS_BEARER_QOS_MODIFICATION_FAILURE)
                rules.refused = qos.Authorized(session.ambr, wanted)
            rules.default = session.qos
            self._order_reports(session, rules, event.answer)
            session.rules = self._set(session, rules)
            session.rates = rates_of(
                session.rules.rules, EMPTY, session.addresses.config.mtu, self._core.site.clock.now()
            )
            return None
        del self._of[credit.id]
        session.gx = None
        rules.stand()
        return _cause(event)

    def begun(self, session: Session) -> None:
        """Report what could not be installed, and have bearers, now that the session stands; orders may come."""
        if session.gx is None:
            return
        session.gx.stand()
        session.gx.stood_by_default()
        self.credit_changed(session)
        if session.gx.failures or session.gx.events:
            self._ask(session, "rules are not active")
        self._bear(session)

    def _bear(self, session: Session) -> None:
        gx = session.gx
        if gx is not None and (gx.called or any(map(gx.needs_bearer, gx.installed))):
            self._core.site.spawn(self._follow_rules(session, gx), "bearers of rules")

    def bound(self, session: Session, gx: Rules, name: bytes, failure: RuleFailureCode | None) -> None:
        """Take note of what became of the bearer of a rule: it stands, or the rule is not active."""
        if failure is None:
            gx.standing |= {name}
            if gx.stood(name):
                self._ask(session, "event trigger")
        else:
            gx.fail(failure, name)
            self._ask(session, "rules are not active")
        self._install(session, self._set(session, gx))

    def released(self, session: Session, called: str) -> None:
        """Take note that a bearer of a rule is over: so is the rule, which is reported (4.5.12)."""
        if (gx := session.gx) is not None:
            lost = [each for each in sorted(gx.standing) if gx.bearer_of(each) == called]
            for kind in [each for each, name in gx.called.items() if name == called]:
                del gx.called[kind]
                gx.built.pop(kind, None)
            for name in lost:
                self.bound(session, gx, name, RuleFailureCode.RESOURCE_ALLOCATION_FAILURE)

    def close(self, session: Session) -> None:
        """End the Gx session of one that is over."""
        gx, session.gx = session.gx, None
        if gx is not None:
            gx.stand()
            gx.give_up()
            self._of.pop(gx.credit.id, None)
            self._core.site.spawn(gx.credit.end(), "CCR-T")

    def changed(self, session: Session, before: Access) -> None:
        """Report what has changed of a session's access, if its PCRF wants to know (4.5.3)."""
        if session.gx is None:
            return
        now = session.access
        rat, place, zone, network, sgw = (old != new for old, new in zip(before, now, strict=True))
        old, new = before[1], now[1]
        happened = {
            EventTrigger.RAT_CHANGE: rat,
            EventTrigger.PLMN_CHANGE: network,
            EventTrigger.USER_LOCATION_CHANGE: place,
            EventTrigger.AN_GW_CHANGE: sgw,
            EventTrigger.UE_TIME_ZONE_CHANGE: zone,
            EventTrigger.TAI_CHANGE: (old and old.tai) != (new and new.tai),
            EventTrigger.ECGI_CHANGE: (old and old.ecgi) != (new and new.ecgi),
        }
        events = [each for each, did in happened.items() if did and each in session.gx.triggers]
        if events:
            session.gx.report_event(*events)
            self._ask(session, "event trigger")

    # -- the QoS of a session, and what a device asks for

    async def authorize(self, session: Session, wanted: qos.Authorized) -> qos.Authorized | None:
        """Ask the PCRF about a QoS that the HSS has changed (TS 23.401 5.4.2.2 step 4); None: the session is over.

        Both events are reported whether the PCRF has armed them or not (5.3.7).
        """
        gx = session.gx
        if gx is not None and not await self._turn(session, gx, "qos"):
            return None
        if gx is None or wanted == (session.ambr, session.qos):
            return wanted
        if wanted.ambr != session.ambr:
            gx.report_event(EventTrigger.QOS_CHANGE)
        if wanted.qos != session.qos:
            gx.report_event(EventTrigger.DEFAULT_EPS_BEARER_QOS_CHANGE)
        gx.wanted = wanted
        gx.requested = (*gx.requested, *qos.requested(*wanted))
        answer = await self._answer(session, gx, "qos")
        return qos.authorized(answer, wanted) if answer is not None else None

    def on_qos_result(self, session: Session, wanted: qos.Authorized, *, done: bool) -> None:
        """Report a QoS that the device did not take; neither event needs a subscription (5.3.7, values 29 and 34)."""
        gx = session.gx
        if gx is not None:
            gx.refused = None if done else wanted
        if gx is None or done:
            return
        if wanted.ambr != session.ambr:
            gx.report_event(EventTrigger.APN_AMBR_MODIFICATION_FAILURE)
        if wanted.qos != session.qos:
            gx.report_event(EventTrigger.DEFAULT_EPS_BEARER_QOS_MODIFICATION_FAILURE)
        gx.default = session.qos
        self._install(session, self._set(session, gx))
        self._bear(session)
        self._ask(session, "QoS is not enforced")

    async def request_resources(self, session: Session, gx: Rules, requested: Avps, commanded: tuple[int, int]) -> bool:
        """Ask for rules for what a device asks for (5.3.7, value 23); return True if a bearer is set up for it.

        `commanded`: sequence number and procedure transaction identity of the device's command.
        """
        if not await self._turn(session, gx, "resources"):
            return False
        gx.report_event(EventTrigger.RESOURCE_MODIFICATION_REQUEST)
        gx.requested = (*gx.requested, *requested)
        before, gx.commanded = dict(gx.installed), commanded
        answer = await self._answer(session, gx, "resources")
        served = (
            answer is not None
            and gx.installed != before
            and any(gx.needs_bearer(name) for name, rule in gx.installed.items() if before.get(name) != rule)
        )
        gx.commanded = gx.commanded if served else None
        return served

    async def _turn(self, session: Session, gx: Rules, kind: str) -> bool:
        """Wait until no earlier procedure of a kind awaits its answer; return False if the session has ended."""
        while (pending := gx.waiting.get(kind) or gx.asked.get(kind)) is not None:
            await asyncio.wait([pending])
        return session.gx is gx

    async def _answer(self, session: Session, gx: Rules, kind: str) -> Message | None:
        """Send an update and return its answer; None if the session has ended."""
        told: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        gx.waiting = {**gx.waiting, kind: told}
        self._ask(session, "event trigger")
        answer = await told
        return answer if session.gx is gx else None

    # -- credit

    def credit_changed(self, session: Session) -> None:
        """Report rules that are out of credit, or have credit again, if the PCRF wants to know (4.5.6)."""
        gx, credit = session.gx, session.credit
        if gx is None or gx.begun is not None or credit is None or credit.over:
            return
        exhausted = frozenset(number for number, group in credit.groups.items() if group.ended) or NOTHING
        changes: dict[EventTrigger, tuple[frozenset[int], FinalUnitAction | None]] = {
            EventTrigger.OUT_OF_CREDIT: (exhausted - gx.exhausted, FinalUnitAction.TERMINATE),
            EventTrigger.REALLOCATION_OF_CREDIT: (gx.exhausted - exhausted, None),
        }
        gx.exhausted = exhausted
        for event, (groups, action) in changes.items():
            if groups and event in gx.triggers:
                gx.credit_changes = {**gx.credit_changes, **dict.fromkeys(sorted(groups), action)}
                gx.report_event(event)
                self._ask(session, "event trigger")

    def _ask(self, session: Session, why: str) -> None:
        if session.gx is not None:
            session.gx.credit.update(why)

    # -- what is told

    def _fill(self, session: Session, ask: Ask) -> Avps:
        station = ("Called-Station-Id", session.apn)
        if ask.kind == CcRequestType.INITIAL_REQUEST:
            return [("Origin-State-Id", self._client.node.local.state_id), *messages.initial(session), station]
        if ask.kind == CcRequestType.TERMINATION_REQUEST:
            return [*messages.termination(session), station]
        if session.gx is None:
            return [*messages.access(session), station]
        session.gx.expect_answer()
        return [*messages.update(session, session.gx), station]

    # -- what comes

    def _hear(self, session: Session, event: Event) -> None:
        if session.gx is None:
            return
        if isinstance(event, Granted):
            self._carry_out(session, session.gx, event.answer)
            if event.answer.get("Session-Release-Cause") is not None:
                self._core.site.spawn(self._end_session(session), "released by the PCRF")
        elif isinstance(event, Ended):
            self._core.site.note(f"its PCRF rules a session no more: {event.reason}", imsi=session.imsi)
            self._core.site.spawn(self._end_session(session), "session without a PCRF")

    def _carry_out(self, session: Session, gx: Rules, message: Message) -> bool:
        """Carry out the orders of a message; return False if rules were to be installed and none could be."""
        before, qos_asked = (dict(gx.installed), gx.default, gx.online), not message.request and "qos" in gx.asked
        wanted = qos.authorized(message, gx.wanted if qos_asked and gx.wanted is not None else _qos_of(session))
        if wanted == gx.refused and not message.request:
            wanted = _qos_of(session)  # its failure was reported; another attempt would fail as well
        gx.default = wanted.qos
        done = gx.take(message)
        self._order_reports(session, gx, message)
        if (gx.installed, gx.default, gx.online) != before:
            for name in [each for each in gx.bearers if gx.installed.get(each) != gx.bearers[each]]:
                gx.standing -= {name}  # until it is as it should be
                del gx.bearers[name]
            self._install(session, self._set(session, gx))
            self._bear(session)
        if wanted != _qos_of(session) and not qos_asked:
            self._core.site.spawn(self._enforce(session, wanted), "QoS that a PCRF orders")
        gx.stood_by_default()
        if not message.request:
            self._report(session, gx)
            gx.give_answer(message)
        elif gx.events:
            self._ask(session, "event trigger")
        return done

    def _report(self, session: Session, gx: Rules) -> None:
        """Report the failures and events that an answer causes; after several such reports in a row, delay each.

        Otherwise a PCRF that repeats its order in each answer causes an endless series of requests.
        """
        gx.chained = gx.chained + 1 if gx.failures or gx.events else 0
        if 0 < gx.chained <= _MOST_CHAINED:
            self._ask(session, "rules are not active")
        elif gx.chained and gx.late is None:
            gx.late = self._core.site.clock.call_later(_SHORTEST, partial(self._report_late, session, gx))

    def _report_late(self, session: Session, gx: Rules) -> None:
        gx.late = None
        if session.gx is gx:
            self._ask(session, "rules are not active")

    async def _enforce(self, session: Session, wanted: qos.Authorized) -> None:
        done = await qos.enforce(self._core, session, wanted)
        self.on_qos_result(session, wanted, done=done)

    def _order_reports(self, session: Session, gx: Rules, message: Message) -> None:
        """Carry out what a message orders to be reported: use (4.5.16), a time to ask again (5.3.41), places."""
        groups = message.all("Usage-Monitoring-Information")
        session.usage = order_usage(session.usage, groups, partial(self._full, session))
        if session.usage is not None and session.usage.due:
            gx.report_event(EventTrigger.USAGE_REPORT)
        if (when := message.get("Revalidation-Time")) is not None:
            delay = max(_SHORTEST, when - self._core.site.clock.wall().timestamp())
            gx.revalidate(self._core.site.clock.call_later(delay, lambda: self._revalidate(session, gx)))
        possible = gx.begun is None and session.reportable and not session.reported
        if possible and gx.triggers & messages.PLACES:
            self._core.site.spawn(self._report_places(session), "reports of places")

    def _revalidate(self, session: Session, gx: Rules) -> None:
        if session.gx is gx and EventTrigger.REVALIDATION_TIMEOUT in gx.triggers:
            gx.report_event(EventTrigger.REVALIDATION_TIMEOUT)
            self._ask(session, "event trigger")

    def _full(self, session: Session) -> None:
        if session.gx is not None and EventTrigger.USAGE_REPORT in session.gx.triggers:
            session.gx.report_event(EventTrigger.USAGE_REPORT)
            self._ask(session, "usage")

    def _install(self, session: Session, rules: RuleSet) -> None:
        from simulators.pgw.rules import install  # noqa: PLC0415 - it needs this

        mtu, now = session.addresses.config.mtu, self._core.site.clock.now()
        session.rates = rates_of(rules.rules, session.rates, mtu, now)
        install(self._core, session, rules, RE_AUTH)

    async def _re_auth(self, credit: Credit, asked: Message) -> Message:
        """Carry out an order (4.5.2.1.2) after the answer before it; what could not be is in the answer (4.5.12)."""
        session, node = self._of.get(credit.id), self._client.node
        if session is not None and session.gx is not None and session.gx.begun is not None:
            await session.gx.begun.wait()
        gx = session.gx if session is not None else None
        if session is None or gx is None:
            return node.answer(asked, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
        if asked.get("Session-Release-Cause") is not None:
            self._core.site.spawn(self._end_session(session), "released by the PCRF")
            return node.answer(asked, ResultCode.DIAMETER_SUCCESS)
        done = self._carry_out(session, gx, asked)
        result = ResultCode.DIAMETER_SUCCESS if done else ExperimentalResult.DIAMETER_PCC_RULE_EVENT
        return node.answer(asked, result, [*messages.access(session), *gx.reports()])

    def _set(self, session: Session, gx: Rules) -> RuleSet:
        installed = gx.in_force()
        unmatched = (UNMATCHED,) if session.addresses.config.unmatched == "pass" else ()
        apps = tuple(self._apps(installed))
        return _rule_set((*installed, *unmatched), session.addresses.config.dns, apps)

    def _closed(self, application: str) -> tuple[FlowFilter, ...] | None:
        """Return by which filters an application is closed; people's apps (`KIND` or `KIND@USE`) are by their lists."""
        if application in self._denied:
            return self._denied[application]
        kind, _, use = application.partition("@")
        try:
            self._core.app_lists().of(use, (kind,))
        except ValueError:
            return None
        return ()

    def _apps(self, installed: Iterable[FlowRule]) -> list[Blacklist]:
        """Return the lists of the apps that rules close, of each use together: rules without filters of their own."""
        kinds: dict[str, list[str]] = {}
        for rule in installed:
            if rule.application and not rule.filters:
                kind, _, use = rule.application.partition("@")
                kinds.setdefault(use, []).append(kind)
        return [self._core.app_lists().of(use, each) for use, each in kinds.items()]


@lru_cache(maxsize=1024)
def _rule_set(rules: tuple[FlowRule, ...], resolvers: tuple[str, ...], apps: tuple[Blacklist, ...]) -> RuleSet:
    return RuleSet(rules, resolvers, apps)


def _filters(rules: Iterable[FlowRule]) -> tuple[FlowFilter, ...]:
    return tuple(each for rule in rules for each in rule.filters)


def _own(session: Session) -> tuple[Network, ...]:
    found = (session.paa.ipv4, session.paa.ipv6 and f"{session.paa.ipv6}/64")
    return tuple(map(Network.parse, filter(None, found)))


def _cause(event: Event) -> Cause:
    """Return by which cause a session is refused: what was not decided is tried again (TS 29.274 8.4)."""
    answer = event.answer if isinstance(event, Ended) else None
    if answer is None or isinstance(event, Uncharged):
        return Cause.REMOTE_PEER_NOT_RESPONDING
    refused = answer.result_code in _REFUSED
    return Cause.USER_AUTHENTICATION_FAILED if refused else Cause.REMOTE_PEER_NOT_RESPONDING


def _qos_of(session: Session) -> qos.Authorized:
    return qos.Authorized(session.ambr, session.qos)
