"""Services of a network by name: the settings that elements declare for them, and what a file says itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors

if TYPE_CHECKING:
    from simwarden.scenario.network import Instance

STORY = "scenario: A story\nsteps:\n- wait: 1 s\n- expect: {hss: {subscription: none}}\nnetwork: "
CENTRES = "{smsc: +8613800100500}"
SMS = f"{{mme: {{sms: {{centres: {CENTRES}}}}}, hss: {{centres: {CENTRES}}}, smsc: {{}}}}"
PHONES = "{room: {number: +8613800001111}, other: {number: +8613800002222}}"
SIGNALLING = "hss: {signalling: {}}, eir: {signalling: {}}"
CALLS = f'scp: {{}}, pstn: {{phones: {PHONES}}}, ssp: {{trunks: {{pstn: {{prefixes: [""]}}}}}}'
BOTH = SMS.replace("hss: {", "hss: {signalling: {}, ").replace(
    "smsc: {}", f"smsc: {{}}, eir: {{signalling: {{}}}}, {CALLS}"
)


def instances(network: str) -> list[Instance]:
    return list(Loader().load("story.yaml", f"{STORY}{network}\n").instances.values())


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("{services: sms}", SMS),
        ("{services: voice}", f"{{{SIGNALLING}, {CALLS}}}"),
        ("{services: [voice, sms]}", BOTH),
        ("{pstn: {phones: {}}, services: voice}", f"{{{SIGNALLING}, {CALLS.replace(PHONES, '{}')}}}"),
        ("{services: voice, eir: off}", f"{{hss: {{signalling: {{}}}}, eir: off, {CALLS}}}"),
        ("{services: sms, smsc: {type: intruder}}", SMS.replace("smsc: {}", "smsc: {type: intruder}")),
    ],
)
def test_a_service_is_short_for_the_settings_of_its_elements(short: str, long: str) -> None:
    assert sorted(instances(short), key=lambda each: each.name) == sorted(instances(long), key=lambda each: each.name)


def test_elements_of_a_service_come_in_the_order_in_which_they_start() -> None:
    names = [each.name for each in instances("{rogue: {type: intruder}, services: voice}")]
    assert names[-4:] == ["scp", "pstn", "ssp", "rogue"]


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("{services: voise}", "5:21: service 'voise' is not known (did you mean 'voice'?)"),
        (
            "{services: [sms, {voice: on}]}",
            "5:27: services: the name of a service is expected, not a mapping with voice",
        ),
    ],
)
def test_a_service_that_nobody_offers_is_an_error(network: str, said: str) -> None:
    with pytest.raises(ScenarioErrors) as raised:
        instances(network)
    assert said in str(raised.value)
