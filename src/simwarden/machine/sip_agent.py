"""A user agent of SIP as a machine without I/O (RFC 3261 8, 12 to 15): calls, each an INVITE and its dialogue.

Sessions are described and never changed: a further INVITE in a call is refused by 488 (14.2), and the call goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.errors import InternalError, PeerError
from simwarden.machine.outputs import Outputs
from simwarden.machine.sip_call import Call, CallState
from simwarden.machine.sip_events import (
    Address,
    Alerting,
    Answered,
    CallEvent,
    DigitAnswered,
    DigitReceived,
    Fault,
    Incoming,
    Refused,
    Released,
    Requested,
    Responded,
    SipTimers,
    TimedOut,
)
from simwarden.machine.sip_transactions import Transactions
from simwarden.machine.timer import Timer
from simwarden.wire.q850 import CauseValue
from simwarden.wire.sip import (
    Headers,
    Method,
    NameAddress,
    Request,
    Response,
    Status,
    Uri,
    Via,
    cause_of,
    reason_header,
    status_of,
)
from simwarden.wire.sip.dtmf import DTMF_RELAY, decode_digit, encode_digit
from simwarden.wire.sip.message import answer
from simwarden.wire.sip.sdp import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable


_ALLOW: Final = ("Allow", ", ".join(Method))
_COOKIE: Final = "z9hG4bK"
_ACCEPT: Final = ("Accept", "application/sdp")
_OPTIONS_OK: Final = (_ALLOW, _ACCEPT)
#: header fields that go with errors of INFO; no Info Package is supported, so Recv-Info is empty (RFC 6086 4.2.2)
_INFO_ERRORS: Final = {
    Status.UNSUPPORTED_MEDIA_TYPE: (("Accept", DTMF_RELAY),),
    Status.BAD_INFO_PACKAGE: (("Recv-Info", ""),),
}


class SipAgent(Outputs[tuple[bytes, Address], CallEvent]):
    """The calls of one endpoint. Times are seconds of the owner's clock; `draw` gives so many octets at random."""

    def __init__(
        self,
        local: Address,
        draw: Callable[[int], bytes],
        *,
        timers: SipTimers = SipTimers(),  # noqa: B008 - it is a constant
    ) -> None:
        super().__init__()
        self.local, self.timers = local, timers
        self._draw = draw
        self._transactions = Transactions(timers)
        self._calls: dict[int, Call] = {}
        self._by_key: dict[str, Call] = {}
        #: by Call-ID and our tag
        self._dialogues: dict[tuple[str, str], Call] = {}
        self._accepted: set[int] = set()
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._calls)

    # -- what the owner does

    def state(self, call: int) -> CallState | None:
        """Return where a call stands, None where it is over."""
        found = self._calls.get(call)
        return found.state if found is not None else None

    def invite(
        self, target: str, caller: NameAddress, to: Address, now: float, *more: tuple[str, str], body: bytes = b""
    ) -> int:
        """Call `target` (a URI) at an address; return the call's number. Raises PeerError for a URI that is none."""
        called = NameAddress(Uri.parse(target))
        call = self._add(CallState.CALLING, caller.with_tag(self._token(8)), called, to, target)
        content = (CONTENT_TYPE,) if body else ()
        request = self._make(call, Method.INVITE, _ALLOW, *more, *content, body=body)
        call.invite, call.key = request, self._transactions.request(request, to, now)
        self._keep(call, call.key)
        return call.number

    def ring(self, call: int, now: float) -> None:
        """Tell the caller that it rings."""
        self._respond(self._of(call, CallState.OFFERED), Status.RINGING, now)

    def accept(self, call: int, now: float, body: bytes = b"") -> None:
        """Answer a call."""
        found = self._of(call, CallState.OFFERED)
        content = (CONTENT_TYPE,) if body else ()
        found.accepted = self._respond(found, Status.OK, now, _ALLOW, *content, body=body)
        found.state = CallState.ACCEPTED
        self._accepted.add(call)
        found.pause = self.timers.t1
        found.again, found.gives_up = now + self.timers.t1, now + self.timers.all

    def reject(self, call: int, cause: int, now: float, status: int | None = None) -> None:
        """Refuse a call for a cause of Q.850, by the status of RFC 3398 unless another is given."""
        found = self._of(call, CallState.OFFERED)
        self._respond(found, status or status_of(cause), now, reason_header(cause))
        self._forget(found)

    def hang_up(self, call: int, now: float, cause: int = CauseValue.NORMAL_CALL_CLEARING) -> None:
        """End a call: by BYE, or by CANCEL before it is answered."""
        found = self._of(call)
        if found.state is CallState.OFFERED:
            self.reject(call, cause, now)
        elif found.state is CallState.CALLING:
            found.state, found.cause = CallState.CANCELLING, cause
            if found.heard:
                self._cancel(found, now)
        elif found.state in (CallState.STANDING, CallState.ACCEPTED):
            self._bye(found, cause, now)

    def send_digit(self, call: int, key: str, now: float) -> None:
        """Send a DTMF digit to the other side of a connected call; `DigitAnswered` or `Released` follows."""
        found = self._of(call, CallState.STANDING)
        request = self._make(found, Method.INFO, ("Content-Type", DTMF_RELAY), body=encode_digit(key))
        self._keep(found, self._transactions.request(request, found.peer, now))

    def reject_digits(self, call: int) -> None:
        """Answer DTMF digits in a call with 415 from now on."""
        self._of(call).accepts_digits = False

    # -- the five calls

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram."""
        self._transactions.receive(data, source, now)
        self._follow(now)

    def data_to_send(self) -> list[tuple[bytes, Address]]:
        """Return datagrams and where they go, and forget them."""
        return self._transactions.data_to_send()

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        waiting = [each.again for each in self._unacknowledged()]
        due = [Timer(min(waiting), keep_alive=False)] if waiting else []
        inner = self._transactions.next_timer()
        return min([*due, *([inner] if inner is not None else [])], default=None)

    def on_timer(self, now: float) -> None:
        """Do what is due; nothing where the timer is early."""
        self._transactions.on_timer(now)
        self._follow(now)
        for each in self._unacknowledged():
            if now >= each.gives_up:  # nobody acknowledges: the call is ended (13.3.1.4)
                self._events.append(Released(each.number, CauseValue.RECOVERY_ON_TIMER_EXPIRY))
                self._bye(each, CauseValue.RECOVERY_ON_TIMER_EXPIRY, now)
            elif now >= each.again and each.accepted is not None:
                self._transactions.respond(each.key, each.accepted, now)
                each.pause = min(2 * each.pause, self.timers.t2)
                each.again = now + each.pause

    def _unacknowledged(self) -> list[Call]:
        """Return the calls whose answer nobody has acknowledged yet: mostly none, and for a moment."""
        self._accepted = {each for each in self._accepted if self.state(each) is CallState.ACCEPTED}
        return [self._calls[each] for each in sorted(self._accepted)]

    # -- what comes

    def _follow(self, now: float) -> None:
        for event in self._transactions.events():
            try:
                match event:
                    case Requested(key, request, source):
                        self._hear_request(key, request, source, now)
                    case Responded(key, response):
                        self._hear_response(key, response, now)
                    case TimedOut(key):
                        self._time_out(key, now)
                    case Fault():
                        self._events.append(event)
            except PeerError as error:  # an address in the middle of a message that cannot be read
                self._events.append(Fault(error.reason, b"", getattr(event, "source", ("", 0))))

    def _hear_request(self, key: str, request: Request, source: Address, now: float) -> None:
        if request.to.tag:
            self._hear_within(key, request, source, now)
        elif request.method == Method.INVITE:
            self._hear_invite(key, request, source, now)
        elif request.method == Method.CANCEL:
            self._hear_cancel(key, request, now)
        elif request.method == Method.OPTIONS:
            self._answer(key, request, Status.OK, now, *_OPTIONS_OK)
        elif request.method in (Method.BYE, Method.INFO):
            self._answer(key, request, Status.CALL_TRANSACTION_DOES_NOT_EXIST, now)
        elif key:
            self._answer(key, request, Status.METHOD_NOT_ALLOWED, now, _ALLOW)

    def _hear_invite(self, key: str, request: Request, source: Address, now: float) -> None:
        required = request.headers.all("Require")
        if required:
            unsupported = ("Unsupported", ", ".join(required))
            self._answer(key, request, Status.BAD_EXTENSION, now, unsupported)
            return
        contact = request.contact
        if contact is None:
            self._answer(key, request, Status.BAD_REQUEST, now)
            return
        local = request.to.with_tag(self._token(8))
        call = self._add(CallState.OFFERED, local, request.sender, source, str(contact.uri), call_id=request.call_id)
        call.invite, call.key, call.remote_sequence = request, key, request.cseq.number
        call.route = tuple(request.headers.all("Record-Route"))
        self._keep(call, key)
        self._respond(call, Status.TRYING, now)
        self._events.append(Incoming(call.number, request, source))

    def _hear_cancel(self, key: str, request: Request, now: float) -> None:
        """Take a CANCEL (9.2): it ends an INVITE that has no final response, and is answered in any case."""
        found = self._by_key.get(key.removesuffix(f" {Method.CANCEL}") + f" {Method.INVITE}")
        if found is None or found.is_ours:
            self._answer(key, request, Status.CALL_TRANSACTION_DOES_NOT_EXIST, now)
            return
        self._answer(key, request, Status.OK, now)
        if found.state is CallState.OFFERED:
            self._respond(found, Status.REQUEST_TERMINATED, now)
            self._events.append(Released(found.number, cause_of(request)))
            self._forget(found)

    def _hear_within(self, key: str, request: Request, source: Address, now: float) -> None:
        call = self._dialogue(request.call_id, request.to.tag, request.sender.tag)
        if request.method == Method.ACK:
            invite = call.invite if call is not None and call.state is CallState.ACCEPTED else None
            if call is not None and invite is not None and request.cseq.number == invite.cseq.number:
                call.state = CallState.STANDING
                self._events.append(Answered(call.number, request.body))
            return
        if call is None or call.state is CallState.OFFERED:
            self._events.append(Fault(f"{request.method} of no call", b"", source))
            self._answer(key, request, Status.CALL_TRANSACTION_DOES_NOT_EXIST, now)
        elif request.cseq.number <= call.remote_sequence:
            self._answer(key, request, Status.SERVER_INTERNAL_ERROR, now)  # out of order (12.2.2)
        else:
            call.remote_sequence = request.cseq.number
            self._hear_in_order(key, request, call, now)

    def _hear_in_order(self, key: str, request: Request, call: Call, now: float) -> None:
        match request.method:
            case Method.BYE:
                self._answer(key, request, Status.OK, now)
                if call.state is not CallState.LEAVING:
                    self._events.append(Released(call.number, cause_of(request)))
                self._forget(call)
            case Method.INVITE:
                self._answer(key, request, Status.NOT_ACCEPTABLE_HERE, now)
            case Method.OPTIONS:
                self._answer(key, request, Status.OK, now, *_OPTIONS_OK)
            case Method.INFO:
                self._hear_info(key, request, call, now)
            case _:
                self._answer(key, request, Status.METHOD_NOT_ALLOWED, now, _ALLOW)

    def _hear_info(self, key: str, request: Request, call: Call, now: float) -> None:
        """Answer a DTMF digit, which needs a confirmed dialog. Raises PeerError after the answer to a malformed one."""
        if call.state not in (CallState.ACCEPTED, CallState.STANDING):
            self._answer(key, request, Status.CALL_TRANSACTION_DOES_NOT_EXIST, now)
            return
        if not call.accepts_digits:
            self._answer(key, request, Status.UNSUPPORTED_MEDIA_TYPE, now, _ACCEPT)
            return
        try:
            digit = decode_digit(request)
        except PeerError as error:
            status = Status(error.code or Status.BAD_REQUEST)
            self._answer(key, request, status, now, *_INFO_ERRORS.get(status, ()))
            raise
        self._answer(key, request, Status.OK, now)
        if digit:
            self._events.append(DigitReceived(call.number, digit))

    def _end_info(self, key: str, call: Call, status: int, now: float) -> None:
        """Report how a DTMF digit was answered; 408 and 481 end the call (RFC 3261 12.2.1.2)."""
        call.keys.discard(key)
        self._by_key.pop(key, None)
        if call.state is not CallState.STANDING:
            return
        if status in (Status.REQUEST_TIMEOUT, Status.CALL_TRANSACTION_DOES_NOT_EXIST):
            self._events.append(Released(call.number, cause_of(status)))
            self._bye(call, cause_of(status), now)
        else:
            self._events.append(DigitAnswered(call.number, status))

    def _hear_response(self, key: str, response: Response, now: float) -> None:
        call = self._by_key.get(key)
        if call is None:
            return
        method = response.cseq.method
        if method == Method.BYE:
            if response.status >= 200:
                self._forget(call)
        elif method == Method.INFO:
            if response.status >= 200:
                self._end_info(key, call, response.status, now)
        elif method == Method.INVITE:
            call.heard = True
            if response.status < 200:
                self._hear_progress(call, response, now)
            elif response.status < 300:
                self._hear_answer(call, response, now)
            else:
                self._hear_refusal(call, response)

    def _hear_progress(self, call: Call, response: Response, now: float) -> None:
        if call.state is CallState.CANCELLING:
            self._cancel(call, now)
        elif call.state is CallState.CALLING and response.status > Status.TRYING:
            self._events.append(Alerting(call.number, response.status))

    def _hear_answer(self, call: Call, response: Response, now: float) -> None:
        """Acknowledge a 2xx, each time that it comes (13.2.2.4); one that crosses our CANCEL is ended at once."""
        if call.acknowledgement is not None:
            if response.to.tag == call.remote.tag:
                self._transactions.send(call.acknowledgement, call.peer)
            return
        contact = response.contact
        call.remote = response.to
        call.target = str(contact.uri) if contact is not None else call.target
        call.route = tuple(reversed(response.headers.all("Record-Route")))
        number = call.invite.cseq.number if call.invite is not None else 1
        call.acknowledgement = self._make(call, Method.ACK, number=number)
        self._transactions.send(call.acknowledgement, call.peer)
        if call.state is CallState.CANCELLING:
            self._bye(call, call.cause, now)
        else:
            call.state = CallState.STANDING
            self._events.append(Answered(call.number, response.body))

    def _hear_refusal(self, call: Call, response: Response) -> None:
        if call.state is not CallState.CANCELLING:
            self._events.append(Refused(call.number, response.status, cause_of(response)))
        self._forget(call)

    def _time_out(self, key: str, now: float) -> None:
        call = self._by_key.get(key)
        if call is None:
            return
        if key.endswith(f" {Method.INFO}"):
            self._end_info(key, call, Status.REQUEST_TIMEOUT, now)
            return
        if call.state is CallState.CALLING:
            self._events.append(Refused(call.number, Status.REQUEST_TIMEOUT, cause_of(Status.REQUEST_TIMEOUT)))
        self._forget(call)

    # -- messages

    def _cancel(self, call: Call, now: float) -> None:
        """Send a CANCEL, once (9.1): it has the branch of its INVITE."""
        invite = call.invite
        if invite is None or f"c {invite.vias[0].branch} {Method.CANCEL}" in self._by_key:
            return
        kept = [each for each in invite.headers if each[0] in ("From", "To", "Call-ID", "Route")]
        headers = (
            ("Via", str(invite.vias[0])),
            *kept,
            ("CSeq", f"{invite.cseq.number} {Method.CANCEL}"),
            ("Max-Forwards", "70"),
            reason_header(call.cause),
        )
        key = self._transactions.request(Request(Method.CANCEL, invite.uri, Headers(headers)), call.peer, now)
        self._keep(call, key)
        self._transactions.cancelled(call.key, now)

    def _bye(self, call: Call, cause: int, now: float) -> None:
        request = self._make(call, Method.BYE, reason_header(cause))
        self._keep(call, self._transactions.request(request, call.peer, now))
        call.state = CallState.LEAVING

    def _make(
        self, call: Call, method: Method, *more: tuple[str, str], number: int | None = None, body: bytes = b""
    ) -> Request:
        """Make a request of a call (12.2.1.1)."""
        if number is None:
            call.sequence += 1
            number = call.sequence
        host, port = self.local
        via = Via(host, port, {"branch": _COOKIE + self._token(12), "rport": ""})
        user = call.local.uri.user
        contact = NameAddress(Uri(user, host, port))
        headers = (
            ("Via", str(via)),
            ("Max-Forwards", "70"),
            *(("Route", each) for each in call.route),
            ("From", str(call.local)),
            ("To", str(call.remote)),
            ("Call-ID", call.call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", str(contact)),
            *more,
        )
        return Request(method, call.target, Headers(headers), body)

    def _respond(
        self, call: Call, status: int, now: float, *more: tuple[str, str], body: bytes = b""
    ) -> Response | None:
        """Answer the INVITE of a call; all but 100 have our tag, and those that make a dialogue our Contact."""
        if call.invite is None:
            return None
        tag = call.local.tag if status > Status.TRYING else ""
        contact = ("Contact", str(NameAddress(Uri(call.local.uri.user, *self.local))))
        dialogue = (contact,) if Status.TRYING < status < 300 else ()
        response = answer(call.invite, status, *dialogue, *more, tag=tag, body=body)
        self._transactions.respond(call.key, response, now)
        return response

    def _answer(self, key: str, request: Request, status: int, now: float, *more: tuple[str, str]) -> None:
        self._transactions.respond(key, answer(request, status, *more, tag=self._token(8)), now)

    # -- calls

    def _add(
        self,
        state: CallState,
        local: NameAddress,
        remote: NameAddress,
        peer: Address,
        target: str,
        *,
        call_id: str = "",
    ) -> Call:
        """Keep a call: one that came has a Call-ID already."""
        self._numbers += 1
        is_ours, name = not call_id, call_id or f"{self._token(16)}@{self.local[0]}"
        call = Call(self._numbers, state, is_ours, name, local, remote, peer, target)
        self._calls[call.number] = self._dialogues[call.call_id, local.tag] = call
        return call

    def _keep(self, call: Call, key: str) -> None:
        self._by_key[key] = call
        call.keys.add(key)

    def _of(self, call: int, *states: CallState) -> Call:
        found = self._calls.get(call)
        if found is None or (states and found.state not in states):
            raise InternalError(f"call {call} is {found.state.value if found is not None else 'over'}")
        return found

    def _dialogue(self, call_id: str, local: str, remote: str) -> Call | None:
        found = self._dialogues.get((call_id, local))
        return found if found is not None and found.remote.tag == remote else None

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.number, None)
        self._dialogues.pop((call.call_id, call.local.tag), None)
        for key in call.keys:
            self._by_key.pop(key, None)

    def _token(self, octets: int) -> str:
        return self._draw(octets).hex()
