"""A whole run of the benches writes its figures into the page where BENCH_WRITE is set (`make figures`)."""

from __future__ import annotations

import gc
import os

import figures
import pytest

# as the command sets it: see simwarden.cli.main
gc.set_threshold(10_000, 20, 50)


@pytest.fixture(autouse=True)
def _frozen() -> None:
    """Freeze what is loaded, as the command does: the tests' own libraries are no part of what is measured."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    if os.environ.get("BENCH_WRITE") and exitstatus == 0:
        figures.write()
