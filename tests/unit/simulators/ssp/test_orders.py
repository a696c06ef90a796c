"""What a gsmSCF orders in odd turns: refused phases, rejects, interactions that are given up, ends that cross."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from ssp_net import (
    CONTINUE,
    GO_ON,
    LISTED,
    MODE,
    MSISDN,
    OTHER,
    RELEASE,
    SCF_NUMBER,
    E,
    SspNet,
    T,
    arm,
    charge,
    connect,
    o_csi,
    release,
    t_csi,
)

from simwarden.trace.events import Frame
from simwarden.wire import cap
from simwarden.wire import map as m
from simwarden.wire.isup import Number
from simwarden.wire.q850 import Cause
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import Aare, Message, MessageType, Problem, Reject, ReturnError, encode
from simwarden.wire.tcap.enums import InvokeProblem, ProblemKind

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

RESOURCE: Any = (cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(none=True)))
ELSEWHERE: Any = (cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(Number("8613800009999"))))
FORGET: Any = (cap.CANCEL, cap.Cancel(all_requests=True))


#: a trunk that reaches nobody who is called
NOWHERE = {"pstn": {"prefixes": ["+99"]}}
WRONG = Problem(ProblemKind.INVOKE, InvokeProblem.MISTYPED_PARAMETER)


def play(seconds: int, *, forbidden: bool = True, told: bool = True) -> Any:
    inband = cap.InbandInfo(cap.MessageId(elementary_message_id=1), duration=seconds)
    return cap.PLAY_ANNOUNCEMENT, cap.PlayAnnouncement(cap.Information(inband), forbidden, told)


def messages(net: SspNet) -> int:
    """Return how many messages of SCCP the SSP has sent to the gsmSCF."""
    return sum(each.stream > 0 for each in net.of(Frame) if (each.source, each.target) == ("ssp", "scp"))


def stop(invoke_id: int) -> Any:
    return cap.CANCEL, cap.Cancel(invoke_id)


@pytest.mark.parametrize("handling", [RELEASE, CONTINUE])
async def test_an_initial_dp_that_is_rejected_is_handled_by_default(
    loop: TestbedLoop, handling: m.DefaultCallHandling
) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(o_csi=o_csi(handling=handling))
        await net.mo()
        net.scf.answer(Reject(1, WRONG))
        await net.settle()
        assert net.verdicts("ssp.default-call-handling") == [handling is CONTINUE]
        assert bool(net.far.invited) is (handling is CONTINUE)
        assert net.ms.cause == (41 if handling is RELEASE else None)
        if handling is CONTINUE:
            net.ms.hang_up()


async def test_an_error_about_something_else_than_the_initial_dp_changes_nothing(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.scf.order(arm((E.O_DISCONNECT, MODE.NOTIFY_AND_CONTINUE, 1)), charge(50), GO_ON)
        await net.sleep(6)
        assert len(net.scf.said("applyChargingReport")) == 1
        net.scf.answer(ReturnError(2, cap.ErrorCode.TASK_REFUSED))
        await net.settle()
        assert net.ms.cause is None
        net.ms.hang_up()


async def test_errors_and_rejects_of_what_is_told_in_a_call_change_nothing(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        order = arm((E.O_ANSWER, MODE.NOTIFY_AND_CONTINUE), (E.O_DISCONNECT, MODE.INTERRUPTED))
        net.scf.script, net.scf.ends = [order, charge(600), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.scf.answer(ReturnError(1, cap.ErrorCode.MISSING_CUSTOMER_RECORD))  # of the InitialDP, which was obeyed
        net.scf.answer(Reject(2, WRONG))  # of the answer
        await net.settle()
        assert net.far.outcome == "answered"
        net.far.hang_up()
        await net.settle()
        net.scf.answer(ReturnError(3, cap.ErrorCode.TASK_REFUSED))  # of the time, while orders are awaited
        await net.settle()
        assert (net.ms.cause, net.decisions("ssp.default-call-handling")) == (None, [])
        net.scf.order(GO_ON, end=True)
        await net.settle()
        assert net.ms.cause == 16


@pytest.mark.parametrize(("csi", "phases", "asked"), [(3, (4, 3, 2), [3]), (4, (3,), [4, 3]), (2, (4, 3, 2), [2])])
async def test_a_gsmscf_is_asked_in_the_phase_of_the_csi_and_then_in_that_which_it_offers(
    loop: TestbedLoop, csi: int, phases: tuple[int, ...], asked: list[int]
) -> None:
    async with SspNet(loop) as net:
        net.scf.phases = tuple(map(cap.Phase, phases))
        await net.registered(o_csi=o_csi(csi))
        await net.mo()
        assert net.scf.contexts == asked
        assert len(net.far.invited) == 1
        net.ms.hang_up()


@pytest.mark.parametrize(("csi", "offers"), [(2, 4), (3, 3)])
async def test_a_phase_that_is_no_lower_one_is_not_tried(loop: TestbedLoop, csi: int, offers: int) -> None:
    async with SspNet(loop) as net:
        net.scf.phases, net.scf.offers = (cap.Phase.FOUR,), cap.Phase(offers)
        await net.registered(o_csi=o_csi(csi))
        await net.mo()
        assert (net.scf.contexts, net.ms.cause) == ([csi], 41)
        assert [each.occasion for each in net.decisions("ssp.default-call-handling")] == ["no-common-phase"]


async def test_a_phase_that_is_refused_after_it_was_taken_is_not_followed_by_another_one(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [(cap.ACTIVITY_TEST, None)], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        (dialogue,) = net.scf.user.tc._dialogues.values()
        refusal = Aare(cap.CONTEXTS[cap.Phase.TWO], accepted=False)
        message = Message(MessageType.ABORT, dtid=dialogue.peer, dialogue=refusal)
        net.scf.point.send(dialogue.remote, dialogue.local, encode(message))
        await net.settle()
        assert (net.scf.contexts, net.ms.cause) == ([4], 41)


@pytest.mark.parametrize("phase", [1, None])
async def test_a_csi_of_phase_1_asks_nobody_and_is_handled_by_default(loop: TestbedLoop, phase: int | None) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=replace(o_csi(), camel_capability_handling=phase))
        await net.mo()
        assert (net.scf.heard, net.ms.cause) == ([], 41)


async def test_no_intelligent_peripheral_is_elsewhere(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [ELSEWHERE], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert [each.error for each in net.scf.answers] == [cap.ErrorCode.ETC_FAILED]
        net.scf.order(release(), end=True)
        await net.settle()
        assert net.ms.cause == 21


async def test_an_announcement_is_given_up_by_its_invoke_id_alone(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [RESOURCE, play(60)], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert "PROGRESS" in net.ms.names()
        net.scf.order(stop(99))
        await net.settle()
        assert net.scf.answers == []
        net.scf.order(FORGET)
        await net.settle()
        assert net.scf.answers.pop().error == cap.ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
        net.scf.order(stop(2))
        await net.settle()
        assert net.scf.answers.pop().error == cap.ErrorCode.CANCELED
        await net.sleep(61)
        assert net.scf.said("specializedResourceReport") == []
        net.scf.order((cap.DISCONNECT_FORWARD_CONNECTION, None), GO_ON)
        await net.settle()
        net.ms.hang_up()


async def test_an_announcement_goes_on_when_another_one_is_given_up(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [RESOURCE, play(60)], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.scf.order(stop(99))
        await net.sleep(3.5)
        assert len(net.scf.said("specializedResourceReport")) == 1
        net.scf.order(play(60))
        await net.settle()
        net.scf.order(stop(4))
        await net.settle()
        before = messages(net)
        await net.sleep(10)
        assert messages(net) == before
        net.scf.order(release(), end=True)
        await net.settle()


async def test_orders_that_cannot_be_read_are_rejected_and_those_out_of_place_answered_where_they_can_be(
    loop: TestbedLoop,
) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(600), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        before = messages(net)
        net.scf.order(GO_ON)  # it does go on
        await net.settle()
        assert messages(net) == before
        net.scf.user.tc.invoke(net.scf.dialogue, cap.RELEASE_CALL, b"\x30\x00", 0.0)
        net.scf.user.tc.proceed(net.scf.dialogue)
        net.scf.user.flush()
        await net.settle()
        assert (messages(net), net.ms.cause) == (before + 1, None)
        net.ms.hang_up()


async def test_a_dialogue_of_which_nothing_more_is_asked_ends_at_once(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.ends = False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert net.scf.ended == ["ended"]
        net.ms.hang_up()


@pytest.mark.parametrize("handling", [RELEASE, CONTINUE])
@pytest.mark.parametrize("answered", [True, False])
async def test_a_gsmscf_that_gives_a_dialogue_up_is_done_without(
    loop: TestbedLoop, handling: m.DefaultCallHandling, *, answered: bool
) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(600), GO_ON] if answered else None, False
        await net.registered(o_csi=o_csi(handling=handling))
        await net.mo()
        net.scf.user.tc.abort(net.scf.dialogue) if answered else net.scf.order((cap.ACTIVITY_TEST, None))
        net.scf.user.flush()
        await net.settle()
        if not answered:
            net.scf.user.tc.abort(net.scf.dialogue)
            net.scf.user.flush()
        await net.sleep(5)
        assert net.verdicts("ssp.default-call-handling") == [handling is CONTINUE]
        assert net.ms.cause == (None if handling is CONTINUE else 41)
        assert len(net.far.invited) == (answered or handling is CONTINUE)
        net.ms.hang_up()


async def test_an_announcement_ends_with_the_resource_that_plays_it(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [RESOURCE, play(60)], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.scf.order((cap.DISCONNECT_FORWARD_CONNECTION, None), charge(6000), GO_ON)
        await net.sleep(61)
        assert net.scf.said("specializedResourceReport") == []
        assert net.ms.names().count("PROGRESS") == 1
        net.ms.hang_up()


async def test_an_announcement_that_is_not_asked_about_ends_silently(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [RESOURCE, play(10, forbidden=False, told=False)], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(3.5)
        assert net.scf.said("specializedResourceReport") == []
        net.scf.order(GO_ON, end=True)  # the resource has gone
        await net.settle()
        assert net.scf.answers == []
        assert len(net.far.invited) == 1
        net.ms.hang_up()


@pytest.mark.parametrize(("order", "seconds"), [(RESOURCE, 120), (None, 2)])
async def test_orders_are_awaited_for_longer_while_somebody_is_connected_to_a_resource(
    loop: TestbedLoop, order: Any, seconds: int
) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [order] if order is not None else None, False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(seconds - 0.1)
        assert net.ms.cause is None
        await net.sleep(0.2)
        assert net.ms.cause == 41
        assert len(net.scf.ended) == (order is not None)


async def test_in_a_call_that_goes_on_no_order_is_awaited(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(6000), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(300)
        assert (net.ms.cause, net.scf.ended) == (None, [])
        net.ms.hang_up()


async def test_who_hangs_up_while_orders_are_awaited_needs_none(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.ms.hang_up()
        await net.sleep(10)
        assert net.decisions("ssp.default-call-handling") == []
        assert (len(net.records()), net.far.invited) == (1, [])


async def test_a_caller_who_hangs_up_during_an_announcement_ends_the_dialogue(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [RESOURCE, play(60)], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.ms.hang_up()
        await net.sleep(61)
        assert net.scf.said("specializedResourceReport") == []
        assert len(net.scf.ended) == 1
        assert net.far.invited == []
        assert net.decisions("ssp.default-call-handling") == []


async def test_no_orders_come_after_an_announcement(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [RESOURCE, play(10, forbidden=False)], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(4.9)
        assert len(net.scf.said("specializedResourceReport")) == 1
        assert net.ms.cause is None
        await net.sleep(0.2)
        assert net.ms.cause == 41


async def test_a_gsmscf_that_ends_the_dialogue_hears_no_more_and_limits_nothing(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [charge(50, release=True), arm((E.O_ANSWER, MODE.NOTIFY_AND_CONTINUE)), GO_ON]
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(60)
        assert net.ms.cause is None
        assert [name for name, _ in net.scf.heard] == ["initialDP"]
        net.ms.hang_up()


async def test_a_gsmscf_that_ends_the_dialogue_in_a_call_has_no_orders_left_to_give(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_ANSWER, MODE.NOTIFY_AND_CONTINUE)), charge(100, release=True)], False
        net.scf.script += [GO_ON]
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.scf.order(end=True)
        await net.sleep(20)
        assert (net.ms.cause, net.decisions("ssp.default-call-handling")) == (None, [])
        net.ms.hang_up()


async def test_what_is_armed_with_the_last_word_is_not_waited_at(loop: TestbedLoop) -> None:
    async with SspNet(loop, trunks=NOWHERE) as net:
        net.scf.script = [arm((E.ROUTE_SELECT_FAILURE, MODE.INTERRUPTED, 2)), connect(OTHER)]
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert (net.ms.cause, net.decisions("ssp.default-call-handling")) == (3, [])


async def test_a_gsmscf_is_asked_where_a_csi_says_and_not_before(loop: TestbedLoop) -> None:
    trigger = m.OTriggerData(m.OTriggerPoint.ROUTE_SELECT_FAILURE, 7, AddressString(SCF_NUMBER), RELEASE)
    async with SspNet(loop) as net:
        net.scf.script = [connect(OTHER)]
        await net.registered(o_csi=m.OCsi((trigger,), 4, active=True))
        net.far.does = "1"
        await net.mo()
        (asked,) = net.scf.said("initialDP")
        assert (asked.event_type_bcsm, asked.service_key) == (E.ROUTE_SELECT_FAILURE, 7)
        assert [each.uri.split("@")[0] for each in net.far.invited] == [f"sip:{LISTED}", f"sip:{OTHER}"]
        assert net.ms.cause == 1


async def test_a_gsmscf_hears_nothing_that_says_nothing(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(600), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert messages(net) == 1
        net.ms.hang_up()
        await net.settle()
        assert messages(net) == 2
        assert [name for name, _ in net.scf.heard] == ["initialDP", "applyChargingReport"]


async def test_a_last_word_that_asks_for_an_answer_has_none(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [(cap.ACTIVITY_TEST, None), arm((E.T_ANSWER, MODE.INTERRUPTED)), GO_ON]
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert net.scf.answers == []
        assert len(net.far.invited) == 1
        net.ms.hang_up()


async def test_a_gsmscf_begins_no_dialogue_here(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        tc = net.scf.user.tc
        dialogue = tc.open(Address(146, 8), cap.CONTEXTS[cap.Phase.FOUR])
        tc.invoke(dialogue, cap.ACTIVITY_TEST, b"", 0.0)
        tc.begin(dialogue)
        net.scf.user.flush()
        await net.settle()
        assert len(net.scf.ended) == 1
        assert len(net.ssp.core.cap.tc) == 0


# -- events and time


@pytest.mark.parametrize("mode", [MODE.NOTIFY_AND_CONTINUE, MODE.TRANSPARENT])
async def test_the_last_word_about_an_event_holds(loop: TestbedLoop, mode: cap.MonitorMode) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [arm((E.O_ANSWER, MODE.INTERRUPTED)), arm((E.O_ANSWER, mode)), charge(600), GO_ON]
        net.scf.ends = False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert len(net.scf.said("eventReportBCSM")) == (mode is MODE.NOTIFY_AND_CONTINUE)
        net.ms.hang_up()


async def test_an_answer_that_waits_for_orders_is_told_the_caller_then(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_ANSWER, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert "CONNECT" not in net.ms.names()
        net.scf.order(connect(OTHER))
        await net.settle()
        assert net.scf.answers.pop().error == cap.ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
        net.scf.order(GO_ON)
        await net.settle()
        assert "CONNECT" in net.ms.names()
        net.ms.hang_up()


async def test_events_of_a_leg_are_of_that_leg_alone(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MODE.INTERRUPTED, 1)), charge(600), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.far.hang_up()
        await net.settle()
        assert net.scf.said("eventReportBCSM") == []
        assert net.ms.cause == 16


@pytest.mark.parametrize(("phase", "expiry"), [(2, False), (3, True), (4, True)])
async def test_the_end_of_the_time_is_told_as_the_phase_has_it(loop: TestbedLoop, phase: int, *, expiry: bool) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi(phase))
        net.scf.script, net.scf.ends = None, False
        await net.mo()
        argument = cap.ApplyCharging(cap.TimeCharging(50, True))
        octets = cap.encode(cap.APPLY_CHARGING, argument, cap.Phase(phase))
        net.scf.user.tc.invoke(net.scf.dialogue, cap.APPLY_CHARGING, octets, 0.0)
        net.scf.order(GO_ON)
        await net.sleep(6)
        (told,) = net.scf.said("applyChargingReport")
        assert told.result == cap.CallResult(1, 50, False, expiry)
        assert net.ms.cause == 31


async def test_abandon_holds_a_call_from_phase_3_on(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.far.does = "ring"
        net.scf.script, net.scf.ends = [arm((E.O_ABANDON, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(o_csi=o_csi(2))
        await net.mo()
        assert [each.error for each in net.scf.answers] == [cap.ErrorCode.UNEXPECTED_DATA_VALUE]
        net.ms.hang_up()
        await net.settle()
        net.scf.answers.clear()
        net.ms.register()
        net.hlr.o_csi = o_csi(3)
        await net.settle()
        await net.mo()
        assert net.scf.answers == []
        net.ms.hang_up()
        await net.settle()
        told = net.scf.said("eventReportBCSM")[-1]
        assert (told.event_type_bcsm, told.misc_call_info.mode) == (E.O_ABANDON, cap.EventMode.REQUEST)
        net.scf.order(GO_ON, end=True)
        await net.settle()


async def test_time_that_is_given_anew_is_watched_alone(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(100), arm((E.O_DISCONNECT, MODE.NOTIFY_AND_CONTINUE, 1)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(5)
        net.scf.order(FORGET, charge(100))
        await net.sleep(9)
        assert [each.result.time for each in net.scf.said("applyChargingReport")] == [50]
        await net.sleep(2)
        assert [each.result.time for each in net.scf.said("applyChargingReport")] == [50, 150]
        net.ms.hang_up()


# -- a call that follows


async def test_a_call_that_comes_goes_on_to_somebody_else_when_the_card_hangs_up(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.T_DISCONNECT, MODE.INTERRUPTED, 2)), GO_ON], False
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.ms.hang_up(answering=True)
        await net.settle()
        assert net.far.outcome == "answered"
        net.scf.order(connect(OTHER), end=True)
        await net.settle()
        assert [each.uri.split("@")[0] for each in net.far.invited] == [f"sip:{OTHER}"]
        assert sum(type(each).__name__ == "Answered" for each in net.far.heard) == 2  # of the two calls, once each
        net.far.hang_up()
        await net.settle()


@pytest.mark.parametrize("does", ["17", "ring"])
async def test_a_call_that_follows_and_is_not_answered_ends(loop: TestbedLoop, does: str) -> None:
    async with SspNet(loop, answer="20 s") as net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MODE.INTERRUPTED, 2)), charge(600), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(10)
        net.far.hang_up()
        await net.settle()
        net.far.does = does
        net.scf.order(charge(600), connect(OTHER))
        await net.sleep(21)
        assert [each.result.time for each in net.scf.said("applyChargingReport")] == [100, 0]
        assert net.ms.cause == (17 if does == "17" else 19)
        assert net.records()[0].fields["callDuration"] >= 10


async def test_orders_at_the_end_of_a_call_let_it_end(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.ms.hang_up()
        await net.settle()
        assert net.far.outcome == "answered"
        net.scf.order(connect(OTHER))  # the caller is gone
        await net.settle()
        assert net.scf.answers.pop().error == cap.ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE
        net.scf.order(GO_ON, end=True)
        await net.settle()
        assert net.far.outcome == "released 16"
        assert len(net.far.invited) == 1


# -- who is told to whom


async def test_a_hidden_caller_stays_hidden_where_a_call_is_forwarded(loop: TestbedLoop) -> None:
    """RFC 3323, RFC 3325: the network knows who calls, and who is called is not shown."""
    async with SspNet(loop) as net:
        net.scf.script = [connect(OTHER)]
        await net.registered(t_csi=t_csi())
        asserted = ("P-Asserted-Identity", f"<sip:{LISTED}@192.0.2.9>")
        net.far.call(f"+{MSISDN}", "anonymous", asserted, ("Privacy", "id"))
        await net.settle()
        (invite,) = net.far.invited
        assert invite.sender.uri.user == "anonymous"
        assert invite.headers.get("Privacy") == "id"
        assert invite.headers.get("P-Asserted-Identity").startswith(f"<sip:{LISTED}@")
        net.far.hang_up()


async def test_connect_says_who_redirects_and_who_was_called_first(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        original, redirecting = Number("8613800005555"), Number("8613800006666")
        order = cap.Connect((Number(MSISDN),), original_called_party_id=original, redirecting_party_id=redirecting)
        net.scf.script = [(cap.CONNECT, order)]
        await net.registered(o_csi=o_csi(), t_csi=t_csi())
        net.ms.quiet.add(T.DISCONNECT)
        await net.mo()
        told = net.scf.said("initialDP")[1]
        assert told.original_called_party_id.digits == original.digits
        assert told.redirecting_party_id.digits == redirecting.digits
        assert net.ms.cause == Cause(17).value  # it calls itself
