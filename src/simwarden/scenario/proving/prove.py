"""Plans and runs a proof: which scenarios may kill which mutant, and what became of it.

For each point of enforcement there are two mutants, always-admit and always-refuse. Those that may kill one are the
scenarios that claim the control and their twins, where the control decided the other way in the normal run: any other
run would be the same as the normal one. Where a misuse stays refused by another control when the first one admits, or
a scenario claims several, there is a mutant more: all of them off, which only a misuse that gets through kills.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from simwarden.policy.decision import Verdict
from simwarden.scenario import suite
from simwarden.scenario.proving import advice
from simwarden.scenario.proving.claims import gather, layers_of, points_of, workers_for
from simwarden.scenario.proving.proof import ADMIT, REFUSE, Attempt, Finding, Outcome, Proof
from simwarden.scenario.proving.trial import Trial, carry_out
from simwarden.scenario.proving.weigh import weigh
from simwarden.scenario.result import Verdict as Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.proving.claims import Case, Point
    from simwarden.scenario.proving.trial import Seen
    from simwarden.scenario.runner import RunOptions
    from simwarden.scenario.suite import Job

#: controls that may stand behind each other before a proof gives up
_DEEPEST = 6


def prove(
    jobs: Sequence[tuple[Job, Scenario]],
    loader: Loader,
    options: RunOptions,
    *,
    network: str = "",
    workers: int = 1,
    only: Callable[[Point], bool] = lambda _point: True,
    tell: Callable[[int, int, str], None] = lambda _done, _total, _what: None,
) -> Proof:
    """Prove scenarios; `only` chooses points, `tell` is told of progress: runs done, runs known of, which."""
    began = time.perf_counter()
    points = {name: point for name, point in points_of(loader.registry).items() if only(point)}
    cases = gather(jobs, loader)
    with suite.Crew(partial(carry_out, options=options, network=network), workers_for(cases, workers)) as crew:
        proof = _Proving(points, cases, crew.run, tell).go()
    proof.seconds = time.perf_counter() - began
    return proof


class _Proving:
    """The state of one proof."""

    def __init__(
        self,
        points: dict[str, Point],
        cases: dict[str, Case],
        run: Callable[[Sequence[Trial]], Iterator[Seen]],
        tell: Callable[[int, int, str], None],
    ) -> None:
        self.points, self.cases, self.run, self.tell = points, cases, run, tell
        self.proof = Proof()
        self.normal: dict[str, Seen] = {}
        self.done = self.known = 0

    def go(self) -> Proof:
        """Carry it out."""
        wanted = {name for point in self.points for name in self._concerned(point)}
        self._run_normally([name for name in self.cases if name in wanted])
        singles = [Finding((point,), switch) for point in self.points.values() for switch in (ADMIT, REFUSE)]
        self._try([(finding, name) for finding in singles for name in self._able(finding)])
        self.proof.findings = [*singles, *self._layers(singles)]
        for finding in self.proof.findings:
            advice.explain(finding, self.cases, self.normal)
        self.proof.weak = list(advice.weaknesses(self.proof.findings, self.cases, self.normal))
        self.proof.remarks = list(advice.remarks(self.proof.findings, self.cases))
        self.proof.runs, self.proof.scenarios = self.done, len(self.normal)
        return self.proof

    # -- who may kill

    def _concerned(self, point: str) -> list[str]:
        """Return the scenarios that claim a control, and their twins."""
        claiming = [name for name, case in self.cases.items() if any(each.point == point for each in case.claims)]
        twins = [self.cases[name].twin for name in claiming if self.cases[name].twin]
        return list(dict.fromkeys((*claiming, *twins)))

    def _able(self, finding: Finding) -> list[str]:
        """Return those of which a mutant changes the run."""
        point = finding.points[0]
        able = []
        for name in self._concerned(point.name):
            normal = self.normal[name]
            if self._is_outside(name, point):
                if finding.switch == ADMIT and self._lacking(name, finding):
                    able.append(name)
            elif normal.verdict in (Result.PASSED, Result.INCONCLUSIVE) and normal.decided(
                point.name, admitted=finding.switch == REFUSE
            ):
                able.append(name)
        return able

    def _is_outside(self, name: str, point: Point) -> bool:
        return any(each.kind == point.kind for each in self.cases[name].scenario.external.values())

    def _lacking(self, name: str, finding: Finding) -> frozenset[str]:
        """Return the sections that cards of a scenario are to lack, so that an element outside enforces nothing."""
        case = self.cases[name]
        return frozenset(
            f"{point.kind}/{point.control.section}"
            for point in finding.points
            if point.control.section and self._is_outside(name, point)
            for card in case.scenario.cards.values()
            if card.sections_for(point.kind).get(point.control.section)
        )

    # -- running

    def _run_normally(self, names: list[str]) -> None:
        trials = [Trial(self.cases[name].job.path, self.cases[name].job.name) for name in names]
        for name, seen in zip(names, self._run(trials), strict=True):
            self.normal[name] = seen
            if seen.verdict in (Result.FAILED, Result.ERROR):
                self.proof.broken.append((self.cases[name].job.name, seen.summary))
                self.proof.faults += seen.verdict is Result.ERROR

    def _try(self, plan: list[tuple[Finding, str]]) -> None:
        trials = [self._trial(finding, name) for finding, name in plan]
        for (finding, name), seen in zip(plan, self._run(trials), strict=True):
            switched = tuple(point.name for point in finding.points)
            finding.attempts.append(weigh(self.cases[name], switched, finding.switch, self.normal[name], seen))

    def _trial(self, finding: Finding, name: str) -> Trial:
        job = self.cases[name].job
        inside = [point for point in finding.points if not self._is_outside(name, point)]
        switches = tuple((point.name, finding.switch) for point in inside)
        return Trial(job.path, job.name, switches, self._lacking(name, finding))

    def _run(self, trials: list[Trial]) -> list[Seen]:
        self.known += len(trials)
        found = []
        for seen in self.run(trials):
            self.done += 1
            self.tell(self.done, self.known, seen.trial.name)
            found.append(seen)
        return found

    # -- layers

    def _layers(self, singles: list[Finding]) -> list[Finding]:
        """Try misuses that stay refused with more and more of what refuses them off."""
        found: dict[tuple[str, ...], Finding] = {}
        waiting = self._claimed_layers() + self._found_layers(singles)
        while waiting:
            plan = []
            for layers, name in waiting:
                finding = found.setdefault(layers, Finding(tuple(self.points[each] for each in layers), ADMIT))
                plan.append((finding, name))
            self._try(plan)
            waiting = self._found_layers(list({id(finding): finding for finding, _ in plan}.values()))
            waiting = [(layers, name) for layers, name in waiting if layers not in found and len(layers) <= _DEEPEST]
        deepest = [each for each in found.values() if not _is_part(each, found.values())]
        for finding in deepest:
            finding.attempts = [_still_refused(each) for each in finding.attempts]
        return deepest

    def _claimed_layers(self) -> list[tuple[tuple[str, ...], str]]:
        return [
            (tuple(sorted(layers)), name)
            for name in self.normal
            for layers in layers_of(self.cases[name])
            if self.normal[name].verdict is Result.PASSED and all(each in self.points for each in layers)
        ]

    def _found_layers(self, findings: list[Finding]) -> list[tuple[tuple[str, ...], str]]:
        """Return the sets of controls behind a misuse that stays refused although the decision is another."""
        names = {self.cases[name].job.name: name for name in self.normal}
        sets = []
        for finding in findings:
            switched = tuple(point.name for point in finding.points)
            for attempt in finding.attempts:
                case = self.cases[names[attempt.scenario]]
                mine = any(case.claimed(each, Verdict.REFUSE) for each in switched)
                known = all(each in self.points for each in attempt.behind)
                if finding.switch == ADMIT and mine and known and attempt.behind and not attempt.enforced:
                    sets.append((tuple(sorted({*switched, *attempt.behind})), names[attempt.scenario]))
        return sets


def _is_part(finding: Finding, others: Iterable[Finding]) -> bool:
    """Whether a set did not suffice, and a larger one was tried."""
    mine = {point.name for point in finding.points}
    sufficed = any(each.enforced for each in finding.attempts)
    return not sufficed and any(mine < {point.name for point in other.points} for other in others)


def _still_refused(attempt: Attempt) -> Attempt:
    if attempt.outcome is Outcome.KILLED and not attempt.enforced:
        return replace(attempt, outcome=Outcome.ASIDE, why="the misuse is still refused")
    return attempt
