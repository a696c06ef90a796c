"""A network of ours with meters, on the real clock and real sockets, whose PCRF or OCS is of another hand.

Nothing is judged by what our elements say of themselves: octets count where they come out, at SGi and at the device.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from meter_card import CARD

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
from simwarden.runtime.loop import TestbedLoop
from simwarden.wire import ip

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from simulators.device.contexts import Emm

#: hosts of the internet that answer, and one that nobody answers at
SERVER, ELSEWHERE, SERVER6 = "198.51.100.80", "203.0.113.66", "2001:db8:80::80"
#: of datagrams: their port at the internet and at the meter, and the octets of their IP packets
PORT, OWN_PORT, SIZE = 5683, 40000, 100
#: seconds until a packet is where it goes, or nowhere
PAUSE = 0.1
#: rounds of the loop that a packet takes at most from one end to the other
STEPS = 100
APN = "iot"


def imsi(number: int) -> str:
    return f"00101{number:010d}"


class Network(testing.Bench):
    """Meters, each with a card of its own, in service at a PGW that asks peers of another hand.

    `outside` has the ports of the foreign elements by the names by which the PGW's settings call them.
    """

    def __init__(
        self, outside: Mapping[str, int], pgw: Mapping[str, Any], *, meters: int = 1, kind: str = "ipv4", **more: Any
    ) -> None:
        external = {name: {"": ("127.0.0.1", port)} for name, port in outside.items()}
        super().__init__(TestbedLoop(virtual=False), external=external, **more)
        self.kind, self.meters = kind, [f"meter{number}" for number in range(1, meters + 1)]
        for number, meter in enumerate(self.meters, 1):
            self.add(f"card{number}", Uicc)
            self.add(meter, Device, {"imei": f"869901{number:08d}", "pdn_type": kind})
        self.add("internet", Internet)
        for name, element in (("enb", Enb), ("mme", Mme), ("sgw", Sgw), ("hss", Hss), ("eir", Eir)):
            self.add(name, element)
        self.add("pgw", Pgw, pgw)
        #: octets of IP packets that came out at SGi, by where they were for, and that came to meters, by where from
        self.out: Counter[str] = Counter()
        self.back: Counter[str] = Counter()

    def _tap(self) -> None:
        """Count what comes to the internet, and to the meters, before they look at it."""
        core, *meters = (self.host.elements[name] for name in ("internet", *self.meters))
        assert isinstance(core, Internet)
        take = core.core.take

        def at_sgi(link: Any, packets: Sequence[bytes]) -> None:
            for packet in packets:
                self.out[ends(packet)[1]] += len(packet)
            take(link, packets)

        core.core.take = at_sgi  # type: ignore[method-assign]
        for meter in meters:
            assert isinstance(meter, Device)
            meter.emm.packets.take = partial(self._at_meter, meter.emm.packets.take)  # type: ignore[method-assign]

    def _at_meter(self, take: Callable[[int, bytes], None], bearer: int, packet: bytes) -> None:
        self.back[ends(packet)[0]] += len(packet)
        take(bearer, packet)

    async def start(self) -> None:
        await super().start()
        self._tap()
        for number, meter in enumerate(self.meters, 1):
            subscription = [{"apns": [{"name": APN, "pdn_type": self.kind}]}]
            for element in ("hss", "eir", f"card{number}"):
                card = self.card(number, subscription=subscription) if element == "hss" else self.card(number)
                await self.call("PUT", f"/cards/{imsi(number)}", card, element=element)
            await self.do(meter, "insert", card=f"card{number}", into=meter)

    def card(self, number: int, **sections: Any) -> dict[str, Any]:
        """Return a meter's card, as it is provisioned at an element that has sections of it."""
        names = {"name": f"card{number}", "imsi": imsi(number), "msisdn": f"1440{number:09d}"}
        return {**CARD, **names, "iccid": f"89001010000000{number:05d}", "sections": sections}

    def play(self, story: Callable[[Network], Awaitable[None]]) -> Network:
        """Tell a story in the network, which must end without a fault of ours."""

        async def whole() -> None:
            async with self:
                await story(self)

        try:
            self.loop.run_until_complete(whole())
        finally:
            self.loop.close()
        return self

    async def attach(self, meter: str = "meter1") -> str:
        """Switch a meter on and return how its attach ended."""
        outcome: str = await self.do(meter, "power_on", device=meter)
        return outcome

    def emm(self, meter: str = "meter1") -> Emm:
        element = self.host.elements[meter]
        assert isinstance(element, Device)
        return element.emm

    async def address(self, towards: str, meter: str = "meter1") -> str:
        """Return a meter's address, of the version of another one."""
        return await self.emm(meter).packets.source_for(towards, "")

    async def send(self, to: str, *sizes: int, port: int = PORT, meter: str = "meter1") -> int:
        """Have a meter send datagrams, each an IP packet of so many octets; return how many octets came out at SGi."""
        before, emm = self.out.total(), self.emm(meter)
        for size in sizes or (SIZE,):
            packet = datagram((await self.address(to, meter), OWN_PORT), (to, port), size)
            emm.radio.send_packets(min(emm.bearers), [packet])
            await self._arrive()
        return self.out.total() - before

    async def reach(self, source: str, *sizes: int, port: int = PORT, meter: str = "meter1") -> int:
        """Send datagrams to a meter from the internet; return how many octets came to it."""
        internet = self.host.elements["internet"]
        assert isinstance(internet, Internet)
        before = self.back.total()
        for size in sizes or (SIZE,):
            own = await self.address(source, meter)
            internet.core.links[0].send_packets([datagram((source, port), (own, OWN_PORT), size)])
            await self._arrive()
        return self.back.total() - before

    async def _arrive(self) -> None:
        """Let a packet come where it goes: there is time for others to answer, and for all that is ready after it.

        On a machine that is busy the time may be over before anything was done in it.
        """
        await asyncio.sleep(PAUSE)
        for _ in range(STEPS):
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], object], seconds: float = 20.0) -> bool:
        """Wait until something is so; return whether it came to be."""
        deadline = self.loop.time() + seconds
        while not condition():
            if self.loop.time() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True


def datagram(source: tuple[str, int], to: tuple[str, int], size: int) -> bytes:
    """Return a UDP datagram that is an IP packet of so many octets."""
    headers = 28 if "." in source[0] else 48
    udp = ip.Udp(source[1], to[1], bytes(size - headers))
    return ip.encode(ip.encode_udp(udp, source[0], to[0]))


def ends(packet: bytes) -> tuple[str, str]:
    """Return source and destination of an IP packet (RFC 791 3.1, RFC 8200 3)."""
    first, length = (12, 4) if packet[0] >> 4 == 4 else (8, 16)
    return (
        str(ip_address(packet[first : first + length])),
        str(ip_address(packet[first + length : first + 2 * length])),
    )
