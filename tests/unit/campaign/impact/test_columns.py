"""The columns of `impact`."""

from __future__ import annotations

from simwarden.campaign.impact.columns import COLUMNS, tone
from simwarden.campaign.impact.measures import MEASURES


def test_each_measure_says_what_its_dots_mean() -> None:
    assert COLUMNS.keys() == MEASURES.keys()
    assert tone("packets", {"packets_out": 0, "packets_in": 0}) == "good"
    assert tone("packets", {"packets_out": 3, "packets_in": 0}) == "open"
    assert tone("messages", {"messages_out": 0, "messages_in": 1}) == "open"
    assert tone("calls", {"calls_out": 0, "calls_in": 0, "ended": 0.0}) == "good"
    assert tone("calls", {"calls_out": 0, "calls_in": 0, "ended": 242.0}) == "open"
    assert tone("delay", {"session_ends": 1.0, "leaked_messages": 2}) == "open"
    assert tone("delay", {"session_ends": None, "leaked_messages": 2}) == "bad"
    assert tone("blast", {"hurt": 3, "stay_out": 0}) == "open"
    assert tone("blast", {"hurt": 3, "stay_out": 1}) == "bad"
    assert tone("load", {"fleet": 5, "back": 5}) == "good"
    assert tone("load", {"fleet": 5, "back": 0, "back_after_power_cycle": 5}) == "open"
    assert tone("load", {"fleet": 5, "back": 0, "back_after_power_cycle": 0}) == "bad"
