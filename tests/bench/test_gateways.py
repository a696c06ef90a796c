"""What sessions and user packets cost at the gateways, in this process; `-s` prints the figures.

A session is set up, brought to an eNB and ended, one after the other: create, modify and delete on S11, create and
delete on S5, ten messages. The MME's octets are made before; of its answers the TEID is read. CPU time of SGW, PGW and
all in between. Packets are UDP of 128 octets in batches of 32, through the PGW alone: tunnel, source, AMBR, flow and
session counted, out on SGi; and back.

With a PCRF, which has ten destinations for the card, and an OCS, which commits each answer to SQLite, all four elements
are on one core. A session is set up (create and modify on S11, CCR-I on Gx and Gy) and stands; its removal is not in
the figure. Cards have equal lists, whose rules PCRF and PGW make once, or lists of which seven entries in ten are no
other card's.
"""

from __future__ import annotations

import gc
import itertools
import time
import tracemalloc
from functools import partial
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import figures
import gateways
import pytest
from gateways import ENB_TEID, IMSI, NUMBER, Gateways, create_session, udp
from scapy.contrib import gtp_v2 as scapy

from simulators.ocs.element import Ocs
from simulators.pcrf.element import Pcrf
from simwarden.operations.management import Role
from simwarden.runtime.loop import TestbedLoop
from simwarden.wire import gtpu, gtpv2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

SESSIONS, PACKETS, BATCH = 300, 32_000, 32


def requests(bench: Gateways) -> list[bytes]:
    """Return the octets of create, modify and delete, as scapy makes them."""
    enb = gateways.f_teid(0, ENB_TEID, bench.enb.address)
    modify = scapy.GTPV2ModifyBearerRequest(
        IE_list=[scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=5), enb])]
    )
    delete = scapy.GTPV2DeleteSessionRequest(IE_list=[scapy.IE_EPSBearerID(EBI=5), scapy.IE_Indication(length=2, OI=1)])
    made = {"create_session_req": create_session(bench.mme), "modify_bearer_req": modify, "delete_session_req": delete}
    return [bytes(scapy.GTPHeader(P=0, T=1, teid=0, gtp_type=kind) / each) for kind, each in made.items()]


async def sessions(bench: Gateways) -> float:
    """Set sessions up and end them; return how many a second of CPU time."""
    octets, to, told = requests(bench), bench.host.address_of("sgw", "S11"), []
    bench.mme.endpoint.on_receive = lambda data, _source: told.append(data)
    number, began = 0, time.process_time()
    for _ in range(SESSIONS):
        teid = bytes(4)
        for each in octets:
            number += 1
            bench.mme.endpoint.send(each[:4] + teid + number.to_bytes(3) + each[11:], to)
            await bench.settle()
            if each is octets[0]:
                teid = gtpv2.decode(told[-1])["sender_f_teid"].teid.to_bytes(4)
    spent = time.process_time() - began
    assert len(told) == 3 * SESSIONS
    assert {each[16] for each in told} == {gtpv2.Cause.REQUEST_ACCEPTED}
    assert bench.sgw.census()["sessions"] == bench.pgw.census()["sessions"] == 0
    return SESSIONS / spent


