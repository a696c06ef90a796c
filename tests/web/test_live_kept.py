"""What is kept of a live page, what somebody writes on it, and who gets to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from browsing import MARKS
from live_page import Person, served

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = MARKS


def test_what_somebody_writes_is_text_on_each_page(person: Person, browser: Any, tmp_path: Path) -> None:
    page, hack = person.page, "document.title='hacked'"
    evil = f'<img src=x onerror="{hack}"></script><script>{hack}</script>'
    person.begin()
    for step in (
        {"insert": {"card": "meter_card", "into": "meter"}},
        {"power_on": "meter"},
        {"send_sms": {"device": "meter", "to": "10658000123", "text": evil}},
        {
            "manage": {
                "element": "hss",
                "as": "customer",
                "caller": evil,
                "put": "/cards/{meter_card.imsi}/binding",
                "body": {"imei": "phone.imei", "approver": evil, "reason": evil, "form": evil},
            }
        },
    ):
        page.locator("#line").fill(json.dumps(step))
        page.locator("#own button").click()
        page.locator("body:not(.busy)").wait_for()
    page.locator("#end").click()
    assert "<img src=x onerror" in page.locator("#refused").inner_text()
    for name in ("recorded", "report"):
        file = tmp_path / f"{name}.html"
        file.write_bytes(person.download(f"/{name}.html"))
        other = browser.new_page()
        other.goto(file.as_uri())
        other.locator("body :visible").first.wait_for()
        assert (other.title() != "hacked", other.locator("img").count()) == (True, 0)
        other.close()
    assert (page.title(), page.locator("img").count()) == ("simwarden live", 0)


def test_a_recorded_page_shows_the_same_refusal_from_disk(person: Person, browser: Any, tmp_path: Path) -> None:
    person.refused()
    file = tmp_path / "recorded.html"
    file.write_bytes(person.download("/recorded.html"))
    assert file.stat().st_size < 2_000_000
    person.shows("phone", "rejected")
    told = person.page.locator("#refused .who, #refused .who ~ p").all_inner_texts()
    context = browser.new_context(offline=True)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda each: said.append(each.text))
    page.on("request", lambda each: asked.append(each.url))
    page.goto(file.as_uri())
    page.locator("#said", has_text="A recording").wait_for()
    page.locator("#refused h2").wait_for()
    page.locator("[data-name=phone] .said", has_text="rejected").wait_for()
    page.wait_for_timeout(500)
    assert page.locator("#refused .who, #refused .who ~ p").all_inner_texts() == told
    assert page.locator("#without").count() == 0
    page.locator(".row.message").first.click()
    assert page.locator("#panel").is_visible()
    context.close()
    assert (said, asked) == ([], [file.as_uri()])


def test_capture_and_report_are_kept(person: Person) -> None:
    person.refused()
    assert person.download("/capture.pcapng")[:4] == bytes.fromhex("0a0d0d0a")
    report = person.download("/report.html").decode()
    assert "simwarden report" in report
    assert "bind.hss.given" in report


@pytest.mark.parametrize(
    ("header", "status"),
    [({"Host": "simwarden.example"}, 421), ({"Origin": "http://simwarden.example"}, 403), ({}, 200)],
)
def test_a_foreign_host_is_refused(address: str, header: dict[str, str], status: int) -> None:
    assert httpx.get(address, headers=header).status_code == status


def test_elsewhere_than_here_a_token_is_asked_for_and_is_in_no_address(browser: Any) -> None:
    with served("--host", "0.0.0.0") as (address, more, _):  # noqa: S104 - from this machine alone
        token = more.readline().split()[-1]
        context = browser.new_context()
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda each: asked.append(each.url))
        page.goto(address.replace("0.0.0.0", "127.0.0.1"))  # noqa: S104 - as above
        for given in ("wrong", token):
            assert page.locator("#net").count() == 0
            page.locator("input").fill(given)
            page.locator("button").click()
        page.locator(".node").first.wait_for()
        page.reload()
        page.locator(".node").first.wait_for()
        assert not [url for url in asked if token in url]
        assert token not in page.content()
        context.close()
