"""Links within a process without sockets: the same bytes, handed over in the order of sending."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simwarden.runtime.link import Link
from simwarden.runtime.transport.base import Accept, Address, Transport, Wiring

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.model.interfaces import Interface


class _Delivery:
    """A frame on its way between two ends in this process."""

    __slots__ = ("_data", "_stream", "_to")

    def __init__(self, to: MemoryLink, data: bytes, stream: int) -> None:
        self._to, self._data, self._stream = to, data, stream

    def arrived(self) -> bool:
        """See Delivery."""
        return True

    def deliver(self) -> None:
        """See Delivery."""
        if self._to.up:
            self._to.on_receive(self._data, self._stream)

    def describe(self) -> str:
        """See Delivery."""
        return repr(self._to)


def announce(accept: Accept, far: Link, near: Link, established: asyncio.Future[Link]) -> None:
    """Let the listener hear of a connection, then the side that asked for it; one that has given up closes it."""
    accept(far)
    if established.done():
        near.close("given up")
    else:
        established.set_result(near)


class Happening:
    """A connection that is established or closed, in its place among the frames."""

    __slots__ = ("_what", "_who")

    def __init__(self, who: Link, what: Callable[[], None]) -> None:
        self._who, self._what = who, what

    def arrived(self) -> bool:
        """See Delivery."""
        return True

    def deliver(self) -> None:
        """See Delivery."""
        self._what()

    def describe(self) -> str:
        """See Delivery."""
        return repr(self._who)


class MemoryLink(Link):
    """One of two ends that know each other."""

    __slots__ = ("_far", "_wiring")

    def __init__(
        self, wiring: Wiring, interface: Interface, local: str, remote: str, number: int, *, client: bool
    ) -> None:
        super().__init__(interface, local, remote, wiring.trace, number, client=client)
        self._wiring = wiring
        self._far: MemoryLink | None = None

    def join(self, far: MemoryLink) -> None:
        """Make these two the ends of one connection."""
        self._far, far._far = far, self

    def _transmit(self, data: bytes, stream: int) -> None:
        far, tap = self._far, self._wiring.tap
        if far is None:
            return
        if tap is None:
            self._wiring.switchboard.post(_Delivery(far, data, stream))
        else:
            tap(self, data, lambda octets: self._wiring.switchboard.post(_Delivery(far, octets, stream)))

    def _shut(self, reason: str) -> None:
        far, self._far = self._far, None
        if far is not None:
            self._wiring.switchboard.post(Happening(far, lambda: far.hear_close(reason)))


class MemoryTransport(Transport):
    """The default of `run`."""

    def __init__(self, wiring: Wiring, worker: int = 0) -> None:
        super().__init__(wiring, worker)
        self._listeners: dict[tuple[str, str], Accept] = {}

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Remember who accepts; there is no address in memory."""
        del address
        self._listeners[owner, interface.name] = accept

    async def connect(self, interface: Interface, owner: str, target: str) -> Link:
        """Join two ends. The connection has its place in the order; the listener hears of it first."""
        accept = self._listeners.get((target, interface.name))
        if accept is None:
            raise ConnectionRefusedError(f"{target} does not accept {interface.name}")
        number = self.wiring.next_number()
        near = MemoryLink(self.wiring, interface, owner, target, number, client=True)
        far = MemoryLink(self.wiring, interface, target, owner, number, client=False)
        near.join(far)
        established: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self.wiring.switchboard.post(Happening(far, lambda: announce(accept, far, near, established)))
        return await established

    async def stop_listening(self, owner: str) -> None:
        """Forget the listeners of an element."""
        for key in [key for key in self._listeners if key[0] == owner]:
            del self._listeners[key]
