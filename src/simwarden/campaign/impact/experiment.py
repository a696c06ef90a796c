"""Reads experiment files: a story with a `measure`, expanded along its axes into cases that the runner carries out.

    experiment: From a change of the binding to the last leaked message
    measure:
      delay: {card: card, terminals: [meter], held: mme.session}
    set: {fleet: 100}                    # $fleet; `--set fleet=1000` on the command line
    vary:
      life:                              # an axis: each of its words makes a case of its own
        idle: {step: {service_request: meter, every: 10 min}}
        asleep: {step: {tau: {device: meter, periodic: true}, every: 12 h}}
    steps:
      - $life.step                       # a value, or one or more steps, or a part of a text (of an axis its word)

All else is as in a scenario. Errors name the line of the file, and the case where only one is wrong.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.campaign.impact.measures import MEASURES, Delay, Measure, members
from simwarden.errors import ConfigError, Place, ScenarioError
from simwarden.scenario.load import read_file
from simwarden.scenario.merge import Merged
from simwarden.scenario.problems import Problems, ScenarioErrors, guess, nearest
from simwarden.scenario.validation import check, short
from simwarden.scenario.yamlfile import Source, Spot, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.load import Loader
    from simwarden.scenario.yamlfile import Path as Way

_OWN = ("experiment", "measure", "vary", "set", "about")
_MARK = re.compile(r"^experiment[ \t]*:", re.MULTILINE)
_NAME = re.compile(r"\$([A-Za-z][\w-]*)((?:\.[\w-]+)*)")
#: cases that one file may make
_MOST = 200


@dataclass(frozen=True, slots=True)
class Case:
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
    cases: tuple[Case, ...]

    @property
    def name(self) -> str:
        """A name for tables and records: that of the file."""
        return Path(self.path).stem


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
    reader = _Reader(source, loader, problems)
    made = reader.experiment(settings, only)
    problems.raise_if_any()
    return made


class _Reader:
    """Reads one file."""

    def __init__(self, source: Source, loader: Loader, problems: Problems) -> None:
        self.source, self.loader, self.problems = source, loader, problems
        self.top = Spot(source)

    def experiment(self, settings: Mapping[str, str], only: int | None) -> Experiment:
        data = self.source.data
        own = self._mapping("set")
        known = {name: Bound(str(value), self.top / "set" / name) for name, value in own.items()}
        known |= {
            name: Bound(each, Spot(Source(f"--set {name}={each}"))) for name, each in settings.items() if name in own
        }
        axes = self._axes()
        kind, measure = self._measure()
        cases: list[Case] = []
        wanted = slice(None) if only is None else slice(only, only + 1)
        for words in list(itertools.product(*axes.values()))[wanted]:
            chosen = dict(zip(axes, words, strict=True))
            cases += self._case(chosen, known, measure)
            if self.problems.found:
                break  # what is wrong in one case is mostly wrong in all
        return Experiment(
            path=self.source.file,
            title=str(data["experiment"]),
            about=" ".join(str(data.get("about", "")).split()),
            kind=kind,
            axes=tuple(axes),
            settings={name: str(each.value) for name, each in known.items()},
            cases=tuple(cases),
        )

    def _mapping(self, key: str) -> dict[str, Any]:
        value = self.source.data.get(key, {})
        if isinstance(value, dict):
            return value
        self.problems.add(f"{key}: names with their values are expected, not {short(value)}", (self.top / key).place)
        return {}

    def _axes(self) -> dict[str, list[str]]:
        axes: dict[str, list[str]] = {}
        number = 1
        for axis, words in self._mapping("vary").items():
            if not isinstance(words, dict) or not words:
                place = (self.top / "vary" / axis).place
                self.problems.add(f"{axis}: words with what they stand for are expected, not {short(words)}", place)
                continue
            axes[axis] = list(words)
            number *= len(words)
        if number > _MOST:
            self.problems.add(f"vary: {number} cases are too many (at most {_MOST})", (self.top / "vary").key)
            return {}
        return axes

    def _measure(self) -> tuple[str, Measure | None]:
        spot, given = self.top / "measure", self._mapping("measure")
        if len(given) != 1:
            self.problems.add("measure: say what, one of " + ", ".join(MEASURES), spot.key)
            return "", None
        kind, values = next(iter(given.items()))
        if kind not in MEASURES:
            self.problems.unknown("measure", kind, MEASURES, (spot / kind).key)
            return kind, None
        return kind, check(MEASURES[kind], values, spot / kind, self.problems)

    def _case(self, words: dict[str, str], known: Mapping[str, Bound], measure: Measure | None) -> Iterator[Case]:
        axes = self.source.data.get("vary") or {}
        bound = dict(known)
        for axis, word in words.items():
            bound[axis] = Bound(axes[axis][word], self.top / "vary" / axis / word, word)
        found = Problems()
        filled = _Filling(self.source, bound, found).source()
        filled.data["scenario"] = str(self.source.data["experiment"])
        filled.origins["scenario",] = self.top / "experiment"
        try:
            scenario = self.loader.assemble(filled, found)
            if measure is not None:
                _check_measure(measure, scenario, self.top / "measure", found)
                yield Case(words, scenario, measure, filled.data)
            found.raise_if_any()
        except ScenarioErrors as errors:
            where = _told(words)
            for each in errors.problems:
                key = each.place and self._misspelt(each.place)
                if key:
                    self.problems.unknown("key", key, _OWN, each.place or self.top.place)
                    continue
                hint = "; ".join(filter(None, (each.hint, where and f"in the case {where}")))
                self.problems.add(each.reason, each.place or self.top.place, hint)

    def _misspelt(self, place: Place) -> str:
        """Return the key at a place of the file's top that is most like one of an experiment's own; or nothing."""
        data = self.source.data
        return next((key for key in data if (self.top / key).key == place and self._is_near(key)), "")

    def _is_near(self, key: str) -> bool:
        return key not in _OWN and nearest(key, _OWN) != ""


#: what measures call their lists of instances, and the records that they look at
_NAMES, _RECORDS = ("terminals", "good", "thieves", "fleet"), ("held", "arrived")


def _check_measure(measure: Measure, scenario: Scenario, spot: Spot, problems: Problems) -> None:
    """Note marks that no step has, and names that stand for nothing."""
    marked = {step.mark for step in scenario.steps}
    for word in measure.marks:
        if word not in marked:
            problems.add(f"no step is marked {word!r}", spot.key, f"add mark: {word} beside its verb")
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


@dataclass(frozen=True, slots=True)
class Bound:
    """What a `$name` stands for, where that is written, and the word of an axis that chose it."""

    value: Any
    spot: Spot
    word: str = ""


class _Filling:
    """Makes the source of one case: `$name` and `$axis.key` replaced, every part with the place it came from."""

    def __init__(self, source: Source, bound: Mapping[str, Bound], problems: Problems) -> None:
        self.origin, self.bound, self.problems = source, bound, problems
        self.made = Merged(source.file)

    def source(self) -> Merged:
        data = {key: value for key, value in self.origin.data.items() if key not in _OWN}
        self.made.data = self._copy(data, Spot(self.origin), ())
        return self.made

    def _copy(self, value: Any, spot: Spot, path: Way) -> Any:
        self.made.origins[path] = spot
        if isinstance(value, dict):
            return {key: self._copy(each, spot / key, (*path, key)) for key, each in value.items()}
        if isinstance(value, list):
            return self._list(value, spot, path)
        if not isinstance(value, str):
            return value
        match = _NAME.fullmatch(value)
        if match is None:
            return _NAME.sub(lambda found: str(self._scalar(found, spot)), value)
        meant = self._meant(match, spot)
        return "" if meant is None else self._copy(meant.value, meant.spot, path)

    def _list(self, items: list[Any], spot: Spot, path: Way) -> list[Any]:
        """Copy a list; an item that stands for a list is replaced by what is in it."""
        made: list[Any] = []
        for index, item in enumerate(items):
            match = _NAME.fullmatch(item) if isinstance(item, str) else None
            meant = self._meant(match, spot / index) if match else None
            if match and meant is None:
                continue
            if meant is not None and isinstance(meant.value, list):
                for inner, each in enumerate(meant.value):
                    made.append(self._copy(each, meant.spot / inner, (*path, len(made))))
            else:
                made.append(self._copy(item, spot / index, (*path, len(made))))
        return made

    def _meant(self, match: re.Match[str], spot: Spot) -> Bound | None:
        """Return what a name stands for, or note that there is none such."""
        bound = self.bound.get(match[1])
        if bound is None:
            self.problems.add(f"${match[1]} is not known", spot.place, guess(match[1], self.bound))
            return None
        value, here = bound.value, bound.spot
        for key in filter(None, match[2].split(".")):
            if not isinstance(value, dict) or key not in value:
                known = value if isinstance(value, dict) else ()
                self.problems.add(f"${match[1]}{match[2]}: {key} is not known", spot.place, guess(key, known))
                return None
            value, here = value[key], here / key
        return Bound(value, here, "" if match[2] else bound.word)

    def _scalar(self, match: re.Match[str], spot: Spot) -> str:
        meant = self._meant(match, spot)
        if meant is None:
            return ""
        if isinstance(meant.value, str) or meant.word:
            return meant.value if isinstance(meant.value, str) else meant.word
        self.problems.add(f"{match[0]} is no text, and stands within one", spot.place)
        return ""
