"""One SMPP session as a machine without I/O (SMPP 3.4 chapter 2): both roles, the window, timers, what is out of place.

The owner is told of requests, which it answers when it can, and of what becomes of its own. What breaks the protocol is
answered here, with the command_status that says it; nothing of that reaches the owner but a Fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from simwarden.errors import InternalError, PeerError
from simwarden.machine.smpp_table import ALLOWED, BOUND_BY, Role, State
from simwarden.machine.timer import Timer
from simwarden.wire.smpp import (
    BINDS,
    RESPONSE,
    Bound,
    Command,
    FramingError,
    Parameter,
    Pdu,
    Splitter,
    Status,
    Tag,
    answer,
    decode,
    decode_header,
    encode,
)

if TYPE_CHECKING:
    from simwarden.wire.smpp import Bind, Body

#: sequence numbers (3.2): after the last comes the first
_LAST_SEQUENCE: Final = 0x7FFFFFFF
_REQUESTS: Final = frozenset(int(each) for each in Command if not each & RESPONSE)
#: requests that have no answer (4.1.7, 4.12.1)
_UNANSWERED: Final = frozenset({Command.OUTBIND, Command.ALERT_NOTIFICATION})


class Limits(NamedTuple):
    """How long a session waits, in seconds, and how much it takes at once (2.9, 7.2)."""

    #: requests of either side that may be without answer at a time
    window: int = 32
    #: for a bind, on a connection that was accepted (session_init_timer)
    bind: float = 5.0
    #: for the answer to a request (response_timer)
    response: float = 10.0
    #: of silence, after which enquire_link is sent (enquire_link_timer)
    quiet: float = 30.0
    #: without a message, after which the session ends (inactivity_timer); 0: never
    inactivity: float = 0.0


@dataclass(frozen=True, slots=True)
class BindAsked:
    """A peer wants to bind: `accept` or `refuse` it."""

    pdu: Pdu
    bind: Bind


@dataclass(frozen=True, slots=True)
class BindAnswered:
    """The bind that was asked for stands (status 0), or does not."""

    status: int
    system_id: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request came in its place: `answer` it."""

    pdu: Pdu


@dataclass(frozen=True, slots=True)
class Answered:
    """A request of the owner's has its answer; None: none came in time, or the session ended before."""

    asked: Pdu
    answer: Pdu | None


