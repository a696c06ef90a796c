"""What a host has for HTTP (RFC 9112), plain and under TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import h11

from simulators.internet.procedures.certificates import certificate_of
from simwarden.errors import PeerError

if TYPE_CHECKING:
    from simulators.internet.core import Core
    from simwarden.runtime.ip.tcp import Conversation, Stream

_CONTENT: Final = b"simwarden "


async def serve(core: Core, stream: Stream) -> None:
    """Answer requests."""
    await _serve(core, stream, stream, "http", "")


async def serve_tls(core: Core, stream: Stream) -> None:
    """Answer requests under TLS, with the certificate of the host at the address."""
    from simwarden.runtime.ip.tls import TlsStream  # noqa: PLC0415 - OpenSSL takes time to load

    tls = TlsStream(stream, certificate_of(core, stream.ends[0]), server=True)
    try:
        await tls.handshake()
    except PeerError as error:
        core.blame(error.reason)
    except (ConnectionError, TimeoutError):
        return  # nobody is there any more
    else:
        await _serve(core, stream, tls, "https", tls.name)


async def _serve(core: Core, stream: Stream, talk: Conversation, service: str, sni: str) -> None:
    try:
        await _answer_all(core, stream, talk, service, sni)
    except (h11.RemoteProtocolError, PeerError) as error:
        core.blame(f"HTTP: {error}")
    except (ConnectionError, TimeoutError):
        return
    talk.close()


async def _answer_all(core: Core, stream: Stream, talk: Conversation, service: str, sni: str) -> None:
    own, _, peer, _ = stream.ends
    http = h11.Connection(h11.SERVER)
    request: h11.Request | None = None
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await talk.read())
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            name = dict(request.headers).get(b"host", b"").decode("latin-1")
            path = request.target.decode("ascii", "replace")
            core.note_asked((peer, own), service, name, path, sni)
            talk.write(_answer(core, own, http, request.method, path))
            if http.our_state is h11.MUST_CLOSE:
                return
            http.start_next_cycle()
        elif isinstance(event, h11.ConnectionClosed):
            return


def _answer(core: Core, own: str, http: h11.Connection, method: bytes, path: str) -> bytes:
    """Return the answer to a request in octets."""
    size = core.hosts[own].pages.get(path.partition("?")[0])
    status = 200 if size is not None else 404
    content = b"not here\n" if size is None else (_CONTENT * (size // len(_CONTENT) + 1))[:size]
    headers = [("content-length", str(len(content))), ("content-type", "application/octet-stream")]
    pieces = [http.send(h11.Response(status_code=status, headers=headers)) or b""]
    if method != b"HEAD":
        pieces.append(http.send(h11.Data(data=content)) or b"")
    pieces.append(http.send(h11.EndOfMessage()) or b"")
    return b"".join(pieces)
