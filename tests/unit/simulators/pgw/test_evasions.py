"""What a directed card's device says to have it read otherwise here than there; no octet of it gets out.

Each row has what was read as something else, or not at all, and beside it what differs in one fact, and passes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from directed import OTHER, RESOLVER, Device, device, to
from flows import client_hello, with_extension
from gateways import SERVER, Gateways
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRROPT
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_RR, fragment
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import GRE
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

from simwarden.wire import ip, quic
from simwarden.wire.checksum import checksum
from simwarden.wire.ip.packet import pseudo_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapy.packet import Packet

SIX = "2001:db8:80::80"
PATH, HOST, TLS = ["http://up.example/firmware"], ["http://up.example"], ["https://up.example"]


def get(target: str = "/firmware", host: str | None = "up.example", *fields: str, version: str = "HTTP/1.1") -> bytes:
    """Return a request; None: it says no host."""
    lines = (f"GET {target} {version}", *([] if host is None else [f"Host: {host}"]), *fields, "", "")
    return "\r\n".join(lines).encode()


GOOD, BAD = get(), get("/other", "no.example")
CHUNKED = get("/firmware", "up.example", "Transfer-Encoding: chunked")
UPGRADE = get("/firmware", "up.example", "Upgrade: x", "Connection: upgrade")
LISTED, HIDDEN = client_hello("up.example"), client_hello("no.example")


class Said(NamedTuple):
    """What a device says in a connection: first what passes, then what does not, and in its place what does."""

    entries: list[str]
    first: bytes
    bad: bytes
    good: bytes


HTTP = {
    "another host behind, in the same segment": Said(PATH, b"", GOOD + BAD, GOOD + GOOD),
    "HTTP/1.0 without a host": Said(PATH, GOOD, get("/other", None, version="HTTP/1.0"), GOOD),
    "HTTP/1.0 without a host, for what is listed": Said(PATH, GOOD, get(host=None, version="HTTP/1.0"), GOOD),
    "HTTP/1.0 without a host, before any": Said(HOST, b"", get(host=None, version="HTTP/1.0"), GOOD),
    "and another begun behind it": Said(HOST, GOOD, get("/other", None, version="HTTP/1.0") + b"G", GOOD + b"G"),
    "an empty host": Said(PATH, GOOD, get("/other", ""), GOOD),
    "HTTP/0.9": Said(PATH, GOOD, b"GET /other\r\n\r\n", GOOD),
    "HTTP/0.9 behind an upgrade": Said(PATH, UPGRADE, b"GET /other\r\n", GOOD),
    "a request behind an upgrade": Said(PATH, UPGRADE, BAD, GOOD),
    "TLS behind an upgrade": Said(HOST, UPGRADE, HIDDEN, LISTED),
    "HTTP/2 behind an upgrade": Said(PATH, UPGRADE, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x82\x85abcdefghi"),
    "user and host": Said(HOST, b"", get(host="up.example@no.example"), get(host="up.example:80")),
    "a final dot, and one more": Said(HOST, b"", get(host="up.example.."), get(host="UP.example.")),
    "lines that end with LF": Said(HOST, b"", BAD.replace(b"\r", b""), GOOD.replace(b"\r", b"")),
    "a host in a line that goes on": Said(HOST, b"", get("/", "up.example", "X: a\r\n Host: no.example"), GOOD),
    "a host that goes on": Said(HOST, b"", get("/", "\r\n up.example"), get("/", "up.example ")),
    "two hosts": Said(HOST, b"", get("/", "up.example", "Host: no.example"), GOOD),
    "a space before the colon": Said(HOST, b"", get("/", "up.example", "Host : no.example"), GOOD),
    "two lengths": Said(
        *(HOST, b"", get("/", "up.example", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
        get("/", "up.example", "Content-Length: 3") + b"abc",
    ),
    "another host behind chunks": Said(HOST, CHUNKED, b"3\r\nabc\r\n0\r\n\r\n" + BAD, b"3\r\nabc\r\n0\r\n\r\n" + GOOD),
    "another host as a trailer": Said(HOST, CHUNKED, b"0\r\n" + BAD, b"0\r\nSum: 1\r\n\r\n" + GOOD),
    "half an end of a trailer": Said(HOST, CHUNKED, b"0\r\n\r\r\n" + BAD, b"0\r\n\r\n" + GOOD),
    "a body of CONNECT": Said(
        *(HOST, b"", b"CONNECT up.example:80 HTTP/1.1\r\nHost: up.example\r\nContent-Length: 9\r\n\r\n"),
        b"CONNECT up.example:80 HTTP/1.1\r\nHost: up.example\r\n\r\n",
    ),
    "TLS with another name through CONNECT": Said(
        ["up.example:80"], b"CONNECT up.example:80 HTTP/1.1\r\nHost: up.example\r\n\r\n", HIDDEN, LISTED
    ),
    "the host of a URI": Said(HOST, b"", get("https://no.example/"), get("http://UP.example:80/")),
    "a question mark in the path": Said(PATH, b"", get("/firmware%3F/a"), get("/firmware?/../a")),
    "a path that dots and a space lead out of": Said(PATH, b"", get("/firmware/..%20/a"), get("/firmware/%20a")),
    "an escape of an escape": Said(PATH, b"", get("/firmware/%252e%252e/a"), get("/firmware/%2561")),
    "HTTP to the port of resolvers": Said(["up.example:53"], b"", GOOD, b""),
}
DENIED = {
    "a path of several readings": Said(["http://up.example/live"], b"", get("/a/..\\live"), get("/a/live")),
    "a path behind two strokes": Said(["http://up.example/live"], b"", get("//live"), get("/live2")),
    "what cannot be read, to a path of an address": Said(
        [f"http://{SERVER}/live"], b"", get("/live", SERVER, "X : y"), get("/a", SERVER, "X: y")
    ),
    "a host at the port of resolvers": Said(["no.example"], b"", BAD, b""),
}


async def speak(it: Device, said: Said, port: int, octets: bytes) -> bool:
    """Say in a connection of its own what passes first, and then octets; whether they got out."""
    far = 443 if said.entries == TLS else 53 if said.good == b"" else 80
    near = 50000 + port
    assert await it.connect(SERVER, near, far)
    assert not said.first or await it.say(SERVER, said.first, 0, near, far)
    ack = TCP(sport=far, dport=near, flags="A", seq=8, ack=100 + len(said.first))
    await it.down(bytes(IP(src=SERVER, dst=it.own) / ack))
    return await it.say(SERVER, octets, len(said.first), near, far)


@pytest.mark.parametrize("said", HTTP.values(), ids=HTTP)
async def test_requests(said: Said) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=said.entries)
        assert await it.look_up("up.example", SERVER)
        assert not await speak(it, said, 0, said.bad)
        assert not said.good or await speak(it, said, 1, said.good)


@pytest.mark.parametrize("said", DENIED.values(), ids=DENIED)
async def test_denied_requests(said: Said) -> None:
    async with Gateways() as bench:
        it = await device(bench, blacklist=said.entries)
        assert not await speak(it, said, 0, said.bad)
        assert not said.good or await speak(it, said, 1, said.good)


def record(kind: int, octets: bytes = b"") -> bytes:
    """Return a record of TLS."""
    return bytes((kind, 3, 3)) + len(octets).to_bytes(2) + octets


EARLY, UNOFFERED = with_extension(LISTED, b"\0\x2a\0\0"), with_extension(LISTED, b"\0\x2b\0\3\2\3\4")
TWO_NAMES = with_extension(LISTED, b"\0\0\0\x0f\0\x0d\0\0\x0ano.example")
HELLOS = {
    "a second hello": Said(TLS, LISTED, HIDDEN, LISTED),
    "behind a change of cipher": Said(TLS, LISTED, record(20, b"\1") + HIDDEN, record(20, b"\1") + LISTED),
    "behind an alert": Said(TLS, LISTED, record(21, b"\1\x5a") + HIDDEN, record(21, b"\1\x5a") + LISTED),
    "behind an empty record": Said(TLS, LISTED, record(22) + HIDDEN, record(20, b"\1") + record(23, b"x")),
    "behind a heartbeat": Said(TLS, LISTED, record(24, b"x") + HIDDEN, record(24, b"x") + LISTED),
    "behind early data": Said(TLS, EARLY, record(23, bytes(99)) + HIDDEN, record(23, bytes(99)) * 2),
    "in the record of the first": Said(TLS, b"", record(22, LISTED[5:] + HIDDEN[5:]), LISTED),
    "two names": Said(TLS, b"", TWO_NAMES, UNOFFERED),
    "no name": Said(TLS, b"", client_hello(None), LISTED),
    "an alert before it": Said(TLS, b"", record(21, b"\1\0") + LISTED, LISTED),
    "a heartbeat before it": Said(TLS, b"", record(24, b"x") + LISTED, LISTED),
    "a hello of SSL 2": Said(TLS, b"", b"\x80\x2e\1\3\3\0\x15\0\0\0\x10" + bytes(37), LISTED),
}


@pytest.mark.parametrize("said", HELLOS.values(), ids=HELLOS)
async def test_hellos(said: Said) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=TLS)
        assert await it.look_up("up.example", SERVER)
        assert not await speak(it, said, 0, said.bad)
        assert await speak(it, said, 1, said.good)


async def test_a_connection_that_begins_with_the_number_of_the_one_before() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=HOST)
        assert await it.look_up("up.example", SERVER)
        for request, passes in ((BAD, False), (GOOD, True)):
            near = 50000 + passes
            assert await it.connect(SERVER, near)
            assert await it.say(SERVER, GOOD, port=near)
            ack = TCP(sport=80, dport=near, flags="A", seq=8, ack=100 + len(GOOD))
            await it.down(bytes(IP(src=SERVER, dst=it.own) / ack))
            assert await it.up(bytes(IP(src=it.own, dst=SERVER) / TCP(sport=near, dport=80, flags="R", seq=142)))
            assert await it.connect(SERVER, near)
            assert await it.say(SERVER, request, port=near) is passes


async def test_a_head_that_ends_with_its_connection() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=HOST)
        assert await it.look_up("up.example", SERVER)
        for second, passes in ((BAD[:-2], False), (GOOD[:-2], True)):
            near = 50000 + passes
            assert await speak(it, Said(HOST, GOOD, b"", b"x"), passes, second)
            fin = TCP(sport=near, dport=80, flags="FA", seq=100 + len(GOOD + second), ack=8)
            assert await it.up(packet := bytes(IP(src=it.own, dst=SERVER) / fin)) == [packet] * passes


async def test_an_answer_that_has_ended_begins_no_connection_with_the_number_of_the_one_before() -> None:
    async with Gateways(pgw={"answer_grace": 0}) as bench:
        it = await device(bench, whitelist=["up.example:80"])
        assert await it.look_up("up.example", SERVER)
        assert await it.fetch(SERVER, "up.example") == "through"
        ack = TCP(sport=80, dport=50000, flags="A", seq=8, ack=100 + len(GOOD))
        await it.down(bytes(IP(src=SERVER, dst=it.own) / ack))
        await bench.sleep(61)
        assert not await it.connect(SERVER)
        assert await it.look_up("up.example", SERVER, port=4001)
        assert await it.connect(SERVER)


@pytest.mark.parametrize("flags", ["S", "SA"])
async def test_octets_in_a_syn_go_nowhere_and_the_connection_goes_on_without(flags: str) -> None:
    """RFC 7413 4.1.3: who gets no answer to it sends a SYN without."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=HOST)
        assert await it.look_up("up.example", SERVER)
        assert not await it.begin(SERVER, 99, flags, GOOD)
        assert await it.fetch(SERVER, "up.example") == "through"


