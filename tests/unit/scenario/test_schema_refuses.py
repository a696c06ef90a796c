"""What is wrong in a file is told by its schema already, in the editor: as much as a schema can know."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
import pytest
from editor import read

from simwarden.scenario.load import Loader
from simwarden.scenario.problems import ScenarioErrors
from simwarden.scenario.registry import Registry
from simwarden.scenario.schema import scenario_schema

STORY = """\
scenario: A story
proves: [bind.hss.learned]
tags: [binding]
seed: 3
network:
  hss: {mismatch: {result_code: 5003}}
  mme: {timers: {t3412: 54 min}, causes: {prohibited_equipment: ILLEGAL_ME}}
  eir: {external: "192.0.2.7:3868"}
  enb: {inactivity: 10 s}
  enb2: {type: enb}
  cmp: {address: 192.0.2.1}
  transport: {S6a: tcp}
cards:
  card:
    {use: smart-metering, imsi: "001010000000001", binding: {by: hss, learn: first-use}, area: {by: mme, stations: 2}}
  other: {msisdn: "1440000000001", iccid: "8900101000000000019", form: soldered, functions: [data]}
devices:
  meter: {type: module, imei: "990001010000016"}
  phone: {type: handset}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
    every: 15 min
  - wait: 90 days
  - fail: {element: hss, after: 2 s}
  - manage: {element: hss, as: customer, put: /cards/1/binding, body: {imei: "1"}}
    expect: 403
  - power_on: phone
    during: {before: s6a.update-location-answer, do: {delay: 3 s}}
  - expect:
      within: 20 s
      meter: {attach: accepted, emm_cause: ILLEGAL_ME}
      hss: {binding: {card: card, imei: meter.imei, how: learned}}
      mme: {session: {card: card, state: connected}}
      s6a.update-location-answer: {experimental_result: 5001}
      decision: {by: hss, control: bind.hss.learned, on: update-location, verdict: admit}
  - never: {mme: {session: {imsi: "001010000000001"}}}
