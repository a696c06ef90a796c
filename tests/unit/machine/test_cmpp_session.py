"""CMPP connections back to back: who may connect, the window, requests sent again, and what is out of its place."""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpp_messages import CMPP, SUBMIT

from simwarden.errors import InternalError
from simwarden.machine.cmpp_session import ADVISED, Clocks, CmppSession, End, State, judge_connect
from simwarden.machine.windowed_session import Answered, Asked, BindAnswered, BindAsked, Closed, Fault, Limits
from simwarden.wire import cmpp
from simwarden.wire.cmpp import Command, ConnectStatus, Message, Result

SECRET = "888888"
#: 2026-03-02 08:30:59 in Beijing
STAMP = 302083059
NOW = dt.datetime(2026, 3, 2, 0, 31, tzinfo=dt.UTC)
CONNECT = cmpp.Connect("900001", cmpp.authenticator("900001", SECRET, STAMP), 0x20, STAMP)


class Bench:
    """A gateway and a platform, and a wire; `now` is the only clock."""

    def __init__(self, limits: Limits = ADVISED) -> None:
        self.now = 0.0
        self.gateway = CmppSession(End.GATEWAY, 0, limits=limits)
        self.platform = CmppSession(End.PLATFORM, 0, limits=limits)
        self.heard: dict[End, list[object]] = {End.GATEWAY: [], End.PLATFORM: []}

    def run(self) -> None:
        """Carry octets until all is quiet."""
        moved = True
        while moved:
            moved = False
            for near, far in ((self.gateway, self.platform), (self.platform, self.gateway)):
                for octets in near.data_to_send():
                    moved = True
                    far.receive(octets, self.now)
                for event in far.events():
                    self.heard[far.end].append(event)
                    if isinstance(event, BindAsked):
                        far.accept(event.pdu, SECRET)
                        moved = True

    def connected(self) -> Bench:
        self.platform.connect(CONNECT, 0)
        self.run()
        assert self.heard[End.PLATFORM] == [BindAnswered(0)]
        self.forget()
        return self

    def forget(self) -> None:
        for each in self.heard.values():
            each.clear()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for each in (self.gateway, self.platform):
            each.on_timer(self.now)


def test_messages_go_both_ways() -> None:
    bench = Bench().connected()
    bench.platform.ask(Command.SUBMIT, SUBMIT, 0)
    bench.gateway.ask(Command.DELIVER, cmpp.Deliver(1, "10658000123", msg_content=b"17"), 0)
    bench.run()
    (submitted,), (delivered,) = bench.heard[End.GATEWAY], bench.heard[End.PLATFORM]
    assert isinstance(submitted, Asked)
    assert isinstance(delivered, Asked)
    assert submitted.pdu.body == SUBMIT
    bench.forget()
    bench.gateway.answer(submitted.pdu, cmpp.Submitted(7))
    bench.platform.answer(delivered.pdu, cmpp.Delivered(1))
    bench.run()
    (answered,) = bench.heard[End.PLATFORM]
    assert isinstance(answered, Answered)
    assert answered.answer == Message(Command.SUBMIT_RESP, answered.asked.sequence, cmpp.Submitted(7))
    bench.gateway.answer(submitted.pdu, cmpp.Submitted(7))
    assert bench.gateway.data_to_send() == []


@pytest.mark.parametrize(
    ("change", "secret", "seen", "status"),
    [
        ({}, SECRET, None, ConnectStatus.CORRECT),
        ({}, SECRET, STAMP - 1, ConnectStatus.CORRECT),
        ({}, SECRET, STAMP, ConnectStatus.AUTHENTICATION_ERROR),  # overheard, and said again
        ({}, SECRET, 302083100, ConnectStatus.AUTHENTICATION_ERROR),
        ({}, "other", None, ConnectStatus.AUTHENTICATION_ERROR),
        ({"time_stamp": STAMP + 1}, SECRET, None, ConnectStatus.AUTHENTICATION_ERROR),  # of another proof
        ({"version": 0x30}, SECRET, None, ConnectStatus.VERSION_TOO_HIGH),
        ({"version": 0x21}, SECRET, None, ConnectStatus.CORRECT),
    ],
)
def test_who_may_connect(change: dict[str, Any], secret: str, seen: int | None, status: ConnectStatus) -> None:
    assert judge_connect(replace(CONNECT, **change), secret, Clocks(NOW), seen) is status


