"""Which packets pass by a session's rules, in both directions; what counts is what comes out at the far end."""

from __future__ import annotations

from ssl import TLSVersion
from typing import Any

import dns.message
import dns.rrset
import pytest
from directed import BOTH, OTHER, RESOLVER, Device, card, change, device, provision, tcp, to
from flows import client_hello
from gateways import IMSI, SERVER, Gateways, udp
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_LSRR, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrRouting
from scapy.packet import Raw

from simulators.pgw import rules
from simulators.pgw.config import ApnConfig, PgwData
from simulators.pgw.flow_table import BOUNDS, FlowKind
from simwarden.errors import ManagementError
from simwarden.model.network import Network
from simwarden.operations.management import Role
from simwarden.policy.flow_rule import ALL_FLOWS, FlowFilter, FlowRule
from simwarden.policy.rule_set import RuleSet
from simwarden.trace.records import FlowRecord
from simwarden.wire import ip

LIST = [f"udp://{SERVER}:5683", "udp://[2001:db8:80::80]:5683", f"{SERVER}:443", "203.0.113.128/28:9000"]


async def test_only_listed_far_ends_are_reached() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        good = [
            to(it.own, SERVER, 5683),
            to(it.six, "2001:db8:80::80", 5683),
            tcp(it.own, SERVER),
            to(it.own, "203.0.113.143", 9000),
        ]
        bad = [
            to(it.own, SERVER, 5684),
            tcp(it.own, SERVER, 5683),
            to(it.own, OTHER, 5683),
            to(it.six, "2001:db8:80::81", 5683),
            to(it.own, "203.0.113.144", 9000),
            bytes(IP(src=it.own, dst=SERVER) / ICMP()),
            bytes(IP(src=it.own, dst=SERVER, proto=47) / b"tunnel"),
            to(it.own, RESOLVER, 53),
        ]
        assert await it.up(*good, *bad) == good
        assert len(bench.dropped()) == len(bad)
        assert all(each.startswith("data.whitelist: no rule of the card lets it pass") for each in bench.dropped())
        assert bench.verdicts("data.whitelist") == [True] * 4 + [False] * 8


async def test_nobody_else_reaches_the_device_either() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        good = ip.encode(ip.encode_udp(ip.Udp(5683, 40000, b"news"), SERVER, it.own))
        for bad in (udp(OTHER, it.own), udp(SERVER, it.own), bytes(IP(src=SERVER, dst=it.own) / ICMP())):
            assert await it.down(bad, good) == [good]


async def test_a_decision_is_one_of_a_flow() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        for _ in range(5):
            await it.up(to(it.own, SERVER, 5683), to(it.own, OTHER, 5683))
            await it.down(ip.encode(ip.encode_udp(ip.Udp(5683, 40000, b"news"), SERVER, it.own)))
        assert bench.verdicts("data.whitelist") == [True, False]
        await bench.sleep(301)
        await it.up(to(it.own, SERVER, 5683))
        assert bench.verdicts("data.whitelist") == [True, False, True]
        await bench.mme.delete(it.made["sender_f_teid"].teid)
        told = [(each.verdict, each.rule, each.uplink_packets, each.dropped_packets) for each in bench.of(FlowRecord)]
        assert told == [("admit", "", 5, 0), ("refuse", "data.whitelist", 0, 5), ("admit", "", 1, 0)]


async def test_a_list_without_entries_is_a_wall_and_no_list_none() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=[])
        assert await it.up(to(it.own, SERVER, 5683)) == []
        assert (await change(bench, "DELETE"))["data"] is None
        assert len(await it.up(to(it.own, SERVER, 5683), to(it.own, OTHER, 1))) == 2


async def test_a_name_opens_the_address_that_the_resolver_gave_for_it() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example", "*.iot.example:8883"])
        assert await it.fetch(SERVER, "up.example") == "nowhere"
        assert await it.look_up("up.example", SERVER)
        assert await it.fetch(SERVER, "up.example", 50002) == "through"
        assert await it.fetch(SERVER, "video.example", 50003) == "connected"
        assert await it.fetch(SERVER, "up.example", 50004, 8883) == "nowhere"
        assert await it.fetch(OTHER, "up.example", 50005) == "nowhere"
        assert await it.look_up("a.iot.example", OTHER, port=4001)
        assert await it.up(packet := to(it.own, OTHER, 8883)) == [packet]
        assert [
            each.occasion for each in bench.decisions("data.whitelist") if each.details["name"] == "video.example"
        ] == ["shown-name"]


