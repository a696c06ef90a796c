"""What holds for all tests."""

import os
from collections.abc import Generator
from typing import Any

import budget
import pytest
from databases import postgresql, store_url
from hypothesis import HealthCheck, settings

__all__ = ["postgresql", "store_url"]

#: a package of its own, whose stories are for those who have it installed
collect_ignore = ["prober", "stranger"]

# No verdict by the clock (a busy machine is no fault), none by what an earlier run left behind.
settings.register_profile(
    "simwarden",
    max_examples=budget.examples(100),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.load_profile("simwarden")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let property tests draw from the seed of `budget`, unless the command line names another."""
    config.option.hypothesis_seed = config.option.hypothesis_seed or str(budget.SEED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell which seed that was."""
    terminalreporter.write_line(f"property tests drew from seed {config.option.hypothesis_seed}")


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
