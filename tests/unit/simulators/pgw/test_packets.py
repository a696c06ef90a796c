"""Packets at the PGW: whose pass, at which rate, and what is told of them afterwards."""

from __future__ import annotations

from typing import Any

import dns.message
import dns.rrset
import gateways
import pytest
from gateways import SERVER, Gateways, udp
from scapy.contrib import gtp_v2 as scapy
from scapy.layers.inet import IP, fragment
from scapy.packet import Raw

from simulators.pgw import rules
from simulators.pgw.flow_table import BOUNDS, FlowKind
from simulators.pgw.session import IDLE
from simwarden.trace.events import Frame, PacketDropped
from simwarden.trace.records import CauseForRecClosing, ChargingRecord, FlowRecord
from simwarden.wire import gtpu, ip

BOTH = {
    "pdn_type": scapy.IE_PDN_type(PDN_type=3),
    "paa": scapy.IE_PAA(PDN_type=3, ipv6=0, ipv4="0.0.0.0"),  # noqa: S104
}


@pytest.mark.parametrize("transport", ["memory", "udp"])
async def test_packets_pass_both_ways(transport: str) -> None:
    async with Gateways(transport=transport) as bench:
        made = await bench.session(**BOTH)
        own, six = made["paa"].ipv4, made["paa"].ipv6
        there = [udp(own), udp(six, "2001:db8:f::80")]
        bench.enb.send(made, *there)
        await bench.settle()
        assert bench.net.received() == there
        back = [udp(SERVER, own), udp("2001:db8:f::80", six)]
        bench.net.send(*back)
        await bench.settle()
        assert bench.enb.received() == [(gateways.ENB_TEID, each) for each in back]
        assert bench.dropped() == []


async def test_a_source_that_is_not_the_devices_goes_nowhere() -> None:
    async with Gateways() as bench:
        made = await bench.session(**BOTH)
        other = await bench.mme.create(imsi=scapy.IE_IMSI(IMSI=b"001010000000002"))
        bench.enb.send(
            made,
            udp(other["paa"].ipv4),
            udp("2001:db8:64:99::1", "2001:db8:f::80"),
            udp("fe80::5", "2001:db8:f::80"),
            b"\x00nothing",
        )
        await bench.settle()
        assert bench.net.received() == []
        spoofed = "its source address is not the device's"
        assert bench.dropped() == [spoofed, spoofed, spoofed, "no IP header in 8 octets"]


async def test_a_flow_that_is_refused_has_its_record() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        foreign = udp("192.0.2.7")
        bench.enb.send(made, foreign, foreign, udp(made["paa"].ipv4))
        await bench.sleep(5)
        bench.enb.send(made, foreign)
        await bench.sleep(5)
        await bench.mme.delete(made["sender_f_teid"].teid)
        flows = [each for each in bench.trace.events if isinstance(each, FlowRecord)]
    assert [(f.ended - f.began).total_seconds() for f in flows] == [5, 0]
    found = [(f.address, f.verdict, f.rule, f.uplink_octets, f.dropped_packets, f.dropped_octets) for f in flows]
    size = len(foreign)
    assert found == [
        ("192.0.2.7", "refuse", "its source address is not the device's", 0, 3, 3 * size),
        (made["paa"].ipv4, "admit", "", size, 0, 0),
    ]


async def test_packets_to_nobody_and_without_a_way_out_are_told() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        bench.net.send(udp(SERVER, "10.64.0.99"), b"?")
        bench.net.link.close()  # type: ignore[union-attr]
        await bench.settle()
        bench.enb.send(made, udp(made["paa"].ipv4))
        await bench.settle()
        assert bench.dropped() == [
            "no session has its address",
            "no IP header in 1 octets",
            "there is no way out on SGi",
        ]
        assert [(each.interface, each.subject) for each in bench.of(PacketDropped)] == [
            ("SGi", ""),
            ("SGi", ""),
            ("S5-U", gateways.IMSI),
        ]
        assert bench.net.link is not None
        assert not bench.net.link.up
        await bench.sleep(6)  # until it is tried again
        bench.enb.send(made, packet := udp(made["paa"].ipv4))
        await bench.settle()
        assert bench.net.received() == [packet]


