"""What the report shows beside a ladder: the overview, search in all ladders, expectations, twins, the file, octets;
real stories in a real browser, and axe finds nothing serious on any of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.report import write_report
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dependency group web)")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (dependency group web)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.web,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed (apt install chromium)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
SCENARIOS = Path(__file__).parents[2] / "scenarios"
STORIES = ("demo", "binding/form")


@pytest.fixture(name="address", scope="module")
def _address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of shipped stories, and of one that expects a refusal and is served: a leak."""
    folder = tmp_path_factory.mktemp("views")
    moved = (SCENARIOS / "demo/moved-card.yaml").read_text("utf-8")
    leak = moved.replace("learn: first-use", "mode: off") if "mode: off" in moved else moved
    leak = leak.replace(", binding: {by: hss, learn: first-use}", "").replace(
        "hss: {binding: {card: card, imei: meter.imei}}", ""
    )
    (folder / "leak.yaml").write_text(leak.replace("twin: card-back-in-its-meter.yaml\n", ""), "utf-8")
    loader = Loader()
    paths = [str(SCENARIOS / each) for each in STORIES]
    jobs = [(job, loader.load(job.reference)) for job in suite.find([*paths, str(folder / "leak.yaml")])]
    return write_report(suite.run_all(jobs, RunOptions(), "", 1), folder / "report").as_uri()


