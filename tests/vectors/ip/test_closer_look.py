"""What needs a closer look before a packet is judged by its flow: options, extensions, routes, errors of ICMP."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import (
    ICMP,
    IP,
    TCP,
    UDP,
    IPOption_LSRR,
    IPOption_NOP,
    IPOption_Router_Alert,
    IPOption_RR,
    IPOption_SSRR,
)
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    IPv6ExtHdrSegmentRouting,
    Jumbo,
)

from simwarden.errors import PeerError
from simwarden.wire import ip

FOUR, SIX = IP(src="10.64.0.1", dst="198.51.100.80"), IPv6(src="2001:db8::1", dst="2001:db8:80::80")
BODY = UDP(sport=40000, dport=5683) / b"body"
VIA = ["203.0.113.66"]


def with_options(*options: Any) -> Any:
    return IP(src="10.64.0.1", dst="198.51.100.80", options=list(options)) / BODY


@pytest.mark.parametrize(
    ("packet", "plain", "routed"),
    [
        (FOUR / BODY, True, False),
        (SIX / BODY, True, False),
        (IP(flags="DF") / BODY, True, False),
        (IP(flags="MF") / BODY, False, False),
        (IP(frag=4) / BODY, False, False),
        (with_options(IPOption_Router_Alert()), False, False),
        (with_options(IPOption_NOP(), IPOption_RR(routers=VIA)), False, False),
        (with_options(IPOption_NOP(), IPOption_LSRR(routers=VIA)), False, True),
        (with_options(IPOption_Router_Alert(), IPOption_SSRR(routers=VIA)), False, True),
        (SIX / IPv6ExtHdrHopByHop() / BODY, False, False),
        (SIX / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(m=1) / BODY, False, False),
        (SIX / IPv6ExtHdrRouting(addresses=["2001:db8:66::66"], segleft=1) / BODY, False, True),
        (SIX / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(addresses=["2001:db8:66::66"], segleft=0) / BODY, False, False),
        (SIX / IPv6ExtHdrSegmentRouting(addresses=["2001:db8:66::66", "2001:db8::7"], segleft=1) / BODY, False, True),
        (SIX / IPv6ExtHdrFragment() / IPv6ExtHdrRouting(addresses=["2001:db8::66"], segleft=1) / BODY, False, True),
        (SIX / IPv6ExtHdrFragment(m=1, nh=60) / b"\x2b\0\1\4\0\0\0\0", False, False),
        (SIX / IPv6ExtHdrFragment(offset=4, nh=43) / b"\0\0\0\1body", False, False),
    ],
    ids=lambda each: each.summary() if hasattr(each, "summary") else None,
)
def test_headers(packet: Any, *, plain: bool, routed: bool) -> None:
    octets = bytes(packet)
    assert ip.is_plain(octets) is plain
    assert ip.is_routed(octets) is routed
    if BODY.load in octets and not ip.decode(octets).offset:
        assert ip.flow_of(octets)[2::2] == (40000, 5683)


@pytest.mark.parametrize("padding", range(1, 20))
@pytest.mark.parametrize("header", [IPv6ExtHdrHopByHop(), IPv6ExtHdrFragment(), IPv6ExtHdrDestOpt()])
def test_octets_behind_the_end_of_a_packet_move_no_header(header: Any, padding: int) -> None:
    packet = bytes(SIX / header / UDP(sport=40000, dport=22) / (bytes(4) + b"\x9c\x40\x16\x33" * 9))
    assert ip.flow_of(packet + bytes(padding)) == ip.flow_of(packet)
    assert ip.flow_of(packet)[2::2] == (40000, IPv6(packet + bytes(padding))[UDP].dport) == (40000, 22)
    assert ip.carried_at(packet + bytes(padding)) == ip.carried_at(packet) == 48


@pytest.mark.parametrize("octets", [b"", b"\x60" * 39, bytes(SIX / IPv6ExtHdrHopByHop())[:44]])
def test_what_is_too_short_carries_nothing(octets: bytes) -> None:
    if octets:
        with pytest.raises(PeerError):
            ip.carried_at(octets)
    else:
        assert ip.carried_at(octets) == 0


def test_a_jumbogram_is_none_that_is_taken() -> None:
    """Its length stands in an option (RFC 2675); no link here has an MTU for one."""
    jumbo = bytes(SIX / IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=70_000)]) / BODY)
    with pytest.raises(PeerError, match="ends in an extension header"):
        ip.flow_of(jumbo[:4] + b"\0\0" + jumbo[6:])


@pytest.mark.parametrize("options", [b"\x07", b"\x44\x00\x00\x00", b"\x94\x01\x00\x00"])
def test_an_option_that_says_no_length(options: bytes) -> None:
    head = bytes(FOUR)[:20]
    octets = bytes((0x46,)) + head[1:] + options.ljust(4, b"\x07")
    with pytest.raises(PeerError, match="ends in an option"):
        ip.is_routed(octets[: 20 + len(options)] if len(options) < 4 else octets)


FLOW = ip.Flow(17, ipaddress.ip_address("10.64.0.1").packed, 40000, ipaddress.ip_address("198.51.100.80").packed, 5683)
ROUTER, ROUTER6 = IP(src="203.0.113.9", dst="10.64.0.1"), IPv6(src="2001:db8:9::9", dst="2001:db8::1")


@pytest.mark.parametrize(
    ("packet", "about"),
    [
        (ROUTER / ICMP(type=3, code=4, nexthopmtu=1280) / (FOUR / BODY), True),
        (ROUTER / ICMP(type=11) / (FOUR / BODY), True),
        (ROUTER / ICMP(type=12) / (FOUR / BODY), True),
        (ROUTER / ICMP(type=8) / (FOUR / BODY), False),
        (ROUTER / ICMP(type=5, gw="203.0.113.66") / (FOUR / BODY), False),
        (ROUTER / ICMP(type=3) / b"\x45", False),
        (ROUTER / UDP(dport=9) / (FOUR / BODY), False),
        (IP(src="203.0.113.9", dst="10.64.0.1", flags="MF") / ICMP(type=3) / (FOUR / BODY), False),
    ],
)
def test_errors_of_icmp(packet: Any, *, about: bool) -> None:
    found = ip.error_about(bytes(packet))
    assert found == (FLOW if about else None)


@pytest.mark.parametrize(
    ("message", "about"),
    [
        (ICMPv6DestUnreach(), True),
        (ICMPv6PacketTooBig(), True),
        (ICMPv6TimeExceeded(), True),
        (ICMPv6ParamProblem(), True),
        (ICMPv6EchoRequest(), False),
    ],
)
def test_errors_of_icmpv6(message: Any, *, about: bool) -> None:
    found = ip.error_about(bytes(ROUTER6 / message / (SIX / BODY)))
    assert (found is not None and found[2::2] == (40000, 5683)) is about


@given(st.binary(max_size=120) | st.builds(lambda rest: b"\x60" + rest, st.binary(min_size=39, max_size=90)))
def test_any_octets_give_an_answer_or_a_peer_error(octets: bytes) -> None:
    assert ip.error_about(octets) is None or ip.decode(octets)
    try:
        ip.flow_of(octets)
        ip.is_plain(octets)
        ip.is_routed(octets)
    except PeerError:
        return


def test_a_segment_in_a_header_of_tcp_is_no_error() -> None:
    assert ip.error_about(bytes(FOUR / TCP())) is None
