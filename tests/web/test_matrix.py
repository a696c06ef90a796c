"""The matrix's page in a real browser: it opens without a network or script, and a cell opens what is known of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simwarden.scenario.matrix.page import page_of
from simwarden.scenario.matrix.plan import read_plan
from simwarden.scenario.matrix.survey import survey
from simwarden.scenario.registry import Registry
from simwarden.scenario.runner import RunOptions

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dependency group web)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.web,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed (apt install chromium)"),
    # playwright's own loop and transport are closed by its driver
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
SHIPPED = Path(__file__).parents[2] / "scenarios" / "matrix"


def test_a_cell_opens_what_is_known_of_it(tmp_path: Path) -> None:
    plan = read_plan(SHIPPED, Registry.installed())
    matrix = survey(plan, RunOptions(), misuses=["phone", "clone"], methods=["none", "hss-given"])
    page = tmp_path / "matrix.html"
    page.write_text(page_of(matrix, []), encoding="utf-8")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        view = browser.new_page(viewport={"width": 1440, "height": 900})
        view.set_default_timeout(5000)
        said: list[str] = []
        asked: list[str] = []
        view.on("console", lambda message: said.append(message.text))
        view.on("request", lambda request: asked.append(request.url))
        view.goto(page.as_uri())
        assert not view.is_visible("section.panel")
        view.click("a[href='#hss-given.phone']")
        panel = view.locator("section.panel:target")
        assert "bind.hss.given" in panel.inner_text()
        assert "Attach reject, EMM cause 8" in panel.inner_text()
        panel.locator("a.close").click()
        assert view.locator("section.panel:target").count() == 0
        browser.close()
    assert not said
    assert {url.partition("#")[0] for url in asked} == {page.as_uri()}
