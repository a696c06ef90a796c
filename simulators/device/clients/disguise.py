"""How programs begin that hide for whom they are: in small pieces and records, over several datagrams."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from simwarden.runtime.ip.tls import client_context
from simwarden.wire import quic

if TYPE_CHECKING:
    from simwarden.runtime.ip.tcp import Stream

#: octets of the shortest datagram that a server takes an Initial packet from (RFC 9000 14.1)
_LEAST: Final = 1200
_RECORD_HEAD: Final = 5
QUIC_VERSIONS: Final = {1: 0x00000001, 2: 0x6B3343CF}


class CutStream:
    """A connection whose first octets go in segments, and those of TLS in records, of so many octets (0: as it is)."""

    def __init__(self, stream: Stream, pieces: int, records: int) -> None:
        self._stream, self._pieces, self._records = stream, pieces, records
        self._begun = False

    async def read(self) -> bytes:
        """See Conversation."""
        return await self._stream.read()

    def write(self, data: bytes) -> None:
        """See Conversation."""
        if not self._begun and self._records:
            data = in_records(data, self._records)
        size = len(data) if self._begun or not self._pieces else self._pieces
        self._begun = True
        for at in range(0, len(data), size):
            self._stream.write(data[at : at + size])

    def close(self) -> None:
        """See Conversation."""
        self._stream.close()


def in_records(hello: bytes, size: int) -> bytes:
    """Return the record of a ClientHello as several (RFC 8446 5.1)."""
    body = hello[_RECORD_HEAD:]
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(hello[:3] + len(each).to_bytes(2) + each for each in pieces)


def quic_hello(name: str, version: int, datagrams: int, called: bytes) -> list[bytes]:
    """Return datagrams with the ClientHello of a client of QUIC, to a server that it calls by a connection ID.

    OpenSSL makes it, for TLS: it has no transport parameters, so that a server would not go on with it (RFC 9001 8.2).
    """
    hello = _client_hello(name)
    size = -(-len(hello) // datagrams)
    made = []
    for number in range(datagrams):
        frames = quic.crypto_frame(number * size, hello[number * size : (number + 1) * size])
        made.append(quic.protected(QUIC_VERSIONS[version], called, frames.ljust(_LEAST, b"\0"), number))
    return made


def _client_hello(name: str) -> bytes:
    context = client_context()
    context.set_alpn_protocols(["h3"])
    context.set_ecdh_curve("prime256v1")  # with a key of today's defaults it would not fit into one datagram
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name or None)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return out.read()[_RECORD_HEAD:]
    raise AssertionError  # nobody has answered
