"""The reviewed record of a campaign: `reviewed.yaml` in the folder of its files, a list of entries.

    - {case: phone/hss-given, outcome: "blocked by hss/bind.hss.given, EMM #8"}
    - {case: blast-eir/killed/open, outcome: {good: 50, thieves_in: 3}, why: the EIR fails open}
    - {what: prohibited, differs: "enforced *", outcome: meant, why: S13 has no push}
    - {case: [[[tau, swap], [none, form-odd]], area/none], outcome: leaked}

The words of an entry are patterns, or lists of them. `case` is one case or a list; a list inside it names cases by
their words, where a list of words means each of them. A figure that is not written is 0. A case that is not in the
record, or has another outcome, is a finding.
"""

from __future__ import annotations

import fnmatch
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from simwarden.campaign.grid import Finding, write
from simwarden.scenario.load import read_file
from simwarden.scenario.problems import Problems
from simwarden.scenario.validation import short
from simwarden.scenario.yamlfile import Spot, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from simwarden.errors import Place

NAME = "reviewed.yaml"
_HEAD = "# Outcomes that were reviewed. `--accept WHY` writes this file.\n"
CASE, OUTCOME, WHY = "case", "outcome", "why"
Figure: TypeAlias = "int | float | None"
"""A count, a rate or seconds of virtual time; None if the event did not occur."""
Outcome: TypeAlias = "str | Mapping[str, Figure]"


@dataclass(frozen=True, slots=True)
class Entry:
    """Patterns by axis, the accepted outcome, and the reason."""

    words: Mapping[str, Sequence[str]]
    outcome: Outcome
    why: str
    place: Place

    def expect(self, got: Outcome) -> Outcome:
        """Return the accepted outcome, with 0 for figures that only the other one has."""
        if isinstance(self.outcome, str) or isinstance(got, str):
            return self.outcome
        return {**dict.fromkeys(got, 0), **self.outcome}

    def covers(self, case: Mapping[str, Sequence[str]]) -> bool:
        """Return True if on each axis a pattern fits a word of the case."""
        return all(
            any(fnmatch.fnmatchcase(word, pattern) for word in case[axis] for pattern in patterns)
            for axis, patterns in self.words.items()
        )


