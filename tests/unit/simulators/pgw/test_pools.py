"""Addresses that an APN gives: each one device's at a time, whether of a pool or static."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from simulators.pgw.addressing import give_back, prefix_of, take
from simulators.pgw.config import ApnConfig
from simulators.pgw.pools import Addresses
from simwarden.runtime.dice import Dice
from simwarden.wire.gtpv2 import Cause, Paa, PdnType

_NO_MORE = Cause.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED


def addresses(**config: object) -> Addresses:
    return Addresses(ApnConfig.model_validate(config), {})


def test_an_address_that_came_back_and_is_anothers_static_one_is_not_given() -> None:
    apn = addresses(ipv4="192.0.2.0/30", static=["192.0.2.0/30"])
    first, second = apn.take(4, "", "one"), apn.take(4, "", "two")
    assert (first, second) == ("192.0.2.1", "192.0.2.2")
    apn.give_back(first)
    assert apn.take(4, first, "three") == first
    assert not apn.is_dynamic(first)
    assert apn.take(4, "", "four") == ""
    apn.give_back(second)
    assert apn.take(4, "", "four") == second


def test_a_prefix_that_came_back_is_given_again() -> None:
    apn = addresses(ipv6="2001:db8:64::/63")
    paa = take(apn, PdnType.IPV6, Paa(PdnType.IPV6, ipv6="::"), "one", Dice("1"))
    assert isinstance(paa, Paa)
    assert take(apn, PdnType.IPV6, Paa(PdnType.IPV6, ipv6="::"), "two", Dice("1")) == _NO_MORE
    give_back(apn, paa)
    again = take(apn, PdnType.IPV6, Paa(PdnType.IPV6, ipv6="::"), "two", Dice("2"))
    assert isinstance(again, Paa)
    assert prefix_of(again) == prefix_of(paa)


@pytest.mark.parametrize(("version", "static"), [(4, "192.0.2.9"), (6, "2001:db8:9::")])
def test_an_apn_of_static_addresses_alone(version: int, static: str) -> None:
    apn = addresses(ipv4="", ipv6="", static=["192.0.2.9/32" if version == 4 else "2001:db8:9::/64"])
    assert (apn.has(4), apn.has(6)) == (version == 4, version == 6)
    assert apn.take(version, "", "one") == ""
    assert apn.take(version, static, "one") == static
    apn.give_back(static)
    assert apn.take(version, static, "two") == static


@pytest.mark.parametrize(
    ("address", "inner"),
    [
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("9.255.255.255", False),
        ("10.64.0.9", True),  # of a network inside another one
        ("198.51.100.7", True),  # of a pool
        ("198.51.101.0", False),
        ("0.0.0.1", False),
        ("255.255.255.255", False),
        ("2001:db8:64::1", True),
        ("2001:db8:65::1", False),
        ("::a00:1", False),  # 10.0.0.1 in other octets
    ],
)
def test_an_address_is_inner_if_a_network_has_it(address: str, *, inner: bool) -> None:
    networks = ["10.64.0.0/16", "10.0.0.0/8", "2001:db8:64::/48"]
    apn = Addresses(ApnConfig.model_validate({"inner_networks": networks}), {}, ["198.51.100.0/24"])
    assert apn.is_inner(ip_address(address).packed) is inner