async def test_the_resolver_is_asked_for_listed_names_only() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example", "*.iot.example:8883"])
        assert not await it.look_up("video.example", OTHER)
        assert await it.look_up("up.example", SERVER)
        assert await it.look_up("UP.example", SERVER)
        assert not await it.look_up("b64-secret.iot.example", "text", "TXT", port=4002)
        assert not await it.look_up("up.example", SERVER, server=OTHER, port=4003)
        for payload in (
            b"",
            b"\x00",
            bytes(12),
            dns.message.make_response(dns.message.make_query("up.example", "A")).to_wire(),
        ):
            assert await it.up(to(it.own, RESOLVER, 53, payload, 4004)) == []
        two = dns.message.make_query("up.example", "A")
        two.question.append(dns.message.make_query("video.example", "A").question[0])
        assert await it.up(to(it.own, RESOLVER, 53, two.to_wire(), 4005)) == []
        assert await it.up(tcp(it.own, RESOLVER, 853)) == []
        assert await it.up(tcp(it.own, RESOLVER, 443)) == []


async def test_a_broken_datagram_to_the_resolver_asks_nothing_by_the_ports_of_a_question() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example"])
        assert await it.look_up("up.example", SERVER)
        asked = dns.message.make_query("up.example", "A").to_wire()
        head = IP(src=it.own, dst=RESOLVER) / UDP(sport=4000, dport=53)
        assert await it.up(whole := bytes(head / asked)) == [whole]
        for broken in (UDP(sport=4000, dport=53, chksum=1), UDP(sport=4000, dport=53, len=7)):
            assert await it.up(bytes(IP(src=it.own, dst=RESOLVER) / broken / asked)) == []
        assert await it.up(whole) == [whole]


async def test_a_flow_that_has_to_show_its_name_gets_so_many_octets() -> None:
    async with Gateways(pgw={"unnamed_octets": 80 + 4 * 240}) as bench:  # the handshake, and four segments
        it = await device(bench, whitelist=["http://up.example/firmware"])
        assert await it.look_up("up.example", SERVER)
        assert await it.connect(SERVER)
        said = b"GET /firmware HTTP/1.1\r\nX: ".ljust(1200, b"a")
        assert [await it.say(SERVER, said[at : at + 200], at) for at in range(0, 1200, 200)] == [True] * 4 + [False] * 2
        back = bytes(IP(src=SERVER, dst=it.own) / TCP(sport=80, dport=50000, flags="A", seq=8, ack=100))
        assert await it.down(back) == []
        assert await it.connect(SERVER, 50001)
        assert await it.say(SERVER, said[:24] + b"Host: up.example\r\n\r\n", port=50001)
        assert not await it.say(SERVER, b"GET /admin HTTP/1.1\r\nHost: up.example\r\n\r\n", 44, port=50001)


async def test_each_request_of_a_connection_counts() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example/firmware"])
        assert await it.look_up("up.example", SERVER)
        assert await it.fetch(SERVER, "up.example") == "through"
        other = b"GET /admin HTTP/1.1\r\nHost: up.example\r\n\r\n"
        assert not await it.say(SERVER, other, 44)
        assert not await it.say(SERVER, other.replace(b"admin", b"firmware"), 44 + len(other))


async def test_names_of_an_address_are_those_that_it_had_as_its_flow_began() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["udp://up.example:5683", "udp://down.example:5684"])
        assert await it.look_up("up.example", SERVER)
        assert await it.up(begun := to(it.own, SERVER, 5683)) == [begun]
        await bench.sleep(61)
        assert await it.look_up("down.example", SERVER, port=4001)
        assert await it.up(begun, to(it.own, SERVER, 5683, near=40001)) == [begun]


