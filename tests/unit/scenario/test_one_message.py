"""One fault in a file is told in one message, with its line, and nothing that only follows from it."""

from __future__ import annotations

import re

import pytest

from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors

STORY = """\
scenario: A story
proves: [area.cell]
network:
  mme: {plmn: 001-01}
  enb: {cells: [{tac: 1}, {tac: 2}]}
  enb2: {type: enb, cells: [{tac: 3}]}
  pgw: {apns: {internet: {ipv4: 10.64.0.0/16}}}
  internet: {hosts: {server: {addresses: [198.51.100.8]}}}
cards:
  card: {use: smart-metering, binding: {by: hss, imei: meter.imei}, area: {by: mme, cells: [enb/1, enb2/1]}}
  pool: {form: soldered, count: 3}
devices:
  meter: {type: module, cell: enb/1}
  spare: {type: module, count: 3}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
    during: {before: s6a.update-location-answer, do: {delay: 3 s}}
  - goto: {device: meter, cell: enb2/1}
  - send: {device: meter, to: "198.51.100.8:9", octets: 8}
  - together: [{power_off: meter}, {wait: 3 s}]
  - insert: {card: pool, into: spare}
    over: 3 s
  - manage: {element: hss, put: "/cards/{card.imsi}/binding", body: {imei: meter.imei}}
  - expect:
      internet: {arrived: {destination: 198.51.100.8, packets: 1}}
      enb2: {connected: {cell: enb2/1}}
      hss: {binding: {card: card, imei: meter.imei}}
      decision: {by: hss, control: bind.hss.given, verdict: admit}
  - never: {meter: {attach: rejected}}
"""
ALL_DEVICES = "devices:\n  meter: {type: module, cell: enb/1}\n  spare: {type: module, count: 3}\n"
#: what stands in the file, what in its place, and the line that is told, where it is not that of the fault
FAULTS = [
    # names of what there is
    ("into: meter", "into: [meter]", 0),
    ("into: meter", "into: {a: meter}", 0),
    ("into: meter", "into: ", 0),
    ("into: meter", "into: metre", 0),
    ("card: card, into", "card: [card], into", 0),
    ("power_on: meter\n", "power_on: [meter]\n", 0),
    ("power_on: meter\n", "power_on: {device: [meter]}\n", 0),
    ("power_on: meter\n", "power_on: metre\n", 0),
    ("{power_off: meter}", "{power_off: metre}", 0),
    ("cells: [enb/1, enb2/1]", "cells: [enb/9]", 0),
    ("cells: [enb/1, enb2/1]", "cells: [ebn/1]", 0),
    ("cells: [enb/1, enb2/1]", "cells: []", 0),
    ("cells: [enb/1, enb2/1]", "cells: enb/1", 0),
    ("connected: {cell: enb2/1}", "connected: {cell: enb2/7}", 0),
    ("hss, imei: meter.imei}, area", "hss, imei: metre.imei}, area", 0),
    ("hss, imei: meter.imei}, area", "hss, imei: meter.imie}, area", 0),
    ("card: card, imei: meter.imei", "card: kard, imei: meter.imei", 0),
    ("card: card, imei: meter.imei", "card: card, imei: metre.imei", 0),
    ("{card.imsi}", "{crad.imsi}", 0),
    ("body: {imei: meter.imei}", "body: {imei: metre.imei}", 0),
    ("by: hss, control", "by: hs, control", 0),
    # what gives a name that stands elsewhere
    ("  meter: {type", "  metr: {type", 10),
    ("  card: {use", "  kard: {use", 16),
    ("devices:\n", "devces:\n", 0),
    ("cards:\n", "crds:\n", 0),
    ("network:\n", "netwrk:\n", 0),
    (ALL_DEVICES, "devices: [meter]\n", 0),
    (ALL_DEVICES, "devices: meter\n", 0),
    ("enb2: {type: enb, ", "enb2: {", 0),
    ("enb2: {type: enb, ", "enb2: {type: enodeb, ", 0),
    ("enb2: {type: enb, ", "enb2: {type: [enb], ", 0),
    ("count: 3}\ndevices", "count: many}\ndevices", 0),
    # settings
    ("tac: 3", "tac: x", 0),
    ("[{tac: 3}]", "[3]", 0),
    ("[{tac: 3}]", "[]", 0),
    ("plmn: 001-01", "plmn: abc", 0),
    ("ipv4: 10.64.0.0/16", "ipv4: 10.64.0.0/99", 0),
    ("addresses: [198.51.100.8]", "addresses: [198.51.100.800]", 0),
    ("addresses: [198.51.100.8]", "adresses: [198.51.100.8]", 0),
    ("use: smart-metering", "use: [smart-metering]", 0),
    ("form: soldered", "form: solderd", 0),
    # steps and expectations
    ("do: {delay: 3 s}", "do: {dealy: 3 s}", 0),
    ("power_on: meter\n", "power_onn: meter\n", 0),
    ("power_on: meter\n", "power_on: meter\n    power_off: meter\n", 18),
    ("together: [{power_off: meter}, {wait: 3 s}]", "together: [{power_off: meter}]", 0),
    ('to: "198.51.100.8:9"', 'to: "198.51.100.8:99999"', 0),
    ('to: "198.51.100.8:9"', "to: nowhere", 0),
    ("over: 3 s", "over: soon", 0),
    ("arrived: {destination: 198.51.100.8,", "arrived: {destination: 198.51.100.9,", 0),
    ("packets: 1", "packets: -2", 0),
    ("attach: rejected", "attach: rejectd", 0),
    ("never: {meter: {attach: rejected}}", "never: [meter]", 0),
]


def test_the_story_is_right() -> None:
    Loader().load("story.yaml", STORY)


@pytest.mark.parametrize(("good", "bad", "line"), FAULTS, ids=[bad for _, bad, _ in FAULTS])
def test_one_fault_is_one_message(good: str, bad: str, line: int) -> None:
    before, found, after = STORY.partition(good)
    assert found
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", before + bad + after)
    (only,) = map(str, caught.value.problems)
    assert re.match(rf"story\.yaml:{line or before.count(chr(10)) + 1}:\d+: ", only), only


def test_a_name_that_nothing_has_is_told_with_all_its_lines() -> None:
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", STORY.replace("  meter: {type", "  metr: {type"))
    (only,) = caught.value.problems
    assert only.hint == "did you mean 'metr.imei'?; also in lines 16, 17, 19, 20, 21, 24, 28, 30"
