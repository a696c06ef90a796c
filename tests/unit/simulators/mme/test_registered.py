"""What happens to a registered device: updates, service, detach, silence, paging, and what the HSS orders."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simwarden.model.identity import Tai
from simwarden.operations.management import Role
from simwarden.trace.events import PeerFault
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import EmmCause, IdentityType, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.nas.security_header import SecurityHeaderType
from simwarden.wire.s1ap import CauseNas, CauseRadioNetwork

_T = MessageType
IMSI = "001010000000001"
PHONE = "8612340000000001"


async def test_an_update_asks_for_the_imeisv_and_gives_a_new_guti(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        before = phone.guti
        phone.update()
        await network.settle()
        assert phone.types() == [_T.IDENTITY_REQUEST, _T.TRACKING_AREA_UPDATE_ACCEPT]
        assert phone.guti != before
        assert len(network.mme.core.by_m_tmsi) == 1
        assert phone.released[-1] is CauseNas.NORMAL_RELEASE
        assert network.session()["state"] == "idle"
        assert network.hss.asked == []


async def test_an_update_with_the_active_flag_keeps_the_connection(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.update(8)
        await network.settle()
        assert phone.bearers == 1
        assert network.session()["state"] == "connected"


@pytest.mark.parametrize("contact", ["update", "service"])
async def test_another_terminal_is_found_at_each_contact(run: Any, contact: str) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.imeisv = PHONE
        network.hss.answers["update-location"] = 5001
        getattr(phone, contact)()
        await network.settle()
        assert network.eir.names() == ["me-identity-check"]
        assert network.hss.asked[-1].find("Terminal-Information", "IMEI") == PHONE[:14]
        reject = _T.TRACKING_AREA_UPDATE_REJECT if contact == "update" else _T.SERVICE_REJECT
        assert phone.got[-1].type is reject
        assert phone.got[-1]["emm_cause"] is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED
        assert phone.bearers == 0
        assert network.session() is None
        assert phone.released


async def test_a_leak_is_shown_where_policy_does_not_ask(run: Any) -> None:
    async with run(equipment={"at_service_request": "false"}) as network:
        phone = await network.attached_idle()
        phone.imeisv = PHONE
        network.hss.answers["update-location"] = 5001
        phone.service()
        await network.settle()
        assert phone.bearers == 1
        assert phone.types() == []


async def test_a_change_reported_by_notify_is_cancelled_by_the_hss(run: Any) -> None:
    async with run(equipment={"report_change": "notify"}) as network:
        phone = await network.attached_idle()
        phone.imeisv = PHONE
        phone.service()
        await network.settle()
        assert network.hss.names() == ["notify"]
        answer = await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        assert answer.result_code == 2001
        await network.settle()
        assert phone.got[-1].type is _T.DETACH_REQUEST
        assert phone.got[-1]["detach_type"] == 2
        assert phone.got[-1]["emm_cause"] is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED
        assert network.session() is None
        assert phone.released[-1] is CauseNas.DETACH


@pytest.mark.parametrize("who", ["hss", "eir"])
async def test_a_changed_terminal_is_refused_for_a_time_without_a_decider(run: Any, who: str) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.imeisv = PHONE
        await network.host.stop(who, kill=True)
        phone.service()
        await network.sleep(20)
        assert phone.got[-1]["emm_cause"] is EmmCause.NETWORK_FAILURE
        assert phone.bearers == 0
        assert network.session()["state"] == "idle"
        assert network.session()["imeisv"] != PHONE
        # when the decider is back, it decides
        await network.host.start(who)
        network.hss.answers["update-location"] = 5001
        await network.sleep(60)
        phone.service()
        await network.sleep(20)
        assert phone.got[-1]["emm_cause"] is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED
        assert network.session() is None


async def test_a_service_request_that_does_not_verify_changes_nothing(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        thief = network.phone(guti=phone.guti, enb_id=60)
        thief.first(bytes([0xC7, phone.security.ksi << 5 | 3, 0xAB, 0xCD]), s_tmsi=True)
        await network.settle()
        assert thief.got[-1]["emm_cause"] is EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK
        assert network.session()["state"] == "idle"
        phone.service()
        await network.settle()
        assert phone.bearers == 1


async def test_a_replayed_service_request_is_refused(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        captured = phone.security.service_request()
        phone.first(captured, s_tmsi=True)
        phone.secured = True
        await network.settle()
        phone.idle()
        await network.settle()
        thief = network.phone(guti=phone.guti, enb_id=60)
        thief.first(captured, s_tmsi=True)
        await network.settle()
        assert thief.got[-1].type is _T.SERVICE_REJECT
        assert any("replayed" in reason for reason in network.peer_faults())


async def test_an_update_of_nobody_known_is_told_so(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.guti = type(phone.guti)(phone.guti.plmn, phone.guti.mme_group_id, 77, phone.guti.m_tmsi)
        phone.update()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK


async def test_an_update_that_does_not_verify_is_authenticated(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        request = Message(
            _T.TRACKING_AREA_UPDATE_REQUEST, eps_update_type=0, nas_key_set_identifier=7, old_guti=phone.guti
        )
        from simwarden.wire.nas.message import encode

        phone.first(encode(request))
        await network.settle()
        assert phone.types() == [
            _T.AUTHENTICATION_REQUEST,
            _T.SECURITY_MODE_COMMAND,
            _T.TRACKING_AREA_UPDATE_ACCEPT,
        ]
        assert network.session() is not None


async def test_what_the_radio_of_a_device_can_do_is_told_the_base_station_again(run: Any) -> None:
    """The MME keeps it while the device is registered (TS 23.401 5.11.2)."""
    async with run() as network:
        phone = await network.attached()
        phone.up("ue-capability-info-indication", ue_radio_capability=b"\x01\x02")
        await network.settle()
        phone.idle()
        await network.settle()
        phone.service()
        await network.settle()
        requests = [each for each in network.enb.seen if each.name == "initial-context-setup-request"]
        assert [each.get("ue_radio_capability") for each in requests] == [None, b"\x01\x02"]


async def test_a_barring_in_the_middle_of_an_update_is_told_by_its_answer(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        request = Message(
            _T.TRACKING_AREA_UPDATE_REQUEST, eps_update_type=0, nas_key_set_identifier=7, old_guti=phone.guti
        )
        from simwarden.wire.nas.message import encode

        asked: list[Message] = []
        phone.replies[_T.AUTHENTICATION_REQUEST] = lambda _phone, message: asked.append(message)
        phone.released.clear()
        phone.first(encode(request))
        await network.settle()
        barred = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
        await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", barred)])
        await network.settle()
        assert not phone.released
        del phone.replies[_T.AUTHENTICATION_REQUEST]
        phone.take_again(asked[0])
        await network.settle()
        assert phone.types()[-1] is _T.TRACKING_AREA_UPDATE_REJECT
        assert network.session() is None


async def test_a_forged_detach_is_ignored(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        from simwarden.wire.nas.message import encode

        identity = MobileIdentity(IdentityType.GUTI, phone.guti)
        forged = Message(_T.DETACH_REQUEST, detach_type=9, nas_key_set_identifier=7, eps_mobile_identity=identity)
        network.phone(enb_id=60).first(encode(forged))
        await network.settle()
        assert network.session()["state"] == "idle"


@pytest.mark.parametrize("switch_off", [True, False])
async def test_a_device_detaches(run: Any, switch_off: bool) -> None:  # noqa: FBT001
    async with run() as network:
        phone = await network.attached_idle()
        identity = MobileIdentity(IdentityType.GUTI, phone.guti)
        kind = 9 if switch_off else 1
        request = Message(
            _T.DETACH_REQUEST,
            detach_type=kind,
            nas_key_set_identifier=phone.security.ksi,
            eps_mobile_identity=identity,
        )
        phone.first(phone.protected(request))
        phone.secured = True
        await network.settle()
        assert phone.types() == ([] if switch_off else [_T.DETACH_ACCEPT])
        assert network.session() is None
        assert phone.released[-1] is CauseNas.DETACH


async def test_a_silent_device_is_detached_and_learns_at_its_next_contact(run: Any) -> None:
    async with run() as network:
        network.host.clock.skip_keep_alives = False
        phone = await network.attached_idle()
        await network.sleep(3240 + 240 + 300 + 1)
        assert network.session() is None
        phone.service()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.IMPLICITLY_DETACHED
        phone.attach()
        await network.settle()
        assert network.session() is not None
        assert network.hss.names() == []


async def test_a_detached_context_is_purged_in_time(run: Any) -> None:
    async with run() as network:
        network.host.clock.skip_keep_alives = False
        await network.attached_idle()
        await network.sleep(3240 + 240 + 300 + 604800 + 1)
        assert network.hss.names() == ["purge-ue"]
        assert network.mme.core.by_imsi == {}
        assert network.mme.core.by_m_tmsi == {}


async def test_the_extended_timer_is_for_devices_that_support_it(run: Any) -> None:
    async with run() as network:
        network.host.clock.skip_keep_alives = False
        phone = await network.attached_idle()
        phone.attach(ms_network_feature_support=1)
        await network.settle()
        assert phone.got[-1]["t3412_extended"] == 1116000
        phone.idle()
        await network.sleep(100000)
        assert network.session()["state"] == "idle"


async def test_paging_brings_the_device_back(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        paging = asyncio.ensure_future(_page(network))
        await network.settle()
        message = network.enb.last("paging")
        assert message["ue_paging_id"].m_tmsi == phone.guti.m_tmsi
        assert message["tai_list"] == (Tai(phone.guti.plmn, 1),)
        assert message["ue_identity_index_value"] == int(IMSI) % 1024
        assert "paging" in network.enb2.names()
        phone.service()
        await network.settle()
        assert await paging == {"answered": True}


async def _page(network: Any) -> Any:
    return await network.mme.manage(Role.OPERATOR, "POST", f"/sessions/{IMSI}/page")


async def test_paging_without_an_answer_ends(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        assert await _page(network) == {"answered": False}
        assert network.enb.names().count("paging") == 3


async def test_a_withdrawn_subscription_of_a_sleeper_ends_at_once(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        await network.settle()
        assert network.session() is None
        assert phone.got == []
        network.hss.answers["update-location"] = 5001
        phone.update()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.IMPLICITLY_DETACHED
        phone.attach()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED


async def test_another_mme_took_over_and_the_device_is_told_nothing(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.got.clear()
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 0)])
        await network.settle()
        assert phone.got == []
        assert phone.released
        assert network.session() is None
        assert network.mme.core.by_imsi == {}


async def test_suspension_by_idr_ends_what_runs_and_lifts_again(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        barring = [("Subscription-Data", [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)])]
        answer = await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), *barring])
        assert answer.result_code == 2001
        await network.settle()
        assert phone.got[-1].type is _T.DETACH_REQUEST
        assert network.session() is None
        phone.attach()
        await network.settle()
        assert phone.got[-1].type is _T.ATTACH_REJECT
        lifted = [("Subscription-Data", [("Subscriber-Status", 0)])]
        await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), *lifted])
        phone.attach()
        await network.settle()
        assert network.session() is not None


async def test_the_hss_may_ask_where_a_device_is(run: Any) -> None:
    async with run() as network:
        await network.attached_idle()
        asked = [("User-Name", IMSI), ("Subscription-Data", []), ("IDR-Flags", 4 | 8)]
        answer = await network.hss.order("Insert-Subscriber-Data-Request", asked)
        assert answer.find("EPS-User-State", "MME-User-State", "User-State") == 2
        place = answer.find("EPS-Location-Information", "MME-Location-Information", "E-UTRAN-Cell-Global-Identity")
        assert place.hex() == "00f11000000101"
        unknown = await network.hss.order(
            "Insert-Subscriber-Data-Request", [("User-Name", "001019999999999"), ("Subscription-Data", [])]
        )
        assert unknown.experimental_result == 5001


async def test_a_withdrawn_apn_ends_the_session_that_uses_it(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        answer = await network.hss.order(
            "Delete-Subscriber-Data-Request", [("User-Name", IMSI), ("DSR-Flags", 8), ("Context-Identifier", 1)]
        )
        assert answer.result_code == 2001
        await network.settle()
        assert phone.got[-1].type is _T.DETACH_REQUEST
        assert network.session() is None


async def test_after_a_reset_of_the_hss_each_device_is_reported_anew(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        await network.hss.order("Reset-Request", [("User-Id", IMSI[:8])])
        phone.service()
        await network.settle()
        assert network.hss.names() == ["update-location"]
        assert phone.bearers == 1


async def test_a_withdrawal_in_the_middle_of_an_attach_ends_it(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.ATTACH_ACCEPT] = None
        phone.attach()
        await network.settle()
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        await network.sleep(60)
        assert phone.released
        assert network.session() is None
        assert network.mme.core.connections == {}
        assert all(ue.bearer is None for ue in network.mme.core.by_imsi.values())


async def test_an_update_shows_that_the_accept_arrived(run: Any) -> None:
    async with run() as network:
        phone = network.phone()

        def hurry(self: Any, message: Message) -> None:
            self.guti = message["guti"]
            self.send(
                Message(
                    _T.TRACKING_AREA_UPDATE_REQUEST,
                    eps_update_type=0,
                    nas_key_set_identifier=self.security.ksi,
                    old_guti=self.guti,
                )
            )

        phone.replies[_T.ATTACH_ACCEPT] = hurry
        phone.attach()
        await network.settle()
        assert phone.types()[-1] is _T.TRACKING_AREA_UPDATE_ACCEPT
        assert network.session()["state"] == "connected"


async def test_a_second_attach_in_place_of_an_unfinished_one_leaves_nothing_behind(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.ATTACH_ACCEPT] = None
        phone.attach()
        await network.settle()
        phone.replies[_T.AUTHENTICATION_REQUEST] = None
        phone.replies[_T.IDENTITY_REQUEST] = None
        phone.send(phone.attach_request(eps_attach_type=2))
        await network.sleep(60)
        core = network.mme.core
        assert phone.released
        assert core.connections == {}
        assert [ue.bearer for ue in core.by_imsi.values()] in ([], [None])


async def test_a_subscribed_period_goes_before_ours(run: Any) -> None:
    async with run() as network:
        data = dict(network.hss.update_location(None))["Subscription-Data"]
        network.hss.answers["update-location"] = [
            ("Subscription-Data", [*data, ("Subscribed-Periodic-RAU-TAU-Timer", 7200)])
        ]
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert phone.got[-1]["t3412"] == 7200
        assert "t3412_extended" not in phone.got[-1]


async def test_a_silent_device_is_told_of_its_detach_five_times(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.replies[_T.DETACH_REQUEST] = None
        phone.got.clear()
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        assert network.session() is None
        await network.sleep(40)
        assert phone.types() == [_T.DETACH_REQUEST] * 5
        assert phone.released
        assert network.mme.core.connections == {}


async def test_bearers_that_cannot_be_set_up_end_the_service(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        network.enb.auto = False
        phone.service()
        await network.settle()
        network.enb.auto = True
        phone.up("initial-context-setup-failure", cause=CauseRadioNetwork.RADIO_RESOURCES_NOT_AVAILABLE)
        await network.settle()
        assert phone.released
        assert network.session()["state"] == "idle"


async def test_a_security_mode_is_completed_under_its_own_keys_only(run: Any) -> None:
    async with run(security={"authenticate": "every-attach"}) as network:
        phone = await network.attached_idle()
        old = phone.security

        def complete_under_the_old_keys(phone: Any, _message: Message) -> None:
            message = encode(Message(_T.SECURITY_MODE_COMPLETE))
            phone.raw(old.protect(message, SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED))

        phone.replies[_T.SECURITY_MODE_COMMAND] = complete_under_the_old_keys
        phone.attach()
        await network.settle()
        assert "SECURITY_MODE_COMPLETE that is not under the new security context: discarded" in [
            fault.reason for fault in network.of(PeerFault)
        ]
        assert network.session() is None
