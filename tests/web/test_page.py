"""The report's page in a real browser: it opens without a network, is walked by keyboard, links deep, and runs nothing
that came over a wire."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import results

from simwarden.scenario.report import write_report
from simwarden.trace.events import Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dependency group web)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.web,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed (apt install chromium)"),
    # playwright's own loop and transport are closed by its driver
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><b>bold</b>"


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(name="address", scope="module")
def _address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("report")
    hostile = results.passed("hostile", HOSTILE)
    hostile.events.append(Note(element="mme", text=HOSTILE, number=900, time=3700.0))
    every = [results.passed(), results.failed(), results.inconclusive(), results.broken(), hostile]
    return write_report(every, folder).as_uri()


class Opened:
    """A page with what it complained about and what it asked of a network."""

    def __init__(self, browser: Any, viewport: dict[str, int], **how: Any) -> None:
        self.context = browser.new_context(viewport=viewport, **how)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture(name="opened", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def _opened(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Opened]:
    opened = Opened(browser, request.param)
    yield opened
    opened.context.close()
    assert opened.errors == []
    assert {url.split("#")[0] for url in opened.requests} == {address}


@pytest.fixture(name="desktop")
def _desktop(browser: Any) -> Iterator[Any]:
    opened = Opened(browser, DESKTOP)
    yield opened.page
    opened.context.close()
    assert opened.errors == []


def selected(page: Any) -> str:
    """Return the text of the selected row."""
    return str(page.locator("#scenario [aria-current=true]").inner_text())


def test_a_ladder_fits_the_width_and_shows_the_refusal(opened: Opened, address: str) -> None:
    page = opened.page
    page.goto(f"{address}#wrong-cause")
    page.locator(".row.decision.refuse").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    refused = page.locator(".row.decision.refuse").inner_text()
    assert "Refused by hss: bind.hss.learned" in refused
    assert "clause 2.1.3(1) one" in refused
    assert page.locator(".failure del").inner_text() == "- want  6 ILLEGAL_ME"
    lanes = page.locator(".heads .lanes span").all_inner_texts()
    assert lanes == ["card", "meter", "phone", "enb", "mme", "eir", "hss"]
    # The arrow of the answer runs from the lane of the HSS to that of the MME.
    head = {name: page.locator(".heads .lanes span").nth(index).bounding_box() for index, name in enumerate(lanes)}
    arrow = page.locator(".row.message.refuse .arrow.left").first.bounding_box()
    middle = {name: box["x"] + box["width"] / 2 for name, box in head.items()}
    assert abs(arrow["x"] - middle["mme"]) < 2
    assert abs(arrow["x"] + arrow["width"] - middle["hss"]) < 2


def test_lane_heads_stay_in_sight(opened: Opened, address: str) -> None:
    page = opened.page
    page.goto(f"{address}#moved-card")
    page.locator(".row.message").last.scroll_into_view_if_needed()
    assert page.locator(".heads").bounding_box()["y"] >= -1


def test_the_list_leads_to_a_scenario_and_back(opened: Opened, address: str) -> None:
    page = opened.page
    page.goto(address)
    page.locator("#list a", has_text="An external HSS").click()
    page.locator("h2", has_text="An external HSS").wait_for()
    if page.viewport_size["width"] < 760:
        assert not page.locator("#side").is_visible()
        page.locator(".back").click()
    else:
        page.keyboard.press("Escape")
    assert page.locator("#side").is_visible()
    assert not page.locator("#scenario").is_visible()


def test_nothing_from_the_wire_becomes_markup(opened: Opened, address: str) -> None:
    page = opened.page
    page.goto(f"{address}#hostile/900")
    page.locator("#panel", has_text=HOSTILE).wait_for()
    assert page.locator("h2").first.inner_text() == HOSTILE
    assert page.locator("img, article b >> text=bold").count() == 0
    assert "owned" not in page.title().replace(HOSTILE, "")


def test_keyboard_walk(desktop: Any, address: str) -> None:
    desktop.goto(f"{address}#moved-card")
    desktop.locator(".row.message").first.wait_for()
    desktop.keyboard.press("x")
    assert "Refused by hss" in selected(desktop)
    desktop.keyboard.press("j")
    assert "Update location answer" in selected(desktop)
    assert desktop.locator("#panel").is_hidden()
    desktop.keyboard.press("Enter")
    assert "5001 DIAMETER_ERROR_USER_UNKNOWN" in desktop.locator("#panel").inner_text()
    desktop.keyboard.press("k")
    assert "expected" in desktop.locator("#panel").inner_text()
    desktop.keyboard.press("Escape")
    assert desktop.locator("#panel").is_hidden()
    desktop.keyboard.press("n")
    desktop.locator("h2", has_text="A wrong cause is expected").wait_for()
    desktop.keyboard.press("?")
    assert desktop.locator("#help").is_visible()
    desktop.keyboard.press("Escape")
    desktop.keyboard.press("/")
    desktop.keyboard.type("outside")
    assert desktop.locator("#list a").count() == 1
    desktop.keyboard.press("Enter")
    desktop.locator("h2", has_text="An external HSS").wait_for()


def test_a_folded_run_unfolds(desktop: Any, address: str) -> None:
    desktop.goto(f"{address}#moved-card")
    fold = desktop.locator(".fold", has_text="8 messages on ME-UICC").first
    fold.wait_for()
    before = desktop.locator(".row.message").count()
    fold.click()
    assert desktop.locator(".row.message").count() == before + 8
    desktop.keyboard.press("Enter")
    assert desktop.locator(".row.message").count() == before
    desktop.keyboard.press("s")
    assert desktop.locator(".row.state", has_text="attach: rejected").count() == 1


def test_deep_link_opens_the_row(desktop: Any, address: str) -> None:
    number = next(event.number for event in results.passed().events if event.kind == "decision")
    desktop.goto(f"{address}#moved-card/{number}")
    desktop.locator("#panel", has_text="bind.eir").wait_for()
    assert "bind.eir" in selected(desktop)
    # One that is folded away is unfolded.
    desktop.goto(f"{address}#moved-card/1")
    desktop.locator("#panel", has_text="capabilities exchange request").wait_for()
    desktop.goto("about:blank")
    desktop.goto(f"{address}#nonsense/%E0")
    assert desktop.locator("#list a").count() == 5


def test_the_ladder_can_be_taken_along_as_text(browser: Any, address: str) -> None:
    opened = Opened(browser, DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    page = opened.page
    page.goto(f"{address}#moved-card")
    page.locator("#copy").click()
    page.locator("#copy", has_text="copied").wait_for()
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    opened.context.close()
    assert lines[0] == "A meter's card is refused in a phone (scenarios/binding/moved-card.yaml): passed"
    assert any("hss: REFUSED bind.hss.learned (2.1.3(1) one): IMEI 35999900000007 is not" in line for line in lines)
    assert any("hss -> mme    S6a      Update location answer, experimental result 5001" in line for line in lines)


def test_filters(desktop: Any, address: str) -> None:
    desktop.goto(address)
    assert "5 scenarios: 1 failed, 1 error, 1 inconclusive, 2 passed" in desktop.locator("#summary").inner_text()
    desktop.locator(".chip.failed").click()
    assert desktop.locator("#list a").all_inner_texts()[0].startswith("✗")
    assert desktop.locator("#list a").count() == 1
    desktop.locator(".chip.all").click()
    desktop.locator("#search").fill("bind.hss wrong")
    assert desktop.locator("#list a").count() == 1


def test_dark_scheme_and_print(browser: Any, address: str) -> None:
    opened = Opened(browser, DESKTOP, color_scheme="dark")
    page = opened.page
    page.goto(f"{address}#moved-card")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, dark.removeprefix("rgb(").removesuffix(")").split(","))) < 150
    page.emulate_media(media="print")
    assert not page.locator("#side").is_visible()
    assert page.locator(".row.decision.refuse").is_visible()
    opened.context.close()


def test_a_hundred_scenarios_open_fast(desktop: Any, tmp_path: Path) -> None:
    path = write_report([results.passed(f"s{number}") for number in range(120)], tmp_path)
    session = desktop.context.new_cdp_session(desktop)
    # time that the page's thread works: how busy the machine is does not count
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    desktop.goto(f"{path.as_uri()}#s60")
    desktop.locator(".row.decision.refuse").wait_for()
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    assert 0 < metrics["TaskDuration"] < 2
