"""Gateways that say what fits GTP and nothing else: no message to device or eNB can carry it (TS 36.413, TS 24.301)."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.testing.diameter import IMSI
from simwarden.wire import gtpv2
from simwarden.wire.gtpv2 import Ambr, Arp, BearerQos, Cause, CauseIe, Paa, PdnType
from simwarden.wire.nas.enums import EsmCause

from .test_gateways import at, esm_cause

MOST = (1 << 40) - 1
ARP = Arp(1, may_preempt=True, preemptable=False)


def saying(network: Any, **changed: Any) -> None:
    """Let the SGW's answer to a request for a session say something else."""
    node = network.host.elements["sgw"].core.node
    create = node._handlers["create-session-request"]

    async def other(message: gtpv2.Message, peer: Any) -> Any:
        answer = await create(message, peer)
        context = dict(answer["bearer_contexts_created"][0])
        for name, value in changed.items():
            if name in {"ebi", "bearer_qos"}:
                context[name] = value
            else:
                answer.ies[name] = value
        answer.ies["bearer_contexts_created"] = (context,)
        return answer

    node._handlers["create-session-request"] = other


@pytest.mark.parametrize(
    "changed",
    [
        {"apn_ambr": Ambr((1 << 32) - 1, (1 << 32) - 1)},
        {"apn_ambr": Ambr(0, 0)},
        {"bearer_qos": BearerQos(255, ARP, MOST, MOST, MOST, MOST)},
        {"bearer_qos": BearerQos(0, ARP)},
        {"pco": b"\x80" + bytes.fromhex("000d04c0000201") * 36},
        {"pco": b"\x80" + bytes.fromhex("000d04c0000201") * 300},
        {"paa": Paa(PdnType.NON_IP)},
        {"paa": Paa(PdnType.ETHERNET)},
        {"paa": Paa(PdnType.IPV6, "", "2001:db8:9::1")},
        {"paa": Paa(PdnType.IPV4V6, "10.64.0.9", "2001:db8:9::1")},
        {"ebi": 0},
        {"ebi": 9},
        {"cause": CauseIe(Cause.REQUEST_ACCEPTED_PARTIALLY)},
    ],
    ids=lambda each: str(next(iter(each))),
)
async def test_what_cannot_be_told_is_no_fault(run: Any, changed: dict[str, Any]) -> None:
    async with run() as network:
        saying(network, **changed)
        phone = network.phone()
        phone.attach()
        await network.settle()
        await network.sleep(60)
        served = network.session() is not None
        assert served is (at(network, "sgw") is not None)
        assert phone.got


@pytest.mark.parametrize(
    "context",
    [
        {"bearer_qos": BearerQos(1, ARP, MOST, MOST, MOST, MOST)},
        {"bearer_qos": BearerQos(255, ARP, 0, 0, MOST, 0)},
        {"bearer_tft": bytes.fromhex("2130000230 11") + bytes(249)},
        {"bearer_tft": bytes.fromhex("2130000230 11") + bytes(1000)},
        {"bearer_tft": b"\0"},
    ],
    ids=lambda each: str(next(iter(each))),
)
async def test_a_bearer_that_cannot_be_told_does_not_stand(run: Any, context: dict[str, Any]) -> None:
    async with run() as network:
        await network.attached()
        core = network.host.elements["sgw"].core
        device = core.devices[IMSI]
        end = core.user_end(gtpv2.InterfaceType.S1_U_SGW_GTP_U, 0x99)
        asked = {"ebi": 0, "bearer_tft": bytes.fromhex("2130000230 11"), "bearer_qos": BearerQos(7, ARP)}
        order = {"linked_ebi": 5, "bearer_contexts": ({**asked, "s1_u_sgw": end, **context},)}
        told = await core.node.ask(
            gtpv2.Message("create-bearer-request", order, device.mme.teid), device.mme.address, "S11"
        )
        assert told.cause in Cause
        assert network.session() is not None


@pytest.mark.parametrize("number", ["1", "86144000000000123"])
async def test_a_number_that_is_none_is_not_told(run: Any, number: str) -> None:
    async with run() as network:
        data = network.hss.update_location(None)
        told = next(value for name, value in data if name == "Subscription-Data")
        told[:] = [(name, number if name == "MSISDN" else value) for name, value in told]
        network.hss.answers["update-location"] = data
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert esm_cause(phone) == EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED
        assert network.session() is None