async def test_a_refused_flow_passes_by_the_same_ports_once_its_address_has_the_name() -> None:
    """A device whose port is fixed goes on with it, though its address had another name before."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=["udp://up.example:5683", "udp://down.example:5684"])
        assert await it.look_up("down.example", SERVER)
        assert await it.up(report := to(it.own, SERVER, 5683)) == []
        await bench.sleep(61)
        assert await it.up(report) == []
        assert await it.look_up("up.example", SERVER, port=4001)
        assert await it.up(report) == [report]


async def test_a_question_that_is_refused_closes_nothing_to_the_answer_of_another() -> None:
    """By one port a device asks for what is listed, and for what is not before that is answered."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example"])
        asked = {name: dns.message.make_query(f"{name}.example", "A") for name in ("up", "ntp")}
        sent = {name: to(it.own, RESOLVER, 53, each.to_wire(), 4000) for name, each in asked.items()}
        told = dns.message.make_response(asked["up"]).to_wire()
        back = ip.encode(ip.encode_udp(ip.Udp(53, 4000, told), RESOLVER, it.own))
        assert await it.up(sent["ntp"]) == []
        assert await it.down(back) == []
        assert await it.up(sent["up"], sent["ntp"]) == [sent["up"]]
        assert await it.down(back) == [back]
        assert await it.up(sent["ntp"], sent["up"]) == [sent["up"]]
        await change(bench, whitelist=[])
        assert await it.up(sent["up"]) == await it.down(back) == []


async def test_a_flow_that_came_to_no_name_is_of_none_when_a_name_is_denied_instead() -> None:
    async with Gateways(pgw={"unnamed_octets": 300, "unreadable": "deny"}) as bench:
        it = await device(bench, whitelist=["http://up.example"])
        assert await it.look_up("up.example", SERVER)
        assert await it.connect(SERVER)
        assert await it.say(SERVER, said := b"GET / HTTP/1.1\r\nX: ".ljust(100, b"a"))
        assert not await it.say(SERVER, said, 100)
        await change(bench, whitelist=None, blacklist=["wx.example"])
        assert not await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: wx.example\r\n\r\n", 100)
        assert await it.fetch(SERVER, "pay.example", 50001) == "through"


async def test_an_answer_holds_as_long_as_it_says() -> None:
    async with Gateways(pgw={"answer_grace": 0}) as bench:
        it = await device(bench, whitelist=["http://up.example"])
        assert await it.look_up("up.example", SERVER)
        await bench.sleep(59)
        assert await it.fetch(SERVER, "up.example") == "through"
        await bench.sleep(2)
        assert await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: up.example\r\n\r\n", 44)  # what has begun goes on
        assert await it.fetch(SERVER, "up.example", 50001) == "nowhere"
        assert await it.look_up("up.example", SERVER, port=4001)
        assert await it.connect(SERVER, 50001)  # by the ports that were refused


async def test_what_runs_is_judged_at_once_by_a_changed_list() -> None:
    async with Gateways() as bench:
        it = await device(bench)
        packet, other = to(it.own, SERVER, 5683), to(it.own, OTHER, 1)
        assert await it.up(packet, other) == [packet, other]
        await change(bench, whitelist=LIST)
        assert await it.up(packet, other) == [packet]
        assert [each.occasion for each in bench.decisions("data.whitelist")] == ["change-the-list"] * 2
        await change(bench, whitelist=[f"{OTHER}:1"])
        assert await it.up(packet, other) == [other]
        await change(bench, whitelist=LIST)
        with pytest.raises(ManagementError, match="changed 2 times this month"):
            await change(bench, whitelist=LIST)


async def test_what_is_denied_is_so_by_name_and_address_listed_or_not() -> None:
    async with Gateways() as bench:
        it = await device(bench, blacklist=["wx.example", "203.0.113.0/28"])
        assert not await it.look_up("wx.example", SERVER)
        assert await it.look_up("pay.example", SERVER, port=4001)
        assert await it.fetch(SERVER, "wx.example") == "connected"
        assert await it.fetch(SERVER, "pay.example", 50001) == "through"
        assert await it.up(to(it.own, "203.0.113.5", 9), passes := to(it.own, "203.0.113.16", 9)) == [passes]
        assert {each.control.id for each in bench.decisions("data.whitelist")} == set()
        await change(bench, whitelist=["203.0.113.5:9", "203.0.113.16:9"], blacklist=["203.0.113.0/28"])
        assert await it.up(to(it.own, "203.0.113.5", 9), passes) == [passes]


async def test_fragments_are_judged_as_the_packet_that_they_are_of() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        for address, number, passes in ((SERVER, 1, True), (OTHER, 2, False)):
            whole = IP(src=it.own, dst=address, id=number) / UDP(sport=40000, dport=5683) / Raw(bytes(900))
            cut = [bytes(each) for each in fragment(whole, 400)]  # type: ignore[no-untyped-call]
            late = [cut[1], cut[2], cut[0]]
            assert await it.up(*late[:2]) == []
            assert await it.up(late[2]) == (cut if passes else [])
        await bench.mme.delete(it.made["sender_f_teid"].teid)
        octets = 900 + 8 + 3 * 20
        assert [(each.uplink_octets, each.dropped_octets) for each in bench.of(FlowRecord)] == [
            (octets, 0),
            (0, octets),
        ]


