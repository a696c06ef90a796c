"""The listening end of M3UA: a signalling gateway, or the passive end of an IPSP pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simwarden.machine.m3ua_events import AspState, Closed, Fault, Received, Served
from simwarden.machine.m3ua_gateway import ApplicationServer, Gateway
from simwarden.model.address import is_within
from simwarden.runtime.machine_timer import MachineTimer
from simwarden.runtime.sigtran.association import stream_of
from simwarden.wire.m3ua.family import SIGTRAN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from simwarden.machine.m3ua_events import Event
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site
    from simwarden.wire.m3ua import ProtocolData


class Place(NamedTuple):
    """The host of the processes of an application server: an element of this process, or addresses outside."""

    element: str = ""
    networks: tuple[str, ...] = ()

    def has(self, link: Link) -> bool:
        """Return True if the process on a link may be one of the server's."""
        if link.internal:
            return self.element in ("", link.remote)
        return is_within(host_of(link), self.networks) if self.networks else not self.element


def host_of(link: Link) -> str:
    """Return the host at the far end of a link, by its address or as the element of this process."""
    return link.remote if link.internal else link.remote.rpartition(":")[0]


class Listening:
    """All associations that others make with this element.

    `take` is given what comes for this element's own point codes; what is for others is sent on. `served` is told of
    application servers that come and go.
    """

    def __init__(
        self,
        site: Site,
        servers: Iterable[ApplicationServer],
        take: Callable[[ProtocolData], None],
        *,
        local: Collection[int] = (),
        served: Callable[[Served], None] = lambda _served: None,
        places: Mapping[int, Place] = {},
    ) -> None:
        """`places` are those of application servers, by their routing contexts, as far as they are known."""
        self._site, self._take, self._served = site, take, served
        self._places = places
        placed = [routing_context for routing_context, each in places.items() if any(each)]
        self._gateway = Gateway(servers, local=local, placed=placed)
        self._links: dict[int, Link] = {}
        self._timer = self._new_timer(internal=True)

    async def listen(self) -> None:
        """Accept associations."""
        await self._site.listen(SIGTRAN, self._accept)

    def send(self, data: ProtocolData) -> bool:
        """Send a message to the process of its destination; whether there is one."""
        sent = self._gateway.send(data)
        self._flush()
        return sent

    def close(self) -> None:
        """Close all associations."""
        for link in list(self._links.values()):
            link.close()
        self._links.clear()
        self._timer.arm(None)

    def _accept(self, link: Link) -> None:
        self._links[link.number] = link
        if not link.internal:  # from now on somebody may be silent whom this process does not know
            self._timer.arm(None)
            self._timer = self._new_timer(internal=False)
        link.on_receive = lambda data, _stream: self._receive(link, data)
        link.on_close = lambda _reason: self._lost(link)
        barred = [routing_context for routing_context, place in self._places.items() if not place.has(link)]
        self._gateway.connected(link.number, self._site.clock.now(), host_of(link), barred)
        self._flush()

    def _receive(self, link: Link, data: bytes) -> None:
        self._gateway.receive(link.number, data, self._site.clock.now())
        if self._gateway.state_of(link.number) is not AspState.DOWN:
            link.know()
        self._flush()

    def _lost(self, link: Link) -> None:
        self._links.pop(link.number, None)
        self._gateway.lost(link.number, self._site.clock.now())
        self._flush()

    def _new_timer(self, *, internal: bool) -> MachineTimer:
        return MachineTimer(self._site.clock, self._gateway.on_timer, self._flush, internal=internal)

    def _flush(self) -> None:
        for number, octets in self._gateway.data_to_send():
            if number in self._links:
                self._links[number].send(octets, stream=stream_of(octets))
        for event in self._gateway.events():
            self._hear(event)
        self._timer.arm(self._gateway.next_timer())

    def _hear(self, event: Event) -> None:
        match event:
            case Received(data):
                self._take(data)
            case Served():
                self._served(event)
            case Fault(reason, data, number) if number in self._links:
                self._site.peer_fault(self._links[number], reason, data)
            case Closed(reason, number) if number in self._links:
                self._links.pop(number).close(reason)
