"""`impact`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from simwarden.cli import exits
from simwarden.cli.choosing import write_pages
from simwarden.cli.progress import RunBar
from simwarden.cli.shipped import shipped
from simwarden.errors import ConfigError, Place, UserFileError
from simwarden.scenario.impact import Outcome, Record, compare, find, perform, read_experiment
from simwarden.scenario.impact.measures import MEASURES
from simwarden.scenario.impact.page import page_of, told
from simwarden.scenario.impact.perform import Task
from simwarden.scenario.impact.record import NAME
from simwarden.scenario.impact.table import COLUMNS, written
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import guess
from simwarden.scenario.runner import RunOptions
from simwarden.scenario.suite import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.scenario.impact import Experiment
    from simwarden.scenario.impact.record import Difference

Results: TypeAlias = "list[tuple[Experiment, dict[int, Outcome]]]"


@dataclass(frozen=True, slots=True)
class ImpactOrder:
    """What the command line of `impact` asks for."""

    paths: Sequence[str]
    workers: int = 1
    match: Sequence[str] = field(default_factory=list)
    settings: Sequence[str] = field(default_factory=list)
    seed: int = 0
    network: str = ""
    json: bool = False
    html: str = ""
    report: str = ""
    update: bool = False


def measure_impact(order: ImpactOrder) -> None:
    """Carry out experiments and print their tables. Ends with the command's exit code."""
    chosen = _choose(order)
    results = _carry_out(chosen, order)
    outcomes = [outcome for _, found in results for outcome in found.values()]
    failed = any(outcome.failure for outcome in outcomes)
    held = Held() if order.update else _hold(results, order)
    if order.update and not failed:
        _record(results, order)
    _tell(results, held, order)
    if any(outcome.fault for outcome in outcomes):
        raise typer.Exit(exits.INTERNAL)
    raise typer.Exit(exits.FAILED if failed or held.differences else exits.PASSED)


def _choose(order: ImpactOrder) -> list[tuple[Experiment, list[int]]]:
    """Read all experiments before any is carried out; all errors of all files are told, and end the command."""
    loader = Loader(network_file=order.network)
    settings = dict(_setting(text) for text in order.settings)
    experiments: list[Experiment] = []
    wrong: list[str] = []
    for path in find(order.paths or [str(shipped() / "impact")]):
        try:
            experiments.append(read_experiment(path, loader, settings))
        except UserFileError as error:
            wrong.append(str(error))
    if wrong:
        exits.complain("\n".join(wrong))
        raise typer.Exit(exits.USAGE)
    known = {name for each in experiments for name in each.settings}
    for name in settings:
        if experiments and name not in known:
            raise ConfigError(f"--set: no experiment has a parameter {name!r}", hint=guess(name, sorted(known)))
    chosen = [(each, _fitting(each, order.match)) for each in experiments]
    chosen = [(each, numbers) for each, numbers in chosen if numbers]
    if not chosen:
        hint = guess(" ".join(order.match), [each.name for each in experiments])
        exits.complain("no experiment was chosen" + (f" ({hint})" if hint else ""))
        raise typer.Exit(exits.NOTHING)
    return chosen


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise ConfigError(f"--set: NAME=VALUE is expected, not {text!r}")
    return name, value


def _fitting(experiment: Experiment, match: Sequence[str]) -> list[int]:
    names = [f"{experiment.name} {case.name}".lower() for case in experiment.cases]
    return [place for place, name in enumerate(names) if not match or any(each.lower() in name for each in match)]


def _carry_out(chosen: list[tuple[Experiment, list[int]]], order: ImpactOrder) -> Results:
    tasks = [
        Task(each.path, each.settings, number, order.network, RunOptions(seed=order.seed))
        for each, numbers in chosen
        for number in numbers
    ]
    done: list[Outcome] = []
    with Crew(perform, min(order.workers, len(tasks))) as crew, RunBar() as bar:
        for task, outcome in zip(tasks, crew.run(tasks), strict=True):
            done.append(outcome)
            bar.tell(len(done), len(tasks), Path(task.path).stem)
    left = iter(done)
    return [(each, {number: next(left) for number in numbers}) for each, numbers in chosen]


# -- recorded figures


def _figures(experiment: Experiment, outcomes: Mapping[int, Outcome]) -> dict[str, Mapping[str, Any]]:
    return {experiment.cases[number].name: outcome.figures for number, outcome in outcomes.items()}


