"""The API's calls: who calls, with which scope, which operation; in one process a function, under `serve` by HTTP."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.north.camara import by_of
from simulators.cmp.north.config import PREVENTION, SUBSCRIPTIONS
from simulators.cmp.north.errors import ApiError, denied, invalid, not_found, unauthenticated, unavailable
from simulators.cmp.north.model import GENERIC
from simwarden.errors import ManagementError
from simwarden.operations.jsonbody import check_kind, parse, read_octets
from simwarden.operations.tokens import Tokens, bearer
from simwarden.runtime.store import StoreError, UnstorableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

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
        self._tokens = Tokens((client.token, name) for name, client in config.clients.items())
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

    def knows(self, token: str) -> bool:
        """Whether a token is a client's."""
        return self._tokens.whose(token) is not None

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
        name = self._tokens.whose(token)
        if name is None:
            raise unauthenticated()
        client = self._config.clients[name]
        facts = {"scope": scope, "scopes": client.scopes, "client": name}
        try:
            action, on = scope.rpartition(":")[2], controls.Occasion.API
            self._platform.require(controls.SCOPE, None, by_of(name, client), action, facts, on=on)
        except ManagementError as refusal:
            raise denied() from refusal
        return name, client


def north_app(side: NorthSide, guard: Callable[[str, Exception], None]) -> ASGIApp:
    """Return the ASGI application of the API; `guard` is told of exceptions that are bugs of ours."""
    from starlette.requests import ClientDisconnect  # noqa: PLC0415 - only who serves pays for it
    from starlette.responses import JSONResponse, Response  # noqa: PLC0415 - as above

    from simwarden.operations.http import app_of  # noqa: PLC0415 - as above

    async def serve(request: Request) -> Response:
        given = request.headers.get("x-correlator")
        token = bearer(request.headers.get("authorization", ""))
        try:
            body = await _body(request) if side.knows(token) else None  # nobody's body is not worth reading
            answer = await side.call(request.method, request.scope["path"], body, token=token, correlator=given)
        except ManagementError as error:  # 413, 415
            fits = given and _CORRELATOR.fullmatch(given)
            answer = Answer(error.status, error.body(), {"x-correlator": given} if given and fits else {})
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the element
            guard(f"north side {request.method} {request.scope['path']}", error)
            answer = Answer(500, ApiError(500, "INTERNAL", "Unknown server error.").body())
        headers = dict(answer.headers)
        if answer.body is None:
            return Response(None, 204, headers)
        return JSONResponse(answer.body, answer.status, headers)

    return app_of(serve)


async def _body(request: Request) -> Any:
    """Read a JSON body. What is none is read as nothing, and told of after token and scope are checked.

    Raises ManagementError (413, 415).
    """
    octets = await read_octets(request, _LARGEST)
    if not octets:
        return None
    check_kind(request)
    try:
        return parse(octets)
    except ManagementError:
        return None
