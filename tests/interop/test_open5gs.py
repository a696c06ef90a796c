"""Open5GS' SMF and UPF as a gateway at our PCRF and OCS, if they are installed (docs/foreign-cores.md)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NAMED = ("OPEN5GS_SMFD", "OPEN5GS_UPFD")
# not marked `interop`: CI installs packages, and of this there is none
pytestmark = [
    pytest.mark.skipif(not all(map(os.environ.get, NAMED)), reason=f"{' and '.join(NAMED)} name no programs"),
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root may make a network"),
    pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="this machine has no TUN interfaces"),
]


def test_its_gateway_is_charged_by_our_ocs() -> None:
    inner = str(Path(__file__).with_name("open5gs_in_network.py"))
    command = ["unshare", "--net", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", inner]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout + done.stderr
