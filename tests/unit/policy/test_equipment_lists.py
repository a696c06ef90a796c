from __future__ import annotations

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


@pytest.mark.parametrize("text", ["", "9900020", "99000299-99000201", "99000201-", "x" * 14, "99000201-9900029"])
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
