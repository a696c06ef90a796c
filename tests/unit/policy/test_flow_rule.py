"""Flow rules: which far ends they are about, and which rules the lists of a card stand for."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from simwarden.model.network import Network
from simwarden.policy.access_list import Destination
from simwarden.policy.flow_rule import ALL_FLOWS, FarEnd, FlowFilter, FlowRule, names_allowed, questions, rules_of

TCP, UDP = 6, 17
SERVER = FlowFilter(Network.parse("192.0.2.0/28"), TCP, range(443, 446))
PREFIX = FlowFilter(Network.parse("2001:db8::/56"))


@pytest.mark.parametrize(
    ("filter_", "protocol", "address", "port", "fits"),
    [
        (SERVER, TCP, "192.0.2.0", 443, True),
        (SERVER, TCP, "192.0.2.15", 445, True),
        (SERVER, TCP, "192.0.2.16", 443, False),
        (SERVER, TCP, "192.0.1.255", 443, False),
        (SERVER, UDP, "192.0.2.0", 443, False),
        (SERVER, TCP, "192.0.2.0", 442, False),
        (SERVER, TCP, "192.0.2.0", 446, False),
        (SERVER, TCP, "::ffff:192.0.2.1", 443, False),
        (PREFIX, UDP, "2001:db8:0:ff::1", 1, True),
        (PREFIX, UDP, "2001:db8:0:100::1", 1, False),
        (FlowFilter(), 50, "2001:db8::1", 0, True),
    ],
)
def test_a_filter_is_about_far_ends(filter_: FlowFilter, protocol: int, address: str, port: int, *, fits: bool) -> None:
    flow = FarEnd(protocol, ip_address(address).packed, port)
    assert filter_.fits(flow, up=True) is filter_.fits(flow, up=False) is fits


def test_a_filter_may_be_about_one_direction_and_the_devices_port() -> None:
    flow = FarEnd(UDP, b"\xc0\0\2\1", 5683, 40000)
    assert FlowFilter(down=False).fits(flow, up=True)
    assert not FlowFilter(down=False).fits(flow, up=False)
    assert FlowFilter(local_ports=range(40000, 40001)).fits(flow, up=True)
    assert not FlowFilter(local_ports=range(5683, 5684)).fits(flow, up=True)


def entries(*texts: str) -> list[Destination]:
    return [Destination.parse(each) for each in texts]


def test_what_lists_stand_for() -> None:
    denied, by_name, by_address = rules_of(
        entries("https://up.example.net/firmware", "udp://192.0.2.7:5683"), entries("http://*.video.example/live")
    )
    assert by_name == FlowRule(
        "https://up.example.net/firmware",
        (FlowFilter(None, TCP, range(443, 444), name="up.example.net", says=True),),
        1000,
    )
    assert by_address.filters == (FlowFilter(Network.parse("192.0.2.7"), UDP, range(5683, 5684)),)
    assert denied.filters == (FlowFilter(None, TCP, range(80, 81), name="*.video.example", path="/live", says=True),)
    assert (denied.up, denied.down, denied.denies) == (False, False, True)
    assert denied.precedence < by_name.precedence < by_address.precedence


def test_what_is_denied_comes_before_all_that_is_allowed_however_long_the_list_is() -> None:
    denied = entries(*(f"203.0.113.{number % 256}:{1 + number}" for number in range(1000)))
    rules = rules_of(entries("192.0.2.7:5683"), denied)
    assert {each.denies for each in rules[:-1]} == {True}
    assert max(each.precedence for each in rules[:-1]) < rules[-1].precedence


def test_a_denied_name_is_not_asked_for_either() -> None:
    (denied, rest) = rules_of(None, entries("wx.example"))
    assert denied.filters == (FlowFilter(name="wx.example"), *questions("wx.example"))
    assert rest is ALL_FLOWS
    assert {each.protocol for each in questions("wx.example")} == {TCP, UDP}


def test_without_a_list_all_passes_and_by_an_empty_one_nothing() -> None:
    assert rules_of(None) == (ALL_FLOWS,)
    assert rules_of(()) == ()
    assert [each.filters for each in rules_of(entries("*"))] == [(FlowFilter(),)]


def test_names_that_may_be_asked_for() -> None:
    rules = rules_of(entries("a.example:1", "192.0.2.1:1", "*.b.example:2", "a.example:3"), entries("c.example"))
    assert names_allowed(rules) == ("a.example", "*.b.example")
