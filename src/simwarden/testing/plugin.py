"""A plugin for pytest, which your `conftest.py` names: `pytest_plugins = ["simwarden.testing.plugin"]`.

Async tests and fixtures then run on our loop, where time jumps to the next timer when all is quiet; `loop` is that one
also for fixtures that are not async, and `bench` an empty `Bench` on it. An exception in a callback of such a loop,
which asyncio only logs, fails the test.
"""

from __future__ import annotations

import asyncio
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from simwarden.runtime.loop import TestbedLoop
from simwarden.testing.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@pytest.hookimpl(tryfirst=True)
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let tests run on our loop and its virtual time."""
    return {"virtual": partial(TestbedLoop, virtual=True)}


@pytest.fixture(autouse=True)
def _callback_errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test if a callback of its loop raised: asyncio would only log it, and the rest would still pass.

    What has no exception is not of this test: a task that an earlier one left is collected as garbage at any time.
    """
    errors: list[str] = []

    def record(_: TestbedLoop, context: dict[str, Any]) -> None:
        if error := context.get("exception"):
            errors.append("".join([context["message"], "\n", *traceback.format_exception(error)]))

    monkeypatch.setattr(TestbedLoop, "default_exception_handler", record)
    yield
    if errors:
        pytest.fail("\n".join(errors), pytrace=False)


@pytest_asyncio.fixture
async def loop() -> TestbedLoop:
    """Return the loop on which the test runs, which must be async."""
    running = asyncio.get_running_loop()
    if not isinstance(running, TestbedLoop):
        pytest.fail("`loop` is for async tests: write `async def test_...`")
    return running


@pytest.fixture
def bench(loop: TestbedLoop) -> Bench:  # the fixture above
    """Return a bench without elements: add some, then begin with `async with bench:`."""
    return Bench(loop)
