"""The resolver: it tells the addresses of all hosts (RFC 1035 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import PeerError
from simwarden.wire import dns as codec

if TYPE_CHECKING:
    from dns.message import Message

    from simulators.internet.core import Core
    from simwarden.runtime.ip.tcp import Stream

_TTL = 60
#: octets of the longest datagram to who says that it takes more than 512 (RFC 6891 6.2.5, and DNS flag day 2020)
_LONG = 1232


def answer_datagram(core: Core, ends: tuple[str, str], data: bytes) -> bytes:
    """Return the answer to a query; one that is too long for a datagram says so. Raises PeerError."""
    query = codec.decode(data)
    limit = min(max(query.payload, codec.SHORT), _LONG) if query.edns >= 0 else codec.SHORT
    answer = _answer(core, ends, query)
    whole = answer.to_wire(max_size=65535)
    if len(whole) <= limit:
        return whole
    import dns.flags  # noqa: PLC0415 - few answers are so long

    answer.answer.clear()
    answer.flags |= dns.flags.TC
    return answer.to_wire()


def _answer(core: Core, ends: tuple[str, str], query: Message) -> Message:
    import dns.message  # noqa: PLC0415 - few runs have names
    import dns.rcode  # noqa: PLC0415 - as above
    import dns.rdatatype  # noqa: PLC0415 - as above
    import dns.rrset  # noqa: PLC0415 - as above

    if query.flags & dns.flags.QR or len(query.question) != 1:
        raise PeerError("DNS message that is no query")
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    core.note_asked(ends, "dns", name, kind)
    answer = dns.message.make_response(query, recursion_available=True)
    hosts = [each for each in core.config.hosts.values() if name in each.names]
    if not hosts:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    version = {"A": 4, "AAAA": 6}.get(kind)
    found = [each for host in hosts for each in host.addresses if (6 if ":" in each else 4) == version]
    # of several records in one set dnspython would shuffle the order
    answer.answer += [dns.rrset.from_text(question.name, _TTL, "IN", kind, each) for each in found]
    return answer


async def serve(core: Core, stream: Stream) -> None:
    """Answer the queries of a connection (RFC 7766)."""
    own, _, peer, _ = stream.ends
    data = bytearray()
    try:
        while octets := await stream.read():
            data += octets
            while (query := codec.from_stream(data)) is not None:
                answer = _answer(core, (peer, own), codec.decode(query))
                stream.write(codec.in_stream(answer.to_wire(max_size=65535)))
    except PeerError as error:
        core.blame(error.reason)
    except (ConnectionError, TimeoutError):
        return  # nobody is there any more
