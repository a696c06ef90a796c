"""What a run must show: what another run shows, in which the change was in force before the first attach.

Of a fault it is the run without it. Two runs that end alike may differ in what tells how they came there; elements
declare that at their observables.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from simwarden.campaign.explore.trial import CALLER, EVENT, Return
from simwarden.scenario.match import show
from simwarden.scenario.rest import disagreements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simwarden.campaign.explore.plan import Plan
    from simwarden.campaign.explore.story import Told
    from simwarden.campaign.explore.trial import Fact, Facts, Seen
    from simwarden.runtime.declare import Observable
    from simwarden.scenario.rest import Census

#: what is counted of each element, and compared with nothing but the other run
_BY_ITSELF = ("work", "timers")
#: how a deviation is judged
FAULT, ENFORCED, BUSY, SETTLED = "fault", "enforced", "busy", "settled"
QUIET, AUDIT, LATE = "quiet", "audit", "late"
#: the broker by which a scenario sees events, where its story has none
BROKER = "broker"
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that is not as in the other run: how it was judged, what it is about, and both values in words."""

    kind: str
    subject: str
    want: str
    got: str
    fact: Fact | None = None
    #: what the fact should be (None: no record), as far as it differs
    value: Any = None
    #: when it has to be so, for one who comes back late: so many seconds after the story, or after an owner's help
    by: Return | None = None

    @property
    def name(self) -> str:
        """What findings are grouped and reviewed by."""
        return f"{self.kind} {self.subject}"


