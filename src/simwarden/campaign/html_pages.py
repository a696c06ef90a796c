"""Pages of campaigns: one file each, without script and network access, linked to the report in the same folder."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import jinja2

import simwarden
from simwarden.campaign.tables import Cell
from simwarden.scenario.report.junit import names
from simwarden.scenario.report.page import asset, source_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from simwarden.campaign.grid import Grid

#: the pages of a folder by the names that links to them have, in the order in which they are read
PAGES: Final = {
    "report": "index.html",
    **{name: f"{name}.html" for name in ("check", "prove", "coverage", "matrix", "impact", "explore")},
}


def render(grid: Grid, folder: Path | None = None, coming: Iterable[str] = ()) -> str:
    """Return the page of a campaign; in a folder with links to the other pages, existing or `coming`."""
    tables = list(grid.tables())
    cells = [cell for table in tables for row in table.rows for cell in row if isinstance(cell, Cell) and cell.opens]
    details = [(cell.id, cell.opens()) for cell in cells if cell.opens]
    return _render(grid.name, folder, coming, parts=[grid], tables=tables, details=details)


def render_check(parts: Sequence[Grid], line: str, folder: Path | None = None) -> str:
    """Return the page of all campaigns."""
    return _render("check", folder, [each.name for each in parts], parts=parts, line=line, most=12)


def _render(title: str, folder: Path | None, coming: Iterable[str], **context: Any) -> str:
    style = asset("tokens.css") + _source("page.css")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_source),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sure = (title, *coming)
    beside = {n: a for n, a in PAGES.items() if folder and (n in sure or (folder / a).exists())}
    ladders = names(folder / "junit.xml") if folder and "report" in beside and (folder / "junit.xml").exists() else ()
    return environment.get_template("page.html.j2").render(
        {"line": "", "most": None, "tables": (), "details": (), **context},
        title=title,
        style=style,
        style_hash=source_hash(style),
        beside=beside,
        ladders=frozenset(ladders),
        written=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=simwarden.__version__,
    )


def _source(name: str) -> str:
    return asset(f"pages/{name}", "simwarden.campaign")
