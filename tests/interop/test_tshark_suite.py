"""Wireshark decodes every frame of every capture of the shipped scenarios, to the end and without a complaint."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import traces

from simwarden.trace.events import Frame
from simwarden.trace.pcapng import write_capture

TSHARK = shutil.which("tshark") or ""
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
]
SCENARIOS = Path(__file__).parents[2] / "scenarios"
CHECKS = [
    *("-o", "ip.check_checksum:TRUE"),
    *("-o", "tcp.check_checksum:TRUE"),
    *("-o", "sctp.checksum:CRC 32c"),
]
#: what the last layer of a frame may be, by interface: all else is payload that nobody decoded
DECODED = {
    "S6a": {"diameter"},
    "S13": {"diameter"},
    "S1-MME": {"s1ap", "nas-eps", "lte_rrc"},
    "X2": {"x2ap", "lte_rrc"},
    "Uu": {"nas-eps", "exported_pdu"},
    "ME-UICC": {"gsm_sim", "etsi_cat", "exported_pdu"},
}
FIELDS = (
    "frame.number",
    "frame.interface_name",
    "frame.protocols",
    "_ws.expert.severity",
    "_ws.expert.message",
    "_ws.col.info",
    "ip.checksum.status",
    "tcp.checksum.status",
    "sctp.checksum.status",
)
#: of an expert item (Wireshark's epan/proto.h)
WARNING = 0x600000


class Row(NamedTuple):
    """What tshark says of one frame."""

    number: str
    interface: str
    protocols: str
    severities: str
    messages: str
    info: str
    ip: str
    tcp: str
    sctp: str

    @property
    def complaint(self) -> str:
        """Why this frame is not well, empty if it is."""
        severe = any(int(each) >= WARNING for each in self.severities.split(",") if each)
        last = self.protocols.rpartition(":")[2]
        if severe or last not in DECODED[self.interface] or "0" in (self.ip, self.tcp, self.sctp):
            return f"{self.number} {self.interface} {self.protocols}: {self.info} [{self.messages}]"
        return ""


def read(path: Path) -> list[Row]:
    command = [TSHARK, "-2", "-n", "-r", str(path), *CHECKS, "-T", "fields", "-E", "occurrence=a"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - its own path
    return [Row(*line.split("\t")) for line in done.stdout.splitlines()]


@pytest.fixture(name="suite", scope="module")
def _suite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    report = tmp_path_factory.mktemp("suite")
    command = [sys.executable, "-m", "simwarden", "run", str(SCENARIOS), "-j", "2", "--report", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    captures = sorted(report.glob("*.pcapng"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {path.stem: rows for path, rows in zip(captures, pool.map(read, captures), strict=True)}


def test_there_is_a_capture_of_every_scenario(suite: dict[str, list[Row]]) -> None:
    assert len(suite) >= len(list(SCENARIOS.rglob("*.yaml"))) * 0.9
    assert all(suite.values())


def test_nothing_is_malformed_or_left_undecoded(suite: dict[str, list[Row]]) -> None:
    bad = [f"{name}: {row.complaint}" for name, rows in suite.items() for row in rows if row.complaint]
    assert not bad, "\n".join(bad)


def test_all_interfaces_are_among_them(suite: dict[str, list[Row]]) -> None:
    seen = Counter(row.interface for rows in suite.values() for row in rows)
    assert set(DECODED) - {"X2"} <= set(seen) <= set(DECODED)
    assert min(seen.values()) >= 10


@pytest.mark.parametrize("interface", ["S6a", "S1-MME"])
def test_a_spoilt_message_is_complained_of(tmp_path: Path, interface: str) -> None:
    frames = [event for event in traces.moved_card() if isinstance(event, Frame) and event.interface == interface]
    spoilt = replace(frames[2], data=frames[2].data[:-4] + b"\xff\x02", clear=None)
    path = tmp_path / "spoilt.pcapng"
    with path.open("wb") as stream:
        write_capture([*frames[:2], spoilt], stream, dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    assert [bool(row.complaint) for row in read(path)] == [False, False, True]
