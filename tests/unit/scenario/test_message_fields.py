"""A field that a message cannot have is an error before anything runs; one that it has never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from simwarden.errors import ScenarioError
from simwarden.scenario.load import Loader

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
    ("name", "field", "value"),
    [
        ("s6a.update-location-answer", "Error-Message", "no"),
        ("s1-mme.attach-reject", "EMM-Cause", "6"),
        ("s1-mme.attach-request", "security_header_type", "1"),
        ("uu.security-mode-command", "ciphering_algorithm", "1"),
        ("me-uicc.select", "file", "EF.IMSI"),
    ],
)
def test_a_field_that_it_may_have_is_none(name: str, field: str, value: str) -> None:
    text = STORY.replace("KEY", "never").replace("NAME", name).replace("FIELD: 1", f"{field}: {value}")
    assert Loader().load("story.yaml", text).steps


@pytest.mark.parametrize("key", ["expect", "never"])
def test_a_field_of_a_group_is_an_error_outside_of_it(key: str) -> None:
    text = STORY.replace("KEY", key).replace("NAME", "gx.credit-control-answer")
    text = text.replace("FIELD", "apn_aggregate_max_bitrate_ul")
    with pytest.raises(ScenarioError, match="it is a field of qos_information"):
        Loader().load("story.yaml", text)
