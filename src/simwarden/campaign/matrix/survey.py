"""Runs a matrix: each misuse against each method, its probes, and the honest story with the same motions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from simwarden.campaign.engine import Campaign, Page, Result, Wrong, held, known, quiet
from simwarden.campaign.matrix import expected
from simwarden.campaign.matrix.outcome import Outcome, State, judge
from simwarden.campaign.matrix.page import page_of
from simwarden.campaign.matrix.plan import Plan, read_plan
from simwarden.campaign.matrix.story import honest_facts, story_of
from simwarden.campaign.matrix.table import as_data, lines_of, told_differences, troubles
from simwarden.errors import ScenarioError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import Problems, ScenarioErrors
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.suite import Crew, worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from simwarden.campaign.engine import Order, Tell
    from simwarden.campaign.matrix.expected import Difference
    from simwarden.campaign.matrix.plan import Method, Misuse, Service

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """One row to be filled: a folder of a matrix, misuses, and the method that they are tried against."""

    folder: str
    misuses: tuple[str, ...]
    method: str

    @property
    def path(self) -> str:
        """What it is called where a process dies."""
        return f"method {self.method}"


@dataclass(slots=True)
class Cell:
    """A misuse against a method: the outcome by service, the attach first, and whether the legitimate user is served.

    `unserved` says why the honest story of the same motions was not served; empty if it was. `faults` counts runs that
    ended as an internal error.
    """

    misuse: str
    method: str
    outcomes: dict[str, Outcome]
    unserved: str = ""
    faults: int = 0
    runs: int = 0

    @property
    def attach(self) -> Outcome:
        """What became of the attach."""
        return next(iter(self.outcomes.values()))


@dataclass(slots=True)
class Matrix(Result):
    """All cells, method by method. `shown` are the services whose tables are printed.

    `differences` are the cells that are not as reviewed; None if nothing is reviewed.
    """

    unit: ClassVar[str] = "cells"

    plan: Plan
    misuses: list[Misuse]
    methods: list[Method]
    services: list[Service]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    shown: list[Service] = field(default_factory=list)
    differences: list[Difference] | None = None

    @property
    def broken(self) -> list[Cell]:
        """Cells whose method does not serve the legitimate user in the same motions: their refusals say nothing."""
        return [cell for cell in self.cells.values() if cell.unserved]

    @property
    def unexplained(self) -> list[Cell]:
        """Cells that no control explains, or whose story did not get to the misuse."""
        wrong = (State.UNEXPLAINED, State.BROKEN)
        return [cell for cell in self.cells.values() if any(each.state in wrong for each in cell.outcomes.values())]

    @property
    def runs(self) -> int:
        """All runs."""
        return sum(cell.runs for cell in self.cells.values())

    def row(self, method: str) -> list[Cell]:
        """Return the cells of a method, in the order of the misuses."""
        return [self.cells[misuse.name, method] for misuse in self.misuses]

    def count(self, service: str, state: State) -> int:
        """Count the cells in which a service has a state."""
        return sum(cell.outcomes[service].state is state for cell in self.cells.values())

    def summary(self) -> str:
        """See Result."""
        attach = self.services[0].name
        count = {state: self.count(attach, state) for state in State}
        return (
            f"{len(self.cells)} cells, {len(self.misuses)} misuses against {len(self.methods)} methods: attach "
            f"blocked {count[State.BLOCKED]}, leaked for a time {count[State.DELAYED]}, leaked {count[State.LEAKED]}; "
            f"{self.runs} runs; {held(len(self.differences or ()), self.differences is not None)}"
        )

    def lines(self) -> Iterator[str]:
        """See Result."""
        return lines_of(self, self.shown or self.services[:1])

    def wrong(self) -> Iterator[Wrong]:
        """See Result."""
        yield from map(Wrong, troubles(self))
        yield from told_differences(self.differences or ())

    def data(self) -> dict[str, Any]:
        """See Result."""
        return as_data(self)

    def page(self) -> Page:
        """See Result."""
        return page_of(self)

    def accept(self, why: str) -> list[Path]:
        """See Result."""
        written = expected.write(self, why)
        self.differences = expected.compare(self)
        return [written]


@dataclass(frozen=True, slots=True)
class Cross(Campaign):
    """Misuses against methods, all or the chosen; `services` are those whose tables are printed."""

    name: ClassVar[str] = "matrix"
    counted: ClassVar[str] = "cells"

    plan: Plan
    misuses: Sequence[str] = ()
    methods: Sequence[str] = ()
    services: Sequence[str] = ()

    def carry_out(self, order: Order, tell: Tell) -> Matrix:
        """See Campaign."""
        plan = self.plan
        shown = [plan.services[name] for name in known(self.services, plan.services, "service or path")]
        known(self.misuses, plan.misuses, "misuse")
        known(self.methods, plan.methods, "method")
        check_stories(plan)
        matrix = survey(plan, RunOptions(seed=order.seed), order, misuses=self.misuses, methods=self.methods, tell=tell)
        matrix.shown, matrix.differences = shown, expected.compare(matrix)
        return matrix

    def unfit(self, order: Order) -> str:
        """See Campaign."""
        part = self.misuses or self.methods or order.limited
        return "the whole matrix is written: leave --misuse, --method and --budget out" if part else ""


def survey(
    plan: Plan,
    options: RunOptions,
    order: Order,
    *,
    misuses: Iterable[str] = (),
    methods: Iterable[str] = (),
    tell: Tell = quiet,
) -> Matrix:
    """Fill the matrix, or the chosen part of it, row by row. It is the same for any number of processes."""
    matrix = Matrix(plan, _chosen(plan.misuses, misuses), _chosen(plan.methods, methods), [*plan.services.values()])
    names, rows = tuple(each.name for each in matrix.misuses), {}
    tasks = [Task(str(plan.folder), names, method.name) for method in matrix.methods]
    with Crew(partial(fill, options=options), min(order.workers, len(tasks))) as crew:
        for task, row in order.carried_out(crew, tasks):
            rows[task.method] = row
            tell(len(rows) * len(names), len(tasks) * len(names), f"{names[-1]}/{task.method}")
    matrix.left = (len(tasks) - len(rows)) * len(names)
    matrix.methods = [each for each in matrix.methods if each.name in rows]
    matrix.cells = {(cell.misuse, cell.method): cell for each in matrix.methods for cell in rows[each.name]}
    matrix.tried, matrix.faults = len(matrix.cells), sum(cell.faults for cell in matrix.cells.values())
    return matrix


def _chosen(known: Mapping[str, T], names: Iterable[str]) -> list[T]:
    wanted = set(names)
    return [each for name, each in known.items() if not wanted or name in wanted]


def check_stories(plan: Plan) -> None:
    """Load a story of each misuse and of each method, with its probes. Raises ScenarioErrors with all that is wrong."""
    loader = Loader()
    problems = Problems()
    first = next(iter(plan.misuses.values())), next(iter(plan.methods.values()))
    pairs = [(each, first[1]) for each in plan.misuses.values()] + [(first[0], each) for each in plan.methods.values()]
    wanted: list[tuple[Misuse, Method, Service | None, bool]] = []
    wanted += [(*pair, None, honest) for pair in pairs for honest in (False, True)]
    wanted += [(*first, probe, False) for probe in plan.services.values() if probe.probed]
    for misuse, method, probe, honest in wanted:
        try:
            story_of(plan, misuse, method, loader, probe=probe, honest=honest)
        except ScenarioErrors as errors:
            problems.found += errors.problems
        except ScenarioError as error:
            problems.found.append(error)
    problems.raise_if_any()


@cache
def _desk(folder: str) -> tuple[Plan, Loader]:
    return read_plan(Path(folder), Registry.installed()), Loader()


def fill(task: Task, options: RunOptions) -> list[Cell]:
    """Fill one row. Never raises for what happens inside its runs."""
    plan, loader = _desk(task.folder)
    options = replace(options, worker=worker())
    known: dict[str, Outcome] = {}
    misuses = (plan.misuses[name] for name in task.misuses)
    return [_Filler(plan, loader, each, plan.methods[task.method], options).fill(known) for each in misuses]


class _Filler:
    """Runs the stories of one cell."""

    def __init__(self, plan: Plan, loader: Loader, misuse: Misuse, method: Method, options: RunOptions) -> None:
        self.plan, self.loader, self.misuse, self.method = plan, loader, misuse, method
        self.options = replace(options, tells=False)
        self.cell = Cell(misuse.name, method.name, {})

    def fill(self, known: dict[str, Outcome]) -> Cell:
        """Return the cell. `known` are honest stories of this row that have been told, for misuses that share one."""
        attach = self._run()
        self.cell.outcomes[self.plan.attach.name] = attach
        for service in list(self.plan.services.values())[1:]:
            self.cell.outcomes[service.name] = self._service(service, attach)
        key = json.dumps(honest_facts(self.plan, self.misuse))
        if key not in known:
            known[key] = self._run(honest=True)
        self.cell.unserved = _unserved(known[key])
        return self.cell

    def _service(self, service: Service, attach: Outcome) -> Outcome:
        if attach.state in (State.BROKEN, State.UNEXPLAINED) and not service.head.apart:
            return Outcome(attach.state, missing=attach.missing or "as the attach")
        if attach.state is State.BLOCKED and not service.head.apart:
            return Outcome(State.NO_ATTACH, attach.refusals[:1])
        if not service.probed:
            return Outcome(State.NOT_BUILT, missing=service.lacking, leaked=attach.leaked)
        if service.name in self.misuse.head.lacking:
            return Outcome(State.NOT_BUILT, missing=self.misuse.head.lacking[service.name], leaked=attach.leaked)
        return self._run(probe=service)

    def _run(self, *, probe: Service | None = None, honest: bool = False) -> Outcome:
        story = story_of(self.plan, self.misuse, self.method, self.loader, probe=probe, honest=honest)
        result = run_scenario(story.scenario, f"{self.misuse.name}-{self.method.name}", self.options)
        self.cell.runs += 1
        self.cell.faults += result.verdict is Verdict.ERROR
        return judge(story, result, drawn=not honest)


def _unserved(honest: Outcome) -> str:
    """Say why a legitimate user is not served; nothing if it is."""
    if honest.state is State.LEAKED:
        return ""
    if honest.refusals:
        by = honest.refusals[0]
        return f"refused by {by.element}, {by.control}: {by.reason}"
    return honest.missing or "not in service, and no control says why"
