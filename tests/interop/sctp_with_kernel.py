"""Our user-space SCTP with the SCTP of a Linux kernel, on IP protocol 132: run by test_sctp_processes.py.

HSS and eNB are on this machine, whose kernel has no SCTP, the MME in a user-mode kernel that has. Between them is an
Ethernet, the device `wire`; each end has two addresses.
"""

from __future__ import annotations

import json
import shlex
import sys
import threading
from typing import TYPE_CHECKING

import user_mode_linux
from sctp_lab import STORY, ip, simwarden
from served import serve
from waiting import LONG, until

if TYPE_CHECKING:
    from pathlib import Path

OURS, KERNELS = "192.0.2.11,192.0.2.12", "192.0.2.21,192.0.2.22"
NETWORK = f"""\
mme: {{external: {{S1-MME: "{KERNELS}:36412", S11: "192.0.2.21:2123"}}}}
sgw: {{address: 192.0.2.13}}
pgw: {{address: 192.0.2.14}}
enb: {{source: "{OURS}"}}
hss: {{external: "192.0.2.11:3868"}}
transport: {{S1-MME: sctp, S6a: sctp}}
"""
MME = {
    "listen": {"S1-MME": f"{KERNELS}:36412", "S11": "192.0.2.21:2123"},
    "peers": {"hss": f"{OURS}:3868", "eir": "192.0.2.21:9", "sgw": "192.0.2.13:2123", "pgw": "192.0.2.14:2123"},
    "settings": {"equipment": {"unreachable": "admit"}},
    "source": {"S6a": KERNELS},
    "transport": {"S6a": "sctp", "S1-MME": "sctp"},
}


def in_kernel(folder: Path) -> None:
    """Serve the MME in a user-mode kernel until the file `stop` exists."""
    addresses = " ".join(f"ip address add {host}/24 dev vec0;" for host in KERNELS.split(","))
    served = shlex.join([sys.executable, "-m", "simwarden", "serve", "mme", "--config", str(folder / "mme.yaml")])
    begin = f"ip link set lo up; ip link set vec0 up; {addresses} cd {folder}; {served} > mme.out 2> mme.log &"
    end = f"while [ ! -e {folder}/stop ]; do sleep 0.2; done; kill %1; wait"
    command = ["/bin/bash", "-mc", f"{begin} {end}"]
    user_mode_linux.run(folder, command, {}, "vec0:transport=tap,ifname=wire", seconds=4 * LONG)


def test_kernel_and_user_space_on_ip_protocol_132(tmp_path: Path) -> None:
    ip("link set lo up")
    ip("tuntap add wire mode tap")
    for host in (*OURS.split(","), "192.0.2.13", "192.0.2.14"):
        ip(f"address add {host}/24 dev wire")
    ip("link set wire up")
    for name, text in (("story.yaml", STORY), ("network.yaml", NETWORK), ("mme.yaml", json.dumps(MME))):
        (tmp_path / name).write_text(text)
    (tmp_path / "cards.yaml").write_text(simwarden(tmp_path, "export", "story.yaml", "--element", "hss"))
    hss = {"listen": {"S6a": f"{OURS}:3868"}, "subscribers": "cards.yaml", "transport": {"S6a": "sctp"}}
    kernel = threading.Thread(target=in_kernel, args=[tmp_path])
    with serve(tmp_path, "hss", hss) as served:
        assert served.said["S6a"].startswith("(SCTP on IP protocol 132 ")
        kernel.start()
        try:
            out = tmp_path / "mme.out"
            assert until(lambda: out.exists() and "ready mme" in out.read_text()), "the MME starts"
            assert "(SCTP of the kernel)" in out.read_text()
            assert "1 passed" in simwarden(tmp_path, "run", "story.yaml", "--network", "network.yaml")
        finally:
            (tmp_path / "stop").touch()
            kernel.join()
