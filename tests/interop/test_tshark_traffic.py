"""Wireshark follows TCP, TLS, HTTP and DNS between a device and the internet, without a complaint."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import exported
import pytest
from user_network import Bench

from simwarden.runtime.clock import EPOCH
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Frame
from simwarden.trace.pcapng import write_capture

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
FIELDS = ("frame.protocols", "_ws.malformed", "tcp.analysis.flags", "tcp.checksum.status", "http.response.code")
GOOD = "1"


def played() -> list[Frame]:
    """Return the packets on SGi of a meter that resolves a name and fetches two pages."""
    loop = TestbedLoop(virtual=True)
    bench = Bench(loop, "memory", "ipv4")
    bench.host.trace.show_packets = True

    async def story(bench: Bench) -> None:
        for scheme in ("http", "https"):
            assert await bench.do("meter", "fetch", device="meter", url=f"{scheme}://server.example/") == "delivered"
            await asyncio.sleep(120)

    bench.play(story)
    loop.close()
    return [each for each in bench.of(Frame) if each.interface == "SGi"]


def test_what_devices_say(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    with path.open("wb") as file:
        write_capture(played(), file, EPOCH)
    command = [exported.TSHARK, "-n", "-r", str(path), "-o", "tcp.check_checksum:TRUE", "-T", "fields"]
    for each in FIELDS:
        command += ["-e", each]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603 - its own path
    rows = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]
    seen = {layer for row in rows for layer in row["frame.protocols"].split(":")}
    assert {"tcp", "http", "tls", "dns"} <= seen, seen
    assert [row for row in rows if row["_ws.malformed"] or row["tcp.analysis.flags"]] == []
    assert {row["tcp.checksum.status"] for row in rows} - {""} == {GOOD}
    assert "200" in {row["http.response.code"] for row in rows}
