"""The tables of `impact`."""

from __future__ import annotations

from simwarden.campaign.impact.measures import MEASURES
from simwarden.campaign.impact.table import COLUMNS, TONES, tone


def test_each_measure_says_what_its_dots_mean() -> None:
    assert TONES.keys() == COLUMNS.keys() == MEASURES.keys()
    assert tone("packets", {"packets_out": 0, "packets_in": 0}) == "good"
    assert tone("packets", {"packets_out": 3, "packets_in": 0}) == "open"
    assert tone("messages", {"messages_out": 0, "messages_in": 1}) == "open"
    assert tone("calls", {"calls_out": 0, "calls_in": 0, "ended": 0.0}) == "good"
    assert tone("calls", {"calls_out": 0, "calls_in": 0, "ended": 242.0}) == "open"
