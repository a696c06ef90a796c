"""A field that a message cannot have is an error before anything runs; one that it has never is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simwarden.errors import ScenarioError
from simwarden.scenario.load import Loader
from simwarden.scenario.message_fields import expected_fields
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.dissect import MALFORMED, Dissector
from simwarden.trace.events import Frame

if TYPE_CHECKING:
    from simwarden.wire.dissection import Dissection

SCENARIOS = Path(__file__).parents[3] / "scenarios"
STORY = """\
scenario: A meter attaches
cards: {card: {}}
devices: {meter: {}}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
  - KEY:
      NAME: {FIELD: 1}
"""


@pytest.mark.parametrize("key", ["expect", "never"])
@pytest.mark.parametrize(
    ("name", "field", "meant"),
    [
        ("s6a.update-location-answer", "experimental_resut", "experimental_result"),
        ("s1-mme.attach-reject", "emm-caus", "emm_cause"),
        ("s1-mme.initial-ue-message", "eutran_cgis", "eutran_cgi"),
        ("uu.rrc-connection-request", "establishment_causes", "establishment_cause"),
        ("uu.security-mode-command", "imeisv_requested", "imeisv_request"),
    ],
)
def test_a_field_that_a_message_never_has_is_an_error(key: str, name: str, field: str, meant: str) -> None:
    text = STORY.replace("KEY", key).replace("NAME", name).replace("FIELD", field)
    with pytest.raises(ScenarioError) as caught:
        Loader().load("story.yaml", text)
    assert f"story.yaml:8:{9 + len(name) + 1}" in str(caught.value)
    assert f"did you mean {meant!r}?" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("s6a.update-location-answer", "Error-Message"),
        ("s1-mme.attach-reject", "EMM-Cause"),
        ("s1-mme.attach-request", "security_header_type"),
        ("uu.security-mode-command", "ciphering_algorithm"),
        ("me-uicc.select", "file"),
    ],
)
def test_a_field_that_it_may_have_is_none(name: str, field: str) -> None:
    text = STORY.replace("KEY", "never").replace("NAME", name).replace("FIELD", field)
    assert Loader().load("story.yaml", text).steps


def parts_of(dissection: Dissection) -> list[Dissection]:
    return [dissection, *(part for each in dissection.inner for part in parts_of(each))]


@pytest.mark.parametrize(
    "story",
    [
        "demo/moved-card.yaml",
        "area/handover-beside-the-cards-cell.yaml",
        "area/path-switch-to-another-cell.yaml",
        "binding/hss/suspended-by-withdrawal.yaml",
        "evasion/diameter-avp-twice.yaml",
        "data/access-point-that-is-not-subscribed.yaml",
    ],
)
def test_no_message_of_a_run_has_a_field_that_would_be_an_error(story: str) -> None:
    result = run_scenario(Loader().load(SCENARIOS / story), "story", RunOptions())
    seen = 0
    for event, dissection in Dissector().walk(result.events):
        for part in parts_of(dissection) if isinstance(event, Frame) and dissection is not None else ():
            known = expected_fields(event.protocol, part.name)  # type: ignore[attr-defined]
            assert not known or part.name == MALFORMED or part.fields.keys() <= known, part.name
            seen += bool(known)
    assert seen
