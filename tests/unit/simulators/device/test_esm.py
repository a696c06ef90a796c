"""Further PDN connections of a terminal: asked for again, backed off, given up, ended by the network (TS 24.301)."""

from __future__ import annotations

import pytest

from simulators.device.procedures import esm, service_request
from simulators.device.state import Procedure, Timer
from simwarden.wire.nas import EsmCause, Message, MessageType, PdnAddress, PdnType
from simwarden.wire.nas.elements import EpsQos

from .test_emm import Net

T = MessageType


def activate(identity: int, transaction: int, apn: str = "service.example") -> Message:
    return Message(
        T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST,
        eps_bearer_identity=identity,
        procedure_transaction_identity=transaction,
        eps_qos=EpsQos(9),
        access_point_name=apn,
        pdn_address=PdnAddress(PdnType.IPV4, "10.64.0.2"),
    )


def reject(kind: MessageType, transaction: int, cause: EsmCause) -> Message:
    return Message(kind, procedure_transaction_identity=transaction, esm_cause=cause)


def two() -> Net:
    """Return a terminal with two PDN connections."""
    net = Net().attached()
    esm.start_connection(net.emm, "service.example")
    request = net.last()
    assert (request.type, request["access_point_name"]) == (T.PDN_CONNECTIVITY_REQUEST, "service.example")
    net.give(activate(6, request["procedure_transaction_identity"]))
    assert net.last().type is T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_ACCEPT
    assert net.outcomes[-1] == (Procedure.CONNECT, "accepted")
    assert net.port.seen["connection/6"] == {"apn": "service.example", "address": "10.64.0.2", "ebi": 6}
    assert net.port.seen["apn"] == "meters.example"
    return net


def test_a_connection_is_asked_for_five_times() -> None:
    net = Net().attached()
    esm.start_connection(net.emm, "service.example")
    first = net.last()
    for _ in range(4):
        net.expire(Timer.T3482)
        assert net.last() == first
    net.expire(Timer.T3482)
    assert net.outcomes[-1] == (Procedure.CONNECT, "no-answer")
    assert Timer.T3482 not in net.port.timers


@pytest.mark.parametrize(("cause", "rests"), [(33, 720.0), (27, 720.0), (31, None), (55, None)])
def test_what_is_rejected_is_left_alone(cause: int, rests: float | None) -> None:
    net = Net().attached()
    esm.start_connection(net.emm, "service.example")
    transaction = net.last()["procedure_transaction_identity"]
    net.give(reject(T.PDN_CONNECTIVITY_REJECT, transaction + 1, EsmCause(cause)))  # of another one
    assert net.emm.asked is not None
    net.give(reject(T.PDN_CONNECTIVITY_REJECT, transaction, EsmCause(cause)))
    assert net.outcomes[-1] == (Procedure.CONNECT, "rejected")
    assert net.emm.resting_apns.get("service.example") == rests


def test_the_end_of_a_connection_is_asked_for() -> None:
    net = two()
    esm.start_disconnection(net.emm, 6)
    request = net.last()
    net.expire(Timer.T3492)
    assert net.last() == request
    ended = Message(
        T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST,
        eps_bearer_identity=6,
        procedure_transaction_identity=request["procedure_transaction_identity"],
        esm_cause=EsmCause.REGULAR_DEACTIVATION,
    )
    net.give(ended)
    assert net.last().type is T.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT
    assert net.outcomes[-1] == (Procedure.DISCONNECT, "accepted")
    assert (net.port.seen["connection/6"], net.port.seen["apn"]) == (None, "meters.example")
    assert list(net.emm.bearers) == [5]


def test_the_last_one_stays() -> None:
    net = Net().attached()
    esm.start_disconnection(net.emm, 5)
    transaction = net.last()["procedure_transaction_identity"]
    net.give(reject(T.PDN_DISCONNECT_REJECT, transaction, EsmCause.LAST_PDN_DISCONNECTION_NOT_ALLOWED))
    assert net.outcomes[-1] == (Procedure.DISCONNECT, "rejected")
    assert list(net.emm.bearers) == [5]


def test_one_that_is_to_be_set_up_again_is_asked_for() -> None:
    net = two()
    net.give(
        Message(
            T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST, eps_bearer_identity=6, esm_cause=EsmCause.REACTIVATION_REQUESTED
        )
    )
    assert net.emm.asked is not None
    assert net.emm.asked["access_point_name"] == "service.example"


def test_a_bearer_without_radio_has_ended_while_the_terminal_slept() -> None:
    net = two().idle()
    service_request.start(net.emm)
    net.dispatch.on_connected()
    service_request.on_bearers_up(net.emm, (5,))
    assert list(net.emm.bearers) == [5]
    assert net.port.seen["connection/6"] is None


def test_what_is_asked_when_the_connection_goes_gets_no_answer() -> None:
    net = Net().attached()
    esm.start_connection(net.emm, "service.example")
    net.idle()
    assert net.outcomes[-1] == (Procedure.CONNECT, "no-answer")
    assert Timer.T3482 not in net.port.timers
