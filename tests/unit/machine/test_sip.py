"""SIP calls between two agents: answered, refused, given up, lost on the way; and what comes out of its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sip_messages import CALLER, FAR, LOCAL, MESSAGES, OFFER, TARGET, Wire, draw, headers

from simwarden.errors import InternalError
from simwarden.machine.sip_agent import CallState, SipAgent
from simwarden.machine.sip_events import Alerting, Answered, Fault, Incoming, Refused, Released
from simwarden.wire import sip
from simwarden.wire.q850 import CauseValue
from simwarden.wire.sip import Message, Request, Response, Status


def kinds(wire: Wire) -> tuple[list[type], list[type]]:
    return [type(each) for each in wire.heard[wire.near]], [type(each) for each in wire.heard[wire.far]]


def standing(wire: Wire) -> tuple[int, int]:
    ours, theirs = wire.call()
    wire.far.ring(theirs, wire.now)
    wire.far.accept(theirs, wire.now, OFFER)
    wire.run()
    return ours, theirs


def test_a_call_is_answered_and_ended_by_its_caller() -> None:
    wire = Wire()
    ours, theirs = standing(wire)
    assert wire.said == ["INVITE", "100", "180", "200", "ACK"]
    assert kinds(wire) == ([Alerting, Answered], [Incoming, Answered])
    assert wire.heard[wire.near][-1].body == OFFER
    assert wire.near.state(ours) is wire.far.state(theirs) is CallState.STANDING
    wire.near.hang_up(ours, wire.now)
    wire.run()
    assert wire.heard[wire.far][-1] == Released(theirs, 16)
    assert (len(wire.near), len(wire.far)) == (0, 0)


def test_a_call_is_ended_by_who_was_called() -> None:
    wire = Wire()
    ours, theirs = standing(wire)
    wire.far.hang_up(theirs, wire.now, CauseValue.TEMPORARY_FAILURE)
    wire.run()
    assert wire.heard[wire.near][-1] == Released(ours, 41)
    assert (len(wire.near), len(wire.far)) == (0, 0)


@pytest.mark.parametrize(
    ("cause", "status"), [(21, 403), (17, 486), (1, 404), (41, 503), (19, 480), (20, 480), (99, 500)]
)
def test_a_call_is_refused(cause: int, status: int) -> None:
    wire = Wire()
    ours, theirs = wire.call()
    wire.far.reject(theirs, cause, wire.now)
    wire.run()
    assert wire.heard[wire.near] == [Refused(ours, status, cause)]
    assert wire.said == ["INVITE", "100", str(status), "ACK"]
    assert (len(wire.near), len(wire.far)) == (0, 0)


def test_a_call_is_given_up_before_it_is_answered() -> None:
    wire = Wire()
    ours, theirs = wire.call()
    wire.near.hang_up(ours, wire.now, CauseValue.NO_ANSWER_FROM_USER)
    wire.run()
    assert wire.heard[wire.far][-1] == Released(theirs, 19)
    assert wire.said == ["INVITE", "100", "CANCEL", "200", "487", "ACK"]
    assert (len(wire.near), len(wire.far)) == (0, 0)


def test_what_nothing_has_answered_is_cancelled_later() -> None:
    """A CANCEL is never sent before something has come for its INVITE (9.1)."""
    agent = SipAgent(LOCAL, draw(1))
    call = agent.invite(TARGET, CALLER, FAR, 0)
    ((octets, _),) = agent.data_to_send()
    agent.hang_up(call, 0)
    assert agent.data_to_send() == []
    invite = sip.decode(octets)
    assert isinstance(invite, Request)
    trying = Response(100, invite.headers)
    agent.receive(sip.encode(trying), FAR, 1)
    ((octets, _),) = agent.data_to_send()
    cancel = sip.decode(octets)
    assert isinstance(cancel, Request)
    assert (cancel.method, cancel.vias) == ("CANCEL", invite.vias)


def test_an_answer_that_crosses_a_cancel_is_ended() -> None:
    wire = Wire(lambda message: isinstance(message, Request) and message.method == "CANCEL")
    ours, theirs = wire.call()
    wire.near.hang_up(ours, wire.now)
    wire.run()
    wire.far.accept(theirs, wire.now)
    wire.run()
    told = [each for each in wire.said if each in ("CANCEL", "200", "ACK", "BYE")]
    assert told[:4] == ["CANCEL", "200", "ACK", "BYE"]
    assert wire.heard[wire.far][-1] == Released(theirs, 16)
    assert not any(isinstance(each, Answered) for each in wire.heard[wire.near])


def lost(method: str, times: int) -> Any:
    left = [times]

    def loses(message: Message) -> bool:
        told = message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
        if told != method or not left[0]:
            return False
        left[0] -= 1
        return True

    return loses


@pytest.mark.parametrize("what", ["INVITE", "100 INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"])
@pytest.mark.parametrize("times", [1, 3])
def test_what_is_lost_is_sent_again(what: str, times: int) -> None:
    wire = Wire(lost(what, times))
    ours = wire.near.invite(TARGET, CALLER, FAR, 0, body=OFFER)
    wire.wait(8)
    (incoming,) = [each for each in wire.heard[wire.far] if isinstance(each, Incoming)]
    wire.far.ring(incoming.call, wire.now)
    wire.far.accept(incoming.call, wire.now, OFFER)
    wire.wait(20)
    assert [type(each) for each in wire.heard[wire.far]] == [Incoming, Answered]
    assert wire.near.state(ours) is CallState.STANDING
    wire.near.hang_up(ours, wire.now)
    wire.wait(40)
    assert [each for each in wire.heard[wire.far] if isinstance(each, Released)] == [Released(incoming.call, 16)]
    assert (len(wire.near), len(wire.far)) == (0, 0)
    assert wire.near.next_timer() is wire.far.next_timer() is None


@pytest.mark.parametrize("times", [1, 3])
def test_a_refusal_that_is_lost_is_sent_again(times: int) -> None:
    for what in ("403 INVITE", "ACK"):
        wire = Wire(lost(what, times))
        ours, theirs = wire.call()
        wire.far.reject(theirs, 21, wire.now)
        wire.wait(40)
        assert wire.heard[wire.near] == [Refused(ours, 403, 21)]
        assert wire.said.count("403") == times + 1


def test_nobody_answers() -> None:
    wire = Wire(lambda _message: True)
    ours = wire.near.invite(TARGET, CALLER, FAR, 0)
    wire.wait(31.9)
    assert wire.heard[wire.near] == []
    wire.wait(0.2)
    assert wire.heard[wire.near] == [Refused(ours, 408, 102)]
    assert wire.said == ["INVITE"] * 7  # 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s (timer A)


def test_what_is_cancelled_and_never_answered_is_over() -> None:
    """A far end that dies while it rings answers neither CANCEL nor INVITE (9.1)."""
    dead: list[bool] = []
    wire = Wire(lambda _message: bool(dead))
    ours, theirs = wire.call()
    wire.far.ring(theirs, wire.now)
    wire.run()
    dead.append(True)
    wire.near.hang_up(ours, wire.now)
    wire.wait(33)
    assert len(wire.near) == 0
    assert wire.near.next_timer() is None
    assert len(wire.near._transactions) == 0


def test_nobody_acknowledges() -> None:
    wire = Wire(lambda message: isinstance(message, Request) and message.method == "ACK")
    _, theirs = wire.call()
    wire.far.accept(theirs, wire.now)
    wire.wait(40)
    assert wire.heard[wire.far][-1] == Released(theirs, 102)
    assert wire.said.count("200") == 12  # 0, 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s, and that to the BYE
    assert (len(wire.near), len(wire.far)) == (0, 0)


def test_a_call_may_ring_for_long() -> None:
    wire = Wire()
    ours, theirs = wire.call()
    wire.far.ring(theirs, wire.now)
    wire.wait(600)
    wire.far.accept(theirs, wire.now)
    wire.run()
    assert wire.near.state(ours) is CallState.STANDING


def ask(wire: Wire, message: Message, source: tuple[str, int] = LOCAL) -> list[Message]:
    """Give a message to the far agent; return what it answers."""
    wire.far.receive(sip.encode(message), source, wire.now)
    return [sip.decode(data) for data, _ in wire.far.data_to_send()]


def statuses(messages: list[Message]) -> list[int]:
    return [each.status for each in messages if isinstance(each, Response)]


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (MESSAGES["options"], 200),
        (MESSAGES["bye"], 481),
        (MESSAGES["cancel"], 481),
        (MESSAGES["request"], 481),
        (Request("SUBSCRIBE", TARGET, headers("SUBSCRIBE")), 405),
        (Request("BYE", TARGET, headers("BYE")), 481),
        (Request("INVITE", TARGET, headers("INVITE")), 400),
        (Request("INVITE", TARGET, headers("INVITE", 1, ("Require", "100rel"))), 420),
    ],
)
def test_what_has_no_call(message: Request, status: int) -> None:
    wire = Wire()
    assert statuses(ask(wire, message)) == [status]
    assert len(wire.far) == 0


def test_who_does_not_know_the_tags_cannot_end_a_call() -> None:
    wire = Wire()
    ours, theirs = standing(wire)
    (answer,) = ask(wire, MESSAGES["bye"])
    assert isinstance(answer, Response)
    assert answer.status == Status.CALL_TRANSACTION_DOES_NOT_EXIST
    assert wire.far.state(theirs) is wire.near.state(ours) is CallState.STANDING


def test_a_further_invite_is_refused_and_the_call_goes_on() -> None:
    wire = Wire()
    ours, theirs = standing(wire)
    call = wire.near._calls[ours]
    again = wire.near._make(call, sip.Method.INVITE, body=OFFER)
    assert statuses(ask(wire, again)) == [488]
    old = wire.near._make(call, sip.Method.BYE, number=1)
    assert statuses(ask(wire, old)) == [500], "out of order"
    info = Request("INFO", again.uri, again.headers.without("CSeq", "Via"))
    more = (("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother"), ("CSeq", "9 INFO"))
    info = Request("INFO", info.uri, sip.Headers((*more, *info.headers)))
    assert statuses(ask(wire, info)) == [405]
    assert wire.far.state(theirs) is CallState.STANDING


def test_the_same_request_again_is_answered_alike() -> None:
    wire = Wire()
    invite = MESSAGES["invite"]
    first, again = ask(wire, invite), ask(wire, invite)
    assert first == again
    assert len(wire.far) == 1


def test_answers_go_where_the_request_came_from() -> None:
    wire = Wire()
    wire.far.receive(sip.encode(MESSAGES["options"]), ("198.51.100.7", 40000), 0)
    ((octets, to),) = wire.far.data_to_send()
    assert to == ("198.51.100.7", 40000)
    assert sip.decode(octets).vias[0].parameters["received"] == "198.51.100.7"


def test_what_is_over_cannot_be_used() -> None:
    wire = Wire()
    _, theirs = standing(wire)
    with pytest.raises(InternalError):
        wire.far.accept(theirs, 0)
    with pytest.raises(InternalError):
        wire.far.ring(99, 0)


def test_noise_and_keep_alives() -> None:
    wire = Wire()
    for octets in (b"", b"\r\n\r\n", b"\0", b"noise", b"SIP/2.0 200 OK\r\n\r\n"):
        wire.far.receive(octets, LOCAL, 0)
    assert [type(each) for each in wire.far.events()] == [Fault, Fault]
    assert wire.far.data_to_send() == []
    wire.far.receive(sip.encode(MESSAGES["bye-response"]), LOCAL, 0)
    assert [type(each) for each in wire.far.events()] == [Fault]


@given(st.lists(st.tuples(st.sampled_from(sorted(MESSAGES)), st.integers(0, 40)), max_size=10))
def test_any_messages(chosen: list[tuple[str, int]]) -> None:
    """Whatever comes in whatever order: at most two answers to each, and no call without an INVITE."""
    agent = SipAgent(FAR, draw(2))
    invited = False
    for name, seconds in chosen:
        invited = invited or name == "invite"
        agent.receive(sip.encode(MESSAGES[name]), LOCAL, float(seconds))
        assert len(agent.data_to_send()) <= 2
        assert invited or len(agent) == 0
        agent.events()
    agent.on_timer(1000.0)
