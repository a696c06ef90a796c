"""Programs of this machine behind a meter, and beyond its internet: a network in real time, with namespaces."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from meter_card import IMSI
from user_network import Bench

from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.runtime.tun import why_not
from simwarden.trace.events import Fault

PREFIX = f"sw{os.getpid()}-"
METER, OUTSIDE = f"{PREFIX}meter", f"{PREFIX}internet"


def lacking(*programs: str) -> str:
    """Return what this machine lacks for namespaces and these programs; empty if it has them."""
    return why_not() or next((f"{each} is not installed" for each in programs if not shutil.which(each)), "")


class Programs(Bench):
    """A network whose meter and internet have namespaces."""

    async def run(self, space: str, *command: str) -> subprocess.CompletedProcess[bytes]:
        """Run a program in a namespace to its end."""
        whole = ["ip", "netns", "exec", space, *command]
        return await asyncio.to_thread(subprocess.run, whole, capture_output=True, timeout=90, check=False)

    async def output(self, space: str, *command: str) -> bytes:
        done = await self.run(space, *command)
        assert done.returncode == 0, (command, done.stdout[-500:], done.stderr[-500:])
        return done.stdout

    async def counted(self, space: str) -> tuple[int, int]:
        """Return the octets that the kernel has counted on the interface of a namespace, in and out."""
        told = json.loads(await self.output(space, "ip", "-j", "-s", "link", "show", "tun0"))[0]["stats64"]
        return told["rx"]["bytes"], told["tx"]["bytes"]

    async def suspend(self) -> None:
        await element_of(self.host, "hss").manage(Role.OPERATOR, "POST", f"/cards/{IMSI}/suspension", {})


Story = Callable[[Programs], Awaitable[None]]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for a minute at most."""
    for _ in range(600):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError


def carry_out(bench: Programs, story: Story) -> Programs:
    """Tell a story in a network, which must end without a bug of ours, and leave nothing."""

    bench.loop.set_default_executor(ThreadPoolExecutor(16))  # programs wait in its threads

    async def whole() -> None:
        try:
            await bench.start()
            await story(bench)
        finally:
            await bench.host.close()

    bench.loop.run_until_complete(whole())
    bench.loop.run_until_complete(bench.loop.shutdown_default_executor())
    assert [event.detail or event.reason for event in bench.of(Fault)] == []
    assert not (Path("/run/netns") / METER).exists()
    assert not (Path("/etc/netns") / METER).exists()
    return bench