async def test_a_packet_with_extensions_passes_and_one_with_a_detour_does_not() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        body = UDP(sport=40000, dport=5683) / b"hello"
        passes = bytes(IPv6(src=it.six, dst="2001:db8:80::80") / IPv6ExtHdrDestOpt() / body)
        detour = bytes(IP(src=it.own, dst=SERVER, options=[IPOption_LSRR(routers=[OTHER])]) / body)
        assert await it.up(passes, detour) == [passes]
        assert bench.dropped() == ["it goes to others than its destination first"]


async def test_octets_behind_an_ipv6_packet_say_no_port_for_it() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        head = IPv6(src=it.six, dst="2001:db8:80::80") / IPv6ExtHdrDestOpt()
        listed, ports = UDP(sport=40000, dport=5683), b"\x9c\x40\x16\x33"
        bad = [bytes(head / UDP(sport=40000, dport=22) / (ports * 4)) + bytes(each) for each in (8, 12)]
        assert await it.up(*bad) == []
        assert bench.verdicts("data.whitelist") == [False]
        good = bytes(head / listed / (bytes(8))) + bytes(8)
        assert await it.up(good) == [good]


async def test_routes_and_ports_behind_a_header_of_fragments_are_judged_when_all_is_there() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)

        def cut(*inside: Any, number: int) -> list[bytes]:
            whole, head = IPv6(), IPv6(src=it.six, dst="2001:db8:80::80")
            for each in (IPv6ExtHdrDestOpt(), *inside):
                whole /= each
            octets = bytes(whole)[40:]
            low = bytes(head / IPv6ExtHdrFragment(nh=60, id=number, m=1) / octets[:8])
            return [low, bytes(head / IPv6ExtHdrFragment(nh=60, id=number, offset=1) / octets[8:])]

        good = cut(UDP(sport=40000, dport=5683) / b"report", number=1)
        assert await it.up(*reversed(good)) == good
        assert await it.up(*cut(UDP(sport=40000, dport=22) / b"report", number=2)) == []
        route = IPv6ExtHdrRouting(addresses=["2001:db8:66::66"], segleft=1)
        assert await it.up(*cut(route, UDP(sport=40000, dport=5683) / b"report", number=3)) == []
        assert bench.dropped()[-1] == "it goes to others than its destination first"
        faults = len(bench.dropped())
        assert await it.up(*cut(Raw(b"\0" * 8), number=4)) == []  # what no header is made of
        assert len(bench.dropped()) > faults


async def test_errors_about_flows_that_pass_come_through_and_no_others() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        good, bad = to(it.own, SERVER, 5683), to(it.own, OTHER, 5683)
        await it.up(good, bad)

        def error(about: bytes, source: str = "203.0.113.9", target: str = it.own) -> bytes:
            return bytes(IP(src=source, dst=target) / ICMP(type=3, code=1) / about)

        assert await it.down(error(good), error(bad), error(to(it.own, SERVER, 5684))) == [error(good)]
        assert await it.down(error(good)) == [error(good)]
        came = ip.encode(ip.encode_udp(ip.Udp(5683, 40000, b"news"), SERVER, it.own))
        assert await it.up(mine := error(came, it.own, SERVER), error(came, it.own, OTHER)) == [mine]


async def test_gates_are_of_one_direction() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=[])
        session = next(iter(bench.pgw.core.by_teid.values()))
        network = FlowFilter(Network.parse(SERVER), 17, range(5683, 5684))
        rules.install(
            bench.pgw.core, session, RuleSet((FlowRule("reports", (network,), down=False),)), "change-the-list"
        )
        sent, back = to(it.own, SERVER, 5683), ip.encode(ip.encode_udp(ip.Udp(5683, 40000, b"x"), SERVER, it.own))
        for _ in range(2):
            assert await it.up(sent) == [sent]
            assert await it.down(back) == []
        assert bench.verdicts("data.whitelist") == [True, False]
        rules.install(bench.pgw.core, session, RuleSet((ALL_FLOWS,)), "change-the-list")
        assert await it.down(back) == [back]


