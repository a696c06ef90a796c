"""Fragments are put together as scapy cuts them, in any order; what overlaps, or is too much, is left."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment6
from scapy.packet import Raw

from simwarden.errors import PeerError
from simwarden.machine import ip_fragments
from simwarden.machine.ip_fragments import Fragments
from simwarden.wire import ip

OCTETS = bytes(range(250)) * 3
FOUR = IP(src="10.64.0.1", dst="198.51.100.80", id=7) / UDP(sport=40000, dport=5683) / Raw(OCTETS)
SIX = (
    IPv6(src="2001:db8::1", dst="2001:db8:80::80")
    / IPv6ExtHdrFragment(id=9)
    / UDP(sport=40000, dport=5683)
    / Raw(OCTETS * 3)
)


def parts_of(packet: Any) -> list[bytes]:
    cut = fragment(packet, 304) if IP in packet else fragment6(packet, 900)  # type: ignore[no-untyped-call]
    return [bytes(each) for each in cut]


@pytest.mark.parametrize("packet", [FOUR, SIX], ids=["IPv4", "IPv6"])
def test_in_any_order(packet: Any) -> None:
    cut = parts_of(packet)
    assert len(cut) == 3
    for order in itertools.permutations(cut):
        held = Fragments()
        assert [held.take(each, 0) for each in order[:-1]] == [None, None]
        whole = held.take(order[-1], 1)
        assert whole is not None
        assert ip.decode_udp(ip.decode(whole)).payload == bytes(packet[Raw])
        assert ip.flow_of(whole)[2::2] == (40000, 5683)
        assert whole.parts == tuple(cut)
        assert held.octets == 0


def four(at: int, size: int, *, more: bool = True, number: int = 7) -> bytes:
    return ip.encode(ip.Packet("10.64.0.1", "198.51.100.80", 17, bytes(size), 64, 0, number, at, more))


@pytest.mark.parametrize("packet", [FOUR, SIX], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("altered", [True, False])
def test_a_fragment_that_comes_twice_is_left_out_and_one_with_other_octets_ends_its_packet(
    packet: Any, *, altered: bool
) -> None:
    cut, held = parts_of(packet), Fragments()
    assert held.take(cut[1], 0) is None
    again = cut[1][:-1] + bytes((cut[1][-1] ^ altered,))
    if altered:
        with pytest.raises(PeerError, match="overlaps"):
            held.take(again, 0)
        return
    assert held.take(again, 0) is None
    assert held.take(cut[0], 0) is None
    whole = held.take(cut[2], 0)
    assert whole is not None
    assert whole.parts == tuple(cut)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0, 16, True), (8, 16, True)),
        ((8, 16, True), (0, 16, True)),
        ((0, 16, True), (0, 8, True)),
        ((16, 16, False), (32, 8, True)),
        ((32, 8, True), (16, 16, False)),
    ],
)
def test_what_overlaps_or_lies_behind_the_end_ends_its_packet(first: Any, second: Any) -> None:
    held = Fragments()
    held.take(four(first[0], first[1], more=first[2]), 0)
    with pytest.raises(PeerError, match="overlaps"):
        held.take(four(second[0], second[1], more=second[2]), 0)
    assert held.octets == 0


@pytest.mark.parametrize("part", [(8, 0, False), (0, 12, True), (65528, 8, False)])
def test_lengths_that_no_fragment_has(part: Any) -> None:
    with pytest.raises(PeerError, match="length"):
        Fragments().take(four(part[0], part[1], more=part[2]), 0)


def test_what_is_held_is_bounded_in_time_packets_and_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Fragments()
    held.take(four(0, 8, number=1), 0)
    held.take(four(0, 8, number=2), 10)
    assert held.take(four(8, 8, more=False, number=1), ip_fragments.LONGEST_WAIT + 1) is None
    assert held.take(four(8, 8, more=False, number=2), ip_fragments.LONGEST_WAIT + 1) is not None
    for number in range(100, 200):
        held.take(four(0, 8, number=number), 50)
        assert held.octets <= ip_fragments.MOST_PACKETS * 28
    monkeypatch.setattr(ip_fragments, "MOST_OCTETS", 5000)
    for at in range(0, 60000, 1000):
        held.take(four(at, 1000, number=3), 60)
        assert held.octets <= 5000 + 1020


def six(fragmentable: bytes, *cuts: int, following: int = 60, hops: int = 64) -> list[bytes]:
    """Return the fragments of what IPv6 may cut, at these octets."""
    places = list(itertools.pairwise((0, *cuts, len(fragmentable))))
    head = IPv6(src="2001:db8::1", dst="2001:db8:80::80", hlim=hops)
    return [
        bytes(
            head
            / IPv6ExtHdrFragment(nh=following, id=9, offset=low // 8, m=high < len(fragmentable))
            / fragmentable[low:high]
        )
        for low, high in places
    ]


@pytest.mark.parametrize("cuts", [(8,), (16,), (8, 16), (24,)])
def test_headers_behind_that_of_fragments_are_cut_as_well(cuts: tuple[int, ...]) -> None:
    inside = IPv6() / IPv6ExtHdrDestOpt() / UDP(sport=40000, dport=5683) / Raw(OCTETS[:16])
    cut, held = six(bytes(inside)[40:], *cuts), Fragments()
    assert [held.take(each, 0) for each in cut[:-1]] == [None] * len(cuts)
    whole = held.take(cut[-1], 0)
    assert whole is not None
    assert ip.flow_of(whole)[2::2] == (40000, 5683)
    assert whole.parts == tuple(cut)


def test_headers_behind_that_of_fragments_hide_no_overlap() -> None:
    """The second one lies over the first one's ports, for who counts from where fragments are cut (RFC 5722)."""
    first = six(bytes(IPv6() / IPv6ExtHdrDestOpt() / UDP(sport=40000, dport=5683) / Raw(OCTETS[:8]))[40:], 16)[0]
    second = ip.encode(ip.Packet("2001:db8::1", "2001:db8:80::80", 60, bytes(24), 64, 0, 9, 8))
    held = Fragments()
    assert held.take(first, 0) is None
    with pytest.raises(PeerError, match="overlaps"):
        held.take(second, 0)


