"""Core elements dedicated to IoT: by name, or by the address that a message comes from."""

from __future__ import annotations

import pytest

from simwarden.policy.core import judge_core_element, judge_core_number


@pytest.mark.parametrize(
    ("name", "host", "admitted"),
    [
        ("mme", "127.1.0.7", True),
        ("", "192.0.2.7", True),
        ("mme2", "192.0.2.7", True),
        ("mme2", "127.1.0.8", False),
        ("", "", False),
    ],
)
def test_an_element_is_listed_by_its_name_or_its_address(name: str, host: str, *, admitted: bool) -> None:
    ruling = judge_core_element(name=name, host=host, listed=["mme", "192.0.2.7"])
    assert ruling.admitted is admitted
    assert ruling.details == {"expected": ["192.0.2.7", "mme"], "seen": name}


@pytest.mark.parametrize(
    ("number", "seen"), [("1440000000001", "dedicated"), ("13800001111", "public"), (" ", "none"), ("", "none")]
)
def test_an_element_serves_cards_whose_number_is_told_and_dedicated(number: str, seen: str) -> None:
    ruling = judge_core_number(number=number)
    assert ruling.admitted is (seen == "dedicated")
