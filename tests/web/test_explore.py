"""The page of `explore` in a real browser: without a network or script a cell opens the ladder of its finding."""

from __future__ import annotations

from pathlib import Path

from browsing import MARKS, opened

from simwarden.scenario.explore.page import page_of
from simwarden.scenario.explore.reviewed import Reviewed
from simwarden.scenario.explore.survey import Order, survey
from simwarden.scenario.explore.table import judge

pytestmark = MARKS
SHIPPED = Path(__file__).parents[2] / "scenarios" / "explore"


def test_a_cell_opens_the_ladder_of_its_finding(tmp_path: Path) -> None:
    order = Order(str(SHIPPED), stories=("attach",), changes=("prohibited", "barring"), points=12)
    page = tmp_path / "explore.html"
    page.write_text(page_of(judge(survey(order), Reviewed())), encoding="utf-8")
    with opened(page) as view:
        assert view.locator("table.cross tbody tr").count() == 2
        view.locator("tr:has-text('prohibited') td a").click()
        panel = view.locator("[id='prohibited.attach']")
        assert panel.is_visible()
        assert "mme.session" in panel.inner_text()
        assert "S13" in panel.locator("pre").first.inner_text()
        view.locator("[id='prohibited.attach'] a.close").click()
        assert not panel.is_visible()