async def test_extensions_and_fragments_to_the_device_are_judged_as_its_own() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=LIST)
        body = UDP(sport=5683, dport=40000) / b"news"
        passes = bytes(IPv6(src="2001:db8:80::80", dst=it.six) / IPv6ExtHdrDestOpt() / body)
        foreign = bytes(IPv6(src="2001:db8:66::66", dst=it.six) / IPv6ExtHdrDestOpt() / body)
        assert await it.down(foreign, passes) == [passes]
        whole = IP(src=SERVER, dst=it.own, id=3) / UDP(sport=5683, dport=40000) / Raw(bytes(900))
        cut = [bytes(each) for each in fragment(whole, 400)]  # type: ignore[no-untyped-call]
        assert await it.down(*cut) == cut


async def test_a_name_that_was_shown_while_nothing_was_listed_counts_when_something_is() -> None:
    async with Gateways() as bench:
        it = await device(bench)
        assert await it.look_up("up.example", SERVER)
        assert await it.fetch(SERVER, "up.example", 50001) == await it.fetch(SERVER, "video.example") == "through"
        await change(bench, whitelist=["http://up.example"])
        assert await it.say(SERVER, b"x", 44, 50001)
        assert not await it.say(SERVER, b"x", 47)


async def test_who_says_no_name_where_clients_do_gets_the_unnamed_octets_only() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["https://up.example", "up.example:1883"])
        assert await it.look_up("up.example", SERVER)
        assert await it.connect(SERVER, to=443)
        assert not await it.say(SERVER, b"SSH-2.0-tunnel\r\n", to=443)
        assert await it.connect(SERVER, 50001, 1883)
        assert await it.say(SERVER, b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd", port=50001, to=1883)


async def test_who_answers_at_a_listed_address_opens_no_other() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=[SERVER, "up.example:80"])
        assert await it.look_up("up.example", OTHER, server=SERVER)
        assert await it.fetch(OTHER, "up.example") == "nowhere"
        assert await it.look_up("up.example", OTHER, port=4001)
        assert await it.fetch(OTHER, "up.example", 50001) == "through"


async def test_a_datagram_of_the_resolver_that_was_not_asked_goes_nowhere() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["https://up.example"])
        assert await it.down(udp(RESOLVER, it.own, port=53)) == []


async def test_a_silent_flow_is_begun_anew_a_connection_after_hours() -> None:
    async with Gateways(pgw={"answer_grace": 0}) as bench:
        it = await device(bench, whitelist=["udp://up.example:5683", "up.example:1883"])
        assert await it.look_up("up.example", SERVER)
        report, syn = to(it.own, SERVER, 5683), tcp(it.own, SERVER, 1883)
        for pause, passes in ((0, [report, syn]), (299, [report, syn]), (400, [syn]), (7439, [syn]), (7441, [])):
            await bench.sleep(pause)
            assert await it.up(report, syn) == passes


DENIED = {"whitelist": ["http://server.example"], "blacklist": [SERVER]}
FLOW_CHANGES: dict[str, dict[str, Any]] = {
    "off the list": {"whitelist": ["http://other.example"]},
    "nobody": {"whitelist": []},
    "denied": DENIED,
    "denied by name": DENIED | {"blacklist": ["server.example"]},
}


