"""A credit-control session without I/O, as its client has it (RFC 8506 7, "CLIENT, SESSION BASED").

The owner of a client session orders `start`, `update` and `stop`, gives it answers, failures, RAR and ASR, and takes
out events: which CCR to send, and what became of the service. `TABLE` is the state machine.

It fails closed: a server's CONTINUE and a 4011 let the service run without credit only where the owner's settings say
so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from simwarden.machine.timer import Timer
from simwarden.wire.diameter import Message, ResultCode, first
from simwarden.wire.diameter.apps.credit import CcRequestType, FailureHandling, SessionFailover

if TYPE_CHECKING:
    from collections.abc import Mapping

_INITIAL, _UPDATE, _TERMINATION = (
    CcRequestType.INITIAL_REQUEST,
    CcRequestType.UPDATE_REQUEST,
    CcRequestType.TERMINATION_REQUEST,
)
#: answers that say that the server was not reached, or takes nothing now (RFC 8506 7, "failure to send")
_NOT_TAKEN: Final = (
    ResultCode.DIAMETER_UNABLE_TO_DELIVER,
    ResultCode.DIAMETER_TOO_BUSY,
    ResultCode.DIAMETER_LOOP_DETECTED,
)
#: why a CCR is sent that a server has ordered
_ORDERED: Final = "FORCED_REAUTHORISATION"
#: seconds for which units are valid at least: a server that grants them for none would be asked without end
_SHORTEST: Final = 1


@dataclass(frozen=True, slots=True)
class CreditSettings:
    """`tx` are seconds after which an answer is late (RFC 8506 13); `handling` holds until the server says another.

    `obeys_continue`: the service may run on without credit where the server's handling is CONTINUE (or
    RETRY_AND_TERMINATE, while an answer is late); `obeys_not_applicable`: where it answers 4011. `harmless` are results
    of an update that refuse what it asks for and do not end the session.
    """

    tx: float = 10.0
    handling: FailureHandling = FailureHandling.TERMINATE
    obeys_continue: bool = False
    obeys_not_applicable: bool = False
    harmless: frozenset[int] = frozenset()


class State(IntEnum):
    """Where a session stands (RFC 8506 7)."""

    IDLE = 0
    PENDING_I = 1
    OPEN = 2
    PENDING_U = 3
    PENDING_T = 4
    ENDED = 5
    """Idle again: a session is not begun twice."""


class Input(IntEnum):
    """What may happen to a session."""

    START = 0
    UPDATE = 1
    """Granted units are used up, their validity is over, or what they are rated by has changed; or an RAR came."""
    STOP = 2
    """The service is over, or an ASR came."""
    SUCCESS = 3
    DENIED = 4
    NOT_APPLICABLE = 5
    FAILED = 6
    LATE = 7
    """Tx ran out."""


TABLE: Final[Mapping[tuple[State, Input], tuple[str, State]]] = {
    (State.IDLE, Input.START): ("ask_initial", State.PENDING_I),
    (State.IDLE, Input.STOP): ("ignore", State.ENDED),
    **{
        (state, what): row
        for state in (State.PENDING_I, State.PENDING_U)
        for what, row in {
            Input.UPDATE: ("queue_update", state),
            Input.STOP: ("queue_stop", state),
            Input.SUCCESS: ("grant", State.OPEN),
            Input.DENIED: ("end", State.ENDED),
            Input.NOT_APPLICABLE: ("serve_uncharged", State.ENDED),
            Input.FAILED: ("handle_failure", State.ENDED),
            Input.LATE: ("handle_lateness", State.ENDED),
        }.items()
    },
    (State.OPEN, Input.UPDATE): ("ask_update", State.PENDING_U),
    (State.OPEN, Input.STOP): ("ask_termination", State.PENDING_T),
    **{
        (State.PENDING_T, what): ("close", State.ENDED)
        for what in (Input.SUCCESS, Input.DENIED, Input.NOT_APPLICABLE, Input.FAILED, Input.LATE)
    },
}
"""State and input to action and next state, of which an action may choose another. What has no row means nothing."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a CCR. `reason` is why, for an update; `again`: it was sent before (T flag, to another server if any)."""

    kind: CcRequestType
    number: int
    reason: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """The server answered with success: the units are in the answer. Without any, nothing may pass."""

    answer: Message


