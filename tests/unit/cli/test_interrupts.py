"""Ctrl-C and SIGTERM: a run leaves the report of what is done, and nothing prints a traceback or waits."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[3] / "scenarios"
#: a frame of ours that is not the import of the entry itself
OURS_RUNS = re.compile(
    r'src/simwarden/(?!(?:__main__|__init__|cli/__init__|cli/entry)\.py", line \d+, in <module>)\S+", line \d+'
)


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command in a group of processes of its own, as a terminal starts it."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "simwarden", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_listen,  # noqa: PLW1509 - these tests start no thread
    )


def _listen() -> None:
    """Hear Ctrl-C also where the tests themselves were started in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, float]:
    """Its exit code, all that it said, and how long its end took of real time."""
    began = time.monotonic()
    os.killpg(process.pid, number)
    said = "".join(process.communicate(timeout=60))
    return process.returncode, said, time.monotonic() - began


def wait_for(what: Path) -> None:
    deadline = time.monotonic() + 120
    while not what.exists():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_leaves_the_report_of_what_is_done(tmp_path: Path, jobs: str, number: signal.Signals, code: int) -> None:
    process = begun(tmp_path, "run", str(SCENARIOS / "binding"), "-j", jobs)
    wait_for(tmp_path / "report" / f"{_third()}.pcapng")
    exit_code, said, seconds = ended(process, number)
    assert (exit_code, "Traceback" in said) == (code, False), said
    assert "interrupted, " in said
    cases = ET.parse(tmp_path / "report" / "junit.xml").getroot().findall(".//testcase")  # noqa: S314 - our own file
    events = (tmp_path / "report" / "events.jsonl").read_text("utf-8").splitlines()
    assert len(cases) >= 3
    assert events[-1].endswith("}")
    assert f"{len(cases)} scenarios: {len(cases)} passed" in said
    assert str(cases[0].get("classname")) in (tmp_path / "report" / "index.html").read_text("utf-8")
    assert seconds < 5  # a second on a machine that does nothing else


def _third() -> str:
    """The name of the third story."""
    from simwarden.scenario import suite

    return suite.find([str(SCENARIOS / "binding")])[2].name


@pytest.mark.parametrize("command", [("impact",), ("prove", "-j", "2"), ("demo",)])
@pytest.mark.parametrize("after", [0.1, 0.4, 1.5])
def test_no_command_prints_a_traceback(tmp_path: Path, command: tuple[str, ...], after: float) -> None:
    process = begun(tmp_path, *command)
    time.sleep(after)
    exit_code, said, _ = ended(process, signal.SIGINT)
    assert exit_code in ({0, 130, -signal.SIGINT} if command == ("demo",) else {130, -signal.SIGINT})
    # until `main` of the command's entry takes the signal over, Python is its own master
    assert "Traceback" not in said or not OURS_RUNS.search(said), said
