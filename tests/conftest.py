"""What holds for all tests."""

import os
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import budget
import pytest
import selection
from databases import postgresql, store_url
from hypothesis import HealthCheck, settings
from own_elements import own_entry_points

from simwarden.scenario import registry

__all__ = ["postgresql", "store_url"]

pytest_plugins = ["simwarden.testing.plugin"]
#: a package of its own and scenarios with elements of others, for those who have them installed
collect_ignore = ["prober", "stranger", "interop/open5gs"]

#: folders of tests all of which `make test` leaves to `make test-all`, beside what is marked `slow` one by one
SLOW = {"bench", "fuzz", "interop", "web"}
#: what starts another program, as an audit hook hears of it
_STARTS = {"subprocess.Popen", "os.posix_spawn", "os.system"}
#: the test that runs, if it must not start any
_alone: list[str] = []

# Tests judge the elements of this repository, and not those that other packages have installed.
vars(registry)["entry_points"] = own_entry_points

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


#: the commit before the change, where slow tests are limited to the smoke set and what the change touches (`.ci/run`)
_BASE = os.environ.get("CI_BASE", "")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what needs another implementation, a browser or long searches; leave out what CI does not run."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in SLOW or any(item.get_closest_marker(mark) for mark in ("interop", "web")):
            item.add_marker("slow")
    if not _BASE:
        return
    smoke, changed = selection.smoke_set(), selection.changed_files(_BASE)
    touched = cache(lambda path: selection.is_touched(path, changed))
    chosen = {
        item
        for item in items
        if not item.get_closest_marker("slow")
        or item.nodeid.startswith(smoke)
        or touched(str(item.path.relative_to(selection.ROOT)))
    }
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _alone and event in _STARTS:
        name = _alone.pop()
        raise AssertionError(f"{name} starts a program, {arguments[0]}: mark it as slow (CONTRIBUTING.md, Checks)")


sys.addaudithook(_hear)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let only a test that is marked as slow start other programs: that is what takes the time."""
    _alone[:] = [] if item.get_closest_marker("slow") else [item.nodeid]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Let whoever is the last to use it end what others started."""
    _alone.clear()


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
