"""The page itself: one document with its style and its script, live or with what was recorded in it."""

from __future__ import annotations

import json
import pkgutil
from typing import TYPE_CHECKING, Any, Final

import jinja2

from simwarden.scenario.report.page import asset, packed, script_json, source_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.web.stage import Stage

#: what the ladder, the fields and the octets are drawn by is the report's
_SHARED_STYLE: Final = ("tokens.css", "ladder.css")
_SHARED_SCRIPT: Final = ("parts.js", "ladder.js")


def live_page(stage: Stage) -> tuple[str, str]:
    """Return the page that follows a network, and its content security policy."""
    return _page(stage, "", "connect-src 'self'; ")


def recorded_page(stage: Stage, told: Sequence[str]) -> str:
    """Return the page that shows again what was told; it needs no server."""
    return _page(stage, packed(f"[{','.join(told)}]"), "")[0]


def _page(stage: Stage, recorded: str, connect: str) -> tuple[str, str]:
    script = "".join(map(asset, _SHARED_SCRIPT)) + own("live.js")
    style = "".join(map(asset, _SHARED_STYLE)) + own("live.css")
    policy = (
        f"default-src 'none'; script-src '{source_hash(script)}'; style-src '{source_hash(style)}'; {connect}"
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    told: dict[str, Any] = {"menu": stage.menu(), "tour": stage.data["tour"]}
    text = environment.from_string(own("live.html.j2")).render(
        policy=policy, script=script, style=style, stage=script_json(json.loads(json.dumps(told))), recorded=recorded
    )
    return text, policy


def own(name: str) -> str:
    """Return a file of this package."""
    data = pkgutil.get_data("simwarden.web", name)
    assert data is not None  # noqa: S101 - the file is part of the package
    return data.decode()
