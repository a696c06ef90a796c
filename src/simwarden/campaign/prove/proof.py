"""What a proof gives: for each mutant whether it was killed, by whom and how, and what to write where it was not."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from simwarden.campaign.engine import Page, Result, Wrong
from simwarden.campaign.prove.choice import accept
from simwarden.policy.decision import ALWAYS_ADMIT, ALWAYS_REFUSE, REFUSAL_IGNORED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


_TONES = {Word.KILLED: "good", Word.SURVIVES: "bad"}
_ABOUT = (
    "On each of its occasions alone each control is made to admit everything, to refuse everything, and to refuse as "
    "before without effect; a scenario must notice by the effect. An error, a crash or a time-out is no kill."
)


@dataclass(slots=True)
class Proof(Result):
    """All mutants with what became of them.

    `broken` are scenarios that do not pass by themselves, with the reason; `weak` are lines on scenarios that do not do
    their part although another one kills the mutant, and on entries of the list of equivalent mutants that are none.
    `folder` is where that list is.
    """

    unit: ClassVar[str] = "mutants"

    findings: list[Finding] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    weak: list[str] = field(default_factory=list)
    runs: int = 0
    scenarios: int = 0
    folder: str = ""

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

    def summary(self) -> str:
        """See Result."""
        mutants = len(self.judged)
        share = 100 * len(self.killed) // mutants if mutants else 100
        occasions = len({finding.spots[0].name for finding in self.judged if len(finding.spots) == 1})
        parts = [
            f"{len(self.killed)} of {mutants} mutants killed ({share} %)",
            f"{len(self.survivors) or 'no'} {'survivor' if len(self.survivors) == 1 else 'survivors'}",
        ]
        rest = ((len(self.those(word)), word) for word in (Word.EQUIVALENT, Word.UNJUDGED))
        parts += [f"{number} {word.value}" for number, word in rest if number]
        asked = f"{occasions} {'occasion' if occasions == 1 else 'occasions'}"
        return f"{', '.join(parts)}; {asked}; {self.runs} runs of {self.scenarios} scenarios"

    def lines(self) -> Iterator[str]:
        """See Result."""
        shown = [finding for finding in self.findings if finding.word is not Word.LEFT]
        width = max((len(finding.name) for finding in shown if len(finding.spots) == 1), default=0)
        for finding in shown:
            yield f"{finding.word.value:<10}  {finding.name:<{width}}  {_by(finding)}".rstrip()

    def wrong(self) -> Iterator[Wrong]:
        """See Result."""
        for finding in self.survivors:
            yield Wrong(f"survivor: {finding.name}", (f"why:     {finding.reason}", f"to kill: {finding.advice}"))
        for name, why in self.broken:
            yield Wrong(f"{name} does not pass by itself: {why}")
        for line in self.weak:
            yield Wrong(f"claim that does not hold: {line}")

    def data(self) -> dict[str, Any]:
        """See Result."""
        return {
            "scenarios": self.scenarios,
            "runs": self.runs,
            "mutants": [
                {
                    "spots": [spot.name for spot in finding.spots],
                    "switch": finding.switch,
                    "outcome": finding.word.value.lower(),
                    "killers": [each.scenario for each in finding.killers],
                    "reason": finding.reason,
                    "advice": finding.advice,
                }
                for finding in self.findings
            ],
            "broken": [{"scenario": name, "reason": why} for name, why in self.broken],
            "weak": self.weak,
        }

    def page(self) -> Page:
        """See Result."""
        return Page(
            score=f"{len(self.killed)} of {len(self.judged)}",
            counted="mutants killed by what came of the decision",
            tones=[_TONES[each.word] for each in self.judged],
            about=_ABOUT,
            content={"findings": self.findings},
        )

    def accept(self, why: str) -> list[Path]:
        """See Result."""
        alone = [each for each in self.survivors if len(each.spots) == 1]  # what several let through is no equivalent
        for each in alone:
            each.equivalent = each.reason = why
        return [accept(Path(self.folder), [each.name for each in alone], why)] if alone else []


def _by(finding: Finding) -> str:
    """Name the first scenario that killed a mutant, how it noticed, and how many more there are."""
    if not finding.killers:
        return "" if finding.word is Word.SURVIVES else finding.reason
    first = next((each for each in finding.killers if each.through), finding.killers[0])
    others = len(finding.killers) - 1
    return f"by {first.scenario} ({told(first.seen[:3])})" + (f" and {others} more" if others else "")


def told(subjects: Sequence[str]) -> str:
    """Return a few subjects in one phrase."""
    return ", ".join(dict.fromkeys(subjects))
