"""The broker as an element: what it shows of events, what it keeps over its death, and who subscribes to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from simulators.broker.element import Broker
from simwarden.operations.element import Element
from simwarden.operations.management import Role
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import InjectedFault
from simwarden.testing import Bench
from simwarden.trace.events import PeerFault
from simwarden.wire.mqtt import Ack, Connect, Packet, PacketType, Publish, Splitter, Subscribe, encode

if TYPE_CHECKING:
    from simwarden.runtime.link import Link
    from simwarden.runtime.loop import TestbedLoop


class Ops(Element[ElementConfig]):
    """A client of the broker."""

    declaration = Declaration(kind="ops", title="Ops", lane=1, config=ElementConfig)

    async def start(self) -> None:
        self.heard: list[Packet] = []
        self.closed: list[str] = []

    async def stop(self) -> None:
        pass

    async def connect(self, client: str, *packets: Packet, clean: bool = True) -> Link:
        link = await self.site.connect("MQTT", "broker")
        splitter = Splitter()

        def receive(data: bytes, _stream: int) -> None:
            for packet in splitter.feed(data):
                self.heard.append(packet)
                if isinstance(packet, Publish) and packet.qos:
                    link.send(encode(Ack(PacketType.PUBACK, packet.identifier)))

        link.on_receive, link.on_close = receive, self.closed.append
        for each in (Connect(client, clean=clean), *packets):
            link.send(encode(each))
        await self.site.clock.settle()
        return link

    def payloads(self) -> list[bytes]:
        return [each.payload for each in self.heard if isinstance(each, Publish)]


class Net(Bench):
    """A broker and a client."""

    def __init__(self, loop: TestbedLoop, transport: str, **config: Any) -> None:
        super().__init__(loop, transport=transport)
        self.broker = self.add("broker", Broker, config)
        self.ops = self.add("ops", Ops)


def event(number: int, **more: Any) -> Publish:
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"aa-{number}",
        "source": "/simwarden/hss",
        "type": "simwarden.card.refused",
    }
    body |= {"subject": "001010000000001", "data": {"control": "bind.hss.given"}, **more}
    return Publish("simwarden/hss/card/refused/001010000000001", json.dumps(body).encode(), 1, identifier=number)


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_events_are_shown_and_repeated_and_missing_ones_counted(loop: TestbedLoop, transport: str) -> None:
    async with Net(loop, transport) as net:
        await net.ops.connect("hss", *(event(number) for number in (1, 2, 2, 1, 5)))
        assert [each["sequence"] for each in net.observed("event")] == [1, 2, 5]
        assert net.observed("event")[0] == {
            "id": "aa-1",
            "topic": "card/refused",
            "source": "hss",
            "imsi": "001010000000001",
            "sequence": 1,
            "data": {"control": "bind.hss.given"},
        }
        assert net.observed("delivery")[-1] == {"source": "hss", "received": 3, "repeated": 2, "missing": 2, "last": 5}
        assert sum(isinstance(each, Ack) for each in net.ops.heard) == 5


@pytest.mark.parametrize(
    "payload",
    [b"", b"no json", b"[]", b"{}", b'{"specversion":"1.0"}', b'{"specversion":"1.0","id":"x","source":"s","type":"t"}',
     b'{"specversion":"1.0","id":"a-\xc2\xb2","source":"s","type":"t"}', b"[" * 50_000,
     b'{"specversion":"1.0","id":"a-1","source":"s","type":"t","data":[]}',
     b'{"specversion":"1.0","id":"a-99999999999999999999999","source":"s","type":"t"}'],
    ids=lambda p: p[:60].decode(errors="replace"),
)  # fmt: skip
async def test_what_is_no_event_of_ours_is_carried_and_not_shown(loop: TestbedLoop, payload: bytes) -> None:
    async with Net(loop, "memory") as net:
        await net.ops.connect("ops", Subscribe(1, (("#", 1),)), Publish("t", payload, 1, identifier=1))
        assert net.ops.payloads() == [payload]
        assert net.observed("event") == net.observed("delivery") == []


async def test_a_kept_session_outlives_its_connection_and_ends_with_the_broker(loop: TestbedLoop) -> None:
    async with Net(loop, "memory") as net:
        link = await net.ops.connect("ops", Subscribe(1, (("simwarden/#", 1),)), clean=False)
        link.close()
        await net.ops.connect("hss", event(1), event(2))
        sessions = await net.broker.manage(Role.OPERATOR, "GET", "/sessions")
        assert sessions == [{"client": "ops", "filters": ["simwarden/#"], "waiting": 2}]
        await net.ops.connect("ops", clean=False)
        assert [json.loads(each)["id"] for each in net.ops.payloads()] == ["aa-1", "aa-2"]
        await net.host.stop("broker", kill=True)
        await net.host.clock.settle()
        assert net.ops.closed[-1] == "connection lost"
        await net.host.start("broker")
        await net.ops.connect("hss", event(3))
        assert await net.broker.manage(Role.OPERATOR, "GET", "/sessions") == []
        # what came before the death is not missing
        assert net.observed("delivery")[-1] == {"source": "hss", "received": 1, "repeated": 0, "missing": 0, "last": 3}


async def test_a_client_that_speaks_nonsense_is_reported_and_others_are_served(loop: TestbedLoop) -> None:
    async with Net(loop, "memory") as net:
        good = await net.ops.connect("good", Subscribe(1, (("#", 1),)))
        bad = await net.ops.connect("bad")
        bad.send(b"\xf0\x00")
        await net.host.clock.settle()
        assert len([each for each in net.trace.events if isinstance(each, PeerFault)]) == 1
        good.send(encode(Publish("t", b"still", 1, identifier=1)))
        await net.host.clock.settle()
        assert net.ops.payloads() == [b"still"]


async def test_a_connection_that_says_nothing_is_given_up(loop: TestbedLoop) -> None:
    async with Net(loop, "memory") as net:
        link = await net.ops.site.connect("MQTT", "broker")
        closed: list[str] = []
        link.on_close = closed.append
        await net.host.clock.sleep(11.0)
        await net.host.clock.settle()
        assert closed


async def test_a_broker_that_fails_keeps_its_connections_and_takes_nothing(loop: TestbedLoop) -> None:
    async with Net(loop, "memory") as net:
        link = await net.ops.connect("good", Subscribe(1, (("#", 1),)))
        net.host.injected_faults["broker"] = InjectedFault(0)
        link.send(encode(Publish("t", b"lost", 1, identifier=1)))
        mute = await net.ops.site.connect("MQTT", "broker")
        closed: list[str] = []
        mute.on_close = closed.append
        await net.host.clock.sleep(600.0)
        await net.host.clock.settle()
        assert net.ops.payloads() == []
        assert not net.ops.closed
        assert not closed
        del net.host.injected_faults["broker"]
        link.send(encode(Publish("t", b"heard", 1, identifier=2)))
        await net.host.clock.settle()
        assert net.ops.payloads() == [b"heard"]
