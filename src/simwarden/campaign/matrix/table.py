"""The matrix for people in a terminal, and for machines."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any

from simwarden.campaign.engine import Wrong
from simwarden.campaign.matrix.expected import cause_of
from simwarden.campaign.matrix.outcome import State
from simwarden.model.units import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simwarden.campaign.matrix.expected import Difference
    from simwarden.campaign.matrix.outcome import Outcome, Refusal
    from simwarden.campaign.matrix.plan import Misuse, Service
    from simwarden.campaign.matrix.survey import Cell, Matrix

_WORDS = {
    State.LEAKED: "LEAK",
    State.NO_ATTACH: "-",
    State.NOT_BUILT: "n/b",
    State.UNEXPLAINED: "??",
    State.BROKEN: "broken",
}
#: columns of a table that goes into a pipe
_COLUMNS = 120
#: how cells are read, for whoever sees the table for the first time
KEY = (
    "hss #8   blocked by this kind of element, the terminal was told this EMM cause; without: no such cause was sent\n"
    "18h>cmp  leaked so long, then blocked by this kind\n"
    "LEAK     in service to the end; n/b: not built; -: blocked with the attach; !: refuses the legitimate too"
)


def word_of(outcome: Outcome) -> str:
    """Say what became of a service in a word of a table."""
    if outcome.state not in (State.BLOCKED, State.DELAYED):
        return _WORDS[outcome.state]
    kind = outcome.refusals[0].kind
    if outcome.state is State.DELAYED:
        return f"{show(outcome.leaked).replace(' ', '')}>{kind}"
    cause = re.fullmatch(r"EMM (#\d+)", cause_of(outcome))
    return f"{kind} {cause[1]}" if cause else kind


def lines_of(matrix: Matrix, services: Sequence[Service]) -> Iterator[str]:
    """Yield the table of each service, what the words stand for, and the sum by service."""
    width = max(60, shutil.get_terminal_size((_COLUMNS, 40)).columns if os.isatty(1) else _COLUMNS)
    for service in services:
        yield f"{service.head.title}:"
        yield from _table(matrix, service, width)
        yield ""
    yield KEY
    yield ""
    yield from _columns([(each.name, each.head.misuse) for each in matrix.misuses])
    yield ""
    yield from _legend(matrix)
    yield ""
    yield from _sums(matrix)


def _table(matrix: Matrix, service: Service, width: int) -> Iterator[str]:
    words = {
        key: word_of(cell.outcomes[service.name]) + "!" * bool(cell.unserved) for key, cell in matrix.cells.items()
    }
    column = max((len(word) for word in (*words.values(), *(each.name for each in matrix.misuses))), default=0) + 1
    first = max((len(each.name) for each in matrix.methods), default=0) + 1
    many = max(1, (width - first + 1) // column)
    for start in range(0, len(matrix.misuses), many):
        part = matrix.misuses[start : start + many]
        if start:
            yield ""
        previous: tuple[str, ...] = ()
        yield f"{'':{first}}" + "".join(f"{each.name:<{column}}" for each in part).rstrip()
        for method in matrix.methods:
            if method.members and not previous:
                yield ""  # what is combined stands apart
            previous = method.members
            row = "".join(f"{words[each.name, method.name]:<{column}}" for each in part)
            yield f"{method.name:{first}}{row}".rstrip()


def _legend(matrix: Matrix) -> Iterator[str]:
    """Yield each point of enforcement that decided, with its causes and how often."""
    found: dict[str, tuple[Refusal, dict[str, None], int]] = {}
    for cell in matrix.cells.values():
        for outcome in cell.outcomes.values():
            if outcome.state in (State.BLOCKED, State.DELAYED):
                refusal = outcome.refusals[0]
                _, causes, count = found.get(refusal.point, (refusal, {}, 0))
                causes[cause_of(outcome) or "nothing sent"] = None
                found[refusal.point] = refusal, causes, count + 1
    table = [("blocked by", "clause", "cells", "told")]
    table += [(point, r.clause, str(count), ", ".join(causes)) for point, (r, causes, count) in sorted(found.items())]
    yield from _columns(table)


def _sums(matrix: Matrix) -> Iterator[str]:
    states = (State.BLOCKED, State.DELAYED, State.LEAKED, State.NO_ATTACH, State.NOT_BUILT)
    table: list[tuple[str, ...]] = [
        ("cells by service", "blocked", "later", "leaked", "with attach", "n/b", "not built: missing")
    ]
    for service in matrix.services:
        counts = [str(matrix.count(service.name, state) or "") for state in states]
        table.append((service.label, *counts, _missing(matrix, service)))
    yield from _columns(table)


def _missing(matrix: Matrix, service: Service) -> str:
    texts = dict.fromkeys(
        each.missing for cell in matrix.cells.values() if (each := cell.outcomes[service.name]).state is State.NOT_BUILT
    )
    return "; ".join(texts)


def _columns(table: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]) if table else 0)]
    for row in table:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def troubles(matrix: Matrix) -> Iterator[str]:
    """Yield what is wrong with methods and stories themselves."""
    for cell in matrix.broken:
        yield f"method {cell.method} does not serve the legitimate user ({cell.misuse}): {cell.unserved}"
    for cell in matrix.unexplained:
        for name, outcome in cell.outcomes.items():
            if outcome.state in (State.UNEXPLAINED, State.BROKEN):
                why = outcome.missing or "not in service, and no control refused"
                yield f"{cell.misuse}/{cell.method}, {name}: {outcome.state.value}: {why}"
                break


def told_differences(differences: Sequence[Difference]) -> Iterator[Wrong]:
    """Yield each cell that is not as it was reviewed, a bypass that has been opened first."""

    def opened(each: Difference) -> bool:
        return each.got.startswith("leaked") and not each.expected.startswith("leaked") and bool(each.expected)

    for each in sorted(differences, key=lambda each: not opened(each)):
        yield Wrong(
            f"{each.place}: {each.misuse}/{each.method}" + (": a bypass has been opened" if opened(each) else ""),
            (
                f"- expected  {each.expected or 'nothing: not in the file'}",
                f"+ got       {each.got or 'nothing: not in the matrix'}",
            ),
        )


def as_data(matrix: Matrix) -> dict[str, Any]:
    """Return the matrix as JSON can hold it: every outcome of every cell, with who decided and what was told."""
    return {
        "misuses": [_misuse_data(each) for each in matrix.misuses],
        "methods": [
            {
                "name": each.name,
                "title": each.head.title,
                "about": each.head.about,
                "requires": each.head.requires,
                "of": each.members,
            }
            for each in matrix.methods
        ],
        "services": [
            {"name": each.name, "title": each.head.title, "about": each.head.about, "path": each.path}
            for each in matrix.services
        ],
        "cells": [_cell_data(cell) for cell in matrix.cells.values()],
        "differences": None
        if matrix.differences is None
        else [
            {"method": each.method, "misuse": each.misuse, "expected": each.expected, "got": each.got}
            for each in matrix.differences
        ],
    }


def _misuse_data(misuse: Misuse) -> dict[str, Any]:
    head = misuse.head
    return {
        "name": misuse.name,
        "title": head.misuse,
        "about": head.about,
        "honest": misuse.honest.story,
        "file": misuse.spot.source.file,
    }


def _cell_data(cell: Cell) -> dict[str, Any]:
    return {
        "misuse": cell.misuse,
        "method": cell.method,
        "serves_the_legitimate": not cell.unserved,
        "unserved": cell.unserved,
        "outcomes": {name: _outcome_data(each) for name, each in cell.outcomes.items()},
    }


def _outcome_data(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome without what is empty; of one behind a refused attach only which control that was."""
    behind = outcome.state is State.NO_ATTACH
    data = {
        "outcome": outcome.state.value,
        "behind": outcome.refusals[0].point if behind and outcome.refusals else "",
        "leaked_seconds": round(outcome.leaked, 3),
        "missing": outcome.missing,
        "refusals": [] if behind else [_refusal_data(each) for each in outcome.refusals],
        "ladder": list(outcome.ladder),
    }
    return {key: value for key, value in data.items() if value}


def _refusal_data(refusal: Refusal) -> dict[str, Any]:
    return {
        "kind": refusal.kind,
        "element": refusal.element,
        "control": refusal.control,
        "clause": refusal.clause,
        "reason": refusal.reason,
        "cause": refusal.cause,
        "interface": refusal.interface,
        "after_seconds": round(refusal.after, 3),
    }