@pytest.mark.parametrize("packet", [FOUR, SIX], ids=["IPv4", "IPv6"])
def test_of_fragments_that_do_not_go_equally_far_no_packet_is_made(packet: Any) -> None:
    cut = parts_of(packet)
    short = packet.copy()
    short[0].ttl = short[0].hlim = 3
    held = Fragments()
    assert [held.take(each, 0) for each in (*cut[:2], parts_of(short)[2])] == [None] * 3


def test_no_packet_is_made_with_the_number_of_one_that_has_gone_on() -> None:
    """Of two packets of one number, each with a piece that gets lost behind us, a receiver makes a third one."""
    held = Fragments()

    def whole(now: float, number: int = 7, hops: int = 64) -> bool:
        for at in (0, 8):
            packet = ip.Packet("10.64.0.1", "198.51.100.80", 17, bytes(8), hops, 0, number, at, more=not at)
            found = held.take(ip.encode(packet), now)
        return found is not None

    assert whole(0)
    for hops in (64, 63):
        with pytest.raises(PeerError, match="gone on"):
            whole(ip_fragments.LONGEST_WAIT, hops=hops)
    assert whole(ip_fragments.LONGEST_WAIT + 1)
    assert all(whole(100, number) for number in range(1000, 1000 + 2 * ip_fragments.MOST_GONE))
    with pytest.raises(PeerError, match="gone on"):
        whole(100, 999 + 2 * ip_fragments.MOST_GONE)
    assert whole(100, 1000)  # as many are remembered as a receiver keeps pieces of


def test_packets_of_two_senders_are_not_mixed() -> None:
    held = Fragments()
    assert held.take(four(0, 8), 0) is None
    other = ip.Packet("10.64.0.2", "198.51.100.80", 17, bytes(8), 64, 0, 7, 8, more=False)
    assert held.take(ip.encode(other), 0) is None
