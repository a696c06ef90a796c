"""What the HLR says to the SSP, and in which words it is told: of routes, roaming numbers and a card's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ssp_net import GO_ON, IMSI, MSISDN, OTHER, E, SspNet, connect, o_csi, release, t_csi

from simwarden.machine.sip_events import Answered
from simwarden.runtime.sigtran.map_node import MapError, MapNode
from simwarden.wire import map as m
from simwarden.wire.map import ErrorCode
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

NOBODY = "001010000000009"
NO_T_CSI = m.CamelRoutingInfo(m.GmscCamelSubscription(None, o_csi()))


async def orders(net: SspNet, context: Any, operation: Any, asked: Any) -> int | None:
    """Have the HLR order something; return the error that answers it."""
    try:
        await net.hlr.tell(context, operation, asked)
    except MapError as error:
        return int(error.code)
    return None


async def insert(net: SspNet, **data: Any) -> int | None:
    asked = m.InsertSubscriberData(**{"imsi": IMSI, **data})
    return await orders(net, m.SUBSCRIBER_DATA_MNGT, m.INSERT_SUBSCRIBER_DATA, asked)


async def delete(net: SspNet, **data: Any) -> int | None:
    asked = m.DeleteSubscriberData(**{"imsi": IMSI, **data})
    return await orders(net, m.SUBSCRIBER_DATA_MNGT, m.DELETE_SUBSCRIBER_DATA, asked)


async def roaming(net: SspNet, imsi: str = IMSI) -> int | None:
    asked = m.ProvideRoamingNumber(imsi, AddressString("8613800000008"))
    return await orders(net, m.ROAMING_NUMBER_ENQUIRY, m.PROVIDE_ROAMING_NUMBER, asked)


async def test_what_is_not_said_of_a_card_stays(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi(), vt_csi=t_csi())
        found = net.ssp.core.subscribers[IMSI]
        before = (found.msisdn, found.teleservices, found.o_csi, found.vt_csi)
        assert await insert(net, subscriber_status=m.SubscriberStatus(1), odb_data=m.OdbData((0,))) is None
        assert (found.msisdn, found.teleservices, found.o_csi, found.vt_csi) == before
        assert found.outgoing_barred
        assert await insert(net, teleservices=(b"\x21",)) is None
        assert found.outgoing_barred
        assert found.teleservices == {*before[1], b"\x21"}
        assert await insert(net, subscriber_status=m.SubscriberStatus(0)) is None
        assert not found.outgoing_barred
        assert await insert(net, vlr_camel_subscription=m.VlrCamelSubscription(None, t_csi())) is None
        assert found.tell()["csis"] == ["vt-csi"]
        assert net.observed("subscriber")[-1]["csis"] == ["vt-csi"]


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ({"specific_csi": (0,)}, ["vt-csi"]),
        ({"specific_csi": (4,)}, ["o-csi"]),
        ({"specific_csi": (0, 4)}, []),
        ({"specific_csi": (1, 2)}, ["o-csi", "vt-csi"]),
        ({}, ["o-csi", "vt-csi"]),
        ({"camel_subscription_withdraw": True}, []),
    ],
)
async def test_csis_are_withdrawn_one_by_one_or_all(loop: TestbedLoop, gone: dict[str, Any], left: list[str]) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi(), vt_csi=t_csi())
        assert await delete(net, **gone) is None
        assert net.observed("subscriber")[-1]["csis"] == left


async def test_of_a_card_that_is_not_here_nothing_is_taken(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        assert await insert(net, imsi=NOBODY) == ErrorCode.UNIDENTIFIED_SUBSCRIBER
        assert await insert(net, imsi=None) == ErrorCode.UNIDENTIFIED_SUBSCRIBER
        assert await delete(net, imsi=NOBODY) == ErrorCode.UNIDENTIFIED_SUBSCRIBER
        assert await roaming(net, NOBODY) == ErrorCode.ABSENT_SUBSCRIBER
        for identity in (m.Identity(NOBODY), m.Identity(imsi_with_lmsi=m.ImsiWithLmsi(NOBODY, b"\0" * 4))):
            asked = m.CancelLocation(identity)
            assert await orders(net, m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, asked) is None
        assert list(net.ssp.core.subscribers) == [IMSI]
        asked = m.CancelLocation(m.Identity(imsi_with_lmsi=m.ImsiWithLmsi(IMSI, b"\0" * 4)))
        assert await orders(net, m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, asked) is None
        assert net.ssp.core.subscribers == {}


async def test_a_card_without_telephony_has_no_roaming_number(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.hlr.teleservices = (b"\x12",)
        await net.registered()
        assert await roaming(net) == ErrorCode.FACILITY_NOT_SUPPORTED


async def test_roaming_numbers_are_used_once_each_and_run_out(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.ssp.core._ROAMING", 3)
    async with SspNet(loop) as net:
        await net.registered()
        given = [(await net.hlr.roaming_number()).digits for _ in range(3)]
        assert given == ["8613900000001", "8613900000002", "8613900000000"]
        assert await roaming(net) == ErrorCode.NO_ROAMING_NUMBER_AVAILABLE
        net.far.call("+8613900000002")
        await net.settle()
        assert net.far.outcome == "answered"
        net.far.hang_up()
        await net.sleep(20)
        assert (await net.hlr.roaming_number()).digits == "8613900000002"
        await net.sleep(20)  # it is given for as long as any, whatever was left of the time before
        net.far.call("+8613900000002")
        await net.settle()
        assert net.far.heard[-1] == Answered(net.far.calls[-1], net.far.heard[-1].body)
        net.far.hang_up()


async def test_only_the_hlrs_subsystem_orders(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        other = MapNode(net.hlr.point, 149)
        gone = m.DeleteSubscriberData(IMSI, camel_subscription_withdraw=True)
        with pytest.raises(MapError) as caught:
            await other.ask(Address(7, 8), m.SUBSCRIBER_DATA_MNGT, m.DELETE_SUBSCRIBER_DATA, gone)
        assert caught.value.code == ErrorCode.UNEXPECTED_DATA_VALUE
        assert net.observed("subscriber")[-1]["csis"] == ["o-csi"]


async def test_a_card_that_went_before_its_call_came_is_absent(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        number = await net.hlr.roaming_number()
        asked = m.CancelLocation(m.Identity(IMSI))
        await orders(net, m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, asked)
        net.far.call(f"+{number.digits}")
        await net.settle()
        assert net.far.outcome == "480 20"


@pytest.mark.parametrize("detached", [True, False])
async def test_a_card_that_went_while_its_vt_csi_was_asked_is_absent(loop: TestbedLoop, *, detached: bool) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = None, False
        await net.registered(vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        if detached:
            net.ms.detach()
            await net.settle()
        else:
            asked = m.CancelLocation(m.Identity(IMSI))
            await orders(net, m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, asked)
        net.scf.order(GO_ON, end=True)
        await net.settle()
        assert net.far.outcome == "480 20"
        assert "PAGING_REQUEST_TYPE_1" not in net.ms.names()


# -- routes


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (m.SendRoutingInfoResult(IMSI), "503 41"),
        (m.SendRoutingInfoResult(IMSI, m.ExtendedRoutingInfo(camel_routing_info=NO_T_CSI)), "503 41"),
        (
            m.SendRoutingInfoResult(IMSI, m.ExtendedRoutingInfo(m.RoutingInfo(forwarding_data=m.ForwardingData()))),
            "503 41",
        ),
        (
            m.SendRoutingInfoResult(IMSI, m.ExtendedRoutingInfo(m.RoutingInfo(AddressString("8613700000001")))),
            "486 17",
        ),
    ],
)
async def test_routes_that_lead_nowhere_or_elsewhere(
    loop: TestbedLoop, told: m.SendRoutingInfoResult, outcome: str
) -> None:
    async with SspNet(loop) as net:
        net.hlr.route, net.far.does = told, "17"
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == outcome
        invited = [each.uri.split("@")[0] for each in net.far.invited]
        assert invited == (["sip:+8613700000001"] if outcome == "486 17" else [])


async def test_an_hlr_that_says_nothing_of_a_route(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.hlr.speechless = True
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "503 41"


async def test_an_hlr_that_is_away_and_a_caller_who_gives_up_meanwhile(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.host.stop("hss", kill=True)
        net.far.call(f"+{MSISDN}")
        await net.sleep(60)
        assert net.far.outcome == "503 41"
        net.far.call(f"+{MSISDN}")
        net.far.hang_up()
        await net.sleep(60)
        assert net.ssp.core.calls == {}


async def test_a_caller_who_gives_up_before_the_hlr_has_answered_is_not_put_through(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.far.call(f"+{MSISDN}")
        net.far.hang_up()
        await net.sleep(31)
        assert [name for name, _ in net.hlr.heard] == ["update", "route"]
        assert "PAGING_REQUEST_TYPE_1" not in net.ms.names()


async def test_a_route_that_no_trunk_reaches(loop: TestbedLoop) -> None:
    async with SspNet(loop, trunks={"pstn": {"prefixes": ["+99"]}}) as net:
        routing = m.RoutingInfo(AddressString("8613700000001"))
        net.hlr.route = m.SendRoutingInfoResult(IMSI, m.ExtendedRoutingInfo(routing))
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome.endswith(" 3")


@pytest.mark.parametrize("by_route", [True, False])
async def test_a_card_without_a_number_is_told_by_the_one_that_was_called(loop: TestbedLoop, *, by_route: bool) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(vt_csi=t_csi())
        net.ssp.core.subscribers[IMSI].msisdn = ""
        called = MSISDN if by_route else (await net.hlr.roaming_number()).digits
        net.far.call(f"+{called}")
        await net.settle()
        assert net.scf.said("initialDP")[0].called_party_number.digits == called


async def test_a_card_whose_imsi_the_hlr_does_not_tell_is_asked_about_by_its_number(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        camel = m.CamelRoutingInfo(m.GmscCamelSubscription(t_csi(), o_csi()))
        net.hlr.route = m.SendRoutingInfoResult(None, m.ExtendedRoutingInfo(camel_routing_info=camel))
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "403 21"
        assert net.scf.said("initialDP")[0].called_party_number.digits == MSISDN
        assert net.observed("call")[0]["imsi"] == ""


async def test_a_forwarding_of_the_hlr_is_asked_about_by_the_cards_o_csi(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.hlr.forwarded_to = "8613800002222"
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.scf.script = [connect(f"+{MSISDN}")]
        net.far.call(f"+{MSISDN}")
        await net.settle()
        asked = [each.event_type_bcsm for each in net.scf.said("initialDP")]
        assert asked[0] is E.TERM_ATTEMPT_AUTHORIZED
        assert [each.uri.split("@")[0] for each in net.far.invited] == [f"sip:{OTHER}"]
        net.far.hang_up()
        await net.settle()


async def test_a_call_that_is_forwarded_in_a_circle_ends(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.hlr.forwarded_to = MSISDN
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "500 25"
        assert sum(name == "route" for name, _ in net.hlr.heard) == 6


@pytest.mark.parametrize("imsi", [IMSI, None])
async def test_a_card_that_the_hlr_forwards_is_told_as_far_as_it_is_known(loop: TestbedLoop, imsi: str | None) -> None:
    async with SspNet(loop) as net:
        routing = m.RoutingInfo(forwarding_data=m.ForwardingData(AddressString(OTHER.removeprefix("+"))))
        net.hlr.route = m.SendRoutingInfoResult(imsi, m.ExtendedRoutingInfo(routing))
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert {each["imsi"] for each in net.observed("call") if each["role"] == "forwarded"} == {imsi or ""}
        net.far.hang_up()


async def test_a_card_is_told_by_its_own_number_where_a_roaming_number_was_called(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(vt_csi=t_csi())
        net.far.call(f"+{(await net.hlr.roaming_number()).digits}")
        await net.settle()
        assert net.scf.said("initialDP")[0].called_party_number.digits == MSISDN


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_nobody_else_cancels_a_location_or_has_a_roaming_number(loop: TestbedLoop, *, elsewhere: bool) -> None:
    """Neither the HLR's subsystem at another point, nor another one at the HLR's."""
    async with SspNet(loop) as net:
        await net.registered()
        other = MapNode(net.eir.point, 6) if elsewhere else MapNode(net.hlr.point, 149)
        for context, operation, asked in (
            (m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, m.CancelLocation(m.Identity(IMSI))),
            (
                m.ROAMING_NUMBER_ENQUIRY,
                m.PROVIDE_ROAMING_NUMBER,
                m.ProvideRoamingNumber(IMSI, AddressString("8613800000008")),
            ),
        ):
            with pytest.raises(MapError) as caught:
                await other.ask(Address(7, 8), context, operation, asked)
            assert caught.value.code == ErrorCode.UNEXPECTED_DATA_VALUE
        assert list(net.ssp.core.subscribers) == [IMSI]


async def test_a_card_that_is_cancelled_is_shown_so_and_one_that_detached_has_no_roaming_number(
    loop: TestbedLoop,
) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.detach()
        await net.settle()
        assert await roaming(net) == ErrorCode.ABSENT_SUBSCRIBER
        for _ in range(2):  # of who is not here nothing is shown
            asked = m.CancelLocation(m.Identity(IMSI))
            assert await orders(net, m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, asked) is None
        assert [each is None for each in net.observed("subscriber", key=IMSI)] == [False, True]


@pytest.mark.parametrize("barring", [True, False])
async def test_a_vlr_that_cannot_bar_says_so(loop: TestbedLoop, *, barring: bool) -> None:
    async with SspNet(loop, barring=barring) as net:
        await net.registered()
        asked = m.InsertSubscriberData(IMSI, odb_data=m.OdbData((0,)))
        told = await net.hlr.tell(m.SUBSCRIBER_DATA_MNGT, m.INSERT_SUBSCRIBER_DATA, asked)
        assert (told.odb_general if told is not None else None) == (None if barring else (0,))
