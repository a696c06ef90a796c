"""One TCP connection, without I/O (RFC 9293), as user programs have it over the network that is tested.

The owner gives it segments and the time, and takes out segments and events. Handshake (also with both ends opening),
order, retransmission by the timer of RFC 6298, MSS, the peer's window, FIN and RST are as specified. Left out, each
for being allowed to be: selective acknowledgement and timestamps (what is lost is sent again from the first hole),
window scaling (at most 65,535 octets are on their way), congestion control and the algorithm of Nagle (links here drop
by rule, not by load), urgent data (read as ordinary). Sequence numbers are kept as integers that do not wrap, and cut
to 32 bits on the wire.
"""

from __future__ import annotations

from simwarden.errors import PeerError
from simwarden.machine.outputs import Outputs
from simwarden.machine.tcp_table import (
    DEFAULT_MSS,
    LEAST_MSS,
    MOST_HELD,
    MOST_PROBES,
    ON_CLOSE,
    ON_FIN,
    ON_FIN_ACKED,
    OVER,
    PROBE_INTERVAL,
    SENDS,
    WHOLE,
    WINDOW,
    Alive,
    Closed,
    Ended,
    Event,
    Faulted,
    Opened,
    Received,
    State,
    TcpSettings,
    near,
    reset_for,
)
from simwarden.machine.timer import Timer
from simwarden.wire.ip import Tcp, TcpFlag, mss_of, mss_option

_SYN, _FIN, _RST, _ACK, _PSH = TcpFlag.SYN, TcpFlag.FIN, TcpFlag.RST, TcpFlag.ACK, TcpFlag.PSH
#: seconds: clock granularity, first and longest time-out (RFC 6298 2), and that of data after a lost SYN (5.7)
_GRAIN, _RTO, _LONGEST, _AFTER_SYN = 0.001, 1.0, 60.0, 3.0


