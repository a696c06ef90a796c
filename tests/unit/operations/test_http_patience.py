"""Peers of an HTTP interface that send nothing, or take nothing: they keep no sockets from anybody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import PlainTextResponse

import simwarden.operations.http
from simwarden.operations.http import HttpServer, app_of, json_app

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from simwarden.operations.routing import Answer

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


class Site:
    """As much of an element's site as a server needs."""

    name = "shop"

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.clock = self
        self.notes: list[str] = []

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def note(self, text: str) -> None:
        self.notes.append(text)

    def spawn(self, work: Any, _what: str, **_: Any) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))


def _play(story: Callable[[int], Awaitable[None]]) -> None:
    async def answer(request: Request) -> PlainTextResponse:
        body = await request.body()
        await asyncio.sleep(2.0 if body == b"slow" else 0)
        return PlainTextResponse("x" * (1 << 25) if body == b"much" else "done")

    async def whole() -> None:
        site: Any = Site()
        server = HttpServer(site, app_of(answer), "127.0.0.1", 0)
        url = await server.start()
        try:
            await asyncio.wait_for(story(int(url.rpartition(":")[2])), 90)
        finally:
            await server.stop()
            await asyncio.gather(*site.tasks)

    asyncio.run(whole())


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simwarden.operations.http, "PATIENCE", 0.5)
    monkeypatch.setattr(simwarden.operations.http, "MOST_CONNECTIONS", 3)


async def _gone(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 60) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET / HT", HEAD, HEAD + b"sl"])
def test_who_does_not_go_on_is_left(said: bytes) -> None:
    async def story(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await _gone(reader)
        writer.close()

    _play(story)


def test_who_waits_for_an_answer_that_takes_long_gets_it() -> None:
    async def story(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"slow")
        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        writer.close()

    _play(story)


def test_who_does_not_take_its_answer_is_left() -> None:
    async def story(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
        writer.write(HEAD + b"much")
        await reader.readexactly(1)  # from now on the server's patience runs
        await asyncio.sleep(2)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1 << 25)
        writer.close()

    _play(story)


def test_a_connection_too_many_is_answered_503_and_the_others_serve_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simwarden.operations.http, "PATIENCE", 60.0)  # the others have said nothing yet

    async def story(port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"fast")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 503")
        writer.close()
        await asyncio.sleep(0.1)
        held[0][1].write(HEAD + b"fast")
        assert await held[0][0].readuntil(b"done")
        for _, each in held:
            each.close()

    _play(story)


def test_a_call_that_is_not_over_when_the_element_ends_is_told_so() -> None:
    """It was answered 500, with a traceback in the log."""

    async def never(_request: Request, _token: str) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    def fault(_call: str, error: Exception) -> Answer:
        raise error

    async def whole() -> bytes:
        site: Any = Site()
        server = HttpServer(site, json_app(never, fault), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", int((await server.start()).rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.1)
        await server.stop()
        await asyncio.gather(*site.tasks)
        said = await reader.read()
        writer.close()
        return said

    said = asyncio.run(whole())
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b'"the element ends' in said
