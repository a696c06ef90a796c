"""Which carrier each reference point of a run has."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Final

from simwarden.errors import ConfigError, InternalError
from simwarden.model.interfaces import Service
from simwarden.runtime.transport.addresses import hosts_of
from simwarden.trace.events import Note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.link import Link
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Accept, Outgoing, Transport, Wiring
    from simwarden.runtime.transport.endpoint import Datagrams, Endpoint

#: what may be said of a whole run. By the specifications that is SCTP, TCP and UDP together (`sctp`); `tcp`, of which
#: `udp` is another name, has messages in a frame of ours on TCP instead of SCTP
NAMES: Final = ("memory", "tcp", "udp", "sctp", "sctp-udp")
#: the words for SCTP, as a whole and in UDP alone (RFC 6951)
_SCTP: Final = ("sctp", "sctp-udp")
#: how it is said of SCTP's messages that they are in a frame of ours instead
FRAMED: Final = "framed on TCP"
_CARRIERS: Final[Mapping[str, str]] = {
    "memory": "memory:MemoryTransport",
    "tcp": "tcp:TcpTransport",
    "sctp": "sctp:SctpTransport",
    "sctp-udp": "sctp:SctpInUdpTransport",
    "vpcd": "vpcd:VpcdTransport",  # not for runs: a card served to PC/SC
}
_DATAGRAMS: Final[Mapping[str, str]] = {"memory": "endpoint:Datagrams", "udp": "udp:UdpDatagrams"}


def carriers_of(interface: Interface) -> tuple[str, ...]:
    """Return what may carry a reference point: memory, its usual carrier, and others.

    Diameter is on TCP unless SCTP is asked for; both are its own (RFC 6733 2.1, TS 29.272 7.1.5).
    """
    if interface.service is Service.DATAGRAMS:
        return ("memory", "udp")
    if is_sctp(interface):
        return ("memory", *_SCTP, "tcp")
    return ("memory", "tcp", *_SCTP) if interface.ppid else ("memory", "tcp")


def is_sctp(interface: Interface) -> bool:
    """Whether a reference point is SCTP's; messages between card, terminal and eNB are in a frame of ours anyway."""
    return interface.service is Service.MESSAGES and bool(interface.ppid)


def carrier_of(interface: Interface, word: str) -> str:
    """Return what carries a reference point in a run of which so much is said."""
    allowed = carriers_of(interface)
    if word == "memory" or (word in _SCTP and is_sctp(interface)):
        return word
    return allowed[1] if word in _SCTP or "tcp" not in allowed else "tcp"


def carrier_to_outside(interface: Interface, word: str, each: Mapping[str, str]) -> str:
    """Return what carries a reference point to the outside: as specified, where a run is in memory."""
    chosen = each.get(interface.name) or carrier_of(interface, word or "memory")
    return carrier_of(interface, "sctp") if chosen == "memory" else chosen


def check_hosts(interface: Interface, carrier: str, address: Address) -> None:
    """Raise ConfigError for addresses that a carrier cannot have: several without SCTP, and IPv6 on SCTP."""
    hosts = hosts_of(address)
    if len(hosts) > 1 and carrier not in _SCTP:
        raise ConfigError(
            f"{interface.name} on {carrier} has one address, not {len(hosts)}", hint="several need transport sctp"
        )
    if carrier in _SCTP and ":" in address[0]:
        raise ConfigError(f"{interface.name} on {carrier} needs IPv4 addresses, got {address[0]}")


def described(word: str, each: Mapping[str, str]) -> str:
    """Say in a line what carries the frames of a run."""
    whole = f"{word} (SCTP {FRAMED})" if word in ("tcp", "udp") else word
    return ", ".join((whole, *(f"{name} on {chosen}" for name, chosen in each.items())))


