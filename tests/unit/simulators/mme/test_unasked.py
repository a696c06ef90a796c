"""What an eNB sends unasked, of devices that are not known yet, or are elsewhere by now: it moves nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from odd_enb import without

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.trace.events import Frame
from simwarden.wire import s1ap
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import EmmCause, IdentityType, MessageType
from simwarden.wire.nas.message import Message, encode
from simwarden.wire.nas.security_header import SecurityHeaderType
from simwarden.wire.s1ap import CauseMisc, CauseProtocol, CauseRadioNetwork, HandoverType, RrcEstablishmentCause
from simwarden.wire.s1ap.enums import EventType, ReportArea
from simwarden.wire.s1ap.values import (
    BearerSubjectToStatusTransfer,
    CountValue,
    EnbStatusTransferContainer,
    ErabAdmitted,
    ErabItem,
    ErabTunnel,
    GlobalEnbId,
    MacroEnbId,
    RequestType,
    TargetEnbId,
    UeAssociatedLogicalS1Connection,
    UeSecurityCapabilities,
)

PLMN = Plmn("001", "01")
TAI, HERE, BESIDE = Tai(PLMN, 1), Ecgi(PLMN, 1 << 8 | 1), Ecgi(PLMN, 1 << 8 | 2)
_T, _Radio = MessageType, CauseRadioNetwork
_TUNNEL = (ErabTunnel(5, bytes([192, 0, 2, 77]), 77),)
_LOST = (ErabItem(5, _Radio.UNSPECIFIED),)
_COUNTS = EnbStatusTransferContainer((BearerSubjectToStatusTransfer(5, CountValue(1, 0), CountValue(2, 0)),))

UNASKED: list[tuple[str, dict[str, Any]]] = [
    ("initial-context-setup-response", {"e_rab_setup_list_ctxt_su_res": _TUNNEL}),
    (
        "initial-context-setup-response",
        {"e_rab_setup_list_ctxt_su_res": _TUNNEL, "e_rab_failed_to_setup_list_ctxt_su_res": _LOST},
    ),
    ("e-rab-setup-response", {"e_rab_setup_list_bearer_su_res": _TUNNEL}),
    ("e-rab-setup-response", {"e_rab_failed_to_setup_list_bearer_su_res": _LOST}),
    ("ue-capability-info-indication", {"ue_radio_capability": b"\x2a"}),
    (
        "location-report",
        {
            "eutran_cgi": BESIDE,
            "tai": TAI,
            "request_type": RequestType(EventType.CHANGE_OF_SERVE_CELL, ReportArea.ECGI),
        },
    ),
    ("location-report-failure-indication", {"cause": _Radio.UNSPECIFIED}),
    ("uplink-nas-transport", {"nas_pdu": b"\x07\x60\x6f", "eutran_cgi": BESIDE, "tai": TAI}),
    ("nas-non-delivery-indication", {"nas_pdu": b"\x07", "cause": _Radio.UNSPECIFIED}),
    ("handover-notify", {"eutran_cgi": BESIDE, "tai": TAI}),
    ("handover-cancel", {"cause": _Radio.HANDOVER_CANCELLED}),
    ("enb-status-transfer", {"enb_status_transfer_transparent_container": _COUNTS}),
    ("ue-context-modification-failure", {"cause": _Radio.UNSPECIFIED}),
]
_IDS = [f"{name}-{number}" for number, (name, _) in enumerate(UNASKED)]


async def _asked_who_it_is(network: Any) -> Any:
    """Let a device attach by a GUTI that nobody knows, and be asked for its IMSI."""
    phone = await network.attached_idle()
    phone.replies[_T.IDENTITY_REQUEST] = None
    guti, phone.guti, phone.security = phone.guti, None, None
    stranger = MobileIdentity(IdentityType.GUTI, replace(guti, m_tmsi=7))
    phone.released.clear()
    phone.attach(eps_mobile_identity=stranger)
    await network.settle()
    assert phone.types() == [_T.IDENTITY_REQUEST]
    return phone


@pytest.mark.parametrize(("name", "ies"), UNASKED, ids=_IDS)
async def test_of_a_device_that_has_not_said_who_it_is(run: Any, name: str, ies: dict[str, Any]) -> None:
    async with run() as network:
        phone = await _asked_who_it_is(network)
        phone.up(name, **ies)
        await network.settle()
        assert not phone.released
        assert ("error-indication" in network.enb.names()) == (name == "handover-notify")
        assert network.session()["state"] == "idle"
        phone.take_again(phone.got[0])
        await network.settle()
        assert network.session()["state"] == "connected"


@pytest.mark.parametrize(("name", "ies"), UNASKED, ids=_IDS)
async def test_of_a_device_that_is_at_another_enb_by_now(run: Any, name: str, ies: dict[str, Any]) -> None:
    """The former eNB was told to release the connection, and has not confirmed that yet."""
    async with run() as network:
        phone = await network.attached()
        network.enb.auto = False
        phone.replies[_T.IDENTITY_REQUEST] = None
        former = phone.mme_id, phone.enb_id
        phone.radio = network.enb2
        phone.service()
        await network.settle()
        phone.take_again(phone.got[-1])
        await network.settle()
        before = network.session()
        assert before["cell"] == "001-01-0000201"
        assert network.enb.last("ue-context-release-command")["ue_s1ap_ids"].mme_ue_s1ap_id == former[0]
        ue = network.mme.core.by_imsi[phone.imsi]
        bearer, ends = ue.bearers[5], ue.bearers[5].enb
        network.enb.send(name, mme_ue_s1ap_id=former[0], enb_ue_s1ap_id=former[1], **ies)
        await network.settle()
        assert network.session() == before
        assert (ue.bearers, bearer.enb) == ({5: bearer}, ends)
        assert not phone.released


# -- common messages


@pytest.mark.parametrize("name", ["downlink-nas-transport", "mme-status-transfer"])
async def test_what_only_an_mme_sends(run: Any, name: str) -> None:
    async with run() as network:
        phone = await network.attached()
        content = (
            {"nas_pdu": b"\x07\x60\x6f"} if name[0] == "d" else {"enb_status_transfer_transparent_container": _COUNTS}
        )
        phone.up(name, **content)
        await network.settle()
        assert network.enb.last("error-indication")["cause"] is CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE
        assert network.session()["state"] == "connected"


@pytest.mark.parametrize(
    ("name", "ies"),
    [
        ("e-rab-release-response", {"e_rab_release_list_bearer_rel_comp": (5,)}),
        ("ue-context-modification-response", {}),
        ("ue-context-modification-failure", {"cause": _Radio.UNSPECIFIED}),
        ("nas-non-delivery-indication", {"nas_pdu": b"\x07", "cause": _Radio.UNSPECIFIED}),
    ],
)
async def test_what_needs_nothing_to_be_done_is_no_mistake(run: Any, name: str, ies: dict[str, Any]) -> None:
    async with run() as network:
        phone = await network.attached()
        before = network.session()
        phone.up(name, **ies)
        await network.settle()
        assert "error-indication" not in network.enb.names()
        assert network.peer_faults() == []
        assert network.session() == before


@pytest.mark.parametrize("again", ["request", "failure"])
async def test_a_target_answers_that_was_not_asked(run: Any, again: str) -> None:
    async with run() as network:
        phone = await network.attached()
        ids = {"mme_ue_s1ap_id": phone.mme_id}
        if again == "failure":
            network.enb2.send("handover-failure", **ids, cause=_Radio.UNSPECIFIED)
        else:
            admitted = (ErabAdmitted(5, bytes([192, 0, 2, 8]), 3),)
            network.enb2.send(
                "handover-request-acknowledge",
                **ids,
                enb_ue_s1ap_id=500,
                e_rab_admitted_list=admitted,
                target_to_source_transparent_container=b"from target",
            )
        await network.settle()
        cause = CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE
        assert network.enb2.last("error-indication")["cause"] is cause
        assert network.session()["state"] == "connected"


async def test_an_enb_that_has_not_set_up_s1_complains_and_leaves_without_a_word(run: Any) -> None:
    async with run() as network:
        link = await network.enb.site.connect("S1-MME", "mme")
        link.send(s1ap.encode(s1ap.Message("error-indication", {"cause": _Radio.UNSPECIFIED})))
        await network.settle()
        assert network.peer_faults() == []
        link.close()
        await network.settle()
        assert len(network.mme.core.enbs) == 2
        assert not any("is down" in each for each in network.notes())
        assert len(network.observed("s1")) == 2


async def test_what_comes_from_an_enb_outside_this_process_is_in_the_trace(run: Any) -> None:
    async with run() as network:
        octets = s1ap.encode(s1ap.Message("error-indication", {"cause": _Radio.UNSPECIFIED}))
        for is_internal, frames in ((True, 1), (False, 2)):
            for link in network.mme.core.enbs:
                link.internal = is_internal
            before = len(network.of(Frame))
            network.enb.link.send(octets)
            await network.settle()
            assert len(network.of(Frame)) - before == frames
            assert {each.data for each in network.of(Frame)[before:]} == {octets}


async def test_a_release_that_is_confirmed_late_is_of_nobody(run: Any) -> None:
    async with run() as network:
        await network.attached()
        network.enb.send("ue-context-release-complete", mme_ue_s1ap_id=77, enb_ue_s1ap_id=77)
        await network.settle()
        assert "error-indication" not in network.enb.names()
        assert network.peer_faults() == []


async def test_a_device_in_an_area_that_its_enb_did_not_announce_is_let_go(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.first(encode(phone.attach_request()), tai=Tai(PLMN, 9))
        await network.settle()
        assert (phone.got, phone.released) == ([], [_Radio.UNSPECIFIED])
        assert network.mme.core.connections == {}


async def test_of_an_enb_that_leaves_only_its_name_is_told(run: Any) -> None:
    async with run() as network:
        network.enb.link.close()
        await network.settle()
        assert network.observed("s1", key="enb")[-1] is None
        assert network.observed("s1", key="enb2")[-1] is not None
        assert len(network.mme.core.enbs) == 1


async def test_a_device_whose_cell_an_enb_does_not_tell_is_in_no_cell_that_there_is(run: Any) -> None:
    """The E-CGI of an INITIAL UE MESSAGE is ignored where it is missing (9.1.7.1, 10.3.5)."""
    async with run() as network:
        phone = network.phone(replies={_T.AUTHENTICATION_REQUEST: None})
        network.enb.phones[phone.enb_id] = phone
        network.enb.link.send(
            without(
                "initial-ue-message",
                "eutran_cgi",
                enb_ue_s1ap_id=phone.enb_id,
                nas_pdu=encode(phone.attach_request()),
                tai=TAI,
                eutran_cgi=HERE,
                rrc_establishment_cause=RrcEstablishmentCause.MO_SIGNALLING,
            )
        )
        await network.settle()
        assert phone.types() == [_T.AUTHENTICATION_REQUEST]
        (conn,) = network.mme.core.connections.values()
        assert conn.cell == Ecgi(PLMN, 0)
        other = network.phone(imsi="001010000000002", enb_id=40, replies={_T.AUTHENTICATION_REQUEST: None})
        other.attach()
        await network.settle()
        assert network.mme.core.connections[other.mme_id].cell == HERE
        phone.take_again(phone.got[0])
        await network.settle()
        assert network.session()["cell"] == "001-01-0000101", "which the messages after it tell"


async def test_a_device_that_is_where_it_was_is_not_judged_anew(run: Any) -> None:
    async with run() as network:
        approval = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}
        body = {"cells": ["001-01-0000101", "001-01-0000102"], **approval}
        await network.mme.manage(Role.OPERATOR, "PUT", "/cards/001010000000001/area", body)
        phone = await network.attached()
        before = len(network.decisions("area.cell"))
        phone.raw(b"\x07\x60\x6f")
        await network.settle()
        assert len(network.decisions("area.cell")) == before
        phone.cell = BESIDE
        for _ in range(2):
            phone.raw(b"\x07\x60\x6f")
            await network.settle()
        assert len(network.decisions("area.cell")) == before + 1


async def test_an_element_that_is_not_understood_is_told_if_its_sender_wants_to_know(run: Any) -> None:
    """Criticality notify (10.3.4.2): the rest of the message counts all the same."""
    async with run() as network:
        phone = await network.attached()
        ids = {"mme_ue_s1ap_id": phone.mme_id, "enb_ue_s1ap_id": phone.enb_id}
        plain = s1ap.encode(s1ap.Message("ue-context-release-request", {**ids, "cause": _Radio.USER_INACTIVITY}))
        count, strange = plain[6] + 1, bytes.fromhex("0fff8001aa")
        network.enb.link.send(
            plain[:3] + bytes([plain[3] + len(strange)]) + plain[4:6] + bytes([count]) + plain[7:] + strange
        )
        await network.settle()
        told = network.enb.last("error-indication")
        assert told["cause"] is CauseProtocol.ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY
        assert [each.ie_id for each in told["criticality_diagnostics"].ies] == [0x0FFF]
        assert network.session()["state"] == "idle"


_UNKNOWN = [_Radio.UNKNOWN_MME_UE_S1AP_ID, _Radio.UNKNOWN_ENB_UE_S1AP_ID, _Radio.UNKNOWN_PAIR_UE_S1AP_ID]


@pytest.mark.parametrize(
    ("who", "number", "cause", "state"),
    [
        *(("enb", 0, cause, "idle") for cause in _UNKNOWN),
        ("enb", 0, _Radio.UNSPECIFIED, "connected"),
        ("enb", 7, _UNKNOWN[0], "connected"),
        ("enb2", 0, _UNKNOWN[0], "connected"),
        ("enb", None, _UNKNOWN[0], "connected"),
    ],
)
async def test_a_connection_is_gone_that_its_own_enb_does_not_know(
    run: Any, who: str, number: int | None, cause: Any, state: str
) -> None:
    async with run() as network:
        phone = await network.attached()
        ids = {} if number is None else {"mme_ue_s1ap_id": phone.mme_id + number}
        getattr(network, who).send("error-indication", cause=cause, **ids)
        await network.settle()
        assert network.session()["state"] == state


@pytest.mark.parametrize(
    ("who", "mme_id", "enb_id", "state"),
    [
        ("enb", 0, None, "idle"),
        ("enb", None, 0, "idle"),
        ("enb", 7, None, "connected"),
        ("enb2", 0, None, "connected"),
        ("enb", None, 7, "connected"),
        ("enb", None, None, "connected"),
    ],
)
async def test_a_reset_ends_the_connections_of_its_own_enb_that_it_lists(
    run: Any, who: str, mme_id: int | None, enb_id: int | None, state: str
) -> None:
    async with run() as network:
        phone = await network.attached()
        numbers = (
            None if mme_id is None else phone.mme_id + mme_id,
            None if enb_id is None else phone.enb_id + enb_id,
        )
        listed = (UeAssociatedLogicalS1Connection(*numbers),)
        getattr(network, who).send("reset", cause=CauseMisc.UNSPECIFIED, reset_type=listed)
        await network.settle()
        acknowledged = getattr(network, who).last("reset-acknowledge")
        assert acknowledged["ue_associated_logical_s1_connection_list_res_ack"] == listed
        assert network.session()["state"] == state


# -- NAS


def _handover() -> dict[str, Any]:
    return {
        "handover_type": HandoverType.INTRALTE,
        "cause": _Radio.HANDOVER_DESIRABLE_FOR_RADIO_REASON,
        "target_id": TargetEnbId(GlobalEnbId(PLMN, MacroEnbId(2)), TAI),
        "source_to_target_transparent_container": b"from source",
    }


async def test_no_path_is_switched_of_a_device_that_has_not_said_who_it_is(run: Any) -> None:
    async with run() as network:
        phone = await _asked_who_it_is(network)
        network.enb2.send(
            "path-switch-request",
            enb_ue_s1ap_id=600,
            e_rab_to_be_switched_dl_list=_TUNNEL,
            source_mme_ue_s1ap_id=phone.mme_id,
            eutran_cgi=Ecgi(PLMN, 2 << 8 | 1),
            tai=TAI,
            ue_security_capabilities=UeSecurityCapabilities(0xC000, 0xC000),
        )
        await network.settle()
        assert network.enb2.last("path-switch-request-failure")["cause"] is _Radio.UNKNOWN_MME_UE_S1AP_ID


@pytest.mark.parametrize(
    ("octets", "answer"),
    [*((faulty, [_T.EMM_STATUS]) for faulty in ("07ff", "074171", "0748")), ("075304aabbccdd", []), ("0e", [])],
)
async def test_faulty_or_strange_octets_end_no_procedure(run: Any, octets: str, answer: list[Any]) -> None:
    """Neither a message that cannot be read nor an AUTHENTICATION RESPONSE that nothing waits for."""
    async with run() as network:
        phone = await _asked_who_it_is(network)
        phone.raw(bytes.fromhex(octets))
        await network.settle()
        assert phone.types()[1:] == answer
        assert not phone.released
        phone.take_again(phone.got[0])
        await network.settle()
        assert network.session()["state"] == "connected"


@pytest.mark.parametrize("kind", [SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED, SecurityHeaderType(1)])
@pytest.mark.parametrize("octets", ["074171", "0748", "074501"])
async def test_a_faulty_request_of_a_device_in_service_ends_nothing(
    run: Any, octets: str, kind: SecurityHeaderType
) -> None:
    """Protected as it should be, so that it is the device's own: a status, and no reject (TS 24.301 7)."""
    async with run() as network:
        phone = await network.attached()
        pdu = phone.security.protect(bytes.fromhex(octets), kind)
        phone.raw(pdu)
        await network.settle()
        assert (phone.got[-1].type, phone.got[-1]["emm_cause"]) == (
            _T.EMM_STATUS,
            EmmCause.INVALID_MANDATORY_INFORMATION,
        )
        assert network.session()["state"] == "connected"


