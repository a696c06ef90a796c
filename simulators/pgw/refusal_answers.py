"""Answers to packets of a device that its lists refuse: RST, an error of ICMP, or a DNS response; none by default."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from simulators.pgw.evidence import is_question
from simwarden.errors import PeerError
from simwarden.machine.inspection.packets import datagram_in, segment_in
from simwarden.machine.tcp_table import reset_for
from simwarden.wire import dns, ip

if TYPE_CHECKING:
    from simulators.pgw.config import PgwConfig
    from simulators.pgw.session import Session

#: the PGW's address on the link of each session (TS 29.061 11.2.1.3)
ROUTER: Final = "fe80::1"
#: the source of ICMP errors, by version: the PGW has no IPv4 address on the link (dummy address, RFC 7600 4.8)
_SOURCES: Final = {4: "192.0.0.8", 6: ROUTER}
#: destination unreachable, communication administratively prohibited (RFC 1812 5.2.7.1, RFC 4443 3.1)
_PROHIBITED: Final = {4: (3, 13), 6: (1, 1)}
#: octets of the longest error (RFC 1812 4.3.2.3, RFC 4443 2.4), and of its headers
_LONGEST: Final = {4: (576, 28), 6: (1280, 48)}
_ECHOES: Final = (ip.IcmpType.ECHO, ip.Icmpv6Type.ECHO_REQUEST)
_RCODES: Final = {"answer": "REFUSED", "nxdomain": "NXDOMAIN"}


def build_answer(config: PgwConfig, session: Session, flow: ip.Flow, packet: bytes) -> bytes | None:
    """Return the packet that answers a refused packet of a device, or None.

    A query to a resolver of the APN is answered in the resolver's name (`refused_questions`), a TCP segment in the name
    of its destination, all else by the PGW (`refused_flows`).
    """
    peer, device = map(ip.address_text, (flow.destination, flow.source))
    if is_question(flow) and session.bindings.believes(flow.destination):
        rcode, query = _RCODES.get(config.refused_questions), datagram_in(packet)
        answer = dns.refusal_of(query, rcode) if rcode and query else None
        datagram = ip.Udp(flow.destination_port, flow.source_port, answer or b"")
        return ip.encode(ip.encode_udp(datagram, peer, device)) if answer else None
    if config.refused_flows == "drop":
        return None
    if flow.protocol == ip.Protocol.TCP:
        segment = segment_in(packet)
        reset = reset_for(segment) if segment is not None else None
        return ip.encode(ip.encode_tcp(reset, peer, device)) if reset is not None else None
    return _build_error(device, packet) if _may_cause_error(packet) else None


def _may_cause_error(packet: bytes) -> bool:
    """Return True for a packet that an error may be about (RFC 1122 3.2.2, RFC 4443 2.4 e)."""
    try:
        decoded = ip.decode(packet)
        if decoded.protocol in (ip.Protocol.ICMP, ip.Protocol.ICMPV6):
            return ip.decode_icmp(decoded).type in _ECHOES
    except PeerError:
        return False
    destination = ipaddress.ip_address(decoded.destination)
    return not (decoded.offset or destination.is_multicast or decoded.destination == "255.255.255.255")


def _build_error(device: str, packet: bytes) -> bytes:
    version = 6 if ":" in device else 4
    longest, headers = _LONGEST[version]
    kind, code = _PROHIBITED[version]
    error = ip.Icmp(kind, code, 0, packet[: longest - headers])
    return ip.encode(ip.encode_icmp(error, _SOURCES[version], device))
