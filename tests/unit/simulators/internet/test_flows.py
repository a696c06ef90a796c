"""Flows that stay open: their octets both ways, keep-alives, what a server sends unasked, and how they end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from user_network import SERVER, SERVER6, Bench

from simulators.device.parts.flows import Exchange, OpenFlow
from simulators.internet.config import InternetConfig
from simulators.internet.element import Push
from simwarden.errors import ManagementError
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import PeerFault, StateChange
from simwarden.wire import ip
from simwarden.wire.ip import Tcp, TcpFlag

Play = Callable[..., Bench]
OWN, OTHER = "10.64.0.1", "203.0.113.66"
PORTS = {"udp": 5683, "tcp": 2525, "tls": 8443, "mqtt": 1883, "mqtts": 8883}
SERVICES: dict[int, dict[str, Any]] = {port: {"protocol": protocol} for protocol, port in PORTS.items()}
TOO_LONG = "a" * 65508
NO_NAMES = ["a..b", ".", ".a", "a" * 64, "a." * 127]
CONNECTIONS = ["tcp", "tls", "mqtt", "mqtts"]


@pytest.fixture
def play() -> Iterator[Play]:
    loop = TestbedLoop(virtual=True)

    def carry_out(story: Callable[[Bench], Awaitable[None]], kind: str = "ipv4", **services: Any) -> Bench:
        changed = {PORTS[protocol]: {"protocol": protocol, **more} for protocol, more in services.items()}
        config = InternetConfig.model_validate({"services": {"server": {**SERVICES, **changed}}})
        return Bench(loop, "memory", kind, config).play(story)

    yield carry_out
    loop.close()


async def open_flow(bench: Bench, protocol: str, **more: Any) -> Any:
    to = f"{SERVER}:{PORTS[protocol]}"
    return await bench.do("meter", "open_flow", **{"device": "meter", "to": to, "protocol": protocol, **more})


async def exchange(bench: Bench, text: str = "report", **more: Any) -> Any:
    return await bench.do("meter", "exchange", device="meter", text=text, **more)


async def push(bench: Bench, protocol: str, text: str = "order", **more: Any) -> Any:
    carried = "udp" if protocol == "udp" else "tcp"
    to = f"{OWN}:5000" if protocol == "udp" else OWN
    return await bench.do(
        "internet", "push", **{"to": to, "port": PORTS[protocol], "protocol": carried, "text": text, **more}
    )


def seen(bench: Bench, element: str, observable: str) -> list[dict[str, Any]]:
    shown = [event for event in bench.of(StateChange) if (event.element, event.observable) == (element, observable)]
    return [event.value for event in shown]


def texts(bench: Bench, element: str) -> list[str]:
    return [each["text"] for each in seen(bench, element, "payload")]


@pytest.mark.parametrize("kind", ["ipv4", "ipv6"])
@pytest.mark.parametrize("protocol", PORTS)
def test_octets_arrive_both_ways_and_the_flow_stays_open(play: Play, protocol: str, kind: str) -> None:
    async def story(bench: Bench) -> None:
        where = {"to": f"[{SERVER6}]:{PORTS[protocol]}"} if kind == "ipv6" else {}
        assert await open_flow(bench, protocol, **where) == "connected"
        assert await exchange(bench, "first") == "delivered"
        await bench.host.clock.sleep(7200)
        assert await exchange(bench, "second") == "delivered"
        assert await bench.do("meter", "close_flow", device="meter") == "closed"
        assert await exchange(bench) == "dropped"

    bench = play(story, kind)
    assert bench.of(PeerFault) == []
    assert texts(bench, "internet") == ["first", "second"]
    assert texts(bench, "meter") == ([] if "mqtt" in protocol else ["first", "second"])
    last = seen(bench, "meter", "user_flow")[-1]
    assert (last["state"], last["sent"], last["keep_alives"]) == ("closed", 11, 0)
    if protocol != "udp":
        assert seen(bench, "internet", "user_flow")[-1]["state"] == "ended"


@pytest.mark.parametrize("protocol", PORTS)
def test_a_server_sends_unasked(play: Play, protocol: str) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol, port=5000) == "connected"
        await bench.host.clock.sleep(600)
        assert await push(bench, protocol) == "sent"

    bench = play(story)
    (arrived,) = seen(bench, "meter", "payload")
    assert arrived == {
        "flow": "flow",
        "source": SERVER,
        "text": "order",
        "hex": b"order".hex(),
        "octets": 5,
        "times": 1,
    }


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_a_server_speaks_first(play: Play, protocol: str) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol) == "connected"
        assert await exchange(bench, "EHLO meter\r\n") == "delivered"
        assert await exchange(bench, "\0") == "delivered"

    bench = play(story, **{protocol: {"greeting": {"text": "220 ready\r\n"}, "answer": {"hex": "00ff"}}})
    arrived = [(each["text"], each["hex"], each["times"]) for each in seen(bench, "meter", "payload")]
    assert arrived == [("220 ready\r\n", b"220 ready\r\n".hex(), 1), (None, "00ff", 1), (None, "00ff", 2)]
    assert texts(bench, "internet") == ["EHLO meter\r\n"]  # zeros are not shown


@pytest.mark.parametrize("protocol", CONNECTIONS)
def test_keep_alives_keep_a_connection(play: Play, protocol: str) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol, keep_alive=600) == "connected"
        await bench.host.clock.sleep(7210)
        assert await exchange(bench) == "delivered"
        last = seen(bench, "meter", "user_flow")[-1]
        assert (last["state"], last["keep_alives"]) == ("open", 12)

    play(story)


@pytest.mark.parametrize(("protocol", "after"), [("tcp", 600 + 9 * 75), ("mqtt", 610), ("mqtts", 610)])
def test_a_flow_ends_whose_keep_alives_nothing_answers(play: Play, protocol: str, after: int) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol, keep_alive=600) == "connected"
        bench.lose_after(0)
        await bench.host.clock.sleep(after - 5)
        assert seen(bench, "meter", "user_flow")[-1]["state"] == "open"
        await bench.host.clock.sleep(10)

    assert seen(play(story), "meter", "user_flow")[-1]["state"] == "timed-out"


def test_a_broker_ends_the_session_of_a_client_that_is_silent(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, "mqtt", keep_alive=600) == "connected"
        bench.meter.packets.forward = lambda octets: None  # type: ignore[method-assign]  # noqa: ARG005
        await bench.host.clock.sleep(899)
        assert seen(bench, "internet", "user_flow")[-1]["state"] == "open"
        await bench.host.clock.sleep(2)
        assert seen(bench, "internet", "user_flow")[-1]["state"] == "closed"

    play(story)


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
@pytest.mark.parametrize("keep_alive", [0, 10])
def test_a_server_resets_a_silent_connection_whatever_its_keep_alives(
    play: Play, protocol: str, keep_alive: int
) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol, keep_alive=keep_alive) == "connected"
        await bench.host.clock.sleep(290)
        assert await exchange(bench) == "delivered"
        await bench.host.clock.sleep(301)
        assert await exchange(bench) == "dropped"

    bench = play(story, **{protocol: {"silence": "5 min"}})
    assert seen(bench, "meter", "user_flow")[-1]["state"] == "reset"
    assert seen(bench, "internet", "user_flow")[-1]["state"] == "timed-out"


@pytest.mark.parametrize("protocol", PORTS)
def test_without_a_bearer_a_flow_is_over(play: Play, protocol: str) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol) == "connected"
        await bench.do("meter", "power_off", device="meter")
        await bench.do("meter", "power_on", device="meter")
        assert await exchange(bench) == "dropped"
        assert await open_flow(bench, protocol) == "connected"
        assert await exchange(bench) == "delivered"
        states = [each["state"] for each in seen(bench, "meter", "user_flow")]
        assert states == ["open", "dropped", "open", "open", *(["open"] if "mqtt" not in protocol else [])]

    play(story)


def test_a_port_without_a_service_refuses(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, "tcp", to=f"{SERVER}:2526") == "refused"
        assert await open_flow(bench, "tcp", to="192.0.2.99:2525", within=20) == "timed-out"
        assert await open_flow(bench, "udp", to=f"[{SERVER6}]:7") == "dropped"
        assert await open_flow(bench, "mqtt", to=f"{SERVER}:2525") == "refused"  # the reply is not a CONNACK
        assert await open_flow(bench, "tls", to=f"{SERVER}:2525") == "refused"

    assert len(play(story).of(PeerFault)) == 2


@pytest.mark.parametrize("protocol", CONNECTIONS)
def test_a_server_that_goes_away_ends_a_flow(play: Play, protocol: str) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol) == "connected"
        await bench.host.stop("internet")
        await bench.host.clock.settle()
        assert seen(bench, "meter", "user_flow")[-1]["state"] == "reset"

    play(story)


def test_other_senders_reach_a_device_without_a_gate(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, "udp", port=5000) == "connected"
        assert await push(bench, "udp", sender="elsewhere") == "sent"
        assert await push(bench, "tcp", sender="elsewhere", to=f"{OWN}:5000") == "reset"
        await bench.do("meter", "power_off", device="meter")
        assert await push(bench, "tcp", sender="elsewhere", to=f"{OWN}:5000") == "timed-out"

    (arrived,) = seen(play(story), "meter", "payload")
    assert (arrived["source"], arrived["text"]) == (OTHER, "order")


def test_a_host_that_only_watches_shows_what_arrives() -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, "udp", to=f"{OTHER}:9") == "connected"
        assert await exchange(bench, "secret") == "timed-out"
        assert (
            await bench.do("meter", "send", device="meter", packet=f"IP(dst='{OTHER}')/UDP(dport=9)/'octets'")
            == "timed-out"
        )

    watcher = {"hosts": {"watcher": {"addresses": [OTHER], "answers": []}}}
    loop = TestbedLoop(virtual=True)
    bench = Bench(loop, "memory", "ipv4", InternetConfig.model_validate(watcher)).play(story)
    loop.close()
    assert texts(bench, "internet") == ["secret", "octets"]


def test_what_comes_from_another_sender_answers_no_exchange(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, "udp", port=5000) == "connected"
        waiting = bench.loop.create_task(exchange(bench))
        await bench.host.clock.settle()
        assert await push(bench, "udp", sender="elsewhere") == "sent"
        assert await waiting == "timed-out"

    play(story, udp={"answer": "nothing"})


@pytest.mark.parametrize("protocol", ["mqtt", "mqtts"])
def test_two_clients_of_one_name_take_each_others_session(play: Play, protocol: str) -> None:
    """MQTT 3.1.4: the broker ends the older connection."""

    async def story(bench: Bench) -> None:
        assert await open_flow(bench, protocol, name="old") == "connected"
        assert await open_flow(bench, protocol, name="new") == "connected"
        assert await exchange(bench, name="old") == "dropped"
        assert await exchange(bench, name="new") == "delivered"
        assert [each["state"] for each in seen(bench, "internet", "user_flow")] == ["open", "open", "closed"]

    play(story)


@pytest.mark.parametrize("octets", [b"\x20\x02\0\0", b"\0", b"\xff" * 20, b"\x10\x7f" + bytes(127)])
def test_a_broker_survives_what_is_no_mqtt(play: Play, octets: bytes) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, "tcp", to=f"{SERVER}:1883", name="odd") == "connected"
        odd = await bench.do("meter", "exchange", device="meter", name="odd", hex=octets.hex())
        assert odd in ("refused", "timed-out")
        assert await open_flow(bench, "mqtt") == "connected"
        assert await exchange(bench) == "delivered"

    play(story)


def test_a_forged_segment_does_not_end_a_connection(play: Play) -> None:
    async def story(bench: Bench) -> None:
        assert await open_flow(bench, "tcp", port=5000) == "connected"
        for flags in (TcpFlag.RST, TcpFlag.RST | TcpFlag.ACK, TcpFlag.SYN, TcpFlag.FIN | TcpFlag.ACK):
            bench.to_network(ip.encode_tcp(Tcp(5000, 2525, 7, 7, flags, 0), OWN, SERVER))
        assert await exchange(bench) == "delivered"

    play(story)


def test_what_makes_no_sense_is_an_error(play: Play) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(ManagementError, match="open it first"):
            await exchange(bench)
        assert await open_flow(bench, "udp", port=5000) == "connected"
        for more in ({}, {"name": "other"}):
            with pytest.raises(ManagementError, match="open, with this name or port"):
                await open_flow(bench, "udp", port=5000, **more)
        waiting = bench.loop.create_task(exchange(bench))
        await bench.host.clock.sleep(0)
        with pytest.raises(ManagementError, match="waits for an answer"):
            await exchange(bench)
        assert await waiting == "timed-out"
        with pytest.raises(ManagementError, match="no host unknown"):
            await push(bench, "udp", sender="unknown")
        with pytest.raises(ManagementError, match="do not fit in a datagram"):
            await exchange(bench, TOO_LONG)
        with pytest.raises(ManagementError, match="name its port"):
            await push(bench, "tcp")

    play(story, udp={"answer": "nothing"})


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        (OpenFlow, {"to": "server.example"}, "does not appear to be an IPv4"),
        *((OpenFlow, {"to": to}, "no port") for to in (f"{SERVER}:0", f"{SERVER}:", f"[{SERVER6}]5683")),
        (OpenFlow, {"to": SERVER, "sni": "a.example"}, "sni: expected protocol tls or mqtts, got tcp"),
        (OpenFlow, {"to": SERVER, "protocol": "udp", "keep_alive": "30 s"}, "datagrams have none"),
        (OpenFlow, {"to": SERVER, "protocol": "mqtt", "keep_alive": "1.5 s"}, "whole seconds"),
        (OpenFlow, {"to": SERVER, "protocol": "mqtt", "keep_alive": "1 d"}, "up to 65535"),
        *((OpenFlow, {"to": SERVER, "protocol": "tls", "sni": name}, "no name of a host") for name in NO_NAMES),
        (Exchange, {}, "as text or hex"),
        (Exchange, {"text": "a", "hex": "61"}, "got both"),
        (Exchange, {"hex": "6"}, "hexadecimal"),
        (Push, {"to": OWN, "text": "a"}, "expected the device's port"),
        (Push, {"to": f"{OWN}:5000"}, "as text or hex"),
        (Push, {"to": f"{OWN}:5000", "text": TOO_LONG}, "do not fit in a datagram"),
    ],
)
def test_arguments_that_cannot_be(model: Any, arguments: dict[str, Any], message: str) -> None:
    about = {} if model is Push else {"device": "meter"}
    with pytest.raises(ValidationError, match=message):
        model(**about, **arguments)


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ({"unknown": {25: {}}}, "expected one of the hosts server, elsewhere, resolver, got 'unknown'"),
        ({"server": {0: {}}}, "greater than or equal to 1"),
        (
            {"server": {25: {"protocol": "mqtt", "greeting": {"text": "hello"}}}},
            "greeting: expected protocol tcp or tls",
        ),
        ({"server": {25: {"protocol": "mqtt", "answer": "nothing"}}}, "answer: a broker"),
        ({"server": {25: {"protocol": "udp", "silence": "5 s"}}}, "silence: datagrams"),
        ({"server": {25: {"protocol": "udp", "answer": {"text": TOO_LONG}}}}, "do not fit in a datagram"),
    ],
)
def test_services_that_cannot_be(services: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        InternetConfig.model_validate({"services": services})
