"""Coverage: each requirement by the controls that enforce it, by outcome, from claims and from what traces saw."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from simwarden.policy.decision import Verdict
from simwarden.policy.requirements import requirements
from simwarden.scenario import suite
from simwarden.scenario.proving.claims import Case, gather, points_of, workers_for
from simwarden.scenario.proving.trial import Trial, carry_out
from simwarden.scenario.result import Verdict as Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simwarden.policy.requirements import Requirement
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.proving.claims import Point
    from simwarden.scenario.proving.trial import Seen
    from simwarden.scenario.runner import RunOptions
    from simwarden.scenario.suite import Job


class State(enum.Enum):
    """How far something is covered. The value is the word that tables print."""

    COVERED = "covered"
    #: some of its controls or outcomes are claimed and seen, others not
    PARTLY = "partly"
    #: nothing is
    OPEN = "open"


@dataclass(slots=True)
class Cell:
    """One outcome of a control: the scenarios that claim it and show it, and others that show it."""

    claimed: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @property
    def covered(self) -> bool:
        """Whether a scenario claims it, and its trace shows it."""
        return bool(self.claimed)


@dataclass(slots=True)
class Row:
    """A control of a requirement, with both outcomes."""

    point: Point
    admitted: Cell = field(default_factory=Cell)
    refused: Cell = field(default_factory=Cell)

    @property
    def state(self) -> State:
        """How far it is covered."""
        return _state([self.admitted.covered, self.refused.covered])


@dataclass(slots=True)
class Entry:
    """A requirement with its controls; `scenarios` are those that say they prove it."""

    requirement: Requirement
    rows: list[Row] = field(default_factory=list)
    scenarios: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Who has to act and has no control for it."""
        return self.requirement.missing({row.point.kind for row in self.rows})

    @property
    def state(self) -> State:
        """How far it is covered."""
        parts = [row.state for row in self.rows] + [State.OPEN for _ in self.missing]
        if all(each is State.COVERED for each in parts):
            return State.COVERED
        return State.PARTLY if any(each is not State.OPEN for each in parts) else State.OPEN


@dataclass(slots=True)
class Coverage:
    """All requirements, and the scenarios that did not pass and so count for nothing."""

    entries: list[Entry] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    faults: int = 0
    scenarios: int = 0


def _state(covered: Iterable[bool]) -> State:
    found = list(covered)
    if all(found):
        return State.COVERED
    return State.PARTLY if any(found) else State.OPEN


def cover(
    jobs: Sequence[tuple[Job, Scenario]],
    loader: Loader,
    options: RunOptions,
    *,
    network: str = "",
    workers: int = 1,
    tell: Callable[[int, int, str], None] = lambda _done, _total, _what: None,
) -> Coverage:
    """Run scenarios and say what they cover. A scenario that does not pass covers nothing."""
    cases = gather(jobs, loader)
    found = Coverage(scenarios=len(cases))
    rows = {name: Row(point) for name, point in points_of(loader.registry).items()}
    entries = {
        each.id: Entry(each, [rows[point.name] for point in points_of(loader.registry, each.id).values()])
        for each in requirements().values()
    }
    trials = [Trial(case.job.path, case.job.name) for case in cases.values()]
    work = partial(carry_out, options=options, network=network)
    shown: dict[str, Seen] = {}
    for done, (path, seen) in enumerate(
        zip(cases, suite.spread(work, trials, workers_for(cases, workers)), strict=True), 1
    ):
        tell(done, len(trials), seen.trial.name)
        if seen.verdict in (Result.PASSED, Result.INCONCLUSIVE):
            shown[path] = seen
        else:
            found.broken.append((seen.trial.name, seen.summary))
            found.faults += seen.verdict is Result.ERROR
    for path, seen in shown.items():
        _count(cases, path, seen, rows, entries)
    found.entries = list(entries.values())
    return found


def _count(cases: dict[str, Case], path: str, seen: Seen, rows: dict[str, Row], entries: dict[str, Entry]) -> None:
    case = cases[path]
    for name in case.scenario.proves:
        if name in entries:
            entries[name].scenarios.append(case.job.name)
    for name, row in rows.items():
        for verdict, cell in ((Verdict.ADMIT, row.admitted), (Verdict.REFUSE, row.refused)):
            if seen.decided(name, admitted=verdict is Verdict.ADMIT):
                claims = _claims(cases, case, name, verdict)
                (cell.claimed if claims else cell.seen).append(case.job.name)


def _claims(cases: dict[str, Case], case: Case, point: str, verdict: Verdict) -> bool:
    """Whether a scenario claims an outcome: itself, or as the twin of one that claims the refusal."""
    if case.claimed(point, verdict):
        return True
    return verdict is Verdict.ADMIT and any(cases[path].claimed(point, Verdict.REFUSE) for path in case.twin_of)


def as_data(coverage: Coverage) -> dict[str, Any]:
    """Return it as JSON can hold it."""
    return {
        "scenarios": coverage.scenarios,
        "broken": [{"scenario": name, "reason": why} for name, why in coverage.broken],
        "requirements": [
            {
                "id": entry.requirement.id,
                "clause": entry.requirement.clause,
                "title": entry.requirement.title,
                "rule": entry.requirement.rule,
                "restricts": entry.requirement.restricts,
                "state": entry.state.value,
                "scenarios": entry.scenarios,
                "missing": entry.missing,
                "points": [_row_data(row) for row in entry.rows],
            }
            for entry in coverage.entries
        ],
    }


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "element": row.point.kind,
        "control": row.point.control.id,
        "title": row.point.control.title,
        "state": row.state.value,
        **{
            name: {"claimed": cell.claimed, "seen": cell.seen}
            for name, cell in (("admitted", row.admitted), ("refused", row.refused))
        },
    }


def summary(coverage: Coverage) -> str:
    """Return the sum in one line."""
    rows = {row.point.name: row for entry in coverage.entries for row in entry.rows}.values()
    count = {state: sum(entry.state is state for entry in coverage.entries) for state in State}
    closed = sum(row.state is State.COVERED for row in rows)
    return (
        f"{len(coverage.entries)} requirements: {count[State.COVERED]} covered, {count[State.PARTLY]} partly, "
        f"{count[State.OPEN]} open; {closed} of {len(rows)} controls with both outcomes claimed and seen; "
        f"{coverage.scenarios} scenarios"
    )


def page_of(coverage: Coverage) -> str:
    """Return the page."""
    from simwarden.scenario.report.sheet import render_sheet  # noqa: PLC0415 - templates load when they are needed

    return render_sheet("coverage.html.j2", title="coverage", coverage=coverage, summary=summary(coverage))
