"""A page of ours in a real browser, which may ask no network for anything and has nothing to complain of."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dependency group web)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
MARKS = [
    pytest.mark.web,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed (apt install chromium)"),
    # playwright's own loop and transport are closed by its driver
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser, and end it."""
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(file: Path) -> Iterator[Any]:
    """Open a file as a page; afterwards it has said nothing, and asked for nothing but itself."""
    said: list[str] = []
    asked: list[str] = []
    with chromium() as browser:
        view = browser.new_page(viewport={"width": 1440, "height": 900})
        view.set_default_timeout(60_000)
        view.on("console", lambda message: said.append(message.text))
        view.on("request", lambda request: asked.append(request.url))
        view.goto(file.as_uri())
        yield view
    assert said == []
    assert {url.partition("#")[0] for url in asked} == {file.as_uri()}
