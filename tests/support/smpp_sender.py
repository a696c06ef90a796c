"""A customer's platform on a plain blocking socket, which may have many messages without answer."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from smpp_centre import CARD, CODE

from simwarden.wire import smpp
from simwarden.wire.smpp import Address, Bind, Command, Pdu, ShortMessage
from simwarden.wire.stream import Splitter

if TYPE_CHECKING:
    from collections.abc import Callable

#: messages without answer that `drive` keeps
OUTSTANDING = 32


def message(text: bytes) -> ShortMessage:
    """Return a message of the code to the card."""
    return ShortMessage(source=Address(CODE), destination=Address(CARD, 1, 1), short_message=text)


class Sender:
    """A customer's platform on a blocking socket, bound as a transmitter."""

    def __init__(self, where: tuple[str, int], system_id: str = "meters", password: str = "s3cret") -> None:  # noqa: S107
        self._socket = socket.create_connection(where, timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._splitter = Splitter(smpp.LENGTHS)
        self.send(Pdu(Command.BIND_TRANSMITTER, 1, 0, Bind(system_id, password)))
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


def drive(sender: Sender, count: int, body: Callable[[int], ShortMessage]) -> list[float]:
    """Send so many messages; return what each took until it was accepted, in milliseconds, the shortest first."""
    sent: dict[int, float] = {}
    took: list[float] = []
    asked = 0
    while len(took) < count:
        room = min(OUTSTANDING - len(sent), count - asked)
        some = [Pdu(Command.SUBMIT_SM, asked + each + 2, 0, body(asked + each)) for each in range(room)]
        asked += room
        sent |= dict.fromkeys((each.sequence for each in some), time.perf_counter())
        sender.send(*some)
        for answer in sender.receive():
            assert answer.status == 0
            took.append((time.perf_counter() - sent.pop(answer.sequence)) * 1e3)
    return sorted(took)
