"""SIPp as a peer: its command, and how it ends."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from pathlib import Path

SIPP = shutil.which("sipp") or ""
#: calls as the callers of a file, and hangs up; a refusal must be 403 with Q.850 21
CALLS = Path(__file__).parents[1] / "interop" / "sipp" / "calls.xml"


def free_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def sipp(folder: Path, *arguments: str) -> list[str]:
    kept = ("-trace_err", "-error_file", str(folder / "err"))
    return [SIPP, *arguments, "-i", "127.0.0.1", "-nostdin", "-timeout", "30", *kept]


async def finish(process: asyncio.subprocess.Process, folder: Path) -> None:
    out, _ = await asyncio.wait_for(process.communicate(), 40)
    errors = folder / "err"
    assert process.returncode == 0, (out.decode()[-2000:], errors.read_text() if errors.exists() else "")


async def start(command: list[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
