"""Tables of campaigns: the same rows are printed on a terminal, and shown on a page where a cell can be opened."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: columns of a table that goes into a pipe
_PIPE_COLUMNS = 120


@dataclass(frozen=True, slots=True)
class Detail:
    """The panel that a cell opens on the page: paragraphs, a small table, the last messages, and further parts."""

    title: str
    lines: Sequence[str] = ()
    rows: Sequence[Row] = ()
    ladder: Sequence[str] = ()
    parts: Sequence[Detail] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a table. The page adds its `tone`, a `note` in small print and the link to a run of the report.

    `opens` makes what the cell opens on the page, under the anchor `id`.
    """

    text: str
    tone: str = ""
    note: str = ""
    run: str = ""
    id: str = ""
    opens: Callable[[], Detail] | None = None


Row: TypeAlias = "Sequence[Cell | str]"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, what it means, and whether its texts are figures, which are aligned to the right."""

    heading: str = ""
    about: str = ""
    figures: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. An empty row is a blank line; one with fewer cells than columns ends with a remark.

    `section` and `key` are the heading of a group of tables; `note` follows the title on the page. A `crossed` table is
    as wide as its cases, and is printed in parts that fit the terminal; one `on_page` is not printed.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    title: str = ""
    note: str = ""
    section: str = ""
    key: Sequence[str] = ()
    crossed: bool = False
    on_page: bool = False


def text_of(cell: Cell | str) -> str:
    """Return the text of a cell."""
    return cell if isinstance(cell, str) else cell.text


def print_table(table: Table) -> Iterator[str]:
    """Yield the lines of a table for a terminal, with an empty one at the end."""
    if table.section:
        yield from (table.section, "")
    if table.key:
        yield from (*(f"  {line}" for line in table.key), "")
    if table.title:
        yield table.title
    indent = "  " if table.title else ""
    rows = [[each.heading for each in table.columns], *([text_of(cell) for cell in row] for row in table.rows)]
    whole = [row for row in rows if len(row) == len(table.columns)]
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    if not any(rows[0]):
        del rows[0]
    for part in _parts(table, widths, len(indent)):
        for row in rows:
            texts = (
                f"{row[place]:{'>' if table.columns[place].figures else '<'}{widths[place]}}"
                for place in part
                if place < len(row)
            )
            yield (indent + "  ".join(texts)).rstrip()
        yield ""


def _parts(table: Table, widths: Sequence[int], indent: int) -> Iterator[list[int]]:
    """Yield the places of the columns that fit the terminal together, each time with the first."""
    columns = shutil.get_terminal_size((_PIPE_COLUMNS, 40)).columns if os.isatty(1) else _PIPE_COLUMNS
    most = max(60, columns) if table.crossed else 0
    part, width = [0], indent + widths[0]
    for place in range(1, len(widths)):
        if most and width + 2 + widths[place] > most and part[1:]:
            yield part
            part, width = [0], indent + widths[0]
        part.append(place)
        width += 2 + widths[place]
    yield part
