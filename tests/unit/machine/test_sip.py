"""SIP calls between two agents: answered, refused, given up, lost on the way; and what comes out of its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sip_messages import CALLER, DTMF, FAR, LOCAL, MESSAGES, OFFER, TARGET, Wire, draw, headers

from simwarden.errors import InternalError
from simwarden.machine.sip_agent import SipAgent
from simwarden.machine.sip_call import CallState
from simwarden.machine.sip_events import (
    Alerting,
    Answered,
    DigitAnswered,
    DigitReceived,
    Fault,
    Incoming,
    Refused,
    Released,
)
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
        (MESSAGES["info"], 481),
        (Request("INFO", TARGET, headers("INFO", 1, DTMF), sip.encode_digit("5")), 481),
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
    more = (("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother"), ("CSeq", "9 UPDATE"))
    update = Request("UPDATE", again.uri, sip.Headers((*more, *again.headers.without("CSeq", "Via"))))
    assert statuses(ask(wire, update)) == [405]
    assert wire.far.state(theirs) is CallState.STANDING


@pytest.mark.parametrize("sender", ["near", "far"])
@pytest.mark.parametrize("what", ["", "INFO", "200 INFO"])
def test_digits_are_delivered_once_and_in_order(sender: str, what: str) -> None:
    wire = Wire(lost(what, 2))
    calls = dict(zip(("near", "far"), standing(wire), strict=True))
    other = "far" if sender == "near" else "near"
    for key in "1#A":
        agent: SipAgent = getattr(wire, sender)
        agent.send_digit(calls[sender], key, wire.now)
        wire.wait(5)
        assert wire.heard[agent][-1] == DigitAnswered(calls[sender], 200)
    received = [each for each in wire.heard[getattr(wire, other)] if isinstance(each, DigitReceived)]
    assert received == [DigitReceived(calls[other], key) for key in "1#A"]
    wire.wait(60)
    assert len(wire.near._transactions) == len(wire.far._transactions) == 0
    assert not any("INFO" in key for key in (*wire.near._by_key, *wire.far._by_key))


@pytest.mark.parametrize(
    ("body", "more", "status", "told"),
    [
        (b"Signal=55", DTMF, 400, None),
        (b"5", ("Content-Type", "application/dtmf"), 415, ("Accept", "application/dtmf-relay")),
        (b"Signal=5", ("Info-Package", "infoDtmf"), 469, ("Recv-Info", "")),
        (b"", DTMF, 200, None),
    ],
)
def test_what_is_no_digit_is_refused_and_the_call_goes_on(
    body: bytes, more: tuple[str, str], status: int, told: tuple[str, str] | None
) -> None:
    wire = Wire()
    ours, theirs = standing(wire)
    (answer,) = ask(wire, wire.near._make(wire.near._calls[ours], sip.Method.INFO, more, body=body))
    assert isinstance(answer, Response)
    assert answer.status == status
    assert told is None or told in answer.headers
    events = wire.far.events()
    assert [type(each) for each in events] == ([] if status == 200 else [Fault])
    assert wire.far.state(theirs) is CallState.STANDING


def test_digits_are_refused_where_they_are_not_wanted() -> None:
    wire = Wire()
    ours, theirs = standing(wire)
    wire.far.reject_digits(theirs)
    wire.near.send_digit(ours, "5", wire.now)
    wire.run()
    assert wire.heard[wire.near][-1] == DigitAnswered(ours, 415)
    assert isinstance(wire.heard[wire.far][-1], Answered)
    assert wire.near.state(ours) is CallState.STANDING


def test_a_digit_to_a_party_that_is_gone_ends_the_call() -> None:
    for silent, cause in ((True, 102), (False, 41)):
        gone: list[bool] = []
        wire = Wire(lambda _message, gone=gone: bool(gone))  # type: ignore[misc]
        ours, theirs = standing(wire)
        if silent:
            gone.append(True)
        else:
            wire.far._forget(wire.far._calls[theirs])
        wire.near.send_digit(ours, "5", wire.now)
        wire.wait(40)
        assert wire.heard[wire.near][-1] == Released(ours, cause)
        wire.wait(40)
        assert len(wire.near) == 0
        assert not [each for each in wire.heard[wire.near] if isinstance(each, DigitAnswered)]


def test_a_digit_may_come_before_a_lost_acknowledgement() -> None:
    wire = Wire(lost("ACK", 1))
    ours, theirs = standing(wire)
    assert wire.far.state(theirs) is CallState.ACCEPTED
    wire.near.send_digit(ours, "5", wire.now)
    wire.wait(5)
    assert wire.heard[wire.near][-1] == DigitAnswered(ours, 200)
    assert [type(each) for each in wire.heard[wire.far]] == [Incoming, DigitReceived, Answered]
    assert wire.far.state(theirs) is CallState.STANDING


def test_a_digit_needs_a_connected_call() -> None:
    wire = Wire()
    ours, theirs = wire.call()
    for agent, call in ((wire.near, ours), (wire.far, theirs)):
        with pytest.raises(InternalError):
            agent.send_digit(call, "5", wire.now)
    calling = wire.near._calls[ours]
    local, remote = calling.local, calling.remote
    early = Request("INFO", TARGET, headers("INFO", 2, DTMF).without("From", "To", "Call-ID"), sip.encode_digit("5"))
    named = (("From", str(remote)), ("To", str(local)), ("Call-ID", calling.call_id))
    wire.near.receive(sip.encode(Request("INFO", TARGET, sip.Headers((*early.headers, *named)), early.body)), FAR, 0)
    assert [data.split(b" ")[1] for data, _ in wire.near.data_to_send()] == [b"481"]
    assert not [each for each in wire.near.events() if isinstance(each, DigitReceived)]


def test_digits_that_cross_the_end_of_a_call_change_nothing() -> None:
    wire = Wire()
    ours, _ = standing(wire)
    wire.near.send_digit(ours, "5", wire.now)
    wire.near.hang_up(ours, wire.now)
    wire.wait(60)
    assert [type(each) for each in wire.heard[wire.near]] == [Alerting, Answered]
    assert [type(each) for each in wire.heard[wire.far]] == [Incoming, Answered, DigitReceived, Released]
    assert (len(wire.near), len(wire.far)) == (0, 0)


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
