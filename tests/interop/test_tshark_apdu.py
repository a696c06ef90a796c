"""Wireshark knows each of our command APDUs by the name that we give it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from apdu_words import VECTORS
from exported import TSHARK, capture

if TYPE_CHECKING:
    from simwarden.wire.apdu.command import Ins

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
]


@pytest.fixture(name="told", scope="module")
def _told(tmp_path_factory: pytest.TempPathFactory) -> dict[Ins, list[str]]:
    path = tmp_path_factory.mktemp("apdu") / "all.pcap"
    path.write_bytes(capture([("gsm_sim.command", command.to_bytes()) for command, _ in VECTORS.values()]))
    command = [TSHARK, "-n", "-r", str(path), "-T", "fields", "-e", "gsm_sim.apdu.ins", "-e", "_ws.col.info"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - its own path
    return {ins: line.split("\t") for ins, line in zip(VECTORS, done.stdout.splitlines(), strict=True)}


@pytest.mark.parametrize("ins", VECTORS, ids=[ins.name for ins in VECTORS])
def test_wireshark_names_the_command(told: dict[Ins, list[str]], ins: Ins) -> None:
    number, words = told[ins]
    assert int(number, 16) == ins
    assert VECTORS[ins][1] in words
