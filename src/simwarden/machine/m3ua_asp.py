"""An application server process as a machine without I/O (RFC 4666 4.3.4): it comes up, becomes active, and stays so.

It is the ASP towards a signalling gateway, and one end of an IPSP pair in single exchange; the other is a gateway's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import InternalError, PeerError
from simwarden.machine.m3ua_events import AspState, Changed, Closed, Event, Fault, M3uaTimers, Received, Told
from simwarden.machine.outputs import Outputs
from simwarden.machine.timer import Timer
from simwarden.wire.m3ua import ErrorCode, Message, MessageType, Status, decode, encode, encode_data

if TYPE_CHECKING:
    from simwarden.wire.m3ua import ProtocolData

T: Final = MessageType
_TOLD: Final = frozenset(
    {
        T.ERROR,
        T.NOTIFY,
        T.DESTINATION_UNAVAILABLE,
        T.DESTINATION_AVAILABLE,
        T.SIGNALLING_CONGESTION,
        T.DESTINATION_USER_PART_UNAVAILABLE,
        T.DESTINATION_RESTRICTED,
    }
)
#: states of a server that has no active process (3.8.2), and errors of a peer for which this process is not active
_NO_ASP: Final = frozenset({Status.AS_PENDING, Status.AS_INACTIVE})
_NOT_ACTIVE: Final = frozenset(
    {
        ErrorCode.UNEXPECTED_MESSAGE,
        ErrorCode.REFUSED_MANAGEMENT_BLOCKING,
        ErrorCode.INVALID_ROUTING_CONTEXT,
        ErrorCode.NO_CONFIGURED_AS_FOR_ASP,
    }
)


class Asp(Outputs[bytes, Event]):
    """One process on one association. Times are seconds of the owner's clock; octets are whole messages."""

    def __init__(
        self,
        routing_context: int | None,
        *,
        identifier: int | None = None,
        traffic_mode: int | None = None,
        timers: M3uaTimers = M3uaTimers(),  # noqa: B008 - it is a constant
    ) -> None:
        super().__init__()
        self.routing_context, self._identifier, self._traffic_mode = routing_context, identifier, traffic_mode
        self.timers, self.state = timers, AspState.DOWN
        #: the message to repeat until it is acknowledged; while `_paused` it is sent for the first time later
        self._awaited: Message | None = None
        self._paused = False
        self._again = self._heard = 0.0
        #: the last time that it asked to be active again without a pause
        self._reactivated = -timers.reactivation
        self._beats = 0
        self._leaving = self._over = False

    # -- what the owner does

    def connected(self, now: float) -> None:
        """Come up, on an association that is there."""
        self._heard = now
        self._ask(Message(T.ASP_UP, asp_identifier=self._identifier), now)

    def send(self, data: ProtocolData) -> None:
        """Send a message of a user. Raises InternalError while the process is not active."""
        if self.state is not AspState.ACTIVE:
            raise InternalError(f"DATA by an ASP that is {self.state.value}")
        self._out.append(encode_data(data, self.routing_context))

    def leave(self, now: float) -> None:
        """Take no more traffic, and go down."""
        self._leaving = True
        if self.state is AspState.ACTIVE:
            self._ask(Message(T.ASP_INACTIVE, routing_context=self._contexts()), now)
        elif not self._over:
            self._ask(Message(T.ASP_DOWN), now)

    def lost(self) -> None:
        """Take note that the association is gone."""
        self._close("association lost")

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Take a message."""
        if self._over:
            return
        self._heard, self._beats = now, 0
        try:
            self._hear(decode(data), data, now)
        except PeerError as error:
            self._refuse(error.reason, error.code or ErrorCode.PROTOCOL_ERROR, data)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        if self._over:
            return None
        if self._awaited is not None:
            return Timer(self._again, keep_alive=False)
        return Timer(self._heard + self.timers.heartbeat * (1 + self._beats), keep_alive=True)

    def on_timer(self, now: float) -> None:
        """Do what is due; nothing where the timer is early."""
        if self._over:
            return
        if self._awaited is not None:
            if now < self._again:
                return
            if self._leaving:  # whoever does not answer this need not be asked for ever
                self._close("not acknowledged")
            else:
                self._ask(self._awaited, now)
        elif now >= self._heard + self.timers.heartbeat * (1 + self._beats):
            if self._beats:
                self._close("no answer to BEAT")
                return
            self._beats = 1
            self._send(Message(T.HEARTBEAT, heartbeat_data=b"simwarden"))

    # -- procedures

    def _hear(self, message: Message, data: bytes, now: float) -> None:
        match message.type:
            case T.DATA:
                self._hear_data(message, data)
            case T.ASP_UP_ACK:
                self._hear_up(now)
            case T.ASP_ACTIVE_ACK:
                self._hear_active()
            case T.ASP_INACTIVE_ACK:
                self._hear_inactive(now)
            case T.ASP_DOWN_ACK:
                self._hear_down(now)
            case T.HEARTBEAT:
                self._send(Message(T.HEARTBEAT_ACK, heartbeat_data=message.heartbeat_data))
            case T.HEARTBEAT_ACK:
                pass
            case kind if kind in _TOLD:
                self._events.append(Told(message))
                self._follow_state(message, now)
            case kind:
                self._refuse(f"{kind.name} to an ASP", ErrorCode.UNEXPECTED_MESSAGE, data)

    def _hear_data(self, message: Message, data: bytes) -> None:
        mine = not message.routing_context or message.routing_context == self._contexts()
        if self.state is not AspState.ACTIVE:
            self._refuse(f"DATA to an ASP that is {self.state.value}", ErrorCode.UNEXPECTED_MESSAGE, data)
        elif not mine:
            self._refuse(f"DATA of {message.routing_context}", ErrorCode.INVALID_ROUTING_CONTEXT, data)
        elif message.protocol_data is not None:
            self._events.append(Received(message.protocol_data))

    def _hear_up(self, now: float) -> None:
        """Become active; an acknowledgement that comes again says nothing new (4.3.4.1)."""
        if self.state is not AspState.DOWN or self._leaving:
            return
        self._change(AspState.INACTIVE)
        self._ask(self._asp_active(), now)

    def _hear_active(self) -> None:
        if self.state is AspState.INACTIVE and not self._leaving:
            self._awaited = None
            self._change(AspState.ACTIVE)

    def _hear_inactive(self, now: float) -> None:
        """Go down where that was asked for; a gateway that makes us inactive by itself is asked to take us again."""
        if self.state is AspState.DOWN:
            return
        self._change(AspState.INACTIVE)
        if self._leaving:
            self._ask(Message(T.ASP_DOWN), now)
        else:
            self._reactivate(now)

    def _follow_state(self, message: Message, now: float) -> None:
        """Become active again where the peer says that this process is not: by NOTIFY or ERR (4.3.4.3, 4.3.4.5).

        It waits before it asks to replace a process that has replaced it, and after a refusal.
        """
        if self._leaving or (self.routing_context is not None and {*message.routing_context} - {self.routing_context}):
            return
        active = self.state is AspState.ACTIVE
        match message.type:
            case T.NOTIFY if message.status == Status.ALTERNATE_ASP_ACTIVE and active:
                self._change(AspState.INACTIVE)
                self._pause(self._asp_active(), now)
            case T.NOTIFY if message.status in _NO_ASP and (active or (self._paused and self._awaited is not None)):
                self._change(AspState.INACTIVE)
                self._reactivate(now)
            case T.ERROR if message.error_code in _NOT_ACTIVE and active:
                self._change(AspState.INACTIVE)
                self._reactivate(now)
            case T.ERROR if message.error_code in _NOT_ACTIVE and self._awaited is not None:
                self._pause(self._awaited, now)
            case _:
                pass

    def _reactivate(self, now: float) -> None:
        """Ask to be active again, after a pause if the peer has ended the last reactivation already."""
        if now < self._reactivated + self.timers.reactivation:
            self._pause(self._asp_active(), now)
        else:
            self._reactivated = now
            self._ask(self._asp_active(), now)

    def _hear_down(self, now: float) -> None:
        self._change(AspState.DOWN)
        if self._leaving:
            self._close("down")
        else:
            self._ask(Message(T.ASP_UP, asp_identifier=self._identifier), now)

    # -- what all do

    def _contexts(self) -> tuple[int, ...]:
        return () if self.routing_context is None else (self.routing_context,)

    def _asp_active(self) -> Message:
        return Message(T.ASP_ACTIVE, traffic_mode_type=self._traffic_mode, routing_context=self._contexts())

    def _ask(self, message: Message, now: float) -> None:
        self._awaited, self._again, self._paused = message, now + self.timers.ack, False
        self._send(message)

    def _pause(self, message: Message, now: float) -> None:
        """Send a message later."""
        self._awaited, self._again, self._paused = message, now + self.timers.reactivation, True

    def _send(self, message: Message) -> None:
        self._out.append(encode(message))

    def _refuse(self, reason: str, code: int, data: bytes) -> None:
        """Tell the peer what is wrong; an ERR is never answered by one (3.8.1)."""
        self._events.append(Fault(reason, data))
        if data[2:4] != b"\0\0":
            self._send(Message(T.ERROR, error_code=code, diagnostic_information=data[:40]))

    def _change(self, state: AspState) -> None:
        if self.state is not state:
            self.state = state
            self._events.append(Changed(state))

    def _close(self, reason: str) -> None:
        if not self._over:
            self._over, self._awaited = True, None
            self._change(AspState.DOWN)
            self._events.append(Closed(reason))
