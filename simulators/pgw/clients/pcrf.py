"""Gx (TS 29.212 4.5): the rules of sessions whose APN has a PCRF come from there, and from nowhere else.

It fails closed: a session begins when its PCRF has answered, and ends when its PCRF does not know it any more or does
not answer; with causes after which the device may ask again (cause 100, reactivation requested).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from simulators.pgw.clients import facts
from simulators.pgw.controls import RE_AUTH
from simulators.pgw.usage import Usage
from simwarden.model.network import Network
from simwarden.policy.access_list import Destination
from simwarden.policy.flow_rule import UNMATCHED, rules_of
from simwarden.policy.rule_set import RuleSet
from simwarden.runtime.diameter.pcc_rules import Place, RuleError, merge, name_of, predefined, readable, report, rule_of
from simwarden.runtime.diameter.session import CreditClient, CreditSettings, Ended, Granted, Uncharged
from simwarden.wire.diameter import ExperimentalResult, ResultCode, first
from simwarden.wire.diameter.apps.credit import CcRequestType, TerminationCause
from simwarden.wire.diameter.apps.gx import EventTrigger, PccRuleStatus, RuleFailureCode
from simwarden.wire.diameter.codes import GxFeature
from simwarden.wire.diameter.features import supported_features
from simwarden.wire.gtpv2 import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from simulators.pgw.core import Core
    from simulators.pgw.session import Session
    from simwarden.policy.app_blacklists import Blacklist
    from simwarden.policy.flow_rule import FlowFilter, FlowRule
    from simwarden.runtime.diameter.node import DiameterNode
    from simwarden.runtime.diameter.session import Ask, Event
    from simwarden.runtime.diameter.session import Session as Credit
    from simwarden.wire.diameter import Avps, Message
    from simwarden.wire.gtpv2 import BearerQos, RatType, UeTimeZone, Uli

_FEATURES: Final = GxFeature.REL8 | GxFeature.REL9 | GxFeature.REL10 | GxFeature.ADC
#: IP-CAN-Type of EPS (TS 29.212 5.3.27); what says in User-Equipment-Info that it is an IMEISV (RFC 8506 8.50)
_EPS, _IMEISV = 5, 0
#: Usage-Monitoring-Level (TS 29.212 5.3.62): all that a session uses
_SESSION_LEVEL: Final = 0
#: results by which a PCRF has decided that a card gets no session; all others mean that it could not decide
_REFUSED: Final = frozenset({
    ResultCode.DIAMETER_USER_UNKNOWN,
    ResultCode.DIAMETER_AUTHORIZATION_REJECTED,
    ResultCode.DIAMETER_END_USER_SERVICE_DENIED,
})  # fmt: skip
#: AVPs of an order by which rules would begin or end by themselves, which they do not here
_TIMED: Final = frozenset({"Rule-Activation-Time", "Rule-Deactivation-Time"})


@dataclass(slots=True, eq=False)
class Rules:
    """What the PCRF has told of a session: definitions of rules and names of the PGW's own, by their octets."""

    place: Place
    credit: Credit
    #: QoS class and priority of the default bearer, by which rules are that say nothing else
    default: BearerQos
    definitions: dict[bytes, Avps] = field(default_factory=dict)
    installed: dict[bytes, FlowRule] = field(default_factory=dict)
    #: rules for which a bearer was ordered, as they were then, and those whose bearer stands; what bearers of rules are
    #: called, and whether one is being ordered
    bearers: dict[bytes, FlowRule] = field(default_factory=dict)
    standing: frozenset[bytes] = frozenset()
    called: frozenset[str] = frozenset()
    bearing: bool = False
    triggers: frozenset[int] = frozenset()
    #: what the next CCR reports: what has happened, and rules that are not active
    events: dict[EventTrigger, None] = field(default_factory=dict)
    failures: dict[tuple[RuleFailureCode, PccRuleStatus], Avps] = field(default_factory=dict)
    #: the session stands, or is over: orders of the PCRF come after the answer to the first CCR, and the OCS's
    begun: asyncio.Event | None = field(default_factory=asyncio.Event)

    def stand(self) -> None:
        """Let orders of the PCRF be carried out: the session stands, or is over."""
        if self.begun is not None:
            self.begun.set()
            self.begun = None

    def take(self, message: Message) -> bool:
        """Carry out the orders of a message, removals first; return whether any rule could be installed, if one was to.

        What could not be is in `failures`. A rule that is changed to something that cannot be is one that is not there:
        what its PCRF wants of it now is not known, and what it wanted before is wanted no more. Only one that closes
        its gates stays, and is reported as active: or the change would open them.
        """
        for group in message.all("Charging-Rule-Remove"):
            for name, value in group:
                if name == "Charging-Rule-Name":
                    self._drop(value)
        triggers = message.all("Event-Trigger")
        if triggers:
            self.triggers = frozenset(triggers) - {EventTrigger.NO_EVENT_TRIGGERS}
        asked = [each for group in message.all("Charging-Rule-Install") for each in self._install(group)]
        return not asked or any(asked)

    def _install(self, group: Avps) -> Iterable[bool]:
        timed = any(name in _TIMED for name, _ in group)
        for name, value in group:
            if name == "Charging-Rule-Definition":
                yield self._define(value, timed=timed)
            elif name == "Charging-Rule-Name":
                yield self._put(value, partial(predefined, readable(value), self.place), timed=timed)
            elif name == "Charging-Rule-Base-Name":
                self._fail(RuleFailureCode.UNKNOWN_RULE_NAME, (name, value))
                yield False

    def _define(self, definition: Avps, *, timed: bool) -> bool:
        name = name_of(definition)
        if not name:  # nobody could change or remove it
            self._fail(RuleFailureCode.UNKNOWN_RULE_NAME, ("Charging-Rule-Name", name))
            return False
        before = self.definitions.get(name)
        merged = merge(before, definition) if before is not None else definition
        done = self._put(name, partial(rule_of, merged, self.place), timed=timed)
        if done:
            self.definitions[name] = merged
        return done

    def _put(self, name: bytes, make: Callable[[], FlowRule], *, timed: bool) -> bool:
        try:
            rule = make()
        except RuleError as error:
            failure = error.failure
        else:
            if not timed:
                self.installed[name] = rule
                return True
            failure = RuleFailureCode.RESOURCES_LIMITATION
        if name in self.installed and self.installed[name].denies:
            self._fail(failure, ("Charging-Rule-Name", name), PccRuleStatus.ACTIVE)
        else:
            self.fail(failure, name)
        return False

    def _drop(self, name: bytes) -> None:
        self.definitions.pop(name, None)
        self.installed.pop(name, None)
        self.bearers.pop(name, None)
        self.standing -= {name}

    def needs_bearer(self, name: bytes) -> bool:
        """Whether a rule is of another QoS class or priority than the default bearer (TS 23.203 6.1.1.4).

        One that closes its gates needs none, and counts at once.
        """
        quality, default = self.installed[name].quality, self.default
        if quality is None or self.installed[name].denies:
            return False
        told = first(first(self.definitions[name], "QoS-Information", []), "Allocation-Retention-Priority")
        same = told is None or (quality.priority, quality.may_preempt, quality.preemptable) == default.arp
        return quality.qci != default.qci or not same

    def in_force(self) -> list[FlowRule]:
        """Return the rules by which packets pass: those of the default bearer, and those whose bearer stands."""
        found = self.installed.items()
        return [rule for name, rule in found if name in self.standing or not self.needs_bearer(name)]

    def fail(self, failure: RuleFailureCode, name: bytes) -> None:
        """Take a rule out of force that cannot be, to be reported."""
        self._drop(name)
        self._fail(failure, ("Charging-Rule-Name", name))

    def _fail(
        self, failure: RuleFailureCode, name: tuple[str, Any], status: PccRuleStatus = PccRuleStatus.INACTIVE
    ) -> None:
        self.failures.setdefault((failure, status), []).append(name)

    def reports(self) -> Avps:
        """Return reports of what could not be installed, once."""
        failures, self.failures = self.failures, {}
        return [report(names, *why) for why, names in failures.items()]