@pytest.fixture(name="page")
def _page() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(60_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        try:
            yield page
        finally:
            browser.close()
        assert wrong == []


def serious(page: Any) -> list[str]:
    """What axe calls serious or critical, with the first place of each."""
    # The page's policy lets no script but its own in; axe comes in by the debugger's door, which no policy closes.
    found = axe.Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


def test_it_opens_on_an_overview(page: Any, address: str) -> None:
    page.goto(address)
    said = page.locator("#overview").inner_text()
    assert "6\nmisuses stopped" in said
    assert "1\nleaked" in said
    assert "2.1.3(1) one" in said
    assert "#8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED" in said
    assert "holds the card invalid until it is switched off" in said
    assert "What is not built" in said
    page.locator("#overview td a", has_text="rejects a first-use-bound meter card").click()
    page.locator("#scenario [aria-current=true]", has_text="Refused by hss").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("#overview").wait_for()


def test_an_expectation_shows_what_met_it(page: Any, address: str) -> None:
    page.goto(f"{address}#moved-card")
    met = page.locator(".expect.good", has_text="phone.emm_cause")
    assert "met by EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED (8)" in met.inner_text()
    met.locator("a").click()
    page.locator("#scenario [aria-current=true]").wait_for()
    page.goto(f"{address}#leak")
    missed = page.locator(".expect.bad", has_text="phone.attach")
    missed.wait_for()
    assert "got accepted" in missed.inner_text()


@pytest.mark.parametrize("text", ["5001", "Attach reject", "001010000000001"])
def test_search_finds_messages_and_fields_of_all_ladders(page: Any, address: str, text: str) -> None:
    page.goto(address)
    page.locator("#search").fill(text)
    page.locator("#list a.hit").first.wait_for()
    assert "in ladders" in page.locator("#found").inner_text()
    names = page.locator("#list li", has=page.locator("a.hit"))
    assert names.filter(has_text="rejects a first-use-bound meter card in a phone").count() >= 1
    page.locator("#list li", has_text="moved-card").locator("a.hit").first.click()
    page.locator("#scenario [aria-current=true]").wait_for()


def test_what_is_found_nowhere_is_said(page: Any, address: str) -> None:
    page.goto(address)
    page.locator("#search").fill("zebra")
    page.locator("#found", has_text="Nothing found: in").wait_for()
    assert "has “zebra”" in page.locator("#found").inner_text()
    assert page.locator("#list a").count() == 0


def test_an_address_that_names_nothing_says_so(page: Any, address: str) -> None:
    page.goto(f"{address}#no-such-story")
    assert "This report has no scenario “no-such-story”" in page.locator(".warning").inner_text()
    page.goto(f"{address}#moved-card/99999")
    page.locator(".warning", has_text="This scenario has no event 99999").wait_for()
    page.goto(f"{address}#moved-card")
    page.locator(".warning").wait_for(state="detached")


def test_only_an_interface_or_a_lane_is_shown(page: Any, address: str) -> None:
    page.goto(f"{address}#moved-card")
    page.locator(".row.message").first.wait_for()
    page.locator("#only-interface").select_option("S6a")
    assert set(page.locator(".row.message .if").all_inner_texts()) == {"S6a"}
    page.locator("#only-interface").select_option("")
    page.locator("#only-lane").select_option(label="eir")
    assert set(page.locator(".row.message .if").all_inner_texts()) == {"S13"}


def test_times_since_the_row_before(page: Any, address: str) -> None:
    page.goto(f"{address}#moved-card")
    page.locator(".row.message").first.wait_for()
    page.keyboard.press("d")
    times = page.locator(".row time").all_inner_texts()
    assert all(each.startswith("+") for each in times if each)


def test_the_first_difference_to_the_twin_is_marked_in_both(page: Any, address: str) -> None:
    page.goto(f"{address}#moved-card")
    page.locator(".row.differs").wait_for()
    assert "Refused by hss" in page.locator(".row.differs").inner_text()
    page.locator("header a", has_text="there").click()
    page.locator("h2", has_text="back in its meter").wait_for()
    page.locator("#scenario [aria-current=true].differs", has_text="bind.hss.learned").wait_for()


def test_the_file_stands_beside_the_ladder(page: Any, address: str) -> None:
    page.goto(f"{address}#moved-card")
    page.locator(".step button").nth(2).click()
    text = (SCENARIOS / "demo/moved-card.yaml").read_text("utf-8")
    assert page.locator("#file pre").inner_text().rstrip("\n").replace("\n\n", "\n") == text.rstrip("\n")
    assert page.locator("#file .here").inner_text().strip().startswith("- ")
    page.keyboard.press("y")
    assert page.locator("#file").is_hidden()


@pytest.mark.parametrize(
    ("message", "field", "octets"),
    [
        ("Update location answer, experimental", "experimental_result", "00 00 13 89"),
        ("Attach reject", "dedicated_info_nas", "27 b9 7b 39 51 01 81 fc e4"),
        ("Update location request", "user_name", "30 30 31 30 31 30 30 30 30 30 30 30 30 30 31"),
    ],
)
def test_the_octets_of_a_field_are_marked(page: Any, address: str, message: str, field: str, octets: str) -> None:
    page.goto(f"{address}#moved-card")
    page.locator(".row.message", has_text=message).last.click()
    page.locator("#panel .f button", has_text=field).first.click()
    assert " ".join(page.locator("#panel mark").all_inner_texts()) == octets


def test_octets_that_cannot_be_told_are_not_marked(page: Any, address: str) -> None:
    page.goto(f"{address}#moved-card")
    page.locator(".row.message", has_text="Attach reject").last.click()
    page.locator("#panel .f button", has_text="emm_cause").click()
    page.locator("#panel", has_text="cannot be told: they are ciphered").wait_for()
    assert page.locator("#panel mark").count() == 0


def test_a_ladder_is_taken_along_as_svg(page: Any, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}#moved-card")
    page.locator("#copy-svg").click()
    page.locator("#copy-svg", has_text="copied").wait_for()
    drawn = ET.fromstring(page.evaluate("navigator.clipboard.readText()"))  # noqa: S314 - our own
    texts = [str(each.text) for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert any("refused: bind.hss.learned" in each for each in texts)
    assert "phone" in texts


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", ["", "#moved-card", "#leak", "#no-such-story"])
def test_axe_finds_nothing_serious(page: Any, address: str, what: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}{what}")
    if what in ("#moved-card", "#leak"):
        page.locator(".row.message").last.click()
    assert serious(page) == []
    if what == "#moved-card":
        page.keyboard.press("y")
        page.locator("#file pre").wait_for()
        assert serious(page) == []


@pytest.mark.parametrize("what", ["", "#moved-card"])
def test_a_phone_shows_all_of_it(page: Any, address: str, what: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}{what}")
    page.locator("h2:visible").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
