"""Virtual time, also far from its beginning."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from simwarden.runtime.clock import Clock
from simwarden.runtime.loop import TestbedLoop

DAY = 86400.0


@pytest.mark.parametrize("days", [1, 97, 195, 300, 3000, 100_000])
def test_timers_run_out_after_any_time(days: int) -> None:
    loop = TestbedLoop(virtual=True)

    async def story() -> float:
        await asyncio.sleep(days * DAY)
        await asyncio.sleep(0.25)
        return loop.time()

    try:
        assert loop.run_until_complete(story()) == pytest.approx(days * DAY + 0.25, abs=1e-5)
    finally:
        loop.close()


@pytest.mark.parametrize("virtual", [True, False])
def test_long_work_is_done_in_order_on_virtual_time_and_beside_others_on_the_real_one(*, virtual: bool) -> None:
    loop, done, threads = TestbedLoop(virtual=virtual), list[int](), set[int]()
    clock = Clock(loop)

    def compute(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        threads.add(threading.get_ident())
        return number

    async def one(number: int) -> None:
        done.append(await clock.off_loop(compute, number))

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(3)))

    loop.run_until_complete(all_of_them())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert (threads == {threading.get_ident()}) is virtual
    assert (done == [0, 1, 2]) is virtual
    assert sorted(done) == [0, 1, 2]
