"""The HLR part: which VLRs serve a card, what they are told of it, and which way calls to it go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from call_net import MSISDN, CallNet
from hss_net import APPROVAL, GIVEN, IMSI, LEARN, METER, PHONE, PLMN
from map_net import HLR_CODE, PHASES, SSP, SSP2
from sigtran_net import Node

from simulators.hss.config import Apn
from simwarden.errors import ManagementError
from simwarden.operations.management import Role
from simwarden.runtime.sigtran.map_node import NoAnswer
from simwarden.trace.events import Decided
from simwarden.trace.rows import rows_of
from simwarden.wire import map as m
from simwarden.wire.diameter.codes import IdrFlags, SmsFeature, UlaFlags
from simwarden.wire.diameter.features import supported_features
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.diameter import Message

RELEASE = m.DefaultCallHandling.RELEASE_CALL


@pytest.fixture(params=["memory", "tcp"])
def net(loop: TestbedLoop, request: pytest.FixtureRequest) -> CallNet:
    return CallNet(loop, request.param)


async def test_a_vlr_gets_the_csis_of_a_card_before_it_hears_that_it_serves_it(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert await net.vlr.register(IMSI, METER + "01") == "registered"
        assert net.verdicts("voice.camel") == [True]
        (data,) = net.vlr.told("insertSubscriberData")
        csi = data.vlr_camel_subscription.o_csi
        assert (csi.camel_capability_handling, data.vlr_camel_subscription.vt_csi) == (4, None)
        (trigger,) = csi.triggers
        assert trigger.default_call_handling is RELEASE
        assert trigger.gsm_scf_address == AddressString("8613800000146")
        assert (data.imsi, data.msisdn.digits, data.teleservices) == (None, MSISDN, (b"\x11", b"\x12"))
        assert data.subscriber_status is m.SubscriberStatus.SERVICE_GRANTED
        assert net.last("location") == {"imsi": IMSI, "vlr": SSP[0], "msc": SSP[0], "imei": METER + "2"}


@pytest.mark.parametrize(
    ("phases", "kinds", "sent"),
    [((1, 2), ["o-csi"], 2), ((1, 2, 3), ["o-csi", "vt-csi"], 3), ((1,), ["o-csi"], None), ((1, 2), ["vt-csi"], None)],
)
async def test_csis_go_in_the_highest_phase_that_both_have(
    net: CallNet, phases: tuple[int, ...], kinds: list[str], sent: int | None
) -> None:
    async with net:
        await net.voice(csi=[{"kinds": kinds}])
        outcome = await net.vlr.register(IMSI, METER + "01", phases)
        assert outcome == ("registered" if sent else "roaming-not-allowed")
        told = [each.vlr_camel_subscription.o_csi for each in net.vlr.told("insertSubscriberData")]
        assert [each.camel_capability_handling for each in told] == ([sent] if sent else [])
        assert net.refusals() == ([] if sent else ["voice.camel"])


async def test_a_vlr_without_camel_serves_no_card_with_csis_and_one_without(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert await net.vlr.register(IMSI, phases=None) == "roaming-not-allowed"
        assert net.observed("location") == []
        await net.call("DELETE", f"/cards/{IMSI}/csi", APPROVAL)
        assert await net.vlr.register(IMSI, phases=None) == "registered"
        assert net.last("location")["imei"] == ""
        assert net.vlr.told("insertSubscriberData")[-1].vlr_camel_subscription is None
        assert net.verdicts("voice.camel") == [False]  # of a card without CSIs nobody asks


@pytest.mark.parametrize(
    ("default", "handling"), [("release", RELEASE), ("continue", m.DefaultCallHandling.CONTINUE_CALL)]
)
async def test_what_becomes_of_a_call_without_an_scp_goes_with_the_csi(
    loop: TestbedLoop, default: str, handling: m.DefaultCallHandling
) -> None:
    async with CallNet(loop) as net:
        await net.voice(csi=[{"default": default}])
        assert await net.vlr.register(IMSI) == "registered"
        (data,) = net.vlr.told("insertSubscriberData")
        assert data.vlr_camel_subscription.o_csi.triggers[0].default_call_handling is handling


async def test_voice_is_off_unless_it_was_opened(net: CallNet) -> None:
    async with net:
        await net.voice(("data", "sms"))
        assert await net.vlr.register(IMSI) == "roaming-not-allowed"
        assert await net.vlr.route(MSISDN) == "teleservice-not-provisioned"
        assert net.refusals() == ["voice.registration"] * 2


async def test_nobody_unknown_is_served_and_nobody_unknown_asks(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert await net.vlr.register("001010000000099") == "unknown-subscriber"
        assert await net.vlr.route("8614400000099") == "unknown-subscriber"
        assert await net.stranger.register(IMSI) == "roaming-not-allowed"
        assert await net.stranger.route(MSISDN) == "facility-not-supported"
        assert await net.vlr.register(IMSI, number="447785016005") == "roaming-not-allowed"
        assert net.refusals() == ["hss.subscriber"] * 2 + ["hss.node"] * 3
        subjects = [each.decision.subject for each in net.of(Decided) if each.decision.control.id == "hss.node"]
        assert subjects == [SSP[0], SSP[0], IMSI, IMSI, IMSI]  # who asks about nobody's card is told by his number
        assert net.observed("location") == []


async def test_a_bound_card_registers_by_the_terminal_that_the_vlr_names(net: CallNet) -> None:
    async with net:
        await net.voice(binding=GIVEN)
        assert await net.vlr.register(IMSI, PHONE + "01") == "unknown-subscriber"
        assert await net.vlr.register(IMSI) == "unknown-subscriber"
        assert net.refusals() == ["bind.hss.given"] * 2
        assert await net.vlr.register(IMSI, METER + "01") == "registered"
        assert [each["action"] for each in await net.call("GET", f"/cards/{IMSI}/audit")].count("mismatch") == 2


@pytest.mark.parametrize(("first", "ends"), [(PHONE, 1), (METER, 0)])
async def test_a_first_use_by_the_mme_ends_calls_in_another_terminal(net: CallNet, first: str, ends: int) -> None:
    async with net:
        await net.voice(binding=LEARN)
        assert await net.vlr.register(IMSI, first + "01") == "registered"
        assert (await net.mme.attach(METER)).success
        await net.settle()
        assert len(net.vlr.told("cancelLocation")) == ends
        assert (net.observed("location")[-1] is None) == bool(ends)
        assert net.hss.core.store.pending() == []


@pytest.mark.parametrize("answer", [{"result_code": 5001}, {"result_code": 5003}, {"experimental_result": 5004}])
async def test_the_answer_to_another_terminal_is_as_configured(loop: TestbedLoop, answer: dict[str, int]) -> None:
    """Result-Code 5001 is DIAMETER_AVP_UNSUPPORTED, and not the Experimental-Result that says unknown user."""
    async with CallNet(loop, mismatch=answer) as net:
        await net.voice(binding=GIVEN)
        assert await net.vlr.register(IMSI, PHONE + "01") == "roaming-not-allowed"


async def test_a_registration_by_map_teaches_no_binding(net: CallNet) -> None:
    async with net:
        await net.voice(binding=LEARN)
        assert await net.vlr.register(IMSI, PHONE + "01") == "registered"
        assert (await net.call("GET", f"/cards/{IMSI}"))["binding"] == {"how": "learned", "imei": ""}
        assert await net.vlr.register(IMSI) == "unknown-subscriber"


async def test_the_former_vlr_is_cancelled(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        await net.vlr2.register(IMSI)
        await net.settle()
        (cancelled,) = net.vlr.told("cancelLocation")
        assert cancelled.identity.imsi == IMSI
        assert cancelled.cancellation_type is m.CancellationType.UPDATE_PROCEDURE
        assert net.last("location")["vlr"] == SSP2[0]
        assert net.hss.core.store.pending() == []


async def test_a_call_is_asked_about_first_and_then_routed(net: CallNet) -> None:
    async with net:
        await net.voice()
        assert await net.vlr.route(MSISDN, suppressed=True) == "absent-subscriber"
        await net.vlr2.register(IMSI)
        first = await net.vlr.route(MSISDN)
        csis = first.extended_routing_info.camel_routing_info.gmsc_camel_subscription
        csi, forwarded = csis.t_csi, csis.o_csi  # by the latter what is forwarded is a call of the card's
        assert forwarded.triggers[0].trigger_detection_point is m.OTriggerPoint.COLLECTED_INFO
        assert (first.imsi, csi.camel_capability_handling) == (IMSI, 4)
        assert csi.triggers[0].default_call_handling is RELEASE
        assert net.vlr2.told("provideRoamingNumber") == []
        second = await net.vlr.route(MSISDN, suppressed=True)
        assert second.extended_routing_info.routing_info.roaming_number.digits == net.vlr2.roaming_number
        assert second.vmsc_address.digits == SSP2[0]
        (asked,) = net.vlr2.told("provideRoamingNumber")
        assert (asked.imsi, asked.gmsc_address.digits) == (IMSI, SSP[0])
        assert asked.supported_camel_phases == PHASES


@pytest.mark.parametrize("phases", [None, (1,)])
async def test_a_gmsc_without_the_phase_gets_no_way_to_a_card(net: CallNet, phases: tuple[int, ...] | None) -> None:
    async with net:
        await net.voice()
        await net.vlr2.register(IMSI)
        assert await net.vlr.route(MSISDN, phases) == "call-barred"
        if phases is not None:
            assert await net.vlr.route(MSISDN, phases, suppressed=True) == "call-barred"
        assert set(net.refusals()) == {"voice.camel"}
        assert net.vlr2.told("provideRoamingNumber") == []


async def test_what_the_vlr_cannot_give_is_told_the_gmsc(net: CallNet) -> None:
    async with net:
        await net.voice(csi=[{"kinds": []}])
        await net.vlr2.register(IMSI)
        assert await net.vlr.route(MSISDN, kind=m.InterrogationType.FORWARDING) == "facility-not-supported"
        net.vlr2.fails["provideRoamingNumber"] = m.ErrorCode.ABSENT_SUBSCRIBER
        assert await net.vlr.route(MSISDN) == "absent-subscriber"
        net.vlr2.fails["provideRoamingNumber"] = m.ErrorCode.NO_ROAMING_NUMBER_AVAILABLE
        assert await net.vlr.route(MSISDN) == "system-failure"
        await net.host.stop("ssp2")
        assert await net.vlr.route(MSISDN) == "system-failure"


async def test_csis_that_the_operator_takes_away_leave_the_vlr(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        assert await net.refused("DELETE", f"/cards/{IMSI}/csi", APPROVAL, role=Role.CUSTOMER) == 403
        assert await net.refused("DELETE", f"/cards/{IMSI}/csi") == 403
        await net.call("DELETE", f"/cards/{IMSI}/csi", APPROVAL)
        (gone,) = net.vlr.told("deleteSubscriberData")
        assert (gone.imsi, gone.camel_subscription_withdraw) == (IMSI, True)
        assert (await net.vlr2.route(MSISDN)).extended_routing_info.routing_info is not None
        await net.call("PUT", f"/cards/{IMSI}/csi", {"service_key": 7, "phases": [2], **APPROVAL})
        data = net.vlr.told("insertSubscriberData")[-1]
        assert data.imsi == IMSI
        assert data.vlr_camel_subscription.o_csi.camel_capability_handling == 2
        assert data.vlr_camel_subscription.o_csi.triggers[0].service_key == 7
        assert await net.refused("DELETE", f"/cards/{IMSI}/csi", APPROVAL) == 429


async def test_of_two_csis_one_is_taken_away_by_its_bit(net: CallNet) -> None:
    async with net:
        await net.voice(csi=[{"kinds": ["o-csi", "vt-csi"]}])
        await net.vlr.register(IMSI)
        await net.call("PUT", f"/cards/{IMSI}/csi", {"kinds": ["o-csi", "t-csi"], **APPROVAL})
        (gone,) = net.vlr.told("deleteSubscriberData")
        assert gone.specific_csi == (4,)
        assert net.vlr.told("insertSubscriberData")[-1].vlr_camel_subscription.vt_csi is None


async def test_a_vlr_that_does_not_offer_what_new_csis_need_serves_the_card_no_more(net: CallNet) -> None:
    async with net:
        await net.voice(csi=[{"kinds": ["o-csi"]}])
        await net.vlr.register(IMSI, phases=(1, 2))
        await net.call("PUT", f"/cards/{IMSI}/csi", {"kinds": ["o-csi", "vt-csi"], **APPROVAL})
        (cancelled,) = net.vlr.told("cancelLocation")
        assert cancelled.cancellation_type is m.CancellationType.SUBSCRIPTION_WITHDRAW
        assert net.observed("location")[-1] is None


async def test_csis_are_not_changed_by_provisioning_anew(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.voice()
        with pytest.raises(ManagementError, match="approval record"):
            await net.voice(csi=[{"kinds": []}])


async def test_barring_reaches_the_vlr_and_calls_to_the_card(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "barring"})
        data = net.vlr.told("insertSubscriberData")[-1]
        assert data.subscriber_status is m.SubscriberStatus.OPERATOR_DETERMINED_BARRING
        assert data.odb_data.general == (0,)
        assert await net.vlr2.route(MSISDN, suppressed=True) == "call-barred"
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        data = net.vlr.told("insertSubscriberData")[-1]
        assert (data.subscriber_status, data.odb_data) == (m.SubscriberStatus.SERVICE_GRANTED, None)
        assert not isinstance(await net.vlr2.route(MSISDN), str)


async def test_a_vlr_that_cannot_bar_serves_no_barred_card(net: CallNet) -> None:
    async with net:
        await net.voice()
        net.vlr.isd_result = m.InsertSubscriberDataResult(odb_general=(0,))
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "barring"})
        assert await net.vlr.register(IMSI) == "roaming-not-allowed"
        assert net.refusals() == ["hss.barring"]
        assert net.observed("location")[-1] is None
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        assert await net.vlr.register(IMSI) == "registered"
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "barring"})
        assert len(net.vlr.told("cancelLocation")) == 2
        assert net.observed("location")[-1] is None


@pytest.mark.parametrize("how", ["ended", "withdrawal"])
async def test_a_withdrawn_card_is_cancelled_and_refused(net: CallNet, how: str) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        if how == "ended":
            await net.call("DELETE", f"/cards/{IMSI}")
        else:
            told = await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
            assert told["told"] == "cancel-location"
        assert len(net.vlr.told("cancelLocation")) == 1
        assert await net.vlr.register(IMSI) == "unknown-subscriber"
        assert await net.vlr.route(MSISDN, suppressed=True) == "call-barred"
        assert net.refusals() == ["hss.withdrawn"] * 2


async def test_another_terminal_bound_ends_the_registration(net: CallNet) -> None:
    async with net:
        await net.voice(binding=GIVEN)
        await net.vlr.register(IMSI, METER + "01")
        await net.call("PUT", f"/cards/{IMSI}/binding", {"imei": PHONE + "0", **APPROVAL})
        assert len(net.vlr.told("cancelLocation")) == 1
        assert await net.vlr.register(IMSI, METER + "01") == "unknown-subscriber"


async def test_a_card_with_zone_codes_has_no_vlr(net: CallNet) -> None:
    async with net:
        await net.voice(area=[{"by": "hss", "zones": ["0001"]}])
        assert await net.vlr.register(IMSI) == "roaming-not-allowed"
        assert net.refusals() == ["hss.zones"]


async def test_subscriber_data_that_a_vlr_refuses_register_nobody(net: CallNet) -> None:
    async with net:
        await net.voice()
        net.vlr.fails["insertSubscriberData"] = m.ErrorCode.UNEXPECTED_DATA_VALUE
        assert await net.vlr.register(IMSI) == "system-failure"
        assert net.observed("location")[-1] is None
        assert net.hss.core.store.pending() == []


async def test_a_vlr_that_was_away_is_told_when_it_is_back(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        await net.host.stop("ssp")
        told = await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
        assert told["told"] == "pending"
        await net.host.start("ssp")
        await net.sleep(700)
        assert len(net.vlr.told("cancelLocation")) == 1
        assert net.hss.core.store.pending() == []


async def test_csis_that_change_while_a_vlr_is_away_are_told_when_it_is_back(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        await net.host.stop("ssp")
        await net.call("PUT", f"/cards/{IMSI}/csi", {"service_key": 7, **APPROVAL})
        await net.host.start("ssp")
        await net.sleep(700)
        (data,) = net.vlr.told("insertSubscriberData")
        assert data.vlr_camel_subscription.o_csi.triggers[0].service_key == 7
        assert net.hss.core.store.pending() == []


async def test_a_killed_hlr_remembers_who_serves_a_card_and_what_is_pending(loop: TestbedLoop, tmp_path: Any) -> None:
    async with CallNet(loop, store=f"sqlite:///{tmp_path}/hss.db") as net:
        await net.voice()
        await net.vlr.register(IMSI)
        await net.host.stop("ssp")
        await net.call("DELETE", f"/cards/{IMSI}/csi", APPROVAL)
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        await net.host.start("ssp")
        assert (await net.call("GET", f"/cards/{IMSI}"))["vlr"] == SSP[0]
        await net.sleep(700)
        assert len(net.vlr.told("deleteSubscriberData")) == 1
        assert net.hss.core.store.pending() == []


async def test_what_is_pending_for_a_vlr_stays_so_where_the_hlr_part_is_taken_away(
    loop: TestbedLoop, tmp_path: Any
) -> None:
    async with CallNet(loop, store=f"sqlite:///{tmp_path}/hss.db") as net:
        await net.voice()
        assert await net.vlr.register(IMSI) == "registered"
        await net.host.stop("hss")
        net.hss.config = net.hss.config.model_copy(update={"signalling": None})
        await net.host.start("hss")
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "barring"})
        await net.sleep(60)
        assert ([each.host for each in net.hss.core.store.at_vlrs()], net.hss.core.point) == ([SSP[0]], None)
        with pytest.raises(NoAnswer):
            await net.vlr.register(IMSI)


async def test_csis_are_taken_away_whatever_apns_all_cards_have_meanwhile(loop: TestbedLoop, tmp_path: Any) -> None:
    async with CallNet(loop, store=f"sqlite:///{tmp_path}/hss.db") as net:
        await net.voice()
        await net.host.stop("hss")
        net.hss.config = net.hss.config.model_copy(update={"apns": (Apn(name="ims"),)})
        await net.host.start("hss")
        assert (await net.call("DELETE", f"/cards/{IMSI}/csi", APPROVAL))["csi"]["kinds"] == []


@pytest.mark.parametrize("kill", [False, True])
async def test_who_stops_leaves_the_signalling_network_and_who_loses_power_says_nothing(
    loop: TestbedLoop, *, kill: bool
) -> None:
    net = CallNet(loop, through={"routes": {"stp": {"routing_context": HLR_CODE}}}, dials="stp")
    net.add("stp", Node, {"point_code": 1, "serves": [(each, each) for each in (HLR_CODE, SSP[1], SSP2[1], 28)]})
    async with net:
        await net.sleep(2)
        seen = len(net.trace.events)
        await net.host.stop("hss", kill=kill)
        await net.sleep(60)
        rows = rows_of(net.trace.events[seen:])
        said = [each.name for each in rows if (each.source, each.target) == ("hss", "stp")]
        assert said == ([] if kill else ["asp-inactive", "asp-down"])
        assert "destination-unavailable" in [each.name for each in rows if each.source == "stp"]


async def test_voice_that_is_closed_ends_the_registration(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        await net.voice(("data",))
        assert len(net.vlr.told("cancelLocation")) == 1
        assert (await net.call("GET", f"/cards/{IMSI}"))["vlr"] == ""
        assert net.observed("location")[-1] is None


# -- what happens while a card is registered


async def test_a_card_that_is_withdrawn_while_it_registers_is_not_registered(net: CallNet) -> None:
    async with net:
        await net.voice()
        net.vlr.meanwhile["insertSubscriberData"] = partial(
            net.call, "POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"}
        )
        assert await net.vlr.register(IMSI) == "system-failure"
        await net.settle()
        assert len(net.vlr.told("cancelLocation")) == 1
        assert net.observed("location")[-1] is None
        assert net.hss.core.store.pending() == []


async def test_csis_that_change_while_a_card_registers_are_told(net: CallNet) -> None:
    async with net:
        await net.voice()
        net.vlr.meanwhile["insertSubscriberData"] = partial(
            net.call, "PUT", f"/cards/{IMSI}/csi", {"service_key": 7, **APPROVAL}
        )
        assert await net.vlr.register(IMSI) == "registered"
        await net.settle()
        last = net.vlr.told("insertSubscriberData")[-1]
        assert (last.imsi, last.vlr_camel_subscription.o_csi.triggers[0].service_key) == (IMSI, 7)
        assert net.hss.core.store.pending() == []


async def test_of_two_vlrs_at_once_the_last_one_serves_the_card(net: CallNet) -> None:
    async with net:
        await net.voice()
        net.vlr.meanwhile["insertSubscriberData"] = partial(net.vlr2.register, IMSI)
        assert await net.vlr.register(IMSI) == "system-failure"
        await net.settle()
        assert net.last("location")["vlr"] == SSP2[0]
        assert len(net.vlr.told("cancelLocation")) == 1
        assert net.vlr2.told("cancelLocation") == []
        assert net.hss.core.store.pending() == []


async def test_a_card_that_was_withdrawn_at_a_vlr_that_is_away_registers_at_another_one(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr2.register(IMSI)
        await net.host.stop("ssp2")
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        assert await net.vlr.register(IMSI) == "registered"
        await net.host.start("ssp2")
        await net.sleep(700)
        assert (len(net.vlr2.told("cancelLocation")), net.vlr.told("cancelLocation")) == (1, [])


async def test_a_vlr_hears_first_that_a_card_was_withdrawn_there(net: CallNet) -> None:
    """It asks by what it heard of the card before that."""
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        await net.host.stop("ssp")
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        await net.host.start("ssp")
        await net.settle()
        assert await net.vlr.register(IMSI) == "registered"
        assert [name for name, _ in net.vlr.heard] == ["cancelLocation", "insertSubscriberData"]


async def test_subscriber_data_of_a_card_that_the_vlr_has_forgotten_end_its_registration(net: CallNet) -> None:
    async with net:
        await net.voice()
        await net.vlr.register(IMSI)
        net.vlr.fails["insertSubscriberData"] = m.ErrorCode.UNIDENTIFIED_SUBSCRIBER
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "barring"})
        assert net.observed("location")[-1] is None
        assert net.hss.core.store.pending() == []


# -- one node of the CS domain a card (TS 23.272 C.4.3, C.8)


async def _attach(net: CallNet) -> Message:
    """Register the MME for the card's messages."""
    wants = [
        supported_features(SmsFeature.SMS_IN_MME),
        ("MME-Number-for-MT-SMS", "8613440000001"),
        ("SMS-Register-Request", 0),
    ]
    more = [("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", PLMN.to_bytes()), *wants]
    answer = await net.mme.node.ask("hss", net.mme.make("Update-Location-Request", *more, terminal=METER))
    assert answer.success
    await net.settle()
    return answer


