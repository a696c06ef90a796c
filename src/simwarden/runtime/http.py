"""The management interface of a served element: JSON over HTTP, a bearer token for each role.

The routes are the element's own (see management); this module only carries calls to them. Answers are JSON; errors are
`{"error": text}` with the status: 400 bad JSON, 401 no or unknown token, 403 not for this role, 404, 405, 413, 422 a
body that does not fit, or what the route says.
"""

from __future__ import annotations

import contextlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simwarden.errors import ConfigError
from simwarden.runtime.management import ManagementError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from simwarden.runtime.element import Element, Site
    from simwarden.runtime.management import Role

_METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH"]
#: octets of the largest body taken
_LARGEST = 1 << 20


def management_app(element: Element[Any], tokens: Mapping[Role, str]) -> Starlette:
    """Return the ASGI application of an element's management interface. A role without a token cannot call."""

    async def serve(request: Request) -> Response:
        role = _role_of(request.headers.get("authorization", ""), tokens)
        if role is None:
            return _error(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        try:
            body = await _body(request)
            caller = request.headers.get("x-caller", "") or role.value
            said = await element.manage(role, request.method, request.url.path, body, caller=caller)
        except ManagementError as error:
            return _error(error.status, str(error))
        except ValidationError as error:
            return _error(422, "; ".join(_told(each) for each in error.errors(include_url=False, include_input=False)))
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the element
            element.site.guard(f"management {request.method} {request.url.path}", error)
            return _error(500, "a fault of the element's own; see its log")
        return Response(status_code=204) if said is None else JSONResponse(said)

    return Starlette(routes=[Route("/{path:path}", serve, methods=_METHODS)])


def _role_of(header: str, tokens: Mapping[Role, str]) -> Role | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    found = None
    for role, known in tokens.items():
        if known and hmac.compare_digest(known.encode(), token.strip().encode()):
            found = role
    return found


async def _body(request: Request) -> dict[str, Any]:
    octets = bytearray()
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > _LARGEST:
            raise ManagementError(413, f"a body has at most {_LARGEST} octets")
    if not octets:
        return {}
    try:
        body = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise ManagementError(400, f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise ManagementError(400, "the body must be a JSON object")
    return body


def _told(error: Any) -> str:
    return f"{'.'.join(str(step) for step in error['loc'])}: {error['msg']}"


def _error(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": text}, status, headers)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn."""
        yield


class HttpServer:
    """Serves an application of an element at an address until it is told to stop."""

    def __init__(self, site: Site, app: Starlette, host: str, port: int) -> None:
        self._site, self._host, self._port = site, host, port
        config = uvicorn.Config(
            app, host, port, lifespan="off", log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
        self._server = _Server(config)

    async def start(self) -> str:
        """Listen; return the URL. Raises ConfigError for an address that cannot be had."""
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        try:
            await self._server.startup()
        except (OSError, SystemExit) as error:
            raise ConfigError(f"{self._site.name} cannot serve HTTP on {self._host}:{self._port}") from error
        self._site.spawn(self._server.main_loop(), "HTTP server")
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{self._host}:{port}"

    async def stop(self) -> None:
        """Let calls under way end, and stop listening."""
        self._server.should_exit = True
        await self._server.shutdown()


class ManagementServer(HttpServer):
    """Serves an element's management interface."""

    def __init__(self, element: Element[Any], tokens: Mapping[Role, str], host: str, port: int) -> None:
        super().__init__(element.site, management_app(element, tokens), host, port)
