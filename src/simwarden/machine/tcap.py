"""TCAP for one user at one address, as a machine without I/O (Q.771 to Q.774).

The user opens dialogues, puts operations and answers into them, and sends them by begin, continue, end or abort; it is
told what came (`tcap_events`). What breaks the protocol is answered here: a transaction portion by P-ABORT, a dialogue
portion by ABRT, a component by a reject.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import InternalError
from simwarden.machine.outputs import Outputs
from simwarden.machine.tcap_events import (
    Aborted,
    Begun,
    Cancelled,
    Continued,
    Ended,
    Event,
    Fault,
    Rejected,
    TcapLimits,
)
from simwarden.machine.tcap_operations import Operations, Waiting
from simwarden.machine.timer import Timer
from simwarden.wire.tcap import (
    Aare,
    Aarq,
    AbortCause,
    AbortSource,
    Abrt,
    BadDialogue,
    Component,
    Diagnostic,
    Message,
    MessageType,
    Reject,
    TcapError,
    decode,
    encode,
)

if TYPE_CHECKING:
    from simwarden.wire.sccp import Address
    from simwarden.wire.tcap import Context, ReturnError, ReturnResult
    from simwarden.wire.tcap.user import Operation, TcUser

_IDS: Final = 0xFFFFFFFF


class DialogueState(enum.Enum):
    """States of a dialogue (Q.774 figure 5): nothing sent, asked for by us or by the peer, or agreed."""

    IDLE = "idle"
    INITIATION_SENT = "initiation sent"
    INITIATION_RECEIVED = "initiation received"
    ACTIVE = "active"


class Outgoing(NamedTuple):
    """A message for SCCP."""

    called: Address
    calling: Address
    data: bytes


@dataclass(slots=True)
class _Dialogue:
    state: DialogueState
    local: Address
    remote: Address
    context: Context | None
    operations: Operations
    peer: bytes = b""


class TcapEndpoint(Outputs[Outgoing, Event]):
    """The dialogues of one user. Times are seconds of the owner's clock; a dialogue's number is its transaction id."""

    def __init__(
        self,
        user: TcUser,
        address: Address,
        *,
        first: int = 1,
        limits: TcapLimits = TcapLimits(),  # noqa: B008 - it is a constant
    ) -> None:
        """`first` is the first transaction id: two runs of one endpoint had better not share theirs."""
        super().__init__()
        self.user, self.address, self.limits = user, address, limits
        self._next = first & _IDS
        self._dialogues: dict[int, _Dialogue] = {}
        #: until when operations wait: also those that have their answers, until they are at the top
        self._deadlines: list[tuple[float, int, int]] = []

    def __len__(self) -> int:
        return len(self._dialogues)

    # -- what the owner does

    def state(self, dialogue: int) -> DialogueState | None:
        """Return the state of a dialogue, None where it is over."""
        found = self._dialogues.get(dialogue)
        return found.state if found is not None else None

    def open(self, remote: Address, context: Context | None) -> int:
        """Make a dialogue, of which nothing is sent before `begin`. Raises InternalError where there are too many."""
        if len(self._dialogues) >= self.limits.dialogues:
            raise InternalError(f"{self.limits.dialogues} dialogues at a time")
        return self._add(DialogueState.IDLE, self.address, remote, context)

    def invoke(
        self, dialogue: int, operation: Operation, argument: bytes, now: float, *, linked: int | None = None
    ) -> int:
        """Put an operation into the next message; return its invoke id."""
        operations = self._of(dialogue).operations
        invoke_id = operations.invoke(operation, argument, now, linked)
        heappush(self._deadlines, (operations.waiting[invoke_id].until, dialogue, invoke_id))
        return invoke_id

    def answer(self, dialogue: int, component: ReturnResult | ReturnError | Reject) -> None:
        """Put an answer to an operation of the peer's into the next message."""
        self._of(dialogue).operations.answer(component)

    def begin(self, dialogue: int) -> None:
        """Send TC-BEGIN."""
        found = self._of(dialogue, DialogueState.IDLE)
        found.state = DialogueState.INITIATION_SENT
        portion = None if found.context is None else Aarq(found.context)
        self._send(found, Message(MessageType.BEGIN, _octets(dialogue), b"", portion, found.operations.take_out()))

    def proceed(self, dialogue: int) -> None:
        """Send TC-CONTINUE; the first one accepts the dialogue that the peer has asked for."""
        found = self._of(dialogue, DialogueState.INITIATION_RECEIVED, DialogueState.ACTIVE)
        portion = self._acceptance(found)
        found.state = DialogueState.ACTIVE
        ids = (_octets(dialogue), found.peer)
        self._send(found, Message(MessageType.CONTINUE, *ids, portion, found.operations.take_out()))

    def end(self, dialogue: int, *, prearranged: bool = False) -> None:
        """Send TC-END; a `prearranged` end both users know of, so that nothing is sent."""
        found = self._of(dialogue, DialogueState.INITIATION_RECEIVED, DialogueState.ACTIVE, DialogueState.IDLE)
        if not prearranged and found.state is not DialogueState.IDLE:
            portion = self._acceptance(found)
            self._send(found, Message(MessageType.END, b"", found.peer, portion, found.operations.take_out()))
        del self._dialogues[dialogue]

    def abort(self, dialogue: int) -> None:
        """Give a dialogue up (TC-U-ABORT); before the peer has answered there is nobody to tell (Q.774 3.3.1.4)."""
        found = self._of(dialogue)
        del self._dialogues[dialogue]
        if found.peer:
            portion = Abrt(AbortSource.USER) if found.context is not None else None
            self._send(found, Message(MessageType.ABORT, dtid=found.peer, dialogue=portion))

    def refuse(self, dialogue: int, alternative: Context) -> None:
        """Refuse the context that a peer asks for, and name one that would be taken."""
        found = self._of(dialogue, DialogueState.INITIATION_RECEIVED)
        del self._dialogues[dialogue]
        portion = Aare(alternative, accepted=False, diagnostic=Diagnostic.USER_CONTEXT_NAME_NOT_SUPPORTED)
        self._send(found, Message(MessageType.ABORT, dtid=found.peer, dialogue=portion))

    def returned(self, data: bytes, reason: str) -> None:
        """Take note that SCCP could not deliver a message: a dialogue that was to begin is over (TC-NOTICE)."""
        try:
            message = decode(data)
        except TcapError:
            return
        number = int.from_bytes(message.otid)
        found = self._dialogues.get(number)
        if found is not None:
            self._lose(number, f"not delivered: {reason}", by_provider=True)

    # -- the five calls

    def receive(self, called: Address, calling: Address, data: bytes) -> None:
        """Take a message from SCCP."""
        try:
            message = decode(data)
        except TcapError as error:
            self._hear_bad(called, calling, data, error)
            return
        match message.type:
            case MessageType.BEGIN:
                self._hear_begin(called, calling, message)
            case MessageType.CONTINUE:
                self._hear_continue(called, calling, message)
            case MessageType.END:
                self._hear_end(calling, message)
            case MessageType.ABORT:
                self._hear_abort(calling, message)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        while self._deadlines and self._waiting(*self._deadlines[0]) is None:
            heappop(self._deadlines)
        return Timer(self._deadlines[0][0], keep_alive=False) if self._deadlines else None

    def on_timer(self, now: float) -> None:
        """Tell of operations whose time is over."""
        while self._deadlines and self._deadlines[0][0] <= now:
            until, number, invoke_id = heappop(self._deadlines)
            waiting = self._waiting(until, number, invoke_id)
            if waiting is not None:
                del self._dialogues[number].operations.waiting[invoke_id]
                self._events.append(Cancelled(number, invoke_id, waiting.opcode, waiting.kind))

    def _waiting(self, until: float, number: int, invoke_id: int) -> Waiting | None:
        """Return an operation that still waits, as it was put in."""
        found = self._dialogues.get(number)
        waiting = found.operations.waiting.get(invoke_id) if found is not None else None
        return waiting if waiting is not None and waiting.until == until else None

    # -- messages

    def _hear_begin(self, called: Address, calling: Address, message: Message) -> None:
        portion = message.dialogue
        if len(self._dialogues) >= self.limits.dialogues:
            self._refuse_transaction(called, calling, message.otid, AbortCause.RESOURCE_LIMITATION)
            return
        if portion is not None and not isinstance(portion, Aarq):
            self._events.append(Fault("TC-BEGIN without a request in its dialogue portion"))
            abort = Message(MessageType.ABORT, dtid=message.otid, dialogue=Abrt(AbortSource.PROVIDER))
            self._out.append(Outgoing(calling, called, encode(abort)))
            return
        context = portion.context if portion is not None else None
        number = self._add(DialogueState.INITIATION_RECEIVED, called, calling, context, message.otid)
        components = self._take_components(number, message)
        self._events.append(Begun(number, called, calling, context, components))

    def _hear_continue(self, called: Address, calling: Address, message: Message) -> None:
        number = int.from_bytes(message.dtid)
        found = self._dialogues.get(number)
        if found is None or len(message.dtid) != 4 or found.state is DialogueState.IDLE:
            self._events.append(Fault("TC-CONTINUE of no transaction"))
            self._refuse_transaction(called, calling, message.otid, AbortCause.UNRECOGNIZED_TRANSACTION_ID)
            return
        if _is_foreign(found, calling) or (found.peer and found.peer != message.otid):
            self._events.append(Fault("TC-CONTINUE of another transaction"))
            return
        first = found.state is DialogueState.INITIATION_SENT
        if first:
            found.peer, found.remote = message.otid, calling
        if reason := _wrong_portion(found, message, first=first):
            self._break(number, found, reason)
            return
        found.state = DialogueState.ACTIVE if first else found.state
        context = found.context if first else None
        self._events.append(Continued(number, self._take_components(number, message), context))

    def _hear_end(self, calling: Address, message: Message) -> None:
        number = int.from_bytes(message.dtid)
        found = self._dialogues.get(number)
        if found is None or len(message.dtid) != 4 or found.state is DialogueState.IDLE:
            self._events.append(Fault("TC-END of no transaction"))
            return
        if _is_foreign(found, calling):
            self._events.append(Fault("TC-END of another transaction"))
            return
        if reason := _wrong_portion(found, message, first=found.state is DialogueState.INITIATION_SENT):
            self._lose(number, reason, by_provider=True)
            return
        components = self._take_components(number, message)
        del self._dialogues[number]
        self._events.append(Ended(number, components))

    def _hear_abort(self, calling: Address, message: Message) -> None:
        number = int.from_bytes(message.dtid)
        found = self._dialogues.get(number)
        if found is None or len(message.dtid) != 4 or _is_foreign(found, calling):
            self._events.append(Fault("TC-ABORT of no transaction"))
        elif message.cause is not None:
            self._lose(number, "aborted by the provider", by_provider=True, cause=message.cause)
        elif isinstance(message.dialogue, Aare) and not message.dialogue.accepted:
            self._lose(number, "context refused", by_provider=False, refused=message.dialogue.context)
        else:
            provider = isinstance(message.dialogue, Abrt) and message.dialogue.source == AbortSource.PROVIDER
            self._lose(number, "aborted by the peer", by_provider=provider)

    def _hear_bad(self, called: Address, calling: Address, data: bytes, error: TcapError) -> None:
        """Answer a transaction portion that cannot be taken, if there is somebody to tell (Q.774 3.3.3.1)."""
        self._events.append(Fault(error.reason, data))
        number = int.from_bytes(error.dtid) if len(error.dtid) == 4 else -1
        if number in self._dialogues:
            self._lose(number, error.reason, by_provider=True, cause=error.code)
        if error.otid:
            self._refuse_transaction(called, calling, error.otid, AbortCause(error.code or 0))

    # -- what all do

    def _take_components(self, number: int, message: Message) -> tuple[Component, ...]:
        """Return the components that can be taken; the others are rejected with our next message."""
        operations, taken = self._dialogues[number].operations, []
        for each in message.components:
            wrong = operations.hear(each)
            if wrong is not None:
                self._events.append(Rejected(number, *wrong, local=True))
            elif isinstance(each, Reject):
                self._events.append(Rejected(number, each.invoke_id, each.problem, local=False))
            else:
                taken.append(each)
        return tuple(taken)

    def _add(
        self, state: DialogueState, local: Address, remote: Address, context: Context | None, peer: bytes = b""
    ) -> int:
        number = self._next
        while number in self._dialogues:
            number = number + 1 & _IDS
        self._next = number + 1 & _IDS
        operations = Operations(self.user.by_code.get, self.limits.invokes)
        self._dialogues[number] = _Dialogue(state, local, remote, context, operations, peer)
        return number

    def _of(self, dialogue: int, *states: DialogueState) -> _Dialogue:
        found = self._dialogues.get(dialogue)
        if found is None or (states and found.state not in states):
            raise InternalError(f"dialogue {dialogue} is {found.state.value if found is not None else 'over'}")
        return found

    def _acceptance(self, found: _Dialogue) -> Aare | None:
        accepts = found.state is DialogueState.INITIATION_RECEIVED and found.context is not None
        return Aare(found.context) if accepts and found.context is not None else None

    def _send(self, found: _Dialogue, message: Message) -> None:
        self._out.append(Outgoing(found.remote, found.local, encode(message)))

    def _refuse_transaction(self, called: Address, calling: Address, otid: bytes, cause: AbortCause) -> None:
        self._out.append(Outgoing(calling, called, encode(Message(MessageType.ABORT, dtid=otid, cause=cause))))

    def _break(self, number: int, found: _Dialogue, reason: str) -> None:
        """End a dialogue whose peer breaks it, and tell both (abnormal dialogue, Q.774 3.2.2)."""
        portion = Abrt(AbortSource.PROVIDER)
        self._send(found, Message(MessageType.ABORT, dtid=found.peer, dialogue=portion))
        self._lose(number, reason, by_provider=True)

    def _lose(
        self,
        number: int,
        reason: str,
        *,
        by_provider: bool,
        cause: int | None = None,
        refused: Context | None = None,
    ) -> None:
        del self._dialogues[number]
        self._events.append(Aborted(number, reason, by_provider, cause, refused))


def _octets(number: int) -> bytes:
    return number.to_bytes(4)


def _is_foreign(found: _Dialogue, calling: Address) -> bool:
    """Whether a message is from another point than the one that a dialogue is with, where both are known.

    A transaction id alone is guessed easily, and a TC-END that says Connect would let a call through.
    """
    known = found.remote.point_code if found.remote.route_on_ssn else None
    return None not in (known, calling.point_code) and known != calling.point_code


def _wrong_portion(found: _Dialogue, message: Message, *, first: bool) -> str:
    """Say what is wrong with a dialogue portion: the first answer has one if we have asked, later ones have none."""
    portion = message.dialogue
    if isinstance(portion, BadDialogue):
        return portion.reason
    if not first or found.context is None:
        return "a dialogue portion out of its place" if portion is not None else ""
    if not isinstance(portion, Aare):
        return "no answer in the dialogue portion"
    return "" if portion.accepted and portion.context == found.context else "another context than was asked for"
