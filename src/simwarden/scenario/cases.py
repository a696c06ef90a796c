"""The cases of a scenario file: one for each combination of the words of its axes, and the twin of each.

A file without parameters is one case, whose name is empty. Another is called by its words and `twin`: `FILE::by-tls`,
`FILE::by-tls-twin`. A twin that sets an axis itself has no word of that, and is the twin of all words.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from simwarden.scenario.case_steps import GIVEN, JUDGED, NAME, STEPS, StepWriter
from simwarden.scenario.merge import Merged
from simwarden.scenario.parameters import Parameter, Substitution, uses_in
from simwarden.scenario.problems import Problems, guess
from simwarden.scenario.secrets import keys_in
from simwarden.scenario.validation import short
from simwarden.scenario.yamlfile import Source, Spot, read

if TYPE_CHECKING:
    from collections.abc import Mapping


TWIN: Final = "twin"
#: the keys of a file that say how its cases differ
PARAMETER_KEYS: Final = ("set", "vary", "exclude")
#: cases of one file without their twins, so that a person can look at all of them
MOST_CASES: Final = 12
#: combinations of words, of which some are excluded
_MOST_COMBINATIONS: Final = 10_000
#: what a twin may say: what it is called, and where it differs
TWIN_KEYS: Final = ("scenario", "about", "proves", "tags", "set", "without", "from", "expect", "never", "steps")
_HEADING: Final = ("scenario", "about", "proves", "tags")
#: the lines of the keys that an outline needs, each up to the next key
_OUTLINE: Final = re.compile(
    rf"^(?:{'|'.join((*PARAMETER_KEYS, TWIN, 'scenario', 'proves', 'tags'))})[ \t]*:.*\n?(?:(?:[ \t#-].*)?\n)*",
    re.MULTILINE,
)


def slug(word: str) -> str:
    """Return a word of an axis as it stands in the name of a case: `answers 5012` as `answers-5012`."""
    return re.sub(r"[^A-Za-z0-9_.+]+", "-", word).strip("-")


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the word of each axis, by axis, and whether it is the twin of that."""

    words: Mapping[str, str] = field(default_factory=dict)
    is_twin: bool = False

    @property
    def name(self) -> str:
        """What stands after the file's name: `by-tls`, `by-tls-twin`, `twin`, or nothing."""
        return "-".join((*map(slug, self.words.values()), *([TWIN] if self.is_twin else [])))


