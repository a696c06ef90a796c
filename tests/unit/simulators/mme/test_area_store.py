"""Areas in a database that the MMEs of a pool have in common, and what becomes of contacts while it is away."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from simulators.mme.config import MmeArea
from simulators.mme.store import METADATA, AreaStore
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.runtime.store import StoreUnavailableError, open_engine
from simwarden.wire.nas.enums import EmmCause
from simwarden.wire.s1ap.values import ErabTunnel, UeSecurityCapabilities

PLMN = Plmn("001", "01")

IMSI, STATION = "001010000000001", "001-01-00001"
AUDIT = {"at": "2026", "role": "operator", "caller": "", "action": "area", "imsi": IMSI, "details": {}}
PATH = f"/cards/{IMSI}/area"


@pytest.fixture
def pool(store_url: str) -> Any:
    engines = [open_engine(store_url, METADATA) for _ in range(2)]
    yield [AreaStore(engine, shared=True) for engine in engines]
    for engine in engines:
        engine.dispose()


def test_what_one_mme_of_a_pool_changes_the_other_one_sees_at_once(pool: list[AreaStore]) -> None:
    one, two = pool
    assert two.get(IMSI) is None
    one.put(IMSI, MmeArea(cells=("001-01-0000101",), stations=2), AUDIT)
    held = two.get(IMSI)
    assert held is not None
    assert held.cells == {"001-01-0000101"}
    assert two.count(IMSI, held, STATION)
    other = one.get(IMSI)
    assert other is not None
    assert other.used == {STATION}
    one.forget_stations(IMSI, other, AUDIT)
    assert two.get(IMSI).used == set()  # type: ignore[union-attr]
    two.remove(IMSI, AUDIT)
    assert one.recent(IMSI) is not None
    assert one.get(IMSI) is None
    assert one.recent(IMSI) is None
    assert len(one.audited(IMSI)) == 3


def test_two_mmes_that_count_at_the_same_moment_never_count_one_too_many(pool: list[AreaStore]) -> None:
    for store in pool:
        store.get(IMSI)
    pool[0].put(IMSI, MmeArea(stations=2), AUDIT)
    areas = [store.get(IMSI) for store in pool]
    start = threading.Barrier(2)
    counted: list[bool] = []

    def use(number: int) -> None:
        store, area = pool[number], areas[number]
        assert area is not None
        start.wait()
        counted.extend(store.count(IMSI, area, f"001-01-{number}000{station}") for station in range(4))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.count(True) == 2
    held = pool[0].get(IMSI)
    assert held is not None
    assert len(held.used) == 2


def test_a_base_station_that_counts_is_no_new_one(pool: list[AreaStore]) -> None:
    one, two = pool
    one.put(IMSI, MmeArea(stations=1), AUDIT)
    before, area = two.get(IMSI), one.get(IMSI)
    assert before is not None
    assert area is not None
    assert one.count(IMSI, area, STATION)
    assert two.count(IMSI, before, STATION)
    assert not two.count(IMSI, before, "001-01-00002")
    assert before.used == {STATION}


async def test_while_the_data_of_the_pool_is_away_nobody_with_an_unknown_area_is_served_and_then_all_are(
    run: Any,
) -> None:
    async with run(area_data="pool") as network:
        areas = network.mme.core.areas
        known = areas.get

        def away(_imsi: str) -> Any:
            raise StoreUnavailableError("the database does not answer")

        areas.get = away
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.NETWORK_FAILURE
        assert not network.decisions("area.data")[-1].admitted
        areas.get = known
        await network.attached()
        assert network.session() is not None


async def test_the_area_that_the_pool_knows_is_enforced_after_a_restart(run: Any) -> None:
    async with run(area_data="pool") as network:
        engine = network.mme.core.areas._engine
        AreaStore(engine, shared=True).put(IMSI, MmeArea(stations=1), AUDIT)
        await network.attached()
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT station FROM used_stations")).scalars().all() == [STATION]


def lose_the_last_station(network: Any) -> None:
    """Give a card one base station, which another MME of the pool counts right before ours does."""
    areas = network.mme.core.areas
    other = AreaStore(areas._engine, shared=True)
    other.put(IMSI, MmeArea(stations=1), AUDIT)
    alone = areas.count

    def late(imsi: str, area: Any, station: str) -> bool:
        assert other.count(imsi, other.get(imsi) or area, "001-01-00009")
        return bool(alone(imsi, area, station))

    areas.count = late


async def test_who_loses_the_last_base_station_to_another_mme_in_the_same_moment_is_refused(run: Any) -> None:
    async with run(area_data="pool") as network:
        lose_the_last_station(network)
        network.phone().attach()
        await network.settle()
        assert network.session() is None
        assert network.reject()["emm_cause"] is EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
        assert not network.decisions("area.count")[-1].admitted


async def test_who_comes_by_x2_and_loses_the_last_base_station_in_the_same_moment_is_turned_out(run: Any) -> None:
    async with run(area_data="pool") as network:
        areas = network.mme.core.areas
        other = AreaStore(areas._engine, shared=True)
        other.put(IMSI, MmeArea(stations=2), AUDIT)
        phone = await network.attached()
        alone = areas.count

        def late(imsi: str, area: Any, station: str) -> bool:
            assert other.count(imsi, other.get(imsi) or area, "001-01-00009")
            return bool(alone(imsi, area, station))

        areas.count = late
        network.enb2.send(
            "path-switch-request",
            enb_ue_s1ap_id=600,
            e_rab_to_be_switched_dl_list=(ErabTunnel(5, bytes([192, 0, 2, 8]), 9),),
            source_mme_ue_s1ap_id=phone.mme_id,
            eutran_cgi=Ecgi(PLMN, 2 << 8 | 1),
            tai=Tai(PLMN, 1),
            ue_security_capabilities=UeSecurityCapabilities(0xC000, 0xC000),
        )
        await network.settle()
        assert network.session() is None
        refused = network.decisions("area.count")[-1]
        assert (refused.admitted, refused.occasion) == (False, "path-switch")
