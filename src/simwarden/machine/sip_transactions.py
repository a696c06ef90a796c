"""Transactions of SIP over UDP as a machine without I/O (RFC 3261 17, with the state Accepted of RFC 6026).

Requests are sent again until they are answered, final responses to INVITE until they are acknowledged, and what comes
again is absorbed. A transaction is named by its branch, and by its method where that is not an INVITE's.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from simwarden.errors import InternalError, PeerError
from simwarden.machine.outputs import Outputs
from simwarden.machine.sip_events import Address, Fault, Requested, Responded, SipTimers, TimedOut, TransactionEvent
from simwarden.machine.timer import Timer
from simwarden.wire.sip import Headers, Method, Request, Response, Via, decode, encode

_NEVER: Final = float("inf")
MOST: Final = 50_000
"""Transactions at a time: one more request is not taken (503)."""
RESERVED: Final = 10_000
"""Of them, transactions for requests that this endpoint sends: requests of peers do not use these up."""


class State(enum.Enum):
    """States of transactions (figures 5 to 8, RFC 6026 figures 2 and 3)."""

    CALLING = "calling"  # also Trying of what is no INVITE
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"


@dataclass(slots=True)
class _Transaction:
    key: str
    request: Request
    peer: Address
    is_client: bool
    state: State
    #: when it is over, or has failed
    ends: float
    #: when the last message is sent again, and the pause after that (timers A, E, G)
    again: float = _NEVER
    pause: float = 0.0
    last: bytes = field(default=b"", repr=False)

    @property
    def due(self) -> float:
        """When something is to be done about it."""
        return min(self.ends, self.again)

    @property
    def is_invite(self) -> bool:
        return self.request.method == Method.INVITE


class Transactions(Outputs[tuple[bytes, Address], TransactionEvent]):
    """The transactions of one endpoint. Times are seconds of the owner's clock."""

    def __init__(self, timers: SipTimers = SipTimers()) -> None:  # noqa: B008 - it is a constant
        super().__init__()
        self.timers = timers
        self._all: dict[str, _Transaction] = {}
        #: when transactions are due: also those whose time was changed since, until they are at the top
        self._due: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._all)

    # -- what the owner does

    def request(self, request: Request, to: Address, now: float) -> str:
        """Send a request; return the key of its transaction. Its newest Via has its branch."""
        branch = request.vias[0].branch
        if not branch or len(self._all) >= MOST:
            raise InternalError(f"a request without a branch, or {MOST} transactions at a time")
        key = _client_key(branch, request.method)
        end = now + self.timers.all
        made = _Transaction(key, request, to, True, State.CALLING, end, now + self.timers.t1, self.timers.t1)
        self._all[key] = made
        self._arm(made)
        self._transmit(made, encode(request))
        return key

    def respond(self, key: str, response: Response, now: float) -> None:
        """Answer a request; what comes too late is left unsaid."""
        found = self._all.get(key)
        if found is None or found.is_client or found.state not in (State.CALLING, State.PROCEEDING, State.ACCEPTED):
            return
        self._transmit(found, encode(response))
        if response.status < 200:
            found.state = State.PROCEEDING
            return
        found.ends = now + self.timers.all
        if found.is_invite and response.status < 300:
            found.state = State.ACCEPTED
        else:
            found.state = State.COMPLETED
            if found.is_invite:
                found.again, found.pause = now + self.timers.t1, self.timers.t1
        self._arm(found)

    def cancelled(self, key: str, now: float) -> None:
        """Take it that an INVITE was cancelled: without a final response in time it is over (9.1)."""
        found = self._all.get(key)
        if found is not None and found.state is State.PROCEEDING:
            found.ends = now + self.timers.all
            self._arm(found)

    def send(self, request: Request, to: Address) -> None:
        """Send a request outside transactions: the ACK to a 2xx."""
        self._out.append((encode(request), to))

    def state(self, key: str) -> State | None:
        """Return the state of a transaction, None where it is over."""
        found = self._all.get(key)
        return found.state if found is not None else None

    # -- the five calls

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram."""
        if not data.strip(b"\r\n\0"):
            return  # a keep-alive (RFC 5626 3.5.1)
        try:
            message = decode(data)
        except PeerError as error:
            self._events.append(Fault(error.reason, data, source))
            return
        if isinstance(message, Response):
            self._hear_response(message, data, source, now)
        else:
            self._hear_request(_received(message, source), source, now)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` is due."""
        while self._due and not self._is_due(*self._due[0]):
            heappop(self._due)
        return Timer(self._due[0][0], keep_alive=False) if self._due else None

    def on_timer(self, now: float) -> None:
        """Send again what is due, and end what is over."""
        while self._due and self._due[0][0] <= now:
            at, key = heappop(self._due)
            if not self._is_due(at, key):
                continue
            each = self._all[key]
            if now >= each.ends:
                self._end(each)
                continue
            self._out.append((each.last, each.peer))
            longest = _NEVER if each.is_client and each.is_invite else self.timers.t2
            each.pause = min(2 * each.pause, longest)
            each.again = now + each.pause
            self._arm(each)

    def _is_due(self, at: float, key: str) -> bool:
        found = self._all.get(key)
        return found is not None and found.due == at

    def _arm(self, each: _Transaction) -> None:
        if each.due < _NEVER:
            heappush(self._due, (each.due, each.key))

    # -- client

    def _hear_response(self, response: Response, data: bytes, source: Address, now: float) -> None:
        cseq = response.cseq
        found = self._all.get(_client_key(response.vias[0].branch, cseq.method))
        if found is None or not found.is_client:
            self._events.append(Fault(f"{response.status} to nothing", data, source))
            return
        final = response.status >= 200
        if found.state is State.COMPLETED:
            if found.is_invite and final:
                self._out.append((found.last, found.peer))  # the ACK again (17.1.1.2)
            return
        if found.state is State.ACCEPTED:
            if 200 <= response.status < 300:
                self._events.append(Responded(found.key, response))
            return
        if not final:
            self._proceed(found)
        elif found.is_invite:
            self._complete_invite(found, response, now)
        else:
            found.state, found.again, found.ends = State.COMPLETED, _NEVER, now + self.timers.t4
        self._arm(found)
        self._events.append(Responded(found.key, response))

    def _proceed(self, found: _Transaction) -> None:
        """Take a provisional response: an INVITE is sent no more, and may wait for long; others go on at T2."""
        found.state = State.PROCEEDING
        if found.is_invite:
            found.again = found.ends = _NEVER
        else:
            found.pause = self.timers.t2

    def _complete_invite(self, found: _Transaction, response: Response, now: float) -> None:
        found.again = _NEVER
        found.ends = now + self.timers.all  # timer D is at least 32 s, timer M is 64 T1
        if response.status < 300:
            found.state = State.ACCEPTED
            return
        found.state = State.COMPLETED
        self._transmit(found, encode(_acknowledgement(found.request, response)))

    # -- server

    def _hear_request(self, request: Request, source: Address, now: float) -> None:
        via = request.vias[0]
        found = self._all.get(_server_key(request, via))
        if request.method == Method.ACK:
            self._hear_ack(request, found, source, now)
        elif found is not None:
            # the same again: the last answer again, if there is one (17.2.1, 17.2.2)
            if found.last and found.state is not State.ACCEPTED:
                self._out.append((found.last, found.peer))
        elif len(self._all) < MOST - RESERVED:
            key = _server_key(request, via)
            where = _answer_to(via, source)
            made = _Transaction(key, request, where, False, State.CALLING, _NEVER)
            self._all[key] = made
            self._events.append(Requested(key, request, source))

    def _hear_ack(self, request: Request, found: _Transaction | None, source: Address, now: float) -> None:
        if found is None or found.state is State.ACCEPTED:
            self._events.append(Requested("", request, source))
        elif found.state is State.COMPLETED:
            found.state, found.again, found.ends = State.CONFIRMED, _NEVER, now + self.timers.t4
            self._arm(found)

    # -- what all do

    def _end(self, each: _Transaction) -> None:
        del self._all[each.key]
        failed = each.state in (State.CALLING, State.PROCEEDING) if each.is_client else False
        unacknowledged = not each.is_client and each.is_invite and each.state is State.COMPLETED
        if failed or unacknowledged:
            self._events.append(TimedOut(each.key))

    def _transmit(self, found: _Transaction, octets: bytes) -> None:
        found.last = octets
        self._out.append((octets, found.peer))


