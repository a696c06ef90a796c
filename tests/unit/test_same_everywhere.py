"""The same seed gives the same signalling, octet for octet, on any transport, with any -j, under any hash seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STORIES = ("scenarios/demo", "scenarios/binding/eir")


def events(folder: Path, hash_seed: str, *options: str, stories: tuple[str, ...] = STORIES) -> bytes:
    """Run stories; return the events of all of them."""
    command = [sys.executable, "-m", "simwarden", "run", *stories, "--report", str(folder), *options]
    env = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return (folder / "events.jsonl").read_bytes()


def test_the_same_events_on_memory_and_tcp_and_in_parallel(tmp_path: Path) -> None:
    one = events(tmp_path / "memory", "1")
    assert one.count(b"\n") > 3000
    assert events(tmp_path / "tcp", "2", "--transport", "tcp", "-j", "2") == one
    other = events(tmp_path / "other", "1", "--seed", "7", stories=STORIES[:1])
    assert not set(other.splitlines()) <= set(one.splitlines())