@pytest.mark.parametrize(
    ("stamp", "now", "fits"),
    [
        (302083059, NOW, True),
        (302083059, NOW + dt.timedelta(minutes=6), False),
        (302083600, NOW, True),
        (302083601, NOW, False),
        (1231235959, dt.datetime(2025, 12, 31, 16, 0, 1, tzinfo=dt.UTC), True),  # the year has just begun
        (101000001, dt.datetime(2025, 12, 31, 15, 59, 59, tzinfo=dt.UTC), True),
        (229000000, dt.datetime(2028, 2, 28, 16, 0, tzinfo=dt.UTC), True),
        (229000000, dt.datetime(2030, 2, 28, 16, 0, tzinfo=dt.UTC), False),
        (1399999999, NOW, False),
        (4294967295, NOW, False),
    ],
)
def test_a_time_stamp_is_of_now(stamp: int, now: dt.datetime, fits: bool) -> None:  # noqa: FBT001 - of a table
    connect = cmpp.Connect("900001", cmpp.authenticator("900001", SECRET, stamp), 0x20, stamp)
    assert (judge_connect(connect, SECRET, Clocks(now), None) is ConnectStatus.CORRECT) == fits


def test_who_is_refused_is_left() -> None:
    bench = Bench()
    bench.platform.connect(CONNECT, 0)
    (octets,) = bench.platform.data_to_send()
    bench.gateway.receive(octets, 0)
    (asked,) = bench.gateway.events()
    assert isinstance(asked, BindAsked)
    bench.gateway.refuse(asked.pdu, ConnectStatus.AUTHENTICATION_ERROR)
    assert bench.gateway.events() == [Closed("refused: authentication error")]
    bench.run()
    assert bench.heard[End.PLATFORM] == [BindAnswered(ConnectStatus.AUTHENTICATION_ERROR)]
    assert bench.platform.room == 0


def test_the_window() -> None:
    bench = Bench(ADVISED._replace(window=1)).connected()
    bench.platform.ask(Command.SUBMIT, SUBMIT, 0)
    with pytest.raises(InternalError, match="room 0"):
        bench.platform.ask(Command.SUBMIT, SUBMIT, 0)
    bench.run()
    bench.gateway.receive(cmpp.encode(Message(Command.SUBMIT, 99, SUBMIT)), 0)
    (octets,) = bench.gateway.data_to_send()
    assert cmpp.decode(octets).body == cmpp.Submitted(0, Result.FLOW_CONTROL_ERROR)
    with pytest.raises(InternalError):
        Bench().connected().platform.ask(Command.DELIVER, cmpp.Deliver(), 0)


def test_a_message_that_was_taken_is_not_taken_again() -> None:
    bench = Bench(ADVISED._replace(window=5000)).connected()

    def submit(sequence: int, result: Result) -> int:
        """Send a message, which its owner answers so if it is told of it; return what is answered."""
        bench.gateway.receive(cmpp.encode(Message(Command.SUBMIT, sequence, SUBMIT)), 0)
        for asked in bench.gateway.events():
            assert isinstance(asked, Asked)
            bench.gateway.answer(asked.pdu, cmpp.Submitted(7, result))
        (octets,) = bench.gateway.data_to_send()
        body = cmpp.decode(octets).body
        assert isinstance(body, cmpp.Submitted)
        return body.result

    assert submit(9, Result.FLOW_CONTROL_ERROR) == Result.FLOW_CONTROL_ERROR  # refused for now: it may come again
    assert submit(9, Result.CORRECT) == Result.CORRECT
    assert submit(9, Result.CORRECT) == Result.SEQUENCE_REPEATED
    for sequence in range(10, 10 + 4096):  # as many are remembered
        assert submit(sequence, Result.CORRECT) == Result.CORRECT
    assert submit(10, Result.CORRECT) == Result.SEQUENCE_REPEATED
    assert submit(9, Result.CORRECT) == Result.CORRECT


def test_a_request_is_sent_again_and_told_once() -> None:
    bench = Bench().connected()
    bench.platform.ask(Command.SUBMIT, SUBMIT, 0)
    bench.run()
    for _ in range(2):
        bench.pass_time(60)
        bench.run()
    assert [type(each) for each in bench.heard[End.GATEWAY]] == [Asked]
    bench.pass_time(60)
    (missed,) = [each for each in bench.platform.events() if isinstance(each, Answered)]
    assert missed.answer is None
    assert bench.platform.state is State.CONNECTED


def test_silence_is_tested() -> None:
    bench = Bench().connected()
    timer = bench.gateway.next_timer()
    assert timer is not None
    assert (timer.deadline, timer.keep_alive) == (180.0, True)
    bench.pass_time(180)
    bench.run()
    assert bench.heard == {End.GATEWAY: [], End.PLATFORM: []}
    bench.pass_time(180)
    for _ in range(3):
        assert bench.platform.data_to_send()
        bench.pass_time(60)
    assert Closed("no answer to ACTIVE_TEST") in bench.platform.events()


