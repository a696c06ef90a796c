"""Whatever octets a flow that is refused is made of: no more of it gets out than may before a name is said.

A card has a list; packets to other far ends, and flows that say other names, are damaged in all ways. What comes out at
SGi is read by scapy: it goes to a listed far end, and of a flow whose name has to be said only the unnamed octets.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any, Final

import budget
import dns.message
import dns.rrset
import mutation
import pytest
from flows import client_hello
from gateways import IMSI, NUMBER, Gateways
from scapy.contrib import gtp_v2 as scapy
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.packet import Raw

from simwarden.operations.management import Role
from simwarden.trace.events import Fault
from simwarden.wire import quic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

#: the far end of the list, and one that is not on it; the resolver
LISTED: Final = {4: "198.51.100.80", 6: "2001:db8:80::80"}
OTHER: Final = {4: "203.0.113.66", 6: "2001:db8:66::66"}
RESOLVER: Final = {4: "192.0.2.53", 6: "2001:db8::53"}
LIST: Final = [
    *("https://up.example", "http://up.example", "quic://up.example:443"),
    *("udp://198.51.100.80:5683", "udp://[2001:db8:80::80]:5683"),
]
UNNAMED: Final = 4096
CASES: Final = max(20, budget.WIRE_CASES // 500)
BOTH = {
    "pdn_type": scapy.IE_PDN_type(PDN_type=3),
    "paa": scapy.IE_PAA(PDN_type=3, ipv6=0, ipv4="0.0.0.0"),  # noqa: S104
    "ambr": scapy.IE_AMBR(AMBR_Uplink=900_000, AMBR_Downlink=900_000),
}
REST: Final = [bytes((0x40,)) + bytes(999) for _ in range(6)]


class Line:
    """A card with a list, whose resolver has told it the address of the listed name."""

    def __init__(self, bench: Gateways, version: int) -> None:
        self.bench, self.version, self.ports = bench, version, itertools.cycle(range(1024, 60_000))

    async def begin(self) -> None:
        """Set the session up, and look the name up."""
        known = {"name": "card", "imsi": IMSI, "iccid": "", "msisdn": NUMBER, "profile": "meter", "form": "plug-in"}
        lists = {"data": [{"by": "pgw", "whitelist": LIST}]}
        await self.bench.pgw.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", {**known, "sections": lists})
        self.made = await self.bench.session(**BOTH)
        self.own = self.made["paa"].ipv4 if self.version == 4 else self.made["paa"].ipv6
        asked = dns.message.make_query("up.example", "A" if self.version == 4 else "AAAA")
        assert len(await self.up(self.to(RESOLVER) / UDP(sport=1000, dport=53) / asked.to_wire())) == 1
        told = dns.message.make_response(asked)
        kind = "A" if self.version == 4 else "AAAA"
        told.answer.append(dns.rrset.from_text("up.example.", 86_400, "IN", kind, LISTED[self.version]))
        await self.down(self.back(RESOLVER) / UDP(sport=53, dport=1000) / told.to_wire())

    def to(self, far: dict[int, str]) -> Any:
        """Return the header of packets to a far end."""
        return (IP if self.version == 4 else IPv6)(src=self.own, dst=far[self.version])

    def back(self, far: dict[int, str]) -> Any:
        return (IP if self.version == 4 else IPv6)(src=far[self.version], dst=self.own)

    async def up(self, *packets: Any) -> list[bytes]:
        """Send packets of the device; return what comes out at SGi."""
        self.bench.enb.send(self.made, *map(bytes, packets))
        await self.bench.settle()
        return self.bench.net.received()

    async def down(self, *packets: Any) -> None:
        self.bench.net.send(*map(bytes, packets))
        await self.bench.settle()
        self.bench.enb.received()

    def read(self, octets: bytes) -> tuple[str, int, int]:
        """Return to whom scapy says that a packet goes: address, protocol, port (0 without one)."""
        packet = IP(octets) if octets[0] >> 4 == 4 else IPv6(octets)
        for protocol, layer in ((17, UDP), (6, TCP)):
            if layer in packet:
                return packet.dst, protocol, packet[layer].dport
        return packet.dst, -1, 0


def tcp_said(line: Line, octets: bytes, port: int, to: int) -> Iterator[Any]:
    """Yield the segments of octets, and of more behind them, in a connection that has begun."""
    for each in (octets[:90], octets[90:], *REST):
        if each:
            yield line.to(LISTED) / TCP(sport=port, dport=to, flags="PA", seq=1, ack=8) / Raw(each)


async def connection(line: Line, octets: bytes, to: int) -> list[bytes]:
    """Say octets, and more behind them, in a connection; return what came out."""
    port = next(line.ports)
    syn = line.to(LISTED) / TCP(sport=port, dport=to, flags="S", seq=0)
    answer = line.back(LISTED) / TCP(sport=to, dport=port, flags="SA", seq=7, ack=1)
    out = await line.up(syn)
    await line.down(answer)
    said, at = [], 1
    for each in tcp_said(line, octets, port, to):
        each[TCP].seq = at
        at += len(each[Raw].load)
        said.append(each)
    return out + await line.up(*said)


async def quic_datagrams(line: Line, octets: bytes) -> list[bytes]:
    """Send a datagram, and more behind it; return what came out."""
    port = next(line.ports)
    return await line.up(*(line.to(LISTED) / UDP(sport=port, dport=443) / Raw(each) for each in (octets, *REST)))


def tls_hello(name: str) -> bytes:
    return client_hello(name)


def quic_hello(name: str) -> bytes:
    return quic.protected(1, b"8 octets", quic.crypto_frame(0, client_hello(name)[5:]) + bytes(700))


def request(name: str) -> bytes:
    return f"POST /firmware HTTP/1.1\r\nHost: {name}\r\nContent-Length: 6000\r\n\r\n".encode()


def preface(name: str) -> bytes:
    """Return what begins HTTP/2, whoever is called by it."""
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + name.encode()


#: what says a name, and how
FLOWS: dict[str, tuple[Callable[[str], bytes], Callable[[Line, bytes], Awaitable[list[bytes]]]]] = {
    "tls": (tls_hello, lambda line, octets: connection(line, octets, 443)),
    "http": (request, lambda line, octets: connection(line, octets, 80)),
    "http2": (preface, lambda line, octets: connection(line, octets, 80)),
    "quic": (quic_hello, quic_datagrams),
}


@pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("name", FLOWS)
async def test_of_a_flow_that_says_another_name_only_the_unnamed_octets_get_out(name: str, version: int) -> None:
    called, say = FLOWS[name]
    rng = random.Random(f"{budget.SEED}/refused/{name}/{version}")
    async with Gateways() as bench:
        line = Line(bench, version)
        await line.begin()
        for _ in range(CASES // 4):
            said = mutation.mutate(rng, called("no.example"))
            out = await say(line, said)
            passed = sum(map(len, out))
            assert passed <= UNNAMED, (passed, said.hex())
            assert {line.read(each)[0] for each in out} <= {LISTED[version]}
        if name != "http2":  # its twin
            assert sum(map(len, await say(line, called("up.example")))) > UNNAMED + 2000
        assert bench.of(Fault) == []


@pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])
async def test_no_question_for_another_name_gets_out(version: int) -> None:
    rng = random.Random(f"{budget.SEED}/refused/dns/{version}")
    question = dns.message.make_query("no.example", "TXT", id=7).to_wire()
    async with Gateways() as bench:
        line = Line(bench, version)
        await line.begin()
        for _ in range(CASES):
            asked = mutation.mutate(rng, question)
            out = await line.up(line.to(RESOLVER) / UDP(sport=next(line.ports), dport=53) / Raw(asked))
            assert out == [], asked.hex()
        good = dns.message.make_query("up.example", "A", id=7).to_wire()
        assert len(await line.up(line.to(RESOLVER) / UDP(sport=9, dport=53) / Raw(good))) == 1
        assert bench.of(Fault) == []


def packets(line: Line) -> list[bytes]:
    """Return packets to where the card may not send, with headers that hide it; a listed port stands where it fits."""
    bait = UDP(sport=40000, dport=22) / Raw(b"\x9c\x40\x16\x33" * 12)
    found = [line.to(LISTED) / bait, line.to(OTHER) / UDP(sport=40000, dport=5683) / Raw(b"report")]
    if line.version == 4:
        options = IP(src=line.own, dst=LISTED[4], options=[IPOption_NOP() for _ in range(8)])
        return [bytes(each) for each in (*found, options / bait)]
    chains = [
        (IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt()),
        (IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(id=7)),
        (IPv6ExtHdrFragment(id=8), IPv6ExtHdrDestOpt()),
    ]
    return [bytes(each) for each in (*found, *(line.to(LISTED) / first / second / bait for first, second in chains))]


@pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])
async def test_no_packet_gets_out_that_is_to_another_far_end_by_what_others_read(version: int) -> None:
    rng = random.Random(f"{budget.SEED}/refused/packets/{version}")
    listed = {(LISTED[version], 17, 5683), (LISTED[version], 17, 443), (LISTED[version], 6, 443)}
    listed |= {(LISTED[version], 6, 80)}
    async with Gateways() as bench:
        line = Line(bench, version)
        await line.begin()
        valid = packets(line)
        assert await line.up(*valid) == []
        assert len(await line.up(line.to(LISTED) / UDP(sport=9, dport=5683) / Raw(b"report"))) == 1
        for _ in range(CASES * 2):
            sent = mutation.mutate(rng, rng.choice(valid), valid, keep=rng.choice((0, 24, 40)))
            sent += bytes(rng.choice((0, 0, 4, 8, 16)))
            for each in await line.up(sent):
                assert line.read(each) in listed, (line.read(each), sent.hex())
        assert bench.of(Fault) == []
