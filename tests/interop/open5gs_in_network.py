"""Open5GS' SMF and UPF as a gateway at our PCRF and OCS, in a separate network: run by test_open5gs.py."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import yaml
from authority import Authority
from meter_card import IMSI
from sctp_lab import ip, simwarden
from served import REALM, serve
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "open5gs"
#: where its Debian packages install the dictionaries of freeDiameter
INSTALLED = "/usr/lib/x86_64-linux-gnu/freeDiameter"
EXTENSIONS = os.environ.get("OPEN5GS_FREEDIAMETER", INSTALLED)
EXCHANGES, PACKET = 4, 1000
#: seconds after its start in which the UPF sends no Error Indication (TS 23.527 4.3.2)
QUIET = 10


def prepare(folder: Path) -> None:
    """Write the files of all processes, and make the interface of the UPF."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    config = folder / "smf.conf"
    config.write_text(config.read_text().replace(INSTALLED, EXTENSIONS))
    Authority(folder).certificate(f"smf.{REALM}").rename(folder / "smf.pem")
    for name in ("pcrf", "ocs"):
        (folder / f"{name}-cards.yaml").write_text(simwarden(folder, "export", "quota.yaml", "--element", name))
    for command in ("link set lo up", "tuntap add ogstun mode tun", "address add 10.45.0.1/16 dev ogstun"):
        ip(command)
    ip("link set ogstun up")


@contextmanager
def daemon(folder: Path, name: str) -> Iterator[None]:
    """Run a program of Open5GS until the end of the block."""
    command = [os.environ[f"OPEN5GS_{name.upper()}D"], "-c", f"{name}.yaml"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as process:  # noqa: S603
        try:
            yield
        finally:
            process.kill()


def echo(lengths: list[int]) -> None:
    """Return each datagram behind the UPF to its sender."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("10.45.0.1", 5683))
        while True:
            data, source = sock.recvfrom(2000)
            lengths.append(len(data))
            sock.sendto(data, source)


def has(log: Path, words: str) -> bool:
    """Return True if a log has these words."""
    return log.exists() and words in log.read_text()


def used(url: str) -> int:
    """Return the octets that the OCS has counted for the card."""
    request = Request(f"{url}/cards/{IMSI}", headers={"Authorization": "Bearer change-me"})  # noqa: S310 - ours
    with urlopen(request, timeout=10) as answer:  # noqa: S310
        return int(json.load(answer)["used"]["data"])


def test_a_session_is_charged_until_its_quota_is_used_up(tmp_path: Path) -> None:
    prepare(tmp_path)
    log, echoed = tmp_path / "smf.log", list[int]()
    threading.Thread(target=echo, args=(echoed,), daemon=True).start()
    with ExitStack() as running:
        for name in ("pcrf", "ocs"):
            settings = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())
            running.enter_context(serve(tmp_path, name, settings))
        for name in ("upf", "smf"):
            running.enter_context(daemon(tmp_path, name))
        for ready in ("CONNECTED TO 'pcrf", "CONNECTED TO 'ocs", "PFCP associated"):
            assert until(partial(has, log, ready)), log.read_text()
        time.sleep(QUIET)
        assert "1 passed" in simwarden(tmp_path, "run", "quota.yaml")
        assert echoed == [PACKET - 28] * EXCHANGES
        assert used("http://127.0.0.10:8081") == 2 * PACKET * EXCHANGES
