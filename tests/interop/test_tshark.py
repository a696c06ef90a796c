"""Wireshark reads our captures: every packet decoded to the end, nothing malformed, no wrong checksum."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import traces

from simwarden.trace.pcapng import write_capture

if TYPE_CHECKING:
    from pathlib import Path

TSHARK = shutil.which("tshark") or ""
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)"),
]
START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
CHECKS = [
    *("-o", "ip.check_checksum:TRUE"),
    *("-o", "tcp.check_checksum:TRUE"),
    *("-o", "sctp.checksum:CRC 32c"),
]
BAD = '_ws.malformed or _ws.expert.severity >= "Warning" or data or ' + " or ".join(
    f"{layer}.checksum.status == 0" for layer in ("ip", "tcp", "sctp")
)


def tshark(path: Path, *arguments: str) -> list[list[str]]:
    """Return the lines that tshark prints, cut at tabs."""
    command = [TSHARK, "-2", "-n", "-r", str(path), *CHECKS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - tshark's path
    return [line.split("\t") for line in done.stdout.splitlines()]


def fields(*names: str) -> list[str]:
    return ["-T", "fields", *(part for name in names for part in ("-e", name))]


@pytest.fixture(name="capture", scope="module", params=[False, True], ids=["plain", "masked"])
def _capture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "moved-card.pcapng"
    with path.open("wb") as stream:
        write_capture(traces.moved_card(), stream, START, mask=request.param)
    return path


def test_nothing_is_malformed_or_left_over(capture: Path) -> None:
    wanted = fields("frame.number", "frame.protocols", "_ws.expert.message", "_ws.col.info")
    assert tshark(capture, "-Y", BAD, *wanted) == []


def test_checksums_are_verified(capture: Path) -> None:
    good = tshark(capture, "-Y", "tcp.checksum.status == 1 or sctp.checksum.status == 1", *fields("frame.number"))
    assert len(good) == len(tshark(capture, "-Y", "tcp or sctp", *fields("frame.number"))) > 20


def test_every_interface_is_named_and_decoded(capture: Path) -> None:
    found: dict[str, set[str]] = {}
    for name, protocols in tshark(capture, *fields("frame.interface_name", "frame.protocols")):
        found.setdefault(name, set()).add(protocols.split(":")[-1])
    assert found == {
        "S6a": {"diameter"},
        "S13": {"diameter"},
        "S1-MME": {"nas-eps"},
        "Uu": {"nas-eps", "exported_pdu"},
        "ME-UICC": {"gsm_sim", "exported_pdu"},
    }


def test_messages_have_their_names(capture: Path) -> None:
    told = [line[0] for line in tshark(capture, "-T", "fields", "-e", "_ws.col.info")]
    for part in (
        "3GPP-Update-Location Request(316)",
        "InitialUEMessage, Attach request, PDN connectivity request",
        "Attach accept, Activate default EPS bearer context request",
        "Attach reject (EPS services and non-EPS services not allowed)",
        "RRC connection request (cell 0000101, mo-signalling)",
        "SELECT File MF",
        "AUTHENTICATE",
    ):
        assert any(part in each for each in told), part


def test_the_verdict_is_a_comment_on_the_answer(capture: Path) -> None:
    wanted = fields("diameter.Experimental-Result-Code", "frame.comment")
    ((result, comment),) = tshark(capture, "-Y", 'frame.comment contains "REFUSED"', *wanted)
    assert result == "5001"
    assert comment.startswith("REFUSED by hss: bind.hss.learned (2.1.3(1) one): ")


def test_requests_are_matched_with_their_answers(capture: Path) -> None:
    unanswered = tshark(capture, "-Y", "diameter.flags.request == 1 and !diameter.answer_in", *fields("frame.number"))
    assert unanswered == []


def test_times_have_nanoseconds(capture: Path) -> None:
    assert tshark(capture, *fields("frame.time_epoch"))[0] == ["1772438400.000000000"]


def test_kasme_is_zeroed_only_when_masked(capture: Path) -> None:
    keys = {line[0] for line in tshark(capture, "-Y", "diameter.KASME", *fields("diameter.KASME"))}
    masked = keys == {"00" * 32}
    assert masked or keys == {traces.KASME.hex()}
    kenb = {line[0] for line in tshark(capture, "-Y", "s1ap.SecurityKey", *fields("s1ap.SecurityKey"))}
    assert kenb == ({"00" * 32} if masked else {traces.KENB.hex()})