def protected(called: bytes, octets: bytes, number: int = 0, *, at: int = 0) -> bytes:
    """Return an Initial packet with a piece of the handshake, of whose number the last octet is told."""
    frames = quic.crypto_frame(at, octets) if octets else b"\1"
    frames = frames.ljust(1180, b"\0")
    keys = quic.client_keys(1, called)
    head = b"\xc0\0\0\0\1" + bytes((len(called),)) + called + b"\0\0" + (0x4000 | len(frames) + 17).to_bytes(2)
    low = bytes((number & 0xFF,))
    sealed = AESGCM(keys.key).encrypt((int.from_bytes(keys.iv) ^ number).to_bytes(12), frames, head + low)
    mask = quic._mask(keys, (low + sealed)[4:20])
    return bytes((head[0] ^ mask[0] & 0x0F,)) + head[1:] + bytes((low[0] ^ mask[1],)) + sealed


QUIC = ["quic://up.example"]
QUICS: dict[str, tuple[list[bytes], bytes, bytes]] = {
    "a second hello": (
        [protected(b"called00", LISTED[5:])],
        protected(b"called00", HIDDEN[5:], 1, at=len(LISTED) - 5),
        protected(b"called00", LISTED[5:], 1, at=len(LISTED) - 5),
    ),
    "behind a packet under other keys": (
        [protected(b"called00", LISTED[5:]), b"\x40" + bytes(40)],
        protected(b"called00", HIDDEN[5:], 1, at=len(LISTED) - 5),
        protected(b"called01", LISTED[5:]),
    ),
    "a number that is told in part": (
        [protected(b"called00", LISTED[5:]), protected(b"called01", b"", 200)],
        protected(b"called01", HIDDEN[5:], 300),
        protected(b"called01", LISTED[5:], 201),
    ),
    "in a datagram with another": (
        [],
        protected(b"called00", LISTED[5:]) + protected(b"called01", HIDDEN[5:]),
        protected(b"called00", LISTED[5:]) + bytes(30),
    ),
}