@dataclass(frozen=True, slots=True)
class Fault:
    """The peer broke the protocol; it was answered where there is an answer."""

    reason: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over: close the link."""

    reason: str


Event: TypeAlias = BindAsked | BindAnswered | Asked | Answered | Fault | Closed


class _Waiting(NamedTuple):
    asked: Pdu
    until: float


class SmppSession:
    """One session over one connection. Times are seconds of the owner's clock."""

    def __init__(self, role: Role, now: float, *, limits: Limits = Limits()) -> None:  # noqa: B008 - it is a constant
        self.role, self.limits, self.state = role, limits, State.OPEN
        self._splitter = Splitter()
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._waiting: dict[int, _Waiting] = {}
        self._unanswered: dict[int, Pdu] = {}
        self._sequence = 0
        self._opened = self._heard = self._worked = now

    # -- what the owner does

    @property
    def over(self) -> bool:
        """Whether the link is of no use any more."""
        return self.state is State.CLOSED

    @property
    def room(self) -> int:
        """How many requests may be sent now."""
        return self.limits.window - len(self._waiting) if self.state.bound else 0

    def bind(self, command: Command, bind: Bind, now: float) -> None:
        """Ask to be bound, as an ESME."""
        self._ask(command, bind, (), now)

    def accept(self, asked: Pdu, system_id: str) -> None:
        """Let a peer be bound."""
        self.state = BOUND_BY[asked.command]
        self._send(answer(asked, 0, Bound(system_id), Parameter(Tag.SC_INTERFACE_VERSION, b"\x34")))

    def refuse(self, asked: Pdu, status: int) -> None:
        """Do not let a peer be bound; it may close the connection, or try again until it must have been bound."""
        self._send(answer(asked, status))

    def ask(self, command: Command, body: Body | None, now: float, *parameters: Parameter) -> int:
        """Send a request; return its sequence number, which its Answered has. Raises InternalError without `room`."""
        if not self.room or command not in ALLOWED[self.role.other, self.state]:
            raise InternalError(f"{command.name} of {self.role.value} in {self.state.name} with room {self.room}")
        self._worked = now
        return self._ask(command, body, parameters, now)

    def answer(self, asked: Pdu, status: int = 0, body: Body | None = None, *parameters: Parameter) -> None:
        """Answer a request; what nobody waits for any more is left unsaid."""
        if self._unanswered.pop(asked.sequence, None) is not None and self.state is not State.CLOSED:
            self._send(answer(asked, status, body, *parameters))

    def unbind(self, now: float) -> None:
        """End the session; a peer that does not answer is left when the time is over."""
        if self.state is State.CLOSED:
            return
        if not self.state.bound:
            self._close("unbound")
            return
        self.state = State.UNBINDING
        self._ask(Command.UNBIND, None, (), now)

    def lost(self) -> None:
        """Take note that the connection is gone."""
        self._close("connection lost")

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Take octets from the link."""
        if self.state is State.CLOSED:
            return
        self._heard = now
        try:
            for octets in self._splitter.feed(data):
                self._receive_one(octets, now)
        except FramingError as error:
            self._fault(error.reason, data)
            self._send(Pdu(Command.GENERIC_NACK, 0, Status.ESME_RINVCMDLEN))
            self._close(error.reason)

    def data_to_send(self) -> list[bytes]:
        """Return what to send, and forget it."""
        out, self._out = self._out, []
        return out

    def events(self) -> list[Event]:
        """Return what happened, and forget it."""
        events, self._events = self._events, []
        return events

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        if self.state is State.CLOSED:
            return None
        due = (
            [Timer(min(each.until for each in self._waiting.values()), _only_links(self._waiting))]
            if self._waiting
            else []
        )
        if self.state is State.OPEN and self.role is Role.SMSC:
            due.append(Timer(self._opened + self.limits.bind, keep_alive=False))
        if self.state.bound:
            due.append(Timer(self._heard + self.limits.quiet, keep_alive=True))
            if self.limits.inactivity:
                due.append(Timer(self._worked + self.limits.inactivity, keep_alive=False))
        return min(due, default=None)

    def on_timer(self, now: float) -> None:
        """Do what is due; nothing where the timer is early."""
        for sequence, each in list(self._waiting.items()):
            if each.until <= now and sequence in self._waiting:  # the link's own that is not answered ends all others
                self._missing(sequence, each.asked)
        if self.state is State.OPEN and self.role is Role.SMSC and now >= self._opened + self.limits.bind:
            self._close("no bind in time")
        if not self.state.bound:
            return
        if self.limits.inactivity and now >= self._worked + self.limits.inactivity:
            self.unbind(now)
        elif now >= self._heard + self.limits.quiet and not _only_links(self._waiting, some=True):
            self._ask(Command.ENQUIRE_LINK, None, (), now)

    # -- requests of ours

    def _ask(self, command: Command, body: Body | None, parameters: tuple[Parameter, ...], now: float) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        pdu = Pdu(command, self._sequence, 0, body, parameters)
        if command not in _UNANSWERED:
            self._waiting[pdu.sequence] = _Waiting(pdu, now + self.limits.response)
        self._send(pdu)
        return pdu.sequence

    def _missing(self, sequence: int, asked: Pdu) -> None:
        """Give up a request that has no answer; without one to a link's own there is no session."""
        del self._waiting[sequence]
        if asked.command in (Command.ENQUIRE_LINK, Command.UNBIND) or asked.command in BINDS:
            self._close(f"no answer to {asked.command.name.lower()}")
        else:
            self._events.append(Answered(asked, None))

    def _hear_answer(self, pdu: Pdu) -> None:
        waiting = self._waiting.get(pdu.sequence)
        fits = waiting is not None and pdu.command in (waiting.asked.command | RESPONSE, Command.GENERIC_NACK)
        if waiting is None or not fits:
            self._fault(f"{pdu.command.name.lower()} {pdu.sequence} answers nothing", encode(pdu))
            return
        del self._waiting[pdu.sequence]
        asked = waiting.asked
        if asked.command in BINDS:
            self._hear_bound(asked, pdu)
        elif asked.command is Command.UNBIND:
            self._close("unbound")
        elif asked.command is not Command.ENQUIRE_LINK:
            self._events.append(Answered(asked, pdu))

    def _hear_bound(self, asked: Pdu, pdu: Pdu) -> None:
        if not pdu.status and isinstance(pdu.body, Bound):
            self.state = BOUND_BY[asked.command]
            self._events.append(BindAnswered(0, pdu.body.system_id))
        else:
            self._events.append(BindAnswered(pdu.status or Status.ESME_RBINDFAIL))

    # -- requests of the peer

    def _receive_one(self, octets: bytes, now: float) -> None:
        if self.state is State.CLOSED:
            return
        try:
            pdu = decode(octets)
        except PeerError as error:
            self._fault(error.reason, octets)
            self._answer_bad(octets, error)
            return
        if pdu.command & RESPONSE:
            self._hear_answer(pdu)
        elif pdu.command is Command.ENQUIRE_LINK:
            self._send(answer(pdu))
        elif pdu.command not in ALLOWED[self.role, self.state]:
            self._out_of_place(pdu)
        else:
            self._hear_request(pdu, now)

    def _hear_request(self, pdu: Pdu, now: float) -> None:
        self._worked = now
        if pdu.command in BINDS:
            self._events.append(BindAsked(pdu, pdu.body))  # type: ignore[arg-type]  # by its command
        elif pdu.command is Command.UNBIND:
            self._send(answer(pdu))
            self._close("unbound by peer")
        elif pdu.command in _UNANSWERED:
            self._events.append(Asked(pdu))
        elif pdu.sequence in self._unanswered:
            self._fault(f"sequence number {pdu.sequence} is in use", encode(pdu))
            self._send(answer(pdu, Status.ESME_RSYSERR))
        elif len(self._unanswered) >= self.limits.window:
            self._send(answer(pdu, Status.ESME_RTHROTTLED))
        else:
            self._unanswered[pdu.sequence] = pdu
            self._events.append(Asked(pdu))

    def _out_of_place(self, pdu: Pdu) -> None:
        """Answer a request that does not fit the state (2.3), or comes from the wrong side."""
        again = pdu.command in BINDS and self.state.bound
        status = Status.ESME_RALYBND if again else Status.ESME_RINVBNDSTS
        self._fault(f"{pdu.command.name.lower()} in state {self.state.name}", encode(pdu))
        if pdu.command not in _UNANSWERED:
            self._send(answer(pdu, status))

    def _answer_bad(self, octets: bytes, error: PeerError) -> None:
        """Answer octets that are no PDU: by the command's own answer where that is known, else by generic_nack."""
        header = decode_header(octets)
        if header.command & RESPONSE:
            waiting = self._waiting.get(header.sequence)
            if waiting is not None:
                self._missing(header.sequence, waiting.asked)
            return
        known = header.command in _REQUESTS and header.command not in _UNANSWERED
        command = Command(header.command | RESPONSE) if known else Command.GENERIC_NACK
        self._send(Pdu(command, header.sequence, error.code or Status.ESME_RSYSERR))

    # -- what all do

    def _send(self, pdu: Pdu) -> None:
        self._out.append(encode(pdu))

    def _fault(self, reason: str, data: bytes) -> None:
        self._events.append(Fault(reason, data))

    def _close(self, reason: str) -> None:
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        waiting, self._waiting = self._waiting, {}
        self._unanswered.clear()
        unanswered = [each.asked for each in waiting.values() if each.asked.command not in _OF_THE_LINK]
        self._events += [*(Answered(each, None) for each in unanswered), Closed(reason)]


_OF_THE_LINK: Final = BINDS | {Command.ENQUIRE_LINK, Command.UNBIND}


def _only_links(waiting: dict[int, _Waiting], *, some: bool = False) -> bool:
    """Whether what waits for its answer is enquire_link and nothing else; `some`: whether one is among it."""
    links = [each.asked.command is Command.ENQUIRE_LINK for each in waiting.values()]
    return any(links) if some else all(links)
