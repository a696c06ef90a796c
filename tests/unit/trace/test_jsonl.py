"""Lines of JSON."""

from __future__ import annotations

import json

import traces

from simwarden.trace.events import Fault
from simwarden.trace.jsonl import lines_of


def test_every_event_is_a_line_with_what_it_says() -> None:
    events = traces.moved_card()
    records = [json.loads(line) for line in lines_of(events, scenario="moved")]
    assert [record["n"] for record in records] == [event.number for event in events]
    assert {record["scenario"] for record in records} == {"moved"}
    assert {record["kind"] for record in records} == {"frame", "step", "decision", "state", "note", "peer-fault"}
    refused = next(record for record in records if record.get("verdict") == "refuse")
    assert refused["control"] == "bind.hss.learned"
    assert refused["clause"] == "2.1.3(1) one"
    assert refused["details"] == {"expected": "35999900000006", "seen": "35999900000007"}
    answer = records[records.index(refused) + 1]
    assert answer["message"] == "update-location-answer"
    assert answer["fields"]["experimental_result"].startswith("5001")


def test_keys_read_stars() -> None:
    records = [json.loads(line) for line in lines_of(traces.moved_card())]
    vector = next(r for r in records if r.get("message") == "authentication-information-answer")
    assert vector["fields"]["authentication_info"]["e_utran_vector"]["kasme"] == "***"


def test_a_fault_keeps_its_traceback() -> None:
    (line,) = lines_of([Fault(element="mme", reason="attach: KeyError: 'x'", detail="Traceback\n  ...")])
    assert json.loads(line)["detail"] == "Traceback\n  ..."