async def test_what_is_above_the_ambr_is_dropped_and_the_rate_comes_back() -> None:
    async with Gateways() as bench:
        made = await bench.session(ambr=scapy.IE_AMBR(AMBR_Uplink=80, AMBR_Downlink=160))
        packet = udp(made["paa"].ipv4, payload=bytes(972))  # 1000 octets, of 10,000 a second
        for seconds, passed in ((0, 10), (0.25, 2), (100, 10)):
            await bench.host.clock.sleep(seconds)
            bench.enb.send(made, *[packet] * 12)
            await bench.settle()
            assert len(bench.net.received()) == passed
        down = udp(SERVER, made["paa"].ipv4, payload=bytes(972))
        bench.net.send(*[down] * 25)
        await bench.settle()
        assert len(bench.enb.received()) == 20
        assert set(bench.dropped()) == {"ambr: above the rate of the session's APN"}
        await bench.mme.delete(made["sender_f_teid"].teid)
    flows = [each for each in bench.trace.events if isinstance(each, FlowRecord)]
    assert [(f.uplink_packets, f.downlink_packets, f.dropped_packets, f.verdict) for f in flows] == [
        (22, 0, 14, "limit"),
        (0, 20, 5, "limit"),
    ]
    assert [(f.uplink_octets, f.downlink_octets, f.dropped_octets) for f in flows] == [
        (22000, 0, 14000),
        (0, 20000, 5000),
    ]
    assert [((f.ended - f.began).total_seconds(), f.rule) for f in flows] == [(100.25, "ambr"), (0, "ambr")]


@pytest.mark.parametrize(("apn", "passed"), [("meters", 10), ("service", 20)])
async def test_connections_of_a_card_by_one_apn_share_its_rate(apn: str, passed: int) -> None:
    rate = {"ambr": scapy.IE_AMBR(AMBR_Uplink=80, AMBR_Downlink=80)}
    qos = scapy.IE_Bearer_QoS(PCI=1, PriorityLevel=8, PVI=0, QCI=9)
    second = {
        "bearer": scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=6), qos]),
        "apn": scapy.IE_APN(APN=apn.encode()),
    }
    async with Gateways() as bench:
        made = await bench.session(**rate)
        other = await bench.mme.create(**rate, **second)
        assert (await bench.mme.modify(made["sender_f_teid"].teid, 6)).accepted
        for each in (made, other):
            bench.enb.send(each, *[udp(each["paa"].ipv4, payload=bytes(972))] * 12)
        await bench.settle()
        assert len(bench.net.received()) == passed
        bench.net.send(
            *(udp(SERVER, each["paa"].ipv4, payload=bytes(972)) for each in (made, other) for _ in range(12))
        )
        await bench.settle()
        assert len(bench.enb.received()) == passed


async def test_a_device_learns_its_prefix() -> None:
    async with Gateways() as bench:
        made = await bench.session(**BOTH)
        bench.enb.send(made, ip.encode(ip.router_solicitation("fe80::7")))
        await bench.settle()
        ((_, packet),) = bench.enb.received()
        told = ip.decode_router_advertisement(ip.decode(packet))
        assert made["paa"].ipv6.startswith(told.prefix.rstrip(":"))
        assert (told.prefix_length, told.mtu) == (64, 1358)
        assert bench.net.received() == []


@pytest.mark.parametrize(
    ("asked", "source"),
    [({}, "fe80::7"), (BOTH, "fe80::7"), (BOTH, "2001:db8:ffff::7")],
    ids=["IPv4", "both", "from elsewhere"],
)
async def test_on_a_link_without_a_prefix_or_of_other_things_nobody_asks(asked: dict[str, Any], source: str) -> None:
    solicitation = ip.router_solicitation(source)
    if asked and source == "fe80::7":
        solicitation = solicitation._replace(payload=b"\x80" + solicitation.payload[1:])  # an echo request
    async with Gateways() as bench:
        made = await bench.session(**asked)
        bench.enb.send(made, ip.encode(solicitation))
        await bench.settle()
        assert (bench.enb.received(), bench.net.received()) == ([], [])
        assert bench.dropped() == ["its source address is not the device's"]


@pytest.mark.parametrize("kill", [False, True])
async def test_a_pgw_that_stops_is_off_the_network_and_says_no_more(*, kill: bool) -> None:
    bearer = {"qci": 7, "filters": [{"protocol": "udp"}]}
    async with Gateways(pgw={"apns": {"*": {"bearers": {"alarm": bearer}}}}) as bench:
        assert bench.net.link is not None
        bench.mme.silent = True
        await bench.mme.create()
        await bench.host.stop("sgw", kill=True)
        await bench.host.stop("pgw", kill=kill)  # in the middle of an order that nobody answers
        await bench.settle()
        assert not bench.net.link.up
        said = len([each for each in bench.of(Frame) if each.source == "pgw"])
        await bench.sleep(60)
        assert len([each for each in bench.of(Frame) if each.source == "pgw"]) == said


