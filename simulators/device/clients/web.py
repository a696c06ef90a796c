"""The terminal's HTTP client: one request on a connection of its own, plain or under TLS (RFC 9112)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import h11

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from simulators.device.clients.packets import Packets
    from simwarden.runtime.ip.tcp import Conversation, Stream


class Request(NamedTuple):
    """What is asked for, of whom: `host` for the Host field, `sni` for TLS (empty: none), `upload` octets sent.

    `path` is the request's target, for CONNECT a host with its port. The beginning goes in segments of `pieces` octets
    and, under TLS, records of `records`; 0: as it comes.
    """

    address: str
    port: int
    path: str
    host: str
    tls: bool
    sni: str
    upload: int
    apn: str = ""
    pieces: int = 0
    records: int = 0


@dataclass(slots=True)
class Passed:
    """What has passed of an exchange: the status (0: none came), and octets of content each way."""

    status: int = 0
    sent: int = 0
    octets: int = 0


async def fetch(packets: Packets, request: Request, passed: Passed) -> None:
    """Ask, and read the whole answer; `passed` tells at any time how far that is.

    Raises ConnectionError, TimeoutError, PeerError.
    """
    own = await packets.need_source(request.address, request.apn)
    stream = await packets.connect(own, request.address, request.port)
    try:
        await _exchange(await _secured(stream, request), request, passed)
    except BaseException:
        stream.abort()
        raise


async def _secured(stream: Stream, request: Request) -> Conversation:
    below: Conversation = stream
    if request.pieces or request.records:
        from simulators.device.clients.disguise import CutStream  # noqa: PLC0415 - few programs hide

        below = CutStream(stream, request.pieces, request.records if request.tls else 0)
    if not request.tls:
        return below
    from simwarden.runtime.ip.tls import TlsStream, client_context  # noqa: PLC0415 - OpenSSL takes time to load

    tls = TlsStream(below, client_context(), server=False, name=request.sni)
    await tls.handshake()
    return tls


async def _exchange(talk: Conversation, request: Request, passed: Passed) -> None:
    http = h11.Connection(h11.CLIENT)
    fields = [("host", request.host), ("user-agent", "simwarden"), ("connection", "close")]
    if request.upload:
        fields.append(("content-length", str(request.upload)))
    method = "POST" if request.upload else "GET" if request.path.startswith(("/", "http:", "https:")) else "CONNECT"
    talk.write(http.send(h11.Request(method=method, target=request.path, headers=fields)) or b"")
    if request.upload:
        talk.write(http.send(h11.Data(data=bytes(request.upload))) or b"")
    talk.write(http.send(h11.EndOfMessage()) or b"")
    try:
        await _read(talk, http, passed)
    except h11.RemoteProtocolError as error:
        raise PeerError(f"HTTP: {error}") from None
    passed.sent = request.upload
    talk.close()


async def _read(talk: Conversation, http: h11.Connection, passed: Passed) -> None:
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await talk.read())
        elif isinstance(event, h11.Response):
            passed.status = event.status_code
        elif isinstance(event, h11.Data):
            passed.octets += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the server ended the connection before its answer")
