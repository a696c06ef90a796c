"""Who calls much waits for itself: peers and the operator come in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from simwarden.operations.element import Element
from simwarden.operations.http import management_app
from simwarden.operations.http_turns import Turns
from simwarden.operations.management import Call, Caller, Role, route
from simwarden.operations.tokens import Tokens
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def _play(story: Callable[[Clock], Awaitable[None]]) -> None:
    loop = TestbedLoop(virtual=True)
    try:
        loop.run_until_complete(asyncio.wait_for(story(Clock(loop)), 60))
    finally:
        loop.close()


def test_the_operator_is_first_and_each_caller_waits_for_itself() -> None:
    done: list[str] = []

    async def story(clock: Clock) -> None:
        turns = Turns(clock)

        async def call(caller: str, *, first: bool = False) -> None:
            await turns.take(caller, first=first)
            done.append(caller)

        many = [asyncio.ensure_future(call("portal")) for _ in range(4)]
        await asyncio.gather(call("shop"), call("noc", first=True), *many)

    _play(story)
    assert done == ["noc", "portal", "shop", "portal", "portal", "portal"]


def test_who_leaves_holds_nobody_up() -> None:
    async def story(clock: Clock) -> None:
        turns = Turns(clock)
        for _ in range(2):  # and those who come when nobody waits any more
            left = asyncio.ensure_future(turns.take("portal", first=False))
            stays = asyncio.ensure_future(turns.take("portal", first=False))
            await asyncio.sleep(0)
            left.cancel()
            await stays

    _play(story)


class Shop(Element[ElementConfig]):
    """Says who calls, in order; each call has something for a peer that takes some turns of the loop."""

    declaration = Declaration(kind="shop", title="Shop", lane=1, config=ElementConfig)
    done: list[str]

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    @route("GET", "/things", roles=(Role.OPERATOR, Role.CUSTOMER), gives=str)
    async def look(self, call: Call) -> str:
        """Look."""
        self.done.append(call.caller)
        self.site.spawn(self._serve_peer(), "peer")
        return ""

    async def _serve_peer(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.done.append("peer")


def test_a_customer_with_many_calls_stops_neither_peers_nor_the_operator() -> None:
    async def story(clock: Clock) -> None:
        host = Host(asyncio.get_running_loop(), clock, Trace(clock.now), HostSettings())  # type: ignore[arg-type]
        shop = host.add("shop", Shop, ElementConfig())
        shop.done = []
        callers = [("staff", Caller(Role.OPERATOR, "noc")), ("buyer", Caller(Role.CUSTOMER, "portal"))]
        transport = httpx.ASGITransport(management_app(shop, Tokens(callers)))

        async def ask(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as http:
                return (await http.get("/things")).status_code

        assert set(await asyncio.gather(*(ask("buyer") for _ in range(10)), ask("staff"))) == {200}
        assert shop.done[:2] == ["noc", "peer"]
        assert shop.done[2:21] == [*["portal", "peer"] * 9, "portal"]

    _play(story)
