"""What a run of the benches does with its figures: see BENCH_WRITE (`make figures`) and BENCH_RATIOS (`ratios`)."""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import TYPE_CHECKING

import figures
import pytest
import ratios

if TYPE_CHECKING:
    from collections.abc import Iterator

# as the command sets it: see simwarden.cli.main
gc.set_threshold(10_000, 20, 50)


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    """Freeze what is loaded, as the command does: the tests' own libraries are no part of what is measured.

    The reference is timed before and after, for the benches that a test measures.
    """
    gc.collect()
    gc.freeze()
    measured, before = figures.measured().keys(), ratios.time_reference()
    yield
    ratios.note_reference(figures.measured().keys() - measured, (before + ratios.time_reference()) / 2)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus != 0:
        return
    if os.environ.get("BENCH_WRITE"):
        figures.write()
    how = os.environ.get("BENCH_RATIOS")
    if how == "record":
        ratios.record(figures.measured())
    elif how == "compare":
        lines = ratios.slower(figures.measured(), json.loads(ratios.RECORD.read_text("utf-8")))
        done = f"{len(ratios.BENCHES)} benches within {ratios.TOLERANCE} times their recorded ratios"
        sys.stderr.write("\n" + ("\n".join(lines) or done) + "\n")
        if lines:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
