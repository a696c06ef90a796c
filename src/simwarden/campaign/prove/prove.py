"""Plans and runs a proof: which scenarios may kill which mutant, and what became of it.

For each occasion on which a control is asked there are three mutants, always-admit, refusal-ignored and always-refuse.
Those that may kill one are the scenarios that claim the control and their twins; where none of them kills
always-refuse, every other one that the control let pass on that occasion. Only those are run in which it decided the
other way in the normal run: any other run would be the same as the normal one.

Where a misuse stays refused by others when the first one admits, there is a mutant more: all of them off, which only a
misuse that gets through kills. Each of those is then killed if the misuse is refused again with it alone back on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from simwarden.campaign.engine import Interrupted, quiet
from simwarden.campaign.prove import advice
from simwarden.campaign.prove.proof import ADMIT, REFUSE, SWITCHES, Attempt, Finding, Outcome, Proof, Word
from simwarden.campaign.prove.weigh import weigh
from simwarden.campaign.trial import Trial, carry_out
from simwarden.scenario import suite
from simwarden.scenario.claims import gather, spots_of, workers_for
from simwarden.scenario.result import Verdict as Result
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from simwarden.campaign.engine import Order, Tell
    from simwarden.campaign.prove.choice import Choice
    from simwarden.campaign.trial import Seen
    from simwarden.scenario.claims import Case, Spot
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.suite import Job

#: controls that may stand behind each other before a proof gives up
_DEEPEST = 6
#: scenarios at a time that are tried beside those that claim a control
_OTHERS = 4
#: mutants that are tried at once, and between two looks at the clock where time is limited
_SOME, _FEW = 40, 10


def prove(
    jobs: Sequence[tuple[Job, Scenario]], loader: Loader, order: Order, choice: Choice, tell: Tell = quiet
) -> Proof:
    """Prove scenarios; `choice` chooses mutants."""
    spots = {name: spot for name, spot in spots_of(loader.registry).items() if choice.wants(spot)}
    cases = gather(jobs, loader)
    work = partial(carry_out, options=RunOptions(seed=order.seed), network=loader.network_file)
    with suite.Crew(work, workers_for(cases, order.workers)) as crew:
        return _Proving(spots, cases, partial(order.results, crew), tell).go(choice, order)


class _Proving:
    """The state of one proof."""

    def __init__(
        self,
        spots: dict[str, Spot],
        cases: dict[str, Case],
        run: Callable[[Sequence[Trial]], Iterator[Seen]],
        tell: Tell,
    ) -> None:
        self.spots, self.cases, self.run, self.tell = spots, cases, run, tell
        self.proof = Proof()
        self.normal: dict[str, Seen] = {}
        self.done = self.known = 0

    def go(self, choice: Choice, order: Order) -> Proof:
        """Carry it out, until the time for it is over."""
        singles = [Finding((spot,), switch) for spot in self.spots.values() for switch in SWITCHES]
        for finding in singles:
            finding.equivalent = choice.reason_for(finding)
        waiting = choice.in_order(singles, order)
        many = _FEW if order.limited else len(waiting)
        with suppress(Interrupted):
            while waiting and not order.over:
                wanted = {name for each in waiting[:many] for name in self._concerned(each.spots[0])}
                self._run_normally([name for name in self.cases if name in wanted - self.normal.keys()])
                for _ in range(0, min(many, len(waiting)), _SOME):
                    some = min(_SOME, many)
                    self._try_all(waiting[:some])
                    del waiting[:some]
        for finding in waiting:  # one that was killed is so, whatever else would have been tried
            finding.tried = finding.killed
        layers: list[Finding] = []
        with suppress(Interrupted):
            layers = self._layers([each for each in singles if each.tried])
        self.proof.findings = [*singles, *layers]
        self._explain(choice.equivalent)
        return self.proof

    def _explain(self, equivalent: Mapping[str, str]) -> None:
        proof = self.proof
        for finding in proof.findings:
            advice.explain(finding, self.cases, self.normal)
        proof.weak = list(advice.weaknesses(proof.findings, self.cases, self.normal))
        proof.weak += advice.stale(proof.findings, equivalent)
        proof.runs, proof.scenarios, proof.left = self.done, len(self.normal), len(proof.those(Word.LEFT))
        proof.tried = len(proof.findings) - proof.left

    # -- who may kill

    def _concerned(self, spot: Spot) -> list[str]:
        """Return the scenarios that claim a control on an occasion, and their twins."""
        claiming = [name for name, case in self.cases.items() if any(each.is_of(spot) for each in case.claims)]
        twins = [self.cases[name].twin for name in claiming if self.cases[name].twin]
        return list(dict.fromkeys((*claiming, *twins)))

    def _able(self, finding: Finding, names: Iterable[str]) -> list[str]:
        """Return those of which a mutant changes the run."""
        spot = finding.spots[0]
        able = []
        for name in names:
            normal = self.normal[name]
            if self._is_outside(name, spot):
                if finding.switch == ADMIT and self._lacking(name, finding) and self._stands_for(name, spot):
                    able.append(name)
            elif normal.verdict in (Result.PASSED, Result.INCONCLUSIVE) and normal.decided(
                spot.name, admitted=finding.switch == REFUSE
            ):
                able.append(name)
        return able

    def _is_outside(self, name: str, spot: Spot) -> bool:
        return any(each.kind == spot.kind for each in self.cases[name].scenario.external.values())

    def _stands_for(self, name: str, spot: Spot) -> bool:
        """Whether it is by this occasion that a control of an element outside is judged: nobody sees which it was."""
        claimed = [each.occasion for each in self.cases[name].claims if each.is_of(spot) and each.occasion]
        return spot.occasion == (claimed[0] if claimed else spot.control.occasions[0])

    def _lacking(self, name: str, finding: Finding) -> frozenset[str]:
        """Return the sections that cards of a scenario are to lack, so that an element outside enforces nothing."""
        case = self.cases[name]
        return frozenset(
            f"{spot.kind}/{spot.control.section}"
            for spot in finding.spots
            if spot.control.section and self._is_outside(name, spot)
            for card in case.scenario.cards.values()
            if card.sections_for(spot.kind).get(spot.control.section)
        )

    # -- running

    def _run_normally(self, names: list[str]) -> None:
        trials = [Trial(self.cases[name].job.reference, self.cases[name].job.name) for name in names]
        for name, seen in zip(names, self._run(trials), strict=True):
            self.normal[name] = seen
            if seen.verdict in (Result.FAILED, Result.ERROR):
                self.proof.broken.append((self.cases[name].job.name, seen.summary))
                self.proof.faults += seen.verdict is Result.ERROR

    def _try_all(self, findings: Sequence[Finding]) -> None:
        """Try mutants by those that claim the control, and where these see no legitimate use refused, by others."""
        claiming = {id(finding): self._concerned(finding.spots[0]) for finding in findings}
        self._try([(finding, name) for finding in findings for name in self._able(finding, claiming[id(finding)])])
        unnoticed = [finding for finding in findings if finding.switch == REFUSE and not finding.killed]
        if unnoticed:
            self._run_normally([name for name in self.cases if name not in self.normal])
        others = {
            id(finding): self._able(finding, [name for name in self.cases if name not in claiming[id(finding)]])
            for finding in unnoticed
        }
        while plan := [
            (finding, name)
            for finding in findings
            if not finding.killed
            for name in others.get(id(finding), ())[:_OTHERS]
        ]:
            self._try(plan)
            for waiting in others.values():
                del waiting[:_OTHERS]

    def _try(self, plan: list[tuple[Finding, str]]) -> None:
        for (finding, _), attempt in zip(plan, self._attempts(plan), strict=True):
            finding.attempts.append(attempt)

    def _attempts(self, plan: list[tuple[Finding, str]]) -> list[Attempt]:
        ran = self._run([self._trial(finding, name) for finding, name in plan])
        return [
            weigh(self.cases[name], finding.spots, finding.switch, self.normal[name], seen)
            for (finding, name), seen in zip(plan, ran, strict=True)
        ]

    def _trial(self, finding: Finding, name: str) -> Trial:
        job = self.cases[name].job
        inside = [spot for spot in finding.spots if not self._is_outside(name, spot)]
        switches = tuple((spot.name, finding.switch) for spot in inside)
        return Trial(job.reference, job.name, switches, self._lacking(name, finding))

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
        found: dict[tuple[str, tuple[str, ...]], Finding] = {}
        waiting = self._found_layers(singles)
        while waiting:
            plan = []
            for switch, layers, name in waiting:
                spots = tuple(self.spots[each] for each in layers)
                plan.append((found.setdefault((switch, layers), Finding(spots, switch)), name))
            self._try(plan)
            waiting = self._found_layers(list({id(finding): finding for finding, _ in plan}.values()))
            waiting = [each for each in waiting if each[:2] not in found and len(each[1]) <= _DEEPEST]
        self._try_alone(singles, found.values())
        deepest = [each for each in found.values() if not _is_part(each, found.values())]
        for finding in deepest:
            finding.attempts = [_still_refused(each) for each in finding.attempts]
        return deepest

    def _found_layers(self, findings: list[Finding]) -> list[tuple[str, tuple[str, ...], str]]:
        """Return misuses that stay refused with a decision switched, with what refuses them next off as well."""
        names = {self.cases[name].job.name: name for name in self.normal}
        sets = []
        for finding in findings:
            if finding.switch == REFUSE:
                continue
            switched = tuple(spot.name for spot in finding.spots)
            for attempt in finding.attempts:
                case = self.cases[names[attempt.scenario]]
                mine = any(case.claims_refusal(each) for each in finding.spots)
                if mine and not attempt.through and attempt.behind and attempt.behind[0] in self.spots:
                    layers = tuple(sorted({*switched, attempt.behind[0]}))
                    sets.append((finding.switch, layers, names[attempt.scenario]))
        return list(dict.fromkeys(sets))

    def _try_alone(self, singles: list[Finding], layers: Iterable[Finding]) -> None:
        """Kill the mutants of layers that refuse a misuse by themselves: with all others off, and only without it not.

        A misuse that gets through a set of controls is run once more with one of them back on.
        """
        single = {(each.switch, each.spots[0].name): each for each in singles}
        names = {self.cases[name].job.name: name for name in self.normal}
        plan: list[tuple[Finding, str]] = []
        alone: list[Finding] = []
        for layer in layers:
            passed = next((names[each.scenario] for each in layer.attempts if each.through), "")
            for spot in layer.spots if passed else ():
                mutant = single.get((layer.switch, spot.name))
                if mutant is not None and not mutant.killed:
                    alone.append(mutant)
                    rest = tuple(each for each in layer.spots if each != spot)
                    plan.append((Finding(rest, layer.switch), passed))
        for mutant, (others, _), attempt in zip(alone, plan, self._attempts(plan), strict=True):
            if not attempt.through and mutant.spots[0].name in attempt.behind:
                behind = ", ".join(each.name for each in others.spots)
                seen = (f"the only one that refuses without {behind}",)
                mutant.attempts.append(replace(attempt, outcome=Outcome.KILLED, seen=seen))


def _is_part(finding: Finding, others: Iterable[Finding]) -> bool:
    """Whether a set did not suffice, and a larger one was tried."""
    mine = {spot.name for spot in finding.spots}
    sufficed = any(each.through for each in finding.attempts)
    larger = (each for each in others if each.switch == finding.switch)
    return not sufficed and any(mine < {spot.name for spot in each.spots} for each in larger)


def _still_refused(attempt: Attempt) -> Attempt:
    if attempt.outcome is Outcome.KILLED and not attempt.through:
        return replace(attempt, outcome=Outcome.ASIDE, why="the misuse is still refused")
    return attempt
