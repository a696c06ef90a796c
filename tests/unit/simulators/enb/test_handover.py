"""Handover within an eNB, by S1 from both sides, and by X2 between two eNBs, each by its messages."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.enb.context import Phase
from simwarden.machine.eps_keys import kenb_star
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import s1ap, uu
from simwarden.wire.s1ap import CauseRadioNetwork
from simwarden.wire.s1ap.ies import SOURCE_ENB_TO_TARGET_ENB_CONTAINER
from simwarden.wire.s1ap.values import (
    ErabAdmitted,
    ErabTunnel,
    SecurityContext,
    SourceEnbToTargetEnbContainer,
    UeS1apIdPair,
)

PLMN = Plmn("001", "01")
HERE, NEXT_DOOR, FAR = Ecgi(PLMN, 0x101), Ecgi(PLMN, 0x102), Ecgi(PLMN, 0x201)


def report(cell: Ecgi, tai: Tai | None = None) -> uu.MeasurementReport:
    return uu.MeasurementReport((uu.MeasuredCell(cell, 80, tai),))


def test_within_an_enb_nobody_else_is_told(make_bench: Any) -> None:
    bench = make_bench(cells=[{"tac": 1}, {"tac": 2}])
    bench.set_up()
    device = bench.device()
    device.send(uu.Camp(0x101, 5))
    device.connect()
    device.set_up_context()
    device.send(report(NEXT_DOOR))
    command = device.link.take().mobility_control_info
    assert command.target == NEXT_DOOR
    device.send(uu.RrcConnectionReconfigurationComplete(command.new_ue_identity))
    assert bench.s1.sent == []
    device.send(uu.UlInformationTransfer(b"\x07"))
    uplink = bench.s1.take()
    assert (uplink["eutran_cgi"], uplink["tai"]) == (NEXT_DOOR, Tai(PLMN, 2))
    assert bench.site.observed["connected", "enb/1"]["devices"] == 0
    assert bench.site.observed["connected", "enb/2"]["devices"] == 1
    assert device.radio.camp.ecgi == NEXT_DOOR


def test_report_of_the_own_cell_or_during_a_preparation_changes_nothing(bench: Any) -> None:
    device = bench.attached()
    device.send(report(HERE))
    assert bench.s1.sent == []
    device.send(report(FAR))
    assert bench.s1.take().name == "handover-required"
    device.send(report(FAR))
    assert bench.s1.sent == []


def prepared_by_s1(make_bench: Any) -> tuple[Any, Any, Any, Any]:
    """Two eNBs at one MME; the device's handover is accepted by the target."""
    source = make_bench()
    target = make_bench("enb2", clock=source.clock, cells=[{"tac": 2}])
    source.set_up()
    target.set_up()
    device = source.attached()
    device.send(report(FAR, Tai(PLMN, 2)))
    required = source.s1.take()
    assert required.name == "handover-required"
    assert required["target_id"].global_enb_id.enb_id.value == 2
    assert required["target_id"].selected_tai == Tai(PLMN, 2)
    context = device.context()
    target.from_mme(
        "handover-request",
        mme_ue_s1ap_id=7,
        handover_type=s1ap.HandoverType.INTRALTE,
        cause=required["cause"],
        ue_aggregate_maximum_bitrate=context["ue_aggregate_maximum_bitrate"],
        e_rab_to_be_setup_list_ho_req=tuple(
            s1ap.values.ErabToBeSetupHoReq(5, item.transport_layer_address, item.gtp_teid, item.qos)
            for item in context["e_rab_to_be_setup_list_ctxt_su_req"]
        ),
        source_to_target_transparent_container=required["source_to_target_transparent_container"],
        ue_security_capabilities=context["ue_security_capabilities"],
        security_context=SecurityContext(1, b"n" * 32),
    )
    acknowledge = target.s1.take()
    (admitted,) = acknowledge["e_rab_admitted_list"]
    end = target.end()
    assert admitted == ErabAdmitted(end[0], end[1], end[2], end[1], admitted.dl_gtp_teid)
    assert admitted.dl_gtp_teid not in (None, admitted.gtp_teid)
    return source, target, device, acknowledge


