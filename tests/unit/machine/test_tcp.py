"""Two ends of TCP over a wire that loses, doubles and overtakes, and one end against whatever comes."""

from __future__ import annotations

import heapq
import itertools
import random
from typing import Any

import budget
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.machine.tcp import Connection
from simwarden.machine.tcp_table import (
    WINDOW,
    Alive,
    Closed,
    Ended,
    Faulted,
    Opened,
    Received,
    State,
    TcpSettings,
    reset_for,
)
from simwarden.wire import ip
from simwarden.wire.ip import Tcp, TcpFlag

NEAR, FAR = "10.64.0.1", "198.51.100.80"
SYN, FIN, RST, ACK = TcpFlag.SYN, TcpFlag.FIN, TcpFlag.RST, TcpFlag.ACK


class End:
    """One end, and what its owner heard."""

    def __init__(self, connection: Connection, own: str, other: str) -> None:
        self.connection, self.own, self.other = connection, own, other
        self.got = bytearray()
        self.heard: list[Any] = []


class Wire:
    """Carries packets of two ends, each as octets, in `delay` seconds; `fate` says what becomes of a packet."""

    def __init__(self, seed: int = 0, loss: float = 0.0, doubled: float = 0.0, late: float = 0.0) -> None:
        self.random = random.Random(seed)
        self.loss, self.doubled, self.late = loss, doubled, late
        self.now, self.packets = 0.0, 0
        self._count = itertools.count()
        self._flying: list[tuple[float, int, End, bytes]] = []
        self.client = End(Connection(40000, 80, 0xFFFFFF00), NEAR, FAR)
        self.server = End(Connection(80, 40000, 7), FAR, NEAR)
        self.closing = True

    def _far(self, end: End) -> End:
        return self.server if end is self.client else self.client

    def pump(self, end: End) -> None:
        for event in end.connection.events():
            end.heard.append(event)
            if isinstance(event, Received):
                end.got += event.data
            elif isinstance(event, Ended) and self.closing:
                end.connection.close(self.now)
        for segment in end.connection.data_to_send():
            data = ip.encode(ip.encode_tcp(segment, end.own, end.other))
            self.packets += 1
            for _ in range(2 if self.random.random() < self.doubled else 1):
                if self.random.random() < self.loss:
                    continue
                delay = 0.02 + (self.random.random() if self.random.random() < self.late else 0)
                heapq.heappush(self._flying, (self.now + delay, next(self._count), self._far(end), data))

    def run(self, until: float = 1e6) -> None:
        """Go on until nothing is to happen any more, or to a time."""
        while True:
            for end in (self.client, self.server):
                self.pump(end)
            timers = [t.deadline for e in (self.client, self.server) if (t := e.connection.next_timer()) is not None]
            moments = timers + [each[0] for each in self._flying[:1]]
            if not moments or min(moments) > until:
                self.now = until
                return
            self.now = max(self.now, min(moments))
            if self._flying and self._flying[0][0] <= self.now:
                _, _, end, data = heapq.heappop(self._flying)
                self.deliver(end, ip.decode_tcp(ip.decode(data)))
            else:
                for end in (self.client, self.server):
                    end.connection.on_timer(self.now)

    def deliver(self, end: End, segment: Tcp) -> None:
        connection = end.connection
        if connection.state is State.CLOSED and segment.flags & SYN and not end.heard:
            connection.accept(segment, self.now)
        else:
            connection.receive(segment, self.now)

    def open(self) -> None:
        self.client.connection.connect(self.now)
        self.run(self.now + 5)


def closed(end: End) -> list[Any]:
    return [each for each in end.heard if isinstance(each, Closed)]


def test_open_talk_and_close() -> None:
    wire = Wire()
    wire.open()
    assert (wire.client.heard, wire.server.heard) == ([Opened()], [Opened()])
    assert wire.packets == 3
    wire.client.connection.send(b"question", wire.now)
    wire.run(wire.now + 1)
    wire.server.connection.send(b"answer" * 1000, wire.now)
    wire.server.connection.close(wire.now)
    wire.run(wire.now + 1)
    assert bytes(wire.server.got) == b"question"
    assert bytes(wire.client.got) == b"answer" * 1000
    assert wire.client.connection.state is State.CLOSED
    assert wire.server.connection.state is State.TIME_WAIT
    wire.run()
    assert closed(wire.client) == closed(wire.server) == [Closed()]
    assert wire.server.connection.next_timer() is None


def test_both_close_at_once() -> None:
    wire = Wire()
    wire.open()
    for end in (wire.client, wire.server):
        end.connection.close(wire.now)
        end.connection.send(b"too late", wire.now)
    wire.run(wire.now + 1)
    assert {wire.client.connection.state, wire.server.connection.state} == {State.TIME_WAIT}
    wire.run()
    assert closed(wire.client) == closed(wire.server) == [Closed()]
    assert not wire.client.got
    assert not wire.server.got


