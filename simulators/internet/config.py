"""Settings of the internet. `profile.yaml` explains each with an example."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from simwarden.runtime.content import Content
from simwarden.runtime.declare import ElementConfig, IpAddress, Model, Seconds

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})*", re.ASCII)


def _as_host_name(name: str) -> str:
    """Return a name in lower case, without the final dot. Raises ValueError."""
    small = name.lower().removesuffix(".")
    if len(small) > 253 or not _NAME.fullmatch(small):
        raise ValueError(f"{small!r} is no name of a host (RFC 1123 2.1)")
    return small


def _as_whole_seconds(value: float) -> float:
    """Return a time. Raises ValueError for a part of a second, which a TTL cannot express."""
    if not value.is_integer():
        raise ValueError(f"expected whole seconds, got {value:g} s")
    return value


HostName = Annotated[str, AfterValidator(_as_host_name)]


class RecordConfig(Model):
    """Records of a name, in place of the addresses of the hosts that have it."""

    alias: Annotated[str, AfterValidator(lambda value: value and _as_host_name(value))] = ""
    """The name for which it is an alias (CNAME)."""
    answers: tuple[tuple[IpAddress, ...], ...] = ()
    """Addresses for each query in turn, the last ones from then on: `[[198.51.100.80], [203.0.113.66]]` has another
    address from the second query on. Queries for A and AAAA are counted separately."""
    ttl: Annotated[Seconds, Field(le=0x7FFFFFFF), AfterValidator(_as_whole_seconds)] = 60.0
    """How long its records may be stored (RFC 1035 3.2.1), in whole seconds."""

    @model_validator(mode="after")
    def _is_either(self) -> Self:
        if bool(self.alias) is bool(self.answers):
            raise ValueError(f"expected alias or answers, got {'both' if self.alias else 'neither'}")
        return self


def _check_paths(value: dict[str, int]) -> dict[str, int]:
    for each in value:
        if not each.startswith("/"):
            raise ValueError(f"{each!r} is no path: it begins with /")
    return value


class HostConfig(Model):
    """A host: where it is, what it is called, and what it answers."""

    addresses: tuple[IpAddress, ...] = Field(min_length=1)
    """Its IP addresses, of both versions."""
    names: tuple[HostName, ...] = ()
    """Its names, which the resolver tells, and which its certificate is for."""
    answers: tuple[Literal["udp", "icmp", "http", "https", "dns"], ...] = ("udp", "icmp", "http", "https")
    """What it answers: datagrams to any port (they are sent back), echo requests, HTTP at port 80, HTTPS at 443, and
    DNS at 53, by the names of all hosts. Other ports of TCP it refuses. Nothing: it only watches."""
    pages: Annotated[dict[str, Annotated[int, Field(ge=0, le=100_000_000)]], AfterValidator(_check_paths)] = Field(
        default_factory=lambda: {"/": 64}
    )
    """Paths that it has for HTTP, with the octets of each; others get 404."""


class ServiceConfig(Model):
    """A service of a host at a port."""

    protocol: Literal["udp", "tcp", "tls", "mqtt", "mqtts"] = "tcp"
    """`udp`: datagrams. `tcp` and `tls`: connections, under TLS with the host's certificate. `mqtt` and `mqtts` (under
    TLS): a broker (MQTT 3.1.1)."""
    greeting: Content = Content()
    """Content that the host sends first, when a connection is set up: `{text: "220 ready\\r\\n"}`; by default none."""
    answer: Literal["echo", "nothing"] | Content = "echo"
    """Reply to octets that arrive: the same octets, nothing, or fixed content."""
    silence: Seconds = 0.0
    """Time without octets after which it resets a connection; 0: never. Keep-alives of TCP carry none."""

    @model_validator(mode="after")
    def _fits_protocol(self) -> Self:
        if self.greeting.content and self.protocol not in ("tcp", "tls"):
            raise ValueError(f"greeting: expected protocol tcp or tls, got {self.protocol}")
        if self.answer != "echo" and self.protocol in ("mqtt", "mqtts"):
            raise ValueError(f"answer: a broker ({self.protocol}) has none")
        if self.silence and self.protocol == "udp":
            raise ValueError("silence: datagrams (udp) have no connection")
        if self.protocol == "udp" and isinstance(self.answer, Content):
            self.answer.check_datagram()
        return self

    def answer_to(self, data: bytes) -> bytes | None:
        """Return the reply to octets that arrive, None without one."""
        if isinstance(self.answer, Content):
            return self.answer.content or None
        return data if self.answer == "echo" else None


def _check_aliases(value: dict[str, RecordConfig]) -> dict[str, RecordConfig]:
    for name in value:
        seen, last = [name], name
        while (last := value[last].alias if last in value else "") and last not in seen:
            seen.append(last)
        if last:
            raise ValueError(f"alias loop: {' > '.join((*seen, last))}")
    return value


def _hosts() -> dict[str, HostConfig]:
    resolver = HostConfig(
        addresses=("192.0.2.53", "2001:db8::53"), names=("resolver.example",), answers=("icmp", "dns")
    )
    return {
        "server": HostConfig(addresses=("198.51.100.80", "2001:db8:80::80"), names=("server.example",)),
        "elsewhere": HostConfig(addresses=("203.0.113.66", "2001:db8:66::66"), names=("elsewhere.example",)),
        "resolver": resolver,
    }


class InternetConfig(ElementConfig):
    """Settings of the internet."""

    hosts: dict[str, HostConfig] = Field(default_factory=_hosts)
    """Its hosts by name. What comes to an address of nobody is noted as well, and answered by nothing."""
    services: dict[str, dict[Annotated[int, Field(ge=1, le=65535)], ServiceConfig]] = Field(default_factory=dict)
    """Services of hosts, by the host's name and the port (`{server: {2525: {protocol: tcp}}}`). At such a port
    `answers` does not apply."""
    records: Annotated[dict[HostName, RecordConfig], AfterValidator(_check_aliases)] = Field(default_factory=dict)
    """Records of the resolvers by name: aliases, lifetimes and answers that change
    (`{app.example: {alias: server.example, ttl: 5 min}}`)."""
    outside: tuple[IpAddress, ...] = ("203.0.113.1", "2001:db8:ffff::1")
    """Addresses of programs of this machine in a run with TUN interfaces (`run --tun`)."""

    @model_validator(mode="after")
    def _are_hosts(self) -> Self:
        for name in self.services.keys() - self.hosts.keys():
            raise ValueError(f"services: expected one of the hosts {', '.join(self.hosts)}, got {name!r}")
        return self
