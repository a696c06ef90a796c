"""DTMF digits in calls: to a gsmSRF, to the other network by INFO, and rejected before a call is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ssp_net import GO_ON, MSISDN, E, SspNet, T, arm, o_csi, t_csi

from simwarden.machine.sip_events import DigitAnswered, DigitReceived
from simwarden.wire.cap import MonitorMode

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


def press(net: SspNet, key: str, *, answering: bool = False) -> None:
    net.ms.say(T.START_DTMF, answering=answering, keypad_facility=key)


def received(net: SspNet) -> str:
    return "".join(each.key for each in net.far.heard if isinstance(each, DigitReceived))


def responses(net: SspNet) -> list[str | int]:
    """Return the key of each START DTMF ACKNOWLEDGE and the cause of each START DTMF REJECT."""
    return [
        each["keypad_facility"] if each.type is T.START_DTMF_ACKNOWLEDGE else each["cc_cause"].value
        for each in net.ms.heard
        if each.type in (T.START_DTMF_ACKNOWLEDGE, T.START_DTMF_REJECT)
    ]


async def connected(net: SspNet, *, incoming: bool) -> None:
    await net.registered()
    if incoming:
        net.far.call(f"+{MSISDN}")
        await net.settle()
    else:
        await net.mo()
    assert net.far.outcome == "answered"


@pytest.mark.parametrize("incoming", [True, False])
async def test_digits_of_a_connected_call_reach_the_other_network(loop: TestbedLoop, *, incoming: bool) -> None:
    async with SspNet(loop) as net:
        await connected(net, incoming=incoming)
        for key in "12#*A":
            press(net, key, answering=incoming)
            await net.settle()
            net.ms.say(T.STOP_DTMF, answering=incoming)
        assert (received(net), responses(net)) == ("12#*A", list("12#*A"))
        net.far.hang_up()


@pytest.mark.parametrize("incoming", [True, False])
async def test_digits_that_the_other_network_rejects_are_rejected(loop: TestbedLoop, *, incoming: bool) -> None:
    async with SspNet(loop) as net:
        await connected(net, incoming=incoming)
        net.far.trunk.agent.reject_digits(net.far.calls[-1])
        press(net, "1", answering=incoming)
        await net.settle()
        assert (received(net), responses(net), net.far.outcome) == ("", [79], "answered")
        net.far.hang_up()


@pytest.mark.parametrize("octet", [0x00, 0x0D, 0x3B, 0x61, 0x7F])
async def test_keys_that_dtmf_does_not_have_are_rejected(loop: TestbedLoop, octet: int) -> None:
    async with SspNet(loop) as net:
        await connected(net, incoming=False)
        net.ms.link.send(bytes((0x03, 0x35, 0x2C, octet)))
        await net.settle()
        assert (received(net), responses(net)) == ("", [100])
        net.far.hang_up()


async def test_a_digit_before_the_answer_to_the_one_before_is_rejected(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await connected(net, incoming=False)
        for key in "123":
            press(net, key)
        await net.settle()
        assert (received(net), responses(net)) == ("1", [101, 101, "1"])
        press(net, "4")
        await net.settle()
        assert (received(net), responses(net)[-1]) == ("14", "4")
        net.far.hang_up()


@pytest.mark.parametrize("incoming", [True, False])
async def test_digits_before_the_answer_are_rejected(loop: TestbedLoop, *, incoming: bool) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.far.does, net.ms.answers = "ring", False
        if incoming:
            net.far.call(f"+{MSISDN}")
        else:
            net.ms.call("13800001111")
        await net.settle()
        press(net, "1", answering=incoming)
        await net.settle()
        assert (received(net), responses(net), net.far.outcome) == ("", [101], "ringing" if incoming else "")
        net.ms.hang_up(answering=incoming)


@pytest.mark.parametrize("incoming", [True, False])
async def test_digits_while_the_scp_holds_the_answered_call_are_rejected(loop: TestbedLoop, *, incoming: bool) -> None:
    """The other party has answered, but the gsmSCF has not let the call through (EDP-R O_Answer, T_Answer)."""
    async with SspNet(loop) as net:
        event = E.T_ANSWER if incoming else E.O_ANSWER
        net.scf.script, net.scf.ends = [arm((event, MonitorMode.INTERRUPTED)), GO_ON], False
        await net.registered(**({"t_csi": t_csi()} if incoming else {"o_csi": o_csi()}))
        if incoming:
            net.far.call(f"+{MSISDN}")
        else:
            net.ms.call("13800001111")
        await net.settle()
        press(net, "1", answering=incoming)
        await net.settle()
        assert (received(net), responses(net)) == ("", [101])
        net.scf.order(GO_ON, end=True)
        await net.settle()
        press(net, "2", answering=incoming)
        await net.settle()
        assert (received(net), responses(net), net.far.outcome) == ("2", [101, "2"], "answered")
        net.far.hang_up()


async def test_a_digit_to_a_network_that_is_gone_ends_the_call(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await connected(net, incoming=False)
        await net.host.stop("pstn", kill=True)
        press(net, "1")
        await net.sleep(40)
        assert (responses(net), net.ms.cause) == ([101], 102)
        await net.sleep(40)


@pytest.mark.parametrize("who", ["ms", "far"])
async def test_a_call_that_ends_before_a_digit_is_answered_leaves_nothing(loop: TestbedLoop, who: str) -> None:
    async with SspNet(loop) as net:
        await connected(net, incoming=False)
        press(net, "1")
        if who == "ms":
            net.ms.hang_up()
        else:
            net.far.hang_up()
        await net.settle()
        assert net.ssp.core.trunks._digits == {}
        assert net.far.outcome == "released 16" if who == "ms" else net.ms.cause == 16
        await net.mo()
        press(net, "2")
        await net.settle()
        assert (received(net)[-1], responses(net)[-1]) == ("2", "2")
        net.far.hang_up()


@pytest.mark.parametrize("incoming", [True, False])
async def test_digits_of_the_other_network_are_accepted_and_dropped(loop: TestbedLoop, *, incoming: bool) -> None:
    async with SspNet(loop) as net:
        await connected(net, incoming=incoming)
        before = len(net.ms.heard)
        net.far.trunk.agent.send_digit(net.far.calls[-1], "5", net.clock.now())
        net.far.trunk.flush()
        await net.settle()
        assert net.far.heard[-1] == DigitAnswered(net.far.calls[-1], 200)
        assert len(net.ms.heard) == before
        net.far.hang_up()
