"""A call whose far end or terminal says nothing any more ends on both sides, with a cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ssp_net import MSISDN, SspNet, T

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.dtap import MessageType


@pytest.mark.parametrize(("does", "cause", "said"), [("nothing", 102, "no alerting"), ("ring", 19, "alerting")])
async def test_a_far_end_that_says_no_more_is_waited_for_three_minutes(
    loop: TestbedLoop, does: str, cause: int, said: str
) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.far.does = does
        await net.mo()
        await net.sleep(179)
        assert ("ALERTING" in net.ms.names()) is (said == "alerting")
        assert net.ms.cause is None
        await net.sleep(2)
        assert net.ms.cause == cause
        assert net.far.outcome == f"released {cause}"  # by CANCEL, with its Reason
        assert net.records()[0].fields["diagnostics"] == cause


async def test_each_sign_of_life_is_waited_for_anew(loop: TestbedLoop) -> None:
    async with SspNet(loop, answer="20 s") as net:
        await net.registered()
        net.far.does = "nothing"
        await net.mo()
        for _ in range(3):
            await net.sleep(15)
            net.far.trunk.agent.ring(net.far.calls[-1], net.ssp.core.clock.now())
            net.far.trunk.flush()
            await net.settle()
        assert net.ms.cause is None
        await net.sleep(21)
        assert net.ms.cause == 19


async def test_an_answered_call_is_not_watched(loop: TestbedLoop) -> None:
    async with SspNet(loop, answer="20 s") as net:
        await net.registered()
        await net.mo()
        await net.sleep(600)
        assert net.ms.cause is None
        net.ms.hang_up()
        await net.settle()


@pytest.mark.parametrize("said", [(), (T.CALL_CONFIRMED,)])
async def test_a_called_terminal_that_says_no_more_is_given_up(
    loop: TestbedLoop, said: tuple[MessageType, ...]
) -> None:
    """T303 after SETUP, T310 after CALL CONFIRMED (TS 24.008 11.3)."""
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.SETUP)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        for each in said:
            await net.sleep(20)
            net.ms.say(each, answering=True)
        await net.sleep(29)
        assert net.far.outcome == ""
        await net.sleep(2)
        assert (net.far.outcome, net.ms.cause) == ("408 18", 102)


async def test_a_terminal_that_does_not_take_the_answer_is_given_up(loop: TestbedLoop) -> None:
    """T313 after CONNECT."""
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.CONNECT)
        await net.mo()
        await net.sleep(29)
        assert net.far.outcome == "answered"
        await net.sleep(2)
        assert (net.far.outcome, net.ms.cause) == ("released 18", 102)


async def test_a_called_terminal_that_rings_is_waited_for_as_long_as_it_may_ring(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.ms.answers = False
        await net.registered()
        net.far.call(f"+{MSISDN}")
        await net.sleep(50)
        net.ms.say(T.ALERTING, answering=True)  # once more
        await net.sleep(9)
        assert net.far.outcome == "ringing"
        await net.sleep(2)
        assert (net.far.outcome, net.ms.cause) == ("480 19", 19)
