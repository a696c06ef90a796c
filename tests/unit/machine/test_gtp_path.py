"""The GTP-C path: two of them back to back on a clock of the test."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.machine.gtp_path import (
    AnswerReceived,
    Duplicate,
    Failed,
    Faulted,
    GtpPath,
    IndicationReceived,
    PathSettings,
    RequestFailed,
    RequestReceived,
    Restarted,
)
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Cause, CauseIe, IeType, Message

ACCEPTED = {"cause": CauseIe(Cause.REQUEST_ACCEPTED)}


def asked() -> Message:
    return Message("delete-session-request", {"linked_ebi": 5}, 7)


def answer() -> Message:
    return Message("delete-session-response", dict(ACCEPTED), 8)


class Pair:
    """An MME and an SGW, and the datagrams between them."""

    def __init__(self, **settings: Any) -> None:
        self.settings = PathSettings(**settings)
        self.mme, self.sgw = GtpPath(self.settings, 1, 100), GtpPath(self.settings, 5, 200)
        self.now = 0.0

    def carry(self, *, lost: bool = False) -> int:
        """Bring all that waits to the other side, or lose it; return how many datagrams it was."""
        count = 0
        for near, far in ((self.mme, self.sgw), (self.sgw, self.mme)):
            for data, port in near.data_to_send():
                assert port == 2123
                count += 1
                if not lost:
                    far.receive(data, 2123, self.now)
        return count

    def later(self, seconds: float) -> None:
        self.now += seconds
        for each in (self.mme, self.sgw):
            each.on_timer(self.now)


def test_a_request_is_answered() -> None:
    pair = Pair()
    sequence = pair.mme.request(asked(), 0)
    pair.carry()
    (request,) = pair.sgw.events()
    assert isinstance(request, RequestReceived)
    assert request.message.sequence == sequence == 100
    pair.sgw.respond(request, answer(), 0)
    pair.carry()
    (answered,) = pair.mme.events()
    assert isinstance(answered, AnswerReceived)
    assert (answered.sequence, answered.message.name) == (100, "delete-session-response")
    timer = pair.mme.next_timer()
    assert timer is not None
    assert timer.keep_alive


def test_a_request_without_answer_is_sent_n3_times_and_given_up() -> None:
    pair = Pair(t3=2, n3=3)
    sequence = pair.mme.request(asked(), 0)
    sent = pair.carry(lost=True)
    for _ in range(10):
        assert pair.mme.next_timer() == (pair.now + 2, False)
        pair.later(2)
        sent += pair.carry(lost=True)
        events = pair.mme.events()
        if events:
            break
    assert events == [RequestFailed(sequence, "no answer to delete-session-request sent 3 times")]
    assert pair.now == 6
    assert sent == 4  # the fourth is an echo, to see whether the peer is there


def test_a_lost_answer_is_repeated_and_the_request_seen_once() -> None:
    pair = Pair()
    pair.mme.request(asked(), 0)
    pair.carry()
    (request,) = pair.sgw.events()
    assert isinstance(request, RequestReceived)
    pair.later(3)
    pair.carry()
    assert pair.sgw.events() == [Duplicate("delete-session-request", replayed=False)]
    pair.sgw.respond(request, answer(), pair.now)
    pair.carry(lost=True)
    pair.later(3)
    pair.carry()
    assert pair.sgw.events() == [Duplicate("delete-session-request", replayed=True)]
    pair.carry()
    assert [type(each) for each in pair.mme.events()] == [AnswerReceived]
    # an answer that comes once more means nothing
    pair.sgw.receive(gtpv2.encode(request.message), 2123, pair.now)
    pair.carry()
    assert pair.mme.events() == []


def test_an_answer_is_kept_for_as_long_as_requests_may_come_again() -> None:
    pair = Pair(t3=1, n3=2)
    pair.mme.request(asked(), 0)
    ((octets, _),) = pair.mme.data_to_send()
    for seconds, kind in ((0.0, RequestReceived), (2.9, Duplicate), (3.1, RequestReceived)):
        pair.sgw.receive(octets, 2123, seconds)
        assert [type(each) for each in pair.sgw.events()] == [kind], seconds


def test_the_same_number_from_another_port_is_another_request() -> None:
    pair = Pair()
    pair.mme.request(asked(), 0)
    ((octets, _),) = pair.mme.data_to_send()
    for port in (2123, 40000):
        pair.sgw.receive(octets, port, 0)
        (request,) = pair.sgw.events()
        assert isinstance(request, RequestReceived)
        pair.sgw.respond(request, answer(), 0)
        assert [to for _, to in pair.sgw.data_to_send()] == [port]


def test_sequence_numbers_of_requests_have_23_bits() -> None:
    path = GtpPath(PathSettings(), 1, 0x7FFFFF)
    assert [path.request(asked(), 0) for _ in range(2)] == [0x7FFFFF, 0]


def test_a_wrong_request_is_answered_with_its_cause_and_not_seen() -> None:
    pair = Pair()
    pair.sgw.receive(
        gtpv2.encode(Message("change-notification-request", {"rat_type": gtpv2.RatType(6)}, 1, 9))[:-1], 2123, 0
    )
    (fault,) = pair.sgw.events()
    assert isinstance(fault, Faulted)
    pair.mme.request(Message("change-notification-request", {"rat_type": gtpv2.RatType(6)}), 0)
    ((octets, _),) = pair.mme.data_to_send()
    pair.sgw.data_to_send()
    pair.sgw.receive(octets[:12] + bytes.fromhex("520001000c")[:4] + b"\x63", 2123, 0)
    pair.carry()
    (told,) = pair.mme.events()
    assert isinstance(told, AnswerReceived)
    assert told.message["cause"] == CauseIe(Cause.MANDATORY_IE_INCORRECT, offending=IeType(82))


def test_a_malformed_answer_fails_its_request() -> None:
    pair = Pair()
    sequence = pair.mme.request(asked(), 0)
    pair.carry()
    octets = gtpv2.encode(Message("delete-session-response", dict(ACCEPTED), 8, sequence))
    pair.mme.receive(octets[:12] + b"\x02\0\1\0\x10", 2123, 0)
    fault, failed = pair.mme.events()
    assert isinstance(fault, Faulted)
    assert isinstance(failed, RequestFailed)
    assert "malformed" in failed.reason


def test_an_answer_to_another_request_is_none() -> None:
    pair = Pair()
    sequence = pair.mme.request(asked(), 0)
    octets = gtpv2.encode(Message("modify-bearer-response", dict(ACCEPTED), 8, sequence))
    pair.mme.receive(octets, 2123, 0)
    assert pair.mme.events() == []


def test_another_version_is_told_so_and_the_telling_is_not_answered() -> None:
    pair = Pair()
    pair.sgw.receive(bytes.fromhex("3210000400000000" + "00090000"), 2123, 0)
    ((octets, _),) = pair.sgw.data_to_send()
    assert gtpv2.decode(octets).name == "version-not-supported-indication"
    pair.sgw.receive(bytes.fromhex("3203000400000000" + "00090000"), 2123, 0)
    assert pair.sgw.data_to_send() == []
    assert [type(each) for each in pair.sgw.events()] == [Faulted, Faulted]
    sequence = pair.mme.request(asked(), 0)
    told = Message("version-not-supported-indication", {}, sequence=sequence)
    pair.mme.receive(gtpv2.encode(told), 2123, 0)
    assert pair.mme.events() == [RequestFailed(sequence, "it speaks no GTPv2")]


def test_an_indication_is_told_and_not_answered() -> None:
    pair = Pair()
    pair.mme.tell(
        Message("downlink-data-notification-failure-indication", {"cause": CauseIe(Cause.UNABLE_TO_PAGE_UE)}, 3)
    )
    pair.carry()
    (heard,) = pair.sgw.events()
    assert isinstance(heard, IndicationReceived)
    assert pair.sgw.data_to_send() == []


def test_echoes_tell_that_the_peer_is_there_and_its_counter() -> None:
    pair = Pair(echo=60)
    pair.mme.request(asked(), 0)
    pair.mme._pending.clear()
    assert pair.mme.next_timer() == (60, True)
    pair.carry(lost=True)
    pair.later(60)
    pair.carry()
    pair.carry()
    assert (pair.mme.peer_counter, pair.sgw.peer_counter) == (5, 1)
    assert pair.mme.events() == pair.sgw.events() == []


def test_a_peer_that_leaves_echoes_unanswered_has_failed() -> None:
    pair = Pair(t3=1, n3=2, echo=60)
    pair.mme.request(asked(), 0)
    pair.mme._pending.clear()
    for seconds in (60, 1, 1):
        pair.later(seconds)
        pair.carry(lost=True)
    assert pair.mme.events() == [Failed()]
    assert pair.mme.next_timer() is None
    pair.mme.request(asked(), pair.now)  # it is watched again
    pair.mme._pending.clear()
    assert pair.mme.next_timer() == (pair.now + 60, True)


@pytest.mark.parametrize(
    ("first", "second", "restarted"),
    [(5, 5, False), (5, 6, True), (255, 0, True), (5, 4, False), (0, 255, False), (10, 138, False), (10, 137, True)],
)
def test_a_restart_is_seen_by_the_counter(first: int, second: int, *, restarted: bool) -> None:
    path = GtpPath(PathSettings(), 1)
    for counter in (first, second):
        path.receive(gtpv2.encode(Message("echo-request", {"recovery": counter})), 2123, 0)
    assert path.events() == ([Restarted()] if restarted else [])
    assert len(path.data_to_send()) == 2


def test_the_first_message_that_has_room_tells_the_counter() -> None:
    path = GtpPath(PathSettings(), 9)
    for _ in range(2):
        path.request(asked(), 0)
        path.request(Message("modify-bearer-request", {}, 1), 0)
    told = [gtpv2.decode(octets).get("recovery") for octets, _ in path.data_to_send()]
    assert told == [None, 9, None, None]


def command() -> Message:
    return Message("delete-bearer-command", {"bearer_contexts": ({"ebi": 6},)}, 7)


def test_a_command_is_repeated_until_the_request_that_it_asks_for_comes() -> None:
    pair = Pair()
    number = pair.mme.request(command(), 0)
    assert number & 0x800000
    pair.carry(lost=True)
    pair.later(3)
    pair.carry()
    (heard,) = pair.sgw.events()
    assert isinstance(heard, IndicationReceived)
    assert heard.message.sequence == number
    pair.sgw.request(Message("delete-bearer-request", {"ebis": (6,)}, 8), pair.now, number)
    pair.carry()
    settled, asked_for = pair.mme.events()
    assert settled == AnswerReceived(number, asked_for.message)  # type: ignore[union-attr]
    assert isinstance(asked_for, RequestReceived)
    pair.mme.respond(asked_for, Message("delete-bearer-response", dict(ACCEPTED), 9), pair.now)
    pair.carry()
    (done,) = pair.sgw.events()
    assert isinstance(done, AnswerReceived)
    pair.later(20)
    assert pair.mme.events() == []


def test_a_command_that_fails_or_is_not_heard() -> None:
    pair = Pair()
    number = pair.mme.request(command(), 0)
    pair.carry()
    pair.sgw.events()
    cause = CauseIe(Cause.CONTEXT_NOT_FOUND)
    ies = {"cause": cause, "bearer_contexts": ({"ebi": 6, "cause": cause},)}
    pair.sgw.tell(Message("delete-bearer-failure-indication", ies, 8), number)
    pair.carry()
    settled, told = pair.mme.events()
    assert settled == AnswerReceived(number, told.message)  # type: ignore[union-attr]
    assert isinstance(told, IndicationReceived)
    silent = pair.mme.request(command(), pair.now)
    for _ in range(3):
        pair.carry(lost=True)
        pair.later(3)
    assert RequestFailed(silent, "no answer to delete-bearer-command sent 3 times") in pair.mme.events()


def test_a_command_that_is_repeated_is_seen_once() -> None:
    pair = Pair()
    pair.mme.request(command(), 0)
    for _ in range(2):
        pair.carry()
        pair.later(3)
    kinds = [type(each) for each in pair.sgw.events()]
    assert kinds == [IndicationReceived, Duplicate]