"""
WRONG = [
    # words of the file
    ("scenario: A story", "title: A story"),
    ("proves: [bind.hss.learned]", "proves: [bind.hss.learnt]"),
    ("seed: 3", "sede: 3"),
    ("seed: 3", "seed: three"),
    ("tags: [binding]", "tags: {binding: yes}"),
    # durations
    ("t3412: 54 min", "t3412: 54 mins"),
    ("t3412: 54 min", "t3412: soon"),
    ("inactivity: 10 s", "inactivity: -10 s"),
    ("every: 15 min", "every: 15 m"),
    ("wait: 90 days", "wait: 90 dyas"),
    ("wait: 90 days", "wait: three months"),
    ("after: 2 s", "after: 2 sec."),
    ("delay: 3 s", "delay: s 3"),
    ("within: 20 s", "within: 20 sconds"),
    # settings and their values
    ("mismatch: {", "mismatsh: {"),
    ("result_code: 5003", "result_code: DIAMETER_UNKNOWN"),
    ("prohibited_equipment: ILLEGAL_ME", "prohibited_equipment: ILLEGAL_MEE"),
    ("{type: enb}", "{type: enodeb}"),
    ("transport: {S6a: tcp}", "transport: {S6a: tpc}"),
    ("transport: {S6a: tcp}", "transport: {S6: tcp}"),
    # addresses
    ("192.0.2.7:3868", "192.0.2.7:"),
    ("192.0.2.7:3868", "192.0.2.7:diameter"),
    ("192.0.2.7:3868", "192.0.2.7:386800"),
    ("address: 192.0.2.1}", "address: 192.0.2}"),
    ("192.0.2.7:3868", "192.0.2.7:99999"),
    ("192.0.2.7:3868", "192.0.2.777:3868"),
    ('external: "192.0.2.7:3868"', 'external: {S13: "192.0.2.7:65536"}'),
    ("address: 192.0.2.1}", "address: 192.0.2.256}"),
    ("mme: {timers", "mme: {plmn: abc, timers"),
    # cards and terminals
    ("use: smart-metering", "use: smart-meterin"),
    ('001010000000001", b', '0010100000000010", b'),
    ('001010000000001", b', '00101", b'),
    ('001010000000001", b', '00101-0000000001", b'),
    ('iccid: "8900101000000000019"', 'iccid: "89001010000O0000019"'),
    ('msisdn: "1440000000001"', 'msisdn: "1440-000-0000-01"'),
    ("form: soldered", "form: solderd"),
    ("functions: [data]", "functions: [date]"),
    ("by: hss, learn", "by: hhs, learn"),
    ("learn: first-use", "learn: second-use"),
    ("stations: 2", "stations: two"),
    ("stations: 2", "cells: []"),
    ("stations: 2", "cells: [enb9]"),
    (", learn: first-use", ""),
    ("form: soldered", "form: "),
    ("seed: 3", "seed: 3\nkeep_alives: maybe"),
    ("type: module", "type: modul"),
    ('imei: "990001010000016"', 'imei: "9900010100000"'),
    ('imei: "990001010000016"', 'imei: "99000101000001X"'),
    # steps
    ("into: meter", "onto: meter"),
    ("power_on: meter", "power_up: meter"),
    ("as: customer", "as: buyer"),
    ("put: /cards/1/binding, ", ""),
    ("put: /cards/1/binding", "method: PUT, path: /cards/1/binding"),
    ("put: /cards/1/binding", "put: /cards/1/binding, get: /cards/1"),
    ("do: {delay", "do: {dealy"),
    ("do: {delay: 3 s}", "do: explode"),
    ("before: s6a.update-location-answer", "before: s6a.update-lcation-answer"),
    ("before: s6a.update-location-answer", "before: s6a.update-location-answer, nth: 0"),
    ("- power_on: meter\n", "- power_on: meter\n    power_off: meter\n"),
    ("element: hss, after: 2 s", "after: 2 s"),
    ("after: 2 s", "answer: 99999"),
    ("put: /cards/1/binding", "put: /crads/1"),
    ("expect: 403", "expect: 999"),
    ("- power_on: phone\n", "- power_on: phone\n    expect: acepted\n"),
    ("- wait: 90 days", '- send: {device: meter, to: "198.51.100.8:99999"}'),
    ("- wait: 90 days", "- send: {device: meter, to: 198.51.100.800}"),
    ("network:\n", "network:\n  pgw: {apns: {internet: {ipv4: 10.64.0.300/16}}}\n"),
    ("network:\n", "network:\n  internet: {hosts: {server: {addresses: [198.51.100.800]}}}\n"),
    # expectations
    ("attach: accepted", "attach: acepted"),
    ("emm_cause: ILLEGAL_ME", "emm_cause: ILLEGAL_MEE"),
    ("emm_cause: ILLEGAL_ME", "emm_cause: 999"),
    ("how: learned", "how: lerned"),
    ("imei: meter.imei, how", "imie: meter.imei, how"),
    ("session: {card: card, state", "sesion: {card: card, state"),
    ("state: connected", "state: conected"),
    ("meter: {attach", "meter: {atach"),
    ("s6a.update-location-answer: {", "s6a.update-location-anser: {"),
    ("on: update-location", "on: update-locatoin"),
    ("control: bind.hss.learned", "control: bind.hss"),
    ("verdict: admit", "verdict: allowed"),
    ('session: {imsi: "001010000000001"', 'session: {imsi: "00101000000000100"'),
]


@cache
def validator() -> Any:
    schema = scenario_schema(Registry.installed())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def refused_by_schema(text: str) -> bool:
    return not validator().is_valid(read(text))


def test_the_story_is_right() -> None:
    Loader().load("story.yaml", STORY)
    assert [error.message[:300] for error in validator().iter_errors(read(STORY))] == []


@pytest.mark.parametrize(("good", "bad"), WRONG, ids=[bad for _, bad in WRONG])
def test_the_schema_refuses_what_the_loader_refuses(good: str, bad: str) -> None:
    assert STORY.count(good) == 1
    text = STORY.replace(good, bad)
    with pytest.raises(ScenarioErrors) as caught:
        Loader().load("story.yaml", text)
    assert refused_by_schema(text)
    told = [str(each) for each in caught.value.problems]
    assert len(told) == (2 if bad.startswith("title") else 1), told  # a key that is none, and one that is missing
    assert "Input" not in told[0]
    assert "valid" not in told[0]
