"""Hosts that may serve a routing context of M3UA, and the reactivation of a process that was made inactive."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.machine.m3ua_asp import Asp
from simwarden.machine.m3ua_events import AspState, Changed, Fault
from simwarden.machine.m3ua_gateway import ApplicationServer, Gateway
from simwarden.wire import m3ua
from simwarden.wire.m3ua import ErrorCode, Message, MessageType, ProtocolData, Status, TrafficMode

T = MessageType
BLOCKED = ErrorCode.REFUSED_MANAGEMENT_BLOCKING
OURS, THEIRS = 0, 1
WITH_CONTEXT = (T.ASP_ACTIVE, T.ASP_INACTIVE)
DATA = ProtocolData(8, 6, 3, 2, 0, 0, b"payload")


def decoded(out: list[Any]) -> list[Message]:
    """Return messages of an ASP, or of a gateway, which names a link with the octets."""
    return [m3ua.decode(each[1] if isinstance(each, tuple) else each) for each in out]


def gateway(*, placed: tuple[int, ...] = (), mode: TrafficMode = TrafficMode.OVERRIDE) -> Gateway:
    return Gateway([ApplicationServer(8, 8, mode), ApplicationServer(9, 9, mode)], local=(6,), placed=placed)


def activate(node: Gateway, link: int, source: str, *, barred: tuple[int, ...] = (), context: int = 8) -> list[Message]:
    """Bring a process up and ask for a routing context; return the answers to the latter."""
    node.connected(link, 0, source, barred)
    node.receive(link, m3ua.encode(Message(T.ASP_UP)), 0)
    node.data_to_send()
    node.receive(link, m3ua.encode(Message(T.ASP_ACTIVE, routing_context=(context,))), 0)
    return [m3ua.decode(octets) for to, octets in node.data_to_send() if to == link]


@pytest.mark.parametrize(
    ("placed", "source", "barred", "mode", "taken"),
    [
        ((), "192.0.2.66", (), TrafficMode.OVERRIDE, False),  # the first host keeps it
        ((), "192.0.2.8", (), TrafficMode.OVERRIDE, True),  # the same host again: its old association may be dead
        ((), "192.0.2.66", (), TrafficMode.LOADSHARE, True),
        ((8,), "192.0.2.66", (8,), TrafficMode.OVERRIDE, False),  # it is placed elsewhere
        ((8,), "192.0.2.9", (), TrafficMode.OVERRIDE, True),  # both hosts are configured
    ],
)
def test_a_process_elsewhere_does_not_take_a_routing_context(
    placed: tuple[int, ...], source: str, barred: tuple[int, ...], mode: TrafficMode, *, taken: bool
) -> None:
    node = gateway(placed=placed, mode=mode)
    activate(node, OURS, "192.0.2.8")
    told = activate(node, THEIRS, source, barred=barred)
    errors = [(each.error_code, each.routing_context) for each in told if each.type is T.ERROR]
    assert errors == ([] if taken else [(BLOCKED, (8,))])
    assert node.state_of(THEIRS) is (AspState.ACTIVE if taken else AspState.INACTIVE)
    override = taken and mode is TrafficMode.OVERRIDE
    assert node.state_of(OURS) is (AspState.INACTIVE if override else AspState.ACTIVE)
    node.receive(THEIRS, m3ua.encode_data(DATA, 8), 0)
    assert any(isinstance(each, Fault) for each in node.events()) is not taken


def test_a_process_that_may_serve_nothing_does_not_come_up() -> None:
    node = gateway(placed=(8, 9))
    node.connected(THEIRS, 0, "192.0.2.66", (8, 9))
    node.receive(THEIRS, m3ua.encode(Message(T.ASP_UP)), 0)
    assert [each.error_code for each in decoded(node.data_to_send())] == [BLOCKED]
    assert node.state_of(THEIRS) is AspState.DOWN


def test_a_process_that_may_serve_nothing_stays_down_whatever_it_sends() -> None:
    node = gateway(placed=(8, 9))
    node.connected(THEIRS, 0, "192.0.2.66", (8, 9))
    for kind in (T.ASP_INACTIVE, T.ASP_ACTIVE, T.ASP_INACTIVE, T.ASP_UP, T.ASP_DOWN):
        node.receive(THEIRS, m3ua.encode(Message(kind, routing_context=(8,) if kind in WITH_CONTEXT else ())), 0)
        assert node.state_of(THEIRS) is AspState.DOWN, kind
    assert T.NOTIFY not in [each.type for each in decoded(node.data_to_send())]


def test_a_process_that_names_no_routing_context_gets_those_that_it_may_serve() -> None:
    node = gateway(placed=(8,))
    node.connected(THEIRS, 0, "192.0.2.9", (8,))
    for kind in (T.ASP_UP, T.ASP_ACTIVE):
        node.receive(THEIRS, m3ua.encode(Message(kind)), 0)
    assert (node.servers[8].active, node.servers[9].active) == ([], [THEIRS])


def test_another_host_serves_when_the_first_is_gone() -> None:
    node = gateway()
    activate(node, OURS, "192.0.2.8")
    node.lost(OURS, 0)
    assert activate(node, THEIRS, "192.0.2.66")[0].type is T.ASP_ACTIVE_ACK


def active() -> Asp:
    asp = Asp(8)
    asp.connected(0)
    for kind in (T.ASP_UP_ACK, T.ASP_ACTIVE_ACK):
        asp.receive(m3ua.encode(Message(kind)), 0)
    asp.data_to_send()
    asp.events()
    return asp


ALTERNATE = Message(T.NOTIFY, status=Status.ALTERNATE_ASP_ACTIVE, routing_context=(8,))
PENDING = Message(T.NOTIFY, status=Status.AS_PENDING, routing_context=(8,))


@pytest.mark.parametrize(
    ("told", "after"),
    [
        (ALTERNATE, 5.0),
        (Message(T.NOTIFY, status=Status.ALTERNATE_ASP_ACTIVE), 5.0),
        (PENDING, 0.0),
        (Message(T.NOTIFY, status=Status.AS_INACTIVE), 0.0),
        (Message(T.ERROR, error_code=ErrorCode.UNEXPECTED_MESSAGE), 0.0),
        (Message(T.ERROR, error_code=ErrorCode.INVALID_ROUTING_CONTEXT, routing_context=(8,)), 0.0),
    ],
)
def test_a_process_that_is_no_longer_active_asks_to_be(told: Message, after: float) -> None:
    asp = active()
    asp.receive(m3ua.encode(told), 10)
    assert asp.state is AspState.INACTIVE
    assert Changed(AspState.INACTIVE) in asp.events()
    said = decoded(asp.data_to_send())
    if after:
        assert said == []
        timer = asp.next_timer()
        assert timer is not None
        assert timer.deadline == 10 + after
        asp.on_timer(10 + after)
        said = decoded(asp.data_to_send())
    assert [(each.type, each.routing_context) for each in said] == [(T.ASP_ACTIVE, (8,))]
    asp.receive(m3ua.encode(Message(T.ASP_ACTIVE_ACK)), 20)
    assert asp.state is AspState.ACTIVE


def test_the_wait_ends_when_the_other_process_is_gone() -> None:
    asp = active()
    asp.receive(m3ua.encode(ALTERNATE), 10)
    asp.receive(m3ua.encode(PENDING), 11)
    assert [each.type for each in decoded(asp.data_to_send())] == [T.ASP_ACTIVE]


@pytest.mark.parametrize(
    "told",
    [
        Message(T.NOTIFY, status=Status.AS_INACTIVE),
        Message(T.ERROR, error_code=ErrorCode.UNEXPECTED_MESSAGE),
        Message(T.ASP_INACTIVE_ACK),
    ],
)
def test_a_peer_that_ends_each_activation_gets_few_requests(told: Message) -> None:
    asp, requests = active(), 0
    for now in range(60):
        asp.on_timer(now)
        if asp.state is AspState.ACTIVE:
            asp.receive(m3ua.encode(told), now)
        for each in decoded(asp.data_to_send()):
            requests += each.type is T.ASP_ACTIVE
            asp.receive(m3ua.encode(Message(T.ASP_ACTIVE_ACK)), now)
    assert 10 <= requests <= 24


def test_a_refused_process_asks_again_later() -> None:
    asp = active()
    refusal = m3ua.encode(Message(T.ERROR, error_code=BLOCKED, routing_context=(8,)))
    asp.receive(refusal, 10)
    asp.data_to_send()
    asp.receive(refusal, 10)
    asp.on_timer(14)
    assert asp.data_to_send() == []
    asp.on_timer(15)
    assert [each.type for each in decoded(asp.data_to_send())] == [T.ASP_ACTIVE]


@pytest.mark.parametrize(
    "told",
    [
        Message(T.NOTIFY, status=Status.ALTERNATE_ASP_ACTIVE, routing_context=(9,)),
        Message(T.NOTIFY, status=Status.AS_ACTIVE),
        Message(T.ERROR, error_code=ErrorCode.PROTOCOL_ERROR),
    ],
)
def test_what_is_said_of_others_leaves_a_process_active(told: Message) -> None:
    asp = active()
    asp.receive(m3ua.encode(told), 10)
    assert (asp.state, asp.data_to_send()) == (AspState.ACTIVE, [])


def test_a_process_that_leaves_does_not_come_back() -> None:
    asp = active()
    asp.leave(10)
    asp.data_to_send()
    asp.receive(m3ua.encode(ALTERNATE), 10)
    assert asp.data_to_send() == []
