"""The live page as a person has it: served by a process of its own, in a real browser."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DESKTOP = {"width": 1280, "height": 860}
STOLEN = re.compile(r"(\d+) packets, (\d+) messages, ([\d.]+) minutes")


@contextlib.contextmanager
def served(*options: str) -> Iterator[tuple[str, Any, subprocess.Popen[str]]]:
    """Serve the page; yield its address, where more is said, and its process."""
    command = [sys.executable, "-m", "simwarden", "live", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://[^ ]+/", said)
        assert found, said
        try:
            yield found[0], process.stdout, process
        finally:
            process.terminate()
            process.wait(20)


class Person:
    """Somebody before a page, with what the page said and asked for."""

    def __init__(self, browser: Any, address: str, **how: Any) -> None:
        self.address = address
        self.context = browser.new_context(**{"viewport": DESKTOP, "accept_downloads": True, **how})
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda each: self.said.append(each.text) if each.type == "error" else None)
        self.page.on("request", lambda each: self.asked.append(each.url))
        self.page.goto(address)
        self.page.locator(".node").first.wait_for()

    def close(self) -> None:
        self.context.close()
        assert self.said == []
        assert {url for url in self.asked if not url.startswith(self.address)} == set()

    def begin(self) -> None:
        before = int(self.page.locator("body").get_attribute("data-network"))
        self.page.locator("#begin").click()
        self.page.locator(f"body[data-network='{before + 1}']:not(.busy)").wait_for()

    def middle(self, name: str) -> tuple[float, float]:
        box = self.page.locator(f"[data-name={name}]").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, name: str, to: str) -> None:
        (x, y), (u, v) = self.middle(name), self.middle(to)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move((x + u) / 2, (y + v) / 2)
        self.page.mouse.move(u, v)
        self.page.mouse.up()

    def choose(self, name: str, entry: str) -> None:
        self.page.locator(f"[data-name={name}]").click()
        self.page.locator("#menu button", has_text=entry).first.click()

    def shows(self, name: str, text: str) -> None:
        self.page.locator(f"[data-name={name}] .said", has_text=text).first.wait_for()

    def attach(self, card: str, device: str) -> None:
        """Put a card into a device by hand, and switch that on, which is served."""
        self.drag(card, device)
        self.page.locator("#history button", has_text=f"into: {device}").wait_for()
        self.choose(device, "Switch on")
        self.shows(device, "accepted")

    def attach_fleet(self, number: int) -> None:
        """Begin with so many more cards in meters, and switch these on."""
        self.page.locator("#fleet").select_option(str(number))
        self.begin()
        assert f"fleet × {number:,}" in self.page.locator("[data-name=fleet]").get_attribute("aria-label")
        self.choose("fleet_card", "Put it into fleet")
        self.page.locator("#history button", has_text="into: fleet").wait_for()
        self.choose("fleet", "Switch on")
        self.page.locator("#history button", has_text="power_on: fleet").wait_for()
        self.page.locator("#end").click()
        self.shows("fleet", f"{number:,} accepted")

    def stolen(self) -> tuple[int, int, float]:
        found = STOLEN.search(self.page.locator("#stolen").inner_text())
        assert found
        return int(found[1]), int(found[2]), float(found[3])

    def refused(self, device: str = "phone") -> None:
        """Put the meter's card into a phone by hand, and switch that on."""
        self.begin()
        self.drag("meter_card", device)
        self.page.locator("#history button", has_text="insert").wait_for()
        self.choose(device, "Switch on")
        self.page.locator("#refused h2").wait_for()

    def download(self, path: str) -> bytes:
        self.page.locator("#save summary").click()
        with self.page.expect_download() as waiting:
            self.page.locator(f"a[href='{path}']").click()
        self.page.locator("#save summary").click()
        return Path(waiting.value.path()).read_bytes()
