"""The page of a matrix: one file without script. A cell opens what is known of it, by a link of the page itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.campaign.engine import Page
from simwarden.campaign.matrix.expected import cause_of
from simwarden.campaign.matrix.outcome import State
from simwarden.campaign.matrix.table import word_of
from simwarden.model.units import show

if TYPE_CHECKING:
    from simwarden.campaign.matrix.outcome import Outcome
    from simwarden.campaign.matrix.survey import Cell, Matrix

_TONES = {
    State.BLOCKED: "good",
    State.NO_ATTACH: "good",
    State.DELAYED: "open",
    State.LEAKED: "bad",
    State.NOT_BUILT: "none",
    State.UNEXPLAINED: "open",
    State.BROKEN: "open",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One outcome as the page shows it: the service, a colour, a word and a sentence."""

    service: str
    tone: str
    word: str
    told: str


_ABOUT = (
    "Each cell is the story of a misuse with a method in force, run over real bytes and judged by its trace: whether "
    "the misuser was in service, and which control refused. The strip below a word is one mark a service; choose a "
    "cell for all of it."
)


def page_of(matrix: Matrix) -> Page:
    """Return the page: the table of the attach, a strip of all services in each cell, and the details of each."""
    cells = {method.name: [_cell(matrix, cell) for cell in matrix.row(method.name)] for method in matrix.methods}
    tones = [_TONES[cell.attach.state] for cell in matrix.cells.values()]
    return Page(
        score=f"{len(matrix.misuses)} × {len(matrix.methods)}",
        counted=f"misuses against methods, {len(matrix.services)} services and paths",
        tones=sorted(tones, key=("good", "open", "bad", "none").index),
        about=_ABOUT,
        content={
            "matrix": matrix,
            "rows": cells,
            "services": [_column(matrix, each.name) for each in matrix.services],
        },
    )


def _cell(matrix: Matrix, cell: Cell) -> dict[str, object]:
    shown = [Shown(each.label, *_shown(cell.outcomes[each.name])) for each in matrix.services]
    return {
        "id": f"{cell.method}.{cell.misuse}",
        "cell": cell,
        "word": word_of(cell.attach),
        "tone": _TONES[cell.attach.state],
        "shown": shown,
        "tip": f"{cell.misuse} / {cell.method}: {shown[0].told}",
    }


def _shown(outcome: Outcome) -> tuple[str, str, str]:
    return _TONES[outcome.state], outcome.state.value, _sentence(outcome)


def _sentence(outcome: Outcome) -> str:
    """Say what became of a service, in a sentence."""
    if outcome.state is State.NOT_BUILT:
        return f"missing: {outcome.missing}"
    if outcome.state is State.NO_ATTACH:
        return f"by the same refusal: {outcome.refusals[0].point}" if outcome.refusals else "the attach is refused"
    if outcome.state in (State.BLOCKED, State.DELAYED):
        by = outcome.refusals[0]
        cause = f"; told: {by.cause} ({by.interface})" if cause_of(outcome) else "; nothing was sent"
        late = f"in service for {show(outcome.leaked)}, then " if outcome.state is State.DELAYED else ""
        return f"{late}{by.element}, {by.control} ({by.clause}): {by.reason}{cause}"
    if outcome.state is State.LEAKED:
        return "in service to the end of the story"
    return outcome.missing or "not in service, and no control refused"


def _column(matrix: Matrix, name: str) -> dict[str, object]:
    service = matrix.plan.services[name]
    counts = [(state.value, _TONES[state], matrix.count(name, state)) for state in State]
    return {"service": service, "counts": [each for each in counts if each[2]]}
