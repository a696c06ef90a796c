"""A kernel in user mode (Debian: user-mode-linux) with SCTP, on the files of this machine.

As a program it is the first process of that kernel: it mounts file systems, loads modules, runs a command and halts.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

KERNEL = shutil.which("linux.uml") or ""
_MODULES = Path("/usr/lib/uml/modules")
#: modules to load; those that they need are in modules.dep
_WANTED = ("kernel/net/sctp/sctp.ko", "kernel/drivers/net/tun.ko")
#: the number of finit_module(2) on x86-64, and the command of reboot(2) that powers off
_FINIT_MODULE, _POWER_OFF = 313, 0x4321FEDC


def run(folder: Path, command: list[str], environment: dict[str, str], *options: str, seconds: float) -> str:
    """Run a command in a new kernel and return its output. Raises AssertionError if it failed."""
    job, result = folder / "job.json", folder / "result"
    job.write_text(json.dumps({"command": command, "environment": environment, "result": str(result)}))
    first = folder / "init"
    first.write_text(f"#!/bin/sh\nexec {sys.executable} {__file__} {job}\n")
    first.chmod(0o755)
    root = ("mem=768M", "rootfstype=hostfs", "root=/dev/root", "rw", f"init={first}")
    console = ("con=null", "con0=fd:0,fd:1", "quiet")
    done = subprocess.run(  # noqa: S603 - found by its name
        [KERNEL, *root, *console, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    assert result.exists(), done.stdout
    assert result.read_text() == "0", done.stdout
    return done.stdout


def _load_modules() -> None:
    libc = ctypes.CDLL(None)
    folder = _MODULES / os.uname().release
    needs = dict(line.split(":", 1) for line in (folder / "modules.dep").read_text().splitlines())
    for wanted in _WANTED:
        for name in (*reversed(needs[wanted].split()), wanted):
            descriptor = os.open(folder / name, os.O_RDONLY)
            libc.syscall(_FINIT_MODULE, descriptor, b"", 0)  # a module that is loaded already is refused
            os.close(descriptor)
    Path("/proc/sys/net/sctp/cookie_hmac_alg").write_text("none")  # this kernel lacks the others


def _mount(kind: str, where: str) -> None:
    subprocess.run(["/bin/mount", "-t", kind, kind, where], check=False)  # noqa: S603 - of this kernel


def main() -> None:
    """Be the first process."""
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    for kind, where in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")):
        _mount(kind, where)
    job = json.loads(Path(sys.argv[1]).read_text())
    try:
        _load_modules()
        done = subprocess.run(job["command"], env=os.environ | job["environment"], check=False)  # noqa: S603 - the test's
        Path(job["result"]).write_text(str(done.returncode))
    finally:
        sys.stdout.flush()
        os.sync()
        ctypes.CDLL(None).reboot(_POWER_OFF)


if __name__ == "__main__":
    main()
