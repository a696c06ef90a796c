"""Access codes and their owners, cards and their lists, as rules: nothing leaks, or is blocked, by its spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.access_codes import (
    check_code,
    judge_bind,
    judge_card_owner,
    judge_code,
    judge_content,
    judge_list_age,
    judge_listed,
    judge_own_code,
    judge_rate,
)
from simwarden.policy.numbers import Party, PartyKind, party
from simwarden.policy.short_messages import judge_numbers

#: codes of services that are long enough to be no fixed line's number behind a country code
CODES = st.from_regex(r"106[0-35-9][0-9]{7,12}", fullmatch=True)
OTHERS = st.one_of(CODES, st.text(min_size=1).filter(str.strip), st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True))


def spellings(code: str) -> list[str]:
    return [code, f"86{code}", f"+86{code}", f"0086{code}", f" {code[:3]}-{code[3:]} "]


@given(code=CODES)
def test_a_code_is_one_however_it_is_written(code: str) -> None:
    for text in spellings(code):
        assert check_code(text) == code
        assert judge_code(account="a", owner="a", number=party(text)).admitted
        assert judge_listed(opened=True, number=party(text), listed={party(code)}).admitted


@given(code=st.from_regex(r"1(0[0-46-9]|1[0-9]|2[0-9])[0-9]{2,6}", fullmatch=True))
def test_a_short_code_is_one_with_and_without_its_country_code(code: str) -> None:
    assert {check_code(text) for text in (code, f"86{code}", f"{code[:2]} {code[2:]}")} == {code}


@given(code=CODES, other=OTHERS)
def test_another_number_is_never_the_code(code: str, other: str) -> None:
    number = party(other)
    listed = {party(code)}
    assert judge_listed(opened=True, number=number, listed=listed).admitted == (number == party(code))
    assert number != party(code) or check_code(other) == code


@given(code=CODES)
def test_a_text_of_the_same_digits_is_not_the_code(code: str) -> None:
    assert not judge_listed(opened=True, number=party(code, 5), listed={party(code)}).admitted


@pytest.mark.parametrize(
    "text", ["13800000000", "8614400000017", "+4915112345678", "BANK", "01065800012", "86", "+86", "+"]
)
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match="no access code"):
        check_code(text)


def test_an_empty_code_is_none() -> None:
    with pytest.raises(ValueError, match="without digits"):
        check_code(" ")


@pytest.mark.parametrize(
    ("account", "owner", "admitted", "expected", "said"),
    [
        ("a", "a", True, "a", "a code of a"),
        ("a", "b", False, "a", "no code of a"),
        ("a", "", False, "a", "no code of a"),
        ("", "b", True, "a code of the list", "a code of b"),
        ("", "", False, "a code of the list", "nobody's code"),
    ],
)
def test_whose_a_code_is(account: str, owner: str, admitted: bool, expected: str, said: str) -> None:  # noqa: FBT001
    ruling = judge_code(account=account, owner=owner, number=Party(PartyKind.CODE, "10658"))
    assert (ruling.admitted, ruling.reason) == (admitted, f"10658 is {said}")
    assert ruling.details == {"expected": expected, "seen": "10658"}


def test_a_platform_takes_what_is_for_its_own_code() -> None:
    assert judge_own_code(code=party("10658"), number=party("+8610658")).admitted
    assert not judge_own_code(code=party("10658"), number=party("10659")).admitted


@pytest.mark.parametrize(
    ("account", "owner", "admitted"), [("a", "a", True), ("a", "b", False), ("a", "", False), ("", "", False)]
)
def test_whose_a_card_is(account: str, owner: str, admitted: bool) -> None:  # noqa: FBT001 - a case
    assert judge_card_owner(account=account, owner=owner).admitted is admitted


def test_a_stranger_learns_nothing_of_a_card() -> None:
    other, none = (judge_card_owner(account="a", owner=owner) for owner in ("b", ""))
    assert (other.reason, dict(other.details)) == (none.reason, dict(none.details))


def test_sms_is_off_unless_opened() -> None:
    assert not judge_listed(opened=False, number=party("10658"), listed={party("10658")}).admitted


def test_a_bind() -> None:
    facts: dict[str, Any] = {"account": "a", "proven": True, "tries": 4, "most": 5, "here": True}
    assert judge_bind(**facts).admitted
    for wrong in ({"proven": False}, {"tries": 5}, {"here": False}):
        assert not judge_bind(**{**facts, **wrong}).admitted
    told = [judge_bind(**{**facts, "proven": False, "account": account}).reason for account in ("a", "")]
    assert told[0] == told[1]


def test_a_lists_age() -> None:
    assert judge_list_age(age=300, most=300).admitted
    assert not judge_list_age(age=300.5, most=300).admitted


def test_a_rate() -> None:
    assert [judge_rate(sent=sent, most=2).admitted for sent in range(4)] == [True, True, False, False]
    assert judge_rate(sent=10**6, most=0).admitted


def test_what_is_more_than_a_text_is_the_operators() -> None:
    assert judge_content(beyond_text="", ota=False).admitted
    assert judge_content(beyond_text="class 2", ota=True).admitted
    assert not judge_content(beyond_text="class 2", ota=False).admitted


@given(numbers=st.lists(CODES, max_size=8))
def test_a_list_is_counted_by_parties(numbers: list[str]) -> None:
    written = [text for code in numbers for text in spellings(code)]
    few = len({party(each) for each in numbers}) <= 5
    assert judge_numbers(numbers=written, most=5).admitted is few
    assert judge_numbers(numbers=written, most=5, approved="He Lan").admitted
    assert not judge_numbers(numbers=[*written, "13800000000"], most=50, approved="He Lan").admitted
