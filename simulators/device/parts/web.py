"""Names and pages: what programs on the terminal ask the internet for."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from simulators.device.parts.traffic import bearer_stands
from simulators.device.verbs import DevicePart, OfDevice, OptionalIp
from simwarden.errors import ManagementError, PeerError
from simwarden.model.address import split_port
from simwarden.model.values import GIVEN, NUMBER, USER_ADDRESS, one_of
from simwarden.runtime.declare import HISTORY, IpPlace, Observable, Seconds, verb

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from simulators.device.contexts import Emm


OUTCOMES = ("delivered", "timed-out", "refused", "dropped")
_PORTS = {"http": 80, "https": 443}


def _split(url: str) -> SplitResult:
    """Return the parts of a URL of HTTP. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.fragment or parts.username is not None:
        raise ValueError(f"{url!r} is no URL such as http://server.example/page or https://198.51.100.80:8443/")
    if parts.port == 0 or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r} has a port 0, or characters that a URL cannot have (RFC 3986)")
    return parts


def _check_url(url: str) -> str:
    _split(url)
    return url


def _as_name(value: str) -> str:
    """Return a name in lower case, without the final dot. Raises ValueError."""
    if not all(0 < len(each) <= 63 for each in value.removesuffix(".").split(".")) or not value.isascii():
        raise ValueError(f"{value!r} is no name (RFC 1035 2.3.4)")
    return value.lower().removesuffix(".")


def _check_server_name(value: str) -> str:
    labels = value.removesuffix(".").split(".") if value else ()
    fits = len(value) <= 253 and all(1 <= len(each) <= 63 for each in labels)  # RFC 1035 2.3.4
    if not fits or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{value!r} is no name of a host")
    return value


#: a name that a program may say of its server; empty: none
ServerName = Annotated[str, AfterValidator(_check_server_name)]


async def outcome_of(emm: Emm, work: Coroutine[Any, Any, object], within: float) -> str:
    """Do what a program does on the network, if the terminal has a bearer; return how that ended."""
    try:
        if not await bearer_stands(emm):
            return "dropped"
        async with asyncio.timeout(within):
            await work
    except ConnectionAbortedError:
        return "dropped"
    except TimeoutError:
        return "timed-out"
    except ConnectionError:
        return "refused"
    except PeerError as error:
        emm.radio.fault(error.reason, b"")
        return "refused"
    finally:
        work.close()  # if it was never begun
    return "delivered"


class Resolve(OfDevice):
    """Ask for the addresses of a name."""

    name: Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_as_name)]
    """The name."""
    kind: Literal["A", "AAAA"] = "A"
    """Of which version: `A` (IPv4) or `AAAA` (IPv6)."""
    server: OptionalIp = ""
    """The DNS server's address; empty: the first that the network told, of a version that the bearer has."""

    apn: str = ""
    """The APN of the connection that it goes by, of a terminal with several; empty: its first."""


class Fetch(OfDevice):
    """Fetch a page, or send something to one."""

    url: Annotated[str, AfterValidator(_check_url)]
    """What: `http://server.example/`, `https://198.51.100.80/firmware`. A name is resolved first."""
    upload: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Octets to be sent with it, by POST; 0: GET."""
    host: ServerName = ""
    """The name that HTTP says, of a program that says another one than the URL's; empty: the URL's."""
    sni: ServerName = ""
    """The name that TLS says in the clear, of such a program; empty: the URL's, if it has one."""
    request_target: Annotated[str, Field(pattern=r"^(|[/!-~]+)$")] = ""
    """What the request asks for, of a program that asks for another thing than the URL's: a path, a URL as a proxy is
    asked for (`http://other.example/`), or by CONNECT a host with its port (`other.example:443`)."""
    pieces: Annotated[int, Field(ge=0, le=1000)] = 0
    """Octets of each segment in which its beginning goes, of a program that hides for whom it is; 0: as TCP cuts it."""
    records: Annotated[int, Field(ge=0, le=1000)] = 0
    """Octets of each record of TLS in which its ClientHello goes, of such a program; 0: all in one."""
    within: Seconds = 60.0
    """How long it waits for the whole answer."""

    apn: str = ""
    """The APN of the connection that it goes by, of a terminal with several; empty: its first."""


class OpenQuic(OfDevice):
    """Begin a connection of QUIC, and wait for the far end's first datagram."""

    to: IpPlace
    """Where to: an IP address, with a port (`198.51.100.80:443`; else 443)."""
    sni: ServerName = ""
    """The name that its ClientHello says; empty: none."""
    version: Annotated[int, Field(ge=1, le=2)] = 1
    """The version of QUIC."""
    datagrams: Annotated[int, Field(ge=1, le=8)] = 1
    """Over how many datagrams the ClientHello goes."""
    late: bool = False
    """Whether they go in the wrong order, the last one first."""

    apn: str = ""
    """The APN of the connection that it goes by, of a terminal with several; empty: its first."""


