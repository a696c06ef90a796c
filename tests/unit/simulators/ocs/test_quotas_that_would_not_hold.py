"""A quota that nobody would ask for is an error of the file: the card would use what it likes, without a word."""

from __future__ import annotations

import pytest

from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors

STORY = """\
scenario: s
network: {ocs: {type: ocs}, NETWORK}
cards: {card: {quota: {by: ocs, data: 1 kB}}}
steps: [{wait: 1 s}]
"""


def told(network: str) -> list[str]:
    try:
        Loader().load("s.yaml", STORY.replace("NETWORK", network))
    except ScenarioErrors as errors:
        return [str(each) for each in errors.problems]
    return []


@pytest.mark.parametrize("network", ["", 'pgw: {apns: {iot: {gy: "off"}}}'])
def test_quotas_that_nobody_would_ask_for_are_told_with_their_place(network: str) -> None:
    (error,) = told(network)
    assert "3:23: quota would not hold at ocs: nobody asks it" in error


def test_quotas_that_somebody_asks_for_are_taken() -> None:
    assert told("pgw: {apns: {iot: {gy: ocs}}}") == []
