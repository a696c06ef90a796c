"""The terminal's resolver: one question to the network's DNS server, over UDP, and over TCP if that is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire import dns as codec

if TYPE_CHECKING:
    from dns.message import Message

    from simulators.device.clients.packets import Packets
    from simwarden.runtime.ip.tcp import Stream

#: how often a question is sent that nobody answers
_TRIES: Final = 3


class Resolved(NamedTuple):
    """What came of a question: addresses, the RCODE by its name, and what carried the answer.

    `aliases` are the names to which the answer leads, `ttl` is the shortest lifetime of its records, None without any.
    """

    addresses: tuple[str, ...]
    rcode: str
    over: str
    aliases: tuple[str, ...]
    ttl: int | None


async def resolve(packets: Packets, name: str, kind: str, server: str, apn: str = "") -> Resolved:
    """Ask a server for addresses. Raises ConnectionError, TimeoutError, PeerError, ValueError (no name)."""
    import dns.flags  # noqa: PLC0415 - few stories have names
    import dns.rcode  # noqa: PLC0415 - as above

    question = codec.query(name, kind, packets.emm.site.rng.getrandbits(16))
    own = await packets.need_source(server, apn)
    answer, over = codec.decode(await _ask(packets, own, server, question)), "udp"
    if answer.flags & dns.flags.TC:
        answer, over = await _ask_again(packets, own, server, question), "tcp"
    found = tuple(address for each, address in codec.addresses_in(answer, name) if each == kind)
    aliases = codec.aliases_in(answer)
    ttl = min((records.ttl for records in answer.answer), default=None)
    return Resolved(found, dns.rcode.to_text(answer.rcode()), over, aliases, ttl)


async def _ask(packets: Packets, own: str, server: str, question: bytes) -> bytes:
    for attempt in range(1, _TRIES + 1):
        try:
            return await packets.ask_datagram(
                own, server, codec.PORT, question, lambda came: codec.is_answer(came, question)
            )
        except TimeoutError:
            if attempt == _TRIES:
                raise
    raise AssertionError  # it has returned, or raised


async def _ask_again(packets: Packets, own: str, server: str, question: bytes) -> Message:
    stream = await packets.connect(own, server, codec.PORT)
    try:
        stream.write(codec.in_stream(question))
        message = await _message_on(stream)
    except BaseException:
        stream.abort()
        raise
    stream.close()
    if not codec.is_answer(message, question):
        raise PeerError("an answer to another question")
    return codec.decode(message)


async def _message_on(stream: Stream) -> bytes:
    data = bytearray()
    while (message := codec.from_stream(data)) is None:
        came = await stream.read()
        if not came:
            raise ConnectionResetError("the server ended the connection before its answer")
        data += came
    return message
