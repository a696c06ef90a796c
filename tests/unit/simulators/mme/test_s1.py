"""The S1 side: set-up, numbers, reset, lost eNBs, handover, and octets that nobody should send."""

from __future__ import annotations

import random
from typing import Any

import pytest

from simwarden.machine.eps_keys import nh
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import s1ap
from simwarden.wire.nas.enums import EmmCause, MessageType
from simwarden.wire.s1ap import CauseMisc, CauseNas, CauseProtocol, CauseRadioNetwork, HandoverType
from simwarden.wire.s1ap.enums import ResetAll
from simwarden.wire.s1ap.values import (
    BearerSubjectToStatusTransfer,
    CountValue,
    EnbStatusTransferContainer,
    ErabAdmitted,
    ErabTunnel,
    GlobalEnbId,
    MacroEnbId,
    SupportedTa,
    TargetEnbId,
    UeAssociatedLogicalS1Connection,
    UeSecurityCapabilities,
)

PLMN = Plmn("001", "01")
TAI = Tai(PLMN, 1)
_T = MessageType
_Radio = CauseRadioNetwork


async def test_set_up_tells_what_is_served(run: Any) -> None:
    async with run() as network:
        response = network.enb.last("s1-setup-response")
        served = response["served_gummeis"][0]
        assert (served.served_plmns, served.served_group_ids, served.served_mmecs) == ((PLMN,), (32769,), (1,))


@pytest.mark.parametrize(
    ("arguments", "cause"), [({"plmn": Plmn("999", "70")}, CauseMisc.UNKNOWN_PLMN), ({"tac": 9}, _Radio.UNSPECIFIED)]
)
async def test_an_enb_of_another_network_or_area_is_refused(run: Any, arguments: dict[str, Any], cause: Any) -> None:
    async with run(tracking_areas=(1, 2)) as network:
        network.enb.setup(**arguments)
        await network.settle()
        assert network.enb.last("s1-setup-failure")["cause"] is cause
        network.phone().attach()
        await network.settle()
        assert network.enb.last("error-indication")["cause"] is CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE


async def test_a_second_set_up_erases_what_was_there(run: Any) -> None:
    async with run() as network:
        await network.attached()
        network.enb.setup()
        await network.settle()
        assert network.enb.names()[-1] == "s1-setup-response"
        assert network.session()["state"] == "idle"
        assert network.mme.core.connections == {}


async def test_of_an_enb_that_is_let_in_with_strange_areas_those_are_served_that_are_ours(run: Any) -> None:
    async with run({"mme.enb": "always-admit"}, tracking_areas=(1, 2)) as network:
        for areas, served in (((2, 9), [2]), ((9,), [9])):
            network.enb.send(
                "s1-setup-request",
                global_enb_id=GlobalEnbId(PLMN, MacroEnbId(1)),
                supported_tas=tuple(SupportedTa(tac, (PLMN, Plmn("999", "70"))) for tac in areas),
                default_paging_drx=s1ap.PagingDrx.V64,
            )
            await network.settle()
            (enb,) = [each for each in network.mme.core.enbs.values() if each.identity == 1]
            assert enb.tais == {Tai(PLMN, tac) for tac in served}