def _orders(net: CallNet) -> list[int]:
    return [each.get("IDR-Flags") for each in net.mme.heard if each.get("IDR-Flags")]


async def test_a_card_with_voice_has_its_messages_by_the_msc_and_never_by_the_mme(net: CallNet) -> None:
    async with net:
        await net.voice(("voice", "sms", "data"))
        await net.vlr.register(IMSI)
        answer = await _attach(net)
        assert not answer.get("ULA-Flags") & UlaFlags.MME_REGISTERED_FOR_SMS
        assert net.verdicts("sms.registration") == [False]
        assert (await net.call("GET", f"/cards/{IMSI}"))["vlr"] == SSP[0]


async def test_voice_that_is_opened_takes_the_messages_from_the_mme(net: CallNet) -> None:
    async with net:
        await net.voice(("sms", "data"))
        await _attach(net)
        await net.voice(("voice", "sms", "data"))
        assert (await net.call("GET", f"/cards/{IMSI}"))["sms"]["mme_number"] == ""
        assert _orders(net) == [IdrFlags.REMOVE_SMS_REGISTRATION]


# -- IMS


@pytest.mark.parametrize("apn", ["ims", "IMS.mnc001.mcc001.gprs", "*"])
async def test_no_apn_leads_past_directed_voice(loop: TestbedLoop, apn: str) -> None:
    async with CallNet(loop) as net:
        apns = {"apns": [{"name": "iot"}, {"name": apn}]}
        for functions in (("data",), ("voice", "data")):
            with pytest.raises(ManagementError, match="leads"):
                await net.voice(functions, subscription=[apns])
        await net.voice()
        assert await net.refused("PUT", f"/cards/{IMSI}/subscription", apns) == 403
        await net.call("DELETE", f"/cards/{IMSI}/csi", APPROVAL)
        await net.call("PUT", f"/cards/{IMSI}/subscription", apns)
        await net.call("PUT", f"/cards/{IMSI}/area", {"zones": ["0001"], **APPROVAL})  # which asks nothing of the kind
        assert await net.refused("PUT", f"/cards/{IMSI}/csi", APPROVAL) == 403
        assert net.verdicts("voice.ims") == [False, False, False, True, False]
        kept = [each["action"] for each in await net.call("GET", f"/cards/{IMSI}/audit")]
        assert kept.count("subscription-refused") == kept.count("change-the-csi-refused") == 1


async def test_an_apn_that_all_cards_have_is_judged_as_well(loop: TestbedLoop) -> None:
    async with CallNet(loop, apns=[{"name": "iot"}, {"name": "ims"}]) as net:
        with pytest.raises(ManagementError, match="voice is directed"):
            await net.voice()
        await net.voice(csi=[{"kinds": []}])
