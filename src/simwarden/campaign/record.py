"""The reviewed record of a campaign: `reviewed.yaml` in the folder of its files, a list of entries.

    - {case: phone/hss-given, outcome: "blocked by hss/bind.hss.given, EMM #8"}
    - {case: blast-eir/killed/open, outcome: {good: 50, hurt: 0}, why: the EIR fails open}
    - {what: prohibited, differs: "enforced *", outcome: meant, why: S13 has no push}
    - {case: [tau/none, swap/none], outcome: leaked}

The words of an entry are patterns, or lists of them; `case` names one case or several. A case that is not in the
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
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from simwarden.errors import Place

NAME = "reviewed.yaml"
#: columns after which yaml breaks an entry at the next blank
_WIDTH = 88
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
            want = entry.outcome if entry else ""
            if want != got:
                was, now, remark = explain(case, want, got)
                lines = (f"- expected  {was or 'nothing: not in the record'}", f"+ got       {now}")
                yield Finding(f"{entry.place if entry else self.path}: {case}{remark and f': {remark}'}", lines)
        for case, entry in known.items():
            if case not in found and is_expected(case):
                yield Finding(
                    f"{entry.place}: {case}", (f"- expected  {short(entry.outcome)}", "+ got       no such case")
                )

    def accept(self, found: Mapping[str, Outcome], why: str, is_expected: Callable[[str], bool]) -> Path:
        """Write the outcomes of cases, with the others of the record; an outcome that is new gets the reason."""
        known = self.by_case
        entries = {case: entry for case, entry in known.items() if case in found or not is_expected(case)}
        outcomes = {case: (entry.outcome, entry.why) for case, entry in entries.items()}
        new = (case for case, got in found.items() if case not in known or known[case].outcome != got)
        outcomes |= {case: (found[case], why) for case in new}
        text = "".join(f"- {_flow(row)}\n" for row in _rows(outcomes))
        return write(self.path, self._head() + text)

    def _head(self) -> str:
        """Return the comments at the top of the file."""
        lines = read_file(self.path).splitlines(keepends=True) if self.path.is_file() else [_HEAD]
        return "".join(itertools.takewhile(lambda line: line.startswith("#"), lines))

    def append(self, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Add entries at the end of the file."""
        text = read_file(self.path) if self.path.is_file() else ""
        return write(self.path, text + "".join(f"- {_flow(row)}\n" for row in rows))


def _rows(outcomes: Mapping[str, tuple[Outcome, str]]) -> Iterator[dict[str, Any]]:
    """Yield the entries of cases, one for those with the same outcome and reason."""
    groups: dict[str, list[str]] = {}
    for case, reviewed in outcomes.items():
        groups.setdefault(repr(reviewed), []).append(case)
    for cases in groups.values():
        outcome, why = outcomes[cases[0]]
        named = cases if len(cases) > 1 else cases[0]
        plain = outcome if isinstance(outcome, str) else dict(outcome)
        yield {CASE: named, OUTCOME: plain, **({WHY: why} if why else {})}


def _flow(row: Mapping[str, Any]) -> str:
    """Return an entry in flow style, in lines of at most 120 columns."""
    return yaml.safe_dump(dict(row), default_flow_style=True, sort_keys=False, width=_WIDTH, allow_unicode=True).strip()


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _figure(text: Any, spot: Spot, problems: Problems) -> Figure:
    if text in ("", "null"):
        return None
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except (AttributeError, ValueError):
        problems.add(f"a number is expected, not {short(text)}", spot.place)
        return None