@pytest.mark.parametrize(("first", "bad", "good"), QUICS.values(), ids=QUICS)
async def test_quic(first: list[bytes], bad: bytes, good: bytes) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=QUIC)
        assert await it.look_up("up.example", SERVER)
        for near, last, passes in ((40000, bad, False), (40001, good, True)):
            before = [to(it.own, SERVER, 443, each, near) for each in first]
            assert await it.up(*before) == before
            assert await it.up(packet := to(it.own, SERVER, 443, last, near)) == [packet] * passes
            assert await it.up(packet := to(it.own, SERVER, 443, b"\x40" + bytes(30), near)) == [packet] * passes


@pytest.mark.parametrize(
    ("port", "octets"), [(443, lambda hello, _: protected(b"called00", hello[5:])), (53, lambda _, name: asked(name))]
)
async def test_a_datagram_of_ipv6_that_says_no_length_is_read(port: int, octets: Callable[[bytes, str], bytes]) -> None:
    """As Linux does (RFC 2675 4)."""
    async with Gateways() as bench:
        it = await device(bench, blacklist=["no.example"])
        for name, hello, passes in (("no.example", HIDDEN, False), ("up.example", LISTED, True)):
            near = 40000 + passes
            data = struct.pack(">HHHH", near, port, 0, 0) + octets(hello, name)
            total = checksum(pseudo_header(it.six, SIX, 17, len(data)) + data)
            packet = ip.encode(ip.Packet(it.six, SIX, 17, data[:6] + total.to_bytes(2) + data[8:]))
            assert await it.up(packet) == [packet] * passes


