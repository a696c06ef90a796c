"""The matrix's page in a real browser: it opens without a network or script, and a cell opens what is known of it."""

from __future__ import annotations

from pathlib import Path

from browsing import MARKS, opened
from typer.testing import CliRunner

from simwarden.campaign.grid import Order
from simwarden.campaign.html_pages import render
from simwarden.campaign.matrix.campaign import Matrix
from simwarden.campaign.matrix.plan import read_plan
from simwarden.cli.main import app
from simwarden.scenario.registry import Registry

pytestmark = MARKS
SHIPPED = Path(__file__).parents[2] / "scenarios" / "matrix"


def test_a_cell_opens_what_is_known_of_it(tmp_path: Path) -> None:
    plan = read_plan(SHIPPED, Registry.installed())
    matrix = Matrix(plan, ["phone", "clone"], ["none", "hss-given"])
    matrix.carry_out(Order())
    page = tmp_path / "matrix.html"
    page.write_text(render(matrix), encoding="utf-8")
    with opened(page) as view:
        assert not view.is_visible("section.panel")
        view.click("a[href='#hss-given.phone']")
        panel = view.locator("section.panel:target")
        assert "bind.hss.given" in panel.inner_text()
        assert "Attach reject, EMM cause 8" in panel.inner_text()
        panel.locator("a.close").click()
        assert view.locator("section.panel:target").count() == 0


def test_a_cell_leads_to_the_ladder_of_its_story_where_the_report_has_it(tmp_path: Path) -> None:
    story = tmp_path / "phone-hss-given.yaml"
    cli = CliRunner()
    story.write_text(cli.invoke(app, ["matrix", "--story", "phone/hss-given"]).stdout, encoding="utf-8")
    assert cli.invoke(app, ["run", str(story), "--report", str(tmp_path)]).exit_code == 0
    plan = read_plan(SHIPPED, Registry.installed())
    matrix = Matrix(plan, ["phone", "clone"], ["hss-given"])
    matrix.carry_out(Order())
    page = tmp_path / "matrix.html"
    page.write_text(render(matrix, tmp_path), encoding="utf-8")
    with opened(page) as view:
        view.click("a[href='#hss-given.clone']")
        assert view.locator("section.panel:target a[href^='index.html']").count() == 0
        view.click("section.panel:target a.close")
        view.click("a[href='#hss-given.phone']")
        address = view.get_attribute("section.panel:target a[href^='index.html']", "href")
    with opened(tmp_path / "index.html") as view:
        view.goto((tmp_path / address).as_uri().replace("%23", "#"))
        assert view.url.endswith("#phone-hss-given")
        view.wait_for_selector("text=Attach reject")
