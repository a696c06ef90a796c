"""Areas in the HSS: zone codes of a card, what provisioning and management do with them, and provinces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hss_net import APPROVAL, IMSI, METER, Net, enforces
from pydantic import ValidationError

from simulators.hss.config import AreaChange, HssArea, HssConfig
from simwarden.errors import ManagementError
from simwarden.operations.management import Role
from simwarden.wire.diameter import first
from simwarden.wire.diameter.codes import Feature

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

PATH = f"/cards/{IMSI}/area"
PROVINCES: dict[str, Any] = {"provinces": {"east": ["0001", "0003"], "west": ["0002", "0003"]}}


def zones_in(data: Any) -> list[str]:
    return [value.hex() for name, value in data if name == "Regional-Subscription-Zone-Code"]


def area(*zones: str, **more: Any) -> list[dict[str, Any]]:
    return [{"by": "hss", "zones": list(zones), **more}]


@pytest.fixture
def provinces(loop: TestbedLoop) -> Net:
    return Net(loop, **PROVINCES)


@pytest.mark.parametrize(
    "wrong", [{}, {"zones": []}, {"zones": ["1"]}, {"zones": ["00zz"]}, {"zones": ["0001"] * 11}, {"cells": ["enb/1"]}]
)
def test_an_area_is_one_to_ten_zone_codes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HssArea.model_validate(wrong)
    with pytest.raises(ValidationError):
        AreaChange.model_validate({**wrong, **APPROVAL})


def test_zone_codes_are_kept_in_one_form() -> None:
    assert HssArea.model_validate({"zones": ["00FF"]}).zones == ("00ff",)
    assert HssArea.model_json_schema()["properties"]["zones"]["minItems"] == 1
    config = HssConfig.model_validate({"provinces": {"east": ["00FF"]}})
    assert config.homes(("00ff", "0001")) == {"00ff": ["east"], "0001": []}
    with pytest.raises(ValidationError):
        HssConfig.model_validate({"provinces": {"east": ["17"]}})


async def test_the_area_section_of_a_card_reaches_the_mme_with_its_subscription(net: Net) -> None:
    async with net:
        told = await net.provision(area=area("0001", "0002"), subscription=[{"apns": [{"name": "a.example"}]}])
        assert told["subscription"]["zones"] == ["0001", "0002"]
        data = (await net.mme.ulr(METER)).get("Subscription-Data")
        assert zones_in(data) == ["0001", "0002"]
        assert first(data, "APN-Configuration-Profile")
        assert await net.refused("PUT", f"/cards/{IMSI}", {"imsi": IMSI}) == 400


async def test_a_card_has_one_area_and_its_zone_codes_stand_in_one_place(net: Net) -> None:
    async with net:
        for sections in (
            {"area": [*area("0001"), *area("0002")]},
            {"area": area("0001"), "subscription": [{"zones": ["0001"]}]},
        ):
            with pytest.raises(ManagementError, match=r"one area|given twice") as caught:
                await net.provision(**sections)  # type: ignore[arg-type]
            assert caught.value.status == 400
        assert await net.refused("GET", f"/cards/{IMSI}") == 404


async def test_provisioning_changes_no_area_that_a_card_has(net: Net) -> None:
    async with net:
        await net.provision(area=area("0001"))
        await net.provision(area=area("0001"))
        for sections in ({"area": area("0002")}, {}):
            with pytest.raises(ManagementError, match="approval record") as caught:
                await net.provision(**sections)  # type: ignore[arg-type]
            assert caught.value.status == 409
        assert (await net.call("GET", f"/cards/{IMSI}"))["subscription"]["zones"] == ["0001"]
        await net.provision("001010000000018", name="free")
        told = await net.provision("001010000000018", name="free", area=area("0002"))
        assert told["subscription"]["zones"] == ["0002"]


async def test_a_changed_area_reaches_the_mme_and_the_audit(net: Net) -> None:
    async with net:
        await net.provision(area=area("0001"))
        await net.mme.ulr(METER)
        await net.call("PUT", PATH, {"zones": ["0002"], **APPROVAL})
        (inserted,) = net.mme.heard
        assert inserted.name == "insert-subscriber-data-request"
        assert (zones_in(inserted.get("Subscription-Data")), inserted.get("IDR-Flags")) == (["0002"], None)
        record = (await net.call("GET", f"/cards/{IMSI}/audit"))[-1]
        assert (record["action"], record["role"], record["caller"]) == ("area-change", "operator", "tester")
        assert record["details"]["before"]["zones"] == ["0001"]
        assert record["details"]["after"]["zones"] == ["0002"]
        assert record["details"].items() >= APPROVAL.items()


async def test_an_mme_that_enforces_no_zone_codes_serves_no_card_any_more_that_is_given_some(net: Net) -> None:
    async with net:
        await net.provision()
        assert (await net.mme.ulr(METER)).success
        enforces(net.mme, Feature.ODB_ALL_APN)
        await net.call("PUT", PATH, {"zones": ["0001"], **APPROVAL})
        assert [each.name for each in net.mme.heard] == ["insert-subscriber-data-request", "cancel-location-request"]
        assert (await net.call("GET", f"/cards/{IMSI}"))["mme"] == ""


async def test_an_ended_area_is_withdrawn_from_the_mme_and_apns_stay(net: Net) -> None:
    async with net:
        await net.provision(area=area("0001"), subscription=[{"apns": [{"name": "a.example"}]}])
        await net.mme.ulr(METER)
        told = await net.call("DELETE", PATH, APPROVAL)
        assert (told["subscription"]["zones"], len(told["subscription"]["apns"])) == ([], 1)
        (deleted,) = net.mme.heard
        assert (deleted.name, deleted.get("DSR-Flags")) == ("delete-subscriber-data-request", 1)
        assert zones_in((await net.mme.ulr(METER)).get("Subscription-Data")) == []
        assert (await net.call("DELETE", PATH, APPROVAL))["subscription"]["zones"] == []
        assert len(net.mme.heard) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_the_operator_alone_changes_an_area_with_an_approval_record(net: Net, method: str) -> None:
    async with net:
        await net.provision(area=area("0001"))
        body = {"zones": ["0002"], **APPROVAL} if method == "PUT" else APPROVAL
        assert await net.refused(method, PATH, body, role=Role.CUSTOMER) == 403
        assert await net.refused(method, PATH, {**body, "form": " "}) == 403
        assert [e.control.id for e in net.decisions("area.operator")][-1] == "area.operator"
        assert not net.decisions("area.approval")[-1].admitted
        refused = [r for r in await net.call("GET", f"/cards/{IMSI}/audit") if r["action"].endswith("-refused")]
        assert [(r["role"], r["details"]["control"]) for r in refused] == [
            ("customer", "area.operator"),
            ("operator", "area.approval"),
        ]
        assert (await net.call("GET", f"/cards/{IMSI}"))["subscription"]["zones"] == ["0001"]


async def test_a_subscription_is_no_way_round_the_approval_of_an_area(net: Net) -> None:
    async with net:
        apns = [{"name": "a.example"}]
        await net.provision(area=area("0001"))
        path = f"/cards/{IMSI}/subscription"
        assert await net.refused("PUT", path, {"zones": ["0002"]}) == 403
        assert await net.refused("PUT", path, {"apns": apns}) == 403  # that would take the zone codes away
        assert await net.refused("PUT", path, {"zones": ["0001"], **APPROVAL}, role=Role.CUSTOMER) == 403
        await net.call("PUT", path, {"apns": apns, "zones": ["0001"]})
        await net.call("PUT", path, {"apns": apns, "zones": ["0002"], **APPROVAL})
        assert (await net.call("GET", f"/cards/{IMSI}"))["subscription"]["zones"] == ["0002"]


async def test_an_area_is_changed_so_many_times_a_month(loop: TestbedLoop) -> None:
    net = Net(loop, area_changes={"changes": 1})

    async with net:
        await net.provision()
        await net.call("PUT", PATH, {"zones": ["0001"], **APPROVAL})  # the first one is no change
        await net.call("PUT", PATH, {"zones": ["0002"], **APPROVAL})
        assert await net.refused("PUT", PATH, {"zones": ["0003"], **APPROVAL}) == 429
        assert await net.refused("DELETE", PATH, APPROVAL) == 429
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        assert await net.refused("DELETE", PATH, APPROVAL) == 429
        for mme in ("mme", "mme2", "evil"):
            await net.host.stop(mme)  # else they redial, each 30 s, all the month
        await net.host.clock.sleep(31 * 86400)
        await net.call("DELETE", PATH, APPROVAL)


async def test_no_area_is_larger_than_a_province(provinces: Net) -> None:
    net = provinces

    async with net:
        with pytest.raises(ManagementError, match="larger than a province") as caught:
            await net.provision(area=area("0001", "0002"))
        assert caught.value.status == 403
        await net.provision(area=area("0001", "0003"))
        for zones, province in ((["0001", "0002"], ""), (["0001"], "west"), (["0001"], "north"), (["0009"], "")):
            body = {"zones": zones, "province": province, **APPROVAL}
            assert await net.refused("PUT", PATH, body) == 403, body
        assert [d.admitted for d in net.decisions("area.extent")] == [False, True, False, False, False, False]
        assert await net.refused("PUT", f"/cards/{IMSI}/subscription", {"zones": ["0001", "0002"], **APPROVAL}) == 403
        await net.call("PUT", PATH, {"zones": ["0002", "0003"], "province": "west", **APPROVAL})
        assert (await net.call("GET", f"/cards/{IMSI}"))["subscription"]["zones"] == ["0002", "0003"]
