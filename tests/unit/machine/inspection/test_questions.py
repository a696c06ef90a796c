"""What a device asks and is told: which answers count, and how long."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from flows import RESOLVER, Flow
from scapy.layers.dns import DNS, DNSQR, DNSRR

from simwarden.machine.inspection import bindings
from simwarden.machine.inspection.bindings import Bindings
from simwarden.wire.dns import in_stream
from simwarden.wire.shown import UNREADABLE, By, Shown

if TYPE_CHECKING:
    from dns.message import Message

NAME = "api.meters.example"
FIRST, SECOND = "198.51.100.1", "198.51.100.2"


def query(name: str = NAME, kind: str = "A", number: int = 7, *, edns: bool | None = None) -> Message:
    return dns.message.make_query(name, kind, id=number, use_edns=edns)


def answer(asked: Message, *sets: tuple[str, int, str, str]) -> Message:
    made = dns.message.make_response(asked)
    made.answer += [dns.rrset.from_text(name + ".", ttl, "IN", kind, value) for name, ttl, kind, value in sets]
    return made


def resolver(**settings: Bindings) -> Flow:
    return Flow(53, protocol=17, far=RESOLVER, **settings)


def names(flow: Flow, address: str, now: float = 0.0) -> tuple[str, ...]:
    return flow.bindings.names_of(ipaddress.ip_address(address).packed, now)


def test_each_query_shows_what_it_asks_for() -> None:
    flow = resolver()
    assert flow.watch.pending
    assert flow.send(query("API.Meters.Example").to_wire())
    assert (flow.watch.shown, flow.watch.pending) == ((Shown(NAME, By.DNS, kind="A"),), False)
    assert flow.send(query("x.tunnel.example", "TXT", edns=True).to_wire())
    assert flow.watch.shown == (Shown("x.tunnel.example", By.DNS, kind="TXT"),)
    flow.send(bytes(DNS(id=7, qd=[DNSQR(qname="a.example"), DNSQR(qname="b.example", qtype=65400)])))
    assert flow.watch.shown == (Shown("a.example", By.DNS, kind="A"), Shown("b.example", By.DNS, kind="TYPE65400"))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"no DNS at all",
        query().to_wire() + b"hidden",
        query().to_wire()[:-3],
        answer(query()).to_wire(),
        bytes(DNS(id=7, qd=[])),
        bytes(DNS(id=7, opcode=5, qd=DNSQR(qname=NAME))),
        bytes(DNS(id=7, qd=DNSQR(qname=NAME, qclass=3))),
        bytes(DNS(id=7, qd=DNSQR(qname=NAME), an=DNSRR(rrname="data.example", rdata=FIRST))),
        bytes(DNS(id=7, qd=DNSQR(qname=NAME), ar=DNSRR(rrname="data.example", rdata=FIRST))),
        query().to_wire()[:12] + b"\xc0\x0c\0\1\0\1",
        query(f"text\\.{NAME}").to_wire(),
        query(f"text\\046{NAME}").to_wire(),
    ],
)
def test_what_is_no_query_or_says_more(octets: bytes) -> None:
    flow = resolver()
    assert flow.send(octets)
    assert flow.watch.shown == (UNREADABLE,)


def test_an_answer_binds_its_addresses_to_the_name_asked_for_as_long_as_it_says() -> None:
    flow = resolver()
    asked = query()
    flow.send(asked.to_wire())
    chain = (NAME, 60, "CNAME", "x.cdn.example."), ("x.cdn.example", 30, "A", FIRST), ("x.cdn.example", 30, "A", SECOND)
    assert not flow.send(answer(asked, *chain, ("other.example", 60, "A", "198.51.100.9")).to_wire(), up=False)
    assert [names(flow, each) for each in (FIRST, SECOND, "198.51.100.9")] == [(NAME,), (NAME,), ()]
    assert [names(flow, FIRST, now) for now in (29.9, 30.0)] == [(NAME,), ()]


def test_hints_and_addresses_of_both_versions() -> None:
    flow = resolver()
    for number, kind, told in (
        (1, "AAAA", "2001:db8::1"),
        (2, "HTTPS", '1 . alpn="h3" ipv4hint=198.51.100.3 ipv6hint=2001:db8::3'),
        (3, "TXT", '"198.51.100.4"'),
    ):
        asked = query(kind=kind, number=number, edns=True)
        flow.send(asked.to_wire())
        flow.send(answer(asked, (NAME, 60, kind, told)).to_wire(), up=False)
    found = [names(flow, each) for each in ("2001:db8::1", "198.51.100.3", "2001:db8::3", "198.51.100.4")]
    assert found == [(NAME,), (NAME,), (NAME,), ()]


@pytest.mark.parametrize("change", ["number", "name", "kind", "query", "truncated", "rcode", "twice", "loop", "octets"])
def test_answers_that_do_not_count(change: str) -> None:
    flow = resolver()
    asked, other = query(), {"number": query(number=8), "name": query("b.example"), "kind": query(kind="AAAA")}
    flow.send(asked.to_wire())
    told = answer(other.get(change, asked), (NAME, 60, "A", FIRST))
    if change == "query":
        told.flags &= ~dns.flags.QR
    elif change == "truncated":
        told.flags |= dns.flags.TC
    elif change == "rcode":
        told.set_rcode(dns.rcode.NXDOMAIN)
    elif change == "twice":
        flow.send(answer(asked).to_wire(), up=False)
    elif change == "loop":
        told = answer(asked, (NAME, 60, "CNAME", "b.example."), ("b.example", 60, "CNAME", NAME + "."))
    flow.send(told.to_wire()[: -1 if change == "octets" else None], up=False)
    assert names(flow, FIRST) == ()


def test_answers_from_another_resolver_or_to_nobody_do_not_count() -> None:
    flow = resolver(bindings=Bindings([bytes(4)]))
    asked = query()
    flow.send(asked.to_wire())
    flow.send(answer(asked, (NAME, 60, "A", FIRST)).to_wire(), up=False)
    assert names(flow, FIRST) == ()
    assert flow.bindings.told_of(ipaddress.ip_address(FIRST).packed, 0.0) == (NAME,)
    flow = resolver(bindings=Bindings([ipaddress.ip_address(RESOLVER).packed]))
    flow.send(answer(asked, (NAME, 60, "A", FIRST)).to_wire(), up=False)
    assert names(flow, FIRST) == ()
    flow.send(asked.to_wire())
    flow.send(answer(asked, (NAME, 60, "A", FIRST)).to_wire(), up=False)
    assert names(flow, FIRST) == (NAME,)


def test_of_many_questions_the_last_are_remembered() -> None:
    flow = resolver()
    asked = [query(number=each) for each in range(20)]
    for each in asked:
        flow.send(each.to_wire())
    flow.send(answer(asked[3], (NAME, 60, "A", FIRST)).to_wire(), up=False)
    flow.send(answer(asked[4], (NAME, 60, "A", SECOND)).to_wire(), up=False)
    assert (names(flow, FIRST), names(flow, SECOND)) == ((), (NAME,))


def test_questions_and_answers_over_tcp_in_any_pieces() -> None:
    asked = [query(), query("b.example", number=8)]
    octets = b"".join(in_stream(each.to_wire()) for each in asked)
    told = in_stream(answer(asked[0], (NAME, 60, "A", FIRST)).to_wire())
    told += in_stream(answer(asked[1], ("b.example", 60, "A", FIRST)).to_wire())
    for size in (1, 9, 1000):
        flow = Flow(53, far=RESOLVER).open()
        shown: list[Shown] = []
        for at in range(0, len(octets), size):
            if flow.say(octets[at : at + size], at):
                shown += flow.watch.shown
        assert list(dict.fromkeys(each.host for each in shown)) == [NAME, "b.example"]
        assert not flow.watch.pending
        for at in reversed(range(0, len(told), size)):
            flow.answer(told[at : at + size], at, len(octets))
        assert names(flow, FIRST) == (NAME, "b.example")
    flow.say(b"\0\3bad", len(octets))
    assert flow.watch.shown == (UNREADABLE,)


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n", b"\x16\3\1\2\0\1"])
def test_what_goes_to_the_port_of_resolvers_and_is_no_query(octets: bytes) -> None:
    asked = in_stream(query().to_wire())
    for before in (b"", asked):
        flow = Flow(53, far=RESOLVER).open()
        flow.say(before + octets)
        assert (flow.watch.shown[-1:], flow.watch.pending) == ((UNREADABLE,), False)


def test_lifetimes_are_bounded_and_of_many_names_the_latest_stay() -> None:
    known = Bindings()
    known.learn("zero.example", [b"0000"], 0, 10.0)
    assert known.names_of(b"0000", 10.0 + bindings.SHORTEST - 1) == ("zero.example",)
    assert known.names_of(b"0000", 10.0 + bindings.SHORTEST) == ()
    known.learn("long.example", [b"0001"], (1 << 31) - 1, 0.0)
    assert known.names_of(b"0001", bindings.LONGEST) == ()
    known.learn("long.example", [b"0001"], 60, 0.0)
    assert known.names_of(b"0001", bindings.LONGEST - 1) == ("long.example",)
    for number in range(2 * bindings.MOST):
        known.learn(f"{number}.example", [number.to_bytes(4)], 100 + number, 20.0)
    found = [number for number in range(2 * bindings.MOST) if known.names_of(number.to_bytes(4), 20.0)]
    assert found == list(range(bindings.MOST, 2 * bindings.MOST))


def test_many_answers_of_resolvers_that_are_not_believed_displace_no_other() -> None:
    known = Bindings([b"good"])
    known.learn("up.example", [b"0001"], 60, 0.0, b"good")
    known.learn(
        "any.example", [number.to_bytes(4) for number in range(1000, 1000 + 2 * bindings.MOST)], 600, 1.0, b"bad"
    )
    assert known.names_of(b"0001", 2.0) == ("up.example",)