class Pcrf:
    """All sessions of a PGW that PCRFs rule.

    `end_session` ends one whose PCRF is lost, or wants that; `follow_rules` has the bearers that rules ask for.
    """

    def __init__(
        self,
        core: Core,
        node: DiameterNode,
        realm: str,
        end_session: Callable[[Session], Coroutine[None, None, None]],
        follow_rules: Callable[[Session, Rules], Coroutine[None, None, None]],
    ) -> None:
        self._core, self._end_session, self._follow_rules = core, end_session, follow_rules
        settings = CreditSettings(tx=core.config.answer_time)
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
            rules.take(event.answer)
            self._monitor(session, event.answer)
            session.rules = self._set(session, rules)
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
        if session.gx.failures:
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
        else:
            gx.fail(failure, name)
            self._ask(session, "rules are not active")
        self._install(session, self._set(session, gx))

    def released(self, session: Session, called: str) -> None:
        """Take note that a bearer of a rule is over: so is the rule, which is reported (4.5.12)."""
        if (gx := session.gx) is not None:
            for name in [each for each in gx.standing if gx.installed[each].name == called]:
                self.bound(session, gx, name, RuleFailureCode.RESOURCE_ALLOCATION_FAILURE)

    def close(self, session: Session) -> None:
        """End the Gx session of one that is over."""
        gx, session.gx = session.gx, None
        if gx is not None:
            gx.stand()
            self._of.pop(gx.credit.id, None)
            self._core.site.spawn(gx.credit.end(), "CCR-T")

    def changed(self, session: Session, before: tuple[RatType | None, Uli | None, UeTimeZone | None]) -> None:
        """Report what has changed of a session's access, if its PCRF wants to know (4.5.3)."""
        if session.gx is None:
            return
        rat, uli, zone = before
        happened = {
            EventTrigger.RAT_CHANGE: rat != session.rat,
            EventTrigger.USER_LOCATION_CHANGE: uli != session.uli,
            EventTrigger.UE_TIME_ZONE_CHANGE: zone != session.time_zone,
        }
        events = [each for each, did in happened.items() if did and each in session.gx.triggers]
        if events:
            session.gx.events.update(dict.fromkeys(events))
            self._ask(session, "event trigger")

    def _ask(self, session: Session, why: str) -> None:
        if session.gx is not None:
            session.gx.credit.update(why)

    # -- what is told

    def _fill(self, session: Session, ask: Ask) -> Avps:
        if ask.kind == CcRequestType.TERMINATION_REQUEST:
            cause = ("Termination-Cause", int(TerminationCause.DIAMETER_LOGOUT))
            return [*facts.subscription(session), cause, *_used(session)]
        if ask.kind == CcRequestType.INITIAL_REQUEST:
            return [("Origin-State-Id", self._client.node.local.state_id), *_introduce(session)]
        gx = session.gx
        avps: Avps = [*facts.subscription(session), *_access(session), *facts.place(session)]
        if gx is not None:
            events, gx.events = gx.events, {}
            avps += [*gx.reports(), *(("Event-Trigger", int(each)) for each in events)]
            avps += _used(session) if EventTrigger.USAGE_REPORT in events else []
        return avps

    # -- what comes

    def _hear(self, session: Session, event: Event) -> None:
        if session.gx is None:
            return
        if isinstance(event, Granted):
            self._carry_out(session, session.gx, event.answer)
        elif isinstance(event, Ended):
            self._core.site.note(f"its PCRF rules a session no more: {event.reason}", imsi=session.imsi)
            self._core.site.spawn(self._end_session(session), "session without a PCRF")

    def _carry_out(self, session: Session, gx: Rules, message: Message) -> bool:
        before = dict(gx.installed)
        done = gx.take(message)
        self._monitor(session, message)
        if gx.installed != before:
            for name in [each for each in gx.bearers if gx.installed.get(each) != gx.bearers[each]]:
                gx.standing -= {name}  # until it is as it should be
                del gx.bearers[name]
            self._install(session, self._set(session, gx))
            self._bear(session)
        if gx.failures and not message.request:
            self._ask(session, "rules are not active")
        return done

    def _monitor(self, session: Session, message: Message) -> None:
        """Report what the session uses, if its PCRF wants that (4.5.16); use by some of its rules is not told apart."""
        for group in message.all("Usage-Monitoring-Information"):
            octets = first(first(group, "Granted-Service-Unit", []), "CC-Total-Octets", 0)
            if first(group, "Usage-Monitoring-Level") != _SESSION_LEVEL or not octets:
                continue
            usage, key = session.usage, first(group, "Monitoring-Key", b"")
            if usage is None or usage.key != key:
                usage = session.usage = Usage(key, octets, partial(self._full, session))
            usage.threshold = octets

    def _full(self, session: Session) -> None:
        if session.gx is not None and EventTrigger.USAGE_REPORT in session.gx.triggers:
            session.gx.events[EventTrigger.USAGE_REPORT] = None
            self._ask(session, "usage")

    def _install(self, session: Session, rules: RuleSet) -> None:
        from simulators.pgw.rules import install  # noqa: PLC0415 - it needs this

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
        return node.answer(asked, result, [*_access(session), *gx.reports()])

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


