"""Names and pages from a device to the internet, on TCP and TLS of our own, through the bearer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from user_network import SERVER, SERVER6, Bench

from simulators.device.parts.web import Fetch, OpenQuic
from simulators.internet.config import HostConfig, InternetConfig
from simwarden.errors import ManagementError
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import PeerFault, StateChange
from simwarden.trace.records import ChargingRecord, FlowRecord
from simwarden.wire import ip

Play = Callable[..., Bench]
MANY = tuple(f"198.51.100.{number}" for number in range(100, 140))
HOSTS = {
    "server": HostConfig(
        addresses=(SERVER, SERVER6), names=("server.example",), pages={"/": 64, "/firmware": 300_000, "/nothing": 0}
    ),
    "resolver": HostConfig(addresses=("192.0.2.53", "2001:db8::53"), answers=("dns",)),
    "many": HostConfig(addresses=MANY, names=("many.example",), answers=("icmp",)),
    "watcher": HostConfig(addresses=("203.0.113.9",), names=("watcher.example",), answers=()),
    "six": HostConfig(addresses=("2001:db8:6::6",), names=("six.example",)),
}


@pytest.fixture
def play() -> Iterator[Play]:
    loop = TestbedLoop(virtual=True)

    def carry_out(story: Callable[[Bench], Awaitable[None]], kind: str = "ipv4", hosts: Any = None) -> Bench:
        return Bench(loop, "memory", kind, InternetConfig(hosts=hosts or HOSTS)).play(story)

    yield carry_out
    loop.close()


async def fetch(bench: Bench, url: str, **more: Any) -> Any:
    return await bench.do("meter", "fetch", device="meter", url=url, **more)


async def resolve(bench: Bench, name: str, **more: Any) -> Any:
    return await bench.do("meter", "resolve", device="meter", name=name, **more)


def seen(bench: Bench, observable: str) -> list[dict[str, Any]]:
    return [event.value for event in bench.of(StateChange) if event.observable == observable]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_comes_whole(play: Play, scheme: str) -> None:
    async def story(bench: Bench) -> None:
        assert await fetch(bench, f"{scheme}://server.example/firmware") == "delivered"
        assert await fetch(bench, f"{scheme}://{SERVER}/other") == "delivered"
        assert await fetch(bench, f"{scheme}://{SERVER}/nothing", upload=100_000) == "delivered"

    bench = play(story)
    assert bench.of(PeerFault) == []
    assert [(each["status"], each["octets"], each["sent"]) for each in seen(bench, "fetched")] == [
        (200, 300_000, 0),
        (404, 9, 0),
        (200, 0, 100_000),
    ]
    names = [(each["service"], each["name"], each["path"], each["sni"]) for each in seen(bench, "asked")]
    sni = "server.example" if scheme == "https" else ""
    assert names == [
        ("dns", "server.example", "A", ""),
        (scheme, "server.example", "/firmware", sni),
        (scheme, SERVER, "/other", ""),
        (scheme, SERVER, "/nothing", ""),
    ]


def test_the_same_octets_pass_each_time() -> None:
    """Random keys of TLS change no length, so that runs of one seed count alike."""
    arrived = []
    for _ in range(2):
        loop = TestbedLoop(virtual=True)
        bench = Bench(loop, "memory", "ipv4", InternetConfig(hosts=HOSTS))

        async def whole(bench: Bench = bench) -> None:
            await bench.start()
            await fetch(bench, "https://server.example/firmware")
            await bench.host.close()

        loop.run_until_complete(whole())
        loop.close()
        arrived.append(seen(bench, "arrived")[-1])
    assert arrived[0] == arrived[1]


@pytest.mark.parametrize("kind", ["ipv6", "ipv4v6"])
def test_version_six(play: Play, kind: str) -> None:
    async def story(bench: Bench) -> None:
        assert await fetch(bench, f"http://[{SERVER6}]:80/") == "delivered"
        assert await fetch(bench, "https://six.example/") == "delivered"
        assert await resolve(bench, "server.example", kind="AAAA") == "delivered"

    bench = play(story, kind)
    assert bench.of(PeerFault) == []
    assert seen(bench, "resolved")[-1]["addresses"] == SERVER6


def test_flow_records_tell_names_and_all_octets(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await fetch(bench, "https://server.example/firmware") == "delivered"
        assert await fetch(bench, f"http://{SERVER}/", host="hidden.example:8080") == "delivered"
        assert await resolve(bench, "many.example") == "delivered"
        await bench.send("198.51.100.120")
        await bench.do("meter", "power_off", device="meter")

    bench = play(story)
    flows = bench.of(FlowRecord)
    names = [(flow.protocol, flow.peer_port, flow.names) for flow in flows]
    assert names == [
        (17, 53, ("server.example",)),
        (6, 443, ("server.example",)),
        (6, 80, ("hidden.example", "server.example")),
        (17, 53, ("many.example",)),
        (6, 53, ("many.example",)),
        (17, 5683, ("many.example",)),  # its address came over TCP
    ]
    assert {(flow.verdict, flow.rule) for flow in flows} == {("admit", "")}
    last = {each["destination"] + each["protocol"]: each for each in seen(bench, "arrived")}
    assert sum(flow.uplink_octets for flow in flows) == sum(each["octets"] for each in last.values())
    assert sum(flow.uplink_packets for flow in flows) == sum(each["packets"] for each in last.values())
    (charged,) = [each for each in bench.of(ChargingRecord) if each.record == "pGWRecord"]
    volumes = charged.fields["listOfTrafficVolumes"]
    assert sum(each["dataVolumeGPRSDownlink"] for each in volumes) == sum(flow.downlink_octets for flow in flows)
    assert sum(flow.downlink_octets for flow in flows) > 300_000


def test_who_is_not_there(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await fetch(bench, f"http://{SERVER}:8080/") == "refused"
        assert await fetch(bench, "http://203.0.113.9/", within="20 s") == "timed-out"
        assert await fetch(bench, "http://203.0.113.9/", within="300 s") == "timed-out"
        assert await fetch(bench, "http://nobody.example/") == "refused"
        assert await fetch(bench, "http://six.example/") == "refused"
        assert await fetch(bench, f"http://[{SERVER6}]/") == "dropped"

    bench = play(story)
    assert {each["outcome"] for each in seen(bench, "fetched")} == {"refused", "timed-out", "dropped"}
    assert bench.arrived()["10.64.0.1 203.0.113.9 tcp"] == 13  # five SYNs within 20 s, eight until TCP gives up


def test_names(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await resolve(bench, "Server.Example.") == "delivered"
        assert await resolve(bench, "many.example") == "delivered"
        assert await resolve(bench, "nobody.example") == "delivered"
        assert await resolve(bench, "server.example", server="203.0.113.9") == "timed-out"
        await bench.host.clock.sleep(60)  # idle: its bearer is asked for first
        assert await resolve(bench, "server.example", server="2001:db8::53") == "dropped"

    bench = play(story)
    told = [(each["rcode"], each["over"], each["addresses"]) for each in seen(bench, "resolved")]
    assert told == [
        ("NOERROR", "udp", SERVER),
        ("NOERROR", "tcp", " ".join(MANY)),
        ("NXDOMAIN", "udp", ""),
        (None, None, ""),
        (None, None, ""),
    ]
    assert bench.of(PeerFault) == []


def test_a_program_that_says_another_name(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await fetch(bench, f"https://{SERVER}/", host="hidden.example", sni="allowed.example") == "delivered"

    (asked,) = seen(play(story), "asked")
    assert (asked["name"], asked["sni"]) == ("hidden.example", "allowed.example")


def test_a_bearer_that_ends_cuts_a_download(play: Play) -> None:
    async def story(bench: Bench) -> None:
        url = f"http://{SERVER}/firmware"
        download = bench.host.loop.create_task(fetch(bench, url, within="500 s"))
        bench.lose_after(20)
        await bench.host.clock.sleep(2)
        assert not download.done()
        await bench.do("meter", "detach", device="meter")
        assert await download == "dropped"
        (told,) = seen(bench, "fetched")
        assert 0 < told["octets"] < 300_000
        assert await fetch(bench, url) == "dropped"
        assert await bench.do("meter", "attach", device="meter") == "accepted"
        bench.lose_after(None)
        assert await fetch(bench, url) == "delivered"

    play(story)


def test_a_bearer_that_ends_amid_questions_of_names(play: Play) -> None:
    async def story(bench: Bench) -> None:
        asking = bench.host.loop.create_task(resolve(bench, "server.example", server="203.0.113.9"))
        await bench.host.clock.sleep(2)
        await bench.do("meter", "detach", device="meter")
        assert await asking == "dropped"

    play(story)


def test_each_connection_has_its_address(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await bench.send(SERVER, apn="beside") == "dropped"
        assert await bench.do("meter", "connect", device="meter", apn="beside") == "accepted"
        assert await bench.send(SERVER, apn="beside") == "delivered"
        assert await bench.do("meter", "send", device="meter", packet=f"IP(dst='{SERVER}')/ICMP()", apn="beside")
        assert await fetch(bench, "https://server.example/", apn="beside") == "delivered"
        assert await fetch(bench, "https://server.example/", apn="iot") == "delivered"
        assert await resolve(bench, "server.example", apn="nothing") == "dropped"
        assert await bench.do("meter", "disconnect", device="meter", apn="beside") == "accepted"
        assert await fetch(bench, "https://server.example/", apn="beside") == "dropped"
        assert await bench.send(SERVER) == "delivered"

    bench = play(story)
    assert bench.dropped() == []
    by_source = {source: set() for source in ("10.64.0.1", "10.64.0.2")}  # type: dict[str, set[str]]
    for each in bench.arrived():
        source, destination, protocol = each.split()
        by_source[source].add(f"{destination} {protocol}")
    both = {f"{SERVER} udp", f"{SERVER} tcp", "192.0.2.53 udp"}
    assert by_source == {"10.64.0.1": both, "10.64.0.2": both | {f"{SERVER} icmp"}}


def test_the_network_says_that_nobody_is_there(play: Play) -> None:
    """A router's ICMP ends an opening at once, and no connection that stands (RFC 9293 3.9.2.2)."""

    async def story(bench: Bench) -> None:
        take = bench.internet.tcp.take

        def refuse(packet: ip.Packet) -> None:
            told = ip.Icmp(ip.IcmpType.DESTINATION_UNREACHABLE, 1, 0, ip.encode(packet)[:28])
            bench.internet.tcp.send([ip.encode_icmp(told, "192.0.2.254", packet.source)])
            if packet.destination == SERVER:
                take(packet)

        bench.internet.tcp.take = refuse  # type: ignore[method-assign]
        assert await fetch(bench, "http://198.51.100.100/") == "refused"
        assert await resolve(bench, "many.example", server="192.0.2.53") == "refused"
        assert bench.host.clock.now() < 60

    play(story)


