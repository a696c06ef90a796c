"""The management interface of a served element: JSON over HTTP, a bearer token for each caller.

The routes are the element's own (see management); this module only carries calls to them. Answers are JSON; errors are
`{"status", "code", "message"}`: 400 what is no JSON or does not fit, 401 no or unknown token, 403 not for this role,
404, 405 with Allow, 413, 415, or what the route says.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from simwarden.errors import ConfigError, ManagementError
from simwarden.operations.jsonbody import check_kind, parse, read_octets
from simwarden.operations.management import Role, manage
from simwarden.operations.refusal_limit import RefusalLimit
from simwarden.operations.routing import Answer, answer_of
from simwarden.operations.tokens import bearer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from simwarden.operations.element import Element
    from simwarden.operations.management import Caller
    from simwarden.operations.tokens import Tokens
    from simwarden.runtime.site import Site

#: octets of the largest body taken, by who sends it: an operator loads 100,000 cards, a customer asks for one
_LARGEST = {Role.OPERATOR: 1 << 24, Role.CUSTOMER: 1 << 16}
#: octets of a body from which on it is read in a thread, so that other interfaces are served meanwhile
_LARGE = 1 << 16
#: connections and calls of one interface at the same time; further ones are answered 503
MOST_CONNECTIONS = 256
_BACKLOG = 64
#: seconds in which a request must have come: twice that for one that begins late
PATIENCE = 15.0


def app_of(serve: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """Return the ASGI application that answers all methods and paths by one function."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        with contextlib.suppress(ClientDisconnect):  # nobody is there to be answered
            response = await serve(request)
            await response(scope, receive, send)

    return app


def json_app(serve: Callable[[Request, str], Awaitable[Answer]], fault: Callable[[str, Exception], Answer]) -> ASGIApp:
    """Return the ASGI application that answers in JSON, by a function of the request and its bearer token.

    A ManagementError of that function is an answer; of another error, which is a bug of ours, `fault` makes one.
    """

    async def answer(request: Request) -> Response:
        try:
            said = await serve(request, _token_of(request))
        except ManagementError as error:
            said = answer_of(error)
        except ClientDisconnect:
            raise
        except asyncio.CancelledError:  # by the server, of a call that is not over in time when the element ends
            said = answer_of(ManagementError(503, "the element ends: ask what became of it when it is back"))
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the element
            said = fault(f"{request.method} {request.scope['path']}", error)
        if said.body is None:
            return Response(None, 204, said.headers)
        return JSONResponse(said.body, said.status, said.headers)

    return app_of(answer)


def _token_of(request: Request) -> str:
    """Return the bearer token of a request. Raises ManagementError for two: nobody could tell which one counts."""
    given = request.headers.getlist("authorization")
    if len(given) > 1:  # RFC 9110 5.3, 11.6.2
        raise ManagementError(400, "there is more than one Authorization")
    return bearer(given[0] if given else "")


def management_app(element: Element[Any], tokens: Tokens[Caller]) -> ASGIApp:
    """Return the ASGI application of an element's management interface."""
    limit, turn = RefusalLimit(element.site.clock.now), asyncio.Lock()

    async def serve(request: Request, token: str) -> Answer:
        caller = tokens.whose(token)
        if caller is None:
            raise ManagementError(401, "the bearer token is nobody's" if token else "a bearer token is needed")
        if caller.role is Role.CUSTOMER:
            limit.check(caller.name)
        octets = await read_octets(request, _LARGEST[caller.role])
        if octets:
            check_kind(request)
        async with turn:  # one call at a time: many calls do not delay what peers have sent
            await element.site.clock.give_way()
        large = len(octets) > _LARGE
        body = await asyncio.get_running_loop().run_in_executor(None, _object, octets) if large else _object(octets)
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
        try:
            said = await manage(element, caller, request.method, path, body, query=query, strict=True, large=large)
        except ManagementError as error:
            if caller.role is Role.CUSTOMER:
                limit.count(caller.name, error.status)
            raise
        return Answer(200, said)

    def fault(call: str, error: Exception) -> Answer:
        element.site.guard(f"management {call}", error)
        return answer_of(ManagementError(500, "a fault of the element's own; see its log"))

    return json_app(serve, fault)


def _object(octets: bytes) -> dict[str, Any]:
    body = parse(octets) if octets else {}
    if not isinstance(body, dict):
        raise ManagementError(400, "the body must be a JSON object")
    return body


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """A connection that ends if its peer lets the server wait, so that silence takes no sockets from other interfaces.

    Every `PATIENCE` seconds a whole request must have come, or be in the works, and the peer must take its answer.
    """

    _watch: asyncio.TimerHandle | None = None
    _seen: Any = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """See asyncio."""
        super().connection_made(transport)
        self._watch = self.loop.call_later(PATIENCE, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        cycle = self.cycle
        works = cycle is not None and not (cycle.response_complete or cycle.more_body or self.flow.write_paused)
        if works or cycle is not self._seen:
            self._seen = cycle
            self._watch = self.loop.call_later(PATIENCE, self._look)
        else:
            self.transport.abort()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn."""
        yield


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket at an address. Raises OSError.

    It says that it is of TCP, as those of `socket.create_server` do not: asyncio sends without delay (RFC 896) on no
    other, and each answer would wait 40 ms for the acknowledgement of its header.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class HttpServer:
    """Serves an application of an element at an address until it is told to stop."""

    def __init__(self, site: Site, app: ASGIApp, host: str, port: int) -> None:
        self._site, self._host, self._port = site, host, port
        config = uvicorn.Config(
            app,
            host,
            port,
            http=_Protocol,
            limit_concurrency=MOST_CONNECTIONS,
            backlog=_BACKLOG,  # so many are taken at once, before the first of them is looked at
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)
        self._listens = False

    async def start(self) -> str:
        """Listen; return the URL. Raises ConfigError for an address that cannot be had."""
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        try:
            await self._server.startup([_bound(self._host, self._port)])
        except OSError as error:
            told = f"{self._site.name} cannot serve HTTP on {self._host}:{self._port}: {error.strerror}"
            raise ConfigError(told) from error
        self._listens = True
        self._site.spawn(self._server.main_loop(), "HTTP server", standing=True)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{self._host}:{port}"

    async def stop(self) -> None:
        """Let calls under way end, and stop listening."""
        self._server.should_exit = True
        if self._listens:
            await self._server.shutdown()


class ManagementServer(HttpServer):
    """Serves an element's management interface."""

    def __init__(self, element: Element[Any], tokens: Tokens[Caller], host: str, port: int) -> None:
        super().__init__(element.site, management_app(element, tokens), host, port)
