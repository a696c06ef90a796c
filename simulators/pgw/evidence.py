"""What is known of the names of flows: what they have shown, and what the device's resolver said of their far ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.errors import PeerError
from simwarden.policy.rule_set import Evidence, Shown
from simwarden.wire import dns, ip

if TYPE_CHECKING:
    from simulators.pgw.session import FlowCount, Session

_UDP, _TCP = ip.Protocol.UDP, ip.Protocol.TCP


def of(session: Session, flow: ip.Flow, count: FlowCount) -> Evidence:
    """Return what is known of a flow's names now; those of its address are those that it had when the flow began.

    The lifetime of an answer says how long it may be begun with (RFC 1035 3.2.1), not how long a connection lasts.
    """
    count.bound = count.bound or session.names.get(flow.destination, ())
    return Evidence(count.shown, more=count.looking and flow.protocol == _TCP, bound=count.bound)


def take_names(count: FlowCount) -> bool:
    """Take what a connection has said by now; whether that is something else than before, or nothing more will come."""
    shown = Shown(count.names[0].rstrip(".")) if count.names else None
    changed = shown != count.shown
    count.shown = shown
    return changed or not count.looking


def is_question(flow: ip.Flow) -> bool:
    """Whether datagrams of a flow are questions to a resolver, each of which is judged by itself."""
    return flow.protocol == _UDP and flow.destination_port == dns.PORT


def take_question(count: FlowCount, packet: bytes) -> bool:
    """Take what a datagram asks a resolver for, None if it asks nothing; whether that is something else than before."""
    shown = _question_in(packet)
    changed = shown != count.shown
    count.shown = shown
    return changed


def _question_in(packet: bytes) -> Shown | None:
    """Return the one question of a query (RFC 1035 4.1.2); all other messages ask nothing that can be judged."""
    try:
        message = dns.decode(ip.decode_udp(ip.decode(packet)).payload)
        asked = dns.question_of(message)
    except PeerError:
        return None
    return Shown(asked[0], asked[1], "dns") if asked is not None else None
