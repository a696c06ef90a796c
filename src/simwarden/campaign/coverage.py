"""`coverage`: each requirement by the controls that enforce it, by outcome, from claims and from what traces saw."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from simwarden.campaign.engine import Campaign, Page, Result, Wrong, quiet
from simwarden.campaign.trial import Trial, carry_out
from simwarden.policy.decision import Verdict as Decided
from simwarden.policy.requirements import requirements
from simwarden.scenario.claims import Case, gather, points_of, workers_for
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions
from simwarden.scenario.suite import Crew

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simwarden.campaign.engine import Order, Tell
    from simwarden.campaign.trial import Seen
    from simwarden.policy.requirements import Requirement
    from simwarden.scenario.claims import Point
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
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


_ABOUT = (
    "An outcome is covered when a scenario claims it for this requirement (it names the requirement, and expects the "
    "decision with its effect; or it is the twin of one that does) and its trace shows it. A requirement that asks for "
    "a record counts with an expected record only."
)
_TONES = {State.COVERED: "good", State.PARTLY: "open", State.OPEN: "none"}


@dataclass(slots=True)
class Coverage(Result):
    """All requirements, and the scenarios that did not pass and so count for nothing."""

    unit: ClassVar[str] = "scenarios"

    entries: list[Entry] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)

    def count(self, state: State) -> int:
        """Count the requirements that are covered so far."""
        return sum(entry.state is state for entry in self.entries)

    def summary(self) -> str:
        """See Result."""
        rows = {row.point.name for entry in self.entries for row in entry.rows}
        closed = len({row.point.name for each in self.entries for row in each.rows if row.state is State.COVERED})
        counts = ", ".join(f"{self.count(state)} {state.value}" for state in State)
        return (
            f"{len(self.entries)} requirements: {counts}; {closed} of {len(rows)} controls with both "
            f"outcomes claimed and seen; {self.tried} scenarios"
        )

    def lines(self) -> Iterator[str]:
        """Yield a line a control: claims and (in brackets) other scenarios that show the outcome."""
        table = [("requirement", "clause", "state", "element/control", "admitted", "refused")]
        for entry in self.entries:
            table += _rows(entry)
        widths = [max(len(row[column]) for row in table) for column in range(4)]
        for row in table:
            cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=False)]
            yield "  ".join([*cells, f"{row[4]:>10}", f"{row[5]:>10}"]).rstrip()
        yield "\nadmitted, refused: scenarios that claim the outcome and show it (others that show it)"

    def wrong(self) -> Iterator[Wrong]:
        """See Result."""
        for name, why in self.broken:
            yield Wrong(f"{name} does not pass, and covers nothing: {why}")

    def data(self) -> dict[str, Any]:
        """See Result."""
        return {
            "scenarios": self.tried,
            "broken": [{"scenario": name, "reason": why} for name, why in self.broken],
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
                for entry in self.entries
            ],
        }

    def page(self) -> Page:
        """See Result."""
        return Page(
            score=f"{self.count(State.COVERED)} of {len(self.entries)}",
            counted="requirements covered",
            tones=[tone for state, tone in _TONES.items() for _ in range(self.count(state))],
            about=_ABOUT,
            content={"entries": self.entries},
        )


def _rows(entry: Entry) -> Iterator[tuple[str, str, str, str, str, str]]:
    first = entry.requirement.id, entry.requirement.clause, entry.state.value
    lines = [(row.point.name, _cell(row.admitted), _cell(row.refused)) for row in entry.rows]
    lines += [(f"{kind}: no control yet", "open", "open") for kind in entry.missing]
    for line in lines:
        yield (*first, *line)
        first = "", "", ""


def _cell(cell: Cell) -> str:
    others = f" ({len(cell.seen)})" if cell.seen else ""
    return f"{len(cell.claimed)}{others}" if cell.claimed else f"open{others}"


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


def _state(covered: Iterable[bool]) -> State:
    found = list(covered)
    if all(found):
        return State.COVERED
    return State.PARTLY if any(found) else State.OPEN


@dataclass(frozen=True, slots=True)
class Cover(Campaign):
    """What scenarios cover. One that does not pass covers nothing."""

    name: ClassVar[str] = "coverage"

    jobs: Sequence[tuple[Job, Scenario]]
    loader: Loader

    def carry_out(self, order: Order, tell: Tell = quiet) -> Coverage:
        """See Campaign."""
        cases = gather(self.jobs, self.loader)
        entries = {
            each.id: Entry(each, [Row(point) for point in points_of(self.loader.registry, each.id).values()])
            for each in requirements().values()
        }
        found = Coverage(list(entries.values()))
        shown: dict[str, Seen] = {}
        for path, seen in self._seen(cases, order):
            found.tried += 1
            tell(found.tried, len(cases), seen.trial.name)
            if seen.verdict in (Verdict.PASSED, Verdict.INCONCLUSIVE):
                shown[path] = seen
            else:
                found.broken.append((seen.trial.name, seen.summary))
                found.faults += seen.verdict is Verdict.ERROR
        found.left = len(cases) - found.tried
        for path in filter(shown.__contains__, cases):
            _count(cases, path, shown[path], entries)
        return found

    def unfit(self, order: Order) -> str:  # noqa: ARG002 - whatever it is
        """See Campaign."""
        return "coverage has no reviewed record: what is claimed stands in the scenarios"

    def _seen(self, cases: dict[str, Case], order: Order) -> Iterator[tuple[str, Seen]]:
        trials = {Trial(case.job.reference, case.job.name): path for path, case in cases.items()}
        work = partial(carry_out, options=RunOptions(seed=order.seed), network=self.loader.network_file)
        with Crew(work, min(workers_for(cases, order.workers), len(trials))) as crew:
            for trial, seen in order.carried_out(crew, list(trials)):
                yield trials[trial], seen


def _count(cases: dict[str, Case], path: str, seen: Seen, entries: dict[str, Entry]) -> None:
    case = cases[path]
    for name in case.scenario.proves:
        if name in entries:
            entries[name].scenarios.append(case.job.name)
    for entry in entries.values():
        for row in entry.rows:
            for verdict, cell in ((Decided.ADMIT, row.admitted), (Decided.REFUSE, row.refused)):
                if seen.decided(row.point.name, admitted=verdict is Decided.ADMIT):
                    claims = _claims(cases, case, row.point.name, verdict, entry.requirement)
                    (cell.claimed if claims else cell.seen).append(case.job.name)


def _claims(cases: dict[str, Case], case: Case, point: str, verdict: Decided, requirement: Requirement) -> bool:
    """Return True if a scenario claims an outcome: itself, or as the twin of one that claims the refusal."""
    if case.claimed(point, verdict, requirement):
        return True
    refusing = (cases[path] for path in case.twin_of)
    return verdict is Decided.ADMIT and any(each.claimed(point, Decided.REFUSE, requirement) for each in refusing)
