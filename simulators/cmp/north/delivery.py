"""How an event gets to its sink under `serve`: an HTTPS POST (h11 over asyncio) to an address that was looked at."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from contextlib import asynccontextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simwarden.errors import SimwardenError
from simwarden.model.address import is_number
from simwarden.operations.threads import Threads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    import h11

    Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
    Post = Callable[[str, str, Mapping[str, str], bytes], Awaitable[int]]

#: posts of one client at the same time
_AT_ONCE = 4
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
        return not is_number(host)  # 2130706433 is 127.0.0.1 too


def is_public(text: str) -> bool:
    """Whether an address is one host's on the public internet. Raises ValueError for what is no address.

    Prefixes that carry an IPv4 address are none: a translator or a relay would bring events to what stands behind it.
    """
    address = ipaddress.ip_address(text)
    if not address.is_global or address.is_multicast:
        return False
    return address.version == 4 or (not address.is_site_local and not any(address in each for each in _CARRYING_IPV4))


class Courier:
    """Posts events, a few of each client at a time: a slow sink holds up no events but its own client's."""

    def __init__(self, allowed: Sequence[str], authorities: str, patience: float) -> None:
        """Take the hosts that events may go to, the file of certificates they are known by, and seconds for a post."""
        self._allowed, self._authorities, self._patience = allowed, authorities, patience
        self._threads: dict[str, Threads] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def post(self, client: str, sink: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post an event of a client and return the HTTP status; no redirect is followed. Raises UndeliveredError."""
        import h11  # noqa: PLC0415 - only who posts pays for it

        host = host_of(sink)
        async with self._posting(client):
            try:
                async with asyncio.timeout(self._patience):  # also of a sink that lets fall an octet now and then
                    head, port = _head(sink, headers, len(body)), urlsplit(sink).port or 443
                    addresses = await self._addresses(client, host, port)
                    reader, writer = await self._connected(host, addresses, port)
                    try:
                        return await _exchange(reader, writer, head, body)
                    finally:
                        writer.transport.abort()
            except TimeoutError as error:
                raise UndeliveredError(f"{host}: no answer in {self._patience:g} s") from error
            except (OSError, ValueError, h11.ProtocolError) as error:
                raise UndeliveredError(f"{host}: {str(error) or type(error).__name__}") from error

    async def stop(self) -> None:
        """Give up what is under way; no sink is waited for, and no name that is looked up."""
        tasks = list(self._tasks)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def _posting(self, client: str) -> AsyncIterator[None]:
        """Wait for the client's turn. Who stops meanwhile ends the task that posts."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine is run by one
        self._tasks.add(task)
        try:
            async with self._turns.setdefault(client, asyncio.Semaphore(_AT_ONCE)):
                yield
        finally:
            self._tasks.discard(task)

    async def _addresses(self, client: str, host: str, port: int) -> list[str]:
        """Look up a name, in threads of the client's own. Raises UndeliveredError if it is not, as wanted, public."""
        if client not in self._threads:
            self._threads[client] = Threads(_AT_ONCE)
        entries = await self._threads[client].run(partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
        found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        if not self._allowed and not all(map(is_public, found)):
            raise UndeliveredError(f"{host} is not at a public address")
        return found

    async def _connected(self, host: str, addresses: Sequence[str], port: int) -> Streams:
        """Connect to the first address that answers. It was looked at: the name means nothing else afterwards.

        The certificate must be of the name.
        """
        failed = OSError(f"{host} has no address")
        for address in addresses:
            try:
                return await asyncio.open_connection(address, port, ssl=self._known, server_hostname=host)
            except ssl.SSLError:
                raise
            except OSError as error:
                failed = error
        raise failed

    @cached_property
    def _known(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._authorities or None)


def _head(sink: str, headers: Mapping[str, str], length: int) -> h11.Request:
    """Return the head of a post. Raises h11.LocalProtocolError for a target or header that is none."""
    import h11  # noqa: PLC0415

    parts = urlsplit(sink)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    named = {"Host": parts.netloc, **headers, "Content-Length": str(length), "Connection": "close"}
    return h11.Request(method="POST", target=target, headers=list(named.items()))


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: h11.Request, body: bytes) -> int:
    """Post, and return the status of the answer. Raises h11.RemoteProtocolError for what is none."""
    import h11  # noqa: PLC0415

    connection = h11.Connection(h11.CLIENT)
    for part in (head, h11.Data(body), h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("closed without an answer")
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(4096))
