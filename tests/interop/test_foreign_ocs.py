"""Our PGW under OCSs of another hand: only what comes out at SGi and at the meter counts."""

from __future__ import annotations

import re
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from foreign_ocs import ForeignOcs
from foreign_pcef import GyClient
from freediameter import DAEMON, DICTIONARIES, REALM, daemon
from waiting import reserved_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop
FREEDIAMETER = pytest.mark.skipif(
    DAEMON is None, reason="not installed: freediameterd freediameter-extensions (apt install them)"
)
WHO = {"imsi": "001010000000001", "msisdn": "1440000000001"}
KNOWN = tuple(f'"{each}.fdx"' for each in DICTIONARIES)


# -- freeDiameter's own test_cc, which grants nothing, and its test_ccload, which asks


@contextmanager
def grants_nothing(folder: Path, port: int) -> Iterator[None]:
    """Have an OCS that answers everybody with success, and grants nobody anything."""
    with daemon(folder, "ocs", [*KNOWN, '"test_cc.fdx"'], {}, port=port):
        log = folder / "ocs.log"
        assert until(lambda: "Local server address" in log.read_text()), log.read_text()
        yield


def load(folder: Path, port: int, least: int) -> dict[str, int]:
    """Have test_ccload ask an OCS until it has asked often; return how many it sent, and what became of them."""
    with daemon(folder, "load", [*KNOWN, f'"test_ccload.fdx" : "ocs.{REALM}"'], {"ocs": port}) as process:
        log = folder / "load.log"
        assert until(lambda: "-> 'STATE_OPEN'" in log.read_text().replace("\t", " ")), log.read_text()
        process.send_signal(signal.SIGUSR2)
        assert until(lambda: told(log).get("sent", 0) >= least), log.read_text()
        process.send_signal(signal.SIGUSR2)
        assert until(lambda: "generation of CCRs off" in log.read_text()), log.read_text()
        time.sleep(1)  # the last one is on its way
        process.terminate()
        process.wait(60)
    return told(log)


def told(log: Path) -> dict[str, int]:
    """Read the last statistics that test_ccload wrote."""
    lines = [line for line in log.read_text().splitlines() if "CCR messages sent" in line]
    return (
        {name: int(number) for number, name in re.findall(r"(\d+) (?:CCR messages )?(\w+)", lines[-1])} if lines else {}
    )


@FREEDIAMETER
def test_test_cc_grants_nothing(tmp_path: Path) -> None:
    with reserved_port("") as port, grants_nothing(tmp_path, port), GyClient(port, **WHO) as pgw:
        answer = pgw.initial(10)
        assert (answer.result, answer.all("Multiple-Services-Credit-Control")) == (2001, [])


@FREEDIAMETER
def test_test_ccload_asks(tmp_path: Path) -> None:
    with ForeignOcs() as ocs:
        found = load(tmp_path, ocs.port, 100)
        assert found["success"] == found["sent"] >= 100
        assert ocs.complaints == []
