"""Areas where scenarios do not reach: what counts, what the HSS is asked, and what management refuses."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.model.identity import Ecgi, Plmn
from simwarden.runtime.management import ManagementError, Role
from simwarden.wire.nas.enums import EmmCause, MessageType

PLMN = Plmn("001", "01")
IMSI = "001010000000001"
HOME, NEXT = "001-01-0000101", "001-01-0000201"
PATH = f"/cards/{IMSI}/area"


async def _call(network: Any, method: str, path: str = PATH, **body: Any) -> Any:
    return await network.mme.manage(Role.OPERATOR, method, path, body)


def test_a_refused_attach_teaches_the_hss_nothing_and_counts_nothing(run: Any) -> None:
    async def story(network: Any) -> None:
        await _call(network, "PUT", cells=[NEXT], stations=1)
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
        assert "update-location" not in network.hss.names()
        assert (await _call(network, "GET"))["area"]["used"] == []

    run(story)


def test_zone_codes_come_change_and_go(run: Any) -> None:
    async def story(network: Any) -> None:
        phone = await network.attached()
        zone = [("Regional-Subscription-Zone-Code", bytes.fromhex("0001"))]
        await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", zone)])
        assert network.session() is not None
        assert network.mme.core.by_imsi[IMSI].subscription.zones == {"0001"}
        await network.hss.order("Delete-Subscriber-Data-Request", [("User-Name", IMSI), ("DSR-Flags", 1)])
        assert network.mme.core.by_imsi[IMSI].subscription.zones == frozenset()
        zone = [("Regional-Subscription-Zone-Code", bytes.fromhex("0009"))]
        await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", zone)])
        await network.settle()
        assert phone.got[-1].type is MessageType.DETACH_REQUEST
        assert phone.got[-1]["emm_cause"] is EmmCause.TRACKING_AREA_NOT_ALLOWED
        assert network.session() is None

    run(story, zones={"0001": [1]})


def test_an_uplink_message_from_another_cell_of_the_base_station_ends_the_session(run: Any) -> None:
    async def story(network: Any) -> None:
        await _call(network, "PUT", cells=[HOME])
        phone = await network.attached()
        status = network.enb.phones[phone.enb_id]
        cell, tai = Ecgi(PLMN, 0x102), network.mme.core.by_imsi[IMSI].tai
        status.up("uplink-nas-transport", nas_pdu=b"\x07\x60\x6f", eutran_cgi=cell, tai=tai)
        await network.settle()
        assert phone.got[-1].type is MessageType.DETACH_REQUEST
        assert network.decisions("area.cell")[-1].details["seen"] == str(cell)

    run(story)


def test_counting_survives_a_kill_and_can_begin_anew(run: Any) -> None:
    async def story(network: Any) -> None:
        await _call(network, "PUT", stations=1)
        await network.attached()
        await network.host.stop("mme", kill=True)
        await network.host.start("mme")
        assert (await _call(network, "GET"))["area"]["used"] == ["001-01-00001"]
        assert (await _call(network, "DELETE", f"{PATH}/used"))["area"]["used"] == []
        await _call(network, "DELETE")
        assert (await _call(network, "GET"))["area"] is None

    run(story)


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"cells": ["enb/1"]}, 400), ({"stations": -1}, 400), ({"cells": [HOME, NEXT]}, 403),
     ({"province": "north"}, 403), ({"cells": [HOME], "province": "west"}, 403)],
)  # fmt: skip
def test_areas_that_are_not_provisioned(run: Any, body: dict[str, Any], status: int) -> None:
    async def story(network: Any) -> None:
        with pytest.raises(ManagementError) as caught:
            await _call(network, "PUT", **body)
        assert caught.value.status == status
        assert network.mme.core.areas.get(IMSI) is None
        with pytest.raises(ManagementError, match="operator"):
            await network.mme.manage(Role.CUSTOMER, "PUT", PATH, {"stations": 1})

    run(story, provinces={"east": ["1"], "west": ["2-9"]})