def asked(name: str, kind: str | int = "A", **said: Any) -> bytes:
    """Return a question to a resolver."""
    return bytes(DNS(id=7, qd=DNSQR(qname=name, qtype=kind), **said))


def labels(*parts: bytes) -> bytes:
    """Return a question for a name of these labels."""
    return asked("x")[:12] + b"".join(bytes((len(each),)) + each for each in parts) + b"\0\0\1\0\1"


RECORD = DNSRR(rrname="octets.example", rdata=OTHER)
QUESTIONS = {
    "a label with a dot, below a wildcard": (labels(b"octets.iot", b"example"), labels(b"octets", b"iot", b"example")),
    "a label that is all of the name": (labels(b"octets.iot.example"), labels(b"octets.iot", b"iot", b"example")[:0]),
    "letters of another case": (asked("no.example"), asked("uP.eXaMpLe")),
    "a name that begins like it": (asked("up.example.no.example"), asked("up.example.")),
    "a name that ends like it": (asked("noiot.example"), asked("no.iot.example")),
    "the name itself, of a wildcard": (asked("iot.example"), asked("a.b.iot.example")),
    "an A-label": (asked("xn--p-uga.example"), asked("xn--p-uga.iot.example")),
    "two questions": (bytes(DNS(qd=[DNSQR(qname="up.example"), DNSQR(qname="no.example")])), asked("up.example")),
    "no question": (bytes(DNS(qd=[])), asked("up.example", "AAAA")),
    "all records": (asked("up.example", 255), asked("up.example", "CNAME")),
    "octets in a text": (asked("a.iot.example", "TXT"), asked("a.iot.example", 65)),
    "octets in a record beside": (asked("up.example", an=RECORD), asked("up.example", ar=DNSRROPT())),
    "octets in an additional record": (asked("up.example", ar=RECORD), asked("up.example", rd=0)),
    "octets behind it": (asked("up.example") + b"octets", asked("up.example")),
    "an update": (asked("up.example", opcode=5), asked("up.example")),
    "an answer": (asked("up.example", qr=1), asked("up.example")),
    "a pointer to itself": (asked("x")[:12] + b"\xc0\x0c\0\1\0\1", asked("up.example")),
    "a pointer beyond": (asked("x")[:12] + b"\xc0\xff\0\1\0\1", asked("up.example")),
    "a zone": (asked("up.example", 252), asked("up.example", 64)),
}


