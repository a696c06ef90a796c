"""Traffic flow templates: against pycrate, whose packets they take, and what is wrong in them (TS 24.008 10.5.6.12)."""

from __future__ import annotations

import ipaddress
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers import ipsec as scapy_esp
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop

from simwarden.wire import ip
from simwarden.wire.tft import Direction, Filter, Operation, Tft, TftError, decode, encode, first_that_fits

PORTS = st.none() | st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)).map(lambda found: tuple(sorted(found)))


def networks(version: Literal[4, 6], longest: int) -> st.SearchStrategy[str]:
    return st.builds(
        lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
        st.ip_addresses(v=version),
        st.integers(0, longest),
    )


def between(ends: st.SearchStrategy[str]) -> st.SearchStrategy[Filter]:
    """Filters of networks of one version of IP, or of any."""
    either = st.just("") | ends
    return st.builds(Filter, remote=either, local=either)


FILTERS = st.builds(
    Filter._replace,
    between(networks(4, 32)) | between(networks(6, 128)),
    direction=st.sampled_from(Direction),
    protocol=st.integers(0, 255),
    local_ports=PORTS,
    remote_ports=PORTS,
    spi=st.none() | st.integers(0, 0xFFFFFFFF),
    traffic_class=st.none() | st.tuples(st.integers(0, 255), st.integers(0, 255)),
    flow_label=st.none() | st.integers(0, 0xFFFFF),
)


def numbered(filters: list[Filter]) -> tuple[Filter, ...]:
    return tuple(each._replace(identifier=n, precedence=n + 3) for n, each in enumerate(filters))


@given(
    filters=st.lists(FILTERS, min_size=1, max_size=4).map(numbered),
    operation=st.sampled_from((Operation.CREATE, Operation.ADD_FILTERS, Operation.REPLACE_FILTERS)),
)
def test_octets_are_pycrates(filters: tuple[Filter, ...], operation: Operation) -> None:
    from pycrate_mobile.TS24008_IE import TFT

    octets = encode(Tft(operation, filters))
    assert decode(octets) == Tft(operation, filters)
    theirs = TFT()
    theirs.from_bytes(octets)
    assert theirs.to_bytes() == octets
    assert [each["Id"].get_val() for each in theirs["PktFilters"]] == [each.identifier for each in filters]


def test_what_a_published_template_says() -> None:
    octets = bytes.fromhex("2130000e10c6336450ffffffff3011501633")
    (found,) = decode(octets).filters
    assert found == Filter(0, 0, Direction.BOTH, "198.51.100.80/32", protocol=17, remote_ports=(5683, 5683))
    assert encode(Tft(Operation.DELETE_FILTERS, deleted=(1, 3))) == bytes.fromhex("a20103")
    assert decode(bytes.fromhex("a20103")).deleted == (1, 3)
    assert decode(bytes.fromhex("c0")) == Tft(Operation.NONE)
    with pytest.raises(ValueError, match="15 filters at most"):
        encode(Tft(Operation.CREATE, (found,) * 16))


def flow(source: str = "10.64.0.1", target: str = "198.51.100.80", port: int = 5683, protocol: int = 17) -> ip.Flow:
    ends = (ipaddress.ip_address(each).packed for each in (source, target))
    return ip.Flow(protocol, next(ends), 40000, next(ends), port)


@pytest.mark.parametrize(
    ("filter_", "fits"),
    [
        (Filter(remote="198.51.100.0/24"), True),
        (Filter(remote="203.0.113.0/24"), False),
        (Filter(remote="2001:db8::/32"), False),
        (Filter(protocol=6), False),
        (Filter(protocol=17, remote_ports=(5683, 5684)), True),
        (Filter(protocol=17, remote_ports=(5684, 5690)), False),
        (Filter(protocol=17, local_ports=(40000, 40000)), True),
        (Filter(local="10.64.0.2/32"), False),
    ],
)
def test_whose_packets_a_filter_takes(filter_: Filter, *, fits: bool) -> None:
    assert filter_.fits(flow(), b"") is fits


ESP = IP(src="10.64.0.1", dst="198.51.100.80", tos=0xB8) / scapy_esp.ESP(spi=0x1234, seq=1, data=b"octets")
AH = IPv6(src="2001:db8::1", dst="2001:db8:80::80", tc=0xBB, fl=0x12345) / scapy_esp.AH(spi=0x1234, icv=bytes(12))
LABELLED = IPv6(src="2001:db8::1", dst="2001:db8:80::80", fl=0x12345) / IPv6ExtHdrHopByHop() / UDP(dport=9)