def _introduce(session: Session) -> Avps:
    """Say all of a session that begins (5.6.2)."""
    qos, ambr = session.qos, session.ambr
    priority: Avps = [
        ("Priority-Level", qos.arp.priority),
        ("Pre-emption-Capability", int(not qos.arp.may_preempt)),
        ("Pre-emption-Vulnerability", int(not qos.arp.preemptable)),
    ]
    equipment: Avps = [("User-Equipment-Info-Type", _IMEISV), ("User-Equipment-Info-Value", session.mei.encode())]
    rates: Avps = [
        ("APN-Aggregate-Max-Bitrate-UL", min(ambr.uplink * 1000, 0xFFFFFFFF)),
        ("APN-Aggregate-Max-Bitrate-DL", min(ambr.downlink * 1000, 0xFFFFFFFF)),
    ]
    return [
        *facts.subscription(session),
        supported_features(_FEATURES),
        *facts.addresses(session),
        *_access(session),
        *([("User-Equipment-Info", equipment)] if session.mei else []),
        ("QoS-Information", rates),
        ("Default-EPS-Bearer-QoS", [("QoS-Class-Identifier", qos.qci), ("Allocation-Retention-Priority", priority)]),
        ("AN-GW-Address", session.sgw.address),
        *facts.place(session),
        ("Called-Station-Id", session.apn),
    ]


def _used(session: Session) -> Avps:
    """Say what the session has used since that was said last (4.5.17)."""
    if session.usage is None:
        return []
    used = [("CC-Total-Octets", session.usage.take())]
    group = [("Monitoring-Key", session.usage.key), ("Used-Service-Unit", used)]
    return [("Usage-Monitoring-Information", [*group, ("Usage-Monitoring-Level", _SESSION_LEVEL)])]


def _access(session: Session) -> Avps:
    avps: Avps = [("IP-CAN-Type", _EPS)]
    if session.rat in facts.RATS:
        avps.append(("RAT-Type", int(facts.RATS[session.rat])))
    return avps
