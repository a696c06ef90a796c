"""What a user waits for at the command line."""

from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import figures
import pytest

ROOT = Path(__file__).parents[2]


def _simwarden(folder: Path, *words: str) -> tuple[float, str]:
    """Run a command; return its CPU seconds, those of its workers included, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "simwarden", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("`simwarden --help`", ["--help"]),
        ("command to first verdict and report", ["run", str(ROOT / "scenarios/demo/moved-card.yaml")]),
    ],
)
def test_a_command(tmp_path: Path, what: str, words: list[str]) -> None:
    figures.tell(what, f"{statistics.median(_simwarden(tmp_path, *words)[0] for _ in range(5)):.2f} s")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_shipped_suite(tmp_path: Path, workers: str) -> None:
    _, said = _simwarden(tmp_path, "run", str(ROOT / "scenarios"), "-j", workers)
    sums = re.search(r"(\d+) scenarios: .* in ([\d.]+) s", said)
    assert sums
    each = float(sums[2]) / int(sums[1])
    figures.tell(f"shipped suite, a scenario, `-j {workers}`", f"{each:.3f} s ({sums[1]} in {sums[2]} s)")