def _client_key(branch: str, method: str) -> str:
    return f"c {branch} {method}"


def _server_key(request: Request, via: Via) -> str:
    """Return the key of a server transaction (17.2.3): an ACK is of its INVITE's; old branches are told by much."""
    method = Method.INVITE if request.method == Method.ACK else request.method
    if via.branch:
        return f"s {via.branch} {via.sent_by} {method}"
    parts = (request.uri, request.sender.tag, request.call_id, request.cseq.number, via)
    return f"s {' '.join(map(str, parts))} {method}"


def _acknowledgement(request: Request, response: Response) -> Request:
    """Make the ACK to a final response that is no 2xx (17.1.1.3)."""
    kept = [each for each in request.headers if each[0] in ("From", "Call-ID", "Route")]
    headers = (
        ("Via", str(request.vias[0])),
        *kept,
        ("To", response.headers.get("To") or ""),
        ("CSeq", f"{request.cseq.number} {Method.ACK}"),
        ("Max-Forwards", "70"),
    )
    return Request(Method.ACK, request.uri, Headers(headers))


def _received(request: Request, source: Address) -> Request:
    """Note where a request came from in its newest Via (18.2.1, RFC 3581)."""
    first, *others = request.vias
    more = dict(first.parameters)
    if first.host != source[0]:
        more["received"] = source[0]
    if "rport" in more:
        more |= {"rport": str(source[1]), "received": source[0]}
    via = Via(first.host, first.port, more, first.transport)
    headers = (("Via", str(via)), *(("Via", str(each)) for each in others), *request.headers.without("Via"))
    return Request(request.method, request.uri, Headers(headers), request.body)


def _answer_to(via: Via, source: Address) -> Address:
    """Return where responses go (18.2.2): to the address that the request came from, at the port that was said."""
    port = source[1] if "rport" in via.parameters else via.port or 5060
    return source[0], port
