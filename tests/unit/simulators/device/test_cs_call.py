"""Timers of a terminal's call control (TS 24.008 table 11.3): a network that says no more is not waited for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from simulators.device.clients.cs_call import Call
from simwarden.runtime.clock import Clock
from simwarden.wire.dtap import Message, MessageType
from simwarden.wire.q850 import Cause

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

T = MessageType


class Desk:
    """A call of a terminal whose network is the test."""

    def __init__(self, loop: TestbedLoop, *, originating: bool) -> None:
        self.clock, self.said, self.shown = Clock(loop), [], {}  # type: ignore[var-annotated]
        config = SimpleNamespace(on_call="ring", answers_after=1.0)
        site, cs = SimpleNamespace(clock=self.clock), SimpleNamespace()
        self.emm: Any = SimpleNamespace(site=site, config=config, observe=self.shown.__setitem__, cs=cs)
        emm: Any = self.emm
        self.call = self.emm.cs.call = Call(emm, self._send, 0, originating=originating)

    def _send(self, kind: MessageType, transaction: int = 0, *, answering: bool = False, **fields: Any) -> None:
        del transaction, answering
        cause = fields.get("cc_cause")
        self.said.append((kind, cause.value if cause is not None else None))

    def hear(self, *kinds: MessageType, **fields: Any) -> None:
        for kind in kinds:
            self.call.take(Message(kind, 0, **fields))

    async def after(self, seconds: float) -> list[tuple[MessageType, int | None]]:
        """Return what it says in so many seconds."""
        self.said.clear()
        await self.clock.sleep(seconds)
        return list(self.said)


@pytest.mark.parametrize("emergency", [False, True])
@pytest.mark.parametrize("heard", [(), (T.CALL_PROCEEDING,)])
async def test_a_call_that_does_not_go_on_is_ended(loop: TestbedLoop, heard: tuple[T, ...], *, emergency: bool) -> None:
    """T303 until CALL PROCEEDING, T310 after it."""
    desk = Desk(loop, originating=True)
    desk.call.set_up_emergency() if emergency else desk.call.set_up("13800001111")
    await desk.clock.sleep(20)
    desk.hear(*heard)
    assert await desk.after(29 if heard else 9) == []
    assert await desk.after(2) == [(T.DISCONNECT, 102)]
    assert await desk.call.settled() == "no-answer"
    assert desk.shown == {"call": "no-answer", "call_cause": 102}


@pytest.mark.parametrize("heard", [T.PROGRESS, T.ALERTING, T.CONNECT])
async def test_what_goes_on_is_waited_for(loop: TestbedLoop, heard: MessageType) -> None:
    desk = Desk(loop, originating=True)
    desk.call.set_up("13800001111")
    desk.hear(T.CALL_PROCEEDING, heard)
    assert await desk.after(600) == []


async def test_an_answer_that_nobody_takes_ends_the_call(loop: TestbedLoop) -> None:
    """T313."""
    desk = Desk(loop, originating=False)
    desk.hear(T.SETUP)
    assert await desk.after(600) == []  # it rings for as long as the network has it ring
    desk.call.answer()
    assert await desk.after(31) == [(T.DISCONNECT, 102)]
    assert desk.shown["call"] == "no-answer"


async def test_an_answer_that_is_taken_stands(loop: TestbedLoop) -> None:
    desk = Desk(loop, originating=False)
    desk.hear(T.SETUP)
    desk.call.answer()
    desk.hear(T.CONNECT_ACKNOWLEDGE)
    assert await desk.after(600) == []
    assert desk.shown["call"] == "connected"


async def test_a_network_that_does_not_clear_is_left(loop: TestbedLoop) -> None:
    """T305 after DISCONNECT, T308 twice after RELEASE."""
    desk = Desk(loop, originating=True)
    desk.call.set_up("13800001111")
    desk.hear(T.CALL_PROCEEDING, T.ALERTING, T.CONNECT)
    desk.call.hang_up()
    assert await desk.after(31) == [(T.RELEASE, None)]
    assert await desk.after(30) == [(T.RELEASE, None)]
    assert desk.emm.cs.call is not None
    assert await desk.after(30) == []
    assert desk.emm.cs.call is None
    assert desk.shown == {"call": "released", "call_cause": 102}


async def test_a_network_that_clears_is_answered_once(loop: TestbedLoop) -> None:
    desk = Desk(loop, originating=True)
    desk.call.set_up("13800001111")
    desk.hear(T.CALL_PROCEEDING)
    desk.hear(T.DISCONNECT, cc_cause=Cause(17, 2))
    assert desk.said[-1] == (T.RELEASE, None)
    desk.hear(T.RELEASE_COMPLETE)
    assert await desk.after(600) == []
    assert desk.shown == {"call": "busy", "call_cause": 17}


async def test_what_comes_late_revives_no_call(loop: TestbedLoop) -> None:
    desk = Desk(loop, originating=True)
    desk.call.set_up("13800001111")
    await desk.after(31)
    desk.hear(T.CALL_PROCEEDING, T.ALERTING, T.CONNECT)
    assert desk.said == [(T.DISCONNECT, 102)]
    assert desk.shown["call"] == "no-answer"


async def test_a_call_that_is_over_takes_no_key(loop: TestbedLoop) -> None:
    """Its connection may stand for as long as the network takes to release it."""
    desk = Desk(loop, originating=True)
    desk.call.set_up("13800001111")
    desk.hear(T.CALL_PROCEEDING)
    desk.hear(T.DISCONNECT, cc_cause=Cause(17, 2))
    desk.hear(T.RELEASE_COMPLETE)
    desk.said.clear()
    async with asyncio.timeout(60):
        assert (await desk.call.press("1"), await desk.call.hold()) == ("released", "released")
    assert desk.said == []
