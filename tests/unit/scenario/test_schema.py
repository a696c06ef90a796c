"""The published JSON Schema against a validator of somebody else's."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from editor import read

from simwarden.scenario.case_reference import split_reference
from simwarden.scenario.registry import Registry
from simwarden.scenario.schema import scenario_schema
from simwarden.scenario.suite import find

GOOD = """\
scenario: A story
proves: [bind.hss.learned]
seed: 3
network: {gate: {delay: 1.5}, gate2: {type: gate, cause: 6}, other: {type: gate, external: 'h:1'}}
cards:
  card: {imsi: 001010000000001, binding: {by: gate, learn: first-use}}
  two: {form: soldered, binding: [{by: sim}, {by: gate}]}
  three:
devices: {meter: {type: module, imei: 350000000000019}, phone: }
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
    expect: accepted
  - wait: 90 days
  - together: [{power_on: meter}, {power_on: phone}]
  - kill: gate
  - manage: {element: gate, as: customer, put: /cards/1/binding, body: {imei: 1}}
    expect: 403
  - expect:
      within: 5
      meter: {attach: accepted, emm_cause: 0}
      gate: {binding: {card: card, imei: meter.imei, times: 2}, open: yes}
      s6a.update-location-answer: {experimental_result: 5001}
      decision: {by: gate, control: bind.hss.learned, verdict: admit}
  - never: {gate: {binding: [{card: card}]}}
"""


@pytest.fixture
def validator(registry: Registry) -> Any:
    schema = scenario_schema(registry)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


JOBS = find([str(Path(__file__).parents[3] / "scenarios")])
SHIPPED = [Path(file) for file in dict.fromkeys(split_reference(job.reference)[0] for job in JOBS)]


def test_every_shipped_scenario_is_valid() -> None:
    validator = jsonschema.Draft202012Validator(scenario_schema(Registry.installed()))
    assert len(SHIPPED) > 25
    for path in SHIPPED:
        errors = [error.message for error in validator.iter_errors(read(path.read_text("utf-8")))]
        assert not errors, (path, errors)


def test_a_good_file_is_valid(validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(read(GOOD))] == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("proves: [bind.hss.learned]", "proves: [bind.hss.learnt]"),
        ("seed: 3", "sede: 3"),
        ("delay: 1.5", "dealy: 1.5"),
        ("type: gate, cause", "type: gait, cause"),
        ("learn: first-use", "learn: second-use"),
        ("by: sim", "by: sam"),
        ("type: module", "type: modul"),
        ("into: meter", "onto: meter"),
        ("power_on:", "power_up:"),
        ("as: customer", "as: buyer"),
        ("open: yes", "opne: yes"),
        ("control: bind.hss.learned", "control: bind.hss"),
        ("together: [{power_on: meter},", "together: [{power_up: meter},"),
        ("times: 2", "times: 0"),
        ("cause: 6", "cause: ILLEGAL_MEE"),
        ("scenario: A story", "title: A story"),
    ],
)
def test_what_a_file_gets_wrong_is_not(validator: Any, good: str, bad: str) -> None:
    assert good in GOOD
    assert not validator.is_valid(read(GOOD.replace(good, bad)))
