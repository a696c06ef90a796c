"""What devices ask of bearers, at the MME: to whom it goes, and which cause they hear (TS 24.301 6.5.3, 6.5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.pgw.config import ApnConfig
from simwarden.trace.events import Rejected
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Cause, FlowQos
from simwarden.wire.nas.elements import EpsQos
from simwarden.wire.nas.enums import EsmCause, MessageType
from simwarden.wire.nas.message import Message
from simwarden.wire.nas.rates import BitRates, encode_rates

from .test_dedicated_bearers import _ASK, put
from .test_gateways import asked

_T = MessageType
UDP = bytes.fromhex("2130000230 11")


def allocate(linked: int = 5, qos: EpsQos = EpsQos(7), transaction: int = 9) -> Message:  # noqa: B008 - a value
    return Message(
        _T.BEARER_RESOURCE_ALLOCATION_REQUEST,
        procedure_transaction_identity=transaction,
        linked_eps_bearer_identity=linked,
        traffic_flow_aggregate=UDP,
        required_traffic_flow_qos=qos,
    )


def modify(bearer: int) -> Message:
    return Message(
        _T.BEARER_RESOURCE_MODIFICATION_REQUEST,
        procedure_transaction_identity=9,
        eps_bearer_identity_for_packet_filter=bearer,
        traffic_flow_aggregate=b"\xa1\x00",
    )


def commands(
    network: Any, answer: Cause | int = Cause.NO_RESOURCES_AVAILABLE, *, remote: bool = False
) -> list[gtpv2.Message]:
    """Let the SGW refuse what it is asked for, and keep that."""
    found: list[gtpv2.Message] = []
    node = network.host.elements["sgw"].core.node

    async def refuse(message: gtpv2.Message, peer: Any) -> None:
        found.append(message)
        node.tell(
            gtpv2.failure_of(message, gtpv2.CauseIe(answer, remote), node.sender_teid(message.teid)),
            peer.host,
            "S11",
            message.sequence,
        )

    node._handlers["bearer-resource-command"] = refuse
    return found


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        (allocate(6), EsmCause.INVALID_EPS_BEARER_IDENTITY),
        (modify(6), EsmCause.INVALID_EPS_BEARER_IDENTITY),
        (allocate(qos=EpsQos(3, b"\x01")), EsmCause.EPS_QOS_NOT_ACCEPTED),
    ],
)
async def test_what_no_gateway_hears_of(run: Any, wanted: Message, cause: EsmCause) -> None:
    async with run() as network:
        phone = await network.attached()
        heard = commands(network)
        phone.send(wanted)
        await network.settle()
        assert phone.got[-1].type is _T(wanted.type + 1)
        assert (phone.got[-1]["esm_cause"], phone.got[-1]["procedure_transaction_identity"]) == (cause, 9)
        assert heard == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Cause.NO_RESOURCES_AVAILABLE, EsmCause.INSUFFICIENT_RESOURCES),
        (Cause.SERVICE_NOT_SUPPORTED, EsmCause.SERVICE_OPTION_NOT_SUPPORTED),
        (Cause.SEMANTIC_ERROR_IN_THE_TAD_OPERATION, EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION),
        (Cause.SYNTACTIC_ERRORS_IN_PACKET_FILTERS, EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS),
        (Cause.REQUEST_REJECTED, EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW),
        (250, EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW),  # of a later release
    ],
)
async def test_a_refusal_of_the_gateways(run: Any, answer: Cause | int, cause: EsmCause) -> None:
    async with run(timers={"t3396": 3600}) as network:
        phone = await network.attached()
        heard = commands(network, answer)
        rates = BitRates(128, 256, 64, 32)
        phone.send(allocate(qos=EpsQos(3, encode_rates(rates))))
        await network.settle()
        (command,) = heard
        assert (command["linked_ebi"], command["pti"], command["tad"]) == (5, 9, UDP)
        assert command["flow_qos"] == FlowQos(3, *rates)
        assert command.get("ebi") is None
        assert phone.got[-1].type is _T.BEARER_RESOURCE_ALLOCATION_REJECT
        assert phone.got[-1]["esm_cause"] == cause
        assert "back_off_timer" not in phone.got[-1], "that is of an APN"


@pytest.mark.parametrize(("remote", "by"), [(False, "sgw"), (True, "pgw")])
async def test_it_is_told_which_gateway_refuses(run: Any, remote: bool, by: str) -> None:  # noqa: FBT001
    async with run() as network:
        phone = await network.attached()
        commands(network, remote=remote)
        phone.send(allocate())
        await network.settle()
        (rejected,) = network.of(Rejected)
        assert (rejected.by, rejected.reason.split()[0]) == (by, by)


async def test_a_bearer_is_asked_for_beside_a_default_one_alone(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)
        heard = commands(network)
        phone.send(allocate(6))
        await network.settle()
        assert phone.got[-1]["esm_cause"] is EsmCause.INVALID_EPS_BEARER_IDENTITY
        assert heard == []


async def test_a_transaction_may_be_used_again_when_its_bearer_stands(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        alarm = ApnConfig(requests={"alarm": {"qci": 7, "filters": [{"protocol": "udp"}]}})
        network.host.elements["pgw"].core._apns["*"].config = alarm
        for _ in range(2):
            phone.send(allocate())
            await network.settle()
        assert asked(network).count("bearer-resource-command") == 2


async def test_a_change_names_its_bearer_and_its_connection(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        await put(network)
        heard = commands(network)
        phone.send(modify(6))
        await network.settle()
        (command,) = heard
        assert (command["linked_ebi"], command["ebi"], command.get("flow_qos")) == (5, 6, None)
        assert phone.got[-1].type is _T.BEARER_RESOURCE_MODIFICATION_REJECT


async def test_a_request_that_is_repeated_while_its_bearer_is_under_way_is_not_asked_for_again(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        alarm = ApnConfig(requests={"alarm": {"qci": 7, "filters": [{"protocol": "udp"}]}})
        network.host.elements["pgw"].core._apns["*"].config = alarm
        phone.replies[_ASK] = lambda *_: None
        phone.send(allocate())
        await network.settle()
        phone.send(allocate())
        await network.settle()
        assert [each for each in asked(network) if each == "bearer-resource-command"] == ["bearer-resource-command"]
        order = next(each for each in phone.got if each.type is _ASK)
        assert order["procedure_transaction_identity"] == 9
        assert _T.BEARER_RESOURCE_ALLOCATION_REJECT not in phone.types()


async def test_silent_gateways_give_nothing_and_a_repeated_request_waits(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        heard = commands(network)

        async def nothing(message: gtpv2.Message, _peer: Any) -> None:
            heard.append(message)

        network.host.elements["sgw"].core.node._handlers["bearer-resource-command"] = nothing
        phone.send(allocate())
        await network.settle()
        phone.send(allocate())
        await network.sleep(10)
        assert len(heard) == 1  # the others are repetitions of the same
        assert [each["esm_cause"] for each in phone.got[-1:]] == [EsmCause.NETWORK_FAILURE]
        assert phone.types().count(_T.BEARER_RESOURCE_ALLOCATION_REJECT) == 1