def test_a_lossy_way_only_takes_longer(play: Play) -> None:
    async def story(bench: Bench) -> None:
        bench.lose_each(9)
        assert await fetch(bench, "https://server.example/firmware", within="900 s") == "delivered"

    assert seen(play(story), "fetched")[0]["octets"] == 300_000


def test_what_is_no_http_and_no_tls_harms_nobody(play: Play) -> None:
    async def story(bench: Bench) -> None:
        packets = bench.meter.packets
        for port, octets in ((80, b"\x16\x03\x01 nonsense\r\n\r\n"), (443, b"GET / HTTP/1.1\r\n\r\n"), (443, b"")):
            stream = await packets.connect("10.64.0.1", SERVER, port)
            stream.write(octets)
            stream.close()
            await bench.host.clock.sleep(1)
        stream = await packets.connect("10.64.0.1", "192.0.2.53", 53)
        stream.write(b"\0\5hello")
        await bench.host.clock.sleep(1)
        for payload in (b"", b"\0" * 12, b"hello" * 9):
            bench.to_network(ip.encode_udp(ip.Udp(1000, 53, payload), "10.64.0.1", "192.0.2.53"))
        await bench.host.clock.sleep(100)
        assert len(bench.internet.tcp) == 0
        assert await fetch(bench, f"https://{SERVER}/") == "delivered"

    bench = play(story)
    reasons = [event.reason for event in bench.of(PeerFault)]
    assert len(reasons) >= 6
    assert any(reason.startswith("TLS: ") for reason in reasons)
    assert any(reason.startswith("HTTP: ") for reason in reasons)


