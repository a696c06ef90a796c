"""User packets against scapy: octets that it makes are read, and ours are the same."""

from __future__ import annotations

import ipaddress
from typing import Any

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
)

from simwarden.errors import PeerError
from simwarden.wire import ip
from simwarden.wire.ip import Flow, Icmp, IcmpType, Icmpv6Type, RouterAdvertisement, Tcp, TcpFlag, Udp

V4, V6 = ("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8:ffff::2")
PORTS = st.integers(0, 65535)
PAYLOADS = st.binary(max_size=40)
ENDS = st.sampled_from([V4, V6])
quick = settings(max_examples=budget.examples(30))
#: the kinds of packets that are compared here
KINDS = ("icmp", "icmpv6", "tcp", "udp", "ip")


def _under(ends: tuple[str, str], **more: Any) -> Any:
    if ":" in ends[0]:
        return IPv6(src=ends[0], dst=ends[1], hlim=64, **more)
    return IP(src=ends[0], dst=ends[1], id=0, ttl=64, **more)


@quick
@given(ends=ENDS, near=PORTS, far=PORTS, payload=PAYLOADS)
def test_udp(ends: tuple[str, str], near: int, far: int, payload: bytes) -> None:
    octets = bytes(_under(ends) / UDP(sport=near, dport=far) / payload)
    packet = ip.encode_udp(Udp(near, far, payload), *ends)
    assert ip.encode(packet) == octets
    assert ip.decode_udp(ip.decode(octets)) == Udp(near, far, payload)
    source, destination = (ipaddress.ip_address(each).packed for each in ends)
    assert ip.flow_of(octets) == Flow(17, source, near, destination, far)
    assert ip.flow_of(octets).back() == Flow(17, destination, far, source, near)


@quick
@given(ends=ENDS, near=PORTS, numbers=st.tuples(*[st.integers(0, 0xFFFFFFFF)] * 2), payload=PAYLOADS, mss=st.booleans())
def test_tcp(ends: tuple[str, str], near: int, numbers: tuple[int, int], payload: bytes, *, mss: bool) -> None:
    flags = TcpFlag.SYN | TcpFlag.ACK
    options = [("MSS", 1360)] if mss else []
    theirs = TCP(sport=near, dport=443, seq=numbers[0], ack=numbers[1], flags="SA", window=4096, options=options)
    octets = bytes(_under(ends) / theirs / payload)
    ours = Tcp(near, 443, *numbers, flags, 4096, payload, bytes.fromhex("02040550") if mss else b"")
    assert ip.encode(ip.encode_tcp(ours, *ends)) == octets
    assert ip.decode_tcp(ip.decode(octets)) == ours


@quick
@given(number=PORTS, payload=PAYLOADS)
def test_icmp(number: int, payload: bytes) -> None:
    four = bytes(_under(V4) / ICMP(type=8, id=7, seq=number) / payload)
    ours = Icmp(IcmpType.ECHO, 0, 7 << 16 | number, payload)
    assert ip.encode(ip.encode_icmp(ours, *V4)) == four
    assert ip.decode_icmp(ip.decode(four)) == ours
    six = bytes(_under(V6) / ICMPv6EchoRequest(id=7, seq=number, data=payload))
    ours = Icmp(Icmpv6Type.ECHO_REQUEST, 0, 7 << 16 | number, payload)
    assert ip.encode(ip.encode_icmp(ours, *V6)) == six
    assert ip.decode_icmp(ip.decode(six)) == ours


@pytest.mark.parametrize("mtu", [0, 1358])
def test_router_advertisement(mtu: int) -> None:
    source = "fe80::1"
    prefix = ICMPv6NDOptPrefixInfo(prefix="2001:db8:1:2::", prefixlen=64, L=0, A=1, R=0)
    theirs = IPv6(src=source, dst="ff02::1", hlim=255) / ICMPv6ND_RA(chlim=64, prf=0, routerlifetime=9000) / prefix
    octets = bytes(theirs / ICMPv6NDOptMTU(mtu=mtu) if mtu else theirs)
    told = RouterAdvertisement("2001:db8:1:2::", 64, mtu)
    assert ip.encode(ip.encode_router_advertisement(told, source)) == octets
    assert ip.decode_router_advertisement(ip.decode(octets)) == told
    far = ip.decode(octets)._replace(hop_limit=254)
    with pytest.raises(PeerError, match="of this link"):
        ip.decode_router_advertisement(far)


def test_router_solicitation() -> None:
    octets = bytes(IPv6(src="fe80::2", dst="ff02::2", hlim=255) / ICMPv6ND_RS())
    assert ip.encode(ip.router_solicitation("fe80::2")) == octets


def test_other_protocols_options_and_fragments() -> None:
    gre = bytes(IP(src=V4[0], dst=V4[1], id=9, proto=47, tos=8, options=[IPOption_Router_Alert()]) / b"rest")
    packet = ip.decode(gre)
    assert (packet.protocol, packet.payload, packet.traffic_class, packet.identification) == (47, b"rest", 8, 9)
    assert ip.flow_of(gre)[0::2][:1] == (47,)
    first = bytes(IP(src=V4[0], dst=V4[1], id=9, flags="MF", proto=17) / bytes(16))
    later = bytes(IP(src=V4[0], dst=V4[1], id=9, frag=2, proto=17) / bytes.fromhex("0001000200030004"))
    assert (ip.decode(first).more, ip.decode(later).offset) == (True, 16)
    assert ip.encode(ip.decode(later)) == later
    assert ip.flow_of(later).source_port == 0
    six = bytes(_under(V6) / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(offset=2, m=1, id=5, nh=17) / bytes(8))
    packet = ip.decode(six)
    assert (packet.protocol, packet.offset, packet.more, packet.identification) == (17, 16, True, 5)
    assert ip.flow_of(six).source_port == 0
    plain = bytes(_under(V6) / IPv6ExtHdrFragment(offset=2, m=0, id=5, nh=17) / bytes(8))
    assert ip.encode(ip.decode(plain)) == plain


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "no IP header"),
        (b"\x50" + bytes(30), "no IP header"),
        (bytes(IP(src=V4[0], dst=V4[1], len=100)), "says 100"),
        (bytes(IP(src=V4[0], dst=V4[1], chksum=1)), "wrong checksum"),
        (bytes(IPv6(src=V6[0], dst=V6[1], plen=3)), "says 3"),
        (bytes(IPv6(src=V6[0], dst=V6[1], nh=60) / b"\x11\x01\0\0"), "ends in an extension header"),
    ],
)
def test_bad_packets_say_what_is_wrong(octets: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        ip.decode(octets)


@pytest.mark.parametrize("ends", [V4, V6])
def test_wrong_checksums_are_found(ends: tuple[str, str]) -> None:
    for theirs, read in ((UDP(chksum=1), ip.decode_udp), (TCP(chksum=1), ip.decode_tcp)):
        reader: Any = read
        with pytest.raises(PeerError, match="wrong checksum"):
            reader(ip.decode(bytes(_under(ends) / theirs)))
    none = bytes(_under(ends) / UDP(sport=1, dport=2, chksum=0))
    if ":" in ends[0]:
        with pytest.raises(PeerError, match="wrong checksum"):
            ip.decode_udp(ip.decode(none))
    else:
        assert ip.decode_udp(ip.decode(none)) == Udp(1, 2, b"")