@pytest.mark.parametrize("lists", FLOW_CHANGES.values(), ids=FLOW_CHANGES)
@pytest.mark.parametrize("at", range(6))
async def test_a_change_acts_at_each_packet_of_a_flow(at: int, lists: dict[str, Any]) -> None:
    """SYN, its answer, a request in two segments, the answer, and what comes later; none passes behind the change."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://server.example"])
        assert await it.look_up("server.example", SERVER)
        ends: dict[str, Any] = {"sport": 50000, "dport": 80}
        near = [TCP(**ends, flags="S", seq=99)]
        near += [TCP(**ends, flags="PA", seq=100, ack=8) / b"GET / HTTP/1.1\r\nHost: ser"]
        near += [TCP(**ends, flags="PA", seq=125, ack=8) / b"ver.example\r\n\r\n"]
        near += [TCP(**ends, flags="A", seq=142, ack=9)]
        back = [
            TCP(sport=80, dport=50000, flags="SA", seq=7, ack=100),
            TCP(sport=80, dport=50000, flags="PA", seq=8) / b"!",
        ]
        packets = [bytes(IP(src=it.own, dst=SERVER) / each) for each in near]
        backward = [bytes(IP(src=SERVER, dst=it.own) / each) for each in back]
        order = [packets[0], backward[0], packets[1], packets[2], backward[1], packets[3]]
        for number, packet in enumerate(order):
            if number == at:
                await change(bench, **lists)
            passed = await (it.down if packet in backward else it.up)(packet)
            assert passed == ([packet] if number < at else [])


async def test_provisioning_and_changes() -> None:
    async with Gateways() as bench:
        told = await provision(bench, whitelist=["https://up.example/firmware", *LIST], blacklist=["wx.example"])
        assert told["untold"] == ["https://up.example/firmware"]
        assert told["cells"] == []
        with pytest.raises(ManagementError, match="changed with an approval record"):
            await provision(bench, whitelist=LIST)
        with pytest.raises(ManagementError, match="changed with an approval record"):
            await provision(bench)
        with pytest.raises(ManagementError, match="the operator does"):
            await change(bench, role=Role.CUSTOMER, whitelist=[])
        with pytest.raises(ManagementError, match="11 destinations"):
            await change(bench, whitelist=[f"192.0.2.{each}:1" for each in range(11)])
        with pytest.raises(ManagementError, match="is no destination"):
            await change(bench, whitelist=["what is this"])
        assert (await change(bench, whitelist=["192.0.2.0/23:1"], exception="A-7"))["data"]["exception"] == "A-7"
        assert [each["action"] for each in await bench.pgw.manage(Role.OPERATOR, "GET", "/audit", {})] == [
            "provision",
            "provision-refused",
            "provision-refused",
            "change-the-list-refused",
            "change-the-list-refused",
            "list-changed",
        ]
        (held,) = await bench.pgw.manage(Role.OPERATOR, "GET", "/cards", {})
        assert held["data"]["whitelist"] == ["192.0.2.0/23:1"]
        assert bench.observed("list", key=IMSI)[-1]["whitelist"] == ["192.0.2.0/23:1"]


async def test_lists_are_refused_where_a_pcrf_rules_all_sessions() -> None:
    async with Gateways(pgw={"apns": {"meters": {"gx": "pcrf"}}}) as bench:
        for call in (provision, change):
            with pytest.raises(ManagementError, match="take their rules from Gx") as refused:
                await call(bench, whitelist=LIST)
            assert refused.value.status == 409


@pytest.mark.parametrize(("use", "open_"), [("payment-terminal", True), ("meter", False)])
async def test_apps_that_are_denied_later_spare_what_the_use_of_a_card_needs(use: str, *, open_: bool) -> None:
    async with Gateways() as bench:
        await bench.pgw.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", {**card(), "profile": use})
        await bench.host.stop("pgw", kill=True)
        await bench.host.start("pgw")
        await bench.sleep(10)
        await change(bench, apps=["shopping"])
        it = Device(bench, await bench.session(**BOTH))
        assert await it.look_up("eco.taobao.com", SERVER) is open_
        assert not await it.look_up("www.taobao.com", SERVER, port=4001)


async def test_lists_outlive_a_restart() -> None:
    async with Gateways() as bench:
        await provision(bench, whitelist=LIST)
        await bench.host.stop("pgw", kill=True)
        await bench.host.start("pgw")
        await bench.sleep(10)
        it = Device(bench, await bench.session(**BOTH))
        assert await it.up(to(it.own, OTHER, 1), passes := to(it.own, SERVER, 5683)) == [passes]


async def test_ports_that_carry_one_connection_after_another() -> None:
    async with Gateways() as bench:
        known = await device(bench, whitelist=["http://server.example/firmware"])
        assert await known.look_up("server.example", SERVER)
        assert await known.fetch(SERVER, "server.example") == "through"
        begun = len(b"GET /firmware HTTP/1.1\r\nHost: server.example\r\n\r\n")
        head = b"POST /firmware HTTP/1.1\r\nHost: server.example\r\nContent-Length: 9000\r\n\r\n"
        assert await known.say(SERVER, head, begun)
        for at in range(0, 9000, 1000):
            assert await known.say(SERVER, bytes(1000), begun + len(head) + at)
        for first, path, passes in ((500_000, "/firmware", True), (900_000, "/other", False)):
            ends: dict[str, Any] = {"sport": 50000, "dport": 80}
            syn = bytes(IP(src=known.own, dst=SERVER) / TCP(**ends, flags="S", seq=first))
            back = TCP(sport=80, dport=50000, flags="SA", seq=7, ack=first + 1)
            assert await known.up(syn) == [syn]
            assert len(await known.down(bytes(IP(src=SERVER, dst=known.own) / back))) == 1
            said = f"GET {path} HTTP/1.1\r\nHost: server.example\r\n\r\n".encode()
            request = bytes(IP(src=known.own, dst=SERVER) / TCP(**ends, flags="PA", seq=first + 1, ack=8) / said)
            assert await known.up(request) == [request] * passes


async def test_the_ports_of_a_closed_connection_carry_another_one() -> None:
    """It is judged as any new one, and octets of the old one pass no more."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://server.example"])
        assert await it.look_up("server.example", SERVER)
        assert await it.fetch(SERVER, "other.example") == "connected"
        assert not await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: server.example\r\n\r\n")
        for first, host, reached in ((5000, "server.example", True), (90000, "other.example", False)):
            assert await it.begin(SERVER, first)
            said = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
            assert await it.say(SERVER, said, first + 1 - 100) is reached


