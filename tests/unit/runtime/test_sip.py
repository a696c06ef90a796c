"""A trunk between two elements: calls of listed numbers are answered, others refused, and nothing is left behind."""

from __future__ import annotations

from typing import Any

import pytest
from sip_net import LISTED, OTHER, Settings, Trunk

from simwarden.machine.sip_events import Answered, Refused, Released
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Fault, Frame, PeerFault
from simwarden.trace.trace import Trace


@pytest.mark.parametrize("transport", ["memory", "udp"])
def test_calls_over_a_trunk(transport: str) -> None:
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings(transport=transport))
    near: Any = host.add("near", Trunk, Settings())
    far: Any = host.add("far", Trunk, Settings())
    told: list[Any] = []

    async def story() -> None:
        for name in ("near", "far"):
            await host.start(name)
        told.append(await near.call("+861", far.trunk.address))
        told.append(await near.call("+861", far.trunk.address, OTHER))
        await clock.sleep(60)
        await host.close()

    loop.run_until_complete(story())
    loop.close()
    answered, refused = told
    assert isinstance(answered, Answered)
    assert refused == Refused(refused.call, 403, 21)
    assert [each.cause for each in far.heard if isinstance(each, Released)] == [16]
    assert (len(near.trunk.agent), len(far.trunk.agent)) == (0, 0)
    assert not [each for each in host.trace.events if isinstance(each, (Fault, PeerFault))]
    frames = [dissect(each) for each in host.trace.events if isinstance(each, Frame)]
    assert [each.name for each in frames][:5] == ["invite", *["invite-response"] * 3, "ack"]
    (refusal,) = [each for each in frames if each.fields.get("status") == 403]
    assert refusal.cause == "403 Forbidden, Q.850 cause 21"


def test_octets_that_are_no_message() -> None:
    loop = TestbedLoop(virtual=True)
    clock = Clock(loop)
    host = Host(loop, clock, Trace(clock.now), HostSettings())
    near: Any = host.add("near", Trunk, Settings())
    far: Any = host.add("far", Trunk, Settings())

    async def story() -> None:
        for name in ("near", "far"):
            await host.start(name)
        near.trunk._endpoint.send(b"INVITE nobody", far.trunk.address)
        await clock.sleep(1)
        assert isinstance(await near.call(LISTED, far.trunk.address), Answered)
        await host.close()

    loop.run_until_complete(story())
    loop.close()
    assert [each.reason for each in host.trace.events if isinstance(each, PeerFault)] == [
        "header fields without an end"
    ]