@pytest.mark.parametrize(("bad", "good"), QUESTIONS.values(), ids=QUESTIONS)
async def test_questions(bad: bytes, good: bytes) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["http://up.example", "*.iot.example:8883"])
        assert await it.up(to(it.own, RESOLVER, 53, bad)) == []
        sent = [to(it.own, RESOLVER, 53, each, 40001) for each in (good,) if each]
        assert await it.up(*sent) == sent


def _to(it: Device, address: str = SERVER, **fields: Any) -> Packet:
    return IPv6(src=it.six, dst=SIX, **fields) if address == SIX else IP(src=it.own, dst=address, **fields)


REPORT = UDP(sport=40000, dport=5683) / b"hello"
ELSEWHERE = UDP(sport=40000, dport=22) / b"hello"
PACKETS: dict[str, Callable[[Device], Packet]] = {
    "GRE": lambda it: _to(it) / GRE() / _to(it, OTHER) / REPORT,
    "IP in IP": lambda it: _to(it, proto=4) / _to(it) / REPORT,
    "6in4": lambda it: _to(it, proto=41) / _to(it, SIX) / REPORT,
    "4in6": lambda it: _to(it, SIX, nh=4) / _to(it) / REPORT,
    "ESP": lambda it: _to(it, proto=50) / Raw(bytes(REPORT)),
    "AH": lambda it: _to(it, proto=51) / Raw(b"\x11\4" + bytes(22) + bytes(REPORT)),
    "UDP-Lite": lambda it: _to(it, proto=136) / Raw(bytes(REPORT)),
    "DCCP": lambda it: _to(it, proto=33) / Raw(bytes(REPORT)),
    "SCTP": lambda it: _to(it) / SCTP(sport=40000, dport=5683),
    "TCP": lambda it: _to(it) / TCP(sport=40000, dport=5683, flags="S"),
    "Teredo": lambda it: _to(it) / UDP(sport=3544, dport=3544) / _to(it, SIX) / REPORT,
    "a redirect": lambda it: _to(it) / ICMP(type=5, gw=OTHER) / _to(it) / REPORT,
    "an echo": lambda it: _to(it) / ICMP() / b"octets",
    "an error about what never came": lambda it: _to(it) / ICMP(type=3) / IP(src=SERVER, dst=it.own) / ELSEWHERE,
    "the next address": lambda it: _to(it, "198.51.100.81") / REPORT,
    "an IPv4 address in IPv6": lambda it: IPv6(src=it.six, dst=f"::ffff:{SERVER}") / REPORT,
    "an IPv4 address behind NAT64": lambda it: IPv6(src=it.six, dst=f"64:ff9b::{SERVER}") / REPORT,
    "everybody": lambda it: _to(it, "255.255.255.255") / REPORT,
    "options of which one is too long": lambda it: _to(it, options=[IPOption_RR(length=60)]) / REPORT,
    "a header that is too short": lambda it: IP(src=it.own, dst=SERVER, ihl=4) / REPORT,
    "a header that is longer than its packet": lambda it: IP(src=it.own, dst=SERVER, ihl=15, len=20) / b"",
    "another port behind options": lambda it: _to(it, options=[IPOption_RR()]) / ELSEWHERE,
    "another port behind three headers": lambda it: (
        _to(it, SIX) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment() / ELSEWHERE
    ),
    "a jumbogram": lambda it: _to(it, SIX, plen=0, nh=0) / IPv6ExtHdrHopByHop(nh=17) / REPORT,
    "no next header": lambda it: _to(it, SIX, nh=59) / Raw(bytes(REPORT)),
    "headers without an end": lambda it: _to(it, SIX, nh=60) / Raw(bytes((60, 0)) + bytes(6)),
    "a fragment that is the last and not the first": lambda it: _to(it, frag=1) / Raw(bytes(REPORT)),
    "a fragment that is the first and not the last": lambda it: _to(it, flags="MF") / Raw(bytes(REPORT)[:8]),
    "fragments in fragments": lambda it: (
        _to(it, SIX) / IPv6ExtHdrFragment(nh=44, id=1, m=1) / IPv6ExtHdrFragment(nh=17, id=2, m=1) / Raw(bytes(8))
    ),
}


