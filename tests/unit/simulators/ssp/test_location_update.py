"""Location updating: the terminal is asked who it is and looked up, and the HLR decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ssp_net import IMEISV, IMSI, MSISDN, SspNet, T, o_csi

from simwarden.wire import map as m
from simwarden.wire.dtap import MmCause
from simwarden.wire.map import EquipmentStatus, ErrorCode

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


async def test_the_hlr_is_told_the_terminal_and_what_is_offered(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        assert net.ms.names()[-2:] == ["LOCATION_UPDATING_ACCEPT", "CHANNEL_RELEASE"]
        ((_, asked),) = net.hlr.heard
        assert asked.add_info.imeisv == IMEISV
        assert asked.vlr_capability == m.VlrCapability((1, 2, 3, 4), (0, 2, 3))
        assert net.eir.asked.imei == IMEISV
        expected = {"imsi": IMSI, "imei": IMEISV, "msisdn": MSISDN, "csis": ["o-csi"]}
        assert net.observed("subscriber")[-1] == expected
        assert (await net.call("GET", "/subscribers"))["subscribers"] == [expected]


async def test_without_camel_nothing_is_offered(loop: TestbedLoop) -> None:
    async with SspNet(loop, camel_phases=[]) as net:
        await net.registered()
        assert net.hlr.heard[0][1].vlr_capability == m.VlrCapability()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert [asked.camel_info for name, asked in net.hlr.heard if name == "route"] == [None]
        assert net.far.outcome == "answered"
        net.far.hang_up()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ErrorCode.UNKNOWN_SUBSCRIBER, MmCause.IMSI_UNKNOWN_IN_HLR),
        (ErrorCode.ILLEGAL_SUBSCRIBER, MmCause.ILLEGAL_MS),
        (ErrorCode.ILLEGAL_EQUIPMENT, MmCause.ILLEGAL_ME),
        (ErrorCode.ROAMING_NOT_ALLOWED, MmCause.PLMN_NOT_ALLOWED),
        (ErrorCode.SYSTEM_FAILURE, MmCause.NETWORK_FAILURE),
    ],
)
async def test_errors_of_the_hlr_are_told_the_terminal(loop: TestbedLoop, error: int, cause: MmCause) -> None:
    async with SspNet(loop) as net:
        net.hlr.fails["update"] = error
        net.ms.register()
        await net.settle()
        assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] == cause
        assert net.ms.names()[-1] == "CHANNEL_RELEASE"
        assert net.observed("subscriber") == []


@pytest.mark.parametrize(
    ("status", "error", "cause"),
    [
        (EquipmentStatus.BLACK_LISTED, None, MmCause.ILLEGAL_ME),
        (None, None, MmCause.NETWORK_FAILURE),
        (None, ErrorCode.UNKNOWN_EQUIPMENT, MmCause.ILLEGAL_ME),
        (None, ErrorCode.SYSTEM_FAILURE, MmCause.NETWORK_FAILURE),
        (EquipmentStatus.GREY_LISTED, None, None),
    ],
)
async def test_the_eir_is_asked(
    loop: TestbedLoop, status: EquipmentStatus | None, error: int | None, cause: MmCause | None
) -> None:
    async with SspNet(loop) as net:
        net.eir.status, net.eir.error = status, error
        net.ms.register()
        await net.settle()
        if cause is None:
            assert "LOCATION_UPDATING_ACCEPT" in net.ms.names()
        else:
            assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] == cause
            assert net.hlr.heard == []


async def test_an_eir_that_says_nothing_has_no_verdict(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.eir.speechless = True
        net.ms.register()
        await net.settle()
        assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] == MmCause.NETWORK_FAILURE


async def test_without_an_eir_terminals_are_not_looked_up(loop: TestbedLoop) -> None:
    async with SspNet(loop, signalling={"eir": None}) as net:
        await net.registered()
        assert net.decisions("ssp.equipment") == []


async def test_a_terminal_that_does_not_say_who_it_is_is_refused(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.ms.quiet.add(T.IDENTITY_REQUEST)
        net.ms.register()
        await net.sleep(13)
        assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] == MmCause.ILLEGAL_ME
        assert net.verdicts("ssp.terminal-identity") == [False]
        assert net.hlr.heard == []


async def test_an_hlr_that_is_gone_refuses_for_a_time(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.host.stop("hss", kill=True)
        await net.settle()
        net.ms.register()
        await net.settle()
        assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] == MmCause.NETWORK_FAILURE


async def test_only_the_hlr_orders_subscriber_data(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        from simwarden.runtime.sigtran.map_node import MapError
        from simwarden.wire.sccp import Address

        gone = m.DeleteSubscriberData(IMSI, camel_subscription_withdraw=True)
        with pytest.raises(MapError):
            await net.eir.node.ask(Address(7, 8), m.SUBSCRIBER_DATA_MNGT, m.DELETE_SUBSCRIBER_DATA, gone)
        assert net.observed("subscriber")[-1]["csis"] == ["o-csi"]


async def test_a_terminal_that_detaches_is_absent(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.heard.clear()
        net.ms.detach()
        await net.settle()
        assert net.ms.names() == ["CHANNEL_RELEASE"]
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "480 20"
