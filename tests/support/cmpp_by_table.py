"""A service provider's CMPP 2.0 client, written from the protocol's tables by somebody who had not seen our codec.

It imports nothing of the package under test: header (CMPP 2.0 7.3) and bodies (7.4) are written and read here by their
lengths in octets, as the tables give them. That is less than a foreign implementation, and more than our own codec.
"""

from __future__ import annotations

import hashlib
import socket
import struct
import time
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from types import TracebackType

#: CMPP 2.0 7.2 (commands); an answer has the highest bit
CONNECT, TERMINATE, SUBMIT, DELIVER, ACTIVE_TEST = 0x1, 0x2, 0x4, 0x5, 0x8
ANSWER = 0x80000000
#: 7.4.3.1: Msg_Id to Msg_Fmt, Msg_src to Src_Id
_SUBMIT_HEAD, _SUBMIT_PARTIES = struct.Struct("!8xBBBB10sB21sBBB"), struct.Struct("!6s2s6s17s17s21sB")
#: 7.4.5.1, as far as Msg_Length; what a report holds in its content
_DELIVER_HEAD, _REPORT = struct.Struct("!8s21s10sBBB21sBB"), struct.Struct("!8s7s10s10s21sL")


class Pdu(NamedTuple):
    """One message: its command, its sequence, and the octets of its body."""

    command: int
    sequence: int
    body: bytes


class Delivery(NamedTuple):
    """CMPP_DELIVER, of a card's message or of a report."""

    message_id: bytes
    destination: str
    header: bool
    coding: int
    source: str
    is_report: bool
    content: bytes

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read the body of a CMPP_DELIVER, which ends with 8 reserved octets."""
        identity, destination, _service, _pid, udhi, coding, source, report, length = _DELIVER_HEAD.unpack_from(body)
        assert len(body) == _DELIVER_HEAD.size + length + 8
        content = body[_DELIVER_HEAD.size : -8]
        return cls(identity, _text(destination), bool(udhi), coding, _text(source), bool(report), content)

    @property
    def report(self) -> tuple[bytes, str, str]:
        """The Msg_Id that a report is about, what became of that message, and whose number it was for."""
        identity, state, _submitted, _done, destination, _sequence = _REPORT.unpack(self.content)
        return identity, _text(state), _text(destination)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii")


class Client:
    """A connection of a service provider that asks one thing after the other."""

    def __init__(self, where: tuple[str, int], source: str, secret: str) -> None:
        self.source, self.secret, self._sequence = source, secret, 0
        self.socket = socket.create_connection(where, timeout=30)
        #: what came while an answer was awaited
        self.came: list[Pdu] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, command: int, body: bytes = b"", sequence: int | None = None) -> int:
        """Send a message; return its sequence."""
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        self.socket.sendall(struct.pack("!LLL", 12 + len(body), command, sequence) + body)
        return sequence

    def receive(self) -> Pdu:
        """Return the next message."""
        length, command, sequence = struct.unpack("!LLL", self._octets(12))
        return Pdu(command, sequence, self._octets(length - 12))

    def _octets(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            more = self.socket.recv(count - len(found))
            if not more:
                raise ConnectionError("the gateway has gone")
            found += more
        return found

    def ask(self, command: int, body: bytes = b"") -> bytes:
        """Send a request and return the body of its answer."""
        sequence = self.send(command, body)
        while True:
            pdu = self.receive()
            if (pdu.command, pdu.sequence) == (command | ANSWER, sequence):
                return pdu.body
            self.came.append(pdu)

    def proof(self, stamp: int) -> bytes:
        """Return AuthenticatorSource: MD5 of name, nine zeros, secret and the ten digits of the time stamp."""
        return hashlib.md5(f"{self.source}{chr(0) * 9}{self.secret}{stamp:010}".encode()).digest()  # noqa: S324

    def connect(self, stamp: int | None = None, version: int = 0x20) -> tuple[int, bytes, int]:
        """Connect; return the status, what the gateway proves itself by, and its version."""
        stamp = int(time.strftime("%m%d%H%M%S")) if stamp is None else stamp
        name = self.source.encode().ljust(6, b"\0")
        status, proof, held = struct.unpack(
            "!B16sB", self.ask(CONNECT, name + self.proof(stamp) + struct.pack("!BL", version, stamp))
        )
        return status, proof, held

    def submit(
        self,
        destination: str,
        content: bytes,
        *,
        code: str = "",
        coding: int = 8,
        part: tuple[int, int] = (1, 1),
        header: bool = False,
        pid: int = 0,
    ) -> tuple[bytes, int]:
        """Submit a message and want a report; return its Msg_Id and the result."""
        number, total = part
        head = _SUBMIT_HEAD.pack(total, number, 1, 1, b"METERS", 2, b"", pid, header, coding)
        parties = _SUBMIT_PARTIES.pack(self.source.encode(), b"01", b"000000", b"", b"", code.encode(), 1)
        rest = destination.encode().ljust(21, b"\0") + bytes((len(content),)) + content + bytes(8)
        identity, result = struct.unpack("!8sB", self.ask(SUBMIT, head + parties + rest))
        return identity, result

    def delivered(self) -> Delivery:
        """Take the next CMPP_DELIVER, and acknowledge it."""
        pdu = self.came.pop(0) if self.came else self.receive()
        assert pdu.command == DELIVER
        found = Delivery.read(pdu.body)
        self.send(DELIVER | ANSWER, found.message_id + b"\0", pdu.sequence)
        return found
