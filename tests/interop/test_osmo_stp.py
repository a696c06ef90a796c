"""osmo-stp carries our M3UA and SCCP between two application server processes of ours: calls are judged through it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import stp
from sigtran_net import SCP, SSP, Scp, Settings, Ssp
from waiting import reserved_port

from simwarden.errors import ConfigError
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.transport.sctp import open_socket
from simwarden.trace.events import Fault, Frame, PeerFault
from simwarden.trace.trace import Trace
from simwarden.wire import m3ua

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop
LISTED, OTHER = "10800000001", "10800000002"
ADDRESSES = {"ssp": ("127.0.0.8", 7, SSP), "scp": ("127.0.0.146", 8, SCP)}


@pytest.fixture(name="wires", params=[0, 1], ids=["whole", "octet by octet"])
def _wires(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, stp.Wire]]:
    with ExitStack() as stack:
        port, vty = (stack.enter_context(reserved_port()) for _ in range(2))
        stack.enter_context(stp.osmo_stp(tmp_path, port, vty, ADDRESSES))
        wires = {name: stp.Wire(address, port, request.param) for name, (address, *_) in ADDRESSES.items()}
        for wire in wires.values():
            stack.callback(wire.close)
        yield wires


async def active(node: Any) -> None:
    """Wait until the way to the transfer point is open."""
    async with asyncio.timeout(30):
        while not node.point._routes[0][1].active:  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.02)


OVER_SCTP = """\
import os, sys
sys.path[:0] = [{support!r}, {tests!r}]
import test_sigtran as net
async def story(bench, ssp, **_):
    await net.later(bench)
    print(await ssp.call(net.LISTED), await ssp.call(net.OTHER))
frames = net.Net(net.THROUGH, "sctp").play(story)
print(*sorted({{(each.stream, each.ppid) for each in frames}}), flush=True)
os._exit(0)
"""


def test_over_sctp() -> None:
    """Through a gateway of ours, on the kernel's associations or libusrsctp's: DATA are on a stream of their own."""
    try:
        open_socket().close()
    except ConfigError as error:
        pytest.skip(str(error))
    tests = Path(__file__).parents[1]
    code = OVER_SCTP.format(support=str(tests / "support"), tests=str(tests / "unit/runtime"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own
    assert done.stdout.splitlines() == ["connect releaseCall 21", "(0, 3) (1, 3)"]


@pytest.mark.skipif(not stp.STP, reason="osmo-stp is not installed (apt install osmo-stp)")
def test_calls_through_osmo_stp(wires: dict[str, stp.Wire]) -> None:
    loop = TestbedLoop(virtual=False)
    clock = Clock(loop)
    external = {f"stp-{name}": {"M3UA": ("127.0.0.1", wire.port)} for name, wire in wires.items()}
    host = Host(loop, clock, Trace(clock.now), HostSettings(transport="tcp", external=external))
    scp = host.add("scp", Scp, Settings(point_code=SCP, dials=(("stp-scp", 8),)))
    ssp = host.add("ssp", Ssp, Settings(point_code=SSP, dials=(("stp-ssp", 7),)))
    told: list[str] = []

    async def story() -> None:
        await host.start("scp")
        await host.start("ssp")
        await active(ssp)
        await active(scp)
        told.extend([await asyncio.wait_for(ssp.call(number), 30) for number in (LISTED, OTHER) * 5])
        await host.close()

    loop.run_until_complete(story())
    loop.close()
    assert told == ["connect", "releaseCall 21"] * 5
    assert not [each for each in host.trace.events if isinstance(each, (Fault, PeerFault))]
    frames = [each for each in host.trace.events if isinstance(each, Frame)]
    types = {m3ua.decode(each.data).type for each in frames}
    assert {m3ua.MessageType.ASP_UP_ACK, m3ua.MessageType.ASP_ACTIVE_ACK, m3ua.MessageType.NOTIFY} <= types
    assert all(wire.down for wire in wires.values())
