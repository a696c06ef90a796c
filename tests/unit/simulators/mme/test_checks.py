"""Checks of the MME that only a rare message or a rare moment shows: without them nothing else would look wrong."""

from __future__ import annotations

import asyncio
from dataclasses import astuple, replace
from types import SimpleNamespace
from typing import Any

import pytest

from simulators.mme.causes import demanded_by
from simulators.mme.clients import s1
from simulators.mme.clients.home import merge_subscription
from simulators.mme.config import MmeConfig
from simulators.mme.contexts import ApnConfiguration, Subscription, UeContext
from simulators.mme.core import Core
from simulators.mme.procedures import location
from simwarden.errors import ManagementError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.runtime.store import StoreUnavailableError
from simwarden.wire.diameter import ExperimentalResult, ResultCode
from simwarden.wire.diameter.codes import DsrFlags, PdnType
from simwarden.wire.nas.elements import MobileIdentity, UeNetworkCapability
from simwarden.wire.nas.enums import EmmCause, IdentityType, MessageType, ServiceType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.s1ap import CauseRadioNetwork, HandoverType
from simwarden.wire.s1ap.values import (
    ErabAdmitted,
    ErabTunnel,
    GlobalEnbId,
    MacroEnbId,
    TargetEnbId,
    UeSecurityCapabilities,
)

_T = MessageType
PLMN = Plmn("001", "01")
TAI, CELL = Tai(PLMN, 1), Ecgi(PLMN, 1 << 8 | 1)
CAPABILITY = UeNetworkCapability(0xE0, 0xE0)
IMSI = "001010000000001"
PHONE = "8612340000000001"
USER = ("User-Name", IMSI)
_UNKNOWN = EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK


# -- what the EIR says


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ([], EmmCause.NETWORK_FAILURE),  # a success that says nothing of the equipment
        ([("Equipment-Status", 7)], EmmCause.NETWORK_FAILURE),  # a status that no list has
        (5012, EmmCause.NETWORK_FAILURE),
        (5422, EmmCause.ILLEGAL_ME),
        ([("Equipment-Status", 1)], EmmCause.ILLEGAL_ME),
    ],
)
async def test_only_an_equipment_status_allows(run: Any, answer: Any, cause: EmmCause) -> None:
    async with run(equipment={"verdict_lifetime": 0}) as network:
        network.eir.answers["me-identity-check"] = answer
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is cause
        assert not network.decisions("mme.equipment")[-1].admitted
        assert network.hss.names().count("update-location") == 0
        network.eir.answers["me-identity-check"] = [("Equipment-Status", 2)]
        await network.attached(enb_id=9)


async def test_a_failure_that_carries_a_status_is_no_verdict(run: Any) -> None:
    async with run() as network:

        def failing(message: Any) -> Any:
            answer = network.eir.node.answer(message, 5012, [("Equipment-Status", 0)])
            network.eir.node.answer = lambda *_args, **_more: answer
            return []

        network.eir.me_identity_check = failing
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.NETWORK_FAILURE


async def test_only_a_verdict_that_was_not_asked_for_just_now_is_told_as_kept(run: Any) -> None:
    async with run() as network:
        for enb_id in (1, 2):
            await network.attached(enb_id=enb_id)
        first, second = network.decisions("mme.equipment")
        assert "kept" not in first.details
        assert "kept" in second.details


async def test_so_many_verdicts_are_kept_and_the_oldest_goes_first(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location, "_VERDICTS", 2)

    async with run() as network:
        for number in (1, 2, 3):
            await network.attached(imsi=f"00101000000000{number}", enb_id=number)
        kept = [imsi for imsi, _ in network.mme.core.verdicts]
        assert kept == ["001010000000002", "001010000000003"]


# -- what the HSS says


