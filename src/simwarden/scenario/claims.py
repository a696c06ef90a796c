"""What scenarios claim: which control, in which phase, with which verdict. Read from the files alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwarden.policy.decision import Verdict
from simwarden.scenario import suite
from simwarden.scenario.case_reference import resolved, stem_of
from simwarden.scenario.document import DecisionWanted
from simwarden.scenario.effects import expects_record, without_effect
from simwarden.scenario.refusals import expected_in, phases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.errors import Place
    from simwarden.policy.decision import Control
    from simwarden.policy.requirements import Requirement
    from simwarden.scenario.document import Condition, Scenario, Step
    from simwarden.scenario.load import Loader
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.suite import Job


@dataclass(frozen=True, slots=True)
class Point:
    """A point of enforcement: a control of one kind of element. `name` is written as in switches, `KIND/ID`."""

    kind: str
    control: Control

    @property
    def name(self) -> str:
        """The name."""
        return f"{self.kind}/{self.control.id}"


@dataclass(frozen=True, slots=True)
class Spot:
    """One occasion on which a control is asked: what a mutant breaks. `name` is `KIND/ID@OCCASION`."""

    point: Point
    occasion: str

    @property
    def name(self) -> str:
        """The name."""
        return f"{self.point.name}@{self.occasion}"

    @property
    def kind(self) -> str:
        """The kind of element that asks."""
        return self.point.kind

    @property
    def control(self) -> Control:
        """The control that is asked."""
        return self.point.control


def spots_of(registry: Registry) -> dict[str, Spot]:
    """Return all occasions of all controls by name, in the order of their declarations."""
    found = (Spot(point, str(each)) for point in points_of(registry).values() for each in point.control.occasions)
    return {spot.name: spot for spot in found}


def points_of(registry: Registry, requirement: str = "") -> dict[str, Point]:
    """Return all points of enforcement by name, or those of a requirement, in the order of declarations."""
    found = (Point(kind, each) for kind in registry.kinds for each in registry.declaration(kind).controls)
    return {point.name: point for point in found if not requirement or requirement in point.control.requirements}


@dataclass(frozen=True, slots=True)
class Claim:
    """A scenario says that a control gives a verdict in one of its phases, on an occasion or (empty) on any.

    `requirements` are those of the control that it names. A refusal without `effect` proves nothing (see `effects`).
    """

    point: str
    phase: int
    verdict: Verdict
    occasion: str = ""
    requirements: tuple[str, ...] = ()
    effect: bool = True

    def is_of(self, spot: Spot) -> bool:
        """Whether it is about a control on that occasion."""
        return self.point == spot.point.name and self.occasion in ("", spot.occasion)


@dataclass(slots=True)
class Case:
    """A scenario with what it claims; `twin_of` are the paths of those whose twin it is."""

    job: Job
    scenario: Scenario
    claims: tuple[Claim, ...] = ()
    twin: str = ""
    twin_of: set[str] = field(default_factory=set)

    def claimed(self, point: str, verdict: Verdict, requirement: Requirement | None = None) -> bool:
        """Return True if it claims a verdict of a control: for a requirement, with the record if that asks for one."""
        claims = [each for each in self.claims if (each.point, each.verdict, each.effect) == (point, verdict, True)]
        if requirement is None:
            return bool(claims)
        recorded = not requirement.record or expects_record(self.scenario)
        return recorded and any(requirement.id in each.requirements for each in claims)

    def claims_refusal(self, spot: Spot) -> bool:
        """Whether it claims that a control refuses on an occasion."""
        return any(each.is_of(spot) and each.verdict is Verdict.REFUSE for each in self.claims)

    def phase_at(self, place: Place) -> int:
        """Return the phase in which an expectation stands, from 1."""
        lines = [group[0].place.line for group in phases(self.scenario)]
        return sum(1 for line in lines if line <= place.line)

    def steps_of(self, phase: int) -> list[Step]:
        """Return the steps of a phase."""
        return list(phases(self.scenario))[phase - 1]

    def condition_at(self, place: Place, subject: str) -> tuple[Condition | None, bool]:
        """Return the condition at a place, and whether it is one of `never`."""
        for step in self.scenario.steps:
            for condition, never in step.conditions:
                if (condition.place, condition.subject) == (place, subject):
                    return condition, never
        return None, False


def claims_of(scenario: Scenario) -> Iterator[Claim]:
    """Yield the claims of a scenario: it proves a requirement of a control, and expects a decision of it."""
    unproved = list(without_effect(scenario))
    for phase, group in enumerate(phases(scenario), 1):
        for _, condition in expected_in(group):
            if not isinstance(condition, DecisionWanted):
                continue
            for point in points_named(scenario, condition):
                named = tuple(each for each in point.control.requirements if each in scenario.proves)
                if named:
                    effect = condition not in unproved
                    yield Claim(point.name, phase, condition.verdict, condition.occasion, named, effect)


def points_named(scenario: Scenario, condition: DecisionWanted) -> Iterator[Point]:
    """Yield the points that a condition on a decision names; without `by` those of all kinds in the network."""
    kinds = {each.kind for name, each in scenario.instances.items() if condition.by in ("", name)}
    for kind, control in scenario.registry.controls.get(condition.control, ()):
        if kind in kinds:
            yield Point(kind, control)


def gather(jobs: Sequence[tuple[Job, Scenario]], loader: Loader) -> dict[str, Case]:
    """Return the scenarios by path, with their claims and twins; a twin that was not chosen is loaded too."""
    cases = {resolved(job.reference): Case(job, scenario, tuple(claims_of(scenario))) for job, scenario in jobs}
    for path, case in list(cases.items()):
        if not case.scenario.twin:
            continue
        twin = case.scenario.twin
        case.twin = resolved(twin)
        if case.twin not in cases:
            scenario = loader.load(twin)
            cases[case.twin] = Case(suite.Job(twin, stem_of(twin)), scenario, tuple(claims_of(scenario)))
        cases[case.twin].twin_of.add(path)
    return cases


def workers_for(cases: dict[str, Case], workers: int) -> int:
    """Return how many may run at once: one where an element is outside, which would meet the same node twice."""
    return 1 if any(case.scenario.external for case in cases.values()) else workers
