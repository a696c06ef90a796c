"""What holds for all tests."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from databases import postgresql, store_url

__all__ = ["postgresql", "store_url"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let nothing be skipped in CI for want of another implementation: CI installs them all."""
    report = yield
    if (
        report.skipped
        and any(item.get_closest_marker(mark) for mark in ("interop", "web"))
        and os.environ.get("CI") == "true"
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where it must run: {report.longrepr}"
    return report
