"""Lists of a card that nobody would ask are an error of the file: its data would not be directed, without a word."""

from __future__ import annotations

import pytest

from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors

STORY = """\
scenario: s
network: {NETWORK}
cards: {card: {data: {by: BY, whitelist: ["198.51.100.80:5683"]}}}
steps: [{wait: 1 s}]
"""
NOT_ASKED = "3:22: data would not hold at pcrf: nobody asks it"
FROM_GX = "3:22: data would not hold at pgw: sessions of its APNs take their rules from Gx (gx: pcrf)"


def told(network: str, by: str) -> list[str]:
    text = STORY.replace("NETWORK", network).replace("BY", by)
    try:
        Loader().load("s.yaml", text)
    except ScenarioErrors as errors:
        return [str(each) for each in errors.problems]
    return []


@pytest.mark.parametrize(
    ("network", "by", "said"),
    [
        ("pcrf: {type: pcrf}, pgw: {apns: {iot: {gx: pcrf}}}", "pgw", FROM_GX),
        ("pcrf: {type: pcrf}", "pcrf", NOT_ASKED),
        ('pcrf: {type: pcrf}, pgw: {apns: {iot: {gx: "off"}}}', "pcrf", NOT_ASKED),
        ("pcrf: {type: pcrf}, pgw: {apns: {other: {gx: pcrf}, iot: {}}}", "pcrf", NOT_ASKED),
        ('pcrf: {type: pcrf}, pgw: {apns: {other: {gx: pcrf}, "*": {}}}', "pcrf", NOT_ASKED),
        ("pcrf: {type: pcrf}, pgw: {apns: {iot: {gx: pcrf}}}, hss: {apns: [{name: other}]}", "pcrf", NOT_ASKED),
    ],
)
def test_lists_that_nobody_would_ask_are_told_with_their_place(network: str, by: str, said: str) -> None:
    (error,) = told(network, by)
    assert said in error


@pytest.mark.parametrize(
    ("network", "by"),
    [
        ("pcrf: {type: pcrf}, pgw: {apns: {iot: {gx: pcrf}}}", "pcrf"),
        ("pcrf: {type: pcrf}, pgw: {apns: {iot: {gx: pcrf}, other: {}}}", "pgw"),
        ("pcrf: {type: pcrf}", "pgw"),
        ('pcrf: {type: pcrf}, pgw: {apns: {"*": {gx: pcrf}}}', "pcrf"),
        ("pcrf: {type: pcrf}, pgw: {apns: {IoT: {gx: pcrf}, other: {}}}", "pcrf"),
        (
            "pcrf: {type: pcrf}, pgw: {apns: {two: {gx: pcrf}, iot: {}}}, hss: {apns: [{name: iot}, {name: two}]}",
            "pcrf",
        ),
        ('pcrf: {type: pcrf}, pgw: {external: "127.0.0.1:2123"}', "pcrf"),
        ('pcrf: {external: "127.0.0.1:3868"}, pgw: {apns: {iot: {gx: pcrf}}}', "pcrf"),
    ],
)
def test_lists_that_somebody_asks_are_taken(network: str, by: str) -> None:
    assert told(network, by) == []


@pytest.mark.parametrize(("name", "holds"), [("iot", True), ("IOT", True), ("other", False)])
def test_a_list_holds_by_the_apns_of_the_subscription(name: str, *, holds: bool) -> None:
    text = STORY.replace("NETWORK", "pcrf: {type: pcrf}, pgw: {apns: {iot: {gx: pcrf}, other: {}}}").replace(
        "BY", "pcrf"
    )
    text = text.replace("{card: {", f"{{card: {{subscription: {{apns: [{{name: {name}}}]}}, ")
    problems: list[str] = []
    try:
        Loader().load("s.yaml", text)
    except ScenarioErrors as errors:
        problems = [str(each) for each in errors.problems]
    assert [NOT_ASKED.partition(" ")[2] in each for each in problems] == ([] if holds else [True])


@pytest.mark.parametrize("scheme", ["htttps", "ssl", "lwm2m"])
def test_an_entry_with_an_unknown_scheme_is_an_error_with_its_place(scheme: str) -> None:
    text = STORY.replace("NETWORK", "").replace("BY", "pgw").replace("198.51.100.80:5683", f"{scheme}://up.example")
    with pytest.raises(ScenarioErrors, match=f"unknown scheme '{scheme}'") as wrong:
        Loader().load("s.yaml", text)
    (error,) = wrong.value.problems
    assert str(error).startswith("s.yaml:3:")


@pytest.mark.parametrize("entry", ["https://up.example", "http://198.51.100.80/firmware", "*.iot.example:8883"])
def test_a_bearer_of_its_own_for_what_no_traffic_flow_template_tells_is_an_error_with_its_place(entry: str) -> None:
    (error,) = told(
        f'pcrf: {{type: pcrf, qos: {{"{entry}": {{qci: 7}}}}}}, pgw: {{apns: {{iot: {{gx: pcrf}}}}}}', "pcrf"
    )
    assert error.startswith("s.yaml:2:")
    assert f"{entry} is told by what its flows show" in error
