"""Reader programs of PC/SC (pcsc-tools, OpenSC) use a served card, and it authenticates a network that is not ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import osmo
import pytest
from waiting import LONG, reserved_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SOCKET = Path("/run/pcscd/pcscd.comm")
NEEDED = {
    "pcscd": shutil.which("pcscd", path=f"{os.environ['PATH']}:/usr/sbin"),
    "vsmartcard-vpcd": DRIVER.exists(),
    "pcsc-tools": shutil.which("scriptor"),
    "opensc": shutil.which("opensc-tool"),
    "libosmocore-utils": osmo.AUC_GEN,
}
MISSING = " ".join(name for name, found in NEEDED.items() if not found)
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING} (apt install {MISSING})"),
    pytest.mark.skipif(os.geteuid() != 0, reason="pcscd puts its socket where only root may"),
    pytest.mark.skipif(SOCKET.exists(), reason=f"a pcscd runs already ({SOCKET})"),
]
K, OPC = bytes.fromhex("000102030405060708090a0b0c0d0e0f"), bytes.fromhex("f0e0d0c0b0a090807060504030201000")
CARD = f"""\
subscribers:
  - {{name: card, imsi: "001010000000001", iccid: "89860100000000000010", msisdn: "861440000000001", profile: meter,
      form: plug-in, k: {K.hex()}, opc: {OPC.hex()}}}
"""
AID = "a0000000871002ffffffff8907090000"
SELECT_USIM = f"00a4040410{AID}"
GET_RESPONSE = "00c0000000"
READER = "Virtual PCD 00 00"


def run(*command: str, given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=LONG, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.terminate()
            process.wait(LONG)


def wait_for(what: str, is_there: str, log: Path) -> None:
    def found() -> object:
        return re.search(is_there, log.read_text() if what == "log" else run("opensc-tool", "-l"))

    assert until(found), f"no {is_there!r}: {log.read_text()}"


@pytest.fixture(name="port")
def _port() -> Iterator[int]:
    """A port on all addresses, as the driver binds it."""
    with reserved_port("") as port:
        yield port


@pytest.fixture(name="card")
def _card(tmp_path: Path, port: int) -> Iterator[Path]:
    (tmp_path / "readers").mkdir()
    (tmp_path / "readers" / "vpcd").write_text(
        f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{port:#x}\nLIBPATH {DRIVER}\nCHANNELID {port:#x}\n'
    )
    (tmp_path / "uicc.yaml").write_text(f"subscribers: card.yaml\nreader: '127.0.0.1:{port}'\n")
    (tmp_path / "card.yaml").write_text(CARD)
    daemon = [str(NEEDED["pcscd"]), "--foreground", "--disable-polkit", "--config", str(tmp_path / "readers")]
    serve = [sys.executable, "-m", "simwarden", "serve", "uicc", "--config", str(tmp_path / "uicc.yaml")]
    with running(*daemon, log=tmp_path / "pcscd.log"):
        wait_for("reader", re.escape(READER), tmp_path / "pcscd.log")
        with running(*serve, log=tmp_path / "uicc.log"):
            wait_for("log", "ready uicc: ME-UICC", tmp_path / "uicc.log")
            wait_for("reader", r"0 +Yes", tmp_path / "uicc.log")
            yield tmp_path / "uicc.log"


def transmit(*commands: str) -> list[tuple[str, int]]:
    """Let scriptor send command APDUs; return data and status word of each response."""
    out = run("scriptor", "-r", READER, given="".join(f"{command}\n" for command in commands))
    found = re.findall(r"^< ([0-9A-F \n]+?) ?:", out, re.MULTILINE)
    octets = ["".join(each.split()).lower() for each in found]
    assert len(octets) == len(commands), out
    return [(each[:-4], int(each[-4:], 16)) for each in octets]


def test_reader_programs_use_the_card(card: Path) -> None:
    read_files()
    refusals_reach_the_program()
    authenticate()
    opensc_reads()
    assert "fault" not in card.read_text()


def read_files() -> None:
    mf, described, adf, fcp, imsi, imsi_read, ad, ad_read = transmit(
        *("00a40004023f00", GET_RESPONSE),
        *(SELECT_USIM, GET_RESPONSE),
        *("00a40004026f07", "00b0000009"),
        *("00a40004026fad", "00b0000004"),
    )
    assert mf[1] >> 8 == adf[1] >> 8 == imsi[1] >> 8 == ad[1] >> 8 == 0x61
    assert described[0].startswith("62"), described
    assert "83023f00" in described[0]
    assert f"8410{AID}" in fcp[0]
    assert imsi_read == ("080910100000000010", 0x9000)  # TS 31.102 4.2.2: length, then the digits after the parity
    assert ad_read == ("00000002", 0x9000)  # normal operation, two digits of MNC
    iccid, directory = transmit("00a4000c023f00", "00a4000c022fe2", "00b000000a", "00a4000c022f00", "00b2010426")[2::2]
    assert iccid == ("98681000000000000001", 0x9000)
    assert directory[0].startswith(f"61{len(directory[0][4:].rstrip('f')) // 2:02x}4f10{AID}") or AID in directory[0]


def refusals_reach_the_program() -> None:
    answers = transmit("00a40004026f99", SELECT_USIM, "00a4000c026f07", "00d6000001ff", "00a4000c02c002", "00b0000001")
    assert [sw for _, sw in answers[::3]] == [0x6A82, 0x6982]  # no such file; IMSI is the operator's to write
    assert answers[5][1] == 0x6982  # the keys are read by nobody


def authenticate() -> None:
    rand = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
    vector = osmo.quintuple(K, OPC, rand, sqn=0x20)
    challenge = f"0088008122{'10'}{rand.hex()}10{vector['AUTN']}"
    forged = challenge[:-2] + f"{int(challenge[-2:], 16) ^ 1:02x}"
    _, _, answer, _, replayed, wrong = transmit(SELECT_USIM, challenge, GET_RESPONSE, challenge, GET_RESPONSE, forged)
    keys = "".join(f"{len(vector[name]) // 2:02x}{vector[name]}" for name in ("RES", "CK", "IK"))
    assert answer[1] == 0x9000
    assert answer[0].startswith(f"db{keys}")
    assert wrong == ("", 0x9862)  # authentication error, incorrect MAC
    assert replayed[0].startswith("dc0e")
    auts = bytes.fromhex(replayed[0][4:])
    assert osmo.quintuple(K, OPC, rand, auts=auts)["SQN.MS"] == str(0x20)


def opensc_reads() -> None:
    assert run("opensc-tool", "-a").split() == ["3b:9f:96:80:1f:c7:80:31:a0:73:be:21:13:67:73:69:6d:77:61:72:64:af"]
    out = run("opensc-tool", "-c", "default", "-s", f"{SELECT_USIM}00", "-s", "00A4000C026F07", "-s", "00B0000009")
    assert "A0 00 00 00 87 10 02 FF FF FF FF" in out
    assert "08 09 10 10 00 00 00 00 10" in out
