"""The campaign `impact`: the cases of experiments, and their figures, which are compared with the record."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simwarden.campaign.grid import Finding, Grid, Order, Score, check_names, format_review_summary
from simwarden.campaign.impact.columns import COLUMNS, format_difference, tone
from simwarden.campaign.impact.experiment import Experiment, find, read_experiment
from simwarden.campaign.impact.measures import MEASURES
from simwarden.campaign.impact.perform import Measured, Task, perform
from simwarden.campaign.record import NAME, Record
from simwarden.campaign.tables import Cell, Column, Row, Table
from simwarden.errors import ConfigError, NothingError, UserFileError
from simwarden.scenario.drafted import text_of
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors, flat, guess
from simwarden.scenario.runner import RunOptions
from simwarden.scenario.suite import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.campaign.record import Outcome

_ABOUT = (
    "All times are those of the run's own clock; signalling takes none of it, so that a delay of 0 s is one of "
    "messages alone. The figures come from the trace, and are the same for the same seed. Green: nothing leaked, no "
    "device was hurt, all came back unaided; amber: for a while, or at a price; red: it stays so, or no figures."
)


class CaseRun(NamedTuple):
    """A case that was run."""

    experiment: Experiment
    number: int
    measured: Measured

    @property
    def tone(self) -> str:
        """The tone of its figures."""
        return tone(self.experiment.kind, self.measured.figures) if self.measured.figures else "bad"


@dataclass
class Impact(Grid):
    """Experiments in `paths`, the cases that `match` fits, with parameters replaced by `settings` (`NAME=VALUE`)."""

    name: ClassVar[str] = "impact"
    unit: ClassVar[str] = "cases"
    counted: ClassVar[str] = "cases"

    paths: Sequence[str]
    match: Sequence[str] = ()
    settings: Sequence[str] = ()
    network: str = ""
    #: the cases that were run, by their ids
    runs: dict[str, CaseRun] = field(default_factory=dict)
    #: the number of cases that were compared with the record
    compared: int = 0
    differences: list[Finding] = field(default_factory=list)
    #: True if the figures were measured in the way of the recorded ones
    comparable: bool = True

    def carry_out(self, order: Order) -> None:
        """See Grid."""
        cases = [(each, number) for each in self._experiments() for number in self._matching(each)]
        if not cases:
            hint = guess(" ".join(self.match), [each.name for each in self._experiments()])
            raise NothingError("no experiment was chosen" + (f" ({hint})" if hint else ""))
        given, options = self._given(), RunOptions(seed=order.seed)
        tasks = {Task(each.path, tuple(given), number, self.network, options): (each, number) for each, number in cases}
        done: dict[Task, Measured] = {}
        with Crew(perform, min(order.workers, len(tasks))) as crew:
            for task, measured in order.run(crew, list(tasks)):
                done[task] = measured
                order.progress(len(done), len(tasks), Path(task.path).stem)
        self.runs = {each.id_of(n): CaseRun(each, n, done[task]) for task, (each, n) in tasks.items() if task in done}
        self.tried, self.left = len(done), len(tasks) - len(done)
        self.faults = sum(measured.fault for measured in done.values())
        self.comparable = not (order.seed or self.network or self.settings)
        self.compare()

    def reason_not_acceptable(self, order: Order) -> str:
        """See Grid."""
        other = self.match or self.settings or self.network or order.seed or order.limited
        return "whole experiments of seed 0 in the default network are recorded, without a budget" if other else ""

    def _given(self) -> list[tuple[str, str]]:
        given = [(name, value) for name, _, value in (text.partition("=") for text in self.settings)]
        for text, pair in zip(self.settings, given, strict=True):
            if not all(pair):
                raise ConfigError(f"--set: NAME=VALUE is expected, not {text!r}")
        return given

    def _experiments(self) -> list[Experiment]:
        """Read all experiments before any is carried out. Raises ScenarioErrors with all that is wrong in all files."""
        loader, given = Loader(network_file=self.network), dict(self._given())
        experiments: list[Experiment] = []
        wrong: list[UserFileError] = []
        for path in find(self.paths):
            try:
                experiments.append(read_experiment(path, loader, given))
            except UserFileError as error:
                wrong += flat(error)
        if wrong:  # a parameter of the command line that is wrong in many files is reported once
            raise ScenarioErrors(list({(each.place, each.reason): each for each in reversed(wrong)}.values())[::-1])
        names = [each.name for each in experiments]
        if double := next((name for name in names if names.count(name) > 1), ""):
            raise ConfigError(f"two experiments are called {double!r}")
        there = {name for each in experiments for name in each.settings}
        for name in given:
            if experiments and name not in there:
                raise ConfigError(f"--set: no experiment has a parameter {name!r}", hint=guess(name, sorted(there)))
        return experiments

    def _matching(self, experiment: Experiment) -> list[int]:
        names = [f"{experiment.name} {case.name}".lower() for case in experiment.cases]
        return [n for n, name in enumerate(names) if not self.match or any(each.lower() in name for each in self.match)]

    def story(self, case: str) -> str:
        """Return a case (`EXPERIMENT/WORD/WORD`, a word of each axis) as a scenario. Raises UserFileError."""
        experiments = {each.name: each for each in self._experiments()}
        name = case.partition("/")[0]
        check_names([name], experiments, "experiment")
        cases = {experiments[name].id_of(number): each for number, each in enumerate(experiments[name].cases)}
        check_names([case], cases, "case")
        document = cases[case].document
        return text_of({"scenario": document["scenario"], **document})

    # -- the record

    def compare(self) -> None:
        """Compare the figures with the recorded ones, if they were measured in the same way."""
        self.differences, self.compared = [], 0
        for record, found in self._records() if self.comparable else ():
            if record.path.is_file():
                self.differences += record.load().compare(found, self._is_gone, self._explain)
                self.compared += len(found)

    def accept(self, why: str) -> list[Path]:
        """See Grid: the figures are recorded as they are, unless a case has none."""
        if any(run.measured.failure for run in self.runs.values()):
            return []
        written = [record.load().accept(found, why, self._is_gone) for record, found in self._records()]
        self.compare()
        return written

    def _records(self) -> Iterator[tuple[Record, dict[str, Outcome]]]:
        """Yield each record, and the figures that it is compared with."""
        for folder in dict.fromkeys(Path(run.experiment.path).parent for run in self.runs.values()):
            mine = {case: run for case, run in self.runs.items() if Path(run.experiment.path).parent == folder}
            yield (
                Record(folder / NAME),
                {case: run.measured.figures for case, run in mine.items() if run.measured.figures},
            )

    def _is_gone(self, case: str) -> bool:
        """Return True for a case of the record that its experiment no longer has."""
        experiment = {run.experiment.name: run.experiment for run in self.runs.values()}.get(case.partition("/")[0])
        return experiment is not None and case not in map(experiment.id_of, range(len(experiment.cases)))

    def _explain(self, case: str, want: Outcome, got: Outcome) -> tuple[str, str, str]:
        if isinstance(want, str) or isinstance(got, str):
            return "", "figures that are not recorded", ""
        return *format_difference(self.runs[case].experiment.kind, want, got), ""

    # -- what is shown

    def summary(self) -> str:
        """See Grid."""
        alone = f", of the {self.compared} that were reviewed in the same way" if 0 < self.compared < self.tried else ""
        review = format_review_summary(len(self.differences), self.compared)
        return f"{self.tried} case{'' if self.tried == 1 else 's'}; {review}{alone}"

    def tables(self) -> Iterator[Table]:
        """See Grid: a table an experiment, by kind of measure."""
        experiments = {run.experiment.path: run.experiment for run in self.runs.values()}
        for kind, measure in MEASURES.items():
            title, key = measure.title, [f"{each.heading}: {each.about}" for each in COLUMNS[kind] if each.about]
            for path in (path for path, each in experiments.items() if each.kind == kind):
                yield table_of([run for run in self.runs.values() if run.experiment.path == path], title, key)
                title, key = "", []

    def findings(self) -> Iterator[Finding]:
        """See Grid."""
        for case, run in self.runs.items():
            if run.measured.failure:
                yield Finding(f"{case}: not measured: {run.measured.failure}")
        yield from self.differences

    def cases(self) -> Iterator[dict[str, Any]]:
        """See Grid."""
        for case, run in self.runs.items():
            told = {"measure": run.experiment.kind, "set": dict(run.experiment.settings)}
            words = dict(run.experiment.cases[run.number].words)
            yield {"case": case, "outcome": run.measured.failure or dict(run.measured.figures), "words": words, **told}

    def score(self) -> Score:
        """See Grid."""
        return Score(str(self.tried), "cases measured", [run.tone for run in self.runs.values()], _ABOUT)


def table_of(runs: Sequence[CaseRun], section: str = "", key: Sequence[str] = ()) -> Table:
    """Return the table of an experiment: a row a case."""
    experiment = runs[0].experiment
    columns = COLUMNS[experiment.kind]
    rows: list[Row] = []
    for run in runs:
        first, *words = (*experiment.cases[run.number].words.values(), "")
        name = re.sub("[/ ]", "-", experiment.id_of(run.number))
        figures = [each.format(run.measured.figures.get(each.figure)) for each in columns]
        shown = figures if run.measured.figures else [f"not measured: {run.measured.failure}"]
        rows.append([Cell(first, run.tone, run=name), *words[:-1], *shown])
    settings = ", ".join(f"{name} {value}" for name, value in experiment.settings.items())
    command = f"`simwarden impact --story {shlex.quote(experiment.id_of(runs[0].number))}`"
    return Table(
        [*map(Column, experiment.axes or ("",)), *(each.column for each in columns)],
        rows,
        f"{experiment.title} [{experiment.name}]" + (f" ({settings})" if settings else ""),
        f"{experiment.about} A case as a scenario: {command}",
        section,
        key,
    )
