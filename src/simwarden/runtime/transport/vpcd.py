"""The link of a served card to the virtual reader vpcd (vsmartcard), so that PC/SC programs talk to it.

The card connects to the reader (TCP, port 35963 as vsmartcard has it). Each message follows its length (2 octets,
big-endian); one octet alone is a contact (see `wire/apdu/control.py`). vpcd differs from a link between elements in
one thing: it expects no answer to power-on and reset, and asks for the ATR instead.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from simwarden.errors import ConfigError
from simwarden.runtime.link import Link
from simwarden.runtime.transport.base import Transport
from simwarden.wire.apdu.control import Control, control_of

if TYPE_CHECKING:
    from simwarden.model.interfaces import Interface
    from simwarden.runtime.transport.addresses import Address
    from simwarden.runtime.transport.base import Accept, Wiring

#: seconds between two attempts to get into a reader that went away (pcscd restarted)
AGAIN_AFTER = 1.0
_UNANSWERED = (Control.POWER_ON, Control.RESET)


class VpcdLink(Link, asyncio.Protocol):
    """The card's end of its connection to the reader."""

    __slots__ = ("__dict__", "_buffer", "_silent", "gone", "transport")

    def __init__(self, wiring: Wiring, interface: Interface, owner: str, reader: str) -> None:
        super().__init__(wiring, interface, owner, reader, wiring.next_number(), client=False)
        self.internal = False
        self.transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()
        self._buffer = bytearray()
        self._silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's types say less than it promises
        self.transport = transport
        self.wiring.open_sockets.add(self)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._acknowledge()

    def data_received(self, data: bytes) -> None:
        """Pass on whole messages."""
        self._acknowledge()
        self._buffer += data
        while len(self._buffer) >= 2:
            end = 2 + int.from_bytes(self._buffer[:2])
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[2:end])
            del self._buffer[:end]
            self._hear(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the reader is gone."""
        self.wiring.open_sockets.discard(self)
        self.hear_close(str(exc) if exc else "the reader is gone")
        self.gone.set()

    def abort(self) -> None:
        """Drop the socket at once."""
        if self.transport is not None:
            self.transport.abort()

    def _acknowledge(self) -> None:
        # vpcd writes length and APDU apart, under Nagle's rule: a delayed acknowledgement costs 40 ms an APDU. Linux
        # forgets the wish with each segment, and other systems do not know it.
        if self.transport is not None and hasattr(socket, "TCP_QUICKACK"):
            self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _hear(self, message: bytes) -> None:
        if not self.up or not message:
            return
        self.record_received(message)
        self._silent = control_of(message) in _UNANSWERED
        self.on_receive(message, 0)
        self._silent = False

    def _transmit(self, data: bytes, _stream: int) -> None:
        if self.transport is not None and not self._silent:
            self.transport.write(len(data).to_bytes(2) + data)

    def _shut(self, _reason: str) -> None:
        if self.transport is not None:
            self.transport.close()


class VpcdTransport(Transport):
    """A card that listens gets into the reader at its address, and again when that comes back."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._readers: dict[str, Address] = {}
        self._inside: dict[str, asyncio.Task[None]] = {}

    async def listen(self, interface: Interface, owner: str, accept: Accept, address: Address | None = None) -> None:
        """Put the card into the reader at the address. Raises ConfigError if there is none."""
        assert address is not None  # noqa: S101 - a card is served to a reader at an address
        try:
            link = await self._insert(interface, owner, accept, address)
        except OSError as error:
            raise ConfigError(
                f"no virtual reader at {address[0]}:{address[1]} ({error})",
                hint="start pcscd with vsmartcard-vpcd installed, then serve the card",
            ) from error
        self._readers[owner] = address
        work = self._stay(link, interface, owner, accept, address)
        self._inside[owner] = asyncio.get_running_loop().create_task(work)

    def address_of(self, owner: str, _interface: str) -> Address | None:
        """Return the reader's address."""
        return self._readers.get(owner)

    async def stop_listening(self, owner: str = "") -> None:
        """Try no reader any more."""
        for name in [name for name in self._inside if owner in ("", name)]:
            del self._readers[name]
            self._inside.pop(name).cancel()

    async def _insert(self, interface: Interface, owner: str, accept: Accept, address: Address) -> VpcdLink:
        link = VpcdLink(self.wiring, interface, owner, f"{address[0]}:{address[1]}")
        await asyncio.get_running_loop().create_connection(lambda: link, *address)
        accept(link)
        return link

    async def _stay(self, link: VpcdLink, interface: Interface, owner: str, accept: Accept, address: Address) -> None:
        while True:
            await link.gone.wait()
            await asyncio.sleep(AGAIN_AFTER)
            try:
                link = await self._insert(interface, owner, accept, address)
            except OSError:  # the reader is not back yet
                continue
