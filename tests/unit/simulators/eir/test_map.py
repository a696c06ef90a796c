"""CheckIMEI: what MSCs that the EIR knows are told of a terminal."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from map_net import EIR_CODE, SSP, ScriptedVlr
from sigtran_net import Node

from simulators.eir.element import Eir
from simulators.eir.procedures import check_imei
from simwarden.runtime.sigtran.map_node import MapError
from simwarden.testing import Bench
from simwarden.trace.rows import rows_of
from simwarden.wire import map as m
from simwarden.wire.sccp import Address, GlobalTitle

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

METER, PHONE, OTHER = "99000101000001", "99000201000001", "12345678000001"


class MapNet(Bench):
    """An EIR, and an MSC that associates itself with it; or both with a signalling transfer point."""

    subject = "eir"

    def __init__(
        self,
        loop: TestbedLoop,
        transport: str = "memory",
        *,
        point_code: int = SSP[1],
        stp: bool = False,
        **config: Any,
    ) -> None:
        super().__init__(loop, transport=transport)
        if stp:
            self.add("stp", Node, {"point_code": 1, "serves": [(EIR_CODE, EIR_CODE), (point_code, point_code)]})
        signalling = {"routes": {"stp": {"routing_context": EIR_CODE}}} if stp else {}
        self.eir = self.add("eir", Eir, {"signalling": signalling, **config})
        settings = {"dials": "stp" if stp else "eir", "far": EIR_CODE, "point_code": point_code}
        self.msc = self.add("ssp", ScriptedVlr, settings)

    async def start(self) -> None:
        await super().start()
        await self.settle()


@pytest.fixture(params=["memory", "tcp"])
def net(loop: TestbedLoop, request: pytest.FixtureRequest) -> MapNet:
    return MapNet(loop, request.param, allowed=["99000101"], prohibited=["99000201"], tracked=["12345678"])


async def test_a_terminal_is_white_black_or_grey_as_on_s13(net: MapNet) -> None:
    async with net:
        found = [await net.msc.check(each) for each in (METER, PHONE + "3", OTHER + "01")]
        assert found == [m.EquipmentStatus.WHITE_LISTED, m.EquipmentStatus.BLACK_LISTED, m.EquipmentStatus.GREY_LISTED]
        assert net.verdicts("eir.equipment") == [True, False, True]
        assert {each.occasion for each in net.decisions("eir.equipment")} == {"map-check-imei"}
        assert net.observed("equipment")[0]["status"] == "allowed"
        await net.call("PUT", f"/equipment/{METER}", {"status": "prohibited"})
        assert await net.msc.check(METER) == m.EquipmentStatus.BLACK_LISTED


async def test_a_terminal_that_nobody_knows_is_no_white_one(loop: TestbedLoop) -> None:
    async with MapNet(loop, unlisted="unknown") as net:
        assert await net.msc.check(OTHER) == "unknown-equipment"


@pytest.mark.parametrize("kill", [False, True])
async def test_who_stops_leaves_the_signalling_network_and_who_loses_power_says_nothing(
    loop: TestbedLoop, *, kill: bool
) -> None:
    async with MapNet(loop, stp=True) as net:
        seen = len(net.trace.events)
        await net.host.stop("eir", kill=kill)
        await net.settle()
        said = [each.name for each in rows_of(net.trace.events[seen:]) if each.source == "eir" and each.name]
        assert said == ([] if kill else ["asp-inactive", "asp-down"])


@pytest.mark.parametrize("point_code", [SSP[1], 28])
async def test_through_a_transfer_point_known_mscs_alone_are_told(loop: TestbedLoop, point_code: int) -> None:
    async with MapNet(loop, stp=True, point_code=point_code) as net:
        known = point_code == SSP[1]
        assert await net.msc.check(METER) == (m.EquipmentStatus.WHITE_LISTED if known else "system-failure")
        assert net.verdicts("eir.node") == [known]
        assert net.verdicts("eir.equipment") == [True] * known


@pytest.mark.parametrize(
    ("peer", "said"),
    [
        (Address(8, 28), "28"),
        (Address(8, None, GlobalTitle("447785016005", 4, 0, 1)), "447785016005"),
        (Address(8, SSP[1]), SSP[0]),
    ],
)
async def test_who_asks_is_told_by_the_number_or_the_point_code(loop: TestbedLoop, peer: Address, said: str) -> None:
    async with MapNet(loop) as net:
        dialogue: Any = SimpleNamespace(peer=peer)
        with contextlib.nullcontext() if said == SSP[0] else pytest.raises(MapError):
            await check_imei(net.eir.register, m.CheckImei(METER, (0,)), dialogue)
        assert net.decisions("eir.node")[-1].details["seen"] == said


@pytest.mark.parametrize(("requested", "status"), [((0,), m.EquipmentStatus.WHITE_LISTED), ((1,), None)])
async def test_who_does_not_ask_for_the_status_is_not_told_it(
    loop: TestbedLoop, requested: tuple[int, ...], status: m.EquipmentStatus | None
) -> None:
    async with MapNet(loop) as net:
        dialogue: Any = SimpleNamespace(peer=Address(8, SSP[1]))
        told = await check_imei(net.eir.register, m.CheckImei(METER, requested), dialogue)
        assert told.equipment_status == status
