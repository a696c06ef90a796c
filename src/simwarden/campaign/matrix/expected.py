"""The matrix as somebody has reviewed it: a file beside the stories, so that a change that opens a bypass is seen.

Each cell is one line: what becomes of the attach, and of each service that does not follow from it (behind a refused
attach there is none, and what is not built is not).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from simwarden.campaign import engine
from simwarden.campaign.matrix.outcome import State
from simwarden.model.units import show
from simwarden.scenario.load import read_file
from simwarden.scenario.problems import Problems
from simwarden.scenario.yamlfile import Spot, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simwarden.campaign.matrix.outcome import Outcome
    from simwarden.campaign.matrix.survey import Cell, Matrix
    from simwarden.errors import Place

NAME = "expected.yaml"
_HEAD = """\
# What becomes of each misuse under each method, reviewed. Written by `simwarden matrix --accept`, and held against each
# run of `simwarden matrix`. A line that changes from blocked to leaked is a bypass that has been opened.
"""
_CAUSE = re.compile(r"(E[MS]M) cause (\d+)")


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that is not as reviewed. `expected` is empty where the file lacks it, `got` where the matrix does."""

    method: str
    misuse: str
    expected: str
    got: str
    place: Place


def cause_of(outcome: Outcome) -> str:
    """Return the cause that the deciding refusal came to on the wire, in short; empty where nothing was told."""
    cause = outcome.refusals[0].cause if outcome.refusals else ""
    found = _CAUSE.search(cause)
    return f"{found[1]} #{found[2]}" if found else cause


def told(outcome: Outcome) -> str:
    """Say what became of a service in one line."""
    if outcome.state not in (State.BLOCKED, State.DELAYED):
        return str(outcome.state.value)
    cause = cause_of(outcome)
    by = ", ".join(filter(None, (f"blocked by {outcome.refusals[0].point}", cause)))
    return by if outcome.state is State.BLOCKED else f"leaked {show(outcome.leaked)}, then {by}"


def line_of(cell: Cell, apart: frozenset[str]) -> str:
    """Say what became of a cell in one line. `apart` are the services that do not stand behind the attach."""
    first, *others = cell.outcomes.items()
    told_all = [told(first[1])]
    for name, outcome in others:
        closed = first[1].state is State.BLOCKED and name not in apart
        if outcome.state is not (State.NO_ATTACH if closed else State.NOT_BUILT):
            told_all.append(f"{name} {told(outcome)}")
    return "; ".join(told_all)


def compare(matrix: Matrix) -> list[Difference] | None:
    """Hold a matrix against the file; None if there is none. Raises ScenarioErrors, ConfigError for a bad file."""
    path = matrix.plan.folder / NAME
    if not path.is_file():
        return None
    return list(_differences(matrix, path))


def _differences(matrix: Matrix, path: Path) -> Iterator[Difference]:
    problems = Problems()
    source = read(read_file(path), str(path), problems)
    problems.raise_if_any()
    top = Spot(source)
    whole = len(matrix.methods) == len(matrix.plan.methods) and len(matrix.misuses) == len(matrix.plan.misuses)
    apart = _apart(matrix)
    for (misuse, method), cell in matrix.cells.items():
        spot = top / method / misuse
        expected, got = str(spot.value or ""), line_of(cell, apart)
        if expected != got:
            yield Difference(method, misuse, expected, got, spot.place)
    for method, held in source.data.items() if whole and isinstance(source.data, dict) else ():
        for misuse, expected in held.items() if isinstance(held, dict) else ():
            if (misuse, method) not in matrix.cells:
                yield Difference(method, misuse, str(expected), "", (top / method / misuse).key)


def _apart(matrix: Matrix) -> frozenset[str]:
    return frozenset(each.name for each in matrix.services if each.head.apart)


def write(matrix: Matrix, why: str) -> Path:
    """Write the file anew. Raises ConfigError if it cannot be written."""
    apart = _apart(matrix)
    data = {
        method.name: {cell.misuse: line_of(cell, apart) for cell in matrix.row(method.name)}
        for method in matrix.methods
    }
    head = _HEAD + "".join(f"# Accepted last: {line}\n" for line in why.splitlines())
    return engine.write(matrix.plan.folder / NAME, head + yaml.safe_dump(data, sort_keys=False, width=1000))