class Connection(Outputs[Tcp, Event]):
    """One end of a connection."""

    def __init__(self, near_port: int, far_port: int, initial: int, settings: TcpSettings | None = None) -> None:
        """`initial` is the number of this end's SYN, drawn so that others cannot guess it (RFC 9293 3.4.1)."""
        super().__init__()
        self.near_port, self.far_port = near_port, far_port
        self.settings = settings or TcpSettings()
        self.state = State.CLOSED
        self._mss = min(self.settings.mss, DEFAULT_MSS[self.settings.version])
        #: the first number that is not acknowledged, the next one to be sent, and the last one that ever was
        self._una = self._next = initial
        #: octets from `_una` on (after our SYN)
        self._buffer = bytearray()
        self._closing = False
        self._fin_at: int | None = None
        self._window = 0
        self._window_set = (0, 0)
        #: below this number what was sent before a time-out is sent again as acknowledgements come
        self._recover = initial
        #: the next number that is expected, what came beyond it, and where the peer's FIN is
        self._expected = 0
        self._held: dict[int, bytes] = {}
        self._peer_fin: int | None = None
        self._ack_due = False
        self._smoothed: float | None = None
        self._variation = 0.0
        self._timeout = _RTO
        self._timed: tuple[int, float] | None = None
        self._deadline: float | None = None
        self._tries = 0
        #: when the next keep-alive is due, and how many have no answer
        self._probe_at: float | None = None
        self._probes = 0

    # -- what the owner orders

    def connect(self, now: float) -> None:
        """Open to a peer that listens."""
        self.state = State.SYN_SENT
        self._send_syn(now)

    def accept(self, syn: Tcp, now: float) -> None:
        """Open to a peer that has sent a SYN."""
        self.state = State.SYN_RECEIVED
        self._take_syn(syn)
        self._send_syn(now)

    def send(self, data: bytes, now: float) -> None:
        """Send octets, as soon as the peer takes them; after `close` none."""
        if not self._closing:
            self._buffer += data
            self._flush(now)

    def close(self, now: float) -> None:
        """Send no more than what waits."""
        self._closing = True
        if self.state is State.SYN_SENT:
            self._end(Closed())
        else:
            self._flush(now)

    def abort(self) -> None:
        """End it at once, and tell the peer so (3.10.5)."""
        if self.state not in (State.CLOSED, State.SYN_SENT, State.TIME_WAIT):
            self._out = [self._segment(self._next, _RST | _ACK)]
        self._end(Closed())

    # -- sending

    def _segment(self, sequence: int, flags: TcpFlag, payload: bytes = b"", options: bytes = b"") -> Tcp:
        acknowledged = 0
        if flags & _ACK:
            acknowledged, self._ack_due = self._expected % WHOLE, False
        numbers = sequence % WHOLE, acknowledged
        return Tcp(self.near_port, self.far_port, *numbers, flags, WINDOW, payload, options)

    def _send_syn(self, now: float) -> None:
        self._out.append(self._syn())
        self._next = self._una + 1
        self._time(now)

    def _syn(self) -> Tcp:
        flags = _SYN if self.state is State.SYN_SENT else _SYN | _ACK
        return self._segment(self._una, flags, options=mss_option(self.settings.mss))

    def _flush(self, now: float) -> None:
        """Send what the peer's window takes, and the FIN after the last octet."""
        if self.state not in SENDS:
            return
        while self._unsent:
            room = self._una + self._window - self._next
            size = min(self._unsent, self._mss, room)
            # a small piece, for a window that is nearly full, waits for more room (3.8.6.2.1)
            if size <= 0 or (size < min(self._unsent, self._mss) and self._next > self._una):
                break
            self._emit(size, now)
        if self._unsent and self._next == self._una and self._deadline is None:
            self._arm(now)  # nothing would make the peer tell of its window again: it is probed (3.8.6.1)
        if self._closing and not self._unsent:
            self._fin_at = self._next
            self.state = ON_CLOSE[self.state]
            self._next += 1
            self._out.append(self._segment(self._fin_at, _FIN | _ACK))
            self._time(now)

    @property
    def _unsent(self) -> int:
        return self._una + len(self._buffer) - self._next

    def _emit(self, size: int, now: float) -> None:
        at = self._next - self._una
        payload = bytes(self._buffer[at : at + size])
        flags = _ACK | _PSH if at + size == len(self._buffer) else _ACK
        self._out.append(self._segment(self._next, flags, payload))
        self._next += size
        self._time(now)

    def _resend(self) -> None:
        """Send again what is first without an acknowledgement."""
        self._timed = None  # its acknowledgement would say nothing of the way (RFC 6298 3)
        if self.state in (State.SYN_SENT, State.SYN_RECEIVED):
            self._out.append(self._syn())
            return
        payload = bytes(self._buffer[: min(self._mss, self._next - self._una)])
        last = self._fin_at is not None and self._una + len(payload) == self._fin_at
        self._out.append(self._segment(self._una, _ACK | (_FIN if last else _PSH), payload))

    # -- time

    def _time(self, now: float) -> None:
        """Time what was just sent, if nothing else is."""
        if self._timed is None and self._next > self._recover:
            self._timed = self._next, now
        if self._deadline is None:
            self._arm(now)

    def _arm(self, now: float) -> None:
        self._deadline = now + self._timeout

    def _measure(self, acknowledged: int, now: float) -> None:
        """Take the time of a way there and back into account (RFC 6298 2)."""
        if self._timed is None or acknowledged < self._timed[0]:
            return
        took, self._timed = now - self._timed[1], None
        if self._smoothed is None:
            self._smoothed, self._variation = took, took / 2
        else:
            self._variation = 0.75 * self._variation + 0.25 * abs(self._smoothed - took)
            self._smoothed = 0.875 * self._smoothed + 0.125 * took
        self._timeout = min(max(_RTO, self._smoothed + max(_GRAIN, 4 * self._variation)), _LONGEST)

    def next_timer(self) -> Timer | None:
        """Return when `on_timer` must be called."""
        due = [each for each in (self._deadline, self._probe_at) if each is not None]
        return Timer(min(due), keep_alive=False) if due else None

    def on_timer(self, now: float) -> None:
        """Take note of the time; harmless before the deadline."""
        if self._probe_at is not None and self._probe_at <= now:
            self._probe(now)
        if self._deadline is None or self._deadline > now:
            return
        self._deadline = None
        if self.state is State.TIME_WAIT:
            self._end(Closed())
            return
        self._tries += 1
        if self._tries >= self.settings.tries:
            self._end(Closed(timed_out=True))
            return
        self._timeout = min(2 * self._timeout, _LONGEST)  # (5.5)
        if self._next == self._una:  # only a window is awaited
            self._next += 1
        self._recover = self._next
        self._resend()
        self._arm(now)

    # -- keep-alives (3.8.4)

    def _probe(self, now: float) -> None:
        """Send a keep-alive, a segment without octets before the next number; give a peer up that answers none."""
        if self._probes >= MOST_PROBES:
            self._end(Closed(timed_out=True))
            return
        self._probe_at = now + min(self.settings.keep_alive, PROBE_INTERVAL)
        if self._deadline is None:  # else octets are on their way, which the peer has to acknowledge
            self._probes += 1
            self._out.append(self._segment(self._next - 1, _ACK))

    def _note_alive(self, now: float) -> None:
        """Start the time to the next keep-alive again, as the peer has sent a segment."""
        self._probe_at = now + self.settings.keep_alive if self.settings.keep_alive and self.state in SENDS else None
        if self._probes:
            self._probes = 0
            self._events.append(Alive())

    # -- what comes

    def receive(self, segment: Tcp, now: float) -> None:
        """Take a segment of this connection (3.10.7)."""
        self._receive(segment, now)
        if self.state is not State.CLOSED:
            self._note_alive(now)

    def _receive(self, segment: Tcp, now: float) -> None:
        if self.state is State.SYN_SENT:
            self._receive_answer(segment, now)
            return
        if self.state is State.CLOSED:
            self._answer_reset(segment)
            return
        sequence = near(segment.sequence, self._expected)
        if not self._in_window(sequence, segment.length):
            self._ack_due = self._ack_due or not segment.flags & _RST
        elif segment.flags & _RST:
            self._take_reset(sequence)
        elif segment.flags & _SYN:
            self._blame("a SYN amid the connection")  # whose number is verified by this ACK (RFC 5961 4.2)
        elif segment.flags & _ACK and self._take_acknowledgement(segment, sequence, now):
            self._take_payload(segment, sequence, now)
        self._flush(now)

    def _receive_answer(self, segment: Tcp, now: float) -> None:
        """Take what comes in SYN-SENT (3.10.7.3)."""
        flags = segment.flags
        if flags & _ACK and near(segment.acknowledgement, self._next) != self._next:
            self._answer_reset(segment)
        elif flags & _RST:
            if flags & _ACK:
                self._end(Closed(reset=True))
        elif flags & _SYN and flags & _ACK:
            self._take_syn(segment)
            self._open(segment, now)
            self._ack_due = True
            self._take_payload(segment, self._expected, now)
            self._flush(now)
        elif flags & _SYN:
            self.state = State.SYN_RECEIVED
            self._take_syn(segment)
            self._resend()

    def _take_syn(self, segment: Tcp) -> None:
        self._expected = segment.sequence + 1
        self._window = segment.window
        try:
            told = mss_of(segment.options)
        except PeerError as error:
            self._events.append(Faulted(error.reason))
            told = None
        self._mss = min(max(told or DEFAULT_MSS[self.settings.version], LEAST_MSS), self.settings.mss)

    def _open(self, segment: Tcp, now: float) -> None:
        """Be open: the SYN of this end is acknowledged."""
        self.state = State.ESTABLISHED
        self._una += 1
        if self._tries:
            self._timeout = _AFTER_SYN
        self._tries, self._deadline = 0, None
        self._measure(self._una, now)
        self._window, self._window_set = segment.window, (self._expected, self._una)
        self._events.append(Opened())

    def _in_window(self, sequence: int, length: int) -> bool:
        """Whether any of a segment is expected (3.10.7.4); the window is never closed here."""
        first, last = sequence, sequence + max(length, 1) - 1
        return first < self._expected + WINDOW and last >= self._expected

    def _take_reset(self, sequence: int) -> None:
        """Only a RST with the very number is believed (RFC 5961 3.2); to who has heard and said all it is no loss."""
        if sequence == self._expected:
            self._end(Closed(reset=self.state not in OVER))
        else:
            self._blame("a RST with a guessed number")

    def _take_acknowledgement(self, segment: Tcp, sequence: int, now: float) -> bool:
        """Take the ACK field; return whether the rest of the segment is to be taken."""
        number = near(segment.acknowledgement, self._una)
        if self.state is State.SYN_RECEIVED:
            if number != self._next:
                self._answer_reset(segment)
                return False
            self._open(segment, now)
            return True
        if number > self._next:
            self._blame("an acknowledgement of what was not sent")
            return False
        if number > self._una:
            self._advance(number, now)
        if number == self._una:
            self._tries = 0
            if self._window_set <= (sequence, number):
                self._window, self._window_set = segment.window, (sequence, number)
        return self.state is not State.CLOSED

    def _advance(self, number: int, now: float) -> None:
        fin = self._fin_at is not None and number > self._fin_at
        del self._buffer[: number - self._una - fin]
        self._una = number
        self._measure(number, now)
        self._deadline = None
        if self._una < self._next:
            if self._una < self._recover:
                self._resend()
            self._arm(now)
        if fin and self.state is State.LAST_ACK:
            self._end(Closed())
        elif fin and self.state in ON_FIN_ACKED:
            self._enter(ON_FIN_ACKED[self.state], now)

    def _take_payload(self, segment: Tcp, sequence: int, now: float) -> None:
        """Put octets into their place, and hand over what is in order (3.10.7.4, seventh and eighth)."""
        self._ack_due = self._ack_due or bool(segment.length)
        data = segment.payload
        if segment.flags & _FIN and self._peer_fin is None:
            self._peer_fin = sequence + len(data)
        skipped = max(self._expected - sequence, 0)
        data, sequence = data[skipped : self._expected + WINDOW - sequence], sequence + skipped
        if self._peer_fin is not None:
            data = data[: max(self._peer_fin - sequence, 0)]
        if data and len(data) > len(self._held.get(sequence, b"")):
            self._hold(sequence, data)
        self._hand_over()
        if self._peer_fin == self._expected:
            self._take_fin(now)

    def _hold(self, sequence: int, data: bytes) -> None:
        """Keep octets until those before them come: never more than a window, however they overlap."""
        room = len(self._held) < MOST_HELD and sum(map(len, self._held.values())) + len(data) <= WINDOW
        if sequence == self._expected or room:
            self._held[sequence] = data

    def _hand_over(self) -> None:
        found = []
        while self._held:
            first = min(self._held)
            if first > self._expected:
                break
            piece = self._held.pop(first)[self._expected - first :]
            self._expected += len(piece)
            found.append(piece)
        if any(found):
            self._events.append(Received(b"".join(found)))

    def _take_fin(self, now: float) -> None:
        self._expected += 1
        self._events.append(Ended())
        self._enter(ON_FIN[self.state], now)

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        if state is State.TIME_WAIT:
            self._deadline = now + 2 * self.settings.msl

    def _answer_reset(self, segment: Tcp) -> None:
        answer = reset_for(segment)
        if answer is not None:
            self._out.append(answer)

    def _blame(self, reason: str) -> None:
        self._ack_due = True
        self._events.append(Faulted(reason))

    def _end(self, event: Closed) -> None:
        if self.state is not State.CLOSED:
            self._events.append(event)
        self.state, self._deadline, self._ack_due = State.CLOSED, None, False
        self._probe_at = None
        self._held.clear()
        self._buffer.clear()

    # -- what comes out

    def data_to_send(self) -> list[Tcp]:
        """Return segments, and forget them; one acknowledges all that has come since the last call."""
        if self._ack_due:
            self._out.append(self._segment(self._next, _ACK))
        return super().data_to_send()