def _record(results: Results, order: ImpactOrder) -> None:
    if order.match or order.seed or order.network:
        raise ConfigError("--update records whole experiments of seed 0 in the default network")
    records: dict[Path, Record] = {}
    for experiment, outcomes in results:
        path = Path(experiment.path).parent / NAME
        record = records.setdefault(path, Record.read(path))
        record.put(experiment.name, experiment.settings, _figures(experiment, outcomes))
    for path, record in records.items():
        try:
            path.write_text(record.text(), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", Place(str(path))) from error
        exits.complain(f"recorded: {path}")


@dataclass(slots=True)
class Held:
    """What came of holding figures against the recorded ones, where those were measured in the same way."""

    differences: list[Difference] = field(default_factory=list)
    #: cases that there is a record for
    compared: int = 0

    def said(self, cases: int) -> str:
        """Say in words how many of the measured cases are as recorded."""
        if not self.compared:
            return "nothing recorded to compare with"
        wrong = len({(each.experiment, each.case) for each in self.differences})
        alone = "" if self.compared >= cases else f" of the {self.compared} that were recorded in the same way"
        return f"{wrong} not as recorded{alone}" if wrong else f"all{alone} as recorded"


def _hold(results: Results, order: ImpactOrder) -> Held:
    held = Held()
    if order.seed or order.network:
        return held
    for experiment, outcomes in results:
        path = Path(experiment.path).parent / NAME
        record = Record.read(path)
        recorded = record.cases(experiment.name)
        settings = record.settings(experiment.name)
        if not path.is_file() or (settings is not None and settings != experiment.settings):
            continue
        figures = {name: each for name, each in _figures(experiment, outcomes).items() if each}
        silent = {case.name for case in experiment.cases} - figures.keys()  # not chosen, or told as not measured
        recorded = {name: each for name, each in recorded.items() if name not in silent}
        held.differences += compare(experiment.name, recorded, figures)
        held.compared += len(figures)
    return held


# -- what is told


def _tell(results: Results, held: Held, order: ImpactOrder) -> None:
    if order.json:
        print(json.dumps(as_data(results, held.differences), indent=1, ensure_ascii=False))
    else:
        exits.show("\n".join(lines_of(results, None if order.update else held)))
    if order.html or order.report:
        write_pages(page_of(results, held.differences), order.html, order.report, "impact.html")


def as_data(results: Results, differences: Sequence[Difference]) -> dict[str, Any]:
    """Return all figures as plain data."""
    return {
        "experiments": [
            {
                "experiment": experiment.name,
                "title": experiment.title,
                "measure": experiment.kind,
                "set": dict(experiment.settings),
                "cases": [
                    {**experiment.cases[number].words, "figures": dict(outcome.figures), "failure": outcome.failure}
                    for number, outcome in outcomes.items()
                ],
            }
            for experiment, outcomes in results
        ],
        "differences": [
            {"experiment": each.experiment, "case": each.case, "figure": each.figure, "was": each.was, "now": each.now}
            for each in differences
        ],
    }


def lines_of(results: Results, held: Held | None) -> Iterator[str]:
    """Yield what is printed: a table an experiment, what its columns say, and what differs from the record.

    `held` None: they were not held against it, but become it.
    """
    kinds = {experiment.name: experiment.kind for experiment, _ in results}
    for kind, measure in MEASURES.items():
        mine = [each for each in results if each[0].kind == kind]
        if mine:
            yield f"{measure.title}\n"
            yield from (f"  {each.heading}: {each.about}" for each in COLUMNS[kind] if each.about)
            yield ""
        for experiment, outcomes in mine:
            yield from table_of(experiment, outcomes)
    cases = sum(len(outcomes) for _, outcomes in results)
    spent = sum(outcome.seconds for _, outcomes in results for outcome in outcomes.values())
    yield f"{cases} case{'' if cases == 1 else 's'}, {spent:.1f} s of work" + (
        f"; {held.said(cases)}" if held is not None else ""
    )
    differences = held.differences if held is not None else []
    for each in differences:
        yield f"differs: {told(each, kinds.get(each.experiment, ''))}"
    if differences:
        yield "`simwarden impact --update` records the figures as they are; a review tells whether they may be so"


def table_of(experiment: Experiment, outcomes: Mapping[int, Outcome]) -> Iterator[str]:
    """Yield an experiment's table: a line a case."""
    columns = COLUMNS[experiment.kind]
    settings = ", ".join(f"{name} {value}" for name, value in experiment.settings.items())
    yield f"{experiment.title} [{experiment.name}]" + (f" ({settings})" if settings else "")
    rows = [([*experiment.axes], [column.heading for column in columns])]
    for number, outcome in outcomes.items():
        cells = [written(column, outcome.figures.get(column.figure)) for column in columns] if outcome.figures else []
        rows.append((list(experiment.cases[number].words.values()), cells or [f"not measured: {outcome.failure}"]))
    left = [max(len(words[place]) for words, _ in rows) for place in range(len(experiment.axes))]
    full = [cells for _, cells in rows if len(cells) == len(columns)]
    right = [max(len(cells[place]) for cells in full) for place in range(len(columns))]
    for words, cells in rows:
        shown = [f"{word:<{width}}" for word, width in zip(words, left, strict=True)]
        if len(cells) == len(columns):
            shown += [f"{cell:>{width}}" for cell, width in zip(cells, right, strict=True)]
        else:
            shown += cells
        yield "  " + "  ".join(shown)
    yield ""
