"""When a run kills a mutant.

A run is the same as the normal one, byte for byte, up to the first decision that a switch overrules. It kills if

1. it failed by an expectation: not by a fault, a crash or a time-out, and not as inconclusive;
2. the first decision that was overruled stands at the place in the trace where the same control said the opposite in
   the normal run, so that all that differs came of it;
3. one of the failed expectations is about that decision:
   - a `decision` that names the control and wants what the switch does not give, or
   - a state or the outcome of a verb that shows what came of it: under always-admit one that wanted a refusal (or
     stands, `never` too, in a phase in which the scenario claims a refusal by the control); under always-refuse
     one that wanted no refusal.

Messages and records alone do not kill: they say what happened, and not what was admitted or refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.policy.decision import Verdict
from simwarden.scenario.document import DecisionWanted, FactWanted, OutcomeWanted
from simwarden.scenario.expectation import REFUSAL_WORDS
from simwarden.scenario.problems import plain
from simwarden.scenario.proving.claims import points_named
from simwarden.scenario.proving.proof import ADMIT, Attempt, Outcome, told
from simwarden.scenario.result import Verdict as Result

if TYPE_CHECKING:
    from simwarden.scenario.proving.claims import Case
    from simwarden.scenario.proving.trial import Seen
    from simwarden.scenario.result import Mismatch

_DENIED = ("401", "403", "unauthorized")


def weigh(case: Case, switched: tuple[str, ...], switch: str, normal: Seen, seen: Seen) -> Attempt:
    """Say what a scenario made of a mutant."""

    def attempt(outcome: Outcome, why: str = "") -> Attempt:
        return Attempt(case.job.name, case.scenario.title, outcome, why, behind=_behind(switched, seen))

    if seen.verdict is Result.ERROR:
        return attempt(Outcome.ERROR, seen.summary)
    if seen.verdict is not Result.FAILED:
        return attempt(Outcome.PASSED)
    if not seen.mismatches:
        return attempt(Outcome.ERROR, seen.summary)
    if not seen.trial.without and not _overruled(normal, seen):
        return attempt(Outcome.ASIDE, "what differs did not come of the switch")
    decisions, results = [], []
    for mismatch in seen.mismatches:
        if _is_decision(case, mismatch, switched, switch):
            decisions.append(mismatch.subject)
        elif _is_result(case, mismatch, switched, switch):
            results.append(mismatch.subject)
    if not decisions and not results:
        return attempt(Outcome.ASIDE, f"unmet: {told([each.subject for each in seen.mismatches])}")
    return Attempt(
        case.job.name,
        case.scenario.title,
        Outcome.KILLED,
        seen=tuple(dict.fromkeys((*results, *decisions))),
        enforced=bool(results) and _through(case, seen.mismatches, switch),
        behind=_behind(switched, seen),
    )


def _overruled(normal: Seen, seen: Seen) -> bool:
    """Whether the first overruled decision is the normal run's, with the opposite verdict."""
    first = seen.first_forced
    if first is None:
        return False
    same = next((each for each in normal.decisions if each.number == first.number), None)
    return same is not None and (same.element, same.point, same.subject, same.admitted) == (
        first.element, first.point, first.subject, not first.admitted
    )  # fmt: skip


def _behind(switched: tuple[str, ...], seen: Seen) -> tuple[str, ...]:
    """Return the controls that still refused."""
    refusing = (each.point for each in seen.decisions if not each.admitted and each.point not in switched)
    return tuple(dict.fromkeys(refusing))


def _is_decision(case: Case, mismatch: Mismatch, switched: tuple[str, ...], switch: str) -> bool:
    condition, never = case.condition_at(mismatch.place, mismatch.subject)
    if not isinstance(condition, DecisionWanted):
        return False
    given = Verdict.ADMIT if switch == ADMIT else Verdict.REFUSE
    named = any(point.name in switched for point in points_named(case.scenario, condition))
    return named and (condition.verdict is given) is never


def _is_result(case: Case, mismatch: Mismatch, switched: tuple[str, ...], switch: str) -> bool:
    condition, never = case.condition_at(mismatch.place, mismatch.subject)
    if switch == ADMIT:
        phase = case.phase_at(mismatch.place)
        claimed = any(
            each.phase == phase and each.point in switched and each.verdict is Verdict.REFUSE for each in case.claims
        )
        shows = never or (isinstance(condition, (FactWanted, OutcomeWanted)) and not _record(condition))
        return shows and (claimed or _refusal(_wanted(condition)))
    if never or not isinstance(condition, (FactWanted, OutcomeWanted)) or _record(condition):
        return False
    return not _refusal(_wanted(condition)) and mismatch.got != "nothing"


def _through(case: Case, mismatches: tuple[Mismatch, ...], switch: str) -> bool:
    """Whether the misuse got through: where refusals in so many words were expected, one of them is unmet."""
    if switch != ADMIT:
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
    return condition.want if isinstance(condition, FactWanted) and isinstance(condition.want, str) else ""


def _refusal(word: str) -> bool:
    return plain(word) in REFUSAL_WORDS or plain(word) in _DENIED
