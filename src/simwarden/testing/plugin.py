"""A plugin for pytest, which your `conftest.py` names: `pytest_plugins = ["simwarden.testing.plugin"]`.

Async tests and fixtures then run on our loop, where time jumps to the next timer when all is quiet; `loop` is that one
also for fixtures that are not async, and `bench` an empty `Bench` on it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from simwarden.runtime.loop import TestbedLoop
from simwarden.testing.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _virtual() -> TestbedLoop:
    return TestbedLoop(virtual=True)


@pytest.hookimpl(tryfirst=True)
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let tests run on our loop and its virtual time."""
    return {"virtual": _virtual}


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
