"""The page of `explore` in a real browser: without a network or script a cell opens the ladder of its finding."""

from __future__ import annotations

from pathlib import Path

from browsing import MARKS, opened
from typer.testing import CliRunner

from simwarden.campaign.explore.campaign import Explore
from simwarden.campaign.explore.runs import Wanted, explore
from simwarden.campaign.grid import Order, write
from simwarden.campaign.html_pages import render
from simwarden.campaign.record import Record
from simwarden.cli.main import app

pytestmark = MARKS
SHIPPED = Path(__file__).parents[2] / "scenarios" / "explore"


def test_a_cell_opens_the_ladder_of_its_finding_and_leads_to_that_of_the_scenario_kept_of_it(tmp_path: Path) -> None:
    wanted = Wanted(str(SHIPPED), stories=("attach",), changes=("prohibited", "barring"), points=12)
    judged = Explore(wanted)
    judged.judge(explore(wanted, Order()), Record(tmp_path / "none"))
    name, text = next(each for each in judged.files() if "no word for this" not in each[1])
    kept = write(tmp_path / name, text)
    CliRunner().invoke(app, ["run", str(kept), "--report", str(tmp_path)])
    page = write(tmp_path / "explore.html", render(judged, tmp_path))
    with opened(page) as view:
        assert view.locator("table.cross tbody tr").count() == 2
        view.locator("table.cross tr:has-text('prohibited') td a").click()
        panel = view.locator("[id='prohibited.attach']")
        assert panel.is_visible()
        assert "mme.session" in panel.inner_text()
        assert "S13" in panel.locator("pre").first.inner_text()
        assert panel.locator(f"a[href='index.html#{kept.stem}']").count() == 1
        view.locator("[id='prohibited.attach'] a.close").click()
        assert not panel.is_visible()
