"""Whatever gets lost, fails or crosses, on either side: in the end a PGW has what its PCRF says that it has.

And no rule about all flows stands beside something denied that is not in force.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from pcrf_net import INITIAL, TERMINATION, UPDATE, Network, removed, reported, rules

from simwarden.wire.diameter import ExperimentalResult, ResultCode

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

LISTS: tuple[dict[str, Any], ...] = (
    {"whitelist": ["192.0.2.1", "192.0.2.2"]},
    {"whitelist": ["192.0.2.3"], "blacklist": ["192.0.2.9"]},
    {"whitelist": []},
    {"blacklist": ["192.0.2.9"]},
    {"blacklist": ["192.0.2.9", "192.0.2.8"]},
)
NOT_NOW = (ResultCode.DIAMETER_TOO_BUSY, ResultCode.DIAMETER_UNABLE_TO_COMPLY, ResultCode.DIAMETER_UNABLE_TO_DELIVER)
FAILURE = 10


class Pgw:
    """A PGW that installs and removes rules, some of which fail while it is `odd`, and answers or does not."""

    def __init__(self, net: Network, rng: random.Random) -> None:
        self.net, self.rng, self.odd = net, rng, True
        #: the rules of each session, and the number of its last CCR
        self.rules: dict[str, set[str]] = {}
        self.numbers: dict[str, int] = {}
        net.pgw.take = self.take  # type: ignore[method-assign, assignment]

    async def take(self, order: Message, _peer: Peer) -> Message | None:
        """Carry out an RAR, or not."""
        session, roll, answer = (
            order.get("Session-Id"),
            self.rng.random() if self.odd else 1.0,
            self.net.pgw.node.answer,
        )
        if roll < 0.2:
            return None if roll < 0.1 else answer(order, self.rng.choice(NOT_NOW))
        if self.odd and self.rng.random() < 0.3:
            await self.lose(session)
        if session not in self.rules:
            return answer(order, ResultCode.DIAMETER_UNKNOWN_SESSION_ID)
        failed = self._carry_out(session, order)
        if roll < 0.3:
            return None  # the answer is lost
        if not failed or self.rng.random() < 0.5:
            return answer(order, ExperimentalResult.DIAMETER_PCC_RULE_EVENT if failed else 2001, self._report(failed))
        self.net.pgw.site.spawn(self._tell(session, failed), "Charging-Rule-Report")
        return answer(order, ResultCode.DIAMETER_SUCCESS)

    def _carry_out(self, session: str, message: Message) -> list[str]:
        failed = [each for each in rules(message) if self.odd and self.rng.random() < 0.3]
        self.rules[session] -= {*removed(message), *failed}
        self.rules[session] |= {*rules(message)} - {*failed}
        return failed

    @staticmethod
    def _report(names: list[str]) -> list[tuple[str, Any]]:
        return [reported(*names, code=FAILURE)] if names else []

    async def begin(self, session: str) -> None:
        """Begin a session."""
        self.rules[session], self.numbers[session] = {*rules(await self.net.pgw.ask(INITIAL, 0, session))}, 0

    async def end(self, session: str) -> None:
        """End one."""
        del self.rules[session]
        assert (await self.net.pgw.ask(TERMINATION, self.numbers[session] + 1, session)).success

    async def lose(self, session: str) -> None:
        """Lose a rule, and tell."""
        if self.rules.get(session):
            lost = self.rng.choice(sorted(self.rules[session]))
            self.rules[session].discard(lost)
            await self._tell(session, [lost])

    async def _tell(self, session: str, failed: list[str]) -> None:
        await asyncio.sleep(0)  # after what it is doing
        if session in self.rules:
            self.numbers[session] += 1
            assert (await self.net.pgw.ask(UPDATE, self.numbers[session], session, *self._report(failed))).success


@pytest.mark.parametrize("seed", [7, 38, 55])
async def test_a_pgw_has_what_its_pcrf_says(seed: int) -> None:
    rng = random.Random(seed)
    net = Network({"list_changes": {"changes": 1000}})
    pgw, now = Pgw(net, rng), LISTS[0]
    async with net:
        await net.provision(by="pcrf", **now)
        for step in range(14):
            act = rng.choice(("begin", "begin", "begin", "end", "lose", "lose", "kill", "change", "change", "change"))
            sessions = sorted(pgw.rules)
            if act == "begin":
                await pgw.begin(f"{step}")
            elif act == "kill":
                await net.host.stop("pcrf", kill=True)
                await net.host.start("pcrf")
                await net.sleep(60)
            elif act == "change":
                now = rng.choice(LISTS)
                await net.change(**now)
            elif sessions:
                await {"end": pgw.end, "lose": pgw.lose}[act](rng.choice(sessions))
        pgw.odd = False
        await net.sleep(20_000)
        told = {each["id"]: each for each in await net.call("GET", "/sessions")}
        assert {name: {*each["rules"]} for name, each in told.items()} == pgw.rules
        assert not any(each["pending"] for each in told.values())
    listed = {f"not {each}" for each in now.get("blacklist", ())}
    for held in pgw.rules.values():
        assert held <= listed | {*now.get("whitelist", ["all flows"])}
        assert "all flows" not in held or listed <= held
