"""Pages of tables beside a report: `prove` and `coverage`. One file each, without script, that needs no network."""

from __future__ import annotations

import datetime as dt
from typing import Any

import jinja2

import simwarden
from simwarden.scenario.report.page import asset, source_hash


def render_sheet(name: str, **context: Any) -> str:
    """Render a template of this package. All that it is given reaches the document as text."""
    style = asset("tokens.css") + asset("sheet.css")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(asset),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(
        style=style,
        style_hash=source_hash(style),
        written=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=simwarden.__version__,
        **context,
    )
