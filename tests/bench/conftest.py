"""A whole run of the benches writes its figures into the page where BENCH_WRITE is set (`make figures`)."""

from __future__ import annotations

import os

import figures
import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    if os.environ.get("BENCH_WRITE") and exitstatus == 0:
        figures.write()
