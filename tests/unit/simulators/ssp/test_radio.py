"""What terminals say to the SSP out of its place, or do not say: nothing of it holds up a call, or the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ssp_net import IMSI, LAI, MSISDN, E, SspNet, T, arm, o_csi, release

from simwarden.machine.sip_events import Refused
from simwarden.wire.cap import MonitorMode
from simwarden.wire.dtap import CODING_GSM, CallState, MmCause
from simwarden.wire.nas import IdentityType, MobileIdentity
from simwarden.wire.q850 import Cause
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.dtap import MessageType

OTHER_IMSI = MobileIdentity(IdentityType.IMSI, "001010000000002")
END = Cause(16, 0, CODING_GSM)


@pytest.mark.parametrize(
    ("said", "fields", "told", "cause"),
    [
        (T.CALL_PROCEEDING, {}, T.STATUS, 101),
        (T.STATUS_ENQUIRY, {}, T.STATUS, 30),
        (T.START_DTMF, {}, T.START_DTMF_REJECT, 96),
        (T.HOLD, {}, T.HOLD_REJECT, 50),
        (T.START_DTMF, {"keypad_facility": "5"}, T.START_DTMF_ACKNOWLEDGE, None),
        (T.STOP_DTMF, {}, T.STOP_DTMF_ACKNOWLEDGE, None),
    ],
)
async def test_a_call_goes_on_whatever_its_terminal_says(
    loop: TestbedLoop, said: MessageType, fields: dict[str, Any], told: MessageType, cause: int | None
) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.mo()
        net.ms.say(said, **fields)
        await net.settle()
        heard = net.ms.last(told)
        assert heard.get("call_state") is (CallState.ACTIVE if told is T.STATUS else None)
        assert (heard["cc_cause"].value if cause is not None else None) == cause
        assert net.peer_faults() == (["CALL_PROCEEDING in a call"] if cause == 101 else [])
        assert net.far.outcome == "answered"
        net.ms.hang_up()
        await net.settle()
        assert net.far.outcome == "released 16"


@pytest.mark.parametrize(("transaction", "answering"), [(1, False), (0, True)])
async def test_what_is_of_no_call_is_answered_so_and_leaves_the_call_alone(
    loop: TestbedLoop, transaction: int, *, answering: bool
) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.mo()
        net.ms.say(T.RELEASE_COMPLETE, transaction, answering=answering)
        net.ms.say(T.STATUS, transaction, answering=answering, cc_cause=END, call_state=CallState.NULL)
        await net.settle()
        (told,) = [each for each in net.ms.heard if each.type is T.RELEASE_COMPLETE]
        assert (told.transaction, told.answering, told["cc_cause"].value) == (transaction, not answering, 81)
        assert net.far.outcome == "answered"
        net.ms.hang_up()
        await net.settle()
        assert net.far.outcome == "released 16"


async def test_what_makes_no_sense_to_an_msc_is_answered_by_mm_status(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.say(T.CM_SERVICE_ACCEPT)
        net.ms.say(T.IDENTITY_RESPONSE, mobile_identity=net.ms.identity)  # nobody has asked
        net.ms.say(T.MM_STATUS, mm_cause=MmCause.ILLEGAL_MS)
        await net.settle()
        told = net.ms.last(T.MM_STATUS)["mm_cause"]
        assert told is MmCause.MESSAGE_TYPE_NOT_COMPATIBLE_WITH_THE_PROTOCOL_STATE
        assert net.peer_faults() == ["CM_SERVICE_ACCEPT makes no sense to an MSC"]


async def test_a_second_call_is_not_set_up_beside_the_first(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.mo()
        dialled = AddressString("13800002222", 0)
        net.ms.say(T.SETUP, 1, bearer_capability=b"\xa0", called_party_bcd_number=dialled)
        await net.settle()
        assert net.peer_faults() == ["SETUP without a connection for it"]
        assert len(net.far.invited) == 1
        net.ms.hang_up()


async def test_without_a_number_nobody_is_called(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered(o_csi=o_csi())
        empty: list[dict[str, Any]] = [{}, {"called_party_bcd_number": AddressString("", 0)}]
        for number in empty:
            net.ms.heard.clear()
            net.ms.ask_service()
            net.ms.say(T.SETUP, bearer_capability=b"\xa0", **number)
            await net.settle()
            assert (net.ms.cause, net.ms.heard[-2].type) == (28, T.RELEASE_COMPLETE)
        assert net.scf.heard == []


@pytest.mark.parametrize(
    ("said", "fields", "cause"),
    [
        (T.RELEASE, {"cc_cause": Cause(17, 0, CODING_GSM)}, 17),
        (T.RELEASE, {}, 16),
        (T.RELEASE_COMPLETE, {"cc_cause": Cause(41, 0, CODING_GSM)}, 41),
        (T.RELEASE_COMPLETE, {}, 16),
    ],
)
async def test_a_terminal_may_end_a_call_at_once(
    loop: TestbedLoop, said: MessageType, fields: dict[str, Any], cause: int
) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.mo()
        net.ms.say(said, **fields)
        await net.settle()
        assert net.far.outcome == f"released {cause}"
        assert net.ms.names()[-1] == "CHANNEL_RELEASE"
        assert ("RELEASE_COMPLETE" in net.ms.names()) is (said is T.RELEASE)
        await net.mo()
        assert len(net.far.invited) == 2
        net.ms.hang_up()


async def test_a_terminal_that_ends_a_call_twice_is_answered_once(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.RELEASE)
        await net.mo()
        net.ms.hang_up()
        net.ms.hang_up()
        await net.settle()
        assert net.ms.names().count("RELEASE") == 1
        assert net.far.outcome == "released 16"
        await net.sleep(29)
        assert net.ms.names()[-1] == "RELEASE"
        await net.sleep(2)
        assert net.ms.names()[-1] == "CHANNEL_RELEASE"


async def test_a_terminal_that_does_not_answer_the_end_is_told_twice_and_left(loop: TestbedLoop) -> None:
    """T305 and T308 (TS 24.008 5.4.4, 11.3)."""
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet |= {T.DISCONNECT, T.RELEASE}
        await net.mo()
        net.far.hang_up(17)
        await net.settle()
        assert net.ms.cause == 17
        net.ms.heard.clear()
        await net.sleep(29)
        assert net.ms.names() == []
        await net.sleep(2)
        assert net.ms.names() == ["RELEASE"]
        net.ms.hang_up()
        await net.sleep(28)
        assert net.ms.names() == ["RELEASE"]
        await net.sleep(2)
        assert net.ms.names() == ["RELEASE", "CHANNEL_RELEASE"]


async def test_ends_of_a_call_that_cross(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.DISCONNECT)
        await net.mo()
        net.far.hang_up()
        await net.settle()
        net.ms.hang_up()
        await net.settle()
        assert net.ms.names()[-3:] == ["DISCONNECT", "RELEASE", "CHANNEL_RELEASE"]
        (record,) = net.records()
        assert record.fields["diagnostics"] == 16


async def test_a_call_that_the_terminal_has_left_does_not_end_its_next_one(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.quiet.add(T.RELEASE)
        await net.mo()
        net.ms.hang_up()
        net.ms.register()
        await net.settle()
        await net.mo()
        net.ms.heard.clear()
        await net.sleep(31)  # T308 of the first
        assert (net.ms.names(), net.far.outcome) == ([], "answered")
        net.ms.say(T.RELEASE_COMPLETE)


# -- called


async def called(net: SspNet, *quiet: MessageType) -> None:
    """Have the card called, and the terminal say nothing to these."""
    await net.registered()
    net.ms.quiet |= {*quiet}
    net.far.call(f"+{MSISDN}")
    await net.settle()


async def test_a_caller_who_gives_up_while_the_terminal_is_paged(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.PAGING_REQUEST_TYPE_1)
        net.far.hang_up()
        await net.settle()
        net.ms.answer_page(net.ms.identity)
        await net.settle()
        assert net.peer_faults() == ["PAGING RESPONSE of whom nobody has paged"]
        assert "SETUP" not in net.ms.names()
        await net.mo()
        assert len(net.far.invited) == 1
        net.ms.hang_up()


async def test_another_card_does_not_answer_a_page(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.PAGING_REQUEST_TYPE_1)
        net.ms.answer_page(OTHER_IMSI)
        await net.settle()
        assert "SETUP" not in net.ms.names()
        await net.sleep(6)
        assert net.far.outcome == "480 20"


async def test_a_card_is_paged_for_one_call_at_a_time(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.PAGING_REQUEST_TYPE_1)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "486 17"
        assert net.ms.names().count("PAGING_REQUEST_TYPE_1") == 1
        await net.sleep(6)
        net.ms.ask_service()  # a connection of its own
        await net.settle()
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "486 17"


async def test_a_called_terminal_says_things_in_their_order_or_nothing_comes_of_them(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.SETUP)
        net.ms.say(T.ALERTING, answering=True)
        net.ms.say(T.CONNECT, answering=True)
        net.ms.say(T.CONNECT_ACKNOWLEDGE, answering=True)
        await net.settle()
        assert net.far.outcome == ""
        net.ms.say(T.CALL_CONFIRMED, answering=True)
        net.ms.say(T.CONNECT, answering=True)  # without ALERTING before (TS 24.008 5.2.2.5)
        await net.settle()
        assert net.far.outcome == "answered"
        net.ms.say(T.ALERTING, answering=True)
        net.ms.say(T.CALL_CONFIRMED, answering=True)
        net.ms.say(T.CONNECT, answering=True)
        net.ms.say(T.STATUS_ENQUIRY, answering=True)
        await net.sleep(40)
        assert net.far.outcome == "answered"
        assert net.ms.last(T.STATUS)["call_state"] is CallState.ACTIVE
        assert net.ms.names().count("CONNECT_ACKNOWLEDGE") == 1
        net.ms.hang_up(answering=True)


async def test_a_called_terminal_is_told_of_the_caller_unless_that_is_hidden(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net)
        told = net.ms.last(T.SETUP)["calling_party_bcd_number"]
        assert (told.digits, told.nature) == ("8613800001111", 1)
        net.ms.hang_up(answering=True)
        await net.settle()
        net.far.call(f"+{MSISDN}", "10086")
        await net.settle()
        told = net.ms.last(T.SETUP)["calling_party_bcd_number"]
        assert (told.digits, told.nature) == ("10086", 0)
        net.ms.hang_up(answering=True)
        await net.settle()
        net.far.call(f"+{MSISDN}", "+8613800001111", ("Privacy", "header; id"))
        await net.settle()
        assert "calling_party_bcd_number" not in net.ms.last(T.SETUP)
        net.ms.hang_up(answering=True)
        await net.settle()
        net.far.call(f"+{MSISDN}", "anonymous")
        await net.settle()
        assert "calling_party_bcd_number" not in net.ms.last(T.SETUP)
        net.ms.hang_up(answering=True)


async def test_keys_are_for_who_collects_digits_and_are_acknowledged_all_the_same(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.scf.script, net.scf.ends = [arm((E.O_DISCONNECT, MonitorMode.NOTIFY_AND_CONTINUE, 1)), release()], False
        await net.registered()
        await called(net)
        net.ms.say(T.START_DTMF, answering=True, keypad_facility="#")
        await net.settle()
        assert net.ms.last(T.START_DTMF_ACKNOWLEDGE)["keypad_facility"] == "#"
        net.ms.hang_up(answering=True)


# -- registration


@pytest.mark.parametrize("answers", [True, False])
async def test_a_terminal_that_says_a_tmsi_is_asked_for_its_imsi(loop: TestbedLoop, *, answers: bool) -> None:
    async with SspNet(loop) as net:
        net.ms.quiet |= set() if answers else {T.IDENTITY_REQUEST}
        net.ms.say(
            T.LOCATION_UPDATING_REQUEST,
            location_updating_type=0,
            ciphering_key_sequence_number=7,
            location_area_identification=LAI,
            mobile_station_classmark_1=b"\x30",
            mobile_identity=MobileIdentity(IdentityType.TMSI, "c0000001"),
        )
        await net.sleep(13)
        assert net.ms.heard[0]["identity_type"] == IdentityType.IMSI
        if answers:
            assert list(net.ssp.core.subscribers) == [IMSI]
        else:
            assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] is MmCause.SEMANTICALLY_INCORRECT_MESSAGE
            assert net.hlr.heard == []


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_a_terminal_that_says_another_identity_than_asked_has_said_none(
    loop: TestbedLoop, transport: str
) -> None:
    async with SspNet(loop, transport) as net:
        net.ms.quiet.add(T.IDENTITY_REQUEST)
        net.ms.register()
        await net.settle()
        net.ms.say(T.IDENTITY_RESPONSE, mobile_identity=net.ms.identity)
        net.ms.say(T.IDENTITY_RESPONSE, mobile_identity=net.ms.identity)  # once more than asked
        await net.settle()
        assert net.ms.last(T.LOCATION_UPDATING_REJECT)["mm_cause"] is MmCause.ILLEGAL_ME


async def test_a_terminal_that_vanishes_while_it_is_asked_registers_nobody(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        net.ms.quiet.add(T.IDENTITY_REQUEST)
        net.ms.register()
        await net.settle()
        net.ms.link.close()
        await net.sleep(20)
        assert (net.ssp.core.subscribers, net.ssp.core.terminals, net.hlr.heard) == ({}, {}, [])
        assert net.verdicts("ssp.terminal-identity") == []


async def test_another_card_does_not_detach_one(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.detach(OTHER_IMSI)
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.outcome == "answered"
        net.far.hang_up()


@pytest.mark.parametrize("identity", [OTHER_IMSI, MobileIdentity(IdentityType.IMEI, IMSI)])
async def test_who_asks_for_a_call_is_who_has_registered_here(loop: TestbedLoop, identity: MobileIdentity) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        net.ms.ask_service(1, identity)
        await net.settle()
        assert net.ms.last(T.CM_SERVICE_REJECT)["mm_cause"] is MmCause.IMSI_UNKNOWN_IN_VLR
        assert net.ms.names()[-1] == "CHANNEL_RELEASE"


async def test_a_terminal_that_registers_while_it_is_paged_is_paged_for_all_the_same(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.PAGING_REQUEST_TYPE_1)
        net.ms.register()
        await net.settle()
        assert net.ms.names()[-1] == "CHANNEL_RELEASE"
        net.ms.quiet.discard(T.PAGING_REQUEST_TYPE_1)
        net.ms.answer_page(net.ms.identity)
        await net.settle()
        assert net.far.outcome == "answered"
        net.far.hang_up()


async def test_a_terminal_that_detaches_while_it_is_paged_is_absent(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.PAGING_REQUEST_TYPE_1)
        net.ms.detach()
        await net.sleep(6)
        assert net.far.outcome == "480 20"


async def test_a_terminal_that_calls_while_it_is_paged_has_its_call_and_no_other(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.PAGING_REQUEST_TYPE_1)
        net.ms.say(T.RELEASE_COMPLETE, answering=True)  # of no call yet
        await net.mo()
        assert len(net.far.invited) == 1
        net.ms.answer_page(net.ms.identity)
        await net.settle()
        assert net.peer_faults() == ["PAGING RESPONSE of whom nobody has paged"]
        await net.sleep(6)
        assert any(isinstance(each, Refused) and each.cause == 20 for each in net.far.heard)
        assert net.ms.cause is None
        net.ms.hang_up()
        await net.settle()
        assert net.ms.names()[-1] == "CHANNEL_RELEASE"


async def test_a_terminal_that_vanishes_while_it_is_paged_is_absent_at_once(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await called(net, T.PAGING_REQUEST_TYPE_1)
        net.ms.link.close()
        await net.settle()
        assert net.far.outcome == "480 20"
        net.far.call(f"+{MSISDN}")
        await net.settle()
        assert net.far.heard[-1].call != net.far.calls[-1]  # it is looked for once more
        await net.sleep(6)
        assert net.far.heard[-1] == Refused(net.far.calls[-1], 480, 20)


async def test_a_card_in_another_terminal_is_not_that_terminals(loop: TestbedLoop) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.ms.join()
        net.ms.detach()
        net.ms.ask_service()
        await net.settle()
        assert net.ms.last(T.CM_SERVICE_REJECT)["mm_cause"] is MmCause.IMSI_UNKNOWN_IN_VLR
        net.ms.ask_service(2)
        net.ms.say(T.EMERGENCY_SETUP)
        await net.settle()
        assert "P-Asserted-Identity" not in net.far.invited[0].headers
        assert net.far.invited[0].sender.uri.user == "anonymous"
        net.ms.hang_up()
        await net.settle()
        assert "servedIMSI" not in net.records()[0].fields
        assert net.ssp.core.subscribers[IMSI].terminal is not None
