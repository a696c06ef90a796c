"""What an exploration found, for people in a terminal and for machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simwarden.scenario.explore.reviewed import Reviewed
    from simwarden.scenario.explore.survey import Finding, Survey


#: messages that a finding names beside its first
_NAMED = 6


@dataclass(slots=True)
class Judged:
    """A survey held against what has been reviewed: findings that are new, open or meant, with their reasons."""

    survey: Survey
    new: list[Finding] = field(default_factory=list)
    open: list[tuple[Finding, str]] = field(default_factory=list)
    meant: list[tuple[Finding, str]] = field(default_factory=list)
    #: procedure and what was put in, where no terminal noticed it and nobody says why
    vacuous: list[tuple[str, str, int]] = field(default_factory=list)
    #: pairs that alter nothing, with the reason
    silent: list[tuple[str, str, str]] = field(default_factory=list)
    #: entries of the file that nothing is found for
    idle: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        """Whether anything is not as reviewed."""
        return bool(self.new or self.vacuous or self.idle or self.survey.broken)


def judge(survey: Survey, reviewed: Reviewed) -> Judged:
    """Hold a survey against the reviewed file. Only one of everything can tell that something is silent or gone."""
    judged = Judged(survey)
    for finding in survey.findings.values():
        word, why = reviewed.meaning(finding)
        if word == "meant":
            judged.meant.append((finding, why))
        elif word == "open":
            judged.open.append((finding, why))
        else:
            judged.new.append(finding)
    for (procedure, what), cell in survey.cells.items():
        if not cell.altered and "+" not in what:
            why = reviewed.silence(what, procedure)
            if why:
                judged.silent.append((procedure, what, why))
            elif survey.whole:
                judged.vacuous.append((procedure, what, cell.tried))
    order = survey.order
    if survey.whole and not (order.stories or order.changes or order.faults or order.network):
        judged.idle = list(reviewed.idle(survey))
    return judged


def lines_of(judged: Judged) -> Iterator[str]:
    """Yield what is printed."""
    survey = judged.survey
    for where, fault in survey.broken.items():
        yield f"{where}: the story does not come to its end: {fault}"
    for where, why in survey.unjudged.items():
        yield f"{where}: cannot be judged: {why}"
    for findings in _alike(judged.new):
        yield from told(findings)
    for why in dict.fromkeys(why for _, why in judged.open):
        known = [each for each, reason in judged.open if reason == why]
        things = ", ".join(dict.fromkeys(each.what for each in known))
        procedures = ", ".join(dict.fromkeys(each.procedure for each in known))
        differs = ", ".join(dict.fromkeys(each.deviation.name for each in known))
        yield f"open: {things} in {procedures}: {differs} ({sum(each.count for each in known)}): {why}"
    for procedure, what, tried in judged.vacuous:
        yield f"{what} in {procedure}: it altered nothing at any of {tried} points"
    yield from judged.idle
    if judged.wrong or judged.open or survey.unjudged:
        yield ""
    yield summary(judged)


def told(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield findings that differ in nothing but the message in a few lines."""
    finding, many = findings[0], sum(each.count for each in findings)
    deviation, first = finding.deviation, finding.first
    points = f", the first of {many} points" if many > 1 else ""
    yield f"{finding.what} in {finding.procedure}, before {first.point}{points}: {deviation.kind} {deviation.subject}"
    yield f"    - want  {deviation.want}"
    yield f"    + got   {deviation.got}"
    if len(findings) > 1:
        yield f"  also before {', '.join(list(dict.fromkeys(each.message for each in findings[1:]))[:_NAMED])}"
    if len(first.put) > 1:
        yield "  alone: simwarden run the scenario that --report keeps of it"
        return
    kind, name = ("--change", first.change) if first.change else ("--fault", finding.what)
    yield f"  alone: simwarden explore {first.story} {kind} {name}"


def _alike(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Yield findings together that differ in nothing but the message."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.what, each.procedure, each.deviation.name), []).append(each)
    yield from groups.values()


def summary(judged: Judged) -> str:
    """Return the sum in one line."""
    survey = judged.survey
    cells = survey.cells.values()
    left = f" of {survey.planned}" if survey.runs < survey.planned else ""
    altered = sum(cell.altered for cell in cells)
    return (
        f"{survey.runs}{left} runs, {len(survey.cells)} pairs of a procedure and what was put in; it altered "
        f"{altered}; findings: {len(judged.new)} new, {len(judged.open)} open, {len(judged.meant)} meant; "
        f"{len(judged.silent)} pairs silent by review"
    )


def as_data(judged: Judged) -> dict[str, Any]:
    """Return all of it as JSON can hold it."""
    survey = judged.survey
    return {
        "seed": survey.order.seed,
        "runs": survey.runs,
        "planned": survey.planned,
        "whole": survey.whole,
        "broken": dict(survey.broken),
        "unjudged": dict(survey.unjudged),
        "cells": [
            {"procedure": procedure, "what": what, "tried": cell.tried, "altered": cell.altered}
            for (procedure, what), cell in survey.cells.items()
        ],
        "findings": [
            *(_finding(each, "new", "") for each in judged.new),
            *(_finding(each, "open", why) for each, why in judged.open),
            *(_finding(each, "meant", why) for each, why in judged.meant),
        ],
        "vacuous": [{"procedure": procedure, "what": what} for procedure, what, _ in judged.vacuous],
        "silent": [{"procedure": procedure, "what": what, "why": why} for procedure, what, why in judged.silent],
        "idle": judged.idle,
    }


def _finding(finding: Finding, state: str, why: str) -> dict[str, Any]:
    deviation, first = finding.deviation, finding.first
    return {
        "state": state,
        "why": why,
        "what": finding.what,
        "procedure": finding.procedure,
        "before": finding.message,
        "judged": deviation.kind,
        "subject": deviation.subject,
        "want": deviation.want,
        "got": deviation.got,
        "points": finding.count,
        "story": first.story,
        "change": first.change,
        "put": [{"point": number, "what": what} for number, what in first.put],
    }