@pytest.mark.parametrize("packet", PACKETS.values(), ids=PACKETS)
async def test_packets(packet: Callable[[Device], Packet]) -> None:
    """To a listed address, with ports that are listed where another protocol than the listed one has some."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=[f"udp://{SERVER}:5683", f"udp://[{SIX}]:5683"])
        assert await it.up(bytes(packet(it))) == []
        good = [_to(it) / REPORT, _to(it, options=[IPOption_RR()]) / REPORT]
        good += [_to(it, SIX) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment() / REPORT]
        assert await it.up(*map(bytes, good)) == list(map(bytes, good))


async def test_of_two_packets_in_fragments_of_one_number_the_first_passes() -> None:
    """Of each a piece may get lost behind us, as their sender likes; what is left of both makes a third one."""
    async with Gateways() as bench:
        it = await device(bench, whitelist=[f"udp://{SERVER}:5683"])

        def cut(number: int, octets: bytes) -> list[bytes]:
            whole = _to(it, id=number) / UDP(sport=40000, dport=5683) / octets
            return [bytes(each) for each in fragment(whole, 400)]  # type: ignore[no-untyped-call]

        first, second, other = cut(1, bytes(900)), cut(1, b"x" * 900), cut(2, b"x" * 900)
        assert await it.up(*first) == first
        assert await it.up(*second) == []
        assert await it.up(*other) == other
        await bench.sleep(31)
        assert await it.up(*second) == second


# -- what cannot be told (docs/evasions.md)


async def test_what_is_denied_is_not_looked_for_in_tunnels() -> None:
    async with Gateways() as bench:
        it = await device(bench, blacklist=[OTHER])
        inner = _to(it, OTHER) / REPORT
        tunnels = [bytes(_to(it) / GRE() / inner), bytes(_to(it, proto=4) / inner)]
        assert await it.up(bytes(inner), *tunnels) == tunnels


async def test_a_prefix_of_nat64_that_nobody_knows_is_none() -> None:
    async with Gateways() as bench:
        it = await device(bench, blacklist=[OTHER, f"2001:db8:64:ff00::{SERVER}"])
        known, own, denied = (
            bytes(IPv6(src=it.six, dst=each) / REPORT)
            for each in (f"64:ff9b::{OTHER}", f"2001:db8:64:ff00::{OTHER}", f"2001:db8:64:ff00::{SERVER}")
        )
        assert await it.up(known, own, denied) == [own]


async def test_a_denied_path_is_the_one_that_is_written() -> None:
    async with Gateways() as bench:
        it = await device(bench, blacklist=["http://up.example/live"])
        said = Said(["http://up.example/live"], b"", get("/live"), get("/LIVE"))
        assert not await speak(it, said, 0, said.bad)
        assert await speak(it, said, 1, said.good)


async def test_what_a_length_says_is_a_body() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=HOST)
        assert await it.look_up("up.example", SERVER)
        head = get("/", "up.example", f"Content-Length: {len(BAD)}")
        assert await speak(it, Said(HOST, head, b"", BAD), 0, BAD)
        assert not await speak(it, Said(HOST, head, b"", BAD), 1, BAD + BAD)


async def test_octets_that_were_acknowledged_are_compared_no_more() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=HOST)
        assert await it.look_up("up.example", SERVER)
        assert await speak(it, Said(HOST, GOOD, b"", b"x"), 0, GOOD)
        assert await it.say(SERVER, b"x" * len(GOOD))
        assert not await it.say(SERVER, b"x" * len(GOOD), len(GOOD))


async def test_who_sends_in_the_name_of_the_resolver_is_believed() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=HOST)
        assert await it.look_up("up.example", OTHER)
        assert await it.fetch(OTHER, "up.example") == "through"
