"""`coverage`: each requirement by its controls and their outcomes, read from the normal runs of `prove`."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from simwarden.campaign.grid import Finding, Grid, Order, Score
from simwarden.campaign.tables import Cell, Column, Detail, Table
from simwarden.policy.decision import Verdict as Decided
from simwarden.policy.requirements import requirements
from simwarden.scenario.claims import points_of
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.campaign.switched_run import NormalRuns
    from simwarden.policy.requirements import Requirement
    from simwarden.scenario.claims import Case, Point


class State(enum.Enum):
    """The state of a requirement or control: the word that tables print, and its tone."""

    COVERED = "covered", "good"
    #: some of its controls or outcomes are claimed and seen, others not
    PARTLY = "partly", "open"
    OPEN = "open", "none"

    def __init__(self, word: str, tone: str) -> None:
        self.word, self.tone = word, tone

    @classmethod
    def of(cls, parts: Iterable[State | Shown]) -> State:
        """Return the state of a whole by its parts."""
        states = [part if isinstance(part, State) else cls.COVERED if part.claimed else cls.OPEN for part in parts]
        if all(state is cls.COVERED for state in states):
            return cls.COVERED
        return cls.PARTLY if any(state is not cls.OPEN for state in states) else cls.OPEN


@dataclass(slots=True)
class Shown:
    """One outcome of a control: the scenarios that claim it and show it, and others that show it."""

    claimed: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Row:
    """A control of a requirement, with both outcomes."""

    point: Point
    admitted: Shown = field(default_factory=Shown)
    refused: Shown = field(default_factory=Shown)

    @property
    def state(self) -> State:
        """Its state by its parts."""
        return State.of((self.admitted, self.refused))


@dataclass(slots=True)
class Entry:
    """A requirement with its controls; `scenarios` are those that say they prove it."""

    requirement: Requirement
    rows: list[Row] = field(default_factory=list)
    scenarios: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """The kinds of element that must act and have no control for it."""
        return self.requirement.missing({row.point.kind for row in self.rows})

    @property
    def state(self) -> State:
        """Its state by its parts."""
        return State.of([*(row.state for row in self.rows), *(State.OPEN for _ in self.missing)])


_ABOUT = (
    "An outcome is covered when a scenario claims it for this requirement (it names the requirement, and expects the "
    "decision with its effect; or it is the twin of one that does) and its trace shows it. A requirement that asks for "
    "a record counts with an expected record only."
)
_KEY = "admitted, refused: scenarios that claim the outcome and show it (others that show it)"
_COLUMNS = (
    *map(Column, ("requirement", "clause", "state", "element/control")),
    Column("  admitted", "scenarios that claim the admission and show it (others that show it)", figures=True),
    Column("   refused", "scenarios that claim the refusal and show it (others that show it)", figures=True),
)


@dataclass
class Coverage(Grid):
    """The requirements that the normal runs cover. A scenario that does not pass covers nothing."""

    name: ClassVar[str] = "coverage"
    unit: ClassVar[str] = "scenarios"

    runs: NormalRuns

    def __post_init__(self) -> None:
        """Count the runs that were made before."""
        self._count_runs()

    def carry_out(self, order: Order) -> None:
        """See Grid: only runs that were not made before are made."""
        self.runs.make_missing(order)
        self._count_runs()

    def _count_runs(self) -> None:
        self.tried, self.faults = len(self.runs.observed), self.runs.faults
        self.left = len(self.runs.cases) - self.tried

    def reason_not_acceptable(self, order: Order) -> str:  # noqa: ARG002 - for any
        """See Grid."""
        return "coverage has no reviewed record: what is claimed stands in the scenarios"

    @cached_property
    def entries(self) -> list[Entry]:
        """All requirements."""
        registry = Registry.installed()
        entries = [
            Entry(each, [Row(point) for point in points_of(registry, each.id).values()])
            for each in requirements().values()
        ]
        passed = (Verdict.PASSED, Verdict.INCONCLUSIVE)
        for path, case in self.runs.cases.items():
            if path in self.runs.observed and self.runs.observed[path].verdict in passed:
                self._count(path, case, entries)
        return entries

    def _count(self, path: str, case: Case, entries: list[Entry]) -> None:
        observed = self.runs.observed[path]
        for entry in entries:
            if entry.requirement.id in case.scenario.proves:
                entry.scenarios.append(case.job.name)
            for row in entry.rows:
                for verdict, shown in ((Decided.ADMIT, row.admitted), (Decided.REFUSE, row.refused)):
                    if observed.decided(row.point.name, admitted=verdict is Decided.ADMIT):
                        claims = self._claims(case, row.point.name, verdict, entry.requirement)
                        (shown.claimed if claims else shown.seen).append(case.job.name)

    def _claims(self, case: Case, point: str, verdict: Decided, requirement: Requirement) -> bool:
        """Return True if a scenario claims an outcome: itself, or as the twin of one that claims the refusal."""
        if case.claimed(point, verdict, requirement):
            return True
        refusing = (self.runs.cases[path] for path in case.twin_of)
        return verdict is Decided.ADMIT and any(each.claimed(point, Decided.REFUSE, requirement) for each in refusing)

    def count(self, state: State) -> int:
        """Count the requirements in a state."""
        return sum(entry.state is state for entry in self.entries)

    def summary(self) -> str:
        """See Grid."""
        rows = {row.point.name for entry in self.entries for row in entry.rows}
        closed = len({row.point.name for each in self.entries for row in each.rows if row.state is State.COVERED})
        counts = ", ".join(f"{self.count(state)} {state.word}" for state in State)
        return (
            f"{len(self.entries)} requirements: {counts}; {closed} of {len(rows)} controls with both "
            f"outcomes claimed and seen; {self.tried} scenarios"
        )

    def tables(self) -> Iterator[Table]:
        """See Grid: a row a control."""
        yield Table(_COLUMNS, [row for entry in self.entries for row in _rows(entry)])
        yield Table([Column(_KEY)], [])

    def findings(self) -> Iterator[Finding]:
        """See Grid."""
        for name, why in self.runs.broken:
            yield Finding(f"{name} does not pass, and covers nothing: {why}")

    def cases(self) -> Iterator[dict[str, Any]]:
        """See Grid: a case a requirement."""
        for entry in self.entries:
            yield {
                "case": entry.requirement.id,
                "outcome": entry.state.word,
                "clause": entry.requirement.clause,
                "title": entry.requirement.title,
                "scenarios": entry.scenarios,
                "missing": entry.missing,
                "controls": [
                    {
                        "control": row.point.name,
                        "outcome": row.state.word,
                        "admitted": asdict(row.admitted),
                        "refused": asdict(row.refused),
                    }
                    for row in entry.rows
                ],
            }

    def score(self) -> Score:
        """See Grid."""
        tones = [state.tone for state in State for _ in range(self.count(state))]
        return Score(f"{self.count(State.COVERED)} of {len(self.entries)}", "requirements covered", tones, _ABOUT)


def _rows(entry: Entry) -> Iterator[list[Cell | str]]:
    each = entry.requirement
    first: list[Cell | str] = [
        Cell(each.id, note=f"{each.title}: {each.rule}"),
        each.clause,
        Cell(entry.state.word, entry.state.tone),
    ]
    for row in entry.rows:
        outcomes = [
            _cell(f"{each.id}.{row.point.name}.{word}", shown)
            for word, shown in (("admitted", row.admitted), ("refused", row.refused))
        ]
        yield [*first, Cell(row.point.name, note=row.point.control.title), *outcomes]
        first = ["", "", ""]
    for kind in entry.missing:
        yield [*first, f"{kind}: no control yet", "open", "open"]
        first = ["", "", ""]


def _cell(anchor: str, shown: Shown) -> Cell:
    others = f" ({len(shown.seen)})" if shown.seen else ""
    text = f"{len(shown.claimed)}{others}" if shown.claimed else f"open{others}"
    lists = (("claimed by", shown.claimed), ("shown by", shown.seen))
    rows = [
        (word if place == 0 else "", Cell(name, run=name)) for word, names in lists for place, name in enumerate(names)
    ]
    return Cell(
        text,
        "good" if shown.claimed else "open",
        id=anchor,
        opens=(lambda: Detail(anchor, rows=rows)) if rows else None,
    )
