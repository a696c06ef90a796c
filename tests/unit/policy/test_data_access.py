"""Rulings on packets and on lists of destinations."""

from __future__ import annotations

import pytest

from simwarden.policy.access_list import Destination, under
from simwarden.policy.data_access import judge_denied, judge_destinations, judge_flow, judge_inbound
from simwarden.policy.flow_rule import FlowFilter, FlowRule

RULE = FlowRule("192.0.2.7:443", (FlowFilter(),))
TO = {"address": "192.0.2.7", "port": 443}


def test_packets_pass_by_a_rule_whose_gate_is_open() -> None:
    assert judge_flow(rule=RULE, open_=True, **TO).admitted  # type: ignore[arg-type]
    closed = judge_flow(rule=RULE, open_=False, **TO)  # type: ignore[arg-type]
    assert (closed.admitted, closed.reason) == (False, "the gate of rule 192.0.2.7:443 is closed in this direction")
    none = judge_flow(rule=None, open_=False, name="video.example", **TO)  # type: ignore[arg-type]
    assert none.reason == "no rule of the card lets it pass: it is with 192.0.2.7 port 443 and shows video.example"
    assert dict(none.details) == {"expected": "", "seen": "192.0.2.7", "port": 443, "name": "video.example"}


def test_what_denies() -> None:
    assert judge_denied(rule=None, **TO).admitted  # type: ignore[arg-type]
    assert judge_denied(rule=RULE, name="wx.example", **TO).reason.endswith("it is with wx.example")  # type: ignore[arg-type]


TEN = [f"192.0.2.{each}:443" for each in range(10)]


@pytest.mark.parametrize(
    ("entries", "approved", "admitted"),
    [
        ([], "", True),
        (TEN, "", True),
        ([*TEN, TEN[0]], "", True),
        ([*TEN, "a.example:443"], "", False),
        ([*TEN, "a.example:443"], "A-7", True),
        ([*TEN, "a.example:443"], " ", False),
        (["192.0.2.0/24:443"], "", True),
        (["192.0.2.0/23:443"], "", False),
        (["192.0.2.0/23:443"], "A-7", True),
        (["[2001:db8::]:443"], "", True),
        (["2001:db8::/55"], "", False),
        (["2001:db8::/56"], "", True),
        (["*.com.cn:443"], "", False),
        (["*"], "", False),
    ],
)
def test_how_long_and_wide_a_list_may_be(entries: list[str], approved: str, *, admitted: bool) -> None:
    assert judge_destinations(entries=entries, approved=approved).admitted is admitted


@pytest.mark.parametrize(
    ("text", "protocol", "ports", "path", "untold"),
    [
        ("https://a.example/x", 6, range(443, 444), "", "/x"),
        ("http://a.example/x/?q=1", 6, range(80, 81), "/x", ""),
        ("http://a.example:8080", 6, range(8080, 8081), "", ""),
        ("http://192.0.2.1/24", 6, range(80, 81), "/24", ""),
        ("udp://192.0.2.1:5683", 17, range(5683, 5684), "", ""),
        ("coaps://[2001:db8::1]", 17, range(5684, 5685), "", ""),
        ("a.example:443", None, range(443, 444), "", ""),
        ("192.0.2.0/28:443", None, range(443, 444), "", ""),
    ],
)
def test_what_a_scheme_says(text: str, protocol: int | None, ports: range | None, path: str, untold: str) -> None:
    found = Destination.parse(text)
    assert (found.protocol, found.ports, found.path, found.untold) == (protocol, ports, path, untold)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [("udp://192.0.2.1:1", "192.0.2.1:1"), ("http://a.example/x/y", "http://a.example/x")],
)
def test_an_entry_within_another(narrow: str, wide: str) -> None:
    one, other = map(Destination.parse, (narrow, wide))
    assert one.within(other)
    assert not other.within(one)


@pytest.mark.parametrize(
    ("path", "prefix", "below"),
    [
        ("/a", "", True),
        ("/a/b", "/a", True),
        ("/a?x=/../b", "/a", True),
        ("/%61", "/a", True),
        ("//a", "/a", True),
        ("/ab", "/a", False),
        ("/a/../b", "/a", False),
        ("/a/%2e%2e/b", "/a", False),
        ("/a/%252e%252e/b", "/a", False),
        ("/a\\..\\b", "/a", False),
        ("", "/a", False),
    ],
)
def test_paths(path: str, prefix: str, *, below: bool) -> None:
    assert under(path, prefix) is below


@pytest.mark.parametrize(("port", "end"), [(5683, "203.0.113.66 port 5683"), (0, "203.0.113.66")])
def test_reasons_name_a_port_only_where_the_protocol_has_ports(port: int, end: str) -> None:
    gate = judge_inbound(begun=False, listed=False, address="203.0.113.66", port=port)
    assert (gate.admitted, gate.reason) == (False, f"the device began no flow with {end}, which is no listed server")
    flow = judge_flow(rule=None, open_=False, address="203.0.113.66", port=port)
    assert (flow.admitted, flow.reason) == (False, f"no rule of the card lets it pass: it is with {end}")
