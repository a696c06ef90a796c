"""Addresses that a card reaches by the names of its list: over sessions, restarts, and the end of an answer."""

from __future__ import annotations

import datetime as dt
from typing import Any
from unittest.mock import MagicMock

import pytest
from directed import BOTH, OTHER, Device, card, change, device, to
from gateways import IMSI, SERVER, Gateways, udp
from scapy.contrib import gtp_v2 as scapy

from simulators.pgw import relations
from simulators.pgw.relations import Relations
from simwarden.machine.inspection import bindings
from simwarden.operations.management import Role

HOUR = 3600.0
LIST: dict[str, Any] = {"whitelist": ["udp://up.example:5683"]}


async def report(it: Device) -> bool:
    """Send a report to the listed server; return whether it arrives."""
    packet = to(it.own, SERVER, 5683)
    return await it.up(packet) == [packet]


@pytest.mark.parametrize(("hours", "reached"), [(2, True), (30, True), (48, False)])
@pytest.mark.parametrize("used", [True, False])
async def test_an_address_that_the_card_has_used_outlasts_its_answer(
    hours: float, *, reached: bool, used: bool
) -> None:
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert not used or await report(it)
        await bench.sleep(hours * HOUR)
        assert await report(it) is (reached and used)


@pytest.mark.parametrize(("hours", "reached"), [(3, True), (48, False)])
async def test_the_server_of_a_relation_reaches_the_card_later(hours: float, *, reached: bool) -> None:
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert await report(it)
        await bench.sleep(hours * HOUR)
        order = to(SERVER, it.own, 40000, near=5683)
        assert await it.down(order) == ([order] if reached else [])
        assert await it.down(udp(OTHER, it.own)) == []


async def test_a_relation_lasts_as_long_as_packets_renew_it() -> None:
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        for _ in range(10):
            assert await report(it)
            await bench.sleep(24 * HOUR)
        assert await report(it)


async def test_packets_of_the_server_alone_do_not_renew_a_relation() -> None:
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert await report(it)
        order = to(SERVER, it.own, 40000, near=5683)
        passed = []
        for _ in range(4):
            await bench.sleep(20 * HOUR)
            passed.append(await it.down(order) == [order])
        assert passed == [True, True, False, False]


@pytest.mark.parametrize("answered", [True, False])
async def test_answers_of_the_card_renew_its_relation_and_packets_of_the_server_do_not(*, answered: bool) -> None:
    """A flow that has begun goes on; when it has ended the address is closed."""
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert await report(it)
        for _ in range(50 * 15):
            await bench.sleep(240)
            await it.down(to(SERVER, it.own, 40000, near=5683))
            assert not answered or await report(it)
        await bench.sleep(301)
        assert await report(it) is answered


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("hours", [1, 24])
async def test_a_meter_that_its_server_polls_keeps_their_relation(hours: float, *, answered: bool) -> None:
    """Each poll is a flow that the server begins; the meter sends nothing but its answers."""
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert await report(it)
        passed = []
        for _ in range(round(120 / hours)):
            await bench.sleep(hours * HOUR)
            poll, reply = to(SERVER, it.own, 40001, near=5683), to(it.own, SERVER, 5683, near=40001)
            passed.append(await it.down(poll) == [poll])
            assert not (passed[-1] and answered) or await it.up(reply) == [reply]
        assert passed[0]
        assert passed[-1] is answered


async def test_packets_that_are_refused_renew_no_relation() -> None:
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert await report(it)
        await change(bench, **LIST, blacklist=[SERVER])
        for _ in range(50 * 15):
            await bench.sleep(240)
            assert not await report(it)
        await change(bench, **LIST)
        await bench.sleep(301)
        assert not await report(it)


async def test_a_long_connection_keeps_its_relation_for_the_next_one() -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["tcp://up.example:80"])
        assert await it.look_up("up.example", SERVER)
        assert await it.connect(SERVER)
        for hour in range(0, 100, 2):
            assert await it.say(SERVER, b"x", hour // 2)
            await bench.sleep(2 * HOUR)
        assert await it.connect(SERVER, 50001)


async def test_without_a_grace_an_answer_ends_when_it_says() -> None:
    async with Gateways(pgw={"answer_grace": 0}) as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert await report(it)
        await bench.sleep(301)
        assert not await report(it)


@pytest.mark.parametrize(("imsi", "reached"), [(IMSI, True), ("001010000000002", False)], ids=["same", "other"])
async def test_an_answer_is_known_in_the_next_session_of_the_same_card_only(imsi: str, *, reached: bool) -> None:
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        await bench.mme.delete(it.made["sender_f_teid"].teid)
        await bench.pgw.manage(Role.OPERATOR, "PUT", f"/cards/{imsi}", {**card(**LIST), "imsi": imsi})
        it = Device(bench, await bench.session(**BOTH, imsi=scapy.IE_IMSI(IMSI=imsi.encode())))
        assert await report(it) is reached


def test_cards_of_which_nothing_is_known_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "_MANY", 3)
    site, now = MagicMock(), 0.0
    site.clock.now.side_effect = lambda: now
    site.clock.wall.side_effect = lambda: dt.datetime.fromtimestamp(now, dt.UTC)
    store = MagicMock()
    store.relations.return_value = []
    known = Relations(site, HOUR, store)
    sessions = [MagicMock(imsi=str(number), confined=False) for number in range(4)]
    found = [known.bindings(session, frozenset()) for session in sessions]
    found[0].extend(b"addr", ("up.example",), 0.0, 50.0, 100.0)
    found[1].extend(b"addr", ("up.example",), 0.0, 5.0, 10.0)
    now = 20.0
    known.forget(sessions[2:3])
    again = [known.bindings(session, frozenset()) for session in sessions]
    assert [each._known is old._known for each, old in zip(again, found, strict=True)] == [True, False, True, False]


async def test_relations_of_a_card_are_bounded_and_deleted_when_they_have_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bindings, "MOST", 3)
    async with Gateways() as bench:
        it = await device(bench, whitelist=["udp://*.up.example:5683"])
        for day in range(3):
            for number in range(5):
                address = f"198.51.{100 + day}.{number + 1}"
                assert await it.look_up(f"a{number}.up.example", address)
                sent = to(it.own, address, 5683)
                assert await it.up(sent) == [sent]
            (session,) = bench.pgw.core.sessions.values()
            assert sum(map(len, session.bindings._known.values())) == 3
            for number in range(5):  # flows that go on bring nothing back beyond the bound
                await it.up(to(it.own, f"198.51.{100 + day}.{number + 1}", 5683))
            assert sum(map(len, session.bindings._known.values())) == 3
            await bench.sleep(48 * HOUR)
        stored = bench.pgw.core.relations._store.relations(0)
        assert {address[2] for _, address, _, _ in stored} == {102}


@pytest.mark.parametrize("used", [True, False])
async def test_a_relation_outlives_a_crash_of_the_pgw(*, used: bool) -> None:
    async with Gateways() as bench:
        it = await device(bench, **LIST)
        assert await it.look_up("up.example", SERVER)
        assert not used or await report(it)
        await bench.host.stop("pgw", kill=True)
        await bench.host.start("pgw")
        await bench.sleep(HOUR)
        it = Device(bench, await bench.session(**BOTH))
        assert await report(it) is used
        await bench.sleep(48 * HOUR)
        assert not await report(it)
