"""The API's calls: who calls, with which scope, which operation; in one process a function, under `serve` by HTTP."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.cmp.north.config import PREVENTION, SUBSCRIPTIONS
from simulators.cmp.north.errors import ApiError, denied, invalid, not_found, unauthenticated, unavailable
from simulators.cmp.north.model import GENERIC
from simwarden.runtime.store import StoreError, UnstorableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.applications import Starlette
    from starlette.requests import Request

    from simulators.cmp.north.camara import Prevention
    from simulators.cmp.north.config import Client, NorthConfig
    from simulators.cmp.north.subscriptions import Subscriptions
    from simulators.cmp.platform import Platform

    Operation = Callable[[str, Client, Any], Awaitable[Any]]

#: octets of the largest body taken
_LARGEST = 1 << 16
_CORRELATOR = re.compile(r"[a-zA-Z0-9\-_:;./<>{}]{0,256}", re.ASCII)
_ONE = re.compile(f"/{SUBSCRIPTIONS}/vwip/subscriptions/([^/]+)")
_ALL = f"/{SUBSCRIPTIONS}/vwip/subscriptions"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body (None for none) and headers of an answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class NorthSide:
    """The API over one platform."""

    def __init__(
        self, platform: Platform, config: NorthConfig, prevention: Prevention, subscriptions: Subscriptions
    ) -> None:
        self._platform, self._config, self._subscriptions = platform, config, subscriptions
        self._fixed: dict[str, dict[str, tuple[str, int, Operation]]] = {
            f"/{PREVENTION}/vwip/{name}": {"POST": (f"{PREVENTION}:{name}", 200, operation)}
            for name, operation in (
                ("bind", prevention.bind),
                ("unbind", prevention.unbind),
                ("query", prevention.query),
            )
        }
        self._fixed[_ALL] = {
            "POST": (f"{SUBSCRIPTIONS}:subscribe", 201, subscriptions.create),
            "GET": (f"{SUBSCRIPTIONS}:read", 200, subscriptions.list),
        }

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str = "", correlator: str | None = None
    ) -> Answer:
        """Carry out a call; `body` is JSON that was read. Never raises for what a caller does."""
        headers = {"x-correlator": correlator} if correlator and _CORRELATOR.fullmatch(correlator) else {}
        if not headers:
            headers = {"x-correlator": str(uuid.UUID(bytes=self._platform.site.rng.randbytes(16), version=4))}
        try:
            operations = self._operations(path)
            if method not in operations:
                allowed = ", ".join(sorted(operations))
                error = ApiError(405, "METHOD_NOT_ALLOWED", f"The resource has {allowed} only.")
                return Answer(405, error.body(), {**headers, "Allow": allowed})
            scope, status, operation = operations[method]
            name, client = self._client(token, scope)
            if correlator and not _CORRELATOR.fullmatch(correlator):
                raise invalid(GENERIC)
            return Answer(status, await operation(name, client, body), headers)
        except ApiError as error:
            more = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
            return Answer(error.status, error.body(), {**headers, **more})
        except StoreError as error:
            self._platform.site.note(f"{method} {path} is refused for a time: {error}")
            refusal = invalid(GENERIC) if isinstance(error, UnstorableError) else unavailable()
            return Answer(refusal.status, refusal.body(), headers)

    def _operations(self, path: str) -> dict[str, tuple[str, int, Operation]]:
        """Return scope, status of success and function of each method of a path. Raises ApiError (404)."""
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        match = _ONE.fullmatch(path)
        if match is None:
            raise not_found()
        subscription, subscriptions = match[1], self._subscriptions

        async def get(name: str, _client: Client, _body: Any) -> Any:
            return subscriptions.get(name, subscription).told()

        async def delete(name: str, _client: Client, _body: Any) -> None:
            await subscriptions.delete(name, subscription)

        return {"GET": (f"{SUBSCRIPTIONS}:read", 200, get), "DELETE": (f"{SUBSCRIPTIONS}:delete", 204, delete)}

    def _client(self, token: str, scope: str) -> tuple[str, Client]:
        """Return whose token it is. Raises ApiError: 401 for nobody's, 403 for one without the scope."""
        found = [(name, client) for name, client in self._config.clients.items() if client.knows(token)]
        if not token or not found:
            raise unauthenticated()
        if scope not in found[0][1].scopes:
            raise denied()
        return found[0]


def north_app(side: NorthSide, guard: Callable[[str, Exception], None]) -> Starlette:
    """Return the ASGI application of the API; `guard` is told of exceptions that are bugs of ours."""
    from starlette.applications import Starlette  # noqa: PLC0415 - only who serves pays for it
    from starlette.responses import JSONResponse, Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def serve(request: Request) -> Response:
        given = request.headers.get("x-correlator")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            body = _read(request, await _octets(request))
            answer = await side.call(
                request.method,
                request.url.path,
                body,
                token=token.strip() if kind.lower() == "bearer" else "",
                correlator=given,
            )
        except ApiError as error:
            answer = Answer(error.status, error.body(), {"x-correlator": given} if given and _fits(given) else {})
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the element
            guard(f"north side {request.method} {request.url.path}", error)
            answer = Answer(500, ApiError(500, "INTERNAL", "Unknown server error.").body())
        headers = dict(answer.headers)
        return (
            Response(None, 204, headers) if answer.body is None else JSONResponse(answer.body, answer.status, headers)
        )

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "QUERY"]
    return Starlette(routes=[Route("/{path:path}", serve, methods=methods)])


def _fits(correlator: str) -> bool:
    return _CORRELATOR.fullmatch(correlator) is not None


async def _octets(request: Request) -> bytes:
    octets = bytearray()
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > _LARGEST:
            raise ApiError(413, "PAYLOAD_TOO_LARGE", f"A body has at most {_LARGEST} octets.")
    return bytes(octets)


def _read(request: Request, octets: bytes) -> Any:
    """Read a JSON body. What is none is read as nothing, and told of after token and scope are checked."""
    if not octets:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json.")
    try:
        body = json.loads(octets)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return None if "\\u0000" in json.dumps(body) else body  # PostgreSQL keeps no NUL