def test_who_has_closed_still_hears() -> None:
    wire = Wire()
    wire.closing = False
    wire.open()
    wire.client.connection.close(wire.now)
    wire.run(wire.now + 1)
    assert wire.client.connection.state is State.FIN_WAIT_2
    assert wire.server.connection.state is State.CLOSE_WAIT
    wire.server.connection.send(b"still here", wire.now)
    wire.server.connection.close(wire.now)
    wire.run()
    assert bytes(wire.client.got) == b"still here"


def test_an_abort_resets_the_peer() -> None:
    wire = Wire()
    wire.open()
    wire.client.connection.abort()
    wire.run()
    assert closed(wire.server) == [Closed(reset=True)]
    assert closed(wire.client) == [Closed()]


def test_nobody_answers() -> None:
    """1 + 2 + 4 + ... + 60 + 60 s: no earlier than the 100 s of RFC 9293 3.8.3."""
    wire = Wire(loss=1.0)
    wire.open()
    wire.run()
    assert closed(wire.client) == [Closed(timed_out=True)]
    assert wire.packets == TcpSettings().tries
    timeouts = (1, 2, 4, 8, 16, 32, 60, 60)
    alone, now = Connection(1, 2, 3), 0.0
    alone.connect(now)
    for each in timeouts:
        timer = alone.next_timer()
        assert timer is not None
        assert timer.deadline == now + each
        now = timer.deadline
        alone.on_timer(now - 0.001)
        alone.on_timer(now)
    assert alone.events() == [Closed(timed_out=True)]


def test_a_way_that_breaks_ends_the_connection() -> None:
    wire = Wire()
    wire.open()
    wire.loss = 1.0
    wire.client.connection.send(b"x", wire.now)
    wire.run()
    assert closed(wire.client) == [Closed(timed_out=True)]


def test_keep_alives_are_answered_as_long_as_the_peer_is_there() -> None:
    """RFC 9293 3.8.4: an idle connection stays open, and traffic delays the next keep-alive."""
    wire = Wire()
    wire.client.connection.settings = TcpSettings(keep_alive=60)
    wire.open()
    wire.run(300)
    assert wire.client.heard == [Opened(), *[Alive()] * 4]
    wire.client.connection.send(b"report", wire.now)
    wire.run(355)
    assert wire.client.heard.count(Alive()) == 4
    wire.client.connection.close(wire.now)
    wire.run()
    assert closed(wire.client) == closed(wire.server) == [Closed()]
    assert wire.server.got == b"report"


@pytest.mark.parametrize(("keep_alive", "after"), [(30, 30 + 9 * 30), (7200, 7200 + 9 * 75)])
def test_a_peer_that_answers_no_keep_alive_is_given_up(keep_alive: float, after: float) -> None:
    wire = Wire()
    wire.client.connection.settings = TcpSettings(keep_alive=keep_alive)
    wire.open()
    wire.loss = 1.0
    wire.run(after - 1)
    assert closed(wire.client) == []
    wire.run(after + 1)
    assert closed(wire.client) == [Closed(timed_out=True)]
    assert wire.client.connection.next_timer() is None


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_a_download_over_a_bad_way_is_equal_to_the_octet(seed: int) -> None:
    wire = Wire(seed, loss=0.05, doubled=0.05, late=0.1)
    content = random.Random(seed).randbytes(5_000_000)
    wire.open()
    wire.server.connection.send(content, wire.now)
    wire.server.connection.close(wire.now)
    wire.run()
    assert bytes(wire.client.got) == content
    assert closed(wire.client) == closed(wire.server) == [Closed()]


@settings(max_examples=budget.examples(20))
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.05, 0.2]),
    doubled=st.sampled_from([0.0, 0.3]),
    late=st.sampled_from([0.0, 0.3]),
    sizes=st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)),
)
def test_octets_come_in_order_and_once(
    seed: int, loss: float, doubled: float, late: float, sizes: tuple[int, int]
) -> None:
    wire = Wire(seed, loss, doubled, late)
    wire.open()
    there, back = (random.Random(seed + each).randbytes(each) for each in sizes)
    wire.client.connection.send(there[:1000], wire.now)
    wire.run(wire.now + 0.5)
    wire.client.connection.send(there[1000:], wire.now)
    wire.server.connection.send(back, wire.now)
    wire.client.connection.close(wire.now)
    wire.run()
    if not (closed(wire.client) == closed(wire.server) == [Closed()]):
        # the last ACK was lost so often that the one end gave up after the other was content
        assert any(each.timed_out or each.reset for each in closed(wire.client) + closed(wire.server))
        assert loss
    assert there.startswith(bytes(wire.server.got))
    assert back.startswith(bytes(wire.client.got))
    if not loss:
        assert (bytes(wire.server.got), bytes(wire.client.got)) == (there, back)


