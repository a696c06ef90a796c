"""TLS on a connection of user programs: OpenSSL between two buffers, as it would be on a socket (RFC 8446)."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.ip.tcp import Conversation

_PIECE = 65536
#: the names that clients have said, by the connection's object
_heard: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()


def client_context() -> ssl.SSLContext:
    """Return what a client needs that believes every certificate, as modules in machines mostly do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def server_context(certificate: str) -> ssl.SSLContext:
    """Return what a server needs with the certificate and key in a file (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = _hear
    return context


def _hear(tls: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    if name and isinstance(tls, ssl.SSLObject):
        _heard[tls] = name


class TlsStream:
    """One end of TLS; handshake first."""

    def __init__(self, stream: Conversation, context: ssl.SSLContext, *, server: bool, name: str = "") -> None:
        """`name` is what the ClientHello says (SNI, RFC 6066 3); empty: nothing."""
        self._stream = stream
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=server, server_hostname=name or None)

    @property
    def name(self) -> str:
        """The name that the client said, at a server."""
        return _heard.get(self._tls, "")

    async def handshake(self) -> None:
        """Agree on keys. Raises PeerError, ConnectionError, TimeoutError."""
        try:
            await self._do(self._tls.do_handshake)
        except ssl.SSLZeroReturnError:  # close_notify in the place of a hello
            raise ConnectionResetError("the peer ended TLS in its handshake") from None

    async def read(self) -> bytes:
        """See Conversation."""
        try:
            return await self._do(lambda: self._tls.read(_PIECE)) or b""
        except ssl.SSLZeroReturnError:
            return b""

    def write(self, data: bytes) -> None:
        """See Conversation."""
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        """See Conversation: the peer is told that nothing is cut off (RFC 8446 6.1)."""
        with contextlib.suppress(ssl.SSLError):  # its own goodbye need not be awaited
            self._tls.unwrap()
        self._flush()
        self._stream.close()

    def _flush(self) -> None:
        data = self._out.read()
        if data:
            self._stream.write(data)

    async def _do(self, call: Callable[[], bytes | None]) -> bytes | None:
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                self._flush()
                data = await self._stream.read()
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()
            except ssl.SSLZeroReturnError:
                raise
            except ssl.SSLEOFError:
                raise ConnectionResetError("the peer ended TLS without a word") from None
            except ssl.SSLError as error:
                raise PeerError(f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}") from None
            finally:
                self._flush()
