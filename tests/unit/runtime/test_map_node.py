"""MAP over a signalling point: who asks is answered, by a result, an error, a reject, or another context."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from map_net import ScriptedVlr

from simwarden.machine.m3ua_gateway import ApplicationServer
from simwarden.machine.tcap_events import Aborted, Ended, Rejected
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.sigtran.map_node import Dialogue, MapError, MapNode, NoAnswer
from simwarden.runtime.sigtran.point import SignallingPoint
from simwarden.testing import Bench
from simwarden.trace.events import Fault
from simwarden.wire import map as m
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import Invoke, ReturnError

if TYPE_CHECKING:
    from simwarden.machine.tcap_events import Event
    from simwarden.wire.tcap.user import Operation

IMSI, HLR = "001010000000017", Address(6, 6)
WHO = AddressString("8613800000008")
ASKED = m.UpdateLocation(IMSI, WHO, WHO)


class Hlr(Element[ElementConfig]):
    """An HLR that does what a test says."""

    declaration = Declaration(kind="hss", title="HLR", lane=1, config=ElementConfig)

    async def start(self) -> None:
        self.work: Any = self.accept
        self.point = SignallingPoint(self.site, 6, servers=[ApplicationServer(8, 8)])
        self.node = MapNode(self.point, 6, {m.UPDATE_LOCATION: self.hear})
        await self.point.start()

    async def hear(self, *asked: Any) -> Any:
        return await self.work(*asked)

    async def accept(self, _asked: m.UpdateLocation, _dialogue: Dialogue) -> m.UpdateLocationResult:
        return m.UpdateLocationResult(WHO)

    async def stop(self) -> None:
        self.point.stop()


class Net(Bench):
    """An HLR, and a VLR whose dialogues a test may also make by hand: what comes of these is in `events`."""

    def __init__(self, loop: TestbedLoop) -> None:
        super().__init__(loop)
        self.hlr, self.ssp = self.add("hss", Hlr), self.add("ssp", ScriptedVlr)
        self.events: list[Event] = []

    async def start(self) -> None:
        await super().start()
        await self.settle()

    async def by_hand(self, context: Any, operation: Operation, argument: bytes) -> list[Event]:
        """Begin a dialogue with an operation whose argument is octets, and return what comes."""
        user = self.ssp.vlr.user
        taken, user._take = user._take, self.events.append
        dialogue = user.tc.open(HLR, context)
        user.tc.invoke(dialogue, operation, argument, self.clock.now())
        user.tc.begin(dialogue)
        user.flush()
        await self.settle()
        user._take = taken
        return self.events

    async def ask(self) -> Any:
        return await self.ssp.vlr.ask(HLR, m.NETWORK_LOC_UP, m.UPDATE_LOCATION, ASKED)


@pytest.fixture
def net(loop: TestbedLoop) -> Net:
    return Net(loop)


async def test_an_operation_is_answered_by_its_result_or_error(net: Net) -> None:
    async with net:
        assert await net.ask() == m.UpdateLocationResult(WHO)

        async def refuse(_asked: Any, _dialogue: Any) -> None:
            raise MapError(m.ErrorCode.ROAMING_NOT_ALLOWED, m.roaming_not_allowed(m.RoamingNotAllowedCause(3)))

        net.hlr.work = refuse
        with pytest.raises(MapError, match="MAP error 8 roaming not allowed") as caught:
            await net.ask()
        assert caught.value.parameter == bytes.fromhex("30030a0103")
        assert len(net.ssp.vlr.user.tc) == len(net.hlr.node.user.tc) == 0


async def test_the_other_side_asks_within_a_dialogue(net: Net) -> None:
    async with net:
        heard = []

        async def ask_back(_asked: Any, dialogue: Dialogue) -> m.UpdateLocationResult:
            heard.append(await dialogue.ask(m.INSERT_SUBSCRIBER_DATA, m.InsertSubscriberData(category=10)))
            with pytest.raises(NoAnswer, match="rejected"):
                await dialogue.ask(m.CHECK_IMEI, m.CheckImei("350001000000017", (0,)))
            net.ssp.fails["insertSubscriberData"] = m.ErrorCode.DATA_MISSING
            with pytest.raises(MapError, match="data missing"):
                await dialogue.ask(m.INSERT_SUBSCRIBER_DATA, m.InsertSubscriberData(category=10))
            return m.UpdateLocationResult(WHO)

        net.hlr.work = ask_back
        assert await net.ask() == m.UpdateLocationResult(WHO)
        assert heard == [None]
        assert len(net.ssp.told("insertSubscriberData")) == 2


async def test_a_fault_of_ours_refuses_for_a_time_and_is_told(net: Net) -> None:
    async with net:

        async def fail(_asked: Any, _dialogue: Any) -> None:
            raise RuntimeError("on purpose")

        net.hlr.work = fail
        with pytest.raises(MapError, match="system failure"):
            await net.ask()
        assert len(net.faults()) == 1
        net.trace.events[:] = [each for each in net.trace.events if not isinstance(each, Fault)]


async def test_who_is_silent_or_away_is_told_apart_from_who_answers(net: Net) -> None:
    async with net:

        async def sleep(_asked: Any, _dialogue: Any) -> None:
            await net.clock.sleep(100)

        net.hlr.work = sleep
        with pytest.raises(NoAnswer, match="no answer in time"):
            await net.ask()
        with pytest.raises(NoAnswer, match="not delivered: unequipped user"):
            await net.ssp.vlr.ask(Address(146, 6), m.NETWORK_LOC_UP, m.UPDATE_LOCATION, ASKED)
        await net.host.stop("hss")
        await net.settle()
        with pytest.raises(NoAnswer, match="not delivered"):
            await net.ask()
        assert len(net.ssp.vlr.user.tc) == 0


@pytest.mark.parametrize(
    ("context", "alternative"),
    [((0, 4, 0, 0, 1, 0, 1, 2), m.NETWORK_LOC_UP), ((0, 4, 0, 0, 1, 0, 99, 3), m.NETWORK_LOC_UP)],
)
async def test_another_context_is_refused_by_one_that_is_taken(net: Net, context: Any, alternative: Any) -> None:
    async with net:
        (event,) = await net.by_hand(context, m.UPDATE_LOCATION, b"\x30\x00")
        assert isinstance(event, Aborted)
        assert event.refused == alternative


async def test_version_1_is_given_up(net: Net) -> None:
    async with net:
        (event,) = await net.by_hand(None, m.UPDATE_LOCATION, b"\x30\x00")
        assert isinstance(event, Aborted)
        assert event.refused is None


@pytest.mark.parametrize(
    ("context", "operation", "argument", "problem"),
    [
        (m.NETWORK_LOC_UP, m.UPDATE_LOCATION, b"\x30\x03\x02\x01\x05", 2),
        (m.NETWORK_LOC_UP, m.UPDATE_LOCATION, b"", 2),
        (m.NETWORK_LOC_UP, m.CANCEL_LOCATION, b"\x30\x03\x04\x01\x21", 1),
        (m.LOCATION_INFO_RETRIEVAL, m.SEND_ROUTING_INFO, b"\x30\x00", 1),
    ],
)
async def test_what_cannot_be_taken_is_rejected(
    net: Net, context: Any, operation: Operation, argument: bytes, problem: int
) -> None:
    async with net:
        found = await net.by_hand(context, operation, argument)
        rejected = next(each for each in found if isinstance(each, Rejected))
        assert (rejected.problem.code, rejected.local) == (problem, False)
        assert isinstance(found[-1], Ended)
        assert len(net.hlr.node.user.tc) == 0


@given(st.binary(max_size=60))
def test_no_octets_are_a_traceback(octets: bytes) -> None:
    loop = TestbedLoop(virtual=True)
    asyncio.set_event_loop(loop)

    async def story() -> None:
        async with Net(loop) as net:
            await net.by_hand(m.NETWORK_LOC_UP, m.UPDATE_LOCATION, b"\x30" + bytes((len(octets),)) + octets)
            assert len(net.hlr.node.user.tc) == 0
            await net.by_hand(m.NETWORK_LOC_UP, m.UPDATE_LOCATION, octets)

    loop.run_until_complete(story())
    loop.close()


def test_errors_say_why() -> None:
    assert m.call_barred(m.CallBarringCause.OPERATOR_BARRING) == bytes.fromhex("0a0101")
    assert m.absent_subscriber(m.AbsentSubscriberReason.PURGED_MS) == bytes.fromhex("3003800103")
    assert str(MapError(99)) == "MAP error 99 error"
    assert ReturnError(1, 8) == ReturnError(1, m.ErrorCode.ROAMING_NOT_ALLOWED)
    assert Invoke(1, 2).opcode == m.UPDATE_LOCATION.opcode
