"""With whom a card exchanges messages: numbers in every spelling, lists, centres, codes and quotas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.numbers import TypeOfNumber
from simwarden.policy.short_messages import (
    judge_correspondent,
    judge_gateway,
    judge_message_quota,
    judge_numbers,
    judge_originator,
    judge_service_centre,
    judge_sms_registration,
)

CODE = "10658000"
CENTRES = {"smsc.example.net": "+8613800100500"}
_SPELLINGS = ("{}", "+86{}", "0086{}", "86{}", " {} ")


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_listed_card_is_found_in_every_spelling(spelling: str) -> None:
    number = spelling.format("13800138000")
    assert judge_correspondent(number=number, listed=["013800138000"]).admitted
    assert not judge_correspondent(number=number, listed=["13800138001"]).admitted


@given(st.text("0123456789+ -", min_size=1, max_size=18), st.sampled_from(TypeOfNumber))
def test_nothing_else_is_let_through_by_its_spelling(number: str, ton: TypeOfNumber) -> None:
    ruling = judge_correspondent(number=number, ton=ton, listed=[CODE])
    digits = "".join(each for each in number if each.isdigit())
    assert not ruling.admitted or digits.removeprefix("00").removeprefix("86").lstrip("0") == CODE


def test_text_that_looks_like_the_code_is_not_it() -> None:
    assert not judge_correspondent(number=CODE, ton=TypeOfNumber.ALPHANUMERIC, listed=[CODE]).admitted
    assert not judge_originator(number=CODE, ton=TypeOfNumber.ALPHANUMERIC, codes=[CODE]).admitted


def test_card_without_a_list_has_no_messages_and_an_undirected_one_all() -> None:
    assert not judge_correspondent(number=CODE, listed=None).admitted
    assert not judge_correspondent(number=CODE, listed=None, undirected=True).admitted
    assert judge_correspondent(number="13800138000", listed=[], undirected=True).admitted
    assert not judge_correspondent(number="", listed=[CODE]).admitted


def test_centre_is_judged_by_address_and_by_who_asks() -> None:
    assert judge_service_centre(address="8613800100500", centres=CENTRES).admitted
    assert not judge_service_centre(address="+447785016005", centres=CENTRES).admitted
    assert not judge_service_centre(address="", centres=CENTRES).admitted
    assert judge_service_centre(address="8613800100500", centres=CENTRES, host="smsc.example.net").admitted
    assert not judge_service_centre(address="8613800100500", centres=CENTRES, host="other.example.net").admitted
    assert not judge_service_centre(address="+447785016005", centres=CENTRES, host="smsc.example.net").admitted
    two = CENTRES | {"smsc2.example.net": "+8613800200500"}
    for host, admitted in ((None, True), ("smsc.example.net", False), ("smsc2.example.net", True)):
        assert judge_service_centre(address="+8613800200500", centres=two, host=host).admitted is admitted


def test_list_has_five_numbers_of_platforms_in_principle() -> None:
    five = [f"1065800{number}" for number in range(5)]
    assert judge_numbers(numbers=five).admitted
    assert judge_numbers(numbers=[*five, "+8610658000"]).admitted  # one of them, written in another way
    assert not judge_numbers(numbers=[*five, "10658009"]).admitted
    assert judge_numbers(numbers=[*five, "10658009"], approved="E-7").admitted
    assert not judge_numbers(numbers=["13800138000"]).admitted
    assert not judge_numbers(numbers=["alarm"]).admitted
    assert not judge_numbers(numbers=["13800138000"], approved="E-7").admitted
    assert not judge_numbers(numbers=[*five, "10658009"], approved=" ").admitted
    said = [judge_numbers(numbers=five, approved=approved).reason for approved in ("E-7", " ")]
    assert said == ["5 numbers, approved: E-7", "5 numbers"]


def test_gateway_sends_by_its_codes_and_by_what_extends_them() -> None:
    own = judge_originator(number="+86106580001234", codes=["1065800", "1069012"])
    assert (own.admitted, own.details["seen"]) == (True, "+86106580001234")
    assert judge_originator(number="+8613800138000", codes=["13800138000"]).admitted
    assert not judge_originator(number="1065801", codes=["1065800"]).admitted
    nobody = judge_originator(number="", codes=["1065800"])
    assert (nobody.admitted, nobody.details["seen"]) == (False, "none")
    assert not judge_originator(number="13800138000", codes=["138"]).admitted


@pytest.mark.parametrize(
    ("number", "others", "admitted"),
    [
        ("10658000", [CODE + "123"], True),
        ("1065800012", [CODE + "123"], True),
        ("10658000123", [CODE + "123"], False),
        ("8610658000123", [CODE + "123"], False),
        ("106580001234", [CODE + "123"], False),
        ("106580001234", ["106580", "10659"], True),
    ],
)
def test_longest_code_decides_which_gateway_sends(number: str, others: list[str], *, admitted: bool) -> None:
    assert judge_originator(number=number, codes=[CODE], others=others).admitted is admitted


@pytest.mark.parametrize("code", ["10658000", "106580001", "1065800012", "10658000123"])
@pytest.mark.parametrize(("spelling", "ton"), [("{}", 0), ("86{}", 0), ("+86{}", 0), ("0086{}", 0), ("86{}", 1)])
def test_listed_code_is_found_with_and_without_country_code(code: str, spelling: str, ton: int) -> None:
    number = spelling.format(code)
    assert judge_correspondent(number=number, ton=ton, listed=["10659999", code]).admitted
    assert not judge_correspondent(number=number, ton=ton, listed=[code + "7", code[:-1]]).admitted


@pytest.mark.parametrize("code", ["10658000", "106580001", "1065800012"])
def test_list_entry_with_country_code_names_the_code(code: str) -> None:
    assert judge_correspondent(number=code, listed=[f"86{code}"]).admitted


@pytest.mark.parametrize("number", ["+4410658000", "0010658000", "01065800012", "8613800138000", "1065800012"])
def test_number_of_another_party_is_not_a_listed_code(number: str) -> None:
    assert not judge_correspondent(number=number, listed=["10658000", "13800138001"]).admitted


def test_fixed_line_with_the_digits_of_a_code_is_no_sender() -> None:
    assert not judge_originator(number="+861065800012", codes=["1065800012", CODE]).admitted


def test_registration_and_quota() -> None:
    assert judge_sms_registration(opened=True).admitted
    assert not judge_sms_registration(opened=False).admitted
    assert not judge_sms_registration(opened=True, voice=True).admitted
    assert judge_message_quota(used=8, parts=2, quota=10).admitted
    assert not judge_message_quota(used=9, parts=2, quota=10).admitted
    unlimited = judge_message_quota(used=9999, parts=2, quota=0)
    assert (unlimited.admitted, unlimited.reason) == (True, "no quota is set")
    assert judge_message_quota(used=0, parts=1, quota=10).reason == "the quota allows it"


@pytest.mark.parametrize(
    ("system_id", "proven", "tries", "admitted", "seen"),
    [
        ("meters", True, 4, True, "meters"),
        ("meters", True, 5, False, "too many"),
        ("meters", False, 0, False, "meters"),
        ("others", True, 0, False, "others"),
        ("", True, 0, False, "none"),
    ],
)
def test_a_gateway_binds_by_its_name_and_password(
    system_id: str, tries: int, seen: str, *, proven: bool, admitted: bool
) -> None:
    ruling = judge_gateway(system_id=system_id, listed={"meters"}, proven=proven, tries=tries, most=5)
    assert (ruling.admitted, ruling.details["seen"]) == (admitted, seen)
