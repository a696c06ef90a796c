"""Mutants of controls: whether a scenario killed each, which one and how."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwarden.policy.decision import ALWAYS_ADMIT, ALWAYS_REFUSE, REFUSAL_IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.scenario.claims import Spot

#: the kinds of mutants; both of the first two let through what a control refuses
ADMIT, IGNORE, REFUSE = SWITCHES = ALWAYS_ADMIT, REFUSAL_IGNORED, ALWAYS_REFUSE


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
class Mutant:
    """A mutant: controls on some of their occasions with a switch, and what became of it.

    `judged` is False for a control of an element outside this process that no card can be without, `tried` for a mutant
    that this run left out. `equivalent` is the reason why it changes nothing that counts, by the reviewed list.
    """

    spots: tuple[Spot, ...]
    switch: str
    attempts: list[Attempt] = field(default_factory=list)
    reason: str = ""
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


def killed_by(mutant: Mutant) -> str:
    """Name the first scenario that killed a mutant, how it noticed, and how many more there are."""
    if not mutant.killers:
        return "" if mutant.word is Word.SURVIVES else mutant.reason
    first = next((each for each in mutant.killers if each.through), mutant.killers[0])
    others = len(mutant.killers) - 1
    return f"by {first.scenario} ({told(first.seen[:3])})" + (f" and {others} more" if others else "")


def told(subjects: Sequence[str]) -> str:
    """Return a few subjects in one phrase."""
    return ", ".join(dict.fromkeys(subjects))
