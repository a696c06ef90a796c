"""What a card lacks and has without need; and nothing that fits breaks 3.2."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.model.form import FormFactor
from simwarden.model.profile import Assessment, Function, find_use, uses
from simwarden.policy.access_list import Destination
from simwarden.policy.classification import measures
from simwarden.policy.need import SMALL, Contract, Holding, judge_card, judge_number_of
from simwarden.policy.number_ranges import NumberRanges

METERING = find_use("smart-metering")
assert METERING is not None
METER = Holding(
    assessment=METERING.assessment,
    use=METERING,
    form=FormFactor.SOLDERED,
    has=frozenset({"binding", "area", "blacklist", "monitoring"}),
    sms=("1069012",),
    quota=30_000_000,
)
LISTED, OPEN = (Destination.parse("192.0.2.10:443"),), Destination.parse("0.0.0.0/0:443")


def lacks(card: Holding) -> list[str]:
    return [each.what for each in judge_card(card).lacks]


def needless(card: Holding) -> list[str]:
    return [each.what for each in judge_card(card).needless]


def test_a_meters_card_that_has_what_it_must() -> None:
    assert judge_card(METER).fits


@pytest.mark.parametrize(
    ("card", "what"),
    [
        (replace(METER, has=METER.has - {"binding"}), ["binding"]),
        (replace(METER, has=METER.has - {"area"}), ["area restriction"]),
        (replace(METER, has=METER.has - {"blacklist", "monitoring"}), ["blacklist", "monitoring"]),
        (replace(METER, quota=None), ["quota"]),
        (replace(METER, sms=()), ["directed SMS"]),
        (replace(METER, sms=("106*",)), ["directed SMS"]),
        (replace(METER, sms=("1069012", "13800000000")), ["directed SMS"]),
        (replace(METER, sms=("8613800000000",), has=METER.has | {"directed-sms"}), ["directed SMS"]),
        (replace(METER, sms=("1440000000009",)), ["directed SMS"]),
        (replace(METER, sms=("1069012", "106*")), ["directed SMS"]),
        (replace(METER, use=None), ["a use"]),
        (replace(METER, use=None, form=FormFactor.PLUG_IN), ["a use"]),
        (replace(METER, form=None), []),
        (replace(METER, registered="user"), []),
        (replace(METER, use=None, quota=None, form=FormFactor.PLUG_IN), ["a use", "limited card form", "quota"]),
        (replace(METER, quota=SMALL, form=FormFactor.NANO), []),
        (replace(METER, quota=SMALL + 1, form=FormFactor.NANO), ["limited card form"]),
        (replace(METER, quota=SMALL + 1, data=LISTED, has=frozenset({"area", "monitoring"})), ["blacklist", "binding"]),
        (replace(METER, assessment=replace(METER.assessment, directed=True)), ["directed data"]),
        (replace(METER, assessment=replace(METER.assessment, directed=True), data=LISTED), []),
        (replace(METER, assessment=replace(METER.assessment, directed=True), data=(*LISTED, OPEN)), ["directed data"]),
        (replace(METER, assessment=replace(METER.assessment, large=True), form=FormFactor.NANO), ["limited card form"]),
        (replace(METER, assessment=replace(METER.assessment, voice=True), voice=("10000",)), []),
        (replace(METER, assessment=replace(METER.assessment, voice=True), voice=("10000", "1*")), ["directed voice"]),
        (replace(METER, assessment=replace(METER.assessment, voice=True)), ["directed voice"]),
    ],
)
def test_a_card_lacks(card: Holding, what: list[str]) -> None:
    assert lacks(card) == what


def test_each_thing_that_is_lacking_is_told_with_its_clauses() -> None:
    (found,) = judge_card(replace(METER, quota=None)).lacks
    assert str(found) == "quota (3.3.2(3), 3.2(2))"


@pytest.mark.parametrize(
    ("card", "what"),
    [
        (replace(METER, quota=SMALL + 1), "a quota of 100.000001 MB, and the use needs at most 100 MB"),
        (
            replace(METER, assessment=replace(METER.assessment, voice=True), voice=("10000",)),
            "voice: smart-metering needs none",
        ),
        (replace(METER, voice=("10000",)), "a list for voice, which is not opened"),
        (replace(METER, sms=tuple(str(10_690 + n) for n in range(6))), "6 entries for SMS, more than 5"),
        (replace(METER, voice=tuple(str(10_000 + n) for n in range(6))), "6 entries for voice, more than 5"),
        (replace(METER, sms=("13800000000",)), "SMS number 13800000000 is of range 13 (11 digits, public"),
        (replace(METER, sms=("1440000000009",)), "SMS number 1440000000009 is of range 1440 (13 digits, IoT"),
        (replace(METER, sms=("138*",)), "138* stands for many numbers"),
        (replace(METER, data=(Destination.parse("192.0.2.1"),)), "192.0.2.1: names no port"),
        (replace(METER, data=(Destination.parse("0.0.0.0/0:443"),)), "0.0.0.0/0:443: its prefix is shorter than /24"),
        (replace(METER, data=tuple(Destination.parse(f"192.0.2.{n}:443") for n in range(11))), "11 entries for data"),
        (replace(METER, contract=Contract(sms=())), "SMS number 1069012 is not in the contract"),
        (replace(METER, contract=Contract(quota=1_000_000)), "a quota of 30 MB, and the contract needs at most 1 MB"),
        (
            replace(METER, apns=("meters", "internet"), contract=Contract(apns=("meters",))),
            "APN internet is not",
        ),
        (
            replace(METER, data=LISTED, contract=Contract(data=(Destination.parse("192.0.2.11:443"),))),
            "192.0.2.10:443 is not",
        ),
    ],
)
def test_a_card_has_without_need(card: Holding, what: str) -> None:
    assert any(each.startswith(what) for each in needless(card)), needless(card)
    assert not judge_card(card).fits


@pytest.mark.parametrize("code", ["1069012", "10690123456", "106901234567890", "10086", "12306", "95555"])
def test_codes_of_services_are_platforms(code: str) -> None:
    assert judge_card(replace(METER, sms=(code,))).fits


def test_which_numbers_are_those_of_subscribers_is_told() -> None:
    ranges = NumberRanges.parse('range = [{prefix = "1069", length = 7, dedicated = true}]')
    assert not judge_card(METER, ranges).fits
    assert judge_card(replace(METER, sms=("13800000000",)), ranges).fits


def test_a_contract_that_names_all_of_it_is_kept() -> None:
    data = (*LISTED, Destination.parse("192.0.2.11:443"))
    agreed = Contract(data=data, sms=("1069012",), voice=(), apns=("meters",), quota=30_000_000)
    assert judge_card(replace(METER, data=LISTED, apns=("meters",), contract=agreed)).fits


@pytest.mark.parametrize(("registered", "fits"), [(None, True), ("user", True), ("unit", False), ("", False)])
def test_registration_is_judged_where_it_is_told(registered: str | None, fits: bool) -> None:  # noqa: FBT001
    wearable = uses()["personal-wearable"]
    card = Holding(
        assessment=replace(wearable.assessment, voice=False, sms=False),
        use=wearable,
        form=FormFactor.EUICC,
        has=frozenset({"monitoring"}),
        quota=10 * SMALL,
        registered=registered,
    )
    assert judge_card(card).fits is fits
    assert lacks(card) == ["registration to the actual user"] * (not fits)


def test_goods_that_are_tracked_are_registered_to_the_unit() -> None:
    tracking = uses()["goods-tracking"]
    card = Holding(assessment=tracking.assessment, use=tracking, registered="user")
    assert [each for each in lacks(card) if "registration" in each] == ["registration to the responsible unit"]


@pytest.mark.parametrize("count", [1, 5])
def test_as_many_numbers_as_a_card_may_have_are_no_finding(count: int) -> None:
    assert judge_card(replace(METER, sms=tuple(str(10_690 + n) for n in range(count)))).fits


def test_a_number_of_no_dedicated_range_is_lacking_one() -> None:
    assert not judge_number_of("1440000000001")
    assert "public mobile" in str(judge_number_of("13800000000")[0])


entries = st.sampled_from(
    [
        "192.0.2.10:443",
        "192.0.2.0/24:1",
        "0.0.0.0/0:443",
        "*.example.net:443",
        "*.com:443",
        "192.0.2.1",
        "[::]/0:1",
        "*",
    ]
).map(Destination.parse)
numbers = st.sampled_from(["10690", "110", "138*", "1*", "13800000000"])
holdings = st.builds(
    Holding,
    assessment=st.builds(Assessment, *[st.booleans()] * 6),
    use=st.sampled_from([None, *uses().values()]),
    form=st.sampled_from([None, *FormFactor]),
    has=st.frozensets(st.sampled_from(sorted(set(measures()) - {"card-form", "quota"}))),
    voice=st.lists(numbers, max_size=6).map(tuple),
    sms=st.lists(numbers, max_size=6).map(tuple),
    data=st.lists(entries, max_size=11).map(tuple),
    quota=st.sampled_from([None, 0, 1, SMALL, SMALL + 1, 10 * SMALL]),
    registered=st.sampled_from([None, "", "unit", "user"]),
)
#: nearly right, so that many of them fit
likely = st.builds(
    lambda card, use, whole: replace(
        card,
        use=use,
        assessment=replace(card.assessment, **{each.value: each in use.allowed for each in Function})
        if whole
        else use.assessment,
        has=card.has | {"monitoring", "binding", "blacklist", "area"},
        quota=card.quota or SMALL,
        voice=("10690",) if Function.VOICE in use.allowed and (whole or use.assessment.voice) else (),
        sms=("10690",) if Function.SMS in use.allowed and (whole or use.assessment.sms) else (),
        data=card.data[:1],
    ),
    holdings,
    st.sampled_from(list(uses().values())),
    st.booleans(),
)


@settings(max_examples=1000)
@given(st.one_of(holdings, likely))
def test_nothing_that_fits_breaks_3_2(card: Holding) -> None:
    if not judge_card(card).fits:
        return
    asked = card.assessment
    listed = bool(card.data) and all(not each.open_ended for each in card.data)
    directed = listed or "directed-data" in card.has
    large = asked.data and (asked.large or (card.quota or 0) > SMALL)
    assert not asked.voice or card.voice or "directed-voice" in card.has, "3.2(1)"
    assert not asked.sms or card.sms or "directed-sms" in card.has, "3.2(1)"
    assert "13800000000" not in card.sms, "1.2(1)"
    assert not asked.data or card.quota is not None, "3.2(2)"
    assert not (large and directed) or {"binding", "blacklist"} <= card.has, "3.2(3)"
    limited = card.form in (FormFactor.SOLDERED, FormFactor.EUICC, FormFactor.ODD_SHAPED)
    assert not (large and not directed) or limited, "3.2(4)"
    assert not asked.fixed or "area" in card.has, "3.2(5)"
    assert all(not each.open_ended and each.ports is not None for each in card.data), "3.1.2"


def test_the_property_above_is_not_empty() -> None:
    assert any(judge_card(card).fits for card in (METER, replace(METER, form=FormFactor.EUICC)))
