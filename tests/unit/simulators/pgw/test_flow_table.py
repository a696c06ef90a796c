"""The bounded table of a session's flows: which flow leaves it, and that no connection of a device breaks."""

from __future__ import annotations

from typing import Any

import pytest
from directed import OTHER, Device, device, to
from gateways import SERVER, Gateways, udp
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.packet import Raw

from simulators.pgw.flow_table import BOUNDS, GRAIN, FlowKind, FlowTable
from simulators.pgw.session import FlowCount
from simwarden.runtime.gtp import node
from simwarden.wire import ip

#: the PINGREQ of MQTT that the meter sends
PING = b"\xc0\x00"
MQTT = 8883


async def converse(it: Device, at: int, port: int = 50000) -> bool:
    """Send a PINGREQ in a connection, and answer it; return whether both come through."""
    answer = TCP(sport=MQTT, dport=port, flags="PA", seq=8 + at, ack=100 + at + len(PING)) / Raw(b"\xd0\x00")
    back = bytes(IP(src=SERVER, dst=it.own) / answer)
    return await it.say(SERVER, PING, at, port, MQTT) and await it.down(back) == [back]


LISTS = {
    "whitelist by name": {"whitelist": ["mqtts://up.example", "udp://up.example:5684"]},
    "apps denied": {"apps": ["social"]},
    "no list": {},
}


@pytest.mark.parametrize("lists", LISTS.values(), ids=LISTS)
async def test_a_long_connection_outlives_ten_thousand_other_flows(lists: dict[str, Any]) -> None:
    async with Gateways() as bench:
        it = await device(bench, **lists)
        assert await it.look_up("up.example", SERVER)
        assert await it.connect(SERVER, 50000, MQTT)
        assert await converse(it, 0)
        assert await converse(it, 2)
        for first in range(10_000, 20_000, 500):
            reports = [to(it.own, SERVER, 5684, near=port) for port in range(first, first + 500)]
            assert await it.up(*reports) == reports
            await it.down(*(udp(SERVER, it.own, port=port) for port in range(first, first + 500)))
        assert await converse(it, 4)


async def test_an_unknown_sender_ends_no_connection_of_a_card() -> None:
    async with Gateways() as bench:
        it = await device(bench, apps=["social"])
        ports = range(50000, 50005)
        for port in ports:
            assert await it.connect(SERVER, port, MQTT)
            assert await converse(it, 0, port)
        for first in range(1, 6000, 500):
            await it.down(*(udp(OTHER, it.own, port=port) for port in range(first, first + 500)))
        assert [await converse(it, 2, port) for port in ports] == [True] * 5


async def test_an_unknown_sender_does_not_use_up_the_room_of_a_connection_that_begins() -> None:
    async with Gateways() as bench:
        it = await device(bench, apps=["social"])
        assert await it.connect(SERVER, 50000, MQTT)
        for first in range(1, 1501, 500):
            scan = [
                IP(src=OTHER, dst=it.own) / TCP(sport=9, dport=port, flags="S") for port in range(first, first + 500)
            ]
            await it.down(*map(bytes, scan))
            replies = [IP(src=it.own, dst=OTHER) / TCP(sport=each[TCP].dport, dport=9, flags="RA") for each in scan]
            await it.up(*map(bytes, replies))
        (session,) = bench.pgw.core.sessions.values()
        assert [flow.source_port for flow, count in session.flows.items() if count.outbound] == [50000]
        assert len(session.flows) == 1 + BOUNDS[FlowKind.INBOUND]
        assert await converse(it, 0)


class Table:
    """A table of flows with numbers, and the flows that left it."""

    def __init__(self) -> None:
        self.flows: FlowTable[FlowCount] = FlowTable()
        self.left: list[int] = []

    def see(
        self, number: int, now: float, *, up: bool = True, protocol: int = ip.Protocol.TCP, packets: int = 2
    ) -> None:
        """Count packets of a flow in each direction; if `packets` is 0, one in the direction `up` only."""
        flow = ip.Flow(protocol, bytes(4), number, b"\1\1\1\1", 443)
        count = self.flows.get(flow)
        if count is None:
            count = FlowCount(now, outbound=up)
            self.flows.add(flow, count)
        count.ended = now
        count.uplink_packets += packets or up
        count.downlink_packets += packets or not up
        leaving = self.flows.touch(flow, count, now)
        if leaving is not None:
            self.left.append(leaving.source_port)
            self.flows.remove(leaving)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    for kind in FlowKind:
        monkeypatch.setitem(BOUNDS, kind, 3)
    return Table()


KINDS: dict[str, dict[str, Any]] = {
    "unanswered": {"up": False, "packets": 0},
    "inbound": {"up": False},
    "brief": {"packets": 0},
    "datagrams": {"protocol": ip.Protocol.UDP},
    "connection": {},
    "ICMP": {"protocol": ip.Protocol.ICMP},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_recently_active_flow_of_the_same_class_leaves(table: Table, kind: str) -> None:
    for number in (1, 2, 3):
        table.see(number, number * 10, **KINDS[kind])
    table.see(1, 40 + GRAIN, **KINDS[kind])
    table.see(4, 50, **KINDS[kind])
    assert table.left == [2]


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "ICMP"])
def test_no_class_displaces_another(table: Table, kind: str) -> None:
    table.see(1, 0, **KINDS[kind])
    others = [each for each in KINDS if each not in (kind, *(["ICMP"] if kind == "unanswered" else []))]
    for number, other in enumerate(others * 9, 2):
        table.see(number, number, **KINDS[other])
    assert 1 not in table.left
    assert len(table.left) > 9


def test_a_flow_that_ends_or_is_refused_makes_no_room_for_itself_among_those_that_go_on(table: Table) -> None:
    for number in range(1, 10):
        table.see(number, number, packets=2)
        count = next(count for flow, count in table.flows.items() if flow.source_port == number)
        count.up = count.down = False
        table.see(number, number + 0.5, packets=0)
    assert table.left == [1, 2, 3, 4, 5, 6]
    table.see(20, 20)
    assert table.left == [1, 2, 3, 4, 5, 6]


async def test_unknown_senders_do_not_displace_the_path_to_an_sgw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_MOST_PATHS", 4)
    async with Gateways(pgw={"sgws": ["sgw", "192.0.2.1"]}) as bench:
        paths = bench.pgw.core.node
        await bench.session()
        (sgw,) = paths._paths
        echo = bytes.fromhex("400100090000010003000100" + "00")
        paths._receive(echo, ("192.0.2.1", 2123))
        for number in range(2, 20):
            paths._receive(echo, (f"192.0.2.{number}", 2123))
        assert list(paths._paths)[:2] == [sgw, "192.0.2.1"]
        assert len(paths._paths) == 4


async def test_fragments_of_unknown_senders_do_not_displace_those_of_the_device() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=[f"udp://{SERVER}:5683"])
        packet = IP(src=it.own, dst=SERVER, id=1) / UDP(sport=40000, dport=5683) / bytes(40)
        first, *rest = (bytes(each) for each in fragment(packet, fragsize=24))  # type: ignore[no-untyped-call]
        assert await it.up(first) == []
        for number in range(1, 60):
            other = IP(src=f"203.0.113.{number}", dst=it.own, id=number, flags="MF") / Raw(bytes(24))
            await it.down(bytes(other))
        assert await it.up(*rest) == [first, *rest]
