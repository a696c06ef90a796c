"""What the HLR part makes of what VLRs and GMSCs say, and of what they leave out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from call_net import MSISDN, CallNet
from hss_net import APPROVAL, IMSI, METER, PHONE
from map_net import SSP2

from simwarden.wire import map as m
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

PATH = f"/cards/{IMSI}"
NATIONAL = 2


@pytest.fixture
def net(loop: TestbedLoop) -> CallNet:
    return CallNet(loop)


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (AddressString(MSISDN), True),
        (AddressString(MSISDN.removeprefix("86"), NATIONAL), True),
        (AddressString(MSISDN.removeprefix("86")), False),
        (AddressString(MSISDN[:-1] + "*"), None),
    ],
)
async def test_a_card_is_called_by_its_number(net: CallNet, number: AddressString, found: bool | None) -> None:  # noqa: FBT001
    async with net:
        await net.voice(csi=[{"kinds": []}])
        await net.vlr2.register(IMSI)
        told = await net.vlr.route(number)
        words = {None: "unexpected-data-value", False: "unknown-subscriber"}
        assert (told.imsi == IMSI) if found else (told == words[found])


@pytest.mark.parametrize("number", ["", MSISDN])
async def test_a_card_without_a_number_has_none_at_its_vlr(net: CallNet, number: str) -> None:
    async with net:
        await net.provision(keys={"functions": ["voice", "data"], "msisdn": number})
        assert await net.vlr.register(IMSI) == "registered"
        (data,) = net.vlr.told("insertSubscriberData")
        assert data.msisdn == (AddressString(number) if number else None)


async def test_a_gmsc_without_camel_calls_a_card_without_csis(net: CallNet) -> None:
    async with net:
        await net.voice(csi=[{"kinds": []}])
        await net.vlr2.register(IMSI)
        told = await net.vlr.route(MSISDN, None)
        assert told.extended_routing_info.routing_info.roaming_number.digits == net.vlr2.roaming_number
        assert net.vlr2.told("provideRoamingNumber")[0].supported_camel_phases is None


async def test_a_vlr_without_a_roaming_number_in_its_answer_is_no_way(net: CallNet) -> None:
    async with net:
        await net.voice(csi=[{"kinds": []}])
        await net.vlr2.register(IMSI)
        net.vlr2.roaming_number = ""
        assert await net.vlr.route(MSISDN) == "system-failure"


async def test_a_vlr_that_is_known_no_more_is_no_way(net: CallNet) -> None:
    async with net:
        await net.voice(csi=[{"kinds": []}])
        await net.vlr2.register(IMSI)
        net.hss.core.store.change(net.hss.core.card(IMSI), vlr="8613800000099")
        assert await net.vlr.route(MSISDN) == "system-failure"
        assert any("8613800000099" in each for each in net.notes())


@pytest.mark.parametrize(
    ("phases", "offered", "kinds", "served"),
    [
        ((1,), None, ["o-csi"], False),
        ((1, 2), None, ["o-csi"], True),
        ((1, 2), None, ["vt-csi"], False),
        ((1, 2, 4), (2,), ["vt-csi"], True),
        ((1, 2, 4), None, ["vt-csi"], False),
    ],
)
async def test_a_vlr_serves_by_what_it_says_last_of_camel(
    net: CallNet, phases: tuple[int, ...], offered: tuple[int, ...] | None, kinds: list[str], *, served: bool
) -> None:
    """In the answer to subscriber data it may tell phases that differ from those at its registration (8.8.1)."""
    async with net:
        await net.voice(csi=[{"kinds": kinds}])
        net.vlr.isd_result = m.InsertSubscriberDataResult(
            supported_camel_phases=phases, offered_camel4_csis=offered, odb_general=()
        )
        assert await net.vlr.register(IMSI) == ("registered" if served else "roaming-not-allowed")
        assert (await net.call("GET", PATH))["vlr"] == (net.vlr.config.number if served else "")
        (data,) = net.vlr.told("insertSubscriberData")
        assert (data.vlr_camel_subscription.vt_csi is None) == (kinds == ["o-csi"])
        await net.call("PUT", f"{PATH}/csi", {"kinds": kinds, "service_key": 7, **APPROVAL})
        assert len(net.vlr.told("insertSubscriberData")) == 1 + served
        if served:
            told = net.vlr.told("insertSubscriberData")[-1].vlr_camel_subscription
            assert (told.o_csi or told.vt_csi).camel_capability_handling == max(phases)


async def test_what_a_vlr_offers_is_not_what_the_one_offers_that_serves_the_card_now(net: CallNet) -> None:
    async with net:
        await net.voice()
        net.vlr.isd_result = m.InsertSubscriberDataResult(supported_camel_phases=(1, 2))
        net.vlr.meanwhile["insertSubscriberData"] = partial(net.vlr2.register, IMSI)
        assert await net.vlr.register(IMSI) == "system-failure"
        await net.call("PUT", f"{PATH}/csi", {"service_key": 7, **APPROVAL})
        told = net.vlr2.told("insertSubscriberData")[-1].vlr_camel_subscription.o_csi
        assert (told.triggers[0].service_key, told.camel_capability_handling) == (7, 4)


async def test_a_gmsc_gets_the_t_csi_alone_of_a_card_that_has_no_other(net: CallNet) -> None:
    async with net:
        await net.voice(csi=[{"kinds": ["t-csi"]}])
        assert await net.vlr2.register(IMSI, phases=None) == "registered"
        assert await net.vlr.route(MSISDN, ()) == "call-barred"
        told = await net.vlr.route(MSISDN, (1, 2, 4), offers=False)  # phase 4, and no CSI in it
        csis = told.extended_routing_info.camel_routing_info.gmsc_camel_subscription
        assert (csis.t_csi.camel_capability_handling, csis.o_csi) == (2, None)
        (data,) = net.vlr2.told("insertSubscriberData")
        assert data.vlr_camel_subscription is None


@pytest.mark.parametrize(("vlr", "ends"), [(METER, False), (PHONE, True), ("", False)])
async def test_a_binding_to_the_terminal_in_use_ends_calls_from_another(net: CallNet, vlr: str, *, ends: bool) -> None:
    async with net:
        await net.voice()
        assert (await net.mme.ulr(METER)).success
        if vlr:
            assert await net.vlr2.register(IMSI, vlr + "01") == "registered"
        await net.call("PUT", f"{PATH}/binding", {"imei": METER, **APPROVAL})
        assert len(net.vlr2.told("cancelLocation")) == ends
        assert len(net.mme.heard) == ends
        assert (await net.call("GET", PATH))["vlr"] == (SSP2[0] if vlr and not ends else "")


async def test_csis_that_stay_as_they_are_count_as_no_change(net: CallNet) -> None:
    async with net:
        await net.voice()
        held: dict[str, Any] = net.hss.core.csi_of(net.hss.core.card(IMSI)).model_dump(mode="json")
        for _ in range(4):
            await net.call("PUT", f"{PATH}/csi", {**held, **APPROVAL})
        assert [each["action"] for each in await net.call("GET", f"{PATH}/audit")] == ["provision"]
        await net.call("PUT", f"{PATH}/csi", {**held, "service_key": 7, **APPROVAL})
