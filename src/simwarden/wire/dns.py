"""DNS messages (RFC 1035), by dnspython: what it raises on octets from outside becomes a PeerError."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import PeerError

if TYPE_CHECKING:
    from dns.message import Message
    from dns.name import Name

PORT = 53
#: octets of the longest answer in a datagram to who does not say more (RFC 1035 4.2.1)
SHORT = 512


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


def is_answer(answer: bytes, asked: bytes) -> bool:
    """Whether octets answer a query: number and question are the same (RFC 5452 9.1); others are anybody's."""
    try:
        return decode(asked).is_response(decode(answer))
    except PeerError:
        return False


def question_of(message: Message) -> tuple[str, str] | None:
    """Return the name (in lower case, without the last dot) and the kind of record that a query is for.

    None for what is no standard query, and for one with several questions, of which nobody knows who answers which.
    """
    import dns.flags  # noqa: PLC0415 - as above
    import dns.opcode  # noqa: PLC0415 - as above
    import dns.rdatatype  # noqa: PLC0415 - as above

    answers = message.flags & dns.flags.QR or message.answer or message.authority
    if answers or message.opcode() != dns.opcode.QUERY or len(message.question) != 1:
        return None
    asked = message.question[0]
    return asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)


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
