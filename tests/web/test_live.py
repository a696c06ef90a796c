"""The live page in a real browser: a card is dragged into a phone, who refused it is said, a switch shows what the
control is worth, and what was seen can be kept. Nothing leaves the machine.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
from browsing import MARKS, sync_api
from live_page import DESKTOP, ROOT, Person, served

if TYPE_CHECKING:
    from pathlib import Path

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (dependency group web)")
pytestmark = MARKS
PICTURES = ROOT / "docs" / "pictures"
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
#: milliseconds between an action and the first picture of it
SOON = 200
#: seconds for which a counter is watched
WATCHED = 5


def test_a_card_that_is_dragged_into_a_phone_is_refused_until_its_control_is_off(
    person: Person, tmp_path: Path
) -> None:
    page = person.page
    person.begin()
    person.attach("meter_card", "meter")
    person.drag("meter_card", "phone")
    page.locator("#history button", has_text="move").wait_for()
    took: list[float] = []
    while len(took) < 3 and min(took, default=5.0) >= 5:  # other tests may run beside this one
        if took:
            person.choose("phone", "Switch off")
            person.shows("phone", "off")
        began = time.monotonic()
        person.choose("phone", "Switch on")
        page.locator("#refused h2").wait_for()
        took.append(time.monotonic() - began)
    assert min(took) < 5
    told = " ".join(page.locator("#refused").inner_text().split())
    assert told.startswith("REFUSED by hss (Home subscriber server): the terminal is not the bound one")
    assert "Clause 2.1.3(1) one · Network-side binding by HSS subscription, IMEI given" in told
    assert "The device is told #8 EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED" in told
    assert "holds the card invalid until it is switched off" in told
    person.shows("phone", "rejected")
    # who refused it is marked in the network too, until something else is done
    assert page.locator(".refusing").get_attribute("data-name") == "hss"
    assert page.locator("#screen").inner_text().startswith("rejected · #8 EPS_AND_NON")
    assert page.locator("#off").is_hidden()

    page.locator("#without").click()
    person.shows("phone", "accepted")
    assert "hss/bind.hss.given" in page.locator("#off").inner_text()
    assert page.locator("[data-name=hss].switched").count() == 1
    assert page.locator(".refusing").count() == 0
    for number in (1, 2, 3):
        page.locator("#stolen", has_text=f"{number} packets").wait_for()

    page.locator("#off button").click()
    page.locator("#off.on").wait_for()
    after = person.stolen()
    page.locator("#refused h2").wait_for()
    page.wait_for_timeout(1000 * WATCHED)
    assert person.stolen() == after
    person.shows("phone", "rejected")

    with zipfile.ZipFile(io.BytesIO(person.download("/story.zip"))) as archive:
        archive.extractall(tmp_path)
    texts = [each.read_text("utf-8") for each in sorted(tmp_path.iterdir())]
    assert len(texts) == 2
    assert not any(word in text for text in texts for word in ("switch", "always-admit"))
    assert yaml.safe_load(texts[1])["proves"] == ["bind.hss.given"]
    command = [sys.executable, "-m", "simwarden", "run", str(tmp_path), "--report", str(tmp_path / "report")]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 - ours
    assert (run.returncode, "2 passed" in run.stdout) == (0, True), run.stdout + run.stderr


def test_the_first_picture_comes_at_once(person: Person) -> None:
    person.begin()
    person.drag("lift_card", "lift")
    person.page.locator("#history button", has_text="insert").wait_for()
    for entry, shown in (("Switch on", "accepted"), ("Switch off", "off")) * 3:
        person.choose("lift", entry)
        person.shows("lift", shown)
    took = person.page.evaluate("performance.getEntriesByName('picture').map((each) => each.duration)")
    assert len(took) >= 6
    assert min(took) < SOON  # of several, since other tests run beside this one


def test_any_arrow_opens_its_fields_and_octets(person: Person) -> None:
    person.refused()
    page = person.page
    page.locator("#end").click()
    page.locator(".row.message", has_text="Update location request").click()
    panel = page.locator("#panel")
    assert "mme → hss on S6a" in panel.inner_text()
    assert panel.locator("h4", has_text="Octets (").count() == 1
    panel.locator("button.name", has_text="user_name").click()
    assert panel.locator("mark").count() > 0
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    page.locator("#pause").click()
    page.locator("#history button", has_text="power_on").last.click()
    page.locator("#pause").click()
    page.locator("#step").click()
    page.locator("#now").dispatch_event("click")
    assert panel.is_visible()


def test_playback_is_paused_stepped_and_led_to_the_refusal(person: Person) -> None:
    person.refused()
    page = person.page
    page.locator("#jump").click()
    assert page.locator(".ladder .row").last.get_attribute("class").startswith("row decision refuse")
    place = page.locator("#place").inner_text()
    page.wait_for_timeout(600)
    assert page.locator("#place").inner_text() == place
    rows = page.locator(".ladder .row").count()
    page.locator("#step").click()
    assert page.locator(".ladder .row").count() == rows + 1
    # not yet: the reject has not come to the phone
    assert "rejected" not in page.locator("[data-name=phone]").text_content()
    # a new action goes to the end first
    person.choose("phone", "Switch off")
    person.shows("phone", "off")


def test_a_page_that_is_loaded_anew_shows_the_same_network_and_another_plays_in_its_own_time(
    person: Person, browser: Any
) -> None:
    person.refused()
    other = Person(browser, person.address)
    for each in (person, other):
        each.page.reload()
        each.page.locator(".node").first.wait_for()
        each.shows("phone", "rejected")
        assert "by hss" in each.page.locator("#refused .who").inner_text()
        assert each.page.locator(".ladder .row").count() > 20
    other.page.locator("#pause").click()
    person.choose("phone", "Switch off")
    person.shows("phone", "off")
    other.page.locator("#history button", has_text="power_off: phone").wait_for()
    assert other.page.locator("#pause").inner_text() == "Go on"
    assert "rejected" in other.page.locator("[data-name=phone]").text_content()
    other.page.locator("#pause").click()
    other.shows("phone", "off")
    other.close()


def test_each_control_has_a_switch_at_its_element(person: Person) -> None:
    person.begin()
    for control, off in (("area.cell", 1), ("mme.apn", 2)):
        person.choose("mme", f"Switch off {control}: ")
        person.page.locator("#off code").nth(off - 1).wait_for()
    assert person.page.locator("#off code").all_inner_texts() == ["mme/area.cell", "mme/mme.apn"]
    person.page.locator("[data-name=mme]").click()
    box, window = person.page.locator("#menu").bounding_box(), person.page.viewport_size
    assert box["y"] >= 0  # a list that is longer than the window scrolls in itself
    assert box["y"] + box["height"] <= window["height"]
    person.page.locator("#menu button", has_text="Switch on mme.apn: ").click()
    sync_api.expect(person.page.locator("#off code")).to_have_count(1)
    assert "0 packets, 0 messages, 0.0 minutes" in person.page.locator("#stolen").inner_text()
    person.begin()
    assert person.page.locator("#off").is_hidden()


def test_by_keyboard_and_in_chinese(person: Person) -> None:
    page = person.page
    person.begin()
    page.locator("#language").click()
    assert page.evaluate("document.documentElement.lang") == "zh"
    assert "把卡拖进设备" in page.locator("#said").inner_text()
    page.locator("[data-name=meter_card]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # into the phone
    page.locator("#history button", has_text="into: phone").wait_for()
    page.locator("[data-name=phone]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.locator("#refused h2", has_text="拒绝").wait_for()
    for said in (
        "拒绝方： hss (归属用户服务器): 终端不是所绑定的终端",
        "2.1.3(1) one · 网络侧机卡绑定：通过HSS签约功能实现绑定（预先告知IMEI） ",
        "预先告知的IMEI与号码绑定；用其他终端附着时拒绝",
        "设备收到的原因 #8 EPS_AND_NON_EPS",
        "接下来 把卡视为无效，直到关机或取出卡；清除 GUTI、TAI 列表和密钥",
    ):
        assert said in " ".join(page.locator("#refused").inner_text().split())
    person.shows("hss", "归属用户服务器")
    page.locator("#language").click()
    person.shows("hss", "Home subscriber")
    assert page.locator("[data-name=hss] .said").all_text_contents() == ["Home subscriber", "server"]
    assert "the terminal is not the bound one" in page.locator("#refused").inner_text()


def test_what_makes_no_sense_is_said(person: Person) -> None:
    person.begin()
    person.page.locator("#line").fill("power_n: meter")
    person.page.locator("#own button").click()
    person.page.locator("#wrong", has_text="did you mean 'power_on'?").wait_for()
    person.said.clear()  # the browser logs an answer of 400
    person.page.locator("#line").fill("power_on: meter")
    person.page.locator("#own button").click()
    person.shows("meter", "no-card")
    assert person.page.locator("#wrong").is_hidden()


def test_lists_are_changed_by_the_operator_and_not_by_the_customer(person: Person) -> None:
    person.begin()
    for who, status in (("As the customer: bind it", "403"), ("As the operator: bind it", "200")):
        person.choose("meter_card", who)
        person.page.locator("#ask button").first.click()
        person.page.locator("#history small", has_text=status).wait_for()
    person.attach("meter_card", "phone")


def test_a_device_is_dragged_to_another_cell_and_what_it_sends_and_calls_is_told(person: Person) -> None:
    page = person.page
    person.begin()
    person.attach("meter_card", "meter")
    person.choose("meter", "Open an address")
    page.locator("#ask button").first.click()
    page.locator("#history small", has_text="delivered").wait_for()
    person.choose("waterworks", "Send an SMS to the meter")
    page.locator("#history button", has_text="submit_message").wait_for()
    person.drag("meter", "enb2")
    page.locator("#refused", has_text="Clause 2.2.1").wait_for()
    person.choose("meter", "Send an SMS to")
    page.locator("#ask button").first.click()
    page.locator("#refused", has_text="Clause 1.2(1)").wait_for()
    told = " ".join(page.locator("#refused").inner_text().split())
    assert "The device is told RP cause #21 SHORT_MESSAGE_TRANSFER_REJECTED; TP failure cause #196" in told
    assert "What happens next the device stays registered, and may try again" in told
    person.attach("lift_card", "lift")
    person.choose("pstn", "A stranger calls the lift")
    page.locator("#refused", has_text="Clause 1.1(1)").wait_for()
    assert "The answer is 403 Forbidden, Q.850 cause 21" in page.locator("#refused").inner_text()
    person.drag("lift_card", "old_phone")
    page.locator("#history button", has_text="old_phone").wait_for()
    person.choose("old_phone", "Switch on")
    page.locator("#refused", has_text="MM cause #2 IMSI_UNKNOWN_IN_HLR").wait_for()
    assert "the device holds the card invalid for calls" in page.locator("#then").inner_text()
    assert page.locator("#wrong").is_hidden()


def test_what_a_device_is_told_is_the_cause_of_the_refusal_and_none_that_comes_after_it(person: Person) -> None:
    page = person.page
    person.begin()
    person.attach("meter_card", "meter")
    for step in ("wait: 60 s", "goto: {device: meter, cell: enb2/1}"):  # idle by then: no base station knows it
        page.locator("#line").fill(step)
        page.locator("#own button").click()
        page.locator("#history button", has_text=step).wait_for()
    page.locator("#end").click()
    assert page.locator(".row.message", has_text="EMM cause 10 Implicitly detached").count()  # back in its own cell
    assert "The device is told #15 NO_SUITABLE_CELLS" in " ".join(page.locator("#refused").inner_text().split())


def test_what_is_done_now_is_in_sight_and_what_was_refused_is_over_in_a_new_network(person: Person) -> None:
    page = person.page
    person.refused()
    for number in (1, 2):
        person.choose("phone", "Switch off")
        page.locator("#history button", has_text="power_off: phone").nth(number - 1).wait_for()
        person.choose("phone", "Switch on")
        page.locator("#history button", has_text="power_on: phone").nth(number).wait_for()
    sync_api.expect(page.locator("#history [aria-pressed=true]")).to_be_in_viewport(ratio=0.9)
    page.locator("#refused h2").wait_for()
    assert page.locator(".refusing").count() == 1
    person.begin()
    assert page.locator(".refusing").count() == 0


def test_data_is_directed_and_ends_with_its_quota(person: Person) -> None:
    page = person.page
    person.begin()
    person.attach("tracker_card", "tracker")
    page.locator("#end").click()
    assert page.locator("#refused").is_hidden()  # the PCRF has a list for it, and nothing was stopped yet
    person.choose("tracker", "Open an address")
    page.locator("#ask button").first.click()
    page.locator("#refused .who", has_text="by pgw (PDN gateway): no rule of the card lets it pass").wait_for()
    assert "Clause 2.2.3(3) three" in page.locator("#refused").inner_text()
    for _ in range(3):
        page.locator("#line").fill("send: {device: tracker, to: '198.51.100.80:5683', octets: 972}")
        page.locator("#own button").click()
        page.locator("body:not(.busy)").wait_for()
        page.locator("#end").click()
        if page.locator("#refused").is_visible():
            break
    told = " ".join(page.locator("#refused").inner_text().split())
    assert "Clause 2.2.2 · Quota" in told
    assert "What happens next the device is detached, and has to attach again" in told
    page.locator("#own button").click()  # nothing is on its line: nothing is done
    page.locator("#line").fill("send: {device: tracker, to: '198.51.100.80:5683'}")
    page.locator("#own button").click()
    page.locator("#history small", has_text="dropped").wait_for()
    page.locator("#place", has_text="row 0 of 0").wait_for()  # a device without a session sends nothing
    page.locator("#jump").click()
    page.locator("#without").click()  # the same packet is served, and counted
    person.shows("tracker", "accepted")
    page.locator("#stolen", has_text="1 packets").wait_for()
    assert page.locator("#off code").all_inner_texts() == ["pgw/data.quota"]


def test_a_page_whose_server_was_killed_follows_the_one_that_comes_after_it(browser: Any) -> None:
    with served() as (address, _, process):
        person = Person(browser, address)
        person.refused()
        person.page.locator("#pause").click()
        process.kill()
        person.page.locator("#wrong", has_text="The connection to simwarden is lost").wait_for()
        process.wait()
    with served("--port", str(urlsplit(address).port)) as (again, _, _):
        assert again == address
        person.page.locator("#wrong").wait_for(state="hidden")
        person.page.locator("body[data-network='3']").wait_for()
        sync_api.expect(person.page.locator("#history button")).to_have_count(0)
        person.said.clear()  # the browser logs each connection that it did not get
        person.refused()
        person.close()


def test_a_page_that_is_loaded_anew_in_the_middle_of_a_playback_is_where_the_network_is(person: Person) -> None:
    person.refused()
    page = person.page
    page.locator("#jump").click()
    page.locator("#without").click()
    page.locator("#ladder h2", has_text="accepted").wait_for()  # it plays how the phone is served
    page.locator("#pause").click()
    page.reload()
    page.locator("#off code", has_text="hss/bind.hss.given").wait_for()
    person.shows("phone", "accepted")
    page.locator("#stolen", has_text=re.compile(r"[1-9]\d* packets")).wait_for()
    page.locator("#off button").click()
    page.locator("#off.on").wait_for()
    person.shows("phone", "rejected")
    page.locator("#language").click()
    assert page.locator("#ladder h2").inner_text() == "控制已重新打开：此前得到的业务被中断"
    assert "控制已重新打开" in page.locator("#history button").last.inner_text()


def test_on_a_tablet_the_network_and_its_refusal_are_seen_together(browser: Any, address: str) -> None:
    person = Person(browser, address, viewport=TABLET, has_touch=True, is_mobile=True)
    person.refused()
    for each in ("#net", "#refused"):
        sync_api.expect(person.page.locator(each)).to_be_in_viewport(ratio=1)
    person.close()


def test_by_touch_at_the_width_of_a_phone(browser: Any, address: str) -> None:
    person = Person(browser, address, viewport=PHONE, has_touch=True, is_mobile=True)
    page = person.page
    person.begin()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    touch = person.context.new_cdp_session(page)
    (x, y), (u, v) = person.middle("meter_card"), person.middle("phone")

    def at(kind: str, *points: tuple[float, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})

    at("touchStart", (x, y))
    for part in range(1, 6):
        at("touchMove", (x + (u - x) * part / 5, y + (v - y) * part / 5))
    at("touchEnd")
    page.locator("#history button", has_text="into: phone").wait_for()
    page.locator("[data-name=phone]").tap()
    page.locator("#menu button", has_text="Switch on").tap()
    page.locator("#refused h2").wait_for()
    assert "Clause 2.1.3(1) one" in page.locator("#refused").inner_text()
    # it is below the network there: who looks at the phone is led to it, and to the network with the next action
    sync_api.expect(page.locator("#refused h2")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#without").tap()
    sync_api.expect(page.locator("#said")).to_be_in_viewport()
    page.locator("#stolen", has_text=re.compile(r"[1-9]\d* packets")).wait_for()
    # so does the counter, which hides nothing of the sentence above the network
    counter, said = page.locator("#off").bounding_box(), page.locator("#said").bounding_box()
    assert 0 <= counter["y"] < counter["y"] + counter["height"] <= said["y"] < PHONE["height"]
    page.locator("#off button").tap()
    page.locator("#off.on").wait_for()
    person.close()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, address: str, viewport: dict[str, int], scheme: str) -> None:
    person = Person(browser, address, viewport=viewport, color_scheme=scheme, bypass_csp=True)
    person.refused()
    person.page.locator("#without").click()
    person.page.locator("#off button").wait_for()
    person.page.locator(".row.message").last.click()
    found = axe.Axe().run(person.page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in serious] == []
    person.begin()
    person.close()


def test_a_fleet_is_told_in_groups_and_stays_smooth(person: Person) -> None:
    page = person.page
    person.attach_fleet(100)
    assert page.locator(".row", has_text="100 × Update location request").count() == 1
    assert page.locator(".ladder .row").count() < 100
    # what is not alike stays as it is, and is drawn at once
    person.choose("fleet", "Switch off")
    page.locator("#history button", has_text="power_off: fleet").wait_for()
    members = ", ".join(f"{{power_on: fleet-{number}}}" for number in range(1, 13))
    page.locator("#line").fill(f"together: [{members}]")
    page.locator("#own button").click()
    page.locator("#history button", has_text="together").wait_for()
    took = page.evaluate("""() => {
      const began = performance.now();
      document.querySelector("#end").click();
      document.body.getBoundingClientRect();
      return performance.now() - began;
    }""")
    assert page.locator(".ladder .row").count() > 400
    assert took < 2000
    page.locator("#fleet").select_option("0")


@pytest.mark.parametrize("number", range(5))
def test_the_tour_is_presented_act_by_act_and_has_pictures(person: Person, number: int) -> None:
    page = person.page
    page.locator("#story").select_option(str(number))
    for _ in range(12):
        page.locator("#next").click()
        page.locator("body:not(.busy)").wait_for()
        page.locator("#end").click()
        if page.locator("#refused").is_visible():
            break
    outline = page.locator("#refused h2, #refused .who, #refused .who ~ p").all_inner_texts()
    told = "\n".join([page.locator("#story option:checked").inner_text(), *outline, ""])
    picture, text = PICTURES / f"live-{number + 1}.png", PICTURES / f"live-{number + 1}.txt"
    if os.environ.get("PICTURES_WRITE"):
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=str(picture))
        text.write_text(told, "utf-8")
    assert text.read_text("utf-8") == told
    assert picture.stat().st_size > 10_000


def test_the_tour_plays_by_itself(person: Person) -> None:
    page = person.page
    page.locator("#speed").select_option("2")
    page.locator("#story").select_option("2")
    page.locator("#tour").click()
    page.locator("#refused h2").wait_for()
    page.locator("#off button").wait_for()
    page.locator("#off.on").wait_for()
    assert person.stolen()[1] >= 3
    # at its end the next story begins
    sync_api.expect(page.locator("#story")).to_have_value("3", timeout=120_000)
    page.locator("#tour").click()
    page.locator("body:not(.busy)").wait_for()  # what the tour began has been told as well
    person.begin()
