"""Packets in scapy's words are built as scapy builds them, and nothing in them is evaluated."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.errors import UnjudgedError
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.wire import ip
from simwarden.wire.crafted import build

SCENARIOS = Path(__file__).parents[3] / "scenarios"
OWN = {4: "10.64.0.1", 6: "2001:db8:64::1"}


def test_the_octets_are_those_of_scapy_and_of_ours() -> None:
    built = build("IP(dst='198.51.100.80', id=0) / UDP(sport=1000, dport=53) / b'abc'", OWN)
    assert built == ip.encode(ip.encode_udp(ip.Udp(1000, 53, b"abc"), OWN[4], "198.51.100.80"))
    six = build('IPv6(dst="2001:db8::1")/TCP(sport=7, dport=80, flags="S", seq=9, window=10)', OWN)
    segment = ip.Tcp(7, 80, 9, 0, ip.TcpFlag.SYN, 10)
    assert six == ip.encode(ip.encode_tcp(segment, OWN[6], "2001:db8::1"))
    odd = build('IP(src="192.0.2.9", dst="198.51.100.80", ttl=1, chksum=7)/ICMP(type=13)')
    assert (odd[8], odd[10:12], odd[12:16], odd[20]) == (1, b"\0\7", bytes((192, 0, 2, 9)), 13)
    query = build("IP(dst='192.0.2.53')/UDP()/DNS(id=1, qd=[DNSQR(qname='a.example', qtype='TXT')])", OWN)
    assert b"\1a\7example\0\0\x10" in query
    assert build("IP(dst='192.0.2.1')/Raw(b'x')", OWN)[20:] == b"x"
    assert build("IP(dst='192.0.2.1')")[12:16] == bytes(4)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("IP(dst='192.0.2.1')/UPD()", "scapy has no layer UPD"),
        ("IP(dst='192.0.2.1')/UDP(dprt=53)", "UDP has no field dprt; it has sport, dport"),
        ("IP(dst='192.0.2.1')/UDP(**{})", "UDP has no field None"),
        ("IP('192.0.2.1')", "wants its fields by name"),
        ("IP(dst=__import__('os').system('true'))", "is no layer"),
        ("IP(dst=print)", "print is no literal value"),
        ("IP(dst='192.0.2.1', ttl=10**9)", "is no literal value"),
        ("IP(dst='192.0.2.1', ttl=900)", "scapy cannot build"),
        ("IP(dst='server.example')", "is no address"),
        ("IP(dst='192.0.2.0/24')", "is no address"),
        ("IPv6(dst='192.0.2.1')", "is no address"),
        ("IP(dst='192.0.2.1')/UDP()/DNS(an=[DNSRR(rdata='server.example')])", "is no address"),
        ("IPv6(dst='2001:db8::1')/ICMPv6ND_NS(tgt='server.example')", "is no address"),
        ("IP()/UDP()", "says no dst"),
        ("UDP()/IP(dst='192.0.2.1')", "begins with IP"),
        ("b'abc'/UDP()", "begins with IP"),
        ("IP(dst='192.0.2.1')+UDP()", "begins with IP"),
        ("IP(dst='192.0.2.1')/UDP", "is no layer"),
        ("IP(dst='192.0.2.1'", "is no chain of layers"),
        ("IP(dst='192.0.2.1')/Raw(b'" + "x" * 1500 + "')", "longer than 1500"),
        ("IP(dst='192.0.2.1')/" + "UDP()/" * 3000 + "UDP()", "too long"),
        ("", "is no chain of layers"),
    ],
)
def test_what_is_wrong_is_named(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong.replace("(", r"\(").replace(")", r"\)")):
        build(text, OWN)


@pytest.fixture
def no_scapy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("scapy")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scapy", None)


@pytest.mark.usefixtures("no_scapy")
def test_without_scapy_it_is_said_how_to_get_it() -> None:
    with pytest.raises(UnjudgedError, match=r"simwarden\[traffic\]"):
        build("IP(dst='192.0.2.1')")


@pytest.mark.usefixtures("no_scapy")
def test_a_story_with_a_packet_is_checked_without_scapy_and_not_judged() -> None:
    story = Loader().validate(SCENARIOS / "data/user-plane/source-address-of-other.yaml::malformed")
    result = run_scenario(story, "odd", RunOptions())
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.failure is not None
    assert result.failure.summary == "packets by layers need scapy: pip install 'simwarden[traffic]'"


TEXTS = st.text(alphabet="IPUDTCMRawvb6()/'\"=,[]{}.:*+-0123456789dst portx\n\\", max_size=60)


@settings(max_examples=budget.examples(60))
@given(st.one_of(st.text(max_size=40), TEXTS.map(lambda text: f"IP(dst='192.0.2.1')/{text}")))
def test_any_text_gives_octets_or_an_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert build(text, OWN)[0] >> 4 in (4, 6)
