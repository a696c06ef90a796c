"""Packets from a device to the internet and back, through eNB, SGW and PGW, on links in memory and on sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

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
from simwarden.errors import ManagementError
from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault, PacketDropped, PeerFault, StateChange
from simwarden.trace.trace import Trace
from simwarden.wire import ip, uu

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

    def __init__(self, loop: TestbedLoop, transport: str, kind: str) -> None:
        clock = Clock(loop)
        self.kind = kind
        self.host = Host(loop, clock, Trace(clock.now), HostSettings(transport=transport))
        add = self.host.add
        add("card", Uicc, UiccConfig())
        add("meter", Device, DeviceConfig.model_validate({"imei": "869901000000017", "pdn_type": kind}))
        add("enb", Enb, EnbConfig())
        add("mme", Mme, MmeConfig())
        add("sgw", Sgw, SgwConfig())
        add("pgw", Pgw, PgwConfig())
        add("internet", Internet, InternetConfig())
        add("hss", Hss, HssConfig())
        add("eir", Eir, EirConfig())

    async def start(self) -> None:
        await self.host.start_all()
        for name in ("hss", "eir", "card"):
            sections = {"subscription": [{"apns": [{"name": "iot", "pdn_type": self.kind}]}]} if name == "hss" else {}
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


Play = Callable[..., Bench]


@pytest.fixture(params=["memory", "udp"])
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    """Tell a story in a network; it must end without a bug of ours."""
    loop = TestbedLoop(virtual=True)

    def carry_out(story: Callable[[Bench], Awaitable[None]], kind: str = "ipv4") -> Bench:
        bench = Bench(loop, request.param, kind)

        async def whole() -> None:
            await bench.start()
            await story(bench)
            await bench.host.close()

        loop.run_until_complete(whole())
        assert [event.detail or event.reason for event in bench.of(Fault)] == []
        return bench

    yield carry_out
    loop.close()


def test_datagrams_and_echoes_come_back(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await bench.send(f"{SERVER}:5683") == "delivered"
        assert await bench.send(SERVER, protocol="icmp", octets=1300) == "delivered"
        await bench.host.clock.sleep(30)  # idle: the next one asks for its bearer first
        assert await bench.send(SERVER) == "delivered"
        assert await bench.send("192.0.2.99") == "timed-out"

    bench = play(story)
    assert bench.arrived() == {
        f"10.64.0.1 {SERVER} udp": 2,
        f"10.64.0.1 {SERVER} icmp": 1,
        "10.64.0.1 192.0.2.99 udp": 1,
    }
    assert bench.of(PeerFault) == []


@pytest.mark.parametrize("kind", ["ipv6", "ipv4v6"])
def test_a_prefix_is_learned_of_the_router(play: Play, kind: str) -> None:
    async def story(bench: Bench) -> None:
        assert await bench.send(f"[{SERVER6}]:5683") == "delivered"
        assert await bench.send(SERVER6, protocol="icmp") == "delivered"
        assert await bench.send(SERVER) == ("delivered" if kind == "ipv4v6" else "dropped")
        (own,) = {key.split()[0] for key in bench.arrived() if ":" in key}
        assert own.startswith("2001:db8:64:")
        assert await bench.do("internet", "reach", address=own) == "answered"

    play(story, kind)


def test_a_sleeping_device_is_reached_and_one_that_is_off_is_not(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.host.clock.sleep(30)
        assert await bench.do("internet", "reach", address="10.64.0.1") == "answered"
        await bench.do("meter", "power_off", device="meter")
        assert await bench.do("internet", "reach", address="10.64.0.1") == "timed-out"
        with pytest.raises(ManagementError, match="no host nobody"):
            await bench.do("internet", "reach", address="10.64.0.1", sender="nobody")

    bench = play(story)
    assert bench.dropped() == ["no session has its address"]


def test_a_source_address_of_another_ends_at_the_pgw(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await bench.send(SERVER, source="10.64.0.2") == "timed-out"

    bench = play(story)
    assert bench.dropped() == ["its source address is not the device's"]
    assert bench.arrived() == {}


def test_who_has_no_bearer_sends_nothing(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await bench.do("meter", "detach", device="meter") == "accepted"
        assert await bench.send(SERVER) == "dropped"

    assert play(story).arrived() == {}


def test_packets_that_are_none_harm_nobody(play: Play) -> None:
    async def story(bench: Bench) -> None:
        link = next(iter(bench.host.elements["meter"].emm.radio.links.values()))  # type: ignore[attr-defined]
        good = ip.encode(ip.encode_udp(ip.Udp(1, 2, b""), "10.64.0.1", SERVER))
        wrong = good[:26] + b"\xff\xff" + good[28:]
        for packet in (b"", b"\x45", good[:-1], wrong, good[:9] + b"\x01" + good[10:]):
            link.send_packets([uu.encode(uu.UserData(5, packet))])
        link.send_packets([uu.encode(uu.UserData(6, good)), b"\x40\0"])
        await bench.host.clock.settle()
        assert await bench.send(SERVER) == "delivered"

    assert "the device is not connected here" in play(story).dropped()


def test_the_internet_comes_and_goes(play: Play) -> None:
    async def story(bench: Bench) -> None:
        await bench.host.stop("internet", kill=True)
        assert await bench.send(SERVER) == "timed-out"
        assert bench.dropped() == ["there is no way out on SGi"]

    play(story)
