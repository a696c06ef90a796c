"""The campaign `prove`: the mutants of all controls, tried on the scenarios that may notice them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from simwarden.campaign.coverage import Coverage
from simwarden.campaign.grid import Finding, Grid, Order, Score
from simwarden.campaign.prove.choice import Choice, accept
from simwarden.campaign.prove.mutants import Mutant, Word, killed_by
from simwarden.campaign.prove.prove import Proving
from simwarden.campaign.tables import Cell, Column, Detail, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.campaign.switched_run import NormalRuns
    from simwarden.scenario.registry import Registry

_TONES = {Word.KILLED: "good", Word.SURVIVES: "bad"}
_ABOUT = (
    "On each of its occasions alone each control is made to admit everything, to refuse everything, and to refuse as "
    "before without effect; a scenario must notice by the effect. An error, a crash or a time-out is no kill."
)


@dataclass
class Prove(Grid):
    """Mutants of the controls of a registry against scenarios. `folder` has the record of equivalent mutants.

    `weak` are lines on scenarios that do not do their part although another one kills the mutant, and on entries of the
    record that are none; `runs` counts all runs, `proved` the scenarios among them.
    """

    name: ClassVar[str] = "prove"
    unit: ClassVar[str] = "mutants"

    normal: NormalRuns
    registry: Registry
    choice: Choice = field(default_factory=Choice)
    folder: str = ""
    mutants: list[Mutant] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)
    runs: int = 0
    proved: int = 0

    def carry_out(self, order: Order) -> None:
        """See Grid. A proof of all mutants makes all normal runs, so that `coverage` can read them."""
        with self.normal.crew(order) as crew:
            proving = Proving(self.registry, self.normal, self.choice, order, crew)
            self.mutants, self.weak = proving.prove()
            self.runs, self.proved = proving.done, len(self.normal.observed)
        if self.choice.whole and not order.over:
            self.normal.make_missing(order)
        self.left, self.faults = len(self.those(Word.LEFT)), self.normal.faults
        self.tried = len(self.mutants) - self.left

    def views(self) -> Iterator[Grid]:
        """See Grid."""
        if self.choice.whole:
            yield Coverage(self.normal)

    def those(self, *words: Word) -> list[Mutant]:
        """Return the mutants with one of these outcomes."""
        return [each for each in self.mutants if each.word in words]

    @property
    def killed(self) -> list[Mutant]:
        """The mutants that were killed."""
        return self.those(Word.KILLED)

    @property
    def survivors(self) -> list[Mutant]:
        """The mutants that no scenario killed."""
        return self.those(Word.SURVIVES)

    def summary(self) -> str:
        """See Grid."""
        judged = self.those(Word.KILLED, Word.SURVIVES)
        share = 100 * len(self.killed) // len(judged) if judged else 100
        occasions = len({mutant.spots[0].name for mutant in judged if len(mutant.spots) == 1})
        parts = [
            f"{len(self.killed)} of {len(judged)} mutants killed ({share} %)",
            f"{len(self.survivors) or 'no'} {'survivor' if len(self.survivors) == 1 else 'survivors'}",
        ]
        rest = ((len(self.those(word)), word) for word in (Word.EQUIVALENT, Word.UNJUDGED))
        parts += [f"{number} {word.value}" for number, word in rest if number]
        asked = f"{occasions} {'occasion' if occasions == 1 else 'occasions'}"
        return f"{', '.join(parts)}; {asked}; {self.runs} runs of {self.proved} scenarios"

    def tables(self) -> Iterator[Table]:
        """See Grid."""
        shown = [mutant for mutant in self.mutants if mutant.word is not Word.LEFT]
        yield Table([Column(), Column(), Column()], [_row(mutant) for mutant in shown])

    def findings(self) -> Iterator[Finding]:
        """See Grid."""
        for mutant in self.survivors:
            yield Finding(f"survivor: {mutant.name}", (f"why: {mutant.reason}",))
        for name, why in self.normal.broken:
            yield Finding(f"{name} does not pass by itself: {why}")
        for line in self.weak:
            yield Finding(f"claim that does not hold: {line}")

    def cases(self) -> Iterator[dict[str, Any]]:
        """See Grid."""
        for mutant in self.mutants:
            killers = [each.scenario for each in mutant.killers]
            outcome = mutant.word.value.lower()
            yield {"case": mutant.name, "outcome": outcome, "killers": killers, "reason": mutant.reason}

    def score(self) -> Score:
        """See Grid."""
        judged = self.those(Word.KILLED, Word.SURVIVES)
        figure = f"{len(self.killed)} of {len(judged)}"
        return Score(
            figure, "mutants killed by what came of the decision", [_TONES[each.word] for each in judged], _ABOUT
        )

    def accept(self, why: str) -> list[Path]:
        """See Grid."""
        alone = [each for each in self.survivors if len(each.spots) == 1]  # what several let through is not equivalent
        for each in alone:
            each.equivalent = each.reason = why
        return [accept(Path(self.folder), [each.name for each in alone], why)] if alone else []


def _row(mutant: Mutant) -> list[Cell | str]:
    controls = "; ".join(f"{spot.control.title} ({spot.control.requirement})" for spot in mutant.spots)
    attempts = [
        (Cell(each.scenario, run=each.scenario), ", ".join(each.seen) or f"{each.outcome.value} {each.why}")
        for each in mutant.attempts
    ]
    opens = (lambda: Detail(mutant.name, [controls], attempts)) if attempts else None
    word = Cell(mutant.word.value, _TONES.get(mutant.word, "none"), id=mutant.name.replace(" ", "-"), opens=opens)
    return [word, Cell(mutant.name, note=controls), killed_by(mutant)]
