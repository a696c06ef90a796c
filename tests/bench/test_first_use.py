"""The CPU seconds that the README states for its commands, in a clone of the last commit with an empty environment."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import ratios

ROOT = Path(__file__).parents[2]
#: a stated figure may be off by this factor
FACTOR = 1.5
#: CPU seconds of the reference that the stated figures are for: a quiet machine; figures of a slower one are divided
REFERENCE = 0.034


def _cpu_of(command: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first-use") / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)  # noqa: S603, S607 - git on the path
    return folder


@pytest.mark.parametrize("target", ["run", "test"])
def test_the_readme_states_what_a_first_use_costs(clone: Path, target: str) -> None:
    match = re.search(rf"`make {target}` needs about (\d+) s of CPU", (clone / "README.md").read_text("utf-8"))
    assert match, f"the README states no CPU seconds of `make {target}`"
    before = ratios.time_reference()
    seconds = _cpu_of(["make", target], clone)
    slower = (before + ratios.time_reference()) / 2 / REFERENCE
    measured = seconds / slower
    sys.stderr.write(
        f"\nmake {target}: {seconds:.0f} s of CPU on a machine {slower:.2f} times slower, {match[1]} stated\n"
    )
    assert measured / FACTOR < int(match[1]) < measured * FACTOR
