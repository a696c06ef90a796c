"""The campaign `explore`: base scenarios with something put in before each message, compared with other runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from simwarden.campaign.explore.bench import AND, plan_of
from simwarden.campaign.explore.repeat import alone, kept_as, scenario_of
from simwarden.campaign.explore.runs import DeviationGroup, ExploredRuns, Wanted, explore
from simwarden.campaign.grid import Finding, Grid, Order, Score, check_names
from simwarden.campaign.record import NAME, Entry, Record
from simwarden.campaign.tables import Cell, Column, Detail, Row, Table
from simwarden.errors import ConfigError, NothingError, ScenarioError
from simwarden.scenario.during import MISHAPS
from simwarden.scenario.failure import messages_around

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: what an element may suffer, in words of `--fault`
_ELEMENT_FAULTS: Final = ("restarted", "killed", "silent", "slow")
#: the axes of the record and its outcomes: a difference that is right, a known leak, and what no terminal can notice
AXES: Final = ("what", "into", "differs", "before", "got")
MEANT, OPEN, SILENT = OUTCOMES = ("meant", "open", "silent")
NEW: Final = "new"
#: messages that a finding names beside its first
_NAMED = 6
#: deviations of a cell whose ladders are drawn, by their outcome
_DRAWN = {NEW: 3, OPEN: 1, MEANT: 1}
_MARKS = {NEW: " !", OPEN: " ?", MEANT: " ~"}
_ABOUT = (
    "A cell says at how many of its points what was put in altered what came; choose one for what was found there. "
    "! is not as reviewed, ? known and open, ~ differs and is meant to. Each run is held against the one in which the "
    "change was in force before the first attach, or that without the fault."
)


def read_record(folder: Path) -> Record:
    """Read the record of a folder. Raises ScenarioErrors, ConfigError."""
    record = Record(folder / NAME, AXES, OUTCOMES).load()
    for entry in record.entries:
        if entry.outcome == SILENT and "what" not in entry.words:
            raise ScenarioError("key 'what' is missing", entry.place)
    return record


def _words(group: DeviationGroup) -> dict[str, Sequence[str]]:
    """Return the words that the patterns of an entry are compared with: of a pair, both together and each."""
    return {
        "what": (group.what, *group.what.split(AND)),
        "into": (group.procedure,),
        "differs": (group.deviation.name,),
        "before": (group.message,),
        "got": (group.deviation.got,),
    }


def _cell_words(procedure: str, what: str) -> dict[str, Sequence[str]]:
    return {"what": (what,), "into": (procedure,), "differs": ("",), "before": ("",), "got": ("",)}


@dataclass
class Explore(Grid):
    """Base scenarios of a folder with changes and faults put in, all or those that are wanted.

    `outcomes` are the groups of runs that deviate alike, each with its entry of the record, if there is one.
    """

    name: ClassVar[str] = "explore"

    wanted: Wanted
    explored: ExploredRuns = field(init=False)
    outcomes: list[tuple[DeviationGroup, Entry | None]] = field(default_factory=list)
    #: procedure and what was put in, where no terminal noticed it and no entry says why
    vacuous: list[tuple[str, str]] = field(default_factory=list)
    #: the entries of those for which one says why
    silent: dict[tuple[str, str], Entry] = field(default_factory=dict)
    #: entries of the record for which nothing is found
    idle: list[str] = field(default_factory=list)

    def carry_out(self, order: Order) -> None:
        """See Grid."""
        wanted, plan = self.wanted, plan_of(self.wanted.folder)
        element_faults = [each for each in wanted.faults if each.partition("-")[0] in _ELEMENT_FAULTS]
        check_names(wanted.stories, plan.stories, "story")
        check_names(wanted.changes, plan.changes, "change")
        check_names(wanted.faults, [*MISHAPS, *_ELEMENT_FAULTS, *element_faults], "fault")
        record = read_record(Path(wanted.folder))
        self.judge(explore(replace(wanted, seed=order.seed), order), record)
        if not (self.explored.planned or self.explored.unseen or self.tried):
            why = "; ".join(f"{where}: {why}" for where, why in self.explored.unjudged.items())
            raise NothingError(f"nothing was chosen: {why or 'no change asked for makes sense in these stories'}")

    def judge(self, found: ExploredRuns, record: Record) -> None:
        """Compare runs with the record. Only all of them together show that something is silent or gone."""
        self.explored, self.wanted = found, found.wanted
        self.tried, self.left = found.runs or len(found.broken), found.planned - found.runs
        groups = found.findings.values()
        self.outcomes = [(each, record.find(_words(each), MEANT) or record.find(_words(each), OPEN)) for each in groups]
        quiet = [(procedure, what) for (procedure, what), cell in found.cells.items() if not cell.altered]
        entries = {each: record.find(_cell_words(*each), SILENT) for each in quiet}
        self.silent = {each: entry for each, entry in entries.items() if entry}
        self.vacuous = [each for each, entry in entries.items() if found.whole and not entry and "+" not in each[1]]
        wanted, self.idle = found.wanted, []
        if found.whole and not (wanted.stories or wanted.changes or wanted.faults or wanted.network):
            for entry in record.entries:
                silent = entry.outcome == SILENT
                there = (_cell_words(*each) for each in quiet) if silent else map(_words, groups)
                if not any(map(entry.covers, there)):
                    why = "this is noticed" if silent else "nothing of this is found any more"
                    self.idle.append(f"{entry.place}: {why}: take it off")

    def those(self, outcome: str) -> list[DeviationGroup]:
        """Return the groups with an outcome."""
        return [group for group, entry in self.outcomes if (entry.outcome if entry else NEW) == outcome]

    @property
    def new(self) -> list[DeviationGroup]:
        """The groups that are not in the record."""
        return self.those(NEW)

    def _alike(self) -> dict[tuple[str, str, str], list[DeviationGroup]]:
        """Return the groups that are new by what was put in, into which procedure, and what differs."""
        alike: dict[tuple[str, str, str], list[DeviationGroup]] = {}
        for group in self.new:
            alike.setdefault((group.what, group.procedure, group.deviation.name), []).append(group)
        return alike

    def accept(self, why: str) -> list[Path]:
        """See Grid: what is new is taken for meant."""
        if not self.new:
            return []
        if not why:
            raise ConfigError("--accept: say why these are meant")
        rows = []
        for (what, into, differs), groups in self._alike().items():
            before = sorted({group.message for group in groups})
            row = {"outcome": MEANT, "what": what, "into": into, "differs": differs, "before": before, "why": why}
            rows.append(row)
        written = read_record(Path(self.wanted.folder)).append(rows)
        self.judge(self.explored, read_record(Path(self.wanted.folder)))
        return [written]

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield a scenario of each group that is new."""
        for number, group in enumerate(self.new, 1):
            here = self.wanted.bench(group.first.story, group.first.change)
            yield f"explore/{kept_as(number, group)}.yaml", scenario_of(here, group)

    # -- what is shown

    def summary(self) -> str:
        """See Grid."""
        cells = self.explored.cells.values()
        return (
            f"{self.explored.runs} runs, {len(cells)} pairs of a procedure and what was put in; it altered "
            f"{sum(cell.altered for cell in cells)}; findings: {len(self.new)} new, {len(self.those(OPEN))} open, "
            f"{len(self.those(MEANT))} meant; {len(self.silent)} pairs silent by review"
        )

    def findings(self) -> Iterator[Finding]:
        """See Grid."""
        for where, fault in self.explored.broken.items():
            yield Finding(f"{where}: the story does not come to its end: {fault}")
        yield from map(_finding, self._alike().values())
        for procedure, what in self.vacuous:
            tried = self.explored.cells[procedure, what].tried
            yield Finding(f"{what} in {procedure}: it altered nothing at any of {tried} points")
        yield from map(Finding, self.idle)

    def tables(self) -> Iterator[Table]:
        """See Grid: known leaks, and on the page a row for each change and fault, with a column a procedure."""
        unseen = f"{self.explored.unseen} stories with a change: no time to look what can be tried in them"
        lines = [unseen] if self.explored.unseen else []
        lines += [f"{where}: cannot be judged: {why}" for where, why in self.explored.unjudged.items()]
        known: dict[str, list[DeviationGroup]] = {}
        for group, entry in self.outcomes:
            if entry and entry.outcome == OPEN:
                known.setdefault(entry.why, []).append(group)
        lines += [_open(why, groups) for why, groups in known.items()]
        if lines:
            yield Table([Column()], [[line] for line in lines])
        keys = dict.fromkeys((*self.explored.cells, *((each.procedure, each.what) for each, _ in self.outcomes)))
        procedures = list(dict.fromkeys(procedure for procedure, _ in keys))
        rows: list[Row] = [
            [what, *(self._cell(procedure, what) if (procedure, what) in keys else "" for procedure in procedures)]
            for what in dict.fromkeys(what for _, what in keys)
        ]
        yield Table([Column("Put in"), *map(Column, procedures)], rows, crossed=True, on_page=True)

    def _cell(self, procedure: str, what: str) -> Cell:
        """Return a cell; of a pair of changes or faults only what was found."""
        cell = self.explored.cells.get((procedure, what))
        here = [each for each in self.outcomes if (each[0].procedure, each[0].what) == (procedure, what)]
        states = {_state(entry) for _, entry in here}
        bad, altered = NEW in states or (procedure, what) in self.vacuous, cell is not None and cell.altered
        tone = "bad" if bad else "open" if OPEN in states else "good" if altered else "none"
        text = (f"{cell.altered}/{cell.tried}" if cell else "") + "".join(_MARKS[each] for each in sorted(states))
        return Cell(text, tone, id=f"{what}.{procedure}", opens=partial(self._panel, procedure, what, here))

    def _panel(self, procedure: str, what: str, here: list[tuple[DeviationGroup, Entry | None]]) -> Detail:
        cell, entry = self.explored.cells.get((procedure, what)), self.silent.get((procedure, what))
        lines = [f"altered what came at {cell.altered} of {cell.tried} points"] if cell else []
        lines += [entry.why] if entry else []
        parts = [
            self._detail(group, each, drawn=number < _DRAWN[_state(each)]) for number, (group, each) in enumerate(here)
        ]
        return Detail(f"{what} in {procedure}", [*lines, *([] if parts else ["All is as it must be."])], parts=parts)

    def _detail(self, group: DeviationGroup, entry: Entry | None, *, drawn: bool) -> Detail:
        """Return the details of a group; to draw its ladder its first run is made again."""
        deviation, first = group.deviation, group.first
        points = f", at {group.count} points" if group.count > 1 else ""
        rows: list[Row] = [["want", deviation.want], ["got", deviation.got]]
        rows += [["why", entry.why]] if entry else []
        ladder: Sequence[str] = ()
        if drawn:
            here = self.wanted.bench(first.story, first.change)
            result = here.run(dict(first.put)).result
            lanes = {lane.name: lane.order for lane in result.lanes}
            ladder = messages_around(result.events, here.frame(first.put[0][0]).number, lanes)
        if entry is None:
            name = kept_as(self.new.index(group) + 1, group)
            rows.append(["The whole ladder", Cell(name, run=name)])
        lines = [f"{_state(entry)}: {deviation.kind}: {deviation.subject}{points}"]
        return Detail(f"{group.what} before {first.point}", lines, rows, ladder)

    def cases(self) -> Iterator[dict[str, Any]]:
        """See Grid: the cells, and the groups of runs that deviate alike."""
        for (procedure, what), cell in self.explored.cells.items():
            entry = self.silent.get((procedure, what))
            outcome = {"tried": cell.tried, "altered": cell.altered}
            yield {"case": f"{what}/{procedure}", "outcome": outcome, "why": entry.why if entry else ""}
        for group, entry in self.outcomes:
            yield {
                "case": f"{group.what}/{group.procedure}/{group.message}/{group.deviation.name}",
                "outcome": _state(entry),
                "why": entry.why if entry else "",
                "want": group.deviation.want,
                "got": group.deviation.got,
                "points": group.count,
                "story": group.first.story,
                "change": group.first.change,
                "put": [{"point": number, "what": what} for number, what in group.first.put],
            }

    def score(self) -> Score:
        """See Grid."""
        tones = sorted(
            (self._cell(*each).tone for each in self.explored.cells), key=["good", "none", "open", "bad"].index
        )
        return Score(str(self.explored.runs), "runs, each with something put in before one message", tones, _ABOUT)


