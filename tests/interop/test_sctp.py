"""S1AP over a real SCTP association: Wireshark reads a story live off the loopback interface."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sctp_lab import has_sctp
from waiting import LONG, until

if TYPE_CHECKING:
    from collections.abc import Iterator


TSHARK = shutil.which("tshark") or ""
STORY = Path(__file__).parents[2] / "scenarios" / "demo" / "moved-card.yaml"


pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
    pytest.mark.skipif(not has_sctp(), reason="neither the kernel nor libusrsctp (apt install libusrsctp2) has SCTP"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may capture live"),
]
#: on a port of the system's where another process has 9899
IN_UDP = pytest.param("sctp-udp", marks=pytest.mark.skipif(not has_sctp(in_udp=True), reason="needs libusrsctp2"))


@contextmanager
def capturing(path: Path) -> Iterator[None]:
    command = [TSHARK, "-i", "lo", "-f", "sctp or udp", "-w", str(path), "-q"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - tshark by its own path
        try:
            assert until(lambda: seen(path, b"the story begins"))
            yield
            assert until(lambda: seen(path, b"the story is over"))  # so whatever came before it is in the file
        finally:
            process.terminate()
            process.communicate(timeout=LONG)


def seen(path: Path, mark: bytes) -> bool:
    """Send a mark to the discard port, and tell whether one is in the capture."""
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(mark, ("127.0.0.1", 9))
    return path.exists() and mark in path.read_bytes()


def tshark(path: Path, port: str, *arguments: str) -> list[str]:
    decode = ["-d", f"udp.port=={port},sctp"] if port else []
    command = [TSHARK, "-2", "-n", "-r", str(path), *decode, "-o", "sctp.checksum:CRC 32c", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - as above
    return done.stdout.splitlines()


@pytest.fixture(name="live", scope="module", params=["sctp", IN_UDP])
def _live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Return the capture, the UDP port of SCTP that Wireshark must be told (or none), and a filter for the story."""
    folder = tmp_path_factory.mktemp("sctp")
    path = folder / "live.pcapng"
    command = [
        sys.executable,
        "-m",
        "simwarden",
        "run",
        str(STORY),
        "--transport",
        request.param,
        "--report",
        str(folder),
    ]
    with capturing(path):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout
    for port in dict.fromkeys(["", *tshark(path, "", "-T", "fields", "-e", "udp.dstport")]):
        setups = tshark(path, port, "-Y", "s1ap.S1SetupRequest_element", "-T", "fields", "-e", "sctp.dstport")
        if setups:
            return path, port, f"sctp.port == {setups[0]}"
    pytest.fail(f"no S1 Setup in {path}")


def test_the_story_is_told_on_the_wire(live: tuple[Path, str, str]) -> None:
    path, port, association = live
    told = "\n".join(tshark(path, port, "-Y", f"{association} and s1ap", "-T", "fields", "-e", "_ws.col.info"))
    for part in (
        "S1SetupRequest",
        "S1SetupResponse",
        "InitialUEMessage, Attach request, PDN connectivity request",
        "DownlinkNASTransport, Authentication request",
        "InitialContextSetupRequest",
        "UEContextReleaseComplete",
    ):
        assert part in told, part


def test_messages_carry_stream_and_protocol_identifier(live: tuple[Path, str, str]) -> None:
    path, port, association = live
    wanted = ("-T", "fields", "-E", "occurrence=a", "-e", "sctp.data_payload_proto_id", "-e", "sctp.data_sid")
    rows = [line.split("\t") for line in tshark(path, port, "-Y", f"{association} and s1ap", *wanted)]
    assert {ppid for each, _ in rows for ppid in each.split(",")} == {"18"}
    assert {int(sid, 0) for _, each in rows for sid in each.split(",")} == {0, 1}  # TS 36.412 7: common, and dedicated


def test_nothing_is_malformed_and_every_checksum_is_right(live: tuple[Path, str, str]) -> None:
    path, port, association = live
    bad = '_ws.malformed or _ws.expert.severity >= "Warning" or data or sctp.checksum.status != 1'
    assert tshark(path, port, "-Y", f"{association} and ({bad})") == []


def test_the_association_is_set_up_and_shut_down(live: tuple[Path, str, str]) -> None:
    path, port, association = live
    chunks = tshark(path, port, "-Y", association, "-T", "fields", "-E", "occurrence=a", "-e", "sctp.chunk_type")
    seen = {int(kind) for line in chunks for kind in line.split(",")}
    assert {0, 1, 2, 3, 10, 11} <= seen  # DATA, INIT, INIT ACK, SACK, COOKIE ECHO, COOKIE ACK
    assert seen & {6, 7}  # ABORT or SHUTDOWN
