"""An SSP and an SCP on sockets, beside a scripted HLR, EIR and terminal: telephones are those of other programs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from sipp import free_port
from ssp_net import IMSI, MSISDN, Eir, Hlr, Ms, o_csi, t_csi

from simulators.scp.element import Scp
from simulators.ssp.element import Ssp
from simwarden.runtime.host import Placement
from simwarden.runtime.loop import TestbedLoop
from simwarden.testing import Bench
from simwarden.trace.events import Decided, PeerFault
from simwarden.wire.dtap import MessageType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

T = MessageType
SSP, SCP, HLR, EIR = 8, 146, 6, 9


class CallsNet(Bench):
    """An SSP and an SCP on sockets: telephones are SIPp's, `through` has the ways of both to each other."""

    def __init__(self, loop: TestbedLoop, far: int, through: Mapping[str, Any] | None = None) -> None:
        external: dict[str, Any] = {"pstn": {"SIP": ("127.0.0.1", far)}}
        ways = through or {"ssp": {"scp": {"routing_context": SSP, "point_codes": [SCP]}}, "scp": {}, "external": {}}
        self.port = free_port()
        super().__init__(loop, transport="tcp", external=external | ways["external"])
        placements = cast("dict[str, Placement]", self.host.settings.placements)  # of its own the bench has stores only
        placements["ssp"] = Placement(listen={"SIP": ("127.0.0.1", self.port)})
        near = {name: {"routing_context": SSP, "point_codes": [code]} for name, code in (("hss", HLR), ("eir", EIR))}
        self.hlr = self.add("hss", Hlr, {"point_code": HLR})
        self.add("eir", Eir, {"point_code": EIR})
        self.scp = self.add("scp", Scp, {"routes": ways["scp"]})
        settings = {"trunks": {"pstn": {"prefixes": [""]}}, "signalling": {"routes": near | ways["ssp"]}}
        self.ssp = self.add("ssp", Ssp, settings)
        self.ms = self.add("ms", Ms)

    async def start(self) -> None:
        await super().start()
        self.hlr.o_csi, self.hlr.t_csi = o_csi(), t_csi()
        card = {"name": "card", "imsi": IMSI, "iccid": "", "msisdn": MSISDN, "profile": "elevator-alarm"}
        voice = {"by": "scp", "numbers": ["13800001111"]}
        body = card | {"form": "plug-in", "sections": {"voice": [voice]}}
        await self.call("PUT", f"/cards/{IMSI}", body, element="scp")
        async with asyncio.timeout(30):
            while not all(route.active for _, route in (*self.ssp.core.point._routes, *self.scp.core.point._routes)):  # noqa: ASYNC110 - nobody tells it
                await asyncio.sleep(0.02)
            self.ms.register()
            await self.heard(T.LOCATION_UPDATING_ACCEPT)
        self.ms.heard.clear()

    async def heard(self, *kinds: MessageType) -> MessageType:
        """Wait until the terminal has been told one of these."""
        while True:
            for each in self.ms.heard:
                if each.type in kinds:
                    return each.type
            await asyncio.sleep(0.005)

    def judged(self) -> list[bool]:
        """Return what the SCP has decided of numbers."""
        return [each.decision.admitted for each in self.of(Decided) if each.decision.control.id == "voice.directed"]


def play(story: Callable[[CallsNet], Awaitable[None]], far: int, through: Mapping[str, Any] | None = None) -> None:
    loop = TestbedLoop(virtual=False)

    async def run() -> None:
        async with CallsNet(loop, far, through) as net:
            await story(net)
            assert not net.of(PeerFault)

    loop.run_until_complete(asyncio.wait_for(run(), 120))
    loop.close()
