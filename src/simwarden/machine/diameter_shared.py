"""What the connections of a Diameter node have in common, and what a connection tells its owner."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simwarden.wire.diameter import Avps, Message, ResultCode, application_id
from simwarden.wire.diameter.codes import VENDOR_3GPP
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class LocalNode:
    """Who we are on a connection: DiameterIdentity, realm, addresses, and all applications, for CER and CEA."""

    host: str
    realm: str
    addresses: tuple[str, ...] = ("127.0.0.1",)
    applications: tuple[int, ...] = ()
    state_id: int = 0

    @property
    def origin(self) -> tuple[str, str]:
        """Origin-Host and Origin-Realm."""
        return self.host, self.realm

    def capabilities(self) -> Avps:
        """Make the AVPs of CER and CEA (RFC 6733 5.3) from Origin-Host on."""
        avps: Avps = [("Origin-Host", self.host), ("Origin-Realm", self.realm)]
        avps += [("Host-IP-Address", address) for address in self.addresses]
        avps += [("Vendor-Id", 0), ("Product-Name", "simwarden"), ("Origin-State-Id", self.state_id)]
        avps += [("Supported-Vendor-Id", VENDOR_3GPP)]
        # those of the IETF stand plain and before those of vendors, as in the grammar
        return avps + sorted(map(application_id, self.applications), key=lambda avp: avp[0])


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds: `watchdog` is Tw (RFC 3539 3.4.1, jittered by 2), `capabilities` and `disconnect` wait for an answer."""

    watchdog: float = 30.0
    capabilities: float = 10.0
    disconnect: float = 5.0


@dataclass(frozen=True, slots=True)
class Opened:
    """Capabilities are exchanged: requests may flow to and from this peer."""

    host: str
    realm: str
    applications: frozenset[int]
    relay: bool = False
    """Whether it is an agent that relays all applications (RFC 6733 2.4)."""
    state_id: int = 0
    """Its Origin-State-Id (8.16): one that is greater than before says that it has lost its sessions; 0: not told."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over: close the transport. `pending` are the hop-by-hop ids that will get no answer.

    `cause` is the peer's Disconnect-Cause if it said goodbye, `result` the Result-Code of a failed exchange, `host` who
    refused our capabilities.
    """

    reason: str
    pending: tuple[int, ...] = ()
    cause: int | None = None
    result: int | None = None
    host: str = ""


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A request that keeps its grammar: answer it with `send_answer`."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer to a request of ours."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerBroken:
    """The answer to a request of ours came but could not be decoded."""

    hop_by_hop: int
    reason: str


@dataclass(frozen=True, slots=True)
class Faulted:
    """The peer broke the protocol; what was due in reply has been queued. `code` is the Result-Code for it, or 0."""

    reason: str
    code: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A retransmitted request was not handed out again; `replayed` if its answer was at hand and was sent again."""

    message: Message
    replayed: bool


@dataclass(frozen=True, slots=True)
class Suspected:
    """The peer left a watchdog request unanswered for Tw: send elsewhere if there is an elsewhere (RFC 3539 3.4.1)."""


Event = Opened | Closed | RequestReceived | AnswerReceived | AnswerBroken | Faulted | Duplicate | Suspected


class Identifiers:
    """End-to-End identifiers of a node (RFC 6733 3): unique for 4 minutes at least, also over a restart.

    `seconds` is the wall clock at the start, of which the 12 low bits lead; `start` a random number of 20 bits.
    """

    __slots__ = ("_next",)

    def __init__(self, seconds: int, start: int) -> None:
        self._next = (seconds & 0xFFF) << 20 | start & 0xFFFFF

    def next(self) -> int:
        """Return a new one."""
        value = self._next
        self._next = value + 1 & 0xFFFFFFFF
        return value


class Answers:
    """Answers that a node gave lately, for requests that come again (RFC 6733 3, T flag, and 6.2).

    Shared by all connections of a node, since a retransmission may come on another one of the same peer. Another peer
    gets none of them, whatever origin its request claims: an answer may hold keys. They are kept as octets, a tenth
    of what a message takes.
    """

    __slots__ = ("_kept", "_limit")

    def __init__(self, limit: int = 4096) -> None:
        self._kept: OrderedDict[tuple[str, str, int], bytes | None] = OrderedDict()
        self._limit = limit

    def begin(self, peer: str, message: Message) -> tuple[bool, bytes | None]:
        """Take note of a request: return whether it repeats one, and the answer given to that one if it was given."""
        key = _key(peer, message)
        if message.flags & FLAG_RETRANSMITTED and key in self._kept:
            return True, self._kept[key]
        self._kept[key] = None
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return False, None

    def forget(self, peer: str, asked: Message) -> None:
        """Forget a request that was turned away: when it comes again it is a new one."""
        self._kept.pop(_key(peer, asked), None)

    def finish(self, peer: str, asked: Message, answer: bytes) -> None:
        """Keep the answer to a request."""
        key = _key(peer, asked)
        if key in self._kept:
            self._kept[key] = answer


def _key(peer: str, asked: Message) -> tuple[str, str, int]:
    origin = asked.get("Origin-Host")
    return peer, peer if origin == peer else origin, asked.end_to_end  # one text for both, of thousands


@dataclass(slots=True)
class Shared:
    """What the connections of one node have in common.

    `admit` is asked for the Result-Code of a peer by Origin-Host and Origin-Realm of its CER: 2001, 3010 or 4003.
    `random` returns a number from 0 to 1, for the watchdog's jitter and the first hop-by-hop id.
    """

    local: LocalNode
    identifiers: Identifiers
    random: Callable[[], float]
    admit: Callable[[str, str], ResultCode] = lambda _host, _realm: ResultCode.DIAMETER_SUCCESS
    timers: Timers = field(default_factory=Timers)
    answers: Answers = field(default_factory=Answers)
