"""Comparison of what a file wants with what was seen."""

import datetime as dt
import enum
from typing import Any

import pytest

from simwarden.model.identity import Plmn, Tai
from simwarden.model.units import seconds
from simwarden.scenario.identities import Identity
from simwarden.scenario.match import differences, matches, show
from simwarden.wire.smpp.enums import Status


class Cause(enum.IntEnum):
    ILLEGAL_ME = 6


class Code(enum.IntEnum):
    DIAMETER_ERROR_USER_UNKNOWN = 5001


class Word(enum.Enum):
    FIRST_USE = "first-use"


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("ILLEGAL_ME", Cause.ILLEGAL_ME), ("illegal-me", Cause.ILLEGAL_ME), ("6", Cause.ILLEGAL_ME),
        ("0x06", Cause.ILLEGAL_ME),
        ("user-unknown", Code.DIAMETER_ERROR_USER_UNKNOWN),
        ("RINVSRCADR", Status.ESME_RINVSRCADR), ("ESME_RINVSRCADR", Status.ESME_RINVSRCADR),
        ("first_use", Word.FIRST_USE), ("5001", 5001), ("1.5", 1.5), ("yes", True), ("off", False),
        ("0aff", b"\x0a\xff"),
        ("none", None), ("Accepted", "accepted"), ("001-01-0001", Tai(Plmn("001", "01"), 1)),
        ({"a": "1"}, {"a": 1, "b": 2}), ({"a": {"b": "x"}}, {"a": {"b": "X", "c": 1}}),
        ("2026-03-02T08:00:00Z", "2026-03-02T16:00:00+08:00"),
        ("2026-03-02 08:00", dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)),
        ("2001:db8:80:0::80", "2001:db8:80::80"), ("2001:DB8:0::/64", "2001:db8::/64"),
        (Identity.of("990001010000015", "imei"), "9900010100000112"),
        ({"servedIMEI": "990001010000015"}, {"servedIMEI": "99000101000001"}),
        (Identity.of("1440000000001", "msisdn"), "+861440000000001"),
        ("2", [1, 2]), (["1", "2"], [2, 1, 3]), ({"a": "1"}, [{"a": 0}, {"a": 1}]), ("5001", {"code": 5001}),
    ],
)  # fmt: skip
def test_matches(want: Any, got: Any) -> None:
    assert matches(want, got)


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("ILLEGAL_UE", Cause.ILLEGAL_ME), ("3", Cause.ILLEGAL_ME), ("5001", 5004), ("yes", False), ("accepted", None),
        ({"a": "1"}, {"b": 1}), ({"a": "1"}, "a"), ("4", [1, 2]), (["1", "4"], [1, 2]), ("0a", b"\x0b"), ("x", 3),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00+08:00"), ("2001:db8:80::81", "2001:db8:80::80"),
        (Identity.of("1440000000001", "msisdn"), "+441440000000001"),
    ],
)  # fmt: skip
def test_does_not_match(want: Any, got: Any) -> None:
    assert not matches(want, got)


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        ({"at_most": "10 MB"}, [0, 10_000_000], [10_000_001]),
        ({"at_least": "2"}, [2, 2.5], [1, 1.9]),
        ({"at_least": "30 s", "at_most": "1 min"}, [30, 60.0], [29.9, 61]),
    ],
)
def test_a_number_within_bounds(bounds: dict[str, str], inside: list[float], outside: list[float]) -> None:
    assert all(matches({"used": bounds}, {"used": number}) for number in inside)
    assert not any(matches({"used": bounds}, {"used": number}) for number in outside)


@pytest.mark.parametrize("got", ["5", None, True, {"at_least": 1}, [], "none"])
def test_only_a_number_is_within_bounds(got: Any) -> None:
    assert not matches({"at_least": "5"}, got)


def test_imeis_are_compared_by_14_digits_and_imsis_by_all() -> None:
    assert matches({"imei": "350000000000019"}, {"imei": "3500000000000122"})
    assert not matches({"imei": "350000000000019"}, {"imei": "350000000000029"})


def test_numbers_are_compared_with_and_without_their_country_code() -> None:
    assert matches({"msisdn": "1440000000001"}, {"msisdn": "861440000000001"})
    assert matches({"msisdn": "+861440000000001"}, {"msisdn": "1440000000001"})
    assert not matches({"msisdn": "1440000000001"}, {"msisdn": "861440000000002"})
    assert not matches({"msisdn": "1440000000001"}, {"msisdn": "441440000000001"})
    assert not matches({"imsi": "001010000000001"}, {"imsi": "001010000000002"})


def test_differences_name_paths() -> None:
    found = list(differences({"a": "1", "b": {"c": "2"}, "d": "3"}, {"a": 1, "b": {"c": 3}}))
    assert [(path, show(want), show(got)) for path, want, got in found] == [
        ("b.c", "2", "3"),
        ("d", "3", "nothing (there is a, b)"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("15 s", 15), ("90 days", 7776000), ("1 h 30 min", 5400), ("500ms", 0.5), ("2", 2), ("1.5 h", 5400)],
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "1 parsec", "-1 s", "1 s x"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("want", "got", "same"),
    [
        ([], [], True), ([], None, True), ([], "", True), ([], ["a"], False), ([], "accepted", False), ([], 0, False),
        (["2", "1"], [1, 2], True), (["2", "2", "1"], [1, 2], False), (["2", "2"], [2, 2], True),
        ([{"a": "1"}, {"b": "2"}], [{"a": 1, "b": 2}, {"a": 1}], True),  # the first takes the second
        ([{"a": "1"}, {"b": "2"}], [{"a": 1, "b": 2}], False),
        ("read the meter", "read the meter", True), ("READ-the_METER", "read the meter", False),
        ("no answer", "no-answer", True), ("", "", True),
    ],
)  # fmt: skip
def test_members_of_lists_are_paired_and_sentences_are_as_they_are(want: Any, got: Any, same: bool) -> None:  # noqa: FBT001
    assert matches(want, got) is same
    assert (next(differences({"x": want}, {"x": got}), None) is None) is same
