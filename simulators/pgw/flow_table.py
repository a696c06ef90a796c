"""The flows of a session: a bounded table in which no class of flows displaces another.

Each class has its bound. A flow beyond it displaces the least recently active flow of the same class. An
unknown sender only creates flows of the first two classes, and cannot displace a flow that the device began.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from simwarden.wire import ip

if TYPE_CHECKING:
    from simwarden.machine.inspection.watch import Watch

#: seconds within which the order of packets does not count: a flow moves to the end of its class once in that time
GRAIN: Final = 1.0
#: packets in each direction from which on a flow is more than a question and its answer
LASTING: Final = 2
_ICMP: Final = frozenset({ip.Protocol.ICMP, ip.Protocol.ICMPV6})


class FlowKind(StrEnum):
    """A class of flows."""

    #: refused, or begun from outside and not answered; also ICMP, of which each packet is judged separately
    UNSERVED = "unserved"
    #: begun from outside, and answered by the device
    INBOUND = "inbound"
    #: begun by the device: a question and its answer, or a connection that has ended
    BRIEF = "brief"
    #: begun by the device: datagrams in both directions (DTLS, QUIC, tunnels)
    DATAGRAMS = "datagrams"
    #: begun by the device: a connection of TCP that goes on
    CONNECTION = "connection"


#: flows of each class that a session has at most
BOUNDS: Final[dict[FlowKind, int]] = {
    FlowKind.UNSERVED: 512,
    FlowKind.INBOUND: 512,
    FlowKind.BRIEF: 1024,
    FlowKind.DATAGRAMS: 1024,
    FlowKind.CONNECTION: 2048,
}


class Counted(Protocol):
    """A flow, as far as the table has to know it."""

    outbound: bool
    up: bool | None
    down: bool | None
    uplink_packets: int
    downlink_packets: int
    watch: Watch | None
    closed_by: str
    ended: float
    kind: FlowKind | None
    moved: float


C = TypeVar("C", bound=Counted)


def _kind_of(flow: ip.Flow, count: Counted) -> FlowKind:
    refused = (count.up is False and count.down is False) or (count.closed_by and not count.uplink_packets)
    if refused or not (count.outbound or count.uplink_packets) or flow.protocol in _ICMP:
        return FlowKind.UNSERVED
    if not count.outbound:
        return FlowKind.INBOUND
    over = count.watch is not None and count.watch.over
    if over or min(count.uplink_packets, count.downlink_packets) < LASTING:
        return FlowKind.BRIEF
    return FlowKind.CONNECTION if flow.protocol == ip.Protocol.TCP else FlowKind.DATAGRAMS


class FlowTable(dict[ip.Flow, C]):
    """The flows of a session. Change it by `add`, `touch` and `remove` alone."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        super().__init__()
        #: the flows of each class, the least recently active first
        self._queues: defaultdict[FlowKind, OrderedDict[ip.Flow, None]] = defaultdict(OrderedDict)

    def add(self, flow: ip.Flow, count: C) -> None:
        """Add a flow that has just begun; it has a class from its first `touch`, when its packet has passed or not."""
        self[flow] = count

    def touch(self, flow: ip.Flow, count: C, now: float) -> ip.Flow | None:
        """Record that a flow is active, and its class; return the flow that has to leave, None if all have room."""
        kind = _kind_of(flow, count)
        queue = self._queues[kind]
        if kind is not count.kind:
            self._place(flow, count, kind)
        elif now - count.moved >= GRAIN:
            queue.move_to_end(flow)
            count.moved = now
        return next(iter(queue)) if len(queue) > BOUNDS[kind] else None

    def remove(self, flow: ip.Flow) -> C:
        """Remove a flow, and return it."""
        count = self.pop(flow)
        if count.kind is not None:
            del self._queues[count.kind][flow]
        return count

    def _place(self, flow: ip.Flow, count: C, kind: FlowKind) -> None:
        if count.kind is not None:
            del self._queues[count.kind][flow]
        self._queues[kind][flow] = None
        count.kind, count.moved = kind, count.ended