async def test_a_connection_is_asked_for_before_the_attach_is_complete(run: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.replies[_T.ATTACH_ACCEPT] = None
        phone.attach()
        await network.settle()
        phone.send(
            Message(
                _T.PDN_CONNECTIVITY_REQUEST,
                eps_bearer_identity=0,
                procedure_transaction_identity=9,
                request_type=1,
                pdn_type=1,
            )
        )
        await network.settle()
        assert phone.types()[-1] is _T.ATTACH_ACCEPT
        assert len(network.mme.core.connections) == 1
        assert any("PDN_CONNECTIVITY_REQUEST that nothing waits for" in each for each in network.peer_faults())


async def test_a_detached_device_that_detaches_for_messages_only_is_not_handed_over(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        network.mme.core.end_session(network.mme.core.by_imsi[phone.imsi])
        request = Message(
            _T.DETACH_REQUEST,
            detach_type=2,
            nas_key_set_identifier=phone.security.ksi,
            eps_mobile_identity=MobileIdentity(IdentityType.GUTI, phone.guti),
        )
        phone.first(phone.protected(request))
        phone.secured = True
        await network.settle()
        assert phone.types() == [_T.DETACH_ACCEPT]
        phone.up("handover-required", **_handover())
        await network.settle()
        cause = _Radio.INTERACTION_WITH_OTHER_PROCEDURE
        assert network.enb.last("handover-preparation-failure")["cause"] is cause
