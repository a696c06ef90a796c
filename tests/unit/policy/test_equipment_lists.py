from __future__ import annotations

from itertools import combinations

import pytest

from simwarden.policy.equipment_lists import EquipmentLists, EquipmentRange, Status, judge_listed, judge_pool

METER, PHONE = "99000101000001", "99000201000001"


@pytest.mark.parametrize(
    ("text", "low", "high", "shown"),
    [
        ("99000201", "99000201000000", "99000201999999", "99000201"),
        ("99000201-99000299", "99000201000000", "99000299999999", "99000201-99000299"),
        (PHONE, PHONE, PHONE, "990002010000014"),
        (PHONE + "0", PHONE, PHONE, "990002010000014"),
        (PHONE + "01", PHONE, PHONE, "990002010000014"),
    ],
)
def test_entries_are_imeis_tacs_and_ranges(text: str, low: str, high: str, shown: str) -> None:
    entry = EquipmentRange.parse(text)
    assert (entry.low, entry.high, str(entry)) == (low, high, shown)
    assert EquipmentRange.parse(str(entry)) == entry


@pytest.mark.parametrize(
    "text",
    [
        *("", "9900020", "x" * 14, "x" * 8, "\uff19\uff19000201", "99000201-"),
        *("99000299-99000201", "99000201-9900029", "9900020-99000299", "9900020x-99000299"),
    ],
)
def test_what_is_no_entry_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"TAC|range|IMEI"):
        EquipmentRange.parse(text)


def test_the_narrowest_entry_counts() -> None:
    lists = EquipmentLists(
        [
            (EquipmentRange.parse("99000000-99000999"), Status.PROHIBITED),
            (EquipmentRange.parse("99000200-99000299"), Status.TRACKED),
            (EquipmentRange.parse("99000202"), Status.PROHIBITED),
            (EquipmentRange.parse("99000202000007"), Status.ALLOWED),
        ]
    )
    found = [lists.find(key) for key in ("99000202000007", "99000202000008", PHONE, METER, "99100000000000")]
    assert found == [Status.ALLOWED, Status.PROHIBITED, Status.TRACKED, Status.PROHIBITED, None]
    assert len(list(lists)) == 4
    assert lists.remove(EquipmentRange.parse("99000202"))
    assert not lists.remove(EquipmentRange.parse("99000202"))
    assert lists.find("99000202000008") is Status.TRACKED


@pytest.mark.parametrize(
    ("listed", "kind", "status", "admitted"),
    [
        (Status.ALLOWED, "phone", "allowed", True),
        (Status.PROHIBITED, "module", "prohibited", False),
        (None, "phone", "prohibited", False),
        (None, "module", "unknown", False),
        (Status.TRACKED, "", "tracked", True),
    ],
)
def test_an_entry_comes_before_the_kind_and_that_before_the_rest(
    listed: Status | None, kind: str, status: str, *, admitted: bool
) -> None:
    ruling = judge_listed(
        imei=PHONE, listed=listed, kind=kind, kinds={"phone": Status.PROHIBITED}, unlisted=Status.UNKNOWN
    )
    assert (ruling.details["status"], ruling.admitted) == (status, admitted)


def test_a_pool_holds_entries_and_kinds() -> None:
    pool = [EquipmentRange.parse("99000101")]
    assert judge_pool(imei=METER, pool=pool, kind="", kinds=()).admitted
    assert judge_pool(imei=PHONE, pool=pool, kind="module", kinds=("module",)).admitted
    assert not judge_pool(imei=PHONE, pool=pool, kind="phone", kinds=("module",)).admitted
    assert not judge_pool(imei=PHONE, pool=pool, kind="", kinds=()).admitted


def test_kinds_alone_are_a_pool() -> None:
    assert judge_pool(imei=METER, pool=[], kind="module", kinds=["module"]).admitted
    for kind in ("phone", ""):
        assert not judge_pool(imei=METER, pool=[], kind=kind, kinds=["module"]).admitted


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("99000201-99000299", ("99000201000000", "99000299999999"), ("99000200999999", "99000300000000")),
        ("99000201", ("99000201000000", "99000201999999"), ("99000200999999", "99000202000000")),
        (METER, (METER,), ("99000101000000", "99000101000002")),
    ],
)
def test_a_range_has_both_its_ends(text: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    entry = EquipmentRange.parse(text)
    assert all(key in entry for key in inside)
    assert not any(key in entry for key in outside)


def test_of_two_ranges_the_smaller_one_counts_by_its_number_of_terminals() -> None:
    smaller, larger = EquipmentRange.parse("99000200-99000201"), EquipmentRange.parse("99000199-99000201")
    assert (smaller.size, larger.size, EquipmentRange.parse(METER).size) == (2_000_000, 3_000_000, 1)
    for order in ((smaller, larger), (larger, smaller)):
        lists = EquipmentLists((entry, Status.TRACKED if entry is smaller else Status.PROHIBITED) for entry in order)
        assert lists.find("99000200000000") is Status.TRACKED
        assert lists.find("99000199000000") is Status.PROHIBITED


def test_a_range_of_one_code_is_that_code() -> None:
    assert EquipmentRange.parse("99000201-99000201") == EquipmentRange.parse("99000201")


@pytest.mark.parametrize(
    ("strict", "lenient"),
    [*combinations([Status.PROHIBITED, Status.UNKNOWN, Status.TRACKED, Status.ALLOWED], 2)],
)
def test_of_two_statuses_the_stricter_one_counts(strict: Status, lenient: Status) -> None:
    for first, second in ((strict, lenient), (lenient, strict)):
        one, other = EquipmentRange.parse("99000200-99000299"), EquipmentRange.parse("99000201-99000300")
        assert EquipmentLists([(one, first), (other, second)]).find(PHONE) is strict
        assert EquipmentLists([(one, first), (one, second)]).find(PHONE) is strict


@pytest.mark.parametrize("order", [1, -1])
def test_of_equally_narrow_entries_the_strictest_counts(order: int) -> None:
    overlapping = [
        (EquipmentRange.parse("99000200-99000299"), Status.ALLOWED),
        (EquipmentRange.parse("99000201-99000300"), Status.PROHIBITED),
    ]
    assert EquipmentLists(overlapping[::order]).find(PHONE) is Status.PROHIBITED
    for text in ("99000201", PHONE, "99000201-99000299"):
        twice = [(EquipmentRange.parse(text), Status.TRACKED), (EquipmentRange.parse(text), Status.PROHIBITED)]
        assert EquipmentLists(twice[::order]).find(PHONE) is Status.PROHIBITED
        lists = EquipmentLists(twice[::order])
        lists.put(EquipmentRange.parse(text), Status.ALLOWED)  # what is said later of an entry holds
        assert lists.find(PHONE) is Status.ALLOWED
