"""The PCRF, OCS and PGW of another hand against each other, and as Wireshark reads them: no code of this project."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import exported
import foreign_credit
import pytest
from foreign_ocs import LIMIT_REACHED, NOT_APPLICABLE, TERMINATE, ForeignOcs
from foreign_pcef import GxClient, GyClient
from foreign_pcrf import ADC, DISABLED, ENABLED, ForeignPcrf, definition
from waiting import until

if TYPE_CHECKING:
    from foreign_diameter import Node, Received, Tree

pytestmark = pytest.mark.interop
WHO = {"imsi": "001010000000001", "msisdn": "861440000000001"}
CLOUD = ["permit out 17 from 203.0.113.7 5683 to assigned", "permit out 6 from 203.0.113.0/24 8000-8010 to assigned"]
RULES = [
    "predefined",
    {"base": "a-group"},
    {
        "name": "cloud",
        "precedence": 10,
        "flows": [
            "permit out 17 from 203.0.113.7 5683 to assigned",
            "permit out 6 from 203.0.113.0/24 8000-8010 to any",
        ],
        "direction": 3,
        "status": ENABLED,
        "rating_group": 10,
        "online": 1,
        "metering": 1,
        "qci": 9,
    },
    {"name": "video", "precedence": 5, "application": "example-video", "status": DISABLED},
]
CHANGES = [{"install": [{"name": "cloud", "status": DISABLED}], "remove": ["predefined"]}, {"release": 1}]
POLICY = {
    "answers": {
        "initial": [{"features": ADC, "install": RULES, "then": CHANGES}],
        "update": [{"install": ["later"]}, {"result": 3004}, {"experimental": 5142}],
    }
}
QUOTA: Tree = {
    "groups": {
        10: [{"octets": 5000, "threshold": 1000, "validity": 60}, {"octets": 100, "final": TERMINATE}],
        20: [{"result": LIMIT_REACHED}],
    },
    "answers": {"update": [{}, {"result": NOT_APPLICABLE}, {"bare": True}]},
}


def rules(message: Received) -> list[Any]:
    return message.all("Charging-Rule-Install", "Charging-Rule-Definition", "Charging-Rule-Name")


def units(message: Received) -> list[tuple[int, int, list[int]]]:
    """Return what was granted: rating groups, results and octets."""
    return [
        (each["Rating-Group"][0], each["Result-Code"][0], octets(each))
        for each in message.all("Multiple-Services-Credit-Control")
    ]


def octets(service: Tree) -> list[int]:
    return [value for unit in service.get("Granted-Service-Unit", []) for value in unit["CC-Total-Octets"]]


def talk_gx(pcrf: ForeignPcrf, pgw: GxClient) -> None:
    first = pgw.initial(features=[(1, 0x4B), (2, 1)])
    assert (first.result, first.one("Supported-Features", "Feature-List")) == (2001, ADC)
    assert rules(first) == [b"cloud", b"video"]
    assert first.one("Charging-Rule-Install", "Charging-Rule-Name") == b"predefined"
    assert until(lambda: len(pcrf.acknowledged) == 2)
    change, end = pgw.orders
    assert (rules(change), change.one("Charging-Rule-Remove", "Charging-Rule-Name")) == ([b"cloud"], b"predefined")
    assert end.one("Session-Release-Cause") == 1
    assert pgw.update(13, 2).one("Charging-Rule-Install", "Charging-Rule-Name") == b"later"
    assert pcrf.received[-1].all("Event-Trigger") == [13, 2]
    busy = pgw.update()
    assert (busy.result, busy.header.is_error) == (3004, True)
    assert pgw.reported("cloud", 12).result == 5142
    assert pgw.terminate().result == 2001


def test_a_pgw_and_a_pcrf_of_another_hand() -> None:
    with ForeignPcrf(POLICY) as pcrf, GxClient(pcrf.port, **WHO) as pgw:
        talk_gx(pcrf, pgw)
        assert [foreign_credit.kind_of(each) for each in pcrf.received] == ["initial", *["update"] * 3, "terminate"]
        assert pcrf.complaints + pgw.complaints == []


def test_a_pgw_and_an_ocs_of_another_hand() -> None:
    with ForeignOcs(QUOTA) as ocs, GyClient(ocs.port, **WHO) as pgw:
        talk_gy(ocs, pgw)
        assert (ocs.used, ocs.granted) == ({10: 9000, 20: 0}, {10: 5100, 20: 0})
        assert ocs.reasons(10) == [3, 3, 3, 2]
        assert ocs.complaints + pgw.complaints == []


def talk_gy(ocs: ForeignOcs, pgw: GyClient) -> None:
    assert units(pgw.initial(10, 20)) == [(10, 2001, [5000]), (20, LIMIT_REACHED, [])]
    update = pgw.update({10: 5000}, 3)
    assert units(update) == [(10, 2001, [100])]
    assert update.one("Multiple-Services-Credit-Control", "Final-Unit-Indication", "Final-Unit-Action") == TERMINATE
    for result in (NOT_APPLICABLE, 2001):
        answer = pgw.update({10: 1000}, 3)
        assert (answer.result, units(answer)) == (result, [])
    assert ocs.push(ocs.only_session(), {"rating_group": 10}).result == 2002
    assert pgw.orders[0].one("Rating-Group") == 10
    assert pgw.terminate({10: 2000}).result == 2001


@pytest.mark.parametrize("answer", [{"silent": True}, {"after": 1.0}])
def test_a_silent_and_a_slow_one(answer: Tree) -> None:
    with ForeignPcrf({"answers": {"initial": [answer]}}) as pcrf, GxClient(pcrf.port, **WHO) as pgw:
        pgw.patience = 0.3
        with pytest.raises(TimeoutError):
            pgw.initial()
        assert len(pcrf.said) == 1, "the answer to the capabilities exchange"
        assert "silent" in answer or until(lambda: len(pcrf.said) == 2)
        assert pcrf.complaints == []


def test_what_is_no_key_of_a_script_is_said() -> None:
    with pytest.raises(ValueError, match=r"the script's answers to initial have .'instal'."):
        ForeignPcrf({"answers": {"initial": [{"instal": []}]}})
    with pytest.raises(KeyError, match="flow"):
        definition({"name": "a", "flow": ["permit out ip from any to assigned"]})


def test_a_request_of_no_session_is_answered_so() -> None:
    with ForeignOcs() as ocs, GyClient(ocs.port, **WHO) as pgw:
        assert pgw.update({10: 1}, 3).result == 5002


@pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)")
def test_wireshark_reads_both_without_complaint(tmp_path: Path) -> None:
    nodes: list[Node] = []
    for address in ("192.0.2.7", "2001:db8::7"):
        with ForeignPcrf(POLICY) as pcrf, GxClient(pcrf.port, address=address, **WHO) as pgw:
            talk_gx(pcrf, pgw)
        with ForeignOcs(QUOTA) as ocs, GyClient(ocs.port, address=address, **WHO) as client:
            talk_gy(ocs, client)
        nodes += [pcrf, pgw, ocs, client]
    messages = [octets for node in nodes for octets in node.said]
    assert len(messages) == 60
    found = exported.read(tmp_path / "foreign.pcap", [("diameter", each) for each in messages])
    for octets, fields in zip(messages, found, strict=True):
        remarks = set(fields.get("_ws.expert.message", ()))
        # a Requested-Service-Unit that leaves the amount to the server (RFC 8506 8.18)
        assert remarks <= {"Data is empty"}, (remarks, octets.hex())
        assert "diameter.avp.unknown" not in fields, octets.hex()


@pytest.mark.parametrize("element", ["pcrf", "ocs"])
def test_they_are_programs_too(element: str, tmp_path: Path) -> None:
    folder = Path(foreign_credit.__file__).parent
    script = tmp_path / "script.json"
    script.write_text(json.dumps(POLICY if element == "pcrf" else QUOTA))
    command = [sys.executable, str(folder / f"foreign_{element}.py"), "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own Python
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split()[1]
            who = [part for key, value in WHO.items() for part in (f"--{key}", value)]
            client = [sys.executable, str(folder / "foreign_pcef.py"), "gx" if element == "pcrf" else "gy"]
            asked = subprocess.run(  # noqa: S603 - our own Python
                [*client, "--port", port, *who], capture_output=True, text=True, check=True, timeout=60
            )
            assert json.loads(asked.stdout)["Result-Code"] == [2001]
            assert json.loads(server.stdout.readline())["CC-Request-Type"] == [1]
        finally:
            server.kill()
