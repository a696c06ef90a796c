"""What somebody has reviewed: differences that are meant, leaks that are known and open, and what changes nothing."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import yaml
from pydantic import BeforeValidator, Field

from simwarden.campaign.engine import write
from simwarden.campaign.explore.bench import AND
from simwarden.campaign.explore.plan import REVIEWED
from simwarden.errors import ConfigError
from simwarden.runtime.declare import Model
from simwarden.scenario.load import read_file
from simwarden.scenario.problems import Problems
from simwarden.scenario.validation import check
from simwarden.scenario.yamlfile import Spot, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from simwarden.campaign.explore.survey import Finding, Survey
    from simwarden.errors import Place

M = TypeVar("M", bound=Model)
_HEAD = """\
# What `simwarden explore` finds and may find, reviewed. `meant` are differences that are right, `open` leaks that are
# known and not mended yet, `silent` what no terminal can notice. Words may have * in them; each entry says why.
"""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]


class Entry(Model):
    """Some findings, and why they are there."""

    what: Patterns = Field(default_factory=lambda: ["*"])
    """What was put in: changes and faults."""
    into: Patterns = Field(default_factory=lambda: ["*"])
    """The procedures."""
    differs: Patterns = Field(default_factory=lambda: ["*"])
    """What differs (`settled mme.session`)."""
    before: Patterns = Field(default_factory=lambda: ["*"])
    """The messages before which it was put in."""
    got: Patterns = Field(default_factory=lambda: ["*"])
    """What was got instead."""
    why: str = Field(min_length=1)
    """The reason."""

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is one of these."""
        deviation = finding.deviation
        return (
            any(_fits(self.what, each) for each in (finding.what, *finding.what.split(AND)))
            and _fits(self.into, finding.procedure)
            and _fits(self.differs, deviation.name)
            and _fits(self.before, finding.message)
            and _fits(self.got, deviation.got)
        )


class Silence(Model):
    """Something that alters nothing at the far end."""

    what: Patterns
    """What is put in."""
    into: Patterns = Field(default_factory=lambda: ["*"])
    """The procedures."""
    why: str = Field(min_length=1)
    """The reason."""


def _fits(patterns: Iterable[str], word: str) -> bool:
    return any(fnmatch.fnmatchcase(word, each) for each in patterns)


@dataclass(slots=True)
class Reviewed:
    """The file, with the place of each entry."""

    meant: list[tuple[Entry, Place]] = field(default_factory=list)
    open: list[tuple[Entry, Place]] = field(default_factory=list)
    silent: list[tuple[Silence, Place]] = field(default_factory=list)

    def meaning(self, finding: Finding) -> tuple[str, str]:
        """Return `meant` or `open` with the reason, or two empty texts for what nobody has reviewed."""
        for word, entries in (("meant", self.meant), ("open", self.open)):
            for entry, _ in entries:
                if entry.covers(finding):
                    return word, entry.why
        return "", ""

    def silence(self, what: str, procedure: str) -> str:
        """Return why something alters nothing in a procedure; empty if it should."""
        found = (each.why for each, _ in self.silent if _fits(each.what, what) and _fits(each.into, procedure))
        return next(found, "")

    def idle(self, survey: Survey) -> Iterator[str]:
        """Yield the entries that nothing was found for by a survey of everything."""
        for entry, place in (*self.meant, *self.open):
            if not any(entry.covers(finding) for finding in survey.findings.values()):
                yield f"{place}: nothing of this is found any more: take it off"
        quiet = [(what, procedure) for (procedure, what), cell in survey.cells.items() if not cell.altered]
        for silence, place in self.silent:
            if not any(_fits(silence.what, what) and _fits(silence.into, into) for what, into in quiet):
                yield f"{place}: this is noticed: take it off"


def read_reviewed(folder: Path) -> Reviewed:
    """Read the file of a folder; none is an empty one. Raises ScenarioErrors, ConfigError."""
    path, found = folder / REVIEWED, Reviewed()
    if not path.is_file():
        return found
    problems = Problems()
    source = read(read_file(path), str(path), problems)
    top, data = Spot(source), source.data or {}
    found.meant = list(_entries(Entry, top / "meant", problems))
    found.open = list(_entries(Entry, top / "open", problems))
    found.silent = list(_entries(Silence, top / "silent", problems))
    for key in data:
        if key not in ("meant", "open", "silent"):
            problems.unknown("key", key, ("meant", "open", "silent"), (top / key).key)
    problems.raise_if_any()
    return found


def _entries(model: type[M], spot: Spot, problems: Problems) -> Iterator[tuple[M, Place]]:
    for index, value in enumerate(spot.value or ()):
        entry = check(model, value, spot / index, problems)
        if entry is not None:
            yield entry, (spot / index).place


def accept(folder: Path, findings: Iterable[Finding], why: str) -> Path:
    """Add findings to those that are meant. Raises ConfigError if that cannot be written, or nobody says why."""
    if not why:
        raise ConfigError("--accept: say why these are meant")
    path = folder / REVIEWED
    data = (yaml.safe_load(read_file(path)) if path.is_file() else None) or {}
    entries: dict[tuple[str, str, str], list[str]] = {}
    for each in findings:
        entries.setdefault((each.what, each.procedure, each.deviation.name), []).append(each.message)
    added = [
        {"what": what, "into": into, "differs": differs, "before": sorted(set(messages)), "why": why}
        for (what, into, differs), messages in entries.items()
    ]
    data["meant"] = [*(data.get("meant") or []), *added]
    return write(path, _HEAD + yaml.safe_dump(data, sort_keys=False, width=120, allow_unicode=True))
