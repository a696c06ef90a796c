"""The areas of cards in the database of an MME alone, and of one of a pool: what is kept of which card, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from simulators.mme.config import MmeArea
from simulators.mme.store import METADATA, AreaStore
from simwarden.runtime.store import open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMSI, OTHER = "001010000000001", "001010000000002"
CELL, NEXT = "001-01-0000101", "001-01-0000102"
ONE, TWO, THREE = "001-01-00001", "001-01-00002", "001-01-00003"


def _record(imsi: str, action: str = "area", at: str = "2026-01-02") -> dict[str, Any]:
    return {"at": at, "role": "operator", "caller": "", "action": action, "imsi": imsi, "details": {}}


@pytest.fixture(name="engine")
def _engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/areas.db", METADATA)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("shared", [False, True])
def test_what_is_changed_is_of_one_card_and_outlives_the_mme(engine: sa.Engine, *, shared: bool) -> None:
    store = AreaStore(engine, shared=shared)

    def told(imsi: str) -> list[Any]:
        """The area as this store tells it, and one that is opened now."""
        found = [each.get(imsi) for each in (store, AreaStore(engine, shared=shared))]
        return [None if each is None else each.tell() for each in found]

    for imsi in (IMSI, OTHER):
        store.put(imsi, MmeArea(cells=(CELL,), stations=2, province="Hebei"), _record(imsi))
        area = store.get(imsi)
        assert area is not None
        assert [store.count(imsi, area, station) for station in (TWO, ONE, TWO, THREE)] == [True, True, True, False]
        assert area.used == {ONE, TWO}
    both = {"cells": [CELL], "stations": 2, "province": "Hebei", "used": [ONE, TWO]}
    assert told(IMSI) == told(OTHER) == [both] * 2
    store.put(IMSI, MmeArea(cells=(NEXT, CELL), stations=3), _record(IMSI))
    changed = {"cells": [CELL, NEXT], "stations": 3, "province": "", "used": [ONE, TWO]}
    assert (told(IMSI), told(OTHER)) == ([changed] * 2, [both] * 2)
    area = store.get(IMSI)
    assert area is not None
    store.forget_stations(IMSI, area, _record(IMSI))
    assert area.used == set()
    assert (told(IMSI), told(OTHER)) == ([{**changed, "used": []}] * 2, [both] * 2)
    assert store.count(IMSI, area, THREE)
    store.remove(IMSI, _record(IMSI))
    assert (told(IMSI), store.recent(IMSI), told(OTHER)) == ([None] * 2, None, [both] * 2)
    store.put(IMSI, MmeArea(stations=1), _record(IMSI))
    assert told(IMSI) == [{"cells": [], "stations": 1, "province": "", "used": []}] * 2
    assert [each["imsi"] for each in store.audited()] == [IMSI, OTHER, IMSI, IMSI, IMSI, IMSI]


def test_a_base_station_counts_where_the_area_is_gone_meanwhile(engine: sa.Engine) -> None:
    """Another MME of the pool has taken it from the card, which may be served anywhere then."""
    store = AreaStore(engine, shared=True)
    store.put(IMSI, MmeArea(stations=1), _record(IMSI))
    area = store.get(IMSI)
    assert area is not None
    AreaStore(engine, shared=True).remove(IMSI, _record(IMSI))
    assert [store.count(IMSI, area, station) for station in (ONE, TWO)] == [True, True]
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT station FROM used_stations")).all() == []


def test_what_counts_is_read_with_each_base_station_that_begins_to(engine: sa.Engine) -> None:
    one, two = (AreaStore(engine, shared=True) for _ in range(2))
    one.put(IMSI, MmeArea(stations=1), _record(IMSI))
    area, theirs = one.get(IMSI), two.get(IMSI)
    assert area is not None
    assert theirs is not None
    assert one.count(IMSI, area, ONE)
    assert area.used == {ONE}
    two.forget_stations(IMSI, theirs, _record(IMSI))
    assert one.count(IMSI, area, TWO)
    assert area.used == {TWO}


def test_an_mme_alone_reads_its_areas_when_it_starts_and_one_of_a_pool_at_each_contact(engine: sa.Engine) -> None:
    AreaStore(engine).put(IMSI, MmeArea(stations=1), _record(IMSI))
    alone, pooled = AreaStore(engine), AreaStore(engine, shared=True)
    assert (alone.recent(IMSI), pooled.recent(IMSI)) == (alone.get(IMSI), None)
    read: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *told: read.append(told[2]))
    assert alone.get(IMSI) is alone.get(IMSI)
    assert read == []
    area = pooled.get(IMSI)
    assert len(read) == 1
    assert pooled.recent(IMSI) is area
    alone.remove(IMSI, _record(IMSI))
    assert pooled.recent(IMSI) is area
    assert (pooled.get(IMSI), pooled.recent(IMSI)) == (None, None)


@pytest.mark.parametrize(
    ("wanted", "is_same"),
    [
        (MmeArea(cells=(CELL,), stations=2, province="Hebei"), True),
        (MmeArea(cells=(NEXT,), stations=2, province="Hebei"), False),
        (MmeArea(cells=(CELL,), stations=3, province="Hebei"), False),
        (MmeArea(cells=(CELL,), stations=2, province="Shanxi"), False),
    ],
)
def test_an_area_is_the_same_in_all_that_restricts(engine: sa.Engine, wanted: MmeArea, *, is_same: bool) -> None:
    store = AreaStore(engine)
    store.put(IMSI, MmeArea(cells=(CELL,), stations=2, province="Hebei"), _record(IMSI))
    area = store.get(IMSI)
    assert area is not None
    assert area.same(wanted) is is_same


def test_records_are_found_by_card_action_and_number(engine: sa.Engine) -> None:
    store = AreaStore(engine)
    for imsi, action in ((IMSI, "outside"), (OTHER, "outside"), (IMSI, "change")):
        store.audit(_record(imsi, action))
    found = [(each["imsi"], each["action"]) for each in store.audited()]
    assert found == [(IMSI, "outside"), (OTHER, "outside"), (IMSI, "change")]
    assert [each["action"] for each in store.audited(IMSI)] == ["outside", "change"]
    assert [each["imsi"] for each in store.audited(action="outside")] == [IMSI, OTHER]
    assert [each["action"] for each in store.audited(IMSI, action="change", after=1, most=1)] == ["change"]
    assert store.count_changes(IMSI, ("change",), "2026-01-01") == 1
    assert store.count_changes(IMSI, ("change",), "2026-02-01") == store.count_changes(OTHER, ("change",), "2026") == 0
