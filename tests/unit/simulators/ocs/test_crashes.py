"""An OCS that is killed before or after any of its commits: what its gateways send again is answered alike, once."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from charging import REALM
from credit_net import DEBIT, INITIAL, REFUND, TERMINATION, UPDATE, Net, group

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from simwarden.wire.diameter import Avps, Message

    Request = Callable[[Net], Awaitable[Message]]

QUOTA = {"data": 6000, "sms": 3}


def course(rng: random.Random, steps: int) -> list[Request]:
    """Make requests of two sessions at a time, each with two rating groups, and events between them."""
    numbers = {f"pgw.{REALM};1;{each}": 0 for each in range(2)}
    made: list[Request] = []
    for step in range(steps):
        if rng.random() < 0.2:
            action = rng.choice((DEBIT, DEBIT, REFUND))
            made.append(partial(_event, f"pgw.{REALM};2;{step}", action))
            continue
        session = rng.choice(sorted(numbers))
        number = numbers[session]
        kind = INITIAL if not number else rng.choice((UPDATE, UPDATE, UPDATE, TERMINATION))
        numbers[session] += 1
        asks = None if kind == TERMINATION else 0
        groups = [group(rng.choice((0, 400, 1000, 1300)) if number else None, ask=asks, rating=each) for each in (1, 2)]
        if kind == TERMINATION:
            del numbers[session]
            numbers[f"{session};{step}"] = 0
        made.append(partial(_ask, session, kind, number, groups))
    return made


async def _event(session: str, action: int, net: Net) -> Message:
    return await net.pgw.event(session, action)


async def _ask(session: str, kind: int, number: int, groups: list[Avps], net: Net) -> Message:
    return await net.pgw.ccr(session, kind, number, *groups)


async def state(net: Net) -> Any:
    open_ = {each.session: dict(each.reserves) for each in net.ocs.core.store.open_sessions()}
    return await net.used(), await net.used("sms"), open_


@pytest.mark.parametrize("seed", range(3))
async def test_a_request_that_comes_again_after_a_crash_counts_once(tmp_path: Path, seed: int) -> None:
    requests = course(random.Random(seed), 7)
    files = [tmp_path / f"{number}.db" for number in range(len(requests) + 1)]
    told = []
    async with Net(QUOTA, store=f"sqlite:///{tmp_path}/ocs.db") as net:
        for request, file in zip((None, *requests), files, strict=True):
            told.append((None if request is None else (await request(net)).avps, await state(net)))
            with closing(sqlite3.connect(tmp_path / "ocs.db")) as held, closing(sqlite3.connect(file)) as copy:
                held.backup(copy)
    for number, request in enumerate(requests, 1):
        for left in files[number - 1 : number + 1]:  # killed before its commit, and after
            async with Net(store=f"sqlite:///{left}") as net:
                assert ((await request(net)).avps, await state(net)) == told[number]
    used = sorted(each[0] for _, each in told)
    assert used[-1] > used[0]
