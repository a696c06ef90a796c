"""Runs of scenarios with and without switched controls, and their decisions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from simwarden.campaign.composition import loader_of
from simwarden.scenario import suite
from simwarden.scenario.claims import gather, workers_for
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import Decided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.campaign.grid import Order
    from simwarden.scenario.claims import Case
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.result import Mismatch, ScenarioResult
    from simwarden.scenario.suite import Job


@dataclass(frozen=True, slots=True)
class SwitchedRun:
    """A planned run of a scenario: its switches, by `KIND/ID@OCCASION`, and the card sections that it lacks.

    `without` names these sections as `KIND/SECTION`.
    """

    path: str
    name: str
    switches: tuple[tuple[str, str], ...] = ()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ObservedDecision:
    """A decision in a trace: element, control, subject and verdict; `forced` if a switch overruled the rule."""

    number: int
    element: str
    point: str
    subject: str
    admitted: bool
    forced: bool
    occasion: str = ""

    @property
    def spot(self) -> str:
        """The occasion of the control, as `KIND/ID@OCCASION`."""
        return f"{self.point}@{self.occasion}"


@dataclass(slots=True)
class Observed:
    """Verdict, mismatches and decisions of a run."""

    trial: SwitchedRun
    verdict: Verdict
    summary: str = ""
    mismatches: tuple[Mismatch, ...] = ()
    decisions: list[ObservedDecision] = field(default_factory=list)

    def decided(self, point: str, *, admitted: bool) -> bool:
        """Return True if a control (`KIND/ID`, or `KIND/ID@OCCASION`) gave this verdict in the run."""
        return any(point in (each.point, each.spot) and each.admitted is admitted for each in self.decisions)

    @property
    def first_forced(self) -> ObservedDecision | None:
        """The first decision that a switch overruled."""
        return next((each for each in self.decisions if each.forced), None)


def carry_out(trial: SwitchedRun, options: RunOptions, network: str) -> Observed:
    """Run a trial. Errors inside the run are part of its result."""
    scenario = loader_of(network, trial.without).load(trial.path)
    options = replace(
        options, switches=dict(trial.switches), lenient=bool(trial.switches or trial.without), worker=suite.worker()
    )
    result = run_scenario(scenario, trial.name, options)
    kinds = {name: each.kind for name, each in scenario.instances.items()}
    return _seen(trial, result, kinds)


def _seen(trial: SwitchedRun, result: ScenarioResult, kinds: dict[str, str]) -> Observed:
    seen = Observed(trial, result.verdict)
    if result.failure is not None:
        seen.summary, seen.mismatches = result.failure.summary, result.failure.mismatches
    for event in result.events:
        if isinstance(event, Decided):
            made, point = event.decision, f"{kinds.get(event.element, event.element)}/{event.decision.control.id}"
            verdict = made.admitted, bool(event.forced), str(made.occasion)
            seen.decisions.append(ObservedDecision(event.number, event.element, point, made.subject, *verdict))
    return seen


@dataclass(slots=True)
class NormalRuns:
    """The runs of scenarios in which no control is switched: `prove` compares with them, and `coverage` reads them."""

    cases: dict[str, Case]
    network: str
    observed: dict[str, Observed] = field(default_factory=dict)

    @classmethod
    def of(cls, jobs: Sequence[tuple[Job, Scenario]], loader: Loader) -> NormalRuns:
        """Return the planned runs of loaded scenarios."""
        return cls(gather(jobs, loader), loader.network_file)

    def crew(self, order: Order) -> suite.Crew[SwitchedRun, Observed]:
        """Return the processes that make runs, switched or not."""
        work = partial(carry_out, options=RunOptions(seed=order.seed), network=self.network)
        return suite.Crew(work, workers_for(self.cases, order.workers))

    def run_of(self, name: str) -> SwitchedRun:
        """Return the normal run of a case."""
        job = self.cases[name].job
        return SwitchedRun(job.reference, job.name)

    def make_missing(self, order: Order) -> None:
        """Make the runs that were not made, within the budget."""
        missing = {self.run_of(name): name for name in self.cases if name not in self.observed}
        with self.crew(order) as crew:
            for run, observed in order.run(crew, list(missing)):
                self.observed[missing[run]] = observed
                order.progress(len(self.observed), len(self.cases), run.name)

    @property
    def broken(self) -> list[tuple[str, str]]:
        """The scenarios that do not pass, with the reason."""
        failed = (Verdict.FAILED, Verdict.ERROR)
        return [(each.trial.name, each.summary) for each in self.observed.values() if each.verdict in failed]

    @property
    def faults(self) -> int:
        """The number of runs that ended as an internal error."""
        return sum(each.verdict is Verdict.ERROR for each in self.observed.values())