class Alone:
    """One end, open, with its peer's number at 1000 and its own at 1."""

    def __init__(self, settings: TcpSettings | None = None) -> None:
        self.it = Connection(80, 40000, 0, settings)
        self.it.accept(Tcp(40000, 80, 999, 0, SYN, WINDOW), 0.0)
        self.it.data_to_send()
        self.take(1000, ACK)
        assert self.it.events() == [Opened()]

    def take(self, sequence: int, flags: TcpFlag, payload: bytes = b"", **more: Any) -> list[Tcp]:
        fields: dict[str, Any] = {"acknowledgement": 1, "window": WINDOW, **more}
        now = fields.pop("now", 0.0)
        self.it.receive(Tcp(40000, 80, sequence, flags=flags, payload=payload, **fields), now)
        return self.it.data_to_send()


def test_what_is_beyond_a_hole_waits_and_pieces_overlap() -> None:
    end = Alone()
    assert end.take(1004, ACK, b"efgh")[0].acknowledgement == 1000
    end.take(1006, ACK, b"ghij")
    end.take(1006, ACK, b"gh")
    assert end.it.events() == []
    assert end.take(998, ACK, b"##abcd")[0].acknowledgement == 1010
    assert end.it.events() == [Received(b"abcdefghij")]
    assert end.take(1000, ACK, b"abcdefghij")[0].acknowledgement == 1010
    assert end.it.events() == []


def test_one_acknowledgement_for_all_that_came() -> None:
    end = Alone()
    for at in range(3):
        end.it.receive(Tcp(40000, 80, 1000 + at, 1, ACK, WINDOW, b"x"), 0.0)
    assert [each.acknowledgement for each in end.it.data_to_send()] == [1003]
    assert end.take(1003, ACK) == []


def test_octets_beyond_the_window_and_too_many_pieces_are_not_kept() -> None:
    end = Alone()
    end.take(1000 + WINDOW, ACK, b"beyond")
    for at in range(1002, 1002 + 2000, 2):
        end.take(at, ACK, b"x")
    end.take(1001, ACK, bytes(WINDOW))
    assert sum(map(len, end.it._held.values())) <= WINDOW
    assert len(end.it._held) <= 256


def test_a_fin_that_comes_early_waits_for_what_is_before_it() -> None:
    end = Alone()
    assert end.take(1003, ACK | FIN)[0].acknowledgement == 1000
    assert end.it.events() == []
    assert end.take(1000, ACK, b"abcdef")[0].acknowledgement == 1004
    assert end.it.events() == [Received(b"abc"), Ended()]
    assert end.it.state is State.CLOSE_WAIT


def test_a_guessed_reset_and_a_syn_are_answered_and_told() -> None:
    end = Alone()
    for flags, sequence in ((RST, 1001), (SYN, 1000), (ACK | SYN, 1005)):
        assert [each.flags for each in end.take(sequence, flags)] == [ACK]
        (event,) = end.it.events()
        assert isinstance(event, Faulted)
    assert end.take(1000 + WINDOW, RST) == []
    assert end.take(1000, ACK, acknowledgement=5)[0].flags == ACK
    assert isinstance(end.it.events()[0], Faulted)
    assert end.take(1000, RST) == []
    assert end.it.events() == [Closed(reset=True)]
    assert end.take(1000, ACK, acknowledgement=77)[0] == Tcp(80, 40000, 77, 0, RST, 0)


def test_a_closed_window_is_probed() -> None:
    end = Alone()
    end.take(1000, ACK, window=0)
    end.it.send(b"abc", 0.0)
    assert end.it.data_to_send() == []
    for now in (1.0, 3.0, 7.0):
        timer = end.it.next_timer()
        assert timer is not None
        assert timer.deadline == now
        end.it.on_timer(now)
        assert [each.payload for each in end.it.data_to_send()] == [b"a"]
        end.take(1000, ACK, window=0, now=now)
    (rest,) = end.take(1000, ACK, acknowledgement=2, now=7.0)
    assert rest.payload == b"bc"


def test_small_pieces_wait_for_room() -> None:
    end = Alone()
    end.take(1000, ACK, window=600)
    end.it.send(bytes(2000), 0.0)
    assert [len(each.payload) for each in end.it.data_to_send()] == [536]
    assert [len(each.payload) for each in end.take(1000, ACK, acknowledgement=537, window=600)] == [536]


