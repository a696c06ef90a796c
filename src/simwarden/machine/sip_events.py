"""What the machines of SIP tell their owners, and the times of RFC 3261 (table 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from simwarden.wire.sip import Request, Response

Address: TypeAlias = tuple[str, int]
"""An IP address and a port."""


class SipTimers(NamedTuple):
    """Times in seconds, from which all others are made: A, B, D to K of RFC 3261, L and M of RFC 6026."""

    #: round trip
    t1: float = 0.5
    #: longest pause between two sendings of a request that is no INVITE, and of a final response to one
    t2: float = 4.0
    #: longest life of a message in the network
    t4: float = 5.0

    @property
    def all(self) -> float:
        """B, F, H, J, L and M, and D at the least: after so long nothing more is expected."""
        return 64 * self.t1


@dataclass(frozen=True, slots=True)
class Requested:
    """A request came that opens a server transaction, `key`; of ACK to a 2xx there is none, and it is empty."""

    key: str
    request: Request
    source: Address


@dataclass(frozen=True, slots=True)
class Responded:
    """A response came to a request of ours."""

    key: str
    response: Response


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A request of ours has no final response (B, F), or our final response to an INVITE no ACK (H)."""

    key: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What came is no message, or of nothing that is known; it was answered where there is an answer."""

    reason: str
    data: bytes
    source: Address


TransactionEvent: TypeAlias = Requested | Responded | TimedOut | Fault


# -- calls


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody calls: `ring`, `accept` or `reject`. `source` is where the INVITE came from."""

    call: int
    request: Request
    source: Address = ("", 0)


@dataclass(frozen=True, slots=True)
class Alerting:
    """Whom we call is alerted: `status` is 180, 183..."""

    call: int
    status: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A call stands: ours is answered, or our answer is confirmed by ACK."""

    call: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Refused:
    """A call of ours came to nothing, with the status (408 where nobody answered) and the cause."""

    call: int
    status: int
    cause: int


@dataclass(frozen=True, slots=True)
class Released:
    """A call is over by the other side, or before it was answered by its caller."""

    call: int
    cause: int


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """The other side of a call has sent a DTMF digit, which was accepted."""

    call: int
    key: str


@dataclass(frozen=True, slots=True)
class DigitAnswered:
    """The other side of a call has answered our DTMF digit with a final status."""

    call: int
    status: int


CallEvent: TypeAlias = Incoming | Alerting | Answered | Refused | Released | DigitReceived | DigitAnswered | Fault
