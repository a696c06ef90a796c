"""osmo-stp carries MAP between HLR, EIR and an SSP: cards are registered, routed, changed and cancelled through it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import stp
from call_net import MSISDN, CallNet
from hss_net import APPROVAL, GIVEN, IMSI, METER, PHONE
from map_net import EIR_CODE, HLR_CODE, SSP
from waiting import reserved_port

from simulators.eir.element import Eir
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import PeerFault
from simwarden.wire import map as m

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not stp.STP, reason="osmo-stp is not installed (apt install osmo-stp)"),
]
ADDRESSES = {
    "ssp": ("127.0.0.8", SSP[1], SSP[1]),
    "hss": ("127.0.0.6", HLR_CODE, HLR_CODE),
    "eir": ("127.0.0.9", EIR_CODE, EIR_CODE),
}


@pytest.fixture(name="external")
def _external(tmp_path: Path) -> Iterator[dict[str, dict[str, tuple[str, int]]]]:
    with ExitStack() as stack:
        port, vty = (stack.enter_context(reserved_port()) for _ in range(2))
        stack.enter_context(stp.osmo_stp(tmp_path, port, vty, ADDRESSES))
        wires = {name: stp.Wire(address, port) for name, (address, *_) in ADDRESSES.items()}
        for wire in wires.values():
            stack.callback(wire.close)
        yield {f"stp-{name}": {"M3UA": ("127.0.0.1", wire.port)} for name, wire in wires.items()}


def through(name: str, code: int) -> dict[str, Any]:
    """Return the settings of an element that associates itself with the transfer point."""
    return {"routes": {f"stp-{name}": {"routing_context": code}}}


class StpNet(CallNet):
    """HSS, EIR and the first VLR, each with an association to the transfer point."""

    def __init__(self, loop: TestbedLoop, external: dict[str, dict[str, tuple[str, int]]]) -> None:
        super().__init__(loop, "tcp", through=through("hss", HLR_CODE), dials="stp-ssp", external=external)
        self.eir: Any = self.add("eir", Eir, {"signalling": through("eir", EIR_CODE)})

    async def start(self) -> None:
        for name in ("hss", "eir", "ssp"):
            await self.host.start(name)
        async with asyncio.timeout(30):
            for point in (self.hss.core.point, self.eir.point, self.vlr.point):
                while not point._routes[0][1].active:  # noqa: ASYNC110 - nobody tells it
                    await asyncio.sleep(0.02)


def test_cards_through_osmo_stp(external: dict[str, dict[str, tuple[str, int]]]) -> None:
    loop = TestbedLoop(virtual=False)

    async def story() -> None:
        async with StpNet(loop, external) as net:
            await net.voice(binding=GIVEN)
            assert await net.vlr.check(METER) == m.EquipmentStatus.WHITE_LISTED
            assert await net.vlr.register(IMSI, PHONE + "01") == "unknown-subscriber"
            assert await net.vlr.register(IMSI, METER + "01") == "registered"
            first = await net.vlr.route(MSISDN)
            assert first.extended_routing_info.camel_routing_info is not None
            second = await net.vlr.route(MSISDN, suppressed=True)
            assert second.extended_routing_info.routing_info.roaming_number.digits == net.vlr.roaming_number
            await net.call("DELETE", f"/cards/{IMSI}/csi", APPROVAL)
            assert len(net.vlr.told("deleteSubscriberData")) == 1
            await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
            assert len(net.vlr.told("cancelLocation")) == 1
            assert not net.of(PeerFault)

    loop.run_until_complete(asyncio.wait_for(story(), 60))
    loop.close()