def test_mss() -> None:
    said = ip.mss_option(1000)
    for options, mine, length in ((b"", 1318, 536), (said, 1318, 1000), (said, 800, 800), (b"\1\1" + said, 1318, 1000)):
        end = Connection(80, 40000, 0, TcpSettings(mss=mine))
        end.accept(Tcp(40000, 80, 0, 0, SYN, WINDOW, options=options), 0.0)
        (answer,) = end.data_to_send()
        assert ip.mss_of(answer.options) == mine
        end.receive(Tcp(40000, 80, 1, 1, ACK, WINDOW), 0.0)
        end.send(bytes(3000), 0.0)
        assert len(end.data_to_send()[0].payload) == length
    end = Connection(80, 40000, 0, TcpSettings(version=6))
    end.accept(Tcp(40000, 80, 0, 0, SYN, WINDOW, options=b"\2"), 0.0)
    assert end.events() == [Faulted("TCP option 2 with a wrong length")]
    end.receive(Tcp(40000, 80, 1, 1, ACK, WINDOW), 0.0)
    end.send(bytes(3000), 0.0)
    assert max(len(each.payload) for each in end.data_to_send()) == 1220


def test_a_refused_opening() -> None:
    end = Connection(40000, 80, 9)
    end.connect(0.0)
    (syn,) = end.data_to_send()
    wrong = Tcp(80, 40000, 5, 99, ACK | SYN, WINDOW)
    end.receive(wrong, 0.0)
    assert end.data_to_send() == [Tcp(40000, 80, 99, 0, RST, 0)]
    end.receive(Tcp(80, 40000, 0, 9, RST | ACK, 0), 0.0)
    assert end.state is State.SYN_SENT
    answer = reset_for(syn)
    assert answer == Tcp(80, 40000, 0, 10, RST | ACK, 0)
    assert reset_for(answer) is None
    end.receive(answer, 0.0)
    assert end.events() == [Closed(reset=True)]


def test_both_open_at_once() -> None:
    one, other = Connection(1, 2, 100), Connection(2, 1, 900)
    for each in (one, other):
        each.connect(0.0)
    for _ in range(4):
        for near, far in ((one, other), (other, one)):
            for segment in near.data_to_send():
                far.receive(segment, 0.0)
    assert (one.state, other.state) == (State.ESTABLISHED, State.ESTABLISHED)


def test_the_timer_follows_the_way() -> None:
    """RFC 6298 2.2: after a first way of 2 s the time-out is 2 + 4 * 1 s."""
    end = Alone()
    end.it._smoothed = None
    end.it.send(b"x", 10.0)
    end.take(1000, ACK, acknowledgement=2, now=12.0)
    end.it.send(b"y", 12.0)
    timer = end.it.next_timer()
    assert timer is not None
    assert timer.deadline == 18.0
    end.it.on_timer(18.0)
    timer = end.it.next_timer()
    assert timer is not None
    assert timer.deadline == 30.0
    end.take(1000, ACK, acknowledgement=3, now=19.0)  # of which nobody knows to what it was an answer
    end.it.send(b"z", 19.0)
    timer = end.it.next_timer()
    assert timer is not None
    assert timer.deadline == 31.0


NUMBERS = st.one_of(st.integers(990, 1020), st.integers(0, 20), st.integers(0, 2**32 - 1))
SEGMENTS = st.builds(
    Tcp,
    st.just(40000),
    st.just(80),
    NUMBERS,
    NUMBERS,
    st.integers(0, 255).map(TcpFlag),
    st.integers(0, 65535),
    st.binary(max_size=20),
    st.binary(max_size=12),
)


def act(end: Connection, what: Any, now: float) -> float:
    """Give a segment or an order to an end; return the time after it."""
    match what:
        case "send":
            end.send(b"octets", now)
        case "close":
            end.close(now)
        case "abort":
            end.abort()
        case "timer":
            timer = end.next_timer()
            now = max(now, timer.deadline) if timer is not None else now
            end.on_timer(now)
        case _:
            end.receive(what, now)
    return now


@settings(max_examples=budget.examples(200))
@given(st.lists(st.one_of(SEGMENTS, st.sampled_from(["send", "close", "abort", "timer"])), max_size=30))
def test_anything_may_come(acts: list[Any]) -> None:
    for end in (Connection(80, 40000, 0), Alone().it):
        now = 0.0
        if end.state is State.CLOSED:
            end.connect(now)
        for each in acts:
            now = act(end, each, now + 0.5)
            for segment in end.data_to_send():
                assert ip.decode_tcp(ip.encode_tcp(segment, NEAR, FAR)) == segment
            assert len([event for event in end.events() if isinstance(event, Closed)]) <= 1
            if end.state is State.CLOSED:
                assert end.next_timer() is None