class Web(DevicePart):
    """Programs that resolve names and fetch pages."""

    observables = (
        Observable(
            "resolved",
            "what came of the last question for a name, which is the key",
            fields={
                "name": GIVEN,
                "kind": one_of("A", "AAAA"),
                "addresses": USER_ADDRESS.or_none(),
                "rcode": one_of("NOERROR", "NXDOMAIN", "REFUSED", "SERVFAIL", "FORMERR", "NOTIMP").or_none(),
                "over": one_of("udp", "tcp").or_none(),
                "aliases": GIVEN.or_none(),
                "ttl": NUMBER.or_none(),
                "outcome": one_of(*OUTCOMES),
            },
            passing=HISTORY,
        ),
        Observable(
            "fetched",
            "what came of the last fetch of a URL, which is the key: octets of content each way, and the status",
            fields={
                "url": GIVEN,
                "status": NUMBER.or_none(),
                "octets": NUMBER,
                "sent": NUMBER,
                "outcome": one_of(*OUTCOMES),
            },
            passing=HISTORY,
        ),
    )

    @verb(*OUTCOMES)
    async def resolve(self, arguments: Resolve) -> str:
        """Resolve a name at the network's DNS server (over TCP if the answer is long): `delivered` with any answer,
        `timed-out`, `refused` if nobody is there, `dropped` where the terminal has no bearer for it.
        """  # noqa: D205 - the whole of it is the outcome
        asked = {"name": arguments.name, "kind": arguments.kind}
        facts: dict[str, Any] = {**asked, "addresses": "", "rcode": None, "over": None, "aliases": [], "ttl": None}
        outcome = await outcome_of(self.powered, self._resolve(arguments, facts), 60.0)
        self.emm.site.observe("resolved", {**facts, "outcome": outcome}, key=arguments.name)
        return outcome

    @verb(*OUTCOMES)
    async def fetch(self, arguments: Fetch) -> str:
        """Fetch a URL: `delivered` if the whole answer came, whatever its status, `refused` if the name, the server or
        the network would not, `timed-out` (octets that passed are told), `dropped` where the terminal has no bearer.
        """  # noqa: D205 - the whole of it is the outcome
        from simulators.device.clients.web import Passed  # noqa: PLC0415 - few stories have pages

        passed = Passed()
        outcome = await outcome_of(self.powered, self._fetch(arguments, passed), arguments.within)
        told = {"status": passed.status or None, "octets": passed.octets, "sent": passed.sent, "outcome": outcome}
        self.emm.site.observe("fetched", {"url": arguments.url, **told}, key=arguments.url)
        return outcome

    @verb(*OUTCOMES)
    async def open_quic(self, arguments: OpenQuic) -> str:
        """Say a ClientHello by QUIC: `delivered` if anything came back, `timed-out` if nothing did, `refused` if the
        network says that nobody is there, `dropped` where the terminal has no bearer for it.
        """  # noqa: D205 - the whole of it is the outcome
        return await outcome_of(self.powered, self._open_quic(arguments), 60.0)

    async def _open_quic(self, asked: OpenQuic) -> None:
        from simulators.device.clients.disguise import quic_hello  # noqa: PLC0415 - few stories have QUIC

        address, port = split_port(asked.to, 443)
        packets = self.emm.packets
        own = await packets.need_source(address, asked.apn)
        made = quic_hello(asked.sni, asked.version, asked.datagrams, self.emm.site.rng.randbytes(8))
        first, *more = reversed(made) if asked.late else made
        await packets.ask_datagram(own, address, port, first, lambda _came: True, *more)

    async def _resolve(self, asked: Resolve, facts: dict[str, Any]) -> list[str]:
        from simulators.device.clients.names import resolve  # noqa: PLC0415 - few stories have names

        server = asked.server or await self._server(asked.apn)
        found = await resolve(self.emm.packets, asked.name, asked.kind, server, asked.apn)
        facts.update(found._asdict(), addresses=" ".join(found.addresses), aliases=list(found.aliases))
        return list(found.addresses)

    async def _server(self, apn: str) -> str:
        for each in self.emm.packets.resolvers(apn):
            if await self.emm.packets.source_for(each, apn):
                return each
        raise ManagementError(409, f"the network told {self.emm.site.name} no DNS server: name one (server)")

    async def _fetch(self, arguments: Fetch, passed: Any) -> None:
        from simulators.device.clients.web import Request, fetch  # noqa: PLC0415 - few stories have pages

        parts = _split(arguments.url)
        host = parts.hostname or ""
        address = await self._address_of(host, arguments)
        by_name = host if address != host else ""
        port = parts.port or _PORTS[parts.scheme]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        said = arguments.host or parts.netloc
        tls = parts.scheme == "https"
        request = Request(
            *(address, port, arguments.request_target or path, said, tls, arguments.sni or by_name),
            *(arguments.upload, arguments.apn, arguments.pieces, arguments.records),
        )
        await fetch(self.emm.packets, request, passed)

    async def _address_of(self, host: str, asked: Fetch) -> str:
        """Return the address of a host, of IPv4 if it has one that the bearer can reach. Raises ConnectionError."""
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            pass
        kinds: tuple[tuple[Literal["A", "AAAA"], str], ...] = (("A", "192.0.2.1"), ("AAAA", "2001:db8::1"))
        for kind, reachable in kinds:
            if await self.emm.packets.source_for(reachable, asked.apn):
                found = await self._resolve(Resolve(device=asked.device, name=host, kind=kind, apn=asked.apn), {})
                if found:
                    return found[0]
        raise ConnectionRefusedError(f"there is no {host}")
