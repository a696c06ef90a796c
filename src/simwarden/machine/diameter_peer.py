"""One Diameter connection as a machine without I/O: RFC 6733 5.3 to 5.6 and 6.1, watchdog of RFC 3539 3.4.

The owner feeds octets and time and takes out octets, timers and events; `diameter_table` is the state machine. It knows
nothing of its node's other connections: the owner's `admit` says whether a peer may connect, and answers ELECTION_LOST
(4003) where it keeps an older connection to the same peer. What becomes of two connections that two nodes make to each
other at once (RFC 6733 5.6.4) is the owner's to say too, see `simwarden.runtime.diameter.node`.
"""

from __future__ import annotations

from typing import Final

from simwarden.machine.diameter_shared import (
    AnswerBroken,
    AnswerReceived,
    Closed,
    Duplicate,
    Event,
    Faulted,
    Opened,
    RequestReceived,
    Shared,
    Suspected,
)
from simwarden.machine.diameter_table import TABLE, Input, State
from simwarden.machine.outputs import Outputs
from simwarden.machine.timer import Timer
from simwarden.wire.diameter import (
    Application,
    Avps,
    DiameterError,
    Message,
    ResultCode,
    Splitter,
    answer_to,
    check_avps,
    check_request,
    decode_avps_into,
    decode_header,
    encode,
    first,
    renumber,
    request,
)
from simwarden.wire.diameter.codes import DisconnectCause
from simwarden.wire.diameter.dictionary import COMMANDS
from simwarden.wire.diameter.message import FLAG_REQUEST

CER, DWR, DPR = 257, 280, 282
HEADER_LENGTH: Final = 20
_BASE: Final = int(Application.BASE)


