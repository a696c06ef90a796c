"""An SSP that is stopped or killed: what it says as it goes, and that nothing of it is there afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ssp_net import SspNet

from simwarden.runtime.sigtran.map_node import NoAnswer
from simwarden.trace.events import Frame

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop


@pytest.mark.parametrize("kill", [True, False])
async def test_who_is_stopped_says_so_and_who_is_killed_does_not(loop: TestbedLoop, *, kill: bool) -> None:
    async with SspNet(loop) as net:
        await net.registered()
        await net.hlr.roaming_number()
        before = len(said(net))
        await net.host.stop("ssp", kill=kill)
        await net.settle()
        assert bool(said(net)[before:]) is not kill
        assert not net.ms.link.up
        before = len(said(net))
        with pytest.raises(NoAnswer):
            await net.hlr.roaming_number()
        await net.sleep(60)
        assert said(net)[before:] == []
        assert net.ssp.core.roaming  # nothing runs out any more
        net.ssp.core.roaming.clear()


def said(net: SspNet) -> list[Frame]:
    """Return what the SSP has said to the signalling network."""
    return [each for each in net.of(Frame) if each.source == "ssp" and each.interface == "M3UA"]
