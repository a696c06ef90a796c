from __future__ import annotations

import pytest

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.policy.area import judge_cell, judge_extent, judge_province, judge_stations, judge_zones

PLMN = Plmn("001", "01")
HOME, NEXT, FAR = Ecgi(PLMN, 0x101), Ecgi(PLMN, 0x102), Ecgi(PLMN, 0x201)


def test_a_cell_is_written_as_it_is_read() -> None:
    assert (str(FAR), FAR.station, FAR.enb_id) == ("001-01-0000201", "001-01-00002", 2)
    assert Ecgi.parse(str(FAR)) == FAR
    assert Ecgi.parse("001-001-FFFFFFF") == Ecgi(Plmn("001", "001"), 0xFFFFFFF)


@pytest.mark.parametrize(
    "text", ["", "enb/1", "0000101", "001-01-000010", "001-01-000010g", "x-01-0000101", "001-01-+000101"]
)
def test_what_is_no_cell_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Ecgi.parse(text)


def test_only_the_cards_cells() -> None:
    assert judge_cell(cells={str(HOME)}, seen=HOME).admitted
    assert judge_cell(cells={HOME.station}, seen=NEXT).admitted  # a base station stands for all of its cells
    assert not judge_cell(cells={HOME.station}, seen=FAR).admitted
    refused = judge_cell(cells={str(FAR), str(HOME)}, seen=NEXT)
    assert not refused.admitted
    assert dict(refused.details) == {"expected": [str(HOME), str(FAR)], "seen": str(NEXT)}


def test_of_a_handover_that_is_prepared_only_the_base_station_is_known() -> None:
    assert judge_cell(cells={str(HOME)}, station=NEXT.station).admitted
    assert judge_cell(cells={str(HOME), str(FAR)}, station=FAR.station).admitted
    refused = judge_cell(cells={str(HOME)}, station=FAR.station)
    assert (refused.admitted, refused.details["seen"]) == (False, "001-01-00002")


def test_the_cell_counts_and_not_its_base_station_once_it_is_known() -> None:
    assert not judge_cell(cells={str(HOME)}, seen=NEXT, station=NEXT.station).admitted


@pytest.mark.parametrize(
    ("limit", "used", "seen", "admitted", "counts"),
    [
        (1, set(), "a", True, "a"),
        (1, {"a"}, "a", True, ""),
        (1, {"a"}, "b", False, None),
        (2, {"a"}, "b", True, "b"),
        (1, {"a", "b"}, "b", True, ""),  # the limit was lowered: where it was, it may stay
        (0, set(), "a", False, None),
    ],
)
def test_so_many_different_base_stations(limit: int, used: set[str], seen: str, counts: str, *, admitted: bool) -> None:
    ruling = judge_stations(limit=limit, used=used, seen=seen)
    assert ruling.admitted is admitted
    assert ruling.details.get("counts") == counts
    assert (ruling.details["expected"], ruling.details["seen"]) == (sorted(used), seen)


def test_tracking_areas_of_the_subscribed_zones() -> None:
    areas = {"0001": (1, 10), "0002": (2,)}
    assert judge_zones(zones=["0001"], areas=areas, seen=Tai(PLMN, 10)).admitted
    refused = judge_zones(zones=["0002", "0001"], areas=areas, seen=Tai(PLMN, 3))
    assert not refused.admitted
    assert refused.details["expected"] == ["001-01-0001", "001-01-0002", "001-01-000a"]
    assert (refused.details["seen"], refused.details["zones"]) == ("001-01-0003", ["0001", "0002"])


def test_a_zone_code_that_nobody_knows_allows_nothing() -> None:
    assert not judge_zones(zones=["0009"], areas={"0001": (1,)}, seen=Tai(PLMN, 1)).admitted


def test_the_cards_province() -> None:
    assert judge_province(province="east", homes=["east"], seen="s").admitted
    assert judge_province(province="east", homes=["west", "east"], seen="s").admitted
    for homes, seen in ((["west"], "west"), ([], "no province")):
        refused = judge_province(province="east", homes=homes, seen="s")
        assert (refused.admitted, refused.details["seen"], refused.details["station"]) == (False, seen, "s")


@pytest.mark.parametrize(
    ("province", "homes", "admitted"),
    [
        ("", {"1": ["east"], "2": ["east"]}, True),
        ("", {"1": ["east"], "2": ["west"]}, False),
        ("", {"1": ["east", "west"], "2": ["west"]}, True),  # at the border, both have it
        ("", {"1": ["east", "west"], "2": ["west"], "3": ["east"]}, False),
        ("", {"1": []}, False),
        ("east", {"1": ["east"]}, True),
        ("east", {"1": ["west"]}, False),
        ("east", {}, True),
        ("north", {"1": ["east"]}, False),
        ("north", {}, False),
    ],
)
def test_no_area_is_larger_than_a_province(province: str, homes: dict[str, list[str]], *, admitted: bool) -> None:
    assert judge_extent(province=province, homes=homes, known=["east", "west"]).admitted is admitted


def test_a_network_within_one_province_has_no_larger_area() -> None:
    assert judge_extent(province="", homes={"1": []}, known=[]).admitted


def test_the_refusal_of_an_area_names_the_provinces_that_it_touches() -> None:
    ruling = judge_extent(province="", homes={"1": ["west"], "2": ["east"]}, known=["east", "west"])
    assert dict(ruling.details) == {"expected": "one province", "seen": ["east", "west"]}
    named = judge_extent(province="east", homes={"1": ["west"]}, known=["east", "west"])
    assert dict(named.details) == {"expected": ["east"], "seen": ["east", "west"]}
    nowhere = judge_extent(province="", homes={"1": ["west"], "2": []}, known=["east", "west"])
    assert (nowhere.reason, nowhere.details["seen"]) == ("2 is in no province", "2")
    unknown = judge_extent(province="north", homes={"1": ["east"]}, known=["east", "west"])
    assert dict(unknown.details) == {"expected": ["east", "west"], "seen": "north"}


def test_an_area_that_is_let_tells_the_provinces_that_have_all_of_it() -> None:
    ruling = judge_extent(province="", homes={"1": ["east", "west"], "2": ["west"]}, known=["east", "west"])
    assert dict(ruling.details) == {"expected": ["west"], "seen": ["east", "west"]}
    alone = judge_extent(province="east", homes={}, known=["east", "west"])
    assert dict(alone.details) == {"expected": ["east"], "seen": ["east"]}
