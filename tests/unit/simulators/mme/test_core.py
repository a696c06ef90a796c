"""The state that all procedures of an MME share: numbers, identities, and what runs on a connection."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from simulators.mme.causes import Rejection
from simulators.mme.config import MmeArea
from simulators.mme.contexts import EmmState, UeContext, Wait
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.testing.diameter import IMSI
from simwarden.testing.radio import CAPABILITY
from simwarden.trace.events import Rejected
from simwarden.wire.nas.enums import EmmCause, MessageType, NetworkDetachType

from .test_gateways import asked

PLMN = Plmn("001", "01")
TAI, CELL = Tai(PLMN, 1), Ecgi(PLMN, 1 << 8 | 1)
OTHER = "001010000000002"


def _context(imsi: str = IMSI) -> UeContext:
    return UeContext(imsi, TAI, CELL, CAPABILITY)


def _enb(core: Any) -> Any:
    return next(each for each in core.enbs.values() if each.identity == 1)


async def test_each_connection_has_a_number_of_the_mme_and_is_found_by_that_of_the_enb(run: Any) -> None:
    async with run() as network:
        core = network.mme.core
        enb = _enb(core)
        first, second, target = (core.connect(enb, number, TAI, CELL) for number in (7, 8, None))
        assert core.connections == {each.mme_id: each for each in (first, second, target)}
        assert len(core.connections) == 3
        assert enb.connections == {7: first, 8: second}
        again = core.connect(enb, 7, TAI, CELL)
        core.drop(first)
        assert enb.connections == {7: again, 8: second}
        core.drop(again)
        core.drop(target)
        assert (list(core.connections.values()), enb.connections) == ([second], {8: second})
        core.drop(second)


async def test_what_runs_on_a_connection_ends_with_it_but_who_ends_it(run: Any) -> None:
    async with run() as network:
        core, loop = network.mme.core, asyncio.get_running_loop()
        conn = core.connect(_enb(core), 7, TAI, CELL)

        def begin() -> None:
            conn.procedure, conn.handover, conn.transactions[7, 0] = (
                loop.create_task(network.clock.sleep(60)) for _ in range(3)
            )
            for number in (0, 5):
                conn.waits[number] = Wait((MessageType.DETACH_ACCEPT,), loop.create_future())
            conn.attach_request = b"request"

        begin()
        procedure, handover, transaction = conn.procedure, conn.handover, conn.transactions[7, 0]
        core.halt(conn, sessions=False)
        await network.settle()
        assert (procedure.cancelled(), handover.cancelled(), transaction.cancelled()) == (True, True, False)
        assert (conn.procedure, list(conn.waits), conn.attach_request) == (None, [5], b"")
        core.halt(conn)
        await network.settle()
        assert transaction.cancelled()
        assert conn.waits == {}

        async def ends_itself() -> str:
            core.halt(conn)
            await network.clock.sleep(1)
            return "went on"

        begin()
        interrupted = conn.procedure
        conn.procedure = loop.create_task(ends_itself())
        own = conn.procedure
        await network.sleep(2)
        assert (own.result(), conn.procedure) == ("went on", own)
        interrupted.cancel()
        begin()
        last = conn.procedure
        core.drop(conn)
        await network.settle()
        assert last.cancelled()


async def test_what_is_forwarded_to_the_target_of_a_handover_ends_with_its_connection_once(run: Any) -> None:
    async with run() as network:
        core = network.mme.core
        ended: list[UeContext] = []
        core.gateways.end_forwarding = ended.append
        conn = core.connect(_enb(core), 7, TAI, CELL)
        core.halt(conn)
        conn.forwards = ue = _context()
        core.halt(conn)
        core.drop(conn)
        assert ended == [ue]


async def test_a_guti_is_good_until_the_device_has_confirmed_the_next(run: Any) -> None:
    """TS 24.301 5.4.1.4; with all ones a card says that it holds none (TS 23.003 2.4)."""
    async with run() as network:
        core = network.mme.core
        given = iter([5, 0xFFFFFFFF, 6, 6, 7, 8])
        core.site = SimpleNamespace(rng=SimpleNamespace(getrandbits=lambda _: next(given)))
        ue, other = _context(), _context(OTHER)
        core.by_m_tmsi[5] = other
        first = core.allocate_guti(ue)
        core.confirm_guti(ue)
        assert (first.m_tmsi, core.find(first), core.by_m_tmsi[5]) == (6, ue, other)
        second = core.allocate_guti(ue)
        assert (second.m_tmsi, core.find(first), core.find(second)) == (7, ue, ue)
        third = core.allocate_guti(ue)
        assert (core.find(first), core.find(second), core.find(third)) == (ue, None, ue)
        core.confirm_guti(ue)
        assert (core.find(first), core.find(third), ue.former_guti) == (None, ue, None)
        for foreign in ({"plmn": Plmn("999", "70")}, {"mme_group_id": 1}, {"mme_code": 9}):
            assert core.find(replace(third, **foreign)) is None
        core.forget(ue)
        assert (core.by_m_tmsi, ue.guti) == ({5: other}, None)


async def test_a_context_that_is_forgotten_takes_no_newer_one_with_it(run: Any) -> None:
    async with run() as network:
        core = network.mme.core
        older, newer = _context(), _context()
        ran: list[str] = []
        older.timer = core.clock.call_later(1, lambda: ran.append("older"))
        core.by_imsi[IMSI] = newer
        core.forget(older)
        assert core.by_imsi == {IMSI: newer}
        assert older.timer is None
        core.forget(newer)
        assert core.by_imsi == {}
        await network.sleep(2)
        assert ran == []


async def test_a_card_has_its_context_and_the_attempts_in_its_name(run: Any) -> None:
    async with run() as network:
        core = network.mme.core
        known, attempt, other = _context(), _context(), _context(OTHER)
        assert core.contexts(IMSI) == []
        core.attempts |= dict.fromkeys((known, attempt, other))
        assert core.contexts(IMSI) == [known, attempt]
        core.by_imsi[IMSI] = known
        assert core.contexts(IMSI) == [known, attempt]
        core.attempts.clear()
        core.by_imsi.clear()


async def test_only_a_device_in_service_is_shown_and_leaves(run: Any) -> None:
    async with run() as network:
        core = network.mme.core
        attempt = core.gateways.by_teid[7] = _context()
        attempt.s11_teid = 7
        core.end_session(attempt)
        core.show(attempt)
        assert network.observed("session", element="mme") == []
        assert core.gateways.by_teid.pop(7) is attempt, "whose session is asked for, ends that"
        await network.attached()
        ue = core.by_imsi[IMSI]
        ue.detach = NetworkDetachType.RE_ATTACH_REQUIRED, None
        core.register(ue)
        assert ue.detach is None
        core.end_session(ue, lost=True)
        await network.settle()
        assert (ue.state, ue.bearers) == (EmmState.DEREGISTERED, {})
        assert network.session() is None
        assert "delete-session" not in asked(network)


async def test_an_area_is_shown_as_it_is_and_as_it_goes(run: Any) -> None:
    async with run() as network:
        core = network.mme.core
        core.show_area(IMSI)
        record = {"at": "2026", "role": "operator", "caller": "", "action": "area", "imsi": IMSI, "details": {}}
        core.areas.put(IMSI, MmeArea(stations=1), record)
        core.show_area(IMSI)
        shown = {"imsi": IMSI, "cells": [], "stations": 1, "province": "", "used": []}
        assert network.observed("area", key=IMSI) == [None, shown]


@pytest.mark.parametrize(("imsi", "told"), [(IMSI, False), (IMSI, True), ("", False)])
async def test_a_rejection_is_said_once_and_kept_for_a_card_that_is_known(run: Any, imsi: str, told: bool) -> None:  # noqa: FBT001
    async with run() as network:
        rejection = Rejection(EmmCause.CONGESTION, "too many", told=told)
        network.mme.core.show_reject(imsi, "attach", rejection)
        said = [(each.message, each.cause, each.subject) for each in network.of(Rejected)]
        assert said == ([] if told else [("attach-reject", EmmCause.CONGESTION, imsi)])
        assert [each["imsi"] for each in network.observed("reject")] == ([imsi] if imsi else [])


@pytest.mark.parametrize(("cause", "back_off"), [("congestion", 900.0), ("network-failure", None)])
async def test_only_congestion_has_a_back_off(run: Any, cause: str, back_off: float | None) -> None:
    async with run(causes={"unreachable": cause}, timers={"t3346_spread": 59}) as network:
        rejection = network.mme.core.temporary("nobody answers")
        assert (rejection.t3346, rejection.temporary) == (back_off, True)
