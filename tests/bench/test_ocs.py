"""Sessions at an OCS with the durable store, through both Diameter nodes and the trace: what they cost, and commits.

`-s` prints the figures. What is asserted is that each answer costs one commit.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

from charging import IMSI, REALM
from credit_net import INITIAL, TERMINATION, Net, card, group

from simwarden.runtime.loop import TestbedLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

SESSIONS = 400


def run(tmp_path: Path, what: str, work: Callable[[Net], Awaitable[None]]) -> int:
    """Do something with an OCS and print its rate; return how often it has committed."""
    commits, told = 0, 0

    async def main() -> None:
        async with Net(store=f"sqlite:///{tmp_path}/ocs.db", octets="1 kB") as net:
            await net.call("PUT", f"/cards/{IMSI}", card({"data": "100 MB"}))
            write = net.ocs.core.store.write

            nonlocal told

            def counted(*changes: object) -> None:
                nonlocal commits
                commits += 1
                write(*changes)  # type: ignore[arg-type]

            net.ocs.core.store.write = counted  # type: ignore[method-assign,assignment]
            began = time.process_time()
            await work(net)
            told = commits
            rate = SESSIONS / (time.process_time() - began)
            sys.stderr.write(f"\n{what}: {rate:,.0f}/s, {1e6 / rate:.0f} us\n")

    with closing(TestbedLoop(virtual=True)) as loop:
        loop.run_until_complete(main())
    return told


async def begin(net: Net, number: int) -> None:
    """Have one session begin."""
    assert (await net.pgw.ccr(f"pgw.{REALM};1;{number}", INITIAL, 0, group())).success


def test_set_ups(tmp_path: Path) -> None:
    async def work(net: Net) -> None:
        for number in range(SESSIONS):
            await begin(net, number)

    assert run(tmp_path, "set-ups at a durable OCS", work) == SESSIONS


def test_set_ups_and_ends(tmp_path: Path) -> None:
    async def work(net: Net) -> None:
        for number in range(SESSIONS):
            await begin(net, number)
            await net.pgw.ccr(f"pgw.{REALM};1;{number}", TERMINATION, 1, group(10, ask=None))
        assert await net.used() == 10 * SESSIONS

    assert run(tmp_path, "set-ups and ends at a durable OCS", work) == 2 * SESSIONS
