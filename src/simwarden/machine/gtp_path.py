"""The GTP-C path to one peer, without I/O: requests and their answers, echoes, restarts (TS 29.274 7.6, TS 23.007 18).

The owner gives it octets and the time, orders requests, answers and indications, and takes out octets and events. A
request that is repeated gets its answer again, and is not seen twice; one that gets no answer is sent N3-REQUESTS times
in all, and so is a command whose request does not come. When an echo gets none, the path has failed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simwarden.machine.outputs import Outputs
from simwarden.machine.timer import Timer
from simwarden.wire.gtpv2 import GtpError, Message, Role, UnsupportedVersionError, answer_to, decode, encode, split
from simwarden.wire.gtpv2 import version_not_supported as not_supported

if TYPE_CHECKING:
    from collections.abc import Callable

#: the well-known port (TS 29.274 4.2)
PORT: Final = 2123
#: answers that are kept for repeated requests; the oldest is forgotten first
_MOST_ANSWERS: Final = 4096
#: the bit of numbers of commands, and of what they set going; those of other requests are below it (7.6)
_COMMANDED: Final = 0x800000
_LAST: Final = _COMMANDED - 1
_ECHO, _ECHO_ANSWER, _UNSUPPORTED = "echo-request", "echo-response", "version-not-supported-indication"


@dataclass(frozen=True, slots=True)
class PathSettings:
    """`t3` seconds after which a request is sent again, `n3` how often in all, `echo` seconds between echoes."""

    t3: float = 3.0
    n3: int = 3
    echo: float = 60.0


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A request to be answered by `respond`; `port` is where the answer goes to."""

    message: Message
    port: int


@dataclass(frozen=True, slots=True)
class IndicationReceived:
    """A message that nothing answers, or a command, which a request under its number may follow."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer to the request of that sequence number."""

    sequence: int
    message: Message


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """There will be no answer that can be read to the request of that sequence number.

    `answer` has what could be read of a malformed one.
    """

    sequence: int
    reason: str
    answer: Message | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Faulted:
    """The peer sent octets that break the protocol; what they call for has been sent."""

    reason: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A request came again; it was answered again if its answer was there."""

    name: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Restarted:
    """The peer has lost what it knew before."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The peer leaves echoes unanswered."""


Event = RequestReceived | IndicationReceived | AnswerReceived | RequestFailed | Faulted | Duplicate | Restarted | Failed


class _Pending:
    """A request that waits for its answer."""

    __slots__ = ("answers", "deadline", "name", "octets", "sent")

    def __init__(self, message: Message, octets: bytes, deadline: float) -> None:
        self.name, self.octets = message.name, octets
        self.answers = (message.spec.answer, *message.spec.orders)
        self.deadline, self.sent = deadline, 1


