"""Three processes with associations between them, in a separate network: run by test_sctp_processes.py.

The network is a namespace of this machine, or that of a user-mode kernel with SCTP. HSS and MME are multi-homed, and
packets to an address are swallowed by an interface without a reader where a test cuts it off.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sctp_lab import ENB, HSS, MME, STORY, cut, make_network, mend, simwarden
from served import Served, serve
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TSHARK = shutil.which("tshark") or ""
#: the transport to test, and its words in the line that says ready
TRANSPORT, CARRIED = os.environ["SCTP_TRANSPORT"], os.environ["SCTP_CARRIED"]
#: seconds after which a path that works again has shown it, by a HEARTBEAT
PROBED = 7.0
NETWORK = f"""\
mme: {{external: {{S1-MME: "{",".join(MME)}:36412", S11: "127.0.13.1:2123"}}}}
sgw: {{address: 127.0.13.2}}
pgw: {{address: 127.0.13.3}}
enb: {{source: "{",".join(ENB)}"}}
hss: {{external: "{HSS[0]}:3868"}}
transport: {{S1-MME: {TRANSPORT}, S6a: {TRANSPORT}}}
"""


@pytest.fixture(name="network", scope="module", autouse=True)
def _network() -> None:
    make_network()


class Lab(NamedTuple):
    folder: Path
    hss: Served
    mme: Served

    def attach(self) -> None:
        """Attach a meter by its own process: eNB to MME, and MME to HSS."""
        assert "1 passed" in simwarden(self.folder, "run", "story.yaml", "--network", "network.yaml")


@pytest.fixture(name="lab")
def _lab(tmp_path: Path) -> Iterator[Lab]:
    (tmp_path / "story.yaml").write_text(STORY)
    (tmp_path / "network.yaml").write_text(NETWORK)
    (tmp_path / "cards.yaml").write_text(simwarden(tmp_path, "export", "story.yaml", "--element", "hss"))
    hss = {"listen": {"S6a": f"{','.join(HSS)}:3868"}, "subscribers": "cards.yaml", "transport": {"S6a": TRANSPORT}}
    mme = {
        "listen": {"S1-MME": f"{','.join(MME)}:36412", "S11": "127.0.13.1:2123"},
        "peers": {
            "hss": f"{','.join(HSS)}:3868",
            "eir": "127.0.13.9:9",
            "sgw": "127.0.13.2:2123",
            "pgw": "127.0.13.3:2123",
        },
        "settings": {"equipment": {"unreachable": "admit"}},
        "source": {"S6a": ",".join(MME)},
        "transport": {"S6a": TRANSPORT, "S1-MME": TRANSPORT},
    }
    with serve(tmp_path, "hss", hss) as home, serve(tmp_path, "mme", mme) as served:
        yield Lab(tmp_path, home, served)
        mend()


def test_s1_mme_and_s6a_between_processes(lab: Lab) -> None:
    assert (lab.hss.said["S6a"], lab.mme.said["S1-MME"]) == (f"({CARRIED})", f"({CARRIED})")
    lab.attach()


@pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)")
def test_wireshark_reads_all_of_a_multi_homed_association(lab: Lab, tmp_path: Path) -> None:
    capture = tmp_path / "live.pcapng"
    command = [TSHARK, "-i", "lo", "-f", "sctp or udp port 9899", "-w", str(capture), "-q"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:  # noqa: S603 - tshark by its own path
        assert until(lambda: capture.exists() and capture.stat().st_size)
        lab.attach()
        time.sleep(1)  # what tshark has still to write
        process.terminate()
        process.communicate()
    read = ["-d", "udp.port==9899,sctp", "-o", "sctp.checksum:CRC 32c", "-r", str(capture)]

    def rows(chosen: str, *fields: str) -> list[str]:
        shown = [part for field in fields for part in ("-e", field)]
        arguments = [TSHARK, "-n", *read, "-Y", chosen, "-T", "fields", *shown]
        return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603 - as above

    assert rows("sctp and (_ws.malformed or sctp.checksum.status != 1)", "frame.number") == []
    assert set(rows("sctp.chunk_type == 1", "sctp.parameter_ipv4_address")) == {",".join(ENB)}
    assert set(rows("sctp.chunk_type == 2", "sctp.parameter_ipv4_address")) == {",".join(MME)}
    assert set(rows("diameter.cmd.code == 316", "sctp.data_payload_proto_id", "sctp.data_sid")) == {"46\t0x0000"}
    assert len(rows("diameter.cmd.code == 316", "frame.number")) == 2


@pytest.mark.parametrize(("dead", "directions"), [(HSS[0], "to from"), (HSS[1], "to from"), (HSS[0], "to")])
def test_an_association_survives_the_loss_of_a_path(lab: Lab, dead: str, directions: str) -> None:
    lab.attach()
    cut(dead, directions)
    lab.attach()
    assert "S6a to hss is down" not in lab.mme.log.read_text()


def test_an_association_survives_the_loss_of_one_path_after_the_other(lab: Lab) -> None:
    for dead in HSS:
        cut(dead)
        lab.attach()
        mend()
        time.sleep(PROBED)
    assert "S6a to hss is down" not in lab.mme.log.read_text()


def test_an_association_is_set_up_by_the_second_address_of_a_peer(lab: Lab) -> None:
    cut(MME[0])
    lab.attach()
