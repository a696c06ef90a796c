"""Wireshark's dissector reads every Diameter message type of ours without complaint, and names what we name."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest
from exported import TSHARK, capture

from simwarden.wire.diameter import encode

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
]


def vectors() -> Any:
    path = Path(__file__).parents[1] / "vectors" / "diameter" / "test_python_diameter.py"
    spec = importlib.util.spec_from_file_location("diameter_vectors", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path: Path, *fields: str) -> list[list[str]]:
    command = [TSHARK, "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]
    for name in fields:
        command += ["-e", name]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - tshark by its own path
    return [line.split("|") for line in result.stdout.splitlines()]


def test_tshark_reads_every_vector(tmp_path: Path) -> None:
    module = vectors()
    messages = [module.message(*case.values) for case in module.CASES]
    path = tmp_path / "diameter.pcap"
    path.write_bytes(capture([("diameter", encode(message)) for message in messages]))
    rows = read(
        path, "diameter.cmd.code", "diameter.applicationId", "diameter.hopbyhopid", "diameter.avp.code", "_ws.expert"
    )
    assert len(rows) == len(messages)
    for message, (code, application, hop_by_hop, avps, expert) in zip(messages, rows, strict=True):
        assert (int(code), int(application), int(hop_by_hop, 0)) == (
            message.command,
            message.application,
            message.hop_by_hop,
        )
        assert len(avps.split(",")) == count(message.avps), message.name
        assert expert == "", f"{message.name}: {expert}"


def count(avps: Any) -> int:
    return sum(1 + (count(value) if isinstance(value, list) else 0) for _, value in avps)


def test_tshark_complains_about_a_malformed_one(tmp_path: Path) -> None:
    module = vectors()
    command = module.COMMAND[module.S6A, "purge-ue-request"]
    message = bytearray(encode(module.message(command, module.VECTORS[command.name][0])))
    message[27] = 5
    path = tmp_path / "malformed.pcap"
    path.write_bytes(capture([("diameter", bytes(message))]))
    ((expert,),) = read(path, "_ws.expert")
    assert expert