def command(source: Any, device: Any, acknowledge: Any) -> None:
    source.from_mme(
        "handover-command",
        **device.ids,
        handover_type=s1ap.HandoverType.INTRALTE,
        target_to_source_transparent_container=acknowledge["target_to_source_transparent_container"],
    )


def test_by_s1(make_bench: Any) -> None:
    source, target, device, acknowledge = prepared_by_s1(make_bench)
    command(source, device, acknowledge)
    order = device.link.take().mobility_control_info
    assert (order.target, order.next_hop_chaining_count) == (FAR, 1)
    assert source.s1.take().name == "enb-status-transfer"
    source.from_mme("downlink-nas-transport", **device.ids, nas_pdu=b"\x07")
    undelivered = source.s1.take()
    assert undelivered["cause"] == CauseRadioNetwork.S1_INTRA_SYSTEM_HANDOVER_TRIGGERED
    there = target.device()
    there.send(uu.RrcConnectionReconfigurationComplete(order.new_ue_identity))
    notify = target.s1.take()
    assert notify.name == "handover-notify"
    assert (notify["eutran_cgi"], notify["tai"]) == (FAR, Tai(PLMN, 2))
    assert there.radio.ue.phase == Phase.ACTIVE
    device.vanish()
    assert source.s1.sent == []
    source.from_mme(
        "ue-context-release-command",
        ue_s1ap_ids=UeS1apIdPair(*device.ids.values()),
        cause=CauseRadioNetwork.SUCCESSFUL_HANDOVER,
    )
    assert source.s1.take().name == "ue-context-release-complete"
    assert device.link.sent == []
    assert not source.station.ues
    source.clock.wind(11)
    assert target.s1.take()["cause"] == CauseRadioNetwork.USER_INACTIVITY


def test_by_s1_device_never_arrives(make_bench: Any) -> None:
    source, target, device, acknowledge = prepared_by_s1(make_bench)
    command(source, device, acknowledge)
    source.s1.sent.clear()
    source.clock.wind(10.1)
    assert source.s1.take()["cause"] == CauseRadioNetwork.TS1RELOCOVERALL_EXPIRY
    target.clock.wind(10.1)
    assert target.s1.take()["cause"] == CauseRadioNetwork.TS1RELOCOVERALL_EXPIRY


def test_by_s1_refused(bench: Any) -> None:
    device = bench.attached()
    device.send(report(FAR))
    bench.s1.take()
    bench.from_mme("handover-preparation-failure", **device.ids, cause=CauseRadioNetwork.UNKNOWN_TARGET_ID)
    assert device.radio.ue.phase == Phase.ACTIVE
    assert bench.site.notes == ["Handover refused: radioNetwork: unknown-targetID"]


def test_by_s1_preparation_takes_too_long(bench: Any) -> None:
    device = bench.attached()
    device.send(report(FAR))
    bench.s1.take()
    bench.clock.wind(10.1)
    cancel = bench.s1.take()
    assert (cancel.name, cancel["cause"]) == ("handover-cancel", CauseRadioNetwork.TS1RELOCPREP_EXPIRY)
    bench.from_mme("handover-cancel-acknowledge", **device.ids)
    assert device.radio.ue.phase == Phase.ACTIVE


def test_by_s1_bad_command_is_cancelled(bench: Any) -> None:
    device = bench.attached()
    device.send(report(FAR))
    bench.s1.take()
    bench.from_mme(
        "handover-command",
        **device.ids,
        handover_type=s1ap.HandoverType.INTRALTE,
        target_to_source_transparent_container=b"\x00\x03abc",
    )
    assert [message.name for message in bench.s1.sent] == ["handover-cancel", "error-indication"]
    assert device.radio.ue.phase == Phase.ACTIVE


