"""The last messages from and to external elements, for the record of a failure: their reference points come first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simwarden.scenario.match import show
from simwarden.trace.ladder import clock
from simwarden.trace.rows import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from simwarden.trace.rows import Row

_REQUEST = "-request"
#: the end of the names of fields that give the reason for a refused part of a message (Rule-Failure-Code)
_FAILURE = "failure_code"


def rows_with(rows: Sequence[Row], external: Collection[str]) -> list[Row]:
    """Return the messages from and to external elements."""
    return [row for row in rows if row.kind is Kind.MESSAGE and not {row.source, row.target}.isdisjoint(external)]


def last_of_each(rows: Sequence[Row], external: Collection[str]) -> Iterator[str]:
    """Yield for each reference point of an external element the last refusal and an unanswered or the last message."""
    points: dict[tuple[str, str], list[Row]] = {}
    for row in rows_with(rows, external):
        name = row.source if row.source in external else row.target
        points.setdefault((row.interface, name), []).append(row)
    for (interface, name), messages in points.items():
        last = messages[-1]
        refusals = [(each, why) for each in messages if (why := _refusal(each))]
        if refusals:
            row, why = refusals[-1]
            yield f"refused on {interface}: {_told(row)}: {why}"
        if last.target == name and last.name.endswith(_REQUEST):
            yield f"not answered by {name} on {interface}: {_told(last)}"
        elif not refusals or refusals[-1][0] is not last:
            yield f"last on {interface}: {_told(last)}"


def _told(row: Row) -> str:
    return f"{row.name} from {row.source} to {row.target} at {clock(row.time)} s"


def _refusal(row: Row) -> str:
    return ", ".join(dict.fromkeys(filter(None, (row.cause, *_failures(row.fields)))))


def _failures(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        for each in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(each, dict):
                yield from _failures(each)
            elif name.endswith(_FAILURE):
                yield f"{name} {show(each)}"
