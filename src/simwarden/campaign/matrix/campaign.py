"""The campaign `matrix`: each misuse against each method, its probes, and the legitimate use with the same motions."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from simwarden.campaign.grid import Finding, Grid, Order, Score, check_names, format_review_summary
from simwarden.campaign.matrix.outcome import ServiceOutcome, State, judge
from simwarden.campaign.matrix.plan import Plan, read_plan
from simwarden.campaign.matrix.story import honest_facts, story_of
from simwarden.campaign.record import NAME, Record
from simwarden.campaign.tables import Cell, Column, Detail, Row, Table
from simwarden.errors import UserFileError
from simwarden.model.units import show
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import Problems, flat
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.suite import Crew, worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.campaign.matrix.outcome import Refusal
    from simwarden.campaign.matrix.plan import Method, Misuse, Service
    from simwarden.campaign.record import Outcome

T = TypeVar("T")

#: how cells are read
_KEY = (
    "hss #8   blocked by this kind of element, the terminal was told this EMM cause; without: no such cause was sent",
    "18h>cmp  leaked so long, then blocked by this kind",
    "LEAK     in service to the end; n/b: not built; -: blocked with the attach; !: refuses the legitimate too",
)
_ABOUT = (
    "Each cell is the story of a misuse with a method in force, run over real bytes and judged by its trace: whether "
    "the misuser was in service, and which control refused. Choose a cell for all services."
)
_COUNTED = (State.BLOCKED, State.DELAYED, State.LEAKED, State.NO_ATTACH, State.NOT_BUILT)
_CAUSE = re.compile(r"(E[MS]M) cause (\d+)")


class MethodTask(NamedTuple):
    """One row to be filled: a folder of a matrix, misuses, and the method that they are tried against."""

    folder: str
    misuses: tuple[str, ...]
    method: str


@dataclass(slots=True)
class Crossing:
    """A misuse against a method: the outcome by service, the attach first, and whether the legitimate user is served.

    `unserved` says why the legitimate use with the same motions was not served; empty if it was. `faults` counts runs
    that ended as an internal error.
    """

    misuse: str
    method: str
    outcomes: dict[str, ServiceOutcome]
    unserved: str = ""
    faults: int = 0
    runs: int = 0

    @property
    def case(self) -> str:
        """Its name."""
        return f"{self.misuse}/{self.method}"

    @property
    def attach(self) -> ServiceOutcome:
        """The outcome of the attach."""
        return next(iter(self.outcomes.values()))


@dataclass
class Matrix(Grid):
    """A matrix, whole or a part of it; `chosen_services` are those whose tables are shown."""

    name: ClassVar[str] = "matrix"
    unit: ClassVar[str] = "cells"
    counted: ClassVar[str] = "cells"

    plan: Plan
    chosen_misuses: Sequence[str] = ()
    chosen_methods: Sequence[str] = ()
    chosen_services: Sequence[str] = ()
    switches: Mapping[str, str] = field(default_factory=dict)
    #: the cells, method by method
    cells: dict[tuple[str, str], Crossing] = field(default_factory=dict)
    differences: list[Finding] = field(default_factory=list)
    #: whether there is a record
    is_reviewed: bool = False

    @property
    def misuses(self) -> list[Misuse]:
        """The misuses of its columns."""
        return _chosen(self.plan.misuses, self.chosen_misuses)

    @property
    def methods(self) -> list[Method]:
        """The methods of its rows, once they are filled."""
        filled = {method for _, method in self.cells}
        return [each for each in _chosen(self.plan.methods, self.chosen_methods) if each.name in filled]

    @property
    def services(self) -> list[Service]:
        """All services and paths."""
        return [*self.plan.services.values()]

    def carry_out(self, order: Order) -> None:
        """See Grid: row by row. The result is the same for any number of processes."""
        check_names(self.chosen_misuses, self.plan.misuses, "misuse")
        check_names(self.chosen_methods, self.plan.methods, "method")
        check_names(self.chosen_services, self.plan.services, "service or path")
        check_stories(self.plan)
        names, rows = tuple(each.name for each in self.misuses), dict[str, list[Crossing]]()
        methods = _chosen(self.plan.methods, self.chosen_methods)
        tasks = [MethodTask(str(self.plan.folder), names, method.name) for method in methods]
        options = RunOptions(seed=order.seed, switches=dict(self.switches))
        with Crew(partial(fill, options=options), min(order.workers, len(tasks))) as crew:
            for task, row in order.run(crew, tasks):
                rows[task.method] = row
                order.progress(len(rows) * len(names), len(tasks) * len(names), f"{names[-1]}/{task.method}")
        filled = (cell for method in methods for cell in rows.get(method.name, ()))
        self.cells = {(cell.misuse, cell.method): cell for cell in filled}
        self.tried, self.left = len(self.cells), (len(tasks) - len(rows)) * len(names)
        self.faults = sum(cell.faults for cell in self.cells.values())
        self.compare()

    def reason_not_acceptable(self, order: Order) -> str:
        """See Grid."""
        part = self.chosen_misuses or self.chosen_methods or order.limited
        return "the whole matrix is written: leave --misuse, --method and --budget out" if part else ""

    # -- the record

    def compare(self) -> None:
        """Compare the cells with the record, if there is one. Raises ScenarioErrors, ConfigError for a bad file."""
        record = Record(self.plan.folder / NAME).load()
        self.is_reviewed = record.path.is_file()
        found = record.compare(self._lines(), self._is_expected, _explain) if self.is_reviewed else ()
        self.differences = sorted(found, key=lambda each: "bypass" not in each.what)

    def accept(self, why: str) -> list[Path]:
        """See Grid."""
        written = Record(self.plan.folder / NAME).load().accept(self._lines(), why, self._is_expected)
        self.compare()
        return [written]

    def _lines(self) -> dict[str, Outcome]:
        apart = frozenset(each.name for each in self.services if each.head.apart)
        return {cell.case: line_of(cell, apart) for cell in self.cells.values()}

    def _is_expected(self, _case: str) -> bool:
        """Return True for a case of the record that should have been found: of a whole matrix."""
        return len(self.cells) == len(self.plan.methods) * len(self.plan.misuses)

    # -- what is shown

    def findings(self) -> Iterator[Finding]:
        """See Grid."""
        for cell in self.cells.values():
            if cell.unserved:
                user = f"the legitimate user ({cell.misuse})"
                yield Finding(f"method {cell.method} does not serve {user}: {cell.unserved}")
            for name, outcome in cell.outcomes.items():
                if outcome.state in (State.UNEXPLAINED, State.BROKEN):
                    why = outcome.missing or "not in service, and no control refused"
                    yield Finding(f"{cell.case}, {name}: {outcome.state.title}: {why}")
                    break
        yield from self.differences

    def summary(self) -> str:
        """See Grid."""
        states = [cell.attach.state for cell in self.cells.values()]
        review = format_review_summary(len(self.differences), int(self.is_reviewed))
        return (
            f"{len(self.cells)} cells, {len(self.misuses)} misuses against {len(self.methods)} methods: attach blocked "
            f"{states.count(State.BLOCKED)}, leaked for a time {states.count(State.DELAYED)}, leaked "
            f"{states.count(State.LEAKED)}; {sum(cell.runs for cell in self.cells.values())} runs; {review}"
        )

    def tables(self) -> Iterator[Table]:
        """See Grid: the table of each chosen service, who decided, the sums, and the misuses."""
        key: Sequence[str] = _KEY
        for service in _chosen(self.plan.services, self.chosen_services or [self.plan.attach.name]):
            columns = [Column(), *(Column(each.name, each.head.misuse) for each in self.misuses)]
            yield Table(columns, list(self._rows(service)), f"{service.head.title}:", key=key, crossed=True)
            key = ()
        yield Table(
            [*map(Column, ("blocked by", "clause")), Column("cells", figures=True), Column("told")],
            list(self._deciding()),
        )
        counts = [Column(word, figures=True) for word in ("blocked", "later", "leaked", "with attach", "n/b")]
        yield Table([Column("cells by service"), *counts, Column("not built: missing")], list(self._sums()))
        columns = [Column("misuse"), Column(), Column("the same motions by the legitimate user")]
        yield Table(
            columns, [[each.name, each.head.misuse, str(each.value("legitimate", "story"))] for each in self.misuses]
        )

    def _rows(self, service: Service) -> Iterator[Row]:
        previous: list[str] = []
        for method in self.methods:
            if method.head.members and not previous:
                yield []  # combinations stand apart
            previous = method.head.members
            cells = [self.cells[misuse.name, method.name] for misuse in self.misuses]
            note = method.head.title + (f": {', '.join(method.head.members)}" if method.head.members else "")
            yield [Cell(method.name, note=note), *(self._cell(cell, service) for cell in cells)]

    def _cell(self, cell: Crossing, service: Service) -> Cell:
        outcome = cell.outcomes[service.name]
        shown = self.chosen_services and service.name != self.chosen_services[0]
        anchor = f"{cell.method}.{cell.misuse}" + (f".{service.name}" if shown else "")
        text = word_of(outcome) + "!" * bool(cell.unserved)
        return Cell(text, outcome.state.tone, id=anchor, opens=partial(self._detail, cell))

    def _detail(self, cell: Crossing) -> Detail:
        misuse, method = self.plan.misuses[cell.misuse], self.plan.methods[cell.method]
        served = f"is not served: {cell.unserved}" if cell.unserved else "is served in the same motions."
        rows = [_row(_label(each), cell.outcomes[each.name]) for each in self.services]
        rows.append(["The whole ladder", Cell("in the report of this folder", run=f"{cell.misuse}-{cell.method}"), ""])
        also = ", ".join(f"{each.element} {each.control}" for each in cell.attach.refusals[1:])
        lines = [
            f"{misuse.head.misuse}. In force: {method.head.title}.",
            f"The legitimate user {served} `simwarden matrix --story {cell.case}`",
            *([f"Refused as well: {also}"] if also else []),
        ]
        return Detail(f"{cell.misuse} / {cell.method}", lines, rows, cell.attach.ladder)

    def _deciding(self) -> Iterator[Row]:
        """Yield each point of enforcement that decided, with its causes and how often."""
        found: dict[str, tuple[Refusal, list[str]]] = {}
        for cell in self.cells.values():
            for outcome in cell.outcomes.values():
                if outcome.state in (State.BLOCKED, State.DELAYED):
                    refusal = outcome.refusals[0]
                    found.setdefault(refusal.point, (refusal, []))[1].append(cause_of(outcome) or "nothing sent")
        for point, (refusal, causes) in sorted(found.items()):
            yield [point, refusal.clause, str(len(causes)), ", ".join(dict.fromkeys(causes))]

    def _sums(self) -> Iterator[Row]:
        for service in self.services:
            outcomes = [cell.outcomes[service.name] for cell in self.cells.values()]
            counts = (sum(each.state is state for each in outcomes) for state in _COUNTED)
            missing = dict.fromkeys(each.missing for each in outcomes if each.state is State.NOT_BUILT)
            label = Cell(_label(service), note=f"{service.head.title}. {service.head.about}")
            yield [label, *(str(count or "") for count in counts), "; ".join(missing)]

    def cases(self) -> Iterator[dict[str, Any]]:
        """See Grid."""
        lines = self._lines()
        for cell in self.cells.values():
            yield {
                "case": cell.case,
                "outcome": lines[cell.case],
                "unserved": cell.unserved,
                "services": {name: _outcome_data(each) for name, each in cell.outcomes.items()},
            }

    def score(self) -> Score:
        """See Grid."""
        tones = sorted(
            (cell.attach.state.tone for cell in self.cells.values()), key=["good", "open", "bad", "none"].index
        )
        counted = f"misuses against methods, {len(self.services)} services and paths"
        return Score(f"{len(self.misuses)} × {len(self.methods)}", counted, tones, _ABOUT)


def _chosen(known: Mapping[str, T], names: Sequence[str]) -> list[T]:
    return [each for name, each in known.items() if not names or name in names]


# -- outcomes in words


def cause_of(outcome: ServiceOutcome) -> str:
    """Return the cause that the deciding refusal came to on the wire, in short; empty if none was sent."""
    cause = outcome.refusals[0].cause if outcome.refusals else ""
    found = _CAUSE.search(cause)
    return f"{found[1]} #{found[2]}" if found else cause


def word_of(outcome: ServiceOutcome) -> str:
    """Return an outcome as a word of a table."""
    if outcome.state not in (State.BLOCKED, State.DELAYED):
        return outcome.state.word
    kind = outcome.refusals[0].kind
    if outcome.state is State.DELAYED:
        return f"{show(outcome.leaked).replace(' ', '')}>{kind}"
    cause = re.fullmatch(r"EMM (#\d+)", cause_of(outcome))
    return f"{kind} {cause[1]}" if cause else kind


def told(outcome: ServiceOutcome) -> str:
    """Return an outcome as a line of the record."""
    if outcome.state not in (State.BLOCKED, State.DELAYED):
        return outcome.state.title
    by = ", ".join(filter(None, (f"blocked by {outcome.refusals[0].point}", cause_of(outcome))))
    return by if outcome.state is State.BLOCKED else f"leaked {show(outcome.leaked)}, then {by}"


def line_of(cell: Crossing, apart: frozenset[str]) -> str:
    """Return the outcome of a cell: of the attach, and of services that do not follow from it, those alike together.

    `apart` are the services that do not stand behind the attach.
    """
    first, *others = cell.outcomes.items()
    alike: dict[str, list[str]] = {}
    for name, outcome in others:
        closed = first[1].state is State.BLOCKED and name not in apart
        if outcome.state is not (State.NO_ATTACH if closed else State.NOT_BUILT):
            alike.setdefault(told(outcome), []).append(name)
    return "; ".join([told(first[1]), *(f"{', '.join(names)} {line}" for line, names in alike.items())])


def _explain(_case: str, want: Outcome, got: Outcome) -> tuple[str, str, str]:
    was, now = str(want), str(got)
    opened = was and now.startswith("leaked") and not was.startswith("leaked")
    return was, now, "a bypass has been opened" if opened else ""


def _label(service: Service) -> str:
    return service.head.short or service.head.title


def _row(label: str, outcome: ServiceOutcome) -> Row:
    """Return the outcome of a service as a row of the page: with who refused, why, and what was sent."""
    by = outcome.refusals[0] if outcome.refusals else None
    why = f"{told(outcome)} ({by.element}, {by.clause}): {by.reason}" if by else outcome.missing
    return [label, Cell(outcome.state.title, outcome.state.tone), why]


def _outcome_data(outcome: ServiceOutcome) -> dict[str, Any]:
    """Return an outcome for JSON without what is empty."""
    data = asdict(outcome) | {"state": outcome.state.title}
    return {key: value for key, value in data.items() if value}


# -- runs


def check_stories(plan: Plan) -> None:
    """Load a story of each misuse and of each method, with its probes. Raises ScenarioErrors with all that is wrong."""
    loader = Loader()
    problems = Problems()
    first = next(iter(plan.misuses.values())), next(iter(plan.methods.values()))
    pairs = [(each, first[1]) for each in plan.misuses.values()] + [(first[0], each) for each in plan.methods.values()]
    wanted: list[tuple[Misuse, Method, Service | None, bool]] = []
    wanted += [(*pair, None, honest) for pair in pairs for honest in (False, True)]
    wanted += [(*first, probe, False) for probe in plan.services.values() if not plan.lacking(probe)]
    for misuse, method, probe, honest in wanted:
        try:
            story_of(plan, misuse, method, loader, probe=probe, honest=honest)
        except UserFileError as error:
            problems.found += flat(error)
    problems.raise_if_any()


@cache
def _desk(folder: str) -> tuple[Plan, Loader]:
    return read_plan(Path(folder), Registry.installed()), Loader()


def fill(task: MethodTask, options: RunOptions) -> list[Crossing]:
    """Fill one row. Never raises for what happens inside its runs."""
    plan, loader = _desk(task.folder)
    filler = _Filler(plan, plan.methods[task.method], loader, replace(options, worker=worker(), tells=False))
    return [filler.fill(plan.misuses[name]) for name in task.misuses]


@dataclass(slots=True)
class _Filler:
    """Runs the stories of one row. `known` are its legitimate uses that have been run, for misuses that share one."""

    plan: Plan
    method: Method
    loader: Loader
    options: RunOptions
    known: dict[str, ServiceOutcome] = field(default_factory=dict)

    def fill(self, misuse: Misuse) -> Crossing:
        """Return a cell."""
        cell, (first, *others) = Crossing(misuse.name, self.method.name, {}), self.plan.services.values()
        attach = cell.outcomes[first.name] = self._run(cell)
        for service in others:
            closed = self._closed(misuse, service, attach)
            cell.outcomes[service.name] = closed or self._run(cell, probe=service)
        key = json.dumps(honest_facts(self.plan, misuse))
        if key not in self.known:
            self.known[key] = self._run(cell, honest=True)
        cell.unserved = _unserved(self.known[key])
        return cell

    def _closed(self, misuse: Misuse, service: Service, attach: ServiceOutcome) -> ServiceOutcome | None:
        """Return the outcome of a service that cannot be probed: behind an attach that failed, or not built."""
        if attach.state in (State.BROKEN, State.UNEXPLAINED) and not service.head.apart:
            return ServiceOutcome(attach.state, missing=attach.missing or "as the attach")
        if attach.state is State.BLOCKED and not service.head.apart:
            return ServiceOutcome(State.NO_ATTACH, attach.refusals[:1])
        lacking = self.plan.lacking(service) or misuse.head.lacking.get(service.name)
        return ServiceOutcome(State.NOT_BUILT, missing=lacking, leaked=attach.leaked) if lacking else None

    def _run(self, cell: Crossing, *, probe: Service | None = None, honest: bool = False) -> ServiceOutcome:
        misuse = self.plan.misuses[cell.misuse]
        story = story_of(self.plan, misuse, self.method, self.loader, probe=probe, honest=honest)
        result = run_scenario(story.scenario, f"{cell.misuse}-{cell.method}", self.options)
        cell.runs += 1
        cell.faults += result.verdict is Verdict.ERROR
        return judge(story, result, drawn=not honest)


def _unserved(honest: ServiceOutcome) -> str:
    """Return why a legitimate user is not served; empty if it is."""
    if honest.state is State.LEAKED:
        return ""
    if honest.refusals:
        by = honest.refusals[0]
        return f"refused by {by.element}, {by.control}: {by.reason}"
    return honest.missing or "not in service, and no control says why"
