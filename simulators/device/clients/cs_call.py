"""Call control of one call in a terminal (TS 24.008 5)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from simwarden.wire.dtap import CODING_GSM, CallState, MessageType
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.device.contexts import Emm
    from simwarden.runtime.clock import Timer
    from simwarden.wire.dtap import Message

T, S = MessageType, CallState
_SETTING_UP: Final = frozenset({S.CALL_INITIATED, S.MOBILE_ORIGINATING_CALL_PROCEEDING, S.CALL_DELIVERED})
#: speech, full rate (10.5.4.5)
SPEECH: Final = b"\xa0"
_BUSY: Final = frozenset({CauseValue.USER_BUSY})
_UNANSWERED: Final = frozenset(
    {CauseValue.NO_USER_RESPONDING, CauseValue.NO_ANSWER_FROM_USER, CauseValue.RECOVERY_ON_TIMER_EXPIRY}
)
#: T303, T305, T308, T310 and T313 of a terminal, in seconds (table 11.3)
_PATIENCE: Final = 30.0


class Send(Protocol):
    """Sends a message of the terminal's."""

    def __call__(self, kind: MessageType, transaction: int = 0, *, answering: bool = False, **fields: Any) -> None:
        """Send it."""


def dialled(number: str) -> AddressString:
    """Return a number as it is dialled: with `+` it is an international one."""
    digits = number.removeprefix("+")
    return AddressString(digits, 1 if number.startswith("+") else 0)


def outcome(cause: int) -> str:
    """Return how a call ended that was not connected, by its cause."""
    if cause in _BUSY:
        return "busy"
    return "no-answer" if cause in _UNANSWERED else "refused"


