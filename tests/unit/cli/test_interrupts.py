"""Ctrl-C, SIGTERM and SIGHUP: a run leaves the report of what is done, and nothing prints a traceback or waits."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from waiting import LONG

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[3] / "scenarios"
#: a frame of ours that is not the import of the entry itself
OURS_RUNS = re.compile(
    r'src/simwarden/(?!(?:__main__|__init__|cli/__init__|cli/entry)\.py", line \d+, in <module>)\S+", line \d+'
)


def begun(folder: Path, *arguments: str, nohup: bool = False) -> subprocess.Popen[str]:
    """A command in a group of processes of its own, as a terminal starts it."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "simwarden", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_outlive if nohup else _listen,  # noqa: PLW1509 - these tests start no thread
    )


def _outlive() -> None:
    """Do what `nohup` does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _listen() -> None:
    """Hear Ctrl-C and hang-ups also where the tests themselves were started in the background, which ignores them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Its exit code, and all that it said."""
    os.killpg(process.pid, number)
    said = "".join(process.communicate(timeout=LONG))
    return process.returncode, said


def wait_for(what: Path) -> None:
    deadline = time.monotonic() + 120
    while not what.exists():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_leaves_the_report_of_what_is_done(tmp_path: Path, jobs: str, number: signal.Signals, code: int) -> None:
    process = begun(tmp_path, "run", str(SCENARIOS / "binding"), "-j", jobs)
    wait_for(tmp_path / "report" / f"{_third()}.pcapng")
    exit_code, said = ended(process, number)
    assert (exit_code, "Traceback" in said) == (code, False), said
    assert "interrupted, " in said
    cases = ET.parse(tmp_path / "report" / "junit.xml").getroot().findall(".//testcase")  # noqa: S314 - our own file
    events = (tmp_path / "report" / "events.jsonl").read_text("utf-8").splitlines()
    assert len(cases) >= 3
    assert events[-1].endswith("}")
    assert f"{len(cases)} scenarios: {len(cases)} passed" in said
    assert str(cases[0].get("classname")) in (tmp_path / "report" / "index.html").read_text("utf-8")


#: a run that waits for programs, as one with TUN interfaces does
WAITS = """\
scenario: A meter that has sent something
clock: real
cards: {card: {profile: meter}}
devices: {meter: {type: module}}
steps:
  - insert: {card: card, into: meter}
  - power_on: meter
  - send: {device: meter, to: "198.51.100.80:5683"}
    expect: delivered
  - expect: {pgw: {session: {card: card}}}
  - manage: {element: pgw, get: /sessions}
  - wait: 100 s
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_single_run_leaves_capture_events_and_records(tmp_path: Path, number: signal.Signals, code: int) -> None:
    (tmp_path / "long.yaml").write_text(WAITS, "utf-8")
    process = begun(tmp_path, "run", "long.yaml")
    assert process.stdout is not None
    time.sleep(8)
    assert process.poll() is None
    exit_code, said = ended(process, number)
    assert (exit_code, "Traceback" in said) == (code, False), said
    report = tmp_path / "report"
    records = [json.loads(line) for line in (report / "records.jsonl").read_text("utf-8").splitlines()]
    flows = [(each["peer"], each["uplink_packets"], each["end_reason"]) for each in records if each["kind"] == "flow"]
    assert flows == [("198.51.100.80", 1, "end-of-session")]
    kinds = {json.loads(line)["kind"] for line in (report / "events.jsonl").read_text("utf-8").splitlines()}
    assert {"frame", "decision"} & kinds
    assert (report / "long.pcapng").stat().st_size > 1000
    (case,) = ET.parse(report / "junit.xml").getroot().findall(".//testcase")  # noqa: S314 - our own file
    assert "interrupted" in ET.tostring(case, encoding="unicode")


def _third() -> str:
    """The name of the third story."""
    from simwarden.scenario import suite

    return suite.find([str(SCENARIOS / "binding")])[2].name


