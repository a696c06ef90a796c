"""GTPv2-C against scapy: what it makes is read, and what we make is read by it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import budget
import gtp_oracle as oracle
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scapy.contrib import gtp_v2 as scapy

from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Ambr, BearerQos, FTeid, InterfaceType, PdnType, RatType
from simwarden.wire.gtpv2.messages import SPECS, Grammar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


def _v6(value: Any) -> str:
    return str(ipaddress.IPv6Address(value))


#: by type of element what scapy reads in it, and what that is in ours; of the others their octets are compared
READ: dict[int, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    1: (lambda ie: ie.IMSI.decode(), str),
    2: (lambda ie: (ie.Cause, ie.CS, ie.BCE, ie.PCE), lambda own: (own.value, *map(int, own[1:4]))),
    3: (lambda ie: ie.restart_counter, int),
    71: (lambda ie: ie.APN.decode(), str),
    72: (lambda ie: (ie.AMBR_Uplink, ie.AMBR_Downlink), tuple),
    73: (lambda ie: ie.EBI, int),
    75: (lambda ie: ie.MEI.decode(), str),
    76: (lambda ie: ie.digits.decode(), str),
    79: (
        lambda ie: (ie.PDN_type, ie.ipv4 or "", _v6(ie.ipv6) if ie.PDN_type > 1 else "", ie.ipv6_prefix_length),
        lambda own: (own.pdn_type, own.ipv4, own.ipv6, own.prefix_length if own.pdn_type > 1 else None),
    ),
    80: (
        lambda ie: (
            *(ie.QCI, ie.PriorityLevel, not ie.PCI, not ie.PVI, ie.MaxBitRateForUplink, ie.MaxBitRateForDownlink),
            *(ie.GuaranteedBitRateForUplink, ie.GuaranteedBitRateForDownlink),
        ),
        lambda own: (own.qci, *own.arp, *own[2:]),
    ),
    82: (lambda ie: ie.RAT_type, int),
    87: (
        lambda ie: (
            *(ie.InterfaceType, ie.GRE_Key),
            *(ie.ipv4 if ie.ipv4_present else "", _v6(ie.ipv6) if ie.ipv6_present else ""),
        ),
        tuple,
    ),
    94: (lambda ie: ie.ChargingID, int),
    99: (lambda ie: ie.PDN_type, int),
    114: (lambda ie: ie.DST, lambda own: own.daylight_saving),
    127: (lambda ie: ie.APN_Restriction, int),
    128: (lambda ie: ie.SelectionMode, int),
}


def _elements(octets: bytes) -> Iterator[Any]:
    """Yield what scapy makes of the elements of a message, or of a group."""
    while octets:
        end = 4 + int.from_bytes(octets[1:3])
        kind = scapy.ietypecls.get(octets[0], scapy.IE_NotImplementedTLV)
        yield kind(octets[:end])
        octets = octets[end:]


def _compare(grammar: Grammar, ies: dict[str, Any], octets: bytes) -> None:
    want = [
        (rule, each)
        for rule in grammar.rules
        if rule.name in ies
        for each in (ies[rule.name] if rule.many else (ies[rule.name],))
    ]
    found = list(_elements(octets))
    assert [(ie.ietype, ie.instance) for ie in found] == [(rule.ie.number, rule.instance) for rule, _ in want]
    for ie, (rule, own) in zip(found, want, strict=True):
        if rule.grammar is not None:
            _compare(rule.grammar, own, bytes(ie)[4:])
        elif rule.ie.number in READ:
            theirs, ours = READ[rule.ie.number]
            assert theirs(ie) == ours(own), rule.name
        else:
            assert rule.ie.write is not None
            assert bytes(ie)[4:] == rule.ie.write(own), rule.name


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=budget.examples(6), phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(data=st.data())
def test_scapy_reads_each_element_of_each_message(name: str, data: st.DataObject) -> None:
    message = data.draw(oracle.messages(name))
    octets = gtpv2.encode(message)
    header = scapy.GTPHeader(octets)
    assert (header.gtp_type, header.seq) == (SPECS[name].type, message.sequence)
    if SPECS[name].addressed:
        assert header.teid == message.teid
    _compare(SPECS[name].grammar, message.ies, octets[12 if SPECS[name].addressed else 8 :])
