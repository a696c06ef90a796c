"""One CMPP 2.0 connection as a machine without I/O (6.1, 7.4): both ends, and who may connect.

A request without answer is sent again with its sequence number, so many times (6.1.1): who takes requests may see one
twice.
"""

from __future__ import annotations

import datetime as dt
import enum
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from simwarden.errors import InternalError, PeerError
from simwarden.machine.windowed_session import (
    BindAnswered,
    BindAsked,
    Limits,
    LinkCommands,
    SessionEvent,
    WindowedSession,
)
from simwarden.wire.cmpp import (
    LENGTHS,
    VERSION,
    ActiveTested,
    Command,
    Connect,
    Connected,
    Delivered,
    Message,
    Result,
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

#: messages taken of which the numbers are remembered, so that one sent again late is not taken twice
_REMEMBERED: Final = 4096
ADVISED: Final = Limits(window=16, response=60.0, quiet=180.0, attempts=3)
"""What 6.1.1 advises: T is `response`, N `attempts` and C `quiet`."""


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


Event: TypeAlias = SessionEvent[Message, Connect]

_TAKEN: Final = {
    End.GATEWAY: frozenset({Command.SUBMIT, Command.QUERY, Command.CANCEL}),
    End.PLATFORM: frozenset({Command.DELIVER}),
}
"""What an end takes of the other beside what is about the link."""


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


class CmppSession(WindowedSession[Message, Connect, State]):
    """One connection."""

    _encode, _decode, _new_pdu = staticmethod(encode), staticmethod(decode), Message
    lengths = LENGTHS
    last_sequence = 0xFFFFFFFF
    commands = LinkCommands(
        {Command.CONNECT}, Command.TERMINATE, Command.ACTIVE_TEST, "terminated", "no CMPP_CONNECT in time"
    )
    open_state, unbinding_state, closed_state = State.OPEN, State.TERMINATING, State.CLOSED
    bound_states = frozenset({State.CONNECTED})

    def __init__(self, end: End, now: float, *, limits: Limits = ADVISED) -> None:
        super().__init__(now, limits, serves=end is End.GATEWAY)
        self.end = end
        self._taken: dict[int, None] = {}

    # -- what the owner does

    def connect(self, connect: Connect, now: float) -> None:
        """Ask to be connected, as a platform."""
        self._request(Message(Command.CONNECT, self._next_sequence(), connect), now)

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
        message = Message(command, self._next_sequence(), body)
        self._request(message, now)
        return message.sequence

    def answer(self, asked: Message, body: Body) -> None:
        """Answer a request."""
        if self._take_unanswered(asked):
            self._send(answer(asked, body))
            if isinstance(body, Submitted) and body.result == Result.CORRECT:
                self._taken[asked.sequence] = None
                if len(self._taken) > _REMEMBERED:
                    del self._taken[next(iter(self._taken))]

    # -- what a windowed session needs to know of CMPP

    def _receive_bind_answer(self, asked: Message, answer: Message) -> None:
        del asked
        assert isinstance(answer.body, Connected)  # noqa: S101 - by its command
        self.state = State.OPEN if answer.body.status else State.CONNECTED
        self._events.append(BindAnswered(answer.body.status))

    def _receive_request(self, pdu: Message) -> None:
        if pdu.command is Command.ACTIVE_TEST:
            self._send(answer(pdu, ActiveTested()))
        elif self._awaits_bind and isinstance(pdu.body, Connect):
            self._events.append(BindAsked(pdu, pdu.body))
        elif pdu.command is Command.TERMINATE:
            self._send(answer(pdu))
            self._close("terminated by peer")
        elif self.is_bound and pdu.command in _TAKEN[self.end]:
            self._receive_in_place(pdu)
        else:
            self._reject_out_of_place(pdu)

    def _receive_in_place(self, pdu: Message) -> None:
        """Offer a request to the owner, once however often it is sent.

        A message is turned away that was taken already (result 3), and what is beyond the window (result 8).
        """
        if pdu.sequence in self._unanswered:
            return
        if pdu.command is Command.SUBMIT and pdu.sequence in self._taken:
            self._reject(pdu, Result.SEQUENCE_REPEATED)
        elif len(self._unanswered) >= self.limits.window:
            self._reject(pdu, Result.FLOW_CONTROL_ERROR)
        else:
            self._offer(pdu)

    def _reject_out_of_place(self, pdu: Message) -> None:
        """Leave who asks before being connected, or for what this end does not do: CMPP has no answer for that."""
        self._fault(f"{pdu.command.name} in state {self.state.name}", encode(pdu))
        self._reject(pdu, Result.COMMAND_ERROR)
        if self.state is State.OPEN:
            self._close("not connected")

    def _reject(self, pdu: Message, result: Result) -> None:
        if pdu.command is Command.SUBMIT:
            self._send(answer(pdu, Submitted(0, result)))
        elif pdu.command is Command.DELIVER:
            self._send(answer(pdu, Delivered(0, result)))

    def _answer_malformed(self, octets: bytes, error: PeerError) -> None:
        """Answer a request that cannot be read, where its answer has a result; CMPP_CONNECT by status 1 (7.4.1.2)."""
        command, sequence = decode_header(octets)
        if command == Command.CONNECT and self._awaits_bind:
            self.refuse(Message(Command.CONNECT, sequence), Status.MESSAGE_STRUCTURE_ERROR)
        elif command in (Command.SUBMIT, Command.DELIVER):
            self._reject(Message(Command(command), sequence), Result(error.code or Result.MESSAGE_STRUCTURE_ERROR))
