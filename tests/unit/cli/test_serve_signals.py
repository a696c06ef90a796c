"""The end of a served element by signal: the first with its goodbyes, whatever is under way; the second at once."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from served import serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

#: the first connection to the broker is being made when the signal comes
WHILE_IT_CONNECTS = """\
import os, signal
from simwarden.runtime.transport import memory
made = memory.MemoryTransport.connect
async def connect(self, *words):
    os.kill(os.getpid(), signal.SIGTERM)
    return await made(self, *words)
memory.MemoryTransport.connect = connect
"""
#: a goodbye that never ends: by waiting, or by work
NEVER = """\
import asyncio
from simulators.hss.element import Hss
async def stop(self):
    {}
Hss.stop = stop
"""


def test_it_ends_while_it_connects_to_its_own_broker(tmp_path: Path) -> None:
    settings = {"listen": {"S6a": "127.0.0.1:0"}, "events": {"listen": "127.0.0.1:0"}}
    with serve(tmp_path, "hss", settings, before=WHILE_IT_CONNECTS) as served:
        assert served.process.wait(15) == 0
        assert served.faults() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("how", ["await asyncio.Event().wait()", "while True: pass"])
def test_a_second_signal_always_ends_it(tmp_path: Path, how: str, number: signal.Signals) -> None:
    with serve(tmp_path, "hss", {"listen": {"S6a": "127.0.0.1:0"}}, before=NEVER.format(how)) as served:
        served.process.send_signal(number)
        time.sleep(0.5)
        assert served.process.poll() is None
        served.process.send_signal(number)
        assert served.process.wait(10) == -number
