"""SIPp calls our user agent, in many spellings of a number, and is called by it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sip_net import LISTED, Settings, Trunk
from sipp import CALLS, SIPP, finish, free_port, sipp, start

from simwarden.machine.sip_events import Answered, Incoming, Refused, Released
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings, Placement
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault, PeerFault
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not SIPP, reason="SIPp is not installed (apt install sip-tester)"),
]
#: the listed number, as callers may write it, and numbers that are another
SPELLINGS = (
    "sip:+8610800000001@127.0.0.1",
    "sip:+86-10-8000-00001@127.0.0.1",
    "sip:+86.10.8000.00001@127.0.0.1:5060",
    "tel:+8610800000001",
    "tel:+86(10)8000-00001",
)
OTHERS = (
    "sip:+8610800000002@127.0.0.1",
    "sip:8610800000001x@127.0.0.1",
    "tel:+861080000000",
    "sip:anonymous@anonymous.invalid",
)


def played(story: Callable[[Any, int], Awaitable[None]]) -> Trunk:
    """Play a story with our end of a trunk at a port of the outside; it has no fault of anybody."""
    port = free_port()
    loop = TestbedLoop(virtual=False)
    clock = Clock(loop)
    places = {"trunk": Placement(listen={"SIP": ("127.0.0.1", port)})}
    host = Host(loop, clock, Trace(clock.now), HostSettings(transport="udp", placements=places))
    trunk = host.add("trunk", Trunk, Settings())

    async def run() -> None:
        await host.start("trunk")
        await story(trunk, port)
        await host.close()

    loop.run_until_complete(run())
    loop.close()
    assert not [each for each in host.trace.events if isinstance(each, (Fault, PeerFault))]
    return trunk


def test_sipp_calls(tmp_path: Path) -> None:
    callers = (*SPELLINGS, *OTHERS)
    file = tmp_path / "callers.csv"
    file.write_text("SEQUENTIAL\n" + "".join(f"{each};+861\n" for each in callers))
    count = str(len(callers))

    async def story(_trunk: Trunk, port: int) -> None:
        command = sipp(tmp_path, "-sf", str(CALLS), "-inf", str(file), "-m", count, "-r", "20", f"127.0.0.1:{port}")
        await finish(await start(command), tmp_path)

    trunk = played(story)
    incoming = [each for each in trunk.heard if isinstance(each, Incoming)]
    assert len(incoming) == len(callers)
    assert sum(isinstance(each, Answered) for each in trunk.heard) == len(SPELLINGS)
    assert sum(isinstance(each, Released) for each in trunk.heard) == len(SPELLINGS)
    assert len(trunk.trunk.agent) == 0


def test_sipp_is_called(tmp_path: Path) -> None:
    far = free_port()

    async def story(trunk: Trunk, _port: int) -> None:
        process = await start(sipp(tmp_path, "-sn", "uas", "-p", str(far), "-m", "3"))
        for _ in range(3):
            told = await asyncio.wait_for(trunk.call("+861", ("127.0.0.1", far), LISTED, 0.05), 30)
            assert isinstance(told, Answered)
            assert b"m=audio" in told.body
        await finish(process, tmp_path)

    assert len(played(story).trunk.agent) == 0


def test_sipp_is_not_there(tmp_path: Path) -> None:
    """Nobody at the port: the call is given up after timer B, and can be given up before."""
    del tmp_path

    async def story(trunk: Trunk, _port: int) -> None:
        call = asyncio.ensure_future(trunk.call("+861", ("127.0.0.1", free_port()), LISTED))
        await asyncio.sleep(0.2)
        assert not call.done()
        trunk.trunk.agent.on_timer(trunk.site.clock.now() + 32)
        trunk.trunk.flush()
        assert isinstance(await call, Refused)

    played(story)