@pytest.mark.parametrize(
    ("filter_", "packet", "fits"),
    [
        (Filter(spi=0x1234), ESP, True),
        (Filter(spi=0x1234), AH, True),
        (Filter(spi=0x1235), ESP, False),
        (Filter(spi=0x1234), LABELLED, False),
        (Filter(traffic_class=(0xB8, 0xFC)), ESP, True),
        (Filter(traffic_class=(0xB8, 0xFC)), AH, True),
        (Filter(traffic_class=(0xB8, 0xFF)), AH, False),
        (Filter(traffic_class=(0, 0xFC)), LABELLED, True),
        (Filter(flow_label=0x12345), LABELLED, True),
        (Filter(flow_label=0x12344), LABELLED, False),
        (Filter(flow_label=0), ESP, False),
        (Filter(protocol=50, spi=0x1234, traffic_class=(0xB8, 0xFF)), ESP, True),
    ],
)
def test_marks_of_packets_that_scapy_makes(filter_: Filter, packet: Any, *, fits: bool) -> None:
    octets = bytes(packet)
    assert filter_.fits(ip.flow_of(octets), octets) is fits
    (read,) = decode(encode(Tft(Operation.CREATE, (filter_,)))).filters
    assert read == filter_


def test_a_later_fragment_and_an_end_within_tell_no_spi() -> None:
    later, short = bytearray(bytes(ESP)), bytes(ESP)[:22]
    later[7] = 1
    for octets in (bytes(later), short):
        assert not Filter(spi=0x1234).fits(ip.flow_of(octets), octets)
    assert not Filter(flow_label=0x12345).fits(ip.flow_of(bytes(AH)), bytes(AH)[:50])  # says more than there is


def test_octets_of_marks_are_the_specifications() -> None:
    marked = Filter(1, 2, spi=0x01020304, traffic_class=(0xB8, 0xFC), flow_label=0xABCDE)
    assert encode(Tft(Operation.CREATE, (marked,))) == bytes.fromhex("2131020c" + "6001020304" + "70b8fc" + "800abcde")


def test_directions_and_the_first_that_fits() -> None:
    up = Filter(1, 5, Direction.UPLINK, protocol=17)
    down = Filter(2, 4, Direction.DOWNLINK, protocol=17)
    old = Filter(3, 3, Direction.PRE_RELEASE_7, protocol=17)
    both = Filter(4, 9, Direction.BOTH)
    assert first_that_fits((both, up, down), flow(), b"", up=True) is up
    assert first_that_fits((both, up, down, old), flow(), b"", up=False) is old
    assert first_that_fits((up,), flow(), b"", up=False) is None


@pytest.mark.parametrize(
    ("octets", "filters", "semantic"),
    [
        ("", False, False),
        ("e0", False, False),  # no such operation
        ("20", False, False),  # a new template without filters
        ("4130000110", False, False),  # a deletion with one
        ("a20103ff"[:4], False, False),  # fewer identifiers than it says
        ("21300003", False, False),  # a filter that ends early
        ("213000033011", False, False),
        ("2230000230110e", False, False),  # fewer filters than it says
        ("21300000", True, False),  # without components
        ("2130000230ff" + "00", False, False),  # octets behind
        ("213000023511", True, False),  # a component of another release
        ("21300004" + "30113011", True, False),  # one twice
        ("22300002301130010230" + "11", True, False),  # one identifier
        ("2230000230113100023011", True, False),  # one precedence
        ("2130001b" + "10c6336450ffffffff" + "21" + "20010db8" + "00" * 12 + "40", True, True),  # of both versions
        ("21300008" + "400001" + "4100010002", True, True),  # a port beside a range of ports
        ("21300009" + "10c6336450ff00ff00", True, False),  # a mask that is no prefix
    ],
)
def test_what_is_wrong(octets: str, filters: bool, semantic: bool) -> None:  # noqa: FBT001 - parameters of cases
    with pytest.raises(TftError) as told:
        decode(bytes.fromhex(octets))
    assert (told.value.filters, told.value.semantic) == (filters, semantic)


@given(st.binary(max_size=40))
def test_any_octets_are_a_template_or_an_error_of_the_peer(octets: bytes) -> None:
    try:
        found = decode(octets)
    except TftError:
        return
    assert decode(encode(found)) == found
