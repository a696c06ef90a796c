"""Who may look at a live page and act on it: by Host and Origin, and where it is bound elsewhere by a token.

A page of somebody else's that is open in the same browser can send requests to loopback, and can have a name of its own
resolve to it. It cannot say another Origin than its own (RFC 6454 7), nor a Host that is an address (RFC 9112 3.2).
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from simwarden.errors import ManagementError
from simwarden.operations.jsonbody import read_octets

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COOKIE: Final = "simwarden-live"
#: octets of the form by which the token comes
_LONGEST_FORM: Final = 1024
_FORM: Final = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>simwarden live</title>
<form method="post" action="/enter"><p><label>The token that <code>simwarden live</code> printed
<input type="password" name="token" autofocus autocomplete="off"></label> <button>Open</button></form></html>"""
#: a form that is posted with the policy `no-referrer` would say the Origin `null` (Fetch 3.2)
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether a name or address is that of this machine alone."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


class Doors:
    """Lets requests through to an application, or answers them itself.

    `host` is what the page is bound to. Elsewhere than on loopback a token is asked for; it comes by a form and is kept
    in a cookie, never in an address, which histories, logs and referrers show.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app, self._host = app, host
        self.token = "" if is_loopback(host) else secrets.token_urlsafe(18)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).update(_HEADERS)
            await send(message)

        request = Request(scope, receive)
        try:
            answer = self._refusal(request) or await self._entry(request)
        except ManagementError as error:
            answer = PlainTextResponse(str(error), error.status)
        await (answer or self._app)(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that is not meant for this page, None for one that is."""
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse("the Host is not that of this page", HTTPStatus.MISDIRECTED_REQUEST)
        origin = request.headers.get("origin")
        if (request.method == "POST" or origin is not None) and origin not in (f"http://{host}", f"https://{host}"):
            return PlainTextResponse("the Origin is not this page", HTTPStatus.FORBIDDEN)
        # a picture or a link of another page has no Origin (Fetch 3.2), but browsers tell where it is from
        site = request.headers.get("sec-fetch-site", "none")
        if request.url.path != "/" and site not in ("same-origin", "none"):
            return PlainTextResponse("another page asks for it", HTTPStatus.FORBIDDEN)
        return None

    def _is_ours(self, header: str) -> bool:
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        if not self.token:
            return is_loopback(name)
        return name == self._host or _address(name) is not None

    async def _entry(self, request: Request) -> Response | None:
        """Return the answer to one who has no token, or brings it; None for one who has."""
        if not self.token or hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), self.token.encode()):
            return None
        if request.method == "POST" and request.url.path == "/enter":
            form = await read_octets(request, _LONGEST_FORM)
            given = parse_qs(form.decode("utf-8", "replace")).get("token", [""])[0]
            if hmac.compare_digest(given.encode(), self.token.encode()):
                answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
                answer.set_cookie(_COOKIE, self.token, httponly=True, samesite="strict")
                return answer
        return HTMLResponse(_FORM, HTTPStatus.UNAUTHORIZED)