async def test_a_call_for_help_reaches_its_own_networks_alone() -> None:
    async with Gateways(pgw={"emergency_networks": ["198.51.100.112/32"]}) as bench:
        made = await bench.session(apn=scapy.IE_APN(APN=b"sos"), msisdn=None)
        own = made["paa"].ipv4
        bench.enb.send(made, udp(own), help_ := udp(own, "198.51.100.112"))
        bench.net.send(udp(SERVER, own), back := udp("198.51.100.112", own))
        await bench.settle()
        assert (bench.net.received(), [each for _, each in bench.enb.received()]) == ([help_], [back])
        assert bench.dropped() == [rules.CONFINED] * 2


@pytest.mark.parametrize(("port", "names"), [(53, ("meters.example",)), (5353, ())])
async def test_what_the_resolver_said_of_an_address_is_its_name_in_records(port: int, names: tuple[str, ...]) -> None:
    question = dns.message.make_query("meters.example", "A")
    told = dns.message.make_response(question)
    told.answer.append(dns.rrset.from_text("meters.example.", 60, "IN", "A", SERVER))
    async with Gateways() as bench:
        made = await bench.session()
        own, resolver = made["paa"].ipv4, "192.0.2.53"
        bench.enb.send(made, ip.encode(ip.encode_udp(ip.Udp(40000, port, question.to_wire()), own, resolver)))
        await bench.settle()
        bench.net.send(ip.encode(ip.encode_udp(ip.Udp(port, 40000, told.to_wire()), resolver, own)))
        await bench.settle()
        bench.enb.send(made, udp(own))
        await bench.settle()
        await bench.mme.delete(made["sender_f_teid"].teid)
        assert [each.names for each in bench.of(FlowRecord)] == [names, names]


async def test_a_pgw_that_no_network_is_behind() -> None:
    async with Gateways(pgw={"internet": ""}) as bench:
        made = await bench.session()
        bench.enb.send(made, udp(made["paa"].ipv4))
        await bench.settle()
        assert bench.dropped() == ["there is no way out on SGi"]
        assert bench.notes() == []


async def test_sums_of_records_are_the_octets_of_the_packets() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        own = made["paa"].ipv4
        up, down = [udp(own, payload=bytes(n)) for n in (1, 20, 300)], [udp(SERVER, own, payload=bytes(77))]
        bench.enb.send(made, *up)
        await bench.settle()
        bench.net.send(*down)
        await bench.host.clock.sleep(90)
        place = Raw(bytes.fromhex("5600" + "0600" + "08" + "00f1100009"))
        await bench.mme.modify(made["sender_f_teid"].teid, more=[place])
        bench.enb.send(made, *up)
        await bench.settle()
        bench.sums = 2 * sum(map(len, up)), sum(map(len, down))  # type: ignore[attr-defined]
        await bench.mme.delete(made["sender_f_teid"].teid)
        (record,) = [each for each in bench.of(ChargingRecord) if each.element == "pgw"]
        fields = record.fields
        assert (record.record, fields["causeForRecClosing"]) == ("pGWRecord", CauseForRecClosing.NORMAL_RELEASE)
        assert (fields["servedIMSI"], fields["servedMSISDN"]) == (gateways.IMSI, gateways.NUMBER)
        assert (fields["duration"], fields["dynamicAddressFlag"]) == (90, True)
        volumes = fields["listOfTrafficVolumes"]
        assert [each["changeCondition"] for each in volumes] == ["userLocationChange", "recordClosure"]
        assert volumes[1]["userLocationInformation"] == "001-01-0009"
        both = [sum(each[f"dataVolumeGPRS{way}"] for each in volumes) for way in ("Uplink", "Downlink")]
        flows = [each for each in bench.trace.events if isinstance(each, FlowRecord)]
        assert tuple(both) == (sum(f.uplink_octets for f in flows), sum(f.downlink_octets for f in flows)) == bench.sums  # type: ignore[attr-defined]


