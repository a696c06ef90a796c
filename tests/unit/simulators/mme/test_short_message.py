"""Short messages in the MME: registration, CP and RP with a device, SGd with a centre, and who may use it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.mme.clients.service_centre import Outcome, _outcome
from simulators.mme.contexts import EmmState, SmsState
from simulators.mme.procedures import short_message
from simwarden.machine.ppsms import acknowledge, refuse
from simwarden.runtime.diameter import Unreachable
from simwarden.testing import ScriptedSmsc
from simwarden.testing.diameter import IMSI, REALM
from simwarden.trace.events import Fault, Frame
from simwarden.wire.diameter import ExperimentalResult, first
from simwarden.wire.diameter.apps.sgd import DeliveryFailureCause
from simwarden.wire.diameter.codes import IdrFlags, NorFlags, SmsFeature, SmsRegisterRequest, UlrFlags
from simwarden.wire.diameter.features import features_of
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import (
    AdditionalUpdateResult,
    AttachResult,
    EmmCause,
    IdentityType,
    MessageType,
    UpdateResult,
)
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.ppsms import Cp, CpCause, CpType, Rp, RpCause, RpType, decode_cp, decode_rp, encode_cp, encode_rp
from simwarden.wire.sms import Address, Ton

if TYPE_CHECKING:
    from simwarden.testing import ScriptedPhone

CENTRE = "8613800100500"
SMS = {"sms": {"centres": {"smsc": f"+{CENTRE}"}}}
SMS_ONLY = {"eps_attach_type": 2, "additional_update_type": 1}
TPDU = bytes.fromhex("010108a0015608000000")
DOWN, UP = MessageType.DOWNLINK_NAS_TRANSPORT, MessageType.UPLINK_NAS_TRANSPORT


def data(reference: int = 1, centre: str = CENTRE, ton: int = Ton.INTERNATIONAL) -> Rp:
    return Rp(RpType.RP_DATA, reference, from_mobile=True, destination=Address(centre, ton), user_data=TPDU)


class Meter:
    """A scripted device that is registered for SMS; `answer` makes its answer to each message that comes."""

    def __init__(self, network: Any, phone: ScriptedPhone) -> None:
        self.network, self.phone = network, phone
        self.arrived: list[Rp] = []
        self.sent: list[Cp] = []
        self.answer: Any = acknowledge
        phone.replies[DOWN] = self.hear

    def hear(self, _phone: ScriptedPhone, message: Message) -> None:
        heard = decode_cp(message["nas_message_container"])
        self.sent.append(heard)
        if heard.type is not CpType.CP_DATA:
            return
        self.up(Cp(CpType.CP_ACK, heard.transaction, not heard.answering))
        message_inside = decode_rp(heard.user_data)
        self.arrived.append(message_inside)
        if not heard.answering and self.answer is not None:
            made = encode_rp(self.answer(message_inside))
            self.up(Cp(CpType.CP_DATA, heard.transaction, answering=True, user_data=made))

    def up(self, message: Cp | bytes) -> None:
        octets = message if isinstance(message, bytes) else encode_cp(message)
        self.phone.send(Message(UP, nas_message_container=octets))

    async def send(self, message: Rp) -> Rp:
        self.up(Cp(CpType.CP_DATA, 0, user_data=encode_rp(message)))
        await self.network.settle()
        return self.arrived[-1]


async def registered(network: Any, **fields: Any) -> Meter:
    flags = ("ULA-Flags", 3)
    network.hss.answers["update-location"] = lambda asked: [flags, *network.hss.update_location(asked)[1:]]
    return Meter(network, await network.attached(**fields))


@pytest.fixture(name="sms")
def _sms(run: Any) -> Any:
    def made(**config: Any) -> Any:
        network = run(**SMS | config)
        network.smsc = network.add("smsc", ScriptedSmsc)
        network.phone_fields = SMS_ONLY

        async def attached(**fields: Any) -> Any:
            phone = network.phone(**fields)
            phone.attach(**network.phone_fields)
            await network.settle()
            return phone

        network.attached = attached
        return network

    return made


async def test_device_registers_for_sms_only(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        asked = next(each for each in network.hss.asked if each.name == "update-location-request")
        assert asked.get("ULR-Flags") & UlrFlags.SMS_ONLY
        assert features_of(asked, SmsFeature)
        assert asked.get("MME-Number-for-MT-SMS") == "8613440000001"
        assert asked.get("SMS-Register-Request") == SmsRegisterRequest.SMS_REGISTRATION_REQUIRED
        accept = next(each for each in meter.phone.got if each.type is MessageType.ATTACH_ACCEPT)
        assert accept["eps_attach_result"] == AttachResult.COMBINED_EPS_IMSI_ATTACH
        assert accept["additional_update_result"] == AdditionalUpdateResult.SMS_ONLY
        assert accept["location_area_identification"].lac not in (0, 0xFFFE)
        assert accept.get("emm_cause") is None


async def test_device_has_eps_only_where_the_register_does_not_want_it(sms: Any) -> None:
    async with sms() as network:
        phone = await network.attached()
        accept = next(each for each in phone.got if each.type is MessageType.ATTACH_ACCEPT)
        assert accept["eps_attach_result"] == AttachResult.EPS_ONLY
        assert accept["emm_cause"] is EmmCause.CS_DOMAIN_NOT_AVAILABLE


@pytest.mark.parametrize("before", [True, False])
async def test_device_asks_for_messages_by_a_combined_update(sms: Any, *, before: bool) -> None:
    async with sms() as network:
        if not before:
            network.phone_fields = {}
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.hss.asked.clear()
        meter.phone.update(2, additional_update_type=1, t3412_extended=7200)
        await network.settle()
        accept = next(each for each in meter.phone.got if each.type is MessageType.TRACKING_AREA_UPDATE_ACCEPT)
        assert accept["eps_update_result"] == UpdateResult.COMBINED_TA_LA_UPDATED
        assert accept["additional_update_result"] == AdditionalUpdateResult.SMS_ONLY
        assert accept["t3412_extended"] == 7200
        assert network.hss.names() == ["update-location"] * (not before)
        meter.phone.update()
        await network.settle()
        accept = [each for each in meter.phone.got if each.type is MessageType.TRACKING_AREA_UPDATE_ACCEPT][1]
        assert accept["eps_update_result"] == UpdateResult.TA_UPDATED
        assert "additional_update_result" not in accept
        assert network.mme.core.by_imsi[IMSI].sms is SmsState.REGISTERED


async def test_network_without_a_centre_asks_for_no_messages(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(**SMS_ONLY)
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.CS_DOMAIN_NOT_AVAILABLE
        assert network.hss.asked[-1].get("MME-Number-for-MT-SMS") is None


async def test_combined_attach_without_sms_only_gets_no_messages(sms: Any) -> None:
    async with sms() as network:
        network.phone_fields = {"eps_attach_type": 2}
        meter = await registered(network)
        asked = next(each for each in network.hss.asked if each.name == "update-location-request")
        assert asked.get("MME-Number-for-MT-SMS") is None
        answer = await meter.send(data())
        assert (answer.type, answer.cause) == (RpType.RP_ERROR, RpCause.REQUESTED_FACILITY_NOT_SUBSCRIBED)


async def test_attach_for_eps_only_ends_the_registration_for_messages(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.hss.asked.clear()
        meter.phone.attach()
        await network.settle()
        (told,) = [each for each in network.hss.asked if each.name == "notify-request"]
        assert told.get("NOR-Flags") == NorFlags.REMOVAL_OF_MME_REGISTRATION_FOR_SMS
        assert (await meter.send(data())).cause == RpCause.REQUESTED_FACILITY_NOT_SUBSCRIBED


async def test_message_goes_to_the_centre_and_its_report_comes_back(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        network.smsc.answers["mo-forward-short-message"] = [("SM-RP-UI", b"\x01\x00")]
        answer = await meter.send(data(9))
        assert (answer.type, answer.reference, answer.user_data) == (RpType.RP_ACK, 9, b"\x01\x00")
        (asked,) = network.smsc.asked
        assert asked.get("SC-Address") == CENTRE
        assert first(asked.get("User-Identifier"), "MSISDN") == "1064700000001"
        assert asked.get("SM-RP-UI") == TPDU


async def test_report_that_is_too_long_for_the_device_is_left_out(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        network.smsc.answers["mo-forward-short-message"] = [("SM-RP-UI", bytes(300))]
        answer = await meter.send(data(9))
        assert (answer.type, answer.reference, answer.user_data) == (RpType.RP_ACK, 9, None)
        assert any("left out" in note for note in network.notes())


@pytest.mark.parametrize("centre", ["447785016005", "13800138000", "8613800100501"])
async def test_message_for_another_centre_is_barred(sms: Any, centre: str) -> None:
    async with sms() as network:
        meter = await registered(network)
        assert (await meter.send(data(centre=centre))).cause == RpCause.CALL_BARRED
        assert network.smsc.asked == []


@pytest.mark.parametrize(
    ("result", "failure", "cause"),
    [
        (5555, 3, RpCause.UNASSIGNED_NUMBER),
        (5555, 4, RpCause.CONGESTION),
        (5555, 5, RpCause.SHORT_MESSAGE_TRANSFER_REJECTED),
        (5555, 6, RpCause.UNIDENTIFIED_SUBSCRIBER),
        (5556, None, RpCause.REQUESTED_FACILITY_NOT_SUBSCRIBED),
        (5557, None, RpCause.OPERATOR_DETERMINED_BARRING),
        (3002, None, RpCause.CONGESTION),
        (3004, None, RpCause.CONGESTION),
        (5012, None, RpCause.NETWORK_OUT_OF_ORDER),
    ],
)
async def test_refusal_of_the_centre_is_told_by_its_cause(
    sms: Any, result: int, failure: int | None, cause: RpCause
) -> None:
    async with sms() as network:
        meter = await registered(network)
        why = [("SM-Delivery-Failure-Cause", [("SM-Enumerated-Delivery-Failure-Cause", failure)])] if failure else []
        named = ExperimentalResult(result) if result >= 5500 else result
        network.smsc.answer = None

        async def answer(message: Any, _peer: Any) -> Any:
            return network.smsc.node.answer(message, named, why)

        network.smsc.node.handle("SGd", "mo-forward-short-message-request", answer)
        assert (await meter.send(data())).cause == cause


async def test_silent_centre_is_a_temporary_cause(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        await network.host.stop("smsc", kill=True)
        await meter.send(data())
        await network.sleep(10)
        assert meter.arrived[-1].cause == RpCause.NETWORK_OUT_OF_ORDER


def forward(host: str = CENTRE) -> list[tuple[str, Any]]:
    return [("User-Name", IMSI), ("SC-Address", host), ("SM-RP-UI", TPDU)]


async def order(network: Any, address: str = CENTRE) -> Any:
    return await network.smsc.order("MT-Forward-Short-Message-Request", forward(address))


async def test_centres_message_is_delivered_with_the_devices_report(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.answer = lambda message: acknowledge(message, b"\x00\x00")
        answer = await order(network)
        assert answer.success
        assert answer.get("SM-RP-UI") == b"\x00\x00"
        (arrived,) = meter.arrived
        assert str(arrived.originator) == f"+{CENTRE}"
        assert arrived.user_data == TPDU


async def test_sleeping_device_is_paged_first(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        asking = asyncio.ensure_future(order(network))
        await network.settle()
        assert "paging" in network.enb.names()
        meter.phone.service()
        assert (await asking).success


async def test_device_that_does_not_answer_is_absent_until_it_is_back(sms: Any) -> None:
    async with sms(timers={"diameter": 60}) as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.smsc.node.timeout = 60
        answer = await order(network)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER
        assert answer.get("Absent-User-Diagnostic-SM") == 0
        meter.phone.service()
        await network.settle()
        told = network.hss.asked[-1]
        assert told.get("NOR-Flags") == NorFlags.READY_FOR_SM_FROM_MME
        assert told.get("Alert-Reason") == 0
        meter.phone.idle()
        await network.settle()
        meter.phone.service()
        await network.settle()
        assert network.hss.asked[-1] is told


async def test_device_that_is_released_before_its_turn_is_absent_at_once(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        connection = network.mme.core.by_imsi[IMSI].connection
        connection.procedure = asyncio.ensure_future(network.host.clock.sleep(60))
        asking = asyncio.ensure_future(order(network))
        await network.settle()
        assert meter.arrived == []
        meter.phone.idle()
        await network.settle()
        assert asking.done()
        assert (await asking).get("Absent-User-Diagnostic-SM") == 0


async def test_device_without_room_says_so_and_when_it_has_room(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.answer = lambda message: refuse(message, RpCause.MEMORY_CAPACITY_EXCEEDED, b"\x00\xd3\x00")
        answer = await order(network)
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == 0
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Diagnostic-Info") == b"\x00\xd3\x00"
        assert (await meter.send(Rp(RpType.RP_SMMA, 3, from_mobile=True))).type is RpType.RP_ACK
        assert network.hss.asked[-1].get("Alert-Reason") == 1


async def test_device_without_room_that_goes_as_it_says_so_is_not_absent(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.answer = lambda message: refuse(message, RpCause.MEMORY_CAPACITY_EXCEEDED)

        def hear_and_go(phone: ScriptedPhone, message: Message) -> None:
            meter.hear(phone, message)
            if meter.arrived:
                phone.idle()

        meter.phone.replies[DOWN] = hear_and_go
        answer = await order(network)
        assert network.session()["state"] == "idle"
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == 0


async def test_device_that_comes_to_detach_is_not_told_to_be_ready(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.smsc.node.timeout = 60
        await order(network)  # nobody answers the page
        network.hss.asked.clear()
        phone = meter.phone
        assert phone.security is not None
        identity = MobileIdentity(IdentityType.GUTI, phone.guti)
        fields = {"detach_type": 1, "nas_key_set_identifier": 0, "eps_mobile_identity": identity}
        phone.first(phone.protected(Message(MessageType.DETACH_REQUEST, **fields)))
        await network.settle()
        assert phone.types()[-1] is MessageType.DETACH_ACCEPT
        assert network.hss.names() == []


async def test_device_that_refuses_for_another_reason_has_room(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.answer = lambda message: refuse(message, RpCause.PROTOCOL_ERROR_UNSPECIFIED)
        answer = await order(network)
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == 1


@pytest.mark.parametrize(("address", "host"), [("447785016005", ""), (CENTRE, f"foreign.{REALM}")])
async def test_foreign_centre_delivers_nothing(sms: Any, address: str, host: str) -> None:
    async with sms() as network:
        meter = await registered(network)
        request = network.smsc.node.make(
            "MT-Forward-Short-Message-Request", forward(address), realm=REALM, host=f"mme.{REALM}"
        )
        request.avps = [(name, host if host and name == "Origin-Host" else value) for name, value in request.avps]
        answer = await network.smsc.node.ask(f"mme.{REALM}", request)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED
        assert meter.arrived == []


@pytest.mark.parametrize("passed_by", [[f"foreign.{REALM}"], [f"smsc.{REALM}", f"foreign.{REALM}"]])
async def test_what_a_foreign_node_has_passed_on_is_delivered_to_nobody(sms: Any, passed_by: list[str]) -> None:
    async with sms() as network:
        meter = await registered(network)
        way = [("Route-Record", each) for each in passed_by]
        request = network.smsc.node.make(
            "MT-Forward-Short-Message-Request", forward() + way, realm=REALM, host=f"mme.{REALM}"
        )
        answer = await network.smsc.node.ask(f"mme.{REALM}", request)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED
        assert meter.arrived == []
        assert meter.arrived == []


async def test_registration_that_the_register_takes_back_is_over(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        unflagged = [("User-Name", IMSI), ("Subscription-Data", [])]
        assert (await network.hss.order("Insert-Subscriber-Data-Request", unflagged)).success
        assert (await order(network)).success
        flags = int(IdrFlags.REMOVE_SMS_REGISTRATION)
        orders = [("User-Name", IMSI), ("Subscription-Data", []), ("IDR-Flags", flags)]
        assert (await network.hss.order("Insert-Subscriber-Data-Request", orders)).success
        answer = await order(network)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_FACILITY_NOT_SUPPORTED
        assert (await meter.send(data())).cause == RpCause.REQUESTED_FACILITY_NOT_SUBSCRIBED


async def test_registration_that_ends_with_a_proven_claim_is_over(sms: Any) -> None:
    """The device has lost its keys and is another one, of which the HSS hears; it wants no messages to go there."""
    async with sms() as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.hss.answers["update-location"] = network.hss.update_location(None)
        meter.phone.imeisv, meter.phone.security, guti = "8612340000000001", None, meter.phone.guti
        fields = {"eps_update_type": 0, "nas_key_set_identifier": 7, "old_guti": guti}
        meter.phone.first(encode(Message(MessageType.TRACKING_AREA_UPDATE_REQUEST, **fields)))
        await network.settle()
        assert MessageType.TRACKING_AREA_UPDATE_ACCEPT in meter.phone.types()
        assert network.mme.core.by_imsi[IMSI].sms is SmsState.NONE


async def test_unknown_and_detached_cards_are_told_apart(sms: Any) -> None:
    async with sms() as network:
        answer = await order(network)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN
        await registered(network)
        await network.call("DELETE", f"/sessions/{IMSI}")
        await network.settle()
        answer = await order(network)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER
        assert answer.get("Absent-User-Diagnostic-SM") == 1


async def test_octets_that_are_no_message_get_a_cp_error_and_service_goes_on(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.up(b"\x09\x77")
        await network.settle()
        assert (meter.sent[-1].type, meter.sent[-1].cause) == (CpType.CP_ERROR, CpCause.MESSAGE_TYPE_NON_EXISTENT)
        meter.up(Cp(CpType.CP_DATA, 5, user_data=b"\x00\x01\x00\x00\xff"))
        await network.settle()
        assert meter.arrived[-1].cause == RpCause.INVALID_MANDATORY_INFORMATION
        assert (await meter.send(data())).type is RpType.RP_ACK


@given(st.binary(min_size=2, max_size=40))
def test_any_container_is_answered_or_left(octets: bytes) -> None:
    from simwarden.runtime.ppsms import ShortMessageLink

    sent: list[bytes] = []

    class Still:
        def now(self) -> float:
            return 0.0

        def call_later(self, _delay: float, _callback: Any) -> Any:
            return self

        def cancel(self) -> None:
            """Nothing runs."""

    end = ShortMessageLink(
        Still(),  # type: ignore[arg-type]
        mobile=False,
        send=sent.append,
        take=lambda transaction, message: end.answer(transaction, acknowledge(message)),
        fault=lambda _reason, _octets: None,
    )
    end.receive(octets)
    for each in sent:
        decode_cp(each)


async def test_register_that_is_silent_is_told_again(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.smsc.node.timeout = 60
        await order(network)  # nobody answers the page
        for silent, told in ((True, 1), (False, 2), (False, 2)):
            network.hss.silent = silent
            meter.phone.service()
            await network.sleep(20)
            assert [each.name for each in network.hss.asked].count("notify-request") == told
            meter.phone.idle()
            await network.settle()


async def test_an_mme_that_is_killed_sends_no_message_again(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.phone.replies[DOWN] = None
        network.smsc.node.timeout = 60
        ordered = asyncio.ensure_future(order(network))
        await network.settle()
        assert meter.phone.types()[-1] is DOWN
        await network.host.stop("mme", kill=True)
        await network.settle()
        sent = [each for each in network.of(Frame) if each.source == "mme"]
        notes = network.notes()
        await network.sleep(100)
        assert [each for each in network.of(Frame) if each.source == "mme"] == sent
        assert network.notes() == notes
        assert isinstance(ordered.exception(), Unreachable)


async def test_attach_that_registers_anew_tells_the_register_of_no_end(sms: Any) -> None:
    """The HSS has lost what it knew (Reset), and hears of the device without messages by a ULR."""
    async with sms() as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        await network.hss.order("Reset-Request", [])
        network.hss.asked.clear()
        meter.phone.attach()
        await network.settle()
        assert network.hss.names() == ["update-location"]
        assert network.hss.asked[0].get("SMS-Register-Request") is None


async def test_register_that_takes_no_notification_is_told_to_the_device_and_again(sms: Any) -> None:
    async with sms(timers={"diameter": 60}) as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.smsc.node.timeout = 60
        await order(network)  # nobody answers the page
        network.hss.answers["notify"] = 5012
        for tried in (1, 2):
            meter.phone.service()
            await network.settle()
            assert [each.name for each in network.hss.asked].count("notify-request") == tried
            meter.phone.idle()
            await network.settle()
        meter.phone.service()
        await network.settle()
        refused = await meter.send(Rp(RpType.RP_SMMA, 3, from_mobile=True))
        assert (refused.type, refused.cause) == (RpType.RP_ERROR, RpCause.NETWORK_OUT_OF_ORDER)


@pytest.mark.parametrize("state", [EmmState.REGISTERED, EmmState.DEREGISTERED])
async def test_device_whose_procedure_ends_its_registration_is_absent(sms: Any, state: EmmState) -> None:
    async with sms() as network:
        meter = await registered(network)
        ue = network.mme.core.by_imsi[IMSI]
        ue.connection.procedure = asyncio.ensure_future(network.host.clock.sleep(1))
        asking = asyncio.ensure_future(order(network))
        await network.settle()
        ue.state = state
        await network.sleep(2)
        assert len(meter.arrived) == (state is EmmState.REGISTERED)
        assert (await asking).success == (state is EmmState.REGISTERED)


async def test_device_that_is_gone_when_its_page_is_answered_is_absent(
    sms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered(_core: Any, _ue: Any) -> bool:
        return True

    monkeypatch.setattr(short_message, "page", answered)
    async with sms() as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        assert (await order(network)).experimental_result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER


async def test_device_that_answers_nothing_is_faulty_and_one_that_goes_meanwhile_absent(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        meter.answer = None
        network.smsc.node.timeout = 600
        answer = await order(network)
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == 1
        both = [asyncio.ensure_future(order(network)) for _ in range(2)]
        await network.settle()
        meter.phone.idle()
        told = await asyncio.gather(*both)
        assert [each.experimental_result for each in told] == [ExperimentalResult.DIAMETER_ERROR_ABSENT_USER] * 2


async def test_message_that_rp_cannot_carry_is_the_centres_fault(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        avps = [("User-Name", IMSI), ("SC-Address", CENTRE), ("SM-RP-UI", bytes(300))]
        answer = await network.smsc.order("MT-Forward-Short-Message-Request", avps)
        assert not answer.success
        assert meter.arrived == []
        assert network.of(Fault) == []
        assert (await order(network)).success


async def test_message_of_a_card_without_a_number_names_the_card(sms: Any) -> None:
    async with sms() as network:
        meter = await registered(network)
        network.mme.core.by_imsi[IMSI].subscription = replace(network.mme.core.by_imsi[IMSI].subscription, msisdn="")
        await meter.send(data())
        (asked,) = network.smsc.asked
        assert asked.get("User-Identifier") == [("User-Name", IMSI)]


async def test_device_that_comes_back_without_sms_is_not_told_to_be_ready(sms: Any) -> None:
    async with sms(timers={"diameter": 60}) as network:
        meter = await registered(network)
        meter.phone.idle()
        await network.settle()
        network.smsc.node.timeout = 60
        await order(network)
        network.mme.core.by_imsi[IMSI].sms = SmsState.NONE
        network.hss.asked.clear()
        meter.phone.service()
        await network.settle()
        assert "notify-request" not in [each.name for each in network.hss.asked]


_FAILED = {
    DeliveryFailureCause.UNKNOWN_SERVICE_CENTRE: RpCause.UNASSIGNED_NUMBER,
    DeliveryFailureCause.SC_CONGESTION: RpCause.CONGESTION,
    DeliveryFailureCause.INVALID_SME_ADDRESS: RpCause.SHORT_MESSAGE_TRANSFER_REJECTED,
    DeliveryFailureCause.USER_NOT_SC_USER: RpCause.UNIDENTIFIED_SUBSCRIBER,
    99: RpCause.SHORT_MESSAGE_TRANSFER_REJECTED,
}


@pytest.mark.parametrize(
    ("experimental", "result", "failure", "cause", "reason"),
    [
        (None, 2001, None, None, ""),
        *((5555, None, failure, cause, f"failure cause {int(failure)}") for failure, cause in _FAILED.items()),
        (5001, None, None, RpCause.UNIDENTIFIED_SUBSCRIBER, "result 5001"),
        (5552, None, None, RpCause.REQUESTED_FACILITY_NOT_IMPLEMENTED, "result 5552"),
        (5556, None, None, RpCause.REQUESTED_FACILITY_NOT_SUBSCRIBED, "result 5556"),
        (5557, None, None, RpCause.OPERATOR_DETERMINED_BARRING, "result 5557"),
        (5999, None, None, RpCause.NETWORK_OUT_OF_ORDER, "result 5999"),
        (None, 3004, None, RpCause.CONGESTION, "result 3004"),
        (None, 3002, None, RpCause.CONGESTION, "result 3002"),
        (None, 5012, None, RpCause.NETWORK_OUT_OF_ORDER, "result 5012"),
    ],
)
def test_what_a_centre_answers_is_told_by_the_table(
    experimental: int | None, result: int | None, failure: int | None, cause: RpCause | None, reason: str
) -> None:
    """TS 29.338 6.3.3.6, TS 24.011 Annex E."""
    answer: Any = SimpleNamespace(
        success=result == 2001,
        experimental_result=experimental,
        result_code=result,
        get=lambda _: b"report",
        find=lambda *_: failure,
    )
    assert _outcome(answer) == Outcome(cause, b"report", reason)
