"""How much of a service a card is given, and who may have large data (guideline 1.3, 2.2.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.need import SMALL
from simwarden.policy.quota import judge_granted, judge_units, judge_volume

COUNTS = st.integers(0, 1 << 62)


@given(used=COUNTS, quota=COUNTS, asked=st.integers(1, 1 << 20))
def test_units_are_given_if_all_of_them_are_left(used: int, quota: int, asked: int) -> None:
    assert judge_units(used=used, quota=quota, asked=asked).admitted is (quota - used >= asked)


def test_who_has_no_quota_is_given_nothing() -> None:
    ruling = judge_units(used=0, quota=None)
    assert (ruling.admitted, ruling.details["expected"]) == (False, None)


@pytest.mark.parametrize(
    ("octets", "large", "admitted"),
    [
        (SMALL, False, True),
        (SMALL + 1, False, False),
        (SMALL + 1, True, True),
        (None, False, True),
        (0, False, True),
    ],
)
def test_small_data_are_a_hundred_megabytes_a_month(octets: int | None, *, large: bool, admitted: bool) -> None:
    assert judge_volume(octets=octets, large=large).admitted is admitted


@pytest.mark.parametrize(("units", "admitted"), [(0, False), (1, True)])
def test_packets_pass_by_what_is_granted(units: int, *, admitted: bool) -> None:
    assert judge_granted(units=units, why="result 4012").admitted is admitted
