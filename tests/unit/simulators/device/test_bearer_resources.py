"""Bearers that a terminal asks for and gives up (TS 24.301 6.5.3, 6.5.4)."""

from __future__ import annotations

import pytest

from simulators.device.procedures import bearer_resources
from simulators.device.state import Procedure, Timer
from simwarden.wire.nas import EsmCause, Message, MessageType
from simwarden.wire.nas.elements import EpsQos
from simwarden.wire.tft import Filter, Operation, decode

from .test_dedicated_bearers import activate, with_one
from .test_emm import Net

T = MessageType
WANTED = Filter(remote="198.51.100.80/32", protocol=17, remote_ports=(5683, 5683))


def asking() -> tuple[Net, Message]:
    net = Net().attached()
    bearer_resources.allocate(net.emm, 5, EpsQos(7), WANTED)
    request = net.last()
    assert request.type is T.BEARER_RESOURCE_ALLOCATION_REQUEST
    assert (request["linked_eps_bearer_identity"], request["required_traffic_flow_qos"]) == (5, EpsQos(7))
    assert decode(request["traffic_flow_aggregate"]).filters == (WANTED,)
    return net, request


def given(request: Message, **changed: object) -> Message:
    order = activate()
    order.fields |= {"procedure_transaction_identity": request["procedure_transaction_identity"], **changed}
    return order


def test_what_the_network_gives_by_that_transaction_is_the_answer() -> None:
    net, request = asking()
    net.give(given(request, procedure_transaction_identity=0, eps_bearer_identity=9))  # the network's own
    assert net.emm.asked is not None
    net.give(given(request))
    assert net.outcomes[-1] == (Procedure.BEARER_RESOURCES, "accepted")
    assert net.last().type is T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT
    assert Timer.T3480 not in net.port.timers


def test_what_it_cannot_take_is_no_answer_of_use() -> None:
    net, request = asking()
    net.give(given(request, linked_eps_bearer_identity=7))
    assert net.outcomes[-1] == (Procedure.BEARER_RESOURCES, "rejected")
    assert net.last()["esm_cause"] == EsmCause.INVALID_EPS_BEARER_IDENTITY


def test_a_bearer_that_is_not_given() -> None:
    net, request = asking()
    cause, transaction = EsmCause.EPS_QOS_NOT_ACCEPTED, request["procedure_transaction_identity"]
    refused = Message(T.BEARER_RESOURCE_ALLOCATION_REJECT, esm_cause=cause, procedure_transaction_identity=transaction)
    net.give(refused)
    assert net.outcomes[-1] == (Procedure.BEARER_RESOURCES, "rejected")
    assert net.port.seen["esm_cause"] == EsmCause.EPS_QOS_NOT_ACCEPTED
    assert net.emm.dedicated == {}


@pytest.mark.parametrize("timer", [Timer.T3480, Timer.T3481])
def test_it_is_asked_for_five_times(timer: Timer) -> None:
    if timer is Timer.T3480:
        net, first = asking()
    else:
        net = with_one()
        bearer_resources.release(net.emm, 6)
        first = net.last()
    for _ in range(4):
        net.expire(timer)
        assert net.last() == first
    net.expire(timer)
    assert net.outcomes[-1] == (Procedure.BEARER_RESOURCES, "no-answer")


def test_a_bearer_is_given_up() -> None:
    net = with_one()
    bearer_resources.release(net.emm, 6)
    request = net.last()
    assert request["eps_bearer_identity_for_packet_filter"] == 6
    assert (request["esm_cause"], request.type) == (
        EsmCause.REGULAR_DEACTIVATION,
        T.BEARER_RESOURCE_MODIFICATION_REQUEST,
    )
    packets = decode(request["traffic_flow_aggregate"])
    assert (packets.operation, packets.deleted) == (Operation.DELETE_FILTERS, (0,))
    end = Message(
        T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST,
        eps_bearer_identity=6,
        procedure_transaction_identity=request["procedure_transaction_identity"],
        esm_cause=EsmCause.REGULAR_DEACTIVATION,
    )
    net.give(end)
    assert net.outcomes[-1] == (Procedure.BEARER_RESOURCES, "accepted")
    assert net.emm.dedicated == {}