def _state(entry: Entry | None) -> str:
    return str(entry.outcome) if entry else NEW


def _finding(groups: Sequence[DeviationGroup]) -> Finding:
    """Return the finding of groups that differ in nothing but the message."""
    group, many = groups[0], sum(each.count for each in groups)
    deviation, first = group.deviation, group.first
    points = f", the first of {many} points" if many > 1 else ""
    also = _listed((each.message for each in groups[1:]), _NAMED)
    lines = (
        f"  - want  {deviation.want}",
        f"  + got   {deviation.got}",
        f"also before {also}" if also else "",
        f"alone: {alone(group)}",
    )
    what = f"{group.what} in {group.procedure}, before {first.point}{points}: {deviation.kind} {deviation.subject}"
    return Finding(what, tuple(filter(None, lines)))


def _open(why: str, groups: Sequence[DeviationGroup]) -> str:
    """Return a known leak in a line."""
    things, procedures = _listed(each.what for each in groups), _listed(each.procedure for each in groups)
    differs, points = _listed(each.deviation.name for each in groups), sum(each.count for each in groups)
    return f"open: {things} in {procedures}: {differs} ({points}): {why}"


def _listed(words: Iterable[str], most: int | None = None) -> str:
    return ", ".join([*dict.fromkeys(words)][:most])
