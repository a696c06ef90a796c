"""The table of figures is what the benches write, and each of its rows is told by one."""

from __future__ import annotations

import re
from pathlib import Path

import figures
import pytest

BENCHES = Path(__file__).parents[2] / "bench"


def test_the_table_is_written_by_the_benches() -> None:
    head, found, part = figures.written()
    assert part == figures.table(head, found)
    assert re.fullmatch(
        r"Measured on \d{4}-\d\d-\d\d, \d+ cores of .+, Python 3\.\d+\.\d+, load average \d+\.\d\.", head
    )
    assert all(found.values())


def test_each_row_names_its_bench() -> None:
    named = {name for _, how in figures.ROWS.values() for name in re.findall(r"test_\w+\.py", how)}
    telling = {path.name for path in BENCHES.glob("test_*.py") if "figures.tell(" in path.read_text("utf-8")}
    assert named == telling


def test_a_figure_without_a_row_is_an_error() -> None:
    with pytest.raises(KeyError):
        figures.tell("AIR over pigeons", "1/s")


def test_nothing_is_written_where_a_bench_has_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = figures.PAGE.read_text("utf-8")
    monkeypatch.setattr(figures, "_told", {})
    with pytest.raises(KeyError):
        figures.write()
    assert figures.PAGE.read_text("utf-8") == before
