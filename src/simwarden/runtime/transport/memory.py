"""Links within a process without sockets: the same bytes, handed over in the order of sending."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from simwarden.runtime.frame_queue import Delivery, Happening
from simwarden.runtime.link import Link
from simwarden.runtime.transport.base import Accept, Transport, Wiring, announce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.addresses import Address


@dataclass(slots=True, eq=False)
class _Carried(Delivery):
    """A frame on its way between two ends in this process."""

    _data: bytes
    _stream: int

    def deliver(self) -> None:
        """See Delivery."""
        if self.to.up:
            self.to.on_receive(self._data, self._stream)

    def receiver(self) -> Link | None:
        """See Delivery."""
        return self.to


def carry(wiring: Wiring, near: Link, far: Link, data: bytes, stream: int = 0) -> None:
    """Bring a frame from one end to the other, unless a tap takes it."""
    if wiring.tap is None:
        wiring.frame_queue.post(_Carried(far, data, stream))
    else:
        wiring.tap(near, data, lambda octets: wiring.frame_queue.post(_Carried(far, octets, stream)))


class MemoryLink(Link):
    """One of two ends that know each other."""

    __slots__ = ()

    def _transmit(self, data: bytes, stream: int) -> None:
        if self.far is not None:
            carry(self.wiring, self, self.far, data, stream)

    def _transmit_packets(self, packets: Sequence[bytes]) -> None:
        if self.far is not None:
            self.wiring.frame_queue.post(Happening(self.far, partial(self.far.hear_packets, packets)))

    def _shut(self, reason: str) -> None:
        far, self.far = self.far, None
        if far is not None:
            self.wiring.frame_queue.post(Happening(far, lambda: far.hear_close(reason)))


class MemoryTransport(Transport):
    """The default of `run`."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._listeners: dict[tuple[str, str], Accept] = {}

    async def listen(self, interface: Interface, owner: str, accept: Accept, _address: Address | None = None) -> None:
        """Remember who accepts; there is no address in memory."""
        self._listeners[owner, interface.name] = accept

    async def connect(self, interface: Interface, owner: str, target: str) -> Link:
        """Join two ends. The connection has its place in the order; the listener hears of it first."""
        accept = self._listeners.get((target, interface.name))
        if accept is None:
            return await super().connect(interface, owner, target)
        number = self.wiring.next_number()
        near = MemoryLink(self.wiring, interface, owner, target, number, client=True)
        far = MemoryLink(self.wiring, interface, target, owner, number, client=False)
        near.far, far.far = far, near
        established: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self.wiring.frame_queue.post(Happening(far, lambda: announce(accept, far, near, established)))
        return await established

    async def stop_listening(self, owner: str = "") -> None:
        """Forget the listeners of an element, or all."""
        for key in [key for key in self._listeners if owner in ("", key[0])]:
            del self._listeners[key]
