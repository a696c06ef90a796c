"""An HSS with its MMEs, over memory and over TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hss_net import Net

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


@pytest.fixture(params=["memory", "tcp"])
def net(loop: TestbedLoop, request: pytest.FixtureRequest) -> Net:
    return Net(loop, request.param)
