"""Flow rules: which far ends they are about, and that no rule is no packet."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from simwarden.policy.access_list import Network
from simwarden.policy.flow_rule import ALL_FLOWS, FlowFilter, FlowRule, rule_of

TCP, UDP = 6, 17
SERVER = FlowRule("server", (FlowFilter(Network.parse("192.0.2.0/28"), TCP, range(443, 446)),))
PREFIX = FlowRule("prefix", (FlowFilter(Network.parse("2001:db8::/56")),))
NOTHING = FlowRule("nothing", ())


@pytest.mark.parametrize(
    ("protocol", "address", "port", "rule"),
    [
        (TCP, "192.0.2.0", 443, SERVER),
        (TCP, "192.0.2.15", 445, SERVER),
        (TCP, "192.0.2.16", 443, None),
        (TCP, "192.0.1.255", 443, None),
        (UDP, "192.0.2.0", 443, None),
        (TCP, "192.0.2.0", 442, None),
        (TCP, "192.0.2.0", 446, None),
        (UDP, "2001:db8:0:ff::1", 1, PREFIX),
        (UDP, "2001:db8:0:100::1", 1, None),
        (TCP, "::ffff:192.0.2.1", 443, None),
    ],
)
def test_a_rule_is_about_far_ends(protocol: int, address: str, port: int, rule: FlowRule | None) -> None:
    assert rule_of((NOTHING, SERVER, PREFIX), protocol, ip_address(address).packed, port) == rule


@pytest.mark.parametrize("rules", [(), (NOTHING,)])
def test_without_a_rule_nothing_passes(rules: tuple[FlowRule, ...]) -> None:
    assert rule_of(rules, TCP, b"\xc0\0\2\1", 443) is None


def test_the_first_rule_that_fits_counts() -> None:
    assert rule_of((SERVER, ALL_FLOWS), TCP, b"\xc0\0\2\1", 443) is SERVER
    assert rule_of((SERVER, ALL_FLOWS), UDP, b"\xc6\x33\x64\1", 53) is ALL_FLOWS
    assert rule_of((ALL_FLOWS,), UDP, ip_address("2001:db8::1").packed, 0) is ALL_FLOWS
