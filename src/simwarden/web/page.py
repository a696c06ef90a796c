"""The page itself: one document with its style and its script, live or with what was recorded in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.scenario.report.page import asset, document, packed

if TYPE_CHECKING:
    from collections.abc import Sequence


OWN: Final = "simwarden.web"


def live_page(told: Sequence[str] = ()) -> str:
    """Return the page that follows a network; with what was `told`, the one that shows that again without a server.

    What ladder, fields and octets are drawn by is the report's.
    """
    scripts = [asset("parts.js"), asset("ladder.js"), asset("live.js", OWN)]
    styles = [asset("tokens.css"), asset("ladder.css"), asset("live.css", OWN)]
    recorded = packed(f"[{','.join(told)}]") if told else ""
    return document(asset("live.html.j2", OWN), scripts, styles, recorded=recorded)
