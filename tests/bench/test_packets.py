"""What a user packet costs on its lane, handed over between two endpoints; `-s` prints the figures.

Batches of 32 packets of 200 octets, in this process, a batch at a time; CPU time of both ends and of all in between.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import figures
import pytest

from simwarden.model.interfaces import Interface, Service
from simwarden.runtime.clock import Clock
from simwarden.runtime.frame_queue import FrameQueue
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.transport.base import Wiring
from simwarden.runtime.transport.choose import Carriers
from simwarden.trace.events import Frame
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.runtime.transport.addresses import Address

POINT = Interface("S1-U", "bench", Service.DATAGRAMS, 2152)
BATCH = [bytes(200)] * 32
PACKETS = 96_000
#: packets a second that must be reached however busy the machine is
LEAST = {"memory": 100_000, "tcp": 20_000}


def rate(word: str) -> float:
    """Send all packets on a carrier; return how many a second of CPU time."""
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    trace = Trace(clock.now)
    loop.in_flight = frame_queue = FrameQueue()
    carriers = Carriers(word, Wiring(trace, frame_queue))
    heard = 0

    def take(packets: Sequence[bytes], _source: Address) -> None:
        nonlocal heard
        heard += len(packets)

    async def story() -> float:
        near, far = carriers.endpoint([POINT], "enb"), carriers.endpoint([POINT], "sgw")
        far.on_packets = take
        began = time.process_time()
        for _ in range(PACKETS // len(BATCH)):
            near.send_packets(BATCH, far.address)
            await clock.settle()
        spent = time.process_time() - began
        assert heard == near.path(far.address).packets == PACKETS
        await carriers.close()
        return PACKETS / spent

    try:
        found = loop.run_until_complete(story())
    finally:
        loop.close()
    assert not any(isinstance(each, Frame) for each in trace.events)
    return found


@pytest.mark.parametrize(("word", "where"), [("memory", "in memory"), ("tcp", "over UDP")])
def test_user_packets(word: str, where: str) -> None:
    best = max(rate(word) for _ in range(3))
    figures.tell(f"user packets from endpoint to endpoint, {where}", f"{best:,.0f}/s")
    assert best > LEAST[word]