class GtpPath(Outputs[tuple[bytes, int], Event]):
    """What this node and one peer have to do with each other."""

    def __init__(
        self, settings: PathSettings, counter: int, sequence: int = 0, sender: Callable[[int], int] = lambda _teid: 0
    ) -> None:
        """`counter` is this node's own restart counter, `sequence` the number of its first request.

        `sender` returns the peer's TEID for one of this node's, by which the answer to a wrong request is addressed.
        """
        super().__init__()
        self.settings, self.counter, self.sender = settings, counter, sender
        self.peer_counter: int | None = None
        self._sequence = sequence & _LAST
        #: in the order of their deadlines, since all wait for as long
        self._pending: dict[int, _Pending] = {}
        #: by port, type and number: the answer, None while it is being made, and until when it is kept
        self._answers: dict[tuple[int, int, int], tuple[bytes | None, float]] = {}
        self._introduced = False
        self._echo_at: float | None = None
        self._echo: int | None = None

    # -- what the owner orders

    def request(self, message: Message, now: float, commanded: int = 0) -> int:
        """Send a request or a command; return the sequence number by which its answer is told.

        `commanded` is the number of the command of the peer's that it carries out.
        """
        self._number(message)
        if message.spec.role is Role.COMMAND:
            message.sequence |= _COMMANDED
        message.sequence = commanded or message.sequence
        self._out.append((self._await(message, now), PORT))
        return message.sequence

    def _await(self, message: Message, now: float) -> bytes:
        """Await the answer to a request that has its number; return its octets."""
        self._introduce(message)
        octets = encode(message)
        self._pending[message.sequence] = _Pending(message, octets, now + self.settings.t3)
        self._use(now)
        return octets

    def tell(self, message: Message, commanded: int = 0) -> None:
        """Send a message that nothing answers, unless a command of the peer's with that number failed by it."""
        self._number(message)
        message.sequence = commanded or message.sequence
        self._out.append((encode(message), PORT))

    def respond(self, request: RequestReceived, answer: Message, now: float, carried: Message | None = None) -> None:
        """Answer a request, and each time that it comes again.

        `carried` is a request of this node's that goes behind the answer (piggybacked, TS 29.274 5.5.1); where it gets
        no answer it is sent again alone.
        """
        answer.sequence = request.message.sequence
        self._introduce(answer)
        octets = encode(answer, followed=carried is not None)
        if carried is not None:
            self._number(carried)
            octets += self._await(carried, now)
        self._keep(request.message, request.port, octets, now)

    def greet(self, now: float) -> None:
        """Ask the peer whether it is there: each end hears the other's restart counter (TS 23.007 18)."""
        self._echo_at = now + self.settings.echo
        if self._echo is None:
            self._echo = self.request(Message(_ECHO, {"recovery": self.counter}), now)

    def _number(self, message: Message) -> None:
        message.sequence = self._sequence
        self._sequence = (self._sequence + 1) & _LAST

    def _introduce(self, message: Message) -> None:
        """Put the restart counter into the first message to the peer that has room for it (TS 29.274 7.2.1)."""
        if not self._introduced and "recovery" in message.spec.grammar.by_name:
            message.ies["recovery"] = self.counter
            self._introduced = True

    def _keep(self, request: Message, port: int, octets: bytes | None, now: float) -> None:
        until = now + self.settings.t3 * (self.settings.n3 + 1)
        self._answers[port, request.spec.type, request.sequence] = octets, until
        if octets is not None:
            self._out.append((octets, port))

    # -- what happens

    def receive(self, data: bytes, port: int, now: float) -> None:
        """Take a datagram that came from a port of the peer."""
        self._forget_answers(now)
        for octets in split(data):
            try:
                message = decode(octets)
            except UnsupportedVersionError as error:
                self._events.append(Faulted(error.reason, octets))
                if octets[1] != 3:  # which says the same, and is not answered
                    self._out.append((not_supported(octets), port))
            except GtpError as error:
                self._take_wrong(error, octets, port)
            else:
                self._take(message, port, now)

    def _take_wrong(self, error: GtpError, octets: bytes, port: int) -> None:
        self._events.append(Faulted(error.reason, octets))
        message, answer = error.message, answer_to(error)
        if answer is not None and message is not None:
            answer.teid = answer.teid or self.sender(message.teid)
            self._out.append((encode(answer), port))
        elif message is not None and message.spec.role is Role.RESPONSE:
            self._fail(message, f"its answer is malformed: {error.reason}")

    def _fail(self, answer: Message, reason: str) -> None:
        if self._is_awaited(answer):
            del self._pending[answer.sequence]
            self._events.append(RequestFailed(answer.sequence, reason, answer))

    def _is_awaited(self, answer: Message) -> bool:
        pending = self._pending.get(answer.sequence)
        return pending is not None and answer.name in (*pending.answers, _UNSUPPORTED)

    def _take(self, message: Message, port: int, now: float) -> None:
        self._note_counter(message.get("recovery"))
        self._use(now)
        role = message.spec.role
        if message.name == _ECHO:
            answer = Message(_ECHO_ANSWER, {"recovery": self.counter}, sequence=message.sequence)
            self._out.append((encode(answer), port))
        elif message.name == _UNSUPPORTED:
            self._fail(message, "it speaks no GTPv2")
        elif role in (Role.REQUEST, Role.COMMAND):
            if self._is_awaited(message):
                self._settle(message)
            self._take_request(message, port, now)
        elif role is Role.INDICATION:
            if message.sequence & _COMMANDED and message.sequence in self._pending:
                self._settle(message)
            self._events.append(IndicationReceived(message))
        elif self._is_awaited(message):  # any other is late, or repeated
            self._settle(message)

    def _settle(self, message: Message) -> None:
        """Await no more answers under a number: one has come, or a request or a failure in its place."""
        del self._pending[message.sequence]
        if message.sequence == self._echo:
            self._echo = None
        else:
            self._events.append(AnswerReceived(message.sequence, message))

    def _take_request(self, message: Message, port: int, now: float) -> None:
        key = port, message.spec.type, message.sequence
        if key in self._answers:
            octets, _ = self._answers[key]
            if octets is not None:
                self._out.append((octets, port))
            self._events.append(Duplicate(message.name, octets is not None))
            return
        self._keep(message, port, None, now)
        command = message.spec.role is Role.COMMAND
        self._events.append(IndicationReceived(message) if command else RequestReceived(message, port))

    def _forget_answers(self, now: float) -> None:
        while self._answers:
            key, (_, until) = next(iter(self._answers.items()))
            if until > now and len(self._answers) <= _MOST_ANSWERS:
                return
            del self._answers[key]

    def _note_counter(self, counter: int | None) -> None:
        """Compare the peer's restart counter; an older one is of a message that was overtaken (TS 23.007 18)."""
        if counter is None:
            return
        if self.peer_counter is None or 0 < (counter - self.peer_counter) % 256 < 128:
            if self.peer_counter is not None:
                self._events.append(Restarted())
            self.peer_counter = counter

    # -- time

    def _use(self, now: float) -> None:
        """Watch the peer from now on, as long as it answers."""
        if self._echo_at is None:
            self._echo_at = now + self.settings.echo

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` must be called."""
        first = next(iter(self._pending.values()), None)
        if first is not None:
            return Timer(first.deadline, keep_alive=False)
        return Timer(self._echo_at, keep_alive=True) if self._echo_at is not None else None

    def on_timer(self, now: float) -> None:
        """Take note of the time; harmless before the deadline."""
        while self._pending:
            sequence, pending = next(iter(self._pending.items()))
            if pending.deadline > now:
                break
            del self._pending[sequence]
            if pending.sent < self.settings.n3:
                pending.sent, pending.deadline = pending.sent + 1, now + self.settings.t3
                self._pending[sequence] = pending
                self._out.append((pending.octets, PORT))
            else:
                self._give_up(sequence, pending, now)
        if self._echo_at is not None and self._echo_at <= now:
            self.greet(now)

    def _give_up(self, sequence: int, pending: _Pending, now: float) -> None:
        if sequence == self._echo:
            self._echo = self._echo_at = None
            self._events.append(Failed())
            return
        self._events.append(RequestFailed(sequence, f"no answer to {pending.name} sent {pending.sent} times"))
        self._echo_at = now  # whether the peer is there at all
