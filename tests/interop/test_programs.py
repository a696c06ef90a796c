"""curl, kdig and ping through the emulated bearer: kernels speak with our TCP, and with each other, in real time."""

# ruff: noqa: S603, S607 - it runs programs, as root finds them

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from user_network import SERVER, SERVER6
from user_programs import METER, OUTSIDE, PREFIX, Programs, Story, carry_out, lacking, until

from simulators.internet.config import HostConfig, InternetConfig
from simwarden.errors import ConfigError
from simwarden.runtime.loop import TestbedLoop
from simwarden.runtime.tun import Tun
from simwarden.trace.events import PeerFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LACKING = lacking("curl", "kdig", "ping")
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(LACKING), reason=LACKING or "nothing is lacking")]
BIG = 3_000_000
CONTENT = (b"simwarden " * (BIG // 10 + 1))[:BIG]
HOSTS = {
    "server": HostConfig(
        addresses=(SERVER, SERVER6), names=("server.example",), pages={"/": 64, "/big": BIG, "/endless": 100_000_000}
    ),
    "resolver": HostConfig(addresses=("192.0.2.53", "2001:db8::53"), answers=("dns",)),
    "many": HostConfig(addresses=tuple(f"198.51.100.{each}" for each in range(100, 200)), names=("many.example",)),
}


@pytest.fixture
def tell() -> Iterator[Callable[..., Programs]]:
    loop = TestbedLoop(virtual=False)

    def play(story: Story, kind: str = "ipv4") -> Programs:
        return carry_out(Programs(loop, "memory", kind, InternetConfig(hosts=HOSTS), PREFIX), story)

    yield play
    loop.close()


def test_curl_kdig_and_ping_reach_our_hosts(tell: Callable[..., Programs]) -> None:
    async def story(bench: Programs) -> None:
        await bench.output(METER, "ping", "-c", "3", "-i", "0.2", "-s", "1200", SERVER)
        assert await bench.output(METER, "curl", "-s", f"http://{SERVER}/big") == CONTENT
        assert await bench.output(METER, "curl", "-sk", "https://server.example/big") == CONTENT
        sent = [
            "curl",
            "-s",
            "--data-binary",
            "@/bin/sh",
            "-o",
            "/dev/null",
            "-w",
            "%{size_upload}",
            f"http://{SERVER}/",
        ]
        assert int(await bench.output(METER, *sent)) == Path("/bin/sh").stat().st_size
        assert (await bench.output(METER, "kdig", "@192.0.2.53", "+short", "server.example")).split() == [
            SERVER.encode()
        ]
        assert len((await bench.output(METER, "kdig", "@192.0.2.53", "+short", "many.example")).split()) == 100
        assert b"NXDOMAIN" in await bench.output(METER, "kdig", "@192.0.2.53", "nobody.example")
        refused = await bench.run(METER, "curl", "-s", f"http://{SERVER}:8080/")
        assert refused.returncode == 7
        assert await bench.send(SERVER) == "delivered"  # its own verbs go on
        assert await bench.do("meter", "fetch", device="meter", url="https://server.example/") == "delivered"

    bench = tell(story)
    assert bench.of(PeerFault) == []


def test_programs_at_both_ends(tell: Callable[..., Programs], tmp_path: Path) -> None:
    content = os.urandom(1_000_000)
    (tmp_path / "file").write_bytes(content)
    serve = (sys.executable, "-m", "http.server", "-d", str(tmp_path), "8000")

    async def story(bench: Programs) -> None:
        await bench.output(OUTSIDE, "ping", "-c", "2", "-i", "0.2", "10.64.0.1")
        for there, here, address in ((OUTSIDE, METER, "203.0.113.1"), (METER, OUTSIDE, "10.64.0.1")):
            server = subprocess.Popen(["ip", "netns", "exec", there, *serve], stderr=subprocess.DEVNULL)
            try:
                ask = ("curl", "-s", "--retry", "20", "--retry-connrefused", "--retry-delay", "1")
                got = await bench.output(here, *ask, f"http://{address}:8000/file")
            finally:
                server.kill()
                server.wait()
            assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()

    tell(story)


def test_version_six(tell: Callable[..., Programs]) -> None:
    async def story(bench: Programs) -> None:
        await until(lambda: bool(bench.meter.prefixes))
        await asyncio.sleep(0.5)  # which the kernel is told next
        await bench.output(METER, "ping", "-6", "-c", "2", "-i", "0.2", SERVER6)
        assert await bench.output(METER, "curl", "-s", f"http://[{SERVER6}]/big") == CONTENT

    tell(story, "ipv6")


def test_the_curl_of_a_suspended_card_stops(tell: Callable[..., Programs]) -> None:
    """What comes after the change is counted by the kernel, outside of all that is ours."""

    async def story(bench: Programs) -> None:
        await bench.output(METER, "curl", "-s", "-o", "/dev/null", f"http://{SERVER}/")  # its twin
        ask = ("curl", "-s", "-o", "/dev/null", "--speed-time", "4", "--speed-limit", "1", f"http://{SERVER}/endless")
        running = bench.host.loop.create_task(bench.run(METER, *ask))
        await until(lambda: bench.meter.packets.received > 200)
        await bench.suspend()
        await until(lambda: not bench.meter.bearers)
        before = await bench.counted(METER)
        stopped = await running
        assert stopped.returncode in (7, 28, 56), stopped
        assert (await bench.counted(METER))[0] == before[0]
        assert (await bench.run(METER, "ping", "-c", "1", "-W", "1", SERVER)).returncode != 0
        assert (await bench.run(OUTSIDE, "ping", "-c", "1", "-W", "1", "10.64.0.1")).returncode != 0
        assert (await bench.counted(METER))[0] == before[0]

    tell(story)


def test_a_namespace_that_is_there_is_told_and_left_alone() -> None:
    loop = TestbedLoop(virtual=False)
    subprocess.run(["ip", "netns", "add", f"{PREFIX}taken"], check=True)
    try:
        with pytest.raises(ConfigError, match="already"):
            Tun(f"{PREFIX}taken", loop, lambda _packets: None)
        assert (Path("/run/netns") / f"{PREFIX}taken").exists()
    finally:
        subprocess.run(["ip", "netns", "delete", f"{PREFIX}taken"], check=True)
        loop.close()


def test_the_command(tmp_path: Path) -> None:
    story: dict[str, Any] = {
        "scenario": "A meter whose programs send",
        "cards": {"card": {"profile": "meter"}},
        "devices": {"meter": {"type": "module"}},
        "steps": [{"insert": {"card": "card", "into": "meter"}}, {"power_on": "meter"}, {"wait": "10 s"}],
    }
    (tmp_path / "story.yaml").write_text(json.dumps(story))
    command = [str(Path(sys.executable).with_name("simwarden")), "run", "story.yaml", "--tun"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as run:
        done = None
        while run.poll() is None and (done is None or done.returncode):
            ask = ["ip", "netns", "exec", "simwarden-meter", "curl", "-s", "-m", "2", "http://server.example/"]
            done = subprocess.run(ask, capture_output=True, check=False)
        output = run.communicate(timeout=90)[0]
    assert done is not None
    assert len(done.stdout) == 64, (done, output)
    assert "1 passed" in output
    assert not Path("/run/netns/simwarden-meter").exists()