def test_by_s1_into_a_cell_that_is_not_there(make_bench: Any) -> None:
    bench = make_bench()
    bench.set_up()
    device = bench.attached()
    container = SourceEnbToTargetEnbContainer(b"", None, FAR, None, (_visited(bench, device),))
    context = device.context()
    bench.from_mme(
        "handover-request",
        mme_ue_s1ap_id=7,
        handover_type=s1ap.HandoverType.INTRALTE,
        cause=CauseRadioNetwork.TIME_CRITICAL_HANDOVER,
        ue_aggregate_maximum_bitrate=context["ue_aggregate_maximum_bitrate"],
        e_rab_to_be_setup_list_ho_req=(s1ap.values.ErabToBeSetupHoReq(5, b"\1\2\3\4", 1, _qos(context)),),
        source_to_target_transparent_container=SOURCE_ENB_TO_TARGET_ENB_CONTAINER.to_octets(container),
        ue_security_capabilities=context["ue_security_capabilities"],
        security_context=SecurityContext(1, b"n" * 32),
    )
    failure = bench.s1.take()
    assert (failure.name, failure["cause"]) == ("handover-failure", CauseRadioNetwork.CELL_NOT_AVAILABLE)
    assert len(bench.station.ues) == 1


def _visited(bench: Any, device: Any) -> Any:
    from simulators.enb.procedures.mobility import history

    return history(bench.station, device.radio.ue)


def _qos(context: dict[str, Any]) -> Any:
    return context["e_rab_to_be_setup_list_ctxt_su_req"][0].qos


def joined(make_bench: Any, x2_joined: Any, **target_settings: Any) -> tuple[Any, Any, Any, Any]:
    source = make_bench()
    target = make_bench("enb2", clock=source.clock, **target_settings)
    source.set_up()
    target.set_up()
    near, far = x2_joined(source, target)
    assert [m.name for m in near.sent] == ["x2-setup-request"]
    assert [m.name for m in far.sent] == ["x2-setup-response"]
    near.sent.clear()
    far.sent.clear()
    return source, target, near, far


def test_by_x2(make_bench: Any, x2_joined: Any) -> None:
    source, target, near, far = joined(make_bench, x2_joined, cells=[{"tac": 2}])
    device = source.attached()
    device.send(report(FAR))
    request, transfer = near.sent
    assert [request.name, transfer.name] == ["handover-request", "sn-status-transfer"]
    information = request["ue_context_information"]
    assert information.mme_ue_s1ap_id == device.ids["mme_ue_s1ap_id"]
    key = information.as_security_information.key_enodeb_star
    assert key == kenb_star(bytes(range(32)), FAR.cell_identity % 504, 1300)
    assert far.sent[0].name == "handover-request-acknowledge"
    assert source.s1.sent == []
    order = device.link.take().mobility_control_info
    assert order.target == FAR
    there = target.device()
    there.send(uu.RrcConnectionReconfigurationComplete(order.new_ue_identity))
    switch = target.s1.take()
    assert switch.name == "path-switch-request"
    assert switch["source_mme_ue_s1ap_id"] == device.ids["mme_ue_s1ap_id"]
    assert switch["e_rab_to_be_switched_dl_list"] == (ErabTunnel(*target.end()),)
    assert (switch["eutran_cgi"], switch["tai"]) == (FAR, Tai(PLMN, 2))
    there.send(uu.UlInformationTransfer(b"\x07early"))  # waits for the MME's number
    assert target.s1.sent == []
    target.from_mme(
        "path-switch-request-acknowledge",
        mme_ue_s1ap_id=55,
        enb_ue_s1ap_id=switch["enb_ue_s1ap_id"],
        security_context=SecurityContext(2, b"h" * 32),
    )
    assert far.sent[-1].name == "ue-context-release"
    assert not source.station.ues
    assert not source.station.on_x2
    assert not target.station.on_x2
    early = target.s1.take()
    assert (early["mme_ue_s1ap_id"], early["nas_pdu"]) == (55, b"\x07early")
    # and by X2 back again, with the new key
    there.send(report(HERE))
    back = far.sent[-2]["ue_context_information"]
    assert back.as_security_information == (kenb_star(b"h" * 32, HERE.cell_identity % 504, 1300), 2)
    assert source.site.faults == target.site.faults == []


