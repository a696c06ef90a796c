"""The page of an exploration: a grid of procedures by what was put in, each cell with its findings and ladders."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simwarden.campaign.engine import Page
from simwarden.campaign.explore.repeat import kept_as, scenario_of
from simwarden.scenario.failure import messages_around

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.campaign.explore.survey import Cell, Finding
    from simwarden.campaign.explore.table import Judged

#: findings of a cell whose ladders are drawn: of those that nobody has reviewed, and of others
_DRAWN = {"new": 3, "open": 1, "meant": 1}


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as the page shows it: `state` is `new`, `open` or `meant`, with the reason of the latter two.

    `kept` is the name of the scenario that a report folder keeps of it.
    """

    finding: Finding
    state: str
    why: str
    kept: str = ""
    ladder: tuple[str, ...] = ()
    scenario: str = ""


@dataclass(slots=True)
class Square:
    """A cell of the grid."""

    id: str
    tone: str
    word: str
    told: str
    cell: Cell
    shown: list[Shown] = field(default_factory=list)


_ABOUT = (
    "A cell says at how many of its points what was put in altered what came; choose one for what was found there. "
    "Each run is held against the one in which the change was in force before the first attach, or that without the "
    "fault."
)


def page_of(judged: Judged) -> Page:
    """Return the page. Runs whose ladder is shown are run again."""
    survey = judged.survey
    procedures = list(dict.fromkeys(procedure for procedure, _ in survey.cells))
    names = list(dict.fromkeys(what for _, what in survey.cells))
    grid = {what: [_square(judged, procedure, what) for procedure in procedures] for what in names}
    pairs = [each for each in _all(judged) if (each.finding.procedure, each.finding.what) not in survey.cells]
    tones = [square.tone for row in grid.values() for square in row if square]
    return Page(
        score=str(survey.runs),
        counted="runs, each with something put in before one message",
        tones=sorted(tones, key=("good", "none", "open", "bad").index),
        about=_ABOUT,
        content={"procedures": procedures, "grid": grid, "pairs": [_drawn(judged, each) for each in pairs]},
    )


def _all(judged: Judged) -> Iterator[Shown]:
    yield from (Shown(each, "new", "", kept_as(number, each)) for number, each in enumerate(judged.new, 1))
    yield from (Shown(each, "open", why) for each, why in judged.open)
    yield from (Shown(each, "meant", why) for each, why in judged.meant)


def _square(judged: Judged, procedure: str, what: str) -> Square | None:
    cell = judged.survey.cells.get((procedure, what))
    if cell is None:
        return None
    found = [each for each in _all(judged) if (each.finding.procedure, each.finding.what) == (procedure, what)]
    states = {each.state for each in found}
    silence = next((why for into, name, why in judged.silent if (into, name) == (procedure, what)), "")
    vacuous = any((into, name) == (procedure, what) for into, name, _ in judged.vacuous)
    tone = "bad" if "new" in states or vacuous else "open" if "open" in states else "good" if cell.altered else "none"
    word = f"{cell.altered}/{cell.tried}" + "".join(mark for state, mark in _MARKS.items() if state in states)
    told = f"altered what came at {cell.altered} of {cell.tried} points" + (f"; {silence}" if silence else "")
    shown = [_drawn(judged, each) if number < _DRAWN[each.state] else each for number, each in enumerate(found)]
    return Square(f"{what}.{procedure}", tone, word, told, cell, shown)


_MARKS = {"new": " !", "open": " ?", "meant": " ~"}


def _drawn(judged: Judged, shown: Shown) -> Shown:
    """Run the first run of a finding again, for its ladder and for a scenario by which it can be repeated."""
    first = shown.finding.first
    here = judged.survey.wanted.bench(first.story, first.change)
    result = here.run(dict(first.put)).result
    lanes = {lane.name: lane.order for lane in result.lanes}
    ladder = messages_around(result.events, here.frame(first.put[0][0]).number, lanes)
    text = scenario_of(here, shown.finding) if shown.state == "new" else ""
    return replace(shown, ladder=ladder, scenario=text)
