"""A session with a window of requests, as SMPP and CMPP have it, as a machine without I/O: both ends.

The owner is notified of requests, which it answers when it can, and of the results of its own. Protocol errors of the
peer are answered here: the owner gets only a Fault.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from simwarden.errors import PeerError
from simwarden.machine.outputs import Outputs
from simwarden.machine.timer import Timer
from simwarden.wire.stream import FramingError, Splitter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from enum import Enum, IntEnum

    from simwarden.wire.stream import Lengths

#: bit of the command of an answer, in both protocols
RESPONSE = 0x80000000


class SessionPdu(Protocol):
    """A PDU of either protocol."""

    @property
    def command(self) -> IntEnum:
        """Its command."""

    @property
    def sequence(self) -> int:
        """The sequence number, which its answer repeats."""


P = TypeVar("P", bound=SessionPdu)
B = TypeVar("B")
S = TypeVar("S", bound="Enum")


class Limits(NamedTuple):
    """How long a session waits, in seconds, and how many requests it takes; by default those of SMPP (2.9, 7.2)."""

    #: requests of either side that may be without answer at a time
    window: int = 32
    #: for a bind, on a connection that was accepted (session_init_timer)
    bind: float = 5.0
    #: for the answer to a request (response_timer)
    response: float = 10.0
    #: of silence, after which the link is tested (enquire_link_timer)
    quiet: float = 30.0
    #: how often a request is sent
    attempts: int = 1


class LinkCommands(NamedTuple):
    """The requests about the link itself: without an answer to one the session ends."""

    bind: Collection[IntEnum]
    unbind: IntEnum
    test: IntEnum
    #: why a session is closed: it was ended by `unbind`, or there was no bind in time
    unbound: str
    no_bind: str


@dataclass(frozen=True, slots=True)
class BindAsked(Generic[P, B]):
    """A peer wants to bind: `accept` or `refuse` it."""

    pdu: P
    bind: B


@dataclass(frozen=True, slots=True)
class BindAnswered:
    """The bind that was asked for stands (status 0), or does not."""

    status: int


@dataclass(frozen=True, slots=True)
class Asked(Generic[P]):
    """A request came in its place: `answer` it."""

    pdu: P


@dataclass(frozen=True, slots=True)
class Answered(Generic[P]):
    """A request of the owner's has its answer; None: none came in time, or the session ended before."""

    asked: P
    answer: P | None


