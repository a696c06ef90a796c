"""Packets from a device to the internet and back, through eNB, SGW and PGW, on links in memory and on sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
from user_network import SERVER, SERVER6, Bench

from simwarden.errors import ManagementError
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import PeerFault
from simwarden.wire import ip, uu

Play = Callable[..., Bench]


@pytest.fixture(params=["memory", "udp"])
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    """Tell a story in a network; it must end without a bug of ours."""
    loop = TestbedLoop(virtual=True)

    def carry_out(story: Callable[[Bench], Awaitable[None]], kind: str = "ipv4") -> Bench:
        return Bench(loop, request.param, kind).play(story)

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
        await bench.host.clock.sleep(60)
        await bench.host.start("internet")
        assert await bench.send(SERVER) == "timed-out"
        await bench.host.clock.sleep(60)
        assert await bench.send(SERVER) == "delivered"

    play(story)
