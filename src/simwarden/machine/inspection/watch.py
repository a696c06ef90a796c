"""Looking at the packets of one flow, for what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from simwarden.machine.inspection.connection import Connection
from simwarden.machine.inspection.questions import Datagrams, Questions
from simwarden.machine.inspection.quic_flow import QuicFlow
from simwarden.machine.inspection.requests import Requests
from simwarden.wire import dns, ip

if TYPE_CHECKING:
    from simwarden.machine.inspection.bindings import Bindings
    from simwarden.wire.shown import Shown


class Watch(Protocol):
    """One flow. What it shows may change with each packet: who decides by it decides anew when `feed` says so."""

    #: what it showed last, and before if that may yet reach the server, or goes on beside it: all of them count
    shown: tuple[Shown, ...]
    #: whether octets pass, or may, that may yet show a name. If not, and nothing is shown, it shows no name
    pending: bool

    @property
    def begun(self) -> int:
        """How many connections have begun in it: addresses of names are for who begins one."""
        ...

    @property
    def over(self) -> bool:
        """True if it is a connection that both ends have closed, or one has reset."""
        ...

    @property
    def in_hello(self) -> bool:
        """True while a ClientHello, which shows the name, has begun and is not whole."""
        ...

    def feed(self, packet: bytes, now: float, *, up: bool) -> bool:
        """Look at a packet before it passes, `up`: from the device, at a time in seconds; whether the above changed.

        It is told of a whole packet with an IP header (a fragment shows nothing), and of each, both ways. It never
        raises: what cannot be read shows UNREADABLE, and what no receiver takes shows nothing.
        """
        ...


def watch(flow: ip.Flow, bindings: Bindings) -> Watch | None:
    """Return who looks at a flow of a device, whose own end is its source; None if such a flow shows nothing.

    What resolvers answer in it goes to the bindings.
    """
    asks = flow.destination_port == dns.PORT
    if flow.protocol == ip.Protocol.TCP:
        return Connection(lambda: Questions(flow.destination, bindings) if asks else Requests())
    if flow.protocol == ip.Protocol.UDP:
        return Datagrams(Questions(flow.destination, bindings)) if asks else QuicFlow()
    return None
