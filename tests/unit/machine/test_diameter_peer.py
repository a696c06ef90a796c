from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.machine.diameter_peer import DiameterPeer
from simwarden.machine.diameter_shared import (
    AnswerBroken,
    AnswerReceived,
    Closed,
    Duplicate,
    Faulted,
    Identifiers,
    LocalNode,
    Opened,
    RequestReceived,
    Shared,
    Suspected,
    Timers,
)
from simwarden.machine.diameter_table import TABLE, Input, State
from simwarden.machine.timer import Timer
from simwarden.wire.diameter import Message, ResultCode, answer_to, application_id, decode, encode, request
from simwarden.wire.diameter.message import FLAG_RETRANSMITTED

S6A, S13 = 16777251, 16777252
HSS = LocalNode("hss.example", "example", ("192.0.2.2",), (S6A,), state_id=5)
MME = LocalNode("mme.example", "example", ("192.0.2.1",), (S6A, S13), state_id=9)


def half(_: int = 0) -> float:
    return 0.5


def shared(local: LocalNode, **more: Any) -> Shared:
    return Shared(local, Identifiers(0x123, 1), half, **more)


def air(session: str = "m;1", *, imsi: str = "001010000000017") -> Message:
    return request(
        "Authentication-Information-Request",
        [
            ("Session-Id", session),
            application_id(S6A),
            ("Auth-Session-State", 1),
            ("Origin-Host", "mme.example"),
            ("Origin-Realm", "example"),
            ("Destination-Realm", "example"),
            ("User-Name", imsi),
            ("Visited-PLMN-Id", b"\x00\xf1\x10"),
        ],
    )


class Pair:
    """Two machines back to back; `a` is the initiator."""

    def __init__(self, a: Shared | None = None, b: Shared | None = None) -> None:
        self.now = 0.0
        self.a = DiameterPeer(a or shared(MME))
        self.b = DiameterPeer(b or shared(HSS))
        self.b.connected(0.0, initiator=False)
        self.a.connected(0.0, initiator=True)

    def pump(self) -> None:
        while True:
            from_a, from_b = self.a.data_to_send(), self.b.data_to_send()
            if not from_a and not from_b:
                return
            for data in from_a:
                self.b.receive(data, self.now)
            for data in from_b:
                self.a.receive(data, self.now)

    def opened(self) -> Pair:
        self.pump()
        assert self.a.state == self.b.state == State.OPEN
        self.a.events()
        self.b.events()
        return self


# -- capabilities ------------------------------------------------------------------------------------------------------


def test_capabilities_are_exchanged() -> None:
    pair = Pair()
    pair.pump()
    assert pair.a.events() == [Opened("hss.example", "example", frozenset({S6A}), state_id=5)]
    assert pair.b.events() == [Opened("mme.example", "example", frozenset({S6A}), state_id=9)]


def cea_of(peer: DiameterPeer, cer: bytes) -> Message:
    peer.connected(0.0, initiator=False)
    peer.receive(cer, 0.0)
    (data,) = peer.data_to_send()
    return decode(data)


def cer_of(local: LocalNode) -> bytes:
    peer = DiameterPeer(shared(local))
    peer.connected(0.0, initiator=True)
    (data,) = peer.data_to_send()
    return data


def test_an_unknown_peer_gets_3010_and_is_dropped() -> None:
    asked = []

    def admit(host: str, realm: str) -> ResultCode:
        asked.append((host, realm))
        return ResultCode.DIAMETER_UNKNOWN_PEER

    peer = DiameterPeer(shared(HSS, admit=admit))
    cea = cea_of(peer, cer_of(MME))
    assert (cea.result_code, cea.error) == (3010, True)
    assert asked == [("mme.example", "example")]
    assert peer.state == State.CLOSED
    assert [type(e) for e in peer.events()] == [Faulted, Closed]


def test_a_second_connection_loses_the_election() -> None:
    peer = DiameterPeer(shared(HSS, admit=lambda _host, _realm: ResultCode.ELECTION_LOST))
    assert cea_of(peer, cer_of(MME)).result_code == 4003


