"""Who gets into service at all: emergency calls, base stations that are listed."""

from __future__ import annotations

import pytest

from simwarden.policy.access import judge_emergency, judge_station


@pytest.mark.parametrize(
    ("allowed", "proven", "admitted"),
    [
        ("everybody", True, True),
        ("everybody", False, True),
        ("authenticated", True, True),
        ("authenticated", False, False),
        ("nobody", True, False),
        ("nobody", False, False),
    ],
)
def test_emergency_calls_are_served_as_the_network_is_set(allowed: str, *, proven: bool, admitted: bool) -> None:
    assert judge_emergency(allowed=allowed, proven=proven).admitted is admitted


@pytest.mark.parametrize(
    ("station", "stations", "areas", "served", "said"),
    [
        (1, (), {1}, (), ""),
        (1, (1, 2), {1}, (1,), ""),
        (1, (1,), {1, 2}, (2,), ""),
        (3, (1, 2), {1}, (), "the base station is not listed"),
        (1, (), {1}, (2, 3), "no tracking area of the base station is listed"),
    ],
)
def test_listed_base_stations_and_tracking_areas_only(
    station: int, stations: tuple[int, ...], areas: set[int], served: tuple[int, ...], said: str
) -> None:
    ruling = judge_station(station=station, stations=stations, areas=areas, served=served)
    assert (ruling.admitted, "" if ruling.admitted else ruling.reason) == (not said, said)
