"""Networks: read as Python's ipaddress reads them, by bits."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import budget
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simwarden.model.network import Network

PARTS = st.sampled_from(
    ["0", "00", "1", "01", "9", "10", "192", "255", "256", "999", "1000", "", "x", "\u0661", "+1", " 1"]
)
PLAIN = st.builds(".".join, st.lists(PARTS, min_size=3, max_size=5))
SIX = st.sampled_from(["::", "2001:db8::7", "2001:DB8:0:0::7", "::ffff:192.0.2.1", "1::2::3"])
LENGTHS = st.sampled_from(
    ["", "/", "/0", "/00", "/8", "/08", "/24", "/32", "/33", "/99", "/100", "/128", "/255.255.255.0", "/-1"]
)


@settings(max_examples=budget.examples(300))
@given(host=PLAIN | SIX | st.ip_addresses().map(str), length=LENGTHS, strict=st.booleans())
@example(host="192.0.2.1", length="/24", strict=True)
@example(host="192.0.2.1", length="/24", strict=False)
def test_what_is_a_network_is_what_python_takes(host: str, length: str, *, strict: bool) -> None:
    try:
        wanted = ip_network(host + length, strict=strict)
    except ValueError:
        with pytest.raises(ValueError, match=r"does not appear|has host bits"):
            Network.parse(host + length, strict=strict)
        return
    found = Network.parse(host + length, strict=strict)
    assert found == (int(wanted.network_address), wanted.prefixlen, wanted.max_prefixlen)
    assert str(found) == str(wanted)
    assert Network.parse(str(found), strict=True) == found


@settings(max_examples=budget.examples(100))
@given(
    address=st.ip_addresses(),
    lengths=st.tuples(st.integers(0, 128), st.integers(0, 128)),
    other=st.ip_addresses(),
)
def test_within_and_has(address: object, lengths: tuple[int, int], other: object) -> None:
    one, two = (
        ip_network(f"{each}/{min(length, ip_address(str(each)).max_prefixlen)}", strict=False)
        for each, length in zip((address, other), lengths, strict=True)
    )
    mine, its = Network.parse(str(one)), Network.parse(str(two))
    assert its.has(ip_address(str(other)).packed)
    assert mine.has(ip_address(str(other)).packed) == (ip_address(str(other)) in one)
    assert mine.within(its) == (one.version == two.version and one.subnet_of(two))  # type: ignore[arg-type]
