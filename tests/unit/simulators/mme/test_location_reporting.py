"""Location reporting (TS 36.413 8.11): when it is ordered and ended, and what is told of an eNB without reports."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.trace.events import StateChange
from simwarden.wire.nas.enums import MessageType
from simwarden.wire.s1ap import CauseRadioNetwork
from simwarden.wire.s1ap.enums import EventType, ReportArea
from simwarden.wire.s1ap.values import ErabTunnel, RequestType, UeSecurityCapabilities

_Radio = CauseRadioNetwork
PLMN = Plmn("001", "01")
IMSI = "001010000000001"
HOME, NEXT, ELSEWHERE = "001-01-0000101", "001-01-0000102", "001-01-0000201"
APPROVAL = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}
CHANGE, DIRECT, STOP = EventType.CHANGE_OF_SERVE_CELL, EventType.DIRECT, EventType.STOP_CHANGE_OF_SERVE_CELL


async def _area(network: Any, method: str = "PUT", **body: Any) -> Any:
    return await network.mme.manage(Role.OPERATOR, method, f"/cards/{IMSI}/area", {**APPROVAL, **body})


async def _zone(network: Any, code: str) -> None:
    zone = [("Regional-Subscription-Zone-Code", bytes.fromhex(code))]
    await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", zone)])
    await network.settle()


def _orders(enb: Any) -> list[EventType]:
    return [m["request_type"].event_type for m in enb.seen if m.name == "location-reporting-control"]


def _report(phone: Any, cell: str, tac: int = 1, event: EventType = CHANGE) -> None:
    kind = RequestType(event, ReportArea.ECGI)
    phone.up("location-report", eutran_cgi=Ecgi.parse(cell), tai=Tai(PLMN, tac), request_type=kind)


async def _told(network: Any) -> list[dict[str, Any]]:
    records = await network.mme.manage(Role.OPERATOR, "GET", "/audit", {})
    return [record["details"] for record in records if record["action"] == "no-location-reports"]


async def test_reports_are_ordered_for_cards_with_an_area_at_each_context_setup(run: Any) -> None:
    async with run() as network:
        await _area(network, cells=[HOME])
        phone = await network.attached()
        assert _orders(network.enb) == [CHANGE, DIRECT]
        _report(phone, HOME, event=DIRECT)
        phone.idle()
        await network.settle()
        phone.service()
        await network.settle()
        assert _orders(network.enb) == [CHANGE, DIRECT, CHANGE]


async def test_no_reports_are_ordered_for_a_card_without_an_area(run: Any) -> None:
    async with run() as network:
        await network.attached()
        assert _orders(network.enb) == []


async def test_no_reports_are_ordered_of_a_device_that_its_new_area_turns_out(run: Any) -> None:
    async with run(tai_lists=[[1, 2]]) as network:
        phone = await network.attached(replies={MessageType.DETACH_REQUEST: None})
        await _area(network, cells=[ELSEWHERE])
        await network.settle()
        assert phone.got[-1].type is MessageType.DETACH_REQUEST
        assert phone.released == [], "it has not answered yet"
        assert _orders(network.enb) == []


async def test_reports_begin_and_end_with_the_area_of_a_connected_device(run: Any) -> None:
    async with run(zones={"0001": [1]}) as network:
        await network.attached()
        await _area(network, cells=[HOME])
        await network.settle()
        assert _orders(network.enb) == [CHANGE, DIRECT]
        await _area(network, "DELETE")
        await network.settle()
        assert _orders(network.enb)[2:] == [STOP]
        await _zone(network, "0001")
        assert _orders(network.enb)[3:] == [CHANGE]
        avps = [("User-Name", IMSI), ("DSR-Flags", 1)]
        await network.hss.order("Delete-Subscriber-Data-Request", avps)
        assert _orders(network.enb)[4:] == [STOP]


@pytest.mark.parametrize("busy", [False, True])
async def test_a_report_from_a_forbidden_cell_ends_the_session_also_after_a_procedure(run: Any, *, busy: bool) -> None:
    async with run() as network:
        await _area(network, cells=[HOME])
        phone = await network.attached()
        if busy:
            phone.replies[MessageType.IDENTITY_REQUEST] = None
            phone.idle()
            await network.settle()
            phone.service()
            await network.settle()
        _report(phone, NEXT)
        await network.settle()
        if busy:
            assert network.session() is not None  # the service request has not asked about the cell for the last time
            phone.cell = Ecgi.parse(NEXT)
            phone.take_again(phone.got[-1])
            await network.settle()
        assert phone.got[-1].type is MessageType.DETACH_REQUEST
        decision = network.decisions("area.cell")[-1]
        assert (decision.details["seen"], decision.occasion) == (NEXT, "location-report")
        assert network.session() is None


async def test_a_report_from_an_area_that_the_enb_did_not_announce_moves_nobody(run: Any) -> None:
    async with run() as network:
        await _area(network, cells=[HOME])
        phone = await network.attached()
        _report(phone, HOME, 9)
        await network.settle()
        assert network.session()["tai"] == "001-01-0001"
        assert network.peer_faults() == ["location-report from 001-01-0009, which the eNB did not announce"]


async def test_an_enb_that_is_silent_is_told_once(run: Any) -> None:
    async with run() as network:
        await _area(network, cells=[HOME])
        phone = await network.attached()
        await network.sleep(6)
        phone.idle()
        await network.settle()
        phone.service()
        await network.sleep(6)
        assert await _told(network) == [{"enb": "enb", "enb_id": 1, "state": "silent", "cause": ""}]


async def test_an_enb_that_reports_is_told_of_never(run: Any) -> None:
    async with run() as network:
        await _area(network, cells=[HOME])
        phone = await network.attached()
        _report(phone, HOME, event=DIRECT)
        await network.sleep(6)
        assert await _told(network) == []


@pytest.mark.parametrize(
    ("cause", "told"),
    [(CauseRadioNetwork.UNSPECIFIED, 1), (CauseRadioNetwork.S1_INTRA_SYSTEM_HANDOVER_TRIGGERED, 0)],
)
async def test_a_failure_is_told_unless_a_handover_was_quicker(run: Any, cause: CauseRadioNetwork, told: int) -> None:
    async with run() as network:
        await _area(network, cells=[HOME])
        phone = await network.attached()
        _report(phone, HOME, event=DIRECT)
        phone.up("location-report-failure-indication", cause=cause)
        await network.sleep(6)
        assert [each["state"] for each in await _told(network)] == ["failed"] * told
        phone.up("handover-cancel", cause=CauseRadioNetwork.HANDOVER_CANCELLED)
        await network.settle()
        assert _orders(network.enb) == [CHANGE, DIRECT, CHANGE]  # the order is given anew


@pytest.mark.parametrize("cause", [_Radio.S1_INTRA_SYSTEM_HANDOVER_TRIGGERED, _Radio.X2_HANDOVER_TRIGGERED])
async def test_reports_are_ordered_again_when_a_handover_was_quicker_and_came_to_nothing(
    run: Any, cause: CauseRadioNetwork
) -> None:
    async with run() as network:
        await _area(network, cells=[HOME])
        phone = await network.attached()
        for _ in _orders(network.enb):
            phone.up("location-report-failure-indication", cause=cause)
        await network.sleep(11)
        assert _orders(network.enb) == [CHANGE, DIRECT, CHANGE, DIRECT]
        _report(phone, HOME, event=DIRECT)
        await network.sleep(11)
        assert await _told(network) == []  # the eNB was not silent
        assert len(_orders(network.enb)) == 4


async def test_reports_are_ordered_again_after_a_path_switch(run: Any) -> None:
    async with run() as network:
        await _area(network, cells=[HOME, ELSEWHERE])
        phone = await network.attached()
        network.enb2.send(
            "path-switch-request",
            enb_ue_s1ap_id=500,
            e_rab_to_be_switched_dl_list=(ErabTunnel(5, bytes([192, 0, 2, 8]), 3),),
            source_mme_ue_s1ap_id=phone.mme_id,
            eutran_cgi=Ecgi.parse(ELSEWHERE),
            tai=Tai(PLMN, 1),
            ue_security_capabilities=UeSecurityCapabilities(0, 0),
        )
        await network.settle()
        assert _orders(network.enb2) == [CHANGE, DIRECT]


@pytest.mark.parametrize("idle", [False, True])
async def test_a_list_that_has_a_forbidden_area_since_a_change_is_taken_back(run: Any, *, idle: bool) -> None:
    async with run(zones={"0001": [1]}, tai_lists=[[1, 2]]) as network:
        phone = await network.attached()
        if idle:
            phone.idle()
            await network.settle()
        await _zone(network, "0001")
        await network.settle()
        assert network.session() is None
        if idle:
            assert network.enb.names()[-1] == "paging"
        else:
            assert phone.got[-1].type is MessageType.DETACH_REQUEST
            assert phone.got[-1]["detach_type"] == 1


async def test_reports_begin_and_end_when_the_pgw_orders_it(run: Any) -> None:
    async with run() as network:
        await network.attached()
        pgw = network.host.elements["pgw"]
        body = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}
        await pgw.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/area", {**body, "cells": [HOME]})
        await network.settle()
        assert _orders(network.enb) == [CHANGE, DIRECT]
        told = [
            event.value for event in network.of(StateChange) if (event.element, event.observable) == ("pgw", "session")
        ]
        assert (str(told[-1]["cell"]), told[-1]["state"]) == (HOME, "open")
        await pgw.manage(Role.OPERATOR, "DELETE", f"/cards/{IMSI}/area", body)
        await network.settle()
        assert _orders(network.enb)[2:] == [STOP]
