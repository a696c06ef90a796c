"""The SCP between a scripted SSP and its operator: whom it connects, whom it refuses, and what it orders on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from scripted_ssp import E, ScriptedSsp, SspCall, forwarded, originating
from sigtran_net import Node, Settings
from voice_bench import (
    APPROVED,
    IMSI,
    LISTED,
    MSISDN,
    OTHER_IMSI,
    OTHER_MSISDN,
    UNLISTED,
    VOICE,
    VoiceBench,
)

from simulators.scp import causes
from simulators.scp.clients.ssp import release
from simwarden.runtime.store import StoreUnavailableError
from simwarden.wire import cap
from simwarden.wire.isup import GenericNumber, Number
from simwarden.wire.sccp import Address
from simwarden.wire.tbcd import AddressString
from simwarden.wire.tcap import Problem, Reject, ReturnError
from simwarden.wire.tcap.enums import InvokeProblem, ProblemKind

#: what goes with each call that is let through
WATCHED = ["requestReportBCSMEvent", "applyCharging"]


async def test_a_listed_number_is_connected_and_watched() -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        assert call.names() == [*WATCHED, "connect"]
        assert len(call.orders) == 1
        assert call.last("connect").destination_routing_address == (Number("861065800012"),)
        armed = {
            (each.event_type_bcsm, each.leg.sending_side): each.monitor_mode for each in call.last(WATCHED[0]).events
        }
        assert armed[E.O_DISCONNECT, 1] == armed[E.O_DISCONNECT, 2] == cap.MonitorMode.INTERRUPTED
        assert armed[E.O_ANSWER, 2] == cap.MonitorMode.NOTIFY_AND_CONTINUE
        assert call.last("applyCharging").time_duration_charging == cap.TimeCharging(600)
        assert net.scp.census() == {"directed_calls": 1}
        assert net.host.under_way("scp") == []  # nothing is under way in a call that goes on
        assert net.verdicts("voice.directed") == [True]
        assert [each["state"] for each in net.observed("call", key="1")] == ["set-up", "connected"]


@pytest.mark.parametrize(
    ("number", "ton"),
    [
        *((each, 0) for each in (LISTED, "+861065800012", "00861065800012", "008601065800012")),
        *((each, 1) for each in ("861065800012", "8601065800012")),
        ("1065800012", 2),
    ],
)
async def test_spellings_of_a_listed_number(number: str, ton: int) -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(number.removeprefix("+"), ton or (1 if number.startswith("+") else 0))
        assert call.names()[-1] == "connect"
        assert call.last("connect").destination_routing_address == (Number("861065800012"),)


@pytest.mark.parametrize(
    ("number", "ton"),
    [
        ("1065800012", 0),  # a code of a service has the digits of the fixed line
        (LISTED + "1", 0),
        (LISTED[:-1], 0),
        ("1065800012", 1),  # +1 065 800 012 is in North America
        (LISTED, 5),
        (LISTED, 7),  # reserved
        ("*21#", 0),
        (UNLISTED, 0),
        ("1100", 0),
        ("0110", 0),
        ("110", 1),
        ("86110", 0),
    ],
)
async def test_numbers_that_are_not_listed(number: str, ton: int) -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(number, ton)
        assert call.names() == ["releaseCall"]
        assert (call.cause, call.end) == (21, "ended")
        assert net.verdicts("voice.directed") == [False]
        assert net.scp.census() == {"directed_calls": 0}


@pytest.mark.parametrize("number", ["110", "119", "120", "122"])
async def test_emergency_numbers_pass_whatever_holds_for_the_card(number: str) -> None:
    async with VoiceBench() as net:
        await net.provision(None)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "unpaid"})
        call = await net.dial(number)
        assert call.names() == ["continue"]
        assert call.end == "ended"
        call = await net.ask(originating(OTHER_IMSI, number))
        assert call.names() == ["continue"]
        assert net.verdicts("voice.directed") == [True, True]


@pytest.mark.parametrize("unsaid", ["", "redirecting_party_id", "redirection_information"])
async def test_nothing_is_forwarded_to_an_emergency_number(unsaid: str) -> None:
    async with VoiceBench(emergency_callers=["110"]) as net:  # which may call
        await net.provision()
        asked = forwarded(IMSI, MSISDN, Number("110", 2))
        without: dict[str, Any] = dict.fromkeys([unsaid] * bool(unsaid))
        call = await net.ask(replace(asked, **without))

        less: dict[str, Any] = {unsaid: None} if unsaid else {}
        call = await net.ask(replace(forwarded(IMSI, MSISDN, Number("110", 2)), **less))
        assert (call.names(), call.cause) == (["releaseCall"], 21)


async def test_a_forwarded_call_is_to_the_number_that_it_is_forwarded_to() -> None:
    async with VoiceBench() as net:
        await net.provision()
        dialled = AddressString(LISTED, 0)
        call = await net.ask(forwarded(IMSI, MSISDN, Number("861065800013"), called_party_bcd_number=dialled))
        assert call.cause == 21


async def test_forwarded_calls_are_the_forwarding_cards() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"numbers": [], "outgoing": [LISTED], "incoming": [UNLISTED]})
        passes = await net.ask(forwarded(IMSI, MSISDN, Number("861065800012")))
        assert passes.names()[-1] == "connect"
        refused = await net.ask(forwarded(IMSI, MSISDN, Number("861065800013")))
        assert refused.cause == 21
        assert [each.occasion for each in net.decisions("voice.directed")] == ["originating-call"] * 2


CALLER = Number("861065800012", screening=3)


@pytest.mark.parametrize(
    "caller",
    [
        CALLER,
        CALLER._replace(presentation=1),  # it is not shown to the card, and still the network's word
        CALLER._replace(screening=1),
        Number("1065800012", 3, screening=3),
        Number(LISTED, 2, screening=3),
        Number(LISTED, 1, screening=3),
    ],
)
async def test_callers_whom_the_network_has_verified(caller: Number) -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.called_by(caller)
        assert call.names() == [*WATCHED, "continue"]
        armed = {each.event_type_bcsm for each in call.last(WATCHED[0]).events}
        assert armed == {E.T_BUSY, E.T_NO_ANSWER, E.T_ANSWER, E.T_DISCONNECT, E.T_ABANDON}


@pytest.mark.parametrize(
    "caller",
    [
        None,
        CALLER._replace(screening=0),
        CALLER._replace(screening=2),
        CALLER._replace(presentation=2),
        CALLER._replace(flag=True),
        CALLER._replace(plan=3),
        CALLER._replace(nature=5),
        Number("861065800013", screening=3),
        Number("110", 2, screening=3),
    ],
)
async def test_callers_whom_nobody_has_verified_or_listed(caller: Number | None) -> None:
    async with VoiceBench() as net:
        await net.provision()
        listed = GenericNumber(6, CALLER)
        call = await net.called_by(caller, additional_calling_party_number=listed)
        assert (call.names(), call.cause) == (["releaseCall"], 21)


async def test_directions_have_lists_of_their_own() -> None:
    async with VoiceBench() as net:
        await net.provision({"by": "scp", "incoming": [LISTED], "outgoing": [UNLISTED]})
        assert (await net.dial(LISTED)).cause == 21
        assert (await net.dial(UNLISTED)).cause is None
        assert (await net.called_by(CALLER)).cause is None
        assert (await net.called_by(Number("861065800013", screening=3))).cause == 21


async def test_voice_is_off_unless_it_was_opened() -> None:
    async with VoiceBench() as net:
        await net.provision(None)
        assert (await net.dial(LISTED)).cause == 57
        assert (await net.called_by(CALLER)).cause == 57


async def test_undirected_voice() -> None:
    async with VoiceBench() as net:
        await net.provision({"by": "scp", "undirected": True})
        assert (await net.dial(UNLISTED)).last("connect")
        assert (await net.called_by(None)).names()[-1] == "continue"


async def test_nobodys_cards_are_not_let_through() -> None:
    async with VoiceBench() as net:
        await net.provision()
        assert (await net.ask(originating(OTHER_IMSI, LISTED))).cause == 41
        await net.provision(imsi=OTHER_IMSI, msisdn=OTHER_MSISDN)
        # the IMSI of one, the number of another
        assert (await net.ask(originating(IMSI, LISTED, own=OTHER_MSISDN))).cause == 41
        nobody = cap.InitialDP(1, event_type_bcsm=E.COLLECTED_INFO, called_party_number=Number(LISTED, 2))
        assert (await net.ask(nobody)).cause == 41
        assert net.verdicts("voice.directed") == [False] * 3


async def test_a_card_by_its_number_alone() -> None:
    async with VoiceBench() as net:
        await net.provision()
        asked = cap.InitialDP(
            1,
            event_type_bcsm=E.COLLECTED_INFO,
            calling_party_number=Number(MSISDN),
            called_party_number=Number("861065800012"),
        )
        assert (await net.ask(asked)).last("connect")


@pytest.mark.parametrize("event", [E.O_ANSWER, E.O_DISCONNECT, E.T_BUSY, None])
async def test_other_triggers_are_released(event: cap.EventType | None) -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.ask(cap.InitialDP(1, Number("861065800012"), event_type_bcsm=event, imsi=IMSI))
        assert call.cause == 41


async def test_what_cannot_be_read_is_released() -> None:
    async with VoiceBench() as net:
        await net.provision()
        for octets in (b"", b"\x30\0", b"\x30\x03\x80\x01\x01", b"\x30\x02\xff\x00"):
            call = net.ssp.ask_octets(octets)
            await net.settle()
            assert call.cause == 41, octets.hex()
        call = net.ssp.ask_octets(b"", operation=cap.ACTIVITY_TEST)
        await net.settle()
        assert call.cause == 41
        assert net.scp.census() == {"directed_calls": 0}


async def test_exchanges_that_are_not_listed() -> None:
    """A transfer point brings what others ask as well."""

    net = VoiceBench(routes={"stp": {"routing_context": 146}})
    serves = tuple((code, code) for code in (146, 8, 9))
    net.add("stp", Node, Settings(point_code=1, serves=serves))
    other = net.add("other", ScriptedSsp, {"scp": "stp", "point_code": 9})
    net.ssp.config = net.ssp.config.model_copy(update={"scp": "stp"})
    async with net:
        await net.sleep(60)
        await net.provision()
        assert (await net.dial(LISTED)).last("connect")
        call = other.ask(originating(IMSI, LISTED))
        await net.settle()
        assert (call.names(), call.cause) == (["releaseCall"], 21)
        assert net.verdicts("scp.ssp") == [True, False]


async def test_a_quota_is_shared_and_ends_calls_to_the_tenth() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        one, other, third = await net.dial(LISTED), await net.called_by(CALLER), await net.dial(LISTED)
        assert one.last("applyCharging").time_duration_charging == cap.TimeCharging(600)
        assert other.last("applyCharging").time_duration_charging == cap.TimeCharging(600, True)
        assert third.cause == 47
        assert await net.used() == 120
        one.tell(E.O_ANSWER)
        await net.settle()
        one.report(123)
        one.tell(E.O_DISCONNECT, waits=True)
        await net.settle()
        assert (one.names()[-1], one.end) == ("continue", "ended")
        assert await net.used() == 72.3
        fourth = await net.dial(LISTED)
        assert fourth.last("applyCharging").time_duration_charging == cap.TimeCharging(477, True)
        fourth.report(477, expired=True, end=True)
        other.report(0, end=True)
        await net.settle()
        assert await net.used() == 60
        assert net.scp.census() == {"directed_calls": 0}


async def test_a_call_that_goes_on_asks_again() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 1}, msisdn="")
        call = await net.dial(LISTED)
        assert call.last("applyCharging").time_duration_charging == cap.TimeCharging(600, True)
        call.report(599, end=True)
        await net.settle()
        assert await net.used() == 59.9
        assert (await net.dial(LISTED)).last("applyCharging").time_duration_charging == cap.TimeCharging(1, True)
    async with VoiceBench(supervision=10) as net:
        await net.provision(VOICE | {"quota": 1})
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        for number in range(1, 6):
            call.report(100 * number, active=True)
            await net.settle()
            assert await net.used() == 10 * number + 10
        assert call.last("applyCharging").time_duration_charging == cap.TimeCharging(100, True)
        assert call.names().count("applyCharging") == 6
        call.report(600, active=True)
        await net.settle()
        assert call.cause == 47
        assert await net.used() == 60


async def test_without_a_quota_time_is_counted_all_the_same() -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        assert await net.used() == 0
        call.tell(E.O_ANSWER)
        call.report(600, active=True)
        await net.settle()
        assert call.names()[-1] == "applyCharging"
        call.report(650)
        call.tell(E.O_DISCONNECT, waits=True)
        await net.settle()
        assert await net.used() == 65
        assert call.end == "ended"


async def test_a_call_that_is_lost_has_used_all_that_it_was_given() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        call.abort()
        await net.settle()
        assert await net.used() == 60
        assert net.scp.census() == {"directed_calls": 0}


@pytest.mark.parametrize("event", [E.O_CALLED_PARTY_BUSY, E.O_NO_ANSWER, E.ROUTE_SELECT_FAILURE, E.O_ABANDON])
@pytest.mark.parametrize("report_first", [True, False])
async def test_calls_that_come_to_nothing(event: cap.EventType, *, report_first: bool) -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        for reports in (report_first, not report_first):
            assert not call.end
            if reports:
                call.report(0)
            else:
                call.tell(event)
            await net.settle()
        assert call.end == "ended"
        assert "continue" not in call.names()  # it waits for nothing
        assert await net.used() == 0
        assert net.observed("call", key="1")[-1]["state"] == "over"


async def test_suspended_in_mid_call() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call, setting_up = await net.dial(LISTED), await net.called_by(CALLER)
        call.tell(E.O_ANSWER)
        await net.settle()
        before = net.clock.now()
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.settle()
        assert net.clock.now() - before < 1
        assert (call.cause, setting_up.cause, call.end) == (31, 31, "")
        assert [net.observed("call", key=key)[-1]["state"] for key in ("1", "3")] == ["released", "released"]
        call.report(77, end=True)
        setting_up.report(0)
        await net.settle()
        assert setting_up.end == "ended"
        assert await net.used() == 7.7
        assert (await net.dial(LISTED)).cause == 57
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        assert (await net.dial(LISTED)).cause is None


async def test_a_released_call_of_which_nothing_more_is_told() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.sleep(7)
        assert (call.cause, call.end) == (31, "aborted by the peer")
        assert net.scp.census() == {"directed_calls": 0}
        assert await net.used() == 60


async def test_the_list_is_changed_in_mid_call() -> None:
    async with VoiceBench() as net:
        await net.provision()
        stays, ends = await net.dial(LISTED), await net.called_by(CALLER)
        await net.call("PUT", f"/cards/{IMSI}/voice", {"by": "scp", "outgoing": [LISTED], **APPROVED})
        await net.settle()
        assert (stays.cause, ends.cause) == (None, 31)
        await net.call("DELETE", f"/cards/{IMSI}/voice", APPROVED)
        await net.settle()
        assert stays.cause == 31
        asked = [each.admitted for each in net.decisions("voice.directed") if each.occasion == "call-in-progress"]
        assert asked == [True, False, False]  # of a call that was ended nobody asks any more


async def test_the_owner_is_changed_in_mid_call() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"account": "lifts"})
        call = await net.dial(LISTED)
        await net.call("PUT", f"/cards/{IMSI}/voice", VOICE | {"account": "lifts", "quota": 5} | APPROVED)
        await net.settle()
        assert call.cause is None
        await net.call("PUT", f"/cards/{IMSI}/voice", VOICE | {"account": "trade"} | APPROVED)
        await net.settle()
        assert call.cause == 31
        assert net.verdicts("voice.owner") == [True, False]


async def test_announced_and_released() -> None:
    async with VoiceBench(announcements={"list": 7}) as net:
        await net.provision()
        call = await net.dial(UNLISTED)
        assert call.names() == ["connectToResource", "playAnnouncement"]
        played = call.last("playAnnouncement")
        assert played.request_announcement_complete
        assert played.information.inband_info.message.elementary_message_id == 7
        call.played()
        await net.settle()
        assert (call.names()[-1], call.cause, call.end) == ("releaseCall", 21, "ended")
        assert await net.used() == 0


@pytest.mark.parametrize("name", ["connectToResource", "playAnnouncement"])
async def test_an_announcement_that_cannot_be_played(name: str) -> None:
    async with VoiceBench(announcements={"list": 7}) as net:
        await net.provision()
        call = await net.dial(UNLISTED)
        call.answer(ReturnError(call.ids[name], cap.ErrorCode.UNAVAILABLE_RESOURCE))
        await net.settle()
        assert (call.cause, call.end) == (21, "ended")


PIN = VOICE | {"pin": "4711"}


async def test_the_pin_is_asked_three_times() -> None:
    async with VoiceBench(announcements={"pin": 3}) as net:
        await net.provision(PIN)
        call = await net.dial(LISTED)
        asked = call.last("promptAndCollectUserInformation")
        assert asked.collected_info.digits.maximum == 4
        assert asked.information.inband_info.message.elementary_message_id == 3
        for digits in ("1111", "47110"):
            call.dials(digits)
            await net.settle()
        call.answer(ReturnError(call.ids["promptAndCollectUserInformation"], cap.ErrorCode.IMPROPER_CALLER_RESPONSE))
        await net.settle()
        assert call.names().count("promptAndCollectUserInformation") == 3
        assert (call.cause, call.end) == (21, "ended")
        assert net.verdicts("voice.pin") == [False] * 3


async def test_the_right_pin_connects() -> None:
    async with VoiceBench() as net:
        await net.provision(PIN)
        call = await net.dial(LISTED)
        call.dials("0000")
        await net.settle()
        call.dials("4711")
        await net.settle()
        assert [operation.name for operation, _ in call.orders[-1]] == [
            "disconnectForwardConnection",
            *WATCHED,
            "connect",
        ]
        assert (await net.called_by(CALLER)).names()[-1] == "continue"
        assert (await net.dial(UNLISTED)).names() == ["releaseCall"]
        shown = str(
            [await net.call("GET", f"/cards/{IMSI}"), await net.call("GET", "/audit"), net.decisions("voice.pin")]
        )
        assert "4711" not in shown


async def test_minutes_that_are_used_up_while_the_pin_is_dialled() -> None:
    async with VoiceBench() as net:
        await net.provision(PIN | {"quota": 1})
        call = await net.dial(LISTED)
        assert (await net.called_by(CALLER)).last("applyCharging").time_duration_charging == cap.TimeCharging(600, True)
        call.dials("4711")
        await net.settle()
        assert (call.cause, call.end) == (47, "ended")
        assert await net.used() == 60


async def test_a_caller_who_hangs_up_while_asked() -> None:
    async with VoiceBench() as net:
        await net.provision(PIN)
        call = await net.dial(LISTED)
        call.abort()
        await net.settle()
        assert net.scp.census() == {"directed_calls": 0}
        assert [each["state"] for each in net.observed("call", key="1")] == ["set-up", "interaction", "over"]
        assert net.verdicts("voice.quota") == [True]


async def test_a_caller_who_hangs_up_during_an_announcement() -> None:
    async with VoiceBench(announcements={"list": 7}) as net:
        await net.provision()
        call = await net.dial(UNLISTED)
        call.abort()
        await net.settle()
        assert net.scp.census() == {"directed_calls": 0}
        assert net.observed("call", key="1")[-1]["state"] == "over"


async def test_suspended_while_asked() -> None:
    async with VoiceBench() as net:
        await net.provision(PIN)
        call = await net.dial(LISTED)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.settle()
        assert (call.cause, call.end) == (31, "ended")
        assert net.scp.census() == {"directed_calls": 0}


async def test_calls_are_connected_elsewhere_where_that_is_listed() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"redirect": {"10086": LISTED, "10087": UNLISTED, "10088": "110"}})
        call = await net.dial("10086")
        assert call.last("connect").destination_routing_address == (Number("861065800012"),)
        for number in ("10087", "10088"):
            assert (await net.dial(number)).cause == 21
        assert {each.occasion for each in net.decisions("voice.directed")} == {"redirected-call"}


async def test_calls_to_a_card_are_forwarded_where_that_is_listed() -> None:
    for target in (UNLISTED, "110", "+861065800012", LISTED):
        async with VoiceBench() as net:
            await net.provision(VOICE | {"forward": target})
            call = await net.called_by(CALLER)
            if target in (UNLISTED, "110"):
                assert call.cause == 21
            else:
                assert call.last("connect").destination_routing_address == (Number("861065800012"),)
            asked = [each.occasion for each in net.decisions("voice.directed")]
            assert asked == ["terminating-call", "redirected-call"]
            await net.dial(LISTED)  # what the card calls is not forwarded
            assert [each.occasion for each in net.decisions("voice.directed")] == [*asked, "originating-call"]


async def test_codes_are_connected_as_they_are() -> None:
    async with VoiceBench() as net:
        await net.provision({"by": "scp", "numbers": ["1065800012", "+4930123456"]})
        assert (await net.dial("1065800012")).last("connect").destination_routing_address == (Number("1065800012", 2),)
        assert (await net.dial("004930123456")).last("connect").destination_routing_address == (Number("4930123456"),)
        assert (await net.dial(LISTED)).cause == 21


async def test_hours() -> None:
    # the run begins at 08:00 UTC, 16:00 where the cards are
    async with VoiceBench() as net:
        await net.provision(VOICE | {"hours": "08:00-16:01"})
        call = await net.dial(LISTED)
        assert call.last("applyCharging").time_duration_charging.max_call_period_duration == 600
        await net.sleep(30)
        call = await net.dial(LISTED)
        assert call.last("applyCharging").time_duration_charging == cap.TimeCharging(300)
        call.tell(E.O_ANSWER)
        await net.sleep(30)
        call.report(300, active=True)
        await net.settle()
        assert call.cause == 21
        assert (await net.called_by(CALLER)).cause == 21
        assert net.verdicts("voice.hours") == [True, True, False, False]


async def test_an_answer_is_one_for_either_side() -> None:
    async with VoiceBench() as net:
        await net.provision()
        (await net.dial(LISTED)).tell(E.O_ANSWER)
        (await net.called_by(CALLER)).tell(E.T_ANSWER)
        await net.settle()
        assert [each["state"] for each in await net.call("GET", "/calls")] == ["answered", "answered"]


@pytest.mark.parametrize("active", [True, False])
async def test_a_call_that_is_released_has_no_more_time_whatever_is_told_of_it(*, active: bool) -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        ends, over = await net.dial(LISTED), await net.dial(LISTED)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        await net.settle()
        ends.report(50, active=active)
        over.report(600, active=active, expired=True)
        await net.settle()
        assert (ends.names().count("applyCharging"), over.names().count("applyCharging")) == (1, 1)
        assert (ends.end, over.end, await net.used()) == ("ended", "ended", 65)


async def test_a_call_whose_time_was_over_has_no_more() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 3})
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        call.report(600, active=True, expired=True)
        await net.settle()
        assert (call.names().count("applyCharging"), await net.used()) == (1, 60)
        call.tell(E.O_DISCONNECT, waits=True)
        await net.settle()
        assert (call.names()[-1], call.end) == ("continue", "ended")


async def test_the_time_of_a_call_may_be_told_after_its_end() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        call.tell(E.O_DISCONNECT, waits=True)
        await net.settle()
        assert (call.names()[-1], call.end) == ("continue", "")
        call.report(123)
        await net.settle()
        assert (call.end, await net.used()) == ("ended", 12.3)


async def test_events_that_were_not_armed_end_the_call() -> None:
    for event, waits in ((E.T_ANSWER, False), (E.O_ANSWER, True), (E.O_DISCONNECT, False)):
        async with VoiceBench() as net:
            await net.provision()
            call = await net.dial(LISTED)
            call.tell(event, waits=waits)
            await net.settle()
            assert call.cause == 41


async def test_events_before_anything_was_armed() -> None:
    async with VoiceBench(announcements={"list": 7}) as net:
        await net.provision()
        call = await net.dial(UNLISTED)
        call.tell(E.O_ANSWER)
        await net.settle()
        assert (call.cause, call.end) == (41, "ended")


async def test_reports_that_were_not_asked_for() -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        call.report(600, active=True)
        await net.settle()
        call.report(500, active=True)  # less than before
        await net.settle()
        assert [each.error for each in call.answers if isinstance(each, ReturnError)] == [14]
        assert call.cause == 41


async def test_orders_that_are_not_carried_out() -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        call.answer(ReturnError(call.ids["connect"], cap.ErrorCode.UNEXPECTED_COMPONENT_SEQUENCE))
        await net.settle()
        assert call.cause == 41


async def test_arguments_that_cannot_be_read_in_mid_call() -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        call.say_octets(cap.EVENT_REPORT_BCSM, b"\x30\x00")
        await net.settle()
        assert call.cause == 41


async def test_phases() -> None:
    async with VoiceBench(phases=[3, 2]) as net:
        await net.provision()
        call = await net.dial(LISTED)
        assert (call.names(), call.refused) == ([], cap.CONTEXTS[cap.Phase.THREE])
        for phase in (cap.Phase.THREE, cap.Phase.TWO):
            again = await net.ask(originating(IMSI, LISTED), phase)
            assert again.names() == [*WATCHED, "connect"]
            again.tell(E.O_ABANDON)
            again.report(0)
            await net.settle()
            assert again.end == "ended"


async def test_an_ssp_that_is_gone_is_noticed() -> None:
    async with VoiceBench(activity_test=60) as net:
        net.clock.skip_keep_alives = False
        await net.provision()
        call = await net.dial(LISTED)
        await net.sleep(61)
        assert call.names()[-1] == "activityTest"
        assert net.scp.census() == {"directed_calls": 1}
        net.ssp.mute = True
        await net.sleep(70)
        assert net.scp.census() == {"directed_calls": 0}
        assert call.end == "aborted by the peer"


async def test_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        before = await net.dial(LISTED)
        monkeypatch.setattr(net.scp.core.store, "write", lost)
        before.report(0, end=True)  # what it gives back waits for the database
        await net.settle()
        call = await net.dial(LISTED)
        assert (call.names(), call.cause) == (["releaseCall"], 41)
        assert await net.used() == 0
        await net.provision(imsi=OTHER_IMSI, msisdn=OTHER_MSISDN)  # without minutes nothing needs to be kept
        assert (await net.ask(originating(OTHER_IMSI, LISTED))).last("connect")
        monkeypatch.undo()
        await net.sleep(5)
        assert (await net.dial(LISTED)).last("connect")


async def test_the_database_goes_away_in_mid_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        monkeypatch.setattr(net.scp.core.store, "write", lost)
        call.report(600, active=True)
        await net.settle()
        assert (call.cause, call.end) == (41, "ended")
        assert await net.used() == 60


def lost(*_: Any) -> None:
    raise StoreUnavailableError("gone")


async def test_an_scp_that_was_restarted_has_no_calls_and_its_counters() -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        call = await net.dial(LISTED)
        call.tell(E.O_ANSWER)
        await net.settle()
        await net.host.stop("scp", kill=True)
        await net.host.start("scp")
        await net.sleep(5)
        assert await net.used() == 60
        call.report(600, active=True)
        await net.settle()
        assert call.end.startswith("aborted")  # by P-ABORT: its SSP handles the call by default
        assert (await net.dial(LISTED)).last("applyCharging").time_duration_charging == cap.TimeCharging(600, True)


async def test_hours_over_midnight() -> None:
    # 16:00 where the cards are
    async with VoiceBench() as net:
        await net.provision(VOICE | {"hours": "16:00-06:00"})
        call = await net.dial(LISTED)
        assert call.last("applyCharging").time_duration_charging == cap.TimeCharging(600)
        call.abort()
        await net.sleep(13.99 * 3600)  # 05:59:24
        call = await net.dial(LISTED)
        assert call.last("applyCharging").time_duration_charging == cap.TimeCharging(360)
        call.abort()
        await net.sleep(37)
        assert (await net.dial(LISTED)).cause == 21


async def test_all_events_of_a_call_are_armed_for_who_can_have_them() -> None:
    async with VoiceBench() as net:
        await net.provision()
        armed = (await net.dial(LISTED)).last(WATCHED[0]).events
        assert {(each.event_type_bcsm, each.leg.sending_side, each.monitor_mode) for each in armed} == {
            *((each, 2, cap.MonitorMode.NOTIFY_AND_CONTINUE) for each in (E.ROUTE_SELECT_FAILURE, E.O_ANSWER)),
            *((each, 2, cap.MonitorMode.NOTIFY_AND_CONTINUE) for each in (E.O_CALLED_PARTY_BUSY, E.O_NO_ANSWER)),
            *((E.O_DISCONNECT, leg, cap.MonitorMode.INTERRUPTED) for leg in (1, 2)),
            (E.O_ABANDON, 1, cap.MonitorMode.NOTIFY_AND_CONTINUE),
        }
        armed = (await net.called_by(CALLER)).last(WATCHED[0]).events
        assert {(each.event_type_bcsm, each.leg.sending_side, each.monitor_mode) for each in armed} == {
            *((each, 2, cap.MonitorMode.NOTIFY_AND_CONTINUE) for each in (E.T_BUSY, E.T_NO_ANSWER, E.T_ANSWER)),
            *((E.T_DISCONNECT, leg, cap.MonitorMode.INTERRUPTED) for leg in (1, 2)),
            (E.T_ABANDON, 1, cap.MonitorMode.NOTIFY_AND_CONTINUE),
        }


@pytest.mark.parametrize(
    ("taken", "asked", "offered"),
    [
        ([3, 4], cap.Phase.TWO, cap.Phase.FOUR),
        ([2, 4], cap.Phase.THREE, cap.Phase.TWO),
        ([3, 4], cap.Phase.FOUR, None),
    ],
)
async def test_a_phase_that_is_not_taken_is_answered_by_another_one(
    taken: list[int], asked: cap.Phase, offered: cap.Phase | None
) -> None:
    async with VoiceBench(phases=taken) as net:
        await net.provision()
        call = await net.ask(originating(IMSI, LISTED), asked)
        assert call.refused == (cap.CONTEXTS[offered] if offered is not None else None)
        assert net.scp.census() == {"directed_calls": offered is None}


@pytest.mark.parametrize("context", [None, (0, 4, 0, 0, 1, 0, 1, 3)])
async def test_a_dialogue_of_another_context_is_refused(context: tuple[int, ...] | None) -> None:
    async with VoiceBench() as net:
        await net.provision()
        tc = net.ssp.user.tc
        dialogue = tc.open(Address(146, 146), context)
        net.ssp.calls[dialogue] = call = SspCall(net.ssp, dialogue, cap.Phase.FOUR)
        tc.invoke(dialogue, cap.INITIAL_DP, b"", 0.0)
        tc.begin(dialogue)
        net.ssp.user.flush()
        await net.settle()
        assert call.refused in (None, cap.CONTEXTS[cap.Phase.FOUR])
        assert call.end
        assert net.scp.census() == {"directed_calls": 0}


@pytest.mark.parametrize(("name", "local"), [("connect", False), ("releaseCall", True)])
async def test_what_is_rejected_ends_the_call(name: str, *, local: bool) -> None:
    async with VoiceBench() as net:
        await net.provision()
        call = await net.dial(LISTED)
        problem = Problem(ProblemKind.INVOKE, InvokeProblem.UNRECOGNIZED_OPERATION)
        if local:
            call.say_octets(cap.EVENT_REPORT_BCSM._replace(opcode=200), b"")
        else:
            call.answer(Reject(call.ids[name], problem))
        await net.settle()
        assert call.cause == 41


@pytest.mark.parametrize("announcements", [{"list": 7}, {"pin": 8}])
async def test_an_interaction_of_which_nothing_is_heard_ends(announcements: dict[str, int]) -> None:
    async with VoiceBench(announcements=announcements) as net:
        await net.provision(VOICE | ({"pin": "4711"} if "pin" in announcements else {}))
        call = await net.dial(UNLISTED if "list" in announcements else LISTED)
        assert call.cause is None
        await net.sleep(1800)
        assert call.cause == (21 if "list" in announcements else 41)


async def test_a_call_that_ends_while_its_time_is_kept_is_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    async with VoiceBench() as net:
        await net.provision(VOICE | {"quota": 2})
        write = net.scp.core.store.write

        def withdraw_and_write(*grants: Any) -> None:
            for call in list(net.scp.core.calls.values()):
                release(net.scp.core, call, causes.WITHDRAWN)
            write(*grants)

        monkeypatch.setattr(net.scp.core.store, "write", withdraw_and_write)
        call = await net.dial(LISTED)
        monkeypatch.undo()
        assert (call.names(), call.cause) == (["releaseCall"], 31)
        assert await net.used() == 0


async def test_what_the_scp_rejects_is_no_answer_to_what_it_asked_under_the_same_number() -> None:
    async with VoiceBench(announcements={"list": 7}) as net:
        await net.provision()
        call = await net.dial(UNLISTED)
        said = call.say_octets(cap.EVENT_REPORT_BCSM._replace(opcode=200), b"")
        await net.settle()
        assert said == call.ids["playAnnouncement"]
        assert call.cause == 41


@pytest.mark.parametrize(
    ("digits", "screening", "callers", "admitted"),
    [
        ("110", 3, ["110"], True),
        ("110", 3, [], False),
        ("110", 0, ["110"], False),  # not verified
        ("119", 3, ["110"], False),
        ("1101", 3, ["110"], False),
    ],
)
async def test_an_emergency_centre_calls_back_where_that_is_permitted(
    digits: str, screening: int, callers: list[str], *, admitted: bool
) -> None:
    async with VoiceBench(emergency_callers=callers) as net:
        await net.provision()
        await net.call("POST", f"/cards/{IMSI}/suspension", {"reason": "lost"})
        call = await net.called_by(Number(digits, 2, screening=screening))
        assert call.names() == (["continue"] if admitted else ["releaseCall"])
        assert net.verdicts("voice.directed")[-1:] == ([True] if admitted else [])
        assert net.scp.census() == {"directed_calls": 0}
