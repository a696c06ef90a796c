"""DNS messages (RFC 1035), by dnspython: what it raises on octets from outside becomes a PeerError."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from dns.message import Message
    from dns.name import Name
    from dns.rdata import Rdata

PORT = 53
#: octets of the longest answer in a datagram to who does not say more (RFC 1035 4.2.1)
SHORT = 512
#: octets of the longest query: a name, and what EDNS says (RFC 6891)
LONGEST_QUERY = 4096


class Question(NamedTuple):
    """A name (in lower case, without the final dot), and the type that is asked for (`A`)."""

    name: str
    kind: str


class Told(NamedTuple):
    """What an answer tells of the name that was asked for: addresses as octets, and for how many seconds they hold."""

    name: str
    addresses: tuple[bytes, ...]
    lifetime: int


def decode(data: bytes) -> Message:
    """Return a message. Raises PeerError."""
    import dns.message  # noqa: PLC0415 - few runs have names

    try:
        return dns.message.from_wire(data)
    except Exception as error:  # noqa: BLE001 - third-party decoders raise anything
        raise PeerError(f"no DNS message in {len(data)} octets: {type(error).__name__}") from None


def query(name: str, kind: str, number: int) -> bytes:
    """Return a query for records of a kind (`A`). Raises ValueError for what is no name or kind."""
    import dns.exception  # noqa: PLC0415 - as above
    import dns.message  # noqa: PLC0415 - as above

    try:
        return dns.message.make_query(name, kind, id=number).to_wire()
    except (dns.exception.DNSException, ValueError, UnicodeError) as error:
        raise ValueError(f"{name} {kind}: {error}") from None


def _as_text(name: Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def questions_in(query: Message) -> tuple[Question, ...]:
    """Return what a query asks. Raises PeerError if it is none, or says anything beside (EDNS aside, RFC 6891)."""
    import dns.flags  # noqa: PLC0415 - as above
    import dns.opcode  # noqa: PLC0415 - as above
    import dns.rdataclass  # noqa: PLC0415 - as above
    import dns.rdatatype  # noqa: PLC0415 - as above

    if query.flags & dns.flags.QR or query.opcode() != dns.opcode.QUERY or not query.question:
        raise PeerError("DNS message that is no query")
    if query.answer or query.authority or query.additional:
        raise PeerError("DNS query with records")
    if any(b"." in label for each in query.question for label in each.name.labels):
        raise PeerError("DNS query for a name with a dot in a label")  # as text it would be one of other labels
    if any(each.rdclass != dns.rdataclass.IN for each in query.question):
        raise PeerError("DNS query of another class")
    return tuple(Question(_as_text(each.name), dns.rdatatype.to_text(each.rdtype)) for each in query.question)


def refusal_of(query: bytes, rcode: str = "REFUSED") -> bytes | None:
    """Return the answer to a query with an RCODE (RFC 1035 4.1.1), None for octets that are not a query."""
    import dns.message  # noqa: PLC0415 - as above
    import dns.rcode  # noqa: PLC0415 - as above

    try:
        asked = decode(query)
        questions_in(asked)
        answer = dns.message.make_response(asked)
        answer.set_rcode(dns.rcode.from_text(rcode))
        return answer.to_wire()
    except PeerError:
        return None


def told_by(answer: Message) -> Told:
    """Return what an answer tells: records of the name that was asked for, or of that which it is an alias of.

    The hints of HTTPS and SVCB records (RFC 9460 7.3) are addresses as well. It holds as long as the record and the
    aliases before it (RFC 2181 5.2). Raises PeerError where an answer contradicts itself; nothing is told by one that
    is cut off (RFC 2181 9).
    """
    import dns.exception  # noqa: PLC0415 - as above
    import dns.flags  # noqa: PLC0415 - as above
    import dns.message  # noqa: PLC0415 - as above

    if not isinstance(answer, dns.message.QueryMessage) or answer.flags & dns.flags.TC:
        raise PeerError("DNS answer that is not whole")
    try:
        chain = answer.resolve_chaining()
    except dns.exception.DNSException as error:
        raise PeerError(f"DNS answer that contradicts itself: {type(error).__name__}") from None
    addresses = [address for each in chain.answer or () for address in _addresses_of(each)]
    return Told(_as_text(answer.question[0].name), tuple(dict.fromkeys(addresses)), chain.minimum_ttl)


def _addresses_of(record: Rdata) -> list[bytes]:
    from dns.rdtypes.IN.A import A  # noqa: PLC0415 - as above
    from dns.rdtypes.IN.AAAA import AAAA  # noqa: PLC0415 - as above
    from dns.rdtypes.svcbbase import SVCBBase  # noqa: PLC0415 - as above

    if isinstance(record, A | AAAA):
        return [ipaddress.ip_address(record.address).packed]
    if isinstance(record, SVCBBase):
        hints = [hint for each in record.params.values() for hint in getattr(each, "addresses", ())]
        return [ipaddress.ip_address(each).packed for each in hints]
    return []


def is_answer(answer: bytes, asked: bytes) -> bool:
    """Whether octets answer a query: number and question are the same (RFC 5452 9.1); others are anybody's."""
    try:
        return decode(asked).is_response(decode(answer))
    except PeerError:
        return False


def addresses_in(answer: Message, name: str) -> list[tuple[str, str]]:
    """Return the addresses that an answer gives for a name, by aliases if need be, each with the kind of its record."""
    import dns.name  # noqa: PLC0415 - as above
    import dns.rdatatype  # noqa: PLC0415 - as above

    wanted: set[Name] = {dns.name.from_text(name)}
    found = []
    for records in answer.answer:  # an alias comes before what it stands for (RFC 1034 3.6.2)
        if records.name not in wanted:
            continue
        kind = dns.rdatatype.to_text(records.rdtype)
        for each in records:
            if kind == "CNAME":
                wanted.add(each.target)
            elif kind in ("A", "AAAA"):
                found.append((kind, str(each.address)))
    return found


def aliases_in(answer: Message) -> tuple[str, ...]:
    """Return the names to which the aliases of an answer lead, in its order."""
    import dns.rdatatype  # noqa: PLC0415 - as above

    chain = (each for records in answer.answer if records.rdtype == dns.rdatatype.CNAME for each in records)
    return tuple(_as_text(each.target) for each in chain)


def in_stream(message: bytes) -> bytes:
    """Return a message as it goes over TCP: behind its length (RFC 1035 4.2.2)."""
    return len(message).to_bytes(2) + message


def from_stream(data: bytearray) -> bytes | None:
    """Take a message off what came over TCP, None if it is not all there."""
    end = 2 + int.from_bytes(data[:2])
    if len(data) < max(end, 2):
        return None
    message = bytes(data[2:end])
    del data[:end]
    return message
