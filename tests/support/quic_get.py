"""A client of HTTP/3 by aioquic: `quic_get.py ADDRESS NAME` prints what NAME answers at ADDRESS."""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import TYPE_CHECKING

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event
from aioquic.quic.configuration import QuicConfiguration

if TYPE_CHECKING:
    from aioquic.quic.events import QuicEvent


class Client(QuicConnectionProtocol):
    """A connection in which one page is asked for."""

    def ask(self, name: str) -> asyncio.Future[bytes]:
        """Ask for the page; its octets come when they are all there."""
        self.http = H3Connection(self._quic)
        self.body, self.done = b"", asyncio.get_running_loop().create_future()
        head = {":method": "GET", ":scheme": "https", ":authority": name, ":path": "/aioquic"}
        pairs = [(key.encode(), value.encode()) for key, value in head.items()]
        self.http.send_headers(self._quic.get_next_available_stream_id(), pairs, end_stream=True)
        self.transmit()
        return self.done

    def quic_event_received(self, event: QuicEvent) -> None:
        """Take what comes."""
        if hasattr(self, "http"):
            for each in self.http.handle_event(event):
                self._take(each)

    def _take(self, event: H3Event) -> None:
        if isinstance(event, DataReceived):
            self.body += event.data
            if event.stream_ended and not self.done.done():
                self.done.set_result(self.body)


async def main(address: str, name: str) -> None:
    """Ask, and print."""
    told = QuicConfiguration(alpn_protocols=H3_ALPN, server_name=name, verify_mode=ssl.CERT_NONE)
    async with connect(address, 443, configuration=told, create_protocol=Client) as client:
        assert isinstance(client, Client)
        sys.stdout.buffer.write(await client.ask(name))


asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 60))