class Call:
    """A call."""

    def __init__(self, emm: Emm, send: Send, transaction: int, *, originating: bool) -> None:
        self.emm, self.originating = emm, originating
        self.state = S.NULL
        self._send_message, self._transaction = send, transaction
        loop = asyncio.get_running_loop()
        self._settled: asyncio.Future[str] = loop.create_future()
        self._over: asyncio.Future[str] = loop.create_future()
        self._key: asyncio.Future[str] | None = None
        self._timer: Timer | None = None
        #: told when something is heard before the call is answered
        self.on_progress: Callable[[], object] = lambda: None
        self._handlers: dict[MessageType, Callable[[Message], None]] = {
            T.SETUP: self._on_setup,
            T.CALL_PROCEEDING: self._on_proceeding,
            T.PROGRESS: self._on_progress,
            T.ALERTING: self._on_alerting,
            T.CONNECT: self._on_connect,
            T.CONNECT_ACKNOWLEDGE: self._on_connect_acknowledge,
            T.DISCONNECT: self._on_disconnect,
            T.RELEASE: self._on_release,
            T.RELEASE_COMPLETE: self._on_release_complete,
            T.START_DTMF_ACKNOWLEDGE: lambda _message: self._key_told("accepted"),
            T.START_DTMF_REJECT: lambda _message: self._key_told("rejected"),
            T.HOLD_REJECT: lambda _message: self._key_told("not-available"),
            T.STATUS_ENQUIRY: self._on_status_enquiry,
        }

    def is_of(self, message: Message) -> bool:
        """Whether a message is of this call."""
        return message.transaction == self._transaction and message.answering is self.originating

    def _send(self, kind: MessageType, **fields: Any) -> None:
        self._send_message(kind, self._transaction, answering=not self.originating, **fields)

    def _show(self, state: str, cause: int | None = None) -> None:
        self.emm.observe("call", state)
        if cause is not None:
            self.emm.observe("call_cause", cause)

    async def settled(self) -> str:
        """Wait until it is settled whether the call stands, and return that in a word."""
        return await asyncio.shield(self._settled)  # who is stopped while waiting stops nobody else

    async def ended(self) -> None:
        """Wait until the call is over."""
        await asyncio.shield(self._over)

    @property
    def is_settled(self) -> bool:
        """Whether it is settled whether the call stands."""
        return self._settled.done()

    def take(self, message: Message) -> None:
        """Take a message of the network's."""
        handler = self._handlers.get(message.type)
        if handler is not None:
            handler(message)

    # -- what its user does

    def set_up(self, number: str) -> None:
        """Call a number."""
        self._initiate(T.SETUP, called_party_bcd_number=dialled(number))

    def set_up_emergency(self) -> None:
        """Call for help (EMERGENCY SETUP)."""
        self._initiate(T.EMERGENCY_SETUP)

    def _initiate(self, kind: MessageType, **fields: Any) -> None:
        self.state = S.CALL_INITIATED
        self._show("calling")
        self._send(kind, bearer_capability=SPEECH, **fields)
        self._wait(self._expire)

    def answer(self) -> None:
        """Answer."""
        if self.state is S.CALL_RECEIVED:
            self.state = S.CONNECT_REQUEST
            self._send(T.CONNECT)
            self._wait(self._expire)

    def hang_up(self, cause: int = CauseValue.NORMAL_CALL_CLEARING) -> None:
        """End the call."""
        if self.state not in (S.NULL, S.DISCONNECT_REQUEST, S.RELEASE_REQUEST):
            self.state = S.DISCONNECT_REQUEST
            self._send(T.DISCONNECT, cc_cause=Cause(cause, 0, CODING_GSM))
            self._wait(self._release)

    async def press(self, key: str) -> str:
        """Press a key: `accepted`, `rejected`, or `released` where the call is over."""
        word = await self._ask(T.START_DTMF, keypad_facility=key)
        if word == "accepted":
            self._send(T.STOP_DTMF)
        return word

    async def hold(self) -> str:
        """Ask for the call to be held (TS 24.083 2.1.1): `not-available`, or `released` where the call is over."""
        return await self._ask(T.HOLD)

    async def _ask(self, kind: MessageType, **fields: Any) -> str:
        if self._over.done():  # and the connection not gone yet
            return "released"
        self._key = asyncio.get_running_loop().create_future()
        self._send(kind, **fields)
        return await self._key

    def _key_told(self, word: str) -> None:
        if self._key is not None and not self._key.done():
            self._key.set_result(word)

    # -- what the network does

    def _on_setup(self, message: Message) -> None:
        """Take a call, as the terminal is set to (5.2.2)."""
        self.state = S.CALL_PRESENT
        caller = message.get("calling_party_bcd_number")
        self.emm.observe("caller", str(caller) if caller is not None else "")
        how = self.emm.config.on_call
        if how in ("busy", "refuse"):
            cause = CauseValue.USER_BUSY if how == "busy" else CauseValue.CALL_REJECTED
            self.state = S.NULL
            self._send(T.RELEASE_COMPLETE, cc_cause=Cause(cause, 0, CODING_GSM))
            self._show("refused", cause)
            return
        self._send(T.CALL_CONFIRMED)
        self._send(T.ALERTING)
        self.state = S.CALL_RECEIVED
        self._show("ringing")
        if how == "answer":
            self.emm.site.clock.call_later(self.emm.config.answers_after, self.answer)

    def _on_proceeding(self, _message: Message) -> None:
        if self.state is S.CALL_INITIATED:
            self.state = S.MOBILE_ORIGINATING_CALL_PROCEEDING
            self._wait(self._expire)

    def _on_progress(self, _message: Message) -> None:
        if self.state is S.MOBILE_ORIGINATING_CALL_PROCEEDING:
            self._stop()
        told, self.on_progress = self.on_progress, lambda: None
        told()

    def _on_alerting(self, _message: Message) -> None:
        if self.state in (S.CALL_INITIATED, S.MOBILE_ORIGINATING_CALL_PROCEEDING):
            self._stop()
            self.state = S.CALL_DELIVERED
            self._show("ringing")

    def _on_connect(self, _message: Message) -> None:
        if self.state not in _SETTING_UP:
            return
        self._stop()
        self.state = S.ACTIVE
        self._send(T.CONNECT_ACKNOWLEDGE)
        self._connected()

    def _on_connect_acknowledge(self, _message: Message) -> None:
        if self.state is S.CONNECT_REQUEST:
            self._stop()
            self.state = S.ACTIVE
            self._connected()

    def _connected(self) -> None:
        self._show("connected")
        if not self._settled.done():
            self._settled.set_result("connected")

    def _on_disconnect(self, message: Message) -> None:
        cause = message["cc_cause"]
        self._release()
        self._end(cause.value)

    def _on_release(self, message: Message) -> None:
        cause = message.get("cc_cause")
        self._send(T.RELEASE_COMPLETE)
        self._end(cause.value if cause is not None else CauseValue.NORMAL_CALL_CLEARING)
        self._rest()

    def _on_release_complete(self, message: Message) -> None:
        cause = message.get("cc_cause")
        if self.state is not S.RELEASE_REQUEST:
            self._end(cause.value if cause is not None else CauseValue.NORMAL_CALL_CLEARING)
        self._rest()

    def _on_status_enquiry(self, _message: Message) -> None:
        cause = Cause(CauseValue.RESPONSE_TO_STATUS_ENQUIRY, 0, CODING_GSM)
        self._send(T.STATUS, cc_cause=cause, call_state=self.state)

    # -- time

    def _expire(self) -> None:
        """End a call that does not go on (T303, T310, T313)."""
        self.hang_up(CauseValue.RECOVERY_ON_TIMER_EXPIRY)
        self._end(CauseValue.RECOVERY_ON_TIMER_EXPIRY)

    def _release(self) -> None:
        """Say RELEASE: DISCONNECT has come, or was not answered (T305)."""
        self.state = S.RELEASE_REQUEST
        self._send(T.RELEASE)
        self._wait(self._release_again)

    def _release_again(self) -> None:
        """Say RELEASE once more, and then no more of the call (T308)."""
        self._send(T.RELEASE)
        self._wait(self._abandon)

    def _abandon(self) -> None:
        self._end(CauseValue.RECOVERY_ON_TIMER_EXPIRY)
        self._rest()
        self.emm.cs.call = None

    def _wait(self, then: Callable[[], None]) -> None:
        self._stop()
        self._timer = self.emm.site.clock.call_later(_PATIENCE, then)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rest(self) -> None:
        self._stop()
        self.state = S.NULL

    def lost(self) -> None:
        """Take it that the connection is gone."""
        self._rest()
        self._end(CauseValue.DESTINATION_OUT_OF_ORDER)

    def _end(self, cause: int) -> None:
        if self._over.done():
            return
        was_connected = self._settled.done() and self._settled.result() == "connected"
        word = "released" if was_connected else outcome(cause)
        self._show(word, cause)
        if not self._settled.done():
            self._settled.set_result(word)
        self._over.set_result(word)
        self._key_told("released")
