"""What every transport offers to the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwarden.runtime.link import Link
from simwarden.runtime.transport.addresses import Address, Addresses
from simwarden.runtime.transport.reception import Limits, Reception

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Mapping, Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.frame_queue import FrameQueue
    from simwarden.trace.trace import Trace

Accept = Callable[[Link], None]
Tap = Callable[[Link, bytes, Callable[[bytes], None]], None]
"""What may stand on the wires of a run in memory: called with the sending end, the message, and `carry`.

Nothing arrives but what the tap has carried: the message, another, several times, later, or never.
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How an element connects to a peer outside: to its address, encrypted with `tls`, from a local address (`source`).

    Port 0 of `source`: any.
    """

    address: Address
    tls: ssl.SSLContext | None = None
    source: Address | None = None


@dataclass(slots=True, eq=False)
class Wiring:
    """What the links of one run share: the trace, the order of deliveries, the addresses, the count of links."""

    trace: Trace
    frame_queue: FrameQueue
    limits: Limits = field(default_factory=Limits)
    addresses: Addresses = field(default_factory=Addresses)
    #: restricts the source networks of peers outside, by interface
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    open_sockets: set[Link] = field(default_factory=set)
    #: set by tests that change messages on their way (transport `memory` only); no file or option does
    tap: Tap | None = None
    _links: int = 0
    _held: list[Callable[[], None]] | None = None

    def hold(self) -> None:
        """Have no peer accepted from now on: connections wait at the listening sockets."""
        self._held = []

    def release(self) -> None:
        """Have peers accepted again, those first that have waited."""
        held, self._held = self._held or [], None
        for serve in held:
            serve()

    def when_accepted(self, serve: Callable[[], None]) -> None:
        """Call what accepts peers, now or as soon as they are."""
        if self._held is None:
            serve()
        else:
            self._held.append(serve)

    def reception(self, interface: str) -> Reception:
        """Make the place where a listener receives peers from outside."""
        return Reception(self.limits, self.allowed.get(interface, ()))

    def next_number(self) -> int:
        """Number a new connection; both its ends carry the number."""
        self._links += 1
        return self._links


class Transport(ABC):
    """Listens and connects for elements of this process, and for peers outside where it has sockets."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    @abstractmethod
    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Accept connections to `owner` on the interface; at `address`, or where the transport likes."""

    async def connect(self, interface: Interface, _owner: str, target: str) -> Link:
        """Connect to an element of this process. Raises ConnectionError if it does not listen."""
        raise ConnectionRefusedError(f"{target} does not accept {interface.name}")

    async def connect_outside(self, interface: Interface, owner: str, target: str, to: Outgoing) -> Link:
        """Connect to element `target` outside this process. Raises ConnectionError; memory has no outside."""
        where = f"{target} at {to.address[0]}:{to.address[1]}"
        raise ConnectionError(f"{owner}: {interface.name} to {where} needs sockets; use transport tcp")

    def address_of(self, _owner: str, _interface: str) -> Address | None:
        """Return where an element listens; None if it does not, or has no address for it, as in memory."""
        return None

    def carried(self, _owner: str, _interface: str) -> str:
        """Return how the packets of a listener travel, in words, where there are several ways; else nothing."""
        return ""

    @abstractmethod
    async def stop_listening(self, owner: str = "") -> None:
        """Accept no more connections to an element, or to any, on any interface."""


def announce(accept: Accept, far: Link, near: Link, established: asyncio.Future[Link]) -> None:
    """Let the listener hear of a connection, then the side that asked for it; one that has given up closes it."""
    accept(far)
    if established.done():
        near.close("given up")
    else:
        established.set_result(near)
