"""Virtual time, also far from its beginning."""

from __future__ import annotations

import asyncio

import pytest

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
