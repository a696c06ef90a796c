"""What a proof gives: for each mutant whether it was killed, by whom and how, and what to write where it was not."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.scenario.proving.claims import Point

ADMIT, REFUSE = "always-admit", "always-refuse"


class Outcome(enum.Enum):
    """What a scenario made of a mutant. The value is the phrase that reports print."""

    KILLED = "killed"
    #: it passed, or the control was not asked in a way that the switch changes
    PASSED = "noticed nothing"
    #: an expectation failed, but none about the decision
    ASIDE = "failed, but not about this decision"
    #: a fault, a crash or a time-out
    ERROR = "no kill: ended as an error"
    #: it does not pass by itself, so that it proves nothing
    UNFIT = "does not pass by itself"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One scenario run against one mutant.

    `seen` are the subjects of the failed expectations about the decision; `enforced` says that one of them is about
    what came of it, and not about the decision alone; `behind` are controls that refused when this one did not.
    """

    scenario: str
    title: str
    outcome: Outcome
    why: str = ""
    seen: tuple[str, ...] = ()
    enforced: bool = False
    behind: tuple[str, ...] = ()


@dataclass(slots=True)
class Finding:
    """A mutant: some controls with a switch, and what became of it.

    `judged` is False for a control of an element outside this process that no card can be without.
    """

    points: tuple[Point, ...]
    switch: str
    attempts: list[Attempt] = field(default_factory=list)
    reason: str = ""
    advice: str = ""
    judged: bool = True

    @property
    def name(self) -> str:
        """What was switched, and how."""
        return f"{' + '.join(each.name for each in self.points)} {self.switch}"

    @property
    def killers(self) -> list[Attempt]:
        """The scenarios that killed it."""
        return [each for each in self.attempts if each.outcome is Outcome.KILLED]

    @property
    def killed(self) -> bool:
        """Whether a scenario killed it."""
        return bool(self.killers)


@dataclass(slots=True)
class Proof:
    """All mutants with what became of them.

    `broken` are scenarios that do not pass by themselves, with the reason; `weak` are lines on scenarios that do not do
    their part although another one kills the mutant; `remarks` lines on what a reader should know.
    """

    findings: list[Finding] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    faults: int = 0
    runs: int = 0
    scenarios: int = 0
    seconds: float = 0.0

    @property
    def judged(self) -> list[Finding]:
        """The mutants that could be tried."""
        return [each for each in self.findings if each.judged]

    @property
    def killed(self) -> list[Finding]:
        """The mutants that were killed."""
        return [each for each in self.judged if each.killed]

    @property
    def survivors(self) -> list[Finding]:
        """The mutants that were not."""
        return [each for each in self.judged if not each.killed]


def summary(proof: Proof) -> str:
    """Return the score in one line."""
    mutants = len(proof.judged)
    share = 100 * len(proof.killed) // mutants if mutants else 100
    parts = [
        f"{len(proof.killed)} of {mutants} mutants killed ({share} %)",
        f"{len(proof.survivors) or 'no'} {'survivor' if len(proof.survivors) == 1 else 'survivors'}",
    ]
    unjudged = len(proof.findings) - mutants
    parts += [f"{unjudged} not judged"] if unjudged else []
    return f"{', '.join(parts)}; {proof.runs} runs of {proof.scenarios} scenarios in {proof.seconds:.1f} s"


def told(subjects: Sequence[str]) -> str:
    """Return a few subjects in one phrase."""
    return ", ".join(dict.fromkeys(subjects))
