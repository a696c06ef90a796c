"""A machine on a link: events and octets in their order, the timer, and what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.machine.timer import Timer
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.driven import Driven
from simwarden.runtime.host import InjectedFault

if TYPE_CHECKING:
    from simwarden.runtime.link import Link
    from simwarden.testing import Bench


class Echo:
    """Says what it hears again, a second time when its owner says so, and is over after `end`."""

    def __init__(self) -> None:
        self.over = False
        self._out: list[bytes] = []
        self._events: list[str] = []
        self._due: float | None = None

    def say(self, data: bytes) -> None:
        self._out.append(data)

    def receive(self, data: bytes, now: float) -> None:
        self._events.append(data.decode())
        self._out.append(data)
        self._due = now + 5
        self.over = data == b"end"

    def data_to_send(self) -> list[bytes]:
        out, self._out = self._out, []
        return out

    def events(self) -> list[str]:
        events, self._events = self._events, []
        return events

    def next_timer(self) -> Timer | None:
        return None if self._due is None or self.over else Timer(self._due, keep_alive=False)

    def on_timer(self, now: float) -> None:
        if self._due is not None and now >= self._due:
            self._due = None
            self._events.append("timer")

    def lost(self) -> None:
        self._events.append("lost")
        self.over = True


class Listener(Element[ElementConfig]):
    declaration = Declaration(kind="listener", title="Listener", lane=1, config=ElementConfig, listens=("MQTT",))

    async def start(self) -> None:
        self.heard: list[str] = []
        await self.site.listen("MQTT", self._accept)

    def _accept(self, link: Link) -> None:
        self.machine = Echo()
        self.driven: Driven[str] = Driven(self.site, link, self.machine, self._take)

    def _take(self, event: str) -> None:
        self.heard.append(event)
        if event == "twice":
            self.machine.say(b"again")
            self.driven.settle()

    async def stop(self) -> None:
        pass


class Caller(Element[ElementConfig]):
    declaration = Declaration(kind="caller", title="Caller", lane=2, config=ElementConfig)

    async def start(self) -> None:
        self.link = await self.site.connect("MQTT", "listener")
        self.got: list[bytes] = []
        self.closed: list[str] = []
        self.link.on_receive = lambda data, _stream: self.got.append(data)
        self.link.on_close = self.closed.append

    async def stop(self) -> None:
        self.link.close()


def _net(bench: Bench) -> tuple[Listener, Caller]:
    return bench.add("listener", Listener), bench.add("caller", Caller)


async def test_what_comes_is_told_and_what_is_said_goes_out(bench: Bench) -> None:
    listener, caller = _net(bench)
    async with bench:
        for data in (b"one", b"twice"):
            caller.link.send(data)
        await bench.settle()
        assert listener.heard == ["one", "twice"]
        assert caller.got == [b"one", b"twice", b"again"]


async def test_its_timer_rings_on_the_clock(bench: Bench) -> None:
    listener, caller = _net(bench)
    async with bench:
        caller.link.send(b"one")
        await bench.sleep(4)
        assert listener.heard == ["one"]
        await bench.sleep(2)
        assert listener.heard == ["one", "timer"]


async def test_a_link_that_is_over_is_closed_behind_the_last_word(bench: Bench) -> None:
    _, caller = _net(bench)
    async with bench:
        caller.link.send(b"end")
        await bench.sleep(10)
        assert (caller.got, caller.closed) == ([b"end"], ["closed by peer"])


async def test_a_lost_link_is_told(bench: Bench) -> None:
    listener, caller = _net(bench)
    async with bench:
        caller.link.close()
        await bench.settle()
        assert listener.heard == ["lost"]


async def test_one_that_fails_hears_nothing(bench: Bench) -> None:
    listener, caller = _net(bench)
    async with bench:
        bench.host.injected_faults["listener"] = InjectedFault()
        caller.link.send(b"one")
        await bench.settle()
        assert (listener.heard, caller.got) == ([], [])
        del bench.host.injected_faults["listener"]


async def test_one_that_fails_does_what_is_due_when_it_is_well_again(bench: Bench) -> None:
    listener, caller = _net(bench)
    async with bench:
        caller.link.send(b"one")
        await bench.settle()
        bench.host.injected_faults["listener"] = InjectedFault()
        await bench.sleep(60)
        assert listener.heard == ["one"]
        del bench.host.injected_faults["listener"]
        await bench.sleep(2)
        assert listener.heard == ["one", "timer"]


async def test_what_is_done_in_one_turn_is_settled_once_and_not_on_a_link_that_is_gone(bench: Bench) -> None:
    listener, caller = _net(bench)
    async with bench:
        await bench.settle()
        for data in (b"one", b"two"):
            listener.machine.say(data)
            listener.driven.settle_soon()
        assert caller.got == []
        await bench.settle()
        assert caller.got == [b"one", b"two"]
        listener.machine.receive(b"three", bench.clock.now())
        listener.driven.settle_soon()
        listener.driven.drop()
        await bench.sleep(10)
        assert listener.heard == []
        assert caller.got == [b"one", b"two"]
