"""Dedicated bearers of a terminal: what it takes, what it refuses, and how it changes them (TS 24.301 6.4.2, 6.4.3)."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.wire.nas import EsmCause, Message, MessageType
from simwarden.wire.nas.elements import EpsQos
from simwarden.wire.nas.rates import BitRates, encode_rates
from simwarden.wire.tft import Direction, Filter, Operation, Tft, encode

from .test_emm import Net

T = MessageType
UDP = Filter(0, 0, Direction.BOTH, protocol=17)
ICMP = Filter(1, 1, Direction.BOTH, protocol=1)
TCP = Filter(0, 7, Direction.BOTH, protocol=6)


def template(operation: Operation, *filters: Filter, deleted: tuple[int, ...] = ()) -> bytes:
    return encode(Tft(operation, filters, deleted))


CREATE = template(Operation.CREATE, UDP)


def activate(identity: int = 6, linked: int = 5, tft: bytes = CREATE, qos: EpsQos = EpsQos(7)) -> Message:  # noqa: B008 - a value
    return Message(
        T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REQUEST,
        eps_bearer_identity=identity,
        procedure_transaction_identity=0,
        linked_eps_bearer_identity=linked,
        eps_qos=qos,
        tft=tft,
    )


def modify(identity: int = 6, **fields: Any) -> Message:
    return Message(T.MODIFY_EPS_BEARER_CONTEXT_REQUEST, eps_bearer_identity=identity, **fields)


def with_one() -> Net:
    net = Net().attached()
    net.give(activate())
    assert net.last().type is T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT
    assert net.port.seen["bearer/6"] == {"apn": "meters.example", "ebi": 6, "qci": 7}
    return net


@pytest.mark.parametrize(
    ("order", "cause"),
    [
        (activate(linked=7), EsmCause.INVALID_EPS_BEARER_IDENTITY),
        (activate(5), EsmCause.INVALID_EPS_BEARER_IDENTITY),
        (activate(4), EsmCause.INVALID_EPS_BEARER_IDENTITY),
        (activate(tft=template(Operation.ADD_FILTERS, UDP)), EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION),
        (activate(tft=b"\x20"), EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION),
        (activate(tft=bytes.fromhex("2230000230 11")), EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION),  # one of two
        (activate(tft=b"\x21\x30\x00\x00"), EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS),
        (activate(tft=template(Operation.CREATE, UDP, ICMP._replace(precedence=0))), EsmCause(45)),
        (activate(tft=bytes.fromhex("21300008 400001 4100010002")), EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS),
        (activate(qos=EpsQos(3, b"\x01")), EsmCause.EPS_QOS_NOT_ACCEPTED),
    ],
)
def test_what_is_refused(order: Message, cause: EsmCause) -> None:
    net = Net().attached()
    net.give(order)
    told = net.last()
    assert (told.type, told["esm_cause"]) == (T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_REJECT, cause)
    assert net.emm.dedicated == {}


def test_a_precedence_belongs_to_the_newest_filter() -> None:
    net = with_one()
    net.give(activate(7, tft=template(Operation.CREATE, TCP)))
    net.give(modify(7, tft=template(Operation.ADD_FILTERS, UDP._replace(identifier=5))))
    assert net.last().type is T.MODIFY_EPS_BEARER_CONTEXT_ACCEPT
    assert list(net.emm.dedicated) == [7]
    assert net.port.seen["bearer/6"] is None
    net.give(activate(8, tft=template(Operation.CREATE, TCP._replace(remote_ports=(9, 9)))))
    assert net.last().type is T.ACTIVATE_DEDICATED_EPS_BEARER_CONTEXT_ACCEPT
    assert [each.protocol for each in net.emm.dedicated[7].filters] == [UDP.protocol]
    assert len(net.emm.dedicated[8].filters) == 1


@pytest.mark.parametrize(
    ("octets", "filters"),
    [
        (template(Operation.ADD_FILTERS, ICMP), (UDP, ICMP)),
        (template(Operation.REPLACE_FILTERS, TCP), (TCP,)),
        (template(Operation.CREATE, ICMP), (ICMP,)),
        (template(Operation.NONE), (UDP,)),
        (template(Operation.DELETE_FILTERS, deleted=(9,)), (UDP,)),
    ],
)
def test_filters_are_changed(octets: bytes, filters: tuple[Filter, ...]) -> None:
    net = with_one()
    net.give(modify(tft=octets))
    assert net.last().type is T.MODIFY_EPS_BEARER_CONTEXT_ACCEPT
    assert net.emm.dedicated[6].filters == filters


@pytest.mark.parametrize("octets", [template(Operation.DELETE), template(Operation.DELETE_FILTERS, deleted=(0,))])
def test_a_dedicated_bearer_keeps_filters(octets: bytes) -> None:
    net = with_one()
    net.give(modify(tft=octets))
    assert net.last()["esm_cause"] == EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION
    assert net.emm.dedicated[6].filters == (UDP,)


def test_quality_and_rates_are_changed() -> None:
    net = with_one()
    rates = encode_rates(BitRates(64, 64, 8, 8))
    net.give(modify(new_eps_qos=EpsQos(3, rates), apn_ambr=b"\x40\x40"))
    assert net.port.seen["bearer/6"]["qci"] == 3
    held = net.emm.dedicated[6].uplink
    assert held is not None
    assert [held.take(4000, 0.0) for _ in range(3)] == [True, True, False]  # 64 kbit/s: a second's octets at once
    assert net.emm.bearers[5].uplink is not None
    net.give(modify(9))
    assert net.last()["esm_cause"] == EsmCause.INVALID_EPS_BEARER_IDENTITY


def test_it_ends_alone_or_with_its_connection() -> None:
    net = with_one()
    end = T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST
    net.give(Message(end, eps_bearer_identity=6, esm_cause=EsmCause.REGULAR_DEACTIVATION))
    assert net.last().type is T.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT
    assert (net.emm.dedicated, list(net.emm.bearers)) == ({}, [5])
    net.give(activate())
    net.emm.drop_bearer(5)
    assert net.emm.identities == ()
    assert net.port.seen["bearer/6"] is None


def test_one_without_a_radio_bearer_ends_at_the_next_contact() -> None:
    net = with_one()
    net.emm.drop_without((5,))
    assert net.emm.identities == (5,)
