"""SMPP sessions back to back: binds, the window, timers, and what is out of its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpp_messages import BIND, PDUS

from simwarden.errors import InternalError
from simwarden.machine.smpp_session import SmppSession
from simwarden.machine.smpp_table import ALLOWED, Role, State
from simwarden.machine.windowed_session import Answered, Asked, BindAnswered, BindAsked, Closed, Fault, Limits
from simwarden.wire import smpp
from simwarden.wire.smpp import RESPONSE, Command, MessageId, Pdu, ShortMessage, Status

SUBMIT = ShortMessage(short_message=b"hello")


class Bench:
    """Two sessions and a wire; `now` is the only clock."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.now = 0.0
        self.centre = SmppSession(Role.SMSC, 0, limits=limits or Limits())
        self.esme = SmppSession(Role.ESME, 0, limits=limits or Limits())
        self.heard: dict[Role, list[object]] = {Role.SMSC: [], Role.ESME: []}
        self.wire: list[Pdu] = []

    def run(self) -> None:
        """Carry octets until all is quiet; binds are accepted."""
        moved = True
        while moved:
            moved = False
            for near, far in ((self.centre, self.esme), (self.esme, self.centre)):
                for octets in near.data_to_send():
                    moved = True
                    self.wire.append(smpp.decode(octets))
                    far.receive(octets, self.now)
                for event in far.events():
                    self.heard[far.role].append(event)
                    if isinstance(event, BindAsked) and event.bind.password == BIND.password:
                        far.accept(event.pdu, "SMSC")
                        moved = True

    def bound(self, command: Command = Command.BIND_TRANSCEIVER) -> Bench:
        self.esme.bind(command, BIND, self.now)
        self.run()
        assert self.centre.state is self.esme.state
        assert self.heard[Role.ESME] == [BindAnswered(0)]
        self.forget()
        return self

    def forget(self) -> None:
        everything: tuple[list[Any], ...] = (*self.heard.values(), self.wire)
        for each in everything:
            each.clear()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with what is due at each end, and carry nothing."""
        self.now += seconds
        for each in (self.centre, self.esme):
            each.on_timer(self.now)


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (Command.BIND_TRANSMITTER, State.BOUND_TX),
        (Command.BIND_RECEIVER, State.BOUND_RX),
        (Command.BIND_TRANSCEIVER, State.BOUND_TRX),
    ],
)
def test_binds(command: Command, state: State) -> None:
    bench = Bench().bound(command)
    assert bench.centre.state is state
    assert bench.esme.is_bound
    assert bench.esme.room > 0


def test_a_refused_bind_may_be_tried_again() -> None:
    bench = Bench()
    bench.esme.bind(Command.BIND_TRANSMITTER, smpp.Bind("meters", "wrong"), 0)
    bench.run()
    (asked,) = bench.heard[Role.SMSC]
    assert isinstance(asked, BindAsked)
    bench.centre.refuse(asked.pdu, Status.ESME_RINVPASWD)
    bench.run()
    assert bench.heard[Role.ESME] == [BindAnswered(Status.ESME_RINVPASWD)]
    assert bench.centre.state is bench.esme.state is State.OPEN
    bench.heard[Role.ESME].clear()
    bench.bound()


def test_messages_go_both_ways() -> None:
    bench = Bench().bound()
    sequence = bench.esme.ask(Command.SUBMIT_SM, SUBMIT, 0)
    bench.centre.ask(Command.DELIVER_SM, SUBMIT, 0)
    bench.run()
    (submitted,), (delivered,) = bench.heard[Role.SMSC], bench.heard[Role.ESME]
    assert isinstance(submitted, Asked)
    assert isinstance(delivered, Asked)
    bench.forget()
    bench.centre.answer(submitted.pdu, 0, MessageId("1"))
    bench.esme.answer(delivered.pdu, 0, MessageId())
    bench.run()
    (answered,) = bench.heard[Role.ESME]
    assert isinstance(answered, Answered)
    assert answered.answer is not None
    assert (answered.asked.sequence, answered.answer.body) == (sequence, MessageId("1"))
    bench.centre.answer(submitted.pdu, 0, MessageId("1"))
    assert bench.centre.data_to_send() == []  # it has been answered


def test_the_window() -> None:
    bench = Bench(Limits(window=2)).bound()
    for _ in range(2):
        bench.esme.ask(Command.SUBMIT_SM, SUBMIT, 0)
    assert bench.esme.room == 0
    with pytest.raises(InternalError, match="room 0"):
        bench.esme.ask(Command.SUBMIT_SM, SUBMIT, 0)
    bench.run()
    bench.forget()
    third = Pdu(Command.SUBMIT_SM, 99, body=SUBMIT)
    bench.centre.receive(smpp.encode(third), 0)
    (octets,) = bench.centre.data_to_send()
    assert smpp.decode(octets) == Pdu(Command.SUBMIT_SM_RESP, 99, Status.ESME_RTHROTTLED)
    assert bench.centre.events() == []


def test_a_sequence_number_in_use() -> None:
    bench = Bench().bound()
    octets = smpp.encode(Pdu(Command.SUBMIT_SM, 7, body=SUBMIT))
    bench.centre.receive(octets * 2, 0)
    assert [type(each) for each in bench.centre.events()] == [Asked, Fault]
    (answered,) = map(smpp.decode, bench.centre.data_to_send())
    assert answered.status == Status.ESME_RSYSERR


# -- timers


def test_who_does_not_bind_is_left() -> None:
    bench = Bench()
    timer = bench.centre.next_timer()
    assert timer is not None
    assert (timer.deadline, timer.keep_alive) == (5.0, False)
    bench.pass_time(4.9)
    assert bench.centre.state is State.OPEN
    bench.pass_time(0.1)
    assert bench.centre.events() == [Closed("no bind in time")]
    assert bench.centre.next_timer() is None
    bench.centre.receive(b"late", bench.now)
    assert bench.centre.events() == []


def test_an_answer_that_does_not_come() -> None:
    bench = Bench().bound()
    bench.esme.ask(Command.SUBMIT_SM, SUBMIT, 0)
    bench.run()
    bench.pass_time(10)
    (missed,) = [each for each in bench.esme.events() if isinstance(each, Answered)]
    assert missed.answer is None
    assert bench.esme.state is State.BOUND_TRX


def test_silence_is_asked_about() -> None:
    bench = Bench().bound()
    timer = bench.esme.next_timer()
    assert timer is not None
    assert (timer.deadline, timer.keep_alive) == (30.0, True)
    bench.pass_time(30)
    assert (timer := bench.esme.next_timer())
    assert timer.keep_alive
    bench.run()
    assert {each.command for each in bench.wire} == {Command.ENQUIRE_LINK, Command.ENQUIRE_LINK_RESP}
    assert bench.heard == {Role.SMSC: [], Role.ESME: []}
    bench.pass_time(30)
    bench.esme.data_to_send()
    bench.pass_time(10)
    assert Closed("no answer to enquire_link") in bench.esme.events()


def test_a_message_that_waits_as_long_as_the_link_ends_with_it() -> None:
    bench = Bench().bound()
    bench.pass_time(30)
    bench.esme.ask(Command.SUBMIT_SM, SUBMIT, bench.now)
    bench.esme.data_to_send()
    bench.pass_time(10)
    assert [type(each) for each in bench.esme.events()] == [Answered, Closed]


def test_unbind_and_loss() -> None:
    bench = Bench().bound()
    bench.esme.ask(Command.SUBMIT_SM, SUBMIT, 0)
    bench.centre.unbind(0)
    bench.run()
    kinds = [type(each) for each in bench.heard[Role.ESME]]
    assert kinds == [Answered, Closed]  # the submit_sm has no answer any more
    assert bench.heard[Role.SMSC][-1] == Closed("unbound")
    bench.centre.unbind(0)
    bench.esme.lost()
    assert bench.esme.events() == bench.centre.events() == []
    fresh = Bench()
    fresh.esme.unbind(0)
    assert fresh.esme.events() == [Closed("unbound")]


# -- what is out of its place


@pytest.mark.parametrize(
    ("state", "command", "status"),
    [
        (None, "submit_sm", Status.ESME_RINVBNDSTS),
        (Command.BIND_RECEIVER, "submit_sm", Status.ESME_RINVBNDSTS),
        (Command.BIND_RECEIVER, "query_sm", Status.ESME_RINVBNDSTS),
        (Command.BIND_TRANSMITTER, "deliver_sm", Status.ESME_RINVBNDSTS),
        (Command.BIND_TRANSCEIVER, "bind_transceiver", Status.ESME_RALYBND),
    ],
)
def test_requests_out_of_place(state: Command | None, command: str, status: Status) -> None:
    bench = Bench()
    if state is not None:
        bench.bound(state)
    bench.centre.receive(smpp.encode(PDUS[command]), 0)
    (answered,) = map(smpp.decode, bench.centre.data_to_send())
    assert (answered.command, answered.status) == (PDUS[command].command | RESPONSE, status)
    assert [type(each) for each in bench.centre.events()] == [Fault]


@pytest.mark.parametrize(
    ("octets", "command", "status"),
    [
        ("00000010000000990000000000000007", Command.GENERIC_NACK, Status.ESME_RINVCMDID),
        ("00000014000000040000000000000007ffffffff", Command.SUBMIT_SM_RESP, Status.ESME_RINVSERTYP),
        ("ffffffff", Command.GENERIC_NACK, Status.ESME_RINVCMDLEN),
    ],
)
def test_what_cannot_be_read_is_answered(octets: str, command: Command, status: Status) -> None:
    bench = Bench().bound()
    bench.centre.receive(bytes.fromhex(octets), 0)
    (answered,) = map(smpp.decode, bench.centre.data_to_send())
    assert (answered.command, answered.status) == (command, status)
    assert isinstance(bench.centre.events()[0], Fault)
    assert (bench.centre.state is State.CLOSED) == (octets == "ffffffff")


def test_answers_to_nothing() -> None:
    bench = Bench().bound()
    bench.esme.receive(smpp.encode(Pdu(Command.SUBMIT_SM_RESP, 5, body=MessageId("1"))), 0)
    assert [type(each) for each in bench.esme.events()] == [Fault]
    sequence = bench.esme.ask(Command.SUBMIT_SM, SUBMIT, 0)
    bench.esme.receive(smpp.encode(Pdu(Command.QUERY_SM_RESP, sequence, 8)), 0)
    assert [type(each) for each in bench.esme.events()] == [Fault]
    broken = (17).to_bytes(4) + int(Command.SUBMIT_SM_RESP).to_bytes(4) + bytes(4) + sequence.to_bytes(4) + b"x"
    bench.esme.receive(broken, 0)
    assert [type(each) for each in bench.esme.events()] == [Fault, Answered]
    nacked = bench.esme.ask(Command.SUBMIT_SM, SUBMIT, 0)
    bench.esme.receive(smpp.encode(Pdu(Command.GENERIC_NACK, nacked, Status.ESME_RSYSERR)), 0)
    (answered,) = bench.esme.events()
    assert isinstance(answered, Answered)
    assert answered.answer is not None
    assert answered.answer.status == Status.ESME_RSYSERR


@given(seen=st.lists(st.sampled_from(list(PDUS.values())), max_size=12), role=st.sampled_from(Role))
def test_whatever_comes_in_whatever_order(seen: list[Pdu], role: Role) -> None:
    """Each request has an answer, or is the owner's to answer; nobody is bound who was not accepted."""
    session = SmppSession(role, 0)
    for number, pdu in enumerate(seen, 1):
        session.receive(smpp.encode(Pdu(pdu.command, number, pdu.status, pdu.body, pdu.parameters)), 0)
        out, events = [smpp.decode(each) for each in session.data_to_send()], session.events()
        assert session.state in (State.OPEN, State.CLOSED)
        if not pdu.command & RESPONSE and session.state is State.OPEN:
            told = [each for each in events if isinstance(each, (Asked, BindAsked))]
            silent = pdu.command in (Command.OUTBIND, Command.ALERT_NOTIFICATION)
            assert len(out) + len(told) == (len(told) if silent else 1)
        for each in out:
            assert each.sequence == number


def test_the_table_is_whole() -> None:
    assert set(ALLOWED) == {(role, state) for role in Role for state in State}
