"""Single messages as tshark reads them: exported PDUs (link type 252) name their dissector and carry nothing below."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TSHARK = shutil.which("tshark") or ""
_LINK_TYPE, _DISSECTOR_NAME, _END = 252, 12, 0


def capture(messages: Sequence[tuple[str, bytes]]) -> bytes:
    """Make a pcap of messages, each with the name of its dissector."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, _LINK_TYPE)
    for dissector, message in messages:
        name = dissector.encode() + bytes(-len(dissector) % 4)
        packet = struct.pack(">HH", _DISSECTOR_NAME, len(name)) + name + struct.pack(">HH", _END, 0) + message
        out += struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
    return out


def read(path: Path, messages: Sequence[tuple[str, bytes]]) -> list[dict[str, list[str]]]:
    """Return for each message all fields that tshark finds, by name, in their order."""
    path.write_bytes(capture(messages))
    command = [TSHARK, "-n", "-r", str(path), "-T", "json", "--no-duplicate-keys"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - its own path
    found: list[dict[str, list[str]]] = []
    for packet in json.loads(done.stdout):
        fields: dict[str, list[str]] = {}
        for name, value in _leaves(packet["_source"]["layers"]):
            fields.setdefault(name, []).append(value)
        found.append(fields)
    return found


def _leaves(tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, list):
        for each in tree:
            yield from _leaves(each)
        return
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value)
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _leaves(each)
            else:
                yield name, str(each)