@dataclass(slots=True)
class Record:
    """The record in a file. Its entries name cases, or have patterns for `axes` and an outcome among `outcomes`."""

    path: Path
    axes: Sequence[str] = (CASE,)
    outcomes: Sequence[str] = ()
    entries: list[Entry] = field(default_factory=list)

    def load(self) -> Record:
        """Read the file, which may be missing. Raises ScenarioErrors, or ConfigError if it cannot be read."""
        if not self.path.is_file():
            return self
        problems = Problems()
        source = read(read_file(self.path), str(self.path), problems)
        top = Spot(source)
        if source.data is not None and not isinstance(source.data, list):
            problems.add("a list of entries is expected", top.place)
        for index in range(len(source.data) if isinstance(source.data, list) else 0):
            self._load_entry(top / index, problems)
        problems.raise_if_any()
        return self

    def _load_entry(self, spot: Spot, problems: Problems) -> None:
        value, known = spot.value, (*self.axes, OUTCOME, WHY)
        if not isinstance(value, dict):
            problems.add(f"an entry with {', '.join(known)} is expected, not {short(value)}", spot.place)
            return
        for key in value:
            if key not in known:
                problems.unknown("key", key, known, (spot / key).key)
        required = {CASE: CASE in self.axes, OUTCOME: True, WHY: bool(self.outcomes)}
        for key in filter(required.__getitem__, required):
            if not value.get(key):
                problems.add(f"key {key!r} is missing", spot.place)
        outcome = value.get(OUTCOME, "")
        if self.outcomes and outcome and outcome not in self.outcomes:
            problems.unknown(OUTCOME, str(outcome), self.outcomes, (spot / OUTCOME).place)
        if isinstance(outcome, dict):
            outcome = {name: _figure(text, spot / OUTCOME / name, problems) for name, text in outcome.items()}
        words = {axis: _listed(value[axis]) for axis in self.axes if value.get(axis)}
        self.entries.append(Entry(words, outcome, str(value.get(WHY, "")), spot.place))

    @property
    def by_case(self) -> dict[str, Entry]:
        """The entries by the case that they name."""
        return {case: each for each in self.entries for case in each.words[CASE]}

    def find(self, case: Mapping[str, Sequence[str]], *outcomes: str) -> Entry | None:
        """Return the first entry that covers a case, of those with one of some outcomes."""
        return next((each for each in self.entries if each.outcome in outcomes and each.covers(case)), None)

    def compare(
        self,
        found: Mapping[str, Outcome],
        is_expected: Callable[[str], bool],
        explain: Callable[[str, Outcome, Outcome], tuple[str, str, str]],
    ) -> Iterator[Finding]:
        """Yield a finding for each case whose outcome is not that of the record, or that is in one of both only.

        `is_expected` is False for a case that need not be found; `explain` returns both outcomes in words and a remark.
        """
        known = self.by_case
        for case, got in found.items():
            entry = known.get(case)
            want = entry.expect(got) if entry else ""
            if want != got:
                was, now, remark = explain(case, want, got)
                lines = (f"- expected  {was or 'nothing: not in the record'}", f"+ got       {now}")
                yield Finding(f"{entry.place if entry else self.path}: {case}{remark and f': {remark}'}", lines)
        for case, entry in known.items():
            if case not in found and is_expected(case):
                lines = (f"- expected  {short(entry.outcome)}", "+ got       no such case")
                yield Finding(f"{entry.place}: {case}", lines)

    def accept(self, found: Mapping[str, Outcome], why: str, is_expected: Callable[[str], bool]) -> Path:
        """Write the outcomes of cases, with the others of the record; an outcome that is new gets the reason."""
        known = self.by_case
        kept = {case: (old.outcome, old.why) for case, old in known.items() if case in found or not is_expected(case)}
        kept |= {case: (got, why) for case, got in found.items() if case not in known or known[case].expect(got) != got}
        lines = read_file(self.path).splitlines(keepends=True) if self.path.is_file() else [_HEAD]
        head = itertools.takewhile(lambda line: line.startswith("#"), lines)
        return write(self.path, "".join(head) + _text(_rows(kept)))

    def append(self, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Add entries at the end of the file."""
        text = read_file(self.path) if self.path.is_file() else ""
        return write(self.path, text + _text(rows))


def _rows(outcomes: Mapping[str, tuple[Outcome, str]]) -> list[dict[str, Any]]:
    """Return the entries of cases, one for those with the same outcome and reason."""
    rows: dict[str, dict[str, Any]] = {}
    for case, (outcome, why) in outcomes.items():
        figures = {} if isinstance(outcome, str) else outcome
        brief = {key: int(n) if isinstance(n, float) and n.is_integer() else n for key, n in figures.items() if n != 0}
        row: dict[str, Any] = {CASE: [], OUTCOME: brief or outcome, **({WHY: why} if why else {})}
        rows.setdefault(repr(row), row)[CASE].append(case)
    return [row | {CASE: _merge(row[CASE]) if row[CASE][1:] else row[CASE][0]} for row in rows.values()]


def _merge(cases: Iterable[str]) -> list[Any]:
    """Return cases with those that differ in one word as one: the words of a case, with a list in that place."""
    merged = [[[word] for word in case.split("/")] for case in sorted(cases)]
    for axis in range(max(map(len, merged))):
        alike: dict[str, list[list[str]]] = {}
        for case in merged:
            first = alike.setdefault(repr([case[:axis] + case[axis + 1 :] or case, len(case)]), case)
            if first is not case:
                first[axis] += case[axis]
        merged = list(alike.values())
    plain = [[words if words[1:] else words[0] for words in case] for case in merged]
    return [case if any(isinstance(each, list) for each in case) else "/".join(map(str, case)) for case in plain]


def _text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return entries in lines that break at the first blank after 88 columns."""
    return yaml.safe_dump(list(rows), default_flow_style=None, sort_keys=False, width=88, allow_unicode=True)


def _listed(value: Any) -> list[str]:
    """Return words; a list among them is cases by their words, one for each word of a list in it."""
    if not isinstance(value, list):
        return [str(value)]
    named = (map(_listed, each if isinstance(each, list) else [each]) for each in value)
    return ["/".join(words) for case in named for words in itertools.product(*case)]


def _figure(text: Any, spot: Spot, problems: Problems) -> Figure:
    if text in ("", "null"):
        return None
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except (AttributeError, ValueError):
        problems.add(f"a number is expected, not {short(text)}", spot.place)
        return None
