"""One SMPP session as a machine without I/O (SMPP 3.4 chapter 2): both roles, and the answers to protocol errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from simwarden.errors import InternalError, PeerError
from simwarden.machine.smpp_table import ALLOWED, BOUND_BY, Role, State
from simwarden.machine.windowed_session import (
    Asked,
    BindAnswered,
    BindAsked,
    Limits,
    LinkCommands,
    SessionEvent,
    WindowedSession,
)
from simwarden.wire.smpp import (
    BINDS,
    LENGTHS,
    RESPONSE,
    Bind,
    Bound,
    Command,
    Parameter,
    Pdu,
    Status,
    Tag,
    answer,
    decode,
    decode_header,
    encode,
)

if TYPE_CHECKING:
    from simwarden.wire.smpp import Body

_REQUESTS: Final = frozenset(int(each) for each in Command if not each & RESPONSE)
#: requests that have no answer (4.1.7, 4.12.1)
_UNANSWERED: Final = frozenset({Command.OUTBIND, Command.ALERT_NOTIFICATION})

Event: TypeAlias = SessionEvent[Pdu, Bind]


class SmppSession(WindowedSession[Pdu, Bind, State]):
    """One session over one connection."""

    _encode, _decode, _new_pdu = staticmethod(encode), staticmethod(decode), Pdu
    lengths = LENGTHS
    #: sequence numbers (3.2): after the last comes the first
    last_sequence = 0x7FFFFFFF
    commands = LinkCommands(BINDS, Command.UNBIND, Command.ENQUIRE_LINK, "unbound", "no bind in time")
    open_state, unbinding_state, closed_state = State.OPEN, State.UNBINDING, State.CLOSED
    bound_states = frozenset(BOUND_BY.values())

    def __init__(self, role: Role, now: float, *, limits: Limits = Limits()) -> None:  # noqa: B008 - it is a constant
        super().__init__(now, limits, serves=role is Role.SMSC)
        self.role = role

    # -- what the owner does

    def bind(self, command: Command, bind: Bind, now: float) -> None:
        """Ask to be bound, as an ESME."""
        self._request(Pdu(command, self._next_sequence(), 0, bind), now)

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
        pdu = Pdu(command, self._next_sequence(), 0, body, parameters)
        if command in _UNANSWERED:
            self._send(pdu)
        else:
            self._request(pdu, now)
        return pdu.sequence

    def answer(self, asked: Pdu, status: int = 0, body: Body | None = None, *parameters: Parameter) -> None:
        """Answer a request; what nobody waits for any more is left unsaid."""
        if self._take_unanswered(asked):
            self._send(answer(asked, status, body, *parameters))

    # -- what a windowed session needs to know of SMPP

    def _name(self, pdu: Pdu) -> str:
        return pdu.command.name.lower()

    def _is_answer(self, pdu: Pdu, asked: Pdu) -> bool:
        return pdu.command is Command.GENERIC_NACK or super()._is_answer(pdu, asked)

    def _receive_bind_answer(self, asked: Pdu, answer: Pdu) -> None:
        if not answer.status and isinstance(answer.body, Bound):
            self.state = BOUND_BY[asked.command]
            self._events.append(BindAnswered(0))
        else:
            self._events.append(BindAnswered(answer.status or Status.ESME_RBINDFAIL))

    def _receive_request(self, pdu: Pdu) -> None:
        if pdu.command is Command.ENQUIRE_LINK:
            self._send(answer(pdu))
        elif pdu.command not in ALLOWED[self.role, self.state]:
            self._reject_out_of_place(pdu)
        elif isinstance(pdu.body, Bind):
            self._events.append(BindAsked(pdu, pdu.body))
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
            self._offer(pdu)

    def _reject_out_of_place(self, pdu: Pdu) -> None:
        """Answer a request that does not fit the state (2.3), or comes from the wrong side."""
        again = pdu.command in BINDS and self.is_bound
        status = Status.ESME_RALYBND if again else Status.ESME_RINVBNDSTS
        self._fault(f"{self._name(pdu)} in state {self.state.name}", encode(pdu))
        if pdu.command not in _UNANSWERED:
            self._send(answer(pdu, status))

    def _answer_malformed(self, octets: bytes, error: PeerError) -> None:
        """Answer octets that are no PDU: by the command's own answer where that is known, else by generic_nack."""
        header = decode_header(octets)
        if header.command & RESPONSE:
            waiting = self._waiting.get(header.sequence)
            if waiting is not None:
                self._give_up(waiting.asked)
            return
        known = header.command in _REQUESTS and header.command not in _UNANSWERED
        command = Command(header.command | RESPONSE) if known else Command.GENERIC_NACK
        self._send(Pdu(command, header.sequence, error.code or Status.ESME_RSYSERR))

    def _answer_unframed(self) -> None:
        self._send(Pdu(Command.GENERIC_NACK, 0, Status.ESME_RINVCMDLEN))
