"""The campaign `impact`: cases of experiments, their figures, and the recorded ones that these are held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from simwarden.campaign.engine import Campaign, Page, Result, Wrong, held, known, scenario_text, write
from simwarden.campaign.impact.experiment import find, read_experiment
from simwarden.campaign.impact.measures import MEASURES
from simwarden.campaign.impact.perform import Task, perform
from simwarden.campaign.impact.record import NAME, Record, compare
from simwarden.campaign.impact.table import COLUMNS, TONES, rows_of, settings_of, table_of, told, tone
from simwarden.errors import ConfigError, NothingError, UserFileError
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors, flat, guess
from simwarden.scenario.runner import RunOptions
from simwarden.scenario.suite import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simwarden.campaign.engine import Order, Tell
    from simwarden.campaign.impact.experiment import Experiment, MeasuredCase
    from simwarden.campaign.impact.perform import Outcome
    from simwarden.campaign.impact.record import Difference

Chosen: TypeAlias = "list[tuple[Experiment, list[int]]]"
Results: TypeAlias = "list[tuple[Experiment, dict[int, Outcome]]]"
_ABOUT = (
    "All times are those of the run's own clock; signalling takes none of it, so that a delay of 0 s is one of "
    "messages alone. The figures come from the trace, and are the same for the same seed."
)


@dataclass(frozen=True, slots=True)
class Impact(Campaign):
    """Experiments in `paths`, the cases that `match` fits, with parameters replaced by `settings` (`NAME=VALUE`)."""

    name: ClassVar[str] = "impact"
    counted: ClassVar[str] = "cases"

    paths: Sequence[str]
    match: Sequence[str] = ()
    settings: Sequence[str] = ()
    network: str = ""

    def carry_out(self, order: Order, tell: Tell) -> Figures:
        """See Campaign."""
        chosen = self._choose()
        options = RunOptions(seed=order.seed)
        tasks = [
            Task(each.path, each.settings, number, self.network, options)
            for each, numbers in chosen
            for number in numbers
        ]
        done: dict[tuple[str, int], Outcome] = {}
        with Crew(perform, min(order.workers, len(tasks))) as crew:
            for task, outcome in order.carried_out(crew, tasks):
                done[task.path, task.number] = outcome
                tell(len(done), len(tasks), Path(task.path).stem)
        results = [
            (each, {number: done[each.path, number] for number in numbers if (each.path, number) in done})
            for each, numbers in chosen
        ]
        found = Figures([each for each in results if each[1]], not (order.seed or self.network))
        found.tried, found.left = len(done), len(tasks) - len(done)
        found.faults = sum(outcome.fault for outcome in done.values())
        found.hold()
        return found

    def unfit(self, order: Order) -> str:
        """See Campaign."""
        other = self.match or self.network or order.seed or order.limited
        return "whole experiments of seed 0 in the default network are recorded, without a budget" if other else ""

    def _choose(self) -> Chosen:
        """Read all experiments before any is carried out. Raises ScenarioErrors with all that is wrong in all files."""
        loader = Loader(network_file=self.network)
        settings = dict(_setting(text) for text in self.settings)
        experiments: list[Experiment] = []
        wrong: list[UserFileError] = []
        for path in find(self.paths):
            try:
                experiments.append(read_experiment(path, loader, settings))
            except UserFileError as error:
                wrong += flat(error)
        if wrong:  # of a parameter of the command line that is wrong in many files it is told once
            raise ScenarioErrors(list({(each.place, each.reason): each for each in reversed(wrong)}.values())[::-1])
        there = {name for each in experiments for name in each.settings}
        for name in settings:
            if experiments and name not in there:
                raise ConfigError(f"--set: no experiment has a parameter {name!r}", hint=guess(name, sorted(there)))
        chosen = [(each, numbers) for each in experiments if (numbers := self._fitting(each))]
        if not chosen:
            hint = guess(" ".join(self.match), [each.name for each in experiments])
            raise NothingError("no experiment was chosen" + (f" ({hint})" if hint else ""))
        return chosen

    def story(self, case: str) -> str:
        """Return a case (`EXPERIMENT/WORD/WORD`, a word of each axis) as a scenario. Raises UserFileError."""
        experiments = {each.name: each for each, _ in self._choose()}
        name = case.partition("/")[0]
        known([name], experiments, "experiment")
        cases = {named(experiments[name], each): each for each in experiments[name].cases}
        known([case], cases, "case")
        return scenario_text(cases[case].document)

    def _fitting(self, experiment: Experiment) -> list[int]:
        names = [f"{experiment.name} {case.name}".lower() for case in experiment.cases]
        wanted = [each.lower() for each in self.match]
        return [place for place, name in enumerate(names) if not wanted or any(each in name for each in wanted)]


def named(experiment: Experiment, case: MeasuredCase) -> str:
    """Return the name by which a case is asked for: `delay-hss/given/idle`."""
    return "/".join((experiment.name, *case.words.values()))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise ConfigError(f"--set: NAME=VALUE is expected, not {text!r}")
    return name, value


@dataclass(slots=True)
class Figures(Result):
    """The outcomes of cases by experiment. `comparable`: they were measured in the way of the recorded ones.

    `compared` is how many cases there is a record for.
    """

    unit: ClassVar[str] = "cases"

    results: Results
    comparable: bool = True
    differences: list[Difference] = field(default_factory=list)
    compared: int = 0

    def hold(self) -> None:
        """Hold the figures against the recorded ones, where those were measured in the same way."""
        self.differences, self.compared = [], 0
        for experiment, outcomes in self.results if self.comparable else ():
            path = Path(experiment.path).parent / NAME
            record = Record.read(path)
            settings = record.settings(experiment.name)
            if not path.is_file() or (settings is not None and settings != experiment.settings):
                continue
            figures = {name: each for name, each in _figures(experiment, outcomes).items() if each}
            silent = {case.name for case in experiment.cases} - figures.keys()  # not tried, or told as not measured
            recorded = {name: each for name, each in record.cases(experiment.name).items() if name not in silent}
            self.differences += compare(experiment.name, recorded, figures)
            self.compared += len(figures)

    @property
    def outcomes(self) -> list[Outcome]:
        """All outcomes."""
        return [outcome for _, outcomes in self.results for outcome in outcomes.values()]

    def summary(self) -> str:
        """See Result."""
        cases = len(self.outcomes)
        wrong = len({(each.experiment, each.case) for each in self.differences})
        alone = f", of the {self.compared} that were reviewed in the same way" if 0 < self.compared < cases else ""
        return f"{cases} case{'' if cases == 1 else 's'}; {held(wrong, self.compared)}{alone}"

    def lines(self) -> Iterator[str]:
        """Yield a table an experiment, and what its columns say."""
        for kind, measure in MEASURES.items():
            mine = [each for each in self.results if each[0].kind == kind]
            if mine:
                yield f"{measure.title}\n"
                yield from (f"  {each.heading}: {each.about}" for each in COLUMNS[kind] if each.about)
                yield ""
            for experiment, outcomes in mine:
                yield from table_of(experiment, outcomes)
                yield ""

    def wrong(self) -> Iterator[Wrong]:
        """See Result."""
        kinds = {experiment.name: experiment.kind for experiment, _ in self.results}
        for experiment, outcomes in self.results:
            for number, outcome in outcomes.items():
                if outcome.failure:
                    case = experiment.cases[number].name
                    yield Wrong(f"{experiment.name}, {case}: not measured: {outcome.failure}")
        for each in self.differences:
            yield Wrong(f"differs: {told(each, kinds.get(each.experiment, ''))}")

    def data(self) -> dict[str, Any]:
        """See Result."""
        return {
            "experiments": [
                {
                    "experiment": experiment.name,
                    "title": experiment.title,
                    "measure": experiment.kind,
                    "set": dict(experiment.settings),
                    "cases": [
                        {**experiment.cases[number].words, "figures": dict(each.figures), "failure": each.failure}
                        for number, each in outcomes.items()
                    ],
                }
                for experiment, outcomes in self.results
            ],
            "differences": [
                {"experiment": each.experiment, "case": each.case, "figure": each.figure}
                | {"was": each.was, "now": each.now}
                for each in self.differences
            ],
        }

    def page(self) -> Page:
        """See Result."""
        tones = [_tone(experiment, each) for experiment, outcomes in self.results for each in outcomes.values()]
        groups = [
            {"title": measure.title, "columns": COLUMNS[kind], "tones": TONES[kind], "tables": tables}
            for kind, measure in MEASURES.items()
            if (tables := [_table(*each) for each in self.results if each[0].kind == kind])
        ]
        return Page(str(len(tones)), "cases measured", tones, _ABOUT, {"groups": groups})

    def accept(self, why: str) -> list[Path]:
        """Record the figures as they are."""
        if any(outcome.failure for outcome in self.outcomes):
            return []
        records: dict[Path, Record] = {}
        for experiment, outcomes in self.results:
            path = Path(experiment.path).parent / NAME
            record = records.setdefault(path, Record.read(path))
            record.put(experiment.name, experiment.settings, _figures(experiment, outcomes), why)
        paths = [write(path, record.text()) for path, record in records.items()]
        self.hold()
        return paths


def _figures(experiment: Experiment, outcomes: Mapping[int, Outcome]) -> dict[str, Mapping[str, Any]]:
    return {experiment.cases[number].name: outcome.figures for number, outcome in outcomes.items()}


def _tone(experiment: Experiment, outcome: Outcome) -> str:
    return tone(experiment.kind, outcome.figures) if outcome.figures else "bad"


def _table(experiment: Experiment, outcomes: Mapping[int, Outcome]) -> dict[str, Any]:
    """Return an experiment as its template wants it."""
    rows = [
        {"words": words, "cells": cells, "failure": outcome.failure, "tone": _tone(experiment, outcome)}
        | {"case": named(experiment, experiment.cases[number])}
        for (words, cells), (number, outcome) in zip(rows_of(experiment, outcomes), outcomes.items(), strict=True)
    ]
    return {"it": experiment, "settings": settings_of(experiment), "rows": rows}
