"""Wireshark reads all GTP messages that other implementations were asked about, and finds the values that we meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import exported
import gateways
import pytest
from vectors import FOLDER, load

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.runtime.clock import EPOCH
from simwarden.trace.events import Frame
from simwarden.trace.pcapng import write_capture
from simwarden.wire import gtpu, gtpv2, ip
from simwarden.wire.gtpv2 import (
    Ambr,
    Arp,
    BearerQos,
    Cause,
    CauseIe,
    FTeid,
    IeType,
    Indication,
    InterfaceType,
    Message,
    Paa,
    PdnType,
    RatType,
    SelectionMode,
    UeTimeZone,
    Uli,
)

suite = load(Path(__file__).with_name("test_tshark_suite.py"))
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
PLMN = Plmn("001", "01")
BEARER = {
    "ebi": 5,
    "bearer_qos": BearerQos(9, Arp(8, may_preempt=False, preemptable=True), 1, 2, 3, 4),
    "s5_u_sgw": FTeid(InterfaceType.S5_S8_SGW_GTP_U, 0x22, "192.0.2.2"),
}
CREATE = Message(
    "create-session-request",
    {
        "imsi": "001010000000017",
        "msisdn": "8614600000001",
        "mei": "3599990000000701",
        "user_location_information": Uli(Tai(PLMN, 7), Ecgi(PLMN, 0x0ABCDE1)),
        "serving_network": PLMN,
        "rat_type": RatType.EUTRAN,
        "indication_flags": Indication.CRSI | Indication.DAF | Indication.UNACCSI,
        "sender_f_teid": FTeid(InterfaceType.S11_MME_GTP_C, 0x11, "192.0.2.1", "2001:db8::1"),
        "apn": "meters.example",
        "selection_mode": SelectionMode.SUBSCRIPTION_VERIFIED,
        "pdn_type": PdnType.IPV4V6,
        "paa": Paa(PdnType.IPV4V6, "198.51.100.1", "2001:db8:1::5"),
        "apn_ambr": Ambr(1000, 2000),
        "bearer_contexts_to_be_created": (BEARER,),
        "recovery": 3,
        "ue_time_zone": UeTimeZone(8.0, 1),
    },
    0x01020304,
    0x010203,
)
FOUND = {
    "gtpv2.message_type": ["32"],
    "gtpv2.teid": ["0x01020304"],
    "gtpv2.seq": ["0x010203"],
    "e212.imsi": ["001010000000017"],
    "e164.msisdn": ["8614600000001"],
    "gtpv2.mei": ["3599990000000701"],
    "gtpv2.rat_type": ["6"],
    "gtpv2.apn": ["meters.example"],
    "gtpv2.tai_tac": ["0x0007"],
    "gtpv2.ecgi_eci": ["11259361"],
    "gtpv2.pdn_type": ["3", "3"],
    "gtpv2.pdn_addr_and_prefix.ipv4": ["198.51.100.1"],
    "gtpv2.ambr_up": ["1000"],
    "gtpv2.ambr_down": ["2000"],
    "gtpv2.ebi": ["5"],
    "gtpv2.bearer_qos_label_qci": ["9"],
    "gtpv2.bearer_qos_pl": ["8"],
    "gtpv2.bearer_qos_mbr_up": ["1"],
    "gtpv2.bearer_qos_gbr_down": ["4"],
    "gtpv2.f_teid_ipv4": ["192.0.2.1", "192.0.2.2"],
    "gtpv2.f_teid_gre_key": ["0x00000011", "0x00000022"],
    "gtpv2.f_teid_interface_type": ["10", "4"],
    "gtpv2.rec": ["3"],
    "gtpv2.crsi": ["1"],
    "gtpv2.daf": ["1"],
    "gtpv2.unaccsi": ["1"],
}
REFUSED = Message(
    "create-session-response",
    {"cause": CauseIe(Cause.MANDATORY_IE_INCORRECT, remote=True, offending=IeType(71, 0))},
    0x11,
    0x010203,
)


def read(path: Path, *messages: tuple[str, bytes]) -> list[dict[str, Any]]:
    return exported.read(path / "all.pcap", messages)


def test_fields_are_those_meant(tmp_path: Path) -> None:
    (found, refused, error) = read(
        tmp_path,
        ("gtpv2", gtpv2.encode(CREATE)),
        ("gtpv2", gtpv2.encode(REFUSED)),
        ("gtp", gtpu.error_indication(5, "192.0.2.9", 2152)),
    )
    assert {name: found.get(name) for name in FOUND} == FOUND
    assert (refused["gtpv2.cause"], refused["gtpv2.cs"]) == (["69"], ["1"])
    assert error["gtp.teid_data"] == ["0x00000005"]


def on_udp(octets: bytes, port: int) -> tuple[str, bytes]:
    """Put a message into the packet that carries it."""
    return "ip", ip.encode(ip.encode_udp(ip.Udp(port, port, octets), "192.0.2.1", "192.0.2.2"))


@pytest.mark.parametrize(("family", "port"), [("gtpv2", 2123), ("gtpu", 2152)])
def test_no_message_is_malformed(tmp_path: Path, family: str, port: int) -> None:
    lines = [line.split("  ") for line in (FOLDER / f"{family}/seeds.txt").read_text().splitlines()]
    found = read(tmp_path, *[on_udp(bytes.fromhex(octets), port) for octets, _ in lines])
    bad = [(what, each.get("_ws.expert.message")) for (_, what), each in zip(lines, found, strict=True) if _bad(each)]
    assert not bad
    assert {name for each in found for name in each if name in {"gtp.message", "gtpv2.message_type"}}


def _bad(fields: dict[str, Any]) -> bool:
    return "_ws.malformed" in fields or any(int(each) >= 0x800000 for each in fields.get("_ws.expert.severity", ()))


def test_a_whole_session_is_read_to_its_end(tmp_path: Path) -> None:
    """Control and packets of a session, paging and what is refused: no complaint, and nothing left undecoded."""

    async def story(bench: gateways.Gateways) -> None:
        bench.trace.show_packets = True
        made = await bench.session()
        own = made["paa"].ipv4
        bench.enb.send(made, gateways.udp(own), gateways.udp("192.0.2.9"))
        await bench.settle()
        await bench.mme.release(made["sender_f_teid"].teid)
        bench.net.send(gateways.udp(gateways.SERVER, own))
        await bench.settle()
        await bench.mme.modify(made["sender_f_teid"].teid)
        bench.enb.endpoint.send_packets([gtpu.g_pdu(7, gateways.udp(own))], bench.host.address_of("sgw", "S1-U"))
        await bench.settle()
        await bench.mme.create(msisdn=None)
        await bench.mme.create(apn=None)
        await bench.mme.delete(made["sender_f_teid"].teid)

    trace = gateways.play(story)
    frames = [each for each in trace.events if isinstance(each, Frame)]
    path = tmp_path / "session.pcapng"
    with path.open("wb") as stream:
        write_capture(trace.events, stream, EPOCH)
    rows = suite.read(path)
    assert len(rows) == len(frames)
    assert not [row.complaint for row in rows if row.complaint]
    assert {row.interface for row in rows} == {"S11", "S5-C", "S1-U", "S5-U", "SGi"}
