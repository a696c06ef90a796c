"""Areas where scenarios do not reach: what counts, what the HSS is asked, and what management refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simulators.mme.controls import Occasion
from simulators.mme.procedures.area import take_up
from simwarden.errors import ManagementError
from simwarden.model.identity import Ecgi, Plmn
from simwarden.operations.management import Role
from simwarden.runtime.store import StoreUnavailableError
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.s1ap import CauseRadioNetwork

from .test_handover import required

PLMN = Plmn("001", "01")
IMSI = "001010000000001"
HOME, NEXT = "001-01-0000101", "001-01-0000201"
PATH = f"/cards/{IMSI}/area"
APPROVAL: dict[str, Any] = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}


async def _call(network: Any, method: str, path: str = PATH, **body: Any) -> Any:
    return await network.mme.manage(Role.OPERATOR, method, path, {**APPROVAL, **body} if method != "GET" else {})


async def test_a_refused_attach_teaches_the_hss_nothing_and_counts_nothing(run: Any) -> None:
    async with run() as network:
        await _call(network, "PUT", cells=[NEXT], stations=1)
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
        assert "update-location" not in network.hss.names()
        assert (await _call(network, "GET"))["area"]["used"] == []


async def test_zone_codes_come_change_and_go(run: Any) -> None:
    async with run(zones={"0001": [1]}) as network:
        phone = await network.attached()
        zone = [("Regional-Subscription-Zone-Code", bytes.fromhex("0001"))]
        await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", zone)])
        assert network.session() is not None
        assert network.mme.core.by_imsi[IMSI].subscription.zones == {"0001"}
        withdrawn = [("User-Name", IMSI), ("DSR-Flags", 8), ("Context-Identifier", 9)]
        await network.hss.order("Delete-Subscriber-Data-Request", withdrawn)
        assert network.mme.core.by_imsi[IMSI].subscription.zones == {"0001"}, "of an APN, not of zones"
        await network.hss.order("Delete-Subscriber-Data-Request", [("User-Name", IMSI), ("DSR-Flags", 1)])
        assert network.mme.core.by_imsi[IMSI].subscription.zones == frozenset()
        zone = [("Regional-Subscription-Zone-Code", bytes.fromhex("0009"))]
        await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", zone)])
        await network.settle()
        assert phone.got[-1].type is MessageType.DETACH_REQUEST
        assert phone.got[-1]["emm_cause"] is EmmCause.TRACKING_AREA_NOT_ALLOWED
        assert network.session() is None


async def test_an_uplink_message_from_another_cell_of_the_base_station_ends_the_session(run: Any) -> None:
    async with run() as network:
        await _call(network, "PUT", cells=[HOME])
        phone = await network.attached()
        status = network.enb.phones[phone.enb_id]
        cell, tai = Ecgi(PLMN, 0x102), network.mme.core.by_imsi[IMSI].tai
        status.up("uplink-nas-transport", nas_pdu=b"\x07\x60\x6f", eutran_cgi=cell, tai=tai)
        await network.settle()
        assert phone.got[-1].type is MessageType.DETACH_REQUEST
        assert network.decisions("area.cell")[-1].details["seen"] == str(cell)


async def test_counting_survives_a_kill_and_can_begin_anew(run: Any) -> None:
    async with run() as network:
        await _call(network, "PUT", stations=1)
        await network.attached()
        await network.host.stop("mme", kill=True)
        await network.host.start("mme")
        assert (await _call(network, "GET"))["area"]["used"] == ["001-01-00001"]
        assert (await _call(network, "DELETE", f"{PATH}/used"))["area"]["used"] == []
        await _call(network, "DELETE")
        assert (await _call(network, "GET"))["area"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"cells": ["enb/1"]}, 400), ({"stations": -1}, 400), ({"cells": [HOME, NEXT]}, 403),
     ({"province": "north"}, 403), ({"cells": [HOME], "province": "west"}, 403)],
)  # fmt: skip
async def test_areas_that_are_not_provisioned(run: Any, body: dict[str, Any], status: int) -> None:
    async with run(provinces={"east": ["1"], "west": ["2-9"]}) as network:
        with pytest.raises(ManagementError) as caught:
            await _call(network, "PUT", **body)
        assert caught.value.status == status
        assert network.mme.core.areas.get(IMSI) is None


async def _refused(network: Any, method: str, path: str = PATH, *, role: Role = Role.OPERATOR, **body: Any) -> int:
    with pytest.raises(ManagementError) as caught:
        await network.mme.manage(role, method, path, body, caller="Fernweh Trading")
    return caught.value.status


@pytest.mark.parametrize("path", [PATH, f"{PATH}/used"])
async def test_the_operator_alone_changes_an_area_with_an_approval_record(run: Any, path: str) -> None:
    method = "DELETE"

    async with run() as network:
        await _call(network, "PUT", stations=1)
        assert await _refused(network, method, path, role=Role.CUSTOMER, **APPROVAL) == 403
        assert await _refused(network, method, path, **{**APPROVAL, "approver": ""}) == 403
        assert await _refused(network, "PUT", role=Role.CUSTOMER, stations=9, **APPROVAL) == 403
        audit = await _call(network, "GET", f"/cards/{IMSI}/audit")
        assert [(each["action"], each["role"], each["details"].get("control")) for each in audit] == [
            ("area", "operator", None),
            (f"{'end-the-area' if path == PATH else 'count-base-stations-anew'}-refused", "customer", "area.operator"),
            (f"{'end-the-area' if path == PATH else 'count-base-stations-anew'}-refused", "operator", "area.approval"),
            ("change-the-area-refused", "customer", "area.operator"),
        ]
        assert audit[0]["details"]["before"] is None
        assert audit[0]["details"]["after"] == {"cells": [], "stations": 1, "province": ""}
        assert audit[0]["details"].items() >= APPROVAL.items()
        assert (await _call(network, "GET"))["area"]["stations"] == 1


async def test_an_area_is_changed_so_many_times_a_month_and_stations_forgotten_count(run: Any) -> None:
    async with run() as network:
        await _call(network, "PUT", stations=1)  # the first one is no change
        await _call(network, "PUT", stations=2)
        await _call(network, "DELETE", f"{PATH}/used")
        for method, path, body in (
            ("PUT", PATH, {"stations": 3}),
            ("DELETE", PATH, {}),
            ("DELETE", f"{PATH}/used", {}),
        ):
            assert await _refused(network, method, path, **body, **APPROVAL) == 429  # type: ignore[arg-type]
        await network.host.stop("mme", kill=True)
        await network.host.start("mme")
        assert await _refused(network, "DELETE", **APPROVAL) == 429
        await network.host.clock.sleep(31 * 86400)
        await _call(network, "DELETE")


async def test_provisioning_changes_no_area_that_a_card_has(run: Any) -> None:
    def body(*areas: dict[str, Any]) -> dict[str, Any]:
        keys = dict.fromkeys(("name", "iccid", "msisdn", "k", "opc", "profile", "form"), "")
        return {**keys, "imsi": IMSI, "sections": {"area": list(areas)}}

    async def _provision(network: Any, path: str, wanted: dict[str, Any]) -> None:
        await network.mme.manage(Role.OPERATOR, "PUT", path, wanted)

    async with run() as network:
        path = f"/cards/{IMSI}"
        await _provision(network, path, body({"cells": [HOME]}))
        await _provision(network, path, body({"cells": [HOME]}))
        for wanted in (body({"cells": [NEXT]}), body()):
            with pytest.raises(ManagementError, match="approval record") as caught:
                await _provision(network, path, wanted)
            assert caught.value.status == 409
        assert (await _call(network, "GET"))["area"]["cells"] == [HOME]


async def test_a_card_outside_its_area_is_a_risk_once_for_each_place(run: Any) -> None:
    async with run(area_changes={"changes": 9}) as network:
        await _call(network, "PUT", cells=[NEXT])
        for _ in range(3):
            network.phone().attach()
            await network.settle()
        (risk,) = await _call(network, "GET", "/risks")
        assert (risk["imsi"], risk["role"], risk["action"]) == (IMSI, "network", "outside-area")
        assert risk["details"] == {
            "scene": "013",
            "meaning": "used outside its area",
            "control": "area.cell",
            "reason": "the cell is none of the card's",
            "expected": [NEXT],
            "seen": HOME,
            "tai": "001-01-0001",
            "cell": HOME,
            "occasion": "attach",
        }
        await _call(network, "PUT", cells=[HOME])
        await network.attached()
        await _call(network, "PUT", cells=[NEXT])  # served meanwhile: another event
        await network.settle()
        risks = await _call(network, "GET", "/risks")
        assert [each["details"]["occasion"] for each in risks] == ["attach", "change-the-area"]


async def test_a_risk_that_cannot_be_kept_changes_no_refusal(run: Any) -> None:
    async with run() as network:
        await _call(network, "PUT", cells=[NEXT])
        core = network.mme.core

        def away(_record: Any) -> None:
            raise StoreUnavailableError("the database does not answer")

        kept, core.areas.audit = core.areas.audit, away
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
        core.areas.audit = kept
        network.phone().attach()
        await network.settle()
        assert len(await _call(network, "GET", "/risks")) == 1


async def test_a_card_is_absent_where_it_was_found_outside_and_not_where_it_was_kept_from_going(run: Any) -> None:
    async with run() as network:
        told: list[tuple[bool, str]] = []
        network.mme.core.presence.tell = lambda _imsi, *, inside, cell: told.append((inside, cell))
        await _call(network, "PUT", cells=[HOME])
        phone = await network.attached()
        network.enb.send("handover-required", **required(phone))
        await network.settle()
        cause = network.enb.last("handover-preparation-failure")["cause"]
        assert cause is CauseRadioNetwork.HO_TARGET_NOT_ALLOWED
        (risk,) = await _call(network, "GET", "/risks")
        assert (risk["details"]["occasion"], risk["details"]["cell"]) == ("handover-preparation", "001-01-00002")
        assert told == []
        assert not (await _call(network, "GET"))["outside"]
        phone.cell = Ecgi(PLMN, 0x102)
        phone.raw(b"\x07\x60\x6f")
        await network.settle()
        left = (False, str(phone.cell))
        assert told == [left]
        assert (await _call(network, "GET"))["outside"]
        for cell, then in (("001-01-0000103", [left]), (HOME, [left, (True, HOME)])):
            phone.cell = Ecgi.parse(cell)
            phone.first(phone.protected(phone.attach_request()), eutran_cgi=phone.cell)
            phone.secured = True
            await network.settle()
            assert told == then


async def test_a_changed_area_is_asked_about_its_places_and_changed_zones_about_themselves(run: Any) -> None:
    zone = [("User-Name", IMSI), ("Subscription-Data", [("Regional-Subscription-Zone-Code", bytes.fromhex("0001"))])]
    async with run(zones={"0001": [1]}) as network:
        await network.attached()
        await network.hss.order("Insert-Subscriber-Data-Request", zone)
        await _call(network, "PUT", cells=[HOME])
        await network.hss.order("Insert-Subscriber-Data-Request", zone)
        asked = {name: [each.occasion for each in network.decisions(name)] for name in ("area.cell", "area.zones")}
        assert asked == {"area.cell": ["change-the-area"], "area.zones": ["insert-subscriber-data"] * 2}


async def test_a_base_station_is_counted_and_told_once(run: Any) -> None:
    async with run() as network:
        await _call(network, "PUT", stations=1)
        phone = await network.attached()
        assert len(network.decisions("area.count")) == 1
        told = [each["used"] for each in network.observed("area")]
        assert told == [[], ["001-01-00001"]]
        phone.idle()
        await network.settle()
        phone.service()
        await network.settle()
        assert len(network.observed("area")) == 2


async def test_an_attach_that_has_proven_nothing_counts_no_base_station_of_a_new_area(run: Any) -> None:
    async with run() as network:
        phone = network.phone(replies={MessageType.AUTHENTICATION_REQUEST: None})
        phone.attach()
        await network.settle()
        assert (await _call(network, "PUT", stations=1))["area"]["used"] == []
        phone.take_again(phone.got[0])
        await network.settle()
        assert (await _call(network, "GET"))["area"]["used"] == ["001-01-00001"]


async def test_a_detached_card_is_nowhere_when_its_area_changes(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        network.mme.core.end_session(network.mme.core.by_imsi[IMSI])
        await _call(network, "PUT", cells=[NEXT])
        assert network.decisions("area.cell") == []
        assert await _call(network, "GET", "/risks") == []


async def test_a_list_has_the_area_where_a_card_is_served_although_no_zone_has_it(run: Any) -> None:
    switches = {"area.zones": "always-admit"}
    zone = ("Regional-Subscription-Zone-Code", bytes.fromhex("0001"))
    async with run(switches, zones={"0001": [3]}, tai_lists=[[1, 2, 3]]) as network:
        given = network.hss.update_location(None)
        network.hss.answers["update-location"] = [(name, [*value, zone] if name == "Subscription-Data" else value)
                                                  for name, value in given]  # fmt: skip
        phone = await network.attached()
        assert [each.tac for each in phone.got[-1]["tai_list"]] == [1, 3]


def test_an_emergency_call_in_a_cards_name_does_not_bring_it_back_into_its_area() -> None:
    core: Any = SimpleNamespace(outside={IMSI: ("area.cell", HOME, "attach")}, absent={IMSI})
    ue: Any = SimpleNamespace(imsi=IMSI, emergency=True, cell=Ecgi.parse(HOME))
    assert take_up(core, ue, Occasion.ATTACH) is None
    assert IMSI in core.outside
    assert IMSI in core.absent
