"""The pictures of the pages are of the report as it is: what is on them is told beside them, and compared.

`PICTURES_WRITE=1 pytest tests/web/test_pictures.py` (`make pictures`) takes them anew.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.report import write_report
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dependency group web)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.web,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed (apt install chromium)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
#: what a page is made of
SHOWN = ("h1", "h2", "h3", "th", "button", "select", ".lanes *")
#: of a picture the part of the address that chooses what is shown
PICTURES = {"overview": "", "ladder": "#moved-card"}


@pytest.fixture(name="address", scope="module")
def _address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of the demo's stories, on the virtual clock."""
    loader = Loader()
    with contextlib.chdir(ROOT):  # so that the report shows no path of this machine
        jobs = [(job, loader.load(job.reference)) for job in suite.find(["scenarios/demo"])]
        results = list(suite.run_all(jobs, RunOptions(), "", 1))
    return write_report(results, tmp_path_factory.mktemp("pictures") / "report").as_uri()


@pytest.fixture(name="page")
def _page() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_context(viewport={"width": 1200, "height": 760}).new_page()
        page.set_default_timeout(60_000)
        try:
            yield page
        finally:
            browser.close()


def outline(page: Any) -> str:
    """What a page is made of: its headings, columns, buttons and lanes, without numbers."""
    texts = page.locator(", ".join(f"{each}:visible" for each in SHOWN)).all_inner_texts()
    lines = dict.fromkeys(re.sub(r"\d+", "N", " ".join(text.split())) for text in texts)
    return "\n".join(line for line in lines if line) + "\n"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_the_report_as_it_is(page: Any, address: str, name: str) -> None:
    page.goto(address + PICTURES[name])
    page.wait_for_load_state()
    if name == "ladder":
        # the ladder is unpacked after the page has loaded
        page.locator("#scenario button", has_text="refused").wait_for()
        page.keyboard.press("x")  # to the refusal
        page.locator("#scenario [aria-current=true]", has_text="Refused by hss").wait_for()
    told = FOLDER / f"{name}.txt"
    picture = FOLDER / f"{name}.png"
    if os.environ.get("PICTURES_WRITE"):
        FOLDER.mkdir(exist_ok=True)
        page.screenshot(path=str(picture))
        told.write_text(outline(page), encoding="utf-8")
    assert outline(page) == told.read_text(encoding="utf-8"), "the report looks otherwise now: run `make pictures`"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000
