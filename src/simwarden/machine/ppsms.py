"""Short messages between a device and its MME, as a machine without I/O (TS 24.011 5, 6): both ends are alike.

CP sees to it that each RP message is acknowledged, RP that each message has its answer. A transaction is one message
with its answer; who began it says so by the flag of the transaction identifier, so that those of both sides run beside
each other. Octets in and out are those of NAS message containers (TS 24.301 9.9.3.22).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from simwarden.errors import InternalError, PeerError
from simwarden.machine.outputs import Outputs
from simwarden.machine.timer import Timer
from simwarden.wire.ppsms import Cp, CpCause, CpType, Rp, RpCause, RpType, decode_cp, decode_rp, encode_cp, encode_rp

#: transaction identifiers of each side (TS 24.007 11.2.3.1.3)
_IDENTIFIERS: Final = range(7)
#: RP causes after which a mobile says RP-SMMA again: those of a failure that passes (Annex E-2)
TEMPORARY: Final = frozenset(
    {RpCause.NETWORK_OUT_OF_ORDER, RpCause.TEMPORARY_FAILURE, RpCause.CONGESTION, RpCause.RESOURCES_UNAVAILABLE}
)
_ANSWERS: Final = frozenset({RpType.RP_ACK, RpType.RP_ERROR})


class PpsmsTimers(NamedTuple):
    """Seconds; TR1M is to be between 35 and 45, TR2M between 12 and 20, TRAM between 25 and 35 (10), others are free.

    By default all TC1* of one CP-DATA together are TR1M less 10 s, so that CP gives up before RP does.
    """

    #: TC1*: CP-DATA awaits its CP-ACK
    tc1: float = 10.0
    #: TR1M, TR1N: a message awaits its RP answer
    tr1: float = 40.0
    #: TR2M, TR2N: whoever is above answers a message that came
    tr2: float = 15.0
    #: TRAM: a mobile that got no good answer to RP-SMMA says it again, once (6.3.3)
    tram: float = 30.0
    #: how often CP-DATA is sent again: 1 to 3 (5.3.2.1)
    repeats: int = 2


@dataclass(frozen=True, slots=True)
class Arrived:
    """The peer sent a message (RP-DATA), or says that it has room again (RP-SMMA): `answer` the transaction."""

    transaction: int
    message: Rp


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a transaction of the owner's: RP-ACK or RP-ERROR, or None with the CP cause or the reason."""

    transaction: int
    answer: Rp | None
    reason: str = ""
    cp_cause: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """The peer broke the protocol; it was answered where there is an answer."""

    reason: str
    data: bytes


Event: TypeAlias = Arrived | Answered | Fault


@dataclass(slots=True)
class _Transaction:
    """One transaction: `sent` is CP-DATA that has no CP-ACK yet, `heard` the peer's last; `until` is TR1* or TR2*."""

    identifier: int
    own: bool
    reference: int
    until: float
    sent: bytes = b""
    repeat_at: float = 0.0
    repeats: int = 0
    heard: bytes = b""
    answered: bool = False


