"""The host, its clock and its transports, with two toy elements that talk."""

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from simwarden.errors import InternalError, ManagementError
from simwarden.operations.element import Element, element_of
from simwarden.operations.management import Call, Role, route
from simwarden.policy import Control, Ruling
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig, VerbModel, verb
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.link import Link
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.statement import Statement, carry_out
from simwarden.runtime.store import StoreError
from simwarden.trace.events import Decided, Fault, Frame
from simwarden.trace.trace import Trace

EVEN = Control(
    "toy.even",
    "quota",
    lambda number: Ruling.admit("even") if number % 2 == 0 else Ruling.refuse("odd"),
    ("count", "count-anew"),
)


class ToyConfig(ElementConfig):
    """Settings of a toy."""

    peer: str = ""


class Say(VerbModel):
    """What to say."""

    shorthand = "text"
    text: str


class Toy(Element[ToyConfig]):
    """Answers each message with its length, and calls its peer once it is asked to speak."""

    declaration = Declaration(kind="toy", title="Toy", lane=1, config=ToyConfig, controls=(EVEN,))

    async def start(self) -> None:
        self.heard: list[bytes] = []
        self.closed: list[str] = []
        self.links: list[Link] = []
        await self.site.listen("S1-MME", self.accept)
        if self.config.peer:
            self.take(await self.site.connect("S1-MME", self.config.peer))

    async def stop(self) -> None:
        for link in self.links:
            link.close("gone")

    def accept(self, link: Link) -> None:
        self.take(link)
        link.on_receive = lambda data, stream: self.answer(link, data, stream)

    def take(self, link: Link) -> None:
        self.links.append(link)
        link.on_receive = lambda data, _: self.heard.append(data)
        link.on_close = self.closed.append

    def answer(self, link: Link, data: bytes, stream: int) -> None:
        self.heard.append(data)
        link.send(b"%d" % len(data), stream=stream)

    @verb()
    async def say(self, arguments: Say) -> str:
        """Say something."""
        self.links[0].send(arguments.text.encode())
        return "said"

    @route("GET", "/numbers/{n}", roles=(Role.OPERATOR, Role.CUSTOMER))
    async def number(self, call: Call) -> bool:
        """Whether a number is admitted."""
        return self.site.decide(EVEN, call.path["n"], on="count", number=int(call.path["n"])).admitted


def make(transport: str, loop: TestbedLoop, **settings: object) -> Host:
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings(transport=transport, **settings))  # type: ignore[arg-type]
    host.add("b", Toy, ToyConfig())
    host.add("a", Toy, ToyConfig(peer="b"))
    host.add("c", Toy, ToyConfig(peer="b"))
    return host


@pytest.fixture
def loop() -> Iterator[TestbedLoop]:
    loop = TestbedLoop(virtual=True)
    yield loop
    loop.close()


async def converse(host: Host) -> list[tuple[str, str, bytes]]:
    await host.start_all()
    for text in ("one", "three", "twelve" * 4000):
        await element_of(host, "a").manage(Role.OPERATOR, "POST", "/verbs/say", {"text": text})
        await element_of(host, "c").manage(Role.OPERATOR, "POST", "/verbs/say", {"text": text[:2]})
    await host.clock.settle()
    await host.close()
    return [(e.source, e.target, e.data) for e in host.trace.events if isinstance(e, Frame)]


def test_the_same_frames_in_the_same_order_on_every_transport(loop: TestbedLoop) -> None:
    on_memory = loop.run_until_complete(converse(make("memory", loop)))
    assert ("b", "a", b"24000") in on_memory
    assert loop.run_until_complete(converse(make("tcp", loop))) == on_memory


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_a_stopped_element_is_heard_to_close_and_refuses_connections(loop: TestbedLoop, transport: str) -> None:
    async def story() -> None:
        host = make(transport, loop)
        await host.start_all()
        await host.stop("b")
        await host.clock.settle()
        assert host.elements["a"].closed == ["gone"]  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            await element_of(host, "a").site.connect("S1-MME", "b")
        await host.start("b")
        link = await element_of(host, "a").site.connect("S1-MME", "b")
        got: list[bytes] = []
        link.on_receive = lambda data, _stream: got.append(data)
        link.send(b"again")
        await host.clock.settle()
        assert got == [b"5"]
        await host.close()

    loop.run_until_complete(story())


def test_ninety_days_pass_in_no_time_and_in_order(loop: TestbedLoop) -> None:
    async def story() -> list[str]:
        clock, seen = Clock(loop), []
        clock.call_later(89 * 86400, lambda: seen.append("later"))
        clock.call_later(15, lambda: seen.append("T3410"))
        await clock.sleep(90 * 86400)
        assert clock.now() == pytest.approx(90 * 86400)
        return seen

    assert loop.run_until_complete(story()) == ["T3410", "later"]


def test_keep_alives_hold_nothing_back_and_are_counted(loop: TestbedLoop) -> None:
    async def story() -> int:
        clock = Clock(loop)
        timer = clock.keep_alive(30, lambda: pytest.fail("fired"), internal=True)
        await clock.sleep(3600)
        timer.cancel()
        timer.cancel()
        return clock.keep_alives_skipped

    assert loop.run_until_complete(story()) == 120


