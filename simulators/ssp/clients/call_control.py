"""Call control of one call with a terminal, on the network's side (TS 24.008 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.ssp.call import LOCATION, NOT_CONNECTED, Nobody, Nowhere
from simulators.ssp.numbers import RESTRICTED
from simwarden.errors import PeerError
from simwarden.wire import isup
from simwarden.wire.dtap import CODING_GSM, CallingNumber, CallState, MessageType
from simwarden.wire.q850 import Cause, CauseValue
from simwarden.wire.sip import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.ssp.call import DigitReply, Downstream, Half, Setup, Upstream
    from simulators.ssp.clients.terminal import Terminal
    from simwarden.runtime.clock import Timer
    from simwarden.wire.dtap import Message

T, S = MessageType, CallState
#: in-band information or an appropriate pattern is now available (10.5.4.21), of a public network
_IN_BAND: Final = b"\xe2\x88"
_SPEECH: Final = b"\xa0"
"""Bearer capability (10.5.4.5): speech, full rate."""
#: T303, T305, T308, T310 and T313: how long an answer to SETUP, DISCONNECT and RELEASE is waited for, what follows
#: CALL CONFIRMED, and an answer to CONNECT, in seconds (11.3; the network chooses T303 and T310)
_PATIENCE: Final = 30.0


def on_radio(cause: Cause) -> Cause:
    """Return a cause with the coding that TS 24.008 has."""
    return cause._replace(coding=CODING_GSM, diagnostics=b"")


class Leg:
    """A call with a terminal: upstream of a call that it makes, downstream of one to it."""

    def __init__(self, terminal: Terminal, transaction: int, *, originating: bool, up: Upstream | None = None) -> None:
        self.terminal, self.transaction, self.originating = terminal, transaction, originating
        #: state of the call, null until a SETUP is sent or received
        self.state = S.NULL
        self.down: Downstream = Nowhere()
        self._up: Upstream = up if up is not None else Nobody()
        self._timer: Timer | None = None
        #: the DTMF digit to which the other party has not responded yet
        self._digit = ""
        self._handlers: dict[MessageType, Callable[[Message], None]] = {
            T.CALL_CONFIRMED: self._on_call_confirmed,
            T.ALERTING: self._on_alerting,
            T.CONNECT: self._on_connect,
            T.CONNECT_ACKNOWLEDGE: self._on_connect_acknowledge,
            T.DISCONNECT: self._on_disconnect,
            T.RELEASE: self._on_release,
            T.RELEASE_COMPLETE: self._on_release_complete,
            T.START_DTMF: self._on_start_dtmf,
            T.STOP_DTMF: lambda _message: self._send(T.STOP_DTMF_ACKNOWLEDGE),
            T.STATUS_ENQUIRY: lambda _message: self.status(CauseValue.RESPONSE_TO_STATUS_ENQUIRY),
            T.STATUS: lambda _message: None,
            T.HOLD: self._on_hold,
        }

    def is_of(self, message: Message) -> bool:
        """Whether a message is of this call: of our transaction the flag says that the terminal answers."""
        return message.transaction == self.transaction and message.answering is not self.originating

    def _send(self, kind: MessageType, **fields: Any) -> None:
        self.terminal.send(kind, self.transaction, answering=self.originating, **fields)

    def take(self, message: Message) -> None:
        """Take a message of the terminal's. Raises PeerError."""
        handler = self._handlers.get(message.type)
        if handler is None:
            raise PeerError(f"{message.type.name} in a call", code=CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE)
        handler(message)

    def status(self, cause: int) -> None:
        """Tell where the call stands (5.5.3)."""
        self._send(T.STATUS, cc_cause=Cause(cause, 2, CODING_GSM), call_state=self.state)

    # -- a call that the terminal makes: see Upstream

    def proceed(self) -> None:
        """The call is being set up."""
        self.state = S.MOBILE_ORIGINATING_CALL_PROCEEDING
        self._send(T.CALL_PROCEEDING)

    def progress(self) -> None:
        """See Upstream."""
        self._send(T.PROGRESS, progress_indicator=_IN_BAND)

    def alerting(self) -> None:
        """See Upstream."""
        if self.state is S.MOBILE_ORIGINATING_CALL_PROCEEDING:
            self.state = S.CALL_DELIVERED
            self._send(T.ALERTING)

    def answered(self) -> None:
        """See Upstream."""
        if self.state in (S.MOBILE_ORIGINATING_CALL_PROCEEDING, S.CALL_DELIVERED):
            self.state = S.CONNECT_INDICATION
            self._send(T.CONNECT)
            self._wait(self._silent)

    def cleared(self, cause: Cause) -> None:
        """See Upstream."""
        self.down = Nowhere()
        self._disconnect(cause)

    def refuse(self, cause: Cause) -> None:
        """Refuse a call before anything was done for it (5.4.2)."""
        self._send(T.RELEASE_COMPLETE, cc_cause=on_radio(cause))
        self.terminal.release()

    # -- a call to the terminal: see Downstream

    def offer(self, setup: Setup) -> None:
        """Set a call up at the terminal, which has answered the page (5.2.2.1)."""
        fields: dict[str, Any] = {"bearer_capability": _SPEECH}
        caller = setup.caller
        if caller is not None and caller.presentation != RESTRICTED:
            nature = 1 if caller.nature == isup.INTERNATIONAL else 0
            fields["calling_party_bcd_number"] = CallingNumber(caller.digits, nature, 1, 0, caller.screening)
        self.state = S.CALL_PRESENT
        self._send(T.SETUP, **fields)
        self._wait(self._silent)

    def release(self, cause: Cause) -> None:
        """See Downstream."""
        self._up = Nobody()
        if not self.terminal.stop_paging():
            self._disconnect(cause)

    def digit(self, key: str, reply: DigitReply) -> None:
        """See Downstream: a terminal receives digits as tones in the speech path, and by no message (TS 23.014 4)."""
        del key
        reply(None if self.state is S.ACTIVE else NOT_CONNECTED)

    called_party_digit = digit

    # -- what the terminal does

    def _on_call_confirmed(self, message: Message) -> None:
        del message
        if self.state is S.CALL_PRESENT:
            self.state = S.MOBILE_TERMINATING_CALL_CONFIRMED
            self._wait(self._silent)

    def _on_alerting(self, message: Message) -> None:
        del message
        if self.state is S.MOBILE_TERMINATING_CALL_CONFIRMED:
            self._stop()
            self.state = S.CALL_RECEIVED
            self._up.alerting()

    def _on_connect(self, message: Message) -> None:
        del message
        if self.state in (S.MOBILE_TERMINATING_CALL_CONFIRMED, S.CALL_RECEIVED):
            self._stop()
            self.state = S.ACTIVE
            self._send(T.CONNECT_ACKNOWLEDGE)
            self._up.answered()

    def _on_connect_acknowledge(self, message: Message) -> None:
        del message
        if self.state is S.CONNECT_INDICATION:
            self._stop()
            self.state = S.ACTIVE

    def _on_disconnect(self, message: Message) -> None:
        if self.state is S.RELEASE_REQUEST:
            return
        cause = message["cc_cause"]
        self.state = S.RELEASE_REQUEST
        self._wait(self._done)
        self._send(T.RELEASE)
        self.clears(cause)

    def _on_release(self, message: Message) -> None:
        cause = message.get("cc_cause") or Cause(CauseValue.NORMAL_CALL_CLEARING)
        self._send(T.RELEASE_COMPLETE)
        self.clears(cause)
        self._done()

    def _on_release_complete(self, message: Message) -> None:
        self.clears(message.get("cc_cause") or Cause(CauseValue.NORMAL_CALL_CLEARING))
        self._done()

    def _on_start_dtmf(self, message: Message) -> None:
        """Deliver a digit (5.5.7), one at a time: a terminal waits for the response before it sends the next one."""
        key = message.get("keypad_facility", "")
        if not key:
            self._reject_digit(CauseValue.MANDATORY_ELEMENT_MISSING)
        elif key not in KEYS:
            self._reject_digit(CauseValue.INVALID_ELEMENT_CONTENTS)
        elif self._digit:
            self._reject_digit(CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE)
        else:
            self._digit = key
            deliver = self.down.digit if self.originating else self._up.called_party_digit
            deliver(key, self._on_digit_reply)

    def _on_digit_reply(self, cause: int | None) -> None:
        """Respond to START DTMF, unless the call is being cleared."""
        key, self._digit = self._digit, ""
        if self.state in (S.NULL, S.DISCONNECT_INDICATION, S.RELEASE_REQUEST):
            return
        if cause is None:
            self._send(T.START_DTMF_ACKNOWLEDGE, keypad_facility=key)
        else:
            self._reject_digit(cause)

    def _reject_digit(self, cause: int) -> None:
        self._send(T.START_DTMF_REJECT, cc_cause=Cause(cause, 2, CODING_GSM))

    def _on_hold(self, message: Message) -> None:
        """Refuse call hold: no supplementary service is provisioned for anybody here (TS 24.083 2.1.1)."""
        del message
        cause = Cause(CauseValue.REQUESTED_FACILITY_NOT_SUBSCRIBED, 2, CODING_GSM)
        self._send(T.HOLD_REJECT, cc_cause=cause)

    def clears(self, cause: Cause) -> None:
        """Tell the other side that the terminal ends the call, or is not heard any more."""
        told = Cause(cause.value, 0)
        up, self._up = self._up, Nobody()
        down, self.down = self.down, Nowhere()
        down.release(told)
        up.cleared(told)

    # -- its end

    def _disconnect(self, cause: Cause) -> None:
        if self.state in (S.NULL, S.DISCONNECT_INDICATION, S.RELEASE_REQUEST):
            return
        self.state = S.DISCONNECT_INDICATION
        self._send(T.DISCONNECT, cc_cause=on_radio(cause))
        self._wait(self._unanswered)

    def _silent(self) -> None:
        """End the call on both sides: the terminal does not go on with it (T303, T310, T313)."""
        self._disconnect(Cause(CauseValue.RECOVERY_ON_TIMER_EXPIRY, LOCATION))
        self.clears(Cause(CauseValue.NO_USER_RESPONDING, LOCATION))

    def _unanswered(self) -> None:
        """Say RELEASE where DISCONNECT was not answered (T305)."""
        self.state = S.RELEASE_REQUEST
        self._send(T.RELEASE)
        self._wait(self._done)

    def _wait(self, then: Callable[[], None]) -> None:
        self._stop()
        self._timer = self.terminal.core.clock.call_later(_PATIENCE, then)

    def lost(self, cause: Cause) -> None:
        """Take it that nothing is heard of the terminal any more."""
        self._stop()
        self.state = S.NULL
        self.clears(cause)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _done(self) -> None:
        self._stop()  # another call of the terminal may have its transaction identifier by then
        self.state = S.NULL
        if self.terminal.leg is self:
            self.terminal.release()


def terminals_of(halves: Iterable[Half]) -> list[str]:
    """Return the terminals of this process that are at an end of a call, by their names."""
    legs = [end for half in halves for end in (half.up, half.down) if isinstance(end, Leg)]
    return [leg.terminal.link.remote for leg in legs if leg.terminal.link.internal and leg.state is not S.NULL]
