"""Numbers of dedicated ranges (2.1.1): how they are written, which range decides, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.number_ranges import (
    NumberRanges,
    judge_number,
    judge_numbers,
    known_ranges,
    national,
    subscriber_range,
)


@pytest.mark.parametrize("written", ["+861440000000001", "00861440000000001", "861440000000001", "1440000000001"])
def test_a_number_is_one_however_it_is_written(written: str) -> None:
    assert national(written) == "1440000000001"
    assert national(f" {written[:-5]}-{written[-5:]} ") == "1440000000001"
    assert judge_number(number=written).admitted


@pytest.mark.parametrize(
    "wrong", ["", "+", "one", "+441440000000001", "1440", "1" * 20, "１４４００００００００１", "+86+86144"]
)
def test_what_is_no_number_of_this_country_is_an_error(wrong: str) -> None:
    with pytest.raises(ValueError, match="number"):
        national(wrong)
    assert not wrong or not judge_number(number=wrong).admitted


@pytest.mark.parametrize(
    "number",
    [
        "1440000000001",
        "1441000000001",
        "1480000000001",
        "1460000000001",
        "1410000000001",
        "1064600000001",
        "1064900000001",
        "14760000001",
        "17240000001",
        "17890000001",
        "18490000001",
        "+86 14760000001",
        "",
    ],
)
def test_a_dedicated_number_may_be_issued(number: str) -> None:
    assert judge_number(number=number).admitted


@pytest.mark.parametrize(
    ("number", "seen"),
    [
        ("13800000000", "public mobile"),
        ("8613800000000", "public mobile"),
        ("14700000001", "data card"),
        ("14500000001", "data card"),
        ("14400000001", "public mobile"),  # two digits short of the 13 of its range
        ("147600000001", "no known range"),
        ("1420000000001", "no known range"),
        ("10645000000", "no known range"),  # a code of a service, which no subscriber has
        ("02100000000", "no known range"),
        ("19900000000", "public mobile"),
    ],
)
def test_any_other_number_may_not(number: str, seen: str) -> None:
    ruling = judge_number(number=number)
    assert not ruling.admitted
    assert ruling.details["seen"] == seen


@given(st.text(max_size=20))
def test_only_what_is_in_a_dedicated_range_is_let(text: str) -> None:
    if text.strip() and judge_number(number=text).admitted:
        found = known_ranges().find(national(text))
        assert found is not None
        assert found.dedicated


def test_many_are_let_together_or_not_at_all() -> None:
    assert judge_numbers(numbers=["1440000000001", ""]).admitted
    assert judge_numbers(numbers=[]).admitted
    assert judge_numbers(numbers=["1440000000001"]) == judge_number(number="1440000000001")
    assert not judge_numbers(numbers=["1440000000001", "13800000000"]).admitted
    refused = judge_numbers(numbers=["1440000000001", *[f"1380000000{n}" for n in range(7)]])
    assert not refused.admitted
    assert "13800000000 is a public mobile number" in refused.reason
    assert "and 2 more" in refused.reason


def test_only_those_that_are_not_named_are_counted() -> None:
    refused = judge_numbers(numbers=[f"1380000000{n}" for n in range(5)])
    assert "more" not in refused.reason
    assert all(f"1380000000{n}" in refused.reason for n in range(5))


@pytest.mark.parametrize("length", [1, 15])
def test_a_range_is_as_long_as_its_prefix_or_as_a_number_may_be(length: int) -> None:
    own = NumberRanges.parse(f'range = [{{prefix = "5", length = {length}, dedicated = true}}]')
    assert own.find("5" * length) is not None
    assert own.find("5" * (length + 1)) is None
    assert own.find("4" * length) is None


def test_many_numbers_are_judged_by_ranges_of_ones_own() -> None:
    own = NumberRanges.parse('country = "999"\nrange = [{prefix = "5", length = 9, dedicated = true}]')
    assert judge_numbers(numbers=["+999500000001", "+999500000002"], ranges=own).admitted
    assert not judge_numbers(numbers=["1440000000001", "1440000000002"], ranges=own).admitted


def test_the_range_of_a_subscriber_is_of_the_file_or_of_those_shipped() -> None:
    row = '{prefix = "5", length = 9, dedicated = true, kind = "lift", holder = "Fernweh"}'
    own = NumberRanges.parse(f'country = "999"\nrange = [{row}]')
    found = subscriber_range("500000001", own)
    assert found is not None
    assert (found.kind, found.holder) == ("lift", "Fernweh")
    assert subscriber_range("13800000000", own) is None
    public = subscriber_range("+8613800000000")
    assert public is not None
    assert (public.kind, public.dedicated) == ("public mobile", False)
    assert subscriber_range("10658000") is None
    assert subscriber_range("") is None


def test_a_file_of_ranges_takes_the_place_of_those_shipped() -> None:
    own = NumberRanges.parse('country = "999"\nrange = [{prefix = "5", length = 9, dedicated = true}]')
    assert judge_number(number="+999500000001", ranges=own).admitted
    assert not judge_number(number="1440000000001", ranges=own).admitted
    assert str(own.find("500000001")) == "5 (9 digits, IoT)"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "range = 3",
        "range = [3]",
        "range = []",
        'range = [{prefix = "1", length = 11}]',
        "range = [{prefix = 1, length = 11, dedicated = true}]",
        'range = [{prefix = "1", length = "11", dedicated = true}]',
        'range = [{prefix = "１", length = 11, dedicated = true}]',
        'range = [{prefix = "1", length = 0, dedicated = true}]',
        'range = [{prefix = "12", length = 1, dedicated = true}]',
        'range = [{prefix = "1", length = 16, dedicated = true}]',
        'range = [{prefix = "1", length = 11, dedicated = true, dedicatd = true}]',
        "range = [",
        'country = "cn"\nrange = [{prefix = "1", length = 11, dedicated = true}]',
    ],
)
def test_a_file_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        NumberRanges.parse(text)