def test_a_server_that_lies(play: Play) -> None:
    """What comes back is no HTTP, is cut off, or is no TLS: refused, and told."""
    answers = [b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b""]

    async def story(bench: Bench) -> None:
        async def lie(stream: Any) -> None:
            await stream.read()
            stream.write(answers[0])
            stream.close()

        bench.internet.tcp.serves = lambda _ends: lie
        while answers:
            assert await fetch(bench, f"http://{SERVER}/") == "refused"
            assert await fetch(bench, f"https://{SERVER}/") == "refused"
            answers.pop(0)

    bench = play(story)
    assert [each["octets"] for each in seen(bench, "fetched")] == [0, 0, 4, 0, 0, 0]


def test_what_makes_no_sense_is_told(play: Play) -> None:
    async def story(bench: Bench) -> None:
        for wrong in (
            "server.example",
            "ftp://server.example/",
            "http://a b/",
            "http://server.example:0/",
            "http:///x",
        ):
            with pytest.raises(ManagementError):
                await fetch(bench, wrong)
        for wrong in ("", "a..b", "x" * 64, "naïve.example"):
            with pytest.raises(ManagementError):
                await resolve(bench, wrong)
        await bench.do("meter", "power_off", device="meter")
        with pytest.raises(ManagementError, match="switched off"):
            await fetch(bench, f"http://{SERVER}/")

    play(story)


