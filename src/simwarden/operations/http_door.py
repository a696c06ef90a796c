"""The door of an HTTP interface: who tries tokens, or looks for what it may not see, waits (RFC 6585 4).

A wrong token counts against its address, an answer 403 or 404 against the token of a caller whose cards are not all:
each such refusal is kept in the audit, which nobody is to fill; an operator may look for what it likes. A token that
was right at an address lately goes on there, so that nobody is locked out by a neighbour behind the same proxy.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from simwarden.errors import ManagementError
from simwarden.operations.tokens import bearer

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: seconds over which tries are counted, and how many wrong tokens of an address, and refusals of a caller, are answered
WINDOW = 60.0
WRONG_TOKENS, REFUSALS = 20, 120
_REFUSED = (403, 404)
#: addresses and callers that are remembered; the one that was not heard of for longest is forgotten
_REMEMBERED = 4096
#: key of a request's scope by which an application says that its refusals do not count
TRUSTED = "simwarden.trusted"


class _Count:
    __slots__ = ("known", "number", "until")

    def __init__(self) -> None:
        self.number, self.until = 0, 0.0
        self.known: set[str] = set()


class Door:
    """An application behind its door; `now` tells the time in seconds."""

    def __init__(self, app: ASGIApp, now: Callable[[], float]) -> None:
        self._app, self._now = app, now
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("",))[0]
        tokens = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        if len(tokens) > 1:  # RFC 9110 5.3, 11.6.2: else one could be counted, and another one looked at
            error = ManagementError(400, "there is more than one Authorization")
            await JSONResponse(error.body(), error.status)(scope, receive, send)
            return
        given = bearer(tokens[0] if tokens else "")
        token = hashlib.sha256(given.encode()).hexdigest()
        rest = self._rest(f"token {token}", REFUSALS)
        here = self._counts.get(f"address {address}")
        if not rest and (here is None or token not in here.known):
            rest = self._rest(f"address {address}", WRONG_TOKENS)
        if rest:
            await _refusal(rest)(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(message["status"], address, token, trusted=TRUSTED in scope)
            await send(message)

        await self._app(scope, receive, told)

    def _of(self, key: str) -> _Count:
        found = self._counts.setdefault(key, _Count())
        self._counts.move_to_end(key)
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        return found

    def _rest(self, key: str, most: int) -> int:
        """Return how many seconds somebody has to wait; 0 for not at all. Who is asked about is not remembered by that.

        Else tokens that are made up would push out who has to wait.
        """
        found = self._counts.get(key)
        if found is None:
            return 0
        if found.until <= self._now():
            found.number, found.until = 0, 0.0
        return int(found.until - self._now()) + 1 if found.number >= most else 0

    def _count(self, status: int, address: str, token: str, *, trusted: bool) -> None:
        here = self._of(f"address {address}")
        if status == 401:
            here.known.discard(token)
        elif len(here.known) < _REMEMBERED:
            here.known.add(token)
        if status == 401 or (status in _REFUSED and not trusted):
            found = here if status == 401 else self._of(f"token {token}")
            found.number += 1
            found.until = found.until or self._now() + WINDOW


def _refusal(seconds: int) -> JSONResponse:
    error = ManagementError(429, f"too many tries: wait for {seconds} s", code="TOO_MANY_REQUESTS")
    return JSONResponse(error.body(), error.status, {"Retry-After": str(seconds)})