class Ppsms(Outputs[bytes, Event]):
    """The CP and RP entities of one end, over one signalling connection. Times are seconds of the owner's clock."""

    def __init__(self, *, mobile: bool, timers: PpsmsTimers = PpsmsTimers()) -> None:  # noqa: B008 - it is a constant
        super().__init__()
        self.mobile, self.timers = mobile, timers
        self._open: dict[tuple[bool, int], _Transaction] = {}
        self._reference = 0

    # -- what the owner does

    @property
    def busy(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._open)

    def next_reference(self) -> int:
        """Return the reference of the next RP message (8.2.3)."""
        self._reference = (self._reference + 1) % 256
        return self._reference

    def begin(self, message: Rp, now: float) -> int:
        """Send a message (RP-DATA, RP-SMMA); return the transaction that its Answered names.

        Raises ValueError for what RP cannot carry, InternalError where all transactions are in use.
        """
        free = [each for each in _IDENTIFIERS if (True, each) not in self._open]
        if not free:
            raise InternalError("all transactions are in use")
        octets = encode_rp(message)
        opened = _Transaction(free[0], own=True, reference=message.reference, until=now + self.timers.tr1)
        self._open[True, opened.identifier] = opened
        self._send_data(opened, octets, now)
        return opened.identifier

    def answer(self, transaction: int, message: Rp, now: float) -> None:
        """Answer a message that arrived; what nobody waits for any more is left unsaid. Raises ValueError."""
        octets = encode_rp(message)
        found = self._open.get((False, transaction))
        if found is not None and not found.answered:
            found.answered = True
            self._send_data(found, octets, now)

    def lost(self, reason: str) -> None:
        """Take note that the connection is gone, and all transactions with it."""
        for each in list(self._open.values()):
            self._end(each, None, reason)

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Take a CP message."""
        try:
            message = decode_cp(data)
        except PeerError as error:
            self._events.append(Fault(error.reason, data))
            self._refuse(data, error.code or CpCause.PROTOCOL_ERROR_UNSPECIFIED)
            return
        found = self._open.get((message.answering, message.transaction))
        match message.type:
            case CpType.CP_DATA if found is None:
                self._hear_first(message, data, now)
            case CpType.CP_DATA if found is not None:
                self._hear_more(found, message, data)
            case CpType.CP_ACK if found is not None:
                self._acknowledged(found)
            case CpType.CP_ERROR if found is not None:
                self._end(found, None, "CP-ERROR", message.cause)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        due = [each.repeat_at if each.sent else each.until for each in self._open.values()]
        return Timer(min(due), keep_alive=False) if due else None

    def on_timer(self, now: float) -> None:
        """Do what is due; nothing where the timer is early."""
        for each in list(self._open.values()):
            if each.sent and each.repeat_at <= now:
                self._repeat(each, now)
            elif not each.sent and each.until <= now:
                self._end(each, None, "TR1* ran out" if each.own else "TR2* ran out")

    # -- CP

    def _send_data(self, of: _Transaction, user_data: bytes, now: float) -> None:
        of.sent = encode_cp(Cp(CpType.CP_DATA, of.identifier, not of.own, user_data))
        of.repeat_at, of.repeats = now + self.timers.tc1, 0
        self._out.append(of.sent)

    def _repeat(self, of: _Transaction, now: float) -> None:
        if of.repeats >= self.timers.repeats:
            self._end(of, None, "TC1* ran out")
            return
        of.repeats, of.repeat_at = of.repeats + 1, now + self.timers.tc1
        self._out.append(of.sent)

    def _acknowledged(self, of: _Transaction) -> None:
        of.sent = b""
        if not of.own and of.answered:
            del self._open[False, of.identifier]

    def _control(self, kind: CpType, identifier: int, *, own: bool, cause: int = 0) -> None:
        self._out.append(encode_cp(Cp(kind, identifier, not own, cause=cause)))

    def _refuse(self, data: bytes, cause: int) -> None:
        """Answer octets that are no CP message by CP-ERROR (9.2), but never a CP-ERROR, nor what names nothing."""
        if len(data) < 2 or data[0] & 15 != 9 or data[0] >> 4 & 7 == 7 or data[1] == CpType.CP_ERROR:
            return
        own, identifier = bool(data[0] & 0x80), data[0] >> 4 & 7
        self._control(CpType.CP_ERROR, identifier, own=own, cause=cause)
        found = self._open.get((own, identifier))
        if found is not None:
            self._end(found, None, "a CP message that cannot be read")

    def _hear_first(self, message: Cp, data: bytes, now: float) -> None:
        if message.answering:  # of a transaction that we never began, or that is over
            self._events.append(Fault("CP-DATA of a transaction that is not there", data))
            cause = CpCause.INVALID_TRANSACTION_IDENTIFIER_VALUE
            self._control(CpType.CP_ERROR, message.transaction, own=True, cause=cause)
            return
        self._control(CpType.CP_ACK, message.transaction, own=False)
        opened = _Transaction(message.transaction, own=False, reference=0, until=now + self.timers.tr2, heard=data)
        self._open[False, opened.identifier] = opened
        self._take(opened, message.user_data, data, now)

    def _hear_more(self, found: _Transaction, message: Cp, data: bytes) -> None:
        """CP-DATA in a transaction that is open: its answer, the same once more, or what does not fit the state."""
        if data == found.heard:
            self._control(CpType.CP_ACK, found.identifier, own=found.own)  # the peer has not heard ours
        elif found.own and not found.sent:
            self._control(CpType.CP_ACK, found.identifier, own=True)
            self._hear_answer(found, message.user_data, data)
        else:
            self._events.append(Fault("CP-DATA before the CP-ACK of what was sent", data))
            cause = CpCause.MESSAGE_NOT_COMPATIBLE_WITH_PROTOCOL_STATE
            self._control(CpType.CP_ERROR, found.identifier, own=found.own, cause=cause)
            self._end(found, None, "CP-DATA out of place")

    # -- RP

    def _take(self, opened: _Transaction, user_data: bytes, data: bytes, now: float) -> None:
        """Read the first RP message of a transaction; what is wrong with it is answered by RP-ERROR (9.3)."""
        try:
            message = self._decode(user_data)
            if message.type in _ANSWERS:
                cause = RpCause.MESSAGE_NOT_COMPATIBLE_WITH_PROTOCOL_STATE
                raise PeerError(f"{message.type.name} that answers nothing", code=cause)  # noqa: TRY301 - same answer
        except PeerError as error:
            self._events.append(Fault(error.reason, data))
            reference = user_data[1] if len(user_data) > 1 else 0
            refusal = Rp(
                RpType.RP_ERROR, reference, self.mobile, cause=error.code or RpCause.PROTOCOL_ERROR_UNSPECIFIED
            )
            self.answer(opened.identifier, refusal, now)
            return
        opened.reference = message.reference
        self._events.append(Arrived(opened.identifier, message))

    def _hear_answer(self, found: _Transaction, user_data: bytes, data: bytes) -> None:
        try:
            message = self._decode(user_data)
        except PeerError as error:
            self._events.append(Fault(error.reason, data))
            self._end(found, None, "an RP message that cannot be read")
            return
        if message.type in _ANSWERS and message.reference == found.reference:
            self._end(found, message)
        else:
            self._events.append(Fault(f"{message.type.name} {message.reference} answers nothing", data))
            self._end(found, None, "an RP message that answers nothing")

    def _decode(self, user_data: bytes) -> Rp:
        message = decode_rp(user_data)
        if message.from_mobile is self.mobile:
            raise PeerError("an RP message of the other direction", code=RpCause.MESSAGE_TYPE_NON_EXISTENT)
        return message

    def _end(self, of: _Transaction, answer: Rp | None, reason: str = "", cp_cause: int = 0) -> None:
        self._open.pop((of.own, of.identifier), None)
        if of.own:
            self._events.append(Answered(of.identifier, answer, reason, cp_cause))


def acknowledge(message: Rp, user_data: bytes | None = None) -> Rp:
    """Make the RP-ACK to a message, with a report of the transfer layer."""
    return Rp(RpType.RP_ACK, message.reference, not message.from_mobile, user_data=user_data)


def refuse(message: Rp, cause: int, user_data: bytes | None = None) -> Rp:
    """Make the RP-ERROR to a message, with a report of the transfer layer."""
    return Rp(RpType.RP_ERROR, message.reference, not message.from_mobile, user_data=user_data, cause=cause)
