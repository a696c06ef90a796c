"""A suspension by the platform, through all elements: how many messages until the core holds nothing of the card."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from simulators.cmp.config import CmpConfig
from simulators.cmp.element import Cmp
from simwarden.operations.management import Role
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Frame, StateChange

#: between the order and the moment at which the MME holds no session: CLR; then, of a connected device, what it is told
MOST = 4


def _stage() -> Any:
    path = Path(__file__).parents[1] / "test_attach_end_to_end.py"
    spec = importlib.util.spec_from_file_location("attach_end_to_end", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("asleep", [False, True])
def test_core_resources_are_gone_within_few_messages(*, asleep: bool) -> None:
    stage, loop = _stage(), TestbedLoop(virtual=True)
    network = stage.Network(loop, "memory", mme={"equipment": {"eir": "cmp"}})
    network.host.add("cmp", Cmp, CmpConfig())

    async def story() -> None:
        await network.start()
        await network.host.elements["cmp"].manage(Role.OPERATOR, "PUT", f"/cards/{stage.IMSI}", stage.CARD)
        await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "power_on", device="meter") == "accepted"
        if asleep:
            await network.host.clock.sleep(60)
        before = len(network.host.trace.events)
        path = f"/cards/{stage.IMSI}/operations/suspend"
        await network.host.elements["cmp"].manage(
            Role.OPERATOR, "POST", path, {"approver": "J. Okonedo", "reason": "unpaid", "form": "F-1"}
        )
        await network.host.clock.settle()
        after = network.host.trace.events[before:]
        gone = next(
            index
            for index, event in enumerate(after)
            if isinstance(event, StateChange)
            and (event.element, event.observable, event.value) == ("mme", "session", None)
        )
        assert sum(isinstance(event, Frame) for event in after[:gone]) <= (1 if asleep else MOST)
        await network.host.close()

    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