@dataclass(frozen=True, slots=True)
class Fault:
    """The peer broke the protocol; it was answered where there is an answer."""

    reason: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over: close the link."""

    reason: str


SessionEvent: TypeAlias = BindAsked[P, B] | BindAnswered | Asked[P] | Answered[P] | Fault | Closed


class _Waiting(NamedTuple, Generic[P]):
    asked: P
    until: float
    attempts: int


class WindowedSession(Outputs[bytes, SessionEvent[P, B]], ABC, Generic[P, B, S]):
    """One session over one connection. Times are seconds of the owner's clock."""

    #: octets of a PDU, and the reverse (raises PeerError); a request without a body by command and sequence number
    _encode: Callable[[P], bytes]
    _decode: Callable[[bytes], P]
    _new_pdu: Callable[[Any, int], P]
    lengths: Lengths
    last_sequence: int
    commands: LinkCommands
    #: states of a new, an unbinding and a closed session, and those in which requests may be sent
    open_state: S
    unbinding_state: S
    closed_state: S
    bound_states: Collection[S]

    def __init__(self, now: float, limits: Limits, *, serves: bool) -> None:
        """`serves`: the peer must bind."""
        super().__init__()
        self.limits, self.state = limits, self.open_state
        self._serves, self._splitter = serves, Splitter(self.lengths)
        self._waiting: dict[int, _Waiting[P]] = {}
        self._unanswered: set[int] = set()
        self._sequence = 0
        self._opened = self._heard = now

    @abstractmethod
    def _receive_request(self, pdu: P) -> None:
        """Handle a request of the peer."""

    @abstractmethod
    def _receive_bind_answer(self, asked: P, answer: P) -> None:
        """Handle the answer to a bind."""

    @abstractmethod
    def _answer_malformed(self, octets: bytes, error: PeerError) -> None:
        """Answer octets that are no PDU."""

    # -- what the owner does

    @property
    def over(self) -> bool:
        """Whether the link is of no use any more."""
        return self.state is self.closed_state

    @property
    def is_bound(self) -> bool:
        """Whether messages may be exchanged."""
        return self.state in self.bound_states

    @property
    def room(self) -> int:
        """How many requests may be sent now."""
        return self.limits.window - len(self._waiting) if self.is_bound else 0

    def unbind(self, now: float) -> None:
        """End the session; a peer that does not answer is left when the time is over."""
        if not self.is_bound:
            self._close(self.commands.unbound)
            return
        self.state = self.unbinding_state
        self._request(self._new_pdu(self.commands.unbind, self._next_sequence()), now)

    def lost(self) -> None:
        """Take note that the connection is gone."""
        self._close("connection lost")

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Handle octets from the link."""
        self._heard = now
        try:
            for octets in self._splitter.feed(data) if not self.over else ():
                self._receive_one(octets)
        except FramingError as error:
            self._fault(error.reason, data)
            self._answer_unframed()
            self._close(error.reason)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        if self.over:
            return None
        due, tests = [], self._count_tests()
        if self._waiting:
            until = min(each.until for each in self._waiting.values())
            due.append(Timer(until, keep_alive=tests == len(self._waiting)))
        if self._awaits_bind:
            due.append(Timer(self._opened + self.limits.bind, keep_alive=False))
        if self.is_bound and not tests:
            due.append(Timer(self._heard + self.limits.quiet, keep_alive=True))
        return min(due, default=None)

    def on_timer(self, now: float) -> None:
        """Do what is due; nothing where the timer is early."""
        for each in [each for each in self._waiting.values() if each.until <= now]:
            if each.asked.sequence in self._waiting:  # the link's own that is not answered ends all others
                self._repeat(each, now)
        if self._awaits_bind and now >= self._opened + self.limits.bind:
            self._close(self.commands.no_bind)
        if self.is_bound and now >= self._heard + self.limits.quiet and not self._count_tests():
            self._request(self._new_pdu(self.commands.test, self._next_sequence()), now)

    @property
    def _awaits_bind(self) -> bool:
        return self._serves and self.state is self.open_state

    def _count_tests(self) -> int:
        return sum(each.asked.command is self.commands.test for each in self._waiting.values())

    # -- requests of ours

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % self.last_sequence + 1
        return self._sequence

    def _request(self, pdu: P, now: float) -> None:
        """Send a request that has an answer."""
        self._waiting[pdu.sequence] = _Waiting(pdu, now + self.limits.response, 1)
        self._send(pdu)

    def _repeat(self, waiting: _Waiting[P], now: float) -> None:
        """Send a request again that has no answer, or give it up."""
        asked = waiting.asked
        is_once = asked.command in self.commands.bind or asked.command is self.commands.unbind
        if waiting.attempts < self.limits.attempts and not is_once:
            self._waiting[asked.sequence] = _Waiting(asked, now + self.limits.response, waiting.attempts + 1)
            self._send(asked)
        else:
            self._give_up(asked)

    def _give_up(self, asked: P) -> None:
        """Give up a request that has no answer; without one to what is about the link there is no session."""
        del self._waiting[asked.sequence]
        if self._is_about_link(asked):
            self._close(f"no answer to {self._name(asked)}")
        else:
            self._events.append(Answered(asked, None))

    def _receive_answer(self, pdu: P) -> None:
        waiting = self._waiting.get(pdu.sequence)
        if waiting is None or not self._is_answer(pdu, waiting.asked):
            self._fault(f"{self._name(pdu)} {pdu.sequence} answers nothing", self._encode(pdu))
            return
        del self._waiting[pdu.sequence]
        asked = waiting.asked
        if asked.command in self.commands.bind:
            self._receive_bind_answer(asked, pdu)
        elif asked.command is self.commands.unbind:
            self._close(self.commands.unbound)
        elif asked.command is not self.commands.test:
            self._events.append(Answered(asked, pdu))

    def _is_answer(self, pdu: P, asked: P) -> bool:
        return pdu.command == asked.command | RESPONSE

    # -- requests of the peer

    def _receive_one(self, octets: bytes) -> None:
        if self.over:
            return
        try:
            pdu = self._decode(octets)
        except PeerError as error:
            self._fault(error.reason, octets)
            self._answer_malformed(octets, error)
            return
        if pdu.command & RESPONSE:
            self._receive_answer(pdu)
        else:
            self._receive_request(pdu)

    def _offer(self, pdu: P) -> None:
        """Hand a request to the owner."""
        self._unanswered.add(pdu.sequence)
        self._events.append(Asked(pdu))

    def _take_unanswered(self, asked: P) -> bool:
        """Return True if a request may still be answered, once."""
        waits = asked.sequence in self._unanswered and not self.over
        self._unanswered.discard(asked.sequence)
        return waits

    def _answer_unframed(self) -> None:
        """Answer octets that cannot be cut into PDUs, where there is an answer."""

    # -- what all do

    def _name(self, pdu: P) -> str:
        return pdu.command.name

    def _is_about_link(self, asked: P) -> bool:
        return asked.command in self.commands.bind or asked.command in (self.commands.unbind, self.commands.test)

    def _send(self, pdu: P) -> None:
        self._out.append(self._encode(pdu))

    def _fault(self, reason: str, data: bytes) -> None:
        self._events.append(Fault(reason, data))

    def _close(self, reason: str) -> None:
        if self.over:
            return
        self.state = self.closed_state
        waiting, self._waiting = self._waiting, {}
        self._events += [Answered(each.asked, None) for each in waiting.values() if not self._is_about_link(each.asked)]
        self._events.append(Closed(reason))
