"""S1-MME and S6a over SCTP between processes: in user space, in a kernel that has SCTP, and between the two."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import user_mode_linux
from freediameter import DAEMON
from sctp_lab import is_in_user_space
from waiting import LONG

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
CARRIED = {"sctp": "SCTP on IP protocol 132 and in UDP 9899", "sctp-udp": "SCTP in UDP 9899"}
#: runs a command in a network with nothing but a loopback
NAMESPACE = [shutil.which("unshare") or "", "--net"]


pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(not NAMESPACE[0] or os.geteuid() != 0, reason="only root may make a network (unshare --net)"),
    pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="this machine has no TUN interfaces"),
]
user_space = pytest.mark.skipif(
    not is_in_user_space(), reason="needs libusrsctp (Debian: libusrsctp2), and no kernel's SCTP"
)
kernel = pytest.mark.skipif(not user_mode_linux.KERNEL, reason="needs a kernel with SCTP (apt install user-mode-linux)")


def inner(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a file of tests inside a separate network."""
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / name), *arguments]


def run(command: Sequence[str], **environment: str) -> None:
    done = subprocess.run(  # noqa: S603 - ours
        command, env=os.environ | environment, capture_output=True, text=True, timeout=10 * LONG, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@user_space
@pytest.mark.parametrize(
    ("transport", "chosen"),
    [
        ("sctp", "between_processes or wireshark"),
        ("sctp", "loss_of_a_path"),
        ("sctp", "one_path_after_the_other"),
        ("sctp", "second_address"),
        ("sctp-udp", "between_processes or wireshark"),
        ("sctp-udp", "loss_of_a_path"),
    ],
)
def test_processes_with_sctp_in_user_space(tmp_path: Path, transport: str, chosen: str) -> None:
    command = inner("sctp_in_network.py", f"--basetemp={tmp_path / 'inner'}", "-k", chosen)
    run([*NAMESPACE, *command], SCTP_TRANSPORT=transport, SCTP_CARRIED=CARRIED[transport])


def run_in_kernel(folder: Path, name: str, chosen: str, passed: int) -> None:
    environment = {"SCTP_TRANSPORT": "sctp", "SCTP_CARRIED": "SCTP of the kernel"}
    command = inner(name, f"--basetemp={folder / 'inner'}", "-k", chosen)
    assert f"{passed} passed" in user_mode_linux.run(folder, command, environment, seconds=10 * LONG)


@kernel
@pytest.mark.parametrize(("chosen", "passed"), [("between_processes or second_address", 2), ("loss_of_a_path", 3)])
def test_processes_with_the_sctp_of_a_kernel(tmp_path: Path, chosen: str, passed: int) -> None:
    """One path after the other is not tried: the kernel looks at a path that failed every 30 s only."""
    run_in_kernel(tmp_path, "sctp_in_network.py", chosen, passed)


@kernel
@pytest.mark.skipif(not DAEMON, reason="freediameterd is not installed (apt install freediameterd)")
def test_freediameter_on_the_sctp_of_a_kernel(tmp_path: Path) -> None:
    run_in_kernel(tmp_path, "sctp_with_freediameter.py", "freediameter", 1)


@user_space
@kernel
def test_user_space_and_a_kernel_on_ip_protocol_132(tmp_path: Path) -> None:
    run([*NAMESPACE, *inner("sctp_with_kernel.py", f"--basetemp={tmp_path / 'inner'}")])