async def test_an_idr_changes_what_it_names_and_leaves_the_rest(run: Any) -> None:
    async with run() as network:
        await network.attached()
        ue = network.mme.core.by_imsi[IMSI]
        first = [
            ("Subscriber-Status", 0),
            ("Subscribed-Periodic-RAU-TAU-Timer", 7200),
            ("Regional-Subscription-Zone-Code", bytes.fromhex("0001")),
            ("AMBR", [("Max-Requested-Bandwidth-UL", 1000), ("Max-Requested-Bandwidth-DL", 2000)]),
        ]
        network.mme.core.config.zones["0001"] = (1,)
        await network.hss.order("Insert-Subscriber-Data-Request", [USER, ("Subscription-Data", first)])
        for barred in ([("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)], [("Subscriber-Status", 0)], []):
            await network.hss.order("Insert-Subscriber-Data-Request", [USER, ("Subscription-Data", barred)])
            held = ue.subscription
            assert (held.zones, held.periodic, held.ambr_ul, held.ambr_dl) == ({"0001"}, 7200, 1000, 2000)
            assert (held.msisdn, list(held.apns)) == ("1064700000001", [1])
            assert held.barred is (barred[:1] == [("Subscriber-Status", 1)])


@pytest.mark.parametrize("odb", [0, 2, 4])
async def test_a_barring_of_something_else_bars_no_packet_services(run: Any, odb: int) -> None:
    async with run() as network:
        await network.attached()
        data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", odb)]
        await network.hss.order("Insert-Subscriber-Data-Request", [USER, ("Subscription-Data", data)])
        assert not network.mme.core.by_imsi[IMSI].subscription.barred
        assert network.session() is not None


async def test_a_dsr_of_the_zones_takes_no_apn(run: Any) -> None:
    async with run() as network:
        await network.attached()
        ue = network.mme.core.by_imsi[IMSI]
        ue.subscription.zones = frozenset({"0001"})
        regional = ("DSR-Flags", int(DsrFlags.REGIONAL_SUBSCRIPTION_WITHDRAWAL))
        answer = await network.hss.order("Delete-Subscriber-Data-Request", [USER, regional, ("Context-Identifier", 1)])
        assert answer.success
        assert (ue.subscription.zones, list(ue.subscription.apns)) == (frozenset(), [1])
        assert network.session() is not None
        ue.subscription = None  # another MME's register has taken it back; nothing is left to delete
        for flags in (regional, ("DSR-Flags", int(DsrFlags.COMPLETE_APN_CONFIGURATION_PROFILE_WITHDRAWAL))):
            assert (await network.hss.order("Delete-Subscriber-Data-Request", [USER, flags])).success


async def test_a_cancellation_of_the_registration_is_no_detach_of_an_attach_under_way(run: Any) -> None:
    async with run() as network:
        phone = network.phone(replies={_T.ATTACH_ACCEPT: None})
        phone.attach()
        await network.settle()
        assert phone.got[-1].type is _T.ATTACH_ACCEPT
        await network.hss.order("Cancel-Location-Request", [USER, ("Cancellation-Type", 2)])
        await network.settle()
        assert phone.released
        assert _T.DETACH_REQUEST not in phone.types()
        assert network.mme.core.connections == {}


# -- who proves to be the device


def _extended(phone: Any, service: int) -> Message:
    return Message(
        _T.EXTENDED_SERVICE_REQUEST,
        service_type=service,
        nas_key_set_identifier=phone.security.ksi,
        m_tmsi=MobileIdentity(IdentityType.TMSI, phone.guti.m_tmsi),
    )


async def test_an_extended_service_request_serves_whom_its_keys_prove(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        request = _extended(phone, ServiceType.PACKET_SERVICES_VIA_S1)
        thief = network.phone(guti=phone.guti, enb_id=60)
        thief.first(encode(request), s_tmsi=True)
        await network.settle()
        assert (thief.got[-1].type, thief.got[-1]["emm_cause"]) == (_T.SERVICE_REJECT, _UNKNOWN)
        assert network.session()["state"] == "idle"
        phone.first(phone.protected(_extended(phone, 1)), s_tmsi=True)
        phone.secured = True
        await network.settle()
        assert phone.got[-1]["emm_cause"] is EmmCause.CS_DOMAIN_NOT_AVAILABLE
        phone.first(phone.protected(request), s_tmsi=True)
        phone.secured = True
        await network.settle()
        assert phone.bearers == 1
        assert network.session()["state"] == "connected"


async def test_an_s_tmsi_of_another_mme_names_nobody(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.guti = replace(phone.guti, mme_code=phone.guti.mme_code + 1)
        phone.service()
        await network.settle()
        assert phone.got[-1]["emm_cause"] is _UNKNOWN
        assert network.session()["state"] == "idle"


# -- where the device is


def _away(_imsi: str) -> Any:
    raise StoreUnavailableError("the database does not answer")


def _required(phone: Any) -> None:
    phone.up(
        "handover-required",
        handover_type=HandoverType.INTRALTE,
        cause=CauseRadioNetwork.HANDOVER_DESIRABLE_FOR_RADIO_REASON,
        target_id=TargetEnbId(GlobalEnbId(PLMN, MacroEnbId(2)), TAI),
        source_to_target_transparent_container=b"from source",
    )


async def test_no_handover_is_prepared_while_the_areas_cannot_be_read(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        known, network.mme.core.areas.get = network.mme.core.areas.get, _away
        _required(phone)
        await network.settle()
        assert network.enb.last("handover-preparation-failure")["cause"] is CauseRadioNetwork.HO_TARGET_NOT_ALLOWED
        assert "handover-request" not in network.enb2.names()
        assert not network.decisions("area.data")[-1].admitted
        assert network.session()["state"] == "connected"
        network.mme.core.areas.get = known
        _required(phone)
        await network.settle()
        assert "handover-request" in network.enb2.names()


@pytest.mark.parametrize("away", [True, False])
async def test_no_path_is_switched_while_the_areas_cannot_be_read(run: Any, away: bool) -> None:  # noqa: FBT001
    async with run() as network:
        phone = await network.attached()
        if away:
            network.mme.core.areas.get = _away
        network.enb2.send(
            "path-switch-request",
            enb_ue_s1ap_id=600,
            e_rab_to_be_switched_dl_list=(ErabTunnel(5, bytes([192, 0, 2, 8]), 9),),
            source_mme_ue_s1ap_id=phone.mme_id,
            eutran_cgi=Ecgi(PLMN, 2 << 8 | 1),
            tai=TAI,
            ue_security_capabilities=UeSecurityCapabilities(0xC000, 0xC000),
        )
        await network.settle()
        assert ("path-switch-request-failure" in network.enb2.names()) is away
        assert ("ue-context-release-command" in network.enb.names()) is away
        assert (network.session() is None) is away


async def test_a_device_in_another_cell_is_detached_to_come_again_while_the_areas_cannot_be_read(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.mme.core.areas.get = _away
        phone.cell = Ecgi(PLMN, 1 << 8 | 2)
        phone.send(Message(_T.EMM_STATUS, emm_cause=EmmCause.SEMANTICALLY_INCORRECT_MESSAGE))
        await network.settle()
        detach = phone.got[-1]
        assert (detach.type, detach["detach_type"] & 7) == (_T.DETACH_REQUEST, 1)
        assert detach.get("emm_cause") is None
        assert network.session() is None


@pytest.mark.parametrize("known", [True, False])
async def test_a_message_from_the_same_cell_asks_nothing(run: Any, known: bool) -> None:  # noqa: FBT001
    async with run() as network:
        phone = await network.attached()
        asked: list[str] = []
        network.mme.core.areas.get = asked.append
        phone.cell = Ecgi(PLMN, 1 << 8 | (1 if known else 2))
        phone.send(Message(_T.EMM_STATUS, emm_cause=EmmCause.SEMANTICALLY_INCORRECT_MESSAGE))
        await network.settle()
        assert asked == ([] if known else [IMSI])


@pytest.mark.parametrize(("indicator", "left"), [(0, {2}), (1, {1, 2})])
def test_a_profile_that_is_not_whole_adds_to_what_is_known(indicator: int, left: set[int]) -> None:
    def data(number: int, *, said: int) -> list[Any]:
        point = ("APN-Configuration", [("Context-Identifier", number), ("Service-Selection", f"apn{number}")])
        return [("APN-Configuration-Profile", [("All-APN-Configurations-Included-Indicator", said), point])]

    known = merge_subscription(None, data(1, said=0), MmeConfig().features)
    merged = merge_subscription(known, data(2, said=indicator), MmeConfig().features)
    assert merged.apns.keys() == left


def test_what_a_subscription_does_not_say_of_an_apn() -> None:
    def point(*more: Any) -> Any:
        data = [("APN-Configuration-Profile", [("APN-Configuration", [("Context-Identifier", 3), *more])])]
        return merge_subscription(None, data, MmeConfig().features).apns[3]

    assert astuple(point()) == (
        "",
        9,
        8,
        1,
        0,
        PdnType.IPV4,
        0,
        0,
        (),
    )  # QCI 9; may not pre-empt, may be pre-empted (TS 29.212 5.3.46, 5.3.47)
    priority = [("Priority-Level", 2), ("Pre-emption-Capability", 0), ("Pre-emption-Vulnerability", 1)]
    quality = [("QoS-Class-Identifier", 5), ("Allocation-Retention-Priority", priority)]
    kind = [("PDN-Type", 3), ("AMBR", [("Max-Requested-Bandwidth-UL", 7), ("Max-Requested-Bandwidth-DL", 8)])]
    more = [("EPS-Subscribed-QoS-Profile", quality), *kind, ("Served-Party-IP-Address", "203.0.113.7")]
    told = ("iot", 5, 2, 0, 1, PdnType.IPV4_OR_IPV6, 7, 8, ("203.0.113.7",))
    assert astuple(point(("Service-Selection", "iot"), *more)) == told


# -- who is registered, and who is not any more


async def test_only_the_registered_are_listed_paged_and_detached(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        call = network.mme.manage
        assert [each["imsi"] for each in await call(Role.OPERATOR, "GET", "/sessions")] == [IMSI]
        phone.send(Message(_T.DETACH_REQUEST, detach_type=1, nas_key_set_identifier=0, **_named(phone)))
        await network.settle()
        assert network.mme.core.by_imsi[IMSI].bearer is None  # its context stays, with its keys
        assert await call(Role.OPERATOR, "GET", "/sessions") == []
        for method, path in (("GET", ""), ("POST", "/page"), ("DELETE", "")):
            with pytest.raises(ManagementError) as caught:
                await call(Role.OPERATOR, method, f"/sessions/{IMSI}{path}")
            assert caught.value.status == 404


def _named(phone: Any) -> dict[str, Any]:
    return {"eps_mobile_identity": MobileIdentity(IdentityType.GUTI, phone.guti)}


async def test_a_device_that_comes_to_the_target_too_late_stays_with_the_source(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        _required(phone)
        await network.settle()
        mme_id = network.enb2.last("handover-request")["mme_ue_s1ap_id"]
        network.enb2.send(
            "handover-request-acknowledge",
            mme_ue_s1ap_id=mme_id,
            enb_ue_s1ap_id=500,
            e_rab_admitted_list=(ErabAdmitted(5, bytes([192, 0, 2, 8]), 3),),
            target_to_source_transparent_container=b"from target",
        )
        await network.sleep(11)
        cell = Ecgi(PLMN, 2 << 8 | 1)
        network.enb2.send("handover-notify", mme_ue_s1ap_id=mme_id, enb_ue_s1ap_id=500, eutran_cgi=cell, tai=TAI)
        await network.settle()
        assert network.session()["cell"] == "001-01-0000101"
        assert phone.released == []
        _required(phone)
        await network.settle()
        assert network.enb2.names().count("handover-request") == 2, "it may be handed over again"


async def test_a_context_that_is_set_up_when_nobody_asked_changes_nothing(run: Any) -> None:
    async with run() as network:
        for waits in (_T.AUTHENTICATION_REQUEST, _T.SECURITY_MODE_COMMAND):
            phone = network.phone(replies={waits: None})
            phone.attach()
            await network.settle()
            tunnel = ErabTunnel(5, bytes([192, 0, 2, 66]), 66)
            phone.up("initial-context-setup-response", e_rab_setup_list_ctxt_su_res=(tunnel,))
            await network.settle()
            assert network.session() is None
        phone = await network.attached(enb_id=9)
        bearer = network.mme.core.by_imsi[IMSI].bearer
        assert (bearer.enb.teid, bearer.enb.address) == (77, "192.0.2.9")
        await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.settle()


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (Message(_T.DETACH_ACCEPT), True),
        (
            Message(_T.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT, eps_bearer_identity=5, procedure_transaction_identity=0),
            False,
        ),
    ],
)
async def test_what_nothing_waits_for_is_answered_by_a_status_if_it_is_of_emm(
    run: Any, message: Message, *, status: bool
) -> None:
    async with run() as network:
        phone = await network.attached()
        before = len(phone.got)
        phone.send(message)
        await network.settle()
        assert [each.type for each in phone.got[before:]] == ([_T.EMM_STATUS] if status else [])
        assert network.session()["state"] == "connected"


async def test_an_emergency_call_without_a_card_is_forgotten_when_it_is_over(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.attach(eps_attach_type=6)
        await network.settle()
        held = network.mme.core.by_imsi[IMSI]
        assert held.emergency
        m_tmsi = held.guti.m_tmsi
        phone.idle()
        await network.sleep(3600)
        assert IMSI not in network.mme.core.by_imsi
        assert m_tmsi not in network.mme.core.by_m_tmsi


async def test_nothing_is_left_of_a_connection_that_ended(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        enb = network.mme.core.connections[phone.mme_id].enb
        assert list(enb.connections) == [phone.enb_id]
        phone.idle()
        await network.settle()
        assert (enb.connections, network.mme.core.connections) == ({}, {})


async def test_a_procedure_ends_with_its_connection_that_the_base_station_has_released_unasked(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.AUTHENTICATION_REQUEST] = None
        phone.attach()
        await network.settle()
        procedure = network.mme.core.connections[phone.mme_id].procedure
        assert not procedure.done()
        phone.up("ue-context-release-complete")
        await network.settle()
        assert procedure.cancelled()
        asked = len(phone.got)
        await network.sleep(60)
        assert len(phone.got) == asked  # by no T3460


async def test_a_sleeper_that_is_paged_to_be_detached_is_told_that_and_nothing_else(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        await network.mme.manage(Role.OPERATOR, "DELETE", f"/sessions/{IMSI}")
        await network.settle()
        assert "paging" in network.enb.names()
        phone.service()
        await network.settle()
        assert phone.types() == [_T.DETACH_REQUEST]
        assert (phone.bearers, network.session()) == (0, None)


@pytest.mark.parametrize(
    ("experimental", "result", "failed"),
    [
        (None, ResultCode.DIAMETER_UNABLE_TO_COMPLY, True),  # the HSS failed
        (None, ResultCode.DIAMETER_AUTHORIZATION_REJECTED, False),  # it judged the card
        (ExperimentalResult.DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE, None, True),
        (ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN, None, False),
    ],
)
def test_a_rejection_is_demanded_where_the_register_failed(experimental: Any, result: Any, *, failed: bool) -> None:
    answer: Any = SimpleNamespace(experimental_result=experimental, result_code=None if result is None else int(result))
    assert bool(demanded_by(answer)) is failed


# -- who proves who it is


async def test_a_service_request_under_another_key_set_is_refused(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.security.ksi = (phone.security.ksi + 1) % 7
        phone.first(phone.security.service_request(), s_tmsi=True)
        await network.settle()
        assert phone.got[-1]["emm_cause"] is _UNKNOWN
        assert network.session()["state"] == "idle"
        assert any("key set" in reason for reason in network.peer_faults())


async def test_an_update_under_another_key_set_proves_nothing(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.security.ksi = (phone.security.ksi + 1) % 7
        before = len(network.hss.asked)
        phone.update()
        await network.settle()
        assert "authentication-information" in network.hss.names()[before:]


async def test_a_service_request_on_a_connection_that_is_secure_is_ignored(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.raw(phone.security.service_request())
        await network.settle()
        assert network.session()["state"] == "connected"
        assert any("is established" in reason for reason in network.peer_faults())


async def test_an_answer_without_a_vector_lets_nobody_in(run: Any) -> None:
    async with run() as network:
        network.hss.answers["authentication-information"] = []
        network.phone().attach()
        await network.settle()
        assert network.reject()["emm_cause"] is EmmCause.NETWORK_FAILURE
        refused = network.decisions("mme.hss")[-1]
        assert (refused.admitted, refused.occasion) == (False, "authentication-information")
        assert network.session() is None


async def test_a_device_that_rejects_the_security_mode_is_told_nothing_more(run: Any) -> None:
    def refuse(phone: Any, _message: Message) -> None:
        phone.secured = False
        phone.send(Message(_T.SECURITY_MODE_REJECT, emm_cause=EmmCause.SECURITY_MODE_REJECTED_UNSPECIFIED))

    async with run() as network:
        phone = network.phone(replies={_T.SECURITY_MODE_COMMAND: refuse})
        phone.attach()
        await network.settle()
        assert phone.types()[-1] is _T.SECURITY_MODE_COMMAND
        assert network.session() is None
        assert phone.released != []
        assert "update-location" not in network.hss.names()


# -- what base stations say


@pytest.mark.parametrize(("tac", "bearer"), [(2, 5), (1, 6)])
async def test_no_path_is_switched_to_a_strange_tracking_area_or_without_the_default_bearer(
    run: Any, tac: int, bearer: int
) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb2.send(
            "path-switch-request",
            enb_ue_s1ap_id=600,
            e_rab_to_be_switched_dl_list=(ErabTunnel(bearer, bytes([192, 0, 2, 8]), 9),),
            source_mme_ue_s1ap_id=phone.mme_id,
            eutran_cgi=Ecgi(PLMN, 2 << 8 | 1),
            tai=Tai(PLMN, tac),
            ue_security_capabilities=UeSecurityCapabilities(0xC000, 0xC000),
        )
        await network.settle()
        assert network.enb2.last("path-switch-request-failure")["cause"] is CauseRadioNetwork.HO_TARGET_NOT_ALLOWED
        assert network.session()["cell"] == "001-01-0000101"


@pytest.mark.parametrize(
    ("cause", "lost"),
    [
        (CauseRadioNetwork.UNKNOWN_MME_UE_S1AP_ID, True),
        (CauseRadioNetwork.UNKNOWN_ENB_UE_S1AP_ID, True),
        (CauseRadioNetwork.UNKNOWN_PAIR_UE_S1AP_ID, True),
        (CauseRadioNetwork.UNSPECIFIED, False),
    ],
)
async def test_a_connection_that_its_base_station_does_not_know_is_gone(run: Any, cause: Any, *, lost: bool) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb2.send("error-indication", mme_ue_s1ap_id=phone.mme_id, cause=cause)
        await network.settle()
        assert network.session()["state"] == "connected"
        phone.up("error-indication", cause=cause)
        await network.settle()
        assert network.session()["state"] == ("idle" if lost else "connected")


async def test_a_target_of_a_handover_that_was_given_up_is_released_once(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        _required(phone)
        await network.settle()
        network.enb2.send(
            "handover-request-acknowledge",
            mme_ue_s1ap_id=network.enb2.last("handover-request")["mme_ue_s1ap_id"],
            enb_ue_s1ap_id=500,
            e_rab_admitted_list=(ErabAdmitted(5, bytes([192, 0, 2, 8]), 3),),
            target_to_source_transparent_container=b"from target",
        )
        await network.settle()
        phone.up("handover-cancel", cause=CauseRadioNetwork.HO_TARGET_NOT_ALLOWED)
        await network.sleep(20)
        assert network.enb2.names().count("ue-context-release-command") == 1
        network.enb2.send("handover-failure", mme_ue_s1ap_id=999, cause=CauseRadioNetwork.UNSPECIFIED)
        await network.settle()
        assert network.enb2.names()[-1] == "error-indication"


async def test_a_withdrawn_profile_takes_every_apn(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        flags = int(DsrFlags.COMPLETE_APN_CONFIGURATION_PROFILE_WITHDRAWAL)
        unknown = await network.hss.order(
            "Delete-Subscriber-Data-Request", [("User-Name", "001010000000099"), ("DSR-Flags", flags)]
        )
        assert unknown.experimental_result == ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN
        told = await network.hss.order("Delete-Subscriber-Data-Request", [USER, ("DSR-Flags", flags)])
        await network.settle()
        assert told.success
        assert phone.got[-1].type is _T.DETACH_REQUEST
        assert network.session() is None
        assert network.mme.core.by_imsi[IMSI].subscription.apns == {}


async def test_numbers_of_no_connection_are_told_as_they_came(run: Any) -> None:
    async with run() as network:
        await network.attached()
        network.enb.send("handover-cancel", mme_ue_s1ap_id=999, enb_ue_s1ap_id=77, cause=CauseRadioNetwork.UNSPECIFIED)
        await network.settle()
        told = network.enb.last("error-indication")
        assert (told["mme_ue_s1ap_id"], told["enb_ue_s1ap_id"]) == (999, 77)


async def test_no_handover_to_a_base_station_that_has_gone(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb2.link.close()
        await network.settle()
        _required(phone)
        await network.settle()
        assert network.enb.last("handover-preparation-failure")["cause"] is CauseRadioNetwork.UNKNOWN_TARGET_ID
        assert network.session()["state"] == "connected"


def test_no_two_devices_get_one_temporary_identity() -> None:
    drawn, other = iter([5, 0xFFFFFFFF, 7, 9, 11]), UeContext(IMSI, TAI, CELL, CAPABILITY)
    site = SimpleNamespace(rng=SimpleNamespace(getrandbits=lambda _bits: next(drawn)))
    core: Any = SimpleNamespace(site=site, config=MmeConfig(), by_m_tmsi={5: other})
    ue = UeContext("001010000000002", TAI, CELL, CAPABILITY)
    assert Core.allocate_guti(core, ue).m_tmsi == 7
    assert core.by_m_tmsi == {5: other, 7: ue}
    assert [Core.allocate_guti(core, ue).m_tmsi for _ in range(2)] == [9, 11]
    assert core.by_m_tmsi == {5: other, 7: ue, 11: ue}  # 9 never was confirmed, and is nobody's
    Core.confirm_guti(core, ue)
    assert core.by_m_tmsi == {5: other, 11: ue}


@pytest.mark.parametrize(("kind", "changes"), [(0, True), (3, False)])
async def test_a_periodic_update_leaves_the_temporary_identity(run: Any, kind: int, *, changes: bool) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.update(kind)
        await network.settle()
        accepted = next(each for each in phone.got if each.type is _T.TRACKING_AREA_UPDATE_ACCEPT)
        assert ("guti" in accepted) is changes


@pytest.mark.parametrize(("held", "served"), [(None, True), (frozenset({5}), True), (frozenset(), False)])
async def test_a_device_that_holds_no_bearer_is_detached_as_it_believes(
    run: Any, held: frozenset[int] | None, *, served: bool
) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.update(**({} if held is None else {"eps_bearer_context_status": held}))
        await network.settle()
        told = next(each for each in phone.got if each.type.name.startswith("TRACKING_AREA_UPDATE"))
        assert (told.type is _T.TRACKING_AREA_UPDATE_ACCEPT) is served
        assert served or told["emm_cause"] is EmmCause.IMPLICITLY_DETACHED
        assert (network.session() is not None) is served


@pytest.mark.parametrize("order", [("*", "iot"), ("iot", "*"), ("iot", "other")])
def test_an_apn_is_found_by_its_name_else_the_wildcard_is(order: tuple[str, str]) -> None:
    held = Subscription(apns={number: ApnConfiguration(name) for number, name in enumerate(order)})
    named, other = held.find("IoT"), held.find("elsewhere")
    assert named is not None
    assert named.name == "iot"
    assert (other.name if other is not None else "") == ("*" if "*" in order else "")


def test_an_answer_that_has_come_is_not_taken_back_by_its_timer() -> None:
    loop = asyncio.new_event_loop()
    for answer in (Message(_T.DETACH_ACCEPT), True):
        waiting = loop.create_future()
        waiting.set_result(answer)
        s1.expire(waiting)
        assert waiting.result() is answer
    loop.close()
