"""A network with one meter in service and an internet beyond it, for tests that send packets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from simulators.device.config import DeviceConfig
from simulators.device.element import Device
from simulators.eir.config import EirConfig
from simulators.eir.element import Eir
from simulators.enb.config import EnbConfig
from simulators.enb.element import Enb
from simulators.hss.config import HssConfig
from simulators.hss.element import Hss
from simulators.internet.config import InternetConfig
from simulators.internet.element import Internet
from simulators.mme.config import MmeConfig
from simulators.mme.element import Mme
from simulators.pgw.config import PgwConfig
from simulators.pgw.element import Pgw
from simulators.sgw.config import SgwConfig
from simulators.sgw.element import Sgw
from simulators.uicc.config import UiccConfig
from simulators.uicc.element import Uicc
from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.trace.events import PacketDropped, StateChange
from simwarden.trace.trace import Trace
from simwarden.wire import ip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.device.contexts import Emm
    from simulators.internet.core import Core
    from simwarden.runtime.loop import TestbedLoop

IMSI = "001010000000001"
CARD = {
    "name": "card",
    "imsi": IMSI,
    "iccid": "8900101000000000014",
    "msisdn": "1440000000001",
    "k": "00112233445566778899aabbccddeeff",
    "opc": "ffeeddccbbaa99887766554433221100",
    "profile": "meter",
    "form": "plug-in",
}
SERVER, SERVER6 = "198.51.100.80", "2001:db8:80::80"


class Bench:
    """A network with one meter in service."""

    def __init__(
        self, loop: TestbedLoop, transport: str, kind: str, internet: InternetConfig | None = None, tun: str = ""
    ) -> None:
        clock = Clock(loop)
        self.kind = kind
        self.host = Host(loop, clock, Trace(clock.now), HostSettings(transport=transport, tun=tun))
        add = self.host.add
        add("card", Uicc, UiccConfig())
        add("meter", Device, DeviceConfig.model_validate({"imei": "869901000000017", "pdn_type": kind}))
        add("enb", Enb, EnbConfig())
        add("mme", Mme, MmeConfig())
        add("sgw", Sgw, SgwConfig())
        add("pgw", Pgw, PgwConfig())
        add("internet", Internet, internet or InternetConfig())
        add("hss", Hss, HssConfig())
        add("eir", Eir, EirConfig())

    async def start(self) -> None:
        await self.host.start_all()
        for name in ("hss", "eir", "card"):
            apns = [{"name": each, "pdn_type": self.kind} for each in ("iot", "beside")]
            sections = {"subscription": [{"apns": apns}]} if name == "hss" else {}
            body = {**CARD, "sections": sections}
            await element_of(self.host, name).manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)
        await self.do("meter", "insert", card="card", into="meter")
        assert await self.do("meter", "power_on", device="meter") == "accepted"

    async def do(self, who: str, what: str, **arguments: Any) -> Any:
        result = await element_of(self.host, who).manage(Role.OPERATOR, "POST", f"/verbs/{what}", arguments)
        await self.host.clock.settle()
        return result

    async def send(self, to: str, **more: Any) -> Any:
        return await self.do("meter", "send", device="meter", to=to, **more)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.host.trace.events if isinstance(event, kind)]

    def arrived(self) -> dict[str, int]:
        return {event.key: event.value["packets"] for event in self.of(StateChange) if event.observable == "arrived"}

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