@pytest.mark.parametrize(
    ("flags", "payload", "answered"), [("S", b"", False), ("S", b"GET", True), ("SA", b"", True), ("SF", b"", True)]
)
async def test_a_closed_connection_goes_on_by_no_trick(flags: str, payload: bytes, *, answered: bool) -> None:
    """A SYN that is not answered; one with octets; an answer to none; one that ends as well."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://server.example"])
        assert await it.look_up("server.example", SERVER)
        assert await it.fetch(SERVER, "other.example") == "connected"
        await it.begin(SERVER, 70000, flags, payload, answered=answered)
        for at in (0, 70001 - 100, 70001 - 100 + len(payload)):
            assert not await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: server.example\r\n\r\n", at)


@pytest.mark.parametrize("apn", [{}, {"gx": "off"}])
def test_what_no_rule_is_about_may_pass_only_where_a_pcrf_rules(apn: dict[str, str]) -> None:
    assert ApnConfig.model_validate({"gx": "pcrf", "unmatched": "pass"}).unmatched == "pass"
    with pytest.raises(ValueError, match="only where a PCRF rules"):
        ApnConfig.model_validate({**apn, "unmatched": "pass"})


def test_what_a_section_tells_classify() -> None:
    four = ("social", "video", "shopping", "games")
    listed = PgwData(whitelist=("udp://192.0.2.7:5683",), apps=four).held()
    assert listed.has == {"directed-data", "blacklist"}
    assert [each.text for each in listed.data] == ["udp://192.0.2.7:5683"]
    assert PgwData(whitelist=()).held().has == {"directed-data"}
    assert PgwData(apps=four[1:], blacklist=("wx.example",)).held().has == frozenset()


async def test_the_preface_of_http2_in_the_clear_is_no_name() -> None:
    """RFC 9113 3.4. Its names stand in compressed headers; no rule by name is about it, with or without a path."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example", "http://web.example/firmware", "up.example:50051"])
        for port, (name, to_port) in enumerate((("up.example", 80), ("web.example", 80), ("up.example", 50051))):
            assert await it.look_up(name, SERVER, port=4000 + port)
            assert await it.connect(SERVER, 50000 + port, to_port)
            assert not await it.say(SERVER, preface, 0, 50000 + port, to_port)
            assert not await it.say(SERVER, b"x", len(preface), 50000 + port, to_port)
        assert await it.fetch(SERVER, "up.example", 50009) == "through"


@pytest.mark.slow
@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
async def test_a_client_hello_that_is_cut_at_any_octet_is_judged_as_a_whole(*, six: bool) -> None:
    address, kind = ("2001:db8:80::80", "AAAA") if six else (SERVER, "A")
    async with Gateways() as bench:
        it = await device(bench, whitelist=["https://up.example"])
        assert await it.look_up("up.example", address, kind)
        for name, passes in (("up.example", True), ("no.example", False)):
            hello = client_hello(name, maximum_version=TLSVersion.TLSv1_2)
            for cut in range(1, len(hello)):
                near = 50000 + cut + 1000 * passes
                assert await it.connect(address, near, 443)
                assert await it.say(address, hello[:cut], 0, near, 443)
                assert await it.say(address, hello[cut:], cut, near, 443) is passes


async def test_a_denied_name_is_seen_in_a_connection_whose_device_answers_nobody() -> None:
    async with Gateways() as bench:
        it = await device(bench, blacklist=["wx.example"])
        assert await it.connect(SERVER)
        false = bytes(IP(src=it.own, dst=SERVER, ttl=2) / TCP(sport=50000, dport=80, flags="SA", seq=9, ack=9))
        await it.up(false)
        assert not await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: wx.example\r\n\r\n")
        assert await it.fetch(SERVER, "pay.example", 50001) == "through"