@pytest.mark.parametrize("kind", ["ipv4", "ipv6"])
def test_programs_that_hide_for_whom_they_are_are_heard_and_seen(play: Play, kind: str) -> None:
    address = f"[{SERVER6}]" if kind == "ipv6" else SERVER

    async def story(bench: Bench) -> None:
        for more in ({"pieces": 1}, {"records": 7}, {"records": 1, "pieces": 40}):
            assert await fetch(bench, f"https://{address}/", sni="hidden.example", **more) == "delivered"
        for target in ("http://proxied.example/a", "proxied.example:443", "/b"):
            assert await fetch(bench, f"http://{address}/", host="said.example", request_target=target) == "delivered"
        for version, datagrams, late in ((1, 1, False), (1, 2, True), (2, 4, False)):
            quic = {"sni": f"quic{version}.example", "version": version, "datagrams": datagrams, "late": late}
            assert await bench.do("meter", "open_quic", device="meter", to=address, **quic) == "delivered"
        await bench.do("meter", "power_off", device="meter")

    bench = play(story, kind)
    assert bench.of(PeerFault) == []
    asked = [(each["service"], each["name"], each["path"], each["sni"]) for each in seen(bench, "asked")]
    host = address
    assert asked == [
        *[("https", host, "/", "hidden.example")] * 3,
        ("http", "said.example", "http://proxied.example/a", ""),
        ("http", "said.example", "proxied.example:443", ""),
        ("http", "said.example", "/b", ""),
    ]
    assert [flow.names for flow in bench.of(FlowRecord) if flow.protocol != 58] == [
        *[("hidden.example",)] * 3,
        *[("proxied.example", "said.example")] * 2,
        ("said.example",),
        ("quic1.example",),
        ("quic1.example",),
        ("quic2.example",),
    ]


@pytest.mark.parametrize(
    ("verb", "wrong"),
    [
        ("fetch", {"url": f"http://{SERVER}/", "request_target": "a b"}),
        ("fetch", {"url": f"http://{SERVER}/", "pieces": -1}),
        ("open_quic", {"to": "server.example"}),
        ("open_quic", {"to": SERVER, "sni": "a b"}),
        ("open_quic", {"to": SERVER, "datagrams": 0}),
        ("open_quic", {"to": SERVER, "version": 3}),
    ],
)
def test_what_no_program_can_say(verb: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        {"fetch": Fetch, "open_quic": OpenQuic}[verb](device="meter", **wrong)


RECORDS = {
    "app.example": {"alias": "Edge.Example.", "ttl": "5 min"},
    "edge.example": {"answers": [[SERVER, SERVER6], ["203.0.113.66"]], "ttl": 30},
    "gone.example": {"alias": "unknown.example"},
}


def test_aliases_lifetimes_and_answers_in_turn() -> None:
    loop = TestbedLoop(virtual=True)

    async def story(bench: Bench) -> None:
        for name in ("app.example", "edge.example", "app.example", "gone.example", "server.example"):
            assert await resolve(bench, name) == "delivered"
        assert await resolve(bench, "app.example", kind="AAAA") == "delivered"

    bench = Bench(loop, "memory", "ipv4", InternetConfig.model_validate({"records": RECORDS})).play(story)
    loop.close()
    told = [(each["addresses"], each["aliases"], each["ttl"], each["rcode"]) for each in seen(bench, "resolved")]
    assert told == [
        (SERVER, ["edge.example"], 30, "NOERROR"),
        ("203.0.113.66", [], 30, "NOERROR"),
        ("203.0.113.66", ["edge.example"], 30, "NOERROR"),
        ("", ["unknown.example"], 60, "NXDOMAIN"),
        (SERVER, [], 60, "NOERROR"),
        (SERVER6, ["edge.example"], 30, "NOERROR"),
    ]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ({"a.example": {"answers": [[SERVER]], "ttl": "500 ms"}}, "expected whole seconds, got 0.5 s"),
        ({"a.example": {}}, "expected alias or answers, got neither"),
        ({"a.example": {"alias": "b.example", "answers": [[SERVER]]}}, "expected alias or answers, got both"),
        ({"a.example": {"answers": [["server.example"]]}}, "IPv4"),
        ({"a b": {"alias": "b.example"}}, "no name of a host"),
        ({"a.example": {"alias": "b.example"}, "b.example": {"alias": "a.example"}}, "alias loop"),
        ({"c.example": {"alias": "a.example"}, "a.example": {"alias": "a.example"}}, "alias loop"),
        ({"a.example": {"alias": "b.example", "ttl": "100000 days"}}, "less than or equal"),
    ],
)
def test_records_that_cannot_be(records: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        InternetConfig.model_validate({"records": records})
