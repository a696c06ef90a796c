"""The API's calls: who calls, with which scope, which operation; in one process a function, under `serve` by HTTP."""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.north.camara import by_of
from simulators.cmp.north.config import PREVENTION, SUBSCRIPTIONS
from simulators.cmp.north.errors import (
    ApiError,
    denied,
    invalid,
    not_allowed,
    not_found,
    unauthenticated,
    unavailable,
    unknown,
)
from simulators.cmp.north.model import GENERIC
from simwarden.errors import ManagementError
from simwarden.operations.jsonbody import check_kind, parse, read_octets
from simwarden.operations.management import Role
from simwarden.operations.refusal_limit import RefusalLimit
from simwarden.operations.routing import Answer, Resource, answer_of, find
from simwarden.operations.tokens import Tokens
from simwarden.runtime.store import StoreError, UnstorableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from simulators.cmp.north.camara import Prevention
    from simulators.cmp.north.config import Client, NorthConfig
    from simulators.cmp.north.subscriptions import Subscriptions
    from simulators.cmp.platform import Platform

#: octets of the largest body taken
_LARGEST = 1 << 16
_CORRELATOR = re.compile(r"[a-zA-Z0-9\-_:;./<>{}]{0,256}", re.ASCII)


@dataclass(frozen=True)
class _Operation(Resource):
    """An operation of the API: the scope that it needs, its status when all is well, and what carries it out."""

    scope: str
    status: int
    work: Callable[..., Awaitable[Any]]


class NorthSide:
    """The API over one platform."""

    def __init__(
        self, platform: Platform, config: NorthConfig, prevention: Prevention, subscriptions: Subscriptions
    ) -> None:
        self._platform, self._config = platform, config
        self._tokens = Tokens((client.token, name) for name, client in config.clients.items())
        self._limit, self._turn = RefusalLimit(platform.site.clock.now), asyncio.Lock()
        base, all_of = f"/{PREVENTION}/vwip", f"/{SUBSCRIPTIONS}/vwip/subscriptions"
        self._operations = (
            _Operation("POST", f"{base}/bind", f"{PREVENTION}:bind", 200, prevention.bind),
            _Operation("POST", f"{base}/unbind", f"{PREVENTION}:unbind", 200, prevention.unbind),
            _Operation("POST", f"{base}/query", f"{PREVENTION}:query", 200, prevention.query),
            _Operation("POST", all_of, f"{SUBSCRIPTIONS}:subscribe", 201, subscriptions.create),
            _Operation("GET", all_of, f"{SUBSCRIPTIONS}:read", 200, subscriptions.list),
            _Operation("GET", f"{all_of}/{{subscription}}", f"{SUBSCRIPTIONS}:read", 200, subscriptions.get),
            _Operation("DELETE", f"{all_of}/{{subscription}}", f"{SUBSCRIPTIONS}:delete", 204, subscriptions.delete),
        )

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str = "", correlator: str | None = None
    ) -> Answer:
        """Carry out a call; `body` is JSON that was read. Never raises for what a caller does."""
        headers = _echo(correlator)
        if not headers:
            headers = {"x-correlator": str(uuid.UUID(bytes=self._platform.site.rng.randbytes(16), version=4))}
        try:
            operation, places = self._find(method, path)
            name, client = self._client(token, operation.scope)
            if correlator and not _echo(correlator):
                raise invalid(GENERIC)
            return Answer(operation.status, await operation.work(name, client, body, **places), headers)
        except ApiError as error:
            answer = answer_of(error)
            self._count(token, error.status)
        except StoreError as error:
            self._platform.site.note(f"{method} {path} is refused for a time: {error}")
            answer = answer_of(invalid(GENERIC) if isinstance(error, UnstorableError) else unavailable())
        return replace(answer, headers={**headers, **answer.headers})

    async def knows(self, token: str) -> bool:
        """Return True if a token is a client's. Raises ManagementError (429) for one that has to wait."""
        name = self._tokens.whose(token)
        if name is not None:
            self._limit.check(name)
            async with self._turn:  # one call at a time: many calls do not delay what peers have sent
                await self._platform.site.clock.give_way()
        return name is not None

    def _count(self, token: str, status: int) -> None:
        name = self._tokens.whose(token)
        if name is not None and self._config.clients[name].role is not Role.OPERATOR:
            self._limit.count(name, status)

    def _find(self, method: str, path: str) -> tuple[_Operation, dict[str, str]]:
        """Return the operation of a method and a path. Raises ApiError (404, 405)."""
        try:
            return find(self._operations, method, path)
        except ManagementError as error:
            raise (not_allowed(error.allow) if error.status == 405 else not_found()) from None

    def _client(self, token: str, scope: str) -> tuple[str, Client]:
        """Return whose token it is. Raises ApiError: 401 for nobody's, 403 for one without the scope."""
        name = self._tokens.whose(token)
        if name is None:
            raise unauthenticated()
        client = self._config.clients[name]
        facts = {"scope": scope, "scopes": client.scopes, "client": name}
        try:
            action, on = scope.rpartition(":")[2], controls.Occasion.API
            self._platform.audit.require(controls.SCOPE, "", by_of(name, client), action, facts, on=on)
        except ManagementError as refusal:
            raise denied() from refusal
        return name, client


def north_app(side: NorthSide, guard: Callable[[str, Exception], None]) -> ASGIApp:
    """Return the ASGI application of the API; `guard` is told of exceptions that are bugs of ours."""
    from simwarden.operations.http import json_app  # noqa: PLC0415 - only who serves pays for it

    async def serve(request: Request, token: str) -> Answer:
        given = request.headers.get("x-correlator")
        try:
            body = await _body(request) if await side.knows(token) else None  # nobody's body is not worth reading
        except ManagementError as error:  # 413, 415, 429
            answer = answer_of(error)
            return replace(answer, headers={**_echo(given), **answer.headers})
        return await side.call(request.method, request.scope["path"], body, token=token, correlator=given)

    def fault(call: str, error: Exception) -> Answer:
        guard(f"north side {call}", error)
        return answer_of(unknown())

    return json_app(serve, fault)


def _echo(correlator: str | None) -> dict[str, str]:
    """Return the header that repeats a caller's correlator, nothing where it is none."""
    return {"x-correlator": correlator} if correlator and _CORRELATOR.fullmatch(correlator) else {}


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
