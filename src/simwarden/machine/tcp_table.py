"""States, transitions, settings and events of a TCP connection (RFC 9293 3.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from simwarden.wire.ip import Tcp, TcpFlag

#: octets that may come unasked, since no application here is slower than the network (RFC 9293 3.8.6)
WINDOW: Final = 65535
#: what a peer takes that says no MSS, by the version of IP (RFC 9293 3.7.1)
DEFAULT_MSS: Final = {4: 536, 6: 1220}
#: who says less would have each octet sent in a packet of its own
LEAST_MSS: Final = 48
#: pieces that are kept until those before them come
MOST_HELD: Final = 256
#: sequence numbers
WHOLE: Final = 1 << 32
#: keep-alives without an answer after which a peer is given up, and the longest time between two of them, in seconds
#: (tcp_keepalive_probes and tcp_keepalive_intvl of Linux)
MOST_PROBES: Final = 9
PROBE_INTERVAL: Final = 75.0


class State(Enum):
    """RFC 9293 3.3.2; a listener is its owner's affair."""

    CLOSED = "closed"
    SYN_SENT = "syn-sent"
    SYN_RECEIVED = "syn-received"
    ESTABLISHED = "established"
    FIN_WAIT_1 = "fin-wait-1"
    FIN_WAIT_2 = "fin-wait-2"
    CLOSE_WAIT = "close-wait"
    CLOSING = "closing"
    LAST_ACK = "last-ack"
    TIME_WAIT = "time-wait"


OVER: Final = {State.CLOSING, State.LAST_ACK, State.TIME_WAIT}
SENDS: Final = {State.ESTABLISHED, State.CLOSE_WAIT}
#: what becomes of a state when our FIN is acknowledged (of LAST-ACK the end), and when the peer's has come
ON_FIN_ACKED: Final = {State.FIN_WAIT_1: State.FIN_WAIT_2, State.CLOSING: State.TIME_WAIT}
ON_FIN: Final = {
    State.ESTABLISHED: State.CLOSE_WAIT,
    State.FIN_WAIT_1: State.CLOSING,
    State.FIN_WAIT_2: State.TIME_WAIT,
}
ON_CLOSE: Final = {State.ESTABLISHED: State.FIN_WAIT_1, State.CLOSE_WAIT: State.LAST_ACK}


@dataclass(frozen=True, slots=True)
class TcpSettings:
    """`mss` is what this end takes, `version` that of IP, `tries` how often in all a segment is sent.

    With 8 tries a peer is given up after 183 s, not before the 100 s of RFC 9293 3.8.3. `msl` is in seconds, and so is
    `keep_alive`: after this time without a segment of the peer a keep-alive is sent (3.8.4); 0: none is.
    """

    mss: int = 1318
    version: int = 4
    tries: int = 8
    msl: float = 30.0
    keep_alive: float = 0.0


@dataclass(frozen=True, slots=True)
class Opened:
    """Both ends know each other's number."""


@dataclass(frozen=True, slots=True)
class Received:
    """Octets that came, in order."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer will send no more."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over: `reset` by the peer, or given up as its octets are not acknowledged (`timed_out`)."""

    reset: bool = False
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Alive:
    """The peer has answered a keep-alive."""


@dataclass(frozen=True, slots=True)
class Faulted:
    """The peer sent what breaks the protocol; what it calls for has been sent."""

    reason: str


Event = Opened | Received | Ended | Closed | Alive | Faulted


def reset_for(segment: Tcp) -> Tcp | None:
    """Return what a port without a connection answers (RFC 9293 3.10.7.1); a RST gets nothing."""
    if segment.flags & TcpFlag.RST:
        return None
    if segment.flags & TcpFlag.ACK:
        return Tcp(segment.destination_port, segment.source_port, segment.acknowledgement, 0, TcpFlag.RST, 0)
    after = (segment.sequence + segment.length) % WHOLE
    return Tcp(segment.destination_port, segment.source_port, 0, after, TcpFlag.RST | TcpFlag.ACK, 0)


def near(number: int, beside: int) -> int:
    """Return the integer beside another of which a 32-bit number is the end."""
    half = WHOLE // 2
    return beside + ((number - beside + half) % WHOLE) - half
