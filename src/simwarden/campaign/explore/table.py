"""What an exploration found, for people in a terminal and for machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.campaign.engine import Page, Result, Wrong
from simwarden.campaign.explore.page import page_of
from simwarden.campaign.explore.repeat import alone, kept_as, scenario_of
from simwarden.campaign.explore.reviewed import accept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simwarden.campaign.explore.reviewed import Reviewed
    from simwarden.campaign.explore.survey import Finding, Survey


#: messages that a finding names beside its first
_NAMED = 6


@dataclass(slots=True)
class Judged(Result):
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

    def summary(self) -> str:
        """See Result."""
        cells = self.survey.cells.values()
        altered = sum(cell.altered for cell in cells)
        return (
            f"{self.survey.runs} runs, {len(cells)} pairs of a procedure and what was put in; it altered {altered}; "
            f"findings: {len(self.new)} new, {len(self.open)} open, {len(self.meant)} meant; {len(self.silent)} pairs "
            "silent by review"
        )

    def lines(self) -> Iterator[str]:
        """See Result."""
        if self.survey.unseen:
            yield f"{self.survey.unseen} stories with a change: no time to look what can be tried in them"
        for where, why in self.survey.unjudged.items():
            yield f"{where}: cannot be judged: {why}"
        for why in dict.fromkeys(why for _, why in self.open):
            known = [each for each, reason in self.open if reason == why]
            things = ", ".join(dict.fromkeys(each.what for each in known))
            procedures = ", ".join(dict.fromkeys(each.procedure for each in known))
            differs = ", ".join(dict.fromkeys(each.deviation.name for each in known))
            yield f"open: {things} in {procedures}: {differs} ({sum(each.count for each in known)}): {why}"

    def wrong(self) -> Iterator[Wrong]:
        """See Result."""
        for where, fault in self.survey.broken.items():
            yield Wrong(f"{where}: the story does not come to its end: {fault}")
        yield from map(told, _alike(self.new))
        for procedure, what, tried in self.vacuous:
            yield Wrong(f"{what} in {procedure}: it altered nothing at any of {tried} points")
        yield from map(Wrong, self.idle)

    def data(self) -> dict[str, Any]:
        """See Result."""
        survey = self.survey
        return {
            "seed": survey.wanted.seed,
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
                *(_finding(each, "new", "") for each in self.new),
                *(_finding(each, "open", why) for each, why in self.open),
                *(_finding(each, "meant", why) for each, why in self.meant),
            ],
            "vacuous": [{"procedure": procedure, "what": what} for procedure, what, _ in self.vacuous],
            "silent": [{"procedure": procedure, "what": what, "why": why} for procedure, what, why in self.silent],
            "idle": self.idle,
        }

    def page(self) -> Page:
        """See Result."""
        return page_of(self)

    def accept(self, why: str) -> list[Path]:
        """Take new findings for meant."""
        if not self.new:
            return []
        written = accept(Path(self.survey.wanted.folder), self.new, why)
        self.meant += [(each, why) for each in self.new]
        self.new = []
        return [written]

    def kept(self) -> Iterator[tuple[str, str]]:
        """Yield a scenario of each finding that is new."""
        for number, finding in enumerate(self.new, 1):
            here = self.survey.wanted.bench(finding.first.story, finding.first.change)
            yield f"explore/{kept_as(number, finding)}.yaml", scenario_of(here, finding)


def judge(survey: Survey, reviewed: Reviewed) -> Judged:
    """Hold a survey against the reviewed file. Only one of everything can tell that something is silent or gone."""
    judged = Judged(survey, tried=survey.runs or len(survey.broken), left=survey.planned - survey.runs)
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
    wanted = survey.wanted
    if survey.whole and not (wanted.stories or wanted.changes or wanted.faults or wanted.network):
        judged.idle = list(reviewed.idle(survey))
    return judged


def told(findings: Sequence[Finding]) -> Wrong:
    """Tell findings that differ in nothing but the message."""
    finding, many = findings[0], sum(each.count for each in findings)
    deviation, first = finding.deviation, finding.first
    points = f", the first of {many} points" if many > 1 else ""
    also = ", ".join(list(dict.fromkeys(each.message for each in findings[1:]))[:_NAMED])
    lines = (
        f"  - want  {deviation.want}",
        f"  + got   {deviation.got}",
        f"also before {also}" if also else "",
        f"alone: {alone(finding)}",
    )
    what = f"{finding.what} in {finding.procedure}, before {first.point}{points}: {deviation.kind} {deviation.subject}"
    return Wrong(what, tuple(filter(None, lines)))


def _alike(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Yield findings together that differ in nothing but the message."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.what, each.procedure, each.deviation.name), []).append(each)
    yield from groups.values()


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