def test_no_common_application_is_5010() -> None:
    peer = DiameterPeer(shared(HSS))
    only_s13 = LocalNode("mme.example", "example", applications=(S13,))
    assert cea_of(peer, cer_of(only_s13)).result_code == 5010
    (*_, closed) = peer.events()
    assert isinstance(closed, Closed)
    assert closed.result == 5010


def test_a_relay_has_all_applications_in_common() -> None:
    peer = DiameterPeer(shared(HSS))
    relay = LocalNode("dra.example", "example", applications=(0xFFFFFFFF,))
    assert cea_of(peer, cer_of(relay)).result_code == 2001
    assert peer.applications == {S6A}


def test_a_cer_without_origin_host_is_5005_and_a_malformed_one_5014() -> None:
    cer = decode(cer_of(MME))
    cer.avps = [avp for avp in cer.avps if avp[0] != "Origin-Host"]
    lacking = cea_of(DiameterPeer(shared(HSS)), encode(cer))
    assert (lacking.result_code, lacking.find("Failed-AVP", "Origin-Host")) == (5005, "")
    malformed = bytearray(cer_of(MME))
    malformed[27] = 200  # the length of Origin-Host
    assert cea_of(DiameterPeer(shared(HSS)), bytes(malformed)).result_code == 5014


def test_the_initiator_hears_why_it_was_refused() -> None:
    pair = Pair(b=shared(HSS, admit=lambda _host, _realm: ResultCode.DIAMETER_UNKNOWN_PEER))
    pair.pump()
    (closed,) = pair.a.events()
    assert isinstance(closed, Closed)
    assert closed.result == 3010
    assert "3010" in closed.reason


def test_a_request_before_capabilities_ends_the_connection() -> None:
    peer = DiameterPeer(shared(HSS))
    peer.connected(0.0, initiator=False)
    peer.receive(encode(air()), 0.0)
    assert peer.state == State.CLOSED
    assert peer.data_to_send() == []


def test_a_peer_cannot_change_its_name() -> None:
    pair = Pair().opened()
    pair.b.receive(cer_of(LocalNode("other.example", "example", applications=(S6A,))), 0.0)
    assert pair.b.state == State.CLOSED
    assert pair.b.host == "mme.example"


def test_silence_instead_of_a_cea_ends_the_attempt() -> None:
    peer = DiameterPeer(shared(MME))
    peer.connected(0.0, initiator=True)
    timer = peer.next_timer()
    assert timer == Timer(10.0, keep_alive=False)
    peer.on_timer(9.0)
    assert peer.state == State.WAIT_CEA
    peer.on_timer(10.0)
    assert peer.state == State.CLOSED
    assert peer.next_timer() is None


# -- requests and answers ----------------------------------------------------------------------------------------------


def test_many_requests_outstanding_find_their_answers_in_any_order() -> None:
    pair = Pair().opened()
    hops = {pair.a.send_request(air(f"m;{n}")): f"m;{n}" for n in range(50)}
    assert (len(hops), len(pair.a._pending)) == (50, 50)
    pair.pump()
    asked = [e.message for e in pair.b.events() if isinstance(e, RequestReceived)]
    assert len(asked) == 50
    for message in reversed(asked):
        pair.b.send_answer(message, answer_to(message, ResultCode.DIAMETER_SUCCESS, HSS.origin))
    pair.pump()
    answers = [e.message for e in pair.a.events() if isinstance(e, AnswerReceived)]
    assert {m.hop_by_hop: m.get("Session-Id") for m in answers} == hops
    assert len(pair.a._pending) == 0


def test_end_to_end_ids_are_not_used_twice() -> None:
    pair = Pair().opened()
    messages = [air(str(n)) for n in range(20)]
    for message in messages:
        pair.a.send_request(message)
    assert len({m.end_to_end for m in messages}) == 20
    assert messages[0].end_to_end >> 20 == 0x123


def test_an_answer_that_nobody_asked_for_is_dropped_and_reported() -> None:
    pair = Pair().opened()
    message = air()
    message.hop_by_hop = 77
    pair.a.receive(encode(answer_to(message, ResultCode.DIAMETER_SUCCESS, HSS.origin)), 0.0)
    (event,) = pair.a.events()
    assert isinstance(event, Faulted)
    assert pair.a.state == State.OPEN


