"""One run of a scenario with controls switched, and the little of it that the weighing needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.runner import run_scenario
from simwarden.trace.events import Decided

if TYPE_CHECKING:
    from simwarden.scenario.result import Mismatch, ScenarioResult, Verdict
    from simwarden.scenario.runner import RunOptions


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be run: a scenario, with switches by `KIND/ID@OCCASION`, or with cards that lack sections.

    `without` are these, as `KIND/SECTION`.
    """

    path: str
    name: str
    switches: tuple[tuple[str, str], ...] = ()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Deciding:
    """A decision in a trace: who, which control, about whom, how; `forced` if a switch overruled the rule."""

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
class Seen:
    """What a run showed."""

    trial: Trial
    verdict: Verdict
    summary: str = ""
    mismatches: tuple[Mismatch, ...] = ()
    decisions: list[Deciding] = field(default_factory=list)

    def decided(self, point: str, *, admitted: bool) -> bool:
        """Whether a control (`KIND/ID`) gave a verdict in this run, or did on an occasion (`KIND/ID@OCCASION`)."""
        return any(point in (each.point, each.spot) and each.admitted is admitted for each in self.decisions)

    @property
    def first_forced(self) -> Deciding | None:
        """The first decision that a switch overruled."""
        return next((each for each in self.decisions if each.forced), None)


@cache
def _loader(network: str, without: frozenset[str]) -> Loader:
    return Loader(network_file=network, without=without)


def carry_out(trial: Trial, options: RunOptions, network: str) -> Seen:
    """Run a trial. Never raises for what happens inside the run."""
    scenario = _loader(network, trial.without).load(trial.path)
    options = replace(
        options, switches=dict(trial.switches), lenient=bool(trial.switches or trial.without), worker=suite.worker()
    )
    result = run_scenario(scenario, trial.name, options)
    kinds = {name: each.kind for name, each in scenario.instances.items()}
    return _seen(trial, result, kinds)


def _seen(trial: Trial, result: ScenarioResult, kinds: dict[str, str]) -> Seen:
    seen = Seen(trial, result.verdict)
    if result.failure is not None:
        seen.summary, seen.mismatches = result.failure.summary, result.failure.mismatches
    for event in result.events:
        if isinstance(event, Decided):
            decision = event.decision
            point = f"{kinds.get(event.element, event.element)}/{decision.control.id}"
            seen.decisions.append(
                Deciding(
                    event.number,
                    event.element,
                    point,
                    decision.subject,
                    decision.admitted,
                    bool(event.forced),
                    str(decision.occasion),
                )
            )
    return seen
