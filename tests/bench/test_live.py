"""A fleet of 10,000 cards on the live page, in a real browser: it is as readable and as smooth there as one of 100.

Nothing here fails on a slow machine: what is bounded is what a page is told, holds and draws, beside a fleet of 100.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import figures
import httpx
import pytest
from browsing import MARKS, chromium
from live_page import Person, served
from served import cpu_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    *MARKS,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc"),
]
FEW, MANY = 100, 10_000
#: what a page does meanwhile: changes of its document, but for the line that says how far the network has come
WATCH = """() => {
  window.changes = 0;
  const isWork = ({ target }) => !(target.closest ? target : target.parentElement)?.closest("#working");
  new MutationObserver((all) => { window.changes += all.filter(isWork).length; })
    .observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
}"""


@dataclass(frozen=True)
class Shown:
    """What a page shows of a fleet that has attached, and what that took."""

    nodes: int
    rows: list[str]
    elements: int
    changes: int
    told: int
    seconds: float

    def counted(self, number: int) -> set[str]:
        """Return the messages and decisions that so many say alike, as far as their first number."""
        return {each.split(" × ")[1] for each in self.rows if re.search(rf"(?<![\\d,]){number:,} × ", each)}


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def attached(browser: Any, number: int) -> Shown:
    """Serve a page, begin with so many cards, and attach them."""
    with served() as (address, _, process):
        person = Person(browser, address)
        page = person.page
        page.set_default_timeout(1_200_000)
        page.evaluate(WATCH)
        person.attach_fleet(number)
        nodes, elements = page.locator("#net .node").count(), page.locator("*").count()
        rows = [" ".join(each.split()) for each in page.locator(".ladder .row").all_inner_texts()]
        changes, told = page.evaluate("window.changes"), _told(address)
        person.close()
        return Shown(nodes, rows, elements, changes, told, _spent(process.pid))


def _told(address: str) -> int:
    """Return how many octets a page is told that comes now."""
    octets = 0
    with httpx.stream("GET", f"{address}events", timeout=60) as answer:
        for line in answer.iter_lines():
            if line == "event: now":
                break
            octets += len(line) + 1
    return octets


def _spent(pid: int) -> float:
    """Return the processor time of a process and of those that it has started: the network is one of them."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return cpu_of(pid) + sum(map(_spent, children))


def test_a_fleet_of_ten_thousand_is_shown_as_one_of_a_hundred(browser: Any) -> None:
    few, many = attached(browser, FEW), attached(browser, MANY)
    shown = [f"{each.told / 1000:.0f} kB told, {len(each.rows)} rows, {each.changes} changes" for each in (many, few)]
    told = f"{many.seconds:.0f} s; {shown[0]} of the page ({FEW} cards: {shown[1]})"
    figures.tell("10,000 cards on the live page, begun and attached", told)
    assert many.nodes == few.nodes < 30
    # the same messages and decisions, each once with its number
    assert many.counted(MANY) == few.counted(FEW)
    assert len(few.counted(FEW)) > 20
    assert len(many.rows) == len(few.rows) < 100
    assert many.elements <= 1.1 * few.elements
    # a hundred cards are put into their meters in rows of their own, which a page holds and draws as well
    assert many.changes <= few.changes
    assert many.told <= few.told < 500_000