def test_waiting_for_what_cannot_happen_is_said(loop: TestbedLoop) -> None:
    async def story() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(InternalError, match="can never happen"):
        loop.run_until_complete(story())


def test_a_switch_replaces_the_rule_and_the_trace_says_so(loop: TestbedLoop) -> None:
    async def story() -> None:
        host = make("memory", loop, switches={"toy.even": "always-admit"})
        await host.start_all()
        assert await element_of(host, "a").manage(Role.CUSTOMER, "GET", "/numbers/3")
        decided = next(e for e in host.trace.events if isinstance(e, Decided))
        assert (decided.forced, decided.decision.subject, decided.decision.control.id) == (
            "always-admit",
            "3",
            "toy.even",
        )
        await host.close()

    loop.run_until_complete(story())


@pytest.mark.parametrize(
    ("switches", "forced"),
    [
        ({"toy/toy.even@count": "always-admit"}, "always-admit"),
        ({"toy/toy.even@count-anew": "always-admit"}, ""),
        ({"toy/toy.even": "always-admit"}, "always-admit"),
        ({"toy/toy.even": "always-refuse", "toy/toy.even@count": "always-admit"}, "always-admit"),
    ],
)
def test_a_switch_is_of_one_occasion_or_of_all(loop: TestbedLoop, switches: dict[str, str], forced: str) -> None:
    async def story() -> None:
        host = make("memory", loop, switches=switches)
        await host.start_all()
        assert await element_of(host, "a").manage(Role.CUSTOMER, "GET", "/numbers/3") is bool(forced)
        decided = next(e for e in host.trace.events if isinstance(e, Decided))
        assert (decided.forced, decided.decision.occasion) == (forced, "count")
        await host.close()

    loop.run_until_complete(story())


def test_an_occasion_that_a_control_does_not_declare_is_a_fault_of_ours(loop: TestbedLoop) -> None:
    async def story() -> None:
        host = make("memory", loop)
        await host.start_all()
        with pytest.raises(InternalError, match=r"toy\.even is asked on 'by-chance'"):
            element_of(host, "a").site.decide(EVEN, on="by-chance", number=2)
        await host.close()

    loop.run_until_complete(story())


def test_management_says_what_is_wrong(loop: TestbedLoop) -> None:
    async def status(role: Role, method: str, path: str) -> int:
        with pytest.raises(ManagementError) as caught:
            await element_of(make("memory", loop), "a").manage(role, method, path)
        return caught.value.status

    assert loop.run_until_complete(status(Role.OPERATOR, "GET", "/nothing")) == 404
    assert loop.run_until_complete(status(Role.OPERATOR, "PUT", "/numbers/1")) == 405
    assert loop.run_until_complete(status(Role.CUSTOMER, "POST", "/verbs/say")) == 403


def test_an_exception_in_spawned_work_is_a_fault_and_the_rest_goes_on(loop: TestbedLoop) -> None:
    async def story() -> None:
        host = make("memory", loop)
        await host.start_all()

        async def broken() -> None:
            raise KeyError("oops")

        element_of(host, "a").site.spawn(broken(), "a broken procedure")
        await host.clock.settle()
        fault = next(e for e in host.trace.events if isinstance(e, Fault))
        assert fault.reason == "a broken procedure: KeyError: 'oops'"
        assert "in broken" in fault.detail
        await host.close()

    loop.run_until_complete(story())


def test_generators_depend_on_seed_scenario_and_name_only(loop: TestbedLoop) -> None:
    first = make("memory", loop, seed=1, scenario="s").generator("a").getrandbits(64)
    assert first == make("memory", loop, seed=1, scenario="s").generator("a").getrandbits(64)
    others = [make("memory", loop, seed=2, scenario="s"), make("memory", loop, seed=1, scenario="t")]
    assert first not in [host.generator("a").getrandbits(64) for host in others]


def test_a_database_that_fails_answers_again_when_it_is_mended(loop: TestbedLoop) -> None:
    async def story() -> None:
        host = make("memory", loop)
        await host.start_all()
        with pytest.raises(ManagementError, match="has no database"):
            host.fail_database("b")
        metadata = sa.MetaData()
        table = sa.Table("t", metadata, sa.Column("x", sa.Integer))
        engine = host.open_store("b", metadata, "in-common")
        host.fail_database("b")
        with pytest.raises(StoreError, match="does not answer"), engine.begin() as connection:
            connection.execute(sa.select(table))
        host.mend_database("b")
        host.mend_database("b")
        with engine.begin() as connection:
            assert connection.execute(sa.select(table)).all() == []
        await host.close()

    loop.run_until_complete(story())


def test_a_database_that_failed_to_the_end_of_a_run_answers_in_the_next_one(loop: TestbedLoop) -> None:
    metadata = sa.MetaData()
    insert = Statement(sa.insert(sa.Table("t", metadata, sa.Column("x", sa.Integer))))

    async def story(*, fails: bool) -> None:
        host = make("memory", loop)
        await host.start_all()
        engine = host.open_store("b", metadata)
        carry_out(engine, [(insert, [{"x": 1}])])
        if fails:
            host.fail_database("b")
            with pytest.raises(StoreError, match="does not answer"):
                carry_out(engine, [(insert, [{"x": 1}])])
        await host.close()

    for fails in (True, True, False):
        loop.run_until_complete(story(fails=fails))
