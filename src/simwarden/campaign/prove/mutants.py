"""Mutants of controls: whether a scenario killed each, which one and how.

A run is the same as the normal one, byte for byte, up to the first decision that a switch overrules. It kills if

1. it failed by an expectation: not by a fault, a crash or a time-out, and not as inconclusive;
2. the first decision that was overruled stands at the place in the trace where the same control said the opposite in
   the normal run, so that all that differs came of it;
3. a failed expectation is about what came of the decision, and not about the decision, which the switch itself gives:
   a state, the outcome of a verb, a message or a record. Under always-admit it is any of a scenario that claims the
   refusal, and elsewhere one that wanted a refusal, or something that never should happen; under always-refuse one that
   wanted no refusal, or something that should never come of legitimate use. Under refusal-ignored it is as under
   always-admit. Records of a decision (see `scenario/effects.py`) do not count, as the decision itself.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwarden.policy.decision import ALWAYS_ADMIT, ALWAYS_REFUSE, REFUSAL_IGNORED
from simwarden.scenario.document import EventWanted, FactWanted, OutcomeWanted
from simwarden.scenario.expectation import REFUSAL_WORDS
from simwarden.scenario.problems import plain
from simwarden.scenario.result import Verdict as Result

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from simwarden.campaign.switched_run import Observed
    from simwarden.scenario.claims import Case, Spot
    from simwarden.scenario.result import Mismatch

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


# -- what kills a mutant

_DENIED = ("401", "403", "unauthorized")


def weigh(case: Case, switched: Collection[Spot], switch: str, normal: Observed, seen: Observed) -> Attempt:
    """Say what a scenario made of a mutant."""
    behind = _behind({each.name for each in switched}, seen)

    def attempt(outcome: Outcome, why: str = "") -> Attempt:
        return Attempt(case.job.name, case.scenario.title, outcome, why, behind=behind)

    if seen.verdict is Result.ERROR:
        return attempt(Outcome.ERROR, seen.summary)
    if seen.verdict is not Result.FAILED:
        return attempt(Outcome.PASSED)
    if not seen.mismatches:
        return attempt(Outcome.ERROR, seen.summary)
    if not seen.trial.without and not _overruled(normal, seen, switch):
        return attempt(Outcome.ASIDE, "what differs did not come of the switch")
    results = [each.subject for each in seen.mismatches if _is_result(case, each, switched, switch)]
    if not results:
        return attempt(Outcome.ASIDE, f"unmet: {told([each.subject for each in seen.mismatches])}")
    through = _through(case, seen.mismatches, switch)
    killers = tuple(dict.fromkeys(results))
    return Attempt(case.job.name, case.scenario.title, Outcome.KILLED, "", killers, through=through, behind=behind)


def _overruled(normal: Observed, seen: Observed, switch: str) -> bool:
    """Return True if the first overruled decision is the normal run's: with the opposite verdict, or ignored."""
    first = seen.first_forced
    if first is None:
        return False
    same = next((each for each in normal.decisions if each.number == first.number), None)
    return same is not None and (same.element, same.spot, same.subject, same.admitted) == (
        first.element, first.spot, first.subject, first.admitted is (switch == IGNORE)
    )  # fmt: skip


def _behind(switched: Collection[str], seen: Observed) -> tuple[str, ...]:
    """Return the occasions on which others still refused after that."""
    since = seen.first_forced.number if seen.first_forced is not None else 0
    refusing = (
        each.spot for each in seen.decisions if each.number > since and not each.admitted and each.spot not in switched
    )
    return tuple(dict.fromkeys(refusing))


def _is_result(case: Case, mismatch: Mismatch, switched: Collection[Spot], switch: str) -> bool:
    condition, never = case.condition_at(mismatch.place, mismatch.subject)
    if switch != REFUSE:
        claimed = any(case.claims_refusal(each) for each in switched)
        return never or claimed or (not _record(condition) and _refusal(_wanted(condition)))
    return never or not _refusal(_wanted(condition))


def _through(case: Case, mismatches: tuple[Mismatch, ...], switch: str) -> bool:
    """Whether the misuse got through: where refusals in so many words were expected, one of them is unmet."""
    if switch == REFUSE:
        return True
    phase = case.phase_at(mismatches[0].place)
    unmet = {(mismatch.place, mismatch.subject) for mismatch in mismatches}
    expected = {
        (condition.place, condition.subject)
        for step in case.steps_of(phase)
        for expectation in step.expectations
        for condition in expectation.conditions
        if not expectation.never and not _record(condition) and _refusal(_wanted(condition))
    }
    return not expected or bool(expected & unmet)


def _record(condition: object) -> bool:
    return isinstance(condition, FactWanted) and condition.record


def _wanted(condition: object) -> str:
    if isinstance(condition, OutcomeWanted):
        return condition.word
    if isinstance(condition, EventWanted):
        return str((condition.fields or {}).get("status", ""))
    return condition.want if isinstance(condition, FactWanted) and isinstance(condition.want, str) else ""


def _refusal(word: str) -> bool:
    return plain(word) in REFUSAL_WORDS or plain(word) in _DENIED
