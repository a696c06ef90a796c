"""A network with one meter in service and an internet beyond it, for tests that send packets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Self

from meter_card import CARD, IMSI

from simulators.device.element import Device
from simulators.eir.element import Eir
from simulators.enb.element import Enb
from simulators.hss.element import Hss
from simulators.internet.element import Internet
from simulators.mme.element import Mme
from simulators.pgw.element import Pgw
from simulators.sgw.element import Sgw
from simulators.uicc.element import Uicc
from simwarden import testing
from simwarden.trace.events import PacketDropped, StateChange
from simwarden.wire import ip

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from simulators.device.contexts import Emm
    from simulators.internet.config import InternetConfig
    from simulators.internet.core import Core
    from simwarden.runtime.loop import TestbedLoop

SERVER, SERVER6 = "198.51.100.80", "2001:db8:80::80"


class Bench(testing.Bench):
    """A network with one meter in service."""

    def __init__(
        self,
        loop: TestbedLoop,
        transport: str,
        kind: str,
        internet: InternetConfig | None = None,
        tun: str = "",
        *,
        data: dict[str, Any] | None = None,
    ) -> None:
        """`data`: lists of the card, which its PGW has; none: it may exchange what it likes with whom it likes."""
        super().__init__(loop, transport=transport, tun=tun)
        self.kind = kind
        self.data = data
        self.add("card", Uicc)
        self.add("meter", Device, {"imei": "869901000000017", "pdn_type": kind})
        self.add("internet", Internet, internet)
        for name, element in (("enb", Enb), ("mme", Mme), ("sgw", Sgw), ("pgw", Pgw), ("hss", Hss), ("eir", Eir)):
            self.add(name, element)

    async def start(self) -> None:
        await super().start()
        for name in ("hss", "eir", "card"):
            apns = [{"name": each, "pdn_type": self.kind} for each in ("iot", "beside")]
            sections = {"subscription": [{"apns": apns}]} if name == "hss" else {}
            await self.call("PUT", f"/cards/{IMSI}", {**CARD, "sections": sections}, element=name)
        if self.data is not None:
            lists = {"data": [{"by": "pgw", **self.data}]}
            await self.call("PUT", f"/cards/{IMSI}", {**CARD, "sections": lists}, element="pgw")
        await self.do("meter", "insert", card="card", into="meter")
        assert await self.do("meter", "power_on", device="meter") == "accepted"

    def play(self, story: Callable[[Self], Awaitable[None]]) -> Self:
        """Tell a story in the network, which must end without a bug of ours."""

        async def whole() -> None:
            async with self:
                await story(self)

        self.loop.run_until_complete(whole())
        return self

    async def send(self, to: str, **more: Any) -> Any:
        return await self.do("meter", "send", device="meter", to=to, **more)

    def arrived(self) -> dict[str, int]:
        seen = [event for event in self.of(StateChange) if event.observable == "arrived"]
        return {str(event.key): event.value["packets"] for event in seen}

    def dropped(self) -> list[str]:
        return [event.reason for event in self.of(PacketDropped)]

    @property
    def meter(self) -> Emm:
        meter = self.host.elements["meter"]
        assert isinstance(meter, Device)
        return meter.emm

    @property
    def internet(self) -> Core:
        internet = self.host.elements["internet"]
        assert isinstance(internet, Internet)
        return internet.core

    def to_network(self, packet: ip.Packet) -> None:
        """Send a packet as the meter does."""
        self.meter.radio.send_packets(min(self.meter.bearers), [ip.encode(packet)])

    def lose_after(self, passed: int | None) -> None:
        """Let so many packets more come from the internet, and no other; None: all."""
        left = [passed]

        def keep(packets: Sequence[bytes]) -> list[bytes]:
            kept = list(packets if left[0] is None else packets[: left[0]])
            left[0] = None if left[0] is None else left[0] - len(kept)
            return kept

        self._filter(keep)

    def lose_each(self, nth: int) -> None:
        """Lose each nth packet from the internet."""
        count = itertools.count(1)
        self._filter(lambda packets: [each for each in packets if next(count) % nth])

    def _filter(self, keep: Callable[[Sequence[bytes]], list[bytes]]) -> None:
        pgw = self.host.elements["pgw"]
        assert isinstance(pgw, Pgw)
        gateway = pgw.core.gateway
        assert gateway.sgi is not None
        gateway.sgi.on_packets = lambda packets: gateway.downlink(keep(packets))
