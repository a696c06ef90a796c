"""GTPv2-C against scapy: what it makes is read, and what we make is read by it."""

from __future__ import annotations

from scapy.contrib import gtp_v2 as scapy

from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Ambr, BearerQos, FTeid, InterfaceType, PdnType, RatType


def test_a_session_that_scapy_asks_for() -> None:
    bearer = scapy.IE_BearerContext(
        IE_list=[scapy.IE_EPSBearerID(EBI=5), scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=9)]
    )
    elements = [
        scapy.IE_IMSI(IMSI=b"001010000000017"),
        scapy.IE_MSISDN(digits=b"8614600000001"),
        scapy.IE_RAT(RAT_type=6),
        scapy.IE_FTEID(ipv4_present=1, InterfaceType=10, GRE_Key=0x11, ipv4="192.0.2.1"),
        scapy.IE_APN(APN=b"meters"),
        scapy.IE_PDN_type(PDN_type=1),
        scapy.IE_AMBR(AMBR_Uplink=1000, AMBR_Downlink=2000),
        bearer,
    ]
    header = scapy.GTPHeader(P=0, T=1, teid=7, seq=9, gtp_type="create_session_req")
    octets = bytes(header / scapy.GTPV2CreateSessionRequest(IE_list=elements))
    message = gtpv2.decode(octets)
    assert (message.teid, message.sequence) == (7, 9)
    assert message["imsi"] == "001010000000017"
    assert message["msisdn"] == "8614600000001"
    assert message["rat_type"] is RatType.EUTRAN
    assert message["sender_f_teid"] == FTeid(InterfaceType.S11_MME_GTP_C, 0x11, "192.0.2.1")
    assert (message["apn"], message["pdn_type"]) == ("meters", PdnType.IPV4)
    assert message["apn_ambr"] == Ambr(1000, 2000)
    (bearer,) = message["bearer_contexts_to_be_created"]
    qos: BearerQos = bearer["bearer_qos"]
    assert (bearer["ebi"], qos.qci, qos.arp.priority) == (5, 9, 8)
    assert (qos.arp.may_preempt, qos.arp.preemptable) == (False, True)
    theirs = scapy.GTPHeader(gtpv2.encode(message))
    found = {type(each).__name__: each for each in theirs.payload.IE_list}
    assert found["IE_IMSI"].IMSI == b"001010000000017"
    assert found["IE_FTEID"].ipv4 == "192.0.2.1"
    assert found["IE_BearerContext"].IE_list[0].EBI == 5
