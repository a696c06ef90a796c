"""S1 set-up, connections, NAS transport, contexts, release and paging, each by its messages."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.enb.context import Phase
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import s1ap, uu
from simwarden.wire.s1ap import CauseMisc, CauseNas, CauseProtocol, CauseRadioNetwork, OverloadAction, TimeToWait
from simwarden.wire.s1ap.enums import ResetAll
from simwarden.wire.s1ap.values import (
    ErabItem,
    ErabToBeSetup,
    ErabTunnel,
    GlobalEnbId,
    Gummei,
    MacroEnbId,
    STmsi,
    SupportedTa,
    UeAssociatedLogicalS1Connection,
    UeS1apIdPair,
)

PLMN = Plmn("001", "01")
TAI = Tai(PLMN, 1)


def test_s1_setup_names_the_enb_and_its_areas(make_bench: Any) -> None:
    bench = make_bench("enb7", cells=[{"tac": 9}, {"tac": 3}, {"tac": 9}])
    request = bench.set_up()
    assert request["global_enb_id"] == GlobalEnbId(PLMN, MacroEnbId(7))
    assert request["supported_tas"] == (SupportedTa(3, (PLMN,)), SupportedTa(9, (PLMN,)))
    assert request["enb_name"] == "enb7"
    assert bench.site.observed["s1", "mme"]["state"] == "up"


def test_s1_setup_is_repeated_after_time_to_wait(make_bench: Any) -> None:
    from simulators.enb.procedures import s1_setup

    bench = make_bench()
    s1_setup.begin(bench.station, bench.mme, bench.s1)
    bench.s1.take()
    bench.from_mme("s1-setup-failure", cause=CauseMisc.UNKNOWN_PLMN, time_to_wait=TimeToWait.V20S)
    assert bench.site.observed["s1", "mme"]["state"] == "refused"
    bench.clock.wind(19.9)
    assert bench.s1.sent == []
    bench.clock.wind(0.2)
    assert bench.s1.take().name == "s1-setup-request"


def test_device_finds_cells(make_bench: Any) -> None:
    bench = make_bench(cells=[{"tac": 1}, {"tac": 2, "barred": True, "cell": 77}])
    device = bench.device()
    device.send(uu.CellSearch())
    first, second = device.link.take().cells
    assert (first.cell, first.tai, first.cell_barred) == (Ecgi(PLMN, 0x101), Tai(PLMN, 1), False)
    assert (second.cell, second.tai, second.cell_barred) == (Ecgi(PLMN, 0x14D), Tai(PLMN, 2), True)


def test_initial_ue_message_carries_where_and_who(bench: Any) -> None:
    device = bench.device()
    initial = device.connect(ue_identity=uu.STmsi(1, 0xC0FFEE), registered_mme=uu.RegisteredMme(PLMN, 4, 1))
    assert initial.name == "initial-ue-message"
    assert initial["nas_pdu"] == b"\x07\x41"
    assert initial["tai"] == TAI
    assert initial["eutran_cgi"] == Ecgi(PLMN, 0x101)
    assert initial["rrc_establishment_cause"] == s1ap.RrcEstablishmentCause.MO_SIGNALLING
    assert initial["s_tmsi"] == STmsi(1, 0xC0FFEE)
    assert initial["gummei"] == Gummei(PLMN, 4, 1)
    assert bench.site.observed["connected", "enb/1"]["devices"] == 1


def test_no_connection_without_an_mme(make_bench: Any) -> None:
    device = make_bench().device()
    device.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(1), uu.EstablishmentCause.MO_DATA))
    assert isinstance(device.link.take(), uu.RrcConnectionReject)


@pytest.mark.parametrize(
    ("action", "cause", "refused"),
    [
        (OverloadAction.REJECT_NON_EMERGENCY_MO_DT, uu.EstablishmentCause.MO_DATA, True),
        (OverloadAction.REJECT_NON_EMERGENCY_MO_DT, uu.EstablishmentCause.MO_SIGNALLING, False),
        (OverloadAction.REJECT_RRC_CR_SIGNALLING, uu.EstablishmentCause.MO_SIGNALLING, True),
        (
            OverloadAction.PERMIT_EMERGENCY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY,
            uu.EstablishmentCause.EMERGENCY,
            False,
        ),
        (
            OverloadAction.PERMIT_EMERGENCY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY,
            uu.EstablishmentCause.MO_VOICE_CALL,
            True,
        ),
        (OverloadAction.REJECT_DELAY_TOLERANT_ACCESS, uu.EstablishmentCause.DELAY_TOLERANT_ACCESS, True),
    ],
)
def test_overload(bench: Any, action: OverloadAction, cause: uu.EstablishmentCause, *, refused: bool) -> None:
    bench.from_mme("overload-start", overload_response=action)
    device = bench.device()
    device.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(1), cause))
    assert isinstance(device.link.take(), uu.RrcConnectionReject) == refused
    bench.from_mme("overload-stop")
    device.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(1), cause))
    assert isinstance(device.link.sent[-1], uu.RrcConnectionSetup)


def test_nas_goes_both_ways(bench: Any) -> None:
    device = bench.device()
    device.connect()
    device.send(uu.UlInformationTransfer(b"\x07\x53"))
    uplink = bench.s1.take()
    assert uplink.name == "uplink-nas-transport"
    assert {**device.ids, "nas_pdu": b"\x07\x53"}.items() <= uplink.ies.items()
    assert (uplink["tai"], uplink["eutran_cgi"]) == (TAI, Ecgi(PLMN, 0x101))
    assert bench.s1.streams[-1] == 1


def test_initial_context_with_as_security_and_bearer(bench: Any) -> None:
    device = bench.device()
    device.connect()
    response = device.set_up_context()
    assert response["e_rab_setup_list_ctxt_su_res"] == (ErabTunnel(*bench.end()),)
    assert device.radio.ue.phase == Phase.ACTIVE
    assert "01020304" not in repr(device.radio.ue.key)
    assert repr(device.radio.ue.key) == "SecurityKeys(ncc=0)"


@pytest.mark.parametrize(
    ("ciphering", "integrity", "chosen"),
    [(0x4000, 0xE000, (2, 2)), (0x8000, 0x8000, (1, 1)), (0, 0xC000, (0, 2)), (0, 0, (0, 0)), (0xE000, 0x2000, None)],
)
def test_algorithms(bench: Any, ciphering: int, integrity: int, chosen: tuple[int, int] | None) -> None:
    device = bench.device()
    device.connect()
    capabilities = s1ap.values.UeSecurityCapabilities(ciphering, integrity)
    bench.from_mme("initial-context-setup-request", **device.context() | {"ue_security_capabilities": capabilities})
    if chosen:
        assert device.link.take() == uu.SecurityModeCommand(*chosen)
    else:
        failure = bench.s1.take()
        assert failure.name == "initial-context-setup-failure"
        assert failure["cause"].spec_name == "encryption-and-or-integrity-protection-algorithms-not-supported"


@pytest.mark.parametrize("how", ["refuses", "vanishes", "is silent"])
def test_context_set_up_fails_with_the_device(bench: Any, how: str) -> None:
    device = bench.device()
    device.connect()
    bench.from_mme("initial-context-setup-request", **device.context())
    if how == "refuses":
        device.send(uu.SecurityModeFailure())
    elif how == "vanishes":
        device.vanish()
    else:
        bench.clock.wind(6)
    failure = bench.s1.take()
    assert failure.name == "initial-context-setup-failure"
    assert failure["cause"] == CauseRadioNetwork.FAILURE_IN_RADIO_INTERFACE_PROCEDURE


def test_release_by_the_mme(bench: Any) -> None:
    device = bench.attached()
    ids = UeS1apIdPair(*device.ids.values())
    bench.from_mme("ue-context-release-command", ue_s1ap_ids=ids, cause=CauseNas.NORMAL_RELEASE)
    assert device.link.take() == uu.RrcConnectionRelease()
    complete = bench.s1.take()
    assert complete.name == "ue-context-release-complete"
    assert complete["user_location_information"].eutran_cgi == Ecgi(PLMN, 0x101)
    assert not bench.station.ues
    assert bench.site.observed["connected", "enb/1"]["devices"] == 0


def test_release_by_the_mmes_number_alone(bench: Any) -> None:
    device = bench.attached()
    number = device.ids["mme_ue_s1ap_id"]
    bench.from_mme("ue-context-release-command", ue_s1ap_ids=number, cause=CauseNas.DETACH)
    assert bench.s1.take()["enb_ue_s1ap_id"] == device.ids["enb_ue_s1ap_id"]


def test_release_after_ten_quiet_seconds(bench: Any) -> None:
    device = bench.attached()
    bench.clock.wind(9)
    device.send(uu.UserData(5, b"\x45"))
    bench.clock.wind(9.9)
    assert bench.s1.sent == []
    bench.clock.wind(0.2)
    request = bench.s1.take()
    assert request.name == "ue-context-release-request"
    assert request["cause"] == CauseRadioNetwork.USER_INACTIVITY
    bench.clock.wind(20)  # the MME says nothing: the connection is not kept for ever
    assert device.link.take() == uu.RrcConnectionRelease()
    assert not bench.station.ues


def test_never_released_when_so_configured(make_bench: Any) -> None:
    bench = make_bench(inactivity=0)
    bench.set_up()
    bench.attached()
    bench.clock.wind(1e6)
    assert bench.s1.sent == []


def test_device_that_vanishes_is_reported(bench: Any) -> None:
    device = bench.attached()
    device.vanish()
    request = bench.s1.take()
    assert request["cause"] == CauseRadioNetwork.RADIO_CONNECTION_WITH_UE_LOST
    bench.from_mme("downlink-nas-transport", **device.ids, nas_pdu=b"\x07")
    undelivered = bench.s1.take()
    assert undelivered.name == "nas-non-delivery-indication"
    assert undelivered["nas_pdu"] == b"\x07"


def test_device_that_connects_anew_has_lost_its_connection(bench: Any) -> None:
    device = bench.attached()
    device.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(7), uu.EstablishmentCause.MO_SIGNALLING))
    assert bench.s1.take()["cause"] == CauseRadioNetwork.RADIO_CONNECTION_WITH_UE_LOST
    assert isinstance(device.link.take(), uu.RrcConnectionSetup)


def test_device_that_never_completes_is_dropped(bench: Any) -> None:
    device = bench.device()
    device.send(uu.RrcConnectionRequest(0x101, uu.RandomValue(7), uu.EstablishmentCause.MO_SIGNALLING))
    bench.clock.wind(6)
    assert not bench.station.ues
    assert bench.s1.sent == []


def _page(bench: Any, identity: Any, index: int, *areas: Tai) -> None:
    bench.from_mme(
        "paging",
        ue_identity_index_value=index,
        ue_paging_id=identity,
        cn_domain=s1ap.CnDomain.PS,
        tai_list=areas,
    )


def test_paging_reaches_who_listens_there(make_bench: Any) -> None:
    bench = make_bench(cells=[{"tac": 1}, {"tac": 2}])
    bench.set_up()
    here, elsewhere, other_time = bench.device(), bench.device(), bench.device()
    here.send(uu.Camp(0x101, 5))
    elsewhere.send(uu.Camp(0x102, 5))
    other_time.send(uu.Camp(0x101, 6))
    _page(bench, STmsi(1, 2), 5, TAI)
    assert here.link.take() == uu.Paging((uu.STmsi(1, 2),))
    _page(bench, "001010000000001", 5, Tai(PLMN, 2), Tai(PLMN, 3))
    assert elsewhere.link.take() == uu.Paging(("001010000000001",))
    here.send(uu.Camp(0x102, 5))
    _page(bench, STmsi(1, 2), 5, TAI)
    here.vanish()
    _page(bench, STmsi(1, 2), 5, Tai(PLMN, 2))
    assert [len(device.link.sent) for device in (here, elsewhere, other_time)] == [0, 1, 0]


def test_connected_device_hears_no_paging(bench: Any) -> None:
    device = bench.device()
    device.send(uu.Camp(0x101, 5))
    device.connect()
    _page(bench, STmsi(1, 2), 5, TAI)
    assert device.link.sent == []


def test_further_bearers(bench: Any) -> None:
    device = bench.attached()
    qos = bench.station.ues[device.ids["enb_ue_s1ap_id"]].bearers[5].qos
    items = tuple(ErabToBeSetup(n, qos, b"\xc0\0\2\1", 9, b"\x27nas") for n in (5, 6))
    bench.from_mme("e-rab-setup-request", **device.ids, e_rab_to_be_setup_list_bearer_su_req=items)
    assert device.link.take() == uu.RrcConnectionReconfiguration((6,), (), (b"\x27nas",))
    device.send(uu.RrcConnectionReconfigurationComplete())
    response = bench.s1.take()
    assert response["e_rab_setup_list_bearer_su_res"] == (ErabTunnel(*bench.end(6)),)
    (failed,) = response["e_rab_failed_to_setup_list_bearer_su_res"]
    assert failed == ErabItem(5, CauseRadioNetwork.MULTIPLE_E_RAB_ID_INSTANCES)
    release = (ErabItem(6, CauseNas.NORMAL_RELEASE), ErabItem(9, CauseNas.NORMAL_RELEASE))
    bench.from_mme("e-rab-release-command", **device.ids, e_rab_to_be_released_list=release, nas_pdu=b"\x27bye")
    assert device.link.take() == uu.RrcConnectionReconfiguration((), (6,), (b"\x27bye",))
    device.send(uu.RrcConnectionReconfigurationComplete())
    response = bench.s1.take()
    assert response["e_rab_release_list_bearer_rel_comp"] == (6,)
    assert response["e_rab_failed_to_release_list"] == (ErabItem(9, CauseRadioNetwork.UNKNOWN_E_RAB_ID),)


def test_bearer_twice_and_nas_too_long(bench: Any) -> None:
    device = bench.device()
    device.connect()
    context = device.context()
    (item,) = context["e_rab_to_be_setup_list_ctxt_su_req"]
    bench.from_mme("initial-context-setup-request", **context | {"e_rab_to_be_setup_list_ctxt_su_req": (item, item)})
    assert bench.s1.take()["cause"] == CauseRadioNetwork.MULTIPLE_E_RAB_ID_INSTANCES
    bench.from_mme("downlink-nas-transport", **device.ids, nas_pdu=bytes(70000))
    assert bench.s1.take()["cause"] == CauseProtocol.SEMANTIC_ERROR
    assert device.link.sent == []


def test_context_modification(bench: Any) -> None:
    device = bench.attached()
    bench.from_mme("ue-context-modification-request", **device.ids, security_key=b"k" * 32)
    assert bench.s1.take().name == "ue-context-modification-response"
    assert device.radio.ue.key.value == b"k" * 32


def test_unknown_numbers_are_error_indications(bench: Any) -> None:
    device = bench.attached()
    bench.from_mme("downlink-nas-transport", mme_ue_s1ap_id=1, enb_ue_s1ap_id=999, nas_pdu=b"")
    indication = bench.s1.take()
    assert indication.name == "error-indication"
    assert indication["cause"] == CauseRadioNetwork.UNKNOWN_ENB_UE_S1AP_ID
    bench.from_mme("downlink-nas-transport", **device.ids | {"mme_ue_s1ap_id": 1}, nas_pdu=b"")
    assert bench.s1.take()["cause"] == CauseRadioNetwork.UNKNOWN_PAIR_UE_S1AP_ID
    assert len(bench.site.faults) == 2


def test_bad_octets_are_answered_and_service_goes_on(bench: Any) -> None:
    from simulators.enb import dispatch

    device = bench.attached()
    for octets in (b"", b"\xff" * 20, b"\x00\x0b\x40\x05\x00\x00\x01\x00\x00"):
        dispatch.from_mme(bench.station, bench.mme, octets)
        indication = bench.s1.take()
        assert indication.name == "error-indication"
        assert indication["cause"] == CauseProtocol.TRANSFER_SYNTAX_ERROR
    bench.from_mme("uplink-nas-transport", **device.ids, nas_pdu=b"", eutran_cgi=Ecgi(PLMN, 1), tai=TAI)
    assert bench.s1.take()["cause"] == CauseProtocol.MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE
    dispatch.from_radio(bench.station, device.radio, b"\x99")
    assert len(bench.site.faults) == 5
    device.send(uu.UlInformationTransfer(b"\x07"))
    assert bench.s1.take().name == "uplink-nas-transport"


def test_error_indication_is_never_answered(bench: Any) -> None:
    bench.from_mme("error-indication", cause=CauseProtocol.UNSPECIFIED)
    assert bench.s1.sent == []
    device = bench.attached()
    bench.from_mme("error-indication", **device.ids, cause=CauseRadioNetwork.UNKNOWN_MME_UE_S1AP_ID)
    assert device.link.take() == uu.RrcConnectionRelease()
    assert bench.s1.sent == []


@pytest.mark.parametrize(
    "message",
    [
        uu.UlInformationTransfer(b"\x07"),
        uu.RrcConnectionSetupComplete(PLMN, b"\x07"),
        uu.MeasurementReport(()),
        uu.RrcConnectionReconfigurationComplete(),
        uu.UserData(5, b""),
        uu.DlInformationTransfer(b"\x07"),
        uu.Camp(0xFFFFF),
    ],
)
def test_frames_out_of_place_are_faults(bench: Any, message: uu.Message) -> None:
    device = bench.device()
    device.send(message)
    assert len(bench.site.faults) == 1
    assert device.link.sent == []
    assert bench.s1.sent == []


def test_reset(bench: Any) -> None:
    first, second = bench.attached(), bench.attached()
    which = (
        UeAssociatedLogicalS1Connection(None, first.ids["enb_ue_s1ap_id"]),
        UeAssociatedLogicalS1Connection(9, None),
    )
    bench.from_mme("reset", cause=CauseMisc.UNSPECIFIED, reset_type=which)
    assert first.link.take() == uu.RrcConnectionRelease()
    assert bench.s1.take()["ue_associated_logical_s1_connection_list_res_ack"] == which
    bench.from_mme("reset", cause=CauseMisc.UNSPECIFIED, reset_type=ResetAll.RESET_ALL)
    assert second.link.take() == uu.RrcConnectionRelease()
    assert bench.s1.take().name == "reset-acknowledge"


def test_devices_go_with_their_s1(bench: Any) -> None:
    from simulators.enb.procedures import interface

    device = bench.attached()
    interface.s1_lost(bench.station, bench.mme)
    assert device.link.take() == uu.RrcConnectionRelease()
    assert bench.site.observed["s1", "mme"]["state"] == "down"


def test_devices_go_back_to_the_mme_that_knows_them(make_bench: Any) -> None:
    from simulators.enb.procedures import s1_setup
    from simwarden.wire.s1ap.values import ServedGummei

    bench = make_bench(mmes=["mme", "mme2"])
    bench.set_up()
    second = bench.station.mmes["mme2"]
    link = type(bench.s1)("mme2", s1ap.decode)
    s1_setup.begin(bench.station, second, link)
    link.take()
    bench.from_mme(
        "s1-setup-response", second, served_gummeis=(ServedGummei((PLMN,), (4,), (2,)),), relative_mme_capacity=0
    )
    for identity, registered, target in (
        (uu.STmsi(2, 1), None, link),
        (uu.RandomValue(1), uu.RegisteredMme(PLMN, 4, 2), link),
        (uu.STmsi(1, 1), None, bench.s1),
        (uu.RandomValue(1), None, bench.s1),  # capacity 0 takes nobody new
    ):
        device = bench.device()
        device.send(uu.RrcConnectionRequest(0x101, identity, uu.EstablishmentCause.MO_DATA))
        device.send(uu.RrcConnectionSetupComplete(PLMN, b"", registered))
        assert target.take().name == "initial-ue-message"
