"""Guideline 2.2.1: a fixed device's card is served in its area only: its cells, so many base stations, its province.

A cell is an E-CGI, a base station the eNB that its first 20 bits name (`Ecgi.station`), a zone code a group of tracking
areas (TS 23.003 4.4, TS 29.272 7.3.52). Every ruling says what was expected and what was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.identity import station_of
from simwarden.model.values import CELL, GIVEN, STATION, TAI, ZONE, one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from simwarden.model.identity import Ecgi, Tai


@tells(expected=CELL | STATION, seen=CELL | STATION)
def judge_cell(*, cells: Collection[str], seen: Ecgi | None = None, station: str = "") -> Ruling:
    """Rule on the cell that a card's device is in (area.cell). A base station among `cells` stands for all its cells.

    While a handover is prepared only the base station is known that the device goes to: without `seen` any of that
    `station`'s cells will do.
    """
    expected = sorted(cells)
    if seen is not None:
        if str(seen) in cells or seen.station in cells:
            return Ruling.admit("the cell is one of the card's", expected=expected, seen=str(seen))
        return Ruling.refuse("the cell is none of the card's", expected=expected, seen=str(seen))
    if any(station_of(cell) == station for cell in cells):
        return Ruling.admit("the base station has a cell of the card's", expected=expected, seen=station)
    return Ruling.refuse("the base station has no cell of the card's", expected=expected, seen=station)


@tells(expected=STATION, seen=STATION, counts=STATION.or_none())
def judge_stations(*, limit: int, used: Collection[str], seen: str) -> Ruling:
    """Rule on the number of different base stations that a card is used at (area.count), at most `limit`.

    `counts` in the details is the station that counts from now on if the card is served there, empty for one of `used`.
    """
    expected = sorted(used)
    if seen in used:
        return Ruling.admit("the card was used at this base station before", expected=expected, seen=seen, counts="")
    if len(used) < limit:
        reason = f"base station {len(used) + 1} of at most {limit}"
        return Ruling.admit(reason, expected=expected, seen=seen, counts=seen)
    return Ruling.refuse(
        f"the card was used at {len(used)} base stations, and may be at {limit}", **_facts(expected, seen)
    )


@tells(zones=ZONE, expected=TAI, seen=TAI)
def judge_zones(*, zones: Collection[str], areas: Mapping[str, Collection[int]], seen: Tai) -> Ruling:
    """Rule on a tracking area by the subscription's zone codes (area.range); `areas` are the codes of each zone's.

    A zone code that nobody told about holds nothing: what cannot be placed is not allowed.
    """
    codes = {code for zone in zones for code in areas.get(zone, ())}
    expected = [f"{seen.plmn}-{code:04x}" for code in sorted(codes)]
    if seen.tac in codes:
        return Ruling.admit(
            "the tracking area is in the subscribed zones", zones=sorted(zones), **_facts(expected, seen)
        )
    reason = "the tracking area is outside the subscribed zones"
    return Ruling.refuse(reason, zones=sorted(zones), **_facts(expected, seen))


@tells(expected=GIVEN.or_none(), seen=GIVEN | one_of("no province"), station=STATION)
def judge_province(*, province: str, homes: Collection[str], seen: str) -> Ruling:
    """Rule on a base station by the province that a card is for (area.range); `homes` are those that have it."""
    facts = {"expected": province, "seen": ", ".join(sorted(homes)) or "no province", "station": seen}
    if province in homes:
        return Ruling.admit("the base station is in the card's province", **facts)
    return Ruling.refuse("the base station is outside the card's province", **facts)


@tells(expected=GIVEN | one_of("one province"), seen=CELL | STATION | ZONE | GIVEN)
def judge_extent(*, province: str, homes: Mapping[str, Collection[str]], known: Collection[str]) -> Ruling:
    """Rule on an area that is provisioned: it must not be larger than a province (area.range).

    `homes` tells for each place of the area (a cell, a zone code) the provinces that have it; `known` are all
    provinces, none if the network is within one. A `province` that is named must have them all.
    """
    if not known:
        return Ruling.admit("the network is within one province", seen=sorted(homes))
    if province and province not in known:
        return Ruling.refuse(f"there is no province {province!r}", expected=sorted(known), seen=province)
    candidates = {province} if province else set(known)
    touched = sorted({name for each in homes.values() for name in each} | ({province} if province else set()))
    for place, having in homes.items():
        if not having:
            return Ruling.refuse(f"{place} is in no province", expected=sorted(known), seen=place)
        candidates &= set(having)
    if candidates:
        return Ruling.admit("the area is within one province", expected=sorted(candidates), seen=touched)
    expected = [province] if province else "one province"
    return Ruling.refuse("the area is larger than a province", expected=expected, seen=touched)


def _facts(expected: Collection[str], seen: object) -> dict[str, object]:
    return {"expected": expected, "seen": str(seen)}
