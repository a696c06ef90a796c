"""The page of `explore` in a real browser: without a network or script a cell opens the ladder of its finding."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simwarden.scenario.explore.page import page_of
from simwarden.scenario.explore.reviewed import Reviewed
from simwarden.scenario.explore.survey import Order, survey
from simwarden.scenario.explore.table import judge

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dependency group web)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.web,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed (apt install chromium)"),
    # playwright's own loop and transport are closed by its driver
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
SHIPPED = Path(__file__).parents[2] / "scenarios" / "explore"


def test_a_cell_opens_the_ladder_of_its_finding(tmp_path: Path) -> None:
    order = Order(str(SHIPPED), stories=("attach",), changes=("prohibited", "barring"), points=12)
    page = tmp_path / "explore.html"
    page.write_text(page_of(judge(survey(order), Reviewed())), encoding="utf-8")
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
        assert view.locator("table.cross tbody tr").count() == 2
        view.locator("tr:has-text('prohibited') td a").click()
        panel = view.locator("[id='prohibited.attach']")
        assert panel.is_visible()
        assert "mme.session" in panel.inner_text()
        assert "S13" in panel.locator("pre").first.inner_text()
        view.locator("[id='prohibited.attach'] a.close").click()
        assert not panel.is_visible()
        browser.close()
    assert said == []
    assert {url.partition("#")[0] for url in asked} == {page.as_uri()}