async def test_a_denied_name_is_seen_when_so_many_flows_came_that_its_connection_was_forgotten() -> None:
    async with Gateways(pgw={"unreadable": "deny"}) as bench:
        it = await device(bench, blacklist=["wx.example"])
        assert await it.connect(SERVER)
        assert await it.connect(SERVER, 50001)
        assert await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: pay.example\r\n\r\n", port=50001)
        await it.up(*(to(it.own, OTHER, each) for each in range(1, BOUNDS[FlowKind.BRIEF] + 2)))
        assert not await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: wx.example\r\n\r\n")
        assert await it.fetch(SERVER, "pay.example", 50002) == "through"


async def test_a_denied_name_is_seen_behind_any_number_of_octets() -> None:
    async with Gateways(pgw={"unnamed_octets": 300}) as bench:
        it = await device(bench, blacklist=["wx.example"])
        assert await it.connect(SERVER)
        head = b"POST / HTTP/1.1\r\nHost: pay.example\r\nContent-Length: 2000\r\n\r\n"
        for at, octets in ((0, head[:20]), (20, head[20:]), (len(head), bytes(1000)), (len(head) + 1000, bytes(1000))):
            assert await it.say(SERVER, octets, at)
        assert not await it.say(SERVER, b"GET / HTTP/1.1\r\nHost: wx.example\r\n\r\n", len(head) + 2000)


async def test_an_alias_of_a_denied_name_is_not_denied() -> None:
    async with Gateways() as bench:
        card = await device(bench, blacklist=["evil.example"])
        asked = dns.message.make_query("alias.example", "A")
        query = ip.encode(ip.encode_udp(ip.Udp(4000, 53, asked.to_wire()), card.own, RESOLVER))
        assert await card.up(query) == [query]
        told = dns.message.make_response(asked)
        told.answer.append(dns.rrset.from_text("alias.example.", 60, "IN", "CNAME", "evil.example."))
        told.answer.append(dns.rrset.from_text("evil.example.", 60, "IN", "A", OTHER))
        answer = ip.encode(ip.encode_udp(ip.Udp(53, 4000, told.to_wire()), RESOLVER, card.own))
        assert await card.down(answer) == [answer]
        assert await card.fetch(OTHER, "alias.example") == "through"  # a limit (docs/evasions.md)
        assert await card.fetch(OTHER, "evil.example", 50001) == "connected"


@pytest.mark.parametrize(
    ("answered", "settings", "passes"),
    [
        ("10.64.0.9", {}, False),  # another device's
        ("10.9.8.7", {}, False),
        ("100.64.1.1", {}, False),
        ("127.0.0.1", {}, False),
        ("169.254.169.254", {}, False),
        ("192.168.7.1", {}, False),
        (SERVER, {}, True),
        ("10.9.8.7", {"inner_networks": []}, True),  # a private APN
        ("10.64.0.9", {"inner_networks": []}, False),
        (SERVER, {"inner_networks": ["198.51.100.0/24"]}, False),
        ("64:ff9b::a09:807", {}, False),  # 10.9.8.7 behind NAT64, 6to4 and as it is mapped
        ("2002:a09:807::1", {}, False),
        ("::ffff:10.9.8.7", {}, False),
        ("64:ff9b::a40:9", {"inner_networks": []}, False),
        ("64:ff9b::a09:807", {"inner_networks": []}, True),
        ("64:ff9b::c633:6450", {}, True),
    ],
)
async def test_no_listed_name_leads_to_inner_addresses(
    answered: str, settings: dict[str, Any], *, passes: bool
) -> None:
    async with Gateways(pgw={"apns": {"*": settings}}) as bench:
        card = await device(bench, whitelist=["http://up.example", "up.example:5683"])
        six = ":" in answered
        assert await card.look_up("up.example", answered, "AAAA" if six else "A")
        packet = to(card.six if six else card.own, answered, 5683)
        assert await card.up(packet) == ([packet] if passes else [])
        assert await card.fetch(answered, "up.example") == ("through" if passes else "nowhere")


async def test_an_inner_address_that_is_listed_itself_is_reached() -> None:
    async with Gateways() as bench:
        card = await device(bench, whitelist=["192.168.7.1:5683", "up.example:5683"])
        assert await card.look_up("up.example", "192.168.7.1")
        packet = to(card.own, "192.168.7.1", 5683)
        assert await card.up(packet) == [packet]
