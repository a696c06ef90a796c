"""What is known of the names of flows: what they have shown, and what the device's resolver said of their far ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.pgw.inspection import look
from simwarden.policy.rule_set import UNREADABLE, Evidence, Shown
from simwarden.wire import dns, ip

if TYPE_CHECKING:
    from simulators.pgw.session import FlowCount


def of(flow: ip.Flow, count: FlowCount, *, strict: bool) -> tuple[Evidence, ...]:
    """Return what is known of a flow's names now, once for each that it has shown together.

    Names of its address are those that it had when the flow was decided first: the lifetime of an answer says how long
    a connection may be begun with it (RFC 1035 3.2.1), not how long one lasts. The next one by its ports is another.
    """
    more = count.watch is not None and count.watch.pending and not is_question(flow)
    return tuple(Evidence(each, more, count.bound, strict) for each in count.shown or (None,))


def take(count: FlowCount, packet: bytes, now: float, *, up: bool) -> bool:
    """Look at a packet of a flow that may show something; whether that changes what it may pass by."""
    if count.watch is None or not look(count, packet, now, up=up):
        return False
    before, count.shown = count.shown, _shown(count)
    return count.shown != before or (count.pending and not count.watch.pending)


def recall(flow: ip.Flow, count: FlowCount) -> None:
    """Take what a flow has shown while nobody asked; of one that came to no name nobody has looked since."""
    if count.watch is not None:
        count.shown = _shown(count)
    elif flow.protocol in (ip.Protocol.TCP, ip.Protocol.UDP):
        count.shown = (Shown("", None, UNREADABLE),)


def is_question(flow: ip.Flow) -> bool:
    """Whether datagrams of a flow are questions to a resolver, each of which is judged by itself."""
    return flow.protocol == ip.Protocol.UDP and flow.destination_port == dns.PORT


def take_question(count: FlowCount, packet: bytes, now: float) -> bool:
    """Look what a datagram asks a resolver for, which may be nothing; whether that is something else than before."""
    asks = look(count, packet, now, up=True)
    before, count.shown = count.shown, _shown(count) if asks else ()
    return count.shown != before


def _shown(count: FlowCount) -> tuple[Shown, ...]:
    watch = count.watch
    return tuple(Shown(each.host, each.kind or each.path, each.by) for each in watch.shown) if watch is not None else ()
