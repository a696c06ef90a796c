"""With whom a card has calls, when, and for how long: each rule from both sides of its bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.calls import (
    EMERGENCY,
    is_emergency,
    judge_call_hours,
    judge_call_numbers,
    judge_call_party,
    judge_call_state,
    judge_call_time,
    judge_pin,
    judge_same_owner,
    judge_ssp,
    span_of,
)
from simwarden.policy.numbers import TypeOfNumber, party

LIFT = "01065800012"


def test_voice_is_off_without_a_list_and_an_empty_one_lists_nobody() -> None:
    for listed in (None, ()):
        assert not judge_call_party(number=LIFT, listed=listed).admitted
    listed_alone = judge_call_party(number=LIFT, listed=[LIFT])
    assert (listed_alone.admitted, listed_alone.details["seen"]) == (True, LIFT)
    assert judge_call_party(number=LIFT, listed=(), undirected=True).admitted
    assert not judge_call_party(number=LIFT, listed=None, undirected=True).admitted


def test_nobody_is_never_listed() -> None:
    assert not judge_call_party(number="", listed=[LIFT]).admitted
    refused = judge_call_party(number="  ", listed=[LIFT])
    assert (refused.admitted, refused.details["seen"]) == (False, "none")
    assert refused.reason == "there is no number that the network has verified"


@given(st.text("0123456789+*# -", min_size=1, max_size=18), st.sampled_from(TypeOfNumber))
def test_nothing_else_is_let_through_by_its_spelling(number: str, ton: TypeOfNumber) -> None:
    ruling = judge_call_party(number=number, ton=ton, listed=[LIFT])
    assert ruling.admitted is (bool(number.strip()) and party(number, ton) == party(LIFT))


@given(st.text("0123456789+*#abc ", max_size=6), st.sampled_from(TypeOfNumber))
def test_emergency_numbers_are_whole(number: str, ton: TypeOfNumber) -> None:
    assert is_emergency(number, ton) is (number in EMERGENCY and ton is not TypeOfNumber.INTERNATIONAL)


@pytest.mark.parametrize("number", ["110", "119", "120", "122"])
def test_emergency_numbers_are_those_of_the_country(number: str) -> None:
    assert is_emergency(number)
    assert is_emergency(number, TypeOfNumber.NATIONAL)
    assert not is_emergency(number, TypeOfNumber.INTERNATIONAL)  # a country code begins with it
    assert not is_emergency(number + "0")


def test_an_emergency_number_needs_no_list() -> None:
    assert judge_call_party(number="110", listed=None, emergency=True).admitted
    assert not judge_call_party(number="110", listed=None).admitted


def test_five_parties() -> None:
    five = [f"0106580001{each}" for each in range(5)]
    assert judge_call_numbers(numbers=[*five, "+861065800010"]).admitted
    assert not judge_call_numbers(numbers=[*five, "01065800019"]).admitted
    assert judge_call_numbers(numbers=[*five, "01065800019"], approved="E-7").admitted
    assert not judge_call_numbers(numbers=[*five, "01065800019"], approved=" ").admitted
    said = [judge_call_numbers(numbers=five, approved=approved).reason for approved in ("E-7", " ")]
    assert said == ["5 numbers, approved: E-7", "5 numbers"]


def test_time_ends_at_the_quota() -> None:
    assert judge_call_time(used=599, quota=600).admitted
    assert not judge_call_time(used=600, quota=600).admitted
    unlimited = judge_call_time(used=10**9, quota=0)
    assert (unlimited.admitted, unlimited.reason) == (True, "no quota is set")
    assert judge_call_time(used=599, quota=600).reason == "the quota allows it"


def test_a_suspended_card_has_no_calls_whatever_the_reason() -> None:
    assert judge_call_state(suspended=None).admitted
    assert not judge_call_state(suspended="").admitted


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("08:00-18:00", (480, 1079), (479, 1080, 0)),
        ("22:00-06:00", (1320, 0, 359), (360, 1319)),
        ("00:00-24:00", (0, 1439), ()),
    ],
)
def test_hours(hours: str, inside: tuple[int, ...], outside: tuple[int, ...]) -> None:
    for minute in inside:
        assert judge_call_hours(minute=minute, hours=hours).admitted
    for minute in outside:
        assert not judge_call_hours(minute=minute, hours=hours).admitted


@pytest.mark.parametrize("hours", ["", "8:00-18:00", "08:00-08:00", "08:00-24:01", "24:00-08:00", "08:60-09:00"])
def test_hours_that_are_none(hours: str) -> None:
    with pytest.raises(ValueError, match="span"):
        span_of(hours)


def test_a_pin_counts_its_tries() -> None:
    assert judge_pin(right=True, tried=3, most=3).admitted
    assert not judge_pin(right=False, tried=1, most=3).admitted


def test_owners_and_exchanges() -> None:
    assert judge_same_owner(began="lifts", account="lifts").admitted
    assert not judge_same_owner(began="lifts", account="").admitted
    known = judge_ssp(ssp="ssp", listed=["ssp"])
    assert (known.admitted, known.details["seen"]) == (True, "ssp")
    nameless = judge_ssp(ssp="", listed=["ssp"])
    assert (nameless.admitted, nameless.details["seen"]) == (False, "none")
