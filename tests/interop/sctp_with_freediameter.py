"""freeDiameter and our HSS on the SCTP of a kernel, which both have: run by test_sctp_processes.py in that kernel."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from freediameter import DAEMON, REALM
from sctp_lab import HSS, MME, cut, make_network
from served import serve
from waiting import until

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = f"""\
Identity = "dra.{REALM}"; Realm = "{REALM}";
No_TCP; No_IPv6; Port = 13868; SecPort = 0; TwTimer = 6; SCTP_streams = 3;
{"".join(f'ListenOn = "{host}"; ' for host in MME)}
ConnectPeer = "hss.{REALM}" {{ {"".join(f'ConnectTo = "{host}"; ' for host in HSS)} No_TLS; Port = 3868; }};
"""


def test_freediameter_connects_and_survives_the_loss_of_a_path(tmp_path: Path) -> None:
    make_network()
    hss = {
        "listen": {"S6a": f"{','.join(HSS)}:3868"},
        "transport": {"S6a": "sctp"},
        "settings": {"peers": {"dra": {"relay": True}}},
    }
    conf, log = tmp_path / "dra.conf", tmp_path / "dra.log"
    conf.write_text(CONFIG)
    with serve(tmp_path, "hss", hss) as served, log.open("w") as output:
        process = subprocess.Popen([str(DAEMON), "-c", str(conf)], stdout=output, stderr=output)  # noqa: S603
        try:
            assert until(lambda: "STATE_OPEN" in log.read_text()), log.read_text() + served.log.read_text()
            assert "(SCTP," in log.read_text()
            cut(HSS[0])
            time.sleep(20)  # three watchdog requests
            assert "-> 'STATE_SUSPECT'" not in log.read_text(), log.read_text()
            assert "is down" not in served.log.read_text()
        finally:
            process.kill()
            process.wait()
