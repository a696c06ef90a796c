"""One CMPP 2.0 connection as a machine without I/O (6.1, 7.4): both ends, the window, requests sent again, link tests.

The owner is told of requests, which it answers when it can, and of what becomes of its own. A request without answer is
sent again with its sequence number, so many times (6.1.1): who takes requests may see one twice.
"""

from __future__ import annotations

import datetime as dt
import enum
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from simwarden.errors import InternalError, PeerError
from simwarden.machine.timer import Timer
from simwarden.wire.cmpp import (
    VERSION,
    ActiveTested,
    Command,
    Connect,
    Connected,
    Delivered,
    FramingError,
    Message,
    Result,
    Splitter,
    Submitted,
    answer,
    authenticator,
    authenticator_of_gateway,
    decode,
    decode_header,
    encode,
)
from simwarden.wire.cmpp import ConnectStatus as Status

if TYPE_CHECKING:
    from simwarden.wire.cmpp import Body

RESPONSE: Final = 0x80000000
_LAST_SEQUENCE: Final = 0xFFFFFFFF
#: messages taken of which the numbers are remembered, so that one sent again late is not taken twice
_REMEMBERED: Final = 4096


class End(enum.Enum):
    """The two ends: the platform connects."""

    GATEWAY = "gateway"
    PLATFORM = "platform"


class State(enum.Enum):
    """Where a connection stands."""

    OPEN = "open"
    CONNECTED = "connected"
    TERMINATING = "terminating"
    CLOSED = "closed"


class Limits(NamedTuple):
    """How long a connection waits, in seconds, and how much it takes at once: what 6.1.1 advises."""

    window: int = 16
    #: for CMPP_CONNECT, on a connection that was accepted
    connect: float = 5.0
    #: for an answer, after which the request is sent again (T)
    response: float = 60.0
    #: how often a request is sent (N)
    attempts: int = 3
    #: of silence, after which the link is tested (C)
    quiet: float = 180.0


@dataclass(frozen=True, slots=True)
class ConnectAsked:
    """A platform wants to be connected: `accept` or `refuse` it."""

    message: Message
    connect: Connect


@dataclass(frozen=True, slots=True)
class ConnectAnswered:
    """The connection that was asked for stands (status 0), or does not."""

    status: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request came in its place: `answer` it."""

    message: Message


@dataclass(frozen=True, slots=True)
class Answered:
    """A request of the owner's has its answer; None: none came, or the connection ended before."""

    asked: Message
    answer: Message | None


