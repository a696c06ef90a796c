"""Each misuse of the page on data has its story and one that passes, and no story of a stopped packet is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STORIES = ROOT / "scenarios"
PAGE = (ROOT / "docs" / "data.md").read_text("utf-8")
ROWS = [
    tuple(map(str.strip, line.strip("| ").split(" | ")))
    for line in PAGE.partition("<!-- misuses: scenarios -->")[2].partition("\n\n")[0].splitlines()[3:]
]
#: what says in a story that something does not get through
STOPPED = re.compile(r"expect: (timed-out|dropped|rejected)|attach: rejected|never:|\b(403|none)\b")


def test_there_are_rows_of_four_columns() -> None:
    assert len(ROWS) > 15
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2])
def test_a_misuse_has_its_story_and_what_passes(row: tuple[str, ...]) -> None:
    stopped, passes = (STORIES / f"{name}.yaml" for name in row[2:])
    assert STOPPED.search(stopped.read_text("utf-8")), stopped
    assert passes.is_file()
    assert stopped != passes


def test_each_packet_of_a_shipped_story_that_does_not_get_through_is_a_row() -> None:
    silent = {"packet-to-a-meter-that-is-gone", "packet-to-a-meter-that-does-not-hear"}
    silent |= {"packet-after-the-internet-came-back"}  # nobody misuses anything
    told = {Path(row[2]).name for row in ROWS} | {Path(row[3]).name for row in ROWS} | silent
    found = {
        path.stem
        for path in (STORIES / "data").glob("packet*.yaml")
        if re.search(r"- send:[^\n]*\n    expect: (timed-out|dropped)", path.read_text("utf-8"))
    }
    assert found
    assert found <= told
