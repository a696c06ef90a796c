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

from simwarden.campaign.impact.measures import MEASURES, Measure, members
from simwarden.errors import ConfigError, Place, ScenarioError
from simwarden.scenario.cases import CaseFile
from simwarden.scenario.load import read_file
from simwarden.scenario.problems import Problems, ScenarioErrors, nearest
from simwarden.scenario.validation import check
from simwarden.scenario.yamlfile import Spot, read

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
    """One case of an experiment: the word of each axis, and the scenario that they make, checked and as `document`."""

    words: Mapping[str, str]
    scenario: Scenario
    measure: Measure
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The case in a line: `change: given, life: idle`."""
        return ", ".join(f"{axis}: {word}" for axis, word in self.words.items()) or "-"


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
    top, data = Spot(source), source.data
    if not isinstance(data, dict) or not data.get("experiment"):
        raise ScenarioError("an experiment starts with the key `experiment` and its title", top.place)
    file = CaseFile(source, problems, settings, most=_MOST)
    file.check()
    kind, measure = _measure(top / "measure", problems)
    cases: list[MeasuredCase] = []
    for case in file.cases if only is None else file.cases[only : only + 1]:
        cases += _case(file, case, measure, loader, problems)
        if problems.found:
            break  # what is wrong in one case is mostly wrong in all
    problems.raise_if_any()
    about = " ".join(str(data.get("about", "")).split())
    return Experiment(source.file, str(data["experiment"]), about, kind, file.axes, file.settings, tuple(cases))


def _measure(spot: Spot, problems: Problems) -> tuple[str, Measure | None]:
    given = spot.value if isinstance(spot.value, dict) else {}
    if len(given) != 1:
        problems.add("measure: say what, one of " + ", ".join(MEASURES), spot.key)
        return "", None
    kind, values = next(iter(given.items()))
    if kind not in MEASURES:
        problems.unknown("measure", kind, MEASURES, (spot / kind).key)
        return kind, None
    return kind, check(MEASURES[kind], values, spot / kind, problems)


def _case(
    file: CaseFile, case: Case, measure: Measure | None, loader: Loader, found: Problems
) -> Iterator[MeasuredCase]:
    problems, top = Problems(case.name), Spot(file.source)
    document = file.document(case, problems)
    document.data["scenario"] = document.data.pop("experiment")
    document.data.pop("measure", None)
    document.origins["scenario",] = top / "experiment"
    try:
        scenario = loader.assemble(document, problems)
        if measure is not None:
            _check_names(measure, scenario, top / "measure", problems)
            yield MeasuredCase(case.words, scenario, measure, document.data)
        problems.raise_if_any()
    except ScenarioErrors as errors:
        own = {(top / key).key: key for key in top.value if key not in _OWN and nearest(key, _OWN)}
        for error in errors.problems:
            if error.place and error.place in own:  # a key that is misspelt
                found.unknown("key", own[error.place], _OWN, error.place)
            else:
                found.found.append(error)


def _check_names(measure: Measure, scenario: Scenario, spot: Spot, problems: Problems) -> None:
    """Note names in a measure that no step, card, device or element has."""
    steps = {step.name for step in scenario.steps}
    for name in measure.steps:
        if name not in steps:
            problems.add(f"no step is called {name!r}", spot.key, f"add name: {name} beside its verb")
    values = dict(measure)
    if "card" in values and values["card"] not in scenario.cards:
        problems.unknown("card", values["card"], scenario.cards, spot.place)
    known = (*scenario.groups, *scenario.instances)
    for key in ("terminals", "good", "thieves", "fleet"):
        for name in values.get(key, ()):
            if any(each not in scenario.instances for each in members([name], scenario)):
                problems.unknown(key, name, known, spot.place)
    for record in filter(None, map(values.get, ("held", "arrived"))):
        element, _, observable = record.partition(".")
        if element not in scenario.instances:
            problems.unknown("element", element, scenario.instances, spot.place)
            continue
        declared = scenario.registry.declaration(scenario.instances[element].kind).observables
        records = [each.name for each in declared if each.record]
        if observable not in records:
            problems.unknown("record", observable, records, spot.place)
