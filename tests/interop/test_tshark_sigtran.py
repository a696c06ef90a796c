"""Wireshark reads M3UA, SCCP, TCAP, CAP and MAP, and finds the values that we meant."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

import exported
import pytest
from sigtran_messages import (
    CAP_ANSWERS,
    CAPS,
    IMSI,
    M3UAS,
    MANAGEMENTS,
    MAP_ANSWERS,
    MAPS,
    SCCPS,
    TCAPS,
    in_m3ua,
    in_sccp,
    in_tcap,
)
from vectors import load

from simwarden.machine.sccp import SccpPoint
from simwarden.runtime.clock import EPOCH
from simwarden.trace.pcapng import write_capture
from simwarden.wire import m3ua, sccp, tcap
from simwarden.wire.cap.reading import Cap
from simwarden.wire.map.reading import Map

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
#: what of CAP and MAP Wireshark is asked: all (the first word of a name is the message's own)
CAP_READ: Final = {name.partition(",")[0] for name in (*CAPS, *CAP_ANSWERS)} | {"cap-result"}
MAP_READ: Final = {name.partition(",")[0] for name in (*MAPS, *MAP_ANSWERS)}


def clean(found: dict[str, Any]) -> bool:
    return "_ws.malformed" not in found and all(int(each) < 0x600000 for each in found.get("_ws.expert.severity", ()))


def number(text: str) -> int:
    return int(text, 0)


def test_m3ua(tmp_path: Path) -> None:
    rows = exported.read(tmp_path / "m3ua.pcap", [("m3ua", m3ua.encode(each)) for each in M3UAS.values()])
    for (name, message), row in zip(M3UAS.items(), rows, strict=True):
        assert name == "data" or clean(row), (name, row)
        assert number(row["m3ua.message_class"][0]) << 8 | number(row["m3ua.message_type"][0]) == message.type, name
        if message.routing_context:
            assert [number(each) for each in row["m3ua.routing_context"]] == [*message.routing_context], name
        if message.error_code is not None:
            assert number(row["m3ua.error_code"][0]) == message.error_code
        if message.traffic_mode_type is not None:
            assert number(row["m3ua.traffic_mode_type"][0]) == message.traffic_mode_type
        if message.affected_point_code:
            codes = [number(each) for each in row["m3ua.affected_point_code_pc"]]
            assert codes == [each.point_code for each in message.affected_point_code]
        if message.status is not None:
            assert number(row["m3ua.status_type"][0]) == message.status >> 16
            assert number(row["m3ua.status_info"][0]) == message.status & 0xFFFF
    data = dict(zip(M3UAS, rows, strict=True))["data"]
    assert data["m3ua.protocol_data_opc"] == ["8"]
    assert data["m3ua.protocol_data_dpc"] == ["146"]
    assert data["m3ua.protocol_data_sls"] == ["5"]


def test_sccp(tmp_path: Path) -> None:
    octets = tcap.encode(TCAPS["end, empty"])
    messages = {name: each._replace(data=octets) for name, each in SCCPS.items()}
    rows = exported.read(tmp_path / "sccp.pcap", [("sccp", sccp.encode(each)) for each in messages.values()])
    for (name, message), row in zip(messages.items(), rows, strict=True):
        assert clean(row), (name, row)
        assert number(row["sccp.message_type"][0]) == message.type, name
        assert number(row["sccp.called.ssn"][0]) == message.called.ssn, name
        assert number(row["sccp.calling.ssn"][0]) == message.calling.ssn, name
        title = message.called.global_title
        if title is not None:
            assert row["sccp.called.digits"][0] == title.digits, name
            assert number(row["sccp.called.np"][0]) == title.numbering_plan
            assert number(row["sccp.called.nai"][0]) == title.nature
        elif message.called.point_code is not None:
            assert number(row["sccp.called.pc"][0]) == message.called.point_code
        if message.is_service:
            assert number(row["sccp.return_cause"][0]) == message.return_cause


def test_sccp_management(tmp_path: Path) -> None:
    one = sccp.Address(sccp.Subsystem.SCCP_MANAGEMENT, 8)
    made = [
        sccp.encode(sccp.Message(sccp.MessageType.UNITDATA, one, one, sccp.encode_management(each)))
        for each in MANAGEMENTS.values()
    ]
    rows = exported.read(tmp_path / "scmg.pcap", [("sccp", each) for each in made])
    for (name, message), row in zip(MANAGEMENTS.items(), rows, strict=True):
        # Wireshark reads all of it, and says of this one that it does not know it
        assert clean(row) or (message.type == 6 and row["sccpmg.congestion"] == ["3"]), (name, row)
        assert number(row["sccpmg.message_type"][0]) == message.type, name
        assert number(row["sccpmg.ssn"][0]) == message.affected_ssn, name
        assert number(row["sccpmg.pc"][0]) == message.affected_point_code, name


def test_tcap(tmp_path: Path) -> None:
    made = [in_m3ua(in_sccp(tcap.encode(each), gsm=False)) for each in TCAPS.values()]
    rows = exported.read(tmp_path / "tcap.pcap", [("m3ua", each) for each in made])
    for (name, message), row in zip(TCAPS.items(), rows, strict=True):
        assert clean(row), (name, row)
        assert ("tcap.otid" in row, "tcap.dtid" in row) == (bool(message.otid), bool(message.dtid)), name
        if message.cause is not None:
            assert number(row["tcap.p_abortCause"][0]) == message.cause, name
        if message.otid:
            assert bytes.fromhex(row["tcap.otid"][0].replace(":", "")) == message.otid, name
        if isinstance(message.dialogue, (tcap.Aarq, tcap.Aare)):
            assert ".".join(map(str, message.dialogue.context)) in str(row), name


def test_cap(tmp_path: Path) -> None:
    components = CAPS | CAP_ANSWERS
    made = [in_m3ua(in_sccp(in_tcap(each, gsm=False), gsm=False)) for each in components.values()]
    rows = exported.read(tmp_path / "cap.pcap", [("m3ua", each) for each in made])
    for (name, component), row in zip(components.items(), rows, strict=True):
        assert clean(row), (name, row)
        if isinstance(component, tcap.Invoke):
            assert number(row["camel.local"][0]) == component.opcode, name
    found = dict(zip(components, rows, strict=True))
    idp = found["initial-dp"]
    assert idp["e212.imsi"] == [IMSI]
    assert idp["camel.serviceKey"] == ["7"]
    assert idp["camel.eventTypeBCSM"] == ["2"]
    assert idp["isup.calling"][0] == "8614400000017"
    assert "10800000001" in str(idp)
    assert found["release-call"]["camel.cause_indicator"] == ["21"]
    assert found["apply-charging"]["camel.maxCallPeriodDuration"] == ["600"]
    assert found["apply-charging-report"]["camel.timeIfNoTariffSwitch"] == ["599"]
    assert found["prompt-and-collect-user-information"]["camel.maximumNbOfDigits"] == ["4"]
    assert found["play-announcement, tone"]["camel.toneID"] == ["3"]
    armed = found["request-report-bcsm-event"]
    assert armed["camel.eventTypeBCSM"] == ["7", "6", "9"]
    assert armed["camel.monitorMode"] == ["1", "0", "0"]
    assert armed["camel.applicationTimer"] == ["20"]


def test_map(tmp_path: Path) -> None:
    components = MAPS | MAP_ANSWERS
    made = [in_m3ua(in_sccp(in_tcap(each, gsm=True), gsm=True)) for each in components.values()]
    rows = exported.read(tmp_path / "map.pcap", [("m3ua", each) for each in made])
    for (name, component), row in zip(components.items(), rows, strict=True):
        assert clean(row), (name, row)
        if isinstance(component, tcap.Invoke):
            assert number(row["gsm_old.localValue"][0]) == component.opcode, name
    found = dict(zip(components, rows, strict=True))
    update = found["update-location"]
    assert update["e212.imsi"] == [IMSI]
    insert = found["insert-subscriber-data"]
    assert insert["e164.msisdn"] == ["8614400000017", "8613800000046", "8613800000046"]
    assert insert["gsm_map.ms.serviceKey"] == ["7", "7"]
    assert insert["gsm_map.ms.defaultCallHandling"] == ["1", "1"]
    assert found["check-imei-result"]["gsm_map.ms.equipmentStatus"] == ["1"]


def test_a_story_in_a_capture(tmp_path: Path) -> None:
    """A call through a gateway as a capture shows it: M3UA on SCTP, up to the orders of the SCP."""
    net = load(Path(__file__).parents[1] / "unit/runtime/test_sigtran.py")

    async def story(bench: Any, ssp: Any, **_: Any) -> None:
        await net.later(bench)
        assert await ssp.call(net.LISTED) == "connect"

    bench = net.Net(net.THROUGH)
    bench.play(story)
    path = tmp_path / "story.pcapng"
    with path.open("wb") as stream:
        write_capture(bench.host.trace.events, stream, EPOCH)
    fields = ("-T", "fields", "-e", "camel.local", "-e", "_ws.expert.severity")
    command = [exported.TSHARK, "-n", "-r", str(path), *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - its own path
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows if row[0]] == ["0", "0", "20", "20"]
    assert all(int(each) < 0x600000 for row in rows for each in row[1].split(",") if each)


def test_segments_are_put_together(tmp_path: Path) -> None:
    """Wireshark finds the operations of a message that came in three pieces, in the last of them."""
    components = (MAPS["insert-subscriber-data"],) * 4
    octets = tcap.encode(tcap.Message(tcap.MessageType.BEGIN, b"\0\0\0\1", components=components))
    assert 400 < len(octets) <= 600
    point = SccpPoint(6, [6])
    point.send(sccp.Address(7, 8), sccp.Address(6, 6), octets)
    made = [m3ua.encode_data(each, 7) for each in point.data_to_send()]
    rows = exported.read(tmp_path / "segments.pcap", [("m3ua", each) for each in made])
    assert [row.get("gsm_old.localValue", []) for row in rows] == [[], [], ["7"] * 4]
    assert all(clean(row) for row in rows)


def test_every_operation_is_asked() -> None:
    assert set(Cap().messages()) == CAP_READ
    assert set(Map().messages()) == MAP_READ