@dataclass(frozen=True, slots=True)
class Fault:
    """The peer broke the protocol."""

    reason: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over: close the link."""

    reason: str


Event: TypeAlias = ConnectAsked | ConnectAnswered | Asked | Answered | Fault | Closed

_TAKEN: Final = {
    End.GATEWAY: frozenset({Command.SUBMIT, Command.QUERY, Command.CANCEL}),
    End.PLATFORM: frozenset({Command.DELIVER}),
}
"""What an end takes of the other beside what is about the link."""
_LINK: Final = frozenset({Command.CONNECT, Command.TERMINATE, Command.ACTIVE_TEST})


class Clocks(NamedTuple):
    """How a time stamp of MMDDHHMMSS is looked at: the time now, what it may differ, the zone that platforms write."""

    now: dt.datetime
    tolerance: float = 300.0
    zone: dt.tzinfo = dt.timezone(dt.timedelta(hours=8))


def judge_connect(connect: Connect, secret: str, clocks: Clocks, seen: int | None) -> Status:
    """Say whether who asks knows the secret now: what was overheard is worth nothing later.

    `seen` is the time stamp with which this account was connected last: it and older ones are refused.
    """
    if connect.version & 0xF0 != VERSION:
        return Status.VERSION_TOO_HIGH
    expected = authenticator(connect.source_addr, secret, connect.time_stamp)
    if not hmac.compare_digest(expected, connect.authenticator_source):
        return Status.AUTHENTICATION_ERROR
    said = _moment(connect.time_stamp, clocks)
    if said is None or abs((said - clocks.now).total_seconds()) > clocks.tolerance:
        return Status.AUTHENTICATION_ERROR
    last = _moment(seen, clocks) if seen is not None else None
    return Status.AUTHENTICATION_ERROR if last is not None and said <= last else Status.CORRECT


def _moment(stamp: int, clocks: Clocks) -> dt.datetime | None:
    """Return the time of a stamp in the year that is nearest to now; None for what is no time."""
    local = clocks.now.astimezone(clocks.zone)
    found = []
    for year in (local.year - 1, local.year, local.year + 1):
        try:
            when = dt.datetime.strptime(f"{year}{stamp:010}", "%Y%m%d%H%M%S").replace(tzinfo=clocks.zone)
        except ValueError:
            continue
        found.append(when)
    return min(found, key=lambda when: abs((when - local).total_seconds()), default=None)


class _Waiting(NamedTuple):
    asked: Message
    until: float
    attempts: int


class CmppSession:
    """One connection. Times are seconds of the owner's clock."""

    def __init__(self, end: End, now: float, *, limits: Limits | None = None) -> None:
        self.end, self.limits, self.state = end, limits or Limits(), State.OPEN
        self._splitter = Splitter()
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._waiting: dict[int, _Waiting] = {}
        self._unanswered: set[int] = set()
        self._taken: dict[int, None] = {}
        self._sequence = 0
        self._opened = self._heard = now

    # -- what the owner does

    @property
    def over(self) -> bool:
        """Whether the link is of no use any more."""
        return self.state is State.CLOSED

    @property
    def room(self) -> int:
        """How many requests may be sent now."""
        return self.limits.window - len(self._waiting) if self.state is State.CONNECTED else 0

    def connect(self, connect: Connect, now: float) -> None:
        """Ask to be connected, as a platform."""
        self._ask(Command.CONNECT, connect, now)

    def accept(self, asked: Message, secret: str) -> None:
        """Let a platform be connected, and prove that the secret is known here too."""
        assert isinstance(asked.body, Connect)  # noqa: S101 - by its command
        self.state = State.CONNECTED
        proof = authenticator_of_gateway(0, asked.body.authenticator_source, secret)
        self._send(answer(asked, Connected(0, proof)))

    def refuse(self, asked: Message, status: Status) -> None:
        """Do not let a platform be connected, which ends the connection."""
        self._send(answer(asked, Connected(status)))
        self._close(f"refused: {status.name.lower().replace('_', ' ')}")

    def ask(self, command: Command, body: Body, now: float) -> int:
        """Send a request; return its sequence number, which its Answered has. Raises InternalError without `room`."""
        if not self.room or command in _TAKEN[self.end]:
            raise InternalError(f"{command.name} of the {self.end.value} with room {self.room}")
        return self._ask(command, body, now)

    def answer(self, asked: Message, body: Body) -> None:
        """Answer a request."""
        if asked.sequence in self._unanswered and self.state is not State.CLOSED:
            self._unanswered.discard(asked.sequence)
            self._send(answer(asked, body))
            if isinstance(body, Submitted) and body.result == Result.CORRECT:
                self._taken[asked.sequence] = None
                if len(self._taken) > _REMEMBERED:
                    del self._taken[next(iter(self._taken))]

    def terminate(self, now: float) -> None:
        """End the connection; a peer that does not answer is left when the time is over."""
        if self.state is State.CONNECTED:
            self.state = State.TERMINATING
            self._ask(Command.TERMINATE, None, now)
        else:
            self._close("terminated")

    def lost(self) -> None:
        """Take note that the connection is gone."""
        self._close("connection lost")

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Take octets from the link."""
        self._heard = now
        try:
            for octets in self._splitter.feed(data) if self.state is not State.CLOSED else ():
                self._receive_one(octets)
        except FramingError as error:
            self._events.append(Fault(error.reason, data))
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
        due = [Timer(each.until, each.asked.command is Command.ACTIVE_TEST) for each in self._waiting.values()]
        if self.state is State.OPEN and self.end is End.GATEWAY:
            due.append(Timer(self._opened + self.limits.connect, keep_alive=False))
        if self.state is State.CONNECTED and not self._testing:
            due.append(Timer(self._heard + self.limits.quiet, keep_alive=True))
        return min(due, default=None)

    def on_timer(self, now: float) -> None:
        """Do what is due; nothing where the timer is early."""
        for each in [each for each in self._waiting.values() if each.until <= now]:
            if each.asked.sequence in self._waiting:  # the link's own that is not answered ends all others
                self._again(each, now)
        if self.state is State.OPEN and self.end is End.GATEWAY and now >= self._opened + self.limits.connect:
            self._close("no CMPP_CONNECT in time")
        if self.state is State.CONNECTED and not self._testing and now >= self._heard + self.limits.quiet:
            self._ask(Command.ACTIVE_TEST, None, now)

    @property
    def _testing(self) -> bool:
        return any(each.asked.command is Command.ACTIVE_TEST for each in self._waiting.values())

    # -- requests of ours

    def _ask(self, command: Command, body: Body | None, now: float) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        asked = Message(command, self._sequence, body)
        self._waiting[asked.sequence] = _Waiting(asked, now + self.limits.response, 1)
        self._send(asked)
        return asked.sequence

    def _again(self, waiting: _Waiting, now: float) -> None:
        """Send a request again that has no answer; without one to what is about the link there is no connection."""
        asked = waiting.asked
        if waiting.attempts < self.limits.attempts and asked.command not in (Command.CONNECT, Command.TERMINATE):
            self._waiting[asked.sequence] = _Waiting(asked, now + self.limits.response, waiting.attempts + 1)
            self._send(asked)
            return
        del self._waiting[asked.sequence]
        if asked.command in _LINK:
            self._close(f"no answer to {asked.command.name}")
        else:
            self._events.append(Answered(asked, None))

    def _hear_answer(self, message: Message) -> None:
        waiting = self._waiting.get(message.sequence)
        if waiting is None or message.command != waiting.asked.command | RESPONSE:
            self._events.append(Fault(f"{message.command.name} {message.sequence} answers nothing", encode(message)))
            return
        asked = self._waiting.pop(message.sequence).asked
        if asked.command is Command.CONNECT:
            assert isinstance(message.body, Connected)  # noqa: S101 - by its command
            self.state = State.OPEN if message.body.status else State.CONNECTED
            self._events.append(ConnectAnswered(message.body.status))
        elif asked.command is Command.TERMINATE:
            self._close("terminated")
        elif asked.command is not Command.ACTIVE_TEST:
            self._events.append(Answered(asked, message))

    # -- requests of the peer

    def _receive_one(self, octets: bytes) -> None:
        if self.state is State.CLOSED:
            return
        try:
            message = decode(octets)
        except PeerError as error:
            self._events.append(Fault(error.reason, octets))
            self._answer_bad(octets, error)
            return
        if message.command & RESPONSE:
            self._hear_answer(message)
        elif message.command is Command.ACTIVE_TEST:
            self._send(answer(message, ActiveTested()))
        elif self.state is State.OPEN and self.end is End.GATEWAY and isinstance(message.body, Connect):
            self._events.append(ConnectAsked(message, message.body))
        elif message.command is Command.TERMINATE:
            self._send(answer(message))
            self._close("terminated by peer")
        elif self.state is State.CONNECTED and message.command in _TAKEN[self.end]:
            self._hear_request(message)
        else:
            self._out_of_place(message)

    def _hear_request(self, message: Message) -> None:
        """Tell of a request, once however often it is sent.

        A message is turned away that was taken already (result 3), and what is beyond the window (result 8).
        """
        if message.sequence in self._unanswered:
            return
        if message.command is Command.SUBMIT and message.sequence in self._taken:
            self._refused(message, Result.SEQUENCE_REPEATED)
            return
        if len(self._unanswered) >= self.limits.window:
            self._refused(message, Result.FLOW_CONTROL_ERROR)
            return
        self._unanswered.add(message.sequence)
        self._events.append(Asked(message))

    def _out_of_place(self, message: Message) -> None:
        """Leave who asks before being connected, or for what this end does not do: CMPP has no answer for that."""
        self._events.append(Fault(f"{message.command.name} in state {self.state.name}", encode(message)))
        self._refused(message, Result.COMMAND_ERROR)
        if self.state is State.OPEN:
            self._close("not connected")

    def _refused(self, message: Message, result: Result) -> None:
        if message.command is Command.SUBMIT:
            self._send(answer(message, Submitted(0, result)))
        elif message.command is Command.DELIVER:
            self._send(answer(message, Delivered(0, result)))

    def _answer_bad(self, octets: bytes, error: PeerError) -> None:
        """Answer a request that cannot be read, where its answer has a result; CMPP_CONNECT by status 1 (7.4.1.2)."""
        command, sequence = decode_header(octets)
        if command == Command.CONNECT and self.state is State.OPEN and self.end is End.GATEWAY:
            self.refuse(Message(Command.CONNECT, sequence), Status.MESSAGE_STRUCTURE_ERROR)
        elif command in (Command.SUBMIT, Command.DELIVER):
            self._refused(Message(Command(command), sequence), Result(error.code or Result.MESSAGE_STRUCTURE_ERROR))

    # -- what all do

    def _send(self, message: Message) -> None:
        self._out.append(encode(message))

    def _close(self, reason: str) -> None:
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        waiting, self._waiting = self._waiting, {}
        unanswered = [each.asked for each in waiting.values() if each.asked.command not in _LINK]
        self._events += [*(Answered(each, None) for each in unanswered), Closed(reason)]
