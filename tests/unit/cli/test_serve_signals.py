"""The end of a served element by signal: the first with its goodbyes, whatever is under way; the second at once."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from served import serve
from waiting import LONG, until

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


#: a resolver that nobody answers
NO_NAMES = """\
import time
from types import SimpleNamespace
from simulators.cmp.north import delivery
delivery.socket = SimpleNamespace(SOCK_STREAM=1, getaddrinfo=lambda *words, **more: time.sleep(900))
"""


@pytest.mark.parametrize("before", ["", NO_NAMES])
def test_a_sink_that_lets_nobody_connect_does_not_hold_up_the_end(tmp_path: Path, before: str) -> None:
    """It waited until the sink's patience was over, or its name looked up."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as sink, contextlib.ExitStack() as held:
        where = sink.getsockname()
        held.enter_context(socket.create_connection(where))  # all that the sink has room for
        scopes = ["iot-sim-fraud-prevention-subscriptions:subscribe"]
        north = {"listen": "127.0.0.1:0", "patience": 900, "sinks": ["127.0.0.1"], "mme": "off"}
        clients = {"portal": {"token": "portal", "role": "operator", "scopes": scopes}}
        settings = {"hss": "off", "north": {**north, "clients": clients}}
        file = {"listen": {"S13": "127.0.0.1:0"}, "management": "127.0.0.1:0", "tokens": {"operator": "noc"}}
        with serve(tmp_path, "cmp", {**file, "settings": settings}, before=before) as platform:
            card = {"imsi": "001010000000001", "msisdn": "1440000000001", "state": "active"}
            _post("http://{}:{}/cards".format(*platform.where["management"]), "noc", {"cards": [card]})
            assert until(lambda: "north side http" in platform.log.read_text(), LONG)
            url = re.findall(r"north side (http://\S+)", platform.log.read_text())[0]
            wanted = {
                "sink": "https://{}:{}/".format(*where),
                "protocol": "HTTP",
                "types": ["org.camaraproject.iot-sim-fraud-prevention.v0.imei-change"],
                "config": {"subscriptionDetail": {"device": {"phoneNumber": "+1440000000001"}}},
            }
            _post(f"{url}/iot-sim-fraud-prevention-subscriptions/vwip/subscriptions", "portal", wanted)
            time.sleep(0.5)  # until it connects; if it does not yet, nothing is tried
            platform.process.send_signal(signal.SIGTERM)
            assert platform.process.wait(LONG) == 0


def _post(url: str, token: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - ours
    with urllib.request.urlopen(asked, timeout=LONG) as answer:  # noqa: S310 - ours
        assert answer.status in (200, 201)
