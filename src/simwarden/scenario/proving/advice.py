"""Says why a mutant survived, what to write to kill it, and which scenarios do not do their part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.policy.decision import Verdict
from simwarden.scenario.document import DecisionWanted
from simwarden.scenario.proving.claims import points_named
from simwarden.scenario.proving.proof import ADMIT, REFUSE, Attempt, Finding, Outcome
from simwarden.scenario.result import Verdict as Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simwarden.scenario.proving.claims import Case, Point
    from simwarden.scenario.proving.trial import Seen


def explain(finding: Finding, cases: Mapping[str, Case], normal: Mapping[str, Seen]) -> None:
    """Fill in reason and advice of a mutant that survived, and whether it could be tried at all."""
    if finding.killed:
        return
    concerned = [name for name in normal if any(_concerns(cases, name, point) for point in finding.points)]
    outside = [name for name in concerned if _outside(cases[name], finding)]
    if concerned and len(outside) == len(concerned) and not finding.attempts:
        finding.judged = False
        finding.reason = "the element is outside this process, and no card can be without this control"
        return
    finding.reason = _reason(finding, cases, normal, concerned)
    finding.advice = _advice(finding)


def _concerns(cases: Mapping[str, Case], name: str, point: Point) -> bool:
    whole = (cases[name], *(cases[each] for each in cases[name].twin_of))
    return any(claim.point == point.name for case in whole for claim in case.claims)


def _outside(case: Case, finding: Finding) -> bool:
    kinds = {each.kind for each in case.scenario.external.values()}
    return any(point.kind in kinds for point in finding.points)


def _reason(finding: Finding, cases: Mapping[str, Case], normal: Mapping[str, Seen], concerned: list[str]) -> str:
    if finding.attempts:
        tried = [
            f"{each.scenario} {each.outcome.value}" + (f" ({each.why})" if each.why else "")
            for each in finding.attempts
        ]
        return "; ".join(tried)
    point = finding.points[0]
    if not concerned:
        return _unclaimed(point, cases)
    unfit = [cases[name].job.name for name in concerned if normal[name].verdict in (Result.FAILED, Result.ERROR)]
    if unfit:
        return f"{', '.join(unfit)} {Outcome.UNFIT.value}"
    verdict = "refuses" if finding.switch == ADMIT else "admits"
    named = ", ".join(cases[name].job.name for name in concerned)
    return f"in no scenario that claims it (or its twin) it {verdict} anything: {named}"


def _unclaimed(point: Point, cases: Mapping[str, Case]) -> str:
    near = [case.job.name for case in cases.values() if _names(case, point)]
    if near:
        return f"{', '.join(near)} expects its decision, but does not say proves: [{point.control.requirement}]"
    return "no scenario claims it"


def _names(case: Case, point: Point) -> bool:
    return any(
        isinstance(condition, DecisionWanted) and point in points_named(case.scenario, condition)
        for step in case.scenario.steps
        for expectation in step.expectations
        for condition in expectation.conditions
    )


def _advice(finding: Finding) -> str:
    point = finding.points[0]
    decision = f"by: {point.kind}, control: {point.control.id}"
    if len(finding.points) > 1:
        return "expect what the refusal comes to (attach: rejected, an outcome) beside the decisions"
    if finding.switch == ADMIT:
        return (
            f"write a misuse that it refuses, with proves: [{point.control.requirement}], "
            f"expect: {{decision: {{{decision}}}}} and what the refusal comes to"
        )
    return (
        f"write a rightful use that it admits (the twin of the misuse), with proves: [{point.control.requirement}], "
        f"expect: {{decision: {{{decision}, verdict: admit}}}} and what is served"
    )


def weaknesses(findings: list[Finding], cases: Mapping[str, Case], normal: Mapping[str, Seen]) -> Iterator[str]:
    """Yield a line for each claim that does not hold, though another scenario may kill the mutant.

    A scenario that claims a refusal fails under always-admit; its twin passes then, and fails under always-refuse.
    """
    for finding in findings:
        if len(finding.points) > 1 or not finding.judged:
            continue
        point = finding.points[0].name
        tried = {each.scenario: each for each in finding.attempts}
        for name in normal:
            case = cases[name]
            if not case.claimed(point, Verdict.REFUSE) or _outside(case, finding):
                continue
            if finding.switch == ADMIT:
                yield from _claim(case, point, tried.get(case.job.name))
            if case.twin in normal:
                yield from _twin(cases[case.twin], point, finding.switch, tried.get(cases[case.twin].job.name))


def remarks(findings: list[Finding], cases: Mapping[str, Case]) -> Iterator[str]:
    """Yield a line for each refusal of which a scenario sees the decision only, and not what comes of it."""
    by_name = {case.job.name: case for case in cases.values()}
    through = {(each.scenario, point.name) for finding in findings for each in finding.killers if each.enforced
               for point in finding.points}  # fmt: skip
    for finding in findings:
        point = finding.points[0].name
        for each in finding.killers if finding.switch == ADMIT and len(finding.points) == 1 else ():
            if (each.scenario, point) not in through and by_name[each.scenario].claimed(point, Verdict.REFUSE):
                yield f"{each.scenario} sees only the decision of {point}: it is refused all the same when that admits"


def _claim(case: Case, point: str, attempt: Attempt | None) -> Iterator[str]:
    if attempt is None or attempt.outcome is not Outcome.KILLED:
        became = attempt.outcome.value if attempt else "does not make it decide so"
        yield f"{case.job.name} claims a refusal by {point}, but under always-admit it {became}"


def _twin(twin: Case, point: str, switch: str, attempt: Attempt | None) -> Iterator[str]:
    if switch == ADMIT and attempt is not None and attempt.outcome is not Outcome.PASSED:
        yield f"the twin {twin.job.name} should pass while {point} admits all, and {attempt.outcome.value}"
    if switch == REFUSE and (attempt is None or attempt.outcome is not Outcome.KILLED):
        became = attempt.outcome.value if attempt else "does not ask it"
        yield f"the twin {twin.job.name} should fail while {point} refuses all, and {became}"
