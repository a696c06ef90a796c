"""How an event gets to its sink: an HTTPS POST, or in virtual time a record in the trace and nothing on any network."""

from __future__ import annotations

import http.client
import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simwarden.errors import SimwardenError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    Post = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]

_TIMEOUT = 10.0


class UndeliveredError(SimwardenError):
    """The sink could not be reached, or may not be."""


def host_of(sink: str) -> str:
    """Return the host of a sink, empty for a URL that has none, names a user or a bad port."""
    try:
        parts = urlsplit(sink)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme != "https" or parts.username is not None or parts.fragment or port == 0:
        return ""
    return (parts.hostname or "").rstrip(".")


def may_reach(host: str, allowed: Sequence[str]) -> bool:
    """Whether events may go to a host by the list of allowed ones; without a list to any but private addresses.

    A name is checked again when it is resolved, since it may stand for a private address then.
    """
    if allowed:
        return any(host == each or (each.startswith(".") and host.endswith(each)) for each in allowed)
    if not host or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True


class _Connection(http.client.HTTPSConnection):
    """A connection that looks at the address that it has before it says anything."""

    public_only = True

    def connect(self) -> None:
        """See http.client. Raises UndeliveredError for an address that is not public, where only those are allowed."""
        if self.public_only:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)}
            if not all(ipaddress.ip_address(address).is_global for address in found):
                raise UndeliveredError(f"{self.host} is not at a public address")
        super().connect()
        address = str(self.sock.getpeername()[0])
        if self.public_only and not ipaddress.ip_address(address).is_global:  # the name has moved meanwhile
            self.close()
            raise UndeliveredError(f"{self.host} is not at a public address")


def post(sink: str, headers: Mapping[str, str], body: bytes, allowed: Sequence[str], context: ssl.SSLContext) -> int:
    """Post an event and return the HTTP status (blocks). Redirects are not followed. Raises UndeliveredError."""
    parts = urlsplit(sink)
    host, port = host_of(sink), parts.port or 443
    try:
        connection = _Connection(host, port, timeout=_TIMEOUT, context=context)
        connection.public_only = not allowed
        try:
            target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request("POST", target, body, dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UndeliveredError(f"{host}: {error}") from error