def test_by_x2_refused_without_an_mme(make_bench: Any, x2_joined: Any) -> None:
    source, target, _, far = joined(make_bench, x2_joined)
    target.mme.state = "down"
    device = source.attached()
    device.send(report(FAR))
    assert far.sent[0].name == "handover-preparation-failure"
    assert device.radio.ue.phase == Phase.ACTIVE
    assert not source.station.on_x2


def test_by_x2_device_never_arrives(make_bench: Any, x2_joined: Any) -> None:
    source, target, _, _ = joined(make_bench, x2_joined)
    source.attached().send(report(FAR))
    source.clock.wind(10.1)
    assert source.s1.take()["cause"] == CauseRadioNetwork.TX2RELOCOVERALL_EXPIRY
    source.clock.wind(10.1)
    assert not target.station.ues
    assert target.s1.sent == []


def test_path_switch_refused(make_bench: Any, x2_joined: Any) -> None:
    source, target, _, _ = joined(make_bench, x2_joined)
    device = source.attached()
    device.send(report(FAR))
    there = target.device()
    there.send(uu.RrcConnectionReconfigurationComplete(device.link.take().mobility_control_info.new_ue_identity))
    switch = target.s1.take()
    target.from_mme(
        "path-switch-request-failure",
        mme_ue_s1ap_id=55,
        enb_ue_s1ap_id=switch["enb_ue_s1ap_id"],
        cause=CauseRadioNetwork.HO_TARGET_NOT_ALLOWED,
    )
    assert there.link.take() == uu.RrcConnectionRelease()
    assert not target.station.ues


def test_cancel_reaches_the_target(make_bench: Any, x2_joined: Any) -> None:
    source, target, near, far = joined(make_bench, x2_joined)
    near.far = None  # the request gets lost
    device = source.attached()
    device.send(report(FAR))
    source.clock.wind(10.1)
    assert near.sent[-1].name == "handover-cancel"
    assert device.radio.ue.phase == Phase.ACTIVE
    assert far.sent == []
    assert not target.station.ues


def test_lost_x2_ends_preparations(make_bench: Any, x2_joined: Any) -> None:
    from simulators.enb.procedures import x2

    source, _, near, _ = joined(make_bench, x2_joined)
    near.far = None
    device = source.attached()
    device.send(report(FAR))
    x2.x2_lost(source.station, source.station.neighbours[0])
    assert device.radio.ue.phase == Phase.ACTIVE
    device.send(report(FAR))
    assert source.s1.take().name == "handover-required"


@pytest.mark.parametrize("octets", [b"", b"\xff" * 9, bytes.fromhex("00054000050000020000")])
def test_bad_octets_on_x2(make_bench: Any, x2_joined: Any, octets: bytes) -> None:
    from simulators.enb.procedures import x2

    source, _, near, _ = joined(make_bench, x2_joined)
    near.far = None
    x2.receive(source.station, source.station.neighbours[0], octets)
    assert near.take().name == "error-indication"
    assert len(source.site.faults) == 1


def test_stranger_cannot_arrive(bench: Any) -> None:
    bench.attached()
    stranger = bench.device()
    stranger.send(uu.RrcConnectionReconfigurationComplete(0x3E))
    assert bench.site.faults == ["nobody with C-RNTI 003e is expected"]
    assert stranger.link.take() == uu.RrcConnectionRelease()
    assert bench.s1.sent == []