async def packets(bench: Gateways) -> float:
    """Send packets through the PGW, half of them each way; return how many a second of CPU time."""
    made = await bench.session(ambr=scapy.IE_AMBR(AMBR_Uplink=4_000_000, AMBR_Downlink=4_000_000))
    own, passed = made["paa"].ipv4, [0, 0]
    session = next(iter(bench.pgw.core.by_teid.values()))
    bench.net.link.on_packets = lambda batch: passed.__setitem__(0, passed[0] + len(batch))  # type: ignore[union-attr]
    bench.sgw.core.plane.endpoint.on_packets = lambda batch, _source: passed.__setitem__(1, passed[1] + len(batch))
    up = [gtpu.g_pdu(session.user_teid, udp(own, payload=bytes(100)))] * BATCH
    down = [udp(gateways.SERVER, own, payload=bytes(100))] * BATCH
    to, began = bench.host.address_of("pgw", "S5-U"), time.process_time()
    for _ in range(PACKETS // BATCH // 2):
        bench.sgw.core.plane.endpoint.send_packets(up, to, on="S5-U")
        bench.net.send(*down)
        await bench.settle()
    spent = time.process_time() - began
    assert passed == [PACKETS // 2] * 2, bench.dropped()[:1]
    return PACKETS / spent


async def chain(bench: Gateways) -> float:
    """Send packets from an eNB's end through SGW and PGW, and back; return how many a second of CPU time."""
    made = await bench.session(ambr=scapy.IE_AMBR(AMBR_Uplink=4_000_000, AMBR_Downlink=4_000_000))
    own, passed = made["paa"].ipv4, [0, 0]
    bench.net.link.on_packets = lambda batch: passed.__setitem__(0, passed[0] + len(batch))  # type: ignore[union-attr]
    bench.enb.endpoint.on_packets = lambda batch, _source: passed.__setitem__(1, passed[1] + len(batch))
    up = [udp(own, payload=bytes(100))] * BATCH
    down = [udp(gateways.SERVER, own, payload=bytes(100))] * BATCH
    began = time.process_time()
    for _ in range(PACKETS // BATCH // 2):
        bench.enb.send(made, *up)
        bench.net.send(*down)
        await bench.settle()
    spent = time.process_time() - began
    assert passed == [PACKETS // 2] * 2, bench.dropped()[:1]
    return PACKETS / spent


def rate(measure: Callable[[Gateways], Any], transport: str) -> float:
    found: list[float] = []

    async def story(bench: Gateways) -> None:
        found.append(await measure(bench))

    gateways.play(story, transport=transport)
    return found[0]


@pytest.mark.parametrize(("transport", "where"), [("memory", "in memory"), ("udp", "over UDP")])
def test_sessions(transport: str, where: str) -> None:
    best = max(rate(sessions, transport) for _ in range(3))
    figures.tell(f"sessions set up and ended at SGW and PGW, {where}", f"{best:,.0f}/s")


@pytest.mark.parametrize(("transport", "where"), [("memory", "in memory"), ("udp", "over UDP")])
def test_packets_through_the_pgw(transport: str, where: str) -> None:
    best = max(rate(packets, transport) for _ in range(3))
    figures.tell(f"user packets through the PGW, {where}", f"{best:,.0f}/s")


@pytest.mark.parametrize(("transport", "where"), [("memory", "in memory"), ("udp", "over UDP")])
def test_packets_through_both_gateways(transport: str, where: str) -> None:
    best = max(rate(chain, transport) for _ in range(3))
    figures.tell(f"user packets through SGW and PGW, {where}", f"{best:,.0f}/s")


FLOWS = 4096
LIST = [f"udp://192.0.2.{number}:5683" for number in range(6)]
#: ten entries, of which the last is that of the packets
LISTED = [
    *LIST,
    "https://up.example",
    "*.iot.example:8883",
    "http://web.example/firmware",
    f"udp://{gateways.SERVER}:40000-40001",
]


async def provision(bench: Gateways) -> None:
    """Give the card ten destinations, names among them, and deny people's apps to it."""
    card = {"name": "card", "imsi": gateways.IMSI, "iccid": "", "msisdn": gateways.NUMBER, "profile": "smart-metering"}
    entry = {"by": "pgw", "whitelist": LISTED, "apps": ["social", "video", "shopping", "games"]}
    body = {**card, "form": "plug-in", "sections": {"data": [entry]}}
    await bench.pgw.manage(Role.OPERATOR, "PUT", f"/cards/{gateways.IMSI}", body)


async def directed(bench: Gateways) -> float:
    """Send packets of a directed card, as `packets`."""
    await provision(bench)
    found = await packets(bench)
    assert bench.verdicts("data.whitelist") == [True, True]  # the packets of each way are a flow
    return found


@pytest.mark.parametrize(("transport", "where"), [("memory", "in memory"), ("udp", "over UDP")])
def test_packets_of_a_directed_card(transport: str, where: str) -> None:
    best = max(rate(directed, transport) for _ in range(3))
    figures.tell(f"user packets of a card with ten destinations through the PGW, {where}", f"{best:,.0f}/s")


async def new_flows(bench: Gateways) -> float:
    """Send the first packet of each of many flows, half of them to no listed destination; return how many a second."""
    await provision(bench)
    made = await bench.session(ambr=scapy.IE_AMBR(AMBR_Uplink=4_000_000, AMBR_Downlink=4_000_000))
    own, session = made["paa"].ipv4, next(iter(bench.pgw.core.by_teid.values()))
    targets = (gateways.SERVER, "203.0.113.66")
    octets = [gtpu.g_pdu(session.user_teid, udp(own, targets[n % 2], port=1024 + n)) for n in range(FLOWS)]
    to, began = bench.host.address_of("pgw", "S5-U"), time.process_time()
    for start in range(0, FLOWS, BATCH):
        bench.sgw.core.plane.endpoint.send_packets(octets[start : start + BATCH], to, on="S5-U")
        await bench.settle()
    spent = time.process_time() - began
    assert len(bench.net.received()) == FLOWS // 2
    assert len(bench.verdicts("data.whitelist")) == FLOWS
    return FLOWS / spent


def test_new_flows_of_a_directed_card() -> None:
    best = max(rate(new_flows, "memory") for _ in range(3))
    figures.tell("new flows of a card with ten destinations decided at the PGW", f"{best:,.0f}/s")


# -- with a PCRF and an OCS

SET_UPS, KEPT = 300, 400
#: what the PCRF calls the entries that are names, which the PGW has filters for
APPLICATIONS = {f"app-{number}": (entry,) for number, entry in enumerate(LISTED[6:9])}
CARD = {"name": "card", "iccid": "", "profile": "smart-metering", "form": "plug-in"}


class Network(Gateways):
    """Gateways whose sessions are ruled and granted."""

    def __init__(self, loop: TestbedLoop, tmp_path: Path, **ocs: Any) -> None:
        stores = {"ocs": f"sqlite:///{tmp_path}/ocs.db"}
        pgw = {"apns": {"*": {"gx": "pcrf", "gy": "ocs"}}, "applications": APPLICATIONS}
        super().__init__(loop, pgw=pgw, stores=stores)
        self.pcrf = self.add("pcrf", Pcrf, {"applications": APPLICATIONS})
        self.ocs = self.add("ocs", Ocs, ocs)

    async def provision(self, number: int, listed: Sequence[str] = LISTED) -> None:
        """Give a card its lists and its quota."""
        who = {"imsi": f"{int(IMSI) + number:015d}", "msisdn": f"{int(NUMBER) + number}"}
        for element, section in (
            (self.pcrf, {"data": [{"by": "pcrf", "whitelist": [*listed]}]}),
            (self.ocs, {"quota": [{"by": "ocs", "data": "90 MB"}]}),
        ):
            await element.manage(Role.OPERATOR, "PUT", f"/cards/{who['imsi']}", {**CARD, **who, "sections": section})

    def setting_up(self, number: int) -> tuple[bytes, bytes]:
        """Return the octets that set a card's session up and bring it to an eNB."""
        imsi, msisdn = f"{int(IMSI) + number:015d}".encode(), f"{int(NUMBER) + number}".encode()
        create = create_session(self.mme, imsi=scapy.IE_IMSI(IMSI=imsi), msisdn=scapy.IE_MSISDN(digits=msisdn))
        enb = gateways.f_teid(0, ENB_TEID, self.enb.address)
        context = scapy.IE_BearerContext(IE_list=[scapy.IE_EPSBearerID(EBI=5), enb])
        modify = scapy.GTPV2ModifyBearerRequest(IE_list=[context])
        made = ((32, create), (34, modify))
        one, other = (bytes(scapy.GTPHeader(P=0, T=1, teid=0, gtp_type=kind) / each) for kind, each in made)
        return one, other


async def set_up(net: Network, octets: list[tuple[bytes, bytes]]) -> None:
    """Set sessions up, one at a time. What the SGW has told the MME is not read: that is no element's work here."""
    told: list[bytes] = []
    net.mme.endpoint.on_receive = lambda data, _source: told.append(data)
    to, number = net.host.address_of("sgw", "S11"), 0
    for create, modify in octets:
        teid = bytes(4)
        for each in (create, modify):
            number += 1
            net.mme.endpoint.send(each[:4] + teid + number.to_bytes(3) + each[11:], to)
            await net.settle()
            teid = next(reversed(net.sgw.core.by_teid)).to_bytes(4)
    assert {each[16] for each in told} == {gtpv2.Cause.REQUEST_ACCEPTED}


def play_charged(tmp_path: Path, work: Callable[[Network], Awaitable[float]], **ocs: Any) -> float:
    loop = TestbedLoop(virtual=True)

    async def whole() -> float:
        async with Network(loop, tmp_path, **ocs) as net:
            return await work(net)

    try:
        return loop.run_until_complete(whole())
    finally:
        loop.close()


def equal_lists(_number: int) -> list[str]:
    """All cards have the same ten destinations."""
    return LISTED


#: hosts that no other bench has named: what was read of a list is kept
_HOSTS = itertools.count(1)


def own_lists(number: int) -> list[str]:
    """Seven of a card's ten destinations are no other card's; the names stand for applications, which all share."""
    own = [f"udp://{IPv4Address('198.18.0.0') + next(_HOSTS)}:5683" for _ in LIST]
    return [*own, *LISTED[len(LIST) : -1], f"udp://{gateways.SERVER}:{40000 + number}"]


async def set_ups(net: Network, listed: Callable[[int], list[str]]) -> float:
    """Return how many sessions a second of CPU time are set up."""
    for number in range(SET_UPS):
        await net.provision(number, listed(number))
    octets = [net.setting_up(number) for number in range(SET_UPS)]
    began = time.process_time()
    await set_up(net, octets)
    spent = time.process_time() - began
    assert [len(net.pgw.core.sessions), len(net.ocs.core.store.open_sessions())] == [SET_UPS, SET_UPS]
    return SET_UPS / spent


@pytest.mark.parametrize(("listed", "lists"), [(equal_lists, "equal lists"), (own_lists, "lists that differ")])
def test_set_ups_with_gx_and_gy(tmp_path: Path, listed: Callable[[int], list[str]], lists: str) -> None:
    best = 0.0
    for number in range(3):
        (tmp_path / f"{number}").mkdir()
        best = max(best, play_charged(tmp_path / f"{number}", partial(set_ups, listed=listed)))
    figures.tell(f"sessions set up with Gx and Gy, OCS durable, {lists}", f"{best:,.0f}/s")


async def charged(net: Network) -> float:
    """Send packets of an established flow under ten entries and a quota that is given out meanwhile."""
    await net.provision(0)
    found = await packets(net)
    told = await net.ocs.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}")
    assert told["used"]["data"] >= PACKETS * 128
    return found


def test_packets_of_a_charged_card(tmp_path: Path) -> None:
    best = 0.0
    for number in range(3):
        (tmp_path / f"{number}").mkdir()
        best = max(best, play_charged(tmp_path / f"{number}", charged, octets="100 kB"))
    figures.tell("user packets of a card with ten destinations and a running quota through the PGW", f"{best:,.0f}/s")


async def memory(net: Network) -> float:
    """Return the octets that a session takes in all four elements, and nothing of the trace."""
    for number in range(KEPT):
        await net.provision(number)
    octets = [net.setting_up(number) for number in range(KEPT)]
    for element in (net.pcrf, net.ocs):  # the last 4,096 answers are no session's
        element.core.node.answers._limit = 1
    await set_up(net, octets[: KEPT // 4])
    await net.sleep(300)  # answers are kept for a while, in case that a request comes again
    net.trace.events.clear()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    await set_up(net, octets[KEPT // 4 :])
    await net.sleep(300)
    net.trace.events.clear()
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / (KEPT - KEPT // 4)


def test_memory_of_an_idle_session(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        found = play_charged(tmp_path, memory)
    finally:
        tracemalloc.stop()
    figures.tell("memory of an idle session in SGW, PGW, PCRF and OCS", f"{found / 1024:.1f} KiB")
    assert found < 16 * 1024
