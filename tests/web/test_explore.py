"""The page of `explore` in a real browser: without a network or script a cell opens the ladder of its finding."""

from __future__ import annotations

from pathlib import Path

from browsing import MARKS, opened

from simwarden.campaign.engine import Done, Order
from simwarden.campaign.explore.reviewed import Reviewed
from simwarden.campaign.explore.survey import Wanted, survey
from simwarden.campaign.explore.table import judge
from simwarden.campaign.sheet import render

pytestmark = MARKS
SHIPPED = Path(__file__).parents[2] / "scenarios" / "explore"


def test_a_cell_opens_the_ladder_of_its_finding(tmp_path: Path) -> None:
    wanted = Wanted(str(SHIPPED), stories=("attach",), changes=("prohibited", "barring"), points=12)
    page = tmp_path / "explore.html"
    page.write_text(render(Done("explore", judge(survey(wanted, Order()), Reviewed()), 1.0)), encoding="utf-8")
    with opened(page) as view:
        assert view.locator("table.cross tbody tr").count() == 2
        view.locator("tr:has-text('prohibited') td a").click()
        panel = view.locator("[id='prohibited.attach']")
        assert panel.is_visible()
        assert "mme.session" in panel.inner_text()
        assert "S13" in panel.locator("pre").first.inner_text()
        view.locator("[id='prohibited.attach'] a.close").click()
        assert not panel.is_visible()