def test_a_closed_terminal_leaves_the_report_of_what_is_done(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    run = [sys.executable, "-m", "simwarden", "run", str(SCENARIOS / "binding"), "-j", "2"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        run,
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_on_terminal,  # noqa: PLW1509 - as above
    )
    os.close(theirs)
    wait_for(tmp_path / "report" / f"{_third()}.pcapng")
    os.close(ours)
    assert process.wait(timeout=LONG) == 129
    cases = ET.parse(tmp_path / "report" / "junit.xml").getroot().findall(".//testcase")  # noqa: S314 - our own file
    assert len(cases) >= 3
    assert str(cases[0].get("classname")) in (tmp_path / "report" / "index.html").read_text("utf-8")


def _on_terminal() -> None:
    """Take what is standard input for the terminal, whose end ends what runs there."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_output_that_fails_before_the_hang_up_is_handled_leaves_the_report() -> None:
    program = """
import errno
from simwarden.cli import interrupts
interrupts.watch()
with interrupts.finishing(lambda: "interrupted; report"), interrupts.held():
    raise OSError(errno.EIO, "Input/output error")
"""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=LONG
    )
    assert (done.returncode, done.stderr) == (129, "interrupted; report\n")


def test_nohup_has_a_run_outlive_its_terminal(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text("scenario: A while\nclock: real\nsteps: [{wait: 3 s}]\n", "utf-8")
    process = begun(tmp_path, "run", str(SCENARIOS / "demo" / "moved-card.yaml"), "long.yaml", nohup=True)
    wait_for(tmp_path / "report" / "moved-card.pcapng")
    exit_code, said = ended(process, signal.SIGHUP)
    assert (exit_code, "2 scenarios: 2 passed" in said) == (0, True), said


#: a run that is interrupted while it sums up what became of all
AT_THE_END = """
import os, signal, sys
from simwarden.cli import running
whole = running.misuses
def interrupted(results):
    os.kill(os.getpid(), signal.SIGINT)
    return whole(results)
running.misuses = interrupted
from simwarden.cli.main import main
main()
"""


def test_an_interruption_at_the_end_leaves_a_whole_report(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_THE_END, "run", "moved-card"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=_listen)  # noqa: S603 - as above
    assert (done.returncode, "Traceback" in done.stderr) == (130, False), done.stderr
    assert {"index.html", "junit.xml"} <= {each.name for each in (tmp_path / "report").iterdir()}
    assert "interrupted, 0 not run; 1 scenario: 1 passed" in done.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_is_under_way_is_not_waited_for(tmp_path: Path, jobs: str) -> None:
    """The stories would take an hour more, which is longer than anybody waits here."""
    assert subprocess.run([sys.executable, "-m", "simwarden", "init", "a.yaml"], cwd=tmp_path, check=True)
    for name in ("b.yaml", "c.yaml"):
        (tmp_path / name).write_text("scenario: An hour\nclock: real\nsteps: [{wait: 1 h}]\n", "utf-8")
    process = begun(tmp_path, "run", "a.yaml", "b.yaml", "c.yaml", "-j", jobs)
    wait_for(tmp_path / "report" / "a.pcapng")
    exit_code, said = ended(process, signal.SIGINT)
    assert (exit_code, "Traceback" in said) == (130, False), said
    assert "interrupted, 2 not run; 1 scenario: 1 passed" in said


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    ("command", "found"),
    [("explore attach", "runs left out"), ("prove", "mutants left out")],
)
def test_a_campaign_tells_what_it_has_found(tmp_path: Path, command: str, found: str, jobs: str) -> None:
    process = begun(tmp_path, *command.split(), "-j", jobs, "--report", "report")
    assert process.stderr is not None
    assert " of " in process.stderr.readline()  # so many runs are done
    exit_code, said = ended(process, signal.SIGINT)
    assert (exit_code, "Traceback" in said) == (130, False), said
    assert "interrupted: this is what was found until then" in said
    assert found in said
    name = command.partition(" ")[0]
    assert {f"{name}.html", f"{name}.json"} <= {each.name for each in (tmp_path / "report").iterdir()}


COMMANDS = (
    "demo", "impact -j 2", "prove -j 2", "matrix -j 2", "explore -j 2", "coverage -j 2", "check -j 2", "validate {all}",
    "classify cards.csv", "serve hss --config hss.yaml", "live --port 0",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("after", [0.3, 1.5])
def test_no_command_prints_a_traceback(tmp_path: Path, command: str, after: float) -> None:
    (tmp_path / "cards.csv").write_text("imsi,use\n" + "001010000000001,smart-metering\n" * 100_000, "utf-8")
    (tmp_path / "hss.yaml").write_text("listen: {S6a: '127.0.0.1:0'}\n", "utf-8")
    process = begun(tmp_path, *command.format(all=SCENARIOS).split())
    time.sleep(after)
    exit_code, said = ended(process, signal.SIGINT)
    # a demo may be over by then; for a server it is how it ends
    may_be_well = command.startswith(("demo", "serve", "live"))
    assert exit_code in ({0, 130, -signal.SIGINT} if may_be_well else {130, -signal.SIGINT}), said
    # until `main` of the command's entry takes the signal over, Python is its own master
    assert "Traceback" not in said or not OURS_RUNS.search(said), said
