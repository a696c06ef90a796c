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
from typing import TYPE_CHECKING

from simwarden.campaign.grid import Interrupted
from simwarden.campaign.prove import advice
from simwarden.campaign.prove.mutants import ADMIT, REFUSE, SWITCHES, Attempt, Mutant, Outcome, weigh
from simwarden.campaign.switched_run import SwitchedRun
from simwarden.scenario.claims import spots_of
from simwarden.scenario.result import Verdict as Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.campaign.grid import Order
    from simwarden.campaign.prove.choice import Choice
    from simwarden.campaign.switched_run import NormalRuns, Observed
    from simwarden.scenario.claims import Spot
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.suite import Crew

#: controls that may stand behind each other before a proof gives up
_DEEPEST = 6
#: scenarios at a time that are tried beside those that claim a control
_OTHERS = 4
#: mutants that are tried at once, and between two looks at the clock where time is limited
_SOME, _FEW = 40, 10


class Proving:
    """The state of one proof."""

    def __init__(
        self,
        registry: Registry,
        normal: NormalRuns,
        choice: Choice,
        order: Order,
        crew: Crew[SwitchedRun, Observed],
    ) -> None:
        self.spots = {name: spot for name, spot in spots_of(registry).items() if choice.wants(spot)}
        self.runs, self.cases, self.normal = normal, normal.cases, normal.observed
        self.choice, self.order, self.crew = choice, order, crew
        self.done = self.known = 0

    def prove(self) -> tuple[list[Mutant], list[str]]:
        """Try the mutants until the budget is spent. Return all of them, and weak claims and entries of the record."""
        choice, order = self.choice, self.order
        singles = [Mutant((spot,), switch) for spot in self.spots.values() for switch in SWITCHES]
        for mutant in singles:
            mutant.equivalent = choice.reason_for(mutant)
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
        for mutant in waiting:  # one that was killed is so, whatever else would have been tried
            mutant.tried = mutant.killed
        layers: list[Mutant] = []
        with suppress(Interrupted):
            layers = self._layers([each for each in singles if each.tried])
        mutants = [*singles, *layers]
        for mutant in mutants:
            advice.explain(mutant, self.cases, self.normal)
        weak = list(advice.weaknesses(mutants, self.cases, self.normal))
        return mutants, [*weak, *advice.stale(mutants, choice.equivalent)]

    # -- who may kill

    def _concerned(self, spot: Spot) -> list[str]:
        """Return the scenarios that claim a control on an occasion, and their twins."""
        claiming = [name for name, case in self.cases.items() if any(each.is_of(spot) for each in case.claims)]
        twins = [self.cases[name].twin for name in claiming if self.cases[name].twin]
        return list(dict.fromkeys((*claiming, *twins)))

    def _able(self, mutant: Mutant, names: Iterable[str]) -> list[str]:
        """Return those of which a mutant changes the run."""
        spot = mutant.spots[0]
        able = []
        for name in names:
            normal = self.normal[name]
            if self._is_outside(name, spot):
                if mutant.switch == ADMIT and self._lacking(name, mutant) and self._stands_for(name, spot):
                    able.append(name)
            elif normal.verdict in (Result.PASSED, Result.INCONCLUSIVE) and normal.decided(
                spot.name, admitted=mutant.switch == REFUSE
            ):
                able.append(name)
        return able

    def _is_outside(self, name: str, spot: Spot) -> bool:
        return any(each.kind == spot.kind for each in self.cases[name].scenario.external.values())

    def _stands_for(self, name: str, spot: Spot) -> bool:
        """Whether it is by this occasion that a control of an element outside is judged: nobody sees which it was."""
        claimed = [each.occasion for each in self.cases[name].claims if each.is_of(spot) and each.occasion]
        return spot.occasion == (claimed[0] if claimed else spot.control.occasions[0])

    def _lacking(self, name: str, mutant: Mutant) -> frozenset[str]:
        """Return the sections that cards of a scenario are to lack, so that an element outside enforces nothing."""
        case = self.cases[name]
        return frozenset(
            f"{spot.kind}/{spot.control.section}"
            for spot in mutant.spots
            if spot.control.section and self._is_outside(name, spot)
            for card in case.scenario.cards.values()
            if card.sections_for(spot.kind).get(spot.control.section)
        )

    # -- running

    def _run_normally(self, names: list[str]) -> None:
        for name, observed in zip(names, self._run([self.runs.run_of(name) for name in names]), strict=True):
            self.normal[name] = observed

    def _try_all(self, mutants: Sequence[Mutant]) -> None:
        """Try mutants by those that claim the control, and where these see no legitimate use refused, by others."""
        claiming = {id(mutant): self._concerned(mutant.spots[0]) for mutant in mutants}
        self._try([(mutant, name) for mutant in mutants for name in self._able(mutant, claiming[id(mutant)])])
        unnoticed = [mutant for mutant in mutants if mutant.switch == REFUSE and not mutant.killed]
        if unnoticed:
            self._run_normally([name for name in self.cases if name not in self.normal])
        others = {
            id(mutant): self._able(mutant, [name for name in self.cases if name not in claiming[id(mutant)]])
            for mutant in unnoticed
        }
        while plan := [
            (mutant, name) for mutant in mutants if not mutant.killed for name in others.get(id(mutant), ())[:_OTHERS]
        ]:
            self._try(plan)
            for waiting in others.values():
                del waiting[:_OTHERS]

    def _try(self, plan: list[tuple[Mutant, str]]) -> None:
        for (mutant, _), attempt in zip(plan, self._attempts(plan), strict=True):
            mutant.attempts.append(attempt)

    def _attempts(self, plan: list[tuple[Mutant, str]]) -> list[Attempt]:
        ran = self._run([self._trial(mutant, name) for mutant, name in plan])
        return [
            weigh(self.cases[name], mutant.spots, mutant.switch, self.normal[name], seen)
            for (mutant, name), seen in zip(plan, ran, strict=True)
        ]

    def _trial(self, mutant: Mutant, name: str) -> SwitchedRun:
        job = self.cases[name].job
        inside = [spot for spot in mutant.spots if not self._is_outside(name, spot)]
        switches = tuple((spot.name, mutant.switch) for spot in inside)
        return SwitchedRun(job.reference, job.name, switches, self._lacking(name, mutant))

    def _run(self, runs: list[SwitchedRun]) -> list[Observed]:
        self.known += len(runs)
        results = []
        for observed in self.order.run_all(self.crew, runs):
            self.done += 1
            self.order.progress(self.done, self.known, observed.trial.name)
            results.append(observed)
        return results

    # -- layers

    def _layers(self, singles: list[Mutant]) -> list[Mutant]:
        """Try misuses that stay refused with more and more of what refuses them off."""
        found: dict[tuple[str, tuple[str, ...]], Mutant] = {}
        waiting = self._found_layers(singles)
        while waiting:
            plan = []
            for switch, layers, name in waiting:
                spots = tuple(self.spots[each] for each in layers)
                plan.append((found.setdefault((switch, layers), Mutant(spots, switch)), name))
            self._try(plan)
            waiting = self._found_layers(list({id(mutant): mutant for mutant, _ in plan}.values()))
            waiting = [each for each in waiting if each[:2] not in found and len(each[1]) <= _DEEPEST]
        self._try_alone(singles, found.values())
        deepest = [each for each in found.values() if not _is_part(each, found.values())]
        for mutant in deepest:
            mutant.attempts = [_still_refused(each) for each in mutant.attempts]
        return deepest

    def _found_layers(self, mutants: list[Mutant]) -> list[tuple[str, tuple[str, ...], str]]:
        """Return misuses that stay refused with a decision switched, with what refuses them next off as well."""
        names = {self.cases[name].job.name: name for name in self.normal}
        sets = []
        for mutant in mutants:
            if mutant.switch == REFUSE:
                continue
            switched = tuple(spot.name for spot in mutant.spots)
            for attempt in mutant.attempts:
                case = self.cases[names[attempt.scenario]]
                mine = any(case.claims_refusal(each) for each in mutant.spots)
                if mine and not attempt.through and attempt.behind and attempt.behind[0] in self.spots:
                    layers = tuple(sorted({*switched, attempt.behind[0]}))
                    sets.append((mutant.switch, layers, names[attempt.scenario]))
        return list(dict.fromkeys(sets))

    def _try_alone(self, singles: list[Mutant], layers: Iterable[Mutant]) -> None:
        """Kill the mutants of layers that refuse a misuse by themselves: with all others off, and only without it not.

        A misuse that gets through a set of controls is run once more with one of them back on.
        """
        single = {(each.switch, each.spots[0].name): each for each in singles}
        names = {self.cases[name].job.name: name for name in self.normal}
        plan: list[tuple[Mutant, str]] = []
        alone: list[Mutant] = []
        for layer in layers:
            passed = next((names[each.scenario] for each in layer.attempts if each.through), "")
            for spot in layer.spots if passed else ():
                mutant = single.get((layer.switch, spot.name))
                if mutant is not None and not mutant.killed:
                    alone.append(mutant)
                    rest = tuple(each for each in layer.spots if each != spot)
                    plan.append((Mutant(rest, layer.switch), passed))
        for mutant, (others, _), attempt in zip(alone, plan, self._attempts(plan), strict=True):
            if not attempt.through and mutant.spots[0].name in attempt.behind:
                behind = ", ".join(each.name for each in others.spots)
                seen = (f"the only one that refuses without {behind}",)
                mutant.attempts.append(replace(attempt, outcome=Outcome.KILLED, seen=seen))


def _is_part(mutant: Mutant, others: Iterable[Mutant]) -> bool:
    """Whether a set did not suffice, and a larger one was tried."""
    mine = {spot.name for spot in mutant.spots}
    sufficed = any(each.through for each in mutant.attempts)
    larger = (each for each in others if each.switch == mutant.switch)
    return not sufficed and any(mine < {spot.name for spot in each.spots} for each in larger)


def _still_refused(attempt: Attempt) -> Attempt:
    if attempt.outcome is Outcome.KILLED and not attempt.through:
        return replace(attempt, outcome=Outcome.ASIDE, why="the misuse is still refused")
    return attempt
