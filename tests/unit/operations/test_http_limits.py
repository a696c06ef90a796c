"""Attempts on an HTTP interface: enumeration, and bodies that cost more than they say."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import Field

from simwarden.errors import ManagementError
from simwarden.operations.element import Element
from simwarden.operations.http import management_app
from simwarden.operations.management import Call, Caller, Role, route
from simwarden.operations.refusal_limit import MOST_REFUSALS
from simwarden.operations.tokens import Tokens
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig, Model
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Load(Model):
    """Names, and what each is."""

    names: tuple[int, ...] = ()
    """Numbers."""
    kinds: dict[str, int] = Field(default_factory=dict)
    """Kinds."""


class Order(Model):
    """Much that is needed, and a list."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int
    g: int
    h: int
    names: tuple[int, ...] = ()
    orders: list[dict[str, Any]] = Field(default_factory=list)


class Shop(Element[ElementConfig]):
    """Has things."""

    declaration = Declaration(kind="shop", title="Shop", lane=1, config=ElementConfig)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    @route("POST", "/orders", takes=Order, gives=int)
    async def order(self, _call: Call) -> int:
        """Order."""
        return 0

    @route("POST", "/things", roles=BOTH, takes=Load, gives=int)
    async def load(self, call: Call) -> int:
        """Load."""
        return len(call.given.names)

    @route("GET", "/things/{name}", roles=BOTH, gives=str)
    async def look(self, call: Call) -> str:
        """Look."""
        if call.path["name"] == "own":
            return "here"
        raise ManagementError(404, "no such thing")


class Desk:
    """A shop's interface, with a clock of the test's."""

    def __init__(self) -> None:
        loop = TestbedLoop(virtual=False)
        clock = Clock(loop)
        host = Host(loop, clock, Trace(clock.now), HostSettings())
        self.now = 0.0
        callers = [("staff", Caller(Role.OPERATOR, "noc")), ("buyer", Caller(Role.CUSTOMER, "portal"))]
        self.tokens = Tokens(callers)
        clock.now = lambda: self.now  # type: ignore[method-assign]
        self.app = management_app(host.add("shop", Shop, ElementConfig()), self.tokens)
        self.loop, self.trace = loop, host.trace

    def ask(self, path: str, *tokens: str, client: str = "192.0.2.1", **more: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(client, 1))
            headers = [("Authorization", f"Bearer {each}") for each in tokens]
            headers.append(("Content-Type", "application/json"))
            async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as http:
                return await http.request("POST" if "content" in more else "GET", path, **more)

        answer = self.loop.run_until_complete(call())
        assert not [each for each in self.trace.events if isinstance(each, Fault)]
        return answer


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.loop.run_until_complete(made.loop.shutdown_default_executor())
    made.loop.close()


def test_a_token_stands_beside_no_other(desk: Desk) -> None:
    """Else one is looked at, and the other one counted: who looks for others' cards would never have to wait."""
    for number in range(MOST_REFUSALS + 5):
        for tokens in (("buyer", f"made-up-{number}"), (f"made-up-{number}", "buyer")):
            assert desk.ask(f"/things/{number}", *tokens).status_code == 400
    assert desk.ask("/things/own", "buyer").status_code == 200


def test_a_customer_that_looks_for_what_is_not_its_own_waits_and_an_operator_does_not(desk: Desk) -> None:
    for each in range(MOST_REFUSALS):
        assert desk.ask(f"/things/{each}", "buyer").status_code == 404
        assert desk.ask(f"/things/{each}", "staff").status_code == 404
    assert desk.ask("/things/more", "staff").status_code == 404
    refused = desk.ask("/things/own", "buyer", client="192.0.2.9")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "61"), "wherever it comes from"
    assert refused.json()["code"] == "TOO_MANY_REQUESTS"
    desk.now = 61
    assert desk.ask("/things/own", "buyer").status_code == 200


def test_a_customer_that_asks_for_what_is_the_operators_waits_too(desk: Desk) -> None:
    """Each refusal is a record of the audit."""
    for _ in range(MOST_REFUSALS):
        assert desk.ask("/orders", "buyer", content=b'{"parts": {}}').status_code == 403
    assert desk.ask("/things/own", "buyer").status_code == 429
    assert desk.ask("/things/own", "staff").status_code == 200


