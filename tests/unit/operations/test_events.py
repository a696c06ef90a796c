"""Events from an element's outbox to a broker: order, at least once, nothing lost, and no waiting for anybody."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from simwarden.operations.element import Element, element_of
from simwarden.operations.event_kinds import told
from simwarden.policy import Control, Ruling
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import EventSettings
from simwarden.runtime.store import StoreUnavailableError
from simwarden.testing import Bench
from simwarden.trace.events import Decided, PeerFault
from simwarden.wire.mqtt import Ack, Bare, ConnAck, Connect, Packet, PacketType, Publish, Splitter, encode

if TYPE_CHECKING:
    from simwarden.runtime.link import Link
    from simwarden.runtime.loop import TestbedLoop

NO = Control("toy.no", "quota", lambda: Ruling.refuse("never"), ("toy",))
EVERY = 3


class Teller(Element[ElementConfig]):
    """Refuses, and tells it."""

    declaration = Declaration(
        kind="teller", title="Teller", lane=1, config=ElementConfig, controls=(NO,), events=told()
    )

    async def start(self) -> None:
        self.site.open_store(sa.MetaData())

    async def stop(self) -> None:
        pass

    def refuse(self, count: int = 1) -> None:
        for _ in range(count):
            self.site.decide(NO, "001010000000001", on="toy")


class Taker(Element[ElementConfig]):
    """A broker of a few lines, which can be deaf, refuse, or answer with what it is told to."""

    declaration = Declaration(kind="taker", title="Taker", lane=2, config=ElementConfig, listens=("MQTT",))
    got: list[Publish]
    connects: list[Connect]
    deaf = False
    code = 0

    async def start(self) -> None:
        self.links: list[Link] = []
        self.got = getattr(self, "got", [])
        self.connects = getattr(self, "connects", [])
        await self.site.listen("MQTT", self.accept)

    async def stop(self) -> None:
        for link in self.links:
            link.close()

    async def killed(self) -> None:
        await self.stop()

    def accept(self, link: Link) -> None:
        splitter = Splitter()
        self.links.append(link)

        def receive(data: bytes, _stream: int) -> None:
            for packet in splitter.feed(data):
                self.take(link, packet)

        link.on_receive = receive

    def take(self, link: Link, packet: Packet) -> None:
        if isinstance(packet, Connect):
            self.connects.append(packet)
            link.send(encode(ConnAck(self.code)))
        elif isinstance(packet, Publish):
            self.got.append(packet)
            if not self.deaf:
                link.send(encode(Ack(PacketType.PUBACK, packet.identifier)))
        elif isinstance(packet, Bare) and packet.type is PacketType.PINGREQ:
            link.send(encode(Bare(PacketType.PINGRESP)))

    def numbers(self) -> list[int]:
        return [int(json.loads(each.payload)["sequence"]) for each in self.got]


class Net(Bench):
    """A teller and a taker."""

    def __init__(self, loop: TestbedLoop, transport: str = "memory", **settings: Any) -> None:
        super().__init__(loop, transport=transport, events=EventSettings("taker", **settings))
        self.teller = self.add("teller", Teller)
        self.taker = self.add("taker", Taker)

    async def start(self) -> None:
        await super().start()
        await self.settle()

    def waiting(self) -> int:
        return len(self.teller.publisher._outbox.after(0, 1000))  # type: ignore[union-attr]


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_a_refusal_is_told_as_a_cloudevent(loop: TestbedLoop, transport: str) -> None:
    async with Net(loop, transport, prefix="ops") as net:
        net.teller.refuse()
        await net.host.clock.settle()
        message = net.taker.got[0]
        assert (message.topic, message.qos) == ("ops/teller/card/refused/001010000000001", 1)
        assert not message.retain
        event = json.loads(message.payload)
        assert event.pop("id").endswith("-1")
        assert event == {
            "specversion": "1.0",
            "source": "/ops/teller",
            "type": "simwarden.card.refused",
            "subject": "001010000000001",
            "time": "2026-03-02T08:00:00+00:00",
            "datacontenttype": "application/json",
            "sequence": "000000000001",
            "data": {"control": "toy.no", "requirement": "quota", "reason": "never", "details": {}},
        }
        assert net.waiting() == 0


async def test_a_decision_about_nobody_is_no_event(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.teller.site.decide(NO, "", on="toy")
        await net.host.clock.settle()
        assert net.taker.got == []


async def test_many_events_come_once_and_in_order(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.teller.refuse(1000)
        await net.host.clock.settle()
        assert net.taker.numbers() == list(range(1, 1001))
        assert net.waiting() == 0


async def test_a_broker_that_is_down_at_first_hears_all_later(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        await net.host.stop("taker", kill=True)
        net.teller.refuse(5)
        await net.sleep(3600.0)
        assert (net.waiting(), net.taker.got) == (5, [])
        await net.host.start("taker")
        net.teller.refuse()
        await net.sleep(40.0)
        assert net.taker.numbers() == [1, 2, 3, 4, 5, 6]
        assert [each.partition(": ")[2] for each in net.notes() if "events wait" in each] == [
            "closed by peer",
            "taker does not accept MQTT",
        ]  # each reason once, whatever the number of attempts
        assert "events go to taker again" in net.notes()


async def test_what_was_not_acknowledged_is_published_again_first(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.taker.deaf = True
        net.teller.refuse(3)
        await net.host.clock.settle()
        assert net.taker.numbers() == [1, 2, 3]
        await net.host.stop("taker", kill=True)  # between PUBLISH and PUBACK
        net.teller.refuse(1)
        net.taker.deaf = False
        await net.host.start("taker")
        await net.sleep(40.0)
        assert net.taker.numbers() == [1, 2, 3, 1, 2, 3, 4]
        ids = [json.loads(each.payload)["id"] for each in net.taker.got]
        assert ids[:3] == ids[3:6]  # by which a subscriber drops what it has
        assert net.waiting() == 0


async def test_an_element_that_is_killed_tells_what_was_untold(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.teller.refuse(2)
        await net.host.clock.settle()
        net.taker.deaf = True
        net.teller.refuse(3)
        await net.host.stop("teller", kill=True)
        net.taker.deaf = False
        net.taker.got.clear()
        await net.host.start("teller")
        net.teller.refuse(1)
        await net.sleep(1.0)
        assert net.taker.numbers() == [3, 4, 5, 6]


async def test_an_element_that_stops_waits_a_moment_for_the_broker(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.teller.refuse(500)
        await net.host.stop("teller")
        assert net.taker.numbers() == list(range(1, 501))
        await net.host.start("teller")
        await net.host.clock.settle()
        net.taker.deaf = True
        net.teller.refuse()
        began = net.host.clock.now()
        await net.host.stop("teller")
        assert net.host.clock.now() - began == pytest.approx(2.0)


async def test_a_deaf_broker_holds_up_no_decision_and_is_given_up(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.taker.deaf = True
        began = net.host.clock.now()
        net.teller.refuse(200)
        decided = [each for each in net.trace.events if isinstance(each, Decided)]
        assert len(decided) == 200
        assert net.host.clock.now() == began
        await net.sleep(15.0)
        assert net.taker.numbers()[:64] == list(range(1, 65))  # a window, and no more
        assert any("no PUBACK within 10 s" in each for each in net.notes())
        net.taker.deaf = False
        net.taker.got.clear()
        await net.sleep(60.0)
        assert net.taker.numbers() == list(range(1, 201))


async def test_a_broker_that_refuses_is_asked_again_and_the_reason_told(loop: TestbedLoop) -> None:
    async with Net(loop, client="me", user="u", password=b"p") as net:
        assert net.taker.connects[0] == Connect("me", keep_alive=60, user="u", password=b"p")
        net.taker.code = 4
        for link in net.taker.links:
            link.close()
        net.teller.refuse()
        await net.sleep(100.0)
        assert any("the broker refuses: bad user name or password" in each for each in net.notes())
        assert len(net.taker.connects) > 2
        net.taker.code = 0
        await net.sleep(60.0)
        assert net.taker.numbers() == [1]


async def test_a_broker_that_speaks_nonsense_is_reported_and_left(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.taker.links[0].send(b"\xff\x00")
        await net.host.clock.settle()
        net.teller.refuse()
        await net.sleep(10.0)
        assert any(isinstance(each, PeerFault) for each in net.trace.events)
        assert net.taker.numbers() == [1]


async def test_a_full_outbox_is_said_and_told(loop: TestbedLoop) -> None:
    async with Net(loop, most=20) as net:
        await net.host.stop("taker", kill=True)
        net.teller.refuse(30)
        assert any(each.startswith("20 events wait") for each in net.notes())
        await net.host.start("taker")
        await net.sleep(40.0)
        assert net.taker.numbers() == list(range(1, 20))
        last = json.loads(net.taker.got[-1].payload)
        assert (last["type"], last["data"]["events"]) == ("simwarden.events.lost", 12)
        assert "subject" not in last
        assert net.taker.got[-1].topic == "simwarden/teller/events/lost"


async def test_rounds_of_kills_on_both_sides_lose_nothing_and_keep_the_order(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        total = 0
        for round_number in range(40):
            net.taker.deaf = round_number % EVERY == 0
            net.teller.refuse(round_number + 1)
            total += round_number + 1
            for _ in range(round_number * 3 % 17):  # at any moment of the exchange
                await asyncio.sleep(0)
            victim = ("teller", "taker")[round_number % 2]
            await net.host.stop(victim, kill=True)
            await net.host.start(victim)
            if round_number % 5 == 0:
                await net.sleep(2.0)
        net.taker.deaf = False
        await net.sleep(120.0)
        first_seen = list(dict.fromkeys(net.taker.numbers()))
        assert first_seen == list(range(1, total + 1))
        assert net.waiting() == 0


async def test_with_a_database_that_is_away_refusals_stand_and_are_told_when_it_is_back(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Net(loop) as net:
        outbox = element_of(net.host, "teller").publisher._outbox  # type: ignore[union-attr]
        with monkeypatch.context() as away:

            def gone(*_: object) -> None:
                raise StoreUnavailableError("the database does not answer")

            for name in ("tell", "after", "delivered"):
                away.setattr(outbox, name, lambda *_args, **_more: gone())
            net.teller.refuse(3)
            await net.sleep(10.0)
            assert net.taker.got == []
        await net.sleep(40.0)
        assert net.taker.numbers() == [1, 2, 3]
        assert any("3 events wait for the database" in each for each in net.notes())


async def test_a_database_that_goes_away_under_a_connection_loses_nothing(
    loop: TestbedLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Net(loop) as net:
        outbox = element_of(net.host, "teller").publisher._outbox  # type: ignore[union-attr]
        net.teller.refuse(2)
        with monkeypatch.context() as away:

            def gone(_number: int) -> None:
                raise StoreUnavailableError("the database does not answer")

            away.setattr(outbox, "delivered", gone)
            await net.sleep(5.0)
            assert net.waiting() == 2
        await net.sleep(60.0)
        assert list(dict.fromkeys(net.taker.numbers())) == [1, 2]
        assert net.waiting() == 0


async def test_an_event_that_no_database_can_hold_is_named_and_keeps_up_no_other(loop: TestbedLoop) -> None:
    async with Net(loop) as net:
        net.teller.site.decide(NO, "\ud800", on="toy")
        net.teller.refuse()
        await net.host.clock.settle()
        assert net.taker.numbers() == [1]
        assert any("an event is not kept" in each for each in net.notes())
