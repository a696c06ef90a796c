"""SGW and PGW each in a process of its own, and an MME on a plain UDP socket whose octets scapy makes."""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cdr_oracle import read
from gateways import IMSI, MME_TEID, NUMBER, f_teid, udp
from scapy.contrib import gtp_v2 as scapy
from served import NET, serve

from simwarden.wire import gtpu, gtpv2

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs loopback addresses beside 127.0.0.1"),
]
MME, SGW, PGW = (f"{NET}.{number}" for number in (1, 2, 3))


def at(host: str, *interfaces: str) -> dict[str, str]:
    return {name: f"{host}:{2123 if name in ('S11', 'S5-C') else 2152}" for name in interfaces}


def ask(sock: socket.socket, kind: str, elements: list[Any], teid: int = 0) -> gtpv2.Message:
    payload = scapy.GTPHeader(P=0, T=1, teid=teid, seq=9, gtp_type=kind)
    request: Any = {
        "create_session_req": scapy.GTPV2CreateSessionRequest,
        "modify_bearer_req": scapy.GTPV2ModifyBearerRequest,
        "delete_session_req": scapy.GTPV2DeleteSessionRequest,
    }[kind]
    sock.sendto(bytes(payload / request(IE_list=elements)), (SGW, 2123))
    return gtpv2.decode(sock.recv(2000))


def create() -> list[Any]:
    qos = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=9)
    return [
        scapy.IE_IMSI(IMSI=IMSI.encode()),
        scapy.IE_MSISDN(digits=NUMBER.encode()),
        scapy.IE_RAT(RAT_type=6),
        f_teid(10, MME_TEID, MME),
        f_teid(7, 0, PGW, 1),
        scapy.IE_APN(APN=b"meters"),
        scapy.IE_PAA(PDN_type=1, ipv4="0.0.0.0"),  # noqa: S104
        scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=5), qos]),
    ]


def test_a_session_through_two_processes(tmp_path: Path) -> None:
    records, octets = tmp_path / "records.jsonl", tmp_path / "cdrs.ber"
    pgw = {"settings": {"sgws": [SGW]}, "listen": at(PGW, "S5-C", "S5-U"), "records": str(records)}
    pgw["cdrs"] = octets.name
    sgw = {
        "settings": {"mmes": [MME], "pgws": ["pgw"]},
        "listen": at(SGW, "S11", "S5-C", "S1-U", "S5-U"),
        "peers": {"pgw": at(PGW, "S5-C", "S5-U")},
        "cdrs": "sgw.ber",
    }
    with (
        serve(tmp_path, "pgw", pgw) as gateway,
        serve(tmp_path, "sgw", sgw) as serving,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as user,
    ):
        for sock, port in ((control, 2123), (user, 2152)):
            sock.bind((MME, port))
            sock.settimeout(20)
        made = ask(control, "create_session_req", create())
        assert made.accepted, made
        own = made["sender_f_teid"]
        assert (own.address, made["paa"].ipv4) == (SGW, "10.64.0.1")
        bearer = scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=5), f_teid(0, 7, MME)])
        assert ask(control, "modify_bearer_req", [bearer], own.teid).accepted
        # a packet for no tunnel is answered, one in the session's goes to the PGW, which has no way out
        end = made["bearer_contexts_created"][0]["s1_u_sgw"]
        user.sendto(gtpu.g_pdu(end.teid ^ 1, udp("10.64.0.1")), (SGW, 2152))
        told = gtpu.decode(user.recv(2000))
        assert (told.peer_teid, told.peer_address) == (end.teid ^ 1, SGW)
        user.sendto(gtpu.g_pdu(end.teid, udp("10.64.0.1")), (SGW, 2152))
        elements = [scapy.IE_EPSBearerID(EBI=5), scapy.IE_Indication(length=2, OI=1)]
        assert ask(control, "delete_session_req", elements, own.teid).accepted
        assert not gateway.faults() + serving.faults()
    assert records.stat().st_mode & 0o777 == 0o600, "it says who spoke to whom"
    written = [json.loads(line) for line in records.read_text().splitlines()]
    assert {each["kind"] for each in written} == {"flow", "cdr"}
    (record,) = [each for each in written if each["kind"] == "cdr"]
    assert record["fields"]["servedIMSI"] == IMSI
    assert record["fields"]["causeForRecClosing"] == "0 NORMAL_RELEASE"
    assert octets.stat().st_mode & 0o777 == 0o600
    kind, charged = read(octets.read_bytes())
    assert (kind, charged["servedIMSI"]) == ("pGWRecord", bytes.fromhex("00010100000000f1"))
    kind, charged = read((tmp_path / "sgw.ber").read_bytes())
    assert (kind, charged["servedIMSI"]) == ("sGWRecord", bytes.fromhex("00010100000000f1"))
    address = ("iPBinaryAddress", ("iPBinV4Address", socket.inet_aton(SGW)))
    assert (charged["s-GWAddress"], charged["causeForRecClosing"]) == (address, 0)
    assert charged["listOfTrafficVolumes"][0]["dataVolumeGPRSUplink"] == len(udp("10.64.0.1"))
