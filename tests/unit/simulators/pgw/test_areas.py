"""Cards bound to cells at the PGW: what is ordered of the MME, what becomes of packets, and what fails closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gateways import IMSI, NUMBER, SERVER, Gateways, udp
from scapy.contrib import gtp_v2 as scapy
from scapy.packet import Raw

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.management import Role
from simwarden.trace.events import StateChange
from simwarden.trace.records import FlowRecord
from simwarden.wire.gtpv2 import Cause, CauseIe, ChangeReportingAction, Uli

HOME, NEXT = "001-01-0000101", "001-01-0000102"
#: TAI and ECGI, of network 001-01, and the cell's identity
_PLACE = "5600" + "0d00" + "18" + "00f110" + "0001" + "00f110"
REPORTS = {"indication": scapy.IE_Indication(length=2, DAF=1, CRSI=1)}
APPROVED = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}


def place(cell: str) -> Raw:
    return Raw(bytes.fromhex(_PLACE) + int(cell.rpartition("-")[2], 16).to_bytes(4))


def at(cell: str, **more: Any) -> dict[str, Any]:
    """A session is asked for by an MME that can report where the device is: there."""
    return {**REPORTS, "place": place(cell), **more}


async def bind(bench: Gateways, *cells: str) -> None:
    """Provision the card with cells."""
    card = {"name": "card", "imsi": IMSI, "iccid": "", "msisdn": NUMBER, "profile": "smart-metering", "form": "plug-in"}
    body = {**card, "sections": {"area": [{"by": "pgw", "cells": list(cells)}]} if cells else {}}
    await bench.pgw.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)


async def change(bench: Gateways, *cells: str) -> None:
    method, body = ("PUT", {"cells": list(cells)}) if cells else ("DELETE", {})
    await bench.pgw.manage(Role.OPERATOR, method, f"/cards/{IMSI}/area", {**APPROVED, **body})
    await bench.settle()


async def passes(bench: Gateways, made: Any) -> bool:
    """Whether packets pass, and in both directions alike."""
    bench.enb.send(made, udp(made["paa"].ipv4))
    bench.net.send(udp(SERVER, made["paa"].ipv4))
    await bench.settle()
    up, down = bench.net.received(), bench.enb.received()
    assert len(up) == len(down)
    return bool(up)


def occasions(bench: Gateways) -> list[tuple[str, bool]]:
    return [(each.occasion, each.admitted) for each in bench.decisions("area.cell")]


@pytest.mark.parametrize(("cells", "open_"), [([], True), ([HOME], True), (["001-01-00001"], True), ([NEXT], False)])
async def test_by_the_cell_of_the_attach(cells: list[str], *, open_: bool) -> None:
    async with Gateways() as bench:
        await bind(bench, *cells)
        made = await bench.session(**at(HOME))
        ordered = made.get("change_reporting_action")
        assert ordered == (ChangeReportingAction.START_REPORTING_TAI_AND_ECGI if cells else None)
        assert await passes(bench, made) is open_


async def test_a_card_that_still_has_no_cells_is_served_on() -> None:
    async with Gateways() as bench:
        await bind(bench)
        made = await bench.session(**at(HOME))
        await change(bench)
        assert await passes(bench, made)


@pytest.mark.parametrize("lacks", ["place", "indication"])
async def test_a_place_that_is_not_told_is_outside(lacks: str) -> None:
    async with Gateways() as bench:
        await bind(bench, HOME)
        wanted = at(HOME)
        del wanted[lacks]
        made = await bench.session(**wanted)
        assert not await passes(bench, made)
        assert set(bench.dropped()) == {"area.cell: the card is not in its cells"}


async def test_out_and_back_and_what_is_recorded() -> None:
    async with Gateways() as bench:
        await bind(bench, HOME)
        made = await bench.session(**at(HOME))
        teid = made["sender_f_teid"].teid
        assert await passes(bench, made)
        await bench.mme.modify(teid, more=[place(NEXT)])
        assert not await passes(bench, made)
        await bench.mme.modify(teid, more=[place(HOME)])
        assert await passes(bench, made)
        await bench.mme.modify(teid, more=[scapy.IE_RAT(RAT_type=9)])  # which says nothing of its place
        assert await passes(bench, made)
        assert occasions(bench)[-2:] == [("modify-bearer", False), ("modify-bearer", True)]
        await change(bench, HOME, NEXT)  # it is still where it was
        assert await passes(bench, made)
        await bench.mme.delete(teid)
        up, down = sorted(bench.of(FlowRecord), key=lambda each: each.port)
        assert (up.uplink_packets, down.downlink_packets) == (4, 4)
        assert [(each.dropped_packets, each.verdict, each.rule) for each in (up, down)] == [
            (1, "admit", "area.cell")
        ] * 2


async def test_a_flow_of_which_nothing_passed_is_refused() -> None:
    async with Gateways() as bench:
        await bind(bench, NEXT)
        made = await bench.session(**at(HOME))
        assert not await passes(bench, made)
        await bench.mme.delete(made["sender_f_teid"].teid)
        found = [(each.dropped_packets, each.verdict, each.rule) for each in bench.of(FlowRecord)]
        assert found == [(1, "refuse", "area.cell")] * 2


def answering(bench: Gateways, cause: Cause, cell: str = "") -> None:
    """Let the MME answer an order in some way."""
    ies: dict[str, Any] = {"cause": CauseIe(cause)}
    if cause is Cause.REQUEST_ACCEPTED:
        ies["bearer_contexts"] = ({"ebi": 5, "cause": CauseIe(cause)},)
    if cell:
        ies["user_location_information"] = Uli(Tai(Plmn("001", "01"), 1), Ecgi.parse(cell))
    bench.mme.answers["update-bearer-request"] = ies


@pytest.mark.parametrize(("told", "open_"), [(HOME, True), (NEXT, False)])
async def test_cells_that_come_while_it_sends(told: str, *, open_: bool) -> None:
    async with Gateways() as bench:
        made = await bench.session(**at(HOME))
        answering(bench, Cause.REQUEST_ACCEPTED, told)
        await change(bench, HOME)
        (order,) = [each for each in bench.mme.asked if each.name == "update-bearer-request"]
        assert order["change_reporting_action"] is ChangeReportingAction.START_REPORTING_TAI_AND_ECGI
        assert [each["ebi"] for each in order["bearer_contexts"]] == [5]
        assert (order["apn_ambr"].uplink, order["apn_ambr"].downlink) == (1000, 2000)
        assert await passes(bench, made) is open_
        assert occasions(bench) == [("update-bearer", open_)]
        await change(bench)
        assert bench.mme.asked[-1]["change_reporting_action"] is ChangeReportingAction.STOP_REPORTING
        assert await passes(bench, made)


@pytest.mark.parametrize("answer", [Cause.REQUEST_REJECTED, None])
async def test_an_mme_that_does_not_report_closes_the_session(answer: Cause | None) -> None:
    async with Gateways() as bench:
        made = await bench.session(**at(HOME))
        if answer is None:
            bench.mme.silent = True
        else:
            answering(bench, answer)
        await change(bench, HOME)
        assert not await passes(bench, made)
        states = [
            each.value["state"]
            for each in bench.of(StateChange)
            if each.observable == "session" and each.value and each.element == "pgw"
        ]
        assert states[-1] == "closed"


async def test_cells_outlive_a_restart() -> None:
    async with Gateways() as bench:
        await bind(bench, NEXT)
        await bench.host.stop("pgw", kill=True)
        await bench.host.start("pgw")
        made = await bench.mme.create(**at(HOME))
        assert made.accepted
        assert occasions(bench)[-1] == ("create-session", False)
        assert [each["action"] for each in await bench.pgw.manage(Role.OPERATOR, "GET", f"/cards/{IMSI}/audit")] == [
            "provision"
        ]


async def test_other_cells_are_one_cards() -> None:
    async with Gateways() as bench:
        await bind(bench, HOME)
        await bench.session(**at(HOME))
        other = await bench.mme.create(**at(HOME), imsi=scapy.IE_IMSI(IMSI=b"001010000000002"))
        assert other.accepted
        await change(bench, NEXT)
        assert occasions(bench) == [("create-session", True), ("change-the-area", False)]
        told = [each.key for each in bench.of(StateChange) if (each.element, each.observable) == ("pgw", "session")]
        assert told == [f"{IMSI}/5", "001010000000002/5", f"{IMSI}/5"]


async def test_cells_that_end_open_a_session_of_which_nothing_is_reported() -> None:
    async with Gateways() as bench:
        made = await bench.session(**at(HOME))
        answering(bench, Cause.REQUEST_REJECTED)
        await change(bench, HOME)
        assert not await passes(bench, made)
        await change(bench)
        assert await passes(bench, made)


async def test_a_session_that_ends_while_reports_are_ordered() -> None:
    async with Gateways() as bench:
        made = await bench.session(**at(HOME))
        bench.mme.silent = True
        changed = asyncio.create_task(change(bench, HOME))
        await bench.settle()
        assert not await passes(bench, made)  # until it is known where it is
        assert bench.observed("session", element="pgw")[-1]["state"] == "closed"
        await bench.mme.delete(made["sender_f_teid"].teid)
        await changed
        assert bench.observed("session", element="pgw")[-1] is None
