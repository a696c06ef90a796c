"""The names of flows: what the first octets of a connection say, and what the device's resolver told of addresses.

Addresses are taken only from answers to a question of the same device, from whom it asked (RFC 5452 9.1).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from simwarden.errors import PeerError
from simwarden.wire import clear_names, dns, ip

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.pgw.session import FlowCount, Session

#: addresses of a session whose names are remembered; of more the first is forgotten
_MOST: Final = 1024
#: packets from the device after which no name is awaited any more
_PATIENCE: Final = 64
#: what is tried on the first octets of a connection
_READERS: Final[tuple[Callable[[bytes], str | None], ...]] = (clear_names.tls_name, clear_names.http_name)


def inspected(flow: ip.Flow) -> bool:
    """Whether a flow may say names."""
    return flow.protocol == ip.Protocol.TCP or (flow.protocol == ip.Protocol.UDP and flow.destination_port == dns.PORT)


def look(session: Session, flow: ip.Flow, count: FlowCount, packet: bytes, *, up: bool) -> None:
    """Look into a packet of a flow that may say names, until it has said them, or will not."""
    try:
        if flow.protocol == ip.Protocol.TCP:
            if count.uplink_packets > _PATIENCE:
                count.looking, count.seen = False, b""
            elif up:
                _look_at_stream(count, ip.decode_tcp(ip.decode(packet)))
        else:
            _look_at_dns(session, count, ip.decode_udp(ip.decode(packet)).payload, up=up)
    except PeerError:
        count.looking = flow.protocol != ip.Protocol.TCP  # what is no name is none of its business


def _look_at_stream(count: FlowCount, segment: ip.Tcp) -> None:
    """Gather the first octets in their order, and read a name in them; what is lost comes again."""
    if segment.flags & ip.TcpFlag.SYN:
        count.next, count.seen = (segment.sequence + 1) % (1 << 32), b""
    elif segment.payload and count.next is None:
        count.looking = False  # its beginning was before that of this record
    elif segment.payload and segment.sequence == count.next:
        count.next = (segment.sequence + len(segment.payload)) % (1 << 32)
        count.seen += segment.payload
        name = _name_in(count.seen)
        if name is not None or len(count.seen) > clear_names.LONGEST:
            count.looking, count.seen = False, b""
            count.names = (name,) if name else ()


def _name_in(octets: bytes) -> str | None:
    """Return the name that a client says. Raises PeerError where nobody can read what it says."""
    for read in _READERS:
        try:
            return read(octets)
        except PeerError:
            continue
    raise PeerError("neither TLS nor HTTP")


def _look_at_dns(session: Session, count: FlowCount, message: bytes, *, up: bool) -> None:
    """Remember a question, and the addresses of its answer."""
    if up:
        count.seen = message
        return
    if not count.seen or not dns.is_answer(message, count.seen):
        return
    answer = dns.decode(message)
    for question in answer.question:
        name = question.name.to_text(omit_final_dot=True).lower()
        count.names = tuple(dict.fromkeys((*count.names, name)))
        for _, address in dns.addresses_in(answer, name):
            _remember(session, ipaddress.ip_address(address).packed, name)


def _remember(session: Session, address: bytes, name: str) -> None:
    known = session.names.get(address, ())
    if name in known:
        return
    if not known and len(session.names) >= _MOST:
        del session.names[next(iter(session.names))]
    session.names[address] = (*known[-7:], name)


def names_of(session: Session, flow: ip.Flow, count: FlowCount) -> tuple[str, ...]:
    """Return the names seen for a flow: those that it said itself, and those of its peer's address."""
    return tuple(dict.fromkeys((*count.names, *session.names.get(flow.destination, ()))))
