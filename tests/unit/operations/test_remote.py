"""Management calls between elements: in one process, and over HTTP to one that is served."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from waiting import LONG

from simwarden.errors import ConfigError, ManagementError
from simwarden.operations.element import Element
from simwarden.operations.http import ManagementServer
from simwarden.operations.management import Call, Caller, Role, route
from simwarden.operations.remote import Endpoint, call
from simwarden.operations.tokens import Tokens
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.trace import Trace


class Desk(Element[ElementConfig]):
    """Says who asked."""

    declaration = Declaration(kind="desk", title="Desk", lane=1, config=ElementConfig)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    @route("POST", "/said/{word}")
    async def said(self, call: Call) -> dict[str, Any]:
        """Repeat what is said."""
        return {"word": call.path["word"], "body": dict(call.body), "caller": call.caller}

    @route("DELETE", "/said/{word}")
    async def nothing(self, _call: Call) -> None:
        """Say nothing."""


def _host(loop: TestbedLoop, **settings: Any) -> Host:
    clock = Clock(loop)
    return Host(loop, clock, Trace(clock.now), HostSettings(**settings))


async def _status(site: Any, target: str, method: str, path: str) -> int:
    with pytest.raises(ManagementError) as refusal:
        await site.manage(target, method, path)
    return refusal.value.status


def test_in_one_process() -> None:
    loop = TestbedLoop(virtual=True)
    host = _host(loop)
    desk, other = (host.add(name, Desk, ElementConfig()) for name in ("desk", "other"))

    async def story() -> None:
        await host.start("desk")
        said = await other.site.manage("desk", "POST", "/said/yes", {"a": 1})
        assert said == {"word": "yes", "body": {"a": 1}, "caller": "other"}
        assert await _status(desk.site, "other", "POST", "/said/yes") == 503
        assert await _status(desk.site, "nobody", "POST", "/said/yes") == 503
        assert await _status(desk.site, "desk", "GET", "/gone") == 404
        await host.close()

    loop.run_until_complete(story())
    loop.close()


def test_over_http() -> None:
    loop = TestbedLoop(virtual=False)
    host = _host(loop)
    desk = host.add("desk", Desk, ElementConfig())

    async def story() -> None:
        await host.start("desk")
        server = ManagementServer(desk, Tokens([("secret", Caller(Role.OPERATOR, "cmp"))]), "127.0.0.1", 0)
        url = await server.start()
        places = {
            "desk": Endpoint(url, "secret"),
            "wrong": Endpoint(url, "guess"),
            "gone": Endpoint("http://127.0.0.1:1"),
        }
        caller = _host(loop, management=places).add("cmp", Desk, ElementConfig()).site
        said = await caller.manage("desk", "POST", "/said/yes", {"a": 1})
        assert said == {"word": "yes", "body": {"a": 1}, "caller": "cmp"}
        assert await caller.manage("desk", "DELETE", "/said/yes") is None
        assert await _status(caller, "desk", "GET", "/gone") == 404
        assert await _status(caller, "wrong", "POST", "/said/yes") == 401
        assert await _status(caller, "gone", "POST", "/said/yes") == 503
        await server.stop()
        await host.close()

    loop.run_until_complete(story())
    loop.close()


def test_an_endpoint_shows_no_token_and_has_a_url() -> None:
    assert "secret" not in repr(Endpoint("http://127.0.0.1:1", "secret"))
    with pytest.raises(ConfigError):
        call(Endpoint("ftp://127.0.0.1"), "GET", "/", None)


def test_what_is_no_json_is_a_bad_gateway() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{"a')
        await writer.drain()
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ManagementError) as refusal:
            await asyncio.to_thread(call, Endpoint(f"http://127.0.0.1:{port}"), "GET", "/", None)
        assert refusal.value.status == 502
        server.close()
        await server.wait_closed()

    asyncio.run(story())


def test_an_element_that_says_nothing_holds_up_no_work_of_the_loops_own_threads() -> None:
    """Large bodies are read there: a hundred calls to an HSS that hangs kept them waiting."""

    async def story() -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        away = Endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=LONG)
        calls = [asyncio.ensure_future(away("cmp", "GET", "/", None)) for _ in range(100)]
        taken = [(await asyncio.to_thread(silent.accept))[0] for _ in range(8)]
        assert await asyncio.to_thread(lambda: "read") == "read"
        assert not any(each.done() for each in calls)
        silent.close()
        for each in taken:
            each.close()
        said = await asyncio.gather(*calls, return_exceptions=True)
        assert {each.status for each in said if isinstance(each, ManagementError)} == {503}

    asyncio.run(story())
