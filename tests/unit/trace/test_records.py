"""Flow records and CDRs: told through a Site, written by a sink, and as docs/records.md says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from simwarden.errors import InternalError
from simwarden.operations.element import Element
from simwarden.runtime.clock import EPOCH, Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Event
from simwarden.trace.records import (
    CALL_NEEDED,
    CALL_RECORDS,
    MESSAGE_PARTY,
    MESSAGE_RECORDS,
    NEEDED,
    RECORDS,
    SERVICE,
    VOLUME,
    CauseForRecClosing,
    CauseForTerm,
    ChargingRecord,
    FlowRecord,
    Records,
    record_lines,
)
from simwarden.trace.rows import rows_of
from simwarden.trace.trace import Trace

PAGE = (Path(__file__).parents[3] / "docs" / "records.md").read_text(encoding="utf-8")
IMSI = "001010000000017"
LIMIT = 1000


class Meter(Element[ElementConfig]):
    """Counts packets of one flow, and closes a record at each thousand octets and at its end."""

    declaration = Declaration(kind="counter", title="Counter", lane=1, config=ElementConfig)

    async def start(self) -> None:
        self.began = self.opened = self.site.clock.wall()
        self.sequence = self.octets = self.total = self.packets = 0

    async def stop(self) -> None:
        self._close(CauseForRecClosing.NORMAL_RELEASE)
        wall = self.site.clock.wall()
        self.site.record(
            FlowRecord(
                element=self.site.name, subject=IMSI, apn="iot", protocol=17, address="198.18.0.1", port=40000,
                peer="192.0.2.80", peer_port=53, names=("name.example",), uplink_packets=self.packets,
                uplink_octets=self.total, began=self.began, ended=wall, verdict="admit", rule="dns",
            )
        )  # fmt: skip

    def count(self, packet: bytes) -> None:
        self.octets += len(packet)
        self.total += len(packet)
        self.packets += 1
        if self.octets >= LIMIT:
            self._close(CauseForRecClosing.VOLUME_LIMIT)

    def _close(self, cause: CauseForRecClosing) -> None:
        self.sequence += 1
        wall = self.site.clock.wall()
        volume = {"dataVolumeGPRSUplink": self.octets, "dataVolumeGPRSDownlink": 0, "changeTime": wall}
        fields = {
            "servedIMSI": IMSI, "chargingID": 7, "recordOpeningTime": self.opened, "causeForRecClosing": cause,
            "duration": int((wall - self.opened).total_seconds()), "recordSequenceNumber": self.sequence,
            "listOfTrafficVolumes": [volume],
        }  # fmt: skip
        self.site.record(ChargingRecord(element=self.site.name, record="pGWRecord", fields=fields))
        self.octets, self.opened = 0, wall


def played() -> tuple[list[Event], list[dict[str, Any]]]:
    """What an element told, and what the sink wrote of it."""
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    trace = Trace(clock.now)
    lines: list[str] = []
    trace.add_sink(Records(lines.append, clock.wall))
    host = Host(loop, clock, trace, HostSettings())

    async def story() -> None:
        meter = host.add("pgw", Meter, ElementConfig())
        assert isinstance(meter, Meter)
        await host.start_all()
        for _ in range(25):
            await clock.sleep(60)
            meter.count(bytes(100))
        await host.close()

    loop.run_until_complete(story())
    loop.close()
    assert all(line.endswith("}\n") for line in lines)
    return trace.events, [json.loads(line) for line in lines]


def test_records_add_up_to_what_was_counted() -> None:
    events, lines = played()
    cdrs, flows = [[each for each in lines if each["kind"] == kind] for kind in ("cdr", "flow")]
    causes = [each["fields"]["causeForRecClosing"] for each in cdrs]
    assert causes == ["16 VOLUME_LIMIT", "16 VOLUME_LIMIT", "0 NORMAL_RELEASE"]
    volumes = [each["fields"]["listOfTrafficVolumes"][0]["dataVolumeGPRSUplink"] for each in cdrs]
    (flow,) = flows
    assert sum(volumes) == flow["uplink_octets"] == 2500
    assert [each["fields"]["duration"] for each in cdrs] == [600, 600, 300]
    assert flow["began"] == EPOCH.isoformat(timespec="milliseconds")
    assert lines[0]["at"] == (EPOCH + dt.timedelta(seconds=600)).isoformat(timespec="milliseconds")
    assert [json.loads(line) for line in record_lines(events, at=0)] == [{**each, "at": 0} for each in lines]
    assert rows_of(events) == []  # no line of the ladder is about one


@pytest.mark.parametrize(
    ("record", "change", "said"),
    [
        ("sGSNPDPRecord", {}, "no CDR is called sGSNPDPRecord"),
        ("pGWRecord", {"s-GWAddress": "192.0.2.1"}, "pGWRecord has no s-GWAddress"),
        ("pGWRecord", {"listOfTrafficVolumes": [{"octets": 1}]}, "pGWRecord has no octets"),
        ("sGWRecord", {"chargingID": None}, "sGWRecord lacks chargingID"),
    ],
)
def test_a_record_that_is_none_is_a_fault_of_ours(record: str, change: dict[str, Any], said: str) -> None:
    whole = {"chargingID": 1, "recordOpeningTime": EPOCH, "duration": 1, "causeForRecClosing": 0}
    fields = {name: value for name, value in (whole | change).items() if value is not None}
    with pytest.raises(InternalError, match=said):
        ChargingRecord(element="pgw", record=record, fields=fields)


def test_a_cause_that_is_none_is_refused() -> None:
    fields = {"chargingID": 1, "recordOpeningTime": EPOCH, "duration": 1, "causeForRecClosing": 2}
    with pytest.raises(ValueError, match="2 is not a valid CauseForRecClosing"):
        ChargingRecord(element="pgw", record="pGWRecord", fields=fields)


def test_names_and_causes_are_those_of_the_specification() -> None:
    """By the ASN.1 of TS 32.298, as pycrate has it."""
    from pycrate_asn1dir import CDR  # a second and more to load

    types = CDR.GPRSChargingDataTypes
    for record, asn1 in (("sGWRecord", types.SGWRecord), ("pGWRecord", types.PGWRecord)):
        assert set(asn1._cont) >= RECORDS[record].keys()
        needed = {name for name, each in asn1._cont.items() if not each._opt and each._def is None}
        assert needed >= NEEDED
    assert set(types.ChangeOfCharCondition._cont) >= VOLUME.keys()
    assert set(types.ChangeOfServiceCondition._cont) >= SERVICE.keys()
    messages = CDR.SMSChargingDataTypes
    for record, known in MESSAGE_RECORDS.items():
        assert set(getattr(messages, record)._cont) >= known.keys()
    for record, known in CALL_RECORDS.items():
        asn1 = getattr(CDR.CSChargingDataTypes, record)
        assert set(asn1._cont) >= known.keys()
        needed = {name for name, each in asn1._cont.items() if not each._opt and each._def is None}
        assert needed - {"recordType", "servedIMSI"} <= CALL_NEEDED  # the element says whose call it is
    ends = {name.lower(): value for name, value in CDR.GenericChargingDataTypes.CauseForTerm._cont.items()}
    assert all(ends[each.name.replace("_", "").lower()] == each for each in CauseForTerm)
    for role, asn1 in (("originator", messages.OriginatorInfo), ("recipient", messages.RecipientInfo)):
        assert set(asn1._cont) >= {f"{role}{name}" for name in MESSAGE_PARTY}
    causes = CDR.GenericChargingDataTypes.CauseForRecClosing._cont
    told = {name.replace("-", "_").lower(): value for name, value in causes.items()}
    for cause in CauseForRecClosing:
        assert told[cause.name.replace("_", "").lower()] == cause


def told(mark: str) -> set[str]:
    """What stands in backquotes in the first column of a table of the page."""
    table = re.search(rf"<!-- fields: {re.escape(mark)} -->\n((?:\|.*\n)+)", PAGE)
    assert table is not None
    cells = re.findall(r"^\| (`[^|]*) \|", table[1], re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_the_page_tells_each_field_and_no_other() -> None:
    common = {each.name for each in dataclasses.fields(Event)}
    for kind in (FlowRecord, ChargingRecord):
        assert told(kind.kind) == {each.name for each in dataclasses.fields(kind)} - common
    assert told("cdr.fields") == RECORDS["sGWRecord"].keys() | RECORDS["pGWRecord"].keys()
    assert told("cdr.volume") == VOLUME.keys()
    assert told("cdr.service") == SERVICE.keys()
    assert told("cdr.message") == set().union(*MESSAGE_RECORDS.values())
    assert told("cdr.call") == set().union(*CALL_RECORDS.values())
    assert told("cdr.cause") - {"causeForRecClosing"} == {f"{each.value} {each.name}" for each in CauseForRecClosing}
