"""SSP and SCP over M3UA: directly, through a gateway, by global title; and an SCP that is silent, away, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sigtran_net import BY_TITLE, SCP, SSP, STP, TITLE, Node, Scp, Settings, Ssp

from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.dissect import dissect
from simwarden.trace.events import Fault, Frame, PeerFault
from simwarden.trace.trace import Trace
from simwarden.wire.sccp import GlobalTitle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LISTED, OTHER = "10800000001", "10800000002"
DIRECT = {
    "scp": (Scp, Settings(point_code=SCP, serves=((7, SSP),))),
    "ssp": (Ssp, Settings(point_code=SSP, dials=(("scp", 7),))),
}
THROUGH = {
    "stp": (Node, Settings(point_code=STP, serves=((7, SSP), (8, SCP)), titles=((TITLE, SCP, True),))),
    "scp": (Scp, Settings(point_code=SCP, dials=(("stp", 8),))),
    "ssp": (Ssp, Settings(point_code=SSP, dials=(("stp", 7),), titles=((TITLE[:5], STP, False),))),
}


class Net:
    """Elements in the order in which they start."""

    def __init__(self, elements: dict[str, Any], transport: str = "memory") -> None:
        self.loop = TestbedLoop(virtual=True)
        clock = Clock(self.loop)
        self.host = Host(self.loop, clock, Trace(clock.now), HostSettings(transport=transport))
        self.of: dict[str, Any] = {name: self.host.add(name, *each) for name, each in elements.items()}

    def play(self, story: Callable[..., Awaitable[None]]) -> list[Frame]:
        async def run() -> None:
            for name in self.host.elements:
                await self.host.start(name)
            await story(self, **self.of)
            await self.host.close()

        self.loop.run_until_complete(run())
        self.loop.close()
        found = [each for each in self.host.trace.events if isinstance(each, (Fault, PeerFault))]
        assert not found
        return [each for each in self.host.trace.events if isinstance(each, Frame)]


def names(frames: list[Frame]) -> list[str]:
    """Return what was said, by the innermost names."""
    found = []
    for frame in frames:
        shown = dissect(frame)
        while shown.inner:
            shown = shown.inner[-1]
        found.append(shown.name)
    return found


async def later(net: Net, seconds: float = 1.0) -> None:
    done = net.loop.create_future()
    net.host.clock.call_later(seconds, lambda: done.set_result(None))
    await done


@pytest.mark.parametrize("transport", ["memory", "tcp"])
@pytest.mark.parametrize("elements", [DIRECT, THROUGH], ids=["direct", "through a gateway"])
def test_calls_are_connected_and_released(elements: dict[str, Any], transport: str) -> None:
    async def story(net: Net, ssp: Ssp, scp: Scp, **_: Any) -> None:
        await later(net)
        assert await ssp.call(LISTED) == "connect"
        assert await ssp.call(OTHER) == "releaseCall 21"
        assert len(scp.heard) == 2
        assert len(ssp.user.tc) == len(scp.user.tc) == 0

    frames = Net(elements, transport).play(story)
    said = [name for name in names(frames) if name in ("initial-dp", "connect", "release-call")]
    hops = 2 if len(elements) == 3 else 1
    assert said == [*["initial-dp"] * hops, *["connect"] * hops, *["initial-dp"] * hops, *["release-call"] * hops]
    assert {frame.stream for frame in frames if dissect(frame).name == "data"} == {1}


def test_by_global_title() -> None:
    async def story(net: Net, ssp: Ssp, **_: Any) -> None:
        await later(net)
        assert await ssp.call(LISTED, BY_TITLE) == "connect"
        other = BY_TITLE._replace(global_title=GlobalTitle("49", 4, 0, 1))
        assert await ssp.call(LISTED, other) == "not delivered: no translation for address"

    Net(THROUGH).play(story)


def test_a_silent_scp() -> None:
    async def story(net: Net, ssp: Ssp, scp: Scp, **_: Any) -> None:
        await later(net)
        scp.silent = True
        before = net.host.clock.now()
        assert await ssp.call(LISTED) == "release 41"
        assert net.host.clock.now() - before == pytest.approx(6.0)

    Net(DIRECT).play(story)


@pytest.mark.parametrize("elements", [DIRECT, THROUGH], ids=["direct", "through a gateway"])
def test_an_scp_that_goes_and_comes(elements: dict[str, Any]) -> None:
    async def story(net: Net, ssp: Ssp, **_: Any) -> None:
        await later(net)
        await net.host.stop("scp", kill=True)
        await later(net, 5.0)
        assert (await ssp.call(LISTED)).startswith("not delivered")
        await net.host.start("scp")
        await later(net, 60.0)
        assert await ssp.call(LISTED) == "connect"

    Net(elements).play(story)


def test_it_is_the_same_twice() -> None:
    async def story(net: Net, ssp: Ssp, **_: Any) -> None:
        await later(net)
        await ssp.call(LISTED)

    first, second = (Net(THROUGH).play(story) for _ in range(2))
    assert [each.data for each in first] == [each.data for each in second]
