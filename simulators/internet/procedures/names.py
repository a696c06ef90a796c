"""The resolver: it tells the addresses of all hosts (RFC 1035 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import PeerError
from simwarden.wire import dns as codec

if TYPE_CHECKING:
    from dns.message import Message
    from dns.rrset import RRset

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

    if query.flags & dns.flags.QR or len(query.question) != 1:
        raise PeerError("DNS message that is no query")
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    core.note_asked(ends, "dns", name, kind)
    answer = dns.message.make_response(query, recursion_available=True)
    while (record := core.config.records.get(name)) is not None and record.alias:
        answer.answer.append(_record(name, int(record.ttl), "CNAME", f"{record.alias}."))
        if kind == "CNAME":
            return answer
        name = record.alias
    known = record is not None or any(name in each.names for each in core.config.hosts.values())
    if not known:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    # of several records in one set dnspython would shuffle the order
    found, ttl = _addresses(core, name, kind), int(record.ttl) if record is not None else _TTL
    answer.answer += [_record(name, ttl, kind, each) for each in found]
    return answer


def _record(name: str, ttl: int, kind: str, value: str) -> RRset:
    import dns.rrset  # noqa: PLC0415 - few runs have names

    return dns.rrset.from_text(f"{name}.", ttl, "IN", kind, value)


def _addresses(core: Core, name: str, kind: str) -> list[str]:
    """Return the addresses of a name in records of a kind; where answers change, those of the next query."""
    version = {"A": 4, "AAAA": 6}.get(kind)
    record = core.config.records.get(name)
    if record is None:
        found = [each for host in core.config.hosts.values() if name in host.names for each in host.addresses]
    else:
        turn = core.queries[name, kind] = core.queries.get((name, kind), 0) + (version is not None)
        found = list(record.answers[min(max(turn, 1), len(record.answers)) - 1])
    return [each for each in found if (6 if ":" in each else 4) == version]


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