def test_a_forgotten_requests_answer_is_late() -> None:
    pair = Pair().opened()
    hop = pair.a.send_request(air())
    pair.a.forget(hop)
    pair.pump()
    (asked,) = pair.b.events()
    assert isinstance(asked, RequestReceived)
    pair.b.send_answer(asked.message, answer_to(asked.message, ResultCode.DIAMETER_SUCCESS, HSS.origin))
    pair.pump()
    assert [type(e) for e in pair.a.events()] == [Faulted]


def test_a_broken_answer_settles_its_request() -> None:
    pair = Pair().opened()
    hop = pair.a.send_request(air())
    (sent,) = pair.a.data_to_send()
    answer = bytearray(encode(answer_to(decode(sent), ResultCode.DIAMETER_SUCCESS, HSS.origin)))
    answer[27] = 250  # the length of Session-Id
    pair.a.receive(bytes(answer), 0.0)
    assert [type(e) for e in pair.a.events()] == [Faulted, AnswerBroken]
    assert len(pair.a._pending) == 0
    assert hop


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"command": 999}, 3001),
        ({"application": 4}, 3007),
        ({"application": S13}, 3007),
        ({"flags": 0x80}, 3008),
    ],
)
def test_requests_that_cannot_be_served_are_answered_by_the_machine(change: dict[str, int], code: int) -> None:
    pair = Pair().opened()
    message = air()
    for name, value in change.items():
        setattr(message, name, value)
    pair.b.receive(encode(message), 0.0)
    (data,) = pair.b.data_to_send()
    answer = decode(data)
    assert (answer.result_code, answer.error) == (code, True)
    assert (answer.hop_by_hop, answer.end_to_end) == (message.hop_by_hop, message.end_to_end)
    assert [type(e) for e in pair.b.events()] == [Faulted]


def test_bad_grammar_and_bad_octets_are_answered_with_failed_avp() -> None:
    pair = Pair().opened()
    lacking = air()
    lacking.avps = [avp for avp in lacking.avps if avp[0] != "User-Name"]
    pair.b.receive(encode(lacking), 0.0)
    octets = bytearray(encode(air()))
    octets[27] = 250
    pair.b.receive(bytes(octets), 0.0)
    first, second = (decode(data) for data in pair.b.data_to_send())
    assert (first.result_code, first.find("Failed-AVP", "User-Name")) == (5005, "")
    assert second.result_code == 5014
    assert second.get("Failed-AVP")
    assert pair.b.state == State.OPEN


def test_a_retransmission_gets_the_same_answer_and_is_not_handed_out_again() -> None:
    pair = Pair().opened()
    message = air()
    pair.a.send_request(message)
    pair.pump()
    (event,) = pair.b.events()
    assert isinstance(event, RequestReceived)
    again = decode(encode(message))
    again.flags |= FLAG_RETRANSMITTED
    again.hop_by_hop += 100
    pair.b.receive(encode(again), 0.0)
    (early,) = pair.b.events()
    assert isinstance(early, Duplicate)
    assert not early.replayed
    pair.b.send_answer(event.message, answer_to(event.message, ResultCode.DIAMETER_SUCCESS, HSS.origin))
    pair.b.data_to_send()

    second = DiameterPeer(pair.b.shared)  # the retransmission comes on a new connection after a failover
    assert cea_of(second, cer_of(MME)).success
    second.events()
    second.receive(encode(again), 0.0)
    (late,) = second.events()
    assert isinstance(late, Duplicate)
    assert late.replayed
    (data,) = second.data_to_send()
    answer = decode(data)
    assert (answer.hop_by_hop, answer.result_code) == (again.hop_by_hop, 2001)

    stranger = DiameterPeer(pair.b.shared)  # who guesses origin and identifier gets no answer that another was given
    assert cea_of(stranger, cer_of(LocalNode("other.example", "example", ("192.0.2.3",), (S6A,)))).success
    stranger.events()
    stranger.receive(encode(again), 0.0)
    (event,) = stranger.events()
    assert isinstance(event, RequestReceived)
    assert stranger.data_to_send() == []


def test_the_same_ids_without_the_t_flag_are_another_request() -> None:
    pair = Pair().opened()
    data = encode(air())
    pair.b.receive(data + data, 0.0)
    assert [type(e) for e in pair.b.events()] == [RequestReceived, RequestReceived]


