"""A customer's platform on a plain blocking socket, which may have many messages without answer."""

from __future__ import annotations

import socket

from smpp_centre import CARD, CODE

from simwarden.wire import smpp
from simwarden.wire.smpp import Address, Bind, Command, Pdu, ShortMessage, Splitter


def message(text: bytes) -> ShortMessage:
    """Return a message of the code to the card."""
    return ShortMessage(source=Address(CODE), destination=Address(CARD, 1, 1), short_message=text)


class Sender:
    """A customer's platform on a blocking socket, bound as a transmitter."""

    def __init__(self, where: tuple[str, int]) -> None:
        self._socket = socket.create_connection(where, timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._splitter = Splitter()
        self.send(Pdu(Command.BIND_TRANSMITTER, 1, 0, Bind("meters", "s3cret")))
        assert self.receive()[0].status == 0

    def send(self, *pdus: Pdu) -> None:
        self._socket.sendall(b"".join(map(smpp.encode, pdus)))

    def receive(self) -> list[Pdu]:
        while True:
            found = [smpp.decode(each) for each in self._splitter.feed(self._socket.recv(1 << 16))]
            if found:
                return found

    def close(self) -> None:
        self._socket.close()
