"""Endpoints: one socket of datagrams, which sends to addresses found in messages and receives from any.

An F-TEID says an IP address and no port (TS 29.274 8.22), so an endpoint is at its element's own address and the
well-known port. In memory the address is all there is of it; `transport.udp` has a socket for it. Either way a datagram
has its place in the order of frames, and whoever is at its address when it is sent receives it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError, InternalError
from simwarden.runtime.frame_queue import Happening
from simwarden.runtime.link import Link
from simwarden.runtime.transport.memory import carry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Wiring

#: octets of the longest datagram (RFC 768, over IPv4)
LONGEST = 65507
#: far addresses that an endpoint remembers; the one that it has known for longest is forgotten first
_MOST_PATHS = 4096


def _ignore(_data: bytes, _source: Address) -> None:
    """Receive for an endpoint whose owner has not set a receiver yet."""


class Path(Link):
    """What an endpoint and one far address have to do with each other on one reference point."""

    __slots__ = ("address", "endpoint")

    def __init__(
        self, endpoint: Endpoint, interface: Interface, address: Address, number: int, *, client: bool
    ) -> None:
        host, port = address
        remote = endpoint.wiring.addresses.behind(host) or f"{host}:{port}"
        super().__init__(endpoint.wiring, interface, endpoint.owner, remote, number, client=client)
        self.endpoint, self.address = endpoint, address
        self.on_receive = lambda data, _stream: endpoint.on_receive(data, address)
        self.on_packets = self._pass_packets

    def _pass_packets(self, packets: Sequence[bytes]) -> None:
        if self.endpoint.on_packets is None:
            self.drop(packets, "it takes no user packets here")
        else:
            self.endpoint.on_packets(packets, self.address)

    def _ends(self, *, sent: bool) -> tuple[Address, Address]:
        near, far = self.endpoint.address, self.address
        return (near, far) if sent else (far, near)

    def _transmit(self, data: bytes, _stream: int) -> None:
        far = self.endpoint.far_end(self)
        if far is not None:
            self.endpoint.carry(self, far, data)
        else:
            self.endpoint.carry_outside(self, (data,))

    def _transmit_packets(self, packets: Sequence[bytes]) -> None:
        far = self.endpoint.far_end(self)
        if far is not None:
            self.endpoint.carry_packets(far, packets)
        elif not self.endpoint.carry_outside(self, packets):
            self.drop(packets, f"nobody is at {self.address[0]}:{self.address[1]}")

    def _shut(self, reason: str) -> None:
        """Nothing tells the far end: there is no connection."""


class Endpoint:
    """One bound socket of an element, for one reference point or for several that have a port in common.

    The owner sets `on_receive`, called with each datagram and the address that it came from, and, if it takes user
    packets, `on_packets`, called with a batch of them and that address. Of datagrams from outside this process
    `is_packet` tells which are user packets; what it does not is a message.
    """

    def __init__(
        self, wiring: Wiring, at: dict[Address, Endpoint], interfaces: Sequence[Interface], owner: str, address: Address
    ) -> None:
        """`at` has the endpoints of the run by their addresses. Raises ConfigError if the address is taken."""
        if len({each.port for each in interfaces}) > 1:
            raise InternalError(f"{', '.join(each.name for each in interfaces)} have no port in common")
        if address in at:
            raise ConfigError(f"{owner} and {at[address].owner} are both at {address[0]}:{address[1]}")
        self.wiring: Wiring = wiring
        self.owner: str = owner
        self._at, self.address = at, address
        self.interfaces = {each.name: each for each in interfaces}
        self.on_receive: Callable[[bytes, Address], None] = _ignore
        self.on_packets: Callable[[Sequence[bytes], Address], None] | None = None
        self.is_packet: Callable[[bytes], bool] = lambda _data: False
        self.closed = False
        self._paths: dict[tuple[Address, str], Path] = {}
        at[address] = self

    def send(self, data: bytes, to: Address, *, on: str = "", clear: bytes | None = None) -> None:
        """Send a datagram to an address, `on` one of the endpoint's reference points (the first unless said).

        Nobody hears of one to an address where nobody is, as on a real network.
        """
        if len(data) > LONGEST:
            raise InternalError(f"a datagram has at most {LONGEST} octets, not {len(data)}")
        if not self.closed:
            self.path(to, on).send(data, clear=clear)

    def send_packets(self, packets: Sequence[bytes], to: Address, *, on: str = "") -> None:
        """Send user packets, which are counted and handed over at once: see Link. Those to nobody are dropped."""
        if any(len(each) > LONGEST for each in packets):
            raise InternalError(f"a datagram has at most {LONGEST} octets, not {max(map(len, packets))}")
        if not self.closed:
            self.path(to, on).send_packets(packets)

    def path(self, address: Address, on: str = "", *, client: bool = True) -> Path:
        """Return the path to an address; it counts the user packets that were sent on it."""
        name = on or self._usual(address)
        path = self._paths.get((address, name))
        if path is None or not path.up:
            far = self._at.get(address)
            back = far.known_path(self.address, name) if far is not None else None
            number = back.number if back is not None else self.wiring.next_number()
            path = Path(self, self.interfaces[name], address, number, client=client and back is None)
            if len(self._paths) >= _MOST_PATHS:
                del self._paths[next(iter(self._paths))]
            self._paths[address, name] = path
        path.internal = address in self._at
        return path

    def known_path(self, address: Address, on: str) -> Path | None:
        """Return the path to an address if anything has gone over it."""
        return self._paths.get((address, on))

    def known_point(self, address: Address) -> str:
        """Return the reference point on which a peer at an address has spoken; empty for the usual one."""
        return next((name for name in self.interfaces if self.known_path(address, name) is not None), "")

    def far_end(self, path: Path) -> Path | None:
        """Return the end of a path at the endpoint that is at its address now; None if none of this process is."""
        far = self._at.get(path.address)
        if far is None or path.interface.name not in far.interfaces:
            return None
        return far.path(self.address, path.interface.name, client=False)

    def _usual(self, address: Address) -> str:
        """Return the reference point on which a peer speaks that does not say: as a file has it, else the first."""
        peer = self.wiring.addresses.behind(address[0])
        told = (name for name in self.interfaces if self.wiring.addresses.is_outside(peer, name))
        return next(told, next(iter(self.interfaces)))

    # -- what a carrier does

    def carry(self, near: Path, far: Path, data: bytes) -> None:
        """Bring a datagram to an endpoint of this process."""
        carry(self.wiring, near, far, data)

    def carry_packets(self, far: Path, packets: Sequence[bytes]) -> None:
        """Bring user packets to an endpoint of this process."""
        self.wiring.frame_queue.post(Happening(far, partial(far.hear_packets, packets)))

    def carry_outside(self, _near: Path, _datagrams: Sequence[bytes]) -> bool:
        """Bring datagrams to an address outside; return whether they have left. Memory has no outside."""
        return False

    def _move(self, address: Address) -> None:
        del self._at[self.address]
        self.address, self._at[address] = address, self

    def close(self) -> None:
        """Send and receive no more."""
        self.closed = True
        if self._at.get(self.address) is self:
            del self._at[self.address]
        for path in self._paths.values():
            path.close("closed")


class Datagrams:
    """Makes the endpoints of a run, in memory."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.at: dict[Address, Endpoint] = {}

    def open(self, interfaces: Sequence[Interface], owner: str, address: Address | None = None) -> Endpoint:
        """Open an endpoint at the element's own address and the well-known port, unless another is given."""
        return Endpoint(self.wiring, self.at, interfaces, owner, address or self.usual(owner, interfaces[0]))

    def usual(self, owner: str, interface: Interface) -> Address:
        """Return the address of an element on a reference point."""
        return self.wiring.addresses.of(owner), interface.port

    def address_of(self, owner: str, interface: str) -> Address | None:
        """Return where an endpoint of an element is; None if it has none for that."""
        found = (each.address for each in self.at.values() if each.owner == owner and interface in each.interfaces)
        return next(found, None)

    def close(self, owner: str = "") -> None:
        """Close the endpoints of an element, or all."""
        for endpoint in [each for each in self.at.values() if not owner or each.owner == owner]:
            endpoint.close()
