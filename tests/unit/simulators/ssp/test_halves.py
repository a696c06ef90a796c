"""Halves of calls in chains, each with a gsmSCF of its own: what of one the others see, and what is told and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ssp_net import GO_ON, LISTED, MODE, MSISDN, OTHER, E, SspNet, T, arm, charge, connect, o_csi, release, t_csi

from simwarden.wire import cap
from simwarden.wire.dtap import CODING_GSM
from simwarden.wire.isup import Number
from simwarden.wire.q850 import Cause

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.dtap import MessageType

RESOURCE: Any = (cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(none=True)))
FOUR_DIGITS: Any = (
    cap.PROMPT_AND_COLLECT,
    cap.PromptAndCollectUserInformation(cap.CollectedInfo(cap.CollectedDigits(4, 4))),
)


def ring_for(seconds: int, event: cap.EventType) -> Any:
    """Return the order to wait so long for an answer."""
    criteria = cap.Criteria(application_timer=seconds)
    armed = cap.BcsmEvent(event, MODE.NOTIFY_AND_CONTINUE, cap.Leg(sending_side=2), criteria)
    return cap.REQUEST_REPORT_BCSM_EVENT, cap.RequestReportBCSMEvent((armed,))


def shown(net: SspNet, role: str) -> list[str]:
    """Return the states that a half was shown in."""
    return [each["state"] for each in net.observed("call") if each["role"] == role]


def ring(net: SspNet) -> None:
    """Have the telephone that was called last ring."""
    net.far.trunk.agent.ring(net.far.calls[-1], net.clock.now())
    net.far.trunk.flush()


def accept(net: SspNet) -> None:
    """Have the telephone that was called last answer."""
    net.far.trunk.agent.accept(net.far.calls[-1], net.clock.now())
    net.far.trunk.flush()


# -- what is told of events


@pytest.mark.parametrize(
    ("does", "event", "told"),
    [
        ("17", E.O_CALLED_PARTY_BUSY, cap.EventInfo(o_called_party_busy=cap.BusyInfo(Cause(17, 0)))),
        ("1", E.ROUTE_SELECT_FAILURE, cap.EventInfo(route_select_failure=cap.FailureInfo(Cause(1, 0)))),
        ("19", E.O_NO_ANSWER, None),
        ("answer", E.O_ANSWER, cap.EventInfo(o_answer=cap.AnswerInfo())),
        ("answer", E.O_DISCONNECT, cap.EventInfo(o_disconnect=cap.DisconnectInfo(Cause(16, 0)))),
    ],
)
async def test_what_is_told_of_an_originating_half(
    loop: TestbedLoop, does: str, event: cap.EventType, told: cap.EventInfo | None
) -> None:
    async with SspNet(loop) as net:
        net.far.does = does
        net.scf.script, net.scf.ends = [arm((event, MODE.NOTIFY_AND_CONTINUE, 2)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        if does == "answer":
            net.far.hang_up()
            await net.settle()
        (heard,) = net.scf.said("eventReportBCSM")
        assert (heard.event_type_bcsm, heard.information) == (event, told)
        end = ["answered", "ended"] if does == "answer" else ["failed"]
        assert shown(net, "mo") == ["set-up", *["alerting"] * (does == "answer"), *end]


@pytest.mark.parametrize(
    ("said", "event", "told"),
    [
        (17, E.T_BUSY, cap.EventInfo(t_busy=cap.BusyInfo(Cause(17, 0)))),
        (19, E.T_NO_ANSWER, None),
        (None, E.T_ANSWER, cap.EventInfo(t_answer=cap.AnswerInfo())),
        (None, E.T_DISCONNECT, cap.EventInfo(t_disconnect=cap.DisconnectInfo(Cause(16, 0)))),
    ],
)
async def test_what_is_told_of_a_terminating_half(
    loop: TestbedLoop, said: int | None, event: cap.EventType, told: cap.EventInfo | None
) -> None:
    async with SspNet(loop) as net:
        net.ms.answers = said is None
        net.scf.script, net.scf.ends = [arm((event, MODE.NOTIFY_AND_CONTINUE, 2)), GO_ON], False
        await net.registered(vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.ms.say(T.DISCONNECT, answering=True, cc_cause=Cause(said or 16, 0, CODING_GSM))
        await net.settle()
        (heard,) = net.scf.said("eventReportBCSM")
        assert (heard.event_type_bcsm, heard.information) == (event, told)
        end = ["answered", "ended"] if said is None else ["failed"]
        assert shown(net, "mt") == ["set-up", "alerting", *end]


# -- how long somebody rings


async def test_a_gsmscf_says_how_long_a_called_terminal_rings(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.ms.answers = False
        net.scf.script, net.scf.ends = [ring_for(12, E.T_NO_ANSWER), GO_ON], False
        await net.registered(vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.sleep(11)
        assert (net.far.outcome, net.scf.said("eventReportBCSM")) == ("ringing", [])
        await net.sleep(2)
        assert net.far.outcome == "480 19"
        assert [each.event_type_bcsm for each in net.scf.said("eventReportBCSM")] == [E.T_NO_ANSWER]


async def test_who_rings_once_more_has_its_time_anew_and_who_answers_has_no_limit(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.far.does = "ring"
        net.scf.script, net.scf.ends = [ring_for(12, E.O_NO_ANSWER), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(8)
        ring(net)
        await net.sleep(8)
        assert net.ms.cause is None
        accept(net)
        await net.sleep(60)
        assert (net.ms.cause, shown(net, "mo")[-1]) == (None, "answered")
        assert net.ms.names().count("ALERTING") == 1  # it is told the caller once
        net.ms.hang_up()


async def test_who_answers_without_ringing_is_connected(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.far.does = "nothing"
        await net.registered()
        await net.mo()
        accept(net)
        await net.settle()
        assert net.ms.names()[-2:] == ["CALL_PROCEEDING", "CONNECT"]
        net.ms.hang_up()


async def test_a_terminal_that_rang_in_vain_has_no_part_in_the_call_that_follows(loop: TestbedLoop) -> None:
    async with SspNet(loop, ringing="10 s") as net:
        net.ms.answers, net.far.does = False, "ring"
        net.ms.quiet.add(T.DISCONNECT)
        net.scf.script, net.scf.ends = [arm((E.T_NO_ANSWER, MODE.INTERRUPTED, 2)), GO_ON], False
        await net.registered(vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.sleep(11)
        net.scf.order(connect(OTHER), end=True)
        await net.settle()
        net.ms.say(T.RELEASE, answering=True)
        await net.settle()
        assert net.far.outcome == "ringing"
        accept(net)
        await net.settle()
        assert net.far.outcome == "answered"
        net.far.hang_up()


async def test_the_time_that_a_terminal_rang_is_not_that_of_who_is_called_instead(loop: TestbedLoop) -> None:
    async with SspNet(loop, ringing="10 s") as net:
        net.ms.answers, net.far.does = False, "ring"
        net.scf.script, net.scf.ends = [arm((E.T_BUSY, MODE.INTERRUPTED, 2)), GO_ON], False
        await net.registered(vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.sleep(9)
        net.ms.say(T.DISCONNECT, answering=True, cc_cause=Cause(17, 0, CODING_GSM))
        await net.settle()
        net.scf.order(connect(OTHER), end=True)
        await net.sleep(9)
        assert net.far.outcome == "ringing"
        await net.sleep(2)
        assert net.far.outcome == "480 19"


async def test_a_caller_who_hangs_up_is_why_the_terminal_rings_no_more(loop: TestbedLoop) -> None:
    """Orders about that come when it would have rung for too long."""
    async with SspNet(loop, ringing="10 s") as net:
        net.ms.answers = False
        net.scf.script, net.scf.ends = [arm((E.T_ABANDON, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.sleep(9)
        net.far.hang_up(16)
        await net.sleep(1.5)
        assert net.ms.cause is None
        net.scf.order(GO_ON, end=True)
        await net.settle()
        assert net.ms.cause == 16


# -- who is called instead


async def test_a_forwarded_call_keeps_who_redirected_it_where_connect_does_not_say(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        for number in (OTHER, f"+{MSISDN}"):
            net.scf.order(connect(number), end=True)
            await net.settle()
        told = net.scf.said("initialDP")[-1]
        assert told.event_type_bcsm is E.TERM_ATTEMPT_AUTHORIZED
        assert (told.original_called_party_id.digits, told.redirecting_party_id.digits) == (MSISDN, MSISDN)
        net.scf.order(release(), end=True)
        await net.settle()
        assert net.far.outcome == "403 21"


async def test_a_forwarded_call_keeps_who_was_called_first_where_connect_says_it(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        order = cap.Connect((Number(OTHER.removeprefix("+")),), original_called_party_id=Number("8613800005555"))
        net.scf.script = None
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.scf.order((cap.CONNECT, order), end=True)
        await net.settle()
        told = net.scf.said("initialDP")[-1]
        assert (told.original_called_party_id.digits, told.redirecting_party_id.digits) == ("8613800005555", MSISDN)
        net.scf.order(release(), end=True)
        await net.settle()


async def test_a_card_that_is_connected_to_itself_is_called(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [connect(f"+{MSISDN}")]
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "answered"
        assert shown(net, "forwarded") == []
        net.far.hang_up()


async def test_who_is_called_instead_is_told_of_as_it_is_armed_then(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.far.does = "17"
        net.scf.script, net.scf.ends = [arm((E.O_CALLED_PARTY_BUSY, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.far.does = "answer"
        net.scf.order(
            arm((E.O_ANSWER, MODE.NOTIFY_AND_CONTINUE, 2), (E.O_DISCONNECT, MODE.INTERRUPTED)), connect(OTHER)
        )
        await net.settle()
        assert [each.event_type_bcsm for each in net.scf.said("eventReportBCSM")] == [E.O_CALLED_PARTY_BUSY, E.O_ANSWER]
        await net.sleep(10)
        net.far.hang_up()
        await net.settle()
        net.scf.order(connect(LISTED), end=True)  # a call that follows, whose time is that of the record too
        await net.sleep(5)
        assert net.ms.names().count("CONNECT") == 1  # who calls is answered for good
        net.ms.hang_up()
        await net.settle()
        assert net.records()[0].fields["callDuration"] == 15
        assert shown(net, "mo")[-1] == "ended"


# -- one half after the other


async def test_who_has_been_answered_does_not_hear_a_call_that_follows_further_down(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.scf.order(connect(OTHER), end=True)
        await net.settle()
        net.scf.order(arm((E.O_DISCONNECT, MODE.INTERRUPTED, 2)), GO_ON)
        await net.settle()
        net.far.hang_up()
        await net.settle()
        net.scf.order(connect(LISTED), end=True)
        await net.settle()
        assert shown(net, "forwarded") == ["set-up", "alerting", "answered", "alerting", "answered"]
        assert shown(net, "gmsc") == ["set-up", "alerting", "answered"]
        net.far.hang_up()
        await net.settle()
        assert shown(net, "gmsc")[3:] == ["ended"]


async def test_what_happens_further_down_after_the_end_is_not_seen_further_up(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.far.does = None, "nothing"
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.scf.order(connect(OTHER), end=True)
        await net.settle()
        net.scf.order(arm((E.O_ABANDON, MODE.INTERRUPTED)), GO_ON)
        await net.settle()
        caller, called = net.far.calls
        net.far.trunk.agent.hang_up(caller, net.clock.now())
        net.far.trunk.flush()
        await net.settle()
        ring(net)
        await net.settle()
        assert shown(net, "gmsc") == ["set-up", "failed"]
        await net.sleep(3)  # no orders: by default it ends
        assert net.far.outcome == "released 41"
        assert (shown(net, "gmsc"), shown(net, "forwarded")[-1]) == (["set-up", "failed"], "failed")
        assert called == net.far.calls[-1]


async def test_a_call_whose_time_is_over_ends_once_though_orders_are_awaited_further_down(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.scf.order(charge(50, release=True), connect(OTHER))
        await net.settle()
        net.scf.order(arm((E.O_DISCONNECT, MODE.INTERRUPTED, 1)), GO_ON)
        await net.sleep(10)
        assert shown(net, "gmsc") == ["set-up", "alerting", "answered", "ended"]
        assert shown(net, "forwarded") == ["set-up", "alerting", "answered", "ended"]


async def test_who_hangs_up_while_orders_are_awaited_ends_nothing_twice(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.far.does = None, "17"
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.scf.order(arm((E.T_BUSY, MODE.INTERRUPTED, 2)), connect(OTHER))
        await net.settle()
        net.scf.order(GO_ON, end=True)
        await net.settle()
        net.far.trunk.agent.hang_up(net.far.calls[0], net.clock.now())
        net.far.trunk.flush()
        await net.settle()
        assert (shown(net, "gmsc"), shown(net, "forwarded")) == (["set-up", "failed"], ["set-up", "failed"])


@pytest.mark.parametrize(("says", "quiet"), [(T.DISCONNECT, True), (T.DISCONNECT, False), (T.RELEASE, False)])
async def test_a_terminal_that_has_hung_up_is_not_told_that_its_call_ends_for_want_of_orders(
    loop: TestbedLoop, says: MessageType, *, quiet: bool
) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MODE.INTERRUPTED, 1)), GO_ON], False
        await net.registered(o_csi=o_csi())
        net.ms.quiet |= {T.RELEASE} if quiet else set()
        await net.mo()
        net.ms.say(says, cc_cause=Cause(16, 0, CODING_GSM))
        await net.sleep(3)
        assert net.verdicts("ssp.default-call-handling") == [False]
        assert (net.far.outcome, net.ms.names().count("DISCONNECT")) == ("released 41", 0)


async def test_a_terminal_that_says_nothing_to_the_answer_is_told_once_that_the_call_ends(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MODE.INTERRUPTED, 1)), GO_ON], False
        await net.registered(o_csi=o_csi())
        net.ms.quiet |= {T.CONNECT, T.DISCONNECT}
        await net.mo()
        await net.sleep(33)
        assert net.verdicts("ssp.default-call-handling") == [False]
        assert (net.far.outcome, net.ms.names().count("DISCONNECT"), net.ms.cause) == ("released 41", 1, 102)


async def test_who_was_busy_or_rang_in_vain_does_not_end_the_call_to_who_is_called_instead(loop: TestbedLoop) -> None:
    async with SspNet(loop, answer="20 s") as net:
        net.far.does = "nothing"
        net.scf.script, net.scf.ends = [arm((E.O_CALLED_PARTY_BUSY, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(10)
        net.far.trunk.agent.reject(net.far.calls[-1], 17, net.clock.now())
        net.far.trunk.flush()
        await net.settle()
        within = cap.BcsmEvent(
            E.O_NO_ANSWER, MODE.INTERRUPTED, cap.Leg(sending_side=2), cap.Criteria(application_timer=12)
        )
        net.scf.order((cap.REQUEST_REPORT_BCSM_EVENT, cap.RequestReportBCSMEvent((within,))), connect(OTHER))
        await net.settle()
        ring(net)
        await net.sleep(11)  # the first one would have had its time
        assert (net.ms.cause, net.scf.said("eventReportBCSM")[1:]) == (None, [])
        await net.sleep(2)
        assert net.scf.said("eventReportBCSM")[1].event_type_bcsm is E.O_NO_ANSWER
        net.scf.order(connect(LISTED), end=True)
        await net.settle()
        ring(net)
        await net.sleep(10)  # and the second one
        assert net.ms.cause is None
        await net.sleep(11)
        assert net.ms.cause == 19


@pytest.mark.parametrize("silent", [True, False])
async def test_who_has_hung_up_does_not_hear_that_it_rings(loop: TestbedLoop, *, silent: bool) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.T_ABANDON, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(t_csi=t_csi())
        net.ms.quiet.add(T.SETUP)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.far.hang_up()
        await net.settle()
        for kind in (T.CALL_CONFIRMED, T.ALERTING, T.CONNECT):
            net.ms.say(kind, answering=True)
        await net.settle()
        if not silent:
            net.scf.order(GO_ON, end=True)
        await net.sleep(3)
        assert net.ms.cause == (41 if silent else 16)


@pytest.mark.parametrize("own", [True, False])
async def test_keys_and_announcements_pass_halves_that_have_nothing_to_do_with_them(
    loop: TestbedLoop, *, own: bool
) -> None:
    """The card calls its own number, about which a gsmSCF has digits collected; its own one collects none."""
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(t_csi=t_csi(), **({"o_csi": o_csi()} if own else {}))
        net.ms.call(f"00{MSISDN}")
        net.ms.say(T.START_DTMF, keypad_facility="0")  # nobody collects yet
        await net.settle()
        if own:
            net.scf.order(GO_ON, end=True)
            await net.settle()
        assert "PROGRESS" not in net.ms.names()
        net.scf.order(RESOURCE, FOUR_DIGITS)
        await net.settle()
        assert "PROGRESS" in net.ms.names()
        for key in "4711":
            net.ms.say(T.START_DTMF, keypad_facility=key)
            await net.settle()
        (answer,) = net.scf.answers
        assert cap.CAP_USER.decode_result(cap.PROMPT_AND_COLLECT, answer.result) == cap.ReceivedInformation("4711")
        net.scf.order(release(), end=True)
        await net.settle()
        assert net.ms.cause == 21


async def test_keys_for_who_collects_are_for_nobody_else(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        order = cap.Connect((Number(MSISDN),))
        net.scf.script = None
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        await net.mo()
        net.scf.order(RESOURCE, FOUR_DIGITS)
        await net.settle()
        for key in "47":
            net.ms.say(T.START_DTMF, keypad_facility=key)
        await net.sleep(6)
        assert net.scf.answers.pop().error == cap.ErrorCode.IMPROPER_CALLER_RESPONSE
        net.scf.order((cap.DISCONNECT_FORWARD_CONNECTION, None), (cap.CONNECT, order), end=True)
        await net.settle()
        net.scf.order(release(), end=True)
        await net.settle()
        assert net.ms.cause == 21
