"""Nothing leaks or is blocked by the way in which a number is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.number_ranges import national
from simwarden.policy.numbers import Party, PartyKind, TypeOfNumber, international, party

SUBSCRIBERS = st.one_of(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"14(10|40|41|6[0-9]|8[0-9])[0-9]{9}", fullmatch=True),
    st.from_regex(r"1064[6-9][0-9]{8}", fullmatch=True),
)
#: codes of services; ten digits that begin with 10 are Beijing's where a country code is said
CODES = st.from_regex(r"106([0-9]{2,3}|[0-9]{6}|[0-35-9][0-9]{7,12})|(100|123|95[0-9])[0-9]{2}", fullmatch=True).filter(
    lambda code: not (len(code) == 10 and code.startswith("10"))
)
FIXED = st.from_regex(r"10[0-9]{8}|2[0-9]{9}|[3-9][0-9]{9,10}", fullmatch=True)


def spellings(number: str) -> list[tuple[str, int]]:
    """Ways to write a subscriber's number: with each type of number that fits."""
    spaced = f"{number[:3]} {number[3:7]}-{number[7:]}"
    return [
        (number, TypeOfNumber.UNKNOWN),
        (spaced, TypeOfNumber.UNKNOWN),
        (f"0{number}", TypeOfNumber.UNKNOWN),
        (f"86{number}", TypeOfNumber.UNKNOWN),
        (f"+86{number}", TypeOfNumber.UNKNOWN),
        (f"+86 {spaced}", TypeOfNumber.UNKNOWN),
        (f"+860{number}", TypeOfNumber.UNKNOWN),
        (f"0086{number}", TypeOfNumber.UNKNOWN),
        (f"86{number}", TypeOfNumber.INTERNATIONAL),
        (f"+86{number}", TypeOfNumber.INTERNATIONAL),
        (f"0086{number}", TypeOfNumber.INTERNATIONAL),
        (number, TypeOfNumber.NATIONAL),
        (f"0{number}", TypeOfNumber.NATIONAL),
        (f"86{number}", TypeOfNumber.NATIONAL),
        (number, TypeOfNumber.SUBSCRIBER),
        (number, TypeOfNumber.NETWORK_SPECIFIC),
    ]


def code_spellings(code: str) -> list[tuple[str, int]]:
    plain = [(code, ton) for ton in TypeOfNumber if ton not in (TypeOfNumber.INTERNATIONAL, TypeOfNumber.ALPHANUMERIC)]
    return [*plain, (f"+86{code}", 0), (f"0086{code}", 0), (f"86{code}", TypeOfNumber.INTERNATIONAL)]


def written(number: str) -> list[tuple[str, int]]:
    return spellings(number) if party(number).kind is PartyKind.SUBSCRIBER else [(number, 0)]


@given(number=SUBSCRIBERS)
def test_a_subscriber_is_one_however_written(number: str) -> None:
    assert {party(*each) for each in spellings(number)} == {Party(PartyKind.SUBSCRIBER, number)}


@given(code=CODES)
def test_a_code_is_one_however_written(code: str) -> None:
    assert {party(*each) for each in code_spellings(code)} == {Party(PartyKind.CODE, code)}


@given(number=FIXED)
def test_a_fixed_line_is_one_however_written(number: str) -> None:
    written = [
        (f"0{number}", 0),
        (f"+86{number}", 0),
        (f"0086{number}", 0),
        (f"86{number}", 1),
        (number, 2),
        (f"0{number}", 2),
    ]
    assert {party(*each) for each in written} == {Party(PartyKind.FIXED_LINE, number)}


@given(one=SUBSCRIBERS | CODES | FIXED, other=SUBSCRIBERS | CODES | FIXED)
def test_two_are_never_one(one: str, other: str) -> None:
    if one == other:
        return
    mine, theirs = ({party(*each) for each in written(number)} for number in (one, other))
    assert not mine & theirs


@given(number=SUBSCRIBERS)
def test_cards_are_named_as_when_they_are_issued(number: str) -> None:
    for text in (number, f"86{number}", f"+86 {number}", f"0086{number}"):
        assert party(text).number == national(text)


@given(text=st.text(min_size=1, max_size=30), ton=st.sampled_from(TypeOfNumber))
def test_whatever_is_written_is_somebody(text: str, ton: int) -> None:
    if not text.strip():
        with pytest.raises(ValueError, match="without digits"):
            party(text, ton)
        return
    found = party(text, ton)
    if found.kind is not PartyKind.TEXT:
        assert found.number.isascii()
        assert found.number.isdigit() or found.number == ""


@given(number=SUBSCRIBERS | CODES)
def test_a_text_is_nobodys_number(number: str) -> None:
    assert party(number, TypeOfNumber.ALPHANUMERIC) == Party(PartyKind.TEXT, number)
    assert party(f"{number}a").kind is PartyKind.TEXT
    assert party(number.translate({48 + each: 0xFF10 + each for each in range(10)})).kind is PartyKind.TEXT


@pytest.mark.parametrize(
    ("text", "ton", "expected"),
    [
        ("1065800012", 0, Party(PartyKind.CODE, "1065800012")),
        ("01065800012", 0, Party(PartyKind.FIXED_LINE, "1065800012")),  # Beijing, 6580 0012
        ("+861065800012", 0, Party(PartyKind.FIXED_LINE, "1065800012")),
        ("10086", 6, Party(PartyKind.CODE, "10086")),
        ("8610086", 0, Party(PartyKind.CODE, "8610086")),  # a local number, as far as anybody can tell
        ("8610086", 1, Party(PartyKind.CODE, "10086")),
        ("86123456789", 0, Party(PartyKind.CODE, "86123456789")),  # no longer than a number of this country
        ("861234567890", 0, Party(PartyKind.CODE, "1234567890")),
        ("8610658000123", 0, Party(PartyKind.CODE, "10658000123")),  # as some gateways write it
        ("+868613800138000", 0, Party(PartyKind.CODE, "8613800138000")),  # a country has one code
        ("868613800138000", 0, Party(PartyKind.CODE, "8613800138000")),
        ("+85212345678", 0, Party(PartyKind.FOREIGN, "85212345678")),
        ("0085212345678", 0, Party(PartyKind.FOREIGN, "85212345678")),
        ("85212345678", 1, Party(PartyKind.FOREIGN, "85212345678")),
        ("110", 0, Party(PartyKind.CODE, "110")),
        ("*#06#", 0, Party(PartyKind.TEXT, "*#06#")),
        ("1065800012", 2, Party(PartyKind.FIXED_LINE, "1065800012")),
        ("10086", 2, Party(PartyKind.CODE, "10086")),
        ("1" * 20, 0, Party(PartyKind.CODE, "1" * 20)),
        ("1" * 21, 0, Party(PartyKind.TEXT, "1" * 21)),
    ],
)
def test_numbers_of_the_field(text: str, ton: int, expected: Party) -> None:
    assert party(text, ton) == expected


@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_is_nobodys_number(text: str) -> None:
    with pytest.raises(ValueError, match="without digits"):
        party(text)


def test_parties_as_text() -> None:
    assert str(party("+85212345678")) == "+85212345678"
    assert str(party("0086 14400 0000 0017")) == "1440000000017"


@given(number=SUBSCRIBERS)
def test_number_as_diameter_carries_it_has_its_country_code(number: str) -> None:
    assert {international(each) for each, ton in spellings(number) if ton == TypeOfNumber.UNKNOWN} == {f"86{number}"}
    assert international("+447785016005") == "447785016005"
