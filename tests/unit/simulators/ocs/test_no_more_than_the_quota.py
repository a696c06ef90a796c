"""Whatever gateways ask, at once, again and across crashes: what they pass and may pass is no more than the quota."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from charging import REALM
from credit_net import INITIAL, TERMINATION, UPDATE, Net, given, group

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.wire.diameter import Avps, Message

GROUPS = (1, 2)


class Gateway:
    """One session at a time, with two rating groups: it passes octets while it has some, also while it waits."""

    def __init__(self, net: Net, name: str, rng: random.Random) -> None:
        self.net, self.rng, self.name = net, rng, f"{name}.{REALM};1"
        self.number, self.sessions, self.passed = 0, 0, 0
        #: octets that each group may pass, and those that it has passed and not reported
        self.left, self.owed = dict.fromkeys(GROUPS, 0), dict.fromkeys(GROUPS, 0)

    async def step(self) -> None:
        """Begin a session, or report of one and ask for more, or end it."""
        if not self.number:
            self.sessions += 1
            await self._ask(INITIAL, {each: group(rating=each) for each in GROUPS})
            return
        for each in GROUPS:
            self._pass(each)
        if self.rng.random() < 0.2:
            await self._ask(TERMINATION, {each: group(self.owed[each], ask=None, rating=each) for each in GROUPS})
            self.number = 0
            return
        which = self.rng.choice((GROUPS[:1], GROUPS[1:], GROUPS))
        parts = [(each,) for each in which] if self.rng.random() < 0.4 else [which]
        await asyncio.gather(*(self._update(each) for each in parts))

    async def _update(self, which: tuple[int, ...]) -> None:
        asks = {each: self.rng.choice((0, 0, 50, None)) for each in which}
        groups = {each: group(self.owed[each], ask=asks[each], rating=each) for each in which}
        for each in which:
            self.owed[each] = 0
            self.left[each] = self.left[each] if asks[each] is not None else 0
        waiting = asyncio.ensure_future(self._ask(UPDATE, groups))
        await asyncio.sleep(0)
        for each in which:
            self._pass(each)
        await waiting

    async def _ask(self, kind: int, groups: dict[int, Avps]) -> None:
        """Ask, and perhaps again; what was passed meanwhile is of what is given now (TS 32.299 7.2.237)."""
        number, self.number = self.number, self.number + 1
        name, again = f"{self.name};{self.sessions}", self.rng.random() < 0.3
        ccr = (
            self.net.pgw.ccr(name, kind, number, *groups.values(), again=each) for each in (False, True)[: 1 + again]
        )
        told: list[Message] = await asyncio.gather(*ccr)
        assert [each.avps for each in told] == [told[0].avps] * len(told)
        if not told[0].success:
            self.number = 0
        for each in groups:
            self.left[each] = max(0, (given(told[0], each)[1] or 0) - self.owed[each])
        if not self.number or kind == TERMINATION:
            self.left, self.owed = dict.fromkeys(GROUPS, 0), dict.fromkeys(GROUPS, 0)

    def _pass(self, each: int) -> None:
        octets = self.rng.choice((self.left[each], self.rng.randint(0, self.left[each])))
        self.left[each] -= octets
        self.owed[each] += octets
        self.passed += octets


@pytest.mark.parametrize("seed", [11, 23, 26])
async def test_gateways_pass_no_more_than_the_quota(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    quota = rng.choice((2500, 6000, 9999))
    async with Net({"data": quota}, store=f"sqlite:///{tmp_path}/ocs.db") as net:
        gateways = [Gateway(net, f"pgw{each}", rng) for each in range(3)]
        for _ in range(10):
            await asyncio.gather(*(each.step() for each in gateways if rng.random() < 0.6))
            may = sum(each.passed + sum(each.left.values()) for each in gateways)
            assert may <= await net.used() <= quota
            if rng.random() < 0.1:
                await net.host.stop("ocs", kill=True)
                await net.host.start("ocs")
                await net.sleep(60)
        assert may > quota / 2
