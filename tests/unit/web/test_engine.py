"""The process that plays: what it answers, how it begins anew, and what becomes of it when it or its page is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.web.engine import Engine
from simwarden.web.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

pytestmark = pytest.mark.slow


def really(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Have a test run on the real clock: what it asks is another process."""

    def run() -> None:
        asyncio.run(test())

    return run


@contextlib.asynccontextmanager
async def engine() -> AsyncIterator[Engine]:
    it = Engine()
    try:
        yield it
    finally:
        await it.close()


@really
async def test_it_plays_what_it_is_asked_and_begins_anew() -> None:
    async with engine() as it:
        drawn = await it.ask("begin", fleet=0)
        assert {"meter", "phone", "mme", "hss"} <= {each["name"] for each in drawn["nodes"]}
        assert len(drawn["tour"]) == 5
        said = await it.ask("act", step="power_n: meter")
        assert "did you mean 'power_on'" in said["error"]
        said = await it.ask("switch", control="hss/bind.hss.given", off=True)
        assert (said["told"], said["off"]) == ([], ["hss/bind.hss.given"])
        await it.ask("act", step="insert: {card: meter_card, into: phone}")
        said = await it.ask("act", step="power_on: phone")
        assert (said["told"][0]["outcome"], said["goes_on"]) == ("accepted", True)
        assert (await it.ask("use"))["stolen"] == {"packets": 1}
        assert (await it.ask("story"))["story"]["steps"][-1] == {"power_on": "phone"}
        # a new network has no switch, and nothing of the one before
        drawn = await it.ask("begin", fleet=30)
        assert {each["name"]: each["count"] for each in drawn["nodes"]}["fleet"] == 30
        said = await it.ask("switch", control="hss/bind.hss.given", off=False)
        assert (said["off"], said["stolen"]) == ([], {})
        assert (await it.ask("story"))["story"]["steps"] == []
        # what takes long says how far it has come
        heard: list[int] = []

        async def hear(done: int) -> None:
            heard.append(done)

        it.heard = hear
        await it.ask("act", step="insert: {card: fleet_card, into: fleet}")
        assert heard == []
        said = await it.ask("act", step="power_on: fleet")
        assert said["told"][0]["sums"]["fleet"]["attach"] == {"accepted": 30}
        assert heard == [2000]


@really
async def test_one_that_is_killed_is_followed_by_another() -> None:
    async with engine() as it:
        await it.ask("begin", fleet=0)
        assert it._process is not None
        os.kill(it._process.pid, signal.SIGKILL)
        said: dict[str, Any] = await it.ask("act", step="power_on: meter")
        assert said["ended"]
        await it.ask("begin", fleet=0)
        assert (await it.ask("act", step="insert: {card: meter_card, into: meter}"))["told"][0]["outcome"] == "inserted"


@really
async def test_who_begins_anew_does_not_wait_for_what_takes_long() -> None:
    async with engine() as it:
        await it.ask("begin", fleet=0)
        long = asyncio.create_task(it.ask("act", step="wait: 1000000 days"))
        await asyncio.sleep(0.2)
        it.interrupt()  # it has not taken long yet
        assert not long.done()
        it._asked -= 11
        it.interrupt()
        assert (await long)["ended"]
        assert "nodes" in await it.ask("begin", fleet=0)


@really
async def test_it_ends_with_its_page_whatever_is_under_way() -> None:
    pipe = asyncio.subprocess.PIPE
    for asked in ("", "wait: 1000000 days"):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simwarden.web.stage", stdin=pipe, stdout=pipe
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"do": "begin", "fleet": 0}\n')
        assert b"nodes" in await process.stdout.readline()
        if asked:
            process.stdin.write(json.dumps({"do": "act", "step": asked}).encode() + b"\n")
            await process.stdout.readline()  # how far it has come
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0


@really
async def test_a_save_ends_with_the_page_too() -> None:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "simwarden.scenario.saved")
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    story = Stage().document([{"wait": "1000000 days"}])
    told = await asyncio.wait_for(process.communicate(json.dumps({"story": story}).encode() + b"\n"), 60)
    assert (process.returncode, told) == (0, (b"", b""))
