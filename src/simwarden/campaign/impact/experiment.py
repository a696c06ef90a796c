"""Reads experiment files: scenarios with a `measure`, each of whose cases gives figures.

    experiment: From a change of the binding to the last leaked message
    measure:
      delay: {card: card, terminals: [meter], held: mme.session}
    set: {fleet: 100}                    # `--set fleet=1000` on the command line
    vary:
      life:
        idle: {step: {service_request: meter, every: 10 min}}
        asleep: {step: {tau: {device: meter, periodic: true}, every: 12 h}}

All else is as in a scenario.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.campaign.impact.measures import MEASURES, Delay, Measure, members
from simwarden.errors import ConfigError, Place, ScenarioError
from simwarden.scenario.cases import CaseFile
from simwarden.scenario.load import read_file
from simwarden.scenario.problems import Problems, ScenarioErrors, nearest
from simwarden.scenario.validation import check
from simwarden.scenario.yamlfile import Source, Spot, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simwarden.scenario.cases import Case
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader

_OWN = ("experiment", "measure", "vary", "set", "about")
_MARK = re.compile(r"^experiment[ \t]*:", re.MULTILINE)
#: cases that one file may make
_MOST = 200


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """One case of an experiment: the word of each axis, and the story that they make, checked and as its `document`."""

    words: Mapping[str, str]
    scenario: Scenario
    measure: Measure
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The case in a line: `change: given, life: idle`."""
        return _told(self.words) or "-"


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment file, checked. `settings` are its parameters as they are in force."""

    path: str
    title: str
    about: str
    kind: str
    axes: tuple[str, ...]
    settings: Mapping[str, str]
    cases: tuple[MeasuredCase, ...]

    @property
    def name(self) -> str:
        """A name for tables and records: that of the file."""
        return Path(self.path).stem

    def id_of(self, number: int) -> str:
        """Return the id of a case: `delay-hss/given/idle`."""
        return "/".join((self.name, *self.cases[number].words.values()))


def _told(words: Mapping[str, str]) -> str:
    return ", ".join(f"{axis}: {word}" for axis, word in words.items())


def find(paths: Iterable[str]) -> list[Path]:
    """Return the experiment files in files and folders, in order. Raises ConfigError for a missing path."""
    found: dict[Path, None] = {}
    for given in paths:
        root = Path(given)
        if not root.exists():
            raise ConfigError("there is no such file or folder", Place(given))
        files = [root] if root.is_file() else sorted(root.rglob("*.y*ml"))
        found |= {path: None for path in files if path == root or _MARK.search(read_file(path))}
    return list(found)


def read_experiment(
    path: str | Path, loader: Loader, settings: Mapping[str, str], *, only: int | None = None
) -> Experiment:
    """Read and check an experiment with its cases, or with the `only` one that is wanted.

    `settings` replace those of the file that have their names. Raises ScenarioErrors with all that is wrong, or
    ConfigError.
    """
    problems = Problems()
    source = read(read_file(path), str(path), problems)
    if not isinstance(source.data, dict) or not source.data.get("experiment"):
        raise ScenarioError("an experiment starts with the key `experiment` and its title", Spot(source).place)
    made = _Reader(source, loader, problems, settings).experiment(only)
    problems.raise_if_any()
    return made


class _Reader:
    """Reads one file."""

    def __init__(self, source: Source, loader: Loader, problems: Problems, settings: Mapping[str, str]) -> None:
        self.source, self.loader, self.problems = source, loader, problems
        self.top = Spot(source)
        self.file = CaseFile(source, problems, settings, most=_MOST)

    def experiment(self, only: int | None) -> Experiment:
        data = self.source.data
        self.file.check()
        kind, measure = self._measure()
        cases: list[MeasuredCase] = []
        wanted = slice(None) if only is None else slice(only, only + 1)
        for case in self.file.cases[wanted]:
            cases += self._case(case, measure)
            if self.problems.found:
                break  # what is wrong in one case is mostly wrong in all
        return Experiment(
            path=self.source.file,
            title=str(data["experiment"]),
            about=" ".join(str(data.get("about", "")).split()),
            kind=kind,
            axes=self.file.axes,
            settings=self.file.settings,
            cases=tuple(cases),
        )

    def _measure(self) -> tuple[str, Measure | None]:
        spot = self.top / "measure"
        given = spot.value if isinstance(spot.value, dict) else {}
        if len(given) != 1:
            self.problems.add("measure: say what, one of " + ", ".join(MEASURES), spot.key)
            return "", None
        kind, values = next(iter(given.items()))
        if kind not in MEASURES:
            self.problems.unknown("measure", kind, MEASURES, (spot / kind).key)
            return kind, None
        return kind, check(MEASURES[kind], values, spot / kind, self.problems)

    def _case(self, case: Case, measure: Measure | None) -> Iterator[MeasuredCase]:
        problems = Problems(case.name)
        document = self.file.document(case, problems)
        document.data["scenario"] = document.data.pop("experiment")
        document.data.pop("measure", None)
        document.origins["scenario",] = self.top / "experiment"
        try:
            scenario = self.loader.assemble(document, problems)
            if measure is not None:
                _check_measure(measure, scenario, self.top / "measure", problems)
                yield MeasuredCase(case.words, scenario, measure, document.data)
            problems.raise_if_any()
        except ScenarioErrors as errors:
            for error in errors.problems:
                key = error.place and self._misspelt(error.place)
                if key:
                    self.problems.unknown("key", key, _OWN, error.place or self.top.place)
                else:
                    self.problems.found.append(error)

    def _misspelt(self, place: Place) -> str:
        """Return the key at a place of the file's top that is most like one of an experiment's own; or nothing."""
        data = self.source.data
        return next((key for key in data if (self.top / key).key == place and self._is_near(key)), "")

    def _is_near(self, key: str) -> bool:
        return key not in _OWN and nearest(key, _OWN) != ""


#: what measures call their lists of instances, and the records that they look at
_NAMES, _RECORDS = ("terminals", "good", "thieves", "fleet"), ("held", "arrived")


def _check_measure(measure: Measure, scenario: Scenario, spot: Spot, problems: Problems) -> None:
    """Note names that no step and no element has."""
    steps = {step.name for step in scenario.steps}
    for name in measure.steps:
        if name not in steps:
            problems.add(f"no step is called {name!r}", spot.key, f"add name: {name} beside its verb")
    if isinstance(measure, Delay) and measure.card not in scenario.cards:
        problems.unknown("card", measure.card, scenario.cards, spot.place)
    for record in (getattr(measure, key) for key in _RECORDS if hasattr(measure, key)):
        _check_held(record, scenario, spot, problems)
    named = [(key, each) for key in _NAMES for each in getattr(measure, key, ())]
    for key, name in named:
        for each in members([name], scenario):
            if each not in scenario.instances:
                problems.unknown(key, name, (*scenario.groups, *scenario.instances), spot.place)
                break


def _check_held(held: str, scenario: Scenario, spot: Spot, problems: Problems) -> None:
    element, _, observable = held.partition(".")
    if element not in scenario.instances:
        problems.unknown("element", element, scenario.instances, spot.place)
        return
    declared = scenario.registry.declaration(scenario.instances[element].kind).observables
    records = [each.name for each in declared if each.record]
    if observable not in records:
        problems.unknown("record", observable, records, spot.place)
