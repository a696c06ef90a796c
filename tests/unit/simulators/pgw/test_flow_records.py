"""Flow records while a session goes on: when they are written, what they contain, and their verdict."""

from __future__ import annotations

import pytest
from directed import OTHER, device, to
from gateways import SERVER, Gateways, udp

from simulators.pgw.session import IDLE
from simwarden.operations.management import Role
from simwarden.trace.records import FlowRecord

INTERVAL = 600.0


def shown(bench: Gateways) -> list[tuple[str, int, int]]:
    return [(each.end_reason, each.uplink_packets, each.downlink_packets) for each in bench.of(FlowRecord)]


async def test_a_flow_that_is_idle_has_its_record_while_the_session_goes_on() -> None:
    async with Gateways() as bench:
        card = await device(bench)
        await card.up(to(card.own, SERVER, 5683))
        await bench.sleep(IDLE - 1)
        assert shown(bench) == []
        await bench.sleep(2)
        assert shown(bench) == [("idle-timeout", 1, 0)]
        await bench.sleep(30 * 86_400)
        assert len(shown(bench)) == 1
        await bench.mme.delete(card.made["sender_f_teid"].teid)
        assert len(shown(bench)) == 1  # nothing has been counted since


async def test_a_flow_that_goes_on_has_records_whose_sums_are_its_own() -> None:
    async with Gateways(pgw={"flow_interval": INTERVAL}) as bench:
        card = await device(bench)
        packet = to(card.own, SERVER, 5683)
        for _ in range(25):
            await card.up(packet)
            await bench.sleep(60)
        await bench.mme.delete(card.made["sender_f_teid"].teid)
        records = bench.of(FlowRecord)
    assert [each.end_reason for each in records] == ["active-timeout", "active-timeout", "end-of-session"]
    assert sum(each.uplink_packets for each in records) == 25
    assert sum(each.uplink_octets for each in records) == 25 * len(packet)
    first, second, _ = records
    assert (second.began - first.began).total_seconds() == pytest.approx(INTERVAL, abs=60)


async def test_without_an_interval_a_flow_has_a_record_when_it_is_idle() -> None:
    async with Gateways(pgw={"flow_interval": 0}) as bench:
        card = await device(bench)
        for _ in range(60):
            await card.up(to(card.own, SERVER, 5683))
            await bench.sleep(60)
        assert shown(bench) == []
        await bench.sleep(IDLE)
        assert shown(bench) == [("idle-timeout", 60, 0)]


async def test_a_flow_that_is_taken_up_again_has_a_record_of_what_is_new() -> None:
    async with Gateways() as bench:
        card = await device(bench)
        for _ in range(2):
            await card.up(to(card.own, SERVER, 5683))
            await bench.sleep(IDLE + 20)
        assert shown(bench) == [("idle-timeout", 1, 0)] * 2


async def test_a_refused_flow_has_its_record_too() -> None:
    async with Gateways() as bench:
        card = await device(bench, whitelist=[SERVER])
        assert await card.up(to(card.own, OTHER, 5683)) == []
        await bench.sleep(IDLE + 1)
        (record,) = bench.of(FlowRecord)
        assert (record.verdict, record.rule, record.dropped_packets) == ("refuse", "data.whitelist", 1)


async def test_a_flow_that_is_closed_by_the_name_that_it_shows_is_refused() -> None:
    async with Gateways() as bench:
        card = await device(bench, whitelist=["http://up.example"])
        assert await card.look_up("up.example", SERVER)
        assert await card.fetch(SERVER, "elsewhere.example") == "connected"
        assert await card.fetch(SERVER, "up.example", port=50001) == "through"
        await bench.mme.delete(card.made["sender_f_teid"].teid)
        found = {each.port: (each.verdict, each.rule) for each in bench.of(FlowRecord) if each.peer_port == 80}
    assert found == {50000: ("refuse", "data.whitelist"), 50001: ("admit", "")}


async def test_a_flow_that_passes_again_is_admitted() -> None:
    async with Gateways() as bench:
        card = await device(bench, whitelist=[OTHER])
        packet = to(card.own, SERVER, 5683)
        assert await card.up(packet) == []
        changed = {"by": "pgw", "whitelist": [SERVER], "approver": "Li Wei", "reason": "other", "form": "F-1"}
        await bench.pgw.manage(Role.OPERATOR, "PUT", f"/cards/{'001010000000001'}/data", changed)
        assert await card.up(packet) == [packet]
        await bench.mme.delete(card.made["sender_f_teid"].teid)
        (record,) = bench.of(FlowRecord)
        assert (record.verdict, record.rule) == ("admit", "data.whitelist")


@pytest.mark.parametrize("kill", [True, False])
async def test_a_pgw_that_stops_writes_no_records_later(*, kill: bool) -> None:
    async with Gateways() as bench:
        made = await bench.session()
        bench.enb.send(made, udp(made["paa"].ipv4))
        await bench.settle()
        await bench.host.stop("pgw", kill=kill)
        before = len(bench.of(FlowRecord))
        await bench.sleep(3600)
        assert len(bench.of(FlowRecord)) == before
