"""An HSS with its MMEs, over memory and over TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hss_net import Net

from simwarden.runtime.loop import TestbedLoop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[TestbedLoop]:
    loop = TestbedLoop(virtual=True)
    yield loop
    loop.close()


@pytest.fixture(params=["memory", "tcp"])
def net(loop: TestbedLoop, request: pytest.FixtureRequest) -> Net:
    return Net(loop, request.param)
