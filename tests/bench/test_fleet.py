"""Many devices in one process: what one costs in memory, and how little happens while they sleep; `-s` prints it.

Nothing here fails on a slow machine: what is bounded is octets a device, events in three months, and modules loaded.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import figures
import pytest

from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.scenario.identities import Card, CardEntry, CardKeys, make_up_card
from simwarden.scenario.provisioning import provision_of
from simwarden.scenario.registry import Registry
from simwarden.trace.events import Event, Fault
from simwarden.trace.trace import Trace

NETWORK = ("internet", "pgw", "sgw", "hss", "eir", "enb", "mme")
MEASURED = 400
#: kB of one attached device with its card and its session, in all elements together, at which 10,000 take 450 MB.
#: Some 2 are answers that Diameter nodes keep, at most 4,096 of them.
BOUND = 45.0
#: first uses that fill what does not grow any more: ciphers of 512 devices at work, tables, caches
WARM_UP = 512
DAY = 86400.0


class Fleet:
    """A network, and as many terminals with bound cards as asked for; the trace is counted, not kept."""

    def __init__(self) -> None:
        self.loop = TestbedLoop(virtual=True)
        self.clock = Clock(self.loop)
        self.trace = Trace(self.clock.now, keep=False)
        self.faults: list[Event] = []
        self.trace.add_sink(self._watch)
        self.host = Host(self.loop, self.clock, self.trace, HostSettings(scenario="fleet"))
        self.registry = Registry.installed()
        self.size = 0
        for kind in NETWORK:
            self.host.add(kind, self.registry.kinds[kind], self.registry.declaration(kind).config())

    def _watch(self, event: Event) -> None:
        if isinstance(event, Fault):
            self.faults.append(event)

    async def add(self) -> None:
        """Make a terminal with its card, provision it, attach it."""
        self.size += 1
        device, card = f"device{self.size}", f"card{self.size}"
        keys = make_up_card(CardKeys(), self.size)
        told = Card(card, keys, [CardEntry("binding", ("hss",), {"by": "hss", "learn": "first-use"})])
        config = self.registry.declaration("device").config
        self.host.add(card, self.registry.kinds["uicc"], self.registry.declaration("uicc").config())
        self.host.add(device, self.registry.kinds["device"], config(**config.identities({}, self.size)))
        await self.host.start(card)
        await self.host.start(device)
        for name, kind in (("hss", "hss"), (card, "uicc")):
            body = provision_of(told, self.registry.declaration(kind), 0).model_dump()
            await element_of(self.host, name).manage(Role.OPERATOR, "PUT", f"/cards/{keys.imsi}", body)
        await self._do(device, "insert", card=card, into=device)
        assert await self._do(device, "power_on", device=device) == "accepted"

    async def _do(self, name: str, verb: str, **arguments: str) -> object:
        return await element_of(self.host, name).manage(Role.OPERATOR, "POST", f"/verbs/{verb}", arguments)

    async def grow(self, number: int) -> None:
        """Add so many."""
        for _ in range(number):
            await self.add()
        await self.clock.settle()


def _resident() -> float:
    """Return the resident memory of this process in kB, without what waits for the collector."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4.096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_memory_of_an_attached_device() -> None:
    """In a process of its own: what other benches have given back would be taken again, and cost nothing."""
    where = {**os.environ, "PYTHONPATH": str(Path(figures.__file__).parent)}
    done = subprocess.run([sys.executable, __file__], check=True, capture_output=True, text=True, env=where)  # noqa: S603 - ours
    each, spent = map(float, done.stdout.split())
    figures.tell("memory of an attached device", f"{each:.1f} kB; {spent:.2f} ms CPU to make and attach one")
    assert 0 < each < BOUND


def _memory_of_a_device() -> tuple[float, float]:
    """Return kB and milliseconds of CPU that each device costs."""
    fleet = Fleet()

    async def story() -> tuple[float, float]:
        await fleet.host.start_all()
        await fleet.grow(WARM_UP)
        before, began = _resident(), time.process_time()
        await fleet.grow(MEASURED)
        each = (_resident() - before) / MEASURED
        spent = (time.process_time() - began) / MEASURED * 1000
        await fleet.host.close()
        return each, spent

    each, spent = fleet.loop.run_until_complete(story())
    fleet.loop.close()
    assert not fleet.faults
    return each, spent


def test_three_months_with_ten_idle_cards_are_a_handful_of_events() -> None:
    fleet = Fleet()

    async def story() -> tuple[int, float]:
        await fleet.host.start_all()
        await fleet.grow(10)
        before, began = fleet.trace.last_number, time.process_time()
        await fleet.clock.sleep(90 * DAY)
        await fleet.clock.settle()
        happened, spent = fleet.trace.last_number - before, time.process_time() - began
        await fleet.host.close()
        return happened, spent

    happened, spent = fleet.loop.run_until_complete(story())
    fleet.loop.close()
    figures.tell("`wait: 90 days`, ten idle cards", f"{spent * 1000:.1f} ms, {happened} events")
    assert not fleet.faults
    assert happened < 10 * 20


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        ("--help", {"asyncio", "cryptography", "jinja2", "pydantic", "sqlalchemy", "yaml"}),
        ("validate scenarios/demo", {"jinja2", "uvicorn", "starlette"}),
        ("run scenarios/demo/first-story.yaml --trace off --report {folder}", {"rich", "starlette", "uvicorn"}),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: str, heavy: set[str], tmp_path: Path) -> None:
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('\\nloaded', *{name.partition('.')[0] for name in sys.modules}))\n"
        "from simwarden.cli.main import main\nmain()\n"
    )
    command = [sys.executable, "-c", script, *arguments.format(folder=tmp_path).split()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])  # noqa: S603 - ours
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not heavy & loaded


if __name__ == "__main__":
    sys.stdout.write("{} {}".format(*_memory_of_a_device()))