class Carriers:
    """The carriers of one run, each made when it is first needed.

    What goes to the outside goes by the specification even in a run that is in memory else.
    """

    def __init__(self, word: str, wiring: Wiring, each: Mapping[str, str] | None = None) -> None:
        """`each` are the carriers of reference points of which something else is said. Raises ConfigError."""
        if word not in NAMES:
            raise ConfigError(f"no transport is called {word!r}", hint=f"one of {', '.join(NAMES)}")
        self.word, self.wiring, self._each = word, wiring, each or {}
        self._made: dict[str, Transport] = {}
        self._endpoints: dict[str, Datagrams] = {}
        self._told: set[tuple[str, str]] = set()
        for name in {word, *self._each.values()} & {*_SCTP}:  # say at once that there is no SCTP
            self._transport(name)

    def carrier(self, interface: Interface, *, outside: bool = False) -> str:
        """Return the name of what carries a reference point, within the run or to the outside."""
        if outside:
            return carrier_to_outside(interface, self.word, self._each)
        return self._each.get(interface.name) or carrier_of(interface, self.word)

    def is_on_sctp(self, interface: Interface) -> bool:
        """Return True if links of a reference point to the outside are associations of SCTP."""
        return self.carrier(interface, outside=True) in _SCTP

    def is_framed(self, interface: Interface) -> bool:
        """Whether messages that are SCTP's go to the outside in a frame of ours, as was asked for."""
        framed = is_sctp(interface) and not interface.self_delimiting
        return framed and self.carrier(interface, outside=True) == "tcp"

    def _of_links(self, interface: Interface) -> str:
        if interface.service is Service.DATAGRAMS:
            raise InternalError(f"{interface.name} has endpoints, not links")
        return self.carrier(interface)

    def _transport(self, name: str) -> Transport:
        if name not in self._made:
            self._made[name] = _load(_CARRIERS[name])(self.wiring)
        return self._made[name]

    def _datagrams(self, interfaces: Sequence[Interface]) -> Datagrams:
        links = [each.name for each in interfaces if each.service is not Service.DATAGRAMS]
        if links:
            raise InternalError(f"{', '.join(links)} has links, not endpoints")
        names = {self.carrier(each, outside=self.wiring.addresses.open_to_outside) for each in interfaces}
        if len(names) > 1:
            said = " and ".join(each.name for each in interfaces)
            raise ConfigError(f"{said} are one socket, and cannot be on {' and on '.join(sorted(names))}")
        (name,) = names
        if name not in self._endpoints:
            self._endpoints[name] = _load(_DATAGRAMS[name])(self.wiring)
        return self._endpoints[name]

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Accept connections to `owner`; at an address of the outside, or where the carrier likes."""
        inside = self._of_links(interface)
        if address is None:
            await self._transport(inside).listen(interface, owner, accept)
            return
        outside = self._outside(interface, owner, address)
        await self._transport(outside).listen(interface, owner, accept, address)
        if outside != inside:
            await self._transport(inside).listen(interface, owner, accept)

    async def connect(self, interface: Interface, owner: str, target: str) -> Link:
        """Connect to an element of this process. Raises ConnectionError if it does not listen."""
        return await self._transport(self._of_links(interface)).connect(interface, owner, target)

    async def connect_outside(self, interface: Interface, owner: str, target: str, to: Outgoing) -> Link:
        """Connect to element `target` outside this process. Raises ConnectionError, or ConfigError without SCTP."""
        carrier = self._transport(self._outside(interface, owner, to.address))
        return await carrier.connect_outside(interface, owner, target, to)

    def _outside(self, interface: Interface, owner: str, address: Address) -> str:
        """Return what carries links to the outside, and tell if that is not what peers there speak."""
        self._of_links(interface)
        name = self.carrier(interface, outside=True)
        check_hosts(interface, name, address)
        if self.is_framed(interface) and (owner, interface.name) not in self._told:
            self._told.add((owner, interface.name))
            text = f"{interface.name} is {FRAMED}: only simwarden reads that, a real peer needs transport sctp"
            self.wiring.trace.emit(Note(element=owner, text=text))
        return name

    def endpoint(self, interfaces: Sequence[Interface], owner: str, address: Address | None = None) -> Endpoint:
        """Open an endpoint of datagrams, at an address of the outside or at the element's own."""
        return self._datagrams(interfaces).open(interfaces, owner, address)

    def address_of(self, owner: str, interface: str) -> Address:
        """Return where an element listens. Raises ConnectionError; memory has no addresses."""
        endpoints = (each.address_of(owner, interface) for each in self._endpoints.values())
        listeners = (each.address_of(owner, interface) for each in self._made.values())
        found = next((each for each in (*endpoints, *listeners) if each is not None), None)
        if found is not None:
            return found
        raise ConnectionError(f"{owner} has no address for {interface}")

    def carried(self, owner: str, interface: Interface) -> str:
        """Return how peers outside reach a listener, in words, where that is not plain; else nothing."""
        if self.is_framed(interface):
            return FRAMED
        said = (each.carried(owner, interface.name) for each in self._made.values())
        return next(filter(None, said), "")

    async def stop_listening(self, owner: str = "") -> None:
        """Accept no more connections to an element, or to any, on any interface."""
        for made in self._made.values():
            await made.stop_listening(owner)

    def close_endpoints(self, owner: str = "") -> None:
        """Close the endpoints of an element, or all."""
        for made in self._endpoints.values():
            made.close(owner)

    async def close(self) -> None:
        """Release sockets; links are closed by their owners."""
        self.close_endpoints()
        await self.stop_listening()
        for link in list(self.wiring.open_sockets):
            link.abort()
        while self.wiring.open_sockets:  # noqa: ASYNC110 - two rounds of the loop, in which asyncio closes them
            await asyncio.sleep(0)


def _load(where: str) -> type:
    module, name = where.split(":")
    found: type = getattr(import_module(f"simwarden.runtime.transport.{module}"), name)
    return found
