"""freeDiameter asks the served HSS and EIR, over a wire that cuts every message into pieces."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import osmo
import pytest
from freediameter import NEEDED, Client, build, group, request, served
from waiting import until

MISSING = " ".join(name for name, found in {**NEEDED, "libosmocore-utils": osmo.AUC_GEN}.items() if not found)
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING} (apt install {MISSING})"),
]
IMSI, BOUND, OTHER, PHONE = "001010000000001", "99000101000001", "99000101000002", "99000201000001"
K, OPC = bytes.fromhex("000102030405060708090a0b0c0d0e0f"), bytes.fromhex("f0e0d0c0b0a090807060504030201000")
CARDS = f"""\
subscribers:
  - {{name: card, imsi: "{IMSI}", iccid: "89860100000000000010", msisdn: "861440000000001", profile: meter,
      form: plug-in, k: {K.hex()}, opc: {OPC.hex()}, sections: {{binding: [{{by: hss, learn: first-use}}]}}}}
"""


def terminal(imei: str) -> str:
    return group("Terminal-Information", f"IMEI {imei}", "Software-Version 01")


def ulr(imei: str) -> str:
    fields = (f"User-Name {IMSI}", terminal(imei), "RAT-Type 1004", "ULR-Flags 34", "Visited-PLMN-Id 0x00f110")
    return request("Update-Location-Request", "hss", *fields)


def air(imsi: str = IMSI) -> str:
    wanted = group("Requested-EUTRAN-Authentication-Info", "Number-Of-Requested-Vectors 2")
    fields = (f"User-Name {imsi}", wanted, "Visited-PLMN-Id 0x00f110")
    return request("Authentication-Information-Request", "hss", *fields)


def ecr(*avps: str) -> str:
    return request("ME-Identity-Check-Request", "eir", *avps)


SCRIPT = [
    (air(), 2001, 0x40),
    (air("001010000000099"), 5001, 0x40),
    (ulr(BOUND), 2001, 0x40),
    (ulr(OTHER), 5001, 0x40),
    (ecr(terminal(BOUND), f"User-Name {IMSI}"), 2001, 0x40),
    (ecr(terminal(PHONE)), 2001, 0x40),
    (ecr(), 5005, 0x40),
    (request("Unknown-Request", "hss"), 3001, 0x60),
    (request("Unknown-Request", "eir"), 3007, 0x60),  # of an application that the EIR has not
    ("wait 9\n" + request("Notify-Request", "hss", f"User-Name {IMSI}", "NOR-Flags 0"), 2001, 0x40),
]


@pytest.fixture(name="talk", scope="module")
def _talk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two MMEs of freeDiameter: the second takes the subscriber over, the first is told."""
    folder = tmp_path_factory.mktemp("freediameter")
    build(folder)
    (folder / "cards.yaml").write_text(CARDS)
    peers = "{peers: {mme: {home_province: true}, mme2: {home_province: true}}}"
    with ExitStack() as stack:
        hss = stack.enter_context(served(folder, "hss", "S6a", peers))
        eir = stack.enter_context(served(folder, "eir", "S13", "{peers: {mme: {}}, prohibited: [phone]}"))
        ports = {"hss": hss.port, "eir": eir.port}
        first = Client(folder, "mme", "".join(text for text, _, _ in SCRIPT) + "await\n", ports)
        stack.callback(first.kill)
        assert until(lambda: first.came() >= len(SCRIPT) or first.process.poll() is not None)
        second = Client(folder, "mme2", ulr(BOUND), {"hss": hss.port})
        stack.callback(second.kill)
        answers = first.answers()
        other = second.answers()
    log = (folder / "hss.log").read_text() + (folder / "eir.log").read_text()
    return {"answers": answers, "other": other, "hss": hss, "eir": eir, "log": log}


def test_every_request_is_answered_as_the_specification_says(talk: dict[str, Any]) -> None:
    found = [(each.result, each.flags) for each in talk["answers"][: len(SCRIPT)]]
    assert found == [(result, flags) for _, result, flags in SCRIPT]


def test_every_answer_keeps_to_the_grammar(talk: dict[str, Any]) -> None:
    assert {(each.command, each.grammar) for each in talk["answers"] + talk["other"]} == {
        ("Authentication-Information-Answer", "ok"),
        ("Update-Location-Answer", "ok"),
        ("ME-Identity-Check-Answer", "ok"),
        ("Unknown-Answer", "ok"),
        ("Notify-Answer", "ok"),
        ("Cancel-Location-Request", "ok"),
    }


def test_vectors_are_those_of_another_authentication_centre(talk: dict[str, Any]) -> None:
    avps = talk["answers"][0].avps
    rand, autn = bytes.fromhex(avps["RAND"][2:]), bytes.fromhex(avps["AUTN"][2:])
    theirs = osmo.quintuple(K, OPC, rand, sqn=0)
    concealed = bytes(a ^ b for a, b in zip(bytes.fromhex(theirs["AUTN"])[:6], autn[:6], strict=True))  # SQN xor 0
    theirs = osmo.quintuple(K, OPC, rand, sqn=int.from_bytes(concealed))
    assert (avps["XRES"], avps["AUTN"]) == (f"0x{theirs['RES']}", f"0x{theirs['AUTN']}")
    assert len(avps["KASME"]) == 2 + 64


def test_subscription_data_arrive(talk: dict[str, Any]) -> None:
    avps = talk["answers"][2].avps
    assert avps["MSISDN"] == "0x68410400000000f1"
    assert avps["Subscriber-Status"] == "0"
    assert avps["Service-Selection"] == "iot"
    assert int(avps["ULA-Flags"]) & 1


def test_the_equipment_has_its_status(talk: dict[str, Any]) -> None:
    assert [each.avps.get("Equipment-Status") for each in talk["answers"][4:7]] == ["0", "1", None]
    assert "Failed-AVP" in talk["answers"][6].avps


def test_the_first_node_is_told_of_the_second(talk: dict[str, Any]) -> None:
    told = talk["answers"][-1]
    assert (told.command, told.avps["User-Name"], told.avps["Cancellation-Type"]) == (
        "Cancel-Location-Request",
        IMSI,
        "0",
    )
    assert [each.result for each in talk["other"]] == [2001]


@pytest.mark.parametrize("element", ["hss", "eir"])
def test_the_peers_watch_and_leave_each_other_properly(talk: dict[str, Any], element: str) -> None:
    asked, answered = talk[element].commands("up"), talk[element].commands("down")
    for code, name in ((257, "capabilities exchange"), (280, "watchdog"), (282, "disconnect")):
        assert code in asked, name
        assert asked.count(code) == answered.count(code), name


def test_the_operator_is_told_who_was_refused_and_who_is_wrong(talk: dict[str, Any]) -> None:
    lines = [line.split(" ", 1)[1] for line in talk["log"].splitlines()]
    assert [line.partition(":")[0] for line in lines if line.startswith("refused")] == [
        "refused 001010000000099 by hss.subscriber",
        f"refused {IMSI} by bind.hss.learned",
        "refused 990002010000014 by eir.equipment",
    ]
    assert [line.rpartition(": ")[2] for line in lines if line.startswith("warning: peer")] == [
        "command 8388600 is not of application 16777251",
        "ME-Identity-Check-Request lacks Terminal-Information",
        "application 16777251 is not served here",
    ]