async def test_a_device_that_scans_ports_fills_no_memory_and_each_flow_has_its_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(BOUNDS, FlowKind.BRIEF, 3)

    async with Gateways() as bench:
        made = await bench.session()
        bench.enb.send(made, *(udp(made["paa"].ipv4, port=port) for port in range(1, 9)))
        await bench.settle()
        (session,) = bench.host.elements["pgw"].core.sessions.values()  # type: ignore[attr-defined]
        assert [flow.source_port for flow in session.flows] == [6, 7, 8]
        await bench.mme.delete(made["sender_f_teid"].teid)
        flows = [each for each in bench.trace.events if isinstance(each, FlowRecord)]
        assert [(flow.port, flow.uplink_packets) for flow in flows] == [(port, 1) for port in range(1, 9)]


async def test_a_tunnel_that_does_not_exist_is_told_of() -> None:
    async with Gateways() as bench:
        pgw = bench.host.address_of("pgw", "S5-U")
        bench.enb.endpoint.send_packets([gtpu.g_pdu(0x77, udp("10.64.0.1"))] * 2, bench.host.address_of("sgw", "S1-U"))
        await bench.settle()
        told = gtpu.decode(bench.enb.heard[0])
        assert (told.peer_teid, told.peer_address) == (0x77, pgw[0][:-3] + "5.1")
        assert bench.dropped() == ["there is no tunnel 0x00000077"] * 2


async def test_an_echo_is_answered_and_what_is_not_understood_told() -> None:
    async with Gateways() as bench:
        to = bench.host.address_of("sgw", "S1-U")
        bench.enb.endpoint.send(gtpu.encode(gtpu.Message(gtpu.MessageType.ECHO_REQUEST, 0, 9)), to)
        bench.enb.endpoint.send(b"\x10noise", to)
        extended = gtpu.Message(gtpu.MessageType.G_PDU, 7, 1, (gtpu.Extension(0x85, b"\0\0"),), b"x")
        bench.enb.endpoint.send_packets([gtpu.encode(extended)], to)
        await bench.settle()
        answers = [gtpu.decode(each) for each in bench.enb.heard]
        assert [(each.type.name, each.sequence) for each in answers] == [
            ("ECHO_RESPONSE", 9),
            ("SUPPORTED_EXTENSION_HEADERS_NOTIFICATION", 0),
        ]


async def test_what_is_not_directed_is_not_looked_into_and_its_flows_are_one() -> None:
    async with Gateways() as bench:
        made = await bench.session()
        whole = udp(made["paa"].ipv4, payload=bytes(100))
        pieces = [bytes(each) for each in fragment(IP(whole), fragsize=64)]  # type: ignore[no-untyped-call]
        bench.enb.send(made, pieces[1])
        await bench.settle()
        assert bench.net.received() == [pieces[1]]
        later = [bytes(each) for each in fragment(IP(udp(SERVER, made["paa"].ipv4)), fragsize=8)]  # type: ignore[no-untyped-call]
        bench.net.send(*later[1:])
        await bench.settle()
        assert [each for _, each in bench.enb.received()] == later[1:]
        for _ in range(2):
            bench.enb.send(made, whole)
            await bench.sleep(IDLE - 1)
        await bench.mme.delete(made["sender_f_teid"].teid)
    assert [each.uplink_packets for each in bench.of(FlowRecord) if each.port] == [2]


@pytest.mark.parametrize(
    ("kind", "addresses"),
    [
        ({}, ("10.64.0.1", None, True, None)),
        (BOTH, ("2001:db8:64:1::", "10.64.0.1", True, True)),
        (
            {**BOTH, "paa": scapy.IE_PAA(PDN_type=3, ipv6=0, ipv4="203.0.113.9")},
            ("2001:db8:64:1::", "203.0.113.9", True, False),
        ),
    ],
)
async def test_the_records_of_a_session_contain_both_its_addresses(
    kind: dict[str, Any], addresses: tuple[Any, ...]
) -> None:
    async with Gateways(pgw={"apns": {"*": {"static": ["203.0.113.0/24"]}}}) as bench:
        made = await bench.session(**kind)
        await bench.mme.delete(made["sender_f_teid"].teid)
    names = "servedPDPPDNAddress", "servedPDPPDNAddressExt", "dynamicAddressFlag", "dynamicAddressFlagExt"
    for record in bench.of(ChargingRecord):
        expected = addresses if record.element == "pgw" else (*addresses[:2], None, None)
        assert tuple(record.fields.get(name) for name in names) == expected