def test_a_message_that_waits_as_long_as_the_link_ends_with_it() -> None:
    bench = Bench(Limits(quiet=30, response=10, attempts=1)).connected()
    bench.pass_time(30)
    bench.platform.ask(Command.SUBMIT, SUBMIT, bench.now)
    bench.platform.data_to_send()
    bench.pass_time(10)
    assert [type(each) for each in bench.platform.events()] == [Answered, Closed]
    assert bench.platform.next_timer() is None


def test_who_does_not_connect_is_left() -> None:
    bench = Bench()
    timer = bench.gateway.next_timer()
    assert timer is not None
    assert timer.deadline == 5.0
    bench.pass_time(5)
    assert bench.gateway.events() == [Closed("no CMPP_CONNECT in time")]
    bench.gateway.receive(b"late", 6)
    assert bench.gateway.events() == []


def test_both_may_terminate() -> None:
    bench = Bench().connected()
    bench.platform.ask(Command.SUBMIT, SUBMIT, 0)
    bench.run()
    bench.forget()
    bench.gateway.unbind(0)
    bench.run()
    assert [type(each) for each in bench.heard[End.PLATFORM]] == [Answered, Closed]
    assert bench.heard[End.GATEWAY] == [Closed("terminated")]
    bench.gateway.lost()
    assert bench.gateway.events() == []


@pytest.mark.parametrize(
    ("name", "connected", "result"),
    [("submit", False, Result.COMMAND_ERROR), ("deliver", True, Result.COMMAND_ERROR), ("connect", True, None)],
)
def test_requests_out_of_place(name: str, connected: bool, result: Result | None) -> None:  # noqa: FBT001 - of a table
    bench = Bench().connected() if connected else Bench()
    bench.gateway.receive(cmpp.encode(CMPP[name]), 0)
    told = [cmpp.decode(each).body for each in bench.gateway.data_to_send()]
    assert [getattr(each, "result", None) for each in told] == ([] if result is None else [result])
    assert isinstance(bench.gateway.events()[0], Fault)
    assert (bench.gateway.state is State.CLOSED) == (not connected)


def test_what_cannot_be_read_is_answered() -> None:
    bench = Bench().connected()
    octets = bytearray(cmpp.encode(CMPP["deliver"]))
    octets[76] = 255  # Msg_Length
    bench.platform.receive(bytes(octets), 0)
    assert isinstance(bench.platform.events()[0], Fault)
    (answered,) = map(cmpp.decode, bench.platform.data_to_send())
    assert answered.command is Command.DELIVER_RESP
    bench.platform.receive(b"\xff\xff\xff\xff", 0)
    assert isinstance(bench.platform.events()[-1], Closed)
    bench.gateway.receive(cmpp.encode(CMPP["submit_resp"]), 0)
    assert [type(each) for each in bench.gateway.events()] == [Fault]


@pytest.mark.parametrize("connected", [False, True])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_connect_that_cannot_be_read_is_answered(change: int, connected: bool) -> None:  # noqa: FBT001 - of a table
    bench = Bench().connected() if connected else Bench()
    body = cmpp.encode(Message(Command.CONNECT, 5, CONNECT))[12:]
    body = body[:change] if change < 0 else body + bytes(change)
    bench.gateway.receive(struct.pack(">III", 12 + len(body), Command.CONNECT, 5) + body, 0)
    told = [cmpp.decode(each) for each in bench.gateway.data_to_send()]
    assert isinstance(bench.gateway.events()[0], Fault)
    if connected:
        assert told == []
    else:
        answer = Message(Command.CONNECT_RESP, 5, cmpp.Connected(ConnectStatus.MESSAGE_STRUCTURE_ERROR))
        assert told == [answer]
        assert bench.gateway.state is State.CLOSED


@given(seen=st.lists(st.sampled_from(list(CMPP.values())), max_size=12), end=st.sampled_from(End))
def test_whatever_comes_nobody_is_connected_who_was_not_accepted(seen: list[Message], end: End) -> None:
    session = CmppSession(end, 0)
    for number, message in enumerate(seen, 1):
        session.receive(cmpp.encode(replace(message, sequence=number)), 0)
        assert session.state in (State.OPEN, State.CLOSED)
        assert not [each for each in session.events() if isinstance(each, (Asked, BindAnswered))]
        assert all(cmpp.decode(each).sequence == number for each in session.data_to_send())
