"""Programs of others against a card's lists, through its bearer; what counts is what servers of others have noted."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from far_side import (
    ADDRESSES,
    DNS2TCPD,
    IODINED,
    LISTED,
    LISTED6,
    OTHER_RESOLVER,
    RESOLVER,
    UNLISTED,
    UNLISTED6,
    FarSide,
    Fetched,
)
from user_programs import METER, OUTSIDE, PREFIX, Programs, carry_out, lacking, until

from simulators.internet.config import InternetConfig
from simwarden.runtime.loop import TestbedLoop

LACKING = lacking("curl", "kdig", "nginx", "unbound", "openssl")
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(LACKING), reason=LACKING or "nothing is lacking")]
Story = Callable[[Programs, FarSide], Awaitable[None]]
Tell = Callable[..., Programs]
#: how long a program goes on that gets nowhere, in seconds: it is judged by what comes to the far side, not by this
PATIENCE = "3"


def versions() -> dict[str, str]:
    """Return how curl is told each version of HTTP that it has here, by what servers call it."""
    if not shutil.which("curl"):
        return {}
    told = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S607 - as above
    known = {"HTTP/1.1": "--http1.1", "HTTP/2.0": "--http2", "HTTP/3.0": "--http3-only"}
    return {each: option for each, option in known.items() if each != "HTTP/3.0" or "HTTP3" in told}


VERSIONS = versions()


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    loop = TestbedLoop(virtual=False)

    def play(story: Story, data: dict[str, Any] | None) -> Programs:
        bench = Programs(loop, "memory", "ipv4v6", InternetConfig(hosts={}, outside=ADDRESSES), PREFIX, data=data)
        far = FarSide(bench, tmp_path)

        async def whole(bench: Programs) -> None:
            try:
                await far.start()
                await story(bench, far)
            finally:
                far.stop()

        return carry_out(bench, whole)

    yield play
    loop.close()


async def curl(bench: Programs, version: str, url: str, *more: str) -> bytes:
    """Return what curl gets, which is nothing if it gets nowhere."""
    done = await bench.run(METER, "curl", "-sk", "-m", PATIENCE, VERSIONS[version], *more, url)
    return done.stdout


async def aioquic(bench: Programs, address: str, name: str) -> bytes:
    script = Path(__file__).parents[1] / "support" / "quic_get.py"
    done = await bench.run(METER, "timeout", PATIENCE, sys.executable, str(script), address, name)
    return done.stdout


def shown(bench: Programs, name: str) -> list[str]:
    """Return why packets were dropped that showed a name."""
    return [each for each in bench.dropped() if f"shows {name}" in each]


def refused(bench: Programs) -> set[str]:
    """Return the last three labels of names that packets were dropped for."""
    found = (each.rpartition("shows ")[2].split(".") for each in bench.dropped() if "shows " in each)
    return {".".join(("", *labels[-3:])) for labels in found}


def to(bench: Programs, address: str) -> list[str]:
    """Return what protocols of the meter have come to an address."""
    return [key.split(" ")[2] for key in bench.arrived() if key.split(" ")[1] == address]


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2.0", "HTTP/3.0"])
def test_curl_gets_a_listed_page_and_no_other(tell: Tell, version: str) -> None:
    if version not in VERSIONS:
        pytest.skip(f"the curl that is installed has no {version}")
    entry = "quic://listed.example:443" if version == "HTTP/3.0" else "https://listed.example"

    async def story(bench: Programs, far: FarSide) -> None:
        for each in ("-4", "-6"):
            assert await curl(bench, version, "https://listed.example/", each, "-m", "60") == b"through"
        tries: list[tuple[str, ...]] = [("https://unlisted.example/", "-4"), ("https://unlisted.example/", "-6")]
        for near, far_away in ((LISTED, UNLISTED), (f"[{LISTED6}]", f"[{UNLISTED6}]")):
            tries += [
                ("https://listed.example/", "--resolve", f"listed.example:443:{far_away}"),
                ("https://unlisted.example/", "--resolve", f"unlisted.example:443:{near}"),
                (f"https://{far_away}/",),
            ]
        assert set(await asyncio.gather(*(curl(bench, version, *each) for each in tries))) == {b""}
        assert far.fetched() == {Fetched(version, "listed.example", each, "/") for each in (LISTED, LISTED6)}
        assert to(bench, UNLISTED) == to(bench, UNLISTED6) == []
        assert {each.partition(" port")[0].rpartition(" ")[2] for each in shown(bench, "unlisted.example")} > {
            LISTED,
            LISTED6,
        }
        assert "unlisted.example" not in far.asked()

    tell(story, {"whitelist": [entry]})


def test_a_client_by_aioquic_gets_a_listed_page_and_no_other(tell: Tell) -> None:
    pytest.importorskip("aioquic")

    async def story(bench: Programs, far: FarSide) -> None:
        await bench.output(METER, "kdig", f"@{RESOLVER}", "listed.example")
        got = await asyncio.gather(
            aioquic(bench, LISTED, "unlisted.example"),
            aioquic(bench, UNLISTED, "listed.example"),
            bench.run(
                METER,
                "timeout",
                "60",
                sys.executable,
                str(Path(__file__).parents[1] / "support" / "quic_get.py"),
                LISTED,
                "listed.example",
            ),
        )
        assert got[:2] == [b"", b""]
        assert got[2].stdout == b"through"
        assert far.fetched() == {Fetched("HTTP/3.0", "listed.example", LISTED, "/aioquic")}
        assert to(bench, UNLISTED) == []
        assert shown(bench, "unlisted.example")

    tell(story, {"whitelist": ["quic://listed.example:443"]})


def test_the_clear_request_of_http2_says_no_name_that_counts(tell: Tell) -> None:
    """With prior knowledge (RFC 9113 3.3): its names stand in compressed headers, and are not read."""

    async def story(bench: Programs, far: FarSide) -> None:
        ask = "http://listed.example/"
        assert await curl(bench, "HTTP/1.1", ask, "-m", "60") == b"through"
        assert await curl(bench, "HTTP/2.0", ask, "--http2-prior-knowledge") == b""
        assert {each.protocol for each in far.fetched()} == {"HTTP/1.1"}
        assert any("unreadable" in each or "no rule" in each for each in bench.dropped())

    tell(story, {"whitelist": ["http://listed.example"]})


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2.0", "HTTP/3.0"])
def test_an_app_of_people_is_stopped_and_payments_beside_it_are_not(tell: Tell, version: str) -> None:
    if version not in VERSIONS:
        pytest.skip(f"the curl that is installed has no {version}")

    async def story(bench: Programs, far: FarSide) -> None:
        pay, other = "api.mch.weixin.qq.com", "neighbour.example"
        assert await curl(bench, version, f"https://{pay}/", "-m", "60") == b"through"
        assert await curl(bench, version, f"https://{other}/", "-m", "60") == b"through"
        where = ("--resolve", f"weixin.qq.com:443:{LISTED}")
        got = await asyncio.gather(
            curl(bench, version, "https://weixin.qq.com/"), curl(bench, version, "https://weixin.qq.com/", *where)
        )
        assert got == [b"", b""]
        assert {each.host for each in far.fetched()} == {pay, other}
        assert not any(" weixin.qq.com." in each for each in far.asked().splitlines())
        assert any(each.startswith("data.blacklist") for each in bench.dropped())

    tell(story, {"apps": ["social", "video", "shopping", "games"]})


def kdig(server: str, *more: str) -> tuple[str, ...]:
    """Return how kdig asks a resolver, once, for a name that is not listed."""
    return "kdig", "+retry=0", "+short", f"+time={PATIENCE}", *more, f"@{server}", "unlisted.example"


def test_kdig_asks_nobody_where_nobody_sees_for_what(tell: Tell) -> None:
    async def story(bench: Programs, far: FarSide) -> None:
        assert await bench.output(METER, "kdig", "+short", f"@{RESOLVER}", "listed.example") == f"{LISTED}\n".encode()
        ways = [(to, by) for by in ("+tls", "+https", "+tcp", "+notcp") for to in (RESOLVER, OTHER_RESOLVER)]
        await asyncio.gather(*(bench.run(METER, *kdig(each, by)) for each, by in ways))
        assert "unlisted.example" not in far.asked()
        assert to(bench, OTHER_RESOLVER) == []
        for port in (853, 443, 53):
            assert any(f"it is with {OTHER_RESOLVER} port {port}" in each for each in bench.dropped())

    tell(story, {"whitelist": ["https://listed.example"]})


@pytest.mark.parametrize(("by", "port"), [("+tls", 853), ("+https", 443), ("+tcp", 53)])
def test_kdig_asks_a_resolver_that_is_listed(tell: Tell, by: str, port: int) -> None:
    async def story(bench: Programs, far: FarSide) -> None:
        got = await bench.output(METER, *kdig(OTHER_RESOLVER, by), "+time=60")
        assert got == f"{UNLISTED}\n".encode()
        assert "unlisted.example" in far.asked()

    tell(story, {"whitelist": ["https://listed.example", f"tcp://{OTHER_RESOLVER}:{port}"]})


TUNNELS = pytest.mark.skipif(
    bool(lacking("iodine", "iodined", "dns2tcpc", "dns2tcpd")), reason="iodine or dns2tcp lacks"
)
IODINE = ("iodine", "-f", "-P", "secret", "-r", "-L", "0", "-m", "200")


def dns2tcp(far: FarSide) -> tuple[str, ...]:
    """Serve the page by dns2tcp, and return how a client asks for it at its port 8888."""
    told = f"listen = {DNS2TCPD}\nport = 53\nuser = nobody\nchroot = {far.folder}\ndomain = d.tunnel.example\n"
    (far.folder / "dns2tcpd.conf").write_text(f"{told}resources = page:{LISTED}:80\n")
    far.begin(OUTSIDE, "dns2tcpd", "-F", "-d", "1", "-f", str(far.folder / "dns2tcpd.conf"))
    return "dns2tcpc", "-f", "/dev/null", "-c", "-z", "d.tunnel.example", "-r", "page", "-l", "8888", RESOLVER


def serve_iodine(far: FarSide) -> None:
    far.begin(OUTSIDE, "iodined", "-f", "-c", "-P", "secret", "-l", IODINED, "10.99.0.1/27", "t.tunnel.example")


@TUNNELS
def test_tunnels_through_a_resolver_carry_what_they_like_where_a_card_has_no_list(tell: Tell) -> None:
    async def story(bench: Programs, far: FarSide) -> None:
        serve_iodine(far)
        far.begin(METER, *IODINE, RESOLVER, "t.tunnel.example")
        far.begin(METER, *dns2tcp(far))
        again = ("--retry", "60", "--retry-all-errors", "--retry-delay", "1", "-m", "60")
        assert await bench.output(METER, "curl", "-s", *again, "http://127.0.0.1:8888/by-dns2tcp") == b"through"
        for _ in range(60):
            if (await bench.run(METER, "ping", "-I", "dns0", "-c", "1", "-W", "1", "10.99.0.1")).returncode == 0:
                break
            await asyncio.sleep(0.5)
        else:
            raise AssertionError
        assert {each.path for each in far.fetched()} == {"/by-dns2tcp"}
        assert {key.split(" ")[1] for key in bench.arrived()} == {RESOLVER}

    tell(story, None)


@TUNNELS
def test_tunnels_through_a_resolver_carry_nothing_for_a_card_with_names(tell: Tell) -> None:
    async def story(bench: Programs, far: FarSide) -> None:
        serve_iodine(far)
        for kind in ("NULL", "TXT", "SRV", "MX", "CNAME", "A"):
            far.begin(METER, *IODINE, "-T", kind, RESOLVER, "t.tunnel.example")
        far.begin(METER, *dns2tcp(far))
        curl_it = await bench.run(METER, "curl", "-s", "-m", PATIENCE, "http://127.0.0.1:8888/by-dns2tcp")
        assert curl_it.stdout == b""
        await until(lambda: {".t.tunnel.example", ".d.tunnel.example"} <= refused(bench))
        assert await bench.output(METER, "kdig", "+short", f"@{RESOLVER}", "listed.example") == f"{LISTED}\n".encode()
        assert "tunnel.example" not in far.asked()
        assert far.fetched() == set()

    tell(story, {"whitelist": ["https://listed.example", "*.listed.example:443"]})


PAGE = """<!doctype html><title>page</title><script>
const tried = ["https://neighbour.example/by-neighbour", "https://unlisted.example/by-name", "https://203.0.113.20/by-address"];
const quiet = {mode: "no-cors"};
Promise.allSettled(tried.map(url => fetch(url, {...quiet, signal: AbortSignal.timeout(3000)})))
  .then(() => fetch("https://listed.example/done", quiet));
</script>"""


@pytest.mark.skipif(bool(lacking("chromium")), reason="chromium is not installed")
@pytest.mark.parametrize(
    "data",
    [
        {"whitelist": ["https://listed.example", "https://neighbour.example"]},
        {"blacklist": ["unlisted.example", UNLISTED]},
    ],
)
def test_chromium_opens_a_page_and_what_is_listed_of_what_that_asks_for(tell: Tell, data: dict[str, Any]) -> None:
    async def story(bench: Programs, far: FarSide) -> None:
        (far.folder / "page.html").write_text(PAGE)
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
        quiet = ("--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors")
        where = f"--user-data-dir={far.folder / 'browser'}"
        far.begin(
            METER, "chromium", *options, *quiet, where, "--remote-debugging-port=0", "https://listed.example/page"
        )
        await until(lambda: any(each.path == "/done" for each in far.fetched()))
        assert {each.path for each in far.fetched()} - {"/favicon.ico"} == {"/page", "/by-neighbour", "/done"}
        assert {each.host for each in far.fetched()} == {"listed.example", "neighbour.example"}
        assert to(bench, UNLISTED) == []
        assert "unlisted.example" not in far.asked()

    tell(story, data)