class Oracle:
    """Holds runs of one scenario against the one in which all is as it must become."""

    def __init__(self, plan: Plan, told: Told, reference: Seen) -> None:
        self._plan, self._scenario, self._reference = plan, told.without, reference
        self._refusable = told.refusable
        #: by which word that works which terminals are asked to do, by the name of its step
        self._good = {each.judged: each.good for each in (*told.busy, *told.morning) if each.judged}
        self._wanted = self._lasting(reference.settled)
        self._rights = [self._served(each) for each in (*reference.moments, reference.settled)]

    def deviations(self, seen: Seen, *, change: bool, alone: bool = True) -> list[Deviation]:
        """Return what is not as it must be; of a fault that was put in nothing needs to be enforced at once.

        Of two things (not `alone`) one may have made the other impossible, by itself or from the first.
        """
        if self._reference.fault:
            return self._broken("reference", self._reference.fault) if alone else []
        fault = seen.fault or (seen.refused if change and alone and not self._refusable else "")
        if fault:
            return self._broken("run", fault)
        if seen.refused:
            return []
        found = list(self._settled(seen.settled))
        if not found:
            found += self._late(seen)
        if change:
            found += self._enforced(seen)
            found += self._audited(seen)
        for held in seen.rest:
            found += self._disagreeing(held)
        found += self._quiet(seen.settled, seen.held)
        found += self._told(seen)
        return list({each.name: each for each in found}.values())

    @staticmethod
    def _broken(what: str, fault: str) -> list[Deviation]:
        return [Deviation(FAULT, what, "comes to its end", fault.partition("\n")[0])]

    def content(self, facts: Facts, held: Census) -> bool:
        """Whether all is settled."""
        return not next(self._settled(facts), None) and not next(self._quiet(facts, held), None)

    # -- facts

    def _lasting(self, facts: Facts) -> dict[Fact, Any]:
        return self._kept(facts, lambda observable: "*" not in observable.passing)

    def _served(self, facts: Facts) -> dict[Fact, Any]:
        return self._kept(facts, lambda observable: bool(observable.serving))

    def _kept(self, facts: Facts, counts: Callable[[Observable], bool]) -> dict[Fact, Any]:
        kept = self._working(facts)
        for fact, value in facts.items():
            observable = self._observable(fact)
            if observable is not None and counts(observable) and not _is_idle(observable, value):
                kept[fact] = _without(value, observable.passing)
        return kept

    def _working(self, facts: Facts) -> dict[Fact, Any]:
        """Return what terminals were asked to do and works."""
        return {fact: value for fact, value in facts.items() if value == self._good.get(fact[:2], _MISSING)}

    def _observable(self, fact: Fact) -> Observable | None:
        instance = self._scenario.instances.get(fact[0])
        if instance is None or instance.external is not None:
            return None
        return _observables(self._scenario.registry.kinds[instance.kind]).get(fact[1])

    def _settled(self, facts: Facts) -> Iterator[Deviation]:
        got = self._lasting(facts)
        for fact in dict.fromkeys((*self._wanted, *got)):
            want, have = self._wanted.get(fact, _MISSING), got.get(fact, _MISSING)
            if want != have:
                yield Deviation(
                    SETTLED, f"{fact[0]}.{fact[1]}", *_differing(want, have), fact, self._right(fact, want, have)
                )

    def _enforced(self, seen: Seen) -> Iterator[Deviation]:
        """Yield what is in use 5 s after a change, or when terminals were kept busy, and not with it from the first."""
        for kind, moment in zip((ENFORCED, BUSY), seen.moments, strict=False):
            for fact, value in self._served(moment).items():
                if not any(value == rights.get(fact) for rights in self._rights):
                    want = next((rights[fact] for rights in self._rights if fact in rights), _MISSING)
                    yield Deviation(
                        kind, f"{fact[0]}.{fact[1]}", *_differing(want, value), fact, self._right(fact, want, value)
                    )

    def _right(self, fact: Fact, want: Any, got: Any) -> Any:
        """Return what a fact should be, as far as it differs; of what should not work how it should end."""
        if want is _MISSING and fact[:2] in self._good:
            return self._reference.settled.get(fact)
        return _value(want, got)

    def _late(self, seen: Seen) -> Iterator[Deviation]:
        """Yield who came back into service later than the cause that it was told last may keep it out."""
        for fact in self._served(self._reference.settled):
            back = seen.came.get(fact, Return())
            least = self._within(back.causes)
            if fact in self._wanted and back.took > least:
                told = ", ".join(sorted(back.causes)) or "nothing"
                want, got = f"within {least / 60:.0f} min", f"after {back.took / 60:.0f} min; told {told}"
                by = back._replace(took=least)
                yield Deviation(LATE, f"{fact[0]}.{fact[1]}", want, got, fact, self._wanted[fact], by)

    def _within(self, causes: frozenset[str]) -> float:
        """Return the seconds that a return may take after some causes, by the table."""
        table = [each for each, _ in self._plan.returns]
        told = [each.within for each in table if causes & {*each.causes}]
        return max(told or [each.within for each in table if not each.causes], default=math.inf)

    # -- what must hold whenever all is quiet

    def _quiet(self, facts: Facts, held: Census) -> Iterator[Deviation]:
        yield from self._disagreeing(held)
        lasting = self._lasting(facts)
        served = max(Counter(fact[0] for fact in self._served(facts) if fact in lasting).values(), default=0)
        for what, name in dict.fromkeys((*self._reference.held, *held)):
            want, got = self._reference.held.get((what, name), 0), held.get((what, name), 0)
            if what == "timers" and self._scenario.external:  # in real time there is no night in which they run out
                continue
            most = want if what in _BY_ITSELF else max(want, served, self._elsewhere(what, name))
            if got > most and self._is_core(what, name):
                yield Deviation(QUIET, f"{what} of {name}", str(want), str(got))
        for rule in self._plan.agreements:
            element, observable = rule.has.split(".")
            if element in self._scenario.external:
                continue
            for fact, value in facts.items():
                about = f"{fact[0]}.{fact[1]}" == rule.each and not (rule.unless and value[rule.unless])
                if about and (element, observable, fact[2]) not in facts:
                    lacks = element, observable, fact[2]
                    record = self._wanted.get(lacks, {"imsi": fact[2]})
                    right = (lacks, record) if fact in self._wanted else (fact, None)
                    yield Deviation(QUIET, rule.each, f"{rule.has} of the same card", "none", *right)

    def _elsewhere(self, what: str, name: str) -> int:
        """Return how many the other run has of something at all elements of a kind: a terminal may be at another."""
        kinds = {each: instance.kind for each, instance in self._scenario.instances.items()}
        counted = self._reference.held.items()
        return sum(number for (each, at), number in counted if each == what and kinds.get(at) == kinds[name])

    def _disagreeing(self, held: Census) -> Iterator[Deviation]:
        """Yield what elements of several kinds count by one name, each from its side, and do not agree on."""
        kinds = {name: instance.kind for name, instance in self._scenario.instances.items()}
        counted = {key: number for key, number in held.items() if key[0] not in _BY_ITSELF}
        for what, got in disagreements(counted, kinds):
            yield Deviation(QUIET, what, "all count as many", got)

    def _told(self, seen: Seen) -> Iterator[Deviation]:
        """Yield where an element's management tells another thing of a card than what was observed of it."""
        for (element, observable, imsi), value in self._lasting(seen.settled).items():
            told = seen.told.get((element, imsi or ""), {}).get(observable, _MISSING)
            if told is None or isinstance(told, dict):
                got = {key: each for key, each in (told or {}).items() if key in value}
                want = {key: value[key] for key in got}
                if got != want or told is None:
                    yield Deviation(QUIET, f"{element}.{observable} as told", show(value), show(told))

    def _is_core(self, what: str, name: str) -> bool:
        """Whether a network element holds it: a terminal has timers of its own for as long as it is on."""
        if what != "timers":
            instance = self._scenario.instances[name]
            return not instance.section
        registry = self._scenario.registry
        modules = (registry.kinds[kind].__module__.rpartition(".")[0] for kind in registry.sections.values())
        return not any(name.startswith(f"{module}.") for module in modules)

    def _audited(self, seen: Seen) -> Iterator[Deviation]:
        for key in dict.fromkeys((*self._reference.audits, *seen.audits)):
            want, got = self._reference.audits[key], seen.audits[key]
            if want != got:
                missing = self._missing(seen, key[0])
                yield Deviation(AUDIT, f"{key[0]} {key[1]}", f"{want} records", f"{got} records", *missing)
        records, events = _sums(seen.audits), _sums(seen.events)
        for element in dict.fromkeys((*records, *events)):
            want, got = records[element], events[element]
            if want != got:
                told, missing = f"{want} events, one a record", self._missing(seen, element)
                yield Deviation(AUDIT, f"{element} tells", told, f"{got} events", *missing)

    def _missing(self, seen: Seen, element: str) -> tuple[Fact, Any] | tuple[()]:
        """Return an event of an element that the other run has and this one lacks, as a fact of a broker."""
        for key, number in self._reference.events.items():
            if key[0] == element and not seen.events[key] and number:
                data = {"caller": CALLER}
                return (BROKER, EVENT, None), {"source": element, "topic": key[1], "data": data}
        return ()


def _sums(counted: Counter[tuple[str, str]]) -> Counter[str]:
    """Return how many there are of each element."""
    found: Counter[str] = Counter()
    for (element, _), number in counted.items():
        found[element] += number
    return found


@cache
def _observables(kind: Any) -> Mapping[str, Observable]:
    return {each.name: each for each in kind.declaration.observables}


def _is_idle(observable: Observable, value: Any) -> bool:
    """Whether a record of who is being served says: nobody."""
    return bool(observable.serving) and not value[observable.serving]


def _without(value: Any, passing: tuple[str, ...]) -> Any:
    return {key: each for key, each in value.items() if key not in passing} if isinstance(value, dict) else value


def _differing(want: Any, got: Any) -> tuple[str, str]:
    """Show two values, of records only where they differ."""
    return _shown(_value(want, got), want), _shown(_value(got, want), got)


def _shown(part: Any, whole: Any) -> str:
    return "none" if whole is _MISSING else show(part)


def _value(want: Any, got: Any) -> Any:
    """Return a value as far as it differs from another; None where there is none."""
    if want is _MISSING:
        return None
    if isinstance(want, dict) and isinstance(got, dict):
        return {key: value for key, value in want.items() if key not in got or got[key] != value}
    return want
