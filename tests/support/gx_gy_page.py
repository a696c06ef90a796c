"""The tables of docs/gx-gy.md: what the PGW does with each AVP of an answer or an order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gx-gy.md").read_text()


class Row(NamedTuple):
    """One row: AVPs by name, what is done with them, and the scenario or test that shows it."""

    avps: tuple[str, ...]
    verdict: str
    shown_by: str


def rows(point: str) -> Iterator[Row]:
    """Yield the rows of a reference point."""
    section = PAGE.partition(f"\n## {point}\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            yield Row(tuple(re.findall(r"`([^`]+)`", cells[0])), cells[1], cells[3])