def test_no_request_leaves_a_connection_that_is_not_open() -> None:
    with pytest.raises(ValueError, match="CLOSED"):
        DiameterPeer(shared(MME)).send_request(air())


# -- watchdog (RFC 3539 3.4) -------------------------------------------------------------------------------------------


def test_an_idle_connection_is_kept_alive() -> None:
    pair = Pair().opened()
    assert pair.a.next_timer() == Timer(30.0, keep_alive=True)
    pair.now = 30.0
    pair.a.on_timer(30.0)
    assert pair.a.next_timer() == Timer(60.0, keep_alive=False)
    pair.pump()
    assert pair.a.next_timer() == Timer(60.0, keep_alive=True)
    assert pair.b.next_timer() == Timer(60.0, keep_alive=True)
    assert pair.a.events() == pair.b.events() == []


def test_any_message_shows_that_the_peer_lives() -> None:
    pair = Pair().opened()
    pair.now = 20.0
    pair.a.send_request(air())
    pair.pump()
    assert pair.b.next_timer() == Timer(50.0, keep_alive=True)


def test_a_silent_peer_is_suspected_then_given_up_with_its_requests() -> None:
    pair = Pair().opened()
    hop = pair.a.send_request(air())
    pair.a.on_timer(30.0)
    pair.a.on_timer(60.0)
    assert pair.a.events() == [Suspected()]
    pair.a.on_timer(90.0)
    (closed,) = pair.a.events()
    assert isinstance(closed, Closed)
    assert closed.pending == (hop,)
    assert pair.a.state == State.CLOSED


def test_the_watchdog_has_jitter_of_two_seconds() -> None:
    rng = random.Random(7)
    seen = set()
    for _ in range(20):
        peer = DiameterPeer(Shared(HSS, Identifiers(0, 0), rng.random))
        cea_of(peer, cer_of(MME))
        timer = peer.next_timer()
        assert timer is not None
        assert 28.0 <= timer.deadline <= 32.0
        seen.add(timer.deadline)
    assert len(seen) > 1


# -- goodbye -----------------------------------------------------------------------------------------------------------


def test_goodbye() -> None:
    pair = Pair().opened()
    pair.a.disconnect(1.0)
    pair.pump()
    assert pair.a.state == State.CLOSED
    assert pair.b.state == State.LEAVING
    (event,) = pair.a.events()
    assert isinstance(event, Closed)
    pair.b.lost("closed by peer", 1.0)
    (left,) = pair.b.events()
    assert isinstance(left, Closed)
    assert (left.cause, left.reason) == (0, "closed by peer")


def test_a_request_that_crosses_the_goodbye_is_turned_away_and_answers_still_count() -> None:
    pair = Pair().opened()
    pair.a.send_request(air())
    pair.pump()
    (asked,) = pair.b.events()
    assert isinstance(asked, RequestReceived)
    pair.b.disconnect(1.0)
    pair.b.receive(encode(air("late")), 1.0)
    pair.b.send_answer(asked.message, answer_to(asked.message, ResultCode.DIAMETER_SUCCESS, HSS.origin))
    results = [(m.name, m.result_code) for m in map(decode, pair.b.data_to_send())]
    assert results == [
        ("disconnect-peer-request", None),
        ("authentication-information-answer", 3002),
        ("authentication-information-answer", 2001),
    ]


def test_a_peer_that_never_disconnects_is_dropped() -> None:
    pair = Pair().opened()
    pair.a.disconnect(1.0)
    for data in pair.a.data_to_send():
        pair.b.receive(data, 1.0)
    timer = pair.b.next_timer()
    assert timer == Timer(6.0, keep_alive=False)
    pair.b.on_timer(6.0)
    pair.a.on_timer(6.0)
    assert pair.a.state == pair.b.state == State.CLOSED


# -- any octets, any order ---------------------------------------------------------------------------------------------


def test_a_stream_that_is_no_diameter_ends_the_connection() -> None:
    pair = Pair().opened()
    pair.b.receive(encode(air()) + b"GET / HTTP/1.1\r\n\r\n", 0.0)
    assert [type(e) for e in pair.b.events()] == [RequestReceived, Faulted, Closed]