def test_a_token_that_was_taken_away_is_known_nowhere_any_more(desk: Desk) -> None:
    assert desk.ask("/things/own", "buyer").status_code == 200
    desk.tokens.replace([("other", Caller(Role.OPERATOR, "noc"))])
    assert desk.ask("/things/own", "buyer").status_code == 401
    assert desk.ask("/things/own", "other").status_code == 200


MANY = 300_000


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({f"k{each}": 0 for each in range(MANY)}),
        json.dumps({"kinds": {f"k{each}": "x" for each in range(MANY)}}),
        json.dumps({"names": ["x"] * MANY}),
        json.dumps({"names": [{}] * MANY}),
        json.dumps({"names": ["x"] * 1000}),
        json.dumps({f"k{each}": 0 for each in range(900)}),
        json.dumps({"k" * MANY: 0}),
    ],
    ids=["unknown keys", "keys of a mapping", "values", "objects", "some values", "some keys", "a long key"],
)
def test_a_body_that_does_not_fit_in_very_many_places_costs_little(desk: Desk, body: str) -> None:
    """A million unknown keys made an answer of 40 MB, while all interfaces waited."""
    tracemalloc.start()
    try:
        began = time.process_time()
        answer = desk.ask("/things", "staff", content=body)
        took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 400
    assert len(answer.content) < 2000
    assert answer.json()["message"].count(";") <= 10
    assert took < 5  # with the cost of counting memory
    assert most < 50 * len(body) + (1 << 22)


def test_a_customer_sends_less_than_an_operator(desk: Desk) -> None:
    body = json.dumps({"names": [1] * 40_000})
    assert desk.ask("/things", "buyer", content=body).status_code == 413
    assert desk.ask("/things", "staff", content=body).json() == 40_000
    assert desk.ask("/things", "staff", content=" " * ((1 << 24) + 1)).status_code == 413


def test_what_a_large_body_lacks_costs_no_copies_of_it(desk: Desk) -> None:
    body = json.dumps({"names": [], "orders": [{"x": {"y": [1, {"z": 1}]}}] * 20_000}).encode()
    tracemalloc.start()
    desk.ask("/things", "staff", content=body)
    _, simple = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    answer = desk.ask("/orders", "staff", content=body)
    _, lacking = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 400
    assert "a: Field required" in answer.json()["message"]
    assert lacking < 2 * simple


def test_who_has_no_token_is_told_before_its_body_is_read(desk: Desk) -> None:
    taken: list[int] = []

    async def endless() -> Any:
        for _ in range(100):
            taken.append(1)
            yield b" " * (1 << 16)

    assert desk.ask("/things", "guess", content=endless()).status_code == 401
    assert not taken


class Busy(Element[ElementConfig]):
    """Notes each call, and what it does for a peer after some turns of the loop."""

    declaration = Declaration(kind="busy", title="Busy", lane=1, config=ElementConfig)
    done: list[str]

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    @route("GET", "/things", roles=BOTH, gives=str)
    async def look(self, call: Call) -> str:
        """Look."""
        self.done.append(call.caller)
        self.site.spawn(self._serve_peer(), "peer")
        return ""

    async def _serve_peer(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.done.append("peer")


def test_peers_are_served_between_the_calls_of_a_customer() -> None:
    async def story(clock: Clock) -> None:
        host = Host(asyncio.get_running_loop(), clock, Trace(clock.now), HostSettings())  # type: ignore[arg-type]
        busy = host.add("busy", Busy, ElementConfig())
        busy.done = []
        transport = httpx.ASGITransport(management_app(busy, Tokens([("buyer", Caller(Role.CUSTOMER, "portal"))])))

        async def ask() -> int:
            headers = {"Authorization": "Bearer buyer"}
            async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as http:
                return (await http.get("/things")).status_code

        assert set(await asyncio.gather(*(ask() for _ in range(10)))) == {200}
        assert busy.done[:19] == [*["portal", "peer"] * 9, "portal"]

    loop = TestbedLoop(virtual=True)
    try:
        loop.run_until_complete(asyncio.wait_for(story(Clock(loop)), 60))
    finally:
        loop.close()