class DiameterPeer(Outputs[bytes, Event]):
    """One connection to a peer."""

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self.shared = shared
        self.state = State.CLOSED
        self.host = ""
        self.realm = ""
        self.applications: frozenset[int] = frozenset()
        self.relay = False
        self.state_id = 0
        self.suspected = False
        #: an agent looks into nothing but what routes a message (RFC 6733 2.8.1)
        self._relays = Application.RELAY in shared.local.applications
        self._splitter = Splitter()
        self._pending: dict[int, Message] = {}
        self._hop_by_hop = int(shared.random() * 0xFFFFFFFF)
        self._deadline: float | None = None
        self._tw = 0.0
        self._dwr: int | None = None
        self._now = 0.0
        self._why = ""
        self._cause: int | None = None
        self._result: int | None = None
        self._refused_by = ""
        self._fault: DiameterError | None = None

    # -- the five calls

    def receive(self, data: bytes, now: float) -> None:
        """Take octets from the far end, in any pieces. What they mean comes out of `events` and `data_to_send`."""
        self._now = now
        messages, fault = self._splitter.feed(data)
        for octets in messages:
            if self.state == State.CLOSED:
                return
            self._take(octets)
        if fault is not None and self.state != State.CLOSED:
            self._events.append(Faulted(fault.reason, int(fault.result), data))
            self._why = fault.reason
            self._feed(Input.GARBAGE, None)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` must be called; a keep-alive if only the idle connection's watchdog waits."""
        if self._deadline is None:
            return None
        return Timer(self._deadline, self.state == State.OPEN and self._dwr is None)

    def on_timer(self, now: float) -> None:
        """Take note of the time; harmless before the deadline."""
        self._now = now
        if self._deadline is None or now < self._deadline:
            return
        if self.state != State.OPEN:
            self._why = f"no answer in state {self.state.name}"
            self._feed(Input.TIMEOUT, None)
        elif self._dwr is None:
            self._feed(Input.WATCHDOG_QUIET, None)
        elif not self.suspected:
            self._feed(Input.WATCHDOG_LATE, None)
        else:
            self._why = "watchdog unanswered"
            self._feed(Input.WATCHDOG_DEAD, None)

    # -- what the owner orders

    def connected(self, now: float, *, initiator: bool) -> None:
        """Begin: the transport connection stands; the initiator sends the CER."""
        self._now = now
        self._feed(Input.CONNECTED_OUT if initiator else Input.CONNECTED_IN, None)

    def lost(self, reason: str, now: float) -> None:
        """Take note that the transport connection is gone."""
        self._now = now
        self._why = reason
        self._feed(Input.LOST, None)

    def disconnect(self, now: float, cause: DisconnectCause = DisconnectCause.REBOOTING) -> None:
        """Say goodbye with a DPR; Closed follows."""
        self._now = now
        self._cause = int(cause)
        self._why = "disconnected"
        self._feed(Input.STOP, None)

    def send_request(self, message: Message) -> int:
        """Send a request and expect its answer; return the hop-by-hop id, which is put into the message.

        A message whose End-to-End id is 0 gets one; one that has it keeps it (a retransmission: set the T flag too).
        Raises ValueError if the connection is not open.
        """
        if self.state != State.OPEN:
            raise ValueError(f"connection is {self.state.name}")
        message.hop_by_hop = self._next_hop_by_hop()
        if not message.end_to_end:
            message.end_to_end = self.shared.identifiers.next()
        self._pending[message.hop_by_hop] = message
        self._out.append(encode(message))
        return message.hop_by_hop

    def forget(self, hop_by_hop: int) -> None:
        """Expect the answer to a request no longer; if it comes it is a late one."""
        self._pending.pop(hop_by_hop, None)

    def send_answer(self, asked: Message, answer: Message) -> None:
        """Answer a request that this connection handed out; kept for retransmissions even if the connection is gone."""
        octets = encode(answer)
        self.shared.answers.finish(self.host, asked, octets)
        if self.state in (State.OPEN, State.CLOSING, State.LEAVING):
            self._out.append(octets)

    def turn_away(self, asked: Message, wrong: DiameterError) -> None:
        """Answer a request that this connection handed out by an error of the protocol, as if it had never come."""
        self.shared.answers.forget(self.host, asked)
        if self.state in (State.OPEN, State.CLOSING, State.LEAVING):
            self._reply_error(asked, wrong)

    # -- messages

    def _take(self, octets: bytes) -> None:
        header = decode_header(octets)
        try:
            decode_avps_into(header, octets)
        except DiameterError as wrong:
            self._broken(header, wrong, octets)
            return
        if self._relays:
            header.body = octets[HEADER_LENGTH:]
        if self.state == State.OPEN:
            self._alive()
            if header.application:  # the hot path: the table's rows for REQUEST and ANSWER in OPEN
                if header.flags & FLAG_REQUEST:
                    self._do_take_request(header, octets)
                else:
                    self._do_take_answer(header, octets)
                return
        self._feed(self._classify(header), header, octets)

    def _classify(self, message: Message) -> Input:
        """Tell which input a message is; sets `_fault` and `_why` for one that is bad."""
        if message.application == _BASE:
            if message.command == CER:
                return self._judge_capabilities(message)
            if message.command == DWR:
                return self._judge_base(message, Input.DWR, Input.DWA)
            if message.command == DPR:
                return self._judge_base(message, Input.DPR, Input.DPA)
        return Input.REQUEST if message.request else Input.ANSWER

    def _judge_base(self, message: Message, asked: Input, answered: Input) -> Input:
        if not message.request:
            return answered
        try:
            check_request(message, ())
        except DiameterError:
            return Input.REQUEST  # take_request finds the fault again and answers it
        return asked

    def _judge_capabilities(self, message: Message) -> Input:
        try:
            if message.request:
                check_request(message, ())
            elif message.result_code in (None, ResultCode.DIAMETER_SUCCESS):  # a refusal may lack all else (7.2)
                check_avps(message.avps, COMMANDS[_BASE, CER, False].grammar)
            self._negotiate(message)
        except DiameterError as wrong:
            self._fault, self._why, self._result = wrong, wrong.reason, int(wrong.result)
            return Input.CER_BAD if message.request else Input.CEA_BAD
        return Input.CER_GOOD if message.request else Input.CEA_GOOD

    def _negotiate(self, message: Message) -> None:
        """Compare capabilities (RFC 6733 5.3). Raises DiameterError: 5010, what `admit` says, or what a CEA said."""
        host, realm = message.get("Origin-Host"), message.get("Origin-Realm")
        if not message.request and message.result_code != ResultCode.DIAMETER_SUCCESS:
            said = f"{message.result_code} {message.get('Error-Message', '')}".strip()
            self._refused_by = host or ""
            reason = f"{host or 'the peer'} refused capabilities with {said}"
            raise DiameterError(_known(message.result_code), reason)
        if self.host and host != self.host:
            raise DiameterError(ResultCode.DIAMETER_UNKNOWN_PEER, f"peer is {host}, not {self.host}")
        ours, theirs = frozenset(self.shared.local.applications), advertised(message)
        relay = Application.RELAY in theirs
        common = theirs if self._relays else ours if relay else ours & theirs
        if not common:
            raise DiameterError(ResultCode.DIAMETER_NO_COMMON_APPLICATION, f"no common application with {host}")
        if message.request and self.state == State.WAIT_CER:
            verdict = self.shared.admit(host, realm)
            if verdict != ResultCode.DIAMETER_SUCCESS:
                raise DiameterError(verdict, f"{host} of {realm} may not connect")
        self.host, self.realm, self.applications, self.relay = host, realm, common, relay
        self.state_id = message.get("Origin-State-Id", 0)

    def _broken(self, header: Message, wrong: DiameterError, octets: bytes) -> None:
        """Deal with a message whose AVPs cannot be decoded: a request is answered, an answer settles its request."""
        self._events.append(Faulted(wrong.reason, int(wrong.result), octets))
        if header.request and self.state == State.OPEN:
            self._alive()
            self._reply_error(header, wrong)
        elif not header.request and self._pending.pop(header.hop_by_hop, None) is not None:
            self._events.append(AnswerBroken(header.hop_by_hop, wrong.reason))
        elif self.state != State.OPEN:
            self._why = wrong.reason
            self._result = int(wrong.result)
            if header.request and self.state == State.WAIT_CER:
                self._reply_error(header, wrong)
            self._close()

    def _reply_error(self, asked: Message, wrong: DiameterError) -> None:
        answer = answer_to(asked, wrong.result, self.shared.local.origin, failed=wrong.failed, reason=wrong.reason)
        self._out.append(encode(answer))

    # -- the table at work

    def _feed(self, what: Input, message: Message | None, octets: bytes = b"") -> None:
        row = TABLE.get((self.state, what))
        if row is None:
            if message is not None:
                reason = f"{message.name} in state {self.state.name}"
                self._events.append(Faulted(reason, 0, octets))
                self._why = reason
                self._close()
            return
        action, following = row
        before = self.state
        getattr(self, f"_do_{action}")(message, octets)
        if self.state == before:
            self.state = following

    def _close(self) -> None:
        self.state = State.CLOSED
        self._deadline = None
        pending, self._pending = tuple(self._pending), {}
        self._events.append(Closed(self._why or "closed", pending, self._cause, self._result, self._refused_by))

    def _alive(self) -> None:
        """Any message shows that the peer lives (RFC 3539 3.4.1)."""
        self._deadline = self._now + self._tw
        self.suspected = False

    def _arm_watchdog(self) -> None:
        self._tw = self.shared.timers.watchdog + 4 * self.shared.random() - 2
        self._deadline = self._now + self._tw

    def _open(self) -> None:
        self._arm_watchdog()
        self._events.append(Opened(self.host, self.realm, self.applications, self.relay, self.state_id))

    def _next_hop_by_hop(self) -> int:
        self._hop_by_hop = self._hop_by_hop + 1 & 0xFFFFFFFF
        return self._hop_by_hop

    def _base_request(self, name: str, avps: Avps) -> int:
        hop_by_hop = self._next_hop_by_hop()
        end_to_end = self.shared.identifiers.next()
        self._out.append(encode(request(name, avps, hop_by_hop=hop_by_hop, end_to_end=end_to_end)))
        return hop_by_hop

    def _origin(self) -> Avps:
        local = self.shared.local
        return [("Origin-Host", local.host), ("Origin-Realm", local.realm)]

    # -- actions, named in TABLE; each takes the message and its octets, where there is one

    def _do_ignore(self, _message: Message | None, _octets: bytes) -> None:
        """Nothing is due."""

    def _do_give_up(self, _message: Message | None, _octets: bytes) -> None:
        self._close()

    def _do_send_cer(self, _message: Message | None, _octets: bytes) -> None:
        self._base_request("Capabilities-Exchange-Request", self.shared.local.capabilities())
        self._deadline = self._now + self.shared.timers.capabilities

    def _do_await_cer(self, _message: Message | None, _octets: bytes) -> None:
        self._deadline = self._now + self.shared.timers.capabilities

    def _cea(self, asked: Message, result: ResultCode, failed: Avps, reason: str) -> None:
        avps: Avps = [("Result-Code", int(result)), *self.shared.local.capabilities()]
        if reason:
            avps.append(("Error-Message", reason))
        if failed:
            avps.append(("Failed-AVP", failed))
        flags = 0x20 if 3000 <= result < 4000 else 0
        self._out.append(encode(Message(CER, _BASE, flags, asked.hop_by_hop, asked.end_to_end, avps)))

    def _do_accept_cer(self, message: Message, _octets: bytes) -> None:
        self._cea(message, ResultCode.DIAMETER_SUCCESS, [], "")
        self._open()

    def _do_repeat_cea(self, message: Message, _octets: bytes) -> None:
        self._cea(message, ResultCode.DIAMETER_SUCCESS, [], "")

    def _do_reject_cer(self, message: Message, octets: bytes) -> None:
        fault = self._fault
        if fault is not None:
            self._events.append(Faulted(fault.reason, int(fault.result), octets))
            self._cea(message, fault.result, list(fault.failed), fault.reason)
        self._close()

    def _do_accept_cea(self, _message: Message, _octets: bytes) -> None:
        self._open()

    def _do_send_dwa(self, message: Message, _octets: bytes) -> None:
        avps: Avps = [("Result-Code", int(ResultCode.DIAMETER_SUCCESS)), *self._origin()]
        avps.append(("Origin-State-Id", self.shared.local.state_id))
        self._out.append(encode(Message(DWR, _BASE, 0, message.hop_by_hop, message.end_to_end, avps)))

    def _do_note_dwa(self, message: Message, octets: bytes) -> None:
        if message.hop_by_hop == self._dwr:
            self._dwr = None
        else:
            self._events.append(Faulted("watchdog answer without a request", 0, octets))

    def _do_send_dwr(self, _message: Message | None, _octets: bytes) -> None:
        avps = [*self._origin(), ("Origin-State-Id", self.shared.local.state_id)]
        self._dwr = self._base_request("Device-Watchdog-Request", avps)
        self._arm_watchdog()

    def _do_suspect(self, _message: Message | None, _octets: bytes) -> None:
        self.suspected = True
        self._events.append(Suspected())
        self._arm_watchdog()

    def _do_send_dpr(self, _message: Message | None, _octets: bytes) -> None:
        self._base_request("Disconnect-Peer-Request", [*self._origin(), ("Disconnect-Cause", self._cause or 0)])
        self._deadline = self._now + self.shared.timers.disconnect

    def _do_send_dpa(self, message: Message, _octets: bytes) -> None:
        self._cause = message.get("Disconnect-Cause")
        self._why = "peer disconnected"
        avps: Avps = [("Result-Code", int(ResultCode.DIAMETER_SUCCESS)), *self._origin()]
        self._out.append(encode(Message(DPR, _BASE, 0, message.hop_by_hop, message.end_to_end, avps)))
        self._deadline = self._now + self.shared.timers.disconnect

    def _do_refuse_request(self, message: Message, _octets: bytes) -> None:
        """Turn away a request that crossed a DPR, so that the peer may send it elsewhere (RFC 6733 7.1.3)."""
        wrong = DiameterError(ResultCode.DIAMETER_UNABLE_TO_DELIVER, "the connection is being closed")
        self._reply_error(message, wrong)

    def _do_take_request(self, message: Message, octets: bytes) -> None:
        try:
            if not self._relays or message.application == _BASE:
                check_request(message, self.applications)
            self._check_loop(message)
        except DiameterError as wrong:
            self._events.append(Faulted(wrong.reason, int(wrong.result), octets))
            self._reply_error(message, wrong)
            return
        repeated, given = self.shared.answers.begin(self.host, message)
        if not repeated:
            self._events.append(RequestReceived(message))
            return
        if given is not None:
            self._out.append(renumber(given, message.hop_by_hop))
        self._events.append(Duplicate(message, given is not None))

    def _check_loop(self, message: Message) -> None:
        """Find out whether a request was here before (RFC 6733 6.1.3). Raises DiameterError (3005)."""
        ours = self.shared.local.host
        went_through = [value.lower() for name, value in message.avps if name == "Route-Record"]
        if went_through and ours.lower() in went_through:
            raise DiameterError(ResultCode.DIAMETER_LOOP_DETECTED, f"{message.name} went through {ours} before")

    def _do_take_answer(self, message: Message, _octets: bytes) -> None:
        asked = self._pending.get(message.hop_by_hop)
        if asked is None or asked.command != message.command:
            self._events.append(Faulted(f"{message.name} without a request: {message.hop_by_hop:#010x}", 0))
            return
        del self._pending[message.hop_by_hop]
        self._events.append(AnswerReceived(message))


def advertised(message: Message) -> frozenset[int]:
    """Return the application ids that a CER or CEA advertises, alone or inside Vendor-Specific-Application-Id."""
    found = {*message.all("Auth-Application-Id"), *message.all("Acct-Application-Id")}
    for group in message.all("Vendor-Specific-Application-Id"):
        found |= {first(group, "Auth-Application-Id"), first(group, "Acct-Application-Id")}
    found.discard(None)
    return frozenset(found)


def _known(code: int | None) -> ResultCode:
    try:
        return ResultCode(code or 0)
    except ValueError:
        return ResultCode.DIAMETER_UNABLE_TO_COMPLY