async def test_numbers_of_no_connection_are_complained_about(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        right = phone.mme_id
        phone.mme_id = 999
        phone.raw(b"\x07\x60\x6f")
        await network.settle()
        assert network.enb.last("error-indication")["cause"] is _Radio.UNKNOWN_MME_UE_S1AP_ID
        phone.mme_id, phone.enb_id = right, 888
        phone.raw(b"\x07\x60\x6f")
        await network.settle()
        assert network.enb.last("error-indication")["cause"] is _Radio.UNKNOWN_PAIR_UE_S1AP_ID
        assert network.session()["state"] == "connected"


async def test_another_enb_cannot_speak_for_a_device(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        network.enb2.send(
            "ue-context-release-request",
            mme_ue_s1ap_id=phone.mme_id,
            enb_ue_s1ap_id=phone.enb_id,
            cause=_Radio.USER_INACTIVITY,
        )
        await network.settle()
        assert network.session()["state"] == "connected"
        assert network.enb2.last("error-indication")["cause"] is _Radio.UNKNOWN_MME_UE_S1AP_ID


@pytest.mark.parametrize("partly", [True, False])
async def test_reset_leaves_devices_idle(run: Any, partly: bool) -> None:  # noqa: FBT001
    async with run() as network:
        phone = await network.attached()
        kind = (UeAssociatedLogicalS1Connection(phone.mme_id, None),) if partly else ResetAll.RESET_ALL
        network.enb.send("reset", cause=CauseMisc.UNSPECIFIED, reset_type=kind)
        await network.settle()
        listed = network.enb.last("reset-acknowledge").get("ue_associated_logical_s1_connection_list_res_ack")
        assert listed == (kind if partly else None)
        assert network.session()["state"] == "idle"
        assert network.mme.core.connections == {}


async def test_a_lost_enb_leaves_devices_idle_and_ends_what_was_under_way(run: Any) -> None:
    async with run() as network:
        await network.attached()
        other = network.phone(imsi="001010000000002", enb_id=30)
        other.replies[_T.AUTHENTICATION_REQUEST] = None
        other.attach()
        await network.settle()
        network.enb.link.close()
        await network.settle()
        assert network.session()["state"] == "idle"
        core = network.mme.core
        assert (core.connections, list(core.by_imsi)) == ({}, ["001010000000001"])
        await network.sleep(100)


async def test_a_number_used_again_is_a_new_connection(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        del network.enb.phones[phone.enb_id]
        phone.got.clear()
        phone.service()
        await network.settle()
        assert phone.bearers == 1
        assert len(network.mme.core.connections) == 1


def _required(
    phone: Any, identity: int = 2, tai: Tai = TAI, cause: Any = _Radio.HANDOVER_DESIRABLE_FOR_RADIO_REASON
) -> None:
    phone.up(
        "handover-required",
        handover_type=HandoverType.INTRALTE,
        cause=cause,
        target_id=TargetEnbId(GlobalEnbId(PLMN, MacroEnbId(identity)), tai),
        source_to_target_transparent_container=b"from source",
    )


def _admit(network: Any, number: int = 500) -> int:
    request = network.enb2.last("handover-request")
    mme_id = request["mme_ue_s1ap_id"]
    network.enb2.send(
        "handover-request-acknowledge",
        mme_ue_s1ap_id=mme_id,
        enb_ue_s1ap_id=number,
        e_rab_admitted_list=(ErabAdmitted(5, bytes([192, 0, 2, 8]), 3),),
        target_to_source_transparent_container=b"from target",
    )
    return int(mme_id)


async def test_handover_through_the_mme(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        ue = network.mme.core.by_imsi[phone.imsi]
        first_hop = ue.next_hop
        _required(phone)
        await network.settle()
        request = network.enb2.last("handover-request")
        assert request["security_context"].next_hop_chaining_count == 2
        assert request["security_context"].next_hop_parameter == nh(ue.security.kasme, first_hop)
        assert request["source_to_target_transparent_container"] == b"from source"
        mme_id = _admit(network)
        await network.settle()
        assert network.enb.last("handover-command")["target_to_source_transparent_container"] == b"from target"
        counts = EnbStatusTransferContainer((BearerSubjectToStatusTransfer(5, CountValue(1, 0), CountValue(2, 0)),))
        phone.up("enb-status-transfer", enb_status_transfer_transparent_container=counts)
        await network.settle()
        assert network.enb2.last("mme-status-transfer")["enb_status_transfer_transparent_container"] == counts
        cell = Ecgi(PLMN, 2 << 8 | 1)
        network.enb2.send("handover-notify", mme_ue_s1ap_id=mme_id, enb_ue_s1ap_id=500, eutran_cgi=cell, tai=TAI)
        await network.settle()
        assert phone.released[-1] is _Radio.SUCCESSFUL_HANDOVER
        assert network.session()["cell"] == str(cell)
        assert network.session()["state"] == "connected"
        # NAS goes on over the new connection
        phone.radio, phone.enb_id, phone.mme_id = network.enb2, 500, mme_id
        network.enb2.phones[500] = phone
        await network.hss.order("Cancel-Location-Request", [("User-Name", phone.imsi), ("Cancellation-Type", 2)])
        await network.settle()
        assert phone.got[-1].type is _T.DETACH_REQUEST
        assert network.mme.core.connections == {}


@pytest.mark.parametrize("target", [{"identity": 77}, {"tai": Tai(PLMN, 99)}])
async def test_a_handover_to_nowhere_fails(run: Any, target: dict[str, Any]) -> None:
    async with run() as network:
        phone = await network.attached()
        _required(phone, **target)
        await network.settle()
        assert network.enb.last("handover-preparation-failure")["cause"] is _Radio.UNKNOWN_TARGET_ID


@pytest.mark.parametrize("answer", ["failure", "silence"])
async def test_a_target_that_does_not_admit_leaves_the_device_where_it_is(run: Any, answer: str) -> None:
    async with run() as network:
        phone = await network.attached()
        _required(phone)
        await network.settle()
        if answer == "failure":
            mme_id = network.enb2.last("handover-request")["mme_ue_s1ap_id"]
            cause = _Radio.NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL
            network.enb2.send("handover-failure", mme_ue_s1ap_id=mme_id, cause=cause)
            await network.settle()
            assert network.enb.names()[-1] == "handover-preparation-failure"
            assert "error-indication" not in network.enb2.names()
        await network.sleep(16)
        failure = network.enb.last("handover-preparation-failure")
        assert failure["cause"] is _Radio.HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM
        assert len(network.mme.core.connections) == 1
        assert network.session()["state"] == "connected"


@pytest.mark.parametrize("cause", [CauseMisc.CONTROL_PROCESSING_OVERLOAD, _Radio.UNSPECIFIED, CauseNas.NORMAL_RELEASE])
async def test_why_an_enb_wants_something_goes_on_whatever_its_number_is(run: Any, cause: Any) -> None:
    """Of each group of causes the first is number 0 (9.2.1.3)."""
    async with run() as network:
        phone = await network.attached()
        _required(phone, cause=cause)
        await network.settle()
        assert network.enb2.last("handover-request")["cause"] is cause
        phone.up("ue-context-release-request", cause=cause)
        await network.settle()
        assert phone.released == [cause]


@pytest.mark.parametrize("how", ["cancel", "never-notified"])
async def test_a_handover_that_is_not_completed_releases_the_target(run: Any, how: str) -> None:
    async with run() as network:
        phone = await network.attached()
        _required(phone)
        await network.settle()
        mme_id = _admit(network)
        await network.settle()
        if how == "cancel":
            phone.up("handover-cancel", cause=_Radio.HANDOVER_CANCELLED)
        await network.sleep(11)
        assert network.enb2.last("ue-context-release-command")["ue_s1ap_ids"].mme_ue_s1ap_id == mme_id
        assert ("handover-cancel-acknowledge" in network.enb.names()) == (how == "cancel")
        await network.sleep(6)
        assert len(network.mme.core.connections) == 1
        assert network.session()["state"] == "connected"


def _switch(network: Any, phone: Any, **ies: Any) -> None:
    network.enb2.send(
        "path-switch-request",
        **{
            "enb_ue_s1ap_id": 600,
            "e_rab_to_be_switched_dl_list": (ErabTunnel(5, bytes([192, 0, 2, 8]), 9),),
            "source_mme_ue_s1ap_id": phone.mme_id,
            "eutran_cgi": Ecgi(PLMN, 2 << 8 | 1),
            "tai": TAI,
            "ue_security_capabilities": UeSecurityCapabilities(0xC000, 0xC000),
        }
        | ies,
    )


async def test_path_switch_after_a_handover_over_x2(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        _switch(network, phone)
        await network.settle()
        answer = network.enb2.last("path-switch-request-acknowledge")
        assert answer["security_context"].next_hop_chaining_count == 2
        assert network.session()["cell"] == "001-01-0000201"
        _switch(network, phone, enb_ue_s1ap_id=601)
        await network.settle()
        assert network.enb2.last("path-switch-request-acknowledge")["security_context"].next_hop_chaining_count == 3


async def test_a_path_switch_of_nobody_fails(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        _switch(network, phone, source_mme_ue_s1ap_id=4711)
        await network.settle()
        assert network.enb2.last("path-switch-request-failure")["cause"] is _Radio.UNKNOWN_MME_UE_S1AP_ID
        assert network.session()["cell"] == "001-01-0000101"


async def test_an_enb_that_was_not_admitted_brings_no_device(run: Any) -> None:
    """Before S1 SETUP (8.7.3) no message of a device is read."""
    async with run() as network:
        network.enb.link.close()
        network.enb.link = await network.enb.site.connect("S1-MME", "mme")
        network.enb.link.on_receive = network.enb.receive
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert "error-indication" in network.enb.names()
        assert phone.got == []
        assert network.session() is None
        assert any("initial-ue-message makes no sense now" in each for each in network.peer_faults())
        phone.raw(b"\x07\x60\x6f")
        await network.settle()
        assert network.peer_faults()[-1] == "uplink-nas-transport makes no sense now"
        causes = [each["cause"] for each in network.enb.seen if each.name == "error-indication"]
        assert causes == [CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE] * 2


async def test_octets_that_are_no_message_are_answered_and_service_goes_on(run: Any) -> None:
    async with run() as network:
        for octets in (b"", b"\0", b"\xff" * 40, bytes(range(60)), b"\0\x0c\x40\x03\0\0\x01"):
            network.enb.link.send(octets)
        await network.settle()
        assert network.enb.last("error-indication")["cause"] is CauseProtocol.TRANSFER_SYNTAX_ERROR
        await network.attached()


@pytest.mark.parametrize(
    ("criticality", "cause"),
    [
        (0x00, CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT),
        (0x40, None),
        (0x80, CauseProtocol.ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY),
    ],
)
async def test_a_procedure_that_nobody_knows_is_answered_by_its_criticality(
    run: Any, criticality: int, cause: Any
) -> None:
    """TS 36.413 10.3.4.1: what may be ignored is."""
    async with run() as network:
        network.enb.link.send(bytes([0, 0xF0, criticality, 3, 0, 0, 0]))
        await network.settle()
        told = [each["cause"] for each in network.enb.seen if each.name == "error-indication"]
        assert told == ([] if cause is None else [cause])
        assert network.peer_faults() == ["unknown S1AP procedure 240"]


@pytest.mark.parametrize(
    ("octets", "answer", "cause"),
    [
        ("074171", _T.ATTACH_REJECT, EmmCause.INVALID_MANDATORY_INFORMATION),
        ("0748", _T.TRACKING_AREA_UPDATE_REJECT, EmmCause.INVALID_MANDATORY_INFORMATION),
        ("07ff", _T.EMM_STATUS, EmmCause.MESSAGE_TYPE_NON_EXISTENT_OR_NOT_IMPLEMENTED),
        ("17aabbccdd00074171", _T.ATTACH_REJECT, EmmCause.INVALID_MANDATORY_INFORMATION),
        ("5201ff0000000741", _T.EMM_STATUS, EmmCause.MESSAGE_TYPE_NON_EXISTENT_OR_NOT_IMPLEMENTED),
    ],
)
async def test_a_faulty_first_message_is_answered_by_clause_7(run: Any, octets: str, answer: Any, cause: Any) -> None:
    async with run() as network:
        phone = network.phone()
        phone.first(bytes.fromhex(octets))
        await network.settle()
        assert (phone.got[-1].type, phone.got[-1]["emm_cause"]) == (answer, cause)
        assert phone.released


@pytest.mark.parametrize(
    "octets",
    ["", "07", "0e", "c7", "17000000", "270000000001", "52", "0743", "0755", "0746", "075f17", "075304aabbccdd"],
)
async def test_a_first_message_of_no_use_only_ends_its_connection(run: Any, octets: str) -> None:
    async with run() as network:
        phone = network.phone()
        phone.first(bytes.fromhex(octets))
        await network.settle()
        assert phone.released
        assert network.mme.core.connections == {}


async def test_plain_and_forged_messages_after_security_are_discarded(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        phone.got.clear()
        from simwarden.wire.nas.message import encode

        plain = encode(phone.attach_request())
        phone.raw(plain)
        phone.raw(b"\x27\0\0\0\0\x09" + plain)
        phone.raw(b"\x47\0\0\0\0\x09" + plain)
        await network.settle()
        assert phone.got == []
        assert network.session()["state"] == "connected"
        assert len(network.peer_faults()) == 3


@pytest.mark.parametrize("seed", range(8))
async def test_mutilated_messages_never_let_anything_escape(run: Any, seed: int) -> None:
    """Every message of a whole attach and of a handover, bit-flipped and cut, on a living connection."""

    async with run() as network:
        chance = random.Random(seed)
        sent: list[bytes] = []
        original = network.enb.link.send

        def record(data: bytes, **more: Any) -> None:
            sent.append(data)
            original(data, **more)

        network.enb.link = _Recording(network.enb.link, record)
        phone = await network.attached()
        _required(phone)
        await network.settle()
        for _ in range(150):
            octets = bytearray(chance.choice(sent))
            for _ in range(chance.randrange(1, 4)):
                octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
            original(bytes(octets[: chance.randrange(1, len(octets) + 1)] if chance.random() < 0.3 else octets))
            await network.settle()
        await network.sleep(120)
        healthy = network.phone(imsi="001010000000077", enb_id=90000)
        network.enb.setup()
        await network.settle()
        healthy.attach()
        await network.settle()
        assert network.session("001010000000077") is not None


@pytest.mark.parametrize("seed", range(8))
async def test_mutilated_nas_never_lets_anything_escape(run: Any, seed: int) -> None:
    """NAS messages with changed octets: on new connections, inside a procedure, protected by the keys."""
    from simwarden.wire.nas.message import encode
    from simwarden.wire.nas.security_header import SecurityHeaderType

    async with run() as network:
        chance = random.Random(seed)
        phone = await network.attached(imsi="001010000000042", enb_id=100000)
        guti, security = phone.guti, phone.security
        samples = [encode(phone.attach_request()), encode(network.phone().attach_request()), *_uplink_samples(phone)]
        for number in range(120):
            octets = bytearray(chance.choice(samples))
            for _ in range(chance.randrange(3)):
                octets[chance.randrange(1, len(octets))] = chance.randrange(256)
            device = network.phone(enb_id=1000 + number)
            device.replies[_T.AUTHENTICATION_REQUEST] = None if number % 2 else _garbled(chance, samples)
            pdu = bytes(octets)
            if number % 3 == 0:
                pdu = security.protect(pdu, SecurityHeaderType.INTEGRITY_PROTECTED)
            device.guti = guti
            device.first(pdu, s_tmsi=bool(number % 2))
            await network.settle()
            if number % 5 == 0:
                device.raw(bytes(chance.choice(samples)))
        await network.sleep(200)
        healthy = await network.attached(imsi="001010000000077", enb_id=90000)
        healthy.idle()
        await network.settle()
        assert network.mme.core.connections == {}


def _garbled(chance: random.Random, samples: list[bytes]) -> Any:
    return lambda self, _message: self.raw(chance.choice(samples))


def _uplink_samples(phone: Any) -> list[bytes]:
    from simwarden.wire.nas.elements import MobileIdentity
    from simwarden.wire.nas.enums import IdentityType
    from simwarden.wire.nas.message import Message, encode

    guti = MobileIdentity(IdentityType.GUTI, phone.guti)
    inner = encode(Message(_T.ESM_STATUS, eps_bearer_identity=5, procedure_transaction_identity=0, esm_cause=81))
    pdn = {"eps_bearer_identity": 0, "procedure_transaction_identity": 9}
    messages = [
        Message(_T.TRACKING_AREA_UPDATE_REQUEST, eps_update_type=9, nas_key_set_identifier=0, old_guti=phone.guti),
        Message(_T.DETACH_REQUEST, detach_type=1, nas_key_set_identifier=0, eps_mobile_identity=guti),
        Message(_T.AUTHENTICATION_RESPONSE, res=bytes(8)),
        Message(_T.AUTHENTICATION_FAILURE, emm_cause=20),
        Message(_T.AUTHENTICATION_FAILURE, emm_cause=21),
        Message(_T.IDENTITY_RESPONSE, mobile_identity=MobileIdentity(IdentityType.IMSI, "001010000000099")),
        Message(_T.IDENTITY_RESPONSE, mobile_identity=MobileIdentity(IdentityType.NO_IDENTITY, None)),
        Message(_T.SECURITY_MODE_REJECT, emm_cause=23),
        Message(_T.SECURITY_MODE_COMPLETE),
        Message(_T.ATTACH_COMPLETE, esm_message_container=inner),
        Message(_T.PDN_CONNECTIVITY_REQUEST, **pdn, request_type=1, pdn_type=3),
        Message(_T.PDN_DISCONNECT_REQUEST, **pdn, linked_eps_bearer_identity=5),
        Message(_T.DETACH_ACCEPT),
        Message(_T.EMM_STATUS, emm_cause=111),
        Message(_T.UPLINK_NAS_TRANSPORT, nas_message_container=b"\x09\x01"),
        Message(
            _T.EXTENDED_SERVICE_REQUEST,
            service_type=8,
            nas_key_set_identifier=0,
            m_tmsi=MobileIdentity(IdentityType.TMSI, phone.guti.m_tmsi),
        ),
    ]
    return [encode(message) for message in messages]


class _Recording:
    """A link whose sends are kept."""

    def __init__(self, link: Any, send: Any) -> None:
        self._link, self.send = link, send

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)


async def test_every_message_that_the_mme_sent_is_read_by_another_implementation(run: Any) -> None:
    """The S1AP of a whole story, by pycrate."""
    pytest.importorskip("pycrate_asn1dir")
    from pycrate_asn1dir import S1AP

    async with run() as network:
        phone = await network.attached()
        _required(phone)
        await network.settle()
        _admit(network)
        await network.settle()
        pdu = S1AP.S1AP_PDU_Descriptions.S1AP_PDU
        from simwarden.trace.events import Frame

        frames = [frame for frame in network.of(Frame) if frame.source == "mme" and frame.interface == "S1-MME"]
        assert len(frames) >= 7
        for frame in frames:
            pdu.from_aper(frame.data)
            assert pdu.to_aper() == frame.data
            assert s1ap.decode(frame.data)
