"""What a proof gives: for each mutant whether it was killed, by whom and how, and what to write where it was not."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.scenario.proving.claims import Spot

ADMIT, REFUSE = "always-admit", "always-refuse"


class Outcome(enum.Enum):
    """What a scenario made of a mutant. The value is the phrase that reports print."""

    KILLED = "killed"
    #: nothing but the decision itself was another one, or the control was not asked in a way that the switch changes
    PASSED = "noticed nothing"
    #: an expectation failed, but none about what came of the decision
    ASIDE = "failed, but not about what came of the decision"
    #: a fault, a crash or a time-out
    ERROR = "no kill: ended as an error"
    #: it does not pass by itself, so that it proves nothing
    UNFIT = "does not pass by itself"


class Word(enum.Enum):
    """What became of a mutant; the value is the word that reports print."""

    KILLED = "killed"
    SURVIVES = "SURVIVES"
    #: it is in the list of mutants that change nothing that counts
    EQUIVALENT = "equivalent"
    #: the element is outside, and no card can be without the control
    UNJUDGED = "not judged"
    #: it was left to another run
    LEFT = "left out"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One scenario run against one mutant.

    `seen` are the subjects of the failed expectations about what came of the decision; `through` says that the misuse
    got through, and was not merely refused in another way; `behind` are those that refused when this one did not.
    """

    scenario: str
    title: str
    outcome: Outcome
    why: str = ""
    seen: tuple[str, ...] = ()
    through: bool = False
    behind: tuple[str, ...] = ()


@dataclass(slots=True)
class Finding:
    """A mutant: controls on some of their occasions with a switch, and what became of it.

    `judged` is False for a control of an element outside this process that no card can be without, `tried` for a mutant
    that this run left out. `equivalent` is the reason why it changes nothing that counts, by the reviewed list.
    """

    spots: tuple[Spot, ...]
    switch: str
    attempts: list[Attempt] = field(default_factory=list)
    reason: str = ""
    advice: str = ""
    judged: bool = True
    tried: bool = True
    equivalent: str = ""

    @property
    def name(self) -> str:
        """What was switched, and how."""
        return f"{' + '.join(each.name for each in self.spots)} {self.switch}"

    @property
    def killers(self) -> list[Attempt]:
        """The scenarios that killed it."""
        return [each for each in self.attempts if each.outcome is Outcome.KILLED]

    @property
    def killed(self) -> bool:
        """Whether a scenario killed it."""
        return bool(self.killers)

    @property
    def word(self) -> Word:
        """What became of it."""
        if self.killed:
            return Word.KILLED
        if not self.tried:
            return Word.LEFT
        if self.equivalent:
            return Word.EQUIVALENT
        return Word.SURVIVES if self.judged else Word.UNJUDGED


@dataclass(slots=True)
class Proof:
    """All mutants with what became of them.

    `broken` are scenarios that do not pass by themselves, with the reason; `weak` are lines on scenarios that do not do
    their part although another one kills the mutant, and on entries of the list of equivalent mutants that are none.
    """

    findings: list[Finding] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)
    faults: int = 0
    runs: int = 0
    scenarios: int = 0
    seconds: float = 0.0

    def those(self, *words: Word) -> list[Finding]:
        """Return the mutants that became so."""
        return [each for each in self.findings if each.word in words]

    @property
    def judged(self) -> list[Finding]:
        """The mutants that were tried and are not equivalent."""
        return self.those(Word.KILLED, Word.SURVIVES)

    @property
    def killed(self) -> list[Finding]:
        """The mutants that were killed."""
        return self.those(Word.KILLED)

    @property
    def survivors(self) -> list[Finding]:
        """The mutants that were not."""
        return self.those(Word.SURVIVES)


def summary(proof: Proof) -> str:
    """Return the score in one line."""
    mutants = len(proof.judged)
    share = 100 * len(proof.killed) // mutants if mutants else 100
    occasions = len({finding.spots[0].name for finding in proof.judged if len(finding.spots) == 1})
    parts = [
        f"{len(proof.killed)} of {mutants} mutants killed ({share} %)",
        f"{len(proof.survivors) or 'no'} {'survivor' if len(proof.survivors) == 1 else 'survivors'}",
    ]
    rest = ((len(proof.those(word)), word) for word in (Word.EQUIVALENT, Word.UNJUDGED, Word.LEFT))
    parts += [f"{number} {word.value}" for number, word in rest if number]
    ran = f"{proof.runs} runs of {proof.scenarios} scenarios in {proof.seconds:.1f} s"
    asked = f"{occasions} {'occasion' if occasions == 1 else 'occasions'}"
    return f"{', '.join(parts)}; {asked}; {ran}"


def told(subjects: Sequence[str]) -> str:
    """Return a few subjects in one phrase."""
    return ", ".join(dict.fromkeys(subjects))
