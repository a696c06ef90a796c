"""A package of somebody else brings a protocol and who speaks it: everything knows it, and nothing here was changed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installed import command_with

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

STRANGER = Path(__file__).parents[2] / "stranger"
SCENARIOS = STRANGER / "scenarios"
TSHARK = shutil.which("tshark") or ""


@pytest.fixture(name="command", scope="module")
def _command(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a command where the package is installed."""
    return command_with(STRANGER, tmp_path_factory.mktemp("site"))


@pytest.fixture(name="report", scope="module", params=["memory", "tcp"])
def _report(
    request: pytest.FixtureRequest, command: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("report")
    told = ["--transport", request.param, "--report", str(folder), "--trace", "always", "--mask"]
    assert "2 passed" in command("run", str(SCENARIOS), *told)
    return folder


def test_its_scenarios_are_right(command: Callable[..., str]) -> None:
    assert "2 checked, none wrong" in command("validate", str(SCENARIOS))


def test_its_messages_are_in_the_trace(report: Path) -> None:
    lines = [json.loads(line) for line in (report / "events.jsonl").read_text().splitlines()]
    seen = [each for each in lines if each["kind"] == "frame" and each["interface"] == "Sun"]
    closed = [each for each in seen if each["scenario"] == "closed-shutter"]
    assert [each["message"] for each in closed] == ["segment", "segment", "flash-request", "flash-answer"]
    assert closed[-2]["fields"] == {"text": "hello", "password": "***"}
    assert closed[-1]["cause"] == "4 SHUTTER_CLOSED"
    assert closed[-1]["octets"] == "020204"


@pytest.mark.skipif(not TSHARK, reason="tshark is not installed (apt install tshark)")
def test_its_octets_are_in_the_capture(report: Path) -> None:
    shown = ["-T", "fields", "-e", "tcp.payload", "-e", "frame.interface_name", "-Y", "tcp.port == 1821"]
    command = [TSHARK, "-r", str(report / "closed-shutter.pcapng"), *shown]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S603
    assert [line.split("\t") for line in told][-1] == ["020204", "Sun"]
    assert b"hello" in bytes.fromhex("".join(line.split("\t")[0] for line in told))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Sun", "Sun: interface, heliograph, port 1821 (the station's handbook)\n  listens: station\n  calls: mirror"),
        ("FLR", "sun.flash-request: message on Sun, heliograph, flash-request"),
        ("flash-answer.cause", "cause: field of sun.flash-answer (always there)\n  SEEN (0)\n  SHUTTER_CLOSED (4)"),
        ("SHUTTER_CLOSED", "SHUTTER_CLOSED (4): FlashCause, the station's handbook"),
        ("flash-request", "expect: {sun.flash-request: {text: ...}}"),
    ],
)
def test_it_is_explained(command: Callable[..., str], name: str, told: str) -> None:
    assert told in command("explain", name)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("{sun.flash-anwser: {cause: SEEN}}", "did you mean 'flash-answer'?"),
        ("{sun.flash-answer: {text: hello}}", "flash-answer"),
        ("{sun.flash-answer: {cause: GONE}}", "SHUTTER_CLOSED"),
    ],
)
@pytest.mark.parametrize("word", ["expect", "never"])
def test_what_it_has_not_is_an_error(
    command: Callable[..., str], tmp_path: Path, word: str, wanted: str, told: str
) -> None:
    path = tmp_path / "wrong.yaml"
    text = (SCENARIOS / "open-shutter.yaml").read_text().partition("  - expect")[0]
    path.write_text(f"{text}  - {word}: {wanted}\n")
    said = command("validate", str(path), code=2)
    assert f"{path}:" in said
    assert told in said


def test_what_is_said_never_to_come_fails_with_the_ladder(command: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "never.yaml"
    text = (SCENARIOS / "open-shutter.yaml").read_text().partition("  - never")[0]
    path.write_text(f"{text}  - never: {{sun.flash-answer: {{cause: SEEN}}}}\n")
    said = command("run", str(path), "--report", str(tmp_path), code=1)
    assert "sun.flash-answer" in said
    assert "Sun    Flash request, hello" in said
    assert "Sun    Flash answer, seen" in said
