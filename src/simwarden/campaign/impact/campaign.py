"""The campaign `impact`: the cases of experiments, and their figures, which are held against the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from simwarden.campaign.grid import (
    Finding,
    Grid,
    Order,
    Progress,
    Score,
    check_names,
    format_review_summary,
    no_progress,
    scenario_text,
)
from simwarden.campaign.impact.columns import COLUMNS, format_difference, tone
from simwarden.campaign.impact.experiment import find, read_experiment
from simwarden.campaign.impact.measures import MEASURES
from simwarden.campaign.impact.perform import Task, perform
from simwarden.campaign.record import NAME, Record
from simwarden.campaign.tables import Cell, Column, Row, Table
from simwarden.errors import ConfigError, NothingError, UserFileError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors, flat, guess
from simwarden.scenario.runner import RunOptions
from simwarden.scenario.suite import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.campaign.impact.experiment import Experiment
    from simwarden.campaign.impact.perform import Measured
    from simwarden.campaign.record import Outcome

Results: TypeAlias = "list[tuple[Experiment, dict[int, Measured]]]"
_ABOUT = (
    "All times are those of the run's own clock; signalling takes none of it, so that a delay of 0 s is one of "
    "messages alone. The figures come from the trace, and are the same for the same seed. Green: nothing leaked, no "
    "device was hurt, all came back unaided; amber: for a while, or at a price; red: it stays so, or no figures."
)


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
    #: the outcomes by experiment and number of the case
    results: Results = field(default_factory=list)
    #: how many cases the record was compared with
    compared: int = 0
    differences: list[Finding] = field(default_factory=list)
    #: whether the figures were measured in the way of the recorded ones
    comparable: bool = True

    def carry_out(self, order: Order, progress: Progress = no_progress) -> None:
        """See Grid."""
        chosen, options = self._choose(), RunOptions(seed=order.seed)
        given = self._given()
        tasks = [
            Task(each.path, given, number, self.network, options) for each, numbers in chosen for number in numbers
        ]
        done: dict[tuple[str, int], Measured] = {}
        with Crew(perform, min(order.workers, len(tasks))) as crew:
            for task, measured in order.run(crew, tasks):
                done[task.path, task.number] = measured
                progress(len(done), len(tasks), Path(task.path).stem)
        for each, numbers in chosen:
            mine = {number: done[each.path, number] for number in numbers if (each.path, number) in done}
            self.results += [(each, mine)] if mine else []
        self.tried, self.left = len(done), len(tasks) - len(done)
        self.faults = sum(measured.fault for measured in done.values())
        self.comparable = not (order.seed or self.network)
        self.compare()

    def reason_not_acceptable(self, order: Order) -> str:
        """See Grid."""
        other = self.match or self.settings or self.network or order.seed or order.limited
        return "whole experiments of seed 0 in the default network are recorded, without a budget" if other else ""

    def _given(self) -> dict[str, str]:
        given = [text.partition("=") for text in self.settings]
        for text, (name, _, value) in zip(self.settings, given, strict=True):
            if not name or not value:
                raise ConfigError(f"--set: NAME=VALUE is expected, not {text!r}")
        return {name: value for name, _, value in given}

    def _choose(self) -> list[tuple[Experiment, list[int]]]:
        """Read all experiments before any is carried out. Raises ScenarioErrors with all that is wrong in all files."""
        loader, given = Loader(network_file=self.network), self._given()
        experiments: list[Experiment] = []
        wrong: list[UserFileError] = []
        for path in find(self.paths):
            try:
                experiments.append(read_experiment(path, loader, given))
            except UserFileError as error:
                wrong += flat(error)
        if wrong:  # a parameter of the command line that is wrong in many files is reported once
            raise ScenarioErrors(list({(each.place, each.reason): each for each in reversed(wrong)}.values())[::-1])
        there = {name for each in experiments for name in each.settings}
        for name in given:
            if experiments and name not in there:
                raise ConfigError(f"--set: no experiment has a parameter {name!r}", hint=guess(name, sorted(there)))
        chosen = [(each, numbers) for each in experiments if (numbers := self._matching(each))]
        if not chosen:
            hint = guess(" ".join(self.match), [each.name for each in experiments])
            raise NothingError("no experiment was chosen" + (f" ({hint})" if hint else ""))
        return chosen

    def _matching(self, experiment: Experiment) -> list[int]:
        names = [f"{experiment.name} {case.name}".lower() for case in experiment.cases]
        wanted = [each.lower() for each in self.match]
        return [place for place, name in enumerate(names) if not wanted or any(each in name for each in wanted)]

    def story(self, case: str) -> str:
        """Return a case (`EXPERIMENT/WORD/WORD`, a word of each axis) as a scenario. Raises UserFileError."""
        experiments = {each.name: each for each, _ in self._choose()}
        name = case.partition("/")[0]
        check_names([name], experiments, "experiment")
        cases = {experiments[name].id_of(number): each for number, each in enumerate(experiments[name].cases)}
        check_names([case], cases, "case")
        return scenario_text(cases[case].document)

    # -- the record

    def compare(self) -> None:
        """Compare the figures with the recorded ones, if they were measured in the same way."""
        self.differences, self.compared = [], 0
        for path, results in self._by_record().items() if self.comparable and not self.settings else ():
            if not path.is_file():
                continue
            found, kinds, expected = (
                _figures(results),
                {each.name: each.kind for each, _ in results},
                _expected(results),
            )

            def explain(
                case: str, want: Outcome, got: Outcome, kinds: Mapping[str, str] = kinds
            ) -> tuple[str, str, str]:
                assert isinstance(got, dict)  # noqa: S101 - figures
                if not isinstance(want, dict):
                    return "", "figures that are not recorded", ""
                return *format_difference(kinds[case.partition("/")[0]], want, got), ""

            self.differences += Record(path).load().compare(found, expected, explain)
            self.compared += len(found)

    def _by_record(self) -> dict[Path, Results]:
        found: dict[Path, Results] = {}
        for each in self.results:
            found.setdefault(Path(each[0].path).parent / NAME, []).append(each)
        return found

    def accept(self, why: str) -> list[Path]:
        """See Grid: the figures are recorded as they are, unless a case has none."""
        if any(each.failure for each in self._measured()):
            return []
        written = [
            Record(path).load().accept(_figures(results), why, _expected(results))
            for path, results in self._by_record().items()
        ]
        self.compare()
        return written

    # -- what is shown

    def _measured(self) -> Iterator[Measured]:
        for _, outcomes in self.results:
            yield from outcomes.values()

    def summary(self) -> str:
        """See Grid."""
        cases = self.tried
        alone = f", of the {self.compared} that were reviewed in the same way" if 0 < self.compared < cases else ""
        review = format_review_summary(len(self.differences), self.compared)
        return f"{cases} case{'' if cases == 1 else 's'}; {review}{alone}"

    def tables(self) -> Iterator[Table]:
        """See Grid: a table an experiment, by kind of measure."""
        for kind, measure in MEASURES.items():
            title, key = measure.title, [f"{each.heading}: {each.about}" for each in COLUMNS[kind] if each.about]
            for experiment, outcomes in self.results:
                if experiment.kind == kind:
                    yield table_of(experiment, outcomes, title, key)
                    title, key = "", []

    def findings(self) -> Iterator[Finding]:
        """See Grid."""
        for experiment, outcomes in self.results:
            for number, measured in outcomes.items():
                if measured.failure:
                    yield Finding(f"{experiment.id_of(number)}: not measured: {measured.failure}")
        yield from self.differences

    def cases(self) -> Iterator[dict[str, Any]]:
        """See Grid."""
        for experiment, outcomes in self.results:
            for number, measured in outcomes.items():
                case = experiment.cases[number]
                told = {"measure": experiment.kind, "set": dict(experiment.settings), "words": dict(case.words)}
                yield {"case": experiment.id_of(number), "outcome": measured.failure or dict(measured.figures), **told}

    def score(self) -> Score:
        """See Grid."""
        tones = [_tone(experiment, each) for experiment, outcomes in self.results for each in outcomes.values()]
        return Score(str(len(tones)), "cases measured", tones, _ABOUT)


def _figures(results: Results) -> dict[str, Outcome]:
    return {
        experiment.id_of(number): measured.figures
        for experiment, outcomes in results
        for number, measured in outcomes.items()
        if measured.figures
    }


def _expected(results: Results) -> Any:
    """Return a test for cases of the record that are no case of their experiment any more."""
    names = {experiment.name for experiment, _ in results}
    known = {experiment.id_of(number) for experiment, _ in results for number in range(len(experiment.cases))}
    return lambda case: case.partition("/")[0] in names and case not in known


def _tone(experiment: Experiment, measured: Measured) -> str:
    return tone(experiment.kind, measured.figures) if measured.figures else "bad"


def table_of(
    experiment: Experiment, outcomes: Mapping[int, Measured], section: str = "", key: Sequence[str] = ()
) -> Table:
    """Return the table of an experiment: a row a case."""
    columns = COLUMNS[experiment.kind]
    rows: list[Row] = []
    for number, measured in outcomes.items():
        words: list[str | Cell] = [*experiment.cases[number].words.values()]
        name = experiment.id_of(number).replace("/", "-").replace(" ", "-")
        if words:
            words[0] = Cell(str(words[0]), _tone(experiment, measured), run=name)
        figures = [each.format(measured.figures.get(each.figure)) for each in columns] if measured.figures else []
        rows.append([*words, *(figures or [f"not measured: {measured.failure}"])])
    settings = ", ".join(f"{name} {value}" for name, value in experiment.settings.items())
    example = experiment.id_of(next(iter(outcomes), 0))
    command = f"`simwarden impact --story {example if ' ' not in example else repr(example)}`"
    return Table(
        [*map(Column, experiment.axes), *(each.column for each in columns)],
        rows,
        f"{experiment.title} [{experiment.name}]" + (f" ({settings})" if settings else ""),
        f"{experiment.about} A case as a scenario: {command}",
        section,
        key,
    )
