"""Says why a mutant survived, and which scenarios do not do their part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.campaign.prove.mutants import ADMIT, IGNORE, REFUSE, SWITCHES, Mutant, Outcome
from simwarden.policy.decision import Verdict
from simwarden.scenario.claims import points_named
from simwarden.scenario.document import DecisionWanted
from simwarden.scenario.result import Verdict as Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simwarden.campaign.switched_run import Observed
    from simwarden.scenario.claims import Case, Claim, Spot

#: scenarios that a reason names
_LISTED = 6


def explain(mutant: Mutant, cases: Mapping[str, Case], normal: Mapping[str, Observed]) -> None:
    """Fill in the reason of a mutant that survived, and whether it could be tried at all."""
    if mutant.killed or not mutant.tried:
        return
    concerned = [name for name in normal if any(_concerns(cases, name, spot) for spot in mutant.spots)]
    outside = [name for name in concerned if _outside(cases[name], mutant)]
    if concerned and len(outside) == len(concerned) and not mutant.attempts:
        mutant.judged = False
        mutant.reason = "the element is outside this process, and no card can be without this control"
        return
    mutant.reason = mutant.equivalent or _reason(mutant, cases, normal, concerned)


def _concerns(cases: Mapping[str, Case], name: str, spot: Spot) -> bool:
    whole = (cases[name], *(cases[each] for each in cases[name].twin_of))
    return any(claim.is_of(spot) for case in whole for claim in case.claims)


def _outside(case: Case, mutant: Mutant) -> bool:
    kinds = {each.kind for each in case.scenario.external.values()}
    return any(spot.kind in kinds for spot in mutant.spots)


def _reason(mutant: Mutant, cases: Mapping[str, Case], normal: Mapping[str, Observed], concerned: list[str]) -> str:
    spot = mutant.spots[0]
    tried = [
        f"{each.scenario} {each.outcome.value}" + (f" ({each.why})" if each.why else "")
        for each in mutant.attempts[:_LISTED]
    ]
    more = [f"so did {len(mutant.attempts) - _LISTED} more"] if len(mutant.attempts) > _LISTED else []
    if not concerned:
        return "; ".join([_unclaimed(spot, cases), *tried, *more])
    if tried:
        return "; ".join([*tried, *more])
    verdict = "admits" if mutant.switch == REFUSE else "refuses"
    unfit = [cases[name].job.name for name in concerned if normal[name].verdict in (Result.FAILED, Result.ERROR)]
    if unfit:
        return f"{', '.join(unfit)} {Outcome.UNFIT.value}"
    if mutant.switch != REFUSE:
        shown = [cases[name].job.name for name in normal if normal[name].decided(spot.name, admitted=False)]
        if shown:
            return f"it refuses on {spot.occasion} in {', '.join(shown)}, which do not claim it"
    return f"on {spot.occasion} it {verdict} nothing in any scenario that claims it, or its twin"


def _unclaimed(spot: Spot, cases: Mapping[str, Case]) -> str:
    near = [case.job.name for case in cases.values() if _names(case, spot)]
    if near:
        return f"{', '.join(near)} expects its decision, but does not say proves: [{spot.control.requirement}]"
    return "no scenario claims it"


def _names(case: Case, spot: Spot) -> bool:
    return any(
        isinstance(condition, DecisionWanted)
        and condition.occasion in ("", spot.occasion)
        and spot.point in points_named(case.scenario, condition)
        for step in case.scenario.steps
        for expectation in step.expectations
        for condition in expectation.conditions
    )


def weaknesses(mutants: list[Mutant], cases: Mapping[str, Case], normal: Mapping[str, Observed]) -> Iterator[str]:
    """Yield a line for each claim that does not hold, though another scenario may kill the mutant.

    A scenario that claims a refusal notices always-admit on one of the occasions on which it is refused; its twin
    notices always-refuse on one.
    """
    singles = [each for each in mutants if len(each.spots) == 1 and each.judged and each.tried]
    for name in normal:
        case = cases[name]
        for claim in dict.fromkeys(each for each in case.claims if each.verdict is Verdict.REFUSE):
            mine = [each for each in singles if claim.is_of(each.spots[0]) and not _outside(case, each)]
            occasions = 1 if claim.occasion or not mine else len(mine[0].spots[0].control.occasions)
            if not mine or len(mine) < len(SWITCHES) * occasions:
                continue  # not all that it may be about was tried
            for switch in (ADMIT, IGNORE):
                yield from _claim(case, claim, switch, [each for each in mine if each.switch == switch], mutants)
            if case.twin in normal:
                yield from _twin(cases[case.twin], claim, [each for each in mine if each.switch == REFUSE])


def _claim(case: Case, claim: Claim, switch: str, own: list[Mutant], mutants: list[Mutant]) -> Iterator[str]:
    tried = [(each, attempt) for each in own for attempt in each.attempts if attempt.scenario == case.job.name]
    layered = any(
        len(each.spots) > 1
        and each.switch == switch
        and any(claim.is_of(spot) for spot in each.spots)
        and any(killer.scenario == case.job.name for killer in each.killers)
        for each in mutants
    )
    counts = all(not mutant.equivalent for mutant, _ in tried)
    if counts and not layered and not any(attempt.outcome is Outcome.KILLED for _, attempt in tried):
        became = "; ".join(attempt.outcome.value for _, attempt in tried) or "does not make it decide so"
        yield f"{case.job.name} claims a refusal by {_named(claim)}, but under {switch} it {became}"


def _twin(twin: Case, claim: Claim, mutants: list[Mutant]) -> Iterator[str]:
    tried = [attempt for each in mutants for attempt in each.attempts if attempt.scenario == twin.job.name]
    counts = not any(each.equivalent for each in mutants) and (tried or not all(each.killed for each in mutants))
    if counts and not any(each.outcome is Outcome.KILLED for each in tried):
        became = "; ".join(dict.fromkeys(each.outcome.value for each in tried)) or "does not ask it"
        yield f"the twin {twin.job.name} should fail while {_named(claim)} refuses all, and {became}"


def _named(claim: Claim) -> str:
    return f"{claim.point}@{claim.occasion}" if claim.occasion else claim.point


def stale(mutants: list[Mutant], equivalent: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each mutant of the list of equivalent ones that a scenario kills."""
    for mutant in mutants:
        if mutant.name in equivalent and mutant.killed:
            yield f"{mutant.name} is in the list of equivalent mutants, and {mutant.killers[0].scenario} kills it"
