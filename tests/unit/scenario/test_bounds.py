"""Bounds of a number in an expectation: checked before the run, and judged in it."""

from __future__ import annotations

import pytest

from simwarden.errors import SimwardenError
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

TEXT = """\
scenario: OCS counts a volume
network:
  pgw: {apns: {iot: {gy: ocs}}}
  ocs: {type: ocs, octets: 1 kB, threshold: 0}
cards:
  card: {profile: meter, quota: {by: ocs, data: 10 kB}}
devices:
  meter: {type: module}
given: {attached: {meter: card}}
steps:
  - send: {device: meter, to: 198.51.100.80, octets: 472}
    expect: delivered
  - expect: {ocs: {balance: {card: card, service: data, used: BOUNDS}}}
"""


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ("{at_least: 1}", Verdict.PASSED),
        ("{at_least: 1, at_most: 10 kB}", Verdict.PASSED),
        ("{at_most: 999}", Verdict.FAILED),
        ("{at_least: 20 kB}", Verdict.FAILED),
    ],
)
def test_a_run_is_judged_by_bounds(bounds: str, verdict: Verdict) -> None:
    scenario = Loader().load("story.yaml", TEXT.replace("BOUNDS", bounds))
    assert run_scenario(scenario, "story", RunOptions()).verdict is verdict


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ("{at_least: soon}", "13:74: used: at_least: 'soon' is no number, volume or duration"),
        ("{at_leats: 1}", "13:63: used is a number and has no fields"),
        ("{at_least: 5 MB, at_most: 1}", "13:63: used: no number is at least 5 MB and at most 1"),
    ],
)
def test_bounds_that_cannot_be_are_told(bounds: str, told: str) -> None:
    with pytest.raises(SimwardenError) as error:
        Loader().load("story.yaml", TEXT.replace("BOUNDS", bounds))
    assert told in str(error.value)