class CaseFile:
    """A scenario file as the source of its cases. What is wrong with its parameters is noted in `problems`.

    `settings` replace values of its `set`, each by a text. It has no more than `most` cases, twins not counted.
    """

    def __init__(
        self,
        source: Source,
        problems: Problems,
        settings: Mapping[str, str] | None = None,
        *,
        most: int = MOST_CASES,
    ) -> None:
        self.source, self.problems, self._most = source, problems, most
        self._top = Spot(source)
        self._data: dict[str, Any] = source.data if isinstance(source.data, dict) else {}
        self._set = {name: Parameter(self._top / "set" / name) for name in self._mapping("set")}
        for name in self._set.keys() & (settings or {}).keys():
            text = (settings or {})[name]
            self._set[name] = Parameter(Spot(Source(f"--set {name}={text}", text)))
        self._axes = self._read_axes()
        told = self._data.get(TWIN)
        #: the twin that the file describes itself; None where it has none, or names another file
        self._twin: dict[str, Any] | None = told if isinstance(told, dict) else None
        self.cases = [Case(words) for words in self._combinations()]
        twins = {repr(twin): twin for case in self.cases if (twin := self.twin_of(case))}
        for name, number in Counter(case.name for case in (*self.cases, *twins.values())).items():
            if number > 1:
                problems.add(f"vary: {number} cases would be called {name!r}", (self._top / "vary").key)

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of its axes."""
        return tuple(self._axes)

    @property
    def settings(self) -> dict[str, str]:
        """What the names of `set` stand for, as texts."""
        return {name: str(parameter.spot.value) for name, parameter in self._set.items()}

    @property
    def all_cases(self) -> list[Case]:
        """The cases, each followed by its twin unless that was the twin of another before."""
        found: dict[str, Case] = {}
        for case in self.cases:
            found[case.name] = case
            if twin := self.twin_of(case):
                found.setdefault(twin.name, twin)
        return list(found.values())

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """K, OPc and OP in all cases: a report shows the whole file, and none of them."""
        documents = (self.document(case, Problems()).data for case in self.all_cases)
        return tuple(dict.fromkeys(key for data in documents for key in keys_in(data)))

    def find(self, name: str) -> Case | None:
        """Return the case of a name; None if there is none."""
        return next((case for case in self.all_cases if case.name == name), None)

    def twin_of(self, case: Case) -> Case | None:
        """Return the case that is the twin of another; None where the file does not describe it."""
        if self._twin is None or case.is_twin:
            return None
        own = self._twin.get("set")
        fixed = own if isinstance(own, dict) else {}
        return Case({axis: word for axis, word in case.words.items() if axis not in fixed}, is_twin=True)

    # -- what the file says

    def _mapping(self, key: str) -> dict[str, Any]:
        value = self._data.get(key) or {}
        if isinstance(value, dict):
            return value
        told = f"{key}: names with their values are expected, not {short(value)}"
        self.problems.add(told, (self._top / key).place)
        return {}

    def _read_axes(self) -> dict[str, dict[str, Parameter]]:
        """Return the axes, each with its words."""
        axes: dict[str, dict[str, Parameter]] = {}
        for axis in self._mapping("vary"):
            spot = self._top / "vary" / axis
            words = _words_of(spot)
            for word, parameter in words.items():
                if slug(word) in ("", TWIN):
                    told = f"{axis}: {short(word)} cannot name a case"
                    self.problems.add(told, parameter.spot.key)
            if not words:
                told = f"{axis}: words, or words with what they stand for, are expected, not {short(spot.value)}"
                self.problems.add(told, spot.place)
            elif axis in self._set:
                self.problems.add(f"{axis} is a name in `set` already", spot.key)
            else:
                axes[axis] = words
        return axes

    def _combinations(self) -> list[dict[str, str]]:
        """Return the words of each case, without those that `exclude` names."""
        number = math.prod(len(words) for words in self._axes.values())
        if number > _MOST_COMBINATIONS:
            told = f"vary: {number} combinations are too many (at most {_MOST_COMBINATIONS})"
            self.problems.add(told, (self._top / "vary").key)
            return [{axis: next(iter(words)) for axis, words in self._axes.items()}]
        found = [dict(zip(self._axes, words, strict=True)) for words in itertools.product(*self._axes.values())]
        excluded = self._data.get("exclude") or []
        spot = self._top / "exclude"
        if not isinstance(excluded, list) or not all(isinstance(each, dict) for each in excluded):
            self.problems.add("exclude: a list of words by axis is expected", spot.place)
            excluded = []
        for index, words in enumerate(excluded):
            kept = [each for each in found if not words.items() <= each.items()]
            if len(kept) == len(found):
                self._note_excluded_nothing(words, spot / index)
            found = kept
        if len(found) > self._most:
            told = f"vary: {len(found)} cases are too many (at most {self._most})"
            self.problems.add(told, (self._top / "vary").key, "exclude some, or make two files of it")
            return found[: self._most]
        if not found:
            self.problems.add("exclude: no case is left", spot.key)
        return found or [{}]

    def _note_excluded_nothing(self, words: Mapping[str, Any], spot: Spot) -> None:
        axis, word = next(
            ((axis, word) for axis, word in words.items() if word not in self._axes.get(axis, {})), ("", "")
        )
        if axis in self._axes:
            told = f"exclude: {axis} has no word {short(word)}"
            self.problems.add(told, (spot / axis).place, guess(str(word), self._axes[axis]))
        elif axis:
            self.problems.unknown("exclude: axis", axis, self._axes, (spot / axis).key)
        else:
            self.problems.add("exclude: there is no such case, or it is excluded already", spot.place)

    def check(self) -> None:
        """Note parameters that nothing uses, and what a twin cannot say."""
        used = set(uses_in(self._data))
        names = {use[0] for use in used}
        for name in self._set:
            if name not in names:
                self.problems.add(f"${name} is used nowhere", (self._top / "set" / name).key)
        for axis, words in self._axes.items():
            if axis not in names:
                self.problems.add(f"${axis} is used nowhere", (self._top / "vary" / axis).key)
            elif (axis,) not in used:
                self._check_keys(axis, words, {use[1] for use in used if use[0] == axis})
        self._check_step_names()
        if self._twin is not None:
            self._check_twin(self._twin)

    def _check_step_names(self) -> None:
        steps, named = self._data.get(STEPS), set()
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if not isinstance(step, dict) or NAME not in step:
                continue
            name, spot = step[NAME], self._top / STEPS / index / NAME
            if not isinstance(name, str) or not name:
                self.problems.add(f"name: a text is expected, not {short(name)}", spot.place)
            elif name in named:
                self.problems.add(f"name: another step is called {name!r}", spot.place)
            else:
                named.add(name)

    def _check_keys(self, axis: str, words: Mapping[str, Parameter], used: set[str]) -> None:
        for parameter in words.values():
            value = parameter.spot.value
            for key in value if isinstance(value, dict) else ():
                if key not in used:
                    self.problems.add(f"${axis}.{key} is used nowhere", (parameter.spot / key).key)

    def _check_twin(self, twin: dict[str, Any]) -> None:
        spot = self._top / TWIN
        for key in twin:
            if key not in TWIN_KEYS:
                self.problems.unknown("key", key, TWIN_KEYS, (spot / key).key)
        own = twin.get("set", {})
        if not twin.get("scenario"):
            self.problems.add("twin: it has a title of its own", spot.key, "add scenario: TITLE")
        if not isinstance(own, dict) or len(own) > 1:
            told = "set: a twin differs in one value, and has one name with that value"
            self.problems.add(told, (spot / "set").place)
        elif unknown := next((name for name in own if name not in self._set and name not in self._axes), ""):
            self.problems.unknown("parameter", unknown, (*self._set, *self._axes), (spot / "set" / unknown).key)
        if not any(key in twin for key in ("set", "without", "from")):
            self.problems.add("twin: say where it differs", spot.key, "by set, without or from")
        self._check_ending(twin, spot)

    def _check_ending(self, twin: dict[str, Any], spot: Spot) -> None:
        if twin.get("from") and not any(twin.get(key) for key in (*JUDGED, STEPS)):
            self.problems.add("from: the twin expects nothing from there on", (spot / "from").key, "add expect:")
        if not isinstance(twin.get(STEPS) or [], list):
            told = f"steps: a list of steps is expected, not {short(twin[STEPS])}"
            self.problems.add(told, (spot / STEPS).place)
        for key in (*JUDGED, STEPS):
            if key in twin and "from" not in twin:
                self.problems.add(f"{key}: say from which step on", (spot / key).key, "add from: NAME of a step")

    # -- documents

    @property
    def is_plain(self) -> bool:
        """Whether the file is its only case, word for word."""
        return self._twin is None and not any(key in self._data for key in (*PARAMETER_KEYS, GIVEN))

    def document(self, case: Case, problems: Problems) -> Merged:
        """Return a case as a document in which nothing is a parameter. What is wrong is noted in `problems`."""
        made = Merged(self.source.file)
        substitution = Substitution(made, self._parameters_of(case), problems)
        twin = self._top / TWIN
        own = [key for key in _HEADING if case.is_twin and self._twin and key in self._twin]
        for key in dict.fromkeys((*self._data, *own)):
            if key not in (*PARAMETER_KEYS, GIVEN, STEPS) and not (key == TWIN and (case.is_twin or self._twin)):
                told = twin / key if key in own else self._top / key
                made.data[key] = substitution.copy(told, (key,))
        StepWriter(made, substitution, problems).write(self._top, twin if case.is_twin else None)
        return made

    def _parameters_of(self, case: Case) -> dict[str, Parameter]:
        found = dict(self._set)
        for axis, word in case.words.items():
            found[axis] = self._axes[axis][word]
        if case.is_twin and self._twin is not None:
            spot = self._top / TWIN / "set"
            own = spot.value if isinstance(spot.value, dict) else {}
            found |= {name: self._chosen(name, spot / name) for name in own}
        return found

    def _chosen(self, name: str, spot: Spot) -> Parameter:
        """Return what a twin sets: of an axis it may name a word."""
        words = self._axes.get(name, {})
        return words.get(spot.value, Parameter(spot)) if isinstance(spot.value, str) else Parameter(spot)


def _words_of(axis: Spot) -> dict[str, Parameter]:
    """Return the words of an axis with what they stand for: themselves, if it is a list."""
    told = axis.value
    if isinstance(told, list) and all(isinstance(word, str) for word in told):
        return {word: Parameter(axis / index, word) for index, word in enumerate(told)}
    return {word: Parameter(axis / word, word) for word in told} if isinstance(told, dict) else {}


def headings_in(text: str, file: str) -> dict[str, dict[str, Any]]:
    """Return what each case of a file says of itself (`scenario`, `proves`, `tags`), by the case's name.

    Raises ScenarioError for what is no YAML.
    """
    outline = outline_of(text, file)
    return {case.name: outline.document(case, Problems()).data or {} for case in outline.all_cases}


def outline_of(text: str, file: str) -> CaseFile:
    """Return the cases of a file from the keys alone that tell them and what they are called; nothing is checked.

    Raises ScenarioError for what is no YAML.
    """
    heads = (found[0] for found in _OUTLINE.finditer(text))
    return CaseFile(read("".join(heads), file, Problems()), Problems())
