"""Calls through the SSP: what terminals, gsmSCF, HLR and other networks see of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ssp_net import (
    CONTINUE,
    GO_ON,
    IMSI,
    LISTED,
    MODE,
    MSISDN,
    OTHER,
    RELEASE,
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

from simwarden.runtime.clock import time_zone
from simwarden.wire import cap
from simwarden.wire import map as m
from simwarden.wire.dtap import MmCause
from simwarden.wire.isup import Number
from simwarden.wire.nas import IdentityType, MobileIdentity
from simwarden.wire.q850 import Cause
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import ReturnError

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


DIGITS = cap.CollectedInfo(cap.CollectedDigits(4, 4))


@pytest.fixture(params=["memory", "tcp"])
def net(loop: TestbedLoop, request: pytest.FixtureRequest) -> SspNet:
    return SspNet(loop, request.param)


# -- calls of a terminal


async def test_without_a_csi_a_call_passes_undirected(net: SspNet) -> None:
    async with net:
        await net.registered()
        await net.mo()
        await net.sleep(30)
        net.ms.hang_up()
        await net.settle()
        assert net.scf.heard == []
        (invite,) = net.far.invited
        assert invite.uri.startswith(f"sip:{LISTED}@")
        assert invite.headers.get("P-Asserted-Identity").startswith(f"<sip:+{MSISDN}@")
        assert net.ms.names()[-5:] == ["CALL_PROCEEDING", "ALERTING", "CONNECT", "RELEASE", "CHANNEL_RELEASE"]
        (record,) = net.records()
        assert (record.record, record.fields["callDuration"], record.fields["causeForTerm"]) == ("MOCallRecord", 30, 0)
        assert record.fields["calledNumber"] == LISTED.removeprefix("+")
        assert [each["cause"] for each in net.observed("call")] == [None, None, None, 16]


async def test_an_o_csi_has_the_gsmscf_asked_before_anybody_rings(net: SspNet) -> None:
    async with net:
        net.scf.script = None
        await net.registered(o_csi=o_csi())
        await net.mo("013800001111")
        assert net.far.invited == []
        (asked,) = net.scf.said("initialDP")
        assert asked.event_type_bcsm is E.COLLECTED_INFO
        assert asked.called_party_bcd_number == AddressString("013800001111", 0)
        assert (asked.calling_party_number.digits, asked.calling_party_number.screening) == (MSISDN, 3)
        assert (asked.imsi, asked.service_key) == (IMSI, 1)
        assert asked.extension.imei == net.ms.imei
        net.scf.order(release(), end=True)
        await net.settle()
        assert net.far.invited == []
        assert net.ms.cause == 21
        assert net.records()[0].fields["causeForTerm"] == 5


async def test_connect_has_another_number_called(net: SspNet) -> None:
    async with net:
        net.scf.script = [arm((E.O_ANSWER, MODE.NOTIFY_AND_CONTINUE)), connect(OTHER)]
        net.scf.ends = False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert net.far.invited[0].uri.startswith(f"sip:{OTHER}@")
        (event,) = net.scf.said("eventReportBCSM")
        assert (event.event_type_bcsm, event.leg.receiving_side) == (E.O_ANSWER, 2)
        assert net.records() == []
        net.far.hang_up()
        await net.settle()
        assert net.records()[0].fields["translatedNumber"] == OTHER.removeprefix("+")


async def test_an_event_that_is_not_armed_is_not_reported(net: SspNet) -> None:
    async with net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MODE.NOTIFY_AND_CONTINUE, 2)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.ms.hang_up()
        await net.settle()
        assert net.scf.said("eventReportBCSM") == []
        assert net.scf.ended == ["ended"]


@pytest.mark.parametrize(("does", "event"), [("17", E.O_CALLED_PARTY_BUSY), ("1", E.ROUTE_SELECT_FAILURE)])
async def test_a_call_that_fails_waits_for_orders_where_that_is_armed(
    loop: TestbedLoop, does: str, event: cap.EventType
) -> None:
    async with SspNet(loop) as net:
        net.far.does = does
        net.scf.script, net.scf.ends = [arm((event, MODE.INTERRUPTED)), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        (told,) = net.scf.said("eventReportBCSM")
        assert told.misc_call_info.mode is cap.EventMode.REQUEST
        assert told.event_type_bcsm is event
        assert net.ms.cause is None
        net.far.does = "answer"
        net.scf.order(connect(OTHER), end=True)
        await net.settle()
        assert [each.uri.split("@")[0] for each in net.far.invited] == [f"sip:{LISTED}", f"sip:{OTHER}"]
        assert "CONNECT" in net.ms.names()
        net.far.hang_up()
        await net.settle()
        assert net.ms.cause == 16


@pytest.mark.parametrize(
    ("abandon", "told"),
    [(MODE.NOTIFY_AND_CONTINUE, [E.O_CALLED_PARTY_BUSY, E.O_ABANDON]), (MODE.TRANSPARENT, [E.O_CALLED_PARTY_BUSY])],
)
async def test_who_gives_up_while_orders_are_awaited_is_told_of_where_that_is_armed(
    loop: TestbedLoop, abandon: cap.MonitorMode, told: list[cap.EventType]
) -> None:
    """TS 23.078 4.5.7: a call that waits for orders at O_Busy is abandoned."""
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        order = arm((E.O_CALLED_PARTY_BUSY, MODE.INTERRUPTED, 2), (E.O_ABANDON, abandon))
        net.scf.script, net.scf.ends, net.far.does = [order, GO_ON], False, "17"
        await net.mo()
        net.ms.hang_up()
        await net.settle()
        assert [each.event_type_bcsm for each in net.scf.said("eventReportBCSM")] == told
        assert len(net.scf.ended) == 1
        assert (net.scf.ended == ["ended"]) is (len(told) == 2)


async def test_minutes_end_a_call_to_the_tenth_of_a_second(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(123), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(12.2)
        assert net.scf.said("applyChargingReport") == []
        net.scf.order(arm((E.O_DISCONNECT, MODE.NOTIFY_AND_CONTINUE, 1)))
        await net.sleep(0.1)
        (report,) = net.scf.said("applyChargingReport")
        assert report.result == cap.CallResult(1, 123, leg_active=True)
        net.scf.order(charge(7, release=True))
        await net.sleep(0.6)
        assert net.ms.cause is None
        await net.sleep(0.1)
        assert net.ms.cause == 31
        assert net.scf.said("applyChargingReport")[1].result == cap.CallResult(1, 130, False, True)
        assert net.records()[0].fields["callDuration"] == 13


async def test_a_release_in_mid_call_ends_both_sides(net: SspNet) -> None:
    async with net:
        net.scf.script, net.scf.ends = [charge(6000), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(5)
        net.scf.order(release(31))
        await net.settle()
        assert net.ms.cause == 31
        assert net.far.outcome == "released 31"
        assert net.scf.said("applyChargingReport")[0].result == cap.CallResult(1, 50, leg_active=False)
        assert net.scf.ended == ["ended"]


# -- without orders


@pytest.mark.parametrize("handling", [RELEASE, CONTINUE])
async def test_silence_is_handled_by_default(loop: TestbedLoop, handling: m.DefaultCallHandling) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(o_csi=o_csi(handling=handling))
        await net.mo()
        await net.sleep(1.9)
        assert (net.ms.cause, net.far.invited) == (None, [])
        await net.sleep(0.2)
        (decision,) = net.decisions("ssp.default-call-handling")
        assert decision.occasion == "no-order-in-time"
        assert len(net.ssp.core.cap.tc) == 0
        if handling is RELEASE:
            assert (net.ms.cause, net.far.invited) == (41, [])
        else:
            assert "CONNECT" in net.ms.names()
            net.ms.hang_up()
        await net.settle()
        told = "releaseCall" if handling is RELEASE else "continueCall"
        assert net.records()[0].fields["defaultCallHandling"] == told


@pytest.mark.parametrize("how", ["abort", "end", "error", "error at the end", "odd", "killed"])
async def test_a_dialogue_that_is_lost_is_handled_by_default(loop: TestbedLoop, how: str) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(o_csi=o_csi())
        if how == "killed":
            await net.host.stop("scp", kill=True)
            await net.settle()
        await net.mo()
        if how == "abort":
            net.scf.user.tc.abort(net.scf.dialogue)
        elif how == "end":
            net.scf.user.tc.end(net.scf.dialogue)
        elif how == "odd":
            net.scf.answer(ReturnError(1, 99))
        elif "error" in how:
            net.scf.answer(ReturnError(1, cap.ErrorCode.MISSING_CUSTOMER_RECORD), end="end" in how)
        net.scf.user.flush()
        await net.sleep(5)
        assert net.ms.cause == 41
        assert net.far.invited == []
        (decision,) = net.decisions("ssp.default-call-handling")
        assert decision.occasion == "dialogue-lost"
        assert ("missing customer record" in decision.reason) is ("error" in how)
        assert len(net.scf.ended) == (how in ("error", "odd"))
        assert len(net.ssp.core.cap.tc) == 0


async def test_a_phase_that_is_refused_is_followed_by_a_lower_one(net: SspNet) -> None:
    async with net:
        net.scf.phases = (cap.Phase.TWO,)
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert net.scf.contexts == [cap.Phase.FOUR, cap.Phase.TWO]
        assert net.scf.said("initialDP")[0].extension is None
        assert len(net.far.invited) == 1
        net.far.hang_up()


async def test_no_phase_in_common_is_handled_by_default(loop: TestbedLoop) -> None:
    async with SspNet(loop, camel_phases=[1, 4]) as net:
        net.scf.phases = (cap.Phase.TWO,)
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert (net.ms.cause, net.far.invited) == (41, [])
        assert [each.occasion for each in net.decisions("ssp.default-call-handling")] == ["no-common-phase"]


# -- what cannot be ordered


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ((cap.PLAY_ANNOUNCEMENT, cap.PlayAnnouncement(cap.Information(tone=cap.Tone(1)))), 14),
        ((cap.DISCONNECT_FORWARD_CONNECTION, None), 14),
        ((cap.PROMPT_AND_COLLECT, cap.PromptAndCollectUserInformation(DIGITS)), 14),
        (arm((E.T_ANSWER, MODE.NOTIFY_AND_CONTINUE)), 15),
        ((cap.CANCEL, cap.Cancel(invoke_id=9)), 1),
        ((cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(Number("861")))), 3),
    ],
)
async def test_what_is_out_of_place_is_answered_by_its_error(loop: TestbedLoop, order: Any, error: int) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.scf.order(order)
        await net.settle()
        (answer,) = net.scf.answers
        assert answer.error == error
        assert net.far.invited == []
        net.scf.order(release(), end=True)
        await net.settle()


async def test_an_activity_test_is_answered_in_a_call_and_not_after_it(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(600), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        net.scf.order((cap.ACTIVITY_TEST, None))
        await net.settle()
        assert len(net.scf.answers) == 1
        net.ms.hang_up()
        await net.settle()
        assert net.scf.ended == ["ended"]


# -- announcements and digits


async def test_an_announcement_is_played_then_the_call_released_without_an_answer(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        said = cap.PlayAnnouncement(cap.Information(cap.InbandInfo(cap.MessageId(5), 2)))
        resource = cap.ConnectToResource(cap.Resource(none=True))
        net.scf.script = [(cap.CONNECT_TO_RESOURCE, resource), (cap.PLAY_ANNOUNCEMENT, said)]
        net.scf.ends = False
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert "PROGRESS" in net.ms.names()
        await net.sleep(5.9)
        assert net.scf.said("specializedResourceReport") == []
        await net.sleep(0.2)
        assert len(net.scf.said("specializedResourceReport")) == 1
        net.scf.order(release(), end=True)
        await net.settle()
        assert net.ms.cause == 21
        assert "CONNECT" not in net.ms.names()
        assert net.records()[0].fields["callDuration"] == 0


@pytest.mark.parametrize(("keys", "told"), [("1234", "1234"), ("12#", None), ("", None)])
async def test_digits_are_collected(loop: TestbedLoop, keys: str, told: str | None) -> None:
    async with SspNet(loop) as net:
        digits = cap.CollectedDigits(4, 4, b"\x0c", first_digit_timeout=10, inter_digit_timeout=5)
        asked = cap.PromptAndCollectUserInformation(
            cap.CollectedInfo(digits), information=cap.Information(tone=cap.Tone(1, 2))
        )
        resource = cap.ConnectToResource(cap.Resource(none=True))
        net.scf.script = [(cap.CONNECT_TO_RESOURCE, resource), (cap.PROMPT_AND_COLLECT, asked)]
        net.scf.ends = False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(3)
        for key in keys:
            net.ms.say(T.START_DTMF, keypad_facility=key)
            await net.settle()
        await net.sleep(15)
        (answer,) = net.scf.answers
        if told is not None:
            assert cap.CAP_USER.decode_result(cap.PROMPT_AND_COLLECT, answer.result) == cap.ReceivedInformation(told)
        else:
            assert answer.error == cap.ErrorCode.IMPROPER_CALLER_RESPONSE
        net.scf.order((cap.DISCONNECT_FORWARD_CONNECTION, None), connect(LISTED), end=True)
        await net.settle()
        assert len(net.far.invited) == 1
        net.far.hang_up()


# -- calls to a terminal


async def test_a_call_to_a_card_is_paged_for(net: SspNet) -> None:
    async with net:
        await net.registered()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "answered"
        assert net.ms.last(T.SETUP)["calling_party_bcd_number"].digits == LISTED.removeprefix("+")
        net.ms.hang_up(answering=True)
        await net.settle()
        assert net.far.outcome == "released 16"
        assert [each.record for each in net.records()] == ["MTCallRecord"]


async def test_a_t_csi_refuses_before_there_is_a_roaming_number_or_a_page(net: SspNet) -> None:
    async with net:
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}", OTHER)
        await net.settle()
        assert net.far.outcome == "403 21"
        assert [name for name, _ in net.hlr.heard] == ["update", "route"]
        assert "PAGING_REQUEST_TYPE_1" not in net.ms.names()
        (asked,) = net.scf.said("initialDP")
        assert (asked.event_type_bcsm, asked.imsi) == (E.TERM_ATTEMPT_AUTHORIZED, IMSI)
        assert asked.calling_party_number.screening == 0


async def test_who_calls_is_told_as_the_network_asserts_it(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi())
        asserted = ("P-Asserted-Identity", f"<sip:{OTHER}@192.0.2.9>")
        net.far.call(f"+{MSISDN}", LISTED, asserted, ("Privacy", "id"))
        await net.settle()
        (asked,) = net.scf.said("initialDP")
        assert (asked.calling_party_number.digits, asked.calling_party_number.screening) == (OTHER[1:], 3)
        assert asked.calling_party_number.presentation == 1
        assert asked.additional_calling_party_number.number.digits == LISTED[1:]


async def test_t_csi_and_vt_csi_have_their_turns(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(t_csi=t_csi(), vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "answered"
        assert [each.suppress_t_csi for each in (a.camel_info for n, a in net.hlr.heard if n == "route")] == [
            False,
            True,
        ]
        assert len(net.scf.said("initialDP")) == 2
        net.far.hang_up()


async def test_a_roaming_number_that_was_not_given_reaches_nobody(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.far.call("+8613900000001")
        await net.settle()
        assert net.far.outcome == "404 1"
        number = await net.hlr.roaming_number()
        await net.sleep(31)
        net.far.call(f"+{number.digits}")
        await net.settle()
        assert net.far.outcome == "404 1"
        assert "PAGING_REQUEST_TYPE_1" not in net.ms.names()


async def test_a_terminal_that_does_not_answer_its_page_is_absent(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.PAGING_REQUEST_TYPE_1)
        net.far.call(f"+{MSISDN}")
        await net.sleep(6)
        assert net.far.outcome == "480 20"


async def test_a_terminal_that_rings_too_long_has_not_answered(loop: TestbedLoop) -> None:
    async with SspNet(loop, ringing="20 s") as net:
        await net.registered()
        net.ms.answers = False
        net.far.call(f"+{MSISDN}")
        await net.sleep(19)
        assert net.far.outcome == "ringing"
        await net.sleep(2)
        assert net.far.outcome == "480 19"
        assert net.ms.cause == 19


async def test_a_terminal_in_a_call_is_busy(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.mo()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "486 17"
        net.ms.hang_up()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (m.ErrorCode.UNKNOWN_SUBSCRIBER, "404 1"),
        (m.ErrorCode.NUMBER_CHANGED, "410 22"),
        (m.ErrorCode.CALL_BARRED, "403 21"),
        (m.ErrorCode.CUG_REJECT, "403 55"),
        (m.ErrorCode.ABSENT_SUBSCRIBER, "480 20"),
        (m.ErrorCode.TELESERVICE_NOT_PROVISIONED, "403 57"),
        (m.ErrorCode.BEARER_SERVICE_NOT_PROVISIONED, "403 57"),
        (m.ErrorCode.FACILITY_NOT_SUPPORTED, "500 69"),
        (m.ErrorCode.BUSY_SUBSCRIBER, "486 17"),
        (m.ErrorCode.NO_SUBSCRIBER_REPLY, "480 19"),
        (m.ErrorCode.SYSTEM_FAILURE, "503 41"),
    ],
)
async def test_errors_of_the_hlr_are_told_by_their_causes(loop: TestbedLoop, error: int, outcome: str) -> None:
    async with SspNet(loop) as net:
        net.hlr.fails["route"] = error
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == outcome


async def test_a_forwarded_leg_raises_the_o_csi_of_the_card_that_forwards(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [connect(OTHER)]
        await net.registered(t_csi=t_csi(), o_csi=o_csi())
        net.scf.script, net.scf.ends = [connect(OTHER)], True
        net.far.call(f"+{MSISDN}")
        await net.settle()
        first, second = net.scf.said("initialDP")
        assert (first.event_type_bcsm, second.event_type_bcsm) == (E.TERM_ATTEMPT_AUTHORIZED, E.COLLECTED_INFO)
        assert second.call_forwarding_pending
        assert second.redirecting_party_id.digits == MSISDN
        assert second.called_party_number.digits == OTHER[1:]
        net.far.hang_up()
        await net.settle()


# -- emergency


async def test_an_emergency_call_asks_nobody(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(o_csi=o_csi())
        net.ms.ask_service(2)
        net.ms.say(T.EMERGENCY_SETUP)
        await net.settle()
        assert net.scf.heard == []
        assert net.far.invited[0].uri.startswith("sip:110@")
        net.ms.hang_up()


@pytest.mark.parametrize("given", [True, False])
async def test_without_a_card_an_emergency_call_is_as_the_network_is_set(loop: TestbedLoop, given: bool) -> None:  # noqa: FBT001
    async with SspNet(loop, emergency_without_card=given) as net:
        net.ms.ask_service(2, MobileIdentity(IdentityType.IMEI, "990001010000010"))
        await net.settle()
        assert ("CM_SERVICE_ACCEPT" in net.ms.names()) is given
        if not given:
            assert net.ms.last(T.CM_SERVICE_REJECT)["mm_cause"] == MmCause.IMEI_NOT_ACCEPTED
            await net.registered()
            net.ms.ask_service(2)
            await net.settle()
            assert net.ms.names()[-1] == "CM_SERVICE_ACCEPT"


async def test_a_connection_for_short_messages_is_not_given(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.ask_service(4)
        await net.settle()
        assert net.ms.last(T.CM_SERVICE_REJECT)["mm_cause"] == MmCause.SERVICE_OPTION_NOT_SUPPORTED
        await net.mo()
        assert len(net.far.invited) == 1
        net.ms.hang_up()


async def test_a_card_whose_number_is_not_known_calls_as_nobody(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [GO_ON]
        await net.registered(o_csi=o_csi())
        net.ssp.core.subscribers[IMSI].msisdn = ""
        await net.mo()
        assert net.scf.said("initialDP")[0].calling_party_number is None
        assert net.far.invited[0].sender.uri.user == "anonymous"
        net.ms.hang_up()
        await net.settle()
        net.ms.ask_service(2)
        net.ms.say(T.EMERGENCY_SETUP)
        await net.settle()
        assert net.far.invited[1].sender.uri.user == "anonymous"
        net.ms.hang_up()


async def test_a_registered_card_that_calls_for_help_is_told_of(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.ask_service(2)
        net.ms.say(T.EMERGENCY_SETUP)
        await net.settle()
        assert net.far.invited[0].headers.get("P-Asserted-Identity").startswith(f"<sip:+{MSISDN}@")
        net.ms.hang_up()
        await net.settle()
        (record,) = net.records()
        assert (record.fields["servedIMSI"], record.fields["basicService"]) == (IMSI, "emergencyCalls")


@pytest.mark.parametrize(
    ("number", "asked"), [("110", False), ("120", False), ("1101", True), ("0110", True), ("+110", True)]
)
async def test_a_number_of_an_emergency_service_is_exempt_as_a_whole_only(
    loop: TestbedLoop,
    number: str,
    asked: bool,  # noqa: FBT001
) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(o_csi=o_csi())
        await net.mo(number)
        assert bool(net.scf.heard) is asked
        assert bool(net.far.invited) is not asked
        if not asked:
            net.ms.hang_up()


async def test_a_call_connected_to_an_emergency_number_by_forwarding_is_asked_about(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.hlr.forwarded_to = "8613800002222"
        await net.registered()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.invited[0].uri.startswith(f"sip:{OTHER}@")
        net.far.hang_up()
        await net.settle()


# -- barring and service


async def test_barred_and_unprovisioned_cards_make_no_calls(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.hlr.barred = True
        await net.registered()
        await net.mo()
        assert net.ms.cause == 8
        net.hlr.barred, net.hlr.teleservices = False, (b"\x12",)
        net.ms.register()
        await net.settle()
        await net.mo()
        assert net.ms.cause == 57
        assert net.far.invited == []


async def test_data_that_the_hlr_changes_hold_from_the_next_call_on(net: SspNet) -> None:
    async with net:
        net.scf.script = [release()]
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert net.ms.cause == 21
        gone = m.DeleteSubscriberData(IMSI, camel_subscription_withdraw=True)
        await net.hlr.tell(m.SUBSCRIBER_DATA_MNGT, m.DELETE_SUBSCRIBER_DATA, gone)
        await net.mo()
        assert len(net.far.invited) == 1
        net.ms.hang_up()
        await net.settle()
        cancelled = m.CancelLocation(m.Identity(IMSI))
        await net.hlr.tell(m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, cancelled)
        net.ms.heard.clear()
        net.ms.ask_service()
        await net.settle()
        assert net.ms.last(T.CM_SERVICE_REJECT)["mm_cause"] == 4


async def test_hold_is_refused(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.mo()
        net.ms.say(T.HOLD)
        await net.settle()
        assert net.ms.last(T.HOLD_REJECT)["cc_cause"].value == 50
        net.ms.hang_up()


async def test_who_is_no_longer_registered_when_it_dials_makes_no_call(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.ask_service()
        await net.settle()
        await net.hlr.tell(m.LOCATION_CANCELLATION, m.CANCEL_LOCATION, m.CancelLocation(m.Identity(IMSI)))
        net.ms.say(T.SETUP, bearer_capability=b"\xa0", called_party_bcd_number=AddressString("13800001111", 0))
        await net.settle()
        assert (net.ms.cause, net.far.invited) == (57, [])


async def test_a_call_for_help_is_no_cards_whatever_numbers_are_own_ones(loop: TestbedLoop) -> None:
    async with SspNet(loop, own_numbers=["110", "86144"]) as net:
        await net.registered()
        await net.mo("110")
        assert [name for name, _ in net.hlr.heard] == ["update"]
        assert len(net.far.invited) == 1
        net.ms.hang_up()


async def test_who_is_not_registered_here_makes_no_calls(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.ms.ask_service()
        net.ms.say(T.SETUP, bearer_capability=b"\xa0", called_party_bcd_number=AddressString("13800001111", 0))
        await net.settle()
        assert net.ms.last(T.CM_SERVICE_REJECT)["mm_cause"] == 4
        assert net.far.invited == []
        assert net.peer_faults() == ["SETUP without a connection for it"]


async def test_octets_that_are_no_message_are_answered_and_served_on(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        nothing = (
            b"",
            b"\x05",
            b"\x05\x3e",
            b"\x03\x05\x5e\x80",
            b"\x0c\x01",
            b"\x05\x08\x72",
            b"\x03\x25",
            b"\x03\x3f",
        )
        for octets in nothing:
            net.ms.link.send(octets)
        await net.settle()
        assert len(net.peer_faults()) == len(nothing)
        await net.registered()


async def test_a_terminal_that_vanishes_ends_its_call(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        net.scf.script, net.scf.ends = [charge(600), GO_ON], False
        await net.mo()
        net.ms.link.close()
        await net.settle()
        assert net.far.outcome == "released 27"
        assert Cause(27).value == net.records()[0].fields["diagnostics"]


async def test_an_exchange_that_goes_down_ends_its_calls(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(600), GO_ON], False
        await net.registered(o_csi=o_csi())
        await net.mo()
        await net.sleep(5)
        await net.host.stop("ssp")
        await net.settle()
        assert net.far.outcome == "released 41"
        assert net.scf.said("applyChargingReport")[0].result.time == 50
        assert net.scf.ended == ["ended"]


@pytest.mark.parametrize("caller", ["*123#", "+" + "8" * 40, "anonymous", "+"])
async def test_a_caller_that_is_no_number_is_nobody(loop: TestbedLoop, caller: str) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}", caller)
        await net.settle()
        assert net.far.outcome == "403 21"
        assert net.scf.said("initialDP")[0].calling_party_number is None


@pytest.mark.parametrize("number", ["+86144" + "0" * 30, "+861440000000*1", "*21#"])
async def test_a_called_number_that_is_none_reaches_nobody(loop: TestbedLoop, number: str) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.far.call(number)
        await net.settle()
        assert net.far.outcome in ("404 1", "484 28")


@pytest.mark.parametrize("number", ["*21*13800002222#", "#", "1" * 40, "a1"])
async def test_keys_that_are_no_number_are_dialled_in_vain(loop: TestbedLoop, number: str) -> None:
    async with SspNet(loop, trunks={}) as net:
        await net.registered()
        await net.mo(number)
        assert net.ms.cause == 3
    async with SspNet(loop) as net:
        net.far.does = "1"
        await net.registered(o_csi=o_csi())
        await net.mo(number)
        assert net.ms.cause in (1, 3)


async def test_an_exchange_that_goes_down_ends_both_halves_of_a_call_once(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [charge(600), GO_ON], False
        await net.registered(t_csi=t_csi(), vt_csi=t_csi())
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert len(net.ssp.core.calls) == 2
        await net.host.stop("ssp")
        await net.settle()
        assert net.far.outcome == "released 41"
        assert [each.fields["diagnostics"] for each in net.records()] == [41]


async def test_an_exchange_that_is_killed_tells_nobody(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.hlr.roaming_number()
        await net.mo()
        await net.host.stop("ssp", kill=True)
        await net.sleep(60)
        assert net.far.outcome == "answered"
        assert net.records() == []
        assert net.ssp.core.roaming  # nothing runs out any more
        net.ssp.core.roaming.clear()
        net.ssp.core.calls.clear()
        net.ssp.core.trunks._legs.clear()


@pytest.mark.parametrize(
    ("caller", "more", "told"),
    [
        ("13800001111", (), ("13800001111", 2, 0, 0)),
        (LISTED, (("P-Asserted-Identity", "<sip:013800002222@192.0.2.1>"),), ("013800002222", 2, 0, 3)),
        (LISTED, (("P-Asserted-Identity", "<sip:x@192.0.2.1>"), ("Privacy", "none")), (LISTED[1:], 4, 0, 0)),
        (LISTED, (("Privacy", "user;id"),), (LISTED[1:], 4, 1, 0)),
        (
            LISTED,
            (("P-Asserted-Identity", "<sip:x@192.0.2.1>"), ("P-Asserted-Identity", f"<sip:{OTHER}@192.0.2.1>")),
            (OTHER[1:], 4, 0, 3),
        ),
        (
            "anonymous",
            (("P-Asserted-Identity", "<tel:+4930123456>"), ("P-Asserted-Identity", f"<sip:{OTHER}@192.0.2.1>")),
            ("4930123456", 4, 0, 3),
        ),
    ],
)
async def test_a_caller_is_told_as_it_was_said(
    loop: TestbedLoop, caller: str, more: tuple[tuple[str, str], ...], told: tuple[str, int, int, int]
) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        await net.registered(t_csi=t_csi())
        net.far.call(f"+{MSISDN}", caller, *more)
        await net.settle()
        heard = net.scf.said("initialDP")[0].calling_party_number
        assert (heard.digits, heard.nature, heard.presentation, heard.screening) == told


async def test_a_gmsc_says_who_it_is_and_a_visited_msc_in_which_terminal_the_card_is(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script = [release()]
        net.hlr.t_csi = t_csi()
        net.far.call(f"+{MSISDN}")  # the card is registered nowhere
        await net.settle()
        first = net.scf.said("initialDP")[0]
        assert (first.extension.gmsc_address.digits, first.extension.imei) == ("8613800000008", None)
        assert first.location_information is None
        await net.registered(o_csi=o_csi())
        await net.mo()
        second = net.scf.said("initialDP")[1]
        assert (second.extension.gmsc_address, second.extension.imei) == (None, net.ms.imei)
        assert second.location_information.vlr_number.digits == "8613800000008"


@pytest.mark.parametrize(("offset", "zone"), [(0, 0x00), (8, 0x23), (-5, 0x0A), (14, 0x65), (-12, 0x8C)])
async def test_the_time_has_its_zone(loop: TestbedLoop, offset: int, zone: int) -> None:
    """Semi-octets in quarters of an hour, the sign in bit 4 (TS 23.040 9.2.3.11)."""
    async with SspNet(loop, utc_offset=offset) as net:
        net.scf.script = [release()]
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert net.scf.said("initialDP")[0].time_and_timezone[-1] == zone


async def test_time_of_the_exchange_is_the_operators_by_default(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.clock.zone = time_zone(5.5)
        net.scf.script = [release()]
        await net.registered(o_csi=o_csi())
        await net.mo()
        assert net.scf.said("initialDP")[0].time_and_timezone[-1] == 0x22


@pytest.mark.parametrize(("phase", "gateway", "imei"), [(2, False, False), (3, True, False), (4, True, True)])
async def test_each_side_says_of_a_call_what_the_phase_has(
    loop: TestbedLoop, phase: int, *, gateway: bool, imei: bool
) -> None:
    async with SspNet(loop) as net:
        net.scf.script = None
        net.hlr.t_csi = t_csi(phase)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        net.scf.order(release(), end=True)
        await net.settle()
        await net.registered(o_csi=o_csi(phase), vt_csi=t_csi(phase))
        await net.mo(OTHER)
        net.scf.order(release(), end=True)
        await net.settle()
        net.far.call(f"+{MSISDN}")
        for order in (connect(f"+{MSISDN}"), connect(OTHER), release()):
            await net.settle()
            net.scf.order(order, end=True)
        await net.settle()
        gmsc, mo, first, visited, forwarded = net.scf.said("initialDP")
        own = "8613800000008"
        for told in (gmsc, first):
            assert (told.extension and told.extension.gmsc_address) == (
                AddressString(own) if gateway and told is gmsc else None
            )
        for told in (mo, visited):
            assert (told.extension and told.extension.imei) == (net.ms.imei if imei else None)
            assert (told.extension is not None) is imei
        assert [told.called_party_bcd_number for told in (gmsc, first, visited, forwarded)] == [None] * 4
        assert (mo.called_party_bcd_number.digits, mo.called_party_number) == (OTHER[1:], None)
        assert [told.call_forwarding_pending for told in (gmsc, mo, visited, forwarded)] == [False, False, False, True]


async def test_a_terminal_that_was_called_is_busy_too(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        first = net.far.calls[-1]
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "486 17"
        net.far.trunk.agent.hang_up(first, net.clock.now())
        net.far.trunk.flush()
