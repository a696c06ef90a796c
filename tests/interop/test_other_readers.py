"""Damaged requests that nginx reads: the host that it answers for is one that is shown, or unreadable."""

# ruff: noqa: S603 - it runs nginx

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import budget
import mutation
import pytest
from flows import Flow
from served import NET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NGINX = shutil.which("nginx")
pytestmark = [pytest.mark.interop, pytest.mark.skipif(not NGINX, reason="nginx is not installed")]
HOST = f"{NET}.80"
CASES = max(200, budget.WIRE_CASES // 100)
NAMES = {"listed.example", "other.example", "hidden.example"}
_CONF = """\
daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  log_format told '$remote_addr $host';
  access_log {folder}/access.log told;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  client_header_timeout 1; client_body_timeout 1; keepalive_timeout 1;
  server {{ listen {host}:{port}; location / {{ return 200 "read"; }} }}
}}
"""
REQUESTS = [
    b"GET /a HTTP/1.1\r\nHost: listed.example\r\n\r\n",
    b"GET http://listed.example/a HTTP/1.1\r\nHost: listed.example\r\n\r\n",
    b"\r\nOPTIONS * HTTP/1.1\r\nHost: listed.example:80\r\nX-Long: " + b"y" * 40 + b"\r\n\r\n",
    b"POST /b HTTP/1.1\r\nHost: listed.example\r\nContent-Length: 4\r\n\r\nbody",
    b"POST /c HTTP/1.1\r\nHost: listed.example\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nbody\r\n0\r\nT: u\r\n\r\n",
]
HIDDEN = [each.replace(b"listed", b"hidden") for each in REQUESTS]
#: what servers treat in their own ways
ODD = [b" ", b"\t", b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b":", b"@", b"//", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0"]
ODD += [
    b"Host: hidden.example\r\n",
    b"Host : hidden.example\r\n",
    b"host:hidden.example\n",
    b" Host: hidden.example\r\n",
]
ODD += [b"Content-Length: 0\r\n", b"Content-Length: 40\r\n", b"Transfer-Encoding: identity\r\n", b"Upgrade: x\r\n"]
ODD += [b"M" * 40, b"http://hidden.example", b"Connection: close\r\n", b"Expect: 100-continue\r\n"]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "conf").write_text(_CONF.format(folder=tmp_path, host=HOST, port=port))
    command = [str(NGINX), "-c", str(tmp_path / "conf"), "-e", str(tmp_path / "error.log")]
    with subprocess.Popen(command) as running:
        for _ in range(100):
            with suppress(OSError), socket.create_connection((HOST, port)):
                break
            time.sleep(0.1)
        yield port, tmp_path / "access.log"
        running.kill()


def damaged(rng: random.Random) -> bytes:
    """Return two requests, of which the second is for another host, with something wrong before or in them."""
    first, second = rng.choice(REQUESTS), rng.choice(HIDDEN)
    if rng.random() < 0.6:
        at = rng.choice((0, rng.randrange(len(first)), len(first)))
        odd = rng.choice(ODD)
        first = first[:at] + odd + first[at + rng.choice((0, 0, len(odd))) :]
    else:
        first = mutation.mutate(rng, first, (*REQUESTS, *HIDDEN))
    return first + second


def test_nginx_answers_for_no_host_that_is_not_shown(nginx: tuple[int, Path]) -> None:
    port, log = nginx
    rng = random.Random(f"{budget.SEED}/nginx")
    said: dict[str, tuple[bytes, int]] = {}
    for number in range(CASES):
        octets = damaged(rng)
        near = f"127.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
        said[near] = octets, rng.randrange(len(octets))
        with socket.create_connection((HOST, port), source_address=(near, 0)) as there, suppress(OSError):
            there.sendall(octets)
            there.shutdown(socket.SHUT_WR)
            there.settimeout(2)
            while there.recv(4096):
                pass
    answered = [line.split(" ", 1) for line in log.read_text("latin-1").splitlines()]
    assert len({near for near, _ in answered}) > CASES // 3
    for near, host in answered:
        if near not in said:
            continue
        octets, cut = said[near]
        flow = Flow(80).open()
        shown: set[str] = set()
        for at, piece in ((0, octets[:cut]), (cut, octets[cut:])):
            flow.say(piece, at)
            shown |= set(flow.hosts)
        assert host not in NAMES or host in shown or "unreadable" in shown, (host, shown, octets, cut)
