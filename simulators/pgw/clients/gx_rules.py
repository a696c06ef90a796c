"""Orders of a PCRF for a session: rules, event triggers and reports (TS 29.212 4.5.2, 4.5.3, 4.5.12)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.pgw.session import EMPTY
from simwarden.runtime.diameter.pcc_rules import (
    Place,
    RuleError,
    common_rules,
    merge,
    name_of,
    online_of,
    predefined,
    readable,
    report,
    rule_of,
)
from simwarden.wire.diameter import first
from simwarden.wire.diameter.apps.gx import EventTrigger, PccRuleStatus, RuleFailureCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simulators.pgw.qos import Authorized
    from simwarden.policy.flow_rule import FlowRule
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.diameter.session import Session as Credit
    from simwarden.wire.diameter import Avps, Message
    from simwarden.wire.diameter.apps.credit import FinalUnitAction
    from simwarden.wire.gtpv2 import BearerQos

#: Resource-Allocation-Notification (TS 29.212 5.3.50): ENABLE_NOTIFICATION
_NOTIFIED: Final = 0
#: Charging-Correlation-Indicator (TS 29.212 5.3.67): CHARGING_IDENTIFIER_REQUIRED
_IDENTIFIED: Final = 0
_ALLOCATED: Final = EventTrigger.SUCCESSFUL_RESOURCE_ALLOCATION
_CORRELATED: Final = EventTrigger.CHARGING_CORRELATION_EXCHANGE
#: one empty set for all sessions: each frozenset() is another
NOTHING: Final[frozenset[Any]] = frozenset()
#: AVPs of a Charging-Rule-Install that name a rule
_NAMING: Final = frozenset({"Charging-Rule-Definition", "Charging-Rule-Name"})
#: AVPs of an order by which rules would begin or end by themselves, which they do not here
_TIMED: Final = frozenset({"Rule-Activation-Time", "Rule-Deactivation-Time"})


class Kind(NamedTuple):
    """QCI and ARP, which rules of one bearer share (TS 23.203 6.1.1.4); `number` counts bearers with full filters."""

    qci: int
    priority: int
    may_preempt: bool
    preemptable: bool
    number: int = 0


@dataclass(slots=True, eq=False)
class Rules:
    """What the PCRF has told of a session: definitions of rules and names of the PGW's own, by their octets."""

    place: Place
    credit: Credit
    #: QoS class and priority of the default bearer, by which rules are that say nothing else
    default: BearerQos
    #: the default charging method as the PCRF has it, None: that of the APN applies (TS 29.212 5.3.10)
    online: bool | None = None
    definitions: dict[bytes, Avps] = field(default_factory=dict)
    installed: dict[bytes, FlowRule] = field(default_factory=dict)
    #: rules for which a bearer was ordered, as they were then, and those whose bearer stands
    bearers: dict[bytes, FlowRule] = field(default_factory=dict)
    standing: frozenset[bytes] = NOTHING
    #: by QoS the names of bearers and the rules that they were ordered for; whether one is being ordered
    called: dict[Kind, str] = field(default_factory=dict)
    built: dict[Kind, dict[bytes, FlowRule]] = field(default_factory=dict)
    bearing: bool = False
    triggers: frozenset[int] = NOTHING
    #: what the next CCR reports: what has happened, and rules that are not active
    events: tuple[EventTrigger, ...] = ()
    failures: Mapping[tuple[RuleFailureCode, PccRuleStatus], Avps] = field(default_factory=lambda: EMPTY)
    #: rules whose bearer is to be reported when it stands (Resource-Allocation-Notification), and those that do
    notified: frozenset[bytes] = NOTHING
    allocated: tuple[bytes, ...] = ()
    #: rules whose charging identifier is to be reported (Charging-Correlation-Indicator), and those whose is due
    correlated: frozenset[bytes] = NOTHING
    identified: tuple[bytes, ...] = ()
    #: rating groups that are reported as out of credit, and those whose change is to be reported
    exhausted: frozenset[int] = NOTHING
    credit_changes: Mapping[int, FinalUnitAction | None] = field(default_factory=lambda: EMPTY)
    #: when rules are asked for again (Revalidation-Time, 5.3.41)
    revalidation: Timer | None = None
    #: AVPs that the next CCR asks for: a QoS, or bearers of the device's command
    requested: tuple[tuple[str, Any], ...] = ()
    wanted: Authorized | None = None
    #: number of consecutive reports that answers have caused, and the timer of a delayed one
    chained: int = 0
    late: Timer | None = None
    #: the last QoS that could not be enforced
    refused: Authorized | None = None
    commanded: tuple[int, int] | None = None
    #: by kind (`qos`, `resources`) the procedures that await an answer: to the next CCR, and to the one sent
    waiting: Mapping[str, asyncio.Future[Message | None]] = field(default_factory=lambda: EMPTY)
    asked: Mapping[str, asyncio.Future[Message | None]] = field(default_factory=lambda: EMPTY)
    #: the session stands, or is over: orders of the PCRF come after the answer to the first CCR, and the OCS's
    begun: asyncio.Event | None = field(default_factory=asyncio.Event)

    def stand(self) -> None:
        """Let orders of the PCRF be carried out: the session stands, or is over."""
        if self.begun is not None:
            self.begun.set()
            self.begun = None

    def report_event(self, *events: EventTrigger) -> None:
        """Have events reported with the next CCR, each once."""
        self.events = tuple(dict.fromkeys((*self.events, *events)))

    def expect_answer(self) -> None:
        """Note that a CCR is sent: the procedures that wait await its answer."""
        if self.waiting:
            self.asked, self.waiting = {**self.asked, **self.waiting}, EMPTY

    def give_answer(self, answer: Message | None) -> None:
        """Pass the answer of the CCR sent to the procedures that await it; None if the session has ended."""
        asked, self.asked, self.wanted = self.asked, EMPTY, None
        for each in asked.values():
            if not each.done():
                each.set_result(answer)

    def give_up(self) -> None:
        """Release waiting procedures and the timer when the session ends."""
        self.expect_answer()
        self.give_answer(None)
        self.revalidate(None)

    def revalidate(self, timer: Timer | None) -> None:
        """Arm the revalidation timer, replacing the previous one."""
        if self.revalidation is not None:
            self.revalidation.cancel()
        self.revalidation = timer

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
            self.triggers = _armed(tuple(triggers))
        self.online = self.online if (online := message.get("Online")) is None else online_of(online)
        asked = [each for group in message.all("Charging-Rule-Install") for each in self._install(group)]
        return not asked or any(asked)

    def _install(self, group: Avps) -> Iterable[bool]:
        if not self.installed and (common := common_rules(group, self.place)) is not None:
            self.definitions.update(common[0])
            self.installed.update(common[1])
            yield True
            return
        timed = any(name in _TIMED for name, _ in group)
        if first(group, "Resource-Allocation-Notification") == _NOTIFIED:
            self.notified |= _names_in(group)
        if first(group, "Charging-Correlation-Indicator") == _IDENTIFIED:
            self.correlated |= _names_in(group)
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

    def of_group(self, group: int, default: int) -> list[bytes]:
        """Return the names of the rules that are charged online under a rating group; `default` is that of the APN."""
        return [
            name
            for name, rule in self.installed.items()
            if not rule.denies
            and self.is_online(rule)
            and (default if rule.rating_group is None else rule.rating_group) == group
        ]

    def is_online(self, rule: FlowRule) -> bool:
        """Return True if octets of a rule are granted by an OCS: by the rule, or by the default charging method."""
        online = rule.online if rule.online is not None else self.online
        return online is None or online

    def _drop(self, name: bytes) -> None:
        self.notified, self.correlated = self.notified - {name}, self.correlated - {name}
        self.definitions.pop(name, None)
        self.installed.pop(name, None)
        self.bearers.pop(name, None)
        self.standing -= {name}

    def needs_bearer(self, name: bytes) -> bool:
        """Whether a rule is of another QoS class or priority than the default bearer (TS 23.203 6.1.1.4).

        One that closes its gates needs none, and counts at once.
        """
        quality, default = self.installed[name].quality, self.default
        if quality is None or (quality.qci, quality[1:4]) == (default.qci, default.arp) or self.installed[name].denies:
            return False
        if quality.qci != default.qci:
            return True
        arp = first(first(self.definitions[name], "QoS-Information", []), "Allocation-Retention-Priority")
        return arp is not None

    def sharing(self, most: int) -> dict[Kind, dict[bytes, FlowRule]]:
        """Return the rules that need bearers by the bearer that they share, with no more than `most` filters in one."""
        found: dict[Kind, dict[bytes, FlowRule]] = {}
        for key, rule in self.installed.items():
            if rule.quality is None or not self.needs_bearer(key):
                continue
            kind = Kind(*rule.quality[:4])
            while sum(len(each.filters) for each in found.get(kind, {}).values()) + len(rule.filters) > most:
                if kind not in found:
                    break  # a single rule with too many filters is reported
                kind = kind._replace(number=kind.number + 1)
            found.setdefault(kind, {})[key] = rule
        return found

    def bearer_of(self, name: bytes) -> str:
        """Return the name of the dedicated bearer of a rule; empty for one of the default bearer."""
        kinds = (kind for kind, rules in self.built.items() if name in rules)
        return next((self.called[kind] for kind in kinds if kind in self.called), "")

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
        self.failures = {**self.failures, (failure, status): [*self.failures.get((failure, status), ()), name]}

    def stood(self, *names: bytes) -> bool:
        """Note that the bearers of rules stand; return True if that is to be reported (5.3.7, values 22 and 28)."""
        if not (self.notified or self.correlated):
            return False
        allocated, identified = (
            tuple(name for name in names if name in wanted and event in self.triggers)
            for wanted, event in ((self.notified, _ALLOCATED), (self.correlated, _CORRELATED))
        )
        self.allocated, self.identified = self.allocated + allocated, self.identified + identified
        self.report_event(*(_ALLOCATED,) * bool(allocated), *(_CORRELATED,) * bool(identified))
        self.notified -= frozenset(names)
        self.correlated -= frozenset(names)
        return bool(allocated or identified)

    def stood_by_default(self) -> None:
        """Note that rules of the default bearer need no bearer to be set up."""
        wanted = sorted(self.notified | self.correlated)
        self.stood(*(each for each in wanted if each in self.installed and not self.needs_bearer(each)))

    def reports(self) -> Avps:
        """Return reports of what could not be installed, once."""
        failures, self.failures = self.failures, EMPTY
        return [report(names, *why) for why, names in failures.items()]

    def changes(self, default: int) -> Avps:
        """Return reports of rules whose bearer stands, and of those out of credit or with credit again, once."""
        allocated, self.allocated = self.allocated, ()
        changes, self.credit_changes = self.credit_changes, EMPTY
        avps: Avps = [report(_names(allocated), None, PccRuleStatus.ACTIVE)] if allocated else []
        for group, action in changes.items():
            status = PccRuleStatus.ACTIVE if action is None else PccRuleStatus.INACTIVE
            if names := self.of_group(group, default):
                avps.append(report(_names(names), None, status, final=action))
        return avps


@lru_cache(maxsize=1024)  # sessions with the same triggers have one set of them
def _armed(triggers: tuple[int, ...]) -> frozenset[int]:
    """Return the events that a PCRF has armed (5.3.7)."""
    return frozenset(triggers) - {EventTrigger.NO_EVENT_TRIGGERS}


def _names_in(group: Avps) -> frozenset[bytes]:
    """Return the names of the rules that a Charging-Rule-Install defines or names."""
    return frozenset(
        name_of(value) if name == "Charging-Rule-Definition" else value for name, value in group if name in _NAMING
    )


def _names(names: Iterable[bytes]) -> Avps:
    return [("Charging-Rule-Name", each) for each in names]
