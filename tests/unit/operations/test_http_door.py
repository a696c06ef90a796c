"""Attempts on an HTTP interface: wrong tokens, enumeration, bodies that cost more than they say, and floods."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import Field
from starlette.responses import PlainTextResponse

import simwarden.operations.http
import simwarden.operations.http_door
from simwarden.errors import ManagementError
from simwarden.operations.element import Element
from simwarden.operations.http import HttpServer, app_of, management_app
from simwarden.operations.http_door import REFUSALS, WRONG_TOKENS, Door
from simwarden.operations.management import Call, Caller, Role, route
from simwarden.operations.tokens import Tokens
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig, Model
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Fault
from simwarden.trace.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request

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
    """A shop's interface behind its door, with a clock of the test's."""

    def __init__(self) -> None:
        loop = TestbedLoop(virtual=False)
        clock = Clock(loop)
        host = Host(loop, clock, Trace(clock.now), HostSettings())
        self.now = 0.0
        callers = [("staff", Caller(Role.OPERATOR, "noc")), ("buyer", Caller(Role.CUSTOMER, "portal"))]
        self.tokens = Tokens(callers)
        self.app = Door(management_app(host.add("shop", Shop, ElementConfig()), self.tokens), lambda: self.now)
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
    for number in range(REFUSALS + 5):
        for tokens in (("buyer", f"made-up-{number}"), (f"made-up-{number}", "buyer")):
            assert desk.ask(f"/things/{number}", *tokens).status_code == 400
    assert desk.ask("/things/own", "buyer").status_code == 200


def test_who_tries_tokens_waits_and_nobody_else(desk: Desk) -> None:
    assert desk.ask("/things/own", "buyer").status_code == 200
    assert {desk.ask("/things/own", f"guess{each}").status_code for each in range(WRONG_TOKENS)} == {401}
    refused = desk.ask("/things/own", "guess")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "61")
    assert refused.json()["code"] == "TOO_MANY_REQUESTS"
    assert desk.ask("/things/own", "staff").status_code == 429, "else a right guess would be told from a wrong one"
    assert desk.ask("/things/own", "buyer").status_code == 200, "known at this address: nobody locks it out"
    assert desk.ask("/things/own", "staff", client="192.0.2.2").status_code == 200
    desk.now = 61
    assert desk.ask("/things/own", "guess").status_code == 401
    assert desk.ask("/things/own", "staff").status_code == 200


def test_a_customer_that_looks_for_what_is_not_its_own_waits_and_an_operator_does_not(desk: Desk) -> None:
    for each in range(REFUSALS):
        assert desk.ask(f"/things/{each}", "buyer").status_code == 404
        assert desk.ask(f"/things/{each}", "staff").status_code == 404
    assert desk.ask("/things/more", "staff").status_code == 404
    assert desk.ask("/things/own", "buyer", client="192.0.2.9").status_code == 429, "wherever it comes from"
    desk.now = 61
    assert desk.ask("/things/own", "buyer").status_code == 200


def test_a_customer_that_asks_for_what_is_the_operators_waits_too(desk: Desk) -> None:
    """Each refusal is a record of the audit."""
    for _ in range(REFUSALS):
        assert desk.ask("/orders", "buyer", content=b'{"parts": {}}').status_code == 403
    assert desk.ask("/things/own", "buyer").status_code == 429
    assert desk.ask("/things/own", "staff").status_code == 200


def test_made_up_tokens_make_nobody_forgotten_who_has_to_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simwarden.operations.http_door, "_REMEMBERED", 50)
    assert desk.ask("/things/own", "staff", client="192.0.2.2").status_code == 200
    for each in range(REFUSALS):
        assert desk.ask(f"/things/{each}", "buyer").status_code == 404
    for each in range(100):
        assert desk.ask("/things/own", f"guess{each}", client="192.0.2.9").status_code in (401, 429)
    assert desk.ask("/things/own", "buyer").status_code == 429
    for each in range(100):
        desk.ask("/things/own", f"guess{each}", client="192.0.2.2")
    assert desk.ask("/things/own", "staff", client="192.0.2.2").status_code == 200


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


# -- connections


class Site:
    """As much of an element's site as a server needs."""

    name = "shop"

    def __init__(self, clock: Clock) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.clock, self.notes = clock, list[str]()

    def spawn(self, work: Any, _what: str, **_: Any) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    def note(self, text: str) -> None:
        self.notes.append(text)


def play(story: Callable[[int, Site], Awaitable[None]]) -> None:
    async def answer(request: Request) -> PlainTextResponse:
        await asyncio.sleep(1.0 if await request.body() else 0)
        return PlainTextResponse("done")

    loop = TestbedLoop(virtual=False)

    async def whole() -> None:
        site: Any = Site(Clock(loop))
        server = HttpServer(site, app_of(answer), "", 0)
        url = await server.start()
        try:
            await asyncio.wait_for(story(int(url.rpartition(":")[2]), site), 60)
        finally:
            await server.stop()
            await asyncio.gather(*site.tasks)

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()


async def dial(port: int, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))


async def is_answered(port: int, host: str) -> bool:
    reader, writer = await dial(port, host)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    found = (await asyncio.wait_for(reader.read(4096), 10)).startswith(b"HTTP/1.1 200")
    writer.close()
    return found


def test_idle_connections_of_one_address_lock_out_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simwarden.operations.http, "MOST_CONNECTIONS", 20)

    async def story(port: int, site: Site) -> None:
        reader, good = await dial(port, "127.0.0.3")
        idle = [await dial(port, "127.0.0.2") for _ in range(60)]
        assert await is_answered(port, "127.0.0.1")
        assert await is_answered(port, "127.0.0.2"), "nor of that address itself"
        good.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(4096), 10)).startswith(b"HTTP/1.1 200"), "it was there before them"
        assert any("20 connections" in note and "127.0.0.2" in note for note in site.notes)
        for _, each in idle:
            each.close()
        good.close()

    play(story)


def test_a_call_under_way_is_not_thrown_out_by_idle_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simwarden.operations.http, "MOST_CONNECTIONS", 5)

    async def story(port: int, _site: Site) -> None:
        reader, writer = await dial(port, "127.0.0.2")
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        await asyncio.sleep(0.2)
        idle = [await dial(port, "127.0.0.2") for _ in range(30)]
        assert (await asyncio.wait_for(reader.read(4096), 10)).startswith(b"HTTP/1.1 200")
        for _, each in [*idle, (reader, writer)]:
            each.close()

    play(story)
