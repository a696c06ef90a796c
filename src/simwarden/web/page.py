"""The page itself: one document with its style and its script, live or with what was recorded in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jinja2

from simwarden.scenario.report.page import asset, packed, source_hash

if TYPE_CHECKING:
    from collections.abc import Sequence


OWN: Final = "simwarden.web"
#: what the ladder, the fields and the octets are drawn by is the report's
_SHARED_STYLE: Final = ("tokens.css", "ladder.css")
_SHARED_SCRIPT: Final = ("parts.js", "ladder.js")


def live_page() -> tuple[str, str]:
    """Return the page that follows a network, and its content security policy."""
    return _page("", "connect-src 'self'; ")


def recorded_page(told: Sequence[str]) -> str:
    """Return the page that shows again what was told; it needs no server."""
    return _page(packed(f"[{','.join(told)}]"), "")[0]


def _page(recorded: str, connect: str) -> tuple[str, str]:
    script = "".join(map(asset, _SHARED_SCRIPT)) + asset("live.js", OWN)
    style = "".join(map(asset, _SHARED_STYLE)) + asset("live.css", OWN)
    policy = (
        f"default-src 'none'; script-src '{source_hash(script)}'; style-src '{source_hash(style)}'; {connect}"
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string(asset("live.html.j2", OWN)).render(
        policy=policy, script=script, style=style, recorded=recorded
    )
    return text, policy
