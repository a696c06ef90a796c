"""Flow-Description: what RFC 6733 4.3.1 and TS 29.212 5.4.2 let it say, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import budget
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.model.network import Network
from simwarden.wire.diameter.filter_rule import FilterRule

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

PORTS = st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 300)), max_size=5).map(
    lambda pairs: tuple(range(first, min(first + more, 65535) + 1) for first, more in pairs)
)


def _network(each: tuple[IPv4Address | IPv6Address, int]) -> Network:
    address, length = each
    return Network.parse(f"{address}/{length}")


HOSTS = st.one_of(
    st.none(),
    st.just("assigned"),
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(_network),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(_network),
)
RULES = st.builds(FilterRule, st.none() | st.integers(0, 255), HOSTS, PORTS, HOSTS, PORTS)


@settings(max_examples=budget.examples(100))
@given(rule=RULES)
def test_what_is_written_is_read(rule: FilterRule) -> None:
    assert FilterRule.parse(str(rule)) == rule


#: as others write them: RFC 6733's address, and what public PCRFs send
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("permit out ip from any to assigned", FilterRule()),
        ("permit out ip from any to any", FilterRule(local=None)),
        ("permit out 17 from 192.0.2.10/24 to assigned", None),  # bits beyond the mask: RFC 6733 4.3.1
        ("permit out 17 from 192.0.2.0/24 to assigned", FilterRule(17, Network.parse("192.0.2.0/24"))),
        (
            "permit out 6 from 2001:db8:cafe::7 443,8000-8100 to 10.45.0.3 1-65535",
            FilterRule(
                6,
                Network.parse("2001:db8:cafe::7"),
                (range(443, 444), range(8000, 8101)),
                Network.parse("10.45.0.3"),
                (range(1, 65536),),
            ),
        ),
        ("  permit  out 17 from  any   to assigned ", FilterRule(17)),
    ],
)
def test_of_others(text: str, rule: FilterRule | None) -> None:
    if rule is None:
        with pytest.raises(PeerError):
            FilterRule.parse(text)
    else:
        assert FilterRule.parse(text) == rule


LYING = [
    "",
    " ",
    "permit",
    "permit out",
    "permit out ip",
    "permit out ip from",
    "permit out ip from any",
    "permit out ip from any to",
    "permit out ip from to any",
    "permit out from any to assigned",
    "permit in ip from any to assigned",
    "deny out ip from any to assigned",
    "PERMIT OUT IP FROM ANY TO ASSIGNED",
    "permit out tcp from any to assigned",
    "permit out 256 from any to assigned",
    "permit out 999 from any to assigned",
    "permit out -1 from any to assigned",
    "permit out 6 from !192.0.2.1 to assigned",
    "permit out 6 from ! 192.0.2.1 to assigned",
    "permit out 6 from 192.0.2 to assigned",
    "permit out 6 from 192.0.2.256 to assigned",
    "permit out 6 from 192.0.2.1/33 to assigned",
    "permit out 6 from 192.0.2.0/255.255.255.0 to assigned",
    "permit out 6 from 192.0.2.0/0.0.0.255 to assigned",
    "permit out 6 from 192.0.2.0/ to assigned",
    "permit out 6 from /24 to assigned",
    "permit out 6 from 2001:db8::/129 to assigned",
    "permit out 6 from fe80::1%eth0 to assigned",
    "permit out 6 from ::1::1 to assigned",
    "permit out 6 from any 0-65536 to assigned",
    "permit out 6 from any 443-80 to assigned",
    "permit out 6 from any 443- to assigned",
    "permit out 6 from any -443 to assigned",
    "permit out 6 from any 443, to assigned",
    "permit out 6 from any ,443 to assigned",
    "permit out 6 from any 443,,80 to assigned",
    "permit out 6 from any 443--445 to assigned",
    "permit out 6 from any 443 80 to assigned",
    "permit out 6 from any 443 to assigned frag",
    "permit out 6 from any 443 to assigned established",
    "permit out 6 from any 443 to assigned\n",
    "permit out 6 from any 443 to assigned\0",
    "permit\tout 6 from any 443 to assigned",
    "permit out 6 from any \u0664\u0664\u0663 to assigned",
    "permit out \u0666 from any to assigned",
    "permit out 6 from any " + ",".join(["443"] * 400) + " to assigned",
    "permit out ip from any to assigned" + " " * 2000,
    "permit out ip from any to assigned; permit out ip from any to any",
]


@pytest.mark.parametrize("text", LYING)
def test_what_lies_is_refused(text: str) -> None:
    with pytest.raises(PeerError):
        FilterRule.parse(text)


WORDS = st.sampled_from([
    *("permit", "deny", "out", "in", "ip", "6", "17", "from", "to", "any", "assigned", "!", "192.0.2.1", "0.0.0.0/0"),
    *("::/0", "2001:db8::1", "443", "1-65535", ",", "frag", "/", "-", "999999999999", ""),
])  # fmt: skip


@settings(max_examples=budget.examples(200))
@given(text=st.text(max_size=60) | st.lists(WORDS, max_size=12).map(" ".join))
@example(text="permit out ip from any to assigned")
def test_any_text_is_a_rule_or_a_peer_error(text: str) -> None:
    try:
        rule = FilterRule.parse(text)
    except PeerError:
        return
    assert FilterRule.parse(str(rule)) == rule
