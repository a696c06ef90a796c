"""Forms of numbers between the radio, MAP, CAP and SIP."""

from __future__ import annotations

import pytest

from simulators.ssp import numbers as n
from simwarden.policy.numbers import PartyKind
from simwarden.wire.isup import Number
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.tbcd import AddressString


@pytest.mark.parametrize(
    ("digits", "nature", "international", "written"),
    [
        ("13800001111", 0, "8613800001111", "+8613800001111"),
        ("8613800001111", 1, "8613800001111", "+8613800001111"),
        ("01065800012", 0, "861065800012", "+861065800012"),
        ("4930123456", 1, "4930123456", "+4930123456"),
        ("10086", 0, "10086", "10086"),
        ("*21#", 0, "*21#", "*21#"),
        ("", 0, "?", "?"),
    ],
)
def test_numbers_are_written_with_their_country_where_they_have_one(
    digits: str, nature: int, international: str, written: str
) -> None:
    address = AddressString(digits, nature)
    assert (n.international(address), n.written(address)) == (international, written)


@pytest.mark.parametrize(
    ("number", "address", "back"),
    [
        (Number("8613800001111", 4), AddressString("8613800001111", 1), 4),
        (Number("1065800012", 3), AddressString("1065800012", 2), 3),
        (Number("10086", 2), AddressString("10086", 0), 2),
        (Number("10086", 1), AddressString("10086", 0), 2),
    ],
)
def test_natures_of_address_are_types_of_number(number: Number, address: AddressString, back: int) -> None:
    assert n.address_of(number) == address
    assert n.number_of(address, presentation=1, screening=3) == Number(number.digits, back, presentation=1, screening=3)


def test_who_is_the_same_in_other_forms() -> None:
    one = AddressString("013800001111", 0)
    assert n.is_same(one, AddressString("8613800001111", 1))
    assert not n.is_same(one, AddressString("13800001112", 0))
    assert n.who(AddressString("", 0)).kind is PartyKind.TEXT


def test_uris_say_by_a_plus_that_a_number_is_international() -> None:
    assert (n.read("+8610086"), n.read("10086")) == (AddressString("8610086", 1), AddressString("10086", 0))


def test_the_longest_prefix_counts() -> None:
    assert [n.longest("86144", each) for each in (["86", "8614", "1"], [""], ["1"], [])] == [4, 0, -1, -1]


@pytest.mark.parametrize(
    ("digits", "may"), [("1" * 15, True), ("1" * 16, False), ("1*", False), ("١", False), ("", False)]
)
def test_what_may_be_a_number_of_the_telephone_network(digits: str, *, may: bool) -> None:
    assert n.is_e164(digits) is may


def test_causes_have_their_names_where_they_have_one() -> None:
    assert n.cause_of(Cause(16)) is CauseValue.NORMAL_CALL_CLEARING
    assert n.cause_of(Cause(126)) == 126
