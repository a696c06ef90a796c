"""The ten benches that are held to recorded ratios."""

from __future__ import annotations

import json

import figures
import pytest
import ratios


def test_the_benches_are_rows_of_the_page_and_recorded() -> None:
    recorded = json.loads(ratios.RECORD.read_text("utf-8"))
    assert len(ratios.BENCHES) == 10
    assert set(ratios.BENCHES) <= set(figures.ROWS)
    assert list(recorded) == list(ratios.BENCHES)


@pytest.mark.parametrize(("figure", "seconds"), [("1,000/s", 0.001), ("4.78 ms", 0.00478), ("0.18 s", 0.18)])
def test_the_seconds_of_a_figure(figure: str, seconds: float) -> None:
    assert ratios.seconds_each(figure) == pytest.approx(seconds)


def test_a_bench_that_became_slower_is_named() -> None:
    rates = dict.fromkeys(ratios.BENCHES, "1,000/s")
    ratios.note_reference(ratios.BENCHES, 0.05)
    recorded = dict.fromkeys(ratios.BENCHES, 0.001 / 0.05)
    assert ratios.slower(rates, recorded) == []
    slow = rates | {ratios.BENCHES[3]: "500/s"}
    assert ratios.slower(slow, recorded) == [f"{ratios.BENCHES[3]}: 2.00 times the recorded ratio"]


def test_a_bench_that_did_not_run_is_an_error() -> None:
    with pytest.raises(KeyError):
        ratios.slower({}, {})