@dataclass(frozen=True, slots=True)
class Uncharged:
    """The service may go on without credit, by the settings of its owner.

    `exempt`: the server counts none of it (4011).
    """

    reason: str
    exempt: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """The service must stop: the server denied it, or is not there. `answer` is what it said, if it did."""

    reason: str
    answer: Message | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over, as the owner ordered."""


Event = Ask | Granted | Uncharged | Ended | Closed


@dataclass(slots=True, eq=False)
class CreditSession:
    """One session of a client."""

    settings: CreditSettings = field(default_factory=CreditSettings)
    state: State = State.IDLE
    handling: FailureHandling = field(init=False)
    failover: bool = False
    _number: int = 0
    _asked: Ask | None = None
    _answer: Message | None = None
    _why: str = ""
    _update: str | None = None
    _stops: bool = False
    _now: float = 0.0
    _tx: float | None = None
    #: rating groups (None: no group) whose units end, and when; a dict would take twice as much of an idle session
    _validity: tuple[tuple[int | None, float], ...] = ()
    _events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.handling = self.settings.handling

    # -- what the owner orders

    def start(self, now: float) -> None:
        """Begin: the CCR-I is due."""
        self._feed(Input.START, now)

    def update(self, now: float, reason: str = "") -> None:
        """Report what was used, and ask for more."""
        self._why = reason
        self._feed(Input.UPDATE, now)

    def re_auth(self, now: float, *, partly: bool = False) -> bool:
        """Take note of an RAR; return whether a CCR follows (RFC 8506 5.5).

        While one is under way none does, save where that is about a part of what the session has (`partly`).
        """
        follows = self.state is State.OPEN or (self.state is State.PENDING_U and partly)
        if follows:
            self.update(now, _ORDERED)
        return follows

    def stop(self, now: float) -> None:
        """End: the CCR-T is due, after the answer that is awaited."""
        self._feed(Input.STOP, now)

    # -- what happens

    def answered(self, number: int, answer: Message, now: float) -> None:
        """Take the answer to the CCR of that number; one to an earlier CCR means nothing."""
        if self._asked is None or number != self._asked.number:
            return
        self._answer = answer
        code = answer.result_code or answer.experimental_result or 0
        self._why = f"result {code}"
        if code in _NOT_TAKEN:
            self._feed(Input.FAILED, now)
        elif code == ResultCode.DIAMETER_CREDIT_CONTROL_NOT_APPLICABLE:
            self._feed(Input.NOT_APPLICABLE, now)
        else:
            refused = self._asked.kind is _UPDATE and code in self.settings.harmless
            self._feed(Input.SUCCESS if answer.success or refused else Input.DENIED, now)

    def failed(self, number: int, reason: str, now: float) -> None:
        """Take note that the CCR of that number could not be sent, or lost its connection."""
        if self._asked is not None and number == self._asked.number:
            self._answer, self._why = None, reason
            self._feed(Input.FAILED, now)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` must be called."""
        deadlines = [self._tx] if self._tx is not None else self._ends()
        return Timer(min(deadlines), keep_alive=False) if deadlines else None

    def _ends(self) -> list[float]:
        """Return when units end; while a CCR is under way they are not asked for again."""
        return [end for _, end in self._validity] if self.state is State.OPEN else []

    def on_timer(self, now: float) -> None:
        """Take note of the time; harmless before the deadline."""
        if self._tx is not None and now >= self._tx:
            self._tx, self._answer, self._why = None, None, "the answer is late"
            self._feed(Input.LATE, now)
        elif any(now >= each for each in self._ends()):
            self._validity = ()  # all groups are asked for
            self.update(now, "VALIDITY_TIME")

    def events(self) -> list[Event]:
        """Return what is to be done and what happened since the last call, and forget it."""
        events, self._events = self._events, []
        return events

    # -- the table at work

    def _feed(self, what: Input, now: float) -> None:
        self._now = now
        row = TABLE.get((self.state, what))
        if row is None:
            return
        action, following = row
        self.state = getattr(self, f"_do_{action}")() or following
        if self.state is State.ENDED:
            self._tx = self._asked = None

    def _ask(self, kind: CcRequestType, reason: str = "") -> None:
        self._asked = Ask(kind, self._number, reason)
        self._number += 1
        self._send(self._asked)

    def _send(self, ask: Ask) -> None:
        self._asked = ask
        self._tx = self._now + self.settings.tx
        self._events.append(ask)

    def _do_ignore(self) -> None:
        """Nothing is due."""

    def _do_ask_initial(self) -> None:
        self._ask(_INITIAL)

    def _do_ask_update(self) -> None:
        self._ask(_UPDATE, self._why)

    def _do_ask_termination(self) -> None:
        self._ask(_TERMINATION)

    def _do_queue_update(self) -> None:
        self._update = self._why if self._update != _ORDERED else _ORDERED  # which is about all

    def _do_queue_stop(self) -> None:
        self._stops = True

    def _do_grant(self) -> State | None:
        answer, self._answer, self._asked, self._tx = self._answer, None, None, None
        if answer is not None:
            self._heed(answer)
            self._events.append(Granted(answer))
        if self._stops:
            self._do_ask_termination()
            return State.PENDING_T
        if self._update is not None:
            self._why, self._update = self._update, None
            self._do_ask_update()
            return State.PENDING_U
        return None

    def _heed(self, answer: Message) -> None:
        """Take from an answer what holds for the session: handling, failover, and when what it grants ends."""
        handling = answer.get("Credit-Control-Failure-Handling")
        if handling in FailureHandling.__members__.values():
            self.handling = FailureHandling(handling)
        self.failover = answer.get("CC-Session-Failover", self.failover) == SessionFailover.FAILOVER_SUPPORTED
        groups = answer.all("Multiple-Services-Credit-Control")
        times = [(first(group, "Rating-Group"), first(group, "Validity-Time")) for group in groups]
        times.append((None, answer.get("Validity-Time")))
        told = {number for number, _ in times}
        kept = [each for each in self._validity if each[0] not in told]
        ends = [(number, self._now + max(seconds, _SHORTEST)) for number, seconds in times if seconds is not None]
        self._validity = (*kept, *ends)

    def _do_end(self) -> None:
        self._events.append(Ended(self._why, self._answer))

    def _do_close(self) -> None:
        self._events.append(Closed())

    def _do_serve_uncharged(self) -> None:
        if self.settings.obeys_not_applicable:
            self._events.append(Uncharged("credit control is not applicable (4011)", exempt=True))
        else:
            self._do_end()

    def _do_handle_failure(self) -> State | None:
        """Act by the failure handling (RFC 8506 8.14): go on, try another server once, or end."""
        asked, tries = self._asked, self.failover and self.handling is not FailureHandling.TERMINATE
        if asked is not None and tries and not asked.again:
            self._send(Ask(asked.kind, asked.number, asked.reason, again=True))
            return self.state
        if self.handling is FailureHandling.CONTINUE and self.settings.obeys_continue:
            self._events.append(Uncharged(self._why))
        else:
            self._do_end()
        return None

    def _do_handle_lateness(self) -> State | None:
        if self.handling is FailureHandling.TERMINATE or not self.settings.obeys_continue:
            self._do_end()
            return None
        self._events.append(Uncharged(self._why))
        return self.state