@given(st.binary(max_size=120), st.booleans())
def test_any_octets_are_survived(data: bytes, opened: bool) -> None:  # noqa: FBT001 - a strategy's value
    peer = DiameterPeer(shared(HSS))
    peer.connected(0.0, initiator=False)
    if opened:
        peer.receive(cer_of(MME), 0.0)
    peer.receive(data, 0.0)
    peer.receive(encode(air())[:24] + data, 0.0)


@given(st.integers(0, 400), st.integers(0, 255), st.lists(st.integers(1, 60), max_size=10))
def test_a_changed_octet_and_any_segmentation_are_survived(where: int, octet: int, sizes: list[int]) -> None:
    stream = bytearray(cer_of(MME) + encode(air()) + encode(air("m;2")))
    stream[where % len(stream)] = octet
    peer = DiameterPeer(shared(HSS))
    peer.connected(0.0, initiator=False)
    rest = bytes(stream)
    for size in [*sizes, len(rest)]:
        peer.receive(rest[:size], 0.0)
        rest = rest[size:]
    handed_out = [e for e in peer.events() if isinstance(e, RequestReceived)]
    assert len(handed_out) <= 2
    assert all(e.message.get("User-Name") for e in handed_out)


MESSAGES = {
    "cer": decode(cer_of(MME)),
    "cea": Message(257, 0, 0, avps=[("Result-Code", 2001), *HSS.capabilities()]),
    "cea-bad": Message(257, 0, 0, avps=[("Result-Code", 5010), *HSS.capabilities()]),
    "cer-bad": request("Capabilities-Exchange-Request", [("Origin-Host", "x")]),
    "dwr": request("Device-Watchdog-Request", [("Origin-Host", "mme.example"), ("Origin-Realm", "example")]),
    "dwa": Message(280, 0, 0, avps=[("Result-Code", 2001)]),
    "dpr": request(
        "Disconnect-Peer-Request",
        [("Origin-Host", "mme.example"), ("Origin-Realm", "example"), ("Disconnect-Cause", 0)],
    ),
    "dpa": Message(282, 0, 0, avps=[("Result-Code", 2001)]),
    "request": air(),
    "answer": answer_to(air(), ResultCode.DIAMETER_SUCCESS, HSS.origin),
}
ORDERS = ["out", "in", "stop", "lost", "garbage", "tick", *MESSAGES]


@given(st.lists(st.sampled_from(ORDERS), max_size=12))
def test_every_state_takes_every_input(orders: list[str]) -> None:
    peer = DiameterPeer(shared(HSS, timers=Timers(watchdog=30)))
    now = 0.0
    for order in orders:
        before = peer.state
        match order:
            case "out" | "in":
                peer.connected(now, initiator=order == "out")
            case "stop":
                peer.disconnect(now)
            case "lost":
                peer.lost("gone", now)
            case "garbage":
                peer.receive(b"\x02\0\0\0", now)
            case "tick":
                timer = peer.next_timer()
                now = timer.deadline if timer else now + 100
                peer.on_timer(now)
            case name:
                peer.receive(encode(MESSAGES[name]), now)
        events = peer.events()
        closed = [e for e in events if isinstance(e, Closed)]
        assert len(closed) == (1 if before != State.CLOSED and peer.state == State.CLOSED else 0)
        assert (peer.next_timer() is None) == (peer.state == State.CLOSED)
        assert (any(isinstance(e, Opened) for e in events)) == (before != State.OPEN and peer.state == State.OPEN)
        if before == State.CLOSED and order not in ("out", "in"):
            assert peer.data_to_send() == []
        for data in peer.data_to_send():
            decode(data)


def test_every_action_of_the_table_exists_and_every_open_state_ends_when_the_wire_does() -> None:
    for action, _ in TABLE.values():
        assert callable(getattr(DiameterPeer, f"_do_{action}"))
    for state in State:
        if state != State.CLOSED:
            assert TABLE[state, Input.LOST][1] == TABLE[state, Input.GARBAGE][1] == State.CLOSED
    reached = {State.CLOSED} | {following for _, following in TABLE.values()}
    assert reached == set(State)
