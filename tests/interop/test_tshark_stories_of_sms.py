"""Wireshark reads in the captures of stories of short messages what each side was told: causes, addresses, texts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import shipped_cases

from simwarden.scenario.case_reference import capture_name, stem_of

if TYPE_CHECKING:
    from pathlib import Path

TSHARK = shutil.which("tshark") or ""
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
]
PHONE_NUMBER, IDLE = "sms/whitelist/mo-destination::phone-number", "sms/delivery/mme-state::idle"
UNLISTED, VOICE = "sms/routing-and-peers/sri-smsc-not-listed", "sms/routing-and-peers/registration-for-sms::voice"


@pytest.fixture(name="report", scope="module")
def _report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sms")
    files = [shipped_cases.reference_of(name) for name in (PHONE_NUMBER, IDLE, UNLISTED, VOICE)]
    command = [sys.executable, "-m", "simwarden", "run", *files, "--report", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def told(report: Path, name: str, field: str) -> set[str]:
    """The values that Wireshark finds for a field in a capture."""
    capture = str(report / capture_name(stem_of(name)))
    command = [TSHARK, "-n", "-r", capture, "-T", "fields", "-e", field, "-E", "occurrence=a"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - as above
    assert done.returncode == 0, done.stderr
    return {each for line in done.stdout.splitlines() for each in line.split(",") if each}


def test_refused_message_of_a_meter(report: Path) -> None:
    name = PHONE_NUMBER
    assert told(report, name, "gsm_sms.tp-da") >= {"13800138000"}
    assert told(report, name, "gsm_sms.tp-fcs") == {"0xc4"}
    assert told(report, name, "gsm_a.rp.cause") == {"21"}
    assert "5555" in told(report, name, "diameter.Experimental-Result-Code")
    assert told(report, name, "diameter.SM-Enumerated-Delivery-Failure-Cause") == {"5"}
    assert told(report, name, "nas-eps.emm.add_upd_type") in ({"1"}, {"True"})  # versions write it so and so
    assert told(report, name, "nas-eps.emm.add_upd_res") == {"2"}


def test_message_for_a_meter(report: Path) -> None:
    name = IDLE
    assert told(report, name, "gsm_sms.tp-oa") >= {"10658000"}
    assert told(report, name, "gsm_sms.sms_text") >= {"read the meter"}
    assert told(report, name, "smpp.receipted_message_id") == {"1"}
    assert told(report, name, "diameter.MME-Number-for-MT-SMS") != set()
    assert "8388646" in told(report, name, "diameter.cmd.code")


def test_route_that_a_foreign_centre_is_not_told(report: Path) -> None:
    name = UNLISTED
    assert "5101" in told(report, name, "diameter.Experimental-Result-Code")
    assert told(report, name, "diameter.Serving-Node") == set()


def test_card_with_voice_is_attached_without_sms(report: Path) -> None:
    assert told(report, VOICE, "nas-eps.emm.add_upd_res") == set()
    assert "18" in told(report, VOICE, "nas-eps.emm.cause")
