"""Pages of campaigns: one file each, without script, that needs no network; links lead into the report beside it."""

from __future__ import annotations

import datetime as dt
import pkgutil
from typing import TYPE_CHECKING, Any, Final

import jinja2

import simwarden
from simwarden.scenario.report.junit import names
from simwarden.scenario.report.page import asset, source_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from simwarden.campaign.engine import Done

#: the pages of a folder by the names that links to them have, in the order in which they are read
PAGES: Final = {
    "report": "index.html",
    **{name: f"{name}.html" for name in ("check", "prove", "coverage", "matrix", "impact", "explore")},
}


def render(done: Done, folder: Path | None = None, coming: Iterable[str] = ()) -> str:
    """Return the page of a campaign; in a folder it links to what is there, or `coming`, and into the ladders."""
    return _render(f"{done.name}.html.j2", done.name, folder, coming, done=done, **done.page.content)


def render_check(parts: Sequence[Done], line: str, folder: Path | None = None) -> str:
    """Return the page of all campaigns."""
    return _render("check.html.j2", "check", folder, [each.name for each in parts], parts=parts, line=line)


def _render(template: str, title: str, folder: Path | None, coming: Iterable[str], **context: Any) -> str:
    style = asset("tokens.css") + _source("sheet.css")
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
    return environment.get_template(template).render(
        title=title,
        style=style,
        style_hash=source_hash(style),
        beside=beside,
        ladders=frozenset(ladders),
        written=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=simwarden.__version__,
        **context,
    )


def _source(name: str) -> str:
    data = pkgutil.get_data("simwarden.campaign", f"pages/{name}")
    assert data is not None  # noqa: S101 - the file is part of the package
    return data.decode()
