"""How an event gets to its sink: an HTTPS POST, or in virtual time a record in the trace and nothing on any network."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simwarden.errors import SimwardenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    Post = Callable[[str, str, Mapping[str, str], bytes], Awaitable[int]]

#: posts of one client at the same time
_THREADS = 4
#: NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), and the addresses of old that end with one of IPv4 (RFC 4291 2.5.5.1)
_CARRYING_IPV4 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96")))


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
        return is_public(host)
    except ValueError:
        return True


def is_public(text: str) -> bool:
    """Whether an address is one host's on the public internet. Raises ValueError for what is no address.

    Prefixes that carry an IPv4 address are none: a translator or a relay would bring events to what stands behind it.
    """
    address = ipaddress.ip_address(text)
    if not address.is_global or address.is_multicast:
        return False
    return address.version == 4 or (not address.is_site_local and not any(address in each for each in _CARRYING_IPV4))


class _Connection(http.client.HTTPSConnection):
    """A connection to an address that was looked at: the name is resolved once, and means nothing else afterwards."""

    def __init__(self, host: str, port: int, patience: float, tls: ssl.SSLContext, *, public_only: bool) -> None:
        super().__init__(host, port, timeout=patience, context=tls)
        self._patience, self._tls, self._public_only = patience, tls, public_only
        self._aborted = False

    def connect(self) -> None:
        """See http.client; the certificate must be of the host's name.

        Raises UndeliveredError for an address that is not public, where only those are allowed, before it is called.
        """
        plain = self._call(self._addresses())
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            # First the socket, then the handshake: so `abort` finds what it has to end.
            self.sock = tls = self._tls.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
            if self._aborted:  # it had nothing to end then
                self.abort()
            tls.do_handshake()
        except BaseException:
            plain.close()
            self.close()
            raise

    def _addresses(self) -> list[str]:
        entries = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        if self._public_only and not all(map(is_public, found)):
            raise UndeliveredError(f"{self.host} is not at a public address")
        return found

    def _call(self, addresses: Sequence[str]) -> socket.socket:
        """Connect to the first that answers; all of them together have the patience of one."""
        ends, failed = time.monotonic() + self._patience, OSError(f"{self.host} has no address")
        for address in addresses:
            try:
                plain = socket.create_connection((address, self.port), max(0.01, ends - time.monotonic()))
            except OSError as error:
                failed = error
            else:
                plain.settimeout(self._patience)
                return plain
        raise failed

    def abort(self) -> None:
        """End it from another thread, whatever it waits for; before it has a socket, as soon as it has one."""
        self._aborted = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class Courier:
    """Posts events, those of each client in threads of its own: a slow sink holds up no events but its own client's."""

    def __init__(self, allowed: Sequence[str], authorities: str, patience: float) -> None:
        """Take the hosts that events may go to, the file of certificates they are known by, and seconds for a post."""
        self._allowed, self._authorities, self._patience = allowed, authorities, patience
        self._context: ssl.SSLContext | None = None
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._open: set[_Connection] = set()

    async def post(self, client: str, sink: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post an event of a client and return the HTTP status; no redirect is followed. Raises UndeliveredError."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._authorities or None)
        if client not in self._threads:
            self._threads[client] = ThreadPoolExecutor(_THREADS, f"events of {client}")
        work = partial(self._post, sink, headers, body, self._context)
        return await asyncio.get_running_loop().run_in_executor(self._threads[client], work)

    def stop(self) -> None:
        """Give up what is under way; it is not waited for."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        self._threads.clear()
        for each in list(self._open):
            each.abort()

    def _post(self, sink: str, headers: Mapping[str, str], body: bytes, context: ssl.SSLContext) -> int:
        parts, host = urlsplit(sink), host_of(sink)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        try:
            public_only = not self._allowed
            connection = _Connection(host, parts.port or 443, self._patience, context, public_only=public_only)
            self._open.add(connection)
            # The connection's own patience begins anew with every octet that a sink lets fall.
            alarm = threading.Timer(self._patience, connection.abort)
            alarm.start()
            try:
                connection.request("POST", target, body, dict(headers))
                return connection.getresponse().status
            finally:
                alarm.cancel()
                self._open.discard(connection)
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UndeliveredError(f"{host}: {error}") from error
